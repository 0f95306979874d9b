#!/usr/bin/env bash
# tmp.sh SMCRUN: the folder that a spec has to itself: with a program, and what is left of it however the spec ends.
set -uo pipefail
# shellcheck source=checks.sh
source "$(dirname "$0")/checks.sh"
smcrun=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/t" && cd "$work" || exit 1
unset NO_COLOR
export LC_ALL=C TMPDIR=$work/t

# Sockets are gone, too.
nothing_left() {
    checks=$((checks + 1))
    [[ -z $(ls -A t) ]] || complain "nothing in TMPDIR, not $(find t)"
}

cat >own.lua <<'LUA'
local smc = require "smc"

local function write(name)
  local file <close> = assert(io.open(smc.tmp() .. "/" .. name, "w"))
  assert(file:write "text")
end

describe("a folder", function()
  local before
  setup(function()
    before = smc.tmp()
    write "of setup"
  end)
  before_each(function() write "of each" end)
  after_each(function() assert(io.open(smc.tmp() .. "/of each")) end)

  it("is another one in each spec, and empty", function()
    assert.is_nil((io.open(smc.tmp() .. "/of setup")))
    assert.are_not.equal(before, smc.tmp())
    before = smc.tmp()
  end)
  it("is there no more in the next one", function()
    assert.are_not.equal(before, smc.tmp())
    assert.is_nil((io.open(before .. "/of each")))
  end)
end)

it("is what a program finds, and where it writes #process", function()
  write "conf"
  local bot = smc.process { "sh", "-ec", 'mkdir -p a/b; ln -s /etc a/b/c; cat conf >a/b/state; echo "$1"', "sh", smc.tmp(),
    cwd = smc.tmp() }
  assert.equal(smc.tmp(), assert(bot:wait_for("^.*$", { within = 60 })))
  assert.same({ status = 0 }, bot:wait { within = 60 })
  assert.equal("text", io.lines(smc.tmp() .. "/a/b/state")())
  assert.is_false(pcall(io.open, smc.tmp() .. "/a/b/c/passwd"))
  assert.is_false(pcall(io.open, smc.tmp() .. "/a/b/c/passwd", "a"))
end)
LUA
run 0 --allow-process own.lua
last '3 passed, 0 failed, 0 skipped'
nothing_left

cat >ends.lua <<'LUA'
local smc = require "smc"
local function fill() assert(io.open(smc.tmp() .. "/x", "w")):write "text" end
it("fails", function() fill() assert.equal(1, 2) end)
it("errs", function() fill() error "so" end)
it("leaves a task", function() fill() smc.spawn(smc.sleep, 10) end)
it("hangs in C", function()
  fill()
  assert.is_nil((("a"):rep(1000000)):find((".-"):rep(20) .. "b"))
end)
LUA
run 2 ends.lua --hang-after 1
last '0 passed, 4 failed, 0 skipped'
has 'error: leak' 'the worker gave no sign of life'
nothing_left

cat >deep.lua <<'LUA'
local smc = require "smc"
it("leaves what cannot be removed #process", function()
  local mkdir = smc.process { "mkdir", "-p", smc.tmp() .. ("/d"):rep(80) }
  assert.same({ status = 0 }, mkdir:wait { within = 60 })
end)
LUA
run 2 --allow-process deep.lua
has "smc.tmp: cannot remove $(realpath t)/smcrun-tmp-" 'Directory not empty'
rm -r t && mkdir t

echo 'local path = require("smc").tmp()' >loading.lua
run 2 loading.lua
has 'smc.tmp: cannot be used while the file loads'
nothing_left

# Killed with its worker, it leaves what the next one removes.
cat >killed.lua <<'LUA'
local smc = require "smc"
it("has sockets and a folder, and hangs in C", function()
  smc.sandbox "binance"
  assert(io.open(smc.tmp() .. "/x", "w")):write("text"):close()
  assert.is_nil((("a"):rep(1000000)):find((".-"):rep(20) .. "b"))
end)
LUA
called=killed.lua
"$smcrun" killed.lua --hang-after 250 &>/dev/null &
pid=$!
for _ in {1..600}; do
    [[ -n $(find t -name x) ]] && break
    sleep 0.05
done
worker=$(pgrep -P "$pid")
kill -STOP "$pid" # so that it can't remove anything
kill -9 "$worker" "$pid"
wait "$pid" 2>/dev/null
for _ in {1..600}; do
    kill -0 "$worker" 2>/dev/null || break
    sleep 0.05
done
is 'what is left' 2 "$(find t -maxdepth 1 -name 'smcrun-*' | wc -l)"
run 0 --allow-process own.lua
nothing_left

rmdir t # /tmp has room
echo 'it("asks", function() assert.is_string(require("smc").tmp()) end)' >asks.lua
run 0 asks.lua

printf '%d checks, %d failed\n' "$checks" "$failures"
((failures == 0))
