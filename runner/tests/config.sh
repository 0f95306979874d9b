#!/usr/bin/env bash
# config.sh SMCRUN: smcrun.lua and --show-config, by the real binary.
set -uo pipefail
smcrun=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset "${!SMCRUN_@}" "${!BINANCE_@}" "${!BYBIT_@}" "${!OANDA_@}"
checks=0 failures=0 answer=''

complain() {
    failures=$((failures + 1))
    printf '%s\n  | %s\n' "$1" "${answer//$'\n'/$'\n  | '}"
}

run() { # run STATUS ARG...: $answer is what it printed
    local status
    answer=$(timeout 60 "$smcrun" "${@:2}" 2>&1)
    status=$?
    checks=$((checks + 1))
    [[ $status == "$1" ]] || complain "${*:2}: exit status $1, not $status"
}

has() { # has REGEX...: a line that matches each
    local regex
    for regex; do
        checks=$((checks + 1))
        grep -qE -- "$regex" <<<"$answer" || complain "wanted: $regex"
    done
}

lacks() {
    checks=$((checks + 1))
    [[ $answer != *"$1"* ]] || complain "did not want: $1"
}

mkdir specs
echo 'it("passes", function() assert.is_true(true) end)' >specs/one.lua
cat >smcrun.lua <<'LUA'
local cores = 2
jobs = cores
seed = 11
report = { "tap", "junit:out.xml" }
state_dir = "state \"quoted\""
verbose = true
LUA
printf '%s\n' BINANCE_TESTNET_API_KEY=the-key-0123 BINANCE_TESTNET_API_SECRET=the-secret-0123 BYBIT_TESTNET_API_KEY= >.env
chmod 600 .env

# Each value, and where it comes from; of credentials the names alone.
export SMCRUN_TIMEOUT=2.5 OANDA_PRACTICE_API_KEY=the-token-0123
run 0 --show-config --memory 64 -q
has '^-- the configuration: smcrun.lua$' '^jobs = 2 +-- smcrun.lua:2$' '^timeout = 2.5 +-- SMCRUN_TIMEOUT$' \
    '^memory = 64 +-- --memory$' '^target = "sandbox" +-- default$' '^quiet = true +-- --quiet$' \
    '^report = \{ "tap", "junit:out.xml" \} +-- smcrun.lua:4$' '^-- hang_after: .* -- default$' \
    '^-- verbose = true +-- smcrun.lua:6, not used: -v and -q contradict' \
    '^-- state_dir = "state \\"quoted\\"" +-- smcrun.lua:5, not used: --state-dir wants --target testnet' \
    '^-- BINANCE_TESTNET_API_SECRET is set +-- .env$' '^-- BYBIT_TESTNET_API_KEY is not set +-- .env$' \
    '^-- OANDA_PRACTICE_API_KEY is set +-- the environment$'
lacks the-
run 0 --show-config --no-config --target testnet
has '^-- the configuration: no smcrun.lua$' '^clock = "real" +-- by the target$' '^-- seed: drawn +-- default$'

# What it prints is a configuration that says the same.
values() { grep -v '^--' <<<"$answer" | sed 's/ *-- [^-].*$//' | sort; }
run 0 --show-config
before=$(values)
echo "$answer" >copy.lua
SMCRUN_TIMEOUT='' run 0 --show-config --config copy.lua
checks=$((checks + 1))
[[ $before == "$(values)" && $before == *'timeout = 2.5'* ]] || complain "wanted: $before"

# A run obeys it, and does not take it for a scenario.
run 0 .
has '^ok 1 - specs/one.lua::passes' '^1\.\.1$'
lacks smcrun.lua
checks=$((checks + 1))
[[ -s out.xml ]] || complain 'a report to a file'

# Below it, too, where the folder belongs to the same repository.
mkdir .git
cd specs || exit 1
run 0 one.lua
has '^ok 1 - one.lua::passes'
run 0 --show-config
has '^report = \{ "tap", "junit:\.\./out.xml" \} +-- \.\./smcrun.lua:4$'
cd ..

# What is wrong stops a run before anything is done.
echo 'jbos = 2' >>smcrun.lua
run 3 specs
has "^smcrun: smcrun.lua:7: unknown key 'jbos'; did you mean 'jobs'\?$"
rm smcrun.lua
SMCRUN_JBOS=2 run 3 specs
has "^smcrun: unknown variable 'SMCRUN_JBOS' in the environment; did you mean 'SMCRUN_JOBS'\?$"
echo SMCRUN_JOBS=2 >>.env
run 3 specs
has '^smcrun: .env: SMCRUN_JOBS: options are set in the environment or in smcrun.lua, not here$'

printf '%d checks, %d failed\n' $checks $failures
((failures == 0))
