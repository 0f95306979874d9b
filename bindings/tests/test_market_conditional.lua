local market = require "smc.core.market"

local START = 1767571200000

-- Bids at 99, asks at 101, and a trade at 100 behind them.
local function new()
  local m = market.new { seed = 7, now_ms = START }
  m:instrument { symbol = "BTCUSDT", base = "BTC", quote = "USDT", tick = "0.01", step = "0.001" }
  local alice, bob = m:account { name = "alice" }, m:account { name = "bob" }
  for _, account in ipairs { alice, bob } do
    m:credit(account, "USDT", "100000")
    m:credit(account, "BTC", "100")
  end
  local function limit(side, qty, price)
    return assert(m:place { account = bob, symbol = "BTCUSDT", side = side, type = "limit", qty = qty, price = price })
  end
  local function print_at(price)
    limit("sell", "0.001", price)
    limit("buy", "0.001", price)
  end
  print_at "100"
  limit("buy", "10", "99")
  limit("sell", "10", "101")
  return m, alice, limit, print_at
end

local function stop(m, account, more)
  local request = { account = account, symbol = "BTCUSDT", side = "buy", type = "market", qty = "1",
    trigger = { price = "100.5", by = "last", when = "rises" } }
  for k, v in pairs(more or {}) do
    request[k] = v
  end
  return m:place(request)
end

local function kinds(events)
  local out = {}
  for i, e in ipairs(events) do
    out[i] = e.exec and e.exec .. ":" .. e.order.status or e.type
  end
  return out
end

describe("a conditional order", function()
  it("may lock nothing until it fires, and ends when that can't be had then", function()
    local m, alice, limit, print_at = new()
    limit("buy", "200", "98")
    local free = { price = "99.5", by = "last", when = "falls", unlocked = true }
    local ids = {}
    for i = 1, 2 do ids[i] = assert(stop(m, alice, { side = "sell", qty = "60", trigger = free })).id end
    for _, b in ipairs(m:balances(alice)) do assert.equal("0", b.locked) end
    print_at "99.4"
    local first = m:order { account = alice, symbol = "BTCUSDT", id = ids[1] }
    local second = m:order { account = alice, symbol = "BTCUSDT", id = ids[2] }
    assert.same({ "filled", "60" }, { first.status, first.filled })
    assert.same({ "expired", "trigger_failed", "insufficient_funds" }, { second.status, second.reason, second.reject })
  end)

  it("waits, and shows what for", function()
    local m, alice = new()
    m:want("orders")
    local order, fills = stop(m, alice, { now_ms = START + 3 })
    assert.same({}, fills)
    assert.same({ "new", false, "100.5", { price = "100.5", by = "last", when = "rises" } },
      { order.status, order.on_book, order.trigger_price, order.trigger })
    assert.is_nil(order.triggered_ms)
    assert.is_nil(order.working_ms)
    local events = m:events()
    assert.same({ "new:new", "balance" }, kinds(events))
    assert.is_false(events[1].order.on_book)
    assert.equal("100.5", events[2].locked)
    assert.equal(1, #m:orders { account = alice, open = true, conditional = true })
    assert.equal(0, #m:orders { account = alice, open = true, conditional = false })
    assert.equal(1, m:count(alice))
  end)

  it("fires, and tells so before it trades", function()
    local m, alice, _, print_at = new()
    local order = stop(m, alice, { client_id = "s" })
    m:want("orders", "BTCUSDT")
    print_at "100.5"
    local seen = {}
    for _, e in ipairs(m:events()) do
      if e.account == alice and e.order then
        table.insert(seen, e.exec .. ":" .. e.order.status)
      end
    end
    assert.same({ "triggered:new", "trade:filled" }, seen)
    order = m:order { account = alice, symbol = "BTCUSDT", id = order.id }
    assert.same({ START, START, "101" }, { order.triggered_ms, order.working_ms, order.filled_quote })
    assert.equal(0, #m:orders { account = alice, conditional = true })
    assert.equal(1, #m:orders { account = alice, conditional = false })
  end)

  it("fires in its own call when that is allowed", function()
    local m, alice = new()
    local at_once = { price = "100", by = "last", when = "rises" }
    local order, why = stop(m, alice, { trigger = at_once })
    assert.is_nil(order)
    assert.equal("would_trigger", why)
    at_once.immediately = true
    local fills
    order, fills = stop(m, alice, { trigger = at_once })
    assert.equal("filled", order.status)
    assert.equal("101", fills[1].price)
  end)

  it("trails", function()
    local m, alice, _, print_at = new()
    local order = stop(m, alice, { side = "sell", trigger = { by = "last", when = "falls" }, trail = "0.5" })
    assert.equal("99.5", order.trigger_price)
    assert.same({ by = "last", when = "falls", trail = "0.5" }, order.trigger)
    assert.equal(START, order.following_ms)
    print_at "100.8"
    local id = { account = alice, symbol = "BTCUSDT", id = order.id }
    assert.equal("100.3", m:order(id).trigger_price)
    print_at "100.31"
    assert.equal("new", m:order(id).status)
    print_at "100.3"
    assert.equal("filled", m:order(id).status)
    order = stop(m, alice, { trail_bps = 50 })
    assert.same({}, { order.trigger_price, order.following_ms }) -- from 100.5 on
    print_at "100.6"
    assert.equal("101.103", m:order({ account = alice, symbol = "BTCUSDT", id = order.id }).trigger_price)
  end)

  it("ends with the reason for which it could not work", function()
    local m, alice, _, print_at = new()
    local order = stop(m, alice, { type = "limit_maker", price = "101" })
    print_at "100.5"
    order = m:order { account = alice, symbol = "BTCUSDT", id = order.id }
    assert.same({ "expired", "trigger_failed", "would_take" }, { order.status, order.reason, order.reject })
  end)

  it("watches the mark of a feed", function()
    local m = market.new { seed = 3, now_ms = START }
    m:instrument { symbol = "EUR_USD", base = "EUR", quote = "USD", tick = "0.00001", step = "1" }
    assert.is_nil(m:mark("EUR_USD"))
    m:feed { symbol = "EUR_USD", mid = "1.1", trade_ms = 0 }
    local me = m:account {}
    m:credit(me, "USD", "1000")
    local order = assert(m:place { account = me, symbol = "EUR_USD", side = "buy", type = "market", qty = "10",
      trigger = { price = "1.12", by = "mark", when = "rises" } })
    m:move("EUR_USD", { to = "1.1199" })
    assert.equal("1.1199", m:mark("EUR_USD"))
    assert.is_nil(m:order({ account = me, symbol = "EUR_USD", id = order.id }).triggered_ms)
    m:move("EUR_USD", { to = "1.12" })
    assert.equal("filled", m:order({ account = me, symbol = "EUR_USD", id = order.id }).status)
  end)

  it("raises on wrong use", function()
    local m, alice = new()
    local function raises(text, more)
      local ok, err = pcall(stop, m, alice, more)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find(text, 1, true), tostring(err))
    end
    raises("by is missing", { trigger = { price = "1", when = "rises" } })
    raises("when is missing", { trigger = { price = "1", by = "last" } })
    raises("by can't be 'mid'", { trigger = { price = "1", by = "mid", when = "rises" } })
    raises("pryce", { trigger = { pryce = "1", by = "last", when = "rises" } })
    raises("immediately must be true or false",
      { trigger = { price = "1", by = "last", when = "rises", immediately = 1 } })
    local ok, err = pcall(m.place, m, { account = alice, symbol = "BTCUSDT", side = "buy", type = "market",
      qty = "1", trail = "1" })
    assert.is_false(ok)
    assert.is_truthy(tostring(err):find("trigger is missing", 1, true))
  end)
end)

describe("an order that changes", function()
  it("moves to another price and may trade there", function()
    local m, alice = new()
    local order = assert(m:place { account = alice, symbol = "BTCUSDT", side = "buy", type = "limit", qty = "2",
      price = "98" })
    m:want("orders")
    order = assert(m:amend { account = alice, symbol = "BTCUSDT", id = order.id, qty = "3", price = "101",
      new_client_id = "moved" })
    assert.same({ "filled", "3", "101", "303", "moved" },
      { order.status, order.qty, order.price, order.filled_quote, order.client_id })
    assert.same({ "replaced:new", "trade:partially_filled", "trade:filled" }, { table.unpack(kinds(m:events()), 1, 3) })
  end)

  it("changes while it waits", function()
    local m, alice = new()
    local order = assert(stop(m, alice))
    local ref = { account = alice, symbol = "BTCUSDT", id = order.id, trigger_price = "100.7" }
    assert.equal("100.7", assert(m:amend(ref)).trigger_price)
    ref.trigger_price = "99"
    assert.same({ nil, "would_trigger" }, { m:amend(ref) })
    ref.trigger_price, ref.price = nil, "100"
    assert.same({ nil, "invalid_combination" }, { m:amend(ref) })
  end)

  it("takes only what its bound allows", function()
    local m, alice, limit = new()
    limit("sell", "1", "102")
    local order = stop(m, alice, { qty = "11", price = "101" })
    assert.equal("new", order.status) -- the bound of a conditional market order waits with it
    m:cancel_all { account = alice }
    local request = { account = alice, symbol = "BTCUSDT", side = "buy", type = "market", qty = "11", price = "101" }
    order = assert(m:place(request))
    assert.same({ "expired", "bound", "10", "101" }, { order.status, order.reason, order.filled, order.price })
    request.price, request.tif = "102", "fok"
    order = assert(m:place(request))
    assert.same({ "expired", "fok", "0", "fok" }, { order.status, order.reason, order.filled, order.tif })
  end)
end)

describe("a halted instrument", function()
  it("takes no orders and does nothing by itself", function()
    local m, alice = new()
    m:halt("BTCUSDT", true)
    assert.is_true(m:halted("BTCUSDT"))
    local order, why = stop(m, alice)
    assert.is_nil(order)
    assert.equal("halted", why)
    m:halt("BTCUSDT", false)
    assert.is_truthy(stop(m, alice))
  end)
end)
