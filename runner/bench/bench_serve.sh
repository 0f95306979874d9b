#!/usr/bin/env bash
# bench_serve.sh SMCRUN: signed orders a second that `smcrun serve` fills, against nginx with a fixed reply, in turns.
# Each server has one core to itself and the client, wrk, another; both get the same requests over as many connections.
# Rates are what wrk counted.  A server whose CPU a request times its rate is far below a second waited for somebody.
set -uo pipefail
smcrun=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-3} connections=${CONNECTIONS:-32}
script=$PWD/signed_orders.lua
export KEY=bench-key SECRET=0123456789abcdef0123456789abcdef
# shellcheck source=peer.sh
source ./peer.sh

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

start_smcrun
start_nginx "$(reply)" 'add_header x-mbx-uuid 695afbc0-0000-4000-8000-0000000003e8;' \
    'add_header X-MBX-USED-WEIGHT 0; add_header X-MBX-USED-WEIGHT-1M 0; add_header X-MBX-ORDER-COUNT-10S 0;'
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
