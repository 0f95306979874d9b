#!/usr/bin/env bash
# readme.sh SMCRUN PAGE...: each block of Lua of the pages holds as it stands there: a whole file by itself, any other in a
# spec that has binance, bybit, oanda and venue.
set -uo pipefail
smcrun=$(realpath "$1")
mapfile -t pages < <(realpath "${@:2}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

failed=0 blocks=0
for page in "${pages[@]}"; do
    awk -v folder="$work" '
        /^```lua/ { block = ""; inside = 1; next }
        /^```/ && inside {
            whole = block ~ /(^|\n) *(it|describe)\(/
            path = sprintf("%s/block_%03d.lua", folder, ++n)
            if (!whole) print "local smc = require \"smc\" it(\"holds #virtual-time\", function() " \
                "local binance, bybit, oanda = smc.venue \"binance\", smc.venue \"bybit\", smc.venue \"oanda\" " \
                "local venue = binance assert(venue:ping() and bybit:ping() and oanda:ping())" >path
            printf "%s%s", block, whole ? "" : "end)\n" >path
            close(path); path = ""; inside = 0; next
        }
        inside { block = block $0 "\n" }' "$page"
    for block in block_*.lua; do
        blocks=$((blocks + 1))
        if ! "$smcrun" --no-color --no-config --seed 1 "$block" >said 2>&1; then
            failed=$((failed + 1))
            printf '%s, %s:\n' "$(basename "$page")" "$block"
            cat "$block" said
        fi
    done
    rm -f block_*.lua
done
((blocks > 0)) || { echo 'no blocks' && exit 1; }
echo "$blocks blocks, $failed failed"
exit $((failed > 0))
