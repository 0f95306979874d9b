#!/bin/sh
# limiter_record.sh SMCRUN RECORDER: limiter_record.lua, on what RECORDER (core/tests/record_*.c) writes down; skipped as
# that is.
smcrun=${1:?usage: limiter_record.sh SMCRUN RECORDER} recorder=${2:?usage: limiter_record.sh SMCRUN RECORDER}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
"$recorder" >"$dir/record.lua" || exit
here=$(dirname "$0")
cp "$here/limiter_record.lua" "$here/fake_exchange.lua" "$here/binance_fake.lua" "$here/bybit_fake.lua" \
    "$here/oanda_fake.lua" "$dir"
"$smcrun" --internal --no-color --seed 1 --timeout 3600 --hang-after 240 "$dir/limiter_record.lua"
