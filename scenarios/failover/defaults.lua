-- What a group does where nobody says otherwise: after how long it leaves a venue, when that is up again, and when it
-- goes back.  triggers.lua, recovery.lua and failback.lua show the same with numbers of their own.
local smc = require "smc"

describe("a failover group that was told nothing #failover #virtual-time #binance #bybit", function()
  local binance, bybit
  before_each(function() binance, bybit = smc.venue "binance", smc.venue("bybit", { obey_limits = false }) end)

  --- A group with this trigger as it is, and no other.
  local function group_with(trigger)
    local only = { connection = false, breaker = false, errors = false, rate_limit = false, latency = false,
      stream_stale = false, health = false }
    only[trigger] = true
    return smc.failover { binance, bybit, check_every = 1, triggers = only }
  end

  --- It stays for so many seconds from now, and is gone two seconds later.
  local function is_left_after(group, seconds)
    smc.sleep(seconds - 1)
    assert.equal(binance, group.active)
    smc.sleep(2.5)
    assert.equal(bybit, group.active)
  end

  it("leaves a venue that has been slower than a second on average for half a minute", function()
    local group = group_with "latency"
    binance:fault { link = "latency", latency = 1.5 }
    repeat assert(binance:ticker "BTC/USDT") until binance.health.latency >= 1
    is_left_after(group, 30)
  end)

  it("leaves a venue whose health has been 30 or less for ten seconds", function()
    local group = group_with "health"
    binance:fault { venue = "status", status = 500 }
    repeat group:ticker "BTC/USDT" until binance.health.score <= 30
    is_left_after(group, 10)
  end)

  it("leaves a venue whose stream has said nothing for half a minute", function()
    local group = group_with "stream_stale"
    local stream <close> = assert(group:stream { "ticker:BTC/USDT", stale_after = 300 })
    assert(stream:recv())
    binance.sandbox:stall_streams(true)
    is_left_after(group, 30)
  end)

  it("takes a venue for up when it has answered for ten seconds, with a health of 50", function()
    binance = smc.venue("binance", { breaker = false })
    local group = smc.failover { binance, bybit, check_every = 1, triggers = { health = false } }
    binance:fault { venue = "down" }
    smc.sleep(8)
    assert.equal("failed_over", group.state)
    binance:heal()
    local well
    eventually(function()
      well = well or binance.health.score >= 50 and smc.now()
      assert.is_true(group:is_up(binance))
    end, { within = 40, every = 0.25 })
    local seconds = smc.now() - well
    assert.is_true(seconds >= 9.5 and seconds <= 12, seconds)
  end)

  it("goes back no sooner than a minute after it has moved", function()
    local group = smc.failover { binance, bybit, check_every = 1, failback = { after = 0 },
      recover = { score = 0, ["for"] = 0 } }
    binance:fault { venue = "down" }
    eventually(function() assert.equal("failed_over", group.state) end, { every = 0.5 })
    binance:heal()
    eventually(function() assert.is_true(group:is_up(binance)) end, { every = 0.5 })
    smc.sleep(50)
    assert.equal(bybit, group.active)
    assert(group:ticker "BTC/USDT")
  end)

  it("goes by health to a venue that is better by more than ten points, and not by ten", function()
    binance = smc.venue("binance", { obey_limits = false, health = { limit_max = 10 } }) -- a refusal costs 10 points
    local group = smc.failover { binance, bybit, check_every = 1, select = "health", cooldown = 0,
      failback = { after = 0 } }
    for _, row in ipairs { { 90, binance }, { 80, bybit } } do
      binance:fault { venue = "status", on = "ticker", status = 429, times = 1 }
      group:ticker "BTC/USDT"
      smc.sleep(3)
      assert.same(row, { binance.health.score, group.active })
    end
  end)
end)
