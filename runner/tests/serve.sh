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
    has 'the index' "\"key\":\"$key\"" '"binance":{"faults":[],"requests":' 'POST /binance/move' 'POST /oanda/fault' \
        '"faults":{"ack_lost":"does what was asked; the connection dies before the answer","ack_twice":"'
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
    post /binance/fault '{"venue": "down"}'
    has 'down' '{"faults":[{"committed":0,"venue":"down"}]}'
    checks=$((checks + 2))
    timeout 5 cat <&$open >/dev/null 2>&1
    [[ $? != 124 ]] || complain 'going down closes what is open'
    exec {open}>&-
    dial $venue && complain 'a venue that is down refuses connections'
    get $control /
    has 'what is down' '"binance":{"faults":[{"committed":0,"venue":"down"}]'
    post /binance/heal '{"venue": "down"}'
    has 'an end' '{"faults":[]}'
    alive 'an outage'
    post /binance/fault '{"venue": "mute"}'
    dial $venue
    printf 'GET /api/v3/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&$fd
    answer=$(timeout 0.3 cat <&$fd)
    checks=$((checks + 1))
    [[ -z $answer ]] || complain 'a mute venue answers nothing'
    local held=$fd
    post /binance/heal '{}'
    answer=$(timeout 5 cat <&$held)
    exec {held}>&-
    has 'what was held back' 'HTTP/1.1 200'
}

trading() {
    post /binance/limit '{"orders": 1000, "per": 10}'
    talk $venue "GET /ws/btcusdt@trade HTTP/1.1\r\nHost: x\r\n\r\n" # no handshake: no stream
    get $control /binance/streams
    has 'no stream' '{"streams":[]}'
    dial $venue
    local stream=$fd query signature
    printf 'GET /ws/btcusdt@trade HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n' >&$stream
    head -c 100 <&$stream >/dev/null
    get $control /binance/streams
    has 'a stream' '{"streams":[{' '"path":"/ws/btcusdt@trade"' '"streams":["btcusdt@trade"]'
    query="symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.5&price=45000&newClientOrderId=mine-1&timestamp=${EPOCHREALTIME/./}"
    signature=$(printf %s "$query" | openssl dgst -sha256 -hmac $secret | sed 's/.* //')
    talk $venue "POST /api/v3/order?$query&signature=$signature HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: $key\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    has 'an order' '"status":"NEW"'
    post /binance/fill '{"client_id": "mine-1", "qty": "0.2"}'
    has 'a part' 'HTTP/1.1 200'
    signed /api/v3/order 'symbol=BTCUSDT&origClientOrderId=mine-1&'
    has 'a part of an order' '"executedQty":"0.20000000"' '"status":"PARTIALLY_FILLED"'
    post /binance/fill '{"client_id": "mine-1"}'
    signed /api/v3/order 'symbol=BTCUSDT&origClientOrderId=mine-1&'
    has 'an order that is filled' '"status":"FILLED"'
    post /binance/fill '{"client_id": "mine-1"}'
    has 'an order that has ended' 'HTTP/1.1 400' '{"error":"fill: no such order is open; send a body such as'
    post /binance/fill '{"id": "7", "symbol": "BTC/USDT"}'
    has 'an id that is no number' 'HTTP/1.1 400' '{"error":"fill: id is a whole number, as orders{} has it; send'
    post /binance/halt '{"symbol": "ETH/USDT"}'
    has 'a halt' '{"symbol":"ETH/USDT"}'
    post /binance/resume '{"symbol": "ETH/USDT"}'
    has 'its end' '{"symbol":"ETH/USDT"}'
    post /bybit/halt '{"symbol": "EUR/USD"}'
    has 'a halt of nothing' 'HTTP/1.1 400' "no symbol is called 'EUR/USD'"
    post /oanda/fill '{"client_id": "mine-1"}'
    has 'a fill of oanda' 'HTTP/1.1 404'
    post /binance/reset '{}'
    has 'a reset' 'HTTP/1.1 200' '{"faults":[]}'
    checks=$((checks + 1))
    timeout 5 cat <&$stream >/dev/null 2>&1
    [[ $? != 124 ]] || complain 'a reset ends streams'
    exec {stream}>&-
    signed /api/v3/order 'symbol=BTCUSDT&origClientOrderId=mine-1&'
    has 'a market without a past' '"code":-2013'
    get $control /binance/streams
    has 'no stream any more' '{"streams":[]}'
}

# asymmetric TYPE OPTION...: makes a key of openssl's; $public is its public half as JSON has it.
asymmetric() {
    openssl genpkey -algorithm "$@" -out own.pem 2>/dev/null
    public=$(openssl pkey -in own.pem -pubout | awk '{ printf "%s\\n", $0 }')
}

keys() {
    local public own query
    asymmetric ed25519
    post /binance/add_key "{\"kind\": \"ed25519\", \"public\": \"$public\", \"trade\": false}"
    has 'a key' 'HTTP/1.1 200' '{"key":"'
    own=$(sed -n 's/^{"key":"\(.*\)"}.*/\1/p' <<<"$answer")
    query="timestamp=${EPOCHREALTIME/./}"
    printf %s "$query" >payload
    query+=\&signature=$(openssl pkeyutl -sign -rawin -inkey own.pem -in payload | base64 -w0 | sed 's/+/%2B/g;s,/,%2F,g;s/=/%3D/g')
    talk $venue "GET /api/v3/account?${query//%/%%} HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: $own\r\nConnection: close\r\n\r\n"
    has 'what it signs' 'HTTP/1.1 200' '"canTrade":false'
    post /binance/add_key '{"kind": "ed25519", "public": "no PEM"}'
    has 'no key' 'HTTP/1.1 400' '{"error":"add_key: '
    post /bybit/add_key "{\"kind\": \"ed25519\", \"public\": \"$public\"}"
    has 'a kind that bybit does not take' 'HTTP/1.1 400' 'kind (hmac, rsa)'
    post /bybit/add_key '{"kind": "hmac", "secret": "S"}'
    has 'a secret that is too short' 'HTTP/1.1 400' \
        '{"error":"add_key: a secret has at least 4 bytes; send a body such as {\"kind\": \"hmac\", '
    post /bybit/add_key '{"kind": "hmac", "secret": "another secret"}'
    has 'a key of bybit' 'HTTP/1.1 200' '{"key":"'
    post /oanda/add_key '{"kind": "bearer"}'
    own=$(sed -n 's/^{"key":"\(.*\)"}.*/\1/p' <<<"$answer")
    talk $oanda "GET /v3/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $own\r\nConnection: close\r\n\r\n"
    has 'a token' 'HTTP/1.1 200' "\"id\":\"$account\""
}

# Toxiproxy's API; its client judges it in bindings/tests/clients/toxiproxy.js.
toxic() {
    get $control /version
    has 'a version' 'HTTP/1.1 200' '{"version":"2.'
    post /proxies/binance/toxics '{"type": "timeout", "attributes": {"timeout": 1500}}'
    has 'a toxic' '{"attributes":{"timeout":1500},"name":"timeout_downstream","type":"timeout","stream":"downstream","toxicity":1}'
    get $control /
    has 'a toxic is a fault' '{"committed":0,"link":"timeout","stream":"downstream","timeout":1.5}'
    post /proxies/bybit '{"enabled": false}'
    has 'a proxy that is off' '"enabled":false'
    post /reset '{}'
    has 'a reset' 'HTTP/1.1 204'
    get $control /proxies
    has 'no toxic any more' '"enabled":true,"toxics":[]},"bybit":{' '"enabled":true,"toxics":[]},"oanda":{'
    post /proxies/redis/toxics '{"type": "timeout"}'
    has 'no proxy' 'HTTP/1.1 404' '{"error":"proxy not found","status":404}'
}

# Faults of some requests, on each venue.
faulting() {
    post /binance/fault '{"venue": "status", "on": "time", "status": 429, "retry_after": 7, "times": 1}'
    has 'a fault' '{"faults":[{"committed":0,"on":"time","retry_after":7,"status":429,"times":1,"venue":"status"}]}'
    get $venue /api/v3/time
    has 'a limit that is none' 'HTTP/1.1 429' 'Retry-After: 7' '"code":-1003'
    get $venue /api/v3/time
    has 'the next one' 'HTTP/1.1 200'
    get $control '/binance/requests?limit=1000'
    has 'what was seen' '"path":"/api/v3/time","query":"","body":"","signed":false,"websocket":false,"status":429,"fault":"status"}'
    post /binance/fault '{"venue": "ack_losst"}'
    has 'a fault of venues that there is none' 'HTTP/1.1 400' 'send a body such as {\"venue\": \"ack_lost\"'
    post /binance/fault '{"link": "latency"}'
    has 'a fault of the wire that does nothing' 'HTTP/1.1 400' 'send a body such as {\"link\": \"latency\", \"latency\": 0.2}'
    post /binance/fault '{"link": "tls_expired"}'
    has 'a certificate where there is none' 'HTTP/1.1 400' 'this venue speaks plaintext; start smcrun serve with --tls; send'
    post /bybit/fault '{"venue": "not_json", "path": "/v5/market/time"}'
    get $bybit /v5/market/time
    has 'a page' 'HTTP/1.1 200' 'text/html' '<html>'
    post /bybit/heal '{"venue": "not_json"}'
    get $bybit /v5/market/time
    has 'no page' '"retCode":0'
    post /oanda/fault '{"venue": "slow", "seconds": 0.3, "on": "ping"}'
    local began=${EPOCHREALTIME/./}
    talk $oanda "GET /v3/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\nConnection: close\r\n\r\n"
    has 'a late answer' 'HTTP/1.1 200' "\"id\":\"$account\""
    checks=$((checks + 1))
    ((${EPOCHREALTIME/./} - began >= 300000)) || complain 'it is late'
    post /oanda/heal '{}'
    post /oanda/limit '{"requests": 0, "per": 60}'
    talk $oanda "GET /v3/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\nConnection: close\r\n\r\n"
    has 'a limit of oanda' 'HTTP/1.1 429'
    post /bybit/limit '{"path": "/v5/order/create", "requests": 5, "per": 1}'
    has 'a limit of bybit' '{"path":"/v5/order/create","per":1,"requests":5}'
    post /oanda/move '{"symbol": "EUR/USD", "to": "1.5"}'
    has 'a move of oanda' '{"symbol":"EUR/USD","bid":"1.'
    local frame='{"op":"subscribe","args":["tickers.BTCUSDT"]}'
    dial $bybit
    printf 'GET /v5/public/spot HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\xad\x00\x00\x00\x00%s' "$frame" >&$fd
    answer=$(timeout 5 head -c 200 <&$fd | tr -d '\000\r')
    exec {fd}>&-
    has 'a frame of bybit' '"success":true'
    get $control /metrics
    has 'what bybit was asked by frames' 'venue="bybit",method="WS",path="subscribe",status="200"} 1' \
        'venue="bybit",method="GET",path="/v5/public/spot",status="101"} 1'
    has 'metrics of all' 'venue="bybit",method="GET",path="/v5/market/time",status="200"} 2' \
        'venue="oanda",method="GET",path="/v3/accounts",status="429"} 1' 'smcrun_open_orders{venue="oanda"} 0'
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
    for body in '{}' '{"venue": "flood"}' '{"venue": "down", "on": "place"}' '{"venue": "slow"}' '{"on": "place"}' \
        '{"venue": "status", "status": "503"}' '{"venue": "reset", "times": 1.5}' '{"venue": "reset", "on": {}}'; do
        post /binance/fault "$body"
        has "the fault $body" 'HTTP/1.1 400' '{"error":"fault: ' 'such as {\"venue\":'
    done
    post /binance/heal '{"venue": "flood"}'
    has 'an unknown fault' 'HTTP/1.1 400' "no fault is called 'flood' (of venues: ack_lost, ack_twice,"
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
    local half=$fd
    printf 'GET /api/v3/pi' >&$half
    dial $venue
    local stream=$fd
    printf 'GET /ws/btcusdt@bookTicker HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n' >&$stream
    dial $oanda
    local prices=$fd
    printf "GET /v3/accounts/$account/pricing/stream?instruments=EUR_USD HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\n\r\n" >&$prices
    head -c 100 <&$stream >/dev/null # both have begun
    head -c 100 <&$prices >/dev/null
    stop TERM
    for fd in $half $stream $prices; do
        checks=$((checks + 1))
        timeout 5 cat <&$fd >/dev/null 2>&1
        [[ $? != 124 ]] || complain 'a stop closes connections'
        exec {fd}>&-
    done
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
    local status=147
    while ((status == 147)); do # 128 + SIGSTOP: that it stopped may be told only now, when it has long gone on
        wait "$pid"
        status=$?
    done
    answer="status $status"
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
    has 'a full disk' 'smcrun: cannot write to standard output: No space left on device'
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
trading
keys
faulting
toxic
refusing
stops
over_tls
elsewhere
wrong_words
for_people
verdict
