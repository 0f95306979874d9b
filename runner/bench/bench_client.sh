#!/usr/bin/env bash
# bench_client.sh SMCRUN PEER: what a signed, decoded request costs a client: CPU of a scenario's venue:get, guarded as by
# default and not, against bare libcurl in C, each over one connection to the same nginx on another core, in turns.
# The cost of N requests is that of a run with them less that of a run without.
set -uo pipefail
smcrun=$(realpath "$1") peer=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
rounds=${ROUNDS:-7} n=${REQUESTS:-10000}
# shellcheck source=peer.sh
source ./peer.sh
TIMEFORMAT='%U %S'

account() {
    printf '{"makerCommission":0,"takerCommission":0,"canTrade":true,"canWithdraw":true,"canDeposit":true,'
    printf '"updateTime":1767571200000,"accountType":"SPOT","balances":[{"asset":"BTC","free":"100.00000000",'
    printf '"locked":"0.00000000"},{"asset":"ETH","free":"1000.00000000","locked":"0.00000000"},{"asset":"USDT",'
    printf '"free":"10000000.00000000","locked":"0.00000000"}],"permissions":["SPOT"],"uid":354937868}'
}

# A guard with its breaker, and with budgets that nobody waits for; and none.
guarded='limiter = { request_weight = { limit = 1000000000, per = 60 }, raw_requests = { limit = 1000000000, per = 300 } }'
unguarded='breaker = false, limiter = false'

spec() { # spec N OPTIONS: a scenario that makes N requests
    cat <<END
local smc = require "smc"
describe("a client", function()
  it("asks", function()
    local venue = smc.venue("binance", { $2 })
    venue.url = "$nginx_url"
    for _ = 1, $1 + 1 do
      local account = assert(venue:get("/api/v3/account", {}, { signed = true }))
      if not account.canTrade then error "no account" end
    end
    assert.is_true(true)
  end)
end)
END
}

cpu() { # cpu COMMAND...: its seconds of CPU
    local times
    times=$({ time taskset -c 1 "$@" >"$work/out" 2>&1 || cp "$work/out" "$work/failed"; } 2>&1)
    [[ ! -e $work/failed ]] || die "$1 fails: $(<"$work/failed")"
    awk '{ print $1 + $2 }' <<<"$times"
}

each() { awk -v with="$1" -v without="$2" -v n="$n" 'BEGIN { printf "%.1f\n", 1e6 * (with - without) / n }'; }

start_nginx "$(account)"
spec 0 "$guarded" >"$work/none.lua"
spec "$n" "$guarded" >"$work/guarded.lua"
spec "$n" "$unguarded" >"$work/unguarded.lua"
smcrun_none=$(cpu "$smcrun" -j1 --clock real "$work/none.lua")
peer_none=$(cpu "$peer" "$nginx_url" 1)
for ((i = 0; i < rounds; i++)); do
    with=$(each "$(cpu "$smcrun" -j1 --clock real --timeout 600 "$work/guarded.lua")" "$smcrun_none")
    without=$(each "$(cpu "$smcrun" -j1 --clock real --timeout 600 "$work/unguarded.lua")" "$smcrun_none")
    theirs=$(each "$(cpu "$peer" "$nginx_url" "$n")" "$peer_none")
    printf '%s %s %s\n' "$with" "$without" "$theirs" >>"$work/all"
done
column() { awk -v n="$1" '{ print $n }' "$work/all" | median; }
ratio() { awk -v a="$1" -v b="$2" '{ printf "%.2f\n", $a / $b }' "$work/all" | median; }
printf 'signed, decoded request, CPU of the client, median of %d: guarded %s us, unguarded %s us, bare libcurl %s us\n' \
    "$rounds" "$(column 1)" "$(column 2)" "$(column 3)"
printf 'ratios: guarded to unguarded %s, unguarded to libcurl %s, guarded to libcurl %s\n' "$(ratio 1 2)" "$(ratio 2 3)" \
    "$(ratio 1 3)"
