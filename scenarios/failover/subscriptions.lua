-- What was subscribed to goes on at the next venue.
local smc = require "smc"
local next_of = require("lib.venues").next_of

describe("subscriptions move with a failover group #failover #binance #bybit", function()
  local binance, bybit, group

  before_each(function()
    binance, bybit = smc.venue "binance", smc.venue "bybit"
    group = smc.failover { binance, bybit, check_every = 1, check_timeout = 30 }
  end)

  it("when its venue goes down, and say so", function()
    local stream <close> = assert(group:stream { "ticker:BTC/USDT", "trade:BTC/USDT" })
    next_of(stream, "ticker")
    binance:fault { venue = "down" }

    local event = next_of(stream, "switched")

    assert.same({ "binance", "bybit", "connection" }, { event.from, event.to, event.cause })
    assert.is_true(event.duration >= 0)
    assert.equal("BTC/USDT", next_of(stream, "ticker").symbol)
    assert.equal("BTC/USDT", next_of(stream, "trade").symbol)
    assert.equal(1, #bybit.sandbox:streams())
  end)

  it("by hand, and leave no connection behind #leaves-orders", function()
    local market <close> = assert(group:stream { "book:BTC/USDT" })
    local account <close> = assert(group:user_stream())
    eventually(function() assert.equal(2, #binance.sandbox:streams()) end)

    assert(group:switch(bybit))

    eventually(function() assert.same({}, binance.sandbox:streams()) end)
    next_of(market, "switched")
    next_of(account, "switched")
    assert.equal("BTC/USDT", assert(market:top(1)).symbol)
    local order = assert(group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = "59500" })
    assert.equal(order.client_id, next_of(account, "order").order.client_id)
  end)

  it("only together: where one can't be opened the group stays", function()
    local market <close> = assert(group:stream { "ticker:BTC/USDT" })
    local account <close> = assert(group:user_stream())
    bybit:fault { venue = "status", path = "/v5/private", status = 503 }

    assert.is_nil((group:switch(bybit)))

    assert.equal(binance, group.active)
    assert.equal("ticker", next_of(market, "ticker").kind)
    assert.is_true(account:connected())
    eventually(function() assert.same({}, bybit.sandbox:streams()) end)
  end)
end)
