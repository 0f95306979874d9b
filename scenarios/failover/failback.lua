-- When a group goes back: by itself or not, and never too soon.
local smc = require "smc"

describe("failback #failover #virtual-time #binance #bybit", function()
  local binance, bybit
  before_each(function() binance, bybit = smc.venue "binance", smc.venue "bybit" end)

  --- Seconds from now until binance is active again.
  local function seconds_until_back(group)
    local began = smc.now()
    eventually(function() assert.equal("normal", group.state) end, { within = 50, every = 2 })
    assert.equal(binance, group.active)
    return smc.now() - began
  end

  local function fail(group)
    binance:fault { venue = "down" }
    eventually(function() assert.equal("failed_over", group.state) end, { every = 1 })
    binance:heal()
  end

  it("is left to people unless it is asked for", function()
    local group = smc.failover { binance, bybit, check_every = 2, failback = "manual", cooldown = 0 }
    fail(group)
    smc.sleep(30)
    assert.is_true(group:is_up(binance))
    assert.equal(bybit, group.active)

    assert(group:switch(binance))

    assert.same({ binance, "normal" }, { group.active, group.state })
    assert.equal("manual", group:history()[2].cause)
  end)

  it("comes by itself once the better venue has been up for long enough", function()
    local group = smc.failover { binance, bybit, check_every = 2, recover = { ["for"] = 4 }, cooldown = 0,
      failback = { after = 4 } }
    fail(group)
    local seconds = seconds_until_back(group)
    assert.is_true(seconds >= 8 and seconds <= 14, seconds)
    assert.equal("failback", group:history()[2].cause)
  end)

  it("waits anew when the better venue fails again meanwhile", function()
    local group = smc.failover { binance, bybit, check_every = 2, recover = { ["for"] = 4 }, cooldown = 0,
      failback = { after = 4 } }
    fail(group)
    smc.sleep(6)
    binance:fault { venue = "down" }
    smc.sleep(3)
    binance:heal()
    assert.is_true(seconds_until_back(group) >= 7)
    assert.equal(2, #group:history())
  end)

  it("does not come before the group has cooled down", function()
    local group = smc.failover { binance, bybit, check_every = 2, recover = { ["for"] = 2 }, cooldown = 14,
      failback = { after = 0 } }
    fail(group)
    local seconds = seconds_until_back(group)
    assert.is_true(seconds >= 13 and seconds <= 17, seconds)
  end)

  it("does not undo what was done by hand", function()
    local group = smc.failover { binance, bybit, check_every = 2, cooldown = 0, failback = { after = 1 } }
    assert(group:switch(bybit))
    smc.sleep(10)
    assert.equal(bybit, group.active)
    bybit:fault { venue = "down" }
    eventually(function() assert.equal("normal", group.state) end, { every = 1 })
    assert.same({ "manual", "connection" }, { group:history()[1].cause, group:history()[2].cause })
  end)

  it("goes to another venue by health only when that is clearly better", function()
    local group = smc.failover { binance, bybit, check_every = 2, select = "health", hysteresis = 30, cooldown = 0,
      failback = { after = 0 }, triggers = { latency = false } }
    binance:fault { venue = "slow", seconds = 0.6 }
    smc.sleep(20)
    local gap = bybit.health.score - binance.health.score
    assert.is_true(gap > 0 and gap <= 30, gap)
    assert.equal(binance, group.active)

    binance:heal()
    binance:fault { venue = "slow", seconds = 1.2 }

    eventually(function() assert.equal("failed_over", group.state) end, { within = 35, every = 2 })
    assert.equal("failback", group:history()[1].cause)
    assert.is_true(bybit.health.score - binance.health.score > 30)
  end)

  it("needs more than the gap that was asked for: at exactly that one it stays", function()
    binance = smc.venue("binance", { obey_limits = false }) -- each refusal costs 20 points of health
    local group = smc.failover { binance, bybit, check_every = 2, select = "health", hysteresis = 20, cooldown = 0,
      failback = { after = 0 }, triggers = { rate_limit = false } }
    binance:fault { venue = "status", on = "ticker", status = 429, times = 2 }
    group:ticker "BTC/USDT"
    smc.sleep(10)
    assert.same({ 100, 80 }, { bybit.health.score, binance.health.score })
    assert.equal(binance, group.active)

    group:ticker "BTC/USDT"

    eventually(function() assert.equal(bybit, group.active) end, { within = 5, every = 1 })
    assert.same({ "failback", 100 }, { group:history()[1].cause, group:history()[1].value })
  end)
end)
