local smc = require "smc"

-- What calls have shown of a venue, as a number that others decide by: exactly what it is after each of them.  Nobody
-- has to tell it: it hears of every request that is sent.
for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("the health of " .. name .. " #error-handling #" .. name, function()
    local venue
    before_each(function()
      venue = smc.venue(name, { breaker = false, obey_limits = false, health = { good = 30, bad = 60 } })
      assert(venue:balances())
      assert.same({ "healthy", 100 }, { venue.health.state, venue.health.score })
    end)

    it("falls with each call that fails, to nothing at the fifth in a row", function()
      venue:fault { venue = "status", on = "balances", status = 500 }
      local states = { "degraded", "unhealthy", "unhealthy", "unhealthy", "offline" }
      for failed = 1, 10 do
        assert.equal("server", select(2, venue:balances()).class)
        local parts = venue.health:parts()
        assert.same({ 100 // (failed + 1), math.max(0, 100 - 20 * failed), failed },
          { parts.success, parts.streak, venue.health.failures })
        assert.equal(math.min(parts.success, parts.streak), parts.score)
        assert.equal(states[failed] or "offline", parts.state)
      end
      assert.equal(10, #venue:requests { op = "balances", status = 500 })
    end)

    it("rises when calls succeed, as far as those of before still count", function()
      venue:fault { venue = "status", on = "balances", status = 500, times = 5 }
      for _ = 1, 5 do venue:balances() end
      assert.equal("offline", venue.health.state)
      for succeeded = 1, 20 do
        assert(venue:balances())
        local calls = math.min(20, 6 + succeeded)
        local good = succeeded < 15 and 1 + succeeded or succeeded
        assert.same({ good * 100 // calls, 0 }, { venue.health.score, venue.health.failures })
      end
      assert.same({ "healthy", 100 }, { venue.health.state, venue.health.score })
    end)

    it("does not fall for what is our own fault: who says no is there", function()
      for _ = 1, 6 do assert.equal("invalid_request", select(2, venue:candles(venue.symbols[1], "7x")).class) end
      assert.equal("auth", select(2, smc.venue(name, { secret = smc.secret.random(), health = venue.health })
        :balances()).class)
      assert.same({ "healthy", 100, 0 }, { venue.health.state, venue.health.score, venue.health.failures })

      venue:fault { venue = "status", on = "balances", status = 500, times = 2 }
      for _ = 1, 2 do assert.equal("server", select(2, venue:balances()).class) end
      assert.equal(2, venue.health.failures)
      assert.equal("invalid_request", select(2, venue:candles(venue.symbols[1], "7x")).class)
      assert.equal(0, venue.health.failures)
    end)

    it("falls with each refusal for a limit, which is no failure", function()
      venue:fault { venue = "status", on = "balances", status = 429, code = name == "bybit" and 10006 or nil,
        times = 3 }
      for refused = 1, 3 do
        assert.equal("rate_limit", select(2, venue:balances()).class)
        assert.same({ 100 - 20 * refused, 0 }, { venue.health.score, venue.health.failures })
      end
      assert(venue:balances())
      assert.equal(40, venue.health.score)
    end)
  end)
end
