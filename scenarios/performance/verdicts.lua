-- A verdict on a load: what nobody asked about is not passed over, and what is counted is what was measured.
local smc = require "smc"

describe("a verdict on a load of binance #performance #virtual-time #binance", function()
  local venue
  before_each(function() venue = smc.venue("binance", { breaker = false, limiter = false, obey_limits = false }) end)

  local function load(options)
    options.run = options.run or function() return venue:time() end
    return smc.load(options)
  end

  local function is_refused(result, thresholds, why)
    assert.error_matches(function() assert.load(result, thresholds) end, why)
  end

  it("is no when runs have failed, and nobody has asked how many", function()
    venue:fault { venue = "status", status = 503, on = "time", times = 2 }
    local result = load { rate = 10, duration = 2 }
    is_refused(result, { "p99 < 1" }, "2 of 20 runs failed")
    is_refused(result, { "p99 < 1", "errors < 0.1" }, "errors < 0.1")
    assert.load(result, { "p99 < 1", "errors <= 0.1", "failed == 2" })
    assert.same({ 2, 9 }, { result.classes.server, result.rate })
  end)

  it("is no when arrivals were turned away, and nobody has asked how many", function()
    venue:fault { link = "latency", latency = 0.5 }
    local result = load { rate = 10, duration = 2, in_flight = 1 }
    is_refused(result, { "p99 < 1", "errors == 0" }, "arrivals were dropped")
    assert.load(result, { "p99 < 1", "errors == 0", "dropped > 10" })
  end)

  it("is about what came after the warm-up", function()
    venue:fault { venue = "slow", seconds = 0.8, on = "time", for_ = 0.9 }
    local result = load { rate = 10, duration = 2, warmup = 1 }
    assert.load(result, { "count == 20", "max < 0.1", "errors == 0" })
    assert.equal(30, #venue:requests { op = "time" })
  end)

  it("is about as many arrivals as a rate that grows brings", function()
    local start = smc.now()
    local result = load { stages = { { rate = 0, duration = 0.001 }, { rate = 20, duration = 2 },
      { rate = 20, duration = 1 } } }
    assert.load(result, { "count == 40", "errors == 0" })
    local sent = venue:requests { op = "time" }
    assert.near(20, #venue:requests { op = "time", before = start + 2 }, 1)
    assert.near(0.05, sent[40].at - sent[39].at, 0.002)
    assert.is_true(sent[3].at - sent[2].at > 0.1)
  end)

  it("is about percentiles that so many did not exceed", function()
    local waits = {}
    for i = 1, 100 do waits[i] = i / 100 end
    local n = 0
    local result = load { rate = 100, duration = 1, run = function()
      n = n + 1
      smc.sleep(waits[n])
      return venue:time()
    end }
    assert.load(result, { "count == 100", "errors == 0" })
    for percent, seconds in pairs { [50] = 0.5, [90] = 0.9, [95] = 0.95, [99] = 0.99, [100] = 1 } do
      assert.near(seconds, result:percentile(percent), 0.002)
    end
    assert.near(0.505, result.mean, 0.002)
    assert.same({ 0.01, 1 }, { math.floor(result.min * 1000 + 0.5) / 1000, math.floor(result.max * 1000 + 0.5) / 1000 })
  end)
end)
