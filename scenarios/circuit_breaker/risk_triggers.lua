-- What opens a risk guard: each limit at its edge, and what can't be known.  At its limit a value is still fine.
local smc = require "smc"
local decimal = smc.decimal

--- A little less than what was seen, or half of it where that is a statistic.
local function below(seen)
  if type(seen) == "string" then return decimal.sub(seen, "0.000000000000000001") end
  return math.type(seen) == "integer" and seen - 1 or seen / 2
end

local function fall(world) world.bybit.sandbox:move("BTC/USDT:USDT", { by = "-0.1" }) end

--- Two positions closed at a loss: what buying and selling at once costs.
local function lose_twice(world)
  for _ = 1, 2 do
    for _, side in ipairs { "buy", "sell" } do
      assert(world.oanda:place { symbol = "GBP/USD", side = side, type = "market", qty = "100" })
    end
  end
end

local function meet_errors(world)
  world.bybit:fault { venue = "http", status = 500, on = "time", count = 5 }
  for _ = 1, 5 do world.bybit:time() end
end

--- By limit: its name among the figures, where it begins, and what happens to the accounts.
local LIMITS = {
  max_drawdown = { "drawdown", "0.9", fall },
  max_daily_loss = { "daily_loss", "100000", fall },
  max_exposure = { "exposure", "10000000" },
  max_concentration = { "concentration", "5" },
  max_var = { "var", 1, takes = 25 },
  max_correlation = { "correlation", 1, takes = 25 },
  max_consecutive_losses = { "losses", 100, lose_twice, takes = 3 },
  max_error_rate = { "error_rate", 1, meet_errors },
}

describe("risk guard #circuit-breaker #virtual-time #binance #bybit #oanda", function()
  local world, venues, inbox

  before_each(function()
    world = { binance = smc.venue "binance", bybit = smc.venue("bybit", { breaker = { open = 1 } }),
      oanda = smc.venue "oanda" }
    venues = { world.binance, world.bybit, world.oanda }
    inbox = smc.webhook()
    for _, venue in ipairs(venues) do venue.sandbox:fund { [venue.name == "oanda" and "USD" or "USDT"] = "50000" } end
  end)

  local function guarded(limits)
    local given = { venues = venues, sell_assets = true, alert = inbox.url }
    for name, value in pairs(limits) do given[name] = value end
    local guard = assert(smc.risk(given))
    assert(world.binance:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.2" })
    for symbol, qty in pairs { ["BTC/USDT:USDT"] = "0.5", ["ETH/USDT:USDT"] = "3" } do
      assert(world.bybit:place { symbol = symbol, side = "buy", type = "market", qty = qty })
    end
    assert(world.oanda:place { symbol = "EUR/USD", side = "sell", type = "market", qty = "20000" })
    return guard
  end

  local function all_flat_and_told_once(guard, cause)
    eventually(function() assert.is_false(guard.is_closing) end, { within = 60 })
    for _, venue in ipairs(venues) do
      assert.same({}, venue.sandbox:positions())
      assert.same({}, venue.sandbox:orders { status = "open" })
    end
    assert.is_nil(assert(world.binance:balances()).BTC)
    eventually(function() assert.equal(1, #inbox:messages { valid_signature = true, kind = "risk.open" }) end)
    assert.equal(1, #inbox:attempts())
    assert.same({ cause }, { table.unpack(inbox:messages()[1].event.causes) })
  end

  for limit, row in pairs(LIMITS) do
    local cause, generous, happens = table.unpack(row, 1, 3)

    it("opens beyond " .. limit .. ", and not at it", function()
      local guard = guarded { [limit] = generous }
      if happens then happens(world) end
      eventually(function()
        assert(guard:check())
        assert.is_true(tonumber(guard:figures()[cause] or 0) > 0)
      end, { within = row.takes or 1, every = 1 })
      assert.equal("closed", guard.state)

      local seen = guard:figures()[cause]
      if cause == "losses" then seen = math.tointeger(seen) end
      guard:set_limits { [limit] = seen }
      assert(guard:check())
      assert.equal("closed", guard.state)

      guard:set_limits { [limit] = below(seen) }
      assert(guard:check())
      assert.equal("open", guard.state)
      all_flat_and_told_once(guard, cause)
    end)
  end

  it("opens when an account can't be read for longer than it may, and gets that one flat when it can", function()
    local guard = guarded { max_drawdown = "0.9", stale_after = 3 }
    world.bybit:fault { venue = "down" }
    local seen, err = guard:check()
    assert.same({ nil, "network" }, { seen, err.class })
    assert.equal("closed", guard.state)

    eventually(function() assert.equal("open", guard.state) end, { within = 5 })
    eventually(function() assert.same({}, world.oanda.sandbox:positions()) end, { within = 5 })
    assert.equal(2, #world.bybit.sandbox:positions())

    world.bybit:heal()
    all_flat_and_told_once(guard, "data")
  end)

  it("opens when something has no price", function()
    local guard = guarded { max_exposure = "10000000", stale_after = 0 }
    world.binance:fault { venue = "http", status = 500, on = "book" }
    eventually(function() assert.equal("open", guard.state) end, { within = 3 })
    world.binance:heal()
    all_flat_and_told_once(guard, "data")
  end)
end)
