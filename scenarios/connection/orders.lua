-- An order from when it is placed to when it has ended, and what it does to the account: written once, for each venue.
-- At some an order locks what it may cost and a fill moves two balances (spot); at others what is traded is held as a
-- position (margin).
local smc = require "smc"
local decimal = smc.decimal

local SPOT = { spot = true, symbol = "BTC/USDT", money = "USDT", qty = "0.01", rest = "40000",
  too_dear = { symbol = "ETH/USDT", side = "sell", type = "limit", qty = "1100", price = "3300" } }
local MARGIN = { symbol = "EUR/USD", money = "USD", qty = "1000", rest = "0.9",
  too_dear = { symbol = "EUR/USD", side = "buy", type = "market", qty = "8000000" } }

--- rest: a price at which a buy order surely rests; too_dear: an order that the account can't pay for.
local function venue_row(kind, given)
  return setmetatable(given, { __index = kind })
end

local VENUES = {
  venue_row(SPOT, { name = "binance", gone_code = -2011 }),
  venue_row(SPOT, { name = "bybit", gone_code = 170142 }),
  venue_row(MARGIN, { name = "oanda", gone_code = "ORDER_DOESNT_EXIST" }),
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
  describe("orders of " .. row.name .. ", like every venue #connection #" .. row.name, function()
    local venue
    local symbol, money = row.symbol, row.money
    -- A venue where accounts live on may still count what the spec before has asked for.
    before_each(function() venue = smc.venue(row.name, { retry = true }) end)
    after_each(function() assert(venue:flatten()) end)

    it("walks an order from placed to open to canceled, and gives its funds back", function()
      local before = assert(venue:balances())[money]
      local order = assert(venue:place { symbol = symbol, side = "buy", type = "limit", qty = row.qty,
        price = row.rest })
      assert.same({ "open", "buy", "limit", "gtc", row.qty, row.rest, "0" }, { order.status, order.side, order.type,
        order.time_in_force, order.qty, order.price, order.filled })

      local open = assert(venue:open_orders(symbol))
      assert.same({ order.id, order.client_id }, { open[1].id, open[1].client_id })
      assert.equal(1, #open)
      local locked = decimal.sub(assert(venue:balances())[money].locked, before.locked)
      assert.equal(row.spot and decimal.mul(row.qty, row.rest) or "0", locked)

      local gone = assert(venue:cancel { symbol = symbol, id = order.id })
      assert.same({ order.id, order.client_id, "canceled", "0" }, { gone.id, gone.client_id, gone.status, gone.filled })
      assert.same({}, assert(venue:open_orders(symbol)))
      assert.equal("canceled", assert(venue:order { symbol = symbol, client_id = order.client_id }).status)
      assert.same(before, assert(venue:balances())[money])

      local again, err = venue:cancel { symbol = symbol, id = order.id }
      assert.is_nil(again)
      assert.same({ "unknown_order", row.gone_code, false }, { err.class, err.code, err.retryable })
    end)

    it("fills a market order at once, and shows the fill", function()
      local order = assert(venue:place { symbol = symbol, side = "sell", type = "market", qty = row.qty })
      assert.same({ "filled", row.qty, "sell" }, { order.status, order.filled, order.side })
      assert.equal(order.id, assert(venue:order { symbol = symbol, client_id = order.client_id }).id)
      local filled, value = "0", "0"
      for _, f in ipairs(assert(venue:fills(symbol, { order_id = order.id }))) do
        assert.same({ order.id, symbol, "sell", false }, { f.order_id, f.symbol, f.side, f.maker })
        filled, value = decimal.add(filled, f.qty), decimal.add(value, f.quote)
      end
      assert.same({ row.qty, order.filled_quote }, { filled, value })
    end)

    it("knows an order by our own name for it #leaves-orders", function()
      local name = "one-name-" .. smc.wall() -- a testnet remembers names
      local order = assert(venue:place { symbol = symbol, side = "buy", type = "limit", qty = row.qty, price = row.rest,
        client_id = name })
      local same, err = venue:place { symbol = symbol, side = "buy", type = "limit", qty = row.qty, price = row.rest,
        client_id = name }
      assert.is_nil(same)
      assert.same({ "duplicate_order", name, false }, { err.class, err.client_id, err.retryable })
      assert.equal(order.id, assert(venue:order { symbol = symbol, client_id = name }).id)
      assert.equal(1, #assert(venue:cancel_all(symbol)))
      local none, unknown = venue:order { symbol = symbol, client_id = "no-such-name" }
      assert.is_nil(none)
      assert.equal("unknown_order", unknown.class)
    end)

    it("refuses what the account can't pay for, and is as it was", function()
      local before = assert(venue:balances())
      local order, err = venue:place(row.too_dear)
      assert.is_nil(order)
      assert.same({ "insufficient_funds", false }, { err.class, err.retryable })
      assert.same(before, assert(venue:balances()))
      assert.same({}, assert(venue:open_orders()))
    end)

    it("leaves nothing in the market when it is told to", function()
      assert(venue:place { symbol = symbol, side = "buy", type = "limit", qty = row.qty, price = row.rest })
      assert(venue:place { symbol = symbol, side = "buy", type = "market", qty = row.qty })
      assert.equal(row.spot and 0 or 1, #assert(venue:positions()))
      local done = assert(venue:flatten())
      assert.same({ 1, row.spot and 0 or 1 }, { #done.cancelled, #done.closed })
      assert.same({ {}, {} }, { assert(venue:open_orders()), assert(venue:positions()) })
    end)

    if not row.spot then return end

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
  end)
end
