-- Value at risk and correlation, by returns that are known.  A number that can't tell gains from losses stops a
-- strategy on its best day; one that compares an asset with itself never lets it trade.
local smc = require "smc"

describe("value at risk #circuit-breaker #virtual-time #binance", function()
  local venue, guard

  --- Lets the account make these returns, one from each regular look of the guard to the next.
  local function live_through(limit, returns)
    venue = smc.venue "binance"
    local equity = "1000000"
    venue.sandbox:fund { USDT = equity }
    guard = assert(smc.risk { venues = { venue }, max_var = limit })
    smc.sleep(0.5)
    for _, r in ipairs(returns) do
      equity = smc.decimal.mul(equity, smc.decimal.add("1", r), 8)
      venue.sandbox:fund { USDT = equity }
      smc.sleep(1)
    end
  end

  --- So many times the same few.
  local function times(n, few)
    local all = {}
    for _ = 1, n do
      for _, r in ipairs(few) do all[#all + 1] = r end
    end
    return all
  end

  local QUIET = { "0.01", "-0.005", "0.008", "-0.003", "0.012" }
  local WILD = { "-0.05", "-0.03", "-0.02", "-0.04", "-0.01" }
  local GAINS = { "0.06", "0.07", "0.08", "0.09", "0.10" }

  it("of a quiet account is below the limit", function()
    live_through(0.03, times(4, QUIET))
    assert.equal("closed", guard.state)
    assert.near(0.005, guard:figures().var, 1e-8)
  end)

  it("of a wild account opens the guard, and nothing else has to", function()
    live_through(0.048, times(4, WILD))
    assert.equal("open", guard.state)
    assert.same({ "var" }, guard:history()[1].causes)
    assert.near(0.05, guard:history()[1].seen.var, 1e-8)
  end)

  it("of an account that only gains is nothing", function()
    live_through(0.0001, times(4, GAINS))
    assert.equal("closed", guard.state)
    assert.equal(0, guard:figures().var)
  end)

  it("lies between the two losses that part the worst 5 percent from the rest", function()
    local returns = {}
    for i = 1, 20 do returns[i] = ("-0.%02d"):format(i) end
    live_through(1, returns)
    assert.near(0.1905, guard:figures().var, 1e-7) -- 0.95 of the way from 0.20 to 0.19
  end)

  it("is made of regular looks: those in between are none", function()
    live_through(0.01, times(1, WILD))
    for _ = 1, 30 do assert(guard:check()) end
    assert.equal("closed", guard.state)
    assert.is_nil(guard:figures().var)
    smc.sleep(15)
    assert.equal(0, guard:figures().var and 0)
  end)

  it("is not judged before there are twenty returns", function()
    local returns = times(4, WILD)
    local last = table.remove(returns)
    live_through(0.01, returns)
    assert.equal("closed", guard.state)
    venue.sandbox:fund { USDT = smc.decimal.mul(guard:figures().equity, smc.decimal.add("1", last), 8) }
    smc.sleep(1)
    assert.equal("open", guard.state)
  end)
end)

describe("correlation #circuit-breaker #virtual-time #bybit", function()
  --- How each asset goes, in twenty looks: up and down in fours, against that, and in steps of their own.
  local STEPS = {
    along = function(i) return i % 4 < 2 and "0.02" or "-0.02" end,
    against = function(i) return i % 4 < 2 and "-0.02" or "0.02" end,
    apart = function(i) return i % 2 == 0 and "0.02" or "-0.02" end,
  }

  --- Lives through them; eth: how ETH goes while BTC goes "along".  Without it only BTC is held.
  local function live_through(limit, eth)
    local venue = smc.venue "bybit"
    assert(venue:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.1" })
    if eth then assert(venue:place { symbol = "ETH/USDT:USDT", side = "buy", type = "market", qty = "1" }) end
    local guard = assert(smc.risk { venues = { venue }, max_correlation = limit, assets = { "USDT" } })
    smc.sleep(0.5)
    for i = 1, 21 do
      venue.sandbox:move("BTC/USDT:USDT", { by = STEPS.along(i) })
      if eth then venue.sandbox:move("ETH/USDT:USDT", { by = STEPS[eth](i) }) end
      smc.sleep(1)
    end
    return guard, venue
  end

  for _, eth in ipairs { "along", "against" } do
    it("of two assets that go " .. eth .. " each other is beyond 0.8", function()
      local guard = live_through(0.8, eth)
      assert.equal("open", guard.state)
      assert.same({ "correlation" }, guard:history()[1].causes)
      assert.is_true(guard:history()[1].seen.correlation > 0.95, guard:history()[1].seen.correlation)
    end)
  end

  it("of two that go their own ways is not", function()
    local guard = live_through(0.8, "apart")
    assert.equal("closed", guard.state)
    assert.is_true(guard:figures().correlation < 0.4, guard:figures().correlation)
  end)

  it("of one asset with itself does not count", function()
    local guard = live_through(0.01)
    assert.equal("closed", guard.state)
    assert.equal(0, guard:figures().correlation)
  end)

  it("of what is not held any more does not count", function()
    local guard, venue = live_through(1, "along")
    assert.is_true(guard:figures().correlation > 0.95)
    assert(venue:flatten "ETH/USDT:USDT")
    smc.sleep(1)
    assert.equal(0, guard:figures().correlation)
  end)
end)
