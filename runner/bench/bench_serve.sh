#!/usr/bin/env bash
# bench_serve.sh SMCRUN: signed orders a second that `smcrun serve` fills, against nginx with a fixed reply, in turns.
# Each server has one core to itself and the client, wrk, another; both get the same requests over as many connections.
# Rates are what wrk counted.  A server whose CPU a request times its rate is far below a second waited for somebody.
set -uo pipefail
smcrun=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-3} connections=${CONNECTIONS:-32}
script=$PWD/signed_orders.lua
work=$(mktemp -d)
export KEY=bench-key SECRET=0123456789abcdef0123456789abcdef
pids=()

finish() {
    ((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null
    wait
    rm -rf "$work"
}
trap finish EXIT

die() {
    printf 'bench_serve: %s\n' "$1" >&2
    exit 1
}

eventually() {
    for _ in {1..200}; do
        "$@" && return
        sleep 0.05
    done
    return 1
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

post() { # post PORT PATH BODY
    local answer
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' \
        "$2" "${#3}" "$3" >&3
    answer=$(cat <&3)
    exec 3>&-
    [[ $answer == 'HTTP/1.1 200'* ]] || die "$2 answers ${answer##*$'\n'}"
}

start_smcrun() {
    taskset -c 0 "$smcrun" serve binance --json --key $KEY --secret $SECRET >"$work/line" &
    smcrun_pid=$!
    pids+=("$smcrun_pid")
    eventually test -s "$work/line" || die "smcrun does not serve"
    local line control
    line=$(<"$work/line")
    [[ $line =~ \"rest\":\"([^\"]*)\" ]] && smcrun_url=${BASH_REMATCH[1]}
    [[ $line =~ \"control\":\"http://127.0.0.1:([0-9]*)\" ]] && control=${BASH_REMATCH[1]}
    post "$control" /binance/limit '{"orders": 1000000000, "per": 10}'
    post "$control" /binance/limit '{"raw_requests": 1000000000, "per": 300}'
}

reply() { # what a filled order looks like
    printf '{"symbol":"BTCUSDT","orderId":1234567,"orderListId":-1,"clientOrderId":"6gCrw2kRUAF9CvJDGP16IP",'
    printf '"transactTime":1767571200000,"price":"70000.00000000","origQty":"0.00010000","executedQty":"0.00010000",'
    printf '"origQuoteOrderQty":"0.00000000","cummulativeQuoteQty":"6.00090000","status":"FILLED","timeInForce":"GTC",'
    printf '"type":"LIMIT","side":"BUY","workingTime":1767571200000,"fills":[{"price":"60009.00000000","qty":"0.00010000",'
    printf '"commission":"0.00000000","commissionAsset":"BTC","tradeId":1234567}],"selfTradePreventionMode":"EXPIRE_MAKER"}'
}

start_nginx() {
    local port try
    for try in {1..20}; do
        port=$((20000 + RANDOM % 20000))
        cat >"$work/nginx.conf" <<END
daemon off; worker_processes 1; pid $work/nginx.pid; error_log $work/nginx.log;
events { worker_connections 1024; }
http {
    access_log off; keepalive_requests 1000000000; client_body_temp_path $work/body; server_tokens off;
    proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi; uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    server {
        listen 127.0.0.1:$port;
        location / {
            default_type application/json;
            add_header x-mbx-uuid 695afbc0-0000-4000-8000-0000000003e8;
            add_header X-MBX-USED-WEIGHT 0;
            add_header X-MBX-USED-WEIGHT-1M 0;
            add_header X-MBX-ORDER-COUNT-10S 0;
            return 200 '$(reply)';
        }
    }
}
END
        taskset -c 0 nginx -e "$work/nginx.log" -c "$work/nginx.conf" &
        nginx_pid=$!
        pids+=("$nginx_pid")
        eventually nginx_has_come "$port"
        kill -0 "$nginx_pid" 2>/dev/null && break
        ((try < 20)) || die "nginx does not start: $(<"$work/nginx.log")"
    done
    nginx_url=http://127.0.0.1:$port
    nginx_pid=$(pgrep -P "$nginx_pid" | head -n 1) # the worker does the work
}

# Or gone: its port was taken.
nginx_has_come() { ! kill -0 "$nginx_pid" 2>/dev/null || { [[ -s $work/nginx.pid ]] && listens "$1"; }; }

cpu_ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }

load() { # load URL [NAME=VALUE...]: wrk's report
    env "${@:2}" taskset -c 1 wrk -t 1 -c "$connections" -d "${seconds}s" -s "$script" "$1" || die "wrk fails"
}

measure() { # measure NAME PID URL: appends the rate, and microseconds of CPU a request, to a file of that name
    local before report errors
    before=$(cpu_ticks "$2")
    report=$(load "$3")
    errors=$(grep -E 'Non-2xx|Socket errors' <<<"$report") && die "$1: $errors"
    awk -v ticks=$(($(cpu_ticks "$2") - before)) -v hz="$(getconf CLK_TCK)" '
        / requests in / { n = $1 }
        /^Requests\/sec/ { printf "%.0f %.1f\n", $2, 1e6 * ticks / hz / n }' <<<"$report" >>"$work/$1"
}

check() {
    local report
    report=$(load "$smcrun_url" CHECK=1 | grep '^filled') || die "the check does not run"
    [[ $report =~ ^'filled '[1-9][0-9]*', others 0' ]] || die "not every order was filled: $report"
    printf 'checked: %s\n' "$report"
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

(($(nproc) >= 2)) || die "two cores are needed, one for the server and one for the client"
start_smcrun
start_nginx
check
for ((i = 0; i < rounds; i++)); do
    measure smcrun "$smcrun_pid" "$smcrun_url"
    measure nginx "$nginx_pid" "$nginx_url"
done
check
paste -d ' ' "$work/smcrun" "$work/nginx" >"$work/both"
column() { awk -v n="$1" '{ print $n }' "$work/both" | median; }
awk '{ printf "round %d: smcrun %6d/s, %5.1f us of CPU each   nginx %6d/s, %5.1f us   ratio %.2f\n", NR, $1, $2, $3, $4, $1 / $3 }' \
    "$work/both"
printf 'signed orders, all filled, one core, median of %d: smcrun %d/s, nginx with a fixed reply %d/s, ratio %s\n' "$rounds" \
    "$(column 1)" "$(column 3)" "$(awk '{ printf "%.3f\n", $1 / $3 }' "$work/both" | median)"
