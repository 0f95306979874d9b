local smc = require "smc"

-- Events that come twice, late, or not at all: nothing is told twice, nothing that is known is told as news, and what
-- is missing is noticed.
local VENUES = {
  binance = { symbol = "BTC/USDT", qty = "0.01" },
  bybit = { symbol = "BTC/USDT", qty = "0.01" },
  oanda = { symbol = "EUR/USD", qty = "100" },
}

for name, its in pairs(VENUES) do
  describe("a stream of " .. name .. " #error-handling #virtual-time #" .. name, function()
    local venue
    before_each(function() venue = smc.venue(name) end)

    --- The fault was met, and is over; the local book is what the venue has.
    local function gets_over(stream)
      local fault = venue.sandbox:faults()[1]
      assert.is_true(fault == nil or fault.committed > 0)
      assert(venue:heal())
      eventually(function()
        local best, truth = assert(stream:top(1)), venue.sandbox:book(its.symbol, 1)
        assert.same({ truth.bids[1][1], truth.asks[1][1] }, { best.bids[1][1], best.asks[1][1] })
      end, { within = 10 })
      stream:close()
    end

    it("keeps its book though every event comes twice", function()
      local stream = assert(venue:stream { "book:" .. its.symbol })
      venue:fault { venue = "duplicate", on = "stream" }
      assert.equal(1, #venue.sandbox:faults())
      local seen = {}
      for _ = 1, 4 do
        local event = assert(stream:recv())
        assert.is_nil(seen[event.id])
        seen[event.id] = true
      end
      gets_over(stream)
    end)

    it("keeps its book though events overtake each other", function()
      local stream = assert(venue:stream { "book:" .. its.symbol })
      venue:fault { venue = "out_of_order", on = "stream" }
      assert.equal(1, #venue.sandbox:faults())
      for _ = 1, 5 do assert(stream:recv()) end
      gets_over(stream)
    end)

    it("keeps its book though events are missing", function()
      local stream = assert(venue:stream { "book:" .. its.symbol })
      venue:fault { venue = "lost", on = "stream", times = 2 }
      assert.equal(1, #venue.sandbox:faults())
      for _ = 1, 4 do assert(stream:recv()) end
      assert.equal(0, #venue.sandbox:faults()) -- both were met
      gets_over(stream)
    end)

    it("tells a fill of ours once, whatever is told twice", function()
      local stream = assert(venue:user_stream())
      venue:fault { venue = "duplicate", on = "user_stream" }
      local order = assert(venue:place { symbol = its.symbol, side = "buy", type = "market", qty = its.qty })
      local fills = {}
      local event
      repeat
        event = stream:recv(2)
        if event and event.fill then fills[#fills + 1] = event.fill.order_id end
      until not event
      assert.same({ order.id }, fills)
      assert.is_true(venue.sandbox:faults()[1].committed > 0)
      stream:close()
    end)

    it("tells each step of an order, and of the balances, once, whatever is told twice", function()
      local stream = assert(venue:user_stream())
      venue:fault { venue = "duplicate", on = "user_stream" }
      local order = assert(venue:place { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty,
        price = name == "oanda" and "0.9" or "58000" })
      assert(venue:cancel { symbol = its.symbol, id = order.id })
      local steps, locked = {}, {}
      local event
      repeat
        event = stream:recv(2)
        if event and event.order then steps[#steps + 1] = event.order.status end
        if event and event.kind == "balance" then locked[#locked + 1] = event.balances.USDT.locked end
      until not event
      assert.same({ "open", "canceled" }, steps)
      assert.same(name == "oanda" and {} or { "580", "0" }, locked)
      assert.is_true(venue.sandbox:faults()[1].committed > 0)
      stream:close()
    end)

    it("never tells an order as it was before", function()
      local stream = assert(venue:user_stream())
      venue:fault { venue = "out_of_order", on = "user_stream" }
      local order = assert(venue:place { symbol = its.symbol, side = "buy", type = "market", qty = its.qty })
      local filled = 0
      local event
      repeat
        event = stream:recv(2)
        if event and event.order and event.order.id == order.id then
          assert.is_true(tonumber(event.order.filled) >= filled)
          filled = tonumber(event.order.filled)
        end
      until not event
      assert.is_true(filled > 0)
      assert.is_true(venue.sandbox:faults()[1].committed > 0)
      stream:close()
    end)

    it("that goes silent is made anew, and finds what it missed", function()
      local stream = assert(venue:user_stream())
      venue:fault { venue = "stall", on = "user_stream", times = 1 }
      local order = assert(venue:place { symbol = its.symbol, side = "buy", type = "market", qty = its.qty })
      local event
      repeat event = assert(stream:recv(45)) until event.fill
      assert.equal(order.id, event.fill.order_id)
      assert.equal(1, stream.reconnects)
      stream:close()
    end)
  end)
end

for _, name in ipairs { "binance", "bybit" } do
  it("a part of an order that " .. name .. " fills is not the end of it #error-handling #virtual-time", function()
    local venue = smc.venue(name)
    local stream = assert(venue:user_stream())
    venue:fault { venue = "partial_fill", share = 0.5, times = 1 }
    local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = name == "bybit" and "58000" or "50000" })
    local event
    repeat event = assert(stream:recv(5)) until event.fill
    assert.equal("0.005", event.fill.qty)
    venue.sandbox:fill { client_id = order.client_id }

    repeat event = assert(stream:recv(45)) until event.order and event.order.status == "filled"

    assert.equal(1, stream.reconnects)
    assert.equal("0.01", event.order.filled)
    stream:close()
  end)
end
