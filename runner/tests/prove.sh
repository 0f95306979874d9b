#!/usr/bin/env bash
# prove.sh SMCRUN FIXTURES: the command prove, on specs that can fail and on one that cannot; and does every sabotage break
# every venue?  Run from the root of the tree.
set -uo pipefail
# shellcheck source=checks.sh
source "$(dirname "$0")/checks.sh"
smcrun=$1 fixtures=$2
PATIENCE=200

verdicts() {
    local spec=$fixtures/vacuous.lua
    run 1 prove "$spec" --sabotage dead --sabotage mute
    has "vacuous: these pass whatever is broken"$'\n'"  $spec::binance::does not care" '  xx   binance::answers' \
        '  ..   binance::does not care' '2 specs, 1 vacuous; 2 sabotages, 0 unnoticed' '1 passed, 1 failed, 0 skipped'
    run 0 prove -q "$spec::binance::answers" --sabotage dead
    has '1 of 1 fail' '1 spec, 0 vacuous; 1 sabotage, 0 unnoticed'
    lacks 'x: it fails'
    run 1 prove "$spec::binance::answers" --sabotage limiter-grants --sabotage dead
    has '0 of 1 fail  <- nobody notices' 'unnoticed: every spec passes under these'$'\n''  limiter-grants'
    run 0 prove "$fixtures/needs_setup.lua" --sabotage dead
    has '1 of 1 fail' '1 spec, 0 vacuous; 1 sabotage, 0 unnoticed'
    called='prove, on a terminal of 80 columns, and of 120'
    out=$(script -qec "stty cols 80; '$smcrun' prove '$spec' --sabotage dead --sabotage limiter-grants" /dev/null </dev/null)
    has '  a dead                     1 of 2 fail' '  b limiter-grants           0 of 2 fail  <- nobody notices'
    lacks 'refuses connections'
    out=$(script -qec "stty cols 120; '$smcrun' prove '$spec' --sabotage dead" /dev/null </dev/null)
    has '  a dead                  refuses connections  '
    run 1 prove "$fixtures/fail.lua"
    has 'shows both values' 'prove wants specs that pass'
    run 4 prove "$fixtures/pass.lua" -k nothing
    run 1 "$spec" --sabotage garbage
    has 'sabotage: garbage' '1 passed, 1 failed, 0 skipped'
}

usage() {
    run 3 prove --sabotage ded x.lua
    has "--sabotage knows no 'ded'; did you mean 'dead'?"
    run 3 x.lua --sabotage all
    has "--sabotage knows no 'all'" 'see smcrun prove --help'
    run 3 prove --report tap x.lua
    has "unknown option '--report'"
    run 0 prove --help
    has 'Can the scenarios fail' 'breaker-never-opens   the breaker'
}

# A sabotaged run that does not come about is no sabotage that nobody notices.
unproved() {
    local work spec=$fixtures/wants_program.lua
    run 5 prove "$spec" --sabotage dead
    has "smcrun: prove: under the sabotage 'dead' nothing has run (exit status 5): nothing is proved"
    lacks 'nobody notices'

    work=$(mktemp -d)
    printf 'it("stays", function() assert.is_true(true) end)\n' >"$work/a.lua"
    cat >"$work/b.lua" <<LUA
it("takes a file away #process", function()
  assert.same({ status = 0 }, require("smc").process({ "rm", "$work/a.lua" }):wait { within = 60 })
end)
LUA
    run 2 prove --allow-process -j 1 "$work" --sabotage dead
    has "smcrun: prove: under the sabotage 'dead' $work/a.lua::stays did not run, though it did before"
    lacks 'nobody notices'
    sed -i s/a.lua/b.lua/ "$work/b.lua"
    run 3 prove --allow-process "$work/b.lua" --sabotage dead
    has "under the sabotage 'dead' nothing has run (exit status 3)" "$work/b.lua"
    lacks 'nobody notices'
    rm -rf "$work"
}

# Some spec of a venue alone fails under each sabotage of sandboxes.
venues() {
    local venue how given=()
    for how in garbage empty frozen forgiving amnesiac doubling uncancellable silent clock-wrong; do
        given+=(--sabotage "$how")
    done
    for venue in binance bybit oanda; do
        run 0 prove -q scenarios/connection -k "#$venue" "${given[@]}"
        lacks 'nobody notices'
    done
    run 0 prove -q scenarios/connection -k "'refuses a wrong secret as'" --sabotage forgiving
    has '3 of 3 fail'
}

# noticed FILE EXPR SABOTAGE...: of these specs somebody notices each.
noticed() {
    local file=$1 expr=$2
    shift 2
    called="prove -q scenarios/$file.lua -k '$expr', $*"
    out=$(timeout 200 "$smcrun" prove -q "scenarios/$file.lua" -k "$expr" "${@/#/--sabotage=}" 2>&1)
    [[ $# == 1 ]] && has ' 1 sabotage, 0 unnoticed'
    [[ $# == 1 ]] || has " $# sabotages, 0 unnoticed"
}

# The sabotages of our mechanisms, and those of limits, where the mechanism's own scenarios are.
mechanisms() {
    local one='binance or not (bybit or oanda)'
    noticed rate_limiting/queue "$one" limiter-grants
    noticed rate_limiting/obedience disobedience unlimited
    noticed rate_limiting/obedience 'sends and binance' no-retry-after
    noticed circuit_breaker/breaker "$one" breaker-never-opens breaker-never-closes
    noticed error_handling/retry "$one" retry-never retry-always
    noticed failover/subscriptions "$one" failover-never failover-forgets
    noticed circuit_breaker/risk_guard "$one" guard-keeps
}

for part in verdicts usage unproved venues mechanisms; do $part; done
printf '%d checks, %d failed\n' "$checks" "$failures"
((failures == 0))
