#!/usr/bin/env bash
# own_venue.sh SMCRUN FOLDER: two Lua files in a folder of their own make a venue, with nothing compiled.
set -euo pipefail
smcrun=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$2"/. "$work"
echo 'return {}' >"$work/venue/broken.lua"
cd "$work"

out=$("$smcrun" --no-color --seed 5 scenario.lua 2>&1) || { echo "$out"; exit 1; }
[[ ${out##*$'\n'} == '3 passed, 0 failed, 0 skipped' ]] || { echo "$out"; exit 1; }

# A dead venue must show: the scenario asks it for something in every spec.
out=$("$smcrun" --no-color --seed 5 --sabotage dead scenario.lua 2>&1) && { echo "passes with a dead venue"; exit 1; }
[[ ${out##*$'\n'} == '0 passed, 3 failed, 0 skipped' ]] || { echo "$out"; exit 1; }

# Without keys its testnet is skipped, by the name of the variable.
out=$("$smcrun" --no-color --target testnet scenario.lua 2>&1) || true
[[ $out == *'tiny has no credentials: TINY_KEY is not set'* ]] || { echo "$out"; exit 1; }

# mistake FILE SED TEXT [OPTION...]: with that change of FILE the scenario says TEXT.
mistake() {
    sed -i.kept "$2" "$1"
    if cmp -s "$1" "$1.kept"; then echo "$1: nothing fits $2"; exit 1; fi
    out=$("$smcrun" --no-color --seed 5 "${@:4}" scenario.lua 2>&1) || true
    mv "$1.kept" "$1"
    [[ $out == *"$3"* ]] || { echo "$2: wanted $3"; echo "$out"; exit 1; }
}

sandbox=sandbox/tiny.lua begins='sandbox/tiny.lua: dialect.sandbox: '
mistake $sandbox 's/tick = "0.01", //' "${begins}symbol 1: tick is missing"
mistake $sandbox 's/start = "60000"/start = "high"/' "${begins}symbol 1: start is no decimal: 'high'"
mistake $sandbox 's/"100000"/100000/' "${begins}fund 1 is an asset and a decimal string, { \"USD\", \"100000\" }"
mistake $sandbox 's/"GET .time"/"GET time"/' "${begins}a route is named by method and path, \"GET /time\", not 'GET time'"
mistake $sandbox 's/{ handle =/{ handler =/' "${begins}route 'GET /time': unknown key 'handler' (known: handle, signed)"
mistake $sandbox 's/{ handle =.*/{}/' "${begins}route 'GET /time': handle is missing"
mistake $sandbox '/^  identify = /,/^  end,/d' "${begins}a signed route wants identify"
mistake venue/tiny.lua '/^  credentials = /d' 'dialect.venue: a testnet wants credentials = { key = VARIABLE, secret = VARIABLE }'
mistake venue/tiny.lua '/^  testnet = /d' 'tiny has no testnet' --target testnet
