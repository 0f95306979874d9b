-- Many tasks meet the failure at once; the group switches once.
local smc = require "smc"

local TASKS = 20

describe("twenty tasks at a venue that fails #failover #binance #bybit #leaves-orders", function()
  local binance, bybit, group, orders

  before_each(function()
    binance, bybit = smc.venue("binance", { breaker = false }), smc.venue "bybit"
    group = smc.failover { binance, bybit, check_every = 60, check_timeout = 30 }
    assert(group:ping())
  end)

  --- Each asks for a price or, every fifth one, places an order.
  local function act(i)
    if i % 5 > 0 then return (assert(group:ticker "BTC/USDT")) end
    local order = assert(group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.001",
      price = "59500" })
    orders[order.client_id] = order.venue
    return order
  end

  it("are served by the next one, after one check and one switch, and no order is placed twice", function()
    orders = {}
    local asked = #binance:requests { op = "ping" }
    binance:fault { venue = "down" }

    assert.equal(TASKS, #smc.all(TASKS, act))

    assert.equal(1, #group:history())
    assert.same({ "binance", "bybit", "connection" }, { group:history()[1].from, group:history()[1].to,
      group:history()[1].cause })
    assert.same({ 1, 1 }, { #binance:requests { op = "ping" } - asked, #bybit:requests { op = "ping" } })
    for _, order in ipairs(bybit.sandbox:orders()) do
      assert.equal("bybit", orders[order.client_id])
      orders[order.client_id] = nil
    end
    assert.is_nil(next(orders))
    assert.same({ TASKS // 5, 0 }, { #bybit.sandbox:orders(), #binance.sandbox:orders() })
  end)

  it("are told at once when there is no next one", function()
    binance:fault { venue = "down" }
    bybit:fault { venue = "down" }
    local classes = {}
    smc.all(TASKS, function()
      local _, err = group:ticker "BTC/USDT"
      classes[err.class] = (classes[err.class] or 0) + 1
    end)
    assert.same({ no_venue = TASKS }, classes)
    assert.equal(1, #bybit:requests { op = "ping" })
  end)
end)

describe("five switches by hand at once #failover #binance #bybit #oanda", function()
  it("are one: the others are told why they are none, and nothing happens twice", function()
    local binance, bybit, oanda = smc.venue "binance", smc.venue "bybit", smc.venue "oanda"
    local group = smc.failover { binance, bybit, oanda, check_every = 60, check_timeout = 30 }
    assert(group:ping())
    bybit:fault { venue = "slow", path = "/v5/market/time", seconds = 0.2 }

    local told = {}
    smc.all(5, function(i)
      local ok, err = group:switch(i == 5 and oanda or bybit)
      told[#told + 1] = ok and "switched" or err.code
    end)

    table.sort(told)
    assert.same({ "switched", "switching", "switching", "switching", "switching" }, told)
    assert.same({ bybit, 1 }, { group.active, #group:history() })
    assert.same({ 1, 0 }, { #bybit:requests { op = "ping" }, #oanda:requests() })
  end)
end)
