-- smc.timeline: what plots are made of is written down where it happens, and never becomes much.
local core = require "smc.core.task"
local json = require "smc.json"
local series = require "smc.series"
local smc = require "smc"
local timeline = require "smc.timeline"

local function told() return json.decode(timeline.text() or "{}") end

local function the_one(list, field, value)
  local found
  for _, item in ipairs(list or {}) do
    if item[field] == value then
      assert.is_nil(found, "twice: " .. value)
      found = item
    end
  end
  return assert(found, ("no %s %s"):format(field, value))
end

local function sum(list)
  local n = 0
  for _, v in ipairs(list) do n = n + v end
  return n
end

--- The bucket of so many seconds, by the words of report.schema.json.
local function bucket(seconds)
  local b = 0
  while seconds * 1e6 >= 2 ^ (b / 4) do b = b + 1 end
  return b
end

describe("a series", function()
  it("keeps sums and peaks, in few intervals of one width", function()
    local random = math.random
    local sums, peaks = series.new({ "a", "b" }, series.sum), series.new({ "p" }, math.max)
    local ms, total, highest = 0, 0, 0
    for i = 1, 1500 do
      ms = ms + random(0, 40) * random(0, 40)
      local value = random(0, 1000)
      local at = sums:slot(ms)
      sums.columns.a[at], sums.columns.b[at] = sums.columns.a[at] + 1, sums.columns.b[at] + value
      at = peaks:slot(ms)
      peaks.columns.p[at] = math.max(peaks.columns.p[at], value)
      total, highest = total + value, math.max(highest, value)
      if sums.n > series.MOST or i % 100 == 0 and sum(sums.columns.a) ~= i then error("after " .. i) end
    end
    assert.equal(total, sum(sums.columns.b))
    assert.equal(highest, math.max(table.unpack(peaks.columns.p)))
    local times = sums:times()
    assert.equal(sums.n, #times)
    assert.equal(#times, #sums.columns.a)
    for i, at in ipairs(times) do
      assert.equal(0, at % sums.width)
      assert.is_true(i == 1 or at > times[i - 1])
    end
    assert.is_true(times[#times] <= ms and ms < times[#times] + sums.width)
    assert.is_true(#times > series.MOST // 4)
  end)

  it("is exact while it is short", function()
    local s = series.new({ "n" }, series.sum)
    for _, ms in ipairs { 3, 3, 70, 100000 } do
      local at = s:slot(ms)
      s.columns.n[at] = s.columns.n[at] + 1
    end
    assert.same({ 3, 70, 100000 }, s:times())
    assert.same({ 2, 1, 1 }, s.columns.n)
    assert.equal(1, s.width)
  end)
end)

describe("a timeline", function()
  it("is none when nothing happened", function()
    assert.is_nil(timeline.text())
  end)

  it("tells requests: when, what became of them, and how long answers took", function()
    local venue = smc.venue "binance"
    assert(venue:ticker "BTC/USDT")
    smc.sleep(2)
    venue:fault { link = "latency", latency = 0.2 }
    assert(venue:ticker "BTC/USDT")
    venue:heal()
    assert.is_nil((venue:ticker "NO/SUCH"))
    venue:fault { venue = "down" }
    assert.is_nil((venue:ticker "BTC/USDT"))
    local its = the_one(told().requests, "of", "binance")
    assert.same({ 0, 2200 }, { table.unpack(its.at) })
    assert.same({ 1, 1 }, { table.unpack(its.ok) })
    assert.same({ 0, 1 }, { table.unpack(its.refused) })
    assert.same({ 0, 1 }, { table.unpack(its.failed) })
    local latency = {}
    for i, pair in ipairs(its.latency) do latency[i] = { pair[1], pair[2] } end
    assert.same({ { 0, 2 }, { bucket(0.2), 1 } }, latency)
  end)

  it("tells requests below venues", function()
    local url = smc.venue("binance").url
    assert(smc.http.get(url .. "/api/v3/ping"))
    assert.equal(404, assert(smc.http.get(url .. "/nothing")).status)
    local its = the_one(told().requests, "of", "http")
    assert.same({ 1, 1, 0 }, { its.ok[1], its.refused[1], its.failed[1] })
  end)

  it("tells the use of limits, with the peak of each moment, and when windows turn", function()
    smc.sleep(0.5)
    local limiter = smc.limiter { weight = { limit = 10, per = 60 }, drops = { limit = 2, per = 1, burst = 5 } }
    limiter:follow("weight", 20)
    for _ = 1, 3 do assert(limiter:acquire { weight = 2, drops = 1 }) end
    smc.sleep(1)
    assert.is_true(limiter:try { weight = 1 })
    assert.is_false(limiter:try { weight = 9 })
    limiter:left("weight", 1)
    local its = the_one(told().limits, "budget", "weight")
    assert.equal("limiter", its.of)
    assert.same({ 500, 1500 }, { table.unpack(its.at) })
    assert.same({ 6, 9 }, { table.unpack(its.used) })
    assert.same({ "window", 10, 10, 60000 }, { its.kind, its.limit, its.refill, its.period_ms })
    assert.equal(39000, its.turn_ms) -- the clock began at 1 s
    smc.sleep((its.turn_ms - 1500) / 1000 - 0.001)
    assert.equal(9, limiter:usage("weight").used)
    smc.sleep(0.001)
    assert.equal(0, limiter:usage("weight").used)
    its = the_one(told().limits, "budget", "drops")
    assert.same({ "bucket", 5, 2, 1000 }, { its.kind, its.limit, its.refill, its.period_ms })
    assert.same({ 3 }, { table.unpack(its.used) })
    assert.is_nil(its.turn_ms)
  end)

  it("shows the limits that were most used", function()
    local budgets, weights = {}, {}
    for i = 1, 12 do budgets["b" .. i], weights["b" .. i] = { limit = 100, per = 60 }, i end
    assert(smc.limiter(budgets):acquire(weights))
    local out = told()
    assert.equal(8, #out.limits)
    assert.equal("b12", out.limits[1].budget)
    assert.equal("b5", out.limits[8].budget)
    assert.equal(4, out.left_out.budgets)
  end)

  it("tells the states of breakers, by the names of their venues", function()
    local venue = smc.venue("bybit", { breaker = { size = 3, min_calls = 3, open = 30 } })
    local mine = smc.breaker { size = 1, min_calls = 1 }
    venue:fault { venue = "down" }
    smc.sleep(1)
    for _ = 1, 3 do assert.is_nil((venue:time())) end
    venue:heal()
    smc.sleep(30)
    assert(venue:time())
    mine:force "open"
    local out = told()
    local states = {}
    for i, pair in ipairs(the_one(out.breakers, "of", "bybit").states) do states[i] = { pair[1], pair[2] } end
    assert.same({ { 1000, "open" }, { 31000, "half_open" }, { 31000, "closed" } }, states)
    assert.equal("open", the_one(out.breakers, "of", "breaker").states[1][2])
    assert.equal(2, #out.breakers)
  end)

  it("tells a risk guard that trips", function()
    local venue = smc.venue "bybit"
    local guard = assert(smc.risk { venues = { venue }, max_exposure = "0.5" })
    smc.sleep(5)
    guard:stop "enough"
    assert.same({ 5000, "stopped" }, { table.unpack(the_one(told().breakers, "of", "risk").states[1]) })
    guard:close()
  end)

  it("tells failover groups and their switches", function()
    local start, binance, bybit = core.now(), smc.venue "binance", smc.venue "bybit"
    local group <close> = smc.failover { binance, bybit, check_every = 5 }
    binance:fault { venue = "down" }
    eventually(function() assert.equal(bybit, group.active) end, { within = 15 })
    bybit:fault { venue = "down" }
    eventually(function() assert.is_nil(group.active) end, { within = 15 })
    local its = told().groups[1]
    assert.same({ "binance", "bybit" }, { table.unpack(its.members) })
    assert.equal("binance", its.active)
    assert.equal(#group:history(), #its.switches)
    for i, event in ipairs(group:history()) do
      local switch = its.switches[i]
      assert.same({ event.from, event.to, event.cause, event.ok }, { switch.from, switch.to, switch.cause, switch.ok })
      assert.equal(math.floor((event.at - start) * 1000 + 0.5), switch.at)
    end
  end)

  it("tells from when to when faults were in force", function()
    local venue = smc.venue "binance"
    smc.sleep(1)
    venue:fault { link = "latency", latency = 0.1, after = 2, for_ = 3 }
    venue:fault { venue = "status", status = 503, on = "ticker", times = 1 }
    venue:fault { venue = "skew", seconds = 3 }
    venue:fault { link = "blackhole" }
    smc.sleep(10)
    venue:heal "blackhole"
    assert.is_nil((venue:ticker "BTC/USDT"))
    local faults = told().faults
    local function span(name)
      local its = the_one(faults, "name", name)
      return { its.venue, its.kind, its.on, its.from, its.to }
    end
    assert.same({ "binance", "link", nil, 3000, 6000 }, span "latency")
    assert.same({ "binance", "venue", "ticker", 1000, 11000 }, span "status")
    assert.same({ "binance", "venue", nil, 1000 }, span "skew")
    assert.same({ "binance", "link", nil, 1000, 11000 }, span "blackhole")
  end)

  it("has at most so many of each, and says how many more there were", function()
    local venue = smc.venue "binance"
    local breaker = smc.breaker()
    for i = 1, 130 do
      venue:fault { venue = "halt" }
      venue:heal()
      breaker:force(i % 2 == 1 and "open" or "closed")
    end
    for _ = 1, 40 do assert(smc.limiter({ a = { limit = 1, per = 1 } }):acquire { a = 1 }) end
    local out = told()
    assert.equal(100, #out.faults)
    assert.equal(100, #out.breakers[1].states)
    assert.equal(30, out.left_out.faults)
    assert.equal(30, out.left_out.changes)
    assert.equal(41 - 32, out.left_out.limiters) -- the venue has one, too
    assert.is_true(#timeline.text() < 20000)
  end)

  it("has labels that need no escape, and are not long", function()
    timeline.request('a"b\\c\n\xff' .. ("\xc3\xa9"):rep(60), 0, 200)
    local its = told().requests[1]
    assert.equal("a?b?c??" .. ("?"):rep(73), its.of)
    assert.is_nil(timeline.text():find("\\", 1, true))
  end)

  it("cuts a label between characters", function()
    timeline.request("a" .. ("\xc3\xa9"):rep(60), 0, 200)
    assert.equal("a" .. ("\xc3\xa9"):rep(39), told().requests[1].of)
  end)

  it("forgets the spec before", function()
    assert.is_nil(timeline.text())
  end)
end)
