-- What makes a group leave a venue, and that just less of it does not.  What each venue does when it is in trouble is
-- in triggers_by_venue.lua.
local smc = require "smc"

--- The other triggers, switched off.
local function only(triggers)
  local all = { connection = false, breaker = false, errors = false, rate_limit = false, latency = false,
    stream_stale = false, health = false }
  for name, value in pairs(triggers) do all[name] = value end
  return all
end

describe("a failover group leaves a venue #failover #virtual-time #binance #bybit", function()
  local binance, bybit
  before_each(function() binance, bybit = smc.venue "binance", smc.venue "bybit" end)

  local function group_with(triggers)
    return smc.failover { binance, bybit, check_every = 5, triggers = only(triggers) }
  end

  --- Waits until the group has left binance; returns why.
  local function why_left(group, within)
    eventually(function() assert.equal("failed_over", group.state) end, { within = within, every = 1 })
    assert.equal(bybit, group.active)
    return group:history()[1]
  end

  it("that has not been there for a while, but not after a blink", function()
    local group = group_with { connection = { ["for"] = 12 } }
    binance:fault { venue = "down" }
    smc.sleep(11)
    binance:heal()
    smc.sleep(6)
    assert.equal(binance, group.active)
    binance:fault { venue = "down" }
    local began = smc.now()
    assert.equal("connection", why_left(group, 25).cause)
    assert.is_true(smc.now() - began >= 12)
  end)

  it("that fails five calls in a row, though it answers checks in between", function()
    local group = group_with { errors = true }
    binance:fault { venue = "status", on = "ticker", status = 500 }
    for _ = 1, 4 do
      assert.equal("server", select(2, group:ticker "BTC/USDT").class)
      smc.sleep(6)
    end
    assert.equal(binance, group.active)

    assert(group:ticker "BTC/USDT") -- the fifth fails there, too, and is answered by the next one

    local event = why_left(group, 0)
    assert.same({ "errors", 5, "server" }, { event.cause, event.value, event.error.class })
  end)

  it("but not for failures that a success lies between, and for those that a refusal does", function()
    binance = smc.venue("binance", { obey_limits = false, breaker = false })
    local group = group_with { errors = true }
    local function fail(times, status)
      binance:fault { venue = "status", on = "ticker", status = status, times = times }
      for _ = 1, times do assert.is_nil((group:ticker "BTC/USDT")) end
    end
    fail(4, 500)
    assert(group:ticker "BTC/USDT")
    fail(4, 500)
    fail(1, 429)
    assert.equal(binance, group.active)
    binance:fault { venue = "status", on = "ticker", status = 500 }
    assert(group:ticker "BTC/USDT")
    assert.same({ "errors", 5 }, { why_left(group, 0).cause, group:history()[1].value })
  end)

  it("but not for checks that are answered with an error: it is there", function()
    local group = group_with { connection = true }
    binance:fault { venue = "status", status = 500 }
    smc.sleep(11)
    assert.same({ binance, 0 }, { group.active, #group:history() })
    assert.equal("server", select(2, group:ticker "BTC/USDT").class)
    binance:fault { venue = "down" }
    assert.equal("connection", why_left(group, 7).cause)
  end)

  it("but not for checks that its own limits have kept back", function()
    local group = smc.failover { binance, bybit, check_every = 1, check_timeout = 0.9 }
    smc.sleep(3)
    assert.is_true(#binance:requests { op = "ping" } >= 2)
    binance.limiter:hold(20)
    smc.sleep(15)
    assert.same({ binance, 0, true }, { group.active, #group:history(), group:is_up(binance) })
    assert(group:ticker "BTC/USDT")
    assert.equal(1, #binance:requests { op = "ticker" })
  end)

  it("but not for errors that are the caller's own", function()
    local group = group_with { errors = { over = 1 } }
    for _ = 1, 10 do assert.equal("invalid_request", select(2, group:ticker "NO/SUCH").class) end
    assert.equal(binance, group.active)
    binance:fault { venue = "status", on = "ticker", status = 500 }
    assert(group:ticker "BTC/USDT")
    assert.equal(bybit, group.active)
  end)

  it("that has been slow on average for half a minute", function()
    local group = group_with { latency = { over = 0.5, ["for"] = 30 } }
    binance:fault { venue = "slow", seconds = 1.5, times = 1 }
    assert(group:ticker "BTC/USDT")
    assert.equal(binance, group.active)
    binance:fault { link = "latency", latency = 1.5 }
    local began = smc.now()
    local event = why_left(group, 55)
    assert.equal("latency", event.cause)
    assert.is_true(event.value >= 0.5 and event.value <= 1.5, event.value)
    assert.is_true(smc.now() - began >= 30)
  end)

  it("whose health is as bad as was said, and not a point better", function()
    binance = smc.venue("binance", { obey_limits = false, health = { limit_max = 10 } }) -- a refusal costs 10 points
    local group = group_with { health = { under = 30, ["for"] = 0 } }
    local function refuse(times)
      binance:fault { venue = "status", on = "ticker", status = 429, times = times }
      for _ = 1, times do group:ticker "BTC/USDT" end
    end
    refuse(6)
    assert.same({ 40, binance }, { binance.health.score, group.active })
    refuse(1)
    local event = why_left(group, 0)
    assert.same({ "health", 30 }, { event.cause, event.value })
  end)

  it("whose health has been bad for a while", function()
    local group = group_with { health = { under = 30, ["for"] = 10 } }
    binance:fault { venue = "status", on = "ticker", status = 500, times = 4 }
    for _ = 1, 4 do group:ticker "BTC/USDT" end
    assert.is_true(binance.health.score <= 30, binance.health.score)
    assert.equal(binance, group.active)
    binance:fault { venue = "down" } -- nothing gets better meanwhile
    local event = why_left(group, 25)
    assert.equal("health", event.cause)
    assert.is_true(event.value <= 30, event.value)
  end)
end)
