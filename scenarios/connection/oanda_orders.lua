-- Orders of OANDA, which are positions as soon as they are filled: what they cost, what refuses them, what closes them.
local smc = require "smc"

describe("oanda orders #connection #oanda", function()
  local venue
  local decimal = smc.decimal
  before_each(function() venue = smc.venue("oanda", { retry = true }) end)
  after_each(function() assert(venue:flatten()) end)

  local function market(side, qty)
    return assert(venue:place { symbol = "EUR/USD", side = side, type = "market", qty = qty })
  end

  --- Moves the price so far from the present one, up or down.
  local function shifted(price, by) return decimal.round(decimal.mul(price, decimal.add("1", by)), 5) end

  for _, case in ipairs { { "buy", "sell", "long" }, { "sell", "buy", "short" } } do
    local open, close, side = table.unpack(case)
    it(("moves the balance by exactly what a %s position earned, not before it is closed"):format(side), function()
      local before = assert(venue:balances()).USD
      local opened = market(open, "10000")
      local position = assert(venue:positions())[1]
      assert.same({ "EUR/USD", side, "10000", opened.average }, { position.symbol, position.side, position.qty,
        position.entry })
      local held = assert(venue:balances()).USD
      assert.equal(before.total, held.total)
      assert.is_true(decimal.cmp(held.locked, before.locked) > 0, "it ties up margin")
      local free = decimal.add(decimal.sub(held.total, held.locked), position.unrealized)
      assert.is_true(decimal.eq(free, held.free), held.free)

      venue.sandbox:move("EUR/USD", { by = "0.01" })
      local closed = market(close, "10000")

      local fill = assert(venue:fills("EUR/USD", { order_id = closed.id }))[1]
      local points = side == "long" and decimal.sub(closed.average, opened.average)
        or decimal.sub(opened.average, closed.average)
      assert.is_true(decimal.eq(decimal.mul(points, "10000"), fill.realized), fill.realized)
      local after = assert(venue:balances()).USD
      assert.is_true(decimal.eq(decimal.add(before.total, decimal.sub(fill.realized, fill.fee)), after.total))
      assert.same({ {}, before.locked }, { assert(venue:positions()), after.locked })
    end)
  end

  it("closes the oldest first, and opens what is more than that on the other side", function()
    market("buy", "300")
    market("buy", "200")
    market("sell", "400")
    assert.same({ "long", "100" }, { assert(venue:positions())[1].side, assert(venue:positions())[1].qty })
    market("sell", "250")
    assert.same({ "short", "150" }, { assert(venue:positions())[1].side, assert(venue:positions())[1].qty })
    local order, err = venue:place { symbol = "EUR/USD", side = "buy", type = "market", qty = "150",
      reduce_only = true }
    assert.is_nil(err)
    assert.equal("filled", order.status)
    assert.same({}, assert(venue:positions()))
  end)

  it("closes the oldest first, at what that one has earned", function()
    local first = market("buy", "300")
    venue.sandbox:move("EUR/USD", { by = "0.01" })
    local second = market("buy", "200")
    local closed = market("sell", "300")
    local fill = assert(venue:fills("EUR/USD", { order_id = closed.id }))[1]
    local earned = decimal.mul(decimal.sub(closed.average, first.average), "300")
    assert.is_true(decimal.eq(earned, fill.realized), fill.realized)
    local left = assert(venue:positions())[1]
    assert.same({ "200", second.average }, { left.qty, left.entry })
  end)

  for _, case in ipairs { { "stop", "0.01", "0.02" }, { "take_profit", "-0.01", "-0.02" } } do
    local kind, at, move = table.unpack(case)
    it(("fills a %s order when its price has come, not before"):format(kind), function()
      local price = shifted(assert(venue:ticker "EUR/USD").last, at)
      local order = assert(venue:place { symbol = "EUR/USD", side = "buy", type = kind, qty = "100",
        trigger_price = price })
      assert.same({ "open", kind, price }, { order.status, order.type, order.trigger_price })
      venue.sandbox:move("EUR/USD", { by = decimal.div(at, "2", 4) })
      assert.equal("open", assert(venue:order { symbol = "EUR/USD", id = order.id }).status)
      venue.sandbox:move("EUR/USD", { by = move })
      eventually(function()
        local now = assert(venue:order { symbol = "EUR/USD", id = order.id })
        assert.same({ "filled", "100" }, { now.status, now.filled })
      end, { within = 5 })
    end)
  end

  it("replaces an order that is amended: a new number, the same name", function()
    local order = assert(venue:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "1000", price = "0.9" })
    local new = assert(venue:amend { symbol = "EUR/USD", id = order.id, qty = "700", price = "0.91" })
    assert.same({ "open", "700", "0.91", order.client_id }, { new.status, new.qty, new.price, new.client_id })
    assert.are_not.equal(order.id, new.id)
    assert.equal("canceled", assert(venue:order { symbol = "EUR/USD", id = order.id }).status)
    assert.same({ new.id }, { assert(venue:open_orders "EUR/USD")[1].id })
    assert.equal(new.id, assert(venue:cancel_all "EUR/USD")[1].id)
  end)

  it("stays a sale when a sale is amended", function()
    local order = assert(venue:place { symbol = "EUR/USD", side = "sell", type = "limit", qty = "1000", price = "2" })
    local new = assert(venue:amend { symbol = "EUR/USD", id = order.id, qty = "700" })
    assert.same({ "sell", "700", "2" }, { new.side, new.qty, new.price })
    assert.same({ "sell", "700" }, { venue.sandbox:orders({ status = "open" })[1].side,
      venue.sandbox:orders({ status = "open" })[1].qty })
  end)

  it("opens nothing by an order that only reduces", function()
    local order, err = venue:place { symbol = "EUR/USD", side = "sell", type = "market", qty = "100",
      reduce_only = true }
    assert.is_true(order == nil or order.filled == "0", tostring(err))
    assert.same({}, assert(venue:positions()))
    market("buy", "100")
    venue:place { symbol = "EUR/USD", side = "sell", type = "market", qty = "300", reduce_only = true }
    for _, position in ipairs(assert(venue:positions())) do assert.equal("long", position.side) end
  end)

  it("closes all, though a position is gone already", function()
    market("buy", "100")
    venue:fault { venue = "stale", on = "positions" }
    assert.equal("100", assert(venue:positions())[1].qty)
    market("sell", "100")
    assert.equal("100", assert(venue:positions())[1].qty) -- so the venue goes on saying
    local done, err = venue:flatten()
    assert.same({}, (done or {}).closed, tostring(err))
    assert(venue:heal())
    assert.same({}, assert(venue:positions()))
  end)

  it("cancels all, though one of them ends meanwhile #virtual-time", function()
    local ids = {}
    for i = 1, 3 do
      ids[i] = assert(venue:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "100", price = "0.9" }).id
    end
    local other = smc.venue "oanda"
    venue:fault { venue = "slow", on = "cancel_all", seconds = 1 }
    local all = smc.spawn(function() return venue:cancel_all "EUR/USD" end)
    smc.sleep(1.5)
    assert(other:cancel { symbol = "EUR/USD", id = ids[3] })
    local gone, err = all:join()
    assert.is_not_nil(gone, tostring(err))
    assert.same({}, venue.sandbox:orders { status = "open" })
    assert.is_true(#gone >= 2)
  end)

  it("takes no order to the market while it is closed, and keeps those that wait", function()
    venue.sandbox:halt "EUR/USD"
    local order, err = venue:place { symbol = "EUR/USD", side = "buy", type = "market", qty = "100" }
    assert.is_nil(order)
    assert.same({ "market_closed", "MARKET_HALTED", true }, { err.class, err.code, err.retryable })
    assert.equal("expired", assert(venue:order { symbol = "EUR/USD", id = err.order_id }).status)
    local waiting = assert(venue:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "100", price = "0.9" })
    assert.equal("open", waiting.status)
    venue.sandbox:resume "EUR/USD"
    assert.equal("filled", market("buy", "100").status)
  end)

  it("tells of each order, fill and balance once, in the order in which it happened", function()
    local events <close> = assert(venue:user_stream())
    local rests = assert(venue:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "500", price = "0.9" })
    local bought = market("buy", "1000")
    assert(venue:cancel { symbol = "EUR/USD", id = rests.id })
    local seen = {}
    for i = 1, 5 do
      local event = assert(events:recv(5))
      seen[i] = ("%s %s %s"):format(event.kind, event.execution or "", event.order and event.order.id or "")
    end
    assert.same({ "order new " .. rests.id, "order new " .. bought.id, "fill trade " .. bought.id, "balance  ",
      "order canceled " .. rests.id }, seen)
    local nothing, err = events:recv(4)
    assert.is_nil(nothing)
    assert.equal("timeout", err.class)
  end)

  it("finds an order whose answer was lost, and never sends it twice", function()
    venue:fault { venue = "ack_lost", on = "place", times = 1 }
    local order = market("buy", "100")
    assert.same({ "filled", "100" }, { order.status, order.filled })
    assert.equal(1, #venue.sandbox:requests { method = "POST" })
    assert.equal("100", assert(venue:positions())[1].qty)
  end)

  it("leaves an order in doubt that it can't find, and tells by which name it was sent", function()
    venue:fault { venue = "status", status = 504, on = "place", times = 1 }
    local order, err = venue:place { symbol = "EUR/USD", side = "buy", type = "market", qty = "100" }
    assert.is_nil(order)
    assert.same({ "unknown_outcome", 504, false }, { err.class, err.http, err.retryable })
    assert.equal(1, #venue.sandbox:requests { method = "POST" })
    local none, unknown = venue:order { symbol = "EUR/USD", client_id = err.client_id }
    assert.is_nil(none)
    assert.equal("unknown_order", unknown.class)
    assert.same({}, assert(venue:positions()))
  end)

  it("shows what it has done, newest last, as often as it is asked", function()
    local first, second = market("buy", "100"), market("sell", "100")
    local rests = assert(venue:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "5", price = "0.9" })
    local list = assert(venue:orders("EUR/USD", { limit = 3 }))
    assert.same({ first.id, second.id, rests.id }, { list[1].id, list[2].id, list[3].id })
    assert.same({ "filled", first.average, "open" }, { list[1].status, list[1].average, list[3].status })
    assert.same({ rests.id }, { assert(venue:orders("EUR/USD", { limit = 1 }))[1].id })
    local fills = assert(venue:fills("EUR/USD", { limit = 2 }))
    assert.same({ 2, first.id, second.id }, { #fills, fills[1].order_id, fills[2].order_id })
    for _, fill in ipairs(assert(venue:fills "USD/JPY")) do assert.equal("USD/JPY", fill.symbol) end
    assert.equal(second.id, assert(venue:fills("EUR/USD", { limit = 1 }))[1].order_id)
  end)
end)
