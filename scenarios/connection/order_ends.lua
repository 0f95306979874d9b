-- How an order ends when it is not simply filled or cancelled.  Here money is lost by a client that believes the wrong
-- thing: that a cancel came in time, that half an order is none, that what nobody acknowledged did not happen.
local smc = require "smc"
local decimal = smc.decimal

--- tick: of prices; least: an amount below what may be traded; other: another symbol, and a price at which a buy rests.
local SPOT = { symbol = "BTC/USDT", qty = "0.02", least = "0.0000001", other = { "ETH/USDT", "0.1", "2000" } }
local MARGIN = { symbol = "EUR/USD", qty = "100", least = "0.5", other = { "USD/JPY", "100", "100" } }
local VENUES = {
  setmetatable({ name = "binance", spot = true, tick = "0.01" }, { __index = SPOT }),
  setmetatable({ name = "bybit", spot = true, tick = "0.1" }, { __index = SPOT }),
  setmetatable({ name = "oanda", tick = "0.00001" }, { __index = MARGIN }),
}

for _, row in ipairs(VENUES) do
  describe("an order of " .. row.name .. " that ends #connection #orders #" .. row.name, function()
    local venue, sandbox
    local symbol, qty = row.symbol, row.qty
    before_each(function()
      venue = smc.venue(row.name)
      sandbox = venue.sandbox -- which a testnet does not have: there its specs end here
    end)

    --- The last price times this.
    local function price_at(factor)
      return decimal.floor_to(decimal.mul(assert(venue:ticker(symbol)).last, factor), row.tick)
    end

    local function buy(price, more)
      local order = { symbol = symbol, side = "buy", type = "limit", qty = qty, price = price }
      for key, value in pairs(more or {}) do order[key] = value end
      return venue:place(order)
    end

    local function now(order) return assert(venue:order { symbol = symbol, client_id = order.client_id }) end

    it("by a fill, just before it is cancelled, is filled: the cancel says so, and it is not open", function()
      local order = assert(buy(price_at "0.99"))
      sandbox:move(symbol, { by = "-0.02" })

      local cancelled, err = venue:cancel { symbol = symbol, id = order.id }

      assert.is_nil(cancelled)
      assert.same({ "unknown_order", false }, { err.class, err.retryable })
      assert.same({ "filled", qty }, { now(order).status, now(order).filled })
      assert.same({}, assert(venue:open_orders(symbol)))
    end)

    it("by a cancel whose answer is lost is not believed to live, and not cancelled twice #leaves-orders", function()
      local order = assert(buy(price_at "0.9"))
      venue:fault { venue = "ack_lost", on = "cancel", times = 1 }

      local cancelled, err = venue:cancel { symbol = symbol, id = order.id }

      assert.is_true(cancelled and cancelled.status == "canceled" or err.class == "unknown_outcome", tostring(err))
      assert.equal(1, #sandbox:requests { fault = "ack_lost" })
      assert.equal("canceled", now(order).status)
      assert.same({}, assert(venue:open_orders(symbol)))
    end)

    it("by a cancel that never arrived lives on, and is known to", function()
      local order = assert(buy(price_at "0.9"))
      venue:fault { venue = "reset", on = "cancel", times = 1 }

      local cancelled, err = venue:cancel { symbol = symbol, id = order.id }

      assert.is_nil(cancelled)
      assert.same({ "unknown_outcome", false }, { err.class, err.retryable })
      assert.equal("open", now(order).status)
      assert.equal("canceled", assert(venue:cancel { symbol = symbol, id = order.id }).status)
    end)

    it("can be changed until then, and not after it #leaves-orders", function()
      local order = assert(buy(price_at "0.9"))
      local price = price_at "0.91"
      local changed = assert(venue:amend { symbol = symbol, id = order.id, price = price })
      assert.same({ "open", price, qty, "0" }, { changed.status, changed.price, changed.qty, changed.filled })
      local open = assert(venue:open_orders(symbol))
      assert.same({ 1, changed.id }, { #open, open[1].id })
      assert(venue:cancel { symbol = symbol, id = changed.id })

      local again, err = venue:amend { symbol = symbol, id = changed.id, price = price_at "0.92" }

      assert.is_nil(again)
      assert.equal("unknown_order", err.class)
      assert.same({}, assert(venue:open_orders(symbol)))
    end)

    it("with all others of its symbol leaves those of another symbol alone #leaves-orders", function()
      local other_symbol, other_qty, other_price = table.unpack(row.other)
      assert(buy(price_at "0.9"))
      assert(buy(price_at "0.91"))
      local other = assert(venue:place { symbol = other_symbol, side = "buy", type = "limit", qty = other_qty,
        price = other_price })
      assert.equal(2, #assert(venue:cancel_all(symbol)))
      local left = assert(venue:open_orders())
      assert.same({ 1, other.id }, { #left, left[1].id })
    end)

    it("before it began, because it is too small, leaves no trace", function()
      assert(venue:open_orders())
      local order, err = buy(price_at "0.9", { qty = row.least })
      assert.is_nil(order)
      assert.same({ "filter", false }, { err.class, err.retryable })
      assert.same({}, sandbox:orders())
    end)

    it("is told to the account's stream as REST tells it, whatever it came to", function()
      local events <close> = assert(venue:user_stream())
      local rests = assert(buy(price_at "0.9"))
      local bought = assert(venue:place { symbol = symbol, side = "buy", type = "market", qty = qty })
      assert(venue:cancel { symbol = symbol, id = rests.id })
      local last = {}
      repeat
        local event = assert(events:recv(10))
        if event.order then last[event.order.id] = event.order end
      until last[rests.id] and last[rests.id].status == "canceled"
      for _, order in ipairs { rests, bought } do
        local told, truth = last[order.id], now(order)
        assert.same({ truth.status, truth.filled, truth.qty, truth.side }, { told.status, told.filled, told.qty,
          told.side })
      end
    end)

    if not row.spot then return end

    it("half filled has bought that half, no more and no less, and frees the rest", function()
      local before = assert(venue:balances())
      local order = assert(buy(price_at "0.9"))
      sandbox:fill { client_id = order.client_id, qty = "0.01" }
      assert.same({ "partially_filled", "0.01" }, { now(order).status, now(order).filled })

      local gone = assert(venue:cancel { symbol = symbol, id = order.id })

      assert.same({ "canceled", "0.01" }, { gone.status, gone.filled })
      local fills = assert(venue:fills(symbol, { order_id = order.id }))
      assert.same({ 1, "0.01", order.price, true }, { #fills, fills[1].qty, fills[1].price, fills[1].maker })
      local fee, after = { BTC = "0", USDT = "0" }, assert(venue:balances())
      fee[fills[1].fee_asset] = fills[1].fee
      assert.equal(decimal.sub("0.01", fee.BTC), decimal.sub(after.BTC.total, before.BTC.total))
      assert.equal(decimal.add(fills[1].quote, fee.USDT), decimal.sub(before.USDT.total, after.USDT.total))
      assert.equal("0", after.USDT.locked)
    end)

    it("at once, for want of a price, has bought nothing: ioc and fok", function()
      local before = assert(venue:balances())
      for _, how in ipairs { "ioc", "fok" } do
        local order = assert(buy(price_at "0.9", { time_in_force = how }))
        assert.equal(how, order.time_in_force)
        assert.is_true(order.status == "expired" or order.status == "canceled", order.status)
        assert.equal("0", now(order).filled)
      end
      assert.same({}, assert(venue:open_orders()))
      assert.same(before, assert(venue:balances()))
    end)

    it("at once, with what there was: ioc takes it, fok takes nothing", function()
      local ask = assert(venue:book(symbol, 1)).asks[1]
      local more = decimal.add(ask[2], "5")
      local order = assert(buy(ask[1], { qty = more, time_in_force = "fok" }))
      assert.same({ "0", {} }, { now(order).filled, assert(venue:fills(symbol, { order_id = order.id })) })

      order = assert(buy(ask[1], { qty = more, time_in_force = "ioc" }))

      local ended = now(order)
      assert.is_true(ended.status == "expired" or ended.status == "canceled", ended.status)
      assert.is_true(decimal.lt("0", ended.filled) and decimal.lt(ended.filled, more), ended.filled)
      assert.same({}, assert(venue:open_orders()))
    end)

    it("rather than take, when it may only make #leaves-orders", function()
      local before = assert(venue:balances())
      local order, err = buy(price_at "1.01", { type = "limit_maker" })
      if order then
        assert.equal("rejected", order.status) -- bybit takes it in first
      else
        assert.is_false(err.retryable)
      end
      assert.same({ before, {} }, { assert(venue:balances()), assert(venue:open_orders()) })
      assert(buy(price_at "0.99", { type = "limit_maker" }))
      assert.equal(1, #assert(venue:open_orders()))
    end)
  end)
end
