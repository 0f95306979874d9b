-- A risk guard that is asked two thousand times, and looked through by ten tasks at the moment of the loss.  One answer
-- that disagrees is an order too many; one that trips it twice closes what somebody has just opened on purpose.
local smc = require "smc"

local ORDER = { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.01" }
local RATE, SECONDS, EACH = 50, 2, 20

describe("a risk guard under load #performance #virtual-time #bybit", function()
  local guard, inbox, bybit

  before_each(function()
    -- Ten looks at once would wait at a limiter, and what is asked here is not for how long.
    bybit, inbox = smc.venue("bybit", { limiter = false }), smc.webhook()
    bybit.sandbox:fund { USDT = "150000" }
    guard = assert(smc.risk { venues = { bybit }, max_drawdown = "0.02", alert = inbox, check_every = 10 })
    assert(bybit:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.5" })
  end)

  --- After a second a fifth of the position is lost, and ten tasks look at once.
  local function lose()
    smc.sleep(1)
    bybit.sandbox:move("BTC/USDT:USDT", { by = "-0.2" })
    smc.all(10, function() return assert(guard:check()) end)
  end

  it("gives two thousand answers that agree, and opens, closes and tells once", function()
    local yes, no, again = 0, 0, 0
    local loss = smc.spawn(lose)

    local result = smc.load { name = "questions", rate = RATE, duration = SECONDS, run = function()
      for _ = 1, EACH do
        local may, why = guard:may_place(ORDER)
        if may then yes = yes + 1 else no = no + 1 end
        if may and no > 0 then again = again + 1 end
        if not may and why.code ~= "risk_guard" then return nil, why end
      end
      return true
    end }
    loss:join()

    assert.load(result, { "errors == 0", "count == 100", "max < 0.01" })
    assert.equal(2000, yes + no)
    assert.near(1000, yes, 2 * EACH) -- until the second in which the money was lost
    assert.equal(0, again)

    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
    local opened = {}
    for _, event in ipairs(guard:history()) do opened[#opened + 1] = event.kind end
    assert.same({ "open" }, opened)
    for _, venue in ipairs(guard:history()[1].closing.venues) do assert.equal(1, venue.attempts) end
    assert.same({}, bybit.sandbox:positions())
    eventually(function() assert.equal(1, #inbox:messages { valid_signature = true, kind = "risk.open" }) end)
    assert.equal(1, #inbox:attempts())
  end)
end)
