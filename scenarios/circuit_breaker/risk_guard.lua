-- One guard over three accounts: it gets all of them flat, whatever a venue refuses, and tells somebody once.
local accounts = require "lib.accounts"
local smc = require "smc"

describe("risk guard #circuit-breaker #binance #bybit #oanda", function()
  local venues, binance, bybit, oanda, inbox, guard

  before_each(function()
    venues, binance, bybit, oanda = accounts.open()
    inbox = smc.webhook()
    guard = assert(smc.risk { venues = venues, max_drawdown = "0.02", sell_assets = true, alert = inbox, trial = 3,
      stale_after = 30 })
    accounts.take_positions(binance, bybit, oanda)
  end)

  --- A fifth of what bybit holds is lost: 6000 of 150000.
  local function crash() bybit.sandbox:move("BTC/USDT:USDT", { by = "-0.2" }) end

  local function opens_and_gets_flat()
    eventually(function() assert.equal("open", guard.state) end, { within = 30 })
    eventually(function() assert.is_false(guard.is_closing) end, { within = 60 })
    accounts.assert_flat(venues)
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
end)
