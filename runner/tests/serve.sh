#!/usr/bin/env bash
# serve.sh SMCRUN: `smcrun serve` as a program of any language meets it, and as rude clients do.
# Bash's /dev/tcp is the client, openssl signs; prints each check that fails with what was received instead.
# shellcheck disable=SC2059,SC2086
set -uo pipefail
set -m # background jobs get SIGINT, as at a terminal
smcrun=$(realpath "$1")
work=$(mktemp -d)
cd "$work" || exit 1
export LC_ALL=C
ulimit -S -n "$(ulimit -H -n)"
key=test-key secret=0123456789abcdef
pid='' venue=0 control=0 fd='' answer='' failures=0 checks=0

finish() {
    [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

complain() {
    failures=$((failures + 1))
    printf '%s\n  | %s\n' "$1" "${answer//$'\n'/$'\n  | '}"
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

start() { # start ARG...: serves, or fails and says why in err; $answer is the line of --json
    rm -f line
    (
        ulimit -S -n 256 # it raises that by itself
        exec "$smcrun" serve --json --key $key --secret $secret "$@" >line 2>err
    ) &
    pid=$!
    eventually 20 grep -qs . line err || return 1
    [[ -s line ]] || return 1
    answer=$(<line)
    venue=$(sed -n 's/.*"rest":"http:\/\/127\.0\.0\.1:\([0-9]*\)".*/\1/p' line)
    control=$(sed -n 's/.*"control":"http:\/\/127\.0\.0\.1:\([0-9]*\)".*/\1/p' line)
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

dial() { exec {fd}<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null

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
    talk $control "POST $1 HTTP/1.1\r\nHost: 127.0.0.1:$control\r\nContent-Type: ${3:-application/json}\r\nContent-Length: ${#2}\r\nConnection: close\r\n\r\n${2//%/%%}"
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

as_a_program() {
    has 'the line' "{\"binance\":{\"rest\":\"http://127.0.0.1:$venue\",\"ws\":\"ws://127.0.0.1:$venue\"" \
        "\"ws_api\":\"ws://127.0.0.1:$venue/ws-api/v3\",\"key\":\"$key\",\"secret\":\"$secret\"}" \
        ",\"control\":\"http://127.0.0.1:$control\"}"
    answer=$(wc -l <line)
    has 'one line' 1
    alive 'the start'
    signed /api/v3/account ''
    has 'a signed account' 'HTTP/1.1 200' '"canTrade":true' '"asset":"USDT"'
    secret=wrong-secret signed /api/v3/account ''
    has 'a wrong secret' 'HTTP/1.1 400' '"code":-1022'
    talk $venue "GET /ws/btcusdt@bookTicker HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x88\x80\x00\x00\x00\x00"
    has 'a WebSocket' 'HTTP/1.1 101' 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
}

looking() {
    get $control /
    has 'the index' "\"key\":\"$key\"" '"down":false' 'POST /binance/move'
    get $control /healthz localhost
    has 'health' 'HTTP/1.1 200' '{"status":"ok"}'
    get $control '/binance/requests?since=1&limit=1'
    has 'the second request' '"requests":[{"id":2,"time":1' '"path":"/api/v3/account"' '"signed":true' '"status":200}],"first":1,"last":4}'
    get $control /metrics
    has 'metrics' 'smcrun_requests_total{venue="binance",method="GET",path="/api/v3/ping",status="200"} 1' \
        'path="/api/v3/account",status="400"} 1' 'method="GET",path="/ws",status="101"} 1' \
        'smcrun_open_connections{venue="binance"} 0' 'smcrun_open_streams{venue="binance"} 0' \
        'smcrun_open_orders{venue="binance"} 0'
    talk $control "HEAD /metrics HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n"
    has 'HEAD' 'HTTP/1.1 200' 'Content-Length: '
}

turning() {
    post /binance/move '{"symbol": "BTC/USDT", "to": "50000"}'
    has 'a move' 'HTTP/1.1 200' '{"symbol":"BTC/USDT","bid":"4999' '"ask":"5000'
    get $venue '/api/v3/ticker/bookTicker?symbol=BTCUSDT'
    has 'the moved price' '"bidPrice":"4999'
    post /binance/skew '{"seconds": 3600}'
    has 'a skew' '{"seconds":3600}'
    signed /api/v3/account ''
    has 'a skewed clock' '"code":-1021'
    post /binance/skew '{"seconds": 0}'
    post /binance/limit '{"request_weight": 3, "per": 86400}'
    has 'a limit' '{"request_weight":3,"per":86400}'
    signed /api/v3/account ''
    has 'past the limit' 'HTTP/1.1 429' '"code":-1003'
    post /binance/limit '{"request_weight": 6000, "per": 60}'
    dial $venue
    local open=$fd
    post /binance/down '{"on": true}'
    has 'down' '{"on":true}'
    checks=$((checks + 2))
    timeout 5 cat <&$open >/dev/null 2>&1
    [[ $? != 124 ]] || complain 'going down closes what is open'
    exec {open}>&-
    dial $venue && complain 'a venue that is down refuses connections'
    get $control /
    has 'what is down' '"down":true'
    post /binance/down '{"on": false}'
    alive 'an outage'
    post /binance/mute '{"on": true}'
    dial $venue
    printf 'GET /api/v3/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&$fd
    answer=$(timeout 0.3 cat <&$fd)
    checks=$((checks + 1))
    [[ -z $answer ]] || complain 'a mute venue answers nothing'
    local held=$fd
    post /binance/mute '{"on": false}'
    answer=$(timeout 5 cat <&$held)
    exec {held}>&-
    has 'what was held back' 'HTTP/1.1 200'
}

refusing() {
    get $control /nothing
    has 'an unknown path' 'HTTP/1.1 404' '{"error":"there is no such path; GET / lists'
    get $control /bybit/requests
    has 'an unknown venue' 'HTTP/1.1 404'
    get $control /binance/skew
    has 'a wrong method' 'HTTP/1.1 405' 'Allow: POST' '{"error":"use POST for /binance/skew"}'
    get $control / evil.example
    has 'a rebound name' 'HTTP/1.1 403' '{"error":"the Host header must be'
    get $control / 127.0.0.1.evil.example
    has 'a longer name' 'HTTP/1.1 403'
    talk $control "GET / HTTP/1.0\r\n\r\n"
    has 'no name' 'HTTP/1.1 403'
    post /binance/skew '{"seconds": 2}' text/plain
    has 'a form' 'HTTP/1.1 415' 'Content-Type: application/json'
    local body
    for body in '' '{' '[]' '7' '{}' '{"seconds": "2"}' '{"seconds": null}' '{"hours": 2}' '{"seconds": 1e99}' $'{"\xff": 1}'; do
        post /binance/skew "$body"
        has "the body $body" 'HTTP/1.1 400' '{"error":"' 'such as {\"seconds\": 2.5}"}'
    done
    for body in '{"symbol": "BTC/USDT"}' '{"symbol": "X", "to": "1"}' '{"symbol": "BTC/USDT", "to": "-1"}' \
        '{"symbol": "BTC/USDT", "by": "x"}' '{"by": "0.1"}'; do
        post /binance/move "$body"
        has "the body $body" 'HTTP/1.1 400' '{"error":"move: ' 'such as {\"symbol\":'
    done
    post /binance/limit '{"request_weight": 1.5, "per": 60}'
    has 'half a weight' 'HTTP/1.1 400' 'such as {\"request_weight\"'
    post /binance/down '{"on": 1}'
    has 'a number for a switch' 'HTTP/1.1 400' 'on must be a boolean'
    get $control '/binance/requests?limit=-1'
    has 'a negative limit' 'HTTP/1.1 400' 'limit must be a whole number'
    get $control '/binance/requests?until=4'
    has 'an unknown question' 'HTTP/1.1 400' 'only since=ID and limit=N'
    post /binance/requests '{}'
    has 'a POST to look' 'HTTP/1.1 405'
}

# What rude clients send; the sandbox goes on, and so does its control API.
rudeness() {
    local port i held=() giant
    giant=$(printf 'x%.0s' {1..70000})
    for port in $venue $control; do
        dial $port
        held+=("$fd")
        printf 'GET /api/v3/pi' >&$fd # half a request
        dial $port
        held+=("$fd")
        printf 'POST /binance/skew HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nslow' >&$fd
        talk $port "GET / HTTP/1.1\r\nHost: x\r\nX: $giant\r\n\r\n"
        has 'a giant header' 'HTTP/1.1 431'
        talk $port "GET /$giant HTTP/1.1\r\nHost: x\r\n\r\n"
        has 'a giant path' 'HTTP/1.1 4'
        talk $port 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n'
        has 'a giant body' 'HTTP/1.1 413'
        talk $port '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'
        talk $port 'FROB /api/v3/ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
        has 'an unknown method' 'HTTP/1.1 40'
    done
    talk $venue 'POST /api/v3/order HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\na\xffb'
    has 'a body that is no text' 'HTTP/1.1 400'
    talk $venue 'GET /api/v3/ping HTTP/1.1\r\nHost: x\r\n\r\nGET /api/v3/time HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    has 'two requests at once' '{}HTTP/1.1 200' '"serverTime"'
    local hello='GET /ws-api/v3 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    dial $venue
    printf "$hello"'\x81\x98\x00\x00\x00\x00{"id":1,"method":"ping"}' >&$fd
    answer=$(timeout 5 head -c 170 <&$fd | tr -d '\000\r') # 129 bytes are the handshake
    exec {fd}>&-
    has 'a request over the WebSocket API' '{"id":1,"status":200,"result":{}'
    for garbage in '\xff\xff\xff\xff\xff' '\x81\x05hello' '\x83\x80\x00\x00\x00\x00' '\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff' \
        '\x81\x81\x00\x00\x00\x00\xff'; do
        talk $venue "$hello$garbage"
        has "the frame $garbage" 'HTTP/1.1 101'
    done
    alive 'rude clients'
    get $control '/binance/requests?limit=1000'
    has 'what they sent' 'HTTP/1.1 200' '"method":"FROB"' '"body":"a?b"'
    get $control /metrics
    has 'how they count' 'method="other",path="/api/v3/ping",status="405"} 1' 'method="WS",path="ping",status="200"} 1'
    for i in "${held[@]}"; do exec {i}>&-; done
}

crowd() {
    local i held=()
    for ((i = 0; i < 2000; i++)); do
        dial $venue || break
        held+=("$fd")
    done
    answer="${#held[@]} connections"
    has 'idle connections' '2000 connections'
    counted() {
        get $control /metrics
        [[ $answer == *"smcrun_open_connections{venue=\"binance\"} $1"* ]]
    }
    checks=$((checks + 2))
    eventually 10 counted 2000 || complain '2000 open connections'
    alive '2000 connections'
    for i in "${held[@]}"; do exec {i}>&-; done
    eventually 10 counted 0 || complain 'no open connection is left'
}

# More requests than are remembered: numbers go on, the oldest are forgotten, and the counter forgets none.
forgetting() {
    local last i
    get $venue "/$(printf 'x%.0s' {1..5000})"
    get $control "/binance/requests?limit=1000"
    has 'a long path' "\"path\":\"/$(printf 'x%.0s' {1..2047})\",\"query\""
    get $control /
    last=$(sed -n 's/.*"requests":\([0-9]*\)}.*/\1/p' <<<"$answer")
    dial $venue
    { for ((i = 0; i < 10100; i++)); do printf 'GET /api/v3/nothing HTTP/1.1\r\nHost: x\r\n\r\n'; done >&$fd; } &
    local writer=$!
    timeout 60 head -n $((3 * 10100)) <&$fd >answers
    wait $writer
    exec {fd}>&-
    answer=$(grep -c 'HTTP/1.1 404' answers)
    has 'the answers' 10100
    get $control '/binance/requests?limit=1'
    has 'the ring' "\"first\":$((last + 101)),\"last\":$((last + 10100))}" "\"requests\":[{\"id\":$((last + 101)),"
    get $control /metrics
    has 'the counter' 'method="GET",path="other",status="404"} 101'
}

stops() {
    local other=$venue
    ends_with 3 --port "$other"
    has 'a taken port' "smcrun: binance cannot listen on 127.0.0.1:$other: " 'choose another --port'
    ends_with 3 --port $((control - 1))
    has 'a taken port' " cannot listen on 127.0.0.1:"
    dial $venue
    printf 'GET /api/v3/pi' >&$fd
    stop TERM
    timeout 5 cat <&$fd >/dev/null 2>&1
    [[ $? != 124 ]] || complain 'a stop closes connections'
    exec {fd}>&-
    answer=$(<err)
    checks=$((checks + 1))
    [[ -z $answer ]] || complain 'nothing was complained of'
    for _ in {1..20}; do # below the ports that the system gives to clients; others may listen there
        other=$((10000 + RANDOM % 20000))
        start --port "$other" --seed 5 && break
    done
    [[ $venue == "$other" && $control == $((other + 1)) ]] || complain 'the ports are those asked for'
    stop INT
    start || complain 'it starts again'
    kill -STOP "$pid" && kill -INT "$pid" && kill -TERM "$pid" && kill -CONT "$pid"
    wait "$pid"
    answer="status $?"
    has 'a second signal' 'status 130'
    pid=''
}

for_people() {
    local port
    "$smcrun" serve --seed 7 >table &
    pid=$!
    eventually 20 grep -qs WebsocketAPI table
    answer=$(<table)
    port=$(sed -n 's/^  REST *http:\/\/127\.0\.0\.1:\([0-9]*\)$/\1/p' table)
    has 'the table' 'seed 7' 'secret  ' "ex.urls.api[k] = 'http://127.0.0.1:$port/api/v3'" "baseURL: 'http://127.0.0.1:$port'" \
        'ex.setSandboxMode(true)' "ws://127.0.0.1:$port/ws-api/v3"
    checks=$((checks + 1))
    [[ $answer != *'$'* ]] || complain 'every place is filled in'
    stop TERM
    ends_with 70 --seed 1 >/dev/full
    has 'a full disk' 'No space left on device'
    exec {fd}> >(:)
    eventually 5 gone $!
    ends_with 70 --seed 1 >&$fd
    has 'a closed pipe' 'Broken pipe'
    exec {fd}>&-
}

start || {
    cat err
    exit 1
}
as_a_program
looking
turning
refusing
rudeness
crowd
forgetting
stops
for_people
printf '%d checks, %d failed\n' $checks $failures
((failures == 0))
