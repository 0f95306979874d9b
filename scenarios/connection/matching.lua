-- What becomes of orders that meet: who trades first, at whose price, what is left.  A bot that counts on its place in
-- a queue, or on not trading with itself, loses money where these are otherwise.  All orders here are of one account
-- and stand between the best prices of a market that does not move: the clock is virtual, and no time passes.
local smc = require "smc"
local decimal = smc.decimal

local SYMBOL = "BTC/USDT"

for _, name in ipairs { "binance", "bybit" } do
  describe(("orders that meet at %s #connection #%s #virtual-time"):format(name, name), function()
    local venue, price -- above every other bid, below every other ask
    before_each(function()
      venue = smc.venue(name, { limiter = false }) -- which would spend time
      local book = assert(venue:book(SYMBOL, 1))
      price = decimal.add(book.bids[1][1], "5")
      assert.is_true(decimal.cmp(price, book.asks[1][1]) < 0)
    end)

    local function limit(side, qty, at, more)
      local order = { symbol = SYMBOL, side = side, type = "limit", qty = qty, price = at, self_trade = "none" }
      for word, value in pairs(more or {}) do order[word] = value end
      return assert(venue:place(order))
    end

    local function sell(qty, more) return limit("sell", qty, "59700", more) end -- at whatever the bids are

    --- What an order has come to: status and filled quantity.
    local function now(order)
      local found = assert(venue:order { symbol = SYMBOL, id = order.id })
      return found.status .. " " .. found.filled
    end

    it("trade the better price first, and at one price the older order #leaves-orders", function()
      local first, second = limit("buy", "0.01", price), limit("buy", "0.01", price)
      local better = limit("buy", "0.01", decimal.add(price, "1"))

      sell "0.015"

      assert.same({ "filled 0.01", "partially_filled 0.005", "open 0" }, { now(better), now(first), now(second) })
    end)

    it("trade at the price of the one that was there", function()
      local bid = limit("buy", "0.01", price)
      local ask = sell "0.01"
      assert.same({ "filled", price }, { ask.status, ask.average })
      assert.equal(price, assert(venue:order { symbol = SYMBOL, id = bid.id }).average)
    end)

    it("meet at an equal price", function()
      local bid = limit("buy", "0.01", price)
      assert.equal("filled", limit("sell", "0.01", price).status)
      local ask = limit("sell", "0.01", price)
      assert.equal("filled", limit("buy", "0.01", price).status)
      assert.same({ "filled 0.01", "filled 0.01" }, { now(bid), now(ask) })
    end)

    it("lock what they may cost, and give back what they saved", function()
      local before = assert(venue:balances())
      limit("sell", "0.01", price)
      local bid = limit("buy", "0.02", decimal.add(price, "1")) -- half of it trades, cheaper than it offers
      local held = assert(venue:balances())
      assert.equal(decimal.mul("0.01", decimal.add(price, "1")), held.USDT.locked)
      assert.equal("partially_filled", bid.status)
      assert.equal(decimal.add(held.USDT.free, held.USDT.locked), held.USDT.total)

      assert(venue:cancel { symbol = SYMBOL, id = bid.id })
      local after = assert(venue:balances())
      assert.same({ "0", "0" }, { after.USDT.locked, after.BTC.locked })
      local fees = { BTC = "0", USDT = "0" }
      for _, f in ipairs(assert(venue:fills(SYMBOL))) do fees[f.fee_asset] = decimal.add(fees[f.fee_asset], f.fee) end
      for asset, fee in pairs(fees) do -- it has traded with itself: only fees are gone
        assert.equal(decimal.sub(before[asset].total, fee), after[asset].total, asset)
      end
    end)

    it("that must fill at once, or not at all, fill in full or leave no trace", function()
      local ask = limit("sell", "0.01", price)
      local fok = limit("buy", "0.02", price, { time_in_force = "fok" })
      assert.same({ "expired", "0" }, { fok.status, fok.filled })
      assert.equal("open 0", now(ask))
      assert.equal("filled", limit("buy", "0.01", price, { time_in_force = "fok" }).status)
      assert.equal("filled 0.01", now(ask))
    end)

    it("that fill at once take what is there, and do not rest", function()
      limit("sell", "0.01", price)
      local ioc = limit("buy", "0.02", price, { time_in_force = "ioc" })
      assert.same({ "expired", "0.01" }, { ioc.status, ioc.filled })
      assert.same({}, assert(venue:open_orders(SYMBOL)))
      assert.equal("0", assert(venue:balances()).USDT.locked)
    end)

    it("that only rest are turned away where they would trade, and rest elsewhere #leaves-orders", function()
      local ask = limit("sell", "0.01", price)
      local maker = { symbol = SYMBOL, side = "buy", type = "limit_maker", qty = "0.01", price = price }
      local taken = venue:place(maker)
      assert.equal("rejected", taken and taken.status or "rejected") -- at once, or after the acknowledgement
      assert.equal("open 0", now(ask))
      maker.price = decimal.sub(price, "1")
      assert.equal("open", assert(venue:place(maker)).status)
    end)

    -- The order that comes says what is to happen, whatever the one that is there was told.
    local PREVENTED = { expire_taker = { "expired 0", "open 0" }, expire_maker = { "open 0", "expired 0" },
      expire_both = { "expired 0", "expired 0" }, none = { "filled 0.01", "filled 0.01" } }
    for mode, ends in pairs(PREVENTED) do
      it("of one account meet as the one that comes says: " .. mode .. " #leaves-orders", function()
        local ask = limit("sell", "0.01", price, { self_trade = mode == "none" and "expire_both" or "none" })
        local bid = limit("buy", "0.01", price, { self_trade = mode })
        assert.same(ends, { now(bid), now(ask) })
      end)
    end

    it("keep their place when they become smaller, and lose it when they become larger #leaves-orders", function()
      local first, second = limit("buy", "0.02", price), limit("buy", "0.02", price)
      first = assert(venue:amend { symbol = SYMBOL, id = first.id, qty = "0.01" })
      sell "0.01"
      assert.same({ "filled 0.01", "open 0" }, { now(first), now(second) })

      local third = limit("buy", "0.02", price)
      second = assert(venue:amend { symbol = SYMBOL, id = second.id, qty = "0.03" })
      sell "0.02"
      assert.same({ "open 0", "filled 0.02" }, { now(second), now(third) })
    end)
  end)
end

describe("an iceberg at binance #connection #binance #virtual-time", function()
  it("shows one part at a time, and goes behind the others with the next", function()
    local venue = smc.venue "binance"
    local price = decimal.add(assert(venue:book(SYMBOL, 1)).bids[1][1], "5")
    local function bid(more)
      local params = { symbol = "BTCUSDT", side = "BUY", type = "LIMIT", timeInForce = "GTC", price = price,
        quantity = "0.01" }
      for word, value in pairs(more or {}) do params[word] = value end
      return tostring(assert(venue:post("/api/v3/order", params, { signed = true })).orderId)
    end
    local function sell(qty)
      assert(venue:place { symbol = SYMBOL, side = "sell", type = "market", qty = qty, self_trade = "none" })
    end
    local function top() return assert(venue:book(SYMBOL, 1)).bids[1][2] end
    local function filled(id) return assert(venue:order { symbol = SYMBOL, id = id }).filled end

    local iceberg, plain = bid { quantity = "0.03", icebergQty = "0.01" }, bid()
    assert.equal("0.02", top())
    sell "0.01"
    assert.same({ "0.02", "0.01", "0" }, { top(), filled(iceberg), filled(plain) })
    sell "0.01"
    assert.same({ "0.01", "0.01", "0.01" }, { top(), filled(iceberg), filled(plain) })
  end)

  it("is passed by when what shows of it is gone, also by one order that takes more", function()
    local venue = smc.venue "binance"
    local price = decimal.add(assert(venue:book(SYMBOL, 1)).bids[1][1], "5")
    local ids = {}
    for i, more in ipairs { { quantity = "0.03", icebergQty = "0.01" }, { quantity = "0.01" } } do
      local params = { symbol = "BTCUSDT", side = "BUY", type = "LIMIT", timeInForce = "GTC", price = price }
      for word, value in pairs(more) do params[word] = value end
      ids[i] = tostring(assert(venue:post("/api/v3/order", params, { signed = true })).orderId)
    end
    assert(venue:place { symbol = SYMBOL, side = "sell", type = "market", qty = "0.02", self_trade = "none" })
    for _, id in ipairs(ids) do assert.equal("0.01", assert(venue:order { symbol = SYMBOL, id = id }).filled) end
  end)
end)

for _, name in ipairs { "binance", "bybit" } do
  it(("an order for an amount of money buys what that pays for at %s #connection #%s #virtual-time"):format(name, name),
    function()
      local venue = smc.venue(name)
      local before = assert(venue:balances())
      local order = assert(venue:place { symbol = SYMBOL, side = "buy", type = "market", quote_qty = "1000" })
      assert.equal("filled", order.status)
      assert.is_true(decimal.within(order.filled_quote, "999", "1000"), order.filled_quote)
      assert.equal(order.filled, order.qty)
      local after = assert(venue:balances())
      assert.equal(order.filled_quote, decimal.sub(before.USDT.total, after.USDT.total))
      assert.equal("0", after.USDT.locked)
    end)
end
