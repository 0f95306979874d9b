local market = require "smc.core.market"

local START = 1767571200000

local function new(options)
  options = options or {}
  local m = market.new { seed = 7, now_ms = START }
  m:instrument { symbol = "BTCUSDT", base = "BTC", quote = "USDT", tick = "0.01", step = "0.001", kind = "contract",
    positions = options.positions, margin_rate = "0.1", maintenance_rate = "0.005", taker_fee = options.taker_fee }
  local alice, bob = m:account {}, m:account {}
  m:credit(alice, "USDT", "1000")
  m:credit(bob, "USDT", "100000")
  return m, alice, bob
end

local function place(m, account, side, qty, price, more)
  local request = { account = account, symbol = "BTCUSDT", side = side, type = price and "limit" or "market",
    qty = qty, price = price }
  for k, v in pairs(more or {}) do
    request[k] = v
  end
  return m:place(request)
end

local function trade(m, alice, bob, side, qty, price)
  assert(place(m, bob, side == "buy" and "sell" or "buy", qty, price))
  return assert(place(m, alice, side, qty, price))
end

describe("a position", function()
  it("has an average price, a profit and margin", function()
    local m, alice, bob = new { taker_fee = "0.001" }
    trade(m, alice, bob, "buy", "2", "100")
    place(m, bob, "buy", "1", "109")
    place(m, bob, "sell", "1", "111")
    assert.same({
      symbol = "BTCUSDT", qty = "2", entry = "100", cost = "200", realized = "0", realized_total = "0", fees = "0.2",
      upl = "20", mark = "110", im = "22", mm = "1.1", opened_ms = START, updated_ms = START, lots = {},
    }, m:position(alice, "BTCUSDT"))
    assert.same({
      balance = "999.8", upl = "20", equity = "1019.8", position_im = "22", order_im = "0", maintenance = "1.1",
      available = "977.8",
    }, m:margin(alice, "USDT"))
    m:set_margin(alice, "BTCUSDT", "0.02")
    assert.equal("4.4", m:position(alice, "BTCUSDT").im)
    local _, fills = place(m, alice, "sell", "5", nil, { reduce_only = true })
    assert.equal(1, #fills) -- one bid of 1, though 2 were to be closed
    assert.same({ "9", "1", {}, "USDT" }, { fills[1].realized, fills[1].closed_qty, fills[1].lots, fills[1].fee_asset })
    assert.equal(1, #m:positions(alice))
    assert.equal("9", m:position(alice, "BTCUSDT").realized)
  end)

  it("is two while it is hedged", function()
    local m, alice, bob = new()
    m:hedge(alice, "BTCUSDT", true)
    trade(m, alice, bob, "buy", "2", "100")
    trade(m, alice, bob, "sell", "1", "110")
    assert.is_true(m:hedged(alice, "BTCUSDT"))
    assert.same({ "2", "-1", "2" }, { m:position(alice, "BTCUSDT", "buy").qty, m:position(alice, "BTCUSDT", "sell").qty,
      m:position(alice, "BTCUSDT").qty })
    local list = m:positions(alice)
    assert.same({ 2, "2", "-1" }, { #list, list[1].qty, list[2].qty })
    m:set_margin(alice, "BTCUSDT", "0.5", "sell")
    assert.same({ "22", "55" }, { m:position(alice, "BTCUSDT").im, m:position(alice, "BTCUSDT", "sell").im })
    assert.error_matches(function() m:hedge(alice, "BTCUSDT", false) end, "there is a position")
    assert.error_matches(function() m:position(alice, "BTCUSDT", "long") end, "invalid option 'long'")
  end)

  it("is flat before anything was done", function()
    local m, alice = new()
    assert.same({}, m:positions(alice))
    assert.same({
      symbol = "BTCUSDT", qty = "0", entry = "0", cost = "0", realized = "0", realized_total = "0", fees = "0",
      upl = "0", mark = "0", im = "0", mm = "0", opened_ms = 0, updated_ms = 0, lots = {},
    }, m:position(alice, "BTCUSDT"))
  end)

  it("is made of lots", function()
    local m, alice, bob = new { positions = "lots" }
    local first = trade(m, alice, bob, "buy", "2", "100").id
    local second = trade(m, alice, bob, "buy", "1", "104").id
    m:want("orders")
    place(m, bob, "buy", "5", "110")
    m:events()
    local order, fills = place(m, alice, "sell", "1", nil, { close_lot = second })
    assert.same({ true, second }, { order.reduce_only, order.close_lot })
    local change = { id = second, qty = "-1", left = "0", price = "104", realized = "6", opened = false }
    assert.same({ change }, fills[1].lots)
    local events, told = m:events()
    for _, e in ipairs(events) do
      if e.exec == "trade" and e.account == alice then
        assert.same({ "6", "1", { change } }, { e.realized, e.closed_qty, e.lots })
      end
      if e.type == "position" and e.account == alice then
        told = e
      end
    end
    assert.same({ type = "position", account = alice, symbol = "BTCUSDT", qty = "2", entry = "100", realized = "6",
      upl = "20", time_ms = START }, told)
    assert.same({ { id = first, qty = "2", initial_qty = "2", price = "100", realized = "0", opened_ms = START } },
      m:position(alice, "BTCUSDT").lots)
    local _, why = place(m, alice, "sell", "1", nil, { close_lot = second })
    assert.equal("unknown_lot", why)
  end)

  it("is adjusted by funding", function()
    local m, alice = new()
    m:want("orders")
    m:adjust(alice, "USDT", "-1000.5")
    local events = m:events()
    assert.same({ "transfer", "-1000.5", "balance", "-0.5" },
      { events[1].type, events[1].amount, events[2].type, events[2].free })
    local order, why = place(m, alice, "buy", "1", "1")
    assert.is_nil(order)
    assert.equal("insufficient_funds", why)
  end)

  it("is liquidated", function()
    local m, alice, bob = new()
    m:liquidation("USDT", "1")
    trade(m, alice, bob, "buy", "90", "100")
    place(m, bob, "buy", "90", "89")
    m:want("orders")
    place(m, bob, "sell", "1", "89.1")
    local seen = {}
    for _, e in ipairs(m:events()) do
      if e.account == alice and e.order then
        table.insert(seen, e.exec .. ":" .. tostring(e.order.liquidation))
      end
    end
    assert.same({ "new:true", "trade:true" }, seen)
    assert.equal("0", m:position(alice, "BTCUSDT").qty)
    m:liquidation("USDT", nil)
  end)

  it("settles in another asset", function()
    local m = market.new { seed = 7, now_ms = START }
    m:instrument { symbol = "USD_JPY", base = "USD", quote = "JPY", tick = "0.001", step = "1", kind = "contract",
      positions = "lots", settle = "USD", settle_precision = 4, via = "USD_JPY", via_inverse = true,
      margin_rate = "0.02", maintenance_rate = "0.01", value_by = "side" }
    m:feed { symbol = "USD_JPY", mid = "150", spread = "0.001", trade_ms = 0 }
    local me = m:account {}
    m:credit(me, "USD", "1000")
    assert(m:place { account = me, symbol = "USD_JPY", side = "buy", type = "market", qty = "1000" })
    local p, best = m:position(me, "USD_JPY"), m:best("USD_JPY")
    assert.equal(best.bid, p.mark)
    local expected = (tonumber(p.mark) - tonumber(p.entry)) * 1000 / 150
    assert.is_true(math.abs(tonumber(p.upl) - expected) < 0.0001)
    m:set_conversion("USD_JPY", "1", "2")
    assert.is_true(math.abs(tonumber(m:position(me, "USD_JPY").upl) - 2 * expected) < 0.0001)
    assert.equal("20", p.im)
  end)

  it("raises on wrong use", function()
    local m, alice = new()
    local function raises(text, f)
      local ok, err = pcall(f)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find(text, 1, true), tostring(err))
    end
    local spot = { symbol = "A", base = "X", quote = "Y", tick = "1", step = "1" }
    raises("settle belongs to kind", function()
      spot.settle = "Y"
      m:instrument(spot)
    end)
    spot.settle = nil
    m:instrument(spot)
    raises("A is no contract", function() m:position(alice, "A") end)
    raises("not a contract", function() m:set_conversion("A", "1", "1") end)
    raises("unknown asset 'NOPE'", function() m:margin(alice, "NOPE") end)
    raises("a rate must be 0.0001 to 1", function() m:set_margin(alice, "BTCUSDT", "2") end)
    raises("margin_rate is missing", function()
      m:instrument { symbol = "B", base = "X", quote = "Y", tick = "1", step = "1", kind = "contract" }
    end)
  end)
end)
