-- A circuit breaker stops calling a venue that fails, tries it again with care, and lets go when it is well.
local smc = require "smc"

--- too_fine: an order that a rule of the instrument refuses.
local COIN = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.0000001", price = "40000" }
local VENUES = {
  { name = "binance", too_fine = COIN }, { name = "bybit", too_fine = COIN },
  { name = "oanda", too_fine = { symbol = "EUR/USD", side = "buy", type = "limit", qty = "0.5", price = "0.9" } },
}

--- The states that it went through.
local function path_of(breaker)
  local states = {}
  for _, change in ipairs(breaker:history()) do states[#states + 1] = change.to end
  return table.concat(states, " ")
end

for _, row in ipairs(VENUES) do
  describe("circuit breaker of " .. row.name .. " #circuit-breaker #" .. row.name, function()
    --- A venue that answers, behind a breaker that three failures of four calls open.
    local function open_venue(options)
      local breaker = { size = 4, min_calls = 4, failure_rate = 0.75, open = 20 }
      for name, value in pairs(options or {}) do breaker[name] = value end
      local venue = smc.venue(row.name, { breaker = breaker })
      assert(venue:balances())
      return venue
    end

    local function fail(venue, times)
      venue:fault { venue = "http", status = 503, on = "balances", count = times }
      for _ = 1, times do assert.equal("server", select(2, venue:balances()).class) end
    end

    --- Waits until it may be tried again.
    local function wait_for_probe(venue)
      local _, refused = venue:balances()
      assert.equal("circuit_open", refused.class)
      smc.sleep(refused.retry_after)
    end

    --- What is the same whatever the venue is shown at one.
    local once = row.name == "binance" and it or function() end

    it("opens when enough calls have failed, and then fails fast: nothing reaches the venue", function()
      local venue = open_venue()
      fail(venue, 2)
      assert.equal("closed", venue.breaker.state)
      fail(venue, 1)
      assert.equal("open", venue.breaker.state)

      local arrived = #venue.sandbox:requests()
      for _ = 1, 10 do
        local balances, err = venue:balances()
        assert.is_nil(balances)
        assert.same({ "circuit_open", "not_sent", row.name, true }, { err.class, err.code, err.venue, err.retryable })
        assert.is_true(err.retry_after > 0 and err.retry_after <= 20)
      end
      assert.equal(arrived, #venue.sandbox:requests())
      local change = venue.breaker:history()[1]
      assert.same({ "closed", 4, 3 }, { change.from, change.calls, change.failures })
    end)

    once("fails fast, though retries are asked for #virtual-time", function()
      local venue = smc.venue(row.name, { retry = { base = 1 }, breaker = { size = 1, min_calls = 1, open = 20 } })
      assert(venue:ping())
      venue.breaker:force "open"
      local start = smc.now()
      assert.equal("circuit_open", select(2, venue:balances()).class)
      venue.breaker:force(nil)
      venue:fault { venue = "http", status = 503, on = "balances" }
      assert.equal("circuit_open", select(2, venue:balances()).class) -- the second attempt, a second later at most
      assert.is_true(smc.now() - start <= 1)
      assert.equal(1, #venue:requests { op = "balances" })
    end)

    once("forgets what is longer ago than its window", function()
      local venue = open_venue()
      for _ = 1, 2 do
        fail(venue, 2)
        for _ = 1, 3 do assert(venue:balances()) end
      end
      assert.equal("closed", venue.breaker.state)
    end)

    once("forgets what is longer ago than a window of time #virtual-time", function()
      local venue = open_venue { window = "time", size = 16, min_calls = 2, failure_rate = 1 }
      for _ = 1, 3 do
        smc.sleep(17)
        fail(venue, 1)
      end
      assert.equal("closed", venue.breaker.state)
      fail(venue, 1)
      assert.equal("open", venue.breaker.state)
    end)

    once("passes nothing while somebody holds it open, and begins anew when it is let go", function()
      local venue = open_venue()
      venue.breaker:force "open"
      local balances, err = venue:balances()
      assert.is_nil(balances)
      assert.same({ "circuit_open", false }, { err.class, err.retryable })
      venue.breaker:force(nil)
      assert(venue:balances())
      assert.equal("open closed", path_of(venue.breaker))
    end)

    once("hears nothing from a call that began before it opened #virtual-time", function()
      local venue = open_venue { open = 1 }
      venue:fault { venue = "slow", seconds = 5, on = "balances", count = 1 }
      local early = smc.spawn(function() return venue:balances() end)
      smc.sleep(0.1)
      fail(venue, 3)
      smc.sleep(4)
      local probe <close> = assert(venue.breaker:ask())
      assert(early:join())
      assert.equal("half_open", venue.breaker.state)
      venue.breaker:report(probe, "ok")
      assert.equal("closed", venue.breaker.state)
    end)

    it("does not open when the venue answers no", function()
      local venue = open_venue()
      for _ = 1, 10 do
        local order, err = venue:place(row.too_fine)
        assert.is_nil(order)
        assert.equal("filter", err.class)
      end
      assert.equal("closed", venue.breaker.state)

      local stranger = smc.venue(row.name, { secret = smc.secret.random(), breaker = { size = 4, min_calls = 4 } })
      for _ = 1, 10 do assert.equal("auth", select(2, stranger:balances()).class) end
      assert.equal("closed", stranger.breaker.state)
    end)

    it("counts each way in which a venue fails #virtual-time", function()
      local ways = { { "network", { link = "down" } }, { "timeout", { venue = "silent", on = "balances" } },
        { "server", { venue = "http", status = 503, on = "balances" } },
        { "protocol", { venue = "not_json", on = "balances" } }, { "ip_ban", { venue = "ban", seconds = 5 } } }
      if row.name == "oanda" then table.remove(ways) end -- which bans nobody
      for _, way in ipairs(ways) do
        local venue = smc.venue(row.name, { breaker = { size = 2, min_calls = 2 }, obey_limits = false })
        assert(venue:balances())
        venue:fault(way[2])
        assert.equal(way[1], select(2, venue:balances()).class)
        assert.equal("open", venue.breaker.state, way[1])
        assert(venue:heal())
      end
    end)

    it("counts an order whose outcome nobody knows #virtual-time #leaves-orders", function()
      local venue = open_venue { size = 1, min_calls = 1 }
      venue:fault { venue = "http", status = 502, on = "place", carried_out = true, count = 1 }
      venue:place { symbol = row.too_fine.symbol, side = "buy", type = "limit", price = row.too_fine.price,
        qty = row.name == "oanda" and "1000" or "0.01" }
      assert.equal(1, #venue.sandbox:orders())
      assert.equal("open", venue.breaker.state)
    end)

    it("lets one call through when its time has passed, and closes when that succeeds #virtual-time", function()
      local venue = open_venue { open = 1 }
      fail(venue, 3)
      wait_for_probe(venue)

      venue:fault { venue = "slow", seconds = 0.3, on = "balances", count = 1 }
      local probe = smc.spawn(function() return venue:balances() end)
      eventually(function() assert.equal("half_open", venue.breaker.state) end, { every = 0.01 })
      assert.equal("circuit_open", select(2, venue:balances()).class) -- one at a time
      assert(probe:join())

      assert.equal("closed", venue.breaker.state)
      assert(venue:balances())
      assert.equal("open half_open closed", path_of(venue.breaker))
    end)

    once("wants as many good calls as it was told before it closes #virtual-time", function()
      local venue = open_venue { open = 1, probes = 2 }
      fail(venue, 3)
      wait_for_probe(venue)
      assert(venue:balances())
      assert.equal("half_open", venue.breaker.state)
      assert(venue:balances())
      assert.equal("closed", venue.breaker.state)
    end)

    it("stays open longer each time that a probe fails #virtual-time", function()
      local venue = open_venue { open = 2, growth = 2, open_max = 5 }
      fail(venue, 3)
      for _, seconds in ipairs { 2, 4, 5, 5 } do
        assert.near(seconds, select(2, venue:balances()).retry_after, 0.01)
        wait_for_probe(venue)
        fail(venue, 1)
      end
      assert.equal("open half_open open half_open open half_open open half_open open", path_of(venue.breaker))
      wait_for_probe(venue)
      for _ = 1, 4 do assert(venue:balances()) end
      fail(venue, 3)
      assert.near(2, select(2, venue:balances()).retry_after, 0.01) -- as long as at first
    end)

    it("opens when calls are slow, though all succeed #virtual-time", function()
      local venue = open_venue { slow = 0.2, slow_rate = 0.75 }
      venue:fault { venue = "slow", seconds = 0.25, on = "balances" }
      for _ = 1, 3 do assert(venue:balances()) end
      assert.equal("open", venue.breaker.state)
      local change = venue.breaker:history()[1]
      assert.same({ 4, 0, 3 }, { change.calls, change.failures, change.slow })

      wait_for_probe(venue)
      assert(venue:balances()) -- as slow as before
      assert.equal("open half_open open", path_of(venue.breaker))
    end)

    it("has its permit back when the call that tries the venue is cancelled", function()
      local venue = open_venue { open = 1 }
      fail(venue, 3)
      wait_for_probe(venue)
      venue:fault { venue = "silent", on = "balances", count = 1 }
      local probe = smc.spawn(function() return venue:balances() end)
      eventually(function() assert.equal("half_open", venue.breaker.state) end, { every = 0.01 })

      probe:cancel()

      assert(venue:balances())
      assert.equal("closed", venue.breaker.state)
    end)
  end)
end
