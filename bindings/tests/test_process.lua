-- smc.process: what a program prints and is told, how it ends, and what wrong use is told.  Real programs, real clock.
local core_task = require "smc.core.task"
local json = require "smc.json"
local smc = require "smc"
local timeline = require "smc.timeline"

local WITHIN = { within = 60 } -- for a machine that is busy

local function shell(script, options)
  local given = options or {}
  given[1], given[2], given[3] = "sh", "-c", script
  return smc.process(given)
end

--- How many requests to a venue the plots show.
local function plotted(of)
  local sums = { ok = 0, refused = 0, failed = 0 }
  for _, its in ipairs(assert(json.decode(timeline.text())).requests) do
    for name in pairs(sums) do
      for _, n in ipairs(its.of == of and its[name] or {}) do sums[name] = sums[name] + n end
    end
  end
  return sums
end

local function wrong(pattern, fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.matches("test_process.lua:%d+: .*" .. pattern, err)
end

describe("a program #process", function()
  it("is heard on both streams, line by line, in the order in which they come", function()
    local p <close> = shell "echo one; read a; echo two >&2; read a; printf torn"
    assert.is_nil((p:wait_for("x", { within = 0 })))
    assert.equal("sh", p.name)
    p:stop { grace = 0 }

    local q <close> = shell("echo one; read a; echo two >&2; read a; printf 'three\\r\\ntorn'", { stdin = true })
    assert.equal("one", q:wait_for("one", WITHIN))
    assert.is_true(q:write "\n")
    assert.equal("two", q:wait_for("two", WITHIN))
    assert.is_true(q:write "\n")
    assert.same({ status = 0 }, q:wait(WITHIN))
    assert.same({ "one", "two", "three", "torn" }, q:lines())
    assert.same({ "one", "three", "torn" }, q:lines "stdout")
    assert.same({ "two" }, q:lines "stderr")
  end)

  it("is waited for by a pattern: its captures, behind the line before, on one stream", function()
    local p <close> = shell "echo a=1; echo b=9 >&2; echo a=2"

    assert.same({ "a=1", "1" }, { p:wait_for("a=(%d)", WITHIN) })
    assert.same({ "a=2", "2" }, { p:wait_for("=(%d)", { within = 60, stream = "stdout" }) })
    assert.is_nil((p:wait_for("a=", WITHIN)))
  end)

  it("that says nothing, or ends, is told of with its last words", function()
    local p <close> = shell "for i in 1 2 3 4 5 6 7; do echo line $i; done; read a; exit 4"
    local q <close> = shell("echo still here; read a", { stdin = true, name = "bot" })
    assert(p:wait(WITHIN))
    assert(q:wait_for("here", WITHIN))

    local line, ended = p:wait_for "up"
    local more, late = q:wait_for("up", { within = 0.05 })
    local exit, running = q:wait { within = 0.05 }
    local r <close> = shell("read a", { stdin = true })
    local _, silent = r:wait_for("up", { within = 0.05 })
    r:stop()
    local _, gone = r:wait_for "up"

    assert.is_nil(line or more or exit)
    assert.matches("nothing, or keeps it to itself: .* until they flush it$", silent.message)
    assert.matches("it printed nothing$", gone.message)
    assert.same({ "network", "closed" }, { ended.class, ended.code })
    assert.equal("sh ended with status 4 without a line that matches 'up'; it printed last:\n  line 3\n  line 4\n" ..
      "  line 5\n  line 6\n  line 7", ended.message)
    assert.equal("timeout", late.class)
    assert.matches("^bot printed no line that matches 'up' within 0.05 s; .*still here", late.message)
    assert.equal("timeout", running.class)
    assert.matches("^bot still ran after 0.05 s", running.message)
  end)

  it("gets its surroundings and nothing else", function()
    local p <close> = shell("env | cut -d= -f1 | grep -v -e PWD -e SHLVL -e '^_$' | sort; echo $GIVEN $N; pwd",
      { env = { GIVEN = "a b", N = 7 }, cwd = "clients" })

    assert.same({ status = 0 }, p:wait(WITHIN))

    local lines = p:lines()
    assert.is_truthy(table.concat(lines, " "):find "PYTHONUNBUFFERED")
    assert.equal("a b 7", lines[#lines - 1])
    assert.matches("/bindings/tests/clients$", lines[#lines])
    for i = 1, #lines - 2 do
      assert.is_truthy(({ PATH = 1, HOME = 1, LANG = 1, PYTHONUNBUFFERED = 1, GIVEN = 1, N = 1 })[lines[i]], lines[i])
    end
  end)

  it("starts in the scenario's folder, with the input that it is given, to its end", function()
    local p <close> = smc.process { "sh", "-c", "ls test_process.lua; cat", stdin = "first\nlast" }

    assert.same({ status = 0 }, p:wait(WITHIN))
    assert.same({ "test_process.lua", "first", "last" }, p:lines())
  end)

  it("has no input unless it is given one, and ends when that is closed", function()
    local p <close> = shell "cat; echo over"
    local q <close> = shell("cat; echo over", { stdin = true })

    assert(p:wait_for("over", WITHIN))
    q:close_stdin()
    assert(q:wait_for("over", WITHIN))
    assert(q:wait(WITHIN))
    local written, err = q:write "more"
    assert.is_nil(written)
    assert.equal("closed", err.code)
  end)

  it("ends by the signal that it is sent, or takes it", function()
    local p <close> = shell "trap 'echo caught; exit 5' USR1; echo up; while :; do sleep 0.05; done"
    local q <close> = shell "echo up; exec sleep 1000"
    assert(p:wait_for("up", WITHIN))
    assert(q:wait_for("up", WITHIN))
    assert.is_true(p.running)
    assert.is_nil(p.exit)

    assert.is_true(p:signal "USR1")
    assert.is_true(q:signal "SIGINT")

    assert.same({ status = 5 }, p:wait(WITHIN))
    assert.same({ "up", "caught" }, p:lines())
    assert.same({ signal = "INT" }, q:wait(WITHIN))
    assert.is_false(q.running)
    assert.same({ signal = "INT" }, q.exit)
    local _, err = q:signal "TERM"
    assert.equal("closed", err.code)
  end)

  it("is asked to end before it is ended", function()
    local kind <close> = shell "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    local deaf <close> = shell "trap '' TERM; echo up; while :; do sleep 0.05; done"
    assert(kind:wait_for("up", WITHIN))
    assert(deaf:wait_for("up", WITHIN))

    assert.same({ status = 0 }, kind:stop { grace = 60 })
    assert.same({ signal = "KILL" }, deaf:stop { grace = 0.05 })
    assert.same({ "up", "bye" }, kind:lines "stdout")
  end)

  it("ends with its block, though it will not", function()
    local seen
    do
      local p <close> = shell("trap '' TERM; echo up; while :; do sleep 0.05; done", { grace = 0.05 })
      assert(p:wait_for("up", WITHIN))
      seen = p
    end
    assert.same({ signal = "KILL" }, seen.exit)
  end)

  it("ends with its task, where nothing may wait any more", function()
    local seen
    local t = smc.spawn(function()
      local p <close> = shell "echo up; exec sleep 1000"
      seen = p
      smc.sleep(1000)
    end)
    eventually(function() assert.is_truthy(seen and seen:lines()[1]) end, WITHIN)

    t:cancel()

    assert.same({ signal = "KILL" }, seen.exit)
  end)

  it("may print more than is kept: the last lines are", function()
    local p <close> = smc.process { "seq", "50000" }

    assert.same({ status = 0 }, p:wait(WITHIN))

    local lines = p:lines()
    assert.equal("50000", lines[#lines])
    assert.is_true(#lines > 10000 and #lines <= 20000, #lines)
    assert.equal(tostring(50001 - #lines), lines[1])
  end)

  it("is waited for by several tasks at once", function()
    local p <close> = shell("read a; echo heard $a", { stdin = true })
    local heard = smc.spawn(function() return p:wait_for("heard", WITHIN) end)
    local first = smc.spawn(function() return p:wait(WITHIN) end)
    local second = smc.spawn(function() return p:wait(WITHIN) end)
    smc.sleep(0.01)

    p:write "it\n"

    assert.equal("heard it", heard:join(60))
    assert.same({ status = 0 }, first:join(60))
    assert.same({ status = 0 }, second:join(60))
  end)

  it("of Python trades at the sandbox by its URL, key and secret", function()
    local binance = smc.venue "binance"
    local p <close> = smc.process { "python3", "-c", [[
import hashlib, hmac, os, time, urllib.request
query = f"timestamp={int(time.time() * 1000)}"
sign = hmac.new(os.environ["SECRET"].encode(), query.encode(), hashlib.sha256).hexdigest()
url = f"{os.environ['URL']}/api/v3/account?{query}&signature={sign}"
print(urllib.request.urlopen(urllib.request.Request(url, headers={"X-MBX-APIKEY": os.environ["KEY"]})).status)]],
      env = { URL = binance.url, KEY = binance.key, SECRET = binance.secret } }

    assert(p:wait_for("^200$", WITHIN))
    assert.equal(1, #binance.sandbox:requests { path = "/api/v3/account", signed = true })
  end)

  it("of Python is heard when it prints, and not at its end only", function()
    local p <close> = smc.process { "python3", "-c", "print('up'); input()", stdin = true }
    assert.equal("up", (p:wait_for("up", WITHIN)))
  end)

  it("is seen in the transcript with what it asks, meets and is told, and clients of ours once", function()
    local bybit = smc.venue "bybit"
    local p <close> = smc.process { "python3", "-c", [[
import http.client, os, socket, sys
port = int(os.environ["URL"].rsplit(":", 1)[1])
UP = {"Upgrade": "websocket", "Connection": "Upgrade"}
for line in sys.stdin:
    c = http.client.HTTPConnection("127.0.0.1", port)
    try:
        method, path, *body = line.split()
        c.request(method, path, *body, headers=UP if path == "/w" else {})
        print(c.getresponse().status, flush=True)
    except OSError as e:
        print("lost", flush=True)]], env = { URL = bybit.url }, stdin = true }
    local function asks(line, answer)
      p:write(line .. "\n")
      assert(p:wait_for(answer, WITHIN))
    end

    asks("GET /v5/market/time?a=1", "200")
    asks("POST /v5/order/create body", "401")
    asks("GET /w", "404")
    bybit:fault { venue = "reset", times = 1 }
    asks("GET /v5/market/time", "lost")
    bybit:fault { link = "latency", latency = 0.01 } -- from here on its bytes take another way
    asks("GET /v5/market/time?b=1", "200")
    assert(bybit:time())

    local told = core_task.transcript():gsub("\n +[%d.]+ ", "\n")
    assert.matches("bybit +> GET /v5/market/time%?a=1\nbybit +< 200 %d+ ms\nbybit +{\"retCode\":0", told)
    assert.matches("bybit +> POST /v5/order/create\nbybit +body\nbybit +< 401", told)
    assert.matches("bybit +> GET /w\nbybit +< 404", told)
    assert.matches("bybit +> GET /v5/market/time\nbybit +fault: reset\nbybit +< connection reset", told)
    assert.matches("bybit +> GET /v5/market/time%?b=1\n", told)
    assert.equal(1, select(2, told:gsub("client +> GET /v5/market/time\n", "")))
    assert.equal(1, select(2, told:gsub("bybit +> GET /v5/market/time\n", "")))
    assert.same({ ok = 3, refused = 2, failed = 1 }, plotted "bybit")
  end)

  it("that is used wrongly is blamed on the line that does", function()
    wrong("a table expected", function() smc.process "sh" end)
    wrong("begins with the program", function() smc.process {} end)
    wrong("the words of a command line are texts", function() smc.process { "sh", 7 } end)
    wrong("are texts; number 2 is a nil", function() smc.process { "sh", nil, "x" } end)
    wrong("unknown option 'enf'", function() smc.process { "sh", enf = {} } end)
    wrong("cwd is a text", function() smc.process { "sh", cwd = 1 } end)
    wrong("stdin is a text, or true", function() smc.process { "sh", stdin = 1 } end)
    wrong("env is a table", function() smc.process { "sh", env = "A=1" } end)
    wrong("'A=' is not the name of a variable", function() smc.process { "sh", env = { ["A="] = "1" } } end)
    wrong("env: A is a text or a number, not a boolean", function() smc.process { "sh", env = { A = true } } end)
    wrong("env: A is a text or a number, not a userdata",
      function() smc.process { "sh", env = { A = smc.secret.random() } } end)
    wrong("grace: a number of seconds", function() smc.process { "sh", grace = -1 } end)
    wrong("there is no program 'no%-such%-thing'", function() smc.process { "no-such-thing" } end)
    local p <close> = shell "exec sleep 1000"
    local q <close> = shell "echo a"
    assert(q:wait(WITHIN))
    wrong("process:wait_for: unfinished capture", function() q:wait_for "(" end)
    wrong("process:wait_for: unfinished capture", function() p:wait_for "(" end) -- which has printed nothing
    wrong("process:wait_for: malformed pattern", function() q:wait_for "a%" end)
    wrong("a pattern expected", function() p:wait_for(7) end)
    wrong("unknown option 'withn'", function() p:wait_for("a", { withn = 1 }) end)
    wrong("within: a number of seconds", function() p:wait { within = "1" } end)
    wrong("stream is \"stdout\" or \"stderr\"", function() p:lines "out" end)
    wrong("started without stdin = true", function() p:write "a" end)
    wrong("'NOTHING' is not the name of a signal", function() p:signal "NOTHING" end)
    for _, name in ipairs { "lines", "wait_for", "wait", "write", "close_stdin", "signal", "kill", "stop" } do
      wrong(("process:%s: called with a dot%%? a colon goes before it"):format(name), function() p[name] {} end)
      wrong(("process:%s: called with a dot%%? a colon goes before it"):format(name), function() p[name]() end)
    end
  end)
end)

describe("the clock", function()
  it("of other specs of the file stays virtual, and has no programs", function()
    local start = smc.now()
    smc.sleep(40)
    assert.equal(40, smc.now() - start)
    assert.equal(1767571200000 + 40000, smc.wall())
    wrong("runs by the real clock: tag the spec #process", function() smc.process { "true" } end)
  end)
end)
