-- smc.risk: what the guard sees of real accounts, and what it lets through.  What it does: test_risk_trip_law.lua.
local smc = require "smc"
local risk_world = require "risk_world"
local decimal = smc.decimal
local task = require "smc.core.task"
local view = require "smc.risk.view"

local PERP, order, opened, guarded, tripped = risk_world.PERP, risk_world.order, risk_world.opened, risk_world.guarded,
  risk_world.tripped

local function middle(venue, symbol)
  local book = venue.sandbox:book(symbol, 1)
  return decimal.div(decimal.add(book.bids[1][1], book.asks[1][1]), "2")
end

describe("what a guard sees", function()
  it("of a spot account is money and assets at the middle of their books", function()
    local venue = opened("binance", { BTC = "2", ETH = "3", USDT = "1000" })
    local guard = assert(smc.risk { venues = { venue }, max_exposure = "1" })
    local btc, eth = middle(venue, "BTC/USDT"), middle(venue, "ETH/USDT")
    local worth = decimal.add("1000", decimal.add(decimal.mul("2", btc), decimal.mul("3", eth)))
    assert.same({ worth, "0" }, { guard:figures().equity, guard:figures().exposure })
    guard = assert(smc.risk { venues = { venue }, assets = { "USDT", "ETH" } })
    assert.equal(decimal.add("1000", decimal.mul("3", eth)), guard:figures().equity)
  end)

  it("of contracts is the wallet, their profit, and their size at the mark", function()
    local guard, venue = guarded { max_exposure = "100000", max_concentration = "9" }
    assert(venue:place(order { side = "sell" }))
    venue.sandbox:move(PERP.symbol, { by = "0.02" })
    local seen = assert(guard:check())
    local p = assert(venue:positions())[1]
    assert.is_true(decimal.lt(p.unrealized, "-500"))
    assert.equal(decimal.add(venue:balances().USDT.total, p.unrealized), seen.equity)
    assert.equal(decimal.mul("0.5", p.mark), seen.exposure)
    assert.equal(decimal.div(seen.exposure, seen.equity, 18, "up"), seen.concentration)
  end)

  it("of currencies is their size at home, whichever way they are quoted", function()
    local venue = opened "oanda"
    local guard = assert(smc.risk { venues = { venue }, max_exposure = "100000" })
    local function exposure() return assert(guard:check()).exposure end
    assert(venue:place { symbol = "USD/JPY", side = "sell", type = "market", qty = "700" })
    assert.equal("700", exposure())
    assert(venue:place { symbol = "EUR/GBP", side = "buy", type = "market", qty = "1000" })
    assert.equal(decimal.add("700", decimal.mul("1000", middle(venue, "EUR/USD"))), exposure())
    local held = "0"
    for _, p in ipairs(venue.sandbox:positions()) do held = decimal.add(held, p.unrealized) end
    assert.equal(decimal.add("20000", held), guard:figures().equity)
  end)

  it("is added up over venues", function()
    local guard = assert(smc.risk { venues = { opened("binance", { USDT = "1.1" }), opened("bybit", { USDT = "2.2" }),
      opened("oanda", { USD = "3.3" }) } })
    assert.equal("6.6", guard:figures().equity)
  end)

  it("keeps the peak for ever and the start of a day for a day", function()
    local true_wall = task.wall_ms
    finally(function() task.wall_ms = true_wall end)
    local seen = view.new({ smc.venue "bybit" }, { currency = "USD", par = {}, stale_after = 5, error_window = 60 })
    local function becomes(equity, day)
      task.wall_ms = function() return true_wall() + math.tointeger(day * 86400000) end
      seen.accounts[1].reading = { equity = equity, held = {} }
      local judged = seen:judged(true)
      return { judged.equity, judged.peak, judged.day_start }
    end
    assert.same({ "30000", "30000", "30000" }, becomes("30000", 0.25))
    assert.same({ "25000", "30000", "30000" }, becomes("25000", 0.75))
    assert.same({ "24000", "30000", "24000" }, becomes("24000", 1))
    assert.same({ "23000", "30000", "24000" }, becomes("23000", 1.5))
  end)

  it("gives no guard when it is nothing", function()
    local venue = opened "bybit"
    venue:fault { venue = "down" }
    local guard, err = smc.risk { venues = { venue } }
    assert.same({ nil, "network", "bybit" }, { guard, err.class, err.venue })
    local binance = opened("binance", { BTC = "1" })
    guard, err = smc.risk { venues = { binance }, par = false }
    assert.same({ nil, "no_price" }, { guard, err.code })
  end)
end)

describe("an open guard", function()
  it("lets only what reduces through, and says who refused", function()
    local guard, venue = tripped()
    for _, refused in ipairs { order {}, order { reduce_only = false }, order { symbol = "BTC/USDT", qty = "0.1" },
      order { symbol = "BTC/USDT", side = "sell", qty = "0.1" } } do
      local placed, err = venue:place(refused)
      assert.same({ nil, "circuit_open", "risk_guard", "bybit", "place" }, { placed, err.class, err.code, err.venue,
        err.op })
      assert.equal("circuit_open", select(2, guard:may_place(refused)).class)
    end
    local amended, err = venue:amend { symbol = PERP.symbol, id = "1", qty = "1" }
    assert.same({ nil, "risk_guard", "amend" }, { amended, err.code, err.op })
    assert.equal(0, #venue:requests { op = "amend" })
    assert.is_true(guard:may_place(order { reduce_only = true }))
    local _, none = venue:place(order { reduce_only = true, side = "sell" })
    assert.are_not.equal("risk_guard", none.code, "it went to the venue, which has nothing to reduce")
    assert.is_not_nil(venue:cancel_all())
  end)

  it("lets assets be sold that are owned", function()
    local venue = opened("binance", { BTC = "0.5", USDT = "1000" })
    local guard = assert(smc.risk { venues = { venue }, max_drawdown = "0.5" })
    guard:set_limits { max_drawdown = "0.001" }
    venue.sandbox:move("BTC/USDT", { by = "-0.01" })
    eventually(function() assert.equal("open", guard.state) end)
    local sale = { symbol = "BTC/USDT", side = "sell", type = "market", qty = "0.5" }
    assert.equal("risk_guard", select(2, venue:place(order({ qty = "0.6" }, sale))).code)
    assert.equal("filled", assert(venue:place(sale)).status)
  end)

  it("is nothing to orders once it is closed, and one of two is enough to refuse", function()
    local guard, venue = tripped()
    local other = assert(smc.risk { venues = { venue } })
    assert.equal("closed", other.state)
    assert.equal("risk_guard", select(2, venue:place(PERP)).code)
    guard:close()
    guard:close()
    assert.equal("filled", assert(venue:place(PERP)).status)
    other:stop "enough"
    assert.equal("risk_guard", select(2, venue:place(PERP)).code)
  end)

  it("blames wrong use of place on its caller, as ever", function()
    local _, venue = guarded {}
    for _, call in ipairs { "place", "amend" } do
      local ok, err = pcall(function() venue[call](venue, { symbol = "BTC/USDT", colour = "red" }) end)
      assert.is_false(ok)
      assert.matches("test_risk_guard.lua:%d+: " .. call .. ": unknown key 'colour'", err)
    end
  end)
end)

describe("what a guard sends to get out", function()
  it("goes before everything that waits at the limit of a venue", function()
    local guard, venue = guarded({ max_exposure = "1000000", check_every = 600 },
      { limiter = { requests = { limit = 5, per = 1, burst = 5 } }, priority = "low" })
    assert(venue:place(PERP))
    local busy, waiting = smc.venue("bybit", { limiter = venue.limiter, priority = "high" }), {}
    for i = 1, 100 do waiting[i] = smc.spawn(function() return busy:time() end) end

    guard:stop "out of here"
    eventually(function() assert.is_false(guard.is_closing) end)

    assert.same({}, venue.sandbox:positions())
    assert.is_true(busy.limiter:waiting() > 50, busy.limiter:waiting() .. " of 100 still wait")
    for _, waits in ipairs(waiting) do waits:cancel() end
  end)

  it("stays here while somebody holds the breaker open", function()
    local guard, venue = guarded { max_exposure = "1000000", check_every = 600, close_within = 5 }
    assert(venue:place(PERP))
    venue.breaker:force "open"
    guard:stop "out of here"
    eventually(function() assert.is_false(guard.is_closing) end, { within = 10 })
    local closing = guard:history()[1].closing
    assert.is_false(closing.flat)
    assert.matches("circuit_open", closing.venues[1].errors[1])
    assert.equal(1, #venue.sandbox:positions())
  end)
end)

describe("a trade in a row of those that lost", function()
  for name, its in pairs { bybit = { "BTC/USDT:USDT", "0.1", "59500", "59400", "58800" },
    oanda = { "EUR/USD", "1000", "1.07500", "1.07400", "1.07000" } } do
    it("counts at " .. name .. ", though its order rested before the guard was there, and no look saw it", function()
      local symbol, qty, price, fills, loses = table.unpack(its)
      local venue, other = opened(name), smc.venue(name)
      local resting = order({ symbol = symbol, qty = qty, type = "limit", price = price })
      local id = assert(venue:place(resting)).id
      local guard = assert(smc.risk { venues = { venue }, max_consecutive_losses = 5, check_every = 30 })
      venue.sandbox:move(symbol, { to = fills })
      eventually(function() assert.equal("filled", assert(venue:order { symbol = symbol, id = id }).status) end)
      venue.sandbox:move(symbol, { to = loses })
      assert(other:place { symbol = symbol, side = "sell", type = "market", qty = qty, reduce_only = true })
      assert.same({}, assert(venue:positions()))
      smc.sleep(40)
      assert.equal(1, guard:figures().losses)
    end)
  end
end)

describe("getting flat because somebody asked for it", function()
  it("is done for each who asks, and each is told how it ended", function()
    local guard, venue = guarded { max_exposure = "1000000", check_every = 600 }
    assert(venue:place(PERP))
    venue:fault { link = "latency", latency = 0.2 }
    local ends = smc.all(3, function() return guard:flatten() end)
    assert.same({ true, true, true }, { ends[1].flat, ends[2].flat, ends[3].flat })
    assert.same(ends, { guard:history()[1].closing, guard:history()[2].closing, guard:history()[3].closing })

    local stopping = smc.spawn(function() return guard:flatten() end)
    smc.sleep(0.1)
    guard:stop "enough"
    assert.is_true(guard:flatten().flat)
    assert.is_true(stopping:join().flat)
  end)

  it("does not stand for what has to be closed when the guard opens meanwhile", function()
    for n = 1, 12 do -- the moment when an order comes and then the guard opens
      local guard, venue = guarded { max_exposure = "1000000", check_every = 600 }
      venue:fault { link = "latency", latency = 0.1 }
      local flattening = smc.spawn(function() return guard:flatten() end)
      smc.sleep(n * 0.1)
      local placing = smc.spawn(function() return venue:place(PERP) end)
      smc.sleep(0.01)
      guard:stop "enough"
      flattening:join()
      placing:join()
      eventually(function() assert.is_false(guard.is_closing) end, { within = 10 })
      assert.same({}, venue.sandbox:positions(), ("opened after %g s"):format(n * 0.1))
      guard:close()
      venue:heal()
    end
  end)
end)

describe("the end of a spec", function()
  it("ends a guard that is open and can't get flat", function()
    local guard, venue = guarded { max_exposure = "10000", alert = smc.webhook() }
    assert(venue:place(PERP))
    venue.sandbox:halt(PERP.symbol)
    eventually(function() assert.is_true(guard.is_closing) end)
  end)
end)
