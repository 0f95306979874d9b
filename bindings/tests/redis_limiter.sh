#!/bin/sh
# redis_limiter.sh SMCRUN: redis_limiter.lua, on the real clock, against a Redis of its own; and one with a password.
smcrun=${1:?usage: redis_limiter.sh SMCRUN}
# One program, that does what its name says: the package redis-server would start a server of the machine's own.
program=$(command -v redis-check-rdb) || { echo 'skipped: redis-tools is not installed'; exit 77; }
dir=$(mktemp -d) || exit 2
ln -s "$program" "$dir/redis-server"
servers=
trap 'kill -9 $servers; rm -rf "$dir"' EXIT

start() { # start NAME OPTIONS...
    name=$1
    shift
    "$dir/redis-server" --port 0 --unixsocket "$dir/$name" --save '' --appendonly no --dir "$dir" --logfile "$dir/log" \
        "$@" &
    servers="$servers $!"
    until [ -S "$dir/$name" ]; do
        kill -0 $! 2>/dev/null || { cat "$dir/log"; exit 1; }
    done
}

start open
cp "$(dirname "$0")/redis_limiter.lua" "$dir"
printf 'return "unix://%s/open"\n' "$dir" >"$dir/redis_place.lua"
"$smcrun" --no-color --clock real --timeout 120 --hang-after 240 "$dir/redis_limiter.lua" || exit 1

# A server outside of the run has no place in virtual time: every spec that asks for one says so.
"$smcrun" --no-color "$dir/redis_limiter.lua" 2>&1 | grep -q 'redis needs --clock real' || exit 1

# The place that the operator names, with a password that nothing shows.
start closed --requirepass 'open sesame'
cat >"$dir/named.lua" <<'LUA'
local smc = require "smc"
it("spends there", function()
  local limiter = assert(smc.limiter({ w = { limit = 1, per = 1e6, burst = 2 } }, { redis = true, without = 0.5 }))
  assert(limiter:acquire { w = 2 })
  assert.is_false(limiter:try { w = 1 })
end)
LUA
run() { # run PASSWORD WANTED
    said=$(SMCRUN_REDIS_URL=$1 "$smcrun" --no-color -v --clock real --timeout 120 "$dir/named.lua" 2>&1)
    printf '%s' "$said" | grep -q "$2" && ! printf '%s' "$said" | grep -q 'sesame' || { echo "$1: $said"; exit 1; }
}
run "unix://:open%20sesame@$dir/closed" '1 passed'
run "unix://:shut%20sesame@$dir/closed" 'auth (bad_key): .*WRONGPASS'
run "unix://$dir/closed" 'auth (bad_key): .*unauthenticated'
run '' 'SMCRUN_REDIS_URL names'
run 'rediss://:open%20sesame@redis.example' 'hiredis of Debian 12 has no TLS'
