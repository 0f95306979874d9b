-- What own_venue.sh runs: a scenario against a venue that lies beside it.
local smc = require "smc"

describe("a venue beside the scenario", function()
  it("answers, keeps its clock, and turns a wrong secret away", function()
    local venue = smc.venue "tiny"
    assert.equal(smc.wall(), assert(venue:time()))
    assert.equal("100000", assert(venue:balances()).USD.free)
    assert.same({ "GET", "/balances", true, 200 }, (function(r)
      return { r.method, r.path, r.signed, r.status }
    end)(venue.sandbox:requests { signed = true }[1]))

    local _, err = smc.venue("tiny", { secret = smc.secret.random() }):balances()
    assert.same({ "auth", "who", 401 }, { err.class, err.code, err.http })
  end)

  it("matches orders in its market", function()
    local venue = smc.venue "tiny"
    local order = assert(venue:place { symbol = "BTC/USD", side = "buy", type = "market", qty = "0.1" })
    assert.same({ "filled", "0.1" }, { order.status, order.filled })
    local after = assert(venue:balances())
    assert.same({ "0.1", smc.decimal.sub("100000", order.filled_quote) }, { after.BTC.free, after.USD.free })
    assert.equal("filled", venue.sandbox:orders()[1].status)

    local _, err = venue:place { symbol = "BTC/USD", side = "buy", type = "market", qty = "50" }
    assert.same({ "insufficient_funds", "poor" }, { err.class, err.code })
  end)

  it("says what it has not", function()
    local venue = smc.venue "tiny"
    local _, err = venue:get "/nowhere"
    assert.same({ 404, "there is no such path" }, { err.http, err.message })
    assert.equal(1, venue.limiter:usage("requests").used)
    assert.error_matches(function() smc.venue "tiniest" end, "no venue is called 'tiniest'")
    assert.error_matches(function() smc.venue "broken" end, "venue/broken.lua must return smc.dialect.venue")
    for _, fault in ipairs { { venue = "reset", on = "place" }, { link = "latency", latency = 1, on = "place" } } do
      assert.error_matches(function() venue:fault(fault) end, "this venue's sandbox names no calls; choose by path")
    end
    assert.error_matches(function() smc.sandbox("tiny", { colour = 1 }) end, "unknown option 'colour'")
  end)
end)
