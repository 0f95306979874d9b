-- Getting out of everything when the ways out are blocked: by breakers, holds, venues that refuse.
local accounts = require "lib.accounts"
local smc = require "smc"

describe("an emergency exit #circuit-breaker #virtual-time", function()
  local venues, guard

  --- From accounts at these venues.  options: of smc.risk.  Returns the venues.
  local function guarded(names, options)
    venues = accounts.open(names, { breaker = { size = 2, min_calls = 2, failure_rate = 1, open = 600 } })
    guard = accounts.guard(venues, options or { check_every = 600 })
    return table.unpack(venues)
  end

  --- Failures of before: nobody may ask the venue for ten minutes.
  local function open_breaker(venue)
    venue:fault { venue = "http", status = 503, on = "balances", count = 2 }
    for _ = 1, 2 do assert.equal("server", select(2, venue:balances()).class) end
    assert.equal("circuit_open", select(2, venue:balances()).class)
  end

  local function stop_and_close()
    assert.is_true(guard:stop "out of here")
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
    return guard:history()[1].closing
  end

  it("does not wait for breakers that failures of before have opened #binance #bybit #oanda", function()
    guarded()
    for _, venue in ipairs(venues) do open_breaker(venue) end

    local closing = stop_and_close()

    accounts.assert_flat(venues)
    assert.is_true(closing.elapsed < 1, ("%.3f s"):format(closing.elapsed))
    for i, venue in ipairs(venues) do
      assert.equal(1, closing.venues[i].attempts)
      assert.equal("closed", venue.breaker.state, "what it was answered shows that the venue is there")
      assert(venue:balances())
    end
  end)

  it("is not stopped by a breaker that opens while it waits #bybit", function()
    local bybit
    venues, bybit = accounts.open({ "bybit" }, { breaker = { size = 1, min_calls = 1, open = 600 } })
    guard = accounts.guard(venues, { check_every = 600 })
    bybit:fault { venue = "silent", on = "time", count = 1 }
    local fails = smc.spawn(function() return bybit:time() end)
    smc.sleep(8)
    bybit.limiter:hold(4)

    local closing = stop_and_close()

    assert.equal("timeout", select(2, fails:join()).class)
    assert.equal("open", bybit.breaker:history()[1].to)
    assert.same({ 1, {} }, { closing.venues[1].attempts, closing.venues[1].errors })
    assert.near(4, closing.elapsed, 0.5)
    accounts.assert_flat(venues)
  end)

  it("leaves the breaker open when the venue still fails: everybody else goes on waiting #bybit", function()
    local bybit = guarded { "bybit" }
    open_breaker(bybit)
    bybit:fault { venue = "http", status = 503 }
    assert.is_true(guard:stop "out of here")
    smc.sleep(5)
    assert.is_true(guard.is_closing)
    assert.equal("open", bybit.breaker.state)
    assert.equal("circuit_open", select(2, bybit:balances()).class)

    assert(bybit:heal())
    eventually(function() assert.is_false(guard.is_closing) end, { within = 20 })
    accounts.assert_flat(venues)
    assert(bybit:balances())
  end)

  it("goes before everybody else who waits for a limit #bybit", function()
    local bybit
    venues, bybit = accounts.open({ "bybit" }, { limiter = { requests = { limit = 2, per = 1, burst = 20 } } })
    guard = accounts.guard(venues, { check_every = 600 })
    local crowd = {}
    for i = 1, 100 do crowd[i] = smc.spawn(function() return bybit:time() end) end
    smc.sleep(0.1)

    assert.same({}, stop_and_close().venues[1].errors)

    accounts.assert_flat(venues)
    for _, task in ipairs(crowd) do task:cancel() end
  end)

  it("tries again every eight seconds at least, for as long as it may #bybit", function()
    local bybit = guarded({ "bybit" }, { check_every = 600, close_within = 57 })
    bybit:fault { venue = "http", status = 400, code = 110017, on = "place" }
    local start = smc.now()
    assert.is_true(guard:stop "out of here")
    smc.sleep(45)
    local before = start
    for _, request in ipairs(bybit:requests { op = "place", method = "POST", after = start }) do
      assert.is_true(request.at - before <= 8.5, ("%g s after %g s"):format(request.at - start, before - start))
      before = request.at
    end
    assert.is_true(start + 45 - before <= 8.5)
    assert(bybit:heal())
    eventually(function() assert.is_false(guard.is_closing) end, { within = 10 })
    accounts.assert_flat(venues)
  end)

  it("keeps quiet as long as the venue has asked for #binance", function()
    local binance = guarded { "binance" }
    binance:fault { venue = "http", status = 429, retry_after = 7, on = "balances", count = 1 }
    assert.equal("rate_limit", select(2, binance:balances()).class)
    local arrived = #binance.sandbox:requests()
    assert.is_true(guard:stop "out of here")
    smc.sleep(6.9)
    assert.equal(arrived, #binance.sandbox:requests())
    eventually(function() assert.is_false(guard.is_closing) end, { within = 5 })
    accounts.assert_flat(venues)
    assert.near(7, guard:history()[1].closing.elapsed, 0.5)
  end)

  it("says who is left, and with what, when a venue refuses to the end; and goes on when it is told to" ..
    " #bybit #oanda", function()
    local inbox = smc.webhook()
    local bybit, oanda = guarded({ "bybit", "oanda" }, { check_every = 600, close_within = 5, alert = inbox })
    bybit:fault { venue = "http", status = 400, code = 110017, on = "place" }
    assert.is_true(guard:stop "out of here")
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })

    local closing = guard:history()[1].closing
    assert.is_false(closing.flat)
    for _, venue in ipairs(closing.venues) do
      assert.equal(venue.venue ~= "bybit", venue.flat)
      assert.equal(venue.venue == "bybit", venue.attempts > 1)
    end
    eventually(function() assert.equal(1, #inbox:messages { kind = "risk.not_flat" }) end)
    local left = inbox:messages({ kind = "risk.not_flat" })[1].event.left
    assert.same({ 1, "bybit" }, { #left, left[1].venue })
    assert.matches("1 positions", left[1].left, 1, true)
    assert.equal(1, #bybit.sandbox:positions())
    assert.same({}, oanda.sandbox:positions())

    assert(bybit:heal())
    assert.is_true(guard:flatten().flat)
    accounts.assert_flat(venues)
  end)

  it("closes what the book can't take at once piece by piece, and no more than is held #bybit", function()
    local bybit = guarded { "bybit" }
    local symbol = "ETH/USDT:USDT"
    bybit.sandbox:fund { USDT = "100000000" }
    for _ = 1, 3 do
      local deep = "0"
      for _, level in ipairs(bybit.sandbox:book(symbol).asks) do deep = smc.decimal.add(deep, level[2]) end
      assert(bybit:place { symbol = symbol, side = "buy", type = "market", qty = smc.decimal.div(deep, "2", 0) })
      smc.sleep(1)
    end
    local held = bybit.sandbox:positions()

    stop_and_close()

    accounts.assert_flat(venues)
    local sold = "0"
    for _, order in ipairs(bybit.sandbox:orders { symbol = symbol, side = "sell" }) do
      sold = smc.decimal.add(sold, order.filled)
    end
    for _, position in ipairs(held) do
      if position.symbol == symbol then assert.equal(position.qty, sold) end
    end
    assert.is_true(guard:history()[1].closing.venues[1].attempts > 1)
  end)
end)
