-- Two ways to ask how fast a venue is, of which one does not see the second in which it stood still.
-- Who goes by the wrong one believes that 99 of 100 orders are answered at once, when one in five waits.
local smc = require "smc"

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe(("%s, which stands still for a second #performance #virtual-time #%s"):format(name, name), function()
    local venue
    before_each(function()
      venue = smc.venue(name)
      assert(venue:time())
      venue:fault { link = "bandwidth", rate = 0, after = 1, for_ = 1 }
    end)

    local function time() return venue:time() end

    it("is caught by arrivals that wait for nobody: whoever comes in that second waits for its end", function()
      local result = smc.load { name = "open", rate = 10, duration = 4, run = time }

      assert.load(result, { "p50 < 0.01", "p90 > 0.4", "p99 > 0.9", "max < 1.1", "errors == 0", "count == 40" })
    end)

    it("hides from a user who waits for each answer: one of them was slow, and fewer were asked for", function()
      local result = smc.load { name = "closed", users = 1, think = 0.1, duration = 4, run = time }

      assert.load(result, { "p95 < 0.01", "max > 0.8", "errors == 0", "count <= 32" })
    end)
  end)
end

describe("a client that may not have more than so many requests under way #performance #virtual-time #bybit", function()
  it("says how many it has turned away, and has not sent them", function()
    local venue = smc.venue "bybit"
    venue:fault { link = "latency", latency = 0.5 }

    local result = smc.load { rate = 40, duration = 1, in_flight = 10, run = function() return venue:time() end }

    assert.load(result, { "dropped == 20", "count == 20", "max < 0.6", "errors == 0" })
    assert.equal(20, #venue:requests { op = "time" })
  end)
end)
