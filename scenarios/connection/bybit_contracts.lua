-- Contracts of Bybit: a position opened, turned and closed, and what it came to.
local smc = require "smc"

describe("bybit contracts #connection #bybit", function()
  local decimal = smc.decimal
  local SYMBOL = "BTC/USDT:USDT"
  local venue
  -- The account of a testnet is the same in the next spec, and so is the second whose limit it counts.
  before_each(function() venue = smc.venue("bybit", { retry = true }) end)
  after_each(function() venue:flatten(SYMBOL) end)

  local function market(side, qty, reduce_only)
    return assert(venue:place { symbol = SYMBOL, side = side, type = "market", qty = qty, reduce_only = reduce_only })
  end

  for side, held_as in pairs { buy = "long", sell = "short" } do
    it(("keep money where it is but for fees and profit, and end flat: %s"):format(held_as), function()
      local before = assert(venue:balances()).USDT.total
      local opened = market(side, "0.2")
      local held = assert(venue:positions())[1]
      assert.same({ SYMBOL, held_as, "0.2" }, { held.symbol, held.side, held.qty })
      local reduced = market(side == "buy" and "sell" or "buy", "0.05", true)
      local closed = assert(venue:flatten(SYMBOL)).closed[1]
      assert.same({}, assert(venue:positions()))

      local fees, profit = "0", decimal.neg(opened.filled_quote)
      for _, order in ipairs { opened, reduced, closed } do
        for _, fill in ipairs(assert(venue:fills(SYMBOL, { order_id = order.id }))) do
          assert.equal("USDT", fill.fee_asset)
          fees = decimal.add(fees, fill.fee)
        end
      end
      for _, order in ipairs { reduced, closed } do profit = decimal.add(profit, order.filled_quote) end
      if side == "sell" then profit = decimal.neg(profit) end
      assert.equal(decimal.sub(decimal.add(before, profit), fees), assert(venue:balances()).USDT.total)
    end)
  end

  it("are never opened by an order that only reduces", function()
    local order, err = venue:place { symbol = SYMBOL, side = "sell", type = "market", qty = "0.1", reduce_only = true }
    assert.is_nil(order)
    assert.same({ "filter", 110017, false }, { err.class, err.code, err.retryable })
    market("buy", "0.1")
    assert.equal("0.1", market("sell", "1", true).filled)
    assert.same({}, assert(venue:positions()))
  end)

  it("are stopped out where the stop says", function()
    market("buy", "0.1")
    local mark = assert(venue:positions())[1].mark
    local trigger = decimal.floor_to(decimal.mul(mark, "0.98"), "0.1")
    local stop = assert(venue:place { symbol = SYMBOL, side = "sell", type = "stop", qty = "0.1",
      trigger_price = trigger, reduce_only = true })
    assert.same({ "open", "stop", trigger, true }, { stop.status, stop.type, stop.trigger_price, stop.reduce_only })
    venue.sandbox:move(SYMBOL, { by = "-0.03" })
    assert.equal("filled", assert(venue:order { symbol = SYMBOL, id = stop.id }).status)
    assert.same({}, assert(venue:positions()))
  end)

  it("have a ticker that stays whole, though only what has changed is told #virtual-time", function()
    local stream <close> = assert(venue:stream { "ticker:" .. SYMBOL })
    for i = 1, 5 do
      venue.sandbox:move(SYMBOL, { by = "0.001" })
      local t = assert(stream:recv(15))
      for _, field in ipairs { "last", "bid", "ask", "bid_qty", "ask_qty", "open", "high", "low", "volume" } do
        assert.is_string(t[field], ("%s of event %d"):format(field, i))
      end
    end
  end)

  it("keep a local book equal to the venue's, apart from that of category spot", function()
    local stream <close> = assert(venue:stream { "book:" .. SYMBOL })
    venue.sandbox:move(SYMBOL, { by = "0.01" })
    eventually(function()
      local top, book = assert(stream:top(5)), venue.sandbox:book(SYMBOL, 5)
      assert.same({ book.bids, book.asks }, { top.bids, top.asks })
    end, { within = 5 })
    local contract, spot = assert(venue:book(SYMBOL, 1)), assert(venue:book("BTC/USDT", 1))
    assert.is_true(decimal.cmp(contract.bids[1][1], spot.asks[1][1]) > 0, "only one of the two has moved")
  end)
end)
