-- When arrivals of a load are meant to come, against a model of the sums of rates; and whether they come then.
local smc = require "smc"
local plan = require "smc.load.plan"
local rng = require "smc.core.rng"

local TICK = 0.001

--- How many have come until then, in the mean: the area under the rates, summed up in small steps.
local function area(segments, seconds)
  local sum, began = 0, 0
  for _, s in ipairs(segments) do
    local here = math.min(math.max(0, seconds - began), s.seconds)
    if s.seconds > 0 then
      local rate = s.from + (s.to - s.from) * here / s.seconds
      sum = sum + (s.from + rate) / 2 * here
    end
    began = began + s.seconds
  end
  return sum
end

local function moments(segments, gap)
  local out = {}
  for ms in plan.arrivals(segments, gap) do out[#out + 1] = ms end
  return out
end

--- Segments of rates that join, as stages make them.
local function drawn(random)
  local stages = {}
  for i = 1, random:int(1, 5) do
    stages[i] = { rate = random:int(0, 30) * random:int(0, 2), duration = random:int(0, 12) / 4 }
  end
  return plan.segments(stages, "rate", random:int(0, 40))
end

describe("the plan of a load", function()
  it("has arrival n at the first tick at which n have come, whatever the stages", function()
    local random = rng.new(math.random(1 << 40), "plans")
    for _ = 1, 40 do
      local segments = drawn(random)
      local at, total = moments(segments), area(segments, math.huge)
      assert.equal(math.ceil(total - 1e-9), #at)
      for n, ms in ipairs(at) do
        assert.is_true(area(segments, ms / 1000) >= n - 1 - 1e-6)
        assert.is_true(ms == 0 or area(segments, ms / 1000 - TICK) <= n - 1 + 1e-6)
        assert.is_true(n == 1 or ms >= at[n - 1])
      end
    end
  end)

  it("spaces an even rate evenly, and has as many arrivals as rate times duration", function()
    assert.same({ 0, 250, 500, 750 }, moments { { from = 4, to = 4, seconds = 1 } })
    assert.equal(300, #moments { { from = 0.1, to = 0.1, seconds = 3000 } })
    assert.same({ 0, 1, 1, 2, 2, 3 }, moments { { from = 2000, to = 2000, seconds = 0.003 } })
  end)

  it("has as many Poisson arrivals as the area says, spread as chance spreads them", function()
    local random = rng.new(math.random(1 << 40), "poisson")
    local segments = { { from = 0, to = 100, seconds = 50 }, { from = 100, to = 100, seconds = 50 } }
    local at = moments(segments, function() return random:exp() end)
    assert.near(area(segments, math.huge), #at, 5 * math.sqrt(7500)) -- five standard deviations
    assert.is_true(at[1] > 0) -- also the first one comes by chance
    local counts, mean, variance = {}, 0, 0
    for _, ms in ipairs(at) do
      local second = ms // 1000
      if second >= 50 then counts[second] = (counts[second] or 0) + 1 end
    end
    for second = 50, 99 do mean = mean + (counts[second] or 0) / 50 end
    for second = 50, 99 do variance = variance + ((counts[second] or 0) - mean) ^ 2 / 49 end
    assert.near(100, mean, 5 * math.sqrt(100 / 50))
    assert.is_true(variance / mean > 0.3 and variance / mean < 2.2) -- an even rate has 0
  end)

  it("changes the number of users one by one, and at once where a stage takes no time", function()
    local stages = { { users = 2, duration = 1 }, { users = 2, duration = 5 }, { users = 5, duration = 0 },
      { users = 3, duration = 4 } }
    assert.same({ { 500, 1 }, { 1000, 2 }, { 6000, 5 }, { 8000, 4 }, { 10000, 3 } },
      plan.users(plan.segments(stages, "users", 0)))
    assert.same({ { 0, 7 } }, plan.users { { from = 7, to = 7, seconds = 3 } })
  end)
end)

describe("a load", function()
  local function starts_of(options)
    local began, starts = smc.now(), {}
    function options.run()
      starts[#starts + 1] = smc.now() - began
      smc.sleep(0.7) -- nobody waits for that
    end
    local result = smc.load(options)
    return starts, result
  end

  it("begins each run at the moment that was planned", function()
    local stages = { { rate = 80, duration = 2 }, { rate = 80, duration = 1 }, { rate = 5, duration = 1 } }
    local starts, result = starts_of { rate = 10, stages = stages }
    local planned = moments(plan.segments(stages, "rate", 10))
    assert.same({ #planned, #planned, 0 }, { #starts, result.planned, result.dropped })
    for n, ms in ipairs(planned) do assert.near(ms / 1000, starts[n], 1e-6) end
  end)

  it("draws Poisson arrivals by the spec's seed, and no two loads alike", function()
    local first = starts_of { rate = 50, duration = 1, arrivals = "poisson" }
    local second = starts_of { rate = 50, duration = 1, arrivals = "poisson" }
    assert.not_same(first, second)
    assert.is_true(#first > 15 and #first < 100)
  end)

  it("has the warmup before what is measured, and does not count it", function()
    local starts, result = starts_of { rate = 20, duration = 1, warmup = 0.5 }
    assert.same({ 30, 20, 20 }, { #starts, result.planned, result.count })
    assert.near(1.45, starts[30], 1e-6)
  end)
end)
