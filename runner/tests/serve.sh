#!/usr/bin/env bash
# serve.sh SMCRUN: `smcrun serve` as a program of any language meets it.
# shellcheck disable=SC2059,SC2086,SC2154
source "$(dirname "$0")/serve_client.sh"

as_a_program() {
    has 'the line' "{\"binance\":{\"rest\":\"http://127.0.0.1:$venue\",\"ws\":\"ws://127.0.0.1:$venue\"" \
        "\"ws_api\":\"ws://127.0.0.1:$venue/ws-api/v3\",\"key\":\"$key\",\"secret\":\"$secret\"}" \
        ",\"bybit\":{\"rest\":\"http://127.0.0.1:$bybit\",\"ws\":\"ws://127.0.0.1:$bybit\",\"key\":\"$key\"" \
        ",\"oanda\":{\"rest\":\"http://127.0.0.1:$oanda\",\"stream\":\"http://127.0.0.1:$oanda\",\"token\":\"$token\"" \
        ",\"account\":\"$account\"},\"control\":\"http://127.0.0.1:$control\"}"
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
    has 'a limit' '{"per":86400,"request_weight":3}'
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
    get $control /kraken/requests
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
    [[ $venue == "$other" && $control == $((other + 1)) && $bybit == $((other + 2)) &&
        $oanda == $((other + 3)) ]] || complain 'the ports are those asked for'
    stop INT
    start || complain 'it starts again'
    kill -STOP "$pid" && kill -INT "$pid" && kill -TERM "$pid" && kill -CONT "$pid"
    wait "$pid"
    answer="status $?"
    has 'a second signal' 'status 130'
    pid=''
}

# The authority that is made at start, and the certificates that it signs, as another TLS library sees them.
over_tls() {
    start --tls --ca-file ca.pem || complain 'it starts with TLS'
    answer=$(<line)
    has 'the line' '"rest":"https://127.0.0.1:' '"ws":"wss://127.0.0.1:' '"ws_api":"wss://' '"control":"http://127.0.0.1:'
    has 'the line' "\"bybit\":{\"rest\":\"https://127.0.0.1:$bybit\""
    local hello='GET /api/v3/ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'
    answer=$(printf "$hello" | timeout 5 openssl s_client -quiet -connect "127.0.0.1:$venue" -CAfile ca.pem \
        -verify_return_error -verify_ip 127.0.0.1 2>&1)
    has 'a request over TLS' 'HTTP/1.1 200' '{}'
    answer=$(printf "$hello" | timeout 5 openssl s_client -quiet -connect "127.0.0.1:$venue" -no-CApath -no-CAfile \
        -verify_return_error 2>&1)
    has 'an unknown authority' 'verify error'
    talk $venue "$hello"
    checks=$((checks + 1))
    [[ $answer != *HTTP* ]] || complain 'plaintext is not answered'
    stop TERM
    ends_with 3 --tls --ca-file /nowhere/ca.pem
    has 'a file that cannot be written' 'smcrun: cannot write --ca-file /nowhere/ca.pem: No such file'
}

elsewhere() {
    credentials='' start --host 127.0.0.2 bybit || complain 'it starts on another loopback address'
    answer=$(<line)
    has 'the line' '{"bybit":{"rest":"http://127.0.0.2:' '"ws":"ws://127.0.0.2:' '"control":"http://127.0.0.1:'
    get $control /healthz
    has 'the control API stays' '{"status":"ok"}'
    bybit=$(sed -n 's/.*127\.0\.0\.2:\([0-9]*\)".*/\1/p' line)
    answer=open
    checks=$((checks + 1))
    dial $bybit && complain 'nothing listens on 127.0.0.1'
    dial $bybit 127.0.0.2 || complain 'something listens on 127.0.0.2'
    printf 'GET /v5/market/time HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&$fd
    answer=$(timeout 5 cat <&$fd)
    exec {fd}>&-
    has 'but on 127.0.0.2' 'HTTP/1.1 200' '"retCode":0'
    stop TERM
    ends_with 3 --host 192.0.2.1 --allow-remote
    has 'an address of another machine' 'binance cannot listen on 192.0.2.1:0: '
}

wrong_words() {
    ends_with 3 kraken
    has 'an unknown venue' "there is no sandbox of 'kraken'; there are binance, bybit, oanda"
    ends_with 3 binance binance
    has 'a venue named twice' "'binance' is named twice"
    ends_with 3 --token 12345678 bybit
    has 'a token for nobody' 'none of the venues takes --token'
}

for_people() {
    local port
    "$smcrun" serve --seed 7 >table &
    pid=$!
    eventually 20 grep -qs ClientPrice table
    answer=$(<table)
    port=$(sed -n '/^binance/,/^bybit/s/^  REST *http:\/\/127\.0\.0\.1:\([0-9]*\)$/\1/p' table)
    has 'the table' 'seed 7' 'secret  ' "binance.urls.api[k] = 'http://127.0.0.1:$port/api/v3'" "baseURL: 'http://127.0.0.1:$port'" \
        'binance.setSandboxMode(true)' "ws://127.0.0.1:$port/ws-api/v3"
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
stops
over_tls
elsewhere
wrong_words
for_people
verdict
