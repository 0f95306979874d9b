-- smc.load: what is counted, from when a latency counts, and what wrong options are told.
local smc = require "smc"
local timeline = require "smc.timeline"
local world = require "smc.world"

local function says(text, fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.matches("test_load.lua:%d+: ", err)
  assert.matches(text, err, 1, true)
end

--- A server that answers at once, but for a second from `at` on, in which it does nothing at all.
local function stalling(at)
  local began = smc.now()
  return function()
    local gone = smc.now() - began
    if gone >= at and gone < at + 1 then smc.sleep(at + 1 - gone) end
    return true
  end
end

describe("an open load", function()
  it("shows a stall of a second to everyone who would have come meanwhile", function()
    local result = smc.load { rate = 100, duration = 10, run = stalling(5) }
    -- 100 of 1000 have waited, for 10 ms, 20 ms and so on up to a second: of those, the 90th hundredth is the p99.
    assert.same({ 1000, 0, 100 }, { result.count, result.dropped, result.in_flight })
    assert.near(0.9, result.p99, 0.001)
    assert.near(0.5, result.p95, 0.001)
    assert.equal(1.0, result.max)
    assert.equal(0, result.p50)
  end)

  it("differs in that from users, of whom each notices the stall once", function()
    local result = smc.load { users = 1, think = 0.01, duration = 10, run = stalling(5) }
    assert.equal(1.0, result.max)
    assert.equal(0, result.p99)
    assert.near(900, result.count, 2)
  end)

  it("lets no more in than in_flight says, and counts who stays out", function()
    local most, now = 0, 0
    local result = smc.load { rate = 100, duration = 2, in_flight = 7, run = function()
      now = now + 1
      most = math.max(most, now)
      smc.sleep(0.5)
      now = now - 1
    end }
    assert.equal(7, most)
    assert.same({ 200, 7, 0 }, { result.planned, result.in_flight, now })
    assert.equal(result.planned, result.count + result.dropped)
    assert.equal(28, result.count) -- 7 in each half of a second
  end)

  it("counts errors by their class, and tells what the first of each said", function()
    local errors = require "smc.error"
    local result = smc.load { rate = 50, duration = 1, name = "reads", run = function(n)
      if n % 10 == 0 then return nil, errors.new { class = "timeout", message = "number " .. n } end
      if n == 7 then return false, "odd" end
      if n == 8 then return nil, { class = "server", message = "ours" } end
      if n == 9 then return nil, {} end
      return n
    end }
    assert.same({ timeout = 5, error = 2, server = 1 }, result.classes)
    assert.same({ 8, 50, 0.16 }, { result.failed, result.count, result.errors })
    assert.near(42, result.rate, 0.001)
    for _, text in ipairs { "reads: open model, 50 arrivals in 1 s", "errors   8, 16 %: timeout 5, error 2, server 1",
      "timeout: smc: timeout: number 10", "error: odd", "server: ours" } do
      assert.matches(text, tostring(result), 1, true)
    end
  end)

  it("is ended by what a run raises, which is raised", function()
    local ran = 0
    local ok, err = pcall(smc.load, { rate = 100, duration = 10, run = function(n)
      ran = ran + 1
      if n == 5 then error({ mine = true }) end
      smc.sleep(3)
    end })
    assert.is_false(ok)
    assert.is_true(err.mine)
    assert.equal(5, ran)
  end)

  it("ends what has not ended when grace is over, and counts it as long as it has taken", function()
    local closed = 0
    local result = smc.load { rate = 10, duration = 1, grace = 2, run = function(n)
      local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
      smc.sleep(n == 10 and 1000 or 0.1)
    end }
    assert.same({ unfinished = 1 }, result.classes)
    assert.same({ 10, 10 }, { result.count, closed })
    assert.near(2.1, result.max, 0.001) -- it was meant to begin a tenth before the end
    assert.near(3, result.elapsed, 0.001)
  end)

  it("leaves nothing behind when its caller is cancelled", function()
    local running = 0
    local ok, err = smc.timeout(1, function()
      smc.load { rate = 20, duration = 60, run = function()
        running = running + 1
        local _ <close> = setmetatable({}, { __close = function() running = running - 1 end })
        smc.sleep(100)
      end }
    end)
    assert.is_nil(ok)
    assert.equal("timeout", err.class)
    assert.equal(0, running)
  end)
end)

describe("a closed load", function()
  it("has so many users, who wait for their replies and think", function()
    local now, most, seen = 0, 0, {}
    local result = smc.load { users = 4, think = 0.3, duration = 10, run = function(_, user)
      now = now + 1
      most = math.max(most, now)
      seen[user] = (seen[user] or 0) + 1
      smc.sleep(0.2)
      now = now - 1
    end }
    assert.equal(4, most)
    assert.same({ 20, 20, 20, 20 }, seen)
    assert.same({ 80, 80, 0 }, { result.planned, result.count, result.dropped })
    assert.near(0.2, result.max, 1e-6)
  end)

  it("thinks between the least and the most, drawn by the seed", function()
    local last, least, most = nil, 1, 0
    smc.load { users = 1, think = { 0.1, 0.4 }, duration = 60, run = function()
      local pause = last and smc.now() - last
      if pause then least, most = math.min(least, pause), math.max(most, pause) end
      last = smc.now()
    end }
    assert.is_true(least >= 0.1 and least < 0.15)
    assert.is_true(most <= 0.401 and most > 0.35)
  end)

  it("comes to its end though replies take no time, and nobody thinks", function()
    local result = smc.load { users = 2, duration = 0.05, run = function() return true end }
    assert.equal(100, result.count)
  end)

  it("follows its stages up and down", function()
    local now, at = 0, {}
    local began = smc.now()
    smc.load { stages = { { users = 3, duration = 3 }, { users = 0, duration = 3 }, { users = 2, duration = 0 },
      { users = 2, duration = 1 } }, run = function()
      now = now + 1
      local second, part = math.modf(smc.now() - began)
      if part > 0.5 then at[second] = math.max(at[second] or 0, now) end -- who has to go may end what was begun
      smc.sleep(0.07)
      now = now - 1
    end }
    assert.same({ 1, 2, 3, 2, 1, 2 }, { at[1.0], at[2.0], at[3.0], at[4.0], at[5.0], at[6.0] })
    assert.is_nil(at[0.0])
  end)

  it("has the warmup before what is measured", function()
    local ran = 0
    local result = smc.load { users = 2, duration = 1, warmup = 0.5, run = function()
      ran = ran + 1
      smc.sleep(0.1)
    end }
    assert.same({ 30, 20 }, { ran, result.count })
  end)
end)

describe("smc.load", function()
  local function run() end
  -- What it says, and of what.
  for _, case in ipairs {
    { "unknown option 'vus' (known: arrivals, costs, duration, grace, in_flight, name, rate,",
      { vus = 3, rate = 1, run = run } },
    { "run is the function", { rate = 1, duration = 1 } },
    { "rate or users is missing", { duration = 1, run = run } },
    { "rate or users, not both", { rate = 1, users = 1, duration = 1, run = run } },
    { "duration is missing", { rate = 1, run = run } },
    { "duration or stages, not both", { duration = 1, stages = { { rate = 1, duration = 1 } }, run = run } },
    { "rate is a number of arrivals a second from 1e-06 to 100000, not 0", { rate = 0, duration = 1, run = run } },
    { "rate is a number of arrivals a second from 1e-06 to 100000, not inf",
      { rate = math.huge, duration = 1, run = run } },
    { "duration is a number of seconds from 0.001 to 1e+06, not 5s", { rate = 1, duration = "5s", run = run } },
    { "users is a whole number from 1 to 10000, not 1.5", { users = 1.5, duration = 1, run = run } },
    { "in_flight is a whole number from 1 to 100000, not 0", { rate = 1, duration = 1, in_flight = 0, run = run } },
    { "think goes with users", { rate = 1, duration = 1, think = 1, run = run } },
    { "in_flight goes with rate", { users = 1, duration = 1, in_flight = 5, run = run } },
    { "arrivals goes with rate", { users = 1, duration = 1, arrivals = "even", run = run } },
    { "arrivals is \"even\" or \"poisson\"", { rate = 1, duration = 1, arrivals = "random", run = run } },
    { "think: the least, 2, is above the most, 1", { users = 1, duration = 1, think = { 2, 1 }, run = run } },
    { "think is seconds, or a list { least, most }", { users = 1, duration = 1, think = { 2 }, run = run } },
    { "stages is a list like { { rate = 100", { rate = 1, stages = {}, run = run } },
    { "stages[2] is a table like { rate = 100", { stages = { { rate = 1, duration = 1 }, 5 }, run = run } },
    { "stages[1]: unknown key 'target' (known: rate, duration)",
      { rate = 1, stages = { { target = 5, duration = 1 } }, run = run } },
    { "users is a whole number from 0 to 10000, not nil", { users = 1, stages = { { duration = 1 } }, run = run } },
    { "stages take no time", { stages = { { rate = 1, duration = 0 } }, run = run } },
    { "stages bring nothing", { stages = { { rate = 0, duration = 1 } }, run = run } },
    { "warmup runs at rate, which is missing", { stages = { { rate = 1, duration = 1 } }, warmup = 1, run = run } },
    { "grace is a number of seconds from 0 to 1e+06, not -1", { rate = 1, duration = 1, grace = -1, run = run } },
    { "name is what the load is called", { rate = 1, duration = 1, name = 5, run = run } },
  } do
    it("refuses what makes no sense: " .. case[1], function()
      says("smc.load: " .. case[1], function() smc.load(case[2]) end)
    end)
  end

  it("refuses what its spec has no time for, at once", function()
    smc.sleep(10)
    says("smc.load: it takes 51 s, and its spec has 50 s left: give specs more by smcrun --timeout", function()
      smc.load { rate = 1, duration = 50, warmup = 1, run = run }
    end)
    assert.equal(50, smc.load({ rate = 1, duration = 50, run = run }).count)
  end)

  it("refuses what is no table, and a percentile that is none", function()
    says("smc.load: options expected", function() smc.load(5) end)
    local result = smc.load { rate = 1, duration = 1, run = run }
    says("result:percentile", function() result:percentile(101) end)
    assert.equal(0, result:percentile(100))
  end)
end)

describe("a load on a testnet", function()
  --- As on a testnet, which is asked for nothing but its limits.
  local function away(given)
    local w, sent = world.current(), 0
    given.duration, given.run = 10, function() sent = sent + 1 end
    w.target = "testnet"
    local ok, err = pcall(smc.load, given)
    w.target = "sandbox"
    return ok and sent or tostring(err)
  end

  it("is refused before anything is sent when it is more than a limiter has", function()
    local binance, oanda = smc.venue "binance", smc.venue "oanda"
    local order = { [binance] = { orders_10s = 1, request_weight = 1 } }
    assert.matches(
      "6 runs a second would cost 6 of orders_10s of binance in a second, and its limiter has 5: at most rate = 5",
      away { rate = 6, costs = order }, 1, true)
    assert.equal(50, away { rate = 5, costs = order })
    local both = { [oanda] = { requests = 2 }, [binance] = { request_weight = 1 } }
    assert.matches(
      "60 runs a second would cost 120 of requests of oanda in a second, and its limiter has 116: at most rate = 58",
      away { rate = 60, costs = both }, 1, true)
  end)

  it("is judged by its highest rate, and by what its users could send", function()
    local binance = smc.venue "binance"
    local costs = { [binance] = { request_weight = 10 } }
    local function staged(rate)
      local w = world.current()
      w.target = "testnet"
      local ok, err = pcall(smc.load, { costs = costs, run = function() end,
        stages = { { rate = rate, duration = 1 }, { rate = 1, duration = 1 } } })
      w.target = "sandbox"
      return ok or tostring(err)
    end
    assert.is_true(staged(10))
    assert.matches("11 runs a second would cost 110 of request_weight", staged(11), 1, true)
    assert.matches("20 runs a second would cost 200", away { users = 10, think = { 0.5, 2 }, costs = costs }, 1, true)
    assert.matches("users need a think time above 0", away { users = 1, costs = costs }, 1, true)
  end)

  it("has to say what a run costs, of a venue with a limiter", function()
    local binance, free = smc.venue "binance", smc.venue("bybit", { limiter = false })
    for _, case in ipairs {
      { "on a testnet say what a run costs" },
      { "bybit has no limiter", { [free] = { requests = 1 } } },
      { "binance has no budget 'weight' (there are: orders_10s,", { [binance] = { weight = 1 } } },
      { "costs is by venue", { binance = { request_weight = 1 } } },
      { "request_weight of binance is a whole number, not 0.5", { [binance] = { request_weight = 0.5 } } },
    } do
      assert.matches(case[1], away { rate = 1, costs = case[2] }, 1, true)
    end
  end)
end)

describe("the timeline of a spec", function()
  it("has its loads, with what was asked of them", function()
    local result = smc.load { rate = 100, duration = 1, name = "orders", run = function(n) smc.sleep(n / 1000) end }
    smc.load { users = 1, duration = 0.01, name = "orders", run = function() return nil, "no" end }
    pcall(assert.load, result, { "p99 < 0.050", "errors == 0" })
    local told = smc.json.decode(timeline.text()).loads
    assert.same({ "orders", "orders 2", "open", "closed" }, { told[1].of, told[2].of, told[1].model, told[2].model })
    local broken, held = table.unpack(told[1].thresholds)
    assert.same({ "p99 < 0.050", false, "errors == 0", true }, { broken.text, broken.held, held.text, held.held })
    assert.same({ result.p99, 0 }, { broken.value, held.value })
    assert.same({ 100, 100, 0, 1, 100 }, { told[1].planned, told[1].count, told[1].failed, told[1].latency.min,
      told[1].latency.max })
    assert.near(99, told[1].latency.p99, 0.1) -- ms, too high by a thousandth at most
    local sum = 0
    for _, pair in ipairs(told[1].buckets) do sum = sum + pair[2] end
    assert.equal(100, sum)
    assert.same({ error = 10 }, told[2].classes)
  end)

  it("leaves out loads beyond the sixteenth, and says so", function()
    for _ = 1, 18 do assert.load(smc.load { rate = 1, duration = 1, run = function() end }, "errors == 0") end
    local told = smc.json.decode(timeline.text())
    assert.same({ 16, 2 }, { #told.loads, told.left_out.loads })
  end)
end)
