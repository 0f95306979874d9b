local smc = require "smc"

-- A failure stays where it is: at its venue, in its task, in its call.  An account elsewhere that can't be closed
-- because this one hangs would be the dearest error of all.
local SYMBOL = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }

local TROUBLE = { dead = { venue = "down" }, mute = { venue = "mute" }, failing = { venue = "status", status = 500 } }

for name, symbol in pairs(SYMBOL) do
  describe("trouble at " .. name .. " #error-handling #binance #bybit #oanda", function()
    for what, fault in pairs(TROUBLE) do
      local waits = what == "mute" and " #virtual-time" or ""
      it("that is " .. what .. " is no trouble of others" .. waits, function()
        local venues = {}
        for other in pairs(SYMBOL) do
          venues[other] = smc.venue(other, { health = { good = 30, bad = 60 } })
          assert(venues[other]:balances())
        end
        venues[name]:fault(fault)
        local stuck = smc.spawn(function() return venues[name]:balances() end)

        local began = smc.now()
        for other, venue in pairs(venues) do
          if other ~= name then
            assert(venue:balances())
            assert.same({ "closed", 100, 0 }, { venue.breaker.state, venue.health.score, venue.health.failures })
          end
        end
        if what == "mute" then assert.is_true(smc.now() - began < 1) end

        assert.is_nil((stuck:join()))
        assert.equal(1, venues[name].health.failures)
      end)
    end

    it("that makes a task raise ends that task alone", function()
      local venue = smc.venue(name)
      venue:fault { venue = "status", on = "ticker", status = 500 }
      local tasks = {}
      for i = 1, 6 do
        tasks[i] = smc.spawn(function()
          if i % 2 == 0 then return assert(venue:ticker(symbol)) end
          return assert(venue:balances())
        end)
      end
      for i, task in ipairs(tasks) do
        local ok, result = pcall(task.join, task)
        assert.equal(i % 2 == 1, ok)
        if not ok then assert.same({ "server", "ticker" }, { result.class, result.op }) end
      end
      assert.equal(0, venue.breaker.permits)
    end)

    it("ends a call that nobody waits for any more, and nothing is left of it #virtual-time", function()
      local venue = smc.venue(name)
      assert(venue:balances())
      venue:fault { venue = "silent", on = "balances", times = 1 }
      local balances, err = smc.timeout(1, function() return venue:balances() end)
      assert.is_nil(balances)
      assert.equal("timeout", err.class)
      assert.same({ 0, 0 }, { venue.breaker.permits, venue.limiter:waiting() })
      assert.equal(100, venue.health.score)
      assert(venue:balances())
    end)
  end)
end
