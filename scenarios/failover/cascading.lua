-- One venue after another fails, and the group walks down its list.
local smc = require "smc"

describe("cascading failure #failover #virtual-time #binance #bybit #oanda", function()
  local binance, bybit, oanda, group

  before_each(function()
    binance, bybit, oanda = smc.venue "binance", smc.venue "bybit", smc.venue "oanda"
    group = smc.failover { binance, bybit, oanda, check_every = 5, failback = "manual" }
  end)

  it("walks down the list and never sends an order twice #leaves-orders", function()
    assert.equal(binance, group.active)
    binance:fault { link = "reset_peer" }
    eventually(function() assert.equal(bybit, group.active) end, { within = 15, every = 1 })

    bybit:fault { venue = "ack_lost", on = "place" }
    local order = assert(group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = "59500" })
    assert.equal(1, #bybit.sandbox:orders { client_id = order.client_id })

    bybit:fault { link = "down" }
    eventually(function() assert.equal(oanda, group.active) end, { within = 15, every = 1 })
    assert.same({ 0, 0 }, { #binance.sandbox:orders(), #oanda.sandbox:orders() })
  end)

  it("tells each step: from where, to where, why, when and for how long", function()
    binance:fault { link = "down" }
    eventually(function() assert.equal(bybit, group.active) end, { within = 15, every = 1 })
    bybit:fault { link = "blackhole" }
    eventually(function() assert.equal(oanda, group.active) end, { within = 15, every = 1 })

    local first, second = table.unpack(group:history())
    assert.same({ "binance", "bybit", "connection", true }, { first.from, first.to, first.cause, first.ok })
    assert.same({ "bybit", "oanda", "connection", true }, { second.from, second.to, second.cause, second.ok })
    assert.same({ "network", "timeout" }, { first.error.class, second.error.class })
    assert.is_true(first.at < second.at)
    assert.is_true(first.duration < 1 and second.duration < 1)
  end)

  it("passes over a venue that is down as well, though nobody has noticed yet", function()
    binance:fault { venue = "down" }
    bybit:fault { venue = "down" }

    assert.is_true(assert(group:ping()) >= 0)

    assert.equal(oanda, group.active)
    assert.equal("failed_over", group.state)
    local tried, went = table.unpack(group:history())
    assert.same({ "bybit", false, "network" }, { tried.to, tried.ok, tried.reason.class })
    assert.same({ "oanda", true, "failed" }, { went.to, went.ok, went.cause })
  end)
end)
