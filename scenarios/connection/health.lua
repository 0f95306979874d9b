-- What a client knows of the health of its venue, from nothing but what it saw.  Whoever decides by it where to trade
-- must hear of trouble before it costs money, and must not hear of trouble that is only in the question.
local smc = require "smc"

local VENUES = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }

for name, symbol in pairs(VENUES) do
  describe("the health of " .. name .. " #connection #health #" .. name, function()
    local venue
    before_each(function()
      venue = smc.venue(name, { breaker = false }) -- which would ask no more, and learn nothing
      assert(venue:balances())
    end)

    local function ask_in_vain(times)
      for _ = 1, times do assert.is_nil(venue:balances()) end
    end

    it("is full, and quick, while the venue answers", function()
      for _ = 1, 5 do assert(venue:time()) end
      assert.same({ "healthy", 100, 0 }, { venue.health.state, venue.health.score, venue.health.failures })
      assert.is_true(venue.health.latency < 0.25, tostring(venue.health.latency))
    end)

    it("knows how slow the venue is, not how slow its limits make us #virtual-time", function()
      venue:fault { venue = "slow", seconds = 2, on = "time" }
      for _ = 1, 20 do assert(venue:time()) end
      assert.is_true(math.abs(venue.health.latency - 2) < 0.2, tostring(venue.health.latency))
      assert.is_true(venue.health.state == "unhealthy", venue.health.state)
      assert.equal(100, venue.health:parts().success)
    end)

    it("falls with each failure to offline, and comes back with the answers", function()
      venue:fault { venue = "status", status = 500, on = "balances" }
      local last = venue.health.score
      for i = 1, 5 do
        ask_in_vain(1)
        assert.equal(i, venue.health.failures)
        assert.is_true(venue.health.score < last, ("failure %d"):format(i))
        last = venue.health.score
      end
      assert.same({ "offline", 0 }, { venue.health.state, venue.health.score })

      assert(venue:heal())
      assert(venue:balances())

      assert.equal(0, venue.health.failures)
      assert.not_equal("offline", venue.health.state)
      for _ = 1, 20 do assert(venue:balances()) end
      assert.same({ "healthy", 100 }, { venue.health.state, venue.health.score })
    end)

    it("is not in doubt when the venue says no: an answer is an answer", function()
      for _ = 1, 6 do
        local order, err = venue:order { symbol = symbol, client_id = "no-such-order" }
        assert.is_nil(order)
        assert.equal("unknown_order", err.class)
      end
      local stranger = smc.venue(name, { secret = smc.secret.random(), health = venue.health })
      for _ = 1, 6 do assert.equal("auth", select(2, stranger:account()).class) end
      assert.same({ "healthy", 100 }, { venue.health.state, venue.health.score })
    end)

    it("falls with a connection of a stream that breaks, and not with one that was closed", function()
      local stream <close> = assert(venue:stream { "ticker:" .. symbol })
      assert(stream:recv(15))
      assert.equal(100, venue.health:parts().success)
      venue.sandbox:drop_streams()
      local event
      repeat event = assert(stream:recv(15)) until event.kind == "reconnected"
      local success = venue.health:parts().success
      assert.is_true(success < 100, success)
      stream:close()
      assert.equal(success, venue.health:parts().success)
    end)

    it("falls with a stream that goes silent, and not with one that was closed #virtual-time", function()
      local stream <close> = assert(venue:stream { "ticker:" .. symbol, stale_after = 60, reconnect = false })
      assert(stream:recv(15))
      assert.equal(100, venue.health:parts().stream)
      venue.sandbox:stall_streams(true)

      eventually(function()
        stream:recv(1)
        assert.is_true(venue.health.score < 80)
      end, { within = 40 })

      assert.is_true(venue.health:parts().stream < 80)
      assert.equal(100, venue.health:parts().success)
      stream:close()
      assert.equal(100, venue.health.score)
    end)
  end)
end

describe("the health of venues side by side #connection #health #binance #bybit #oanda", function()
  for name in pairs(VENUES) do
    it("is that of each alone, when " .. name .. " is down", function()
      local venues = {}
      for each in pairs(VENUES) do
        venues[each] = smc.venue(each, { breaker = false })
        assert(venues[each]:time())
      end
      venues[name]:fault { venue = "down" }
      for _ = 1, 5 do
        for _, venue in pairs(venues) do venue:time() end
      end
      for each, venue in pairs(venues) do
        assert.same(each == name and { "offline", 0 } or { "healthy", 100 }, { venue.health.state, venue.health.score })
      end
    end)
  end
end)
