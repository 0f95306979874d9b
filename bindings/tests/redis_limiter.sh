#!/bin/sh
# redis_limiter.sh SMCRUN: redis_limiter.lua, on the real clock, against a redis-server of its own.
smcrun=${1:?usage: redis_limiter.sh SMCRUN}
command -v redis-server >/dev/null || { echo 'skipped: redis-server is not installed'; exit 77; }
dir=$(mktemp -d) || exit 2
redis-server --port 0 --unixsocket "$dir/socket" --save '' --appendonly no --dir "$dir" --logfile "$dir/log" &
redis=$!
trap 'kill -9 $redis; rm -rf "$dir"' EXIT
until [ -S "$dir/socket" ]; do
    kill -0 $redis 2>/dev/null || { cat "$dir/log"; exit 1; }
done
cp "$(dirname "$0")/redis_limiter.lua" "$dir"
printf 'return "unix://%s/socket"\n' "$dir" >"$dir/redis_place.lua"
"$smcrun" --no-color --clock real --timeout 120 --hang-after 240 "$dir/redis_limiter.lua" || exit 1

# A server outside of the run has no place in virtual time: every spec that asks for one says so.
"$smcrun" --no-color "$dir/redis_limiter.lua" 2>&1 | grep -q 'redis needs --clock real'
