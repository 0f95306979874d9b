-- An order that is changed on its way, or looked for by a name that it had, or that another one had before it.
local smc = require "smc"
local decimal = smc.decimal

local SYMBOL = "BTC/USDT"

describe("an order at binance #connection #binance #virtual-time #leaves-orders", function()
  local venue, price -- between the best prices: only our own orders trade there
  before_each(function()
    venue = smc.venue "binance"
    price = decimal.add(assert(venue:book(SYMBOL, 1)).bids[1][1], "5")
  end)

  local function limit(side, qty, more)
    local order = { symbol = SYMBOL, side = side, type = "limit", qty = qty, price = price, self_trade = "none" }
    for word, value in pairs(more or {}) do order[word] = value end
    return assert(venue:place(order))
  end

  it("that is filled in part goes on with what is left of it, at another price", function()
    local order = limit("buy", "0.03")
    limit("sell", "0.01")

    local moved = assert(venue:amend { symbol = SYMBOL, id = order.id, price = decimal.sub(price, "1") })

    assert.same({ "open", "0.02", decimal.sub(price, "1") }, { moved.status, moved.qty, moved.price })
    assert.same({ "canceled", "0.01" }, { assert(venue:order { symbol = SYMBOL, id = order.id }).status,
      assert(venue:order { symbol = SYMBOL, id = order.id }).filled })
  end)

  it("is not cancelled by a name that it has given up", function()
    local order = limit("buy", "0.02", { client_id = "first-name" })
    assert(venue:put("/api/v3/order/amend/keepPriority", { symbol = "BTCUSDT", orderId = order.id, newQty = "0.01",
      newClientOrderId = "second-name" }, { signed = true }))

    local gone, err = venue:cancel { symbol = SYMBOL, client_id = "first-name" }

    assert.is_nil(gone)
    assert.equal(-2011, err.code)
    assert.equal("canceled", assert(venue:cancel { symbol = SYMBOL, client_id = "second-name" }).status)
  end)

  it("that never arrived is not taken for an older one of its name", function()
    local first = limit("buy", "0.01", { client_id = "same-name" })
    assert(venue:cancel { symbol = SYMBOL, id = first.id })
    smc.sleep(10)
    local patient = smc.venue("binance", { retry = true })
    patient:fault { venue = "reset", on = "place", times = 1 }

    local second = assert(patient:place { symbol = SYMBOL, side = "buy", type = "limit", qty = "0.01", price = "50000",
      client_id = "same-name" })

    assert.is_not.equal(first.id, second.id)
    assert.equal("open", second.status)
    assert.equal(1, #patient.sandbox:orders { status = "open" })
  end)
end)

for name, symbol in pairs { binance = SYMBOL, bybit = SYMBOL, oanda = "EUR/USD" } do
  it(("nothing to cancel at %s is no error #connection #%s"):format(name, name), function()
    local venue = smc.venue(name)
    assert.same({}, assert(venue:cancel_all(symbol)))
    assert.same({ cancelled = {}, closed = {} }, assert(venue:flatten(symbol)))
  end)
end
