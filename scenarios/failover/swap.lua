-- A whole switch, from every venue to the next: streams and orders are at the target from then on, and the venue that
-- was left hears nothing more.
local smc = require "smc"
local venues = require "lib.venues"
local next_of = venues.next_of

for name, other, symbols in venues.pairs() do
  describe(("a switch from %s to %s #failover"):format(name, other), function()
    local source, target, group

    before_each(function()
      source, target = smc.venue(name, { breaker = false }), smc.venue(other, { breaker = false })
      group = smc.failover { source, target, check_every = 60, check_timeout = 30, symbols = symbols }
    end)

    it("takes market data, account and orders along, and leaves nothing where they were", function()
      local market <close> = assert(group:stream { "ticker:BTC/USDT", "book:BTC/USDT" })
      local account <close> = assert(group:user_stream())
      next_of(market, "ticker")
      eventually(function() assert.equal(2, #source.sandbox:streams()) end)

      assert(group:switch(target))

      for _, stream in ipairs { market, account } do
        local event = next_of(stream, "switched")
        assert.same({ name, other, "manual" }, { event.from, event.to, event.cause })
      end
      eventually(function() assert.same({}, source.sandbox:streams()) end)
      local quiet = #source:requests()
      assert.equal("BTC/USDT", next_of(market, "ticker").symbol)
      assert.equal("BTC/USDT", assert(market:top(1, "BTC/USDT")).symbol)
      local order = assert(group:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "1" })
      assert.same({ "BTC/USDT", other }, { order.symbol, order.venue })
      local fill = next_of(account, "fill").fill
      assert.same({ "BTC/USDT", order.id }, { fill.symbol, fill.order_id })
      assert.same({ quiet, {}, 1 }, { #source:requests(), source.sandbox:orders(), #target.sandbox:orders() })
      assert.equal(2, #target.sandbox:streams())
    end)

    it("and back, three times, leaves everything as it was #virtual-time", function()
      group:close()
      group = smc.failover { source, target, check_every = 1, check_timeout = 0.9, symbols = symbols,
        recover = { score = 0, ["for"] = 0 }, triggers = { health = false, latency = false } }
      local stream <close> = assert(group:stream { "ticker:BTC/USDT" })
      local at_first = assert(stream:subscriptions())

      --- It is there now, alone, with what it had; the other is down.
      local function is_at(venue, state, switches)
        assert.same({ venue, state, switches }, { group.active, group.state, #group:history() })
        local left = venue == target and source or target
        assert.same({ true, false }, { group:is_up(venue), group:is_up(left) })
        assert.equal(venue.name, next_of(stream, "switched").to)
        next_of(stream, "ticker")
        assert.equal(1, #venue.sandbox:streams())
        eventually(function() assert.equal(0, #left.sandbox:streams()) end)
      end

      local function recovers(venue)
        venue:heal()
        eventually(function() assert.is_true(group:is_up(venue)) end, { every = 0.5 })
      end

      for cycle = 1, 3 do
        source:fault { venue = "down" }
        assert(group:ticker "BTC/USDT")
        is_at(target, "failed_over", 2 * cycle - 1)
        recovers(source)

        target:fault { venue = "status", on = "ticker", status = 500 }
        for _ = 1, 5 do group:ticker "BTC/USDT" end
        is_at(source, "normal", 2 * cycle)
        recovers(target)
      end

      assert.same(at_first, assert(stream:subscriptions()))
      for n, event in ipairs(group:history()) do
        assert.same({ n % 2 == 1 and "connection" or "errors", true }, { event.cause, event.ok })
      end
    end)
  end)
end
