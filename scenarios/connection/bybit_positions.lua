-- Positions in contracts at bybit: what they cost, tie up and come to, and what may only make them smaller.
local smc = require "smc"
local decimal = smc.decimal

local SYMBOL = "BTC/USDT:USDT"

describe("contracts at bybit #connection #bybit #virtual-time", function()
  local venue
  before_each(function() venue = smc.venue("bybit", { limiter = false }) end) -- it would spend time

  local function market(side, qty, more)
    local order = { symbol = SYMBOL, side = side, type = "market", qty = qty }
    for word, value in pairs(more or {}) do order[word] = value end
    return assert(venue:place(order))
  end

  local function limit(side, qty, price, more)
    local order = { symbol = SYMBOL, side = side, type = "limit", qty = qty, price = price }
    for word, value in pairs(more or {}) do order[word] = value end
    return venue:place(order)
  end

  local function position() return assert(venue:positions())[1] end

  it("gain and lose with the price, each side its own way, and by what is still held", function()
    for side, sign in pairs { buy = "1", sell = "-1" } do
      market(side, "0.2")
      local entry = position().entry
      market(side == "buy" and "sell" or "buy", "0.05", { reduce_only = true })
      venue.sandbox:move(SYMBOL, { by = "0.01" })

      local held = position()

      assert.same({ side == "buy" and "long" or "short", "0.15", entry }, { held.side, held.qty, held.entry })
      local moved = decimal.mul(decimal.sub(held.mark, held.entry), sign)
      assert.equal(decimal.mul(moved, "0.15"), held.unrealized)
      assert(venue:flatten(SYMBOL))
    end
  end)

  it("pay the fee of who takes, and the smaller one of who rests", function()
    local function rate_of(order)
      local f = assert(venue:fills(SYMBOL, { order_id = order.id }))[1]
      return f.maker, decimal.div(f.fee, f.quote, 6)
    end
    assert.same({ false, "0.00055" }, { rate_of(market("buy", "0.01")) })
    local ask = assert(limit("sell", "0.01", decimal.add(position().mark, "100")))
    venue.sandbox:fill { client_id = ask.client_id }
    assert.same({ true, "0.0002" }, { rate_of(ask) })
  end)

  it("tie up what they and their orders need, of what is free #leaves-orders", function()
    venue.sandbox:fund { USDT = "10000" }
    assert(limit("buy", "0.1", "50000")) -- at ten times: 500
    local balance = assert(venue:balances()).USDT
    assert.is_true(decimal.within(balance.locked, "499", "510"), balance.locked)
    market("buy", "0.1") -- at about 60000
    local more = assert(venue:balances()).USDT
    assert.is_true(decimal.within(decimal.sub(more.locked, balance.locked), "595", "610"), more.locked)
    assert.equal(more.total, decimal.add(more.free, more.locked))
  end)

  it("need margin for orders that rest, too #leaves-orders", function()
    venue.sandbox:fund { USDT = "1000" } -- at ten times, for 10000 USDT of contracts
    assert(limit("buy", "0.1", "59000"))
    local order, err = limit("buy", "0.1", "59000")
    assert.is_nil(order)
    assert.same({ "insufficient_funds", 110007 }, { err.class, err.code })
  end)

  it("need none for an order that only reduces, though others would close the position as well \z
    #leaves-orders", function()
    venue.sandbox:fund { USDT = "1000" }
    market("buy", "0.15")
    local far = decimal.add(decimal.floor_to(position().mark, "0.1"), "300")
    assert(limit("sell", "0.15", far))
    local exit = assert(limit("sell", "0.15", decimal.add(far, "10"), { reduce_only = true }))
    assert.same({ "open", true }, { exit.status, exit.reduce_only })
  end)

  it("are never larger than the order that only reduces them #leaves-orders", function()
    market("buy", "0.1")
    local far = decimal.add(decimal.floor_to(position().mark, "0.1"), "300")
    assert.equal("0.1", assert(limit("sell", "0.3", far, { reduce_only = true })).qty)
  end)

  it("take orders with them that only reduce, when they are closed #leaves-orders", function()
    market("buy", "0.1")
    local far = decimal.add(decimal.floor_to(position().mark, "0.1"), "300")
    local exit = assert(limit("sell", "0.1", far, { reduce_only = true }))
    local other = assert(limit("sell", "0.1", far))
    market("sell", "0.1")
    local found = assert(venue:order { symbol = SYMBOL, id = exit.id })
    assert.same({ true, "0" }, { found.status == "canceled" or found.status == "expired", found.filled })
    assert.equal("open", assert(venue:order { symbol = SYMBOL, id = other.id }).status)
  end)

  it("are taken away when what they have lost leaves less than their maintenance margin", function()
    venue.sandbox:fund { USDT = "1000" }
    market("buy", "0.16")
    venue.sandbox:move(SYMBOL, { by = "-0.09" })
    assert.equal("0.16", position().qty)

    venue.sandbox:move(SYMBOL, { to = "54000" }) -- about 30 USDT are left, 43 are asked for

    assert.same({}, assert(venue:positions()))
    local free = assert(venue:balances()).USDT.free
    assert.is_true(decimal.within(free, "0.01", "60"), free)
  end)

  it("are not opened by who closes what is not held any more", function()
    market("buy", "0.1")
    venue:fault { venue = "stale", on = "positions" }
    assert.equal("0.1", position().qty)
    market("sell", "0.1", { reduce_only = true })
    assert.equal("0.1", position().qty) -- so the venue goes on saying

    local done, err = venue:flatten(SYMBOL)

    assert.same({ nil, "filter" }, { done, err and err.class })
    assert.same({}, venue.sandbox:positions())
  end)

  it("of one symbol are closed, and those of others kept", function()
    market("buy", "0.1")
    assert(venue:place { symbol = "ETH/USDT:USDT", side = "sell", type = "market", qty = "1" })
    assert.equal(1, #assert(venue:flatten(SYMBOL)).closed)
    local left = assert(venue:positions())
    assert.same({ 1, "ETH/USDT:USDT", "short" }, { #left, left[1].symbol, left[1].side })
  end)
end)
