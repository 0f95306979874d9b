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

  it("goes nowhere by hand either, and does not so much as knock", function()
    assert.is_nil((group:account()))
    local before = { #binance:requests(), #bybit:requests() }
    for _, venue in ipairs { binance, bybit } do
      local ok, err = group:switch(venue)
      assert.is_nil(ok)
      assert.same({ "invalid_request", "down", true }, { err.class, err.code, err.retryable })
    end
    assert.same(before, { #binance:requests(), #bybit:requests() })
    assert.same({ nil, "no_venue" }, { group.active, group.state })
  end)

  it("keeps its streams waiting, and goes on with them where somebody is back", function()
    binance:heal()
    local stream <close> = assert(group:stream { "ticker:BTC/USDT" })
    assert(stream:recv())
    binance:fault { venue = "down" }
    eventually(function() assert.equal("no_venue", group.state) end, { within = 5 })
    assert.is_false(stream:connected())

    bybit:heal()

    local event
    repeat event = assert(stream:recv()) until event.kind == "switched"
    assert.same({ nil, "bybit", "recovered" }, { event.from, event.to, event.cause })
    repeat event = assert(stream:recv()) until event.kind == "ticker"
  end)
end)
