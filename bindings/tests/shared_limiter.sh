#!/bin/sh
# shared_limiter.sh SMCRUN: on the real clock a share's name means the same in every process, and goes on after them.
smcrun=${1:?usage: shared_limiter.sh SMCRUN}
dir=$(mktemp -d) || exit 2
name=test-$$
trap 'rm -rf "$dir"; rm -f /dev/shm/smcrun-*-"$name"' EXIT
rc=0

spec() { # spec FILE BODY
    printf '%s\n' 'local smc = require "smc"' \
        'local function limiter(limit)' \
        '  return smc.limiter({ w = { limit = 1, per = 1e6, burst = limit } }, { share = "'"$name"'" })' \
        'end' 'it("shares", function()' "$2" 'end)' >"$dir/$1.lua"
}
run() { # run WANTED FILE OPTIONS...
    wanted=$1 file=$2
    shift 2
    said=$("$smcrun" --no-color "$@" "$dir/$file.lua" 2>&1)
    printf '%s' "$said" | grep -q "$wanted" || { echo "$file $*: $said"; rc=1; }
}

spec first 'local l = assert(limiter(5)) assert.is_true(l:try { w = 3 })'
spec second 'local l = assert(limiter(5)) assert.equal(3, l:usage("w").used) assert.is_false(l:try { w = 3 })
  assert.is_true(l:try { w = 2 })'
spec keep 'local l = assert(limiter(5)) assert.is_true(l:try { w = 5 })'
run '1 passed, 0 failed' first --clock real
run '1 passed, 0 failed' second --clock real
run '1 passed, 0 failed' keep # virtual time: known in that spec only
test "$(stat -c %a /dev/shm/smcrun-*-"$name")" = 600 || { echo 'the file is not of mode 0600'; rc=1; }
exit $rc
