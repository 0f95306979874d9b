-- An order is under way when its venue fails: it is placed once, or somebody is told that nobody knows.
local smc = require "smc"

describe("an order in flight #failover #binance #bybit", function()
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

  it("goes to the next venue when the connection was refused: it was never sent", function()
    binance:fault { venue = "down" }
    local order = assert(place())
    assert.equal("bybit", order.venue)
    assert.same({ 0, 1 }, { #binance.sandbox:orders(), orders_at(bybit, order.client_id) })
  end)

  it("is found where it was sent when the acknowledgement is lost", function()
    binance:fault { venue = "ack_lost", on = "place" }
    local order = assert(place())
    assert.same({ "binance", "open" }, { order.venue, order.status })
    assert.same({ 1, 0 }, { orders_at(binance, order.client_id), #bybit.sandbox:orders() })
    assert.equal(binance, group.active)
  end)

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

  it("stays in doubt while its venue can't be asked, and is found when it can #virtual-time", function()
    binance:fault { venue = "silent", on = "place", carried_out = true }
    local placing = smc.spawn(place)
    smc.sleep(1)
    binance:fault { venue = "down" }

    local order, err = placing:join()

    assert.is_nil(order)
    assert.same({ "unknown_outcome", "binance" }, { err.class, err.venue })
    assert.equal(err.client_id, group:in_doubt()[1].client_id)
    assert.equal(bybit, group.active)

    binance:heal()

    eventually(function() assert.same({}, group:in_doubt()) end, { within = 40, every = 1 })
    assert.same({ 1, 0 }, { orders_at(binance, err.client_id), #bybit.sandbox:orders() })
    assert.equal("open", assert(group:order { symbol = "BTC/USDT", client_id = err.client_id }).status)
  end)

  it("is cancelled where it is, though the group has gone on", function()
    local order = assert(place())
    assert(group:switch(bybit))
    assert.equal("canceled", assert(group:cancel { symbol = "BTC/USDT", client_id = order.client_id }).status)
    assert.equal("canceled", binance.sandbox:orders()[1].status)
  end)
end)
