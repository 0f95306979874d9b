-- One guard over three accounts: it gets all of them flat, whatever a venue refuses, and tells somebody once.
local smc = require "smc"

--- Three funded accounts.  options: of smc.venue.
local function three_accounts(options)
  local binance, bybit, oanda = smc.venue("binance", options), smc.venue("bybit", options), smc.venue("oanda", options)
  binance.sandbox:fund { USDT = "50000" }
  bybit.sandbox:fund { USDT = "50000" }
  oanda.sandbox:fund { USD = "50000" }
  return { binance, bybit, oanda }, binance, bybit, oanda
end

--- Each of them holds something and has an order in the market.
local function take_positions(binance, bybit, oanda)
  assert(binance:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.2" })
  assert(binance:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "50000" })
  assert(bybit:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.5" })
  assert(bybit:place { symbol = "ETH/USDT:USDT", side = "buy", type = "limit", qty = "0.1", price = "2500" })
  assert(oanda:place { symbol = "EUR/USD", side = "sell", type = "market", qty = "20000" })
  assert(oanda:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "100", price = "0.9" })
end

--- Nothing held and nothing open, as the venues themselves have it.
local function all_flat(venues)
  for _, venue in ipairs(venues) do
    assert.same({}, venue.sandbox:positions())
    assert.same({}, venue.sandbox:orders { status = "open" })
  end
  assert.is_nil(assert(venues[1]:balances()).BTC, "the assets of the spot account were sold")
end

describe("risk guard #circuit-breaker #binance #bybit #oanda", function()
  local venues, binance, bybit, oanda, inbox, guard

  before_each(function()
    venues, binance, bybit, oanda = three_accounts()
    inbox = smc.webhook()
    guard = assert(smc.risk { venues = venues, max_drawdown = "0.02", sell_assets = true, alert = inbox, trial = 3,
      stale_after = 30 })
    take_positions(binance, bybit, oanda)
  end)

  --- A fifth of what bybit holds is lost: 6000 of 150000.
  local function crash() bybit.sandbox:move("BTC/USDT:USDT", { by = "-0.2" }) end

  local function opens_and_gets_flat()
    eventually(function() assert.equal("open", guard.state) end, { within = 30 })
    eventually(function() assert.is_false(guard.is_closing) end, { within = 60 })
    all_flat(venues)
  end

  it("gets three venues flat when drawdown passes the limit, and tells someone once", function()
    assert.equal("closed", guard.state)
    crash()
    opens_and_gets_flat()

    assert.same({ "drawdown" }, guard:history()[1].causes)
    eventually(function() assert.equal(1, #inbox:messages { valid_signature = true, kind = "risk.open" }) end)
    assert.equal(1, #inbox:attempts())
  end)

  for name, exit in pairs { binance = "place", bybit = "place", oanda = "flatten" } do
    it("gets them flat when " .. name .. " refuses the first three closing orders", function()
      local refuses = smc.venue(name)
      refuses:fault { venue = "http", status = 503, on = exit, count = 3 }
      crash()
      opens_and_gets_flat()

      assert.equal(3, #refuses.sandbox:requests { status = 503 })
      for _, venue in ipairs(guard:history()[1].closing.venues) do
        assert.equal(venue.venue == name and 4 or 1, venue.attempts)
      end
      eventually(function() assert.equal(1, #inbox:messages { valid_signature = true }) end)
    end)
  end

  it("tells someone once whose server fails at first", function()
    inbox:fail { status = 500, count = 2 }
    crash()
    opens_and_gets_flat()

    eventually(function() assert.equal(1, #inbox:messages { valid_signature = true }) end, { within = 30 })
    assert.equal(3, #inbox:attempts { id = inbox:messages()[1].id })
  end)

  it("lets nothing but exits through while it is open", function()
    crash()
    opens_and_gets_flat()

    for _, venue in ipairs(venues) do
      local order, err = venue:place { symbol = venue == oanda and "EUR/USD" or "BTC/USDT", side = "buy",
        type = "market", qty = venue == oanda and "100" or "0.1" }
      assert.is_nil(order)
      assert.same({ "circuit_open", "risk_guard" }, { err.class, err.code })
    end
    all_flat(venues)

    local _, err = bybit:place { symbol = "BTC/USDT:USDT", side = "sell", type = "market", qty = "0.1",
      reduce_only = true }
    assert.equal("bybit", err.venue)
    assert.is_not_nil(err.http, "the venue itself has said that there is nothing to reduce: " .. tostring(err))
  end)

  it("lets a group of venues through no more than each of them", function()
    local group <close> = smc.failover { binance, bybit }
    crash()
    opens_and_gets_flat()

    local order, err = group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "50000" }
    assert.is_nil(order)
    assert.equal("risk_guard", err.code)
    assert.equal(binance, group.active, "a guard is no reason to switch")
    all_flat(venues)
  end)

  it("trades again after a reset and a trial", function()
    crash()
    opens_and_gets_flat()

    local ok, err = guard:reset()
    assert.is_nil(ok)
    assert.same({ "circuit_open", "violation_persists" }, { err.class, err.code })

    assert(guard:reset { by = "ann", reason = "the loss is understood", rebase = true })
    assert.equal("half_open", guard.state)
    assert(oanda:place { symbol = "EUR/USD", side = "buy", type = "market", qty = "100" })
    eventually(function() assert.equal("closed", guard.state) end, { within = 30 })
    local history = guard:history()
    assert.is_true(history[3].at - history[2].at >= 3, "as long as a trial lasts")
  end)

  it("opens again when the trial goes wrong", function()
    crash()
    opens_and_gets_flat()
    assert(guard:reset { rebase = true })

    assert(bybit:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.5" })
    crash()
    assert(guard:check())
    assert.equal("open", guard.state)
    opens_and_gets_flat()

    eventually(function() assert.equal(2, #inbox:messages { valid_signature = true, kind = "risk.open" }) end)
  end)

  it("stops everything when someone says so", function()
    assert.is_true(guard:stop "the desk is on fire")
    eventually(function() assert.is_false(guard.is_closing) end, { within = 60 })

    all_flat(venues)
    local order, err = bybit:place { symbol = "BTC/USDT:USDT", side = "sell", type = "market", qty = "0.1",
      reduce_only = true }
    assert.same({ nil, "risk_guard" }, { order, err.code })
    eventually(function() assert.equal(1, #inbox:messages { valid_signature = true, kind = "risk.stopped" }) end)
  end)
end)

describe("an emergency exit #circuit-breaker #virtual-time #binance #bybit #oanda", function()
  local venues, binance, bybit, oanda, guard

  before_each(function()
    local breaker = { size = 2, min_calls = 2, failure_rate = 1, open = 600 }
    venues, binance, bybit, oanda = three_accounts { breaker = breaker }
    guard = assert(smc.risk { venues = venues, max_drawdown = "0.02", sell_assets = true, check_every = 600 })
    take_positions(binance, bybit, oanda)
  end)

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

  it("does not wait for breakers that failures of before have opened", function()
    for _, venue in ipairs(venues) do open_breaker(venue) end

    local closing = stop_and_close()

    all_flat(venues)
    assert.is_true(closing.elapsed < 1, ("%.3f s"):format(closing.elapsed))
    for i, venue in ipairs(venues) do
      assert.equal(1, closing.venues[i].attempts)
      assert.equal("closed", venue.breaker.state, "what it was answered shows that the venue is there")
      assert(venue:balances())
    end
  end)

  it("leaves the breaker open when the venue still fails: everybody else goes on waiting", function()
    open_breaker(bybit)
    bybit:fault { venue = "http", status = 503 }
    assert.is_true(guard:stop "out of here")
    smc.sleep(5)
    assert.is_true(guard.is_closing)
    assert.equal("open", bybit.breaker.state)
    assert.equal("circuit_open", select(2, bybit:balances()).class)

    assert(bybit:heal())
    eventually(function() assert.is_false(guard.is_closing) end, { within = 20 })
    all_flat(venues)
    assert(bybit:balances())
  end)

  it("keeps quiet as long as the venue has asked for", function()
    binance:fault { venue = "http", status = 429, retry_after = 7, on = "balances", count = 1 }
    assert.equal("rate_limit", select(2, binance:balances()).class)
    local arrived = #binance.sandbox:requests()
    assert.is_true(guard:stop "out of here")
    smc.sleep(6.9)
    assert.equal(arrived, #binance.sandbox:requests())
    eventually(function() assert.is_false(guard.is_closing) end, { within = 5 })
    all_flat(venues)
    assert.near(7, guard:history()[1].closing.elapsed, 0.5)
  end)
end)
