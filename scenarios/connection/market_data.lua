-- What a venue shows of its market, in the same words everywhere: a strategy that was written for one venue reads the
-- next one without a change, and never takes seconds for milliseconds or a seller for a buyer.
local smc = require "smc"
local decimal = smc.decimal

--- tick, step: of prices and amounts; trades: whether it shows what others traded.
local VENUES = {
  { name = "binance", symbol = "BTC/USDT", native = "BTCUSDT", tick = "0.01", step = "0.00001", trades = true },
  { name = "bybit", symbol = "BTC/USDT", native = "BTCUSDT", tick = "0.1", step = "0.000001", trades = true },
  { name = "oanda", symbol = "EUR/USD", native = "EUR_USD", tick = "0.00001", step = "1" },
}

local MINUTE, DAY = 60000, 86400000
local CLOSED_DAYS = 7 -- of a market, at most: nothing happens then, on a testnet

--- Whether it is a decimal above zero, and as short as it can be.
local function is_amount(text)
  return type(text) == "string" and decimal.lt("0", text) and text == decimal.add(text, "0")
end

local function is_multiple(text, step) return decimal.eq(decimal.floor_to(text, step), text) end

--- Whether it is a time in milliseconds, not long ago and not to come.
local function is_recent(ms)
  return math.type(ms) == "integer" and ms > smc.wall() - CLOSED_DAYS * DAY and ms <= smc.wall() + 1000
end

for _, row in ipairs(VENUES) do
  describe("the market of " .. row.name .. " #connection #" .. row.name, function()
    local venue
    local symbol = row.symbol
    before_each(function() venue = smc.venue(row.name) end)

    it("has instruments with their steps, each of them once", function()
      local by = {}
      for _, i in ipairs(assert(venue:instruments())) do
        assert.is_nil(by[i.symbol], i.symbol)
        by[i.symbol] = i
      end
      for _, name in ipairs(venue.symbols) do assert.is_true(by[name].trading, name) end
      local i = by[symbol]
      assert.same({ row.native, symbol, row.tick, row.step }, { i.native, i.base .. "/" .. i.quote, i.tick, i.step })
      assert.is_true(decimal.lt(i.min_qty, i.max_qty))
    end)

    it("has a last price within its day, between a bid and an ask that do not cross", function()
      local t = assert(venue:ticker(symbol))
      assert.equal(symbol, t.symbol)
      for _, field in ipairs { "last", "bid", "ask", "low", "high" } do assert.is_true(is_amount(t[field]), field) end
      assert.is_true(decimal.lt(t.bid, t.ask), t.bid .. " below " .. t.ask)
      assert.is_true(decimal.le(t.low, t.last) and decimal.le(t.last, t.high))
      assert.is_true(is_recent(t.time), tostring(t.time))
    end)

    it("has a book of whole ticks and steps", function()
      local book = assert(venue:book(symbol, 3))
      assert.equal(symbol, book.symbol)
      for _, side in ipairs { book.bids, book.asks } do
        assert.equal(3, #side)
        for _, level in ipairs(side) do
          assert.is_true(is_amount(level[1]) and is_amount(level[2]))
          assert.is_true(is_multiple(level[1], row.tick) and is_multiple(level[2], row.step), level[1])
        end
      end
    end)

    it("has candles that follow each other by the minute, each within its own bounds", function()
      local candles = assert(venue:candles(symbol, "1m", { limit = 10 }))
      assert.equal(10, #candles)
      for i, k in ipairs(candles) do
        for _, price in ipairs { k.open, k.close } do
          assert.is_true(decimal.le(k.low, price) and decimal.le(price, k.high), "candle " .. i)
        end
        assert.is_true(k.time % MINUTE == 0 and is_recent(k.time))
        assert.is_true(i == 1 or k.time - candles[i - 1].time >= MINUTE)
      end
      local from = candles[4].time
      local later = assert(venue:candles(symbol, "1m", { since = from, limit = 2 }))
      assert.same({ 2, from }, { #later, later[1].time })
    end)

    if row.trades then
      it("has trades, oldest first, each with the side of who came", function()
        local trades = assert(venue:trades(symbol, 20))
        assert.equal(20, #trades)
        local ids = {}
        for i, t in ipairs(trades) do
          assert.is_true(is_amount(t.price) and is_amount(t.qty))
          assert.is_true(t.side == "buy" or t.side == "sell", t.side)
          assert.is_true(is_recent(t.time) and (i == 1 or t.time >= trades[i - 1].time))
          assert.is_nil(ids[t.id], "told twice")
          ids[t.id] = true
        end
      end)

      it("shows a trade of ours to everybody, as what the taker did", function()
        local order = assert(venue:place { symbol = symbol, side = "sell", type = "market", qty = "0.00123" })
        local shown = {}
        for _, t in ipairs(assert(venue:trades(symbol, 100))) do
          if t.time >= order.time then shown[#shown + 1] = { t.price, t.qty, t.side } end
        end
        local ours = {}
        for _, f in ipairs(assert(venue:fills(symbol, { order_id = order.id }))) do
          ours[#ours + 1] = { f.price, f.qty, "sell" }
        end
        assert.is_true(#ours > 0)
        assert.same(ours, table.move(shown, #shown - #ours + 1, #shown, 1, {}))
      end)
    else
      it("says that there are no public trades, and does not invent any", function()
        assert(venue:ping())
        local trades, err = venue:trades(symbol)
        assert.is_nil(trades)
        assert.same({ "invalid_request", "not_offered", false }, { err.class, err.code, err.retryable })
      end)
    end

    it("does not know what it does not have, and says so once", function()
      assert(venue:ticker(symbol))
      for _, ask in ipairs { venue.ticker, venue.book } do
        local before = #venue:requests()
        local answer, err = ask(venue, "NO/SUCH")
        assert.is_nil(answer)
        assert.is_true(err.class == "invalid_request" or err.class == "filter", err.class)
        assert.same({ false, 1 }, { err.retryable, #venue:requests() - before })
      end
    end)
  end)
end
