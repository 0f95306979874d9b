-- Orders that wait for a price: which one they watch, and that an equal price is enough.  A stop that misses its price
-- by one tick is a position without a stop.
local smc = require "smc"
local decimal = smc.decimal

for name, symbol in pairs { binance = "BTC/USDT", bybit = "BTC/USDT:USDT" } do
  describe(("an order that waits at %s #connection #%s #virtual-time"):format(name, name), function()
    local venue, price -- between the best prices: where two of our own orders trade, and nobody else
    before_each(function()
      venue = smc.venue(name, { limiter = false }) -- it would spend time
      price = decimal.add(assert(venue:book(symbol, 1)).bids[1][1], "3")
    end)

    local function place(side, type, more)
      local order = { symbol = symbol, side = side, type = type, qty = "0.01" }
      for word, value in pairs(more) do order[word] = value end
      return assert(venue:place(order))
    end

    local function trade_at(at)
      for _, side in ipairs { "buy", "sell" } do
        place(side, "limit", { price = at, self_trade = "none" })
      end
    end

    local function status(order) return assert(venue:order { symbol = symbol, id = order.id }).status end

    -- By kind and side: which way the price has to go.
    for _, case in ipairs { { "stop", "buy", "1" }, { "stop", "sell", "-1" }, { "take_profit", "buy", "-1" },
      { "take_profit", "sell", "1" } } do
      local kind, side, way = table.unpack(case)
      local direction = way == "1" and "rises" or "falls"
      it(("goes to work when the price %s to its own (%s, %s)"):format(direction, side, kind), function()
        trade_at(price)
        local order = place(side, kind, { trigger_price = decimal.add(price, way) })
        trade_at(decimal.sub(price, way))
        assert.equal("open", status(order))

        trade_at(order.trigger_price)

        assert.equal("filled", status(order))
      end)
    end
  end)
end

-- Bybit takes the coins of such an order when its price has come.
for _, case in ipairs { { "binance", "what it will cost, until it is cancelled", "0.5", "7100" },
  { "bybit", "nothing of what it will cost", "0", "0" } } do
  local name, what, base, quote = table.unpack(case)
  it(("an order that waits at %s keeps %s #connection #%s #virtual-time"):format(name, what, name), function()
    local venue = smc.venue(name)
    local before = assert(venue:balances())
    local sale = assert(venue:place { symbol = "BTC/USDT", side = "sell", type = "stop", qty = "0.5",
      trigger_price = "50000" })
    local purchase = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "stop_limit", qty = "0.1",
      trigger_price = "70000", price = "71000" })
    local held = assert(venue:balances())
    assert.equal(base, decimal.sub(held.BTC.locked, before.BTC.locked))
    assert.equal(quote, decimal.sub(held.USDT.locked, before.USDT.locked))
    for _, order in ipairs { sale, purchase } do assert(venue:cancel { symbol = "BTC/USDT", id = order.id }) end
    assert.same(before, assert(venue:balances()))
  end)
end

describe("orders that wait at bybit #connection #bybit", function()
  it("are cancelled with all others, and are listed with them", function()
    local venue = smc.venue "bybit"
    assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "40000" })
    for _, symbol in ipairs { "BTC/USDT", "BTC/USDT:USDT" } do
      assert(venue:place { symbol = symbol, side = "buy", type = "stop", qty = "0.01", trigger_price = "90000" })
    end
    assert.equal(3, #assert(venue:open_orders()))
    assert.equal(3, #assert(venue:cancel_all()))
    assert.same({}, venue.sandbox:orders { status = "open" })
  end)
end)
