-- What a risk guard's figures are made of: a limit is worth nothing when the number that it bounds is another one.
local smc = require "smc"
local decimal = smc.decimal

describe("the figures of a risk guard #circuit-breaker #bybit #virtual-time", function()
  local venue, guard
  before_each(function()
    venue = smc.venue "bybit"
    guard = assert(smc.risk { venues = { venue }, max_exposure = "10000000" })
  end)

  local function trade(symbol, side, qty)
    assert(venue:place { symbol = symbol, side = side, type = "market", qty = qty })
  end

  it("count what is short like what is long", function()
    trade("BTC/USDT:USDT", "buy", "0.5")
    trade("ETH/USDT:USDT", "sell", "5")
    assert(guard:check())

    local sum = "0"
    for _, held in ipairs(assert(venue:positions())) do
      sum = decimal.add(sum, decimal.mul(held.qty, held.mark))
    end
    assert.near(tonumber(sum), tonumber(guard:figures().exposure), 50) -- it goes by the best prices
    assert.is_true(decimal.lt("40000", guard:figures().exposure), guard:figures().exposure)
  end)
end)
