-- Test venues are wiped, about once a month and without a word: orders, fills and balances are gone, and keys often
-- stay.  That is a fact of the venue and no defect of whoever trades there, and is told as what it is.
local smc = require "smc"

local VENUES = {
  binance = { symbol = "BTC/USDT", qty = "0.01", price = "40000" },
  bybit = { symbol = "BTC/USDT", qty = "0.01", price = "40000" },
  oanda = { symbol = "EUR/USD", qty = "100", price = "0.9" },
}

for name, its in pairs(VENUES) do
  describe(name .. ", wiped #connection #" .. name, function()
    local venue, sandbox, order
    before_each(function()
      venue = smc.venue(name)
      sandbox = venue.sandbox -- which a testnet does not have: there its specs end here
      order = assert(venue:place { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty,
        price = its.price })
    end)

    it("does not know our orders any more, and takes new ones by the same key #leaves-orders", function()
      assert(sandbox:reset())

      local gone, err = venue:order { symbol = its.symbol, client_id = order.client_id }
      assert.is_nil(gone)
      assert.same({ "unknown_order", false }, { err.class, err.retryable })
      gone, err = venue:cancel { symbol = its.symbol, client_id = order.client_id }
      assert.is_nil(gone)
      assert.equal("unknown_order", err.class)
      assert.same({}, assert(venue:open_orders()))
      local again = assert(venue:place { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty,
        price = its.price, client_id = order.client_id })
      assert.equal(order.client_id, assert(venue:open_orders(its.symbol))[1].client_id)
      assert(venue:cancel { symbol = its.symbol, id = again.id })
    end)

    it("leaves streams that are made anew, and a book that is the new one", function()
      local stream <close> = assert(venue:stream { "book:" .. its.symbol })
      assert(stream:top(1))
      sandbox:move(its.symbol, { by = "0.05" })
      assert(sandbox:reset())

      local event
      repeat event = assert(stream:recv(15)) until event.kind == "reconnected"

      assert.equal("network", event.reason.class)
      eventually(function()
        local theirs, ours = assert(venue:book(its.symbol, 3)), assert(stream:top(3))
        assert.same({ theirs.bids, theirs.asks }, { ours.bids, ours.asks })
      end, { within = 10 })
    end)

    local told = name ~= "oanda" and it or function() end -- oanda numbers all that happens, and is never wiped
    told("tells an account's stream nothing that was, and everything that comes", function()
      local events <close> = assert(venue:user_stream())
      assert(sandbox:reset())
      local event
      repeat event = assert(events:recv(15)) until event.kind == "reconnected"

      local bought = assert(venue:place { symbol = its.symbol, side = "buy", type = "market", qty = its.qty })

      local fills = {}
      repeat
        event = assert(events:recv(15))
        if event.order then assert.not_equal(order.client_id, event.order.client_id) end
        fills[#fills + 1] = event.fill and event.fill.order_id
      until event.kind == "balance" and #fills > 0
      assert.same({ bought.id }, fills)
    end)
  end)
end
