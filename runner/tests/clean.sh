#!/usr/bin/env bash
# clean.sh SMCRUN: no order outlives its spec, a kill, and `smcrun clean`.  `smcrun serve` stands in for the test venues.
# shellcheck disable=SC2154
source "$(dirname "$0")/serve_client.sh"
export BINANCE_TESTNET_API_KEY=$key BINANCE_TESTNET_API_SECRET=$secret BYBIT_TESTNET_API_KEY=$key \
    BYBIT_TESTNET_API_SECRET=$secret OANDA_PRACTICE_API_KEY=$token OANDA_PRACTICE_ACCOUNT_ID=$account
export XDG_STATE_HOME=$work/state
unset SMCRUN_CA_FILE
journals=$XDG_STATE_HOME/smcrun
runner=''

# An order that rests: place(venue, n).  mute.json and the like are what the control API is sent.
cat >orders.lua <<'LUA'
local smc = require "smc"
local CONTROL = assert(io.open("control")):read "l"
local FIELDS = { binance = { "BTC/USDT", "0.01", "40000" }, bybit = { "BTC/USDT", "0.01", "40000" },
  oanda = { "EUR/USD", "100", "0.9" } }

local orders = {}

function orders.place(name, n, client_id)
  local venue = smc.venue(name)
  local symbol, qty, price = table.unpack(FIELDS[name])
  for _ = 1, n do
    assert(venue:place { symbol = symbol, side = "buy", type = "limit", qty = qty, price = price,
      client_id = client_id })
  end
  return venue
end

function orders.fault(name, given)
  assert(smc.http.post(("%s/%s/fault"):format(CONTROL, name), smc.json.encode(given),
    { headers = { ["Content-Type"] = "application/json" } }))
end

return orders
LUA

# scenario NAME BODY: a file with one spec.
scenario() {
    printf '%s\n' 'local smc = require "smc"' 'local orders = require "orders"' \
        "describe(\"$1\", function()" "  it(\"does\", function()" "$2" '  end)' 'end)' >"$1.lua"
}
scenario fifty 'orders.place("binance", 25) orders.place("oanda", 20) orders.place("bybit", 5) smc.sleep(6000)'
scenario passes 'orders.place("binance", 3) orders.place("oanda", 3) orders.place("bybit", 3) assert.is_true(true)'
scenario fails 'orders.place("binance", 3) assert.is_true(false)'
scenario errs 'orders.place("oanda", 3) error("oh")'
scenario too_late 'orders.place("bybit", 3) smc.sleep(6000)'
scenario down 'orders.place("binance", 2, nil) orders.fault("binance", { venue = "down" }) assert.is_true(true)'
scenario cut 'local venue = orders.place("binance", 2) venue:fault { link = "down" }
  local account = venue:account() assert.is_nil(account)'
scenario held 'orders.fault("oanda", { venue = "silent", on = "place", carried_out = true, times = 1 })
  orders.place("oanda", 1, "held-1")'
scenario unsent 'orders.fault("binance", { venue = "silent", on = "place", times = 1 }) orders.place("binance", 1, "never-1")'
scenario muted 'orders.place("binance", 2) orders.fault("binance", { venue = "mute" }) smc.sleep(6000)'

serve() {
    start || {
        cat err
        exit 1
    }
    export BINANCE_TESTNET_URL=http://127.0.0.1:$venue BYBIT_TESTNET_URL=http://127.0.0.1:$bybit \
        OANDA_PRACTICE_URL=http://127.0.0.1:$oanda
    printf 'http://127.0.0.1:%s\n' "$control" >control
}

open_orders() { # of all venues; those of oanda do not rest in a book
    local books
    get "$control" /metrics
    books=$(sed -n 's/^smcrun_open_orders{.*} //p' <<<"$answer" | awk '{ n += $1 } END { print n + 0 }')
    talk "$oanda" "GET /v3/accounts/$account/pendingOrders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\nConnection: close\r\n\r\n"
    echo $((books + $(grep -o '"state":"PENDING"' <<<"$answer" | wc -l)))
}

count_is() { [[ $(open_orders) == "$1" ]]; }

are_open() { # are_open N
    local n
    n=$(open_orders)
    checks=$((checks + 1))
    [[ $n == "$1" ]] || complain "open orders: $1, not $n"
}

are_kept() { # are_kept N: journals
    local n
    n=$(find "$journals" -type f | wc -l)
    checks=$((checks + 1))
    [[ $n == "$1" ]] || complain "journals kept: $1, not $n"
}

run() { # run STATUS ARG...: to its end
    local status
    answer=$(timeout 120 "$smcrun" --target testnet --no-color --seed 1 "${@:2}" 2>&1)
    status=$?
    checks=$((checks + 1))
    [[ $status == "$1" ]] || complain "${*:2}: exit status $1, not $status"
}

clean() { # clean STATUS ARG...
    local status
    answer=$(timeout 120 "$smcrun" clean "${@:2}" 2>&1)
    status=$?
    checks=$((checks + 1))
    [[ $status == "$1" ]] || complain "clean ${*:2}: exit status $1, not $status"
}

begin() { # begin ARG...: a run in the background; $runner, and $worker as soon as there is one
    "$smcrun" --target testnet --no-color --seed 1 --timeout 7000 "$@" >out.txt 2>&1 &
    runner=$!
    eventually 60 has_worker || complain 'a worker begins'
}

has_worker() {
    read -r worker _ <"/proc/$runner/task/$runner/children" 2>/dev/null
    [[ -n $worker ]]
}

await() { # await WHAT SECONDS COMMAND...
    checks=$((checks + 1))
    eventually "$2" "${@:3}" || complain "$1"
}

# kill -9 of the run; it is gone when this returns, its worker maybe not yet.
kill_run() {
    kill -KILL "$runner"
    wait "$runner" 2>/dev/null
}

# kill -9 of a run in the middle of 50 open orders.
killed() {
    begin fifty.lua
    await 'fifty orders' 60 count_is 50
    clean 0
    has 'a run that goes on' "the run of process $runner goes on; its orders are left to it"
    are_open 50
    kill_run
    clean 1 --dry-run
    has 'a look' 'binance BTC/USDT smc-' ': left: it is open' '0 ended, 50 left'
    await 'workers die with their run' 20 gone "$worker"
    dying
    are_open 50
    are_kept 1
    checks=$((checks + 1))
    answer=$(stat -c %a "$journals" "$journals"/*)
    [[ $answer == $'700\n600' ]] || complain 'a journal is its owner'\''s'
    answer=$(<"$(echo "$journals"/*)")
    checks=$((checks + 1))
    [[ $answer != *"$secret"* && $answer != *"$token"* ]] || complain 'no secret is written'
    clean 0 oanda
    has 'one venue' '20 ended, 0 left'
    are_open 30
    are_kept 1
    clean 0
    has 'the others' 'bybit BTC/USDT smc-' ': canceled' '30 ended, 0 left'
    are_open 0
    are_kept 0
    clean 0
    has 'a second clean-up' 'nothing is left'
}

has_waited() { (($(sed -n 's/^voluntary_ctxt_switches:\s*//p' "/proc/$1/status") >= 10)) 2>/dev/null; }

# The last worker of a dead run still holds the lock: that is waited for.
dying() {
    local holder hold status
    mkfifo hold
    flock "$(echo "$journals"/*)" cat hold &
    holder=$!
    exec {hold}>hold
    "$smcrun" clean --dry-run >out.txt 2>&1 {hold}>&- &
    await 'a clean-up that waits' 20 has_waited $!
    exec {hold}>&-
    wait $!
    status=$?
    wait "$holder"
    answer=$(<out.txt)
    checks=$((checks + 1))
    [[ $status == 1 ]] || complain "a worker that is dying: exit status 1, not $status"
    has 'a worker that is dying' '0 ended, 50 left'
}

# However a spec ends, what it placed does, too.
endings() {
    run 0 passes.lua
    run 1 fails.lua
    run 2 errs.lua
    run 1 --timeout 1 too_late.lua
    run 0 cut.lua
    are_open 0
    are_kept 0
}

# A venue that can't be reached any more: told, kept, and ended later.
away() {
    run 2 down.lua
    has 'what may live on' 'error: orders_left at down.lua:4' '2 orders that it placed may live on:' \
        '  binance BTC/USDT smc-' 'Cancel what is left with: smcrun clean' \
        'smcrun: 2 orders may live on; cancel what is left with: smcrun clean'
    are_kept 1
    clean 1
    has 'a venue that is away' ': left: binance cancel: network' '0 ended, 2 left'
    are_kept 1
    post /binance/heal '{}'
    are_open 2
    BINANCE_TESTNET_API_KEY='' clean 5
    has 'no credentials' 'left: binance has no credentials: BINANCE_TESTNET_API_KEY is not set' '0 ended, 2 left'
    BINANCE_TESTNET_API_KEY=other clean 5
    has 'other credentials' 'left: it belongs to other credentials than those that are set'
    BINANCE_TESTNET_URL=http://127.0.0.1:1 clean 1
    has 'another place' "left: it was placed at http://127.0.0.1:$venue, not at http://127.0.0.1:1"
    clean 0
    are_open 0
    are_kept 0
}

# Killed with a request on its way: once it had arrived, once it never did.
on_the_way() {
    begin held.lua
    await 'an order without an answer' 60 count_is 1
    kill_run
    clean 0
    has 'an order without an answer' 'oanda EUR/USD held-1: canceled' '1 ended, 0 left'
    are_open 0
    begin unsent.lua
    await 'an order that is on its way' 60 grep -qs never-1 "$journals"/*
    kill_run
    clean 0
    has 'an order that never was' 'binance BTC/USDT never-1: absent' '1 ended, 0 left'
    are_kept 0
    post /binance/heal '{}' # the request may have died before it met the fault
}

interrupted() {
    local status
    begin fifty.lua
    await 'fifty orders' 60 count_is 50
    kill -INT "$runner"
    wait "$runner"
    status=$?
    answer=$(<out.txt)
    checks=$((checks + 1))
    [[ $status == 130 ]] || complain "an interruption: exit status 130, not $status"
    are_open 0
    are_kept 0
    begin muted.lua
    await 'two orders' 60 is_muted
    kill -INT "$runner"
    await 'a clean-up' 60 is_cleaning
    kill -INT "$runner"
    wait "$runner"
    status=$?
    answer=$(<out.txt)
    checks=$((checks + 1))
    [[ $status == 130 ]] || complain "the second interruption: exit status 130, not $status"
    has 'orders that live on' 'smcrun: 2 orders may live on; cancel what is left with: smcrun clean'
    are_kept 1
    post /binance/heal '{}'
    clean 0
    are_open 0
}

is_muted() {
    get "$control" /
    [[ $answer == *'"binance":{"faults":[{"committed":0,"venue":"mute"}]'* ]]
}

# The clean-up has sent its request.
is_cleaning() {
    get "$control" /metrics
    [[ $answer != *'smcrun_open_connections{venue="binance"} 0'* ]]
}

words() {
    clean 3 kraken
    has 'an unknown venue' "no venue is called 'kraken'"
    clean 3 --target sandbox
    has 'a sandbox' '--target sandbox has nothing to clean' "Try 'smcrun clean --help'"
    clean 0 --help
    has 'help' 'Usage: smcrun clean'
    env -u HOME -u XDG_STATE_HOME "$smcrun" clean >out.txt 2>&1
    answer=$(<out.txt)
    has 'no folder' 'give one with --state-dir'
    run 3 --state-dir /dev/null/x passes.lua
    has 'no place for a journal' 'smcrun: no order can be written down: cannot make the folder'
    mkdir mine
    echo 'my notes' >mine/run-of-mine-7.journal
    clean 1 --state-dir mine
    has 'another file' 'mine/run-of-mine-7.journal: this is no journal of orders of this version'
    checks=$((checks + 1))
    [[ -s mine/run-of-mine-7.journal ]] || complain 'another file stays'
    run 0 --state-dir given passes.lua
    checks=$((checks + 1))
    [[ -d given ]] || complain 'the folder is as given'
}

serve
killed
endings
away
on_the_way
interrupted
words
verdict
