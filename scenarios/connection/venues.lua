-- What every spot venue must do, written once and run for each.
local smc = require "smc"
local decimal = smc.decimal

-- rest: a price at which a buy order surely rests.
local VENUES = {
  { name = "binance", rest = "40000", wrong_secret = { 400, -1022 }, skew_code = -1021, gone_code = -2011 },
  { name = "bybit", rest = "40000", wrong_secret = { 200, 10004 }, skew_code = 10002, gone_code = 170142 },
}

--- How much of an asset came (or went, below zero) with some fills, fees included.
local function flow(fills, asset, base, quote)
  local sum = "0"
  for _, f in ipairs(fills) do
    local came = { [base] = f.qty, [quote] = f.quote }
    if came[asset] then
      local gains = (asset == base) == (f.side == "buy")
      sum = (gains and decimal.add or decimal.sub)(sum, came[asset])
    end
    if f.fee_asset == asset then sum = decimal.sub(sum, f.fee) end
  end
  return sum
end

for _, row in ipairs(VENUES) do
  describe(row.name .. ", like every venue #connection #" .. row.name, function()
    local venue
    before_each(function() venue = smc.venue(row.name) end)

    it("answers a signed account query", function()
      local account = assert(venue:account())
      assert.is_true(account.can_trade)
      assert.is_true(decimal.cmp(account.balances.USDT.total, "0") > 0)
      assert.is_not_nil(next(venue:requests { signed = true }))
    end)

    it("refuses a wrong secret as an authentication error, after one attempt", function()
      local stranger = smc.venue(row.name, { secret = smc.secret.random() })
      local account, err = stranger:account()
      assert.is_nil(account)
      local http, code = table.unpack(row.wrong_secret)
      assert.same({ "auth", http, code, false }, { err.class, err.http, err.code, err.retryable })
      assert.equal(1, #stranger:requests { signed = true })
    end)

    it("shows a book with two sides, best first, that do not cross", function()
      local book = assert(venue:book("BTC/USDT", 5))
      assert.equal(5, #book.bids)
      assert.equal(5, #book.asks)
      for i = 2, 5 do
        assert.is_true(smc.decimal.cmp(book.bids[i][1], book.bids[i - 1][1]) < 0, "bids fall")
        assert.is_true(smc.decimal.cmp(book.asks[i][1], book.asks[i - 1][1]) > 0, "asks rise")
      end
      assert.is_true(smc.decimal.cmp(book.bids[1][1], book.asks[1][1]) < 0, "best bid below best ask")
    end)

    it("keeps a local book equal to the venue's while the market moves", function()
      local stream <close> = assert(venue:stream { "book:BTC/USDT" })
      local first = assert(stream:top(5))
      for _, by in ipairs { "0.01", "-0.02", "0.005" } do
        venue.sandbox:move("BTC/USDT", { by = by })
        eventually(function()
          local theirs, ours = venue.sandbox:book("BTC/USDT", 5), assert(stream:top(5))
          assert.same({ theirs.symbol, theirs.bids, theirs.asks }, { ours.symbol, ours.bids, ours.asks })
        end, { within = 5 })
      end
      assert.is_true(stream:top(5).id > first.id)
    end)

    it("closes with code 1000 and leaves no connection behind", function()
      local stream = assert(venue:stream { "trade:BTC/USDT" })
      assert(stream:recv(15))
      assert.equal(1, #venue.sandbox:streams())

      assert.equal(1000, assert(stream:close()))

      eventually(function() assert.same({}, venue.sandbox:streams()) end)
    end)

    it("walks an order from placed to open to canceled, and gives its funds back", function()
      local before = assert(venue:balances()).USDT
      local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
        price = row.rest })
      assert.same({ "open", "buy", "limit", "gtc", "0.01", row.rest, "0" }, { order.status, order.side, order.type,
        order.time_in_force, order.qty, order.price, order.filled })

      local open = assert(venue:open_orders "BTC/USDT")
      assert.same({ order.id, order.client_id }, { open[1].id, open[1].client_id })
      assert.equal(1, #open)
      local locked = decimal.sub(assert(venue:balances()).USDT.locked, before.locked)
      assert.equal(decimal.mul("0.01", row.rest), locked)

      local gone = assert(venue:cancel { symbol = "BTC/USDT", id = order.id })
      assert.same({ order.id, order.client_id, "canceled", "0" }, { gone.id, gone.client_id, gone.status, gone.filled })
      assert.same({}, assert(venue:open_orders "BTC/USDT"))
      assert.equal("canceled", assert(venue:order { symbol = "BTC/USDT", client_id = order.client_id }).status)
      assert.same(before, assert(venue:balances()).USDT)

      local again, err = venue:cancel { symbol = "BTC/USDT", id = order.id }
      assert.is_nil(again)
      assert.same({ "unknown_order", row.gone_code, false }, { err.class, err.code, err.retryable })
    end)

    for _, side in ipairs { "buy", "sell" } do
      it("moves balances by exactly the fills of a market " .. side, function()
        local before = assert(venue:balances())
        local order = assert(venue:place { symbol = "BTC/USDT", side = side, type = "market", qty = "0.02" })
        assert.same({ "filled", "0.02" }, { order.status, order.filled })

        local fills = assert(venue:fills("BTC/USDT", { order_id = order.id }))
        local filled = "0"
        for _, f in ipairs(fills) do
          assert.same({ order.id, side, false }, { f.order_id, f.side, f.maker })
          filled = decimal.add(filled, f.qty)
        end
        assert.equal("0.02", filled)

        local after = assert(venue:balances())
        for _, asset in ipairs { "BTC", "USDT" } do
          assert.equal(flow(fills, asset, "BTC", "USDT"), decimal.sub(after[asset].total, before[asset].total), asset)
          assert.equal(before[asset].locked, after[asset].locked, asset)
        end
      end)
    end

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
