-- Nobody is there; and then somebody is.
local smc = require "smc"

describe("a failover group without a venue #failover #binance #bybit", function()
  local binance, bybit, group

  before_each(function()
    binance, bybit = smc.venue "binance", smc.venue "bybit"
    group = smc.failover { binance, bybit, check_every = 0.5, check_timeout = 30, recover = { score = 0, ["for"] = 1 } }
    assert(group:ping())
    binance:fault { venue = "down" }
    bybit:fault { venue = "down" }
  end)

  it("says no_venue to whatever is asked, and sends nothing", function()
    for op, call in pairs {
      account = function() return group:account() end,
      cancel_all = function() return group:cancel_all() end,
      place = function()
        return group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "59500" }
      end,
      ticker = function() return group:ticker "BTC/USDT" end,
    } do
      local result, err = call()
      assert.is_nil(result)
      assert.same({ "no_venue", op, true }, { err.class, err.op, err.retryable })
    end
    assert.same({ nil, "no_venue" }, { group.active, group.state })
    assert.same({ 0, 0 }, { #binance.sandbox:orders(), #bybit.sandbox:orders() })
  end)

  it("says once that there is none, and uses whoever is back first", function()
    assert.is_nil((group:account()))
    bybit:heal()
    eventually(function() assert.equal(bybit, group.active) end, { within = 20 })

    assert(group:account())

    local none, found = 0, nil
    for _, event in ipairs(group:history()) do
      if event.to == nil then none = none + 1 end
      if event.cause == "recovered" then found = event end
    end
    assert.same({ 1, "bybit" }, { none, found.to })
  end)
end)
