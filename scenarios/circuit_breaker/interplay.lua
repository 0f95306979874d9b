-- A breaker among the other mechanisms: what a limiter keeps back is no failure, a refusal for a limit is no fault of
-- the venue, and an open breaker sends a group on, while an open risk guard sends nobody anywhere.
local accounts = require "lib.accounts"
local smc = require "smc"

--- The budget of which each call here costs one.
local BUDGETS = { binance = "raw_requests", bybit = "requests", oanda = "requests" }

for name, budget in pairs(BUDGETS) do
  describe("breaker and limits of " .. name .. " #circuit-breaker #virtual-time #" .. name, function()
    local breaker
    before_each(function() breaker = smc.breaker { size = 4, min_calls = 4, failure_rate = 0.5, open = 20 } end)

    it("takes what the limiter keeps back for no failure", function()
      local venue = smc.venue(name, { breaker = breaker, wait = 0,
        limiter = { [budget] = { limit = 1, per = 10, burst = 1 } } })
      assert(venue:time())
      for _ = 1, 10 do assert.equal("not_sent", select(2, venue:time()).code) end
      assert.same({ "closed", 0, 0 }, { breaker.state, breaker.changes, breaker.permits })
      assert.same({ 0, 100 }, { venue.health.failures, venue.health.score })
    end)

    it("sends none of those that wait at the limiter when it opens, and charges them nothing", function()
      local limiter = { [budget] = { limit = 1, per = 1, burst = 4 } }
      local venue = smc.venue(name, { breaker = breaker, limiter = limiter })
      venue:fault { venue = "http", status = 503, on = "time" }
      local start = smc.now()
      local classes = smc.all(10, function() return select(2, venue:time()).class end)
      assert.equal("open", breaker.state)
      assert.equal(4, #venue.sandbox:requests())
      local count = { server = 0, circuit_open = 0 }
      for _, class in ipairs(classes) do count[class] = count[class] + 1 end
      assert.same({ server = 4, circuit_open = 6 }, count)
      assert.near(1, smc.now() - start, 0.01) -- the first one waits for what is due, the others find it given back
      assert.equal(3, venue.limiter:usage(budget).used)

      venue:heal()
      smc.sleep(20)
      assert.equal(0, venue.limiter:usage(budget).used)
      assert(venue:time())
    end)

    it("stays closed while the venue refuses for a limit, for it is there", function()
      local refusal = name == "bybit" and { status = 200, code = 10006 } or { status = 429 }
      for _, given in ipairs { breaker, { size = 4, min_calls = 4, failure_rate = 0.5 } } do
        local venue = smc.venue(name, { breaker = given, limiter = false, obey_limits = false })
        venue:fault { venue = "http", status = refusal.status, code = refusal.code, on = "balances", count = 8 }
        for _ = 1, 8 do assert.equal("rate_limit", select(2, venue:balances()).class) end
        assert.equal("closed", venue.breaker.state)
        assert(venue:balances())
      end
    end)
  end)
end

describe("a breaker in a failover group #circuit-breaker #virtual-time #binance #bybit", function()
  local binance, bybit, group

  before_each(function()
    binance = smc.venue("binance", { breaker = { size = 3, min_calls = 3, failure_rate = 1, open = 10 } })
    bybit = smc.venue "bybit"
    group = smc.failover { binance, bybit, check_every = 2, failback = { after = 6 }, cooldown = 5 }
    assert(group:ticker "BTC/USDT")
    binance:fault { venue = "http", status = 500, on = "ticker" }
    for _ = 1, 3 do group:ticker "BTC/USDT" end
  end)

  it("sends the group on as soon as it is open, and the venue has its peace", function()
    assert.equal("open", binance.breaker.state)
    assert.same({ bybit, "breaker" }, { group.active, group:history()[1].cause })
    local arrived = #binance.sandbox:requests()
    for _ = 1, 10 do assert(group:ticker "BTC/USDT") end
    assert.equal(arrived, #binance.sandbox:requests())
  end)

  it("lets the group come back once it has closed again, and the venue has been well for a while", function()
    binance:heal()
    smc.sleep(9)
    assert.equal(bybit, group.active)
    eventually(function() assert.equal(binance, group.active) end, { within = 45, every = 1 })
    assert.equal("closed", binance.breaker.state)
    assert(group:ticker "BTC/USDT")
    assert.equal(2, #group:history())
  end)
end)

describe("a risk guard over a failover group #circuit-breaker #virtual-time #binance #bybit", function()
  it("stops orders everywhere, moves nothing, and leaves prices to be read", function()
    local venues, binance, bybit = accounts.open { "binance", "bybit" }
    local group = smc.failover { binance, bybit, check_every = 2, failback = "manual" }
    local guard = accounts.guard(venues, { stale_after = 50, check_every = 600 })
    binance:fault { venue = "down" }
    eventually(function() assert.equal(bybit, group.active) end, { within = 10 })

    guard:stop "a crash while one venue is away"
    eventually(function() assert.same({}, bybit.sandbox:positions()) end)

    for _ = 1, 3 do
      local order, err = group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
        price = "50000" }
      assert.is_nil(order)
      assert.equal("risk_guard", err.code)
      smc.sleep(2)
    end
    assert.same({ bybit, 1 }, { group.active, #group:history() })
    assert(group:ticker "BTC/USDT")
    assert.is_true(guard.is_closing, "what is held at the venue that is away is not forgotten")

    binance:heal()
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
    accounts.assert_flat(venues)
    assert.is_true(guard:history()[1].closing.flat)
  end)

  it("is not got round by an order that has waited, when the group has gone on meanwhile", function()
    local binance, bybit = smc.venue "binance", smc.venue "bybit"
    local group = smc.failover { binance, bybit, check_every = 60 }
    local guard = assert(smc.risk { venues = { binance }, max_drawdown = "0.1", check_every = 600 })
    binance.limiter:hold(2)
    local placing = smc.spawn(function()
      return group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "50000" }
    end)
    smc.sleep(1)
    guard:stop "a crash"
    assert(group:switch(bybit))

    local order, err = placing:join()

    assert.is_nil(order)
    assert.same({ "risk_guard", "binance" }, { err.code, err.venue })
    assert.same({}, bybit:requests { op = "place" })
  end)
end)
