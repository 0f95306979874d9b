-- Orders through smc.failover: each is placed once, wherever that is in the end, or somebody is told that nobody knows.
local smc = require "smc"

local BUY = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "59800" }

local function buy(more)
  local out = {}
  for key, value in pairs(BUY) do out[key] = value end
  for key, value in pairs(more or {}) do out[key] = value end
  return out
end

-- A breaker that has opened lets nobody ask for 30 s.
local ANSWERS_AGAIN = { within = 40 }

describe("an order of a failover group", function()
  local binance, bybit, group
  before_each(function()
    binance, bybit = smc.venue "binance", smc.venue "bybit"
    group = smc.failover { binance, bybit }
  end)

  --- How many orders there are at the venues, and how many with that id.
  local function counts(client_id)
    local function of(venue)
      return { #venue.sandbox:orders(), client_id and #venue.sandbox:orders { client_id = client_id } or 0 }
    end
    return { binance = of(binance), bybit = of(bybit) }
  end

  it("says where it is, and keeps the id that it was given", function()
    local order = assert(group:place(buy { client_id = "my-own" }))
    assert.same({ "binance", "my-own", "open" }, { order.venue, order.client_id, order.status })
    local other = assert(group:place(BUY))
    assert.matches("^smc%-%w+$", other.client_id)
    assert.same({ "binance", "binance" }, { assert(group:open_orders())[1].venue,
      assert(group:orders "BTC/USDT")[2].venue })
    assert.is_nil(BUY.client_id)
  end)

  it("that is refused as wrong use is in no doubt, and its venue is watched as before", function()
    local wrong = { { side = "buy", type = "market", qty = "1" }, buy { qty = 1 }, buy { client_id = 7 } }
    for _, given in ipairs(wrong) do assert.has_error(function() group:place(given) end) end
    assert.same({}, group:in_doubt())

    smc.sleep(30) -- the group has asked each of its venues a few times
    binance:fault { venue = "down" }
    eventually(function() assert.equal(bybit, group.active) end, { within = 15 })
  end)

  it("goes to the next venue at once when it was never sent", function()
    binance:fault { venue = "down" }
    local order = assert(group:place(BUY))
    assert.equal("bybit", order.venue)
    assert.same({ binance = { 0, 0 }, bybit = { 1, 1 } }, counts(order.client_id))
    assert.equal(0.0, smc.now() - group:history()[1].at)
    assert.same({}, group:in_doubt())
  end)

  it("is found where it was sent when only its acknowledgement was lost", function()
    binance:fault { venue = "ack_lost", on = "place" }
    local order = assert(group:place(BUY))
    assert.same({ "binance", "open" }, { order.venue, order.status })
    assert.same({ binance = { 1, 1 }, bybit = { 0, 0 } }, counts(order.client_id))
    assert.same({ binance, 0 }, { group.active, #group:history() })
  end)

  it("is found though its venue goes down by it, and the next one is used from then on", function()
    group = smc.failover { binance, bybit, triggers = { errors = { over = 1 } } }
    binance:fault { venue = "status", on = "place", status = 504, carried_out = true }
    local order = assert(group:place(BUY))
    assert.equal("binance", order.venue)
    eventually(function() assert.equal(bybit, group.active) end)
    assert.same({ binance = { 1, 1 }, bybit = { 0, 0 } }, counts(order.client_id))
  end)

  it("goes to the next venue once it is certain that the one before has not got it", function()
    group = smc.failover { binance, bybit, triggers = { errors = { over = 1 } } }
    binance:fault { venue = "status", on = "place", status = 504 }
    local began = smc.now()
    local order = assert(group:place(BUY))
    assert.equal("bybit", order.venue)
    assert.same({ binance = { 0, 0 }, bybit = { 1, 1 } }, counts(order.client_id))
    assert.is_true(smc.now() - began >= 6, "a signed request is good for 5 s, the clocks may differ by 1 s")
    local asked = binance:requests { op = "order" }
    assert.is_true(#asked > 1)
    assert.is_true(asked[#asked].at <= bybit:requests({ op = "place" })[1].at)
  end)

  it("stays away from the next venue for as long as is wished before an order counts as absent", function()
    for _, seconds in ipairs { 0, 20 } do
      local its = smc.failover { binance, bybit, absent_after = seconds, triggers = { errors = { over = 1 } } }
      binance:fault { venue = "status", on = "place", status = 504, times = 1 }
      local began = smc.now()
      assert.equal("bybit", assert(its:place(BUY)).venue)
      assert.near(seconds, smc.now() - began, 0.1)
      its:close()
    end
  end)

  it("is an error that may be tried again when it is certainly not there and the venue is fine", function()
    binance:fault { venue = "reset", on = "place" }
    local order, err = group:place(BUY)
    assert.is_nil(order)
    assert.same({ "network", "not_placed", "binance", true }, { err.class, err.code, err.venue, err.retryable })
    assert.matches("^smc%-", err.client_id)
    assert.same({ binance = { 0, 0 }, bybit = { 0, 0 } }, counts())
    binance:heal()
    assert.equal("binance", assert(group:place(buy { client_id = err.client_id })).venue)
  end)

  it("is in doubt while its venue can't be asked, and goes nowhere else", function()
    binance:fault { venue = "silent", on = "place", carried_out = true }
    local placing = smc.spawn(function() return group:place(BUY) end)
    smc.sleep(1)
    binance:fault { venue = "down" }

    local order, err = placing:join()

    assert.is_nil(order)
    assert.same({ "unknown_outcome", "binance", "place", false }, { err.class, err.venue, err.op, err.retryable })
    local doubt = group:in_doubt()[1]
    assert.same({ err.client_id, "BTC/USDT", "buy", "binance" }, { doubt.client_id, doubt.symbol, doubt.side,
      doubt.venue })
    assert.equal(bybit, group.active)
    smc.sleep(10)
    assert.equal(1, #group:in_doubt())

    binance:heal()

    eventually(function() assert.same({}, group:in_doubt()) end, ANSWERS_AGAIN)
    assert.same({ binance = { 1, 1 }, bybit = { 0, 0 } }, counts(err.client_id))
    local found = assert(group:order { symbol = "BTC/USDT", client_id = err.client_id })
    assert.same({ "binance", "open" }, { found.venue, found.status })
  end)

  it("is not sent anywhere when it turns out later that it never arrived", function()
    binance:fault { venue = "silent", on = "place" }
    local placing = smc.spawn(function() return group:place(BUY) end)
    smc.sleep(1)
    binance:fault { venue = "down" }
    local _, err = placing:join()
    assert.equal("unknown_outcome", err.class)
    binance:heal()
    eventually(function() assert.same({}, group:in_doubt()) end, ANSWERS_AGAIN)
    assert.same({ binance = { 0, 0 }, bybit = { 0, 0 } }, counts(err.client_id))
  end)

  it("is in doubt when whoever places it is cancelled meanwhile", function()
    binance:fault { venue = "slow", on = "place", seconds = 3 }
    local placing = smc.spawn(function() return group:place(buy { client_id = "left-alone" }) end)
    smc.sleep(1)
    placing:cancel()
    assert.equal("left-alone", group:in_doubt()[1].client_id)
    binance:heal()
    eventually(function() assert.same({}, group:in_doubt()) end, { within = 10 })
    assert.equal("open", assert(group:order { symbol = "BTC/USDT", client_id = "left-alone" }).status)
  end)

  it("is not offered to another venue when the first has refused it", function()
    local order, err = group:place(buy { qty = "0.000001" })
    assert.is_nil(order)
    assert.same({ "filter", "binance" }, { err.class, err.venue })
    assert.same({}, bybit:requests())
    assert.same({ {}, binance }, { group:in_doubt(), group.active })
  end)

  it("is not offered to another venue either when the group has moved on meanwhile", function()
    binance:fault { venue = "slow", on = "place", seconds = 3 }
    local placing = smc.spawn(function() return group:place(buy { qty = "0.000001" }) end)
    smc.sleep(1)
    assert(group:switch(bybit))
    local _, err = placing:join()
    assert.same({ "filter", "binance", 0 }, { err.class, err.venue, #bybit:requests { op = "place" } })
  end)

  it("meets no venue with its id in hand", function()
    binance:fault { venue = "down" }
    bybit:fault { venue = "down" }
    local order, err = group:place(buy { client_id = "for-nobody" })
    assert.is_nil(order)
    assert.same({ "no_venue", "place", "for-nobody" }, { err.class, err.op, err.client_id })
  end)

  it("is looked up, changed and cancelled where it is, not at the active venue", function()
    local first, second = assert(group:place(BUY)), assert(group:place(BUY))
    assert(group:switch(bybit))
    local there = assert(group:place(BUY))
    assert.equal("bybit", there.venue)

    assert.equal("binance", assert(group:order { symbol = "BTC/USDT", client_id = first.client_id }).venue)
    assert.equal("0.006", assert(group:amend { symbol = "BTC/USDT", id = first.id, qty = "0.006" }).qty)
    assert.equal("canceled", assert(group:cancel { symbol = "BTC/USDT", client_id = first.client_id }).status)
    assert.equal("canceled", assert(group:cancel { symbol = "BTC/USDT", id = second.id, venue = binance }).status)
    assert.equal("canceled", assert(group:cancel { symbol = "BTC/USDT", id = there.id }).status)
    local order, err = group:cancel { symbol = "BTC/USDT", id = first.id, venue = "bybit" }
    assert.same({ nil, "bybit", "unknown_order" }, { order, err.venue, err.class })

    local stranger = assert(bybit:place(BUY))
    assert.equal("bybit", assert(group:order { symbol = "BTC/USDT", client_id = stranger.client_id }).venue)
  end)

  it("asks which of two orders of one id is meant", function()
    local other = smc.venue("binance", { sandbox = smc.sandbox "binance" })
    local its = smc.failover { binance, other }
    local mine = assert(its:place(BUY))
    assert(its:switch(other))
    local same = assert(its:place(BUY))
    assert.equal(mine.id, same.id)
    local _, err = its:cancel { symbol = "BTC/USDT", id = mine.id }
    assert.same({ "invalid_request", "ambiguous" }, { err.class, err.code })
    assert.equal(mine.client_id, assert(its:cancel { symbol = "BTC/USDT", id = mine.id, venue = mine.venue }).client_id)
  end)

  it("that a risk guard refuses is not placed elsewhere, though the group moves on", function()
    local guard = assert(smc.risk { venues = { binance }, max_drawdown = "0.5", check_every = 600 })
    guard:stop "drill"
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
    binance.breaker:force "open"
    local order, err = group:place(BUY)
    assert.same({ nil, "risk_guard" }, { order, err.code })
    eventually(function() assert.equal(bybit, group.active) end)
    assert.equal(0, #bybit.sandbox:orders())
  end)
end)
