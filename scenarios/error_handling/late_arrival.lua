-- An order that nobody could find for as long as it could still arrive is sent again.  If the venue had it all along,
-- its client id is taken: that is no failure, it is the order.
local smc = require "smc"

describe("an order that binance has, and does not show #error-handling #binance #virtual-time \z
  #leaves-orders", function()
  it("is sent again once, and is the one that was there", function()
    local venue = smc.venue("binance", { retry = true })
    venue:fault { venue = "ack_lost", on = "place", times = 1 }
    venue:fault { venue = "status", status = 400, code = -2013, message = "Order does not exist.", on = "order",
      times = 2 }

    local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = "50000", client_id = "mine" })

    assert.equal("mine", order.client_id)
    assert.equal(2, #venue:requests { op = "place" })
    local there = venue.sandbox:orders { client_id = "mine" }
    assert.same({ 1, order.id }, { #there, tostring(there[1].id) })
  end)

  it("is sent again only when what was sent can't arrive any more, however long it had waited before that", function()
    local venue = smc.venue("binance", { retry = true, limiter = { orders_10s = { limit = 2, per = 10 } } })
    local function buy() return venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = "50000" } end
    for _ = 1, 2 do assert(buy()) end
    venue:fault { venue = "reset", on = "place", times = 1 }

    assert(buy()) -- waits for the next ten seconds, is lost, and is looked for

    local sent = venue:requests { op = "place" }
    assert.near(10, sent[3].at - sent[1].at, 0.01)
    assert.is_true(sent[4].at - sent[3].at >= 6, sent[4].at - sent[3].at) -- recvWindow, and a second
    assert.equal(3, #venue.sandbox:orders())
  end)
end)

describe("an order of oanda whose answer is lost #error-handling #oanda #virtual-time", function()
  it("is looked for until it is found, though the first look fails as well", function()
    local venue = smc.venue "oanda"
    assert(venue:balances())
    venue:fault { venue = "ack_lost", on = "place", method = "POST", times = 1 }
    venue:fault { venue = "status", status = 503, path = ("/v3/accounts/%s/transactions/sinceid"):format(venue.key),
      times = 2 }
    local order = assert(venue:place { symbol = "EUR/USD", side = "buy", type = "market", qty = "100" })
    assert.same({ "filled", 1 }, { order.status, #venue.sandbox:orders() })
  end)
end)
