-- What every venue must do, written once and run for each.
local smc = require "smc"
local decimal = smc.decimal

--- levels: of a book; closes: what closing a stream returns; skew_code: how a clock that is wrong is refused.
local VENUES = {
  { name = "binance", symbol = "BTC/USDT", money = "USDT", levels = 5, closes = 1000, wrong_secret = { 400, -1022 },
    skew_code = -1021 },
  { name = "bybit", symbol = "BTC/USDT", money = "USDT", levels = 5, closes = 1000, wrong_secret = { 200, 10004 },
    skew_code = 10002 },
  { name = "oanda", symbol = "EUR/USD", money = "USD", levels = 3, closes = true, wrong_secret = { 401, "none" } },
}

for _, row in ipairs(VENUES) do
  describe(row.name .. ", like every venue #connection #" .. row.name, function()
    local venue
    local symbol, money = row.symbol, row.money
    before_each(function() venue = smc.venue(row.name) end)

    it("answers a signed account query", function()
      local account = assert(venue:account())
      assert.is_true(account.can_trade)
      assert.is_true(decimal.cmp(account.balances[money].total, "0") > 0)
      assert.is_not_nil(next(venue:requests { signed = true }))
    end)

    it("refuses a wrong secret as an authentication error, after one attempt", function()
      local stranger = smc.venue(row.name, { secret = smc.secret.random() })
      local account, err = stranger:account()
      assert.is_nil(account)
      local http, code = table.unpack(row.wrong_secret)
      assert.same({ "auth", http, code, false }, { err.class, err.http, err.code or "none", err.retryable })
      assert.equal(1, #stranger:requests { signed = true })
    end)

    it("shows a book with two sides, best first, that do not cross", function()
      local book = assert(venue:book(symbol, row.levels))
      assert.equal(row.levels, #book.bids)
      assert.equal(row.levels, #book.asks)
      for i = 2, row.levels do
        assert.is_true(decimal.cmp(book.bids[i][1], book.bids[i - 1][1]) < 0, "bids fall")
        assert.is_true(decimal.cmp(book.asks[i][1], book.asks[i - 1][1]) > 0, "asks rise")
      end
      assert.is_true(decimal.cmp(book.bids[1][1], book.asks[1][1]) < 0, "best bid below best ask")
    end)

    it("keeps a local book equal to the venue's while the market moves", function()
      local stream <close> = assert(venue:stream { "book:" .. symbol })
      local first = assert(stream:top(row.levels))
      for _, by in ipairs { "0.01", "-0.02", "0.005" } do
        venue.sandbox:move(symbol, { by = by })
        eventually(function()
          local theirs, ours = venue.sandbox:book(symbol, row.levels), assert(stream:top(row.levels))
          assert.same({ theirs.symbol, theirs.bids, theirs.asks }, { ours.symbol, ours.bids, ours.asks })
        end, { within = 5 })
      end
      assert.is_true(stream:top(row.levels).id > first.id)
    end)

    it("closes a stream, and leaves no connection behind", function()
      local stream = assert(venue:stream { "ticker:" .. symbol })
      assert(stream:recv(15))
      assert.equal(1, #venue.sandbox:streams())

      assert.equal(row.closes, assert(stream:close()))

      eventually(function() assert.same({}, venue.sandbox:streams()) end)
    end)

    if not row.skew_code then return end

    for _, case in ipairs { { "behind", 6 }, { "ahead", -1.5 } } do
      local how, skew = table.unpack(case)
      it("refuses a clock that is too far " .. how .. ", until it is corrected", function()
        venue.sandbox:skew(skew)
        local account, err = venue:account()
        assert.is_nil(account)
        assert.same({ "clock_skew", row.skew_code, false }, { err.class, err.code, err.retryable })
        assert.equal(1, #venue:requests { signed = true })

        assert.is_true(math.abs(assert(venue:sync()) - skew * 1000) < 200)
        assert.is_true(assert(venue:account()).can_trade)
      end)
    end
  end)
end

describe("venues side by side #connection #binance #bybit #oanda", function()
  for _, down in ipairs(VENUES) do
    it(("go on when %s alone is down, and it is told by its name"):format(down.name), function()
      local venues = {}
      for _, row in ipairs(VENUES) do venues[row.name] = smc.venue(row.name) end
      venues[down.name]:fault { venue = "down" }

      for name, venue in pairs(venues) do
        local seconds, err = venue:ping()
        if name == down.name then
          assert.is_nil(seconds)
          assert.same({ "network", name, "ping", true }, { err.class, err.venue, err.op, err.retryable })
        else
          assert.is_true(seconds >= 0, tostring(err))
        end
      end

      assert(venues[down.name]:heal())
      for _, venue in pairs(venues) do assert(venue:ping()) end
    end)
  end
end)
