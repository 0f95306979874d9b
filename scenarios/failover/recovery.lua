-- When a venue that went down counts as up again: not for one good answer, and not before it is as well as is asked.
local smc = require "smc"

describe("a venue that a group has left #failover #virtual-time #binance #bybit", function()
  local binance, bybit
  before_each(function() binance, bybit = smc.venue "binance", smc.venue "bybit" end)

  --- Binance fails until the group has left it, and is healed then.
  local function fail(group)
    binance:fault { venue = "down" }
    eventually(function() assert.equal("failed_over", group.state) end, { every = 0.5 })
    assert.is_false(group:is_up(binance))
    binance:heal()
  end

  --- Seconds until binance is up again.
  local function seconds_until_up(group)
    local began = smc.now()
    eventually(function() assert.is_true(group:is_up(binance)) end, { within = 50, every = 0.25 })
    return smc.now() - began
  end

  it("is not up for one answer, but for answers as long as is asked", function()
    local group = smc.failover { binance, bybit, check_every = 1, recover = { score = 0, ["for"] = 4 } }
    fail(group)
    assert(binance:ping())
    smc.sleep(2.5)
    assert.is_false(group:is_up(binance))
    local seconds = 2.5 + seconds_until_up(group)
    assert.is_true(seconds >= 4 and seconds <= 6, seconds)
    assert.equal(bybit, group.active) -- whether to go back is another question
  end)

  it("begins anew when it fails meanwhile", function()
    local group = smc.failover { binance, bybit, check_every = 1, recover = { score = 0, ["for"] = 4 } }
    fail(group)
    smc.sleep(3)
    binance:fault { venue = "down", for_ = 1.5 }
    local seconds = seconds_until_up(group)
    assert.is_true(seconds >= 4 and seconds <= 7.5, seconds)
    assert.equal(1, #group:history())
  end)

  it("is not up before its health is as good as is asked, though it answers", function()
    local group = smc.failover { binance, bybit, check_every = 1, recover = { score = 80, ["for"] = 0 } }
    fail(group)
    local answered = 0
    eventually(function()
      answered = answered + 1
      assert.is_true(group:is_up(binance))
    end, { within = 50, every = 1 })
    assert.is_true(answered > 3, "a failure and a success are no health of 80")
    assert.is_true(binance.health.score >= 80, binance.health.score)
  end)

  it("is up with just the health that is asked, and not with a point less", function()
    binance = smc.venue("binance", { obey_limits = false, health = { limit_max = 10, window = 1 } })
    binance:fault { venue = "status", on = "ticker", status = 429, times = 5 }
    for _ = 1, 5 do binance:ticker "BTC/USDT" end -- each costs 10 points
    for _, row in ipairs { { 51, false }, { 50, true } } do
      local group = smc.failover { binance, bybit, check_every = 1, recover = { score = row[1], ["for"] = 0 } }
      fail(group)
      smc.sleep(3)
      assert.same({ 50, row[2] }, { binance.health.score, group:is_up(binance) })
      group:close()
    end
  end)

  it("is up with less health where less is asked", function()
    local group = smc.failover { binance, bybit, check_every = 1, recover = { score = 30, ["for"] = 0 } }
    fail(group)
    seconds_until_up(group)
    assert.is_true(binance.health.score < 80, binance.health.score)
  end)
end)

describe("a venue to which a switch failed #failover #virtual-time #binance #bybit #oanda", function()
  local binance, bybit, oanda, group

  -- Bybit answers, but its streams can't be opened: the group may not rest there.
  before_each(function()
    binance, bybit, oanda = smc.venue "binance", smc.venue "bybit", smc.venue "oanda"
    group = smc.failover { binance, bybit, oanda, check_every = 1, recover = { ["for"] = 5 } }
    bybit:fault { venue = "status", on = "user_stream", path = "/v5/private", status = 503, times = 1 }
  end)

  it("is down, and is not tried again before it has recovered", function()
    local account <close> = assert(group:user_stream())
    assert.is_nil((group:switch(bybit)))

    assert.is_false(group:is_up(bybit))
    assert.equal("down", select(2, group:switch(bybit)).code)
    assert.same({ binance, true }, { group.active, account:connected() })

    eventually(function() assert.is_true(group:is_up(bybit)) end, { within = 8, every = 1 })
    assert(group:switch(bybit))
    assert.equal(bybit, group.active)
  end)

  it("is passed over when the active one fails next", function()
    local account <close> = assert(group:user_stream())
    assert.is_nil((group:switch(bybit)))
    binance:fault { venue = "down" }
    eventually(function() assert.equal(oanda, group.active) end, { every = 0.5 })
    assert.same({ "manual", "connection" }, { group:history()[1].cause, group:history()[2].cause })
    assert.same({ false, true }, { group:history()[1].ok, group:history()[2].ok })
    assert.is_true(account:connected())
  end)
end)
