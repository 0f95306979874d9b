-- A venue that answers late is in trouble; a client that waits for its own limit is not.  A breaker that takes the one
-- for the other shuts off a venue that is well, just when there is most to do.
local smc = require "smc"

for name, budget in pairs { binance = "raw_requests", bybit = "requests", oanda = "requests" } do
  describe(("slow calls to %s #circuit-breaker #virtual-time #%s"):format(name, name), function()
    local venue
    before_each(function()
      venue = smc.venue(name, { limiter = { [budget] = { limit = 2, per = 10 } },
        breaker = { size = 4, min_calls = 4, slow_rate = 0.5, slow = 1 } })
    end)

    it("are those that the venue takes long for", function()
      venue:fault { venue = "slow", seconds = 1 }
      for _ = 1, 4 do assert(venue:time()) end
      assert.equal("open", venue.breaker.state)
    end)

    it("are not those that were slow by less", function()
      venue:fault { venue = "slow", seconds = 0.99 }
      for _ = 1, 4 do assert(venue:time()) end
      assert.equal("closed", venue.breaker.state)
    end)

    it("are not those that waited for a limit", function()
      local start = smc.now()
      for _ = 1, 8 do assert(venue:time()) end
      assert.is_true(smc.now() - start >= 29)
      assert.equal("closed", venue.breaker.state)
    end)
  end)
end
