#!/usr/bin/env bash
# serve_client.sh: for tests of `smcrun serve`, to be sourced with SMCRUN as first argument.
# Bash's /dev/tcp is the client, openssl signs; each check that fails is printed with what was received instead.
# shellcheck disable=SC2034,SC2059,SC2086
set -uo pipefail
set -m # background jobs get SIGINT, as at a terminal
smcrun=$(realpath "$1")
work=$(mktemp -d)
cd "$work" || exit 1
export LC_ALL=C
ulimit -S -n "$(ulimit -H -n)"
key=test-key secret=0123456789abcdef token=test-token account=101-004-1-001
credentials="--key $key --secret $secret --token $token --account $account"
pid='' venue=0 bybit=0 oanda=0 control=0 fd='' answer='' failures=0 checks=0

# What runs against it as a testnet have kept of its limits; at port 1 nobody answers.
forget() { rm -f "/dev/shm/smcrun-$UID-at-"*-{"$venue","$bybit","$oanda",1}; }

finish() {
    [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null
    forget
    rm -rf "$work"
}
trap finish EXIT
trap '' PIPE # a server may close while we still talk

complain() {
    failures=$((failures + 1))
    local shown=$answer
    ((${#shown} <= 4000)) || shown=${shown:0:2000}$'\n[..]\n'${shown: -2000}
    printf '%s\n  | %s\n' "$1" "${shown//$'\n'/$'\n  | '}"
}

has() { # has WHAT TEXT...: the last answer holds each of them
    local what=$1 text
    shift
    for text; do
        checks=$((checks + 1))
        [[ $answer == *"$text"* ]] || complain "$what: wanted $text"
    done
}

# eventually SECONDS COMMAND...: until it succeeds.
eventually() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < until)) || return 1
        sleep 0.02
    done
}

port_of() { sed -n "s/.*$1:\"https\?:\/\/127\.0\.0\.1:\([0-9]*\)\".*/\1/p" line; }

start() { # start ARG...: serves, or fails and says why in err; $answer is the line of --json
    forget
    rm -f line
    (
        ulimit -S -n 256 # it raises that by itself
        exec "$smcrun" serve --json $credentials "$@" >line 2>err
    ) &
    pid=$!
    eventually 20 grep -qs . line err || return 1
    [[ -s line ]] || return 1
    answer=$(<line)
    venue=$(port_of '"binance":{"rest"')
    bybit=$(port_of '"bybit":{"rest"')
    oanda=$(port_of '"oanda":{"rest"')
    control=$(port_of '"control"')
}

gone() { ! kill -0 "$1" 2>/dev/null; }

ends_with() { # ends_with STATUS ARG...: does not serve; $answer is what it says why
    local status
    { answer=$(timeout 10 "$smcrun" serve "${@:2}" 2>&1 >&3); } 3>&1
    status=$?
    checks=$((checks + 1))
    [[ $status == "$1" ]] || complain "serve ${*:2}: exit status $1, not $status"
}

stop() { # stop SIGNAL: ends it, within a second, with 0
    local began=${EPOCHREALTIME/./} status
    kill -"$1" "$pid"
    wait "$pid"
    status=$?
    answer="status $status after $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
    checks=$((checks + 2))
    [[ $status == 0 ]] || complain "$1 ends it with 0"
    ((${EPOCHREALTIME/./} - began < 1000000)) || complain "$1 ends it within a second"
    pid=''
}

dial() { exec {fd}<>"/dev/tcp/${2:-127.0.0.1}/$1"; } 2>/dev/null

# talk PORT BYTES: sends them (printf's escapes) and keeps what comes until the server closes, five seconds at most.
talk() {
    answer=''
    dial "$1" || return 1
    { printf "$2" >&$fd; } 2>/dev/null
    answer=$(timeout 5 cat <&$fd 2>/dev/null | tr -d '\000\r')
    exec {fd}>&-
}

get() { talk "$1" "GET ${2//%/%%} HTTP/1.1\r\nHost: ${3:-127.0.0.1}\r\nX-MBX-APIKEY: $key\r\nConnection: close\r\n\r\n"; }

post() { # post PATH BODY [TYPE]: to the control API
    local body=${2//\\/\\\\}
    talk $control "POST $1 HTTP/1.1\r\nHost: 127.0.0.1:$control\r\nContent-Type: ${3:-application/json}\r\nContent-Length: ${#2}\r\nConnection: close\r\n\r\n${body//%/%%}"
}

signed() { # signed PATH QUERY
    local query="$2timestamp=${EPOCHREALTIME/./}" signature
    signature=$(printf %s "$query" | openssl dgst -sha256 -hmac $secret | sed 's/.* //')
    get $venue "$1?$query&signature=$signature"
}

alive() { # alive WHAT: it still answers
    get $venue /api/v3/ping
    has "after $1" 'HTTP/1.1 200' '{}'
}


verdict() {
    printf '%d checks, %d failed\n' $checks $failures
    ((failures == 0))
}
