-- An order is under way when its venue answers with an error, or not at all: it is placed once in all, and cancelled
-- where it is.  The same of each venue, and an order of which nobody knows: orders_by_venue.lua.
local smc = require "smc"

describe("an order in flight #failover #binance #bybit #leaves-orders", function()
  local binance, bybit, group

  before_each(function()
    binance, bybit = smc.venue "binance", smc.venue "bybit"
    group = smc.failover { binance, bybit, check_every = 1, check_timeout = 30 }
    assert(group:ping())
  end)

  local function place()
    return group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "59500" }
  end

  local function orders_at(venue, client_id) return #venue.sandbox:orders { client_id = client_id } end

  it("is found where it was sent when the venue answers with an error, and has done it #virtual-time", function()
    binance:fault { venue = "status", on = "place", status = 504, carried_out = true }
    local order = assert(place())
    assert.equal("binance", order.venue)
    assert.same({ 1, 0 }, { orders_at(binance, order.client_id), #bybit.sandbox:orders() })
  end)

  it("is certainly not placed once it is too old, and the caller may try again #virtual-time", function()
    binance:fault { venue = "reset", on = "place", times = 1 }
    local order, err = place()
    assert.is_nil(order)
    assert.same({ "not_placed", true, "binance" }, { err.code, err.retryable, err.venue })
    assert.same({ 0, 0 }, { #binance.sandbox:orders(), #bybit.sandbox:orders() })
    assert.equal("binance", assert(place()).venue)
  end)

  it("goes to the next venue when it is certain that the one that failed has not got it #virtual-time", function()
    group = smc.failover { binance, bybit, triggers = { errors = { over = 1 } } }
    binance:fault { venue = "status", on = "place", status = 504 }
    local order = assert(place())
    assert.equal("bybit", order.venue)
    assert.same({ 0, 1 }, { #binance.sandbox:orders(), orders_at(bybit, order.client_id) })
    assert.same({ 1, 1 }, { #binance:requests { op = "place" }, #bybit:requests { op = "place" } })
    assert.is_true(#binance:requests { op = "order" } > 1, "looked up until its signature was too old")
  end)

  it("keeps the name that it was given, wherever it goes", function()
    local given = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "59500",
      client_id = "mine-1" }
    assert.same({ "binance", "mine-1" }, { assert(group:place(given)).venue, binance.sandbox:orders()[1].client_id })
    given.client_id = "mine-2"
    binance:fault { venue = "down" }
    local order = assert(group:place(given))
    assert.same({ "bybit", "mine-2", "mine-2" }, { order.venue, order.client_id, bybit.sandbox:orders()[1].client_id })
  end)

  it("that is refused goes nowhere else, though the group has gone on meanwhile #virtual-time", function()
    binance:fault { venue = "slow", on = "place", seconds = 1 }
    local placing = smc.spawn(function()
      return group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.0000001", price = "59500" }
    end)
    smc.sleep(0.1)
    assert(group:switch(bybit))

    local order, err = placing:join()

    assert.is_nil(order)
    assert.same({ "filter", "binance" }, { err.class, err.venue })
    assert.same({}, bybit:requests { op = "place" })
  end)

  it("is cancelled where it is, though the group has gone on", function()
    local by_name, by_number = assert(place()), assert(place())
    assert(group:switch(bybit))
    assert.equal("canceled", assert(group:cancel { symbol = "BTC/USDT", client_id = by_name.client_id }).status)
    assert.equal("canceled", assert(group:cancel { symbol = "BTC/USDT", id = by_number.id }).status)
    assert.same({ "canceled", "canceled" }, { binance.sandbox:orders()[1].status, binance.sandbox:orders()[2].status })
  end)
end)
