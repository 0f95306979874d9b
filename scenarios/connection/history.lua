-- What a venue tells of the past is whole: every fill, whatever page it is on, and every trade in the candle that it
-- belongs to.  Books are kept by it.
local smc = require "smc"
local decimal = smc.decimal

describe("what was traded #connection #virtual-time", function()
  it("is told in full by bybit, over as many pages as it takes #bybit", function()
    local venue = smc.venue "bybit"
    local traded, sum = "0", "0"
    for _, side in ipairs { "sell", "buy", "sell" } do -- each sweeps one side of the book, level by level
      local order = assert(venue:place { symbol = "ETH/USDT", side = side, type = "market", qty = "700" })
      traded = decimal.add(traded, order.filled)
      smc.sleep(2)
    end

    local fills = assert(venue:fills "ETH/USDT")

    assert.is_true(#fills > 50, #fills .. " fills: a page has 50")
    for _, f in ipairs(fills) do sum = decimal.add(sum, f.qty) end
    assert.equal(traded, sum)
  end)

  it("is in the candle of its second, also in the last millisecond of it #binance", function()
    local venue = smc.venue "binance"
    local second = smc.wall() // 1000 * 1000
    smc.sleep((second + 999 - smc.wall()) / 1000)
    assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "10" })
    smc.sleep(1)

    local candles = assert(venue:candles("BTC/USDT", "1s", { since = second, limit = 2 }))

    assert.equal(second, candles[1].time)
    assert.is_true(decimal.le("10", candles[1].volume), candles[1].volume)
    assert.is_true(decimal.lt(candles[2].volume, "10"), candles[2].volume)
  end)
end)

for _, name in ipairs { "binance", "bybit" } do
  it(("a trade is shown on the side of who came to the book of %s #connection #%s #virtual-time"):format(name, name),
    function()
      local venue = smc.venue(name)
      for _, side in ipairs { "buy", "sell" } do
        local order = assert(venue:place { symbol = "BTC/USDT", side = side, type = "market", qty = "0.00321" })
        local last = table.remove(assert(venue:trades("BTC/USDT", 5)))
        assert.same({ side, "0.00321", order.average }, { last.side, last.qty, last.price })
      end
    end)
end
