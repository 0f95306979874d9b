-- What may be placed in each state of a risk guard, and how it goes from one to the next.
local accounts = require "lib.accounts"
local smc = require "smc"

describe("the states of a risk guard #circuit-breaker", function()
  local venues, inbox, guard

  --- Over accounts at these venues.  Returns the venues.
  local function guarded(...)
    venues, inbox = accounts.open { ... }, smc.webhook()
    guard = accounts.guard(venues, { alert = inbox })
    return table.unpack(venues)
  end

  it("lets nothing but exits through while it is open #binance #bybit #oanda", function()
    local _, bybit, oanda = guarded("binance", "bybit", "oanda")
    accounts.crash(bybit)
    accounts.opens_and_gets_flat(guard, venues)

    for _, venue in ipairs(venues) do
      local order, err = venue:place { symbol = venue == oanda and "EUR/USD" or "BTC/USDT", side = "buy",
        type = "market", qty = venue == oanda and "100" or "0.1" }
      assert.is_nil(order)
      assert.same({ "circuit_open", "risk_guard" }, { err.class, err.code })
    end
    accounts.assert_flat(venues)

    local _, err = bybit:place { symbol = "BTC/USDT:USDT", side = "sell", type = "market", qty = "0.1",
      reduce_only = true }
    assert.equal("bybit", err.venue)
    assert.is_not_nil(err.http, "the venue itself has said that there is nothing to reduce: " .. tostring(err))
  end)

  it("takes for an exit what sells at the market no more than is owned, and nothing else #binance", function()
    local binance = smc.venue "binance"
    binance.sandbox:fund { USDT = "50000" }
    guard = assert(smc.risk { venues = { binance }, max_drawdown = "0.02" })
    assert(binance:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.2" })
    binance.sandbox:move("BTC/USDT", { by = "-0.2" })
    assert(guard:check())
    eventually(function() assert.is_false(guard.is_closing) end)
    assert.equal("open", guard.state)

    local BUY, LIMIT = { "buy", "market" }, { "sell", "limit", price = "50000" }
    for _, row in ipairs { { BUY, "0.1" }, { LIMIT, "0.1" }, { { "sell", "market" }, "0.2001" } } do
      local order, err = binance:place { symbol = "BTC/USDT", side = row[1][1], type = row[1][2], qty = row[2],
        price = row[1].price }
      assert.same({ nil, "risk_guard" }, { order, err.code })
    end
    assert.equal(1, #binance.sandbox:orders())
    for _ = 1, 2 do
      assert(binance:place { symbol = "BTC/USDT", side = "sell", type = "market", qty = "0.1" })
      assert(guard:check())
    end
    assert.is_nil(assert(binance:balances()).BTC)
  end)

  it("lets nobody change an order while it is open, also to less #virtual-time #bybit", function()
    local bybit = smc.venue "bybit"
    guard = assert(smc.risk { venues = { bybit }, max_drawdown = "0.9", check_every = 600 })
    local order = assert(bybit:place { symbol = "BTC/USDT:USDT", side = "buy", type = "limit", qty = "0.5",
      price = "50000" })
    bybit:fault { venue = "silent", on = "cancel_all" } -- so that the order is still there
    assert.is_true(guard:stop "out of here")
    local changed, err = bybit:amend { symbol = "BTC/USDT:USDT", id = order.id, qty = "0.4" }
    assert.same({ nil, "risk_guard" }, { changed, err.code })
    assert.equal("0.5", bybit.sandbox:orders()[1].qty)
    assert(bybit:heal())
    eventually(function() assert.is_false(guard.is_closing) end, { within = 40 })
    assert.same({}, bybit.sandbox:orders { status = "open" })
  end)

  it("lets a group of venues through no more than each of them #binance #bybit", function()
    local binance, bybit = guarded("binance", "bybit")
    local group <close> = smc.failover { binance, bybit }
    accounts.crash(bybit)
    accounts.opens_and_gets_flat(guard, venues)

    local order, err = group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "50000" }
    assert.is_nil(order)
    assert.equal("risk_guard", err.code)
    assert.equal(binance, group.active, "a guard is no reason to switch")
    accounts.assert_flat(venues)
  end)

  it("trades again after a reset and a trial #bybit", function()
    local bybit = guarded "bybit"
    accounts.crash(bybit)
    accounts.opens_and_gets_flat(guard, venues)

    local ok, err = guard:reset()
    assert.is_nil(ok)
    assert.same({ "circuit_open", "violation_persists" }, { err.class, err.code })

    assert(guard:reset { by = "ann", reason = "the loss is understood", rebase = true })
    assert.equal("half_open", guard.state)
    assert(bybit:place { symbol = "ETH/USDT:USDT", side = "buy", type = "market", qty = "0.1" })
    eventually(function() assert.equal("closed", guard.state) end, { within = 30 })
    local history = guard:history()
    assert.equal("open half_open closed", accounts.kinds(guard))
    assert.same({ "ann", "the loss is understood" }, { history[2].by, history[2].reason })
    assert.is_true(history[3].at - history[2].at >= 3, "as long as a trial lasts")
  end)

  it("is on trial to the last moment of it #virtual-time #bybit", function()
    local bybit = guarded "bybit"
    accounts.crash(bybit)
    accounts.opens_and_gets_flat(guard, venues)
    assert(guard:reset { rebase = true })
    local began = guard:history()[2].at
    smc.sleep(began + 2.5 - smc.now())
    assert(guard:check())
    assert.equal("half_open", guard.state)
    smc.sleep(began + 2.999 - smc.now())
    assert(guard:check())
    assert.equal("half_open", guard.state)
    smc.sleep(began + 3 - smc.now())
    assert(guard:check())
    assert.equal("closed", guard.state)
  end)

  it("is reset by nobody while positions are being closed, nor when nothing has happened #bybit", function()
    local bybit = guarded "bybit"
    assert.equal("nothing_to_reset", select(2, guard:reset()).code)
    bybit:fault { venue = "http", status = 503, on = "place", count = 1 }
    accounts.crash(bybit)
    assert(guard:check())
    local ok, err = guard:reset { by = "ann", rebase = true }
    assert.same({ nil, "closing", "open" }, { ok, err.code, guard.state })
    accounts.opens_and_gets_flat(guard, venues)
    assert(guard:reset { by = "ann", rebase = true })
  end)

  it("stays stopped until somebody resets it, and is on trial then like any other #virtual-time #bybit", function()
    local bybit = guarded "bybit"
    guard:stop "an exercise"
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
    assert.is_false(guard:stop "again")
    smc.sleep(4)
    assert(guard:check())
    assert.equal("stopped", guard.state)

    assert(guard:reset { by = "bob", reason = "the exercise is over" })

    assert(bybit:place { symbol = "ETH/USDT:USDT", side = "buy", type = "market", qty = "0.1" })
    eventually(function() assert.equal("closed", guard.state) end, { within = 30 })
    assert.equal("stopped half_open closed", accounts.kinds(guard))
    assert.equal(1, #inbox:attempts())
  end)

  it("opens again when the trial goes wrong #bybit", function()
    local bybit = guarded "bybit"
    accounts.crash(bybit)
    accounts.opens_and_gets_flat(guard, venues)
    assert(guard:reset { rebase = true })

    assert(bybit:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.5" })
    accounts.crash(bybit)
    assert(guard:check())
    assert.equal("open", guard.state)
    accounts.opens_and_gets_flat(guard, venues)

    eventually(function() assert.equal(2, #inbox:messages { valid_signature = true, kind = "risk.open" }) end)
  end)

  it("stops everything when someone says so #binance #bybit #oanda", function()
    local _, bybit = guarded("binance", "bybit", "oanda")
    assert.is_true(guard:stop "the desk is on fire")
    eventually(function() assert.is_false(guard.is_closing) end, { within = 60 })

    accounts.assert_flat(venues)
    local order, err = bybit:place { symbol = "BTC/USDT:USDT", side = "sell", type = "market", qty = "0.1",
      reduce_only = true }
    assert.same({ nil, "risk_guard" }, { order, err.code })
    eventually(function() assert.equal(1, #inbox:messages { valid_signature = true, kind = "risk.stopped" }) end)
  end)

  it("is not reset while an account can't be read #bybit", function()
    local bybit = guarded "bybit"
    assert.is_true(guard:stop "an exercise")
    eventually(function() assert.is_false(guard.is_closing) end)
    bybit:fault { venue = "down" }
    local ok, err = guard:reset { by = "ann" }
    assert.same({ nil, "violation_persists", "stopped" }, { ok, err.code, guard.state })
    assert(bybit:heal())
    assert(guard:reset { by = "ann" })
  end)

  it("has forgotten nothing when a reset that begins anew is refused #virtual-time #bybit", function()
    local bybit = smc.venue("bybit", { breaker = false })
    bybit.sandbox:fund { USDT = "50000" }
    guard = assert(smc.risk { venues = { bybit }, max_daily_loss = "1000", max_error_rate = 0.2, check_every = 600 })
    bybit.sandbox:fund { USDT = "49500" }
    bybit:fault { venue = "http", status = 500, on = "time", count = 10 }
    for _ = 1, 10 do bybit:time() end
    assert(guard:check())
    assert.equal("open", guard.state)
    eventually(function() assert.is_false(guard.is_closing) end)
    local before = guard:figures()

    local ok, err = guard:reset { rebase = true }

    assert.same({ nil, "violation_persists" }, { ok, err.code })
    assert.same({ before.peak, before.day_start, "500" },
      { guard:figures().peak, guard:figures().day_start, guard:figures().daily_loss })
  end)
end)
