"""menu.py SMCRUN: `smcrun -i`, and smcrun alone, at a terminal and fed from a file."""
import os
import signal
import subprocess
import sys
import tempfile

from terminal import Terminal, check, verdict

smcrun = os.path.realpath(sys.argv[1])
work = tempfile.TemporaryDirectory()
os.chdir(work.name)
for name in [n for n in os.environ if n.startswith(("SMCRUN_", "BINANCE_", "BYBIT_", "OANDA_"))]:
    del os.environ[name]
env = {"NO_COLOR": "1", "HOME": work.name, "XDG_STATE_HOME": work.name + "/state", "LC_ALL": "C.UTF-8"}


def scenario(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


scenario("scenarios/good/ok.lua", 'it("is fine on bybit", function() assert.is_true(true) end)\n')
scenario("scenarios/bad/mixed.lua", '''
local smc = require "smc"
it("is fine", function() assert.is_true(true) end)
it("asks binance", function()
  assert(smc.venue("binance"):time())
  assert.equal("yes", io.open("scenarios/bad/mended.txt") and "yes" or "no")
end)
''')
scenario("scenarios/broken/syntax.lua", "this is no Lua\n")
scenario("scenarios/slow/slow.lua", 'it("never ends", function() repeat require("smc").sleep(0.001) until false end)\n')


def feed(status, text, *wanted, args=("-i",), unwanted=()):
    """Lines of a file: what is shown has each of `wanted`, one behind the other."""
    p = subprocess.run([smcrun, *args], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=120, env={**os.environ, **env}, check=False)
    shown, at = p.stdout.decode(errors="replace"), 0
    check(f"{text!r}: exit status {status}, not {p.returncode}", p.returncode == status, shown)
    for one in wanted:
        found = shown.find(one, at)
        check(f"{text!r}: wanted {one!r}", found >= 0, shown)
        at = max(at, found)
    for one in unwanted:
        check(f"{text!r}: did not want {one!r}", one not in shown, shown)


# Nothing was run; every input is survived.
feed(0, b"", "suite   all", "1 all   2 bad   3 broken   4 good   5 slow", "venue   all", "target  sandbox")
feed(0, b"q\n")
feed(0, b"99\n0\n-1\n\n   \nnope\n\xff\xfe\x00\x1b[2J\nv\nv kraken\nf\nf 1\nagain\n" + b"x" * 100000 + b"\nq",
     "there is no '99'", "there is no '0'", "there is no '-1'", "there is no 'nope'", "there is no '\\xFF\\xFE",
     "v NAME: all, binance, bybit or oanda", "there is no venue 'kraken'; v NAME: all", "nothing has failed",
     "nothing has failed", "nothing has failed",
     "there is no 'xxx", unwanted=("\x1b[2J",))

# Suite by number or name, venue, target; the exit status is the worst, in whichever order.
feed(0, b"4\nr\n", "suite   good", "1 passed, 0 failed, 0 skipped")
feed(4, b"GOOD\nv bybit\nr\nv oanda\nr\n", "1 passed", "venue   oanda", "nothing selected")
feed(1, b"bad\nr\ngood\nr\n", "1 passed, 1 failed, 0 skipped", "1 passed, 0 failed, 0 skipped")
feed(2, b"broken\nr\nbad\nr\n", "0 passed, 1 failed", "1 passed, 1 failed")
feed(5, b"bad\nt\nv binance\nr\nq\n", "target  testnet",
     "binance has no credentials: BINANCE_TESTNET_API_KEY is not set", args=("-i", "-v"))
feed(0, b"t\nq\n", "only a sandbox can be sabotaged", args=("-i", "--sabotage", "dead"))
feed(3, b"", "--interactive contradicts --list", args=("-i", "--list"))

# A failure: its text, its transcript; run again it still fails, until it is mended.
feed(1, b"bad\nr\nf\nf 1\nf 1 all\nf 2\nf x\nagain\n",
     "1 failed", "f: the 1 that failed   f N: the transcript of one\n  again: run them again   q: leave\n",
     "1) scenarios/bad/mixed.lua::asks binance",
     "scenarios/bad/mixed.lua::asks binance\n", "Expected objects to be equal", "transcript", "/api/v3/time", "transcript",
     "f N: a number from 1 to 1", "f N: a number from 1 to 1", "0 passed, 1 failed, 0 skipped")
feed(2, b"broken\nr\nf 1\nagain\n", "scenarios/broken/syntax.lua", "syntax error", "0 passed, 1 failed, 0 skipped")

# What was named is all that there is to choose.
feed(0, b"2\nr\n", "there is no '2'", "1 passed", args=("-i", "scenarios/good"))

# Where there is a suites.lua, these are the suites; a wrong one is told of.
scenario("scenarios/suites.lua", 'return { fine = { "good" }, both = { "good", "bad", filter = "fine" } }')
feed(0, b"3\nr\n", "suite   all", "1 all   2 both   3 fine   \n", "suite   fine", "1 passed, 0 failed, 0 skipped")
feed(0, b"r\n1\nq\n", "suite   both", "2 passed, 0 failed, 0 skipped", "suite   all", args=("-i", "--suite", "both"))
feed(0, b"r\n", "2 passed, 0 failed, 0 skipped", args=("-i", "--suite", "both", "scenarios"))
feed(0, b"q\n", "there is no suite 'nix'", "suite   all", args=("-i", "--suite", "nix"))
feed(2, b"all\nv binance\nr\nagain\n", "0 passed, 2 failed", "0 passed, 2 failed", args=("-i", "--suite", "both"))
scenario("scenarios/suites.lua", "return 7")
feed(0, b"", "scenarios/suites.lua: returns a number", "2 bad   3 broken")
os.remove("scenarios/suites.lua")

# At a terminal smcrun alone asks; a run is interrupted by Ctrl-C, the menu is not.
t = Terminal([smcrun], env)
t.expect("suite   all", "smcrun> ")
t.type("half a li")
t.expect("half a li")
t.type("\x03")
t.expect("q leaves", "smcrun> ")
t.type("bad\n")
t.expect("suite   bad", "smcrun> ")
t.type("r\n")
t.expect("1 passed, 1 failed, 0 skipped", "f: the 1 that failed", "smcrun> ")
scenario("scenarios/bad/mended.txt", "")
t.type("again\n")
t.expect("1 passed, 0 failed, 0 skipped", "smcrun> ")
t.type("q\n")
t.ends(1)

t = Terminal([smcrun, "-i", "--no-color", "-v", "--timeout", "10000000"], env)
t.expect("smcrun> ")
t.type("slow\n")
t.expect("suite   slow", "smcrun> ")
t.type("r\n")
t.expect("smcrun 0.1.0  sandbox")
t.type("\x03")
t.expect("0 passed, 0 failed", "suite   slow", "smcrun> ")
t.type("good\n")
t.expect("suite   good", "smcrun> ")
t.type("r\n")
t.expect("1 passed, 0 failed, 0 skipped", "smcrun> ")
t.type("\x04")
t.ends(130)

# Told to end, it ends; without a terminal smcrun alone runs everything, as ever.
t = Terminal([smcrun, "-i"], env)
t.expect("smcrun> ")
t.kill(signal.SIGTERM)
t.ends(130)
os.remove("scenarios/slow/slow.lua")
os.remove("scenarios/broken/syntax.lua")
feed(0, b"r\n", "3 passed, 0 failed, 0 skipped", args=(), unwanted=("suite",))

verdict()
