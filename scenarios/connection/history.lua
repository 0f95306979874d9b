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
    for i, f in ipairs(fills) do
      sum = decimal.add(sum, f.qty)
      assert.is_true(i == 1 or fills[i - 1].time <= f.time, "the oldest first")
    end
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

for name, row in pairs {
  binance = { "BTC/USDT", "0.001" }, bybit = { "BTC/USDT", "0.001" }, oanda = { "EUR/USD", "100" },
} do
  describe(("what %s tells of an account's past #connection #virtual-time #%s"):format(name, name), function()
    local symbol, qty = table.unpack(row)
    local venue, times, ids

    --- Three trades, two seconds apart.
    before_each(function()
      venue, times, ids = smc.venue(name), {}, {}
      for i = 1, 3 do
        local order = { symbol = symbol, side = i == 2 and "sell" or "buy", type = "market", qty = qty }
        ids[i] = assert(venue:place(order)).id
        times[i] = smc.wall()
        smc.sleep(2)
      end
    end)

    for what, field in pairs { orders = "id", fills = "order_id" } do
      local function told(options)
        local out = {}
        for i, item in ipairs(assert(venue[what](venue, symbol, options))) do out[i] = item[field] end
        return out
      end

      it("is in the order in which it happened, and what was asked for: " .. what, function()
        local between = times[1] + 1000
        assert.same(ids, told())
        assert.same({ ids[2], ids[3] }, told { since = between })
        assert.same({ ids[1] }, told { since = times[1] - 1000, until_ = between })
        assert.same({ ids[2] }, told { since = between, until_ = times[2] + 1000 })
        assert.equal(2, #told { limit = 2 })
        assert.same({}, told { since = times[3] + 1000 })
      end)
    end

    it("is of one symbol", function()
      local other = name == "oanda" and "GBP/USD" or "ETH/USDT"
      local order = assert(venue:place { symbol = other, side = "buy", type = "market",
        qty = name == "oanda" and "100" or "0.1" })
      assert.equal(3, #assert(venue:fills(symbol)))
      local fills = assert(venue:fills(other))
      assert.is_true(#fills > 0)
      for _, fill in ipairs(fills) do assert.equal(order.id, fill.order_id) end
    end)
  end)
end
