-- A group that is closed is over: whoever waits for it is told, and no venue hears of it any more.
local smc = require "smc"

describe("a failover group that is closed #failover #virtual-time #binance #bybit", function()
  local binance, bybit, group
  before_each(function()
    binance, bybit = smc.venue "binance", smc.venue "bybit"
    group = smc.failover { binance, bybit, check_every = 0.7 }
    assert(group:ping())
  end)

  it("answers nothing, goes nowhere and asks nobody", function()
    local stream = assert(group:stream { "ticker:BTC/USDT" })
    assert(stream:recv())
    group:close()
    local before = #binance:requests() + #bybit:requests()

    for _, call in ipairs { "balances", "ping", "cancel_all" } do
      assert.equal("cancelled", select(2, group[call](group)).class)
    end
    assert.equal("cancelled", select(2, group:switch(bybit)).class)
    assert.equal("cancelled", select(2, stream:recv()).class)
    smc.sleep(3) -- four checks would have been made

    assert.same({ "closed", nil }, { group.state, group.active })
    assert.equal(before, #binance:requests() + #bybit:requests())
    eventually(function() assert.same({}, binance.sandbox:streams()) end)
  end)

  it("lets go of whoever waits for its switch", function()
    bybit:fault { venue = "slow", path = "/v5/market/time", seconds = 1 }
    local switching = smc.spawn(function() return group:switch(bybit) end)
    eventually(function() assert.equal("switching", group.state) end, { every = 0.01 })
    local waiting = smc.spawn(function()
      binance:fault { venue = "down" }
      return group:ticker "BTC/USDT"
    end)
    smc.sleep(0.5)
    group:close()
    for _, task in ipairs { switching, waiting } do
      local result, err = task:join()
      assert.is_nil(result)
      assert.is_truthy(err.class == "cancelled" or err.class == "network", err)
    end
    assert.same({}, group:history())
  end)
end)
