# To be sourced by the benches: a temporary folder, processes that end with the bench, and an nginx with a fixed reply.
# shellcheck shell=bash
work=$(mktemp -d)
pids=()

finish() {
    ((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null
    wait
    rm -rf "$work"
}
trap finish EXIT

die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
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

# Or gone: its port was taken.
nginx_has_come() { ! kill -0 "$nginx_pid" 2>/dev/null || { [[ -s $work/nginx.pid ]] && listens "$1"; }; }

start_nginx() { # start_nginx BODY [DIRECTIVE...]: on core 0 and any free port; sets nginx_url, and nginx_pid, its worker
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
        location / { default_type application/json; ${@:2} return 200 '$1'; }
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

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

(($(nproc) >= 2)) || die "two cores are needed, one for the server and one for the client"
