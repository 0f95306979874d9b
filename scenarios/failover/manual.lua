-- A switch by hand, and what it is refused for.
local smc = require "smc"

describe("a switch by hand #failover #binance #bybit #oanda", function()
  local binance, bybit, oanda, group

  before_each(function()
    binance, bybit, oanda = smc.venue "binance", smc.venue "bybit", smc.venue "oanda"
    group = smc.failover { binance, bybit, oanda, check_every = 60, check_timeout = 30 }
  end)

  it("goes where it is told, and is told of", function()
    assert.is_true(assert(group:switch(bybit)))
    assert.equal(bybit, group.active)
    assert(group:account())
    assert.same({}, binance:requests { op = "account" })
    local event = group:history()[1]
    assert.same({ "binance", "bybit", "manual", true }, { event.from, event.to, event.cause, event.ok })
  end)

  it("needs somebody who answers", function()
    assert(group:ping())
    bybit:fault { venue = "down" }
    local ok, err = group:switch(bybit)
    assert.is_nil(ok)
    assert.same({ "network", "bybit" }, { err.class, err.venue })
    assert.equal(binance, group.active)

    local again, refused = group:switch(bybit)
    assert.is_nil(again)
    assert.equal("down", refused.code)
    assert.same({ 1, false }, { #group:history(), group:history()[1].ok })
  end)

  it("raises for a venue that is not of the group, and names those that are", function()
    local stranger = smc.venue "bybit"
    assert.error_matches(function() group:switch(stranger) end, "binance, bybit, oanda")
    assert.error_matches(function() group:switch "kraken" end, "'kraken' is no venue of the group")
    assert(group:ping())
    assert.same({ binance, 0 }, { group.active, #group:history() })
  end)

  it("is refused while another is under way, and to where the group is already", function()
    bybit:fault { venue = "slow", path = "/v5/market/time", seconds = 0.5 }
    local first = smc.spawn(function() return group:switch(bybit) end)
    eventually(function() assert.equal("switching", group.state) end, { every = 0.01 })
    assert.equal("switching", select(2, group:switch(oanda)).code)
    assert.is_true(first:join())
    assert.equal("active", select(2, group:switch(bybit)).code)
    assert.equal(1, #group:history())
  end)
end)

describe("the first choice #failover #binance #bybit", function()
  it("is the heaviest, where weights are given", function()
    local binance, bybit = smc.venue "binance", smc.venue "bybit"
    local group = smc.failover { binance, bybit, select = "weight", weights = { bybit = 2, binance = 1 } }
    assert.same({ bybit, "normal" }, { group.active, group.state })
    assert(group:time())
    assert.equal(1, #bybit:requests { op = "time" })
  end)
end)
