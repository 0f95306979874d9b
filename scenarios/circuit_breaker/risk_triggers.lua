-- What opens a risk guard: each limit at its edge, and what can't be known.  At its limit a value is still fine.
local smc = require "smc"
local decimal = smc.decimal

--- A little less than what was seen, or half of it where that is a statistic.
local function below(seen)
  if type(seen) == "string" then return decimal.sub(seen, "0.000000000000000001") end
  return math.type(seen) == "integer" and seen - 1 or seen / 2
end

local BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"

local function fall(bybit) bybit.sandbox:move(BTC, { by = "-0.1" }) end

--- Two positions made smaller at a loss: what buying and selling at once costs.
local function lose_twice(bybit)
  for _ = 1, 2 do
    for _, side in ipairs { "buy", "sell" } do
      assert(bybit:place { symbol = ETH, side = side, type = "market", qty = "0.1" })
    end
  end
end

local function meet_errors(bybit)
  bybit:fault { venue = "http", status = 500, on = "time", count = 5 }
  for _ = 1, 5 do bybit:time() end
end

--- Up and down together, from one regular look to the next, as many times as statistics want.
local function sway(bybit)
  for n = 1, 21 do
    for _, symbol in ipairs { BTC, ETH } do bybit.sandbox:move(symbol, { by = n % 4 < 2 and "0.02" or "-0.02" }) end
    smc.sleep(1)
  end
end

--- By limit: its name among the figures, where it begins, and what happens to the account.
local LIMITS = {
  max_drawdown = { "drawdown", "0.9", fall },
  max_daily_loss = { "daily_loss", "100000", fall },
  max_exposure = { "exposure", "10000000" },
  max_concentration = { "concentration", "5" },
  max_var = { "var", 1, sway },
  max_correlation = { "correlation", 1, sway },
  max_consecutive_losses = { "losses", 100, lose_twice },
  max_error_rate = { "error_rate", 1, meet_errors },
}

--- What each holds: the side on which it came to that, and how much.
local HELD = {
  binance = { ["BTC/USDT"] = { "buy", "0.2" } },
  bybit = { [BTC] = { "buy", "0.5" }, [ETH] = { "buy", "3" } },
  oanda = { ["EUR/USD"] = { "sell", "20000" } },
}

describe("risk guard #circuit-breaker #virtual-time", function()
  local venues, inbox

  local function open(name, options)
    local venue = smc.venue(name, options)
    venue.sandbox:fund { [name == "oanda" and "USD" or "USDT"] = "50000" }
    venues[#venues + 1] = venue
    return venue
  end

  before_each(function() venues, inbox = {}, smc.webhook() end)

  --- Over what was opened, which holds something from then on.
  local function guarded(limits)
    local given = { venues = venues, sell_assets = true, alert = inbox.url }
    for name, value in pairs(limits) do given[name] = value end
    local guard = assert(smc.risk(given))
    for _, venue in ipairs(venues) do
      for symbol, order in pairs(HELD[venue.name]) do
        assert(venue:place { symbol = symbol, side = order[1], type = "market", qty = order[2] })
      end
    end
    return guard
  end

  local function all_flat_and_told_once(guard, cause)
    eventually(function() assert.is_false(guard.is_closing) end, { within = 60 })
    for _, venue in ipairs(venues) do
      assert.same({}, venue.sandbox:positions())
      assert.same({}, venue.sandbox:orders { status = "open" })
      if venue.name == "binance" then assert.is_nil(assert(venue:balances()).BTC) end
    end
    eventually(function() assert.equal(1, #inbox:messages { valid_signature = true, kind = "risk.open" }) end)
    assert.equal(1, #inbox:attempts())
    assert.same({ cause }, { table.unpack(inbox:messages()[1].event.causes) })
  end

  for limit, row in pairs(LIMITS) do
    local cause, generous, happens = table.unpack(row, 1, 3)

    it("opens beyond " .. limit .. ", and not at it #bybit", function()
      local bybit = open "bybit"
      local guard = guarded { [limit] = generous }
      if happens then happens(bybit) end
      assert(guard:check())
      local seen = guard:figures()[cause]
      assert.is_true(tonumber(seen) > 0, seen)
      assert.equal("closed", guard.state)

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

  it("opens when an account can't be read for longer than it may, and gets that one flat when it can #bybit #oanda",
    function()
      local bybit, oanda = open("bybit", { breaker = { open = 1 } }), open "oanda"
      local guard = guarded { max_drawdown = "0.9", stale_after = 3 }
      bybit:fault { venue = "down" }
      local seen, err = guard:check()
      assert.same({ nil, "network" }, { seen, err.class })
      assert.equal("closed", guard.state)

      eventually(function() assert.equal("open", guard.state) end, { within = 5 })
      eventually(function() assert.same({}, oanda.sandbox:positions()) end, { within = 5 })
      assert.equal(2, #bybit.sandbox:positions())

      bybit:heal()
      all_flat_and_told_once(guard, "data")
    end)

  it("opens when something has no price #binance", function()
    local binance = open "binance"
    local guard = guarded { max_exposure = "10000000", stale_after = 0 }
    binance:fault { venue = "http", status = 500, on = "book" }
    eventually(function() assert.equal("open", guard.state) end, { within = 3 })
    binance:heal()
    all_flat_and_told_once(guard, "data")
  end)
end)
