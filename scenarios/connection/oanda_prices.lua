-- Which of OANDA's two prices counts: one buys at the ask, sells at the bid, and is worth what closing would bring.
local smc = require "smc"
local decimal = smc.decimal

describe("the two prices of oanda #connection #oanda #virtual-time", function()
  local venue
  before_each(function() venue = smc.venue "oanda" end)

  local function prices(symbol)
    local book = assert(venue:book(symbol, 1))
    return book.bids[1][1], book.asks[1][1]
  end

  --- A limit order that waits, and is filled in full when its moment has come.
  local function wait_for(side, price)
    return assert(venue:place { symbol = "EUR/USD", side = side, type = "limit", qty = "1000", price = price })
  end

  local function status(order) return assert(venue:order { symbol = "EUR/USD", id = order.id }).status end

  it("keep an order waiting while only the other one has reached it #leaves-orders", function()
    local bid, ask = prices "EUR/USD"
    local buy, sell = wait_for("buy", decimal.sub(ask, "0.00001")), wait_for("sell", decimal.add(bid, "0.00001"))
    assert.same({ "open", "open" }, { status(buy), status(sell) })
  end)

  it("fill an order as soon as its own is there", function()
    local bid, ask = prices "EUR/USD"
    local middle = decimal.div(decimal.add(bid, ask), "2")
    local buy, sell = wait_for("buy", decimal.sub(ask, "0.001")), wait_for("sell", decimal.add(bid, "0.001"))

    venue.sandbox:move("EUR/USD", { to = decimal.sub(middle, "0.001") })
    assert.equal(buy.price, (select(2, prices "EUR/USD")))
    assert.same({ "filled", "open" }, { status(buy), status(sell) })

    venue.sandbox:move("EUR/USD", { to = decimal.add(middle, "0.001") })
    assert.equal(sell.price, (prices "EUR/USD"))
    assert.equal("filled", status(sell))
  end)

  it("value a position at what closing it would bring", function()
    for side, sign in pairs { buy = "10000", sell = "-10000" } do
      assert(venue:place { symbol = "EUR/USD", side = side, type = "market", qty = "10000" })
      local held = assert(venue:positions())[1]
      local bid, ask = prices "EUR/USD"
      local closes_at = side == "buy" and bid or ask
      assert.equal(decimal.mul(decimal.sub(closes_at, held.entry), sign), held.unrealized)
      assert.is_true(decimal.lt(held.unrealized, "0"), "the spread is lost at once")
      assert(venue:flatten())
    end
  end)

  it("fill a market order in full or not at all, unless it wants what is there", function()
    venue.sandbox:fund { USD = "1000000000" }
    local much = { symbol = "EUR/USD", side = "buy", type = "market", qty = "90000000" }
    local none, err = venue:place(much)
    assert.is_nil(none)
    assert.same({ "filter", "INSUFFICIENT_LIQUIDITY" }, { err.class, err.code })
    assert.same({}, assert(venue:positions()))

    much.time_in_force = "ioc"
    local part = assert(venue:place(much))
    assert.is_true(decimal.lt("0", part.filled) and decimal.lt(part.filled, much.qty), part.filled)
    assert.equal(part.filled, assert(venue:positions())[1].qty)
  end)

  it("turn a loss into more of the account's currency than an equal gain", function()
    local function worth(by)
      venue.sandbox:reset()
      assert(venue:place { symbol = "EUR/GBP", side = "buy", type = "market", qty = "10000" })
      local entry = assert(venue:positions())[1].entry
      venue.sandbox:move("EUR/GBP", { by = by })
      local pounds = decimal.mul(decimal.sub((prices "EUR/GBP"), entry), "10000")
      return decimal.div(assert(venue:positions())[1].unrealized, pounds, 4)
    end
    local bid, ask = prices "GBP/USD"
    local gain, loss = worth "0.01", worth "-0.01"
    assert.is_true(decimal.lt(gain, bid) and decimal.lt(ask, loss), gain .. " " .. loss) -- dollars for a pound
  end)

  it("have a middle, which is the last price of a ticker", function()
    local ticker = assert(smc.venue("oanda"):ticker "EUR/USD")
    assert.is_true(smc.decimal.lt(ticker.bid, ticker.ask))
    assert.equal(smc.decimal.div(smc.decimal.add(ticker.bid, ticker.ask), "2", 9),
      smc.decimal.add(ticker.last, "0"))
  end)
end)
