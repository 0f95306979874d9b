#!/usr/bin/env bash
# testnet.sh SMCRUN: --target testnet, with `smcrun serve` in the place of the test venues.
# shellcheck disable=SC2154
scenarios=$(realpath "$(dirname "$0")/../../scenarios")
source "$(dirname "$0")/serve_client.sh"
unset BINANCE_TESTNET_URL BYBIT_TESTNET_URL OANDA_PRACTICE_URL SMCRUN_CA_FILE BINANCE_TESTNET_API_KEY \
    BINANCE_TESTNET_API_SECRET BYBIT_TESTNET_API_KEY BYBIT_TESTNET_API_SECRET OANDA_PRACTICE_API_KEY \
    OANDA_PRACTICE_ACCOUNT_ID

keys_of() { # keys_of VENUE: the lines of .env that make it available
    case $1 in
    binance) printf '%s\n' "BINANCE_TESTNET_API_KEY=$key" "BINANCE_TESTNET_API_SECRET=$secret" ;;
    bybit) printf '%s\n' "BYBIT_TESTNET_API_KEY=$key" "BYBIT_TESTNET_API_SECRET=$secret" ;;
    oanda) printf '%s\n' "OANDA_PRACTICE_API_KEY=$token" "OANDA_PRACTICE_ACCOUNT_ID=$account" ;;
    esac
}

addresses() { # addresses SCHEME: the lines that move all three
    printf '%s\n' "BINANCE_TESTNET_URL=$1://127.0.0.1:$venue" "BYBIT_TESTNET_URL=$1://localhost:$bybit/" \
        "OANDA_PRACTICE_URL=$1://127.0.0.1:$oanda"
}

# run STATUS ARG...: on the testnet; $answer is what it printed.
run() {
    local status
    local target=(--target testnet)
    [[ "$*" != *--target* ]] || target=()
    answer=$(timeout 60 "$smcrun" "${target[@]}" --no-color --seed 1 "${@:2}" 2>&1)
    status=$?
    checks=$((checks + 1))
    [[ $status == "$1" ]] || complain "${*:2}: exit status $1, not $status"
}

last() {
    checks=$((checks + 1))
    [[ ${answer##*$'\n'} == "$1" ]] || complain "as the last line: $1"
}

cat >scenario.lua <<'LUA'
local smc = require "smc"

for name, symbol in pairs { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" } do
  describe(name, function()
    it("answers a signed query", function()
      assert.is_true(assert(smc.venue(name):account()).can_trade)
    end)

    it("has streams of prices and of the account", function()
      local venue = smc.venue(name)
      local prices <close> = assert(venue:stream { "ticker:" .. symbol })
      local own <close> = assert(venue:user_stream())
      assert.equal(symbol, assert(prices:recv(20)).symbol)
      assert.is_true(own.closed ~= true)
    end)
  end)
end
LUA

# Link faults act on the way to a testnet, below TLS; what would have to look into it is skipped.
cat >links.lua <<'LUA'
local smc = require "smc"

describe("the way to a testnet", function()
  local venue
  before_each(function() venue = smc.venue("binance", { breaker = false }) end)

  it("is slow, and is healed", function()
    local prices <close> = assert(venue:stream { "ticker:BTC/USDT" })
    assert(prices:recv(20))
    venue:fault { link = "latency", latency = 0.3 }
    local started = smc.now()
    assert(venue:time())
    assert.is_true(smc.now() - started >= 0.3)
    assert(venue:heal "latency")
    assert(venue:account())
  end)

  it("resets a stream, and loses acknowledgements", function()
    venue:fault { link = "slicer", average_size = 50 }
    local prices <close> = assert(venue:stream { "ticker:BTC/USDT" })
    assert(prices:recv(20))
    venue:fault { link = "reset_peer", count = 1 } -- the oldest connection
    local event
    repeat event = assert(prices:recv(20)) until event.kind == "reconnected"
    venue:fault { link = "reset_peer" }
    local order, err = venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" }
    assert.is_nil(order)
    assert.is_true(err.class == "unknown_outcome" or err.class == "network", err.class)
    assert(venue:heal())
    assert(venue:time())
  end)

  it("is down, has no name, and is there again", function()
    for link, code in pairs { down = "connect", dns = "dns" } do
      venue:fault { link = link }
      assert.equal(code, select(2, venue:time()).code)
      assert(venue:heal(link))
      assert(venue:time())
    end
  end)

  it("is trusted by smc.http and smc.ws as well", function()
    assert.equal(200, assert(smc.http.get(venue.url .. "/api/v3/ping")).status)
    local raw <close> = assert(smc.ws.connect(venue.ws_url .. "/ws"))
    assert.is_true(raw.is_open)
  end)

  it("shows no request", function() venue:fault { link = "latency", on = "place" } end)
  it("has no bodies", function() venue:fault { link = "close_mid_body" } end)
  it("has the venue's own certificates", function() venue:fault { link = "tls_expired" } end)
  it("leads to a venue that does nothing wrong", function() venue:fault { venue = "reset" } end)

  it("refuses what is wrong", function()
    local ok, err = pcall(function() venue:fault { link = "latency", latency = "long" } end)
    assert.is_false(ok)
    assert.is_truthy(tostring(err):find("latency must be a number of 0 or more", 1, true), tostring(err))
    ok, err = pcall(function() venue:fault { link = "latency" } end)
    assert.is_false(ok)
    assert.is_truthy(tostring(err):find("latency does nothing without latency or jitter", 1, true), tostring(err))
  end)
end)
LUA

# A venue counts what an address asks: the specs before and other workers spend from one budget.  The day's, for the others
# may begin anew between two looks.
cat >places.lua <<'LUA'
local smc = require "smc"

it("places an order", function()
  local venue = smc.venue "binance"
  assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.001", price = "59000" })
  assert.is_true(venue.limiter:usage("orders_1d").used >= 1)
end)
LUA
cat >counts.lua <<'LUA'
local smc = require "smc"

it("has placed none, and knows of one", function()
  assert.is_true(smc.venue("binance").limiter:usage("orders_1d").used >= 1)
end)

it("knows of none when it counts for itself", function()
  assert.equal(0, smc.venue("binance", { limiter = { orders_1d = { limit = 9, per = 86400 } } }).limiter
    :usage("orders_1d").used)
end)
LUA

together() {
    run 0 -j1 places.lua counts.lua
    last '3 passed, 0 failed, 0 skipped'
}

over() { # over SCHEME: every interface of every venue
    { keys_of binance; keys_of bybit; keys_of oanda; addresses "$1"; } >.env
    [[ $1 == http ]] || echo 'SMCRUN_CA_FILE=ca.pem' >>.env
    chmod 600 .env
    run 0 scenario.lua
    last '6 passed, 0 failed, 0 skipped'
    run 0 links.lua
    last '5 passed, 0 failed, 4 skipped'
    together
}

reasons() { # reasons VENUE VARIABLE: its two specs are skipped for want of it
    local spec
    for spec in 'answers a signed query' 'has streams of prices and of the account'; do
        has 'a reason' "scenario.lua::$1::$spec # SKIP $1 has no credentials: $2 is not set"
    done
}

# Without keys everything is skipped, by its reason, and the exit status says so; with those of one venue, that one runs.
credentials() {
    { addresses https; echo 'SMCRUN_CA_FILE=ca.pem'; } >none.env
    chmod 600 none.env
    run 5 --env-file none.env --report tap scenario.lua
    last '# 0 passed, 0 failed, 6 skipped'
    reasons binance BINANCE_TESTNET_API_KEY
    reasons bybit BYBIT_TESTNET_API_KEY
    reasons oanda OANDA_PRACTICE_ACCOUNT_ID
    has 'no credentials' 'smcrun: nothing has run for want of credentials'
    { cat none.env; keys_of oanda; } >one.env
    chmod 600 one.env
    run 0 --env-file one.env --report tap scenario.lua
    last '# 2 passed, 0 failed, 4 skipped'
    has 'the one venue' 'ok 5 - scenario.lua::oanda::answers a signed query' 'ok 6 - scenario.lua::oanda::has streams'
    reasons binance BINANCE_TESTNET_API_KEY
    reasons bybit BYBIT_TESTNET_API_KEY
}

# The scenarios that come with smcrun, with the keys of one venue after the other: what passes talks to that one, and
# what is skipped says why, for a reason that a testnet has.  Requests that a busy machine delays come closer together
# than the client sent them: who is refused for that passes when it is run again.
one_venue_at_a_time() {
    local venue_name why
    run 5 --env-file none.env "$scenarios/connection"
    has 'no venue' '0 passed, 0 failed, ' 'smcrun: nothing has run for want of credentials'
    for venue_name in binance bybit oanda; do
        { cat none.env; keys_of $venue_name; } >this.env
        chmod 600 this.env
        run 0 --env-file this.env --retries 2 --report pretty --report json:run.json "$scenarios/connection"
        why=$(awk -v wanted="[\"$venue_name\"]" -v name="$venue_name" '
            !/"type":"spec_end"/ { next }
            /"status":"skip"/ {
                ok = /takes too long for the real clock/ || /a testnet has no sandbox/ || /is not to be had on a testnet/
                if (/has no credentials: [A-Z_]+ is not set/) ok = index($0, name " has no credentials") == 0
                if (!ok) print
                next
            }
            index($0, "\"venues\":" wanted) { talked++; next }
            { print }
            END { if (talked < 20) print "only " talked + 0 " specs have talked to it" }' run.json)
        checks=$((checks + 1))
        [[ -z $why ]] || complain "$venue_name alone: $why"
    done
}

# --require: what is wanted must have been talked to.
requiring() {
    run 0 --env-file one.env --require oanda scenario.lua
    last '2 passed, 0 failed, 4 skipped'
    run 5 --env-file one.env --require oanda --require bybit scenario.lua
    last '2 passed, 0 failed, 4 skipped'
    has 'a venue without credentials' 'smcrun: --require bybit: its specs are skipped, for it has no credentials'
    run 5 --env-file one.env --require onada scenario.lua
    has 'a venue that nobody knows' 'smcrun: --require onada: no spec that has run talks to it'
    run 5 --env-file one.env --require bybit -k oanda scenario.lua
    has 'a venue that nobody talks to' 'smcrun: --require bybit: no spec that has run talks to it'
    echo 'it("hurts", function() require("smc").venue("oanda"):fault { venue = "reset" } end)' >hurting.lua
    run 5 --env-file one.env --require oanda hurting.lua
    last '0 passed, 0 failed, 1 skipped'
    echo 'it("fails", function() assert.is_true(false) end)' >failing.lua
    run 1 --env-file one.env --require bybit scenario.lua failing.lua
    has 'a failure, too' 'smcrun: --require bybit: '
    run 0 --target sandbox --require binance --require oanda scenario.lua
    run 5 --target sandbox --require oanda -k binance scenario.lua
}

# What lies in the environment wins; a certificate that others signed is refused.
strangers() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out other.pem -days 2 -subj /CN=other 2>/dev/null
    SMCRUN_CA_FILE=other.pem run 1 -k binance scenario.lua
    has 'another authority' 'certificate'
    sed '/CA_FILE/d' .env >no_ca.env
    chmod 600 no_ca.env
    run 1 --env-file no_ca.env -k oanda scenario.lua
    has 'no authority' 'certificate'
}

# Wrong values stop the run before anything is sent, and are not shown.
refused() {
    local url
    for url in https://api.binance.com https://testnet.binance.vision http://127.0.0.1.evil.example:8080 \
        http://0.0.0.0:9000 http://user:pass@127.0.0.1:9000 http://127.0.0.1:9000/api ws://127.0.0.1:9000 \
        127.0.0.1:9000 'https://127.0.0.1:9000?x=1' https://127.0.0.1@api.binance.com; do
        BINANCE_TESTNET_URL=$url run 3 scenario.lua
        has "the address $url" 'smcrun: BINANCE_TESTNET_URL moves a testnet to this machine only' 'write http://127.0.0.1:PORT'
        checks=$((checks + 1))
        [[ $answer != *"$url"* ]] || complain "the address $url is not shown"
    done
    OANDA_PRACTICE_URL=https://api-fxtrade.oanda.com run 3 scenario.lua
    has 'another venue' 'smcrun: OANDA_PRACTICE_URL moves'
    SMCRUN_CA_FILE=missing.pem run 3 scenario.lua
    has 'no file' "smcrun: SMCRUN_CA_FILE: cannot read 'missing.pem': No such file"
    SMCRUN_CA_FILE=scenario.lua run 3 scenario.lua
    has 'no certificate' "SMCRUN_CA_FILE: 'scenario.lua' holds no certificate"
    addresses http >.env
    SMCRUN_CA_FILE=ca.pem run 3 scenario.lua
    has 'nobody to trust' 'smcrun: SMCRUN_CA_FILE is for testnets that were moved to https://'
    answer=$(BINANCE_TESTNET_URL=x "$smcrun" --list scenario.lua 2>&1)
    has 'a sandbox, which has no address' 'scenario.lua::binance::answers a signed query'
}

begin() {
    start "$@" || {
        cat err
        exit 1
    }
}

begin --tls --ca-file ca.pem
over https
credentials
one_venue_at_a_time
requiring
strangers
refused
kill -TERM "$pid"
wait "$pid"
begin
over http
verdict
