-- What a stream does when its connection breaks or goes silent: written once, for each venue.  A stream that is dead
-- and does not say so shows a price that nobody trades at any more.
local smc = require "smc"

--- The next event of a kind, and those that came before it.
local function next_of(stream, kind, seconds)
  local before, give_up = {}, smc.now() + seconds
  while true do
    local event = assert(stream:recv(math.max(0, give_up - smc.now())))
    if event.kind == kind then return event, before end
    before[#before + 1] = event
  end
end

-- What a stream does about a bad connection means the same on every venue.
for _, row in ipairs {
  { name = "binance", symbol = "BTC/USDT" },
  { name = "bybit", symbol = "BTC/USDT" },
  { name = "oanda", symbol = "EUR/USD" },
} do
  describe(row.name .. " over bad connections #connection #" .. row.name, function()
    local venue, ticker, book
    before_each(function()
      venue, ticker, book = smc.venue(row.name), "ticker:" .. row.symbol, "book:" .. row.symbol
    end)

    local function assert_book_is_the_venue_s(stream)
      eventually(function()
        local theirs, ours = assert(venue:book(row.symbol, 5)), assert(stream:top(5))
        assert.same({ theirs.bids, theirs.asks }, { ours.bids, ours.asks })
      end, { within = 10 })
    end

    it("replaces a connection that breaks, and subscribes to all that it had", function()
      local stream <close> = assert(venue:stream { ticker, book })
      local subscribed = assert(stream:subscriptions())
      assert_book_is_the_venue_s(stream)

      venue.sandbox:drop_streams()

      local told = next_of(stream, "reconnected", 10)
      assert.equal(1, told.attempts)
      assert.equal("network", told.reason.class)
      assert.same(subscribed, assert(stream:subscriptions()))
      assert.equal(ticker, next_of(stream, "ticker", 15).channel)
      assert_book_is_the_venue_s(stream)
    end)

    it("does not mistake silence for a quiet market", function()
      local stream <close> = assert(venue:stream { ticker, stale_after = 6 })
      next_of(stream, "ticker", 15)

      venue.sandbox:stall_streams(true)

      assert.equal("stale", next_of(stream, "reconnected", 15).reason.code)
      next_of(stream, "ticker", 15)
      assert.equal(1, stream.reconnects)
    end)

    it("ends with its connection when it is told to, and says why", function()
      local stream <close> = assert(venue:stream { ticker, reconnect = false })
      venue.sandbox:drop_streams()
      local event, err
      repeat event, err = stream:recv(10) until not event
      assert.equal("network", err.class)
      assert.is_false(stream:connected())
    end)
  end)
end

for _, row in ipairs { { "binance", "BTC/USDT", "0.001" }, { "bybit", "BTC/USDT", "0.001" },
  { "oanda", "EUR/USD", "100" } } do
  local name, symbol, qty = table.unpack(row)
  describe(name .. "'s account over bad connections #connection #" .. name, function()
    it("tells of a fill that happened while nobody could hear it, once", function()
      local venue, other = smc.venue(name), smc.venue(name)
      local request = { symbol = symbol, side = "buy", type = "market", qty = qty }
      local events <close> = assert(venue:user_stream())
      venue.sandbox:stall_streams(true)
      local order = assert(venue:place(request))
      venue.sandbox:drop_streams()

      local fill, before = next_of(events, "fill", 10)

      assert.equal("reconnected", before[1].kind)
      assert.same({ order.id, qty, true }, { fill.fill.order_id, fill.fill.qty, fill.reconciled })
      local later = assert(other:place(request))
      assert.equal(later.id, next_of(events, "fill", 10).fill.order_id)
    end)

    it("tells of an order that was there before, and ended while nobody could hear it, once #virtual-time", function()
      local venue, other = smc.venue(name), smc.venue(name)
      local order = assert(venue:place { symbol = symbol, side = "buy", type = "limit", qty = qty,
        price = name == "oanda" and "0.9" or "50000" })
      smc.sleep(2)
      local events <close> = assert(venue:user_stream())
      venue.sandbox:stall_streams(true)
      assert(other:cancel { symbol = symbol, id = order.id })
      venue.sandbox:drop_streams()
      local told, give_up = {}, smc.now() + 12
      while smc.now() < give_up do
        local event = events:recv(math.max(0, give_up - smc.now()))
        if event and event.order then told[#told + 1] = event.order.id .. " " .. event.order.status end
      end
      assert.same({ order.id .. " canceled" }, told)
    end)
  end)
end
