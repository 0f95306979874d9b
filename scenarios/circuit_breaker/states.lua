-- What a breaker's state depends on, and what it does not: calls of another time, calls that came to nothing, the clock
-- while somebody holds it open.
local smc = require "smc"

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe(("a circuit breaker of %s #circuit-breaker #virtual-time #%s"):format(name, name), function()
    local function fail(venue, times)
      venue:fault { venue = "status", status = 503, on = "balances", times = times }
      for _ = 1, times do assert.equal("server", select(2, venue:balances()).class) end
    end

    it("forgets what happened a whole window ago", function()
      local venue = smc.venue(name, { breaker = { window = "time", size = 16, min_calls = 4, failure_rate = 0.5 } })
      assert(venue:balances())
      fail(venue, 2)
      smc.sleep(16)
      fail(venue, 3)
      assert.equal("closed", venue.breaker.state)
      fail(venue, 1)
      assert.equal("open", venue.breaker.state)
    end)

    it("is not closed by a call of which nothing came", function()
      local venue = smc.venue(name, { breaker = { size = 2, min_calls = 2, open = 5 } })
      fail(venue, 2)
      smc.sleep(5)
      do
        local _ <close> = assert(venue.breaker:ask()) -- and is never reported
        assert.equal("half_open", venue.breaker.state)
      end
      assert.equal("half_open", venue.breaker.state)
      assert(venue:balances())
      assert.equal("closed", venue.breaker.state)
    end)

    it("stays open for as long as somebody holds it", function()
      local venue = smc.venue(name, { breaker = { open = 5 } })
      assert(venue:balances())
      venue.breaker:force "open"
      local sent = #venue:requests()
      smc.sleep(20)
      local none, err = venue:balances()
      assert.is_nil(none)
      assert.same({ "circuit_open", sent }, { err.class, #venue:requests() })
      venue.breaker:force(nil)
      assert(venue:balances())
    end)
  end)
end
