-- Each limit of a risk guard to the last digit, by an account whose every cent is known: at its limit it trades on, and
-- a hundredth of a percent beyond it does not.  A look is never left out because the last one was a moment ago.
local smc = require "smc"

describe("a risk limit #circuit-breaker #binance", function()
  local venue, guard

  --- One account of 100 000, that owns nothing else.
  local function guarded(limits)
    venue = smc.venue "binance"
    venue.sandbox:fund { USDT = "100000" }
    local given = { venues = { venue }, check_every = 600 }
    for name, value in pairs(limits) do given[name] = value end
    guard = assert(smc.risk(given))
  end

  --- The account has so much now.  Returns the state that a look comes to.
  local function at(equity)
    venue.sandbox:fund { USDT = equity }
    assert(guard:check())
    return guard.state
  end

  for _, row in ipairs { { "95010", "closed" }, { "95000", "closed" }, { "94990", "open" } } do
    local equity, state = row[1], row[2]
    it(("of 5 %% drawdown leaves the guard %s at %s of 100000"):format(state, equity), function()
      guarded { max_drawdown = "0.05" }
      assert.equal(state, at(equity))
      local lost = smc.decimal.sub("1", smc.decimal.div(equity, "100000", 6))
      assert.equal(tonumber(lost), tonumber(guard:figures().drawdown))
    end)
  end

  it("is judged at each look, also at two in one instant #virtual-time", function()
    guarded { max_drawdown = "0.05" }
    local now = smc.now()
    assert.equal("closed", at "98000")
    assert.equal("open", at "92000")
    assert.equal(now, smc.now())
  end)

  it("is judged by the guard itself, at its next look", function()
    guarded { max_drawdown = "0.05", check_every = 2 }
    venue.sandbox:fund { USDT = "92000" }
    eventually(function() assert.equal("open", guard.state) end, { within = 30 })
  end)

  it("of drawdown is counted from the highest that there was, not from the beginning", function()
    guarded { max_drawdown = "0.05" }
    assert.equal("closed", at "120000")
    assert.equal("closed", at "114000")
    assert.equal("open", at "113999.99")
    assert.equal("120000", guard:figures().peak)
  end)

  it("of daily loss does not mind a gain of the same size", function()
    guarded { max_daily_loss = "10000" }
    assert.equal("closed", at "110001")
    assert.equal("closed", at "90000")
    assert.equal("open", at "89999.99")
  end)

  it("is named when it is passed, and no other is", function()
    guarded { max_drawdown = "0.05", max_daily_loss = "4000", max_exposure = "1000", max_concentration = "0.5" }
    assert.equal("open", at "95500")
    assert.same({ "daily_loss" }, guard:history()[1].causes)

    assert.equal("open", at "94000")
    assert.same({ "drawdown", "daily_loss" }, guard.violations)
    assert.equal(1, #guard:history(), "it was open before")
  end)

  it("can be tightened while it trades", function()
    guarded { max_drawdown = "0.05" }
    assert.equal("closed", at "97000")
    guard:set_limits { max_drawdown = "0.02" }
    assert.equal("closed", guard.state)
    assert(guard:check())
    assert.equal("open", guard.state)
  end)
end)
