"""repl.py SMCRUN: `smcrun repl`, fed from a file and typed at a terminal."""
import os
import signal
import stat
import subprocess
import sys
import tempfile

from terminal import Terminal, check, verdict

smcrun = os.path.realpath(sys.argv[1])
home = tempfile.TemporaryDirectory()
env = {"HOME": home.name, "XDG_STATE_HOME": home.name + "/state", "LC_ALL": "C.UTF-8"}
history = home.name + "/state/smcrun/repl_history"


def feed(status, text, *wanted, complaints=()):
    """Lines of a file: its standard output is exactly `wanted`, a line each; the complaints stand on standard error."""
    p = subprocess.run([smcrun, "repl", "--seed", "1"], input=text, capture_output=True, text=True, timeout=60,
                       env={**os.environ, **env}, check=False)
    shown = p.stdout + p.stderr
    check(f"{text!r}: exit status {status}, not {p.returncode}", p.returncode == status, shown)
    check(f"{text!r}: prints {wanted}", p.stdout == "".join(line + "\n" for line in wanted), shown)
    for complaint in complaints:
        check(f"{text!r}: complains of {complaint!r}", complaint in p.stderr, shown)
    check(f"{text!r}: complains of nothing", complaints or not p.stderr, shown)
    check(f"{text!r}: blames no file of ours", "smc/repl/" not in p.stderr, shown)


# A file: values and their absence, statements over several lines, globals that stay, CRLF, a last line without an end.
feed(0, "1 + 1\n'a', nil\nx = 5\r\nx\nfor i = 1, 2 do\n  print(i)\nend\nlocal y = 1\ny",
     "2", "a\tnil", "5", "1", "2", "nil")
feed(0, "", )
feed(0, "exit\nprint 'unreached'\n")
feed(0, "exit()\nprint 'unreached'\n")

# Help is there by its bare name, too, and fits a terminal of 80 columns; a statement that breaks off before it does not.
asked = subprocess.run([smcrun, "repl"], input=" help \n", capture_output=True, text=True, timeout=60, check=False,
                       env={**os.environ, **env}).stdout.splitlines()
check("help says what there is", any("binance bybit oanda" in line for line in asked), asked)
check("help fits 80 columns", max(map(len, asked)) <= 80, asked)
feed(0, "x = \nhelp\nx == help\n", "true")

# The venues are there when they are asked for, and calls need no waiting of one's own; time passes inside calls only.
feed(0, "began = smc.now()\n"
     "binance:ticker('BTC/USDT').symbol, bybit:ticker('BTC/USDT').symbol, oanda:ticker('EUR/USD').symbol\n"
     "order = binance:place { symbol = 'BTC/USDT', side = 'buy', type = 'market', qty = '0.01' }\norder.status\n"
     "smc.sleep(90)\nsmc.now() - began >= 90, smc.now() - began < 91\n"
     "task = smc.spawn(function() smc.sleep(5) late = true end)\nlate\nsmc.sleep(6)\nlate\n"
     "eventually(function() assert.is_true(late) end)\nbinance.sandbox:requests()[1].path\n",
     "BTC/USDT\tBTC/USDT\tEUR/USD", "filled", "true", "true\ttrue", "nil", "true", "true", "/api/v3/ticker/24hr")

# What fails says where, and the next line runs all the same.
feed(1, "function f() error 'oh' end\nfunction g() f() end\ng()\n1\n", "1",
     complaints=("prompt:1: oh\nstack traceback:\n", "in global 'f'"))
feed(1, "x = = 1\n", complaints=("prompt:1: unexpected symbol near '='",))
feed(1, "x = (1 +\n", complaints=("the input ends in the middle of a statement",))
feed(1, "assert.equal(1, 2)\n", complaints=("Expected objects to be equal",))
feed(1, "assert(binance:order { symbol = 'BTC/USDT', id = '77' })\n", complaints=("binance order: unknown_order",))
feed(1, "smc.spawn(function() while true do smc.sleep(1) end end):join(5)\nerror { 1 }\n",
     "nil\ttask:join: timeout: nothing came in time",
     complaints=("{ 1 }",))
feed(1, "task = smc.spawn(function() smc.sleep(1) error 'late' end) smc.spawn(function() error 'soon' end)\n1\n"
     "smc.sleep(2)\n2\npcall(task.join, task)\n", "1", "true", "2", "false\tprompt:1: late",
     complaints=("a task has failed: prompt:1: soon\n", "a task has failed: prompt:1: late\nstack traceback:\n"))
feed(0, "task = smc.spawn(function() error 'caught' end)\npcall(task.join, task)\n", "false\tprompt:1: caught")
feed(1, "bybit:place {}\n", complaints=("place: symbol is missing\n",))
feed(1, "os.execute 'true'\nio.open('/etc/passwd')\n", complaints=("os.execute is not available", "io.open"))

# At a terminal: completion, history, Ctrl-C at the prompt, in a loop and in a wait, Ctrl-D.
t = Terminal([smcrun, "repl", "--seed", "7"], env)
t.expect("smcrun repl: Lua 5.4 with smc", "(seed 7)", "binance, bybit, oanda", "smc 1s> ")
t.type("bin\t:tick\t'BTC/USDT'.symbol\n".replace("'BTC/USDT'", "('BTC/USDT')"))
t.expect("BTC/USDT\n", "smc 1s> ")
t.type("smc.s\t")
t.expect("sandbox", "secret", "sleep", "spawn", "smc.s")
t.type("\x03")
t.expect("\n", "smc 1s> ")
t.type("while true do end\n")
t.expect("while true do end\n")
t.type("\x03")
t.expect("interrupted", "smc 1s> ")
t.type("pcall(function() repeat until false end) print 'still here'\n")
t.expect("print 'still here'\n")
t.type("\x03")
t.expect("interrupted", "smc 1s> ")
t.type("repeat smc.sleep(1) until false\n")
t.expect("until false\n")
t.type("\x03")
t.expect("interrupted", "s> ")
t.type("for i = 1, 2 do\n")
t.expect("... ")
t.type("\x03")
t.expect("s> ")
t.type("my_secret = 'abcdefgh'\n  hidden = 1\nhidden + 41\n")
t.expect("42\n", "s> ")
t.type("\x04")
t.ends(0)
check("nothing runs on behind an interruption", "\nstill here" not in t.text, t.text)

kept = open(history, encoding="utf-8").read()
check("the history is its owner's alone", stat.S_IMODE(os.stat(history).st_mode) == 0o600)
check("the history has what was typed", "while" in kept and "hidden\\040+" in kept, kept)
check("the history has no secret", "abcdefgh" not in kept and "hidden\\040=" not in kept, kept)

# The history is there the next time.  Told to end, it ends, with the terminal as it was.
t = Terminal([smcrun, "repl"], env)
t.expect("s> ")
t.type("\x1b[A")
t.expect("hidden + 41")
t.type(" - 41\n")
t.expect("attempt to perform arithmetic on a nil value (global 'hidden')", "s> ")
t.kill(signal.SIGTERM)
t.ends(130)

# A terminal that can do nothing.
t = Terminal([smcrun, "repl"], {**env, "TERM": "dumb"})
t.expect("s> ")
t.type("2 ^ 10\n")
t.expect("1024.0\n", "s> ")
t.type("\x04")
t.ends(0)

verdict()
