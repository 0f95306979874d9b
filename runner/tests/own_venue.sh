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
