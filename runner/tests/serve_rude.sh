#!/usr/bin/env bash
# serve_rude.sh SMCRUN: what rude and numerous clients send to `smcrun serve`; it goes on, and so does its control API.
# shellcheck disable=SC2059,SC2086,SC2154
source "$(dirname "$0")/serve_client.sh"

rudeness() {
    local port i held=() giant
    giant=$(printf 'x%.0s' {1..70000})
    for port in $venue $bybit $oanda $control; do
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
    for garbage in 'GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n' 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n' \
        'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n' 'GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n' \
        '\r\n\r\n\r\nGET\r\n\r\n' 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'; do
        for port in $venue $bybit $oanda; do
            talk $port "$garbage"
            has "the request $garbage" 'HTTP/1.1 '
        done
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

# A body that comes byte by byte, while others are served, is a body all the same.
slowness() {
    local i body='{"category":"spot"}' slow
    dial $bybit
    slow=$fd
    printf 'POST /v5/order/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n' ${#body} >&$slow
    for ((i = 0; i < ${#body}; i++)); do
        printf %s "${body:i:1}" >&$slow
        ((i % 5)) || alive 'a part of a body'
    done
    answer=$(timeout 5 cat <&$slow | tr -d '\r')
    exec {slow}>&-
    has 'a slow body' 'HTTP/1.1 401' '"retCode":10001'
}

resident_kib() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status"; }

# Who sends and never reads is not answered without end, and costs no more than one connection may.
deafness() {
    local before i held=()
    post /binance/limit '{"request_weight": 1000000000, "per": 60}'
    before=$(resident_kib)
    yes 2>/dev/null $'GET /api/v3/exchangeInfo HTTP/1.1\r\nHost: x\r\n\r' | head -n 900000 >requests
    for i in 1 2 3; do
        dial $venue
        held+=("$fd")
        { timeout 2 cat requests >&$fd; } 2>/dev/null
    done
    answer="$(($(resident_kib) - before)) KiB more"
    if ! grep -q __asan_init "$smcrun"; then # a sanitizer keeps what was freed
        checks=$((checks + 1))
        (($(resident_kib) - before < 40 * 1024)) || complain 'clients that never read'
    fi
    alive 'clients that never read'
    for i in "${held[@]}"; do exec {i}>&-; done
}

# Messages that never end, pings without end, and frames after the goodbye.
floods() {
    local hello='GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    dial $venue
    printf "$hello" >&$fd
    { yes "$(printf '\x00\xfe\xff\xff\x01\x01\x01\x01')$(printf 'x%.0s' {1..65535})" | tr -d '\n' | head -c 30000000 >&$fd; } 2>/dev/null
    answer=$(timeout 5 cat <&$fd | tr -d '\000\r')
    exec {fd}>&-
    has 'a message without end' 'HTTP/1.1 101'
    talk $venue "$hello$(printf '\\x89\\x80\\x01\\x01\\x01\\x01%.0s' {1..2000})"
    has 'pings without end' 'HTTP/1.1 101'
    talk $venue "$hello"'\x88\x80\x00\x00\x00\x00\x81\x80\x00\x00\x00\x00'
    has 'a frame behind the goodbye' 'HTTP/1.1 101'
    alive 'floods'
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
    last=$(sed -n 's/.*"binance":{[^}]*"requests":\([0-9]*\)}.*/\1/p' <<<"$answer")
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

start || {
    cat err
    exit 1
}
alive 'the start'
rudeness
slowness
crowd
forgetting
deafness
floods
stop TERM
verdict
