-- How well a venue is doing, in numbers that can be reckoned by hand: a group leaves a venue by them, and a bad sum
-- leaves a good venue, or stays with a dead one.
local smc = require "smc"

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("the health of " .. name .. " #circuit-breaker #virtual-time #" .. name, function()
    local function client(health)
      return smc.venue(name, { health = health, breaker = false })
    end

    --- One call for each letter: + succeeds, - fails.
    local function calls(venue, marks)
      for mark in marks:gmatch "." do
        if mark == "-" then venue:fault { venue = "http", status = 503, on = "time", count = 1 } end
        assert.equal(mark == "+", venue:time() ~= nil)
      end
    end

    --- What is the same whatever the venue is shown at one.
    local once = name == "binance" and it or function() end

    it("is the share of its last calls that succeeded", function()
      local venue = client { window = 10 }
      calls(venue, "+++-")
      assert.equal(75, venue.health:parts().success)
      calls(venue, "++++++")
      assert.equal(90, venue.health:parts().success)
      calls(venue, "-+-+")
      assert.equal(80, venue.health:parts().success, "the first failure is forgotten")
      assert.same({ 80, "healthy" }, { venue.health.score, venue.health.state })
      calls(venue, "-+")
      assert.same({ 70, "degraded" }, { venue.health.score, venue.health.state })
    end)

    it("falls with each failure in a row, to offline, and is back with one success", function()
      local venue = client { window = 64, down_after = 5 }
      calls(venue, ("+"):rep(20))
      local seen = {}
      for i = 1, 5 do
        calls(venue, "-")
        seen[i] = venue.health:parts().streak
      end
      assert.same({ 80, 60, 40, 20, 0 }, seen)
      assert.equal("offline", venue.health.state)
      calls(venue, "+")
      assert.same({ 0, 100 }, { venue.health.failures, venue.health:parts().streak })
      assert.equal(20 * 100 // 26 + 4, venue.health.score, "21 of 26 have succeeded")
    end)

    it("is as old as what its stream said last", function()
      local venue = client { stale = 10 }
      local symbol = name == "oanda" and "EUR/USD" or "BTC/USDT"
      local stream <close> = assert(venue:stream { "ticker:" .. symbol, stale_after = 300 })
      assert(stream:recv())
      assert.equal(100, venue.health:parts().stream)
      venue.sandbox:stall_streams(true)
      local heard = smc.now()
      for _, row in ipairs { { 10, 100 }, { 12.5, 75 }, { 15, 50 }, { 20, 0 }, { 30, 0 } } do
        smc.sleep(heard + row[1] - smc.now())
        assert.near(row[2], venue.health:parts().stream, 6, ("after %g s"):format(row[1]))
      end
      assert.equal("unhealthy", venue.health.state)

      venue.sandbox:stall_streams(false)
      assert(stream:recv())
      assert.equal(100, venue.health:parts().stream)
      assert.equal(100, venue.health.score)
    end)

    once("knows how slow calls are, from fast enough to as good as none", function()
      for _, row in ipairs { { 0, 100 }, { 0.1, 100 }, { 0.6, 50 }, { 1.1, 0 } } do
        local one = client { good = 0.1, bad = 1.1 }
        if row[1] > 0 then one:fault { venue = "slow", seconds = row[1], on = "time", count = 1 } end
        assert(one:time())
        assert.same({ row[1], row[2] }, { one.health.latency, one.health:parts().latency })
      end
    end)

    once("knows how slow calls are on average: the last one is an eighth of it", function()
      local one = client { good = 0.1, bad = 1.1 }
      local latency = 0.8
      one:fault { venue = "slow", seconds = latency, on = "time", count = 1 }
      assert(one:time())
      for _ = 1, 4 do
        assert(one:time()) -- at once
        latency = latency * 7 / 8
        assert.near(latency, one.health.latency, 0.003)
      end
    end)

    once("takes no failure for a slow call, nor for a quick one", function()
      local one = client { good = 0.1, bad = 1.1, window = 64, down_after = 10 }
      one:fault { venue = "slow", seconds = 0.6, on = "time", count = 1 }
      assert(one:time())
      one:fault { link = "down" }
      assert.equal("network", select(2, one:time()).class) -- at once
      one:heal()
      one:fault { venue = "silent", on = "time", count = 1 }
      assert.equal("timeout", select(2, one:time()).class) -- after ten seconds
      assert.same({ 0.6, 50 }, { one.health.latency, one.health:parts().latency })
    end)

    once("is healthy from 80 on, degraded from 50 on", function()
      local rows = { { 4, 1, "healthy" }, { 15, 4, "degraded" }, { 1, 1, "degraded" }, { 9, 10, "unhealthy" } }
      for _, row in ipairs(rows) do
        local venue = client { window = 64, down_after = 64 }
        calls(venue, ("-"):rep(row[2]) .. ("+"):rep(row[1]))
        assert.same({ row[1] * 100 // (row[1] + row[2]), row[3] }, { venue.health.score, venue.health.state })
      end
    end)

    once("hears of no call that a breaker has refused", function()
      local health, breaker = smc.health(), smc.breaker { size = 1, min_calls = 1 }
      local venue = smc.venue(name, { breaker = false })
      local function call()
        local time, err = breaker:call(venue.time, venue)
        health:note(time, err, 0)
        return err.class
      end
      venue:fault { venue = "http", status = 503, on = "time" }
      assert.equal("server", call())
      for _ = 1, 3 do assert.equal("circuit_open", call()) end
      assert.same({ 1, 0 }, { health.failures, health:parts().success })
    end)

    once("counts refusals for a limit for a minute", function()
      local venue = smc.venue(name, { health = { limit_max = 4 }, breaker = false, obey_limits = false })
      venue:fault { venue = "http", status = 429, on = "time", count = 2 }
      for _ = 1, 2 do assert.equal("rate_limit", select(2, venue:time()).class) end
      smc.sleep(59)
      assert.equal(50, venue.health:parts().limits)
    end)

    once("counts refusals for a limit by themselves: they are no failures", function()
      local venue = smc.venue(name, { health = { limit_max = 4 }, breaker = false, obey_limits = false })
      venue:fault { venue = "http", status = 429, on = "time", count = 3 }
      for _ = 1, 3 do assert.equal("rate_limit", select(2, venue:time()).class) end
      local parts = venue.health:parts()
      assert.same({ 25, 100, 100, 25 }, { parts.limits, parts.success, parts.streak, parts.score })
    end)
  end)
end
