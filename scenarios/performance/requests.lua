-- How fast a venue answers under load, and what a slow network, a burst or a stall make of that.
-- On the virtual clock a venue answers at once: what takes time here was put there by a fault, so what is slower than
-- that is the client's own doing.
local smc = require "smc"

-- cost: of asking for the balances, in the venue's limits.
local VENUES = {
  binance = { cost = { request_weight = 20 } }, bybit = { cost = { ["account/wallet-balance"] = 1 } },
  oanda = { cost = { requests = 1 } },
}

for name, row in pairs(VENUES) do
  describe(("requests to %s under load #performance #%s"):format(name, name), function()
    local venue
    before_each(function() venue = smc.venue(name) end)

    local function time() return venue:time() end

    it("are answered, every one of them", function()
      local result = smc.load { name = "balances", rate = 4, duration = 1, costs = { [venue] = row.cost },
        run = function() return venue:balances() end }

      assert.load(result, { "errors == 0", "count == 4", "p99 < 5" })
    end)

    it("take as long as the network does, and no longer #virtual-time", function()
      venue:fault { link = "latency", latency = 0.02, jitter = 0.01 }

      local result = smc.load { name = "clock", rate = 20, duration = 1, warmup = 0.1, run = time }

      assert.load(result, { "min >= 0.01", "p99 < 0.050", "errors < 0.001", "rate >= 19" })
    end)

    it("do not wait for one another when they come in bursts #virtual-time", function()
      venue:fault { link = "latency", latency = 0.1 }
      -- So long that more than three come within a tenth of a second: all but one time in some 10^9.
      local burst = { { rate = 10, duration = 0.5 }, { rate = 60, duration = 0 }, { rate = 60, duration = 1.2 } }

      local result = smc.load { name = "clock", rate = 10, stages = burst, arrivals = "poisson", run = time }

      assert.load(result, { "max <= 0.2", "p50 <= 0.12", "errors == 0" })
      assert.is_true(result.in_flight > 3, "several were under way at once")
    end)

    it("that are signed with a wrong secret are refused, every one of them #virtual-time", function()
      local stranger = smc.venue(name, { secret = smc.secret.random() })

      local result = smc.load { name = "stranger", rate = 10, duration = 0.5,
        run = function() return stranger:balances() end }

      assert.load(result, { "errors == 1", "count == 5" })
      assert.same({ auth = 5 }, result.classes)
    end)

    it("show a stall to everyone who comes meanwhile #virtual-time", function()
      venue:fault { link = "bandwidth", rate = 0, after = 0.5, for_ = 0.5 }

      local result = smc.load { name = "clock", rate = 20, duration = 1.5, run = time }

      assert.load(result, { "p50 < 0.01", "p75 > 0.1", "max > 0.45", "max < 0.6", "errors == 0" })
    end)
  end)
end
