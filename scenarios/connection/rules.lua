-- The rules that an order has to keep, each at its edge: one step within is taken, one step beyond is refused by name.
-- Whoever rounds prices and sizes by exchangeInfo or instruments-info depends on just that.
local smc = require "smc"
local decimal = smc.decimal

local SYMBOL = "BTC/USDT"

describe("the rules of orders at binance #connection #binance #leaves-orders", function()
  local venue, average
  before_each(function()
    venue = smc.venue "binance"
    average = assert(venue:get("/api/v3/avgPrice", { symbol = "BTCUSDT" })).price
  end)

  --- What a limit order comes to: its status, or the rule that it breaks.
  local function limit(side, qty, price)
    local order, err = venue:place { symbol = SYMBOL, side = side, type = "limit", qty = qty, price = price }
    if order then return order.status end
    assert.same({ -1013, "filter", false }, { err.code, err.class, err.retryable })
    return (err.message:gsub("^Filter failure: ", ""))
  end

  it("keep prices on ticks, and sizes on steps", function()
    assert.same({ "open", "PRICE_FILTER" }, { limit("buy", "0.01", "50000.01"), limit("buy", "0.01", "50000.001") })
    assert.same({ "open", "LOT_SIZE" }, { limit("buy", "0.01001", "50000"), limit("buy", "0.010001", "50000") })
  end)

  it("keep prices within a half and twice the average #virtual-time", function()
    local function tick(price) return decimal.floor_to(price, "0.01") end
    local low, high = tick(decimal.mul(average, "0.5")), tick(decimal.mul(average, "2"))
    assert.same({ "open", "PERCENT_PRICE_BY_SIDE" },
      { limit("buy", "0.01", decimal.add(low, "0.01")), limit("buy", "0.01", decimal.sub(low, "0.01")) })
    assert.same({ "open", "PERCENT_PRICE_BY_SIDE" },
      { limit("sell", "0.01", high), limit("sell", "0.01", decimal.add(high, "0.01")) })
  end)

  it("ask for five dollars at least, and nine million at most", function()
    assert.same({ "open", "NOTIONAL" }, { limit("buy", "0.0001", "50000"), limit("buy", "0.00009", "50000") })
    assert.same({ "open", "NOTIONAL" }, { limit("buy", "180", "50000"), limit("buy", "180.00001", "50000") })
    local order, err = venue:place { symbol = SYMBOL, side = "sell", type = "market", qty = "0.00001" }
    assert.is_nil(order)
    assert.equal("Filter failure: NOTIONAL", err.message)
  end)

  it("bound a market order on its own", function()
    local order, err = venue:place { symbol = SYMBOL, side = "sell", type = "market", qty = "140.00001" }
    assert.is_nil(order)
    assert.equal("Filter failure: MARKET_LOT_SIZE", err.message)
  end)
end)

describe("the rules of orders at bybit #connection #bybit", function()
  it("ask for five dollars at least #leaves-orders", function()
    local venue = smc.venue "bybit"
    local function buy(qty)
      local order, err = venue:place { symbol = SYMBOL, side = "buy", type = "limit", qty = qty, price = "50000" }
      return order and order.status or err.class, err and err.code
    end
    assert.same({ "open" }, { buy "0.0001" })
    assert.same({ "filter", 170140 }, { buy "0.000099" })
  end)
end)
