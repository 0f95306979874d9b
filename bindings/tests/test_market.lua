local decimal = require "smc.decimal"
local market = require "smc.core.market"

local START = 1767571200000

local function new(options)
  options = options or {}
  local m = market.new { seed = options.seed or 7, now_ms = START }
  m:instrument { symbol = "BTCUSDT", base = "BTC", quote = "USDT", tick = "0.01", step = "0.00001",
    taker_fee = options.taker_fee }
  m:instrument { symbol = "ETHUSDT", base = "ETH", quote = "USDT", tick = "0.01", step = "0.0001" }
  local alice = m:account { name = "alice" }
  local bob = m:account { name = "bob" }
  for _, account in ipairs { alice, bob } do
    m:credit(account, "USDT", "100000")
    m:credit(account, "BTC", "2")
  end
  return m, alice, bob
end

local function limit(m, account, side, qty, price, more)
  local request = { account = account, symbol = "BTCUSDT", side = side, type = "limit", qty = qty, price = price }
  for k, v in pairs(more or {}) do
    request[k] = v
  end
  return m:place(request)
end

local function balance(m, account, asset)
  for _, b in ipairs(m:balances(account)) do
    if b.asset == asset then
      return b.free .. " " .. b.locked
    end
  end
end

local function kinds(events)
  local out = {}
  for i, e in ipairs(events) do
    out[i] = e.exec or e.type
  end
  return out
end

describe("a market", function()
  it("keeps balances in order of declaration", function()
    local m, alice = new()
    local names = {}
    for i, b in ipairs(m:balances(alice)) do
      names[i] = b.asset
    end
    assert.same({ "BTC", "USDT", "ETH" }, names)
    assert.equal("100000 0", balance(m, alice, "USDT"))
    assert.is_true(m:debit(alice, "USDT", "0.5"))
    assert.equal("99999.5 0", balance(m, alice, "USDT"))
    local done, reason = m:debit(alice, "USDT", "100000")
    assert.is_nil(done)
    assert.equal("insufficient_funds", reason)
  end)

  it("rests an order and gives all of it back", function()
    local m, alice = new()
    local order, fills = limit(m, alice, "buy", "0.5", "50000.50", { client_id = "a-1", now_ms = START + 5 })
    assert.same({}, fills)
    assert.same({
      id = 1, client_id = "a-1", orig_client_id = "", account = alice, symbol = "BTCUSDT", side = "buy",
      type = "limit", tif = "gtc", stp = "none", price = "50000.5", qty = "0.5", quote_qty = "0", filled = "0",
      filled_quote = "0", prevented_qty = "0", status = "new", reason = "", created_ms = START + 5,
      updated_ms = START + 5, working_ms = START + 5, on_book = true,
    }, order)
    assert.equal("74999.75 25000.25", balance(m, alice, "USDT"))
    assert.equal(1, m:count(alice))
    assert.same(order, m:order { account = alice, symbol = "BTCUSDT", client_id = "a-1" })
    local canceled = m:cancel { account = alice, symbol = "BTCUSDT", id = 1, new_client_id = "c-1", now_ms = START + 9 }
    assert.equal("canceled", canceled.status)
    assert.equal("user", canceled.reason)
    assert.equal("c-1", canceled.client_id)
    assert.equal("a-1", canceled.orig_client_id)
    assert.equal(START + 9, canceled.updated_ms)
    assert.equal("100000 0", balance(m, alice, "USDT"))
    local again, reason = m:cancel { account = alice, symbol = "BTCUSDT", id = 1 }
    assert.is_nil(again)
    assert.equal("unknown_order", reason)
  end)

  it("trades at the resting price and takes the fee from what is received", function()
    local m, alice, bob = new { taker_fee = "0.001" }
    limit(m, alice, "sell", "0.2", "50000")
    local order, fills = limit(m, bob, "buy", "0.3", "50010")
    assert.equal("partially_filled", order.status)
    assert.equal("0.2", order.filled)
    assert.equal("10000", order.filled_quote)
    assert.same({ {
      id = 1, order_id = 2, symbol = "BTCUSDT", side = "buy", price = "50000", qty = "0.2", quote = "10000",
      fee = "0.0002", fee_asset = "BTC", time_ms = START, is_maker = false,
    } }, fills)
    assert.equal("2.1998 0", balance(m, bob, "BTC"))
    assert.equal("84999 5001", balance(m, bob, "USDT"))
    assert.same(fills, m:fills { account = bob, symbol = "BTCUSDT", order_id = 2 })
    assert.is_true(m:fills({ account = alice, symbol = "BTCUSDT" })[1].is_maker)
    assert.same({ asset = "BTC", amount = "0.0002" }, m:fees()[1])
    m:cancel_all { account = bob }
    limit(m, alice, "buy", "0.1", "40000")
    local _, more = limit(m, bob, "sell", "0.1", "40000")
    assert.same({ 2 }, { more[1].id, more[2] }) -- its own only, though the account has others
    assert.same({ { id = 1, price = "50000", qty = "0.2", quote = "10000", time_ms = START, buyer_is_maker = false } },
      m:trades { symbol = "BTCUSDT", from_id = 1, limit = 1 })
  end)

  it("says why it refuses", function()
    local m, alice, bob = new()
    local function reason(request)
      request.account, request.symbol, request.side = request.account or alice, "BTCUSDT", "buy"
      local order, why = m:place(request)
      assert.is_nil(order)
      return why
    end
    assert.equal("no_liquidity", reason { type = "market", qty = "1" })
    assert.equal("invalid_price", reason { type = "limit", qty = "1", price = "0.001" })
    assert.equal("invalid_qty", reason { type = "limit", qty = "0.000001", price = "1" })
    assert.equal("invalid_combination", reason { type = "market", qty = "1", tif = "gtc" })
    assert.equal("insufficient_funds", reason { type = "limit", qty = "2", price = "50001" })
    limit(m, bob, "sell", "1", "50000", { client_id = "x" })
    assert.equal("would_take", reason { type = "limit_maker", qty = "1", price = "50000" })
    assert.equal("duplicate_client_id",
      reason { account = bob, type = "limit", qty = "1", price = "1", client_id = "x" })
    assert.equal("quote_qty_too_small", reason { type = "market", quote_qty = "0.4" })
    assert.equal(1, limit(m, bob, "buy", "1", "1").id - 1)
  end)

  it("raises on wrong use", function()
    local m, alice = new()
    local function raises(text, f)
      local ok, err = pcall(f)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find(text, 1, true), tostring(err))
      assert.is_truthy(tostring(err):find("test_market", 1, true), tostring(err))
    end
    raises("unknown symbol 'NOPE'", function() m:best("NOPE") end)
    raises("unknown symbol 'NOPE'", function() m:update_id("NOPE") end)
    raises("unknown account", function() limit(m, 99, "buy", "1", "1") end)
    raises("unknown account", function() limit(m, 0, "buy", "1", "1") end)
    raises("qty must be a decimal string", function() limit(m, alice, "buy", 1, "1") end)
    raises("not a decimal number: '1e5'", function() limit(m, alice, "buy", "1e5", "1") end)
    raises("side can't be 'long'", function() limit(m, alice, "long", "1", "1") end)
    raises("pryce", function() limit(m, alice, "buy", "1", nil, { pryce = "1" }) end)
    raises("BTCUSDT exists", function()
      m:instrument { symbol = "BTCUSDT", base = "BTC", quote = "USDT", tick = "1", step = "1" }
    end)
    raises("no feed", function() m:move("BTCUSDT", { by = "0.1" }) end)
  end)

  it("prevents trades with oneself", function()
    local m, alice = new()
    limit(m, alice, "sell", "1", "50000")
    m:want("orders")
    local order = limit(m, alice, "buy", "0.4", "50000", { stp = "decrement" })
    local events = m:events()
    assert.same({ "new", "prevented", "prevented", "balance", "balance" }, kinds(events))
    assert.same({ 1, 2, "0.4", "50000", "20000", "new" },
      { events[2].prevented_match_id, events[2].counter_order_id, events[2].last_prevented_qty,
        events[2].prevented_price, events[2].prevented_quote, events[2].order.status })
    assert.equal("expired_in_match", events[3].order.status)
    assert.equal("expired_in_match", order.status)
    assert.equal("stp", order.reason)
    assert.equal("0.4", order.prevented_qty)
    assert.equal(1, order.prevented_match_id)
    assert.equal("0.4", m:order({ account = alice, symbol = "BTCUSDT", id = 1 }).prevented_qty)
    assert.same({ {
      id = 1, symbol = nil, taker_order_id = 2, maker_order_id = 1, stp = "decrement", price = "50000",
      taker_qty = "0.4", maker_qty = "0.4", time_ms = START,
    } }, m:prevented { account = alice, symbol = "BTCUSDT" })
  end)

  it("amends and cancels all", function()
    local m, alice = new()
    limit(m, alice, "buy", "1", "100", { client_id = "a" })
    m:want("orders")
    m:place { account = alice, symbol = "ETHUSDT", side = "buy", type = "limit", qty = "1", price = "10" }
    local amended = m:amend { account = alice, symbol = "BTCUSDT", id = 1, qty = "0.25", new_client_id = "b",
      keep_priority = true }
    assert.equal("0.25", amended.qty)
    assert.equal("b", amended.client_id)
    assert.equal("99965 35", balance(m, alice, "USDT"))
    assert.same({ "new", "balance", "replaced", "balance" }, kinds(m:events()))
    local _, reason = m:amend { account = alice, symbol = "BTCUSDT", id = 1, qty = "0.3", keep_priority = true }
    assert.equal("not_smaller", reason)
    assert.equal(2, #m:orders { account = alice, open = true })
    assert.equal(1, #m:orders { account = alice, symbol = "ETHUSDT", open = true })
    local canceled = m:cancel_all { account = alice, reason = "system" }
    assert.equal("BTCUSDT ETHUSDT", canceled[1].symbol .. " " .. canceled[2].symbol)
    assert.equal("system", canceled[1].reason)
    assert.same({}, m:orders { account = alice, open = true })
    assert.equal(2, #m:orders { account = alice })
  end)

  it("tells what happened, in order", function()
    local m, alice, bob = new { taker_fee = "0.001" }
    assert.same({}, m:events())
    m:want("all")
    limit(m, alice, "sell", "1", "50000")
    m:events()
    limit(m, bob, "buy", "1.5", "50000", { tif = "ioc" })
    local events, seen = m:events(), {}
    for i, e in ipairs(events) do
      seen[i] = e.type == "order" and e.exec .. ":" .. e.order.status or e.type
    end
    assert.same({ "new:new", "trade", "trade:filled", "trade:partially_filled", "level", "expired:expired",
      "balance", "balance", "balance", "balance" }, seen)
    local taken = events[4]
    assert.same({ bob, 1, "1", "50000", "50000", "0.001", "BTC", false },
      { taken.account, taken.trade_id, taken.last_qty, taken.last_price, taken.last_quote, taken.fee, taken.fee_asset,
        taken.is_maker })
    assert.is_false(taken.order.on_book)
    assert.same({ type = "level", symbol = "BTCUSDT", time_ms = START, side = "sell", price = "50000", qty = "0",
      update_id = 2 }, events[5])
    assert.same({ type = "balance", account = alice, asset = "BTC", free = "1", locked = "0", time_ms = START },
      events[7])
    assert.same({}, m:events())
    m:credit(alice, "BTC", "3")
    events = m:events()
    assert.same({ "transfer", "3", "balance", "4" },
      { events[1].type, events[1].amount, events[2].type, events[2].free })
    m:want("none")
    limit(m, alice, "sell", "1", "50000")
    assert.same({}, m:events())
  end)
end)

describe("events that are only counted", function()
  it("are told without tables", function()
    local m, alice, bob = new()
    m:want "orders"
    limit(m, alice, "sell", "1", "100")
    m:forget()
    assert.equal(0, m:pending())
    local times, fills = {}, { "left", "alone", "further", "back", "here" }
    assert.same({ nil, 0 }, { m:tally(times, fills) })
    assert.same({}, times)
    limit(m, bob, "buy", "0.4", "100")
    limit(m, bob, "buy", "0.6", "100")
    local exec_id, n = m:tally(times, fills)
    assert.same({ [alice] = START, [bob] = START }, times)
    assert.equal(3, n) -- of alice's order the second fill is not the first
    assert.same({ alice, true, bob, false, bob }, { table.unpack(fills, 1, 5) })
    assert.is_false(fills[6])
    local pending, events = m:pending(), m:events()
    assert.equal(pending, #events)
    local last
    for _, e in ipairs(events) do last = e.exec_id or last end
    assert.equal(last, exec_id)
    assert.equal(0, m:pending())
    assert.same({ nil, 0 }, { m:tally(times, fills) })
  end)
end)

describe("a market's feed", function()
  it("keeps a two-sided book and past trades", function()
    local m = new()
    m:feed { symbol = "BTCUSDT", mid = "60000", levels = 10 }
    local book = m:book("BTCUSDT", 3)
    assert.equal(3, #book.bids)
    assert.equal(3, #book.asks)
    assert.equal(10, #m:book("BTCUSDT").asks)
    local best = m:best("BTCUSDT")
    assert.equal(book.bids[1][1], best.bid)
    assert.equal(book.asks[1][2], best.ask_qty)
    assert.equal(book.update_id, best.update_id)
    assert.equal(book.update_id, m:update_id "BTCUSDT")
    assert.is_true(tonumber(best.bid) < 60000 and tonumber(best.ask) > 60000)
    local trades = m:trades { symbol = "BTCUSDT", limit = 2 }
    assert.equal(2, #trades)
    assert.equal(trades[1].id + 1, trades[2].id)
    local day = m:stats("BTCUSDT", START - 86400000, START)
    assert.equal(trades[2].price, day.close)
    assert.equal(5760, day.count)
    local candles = m:candles { symbol = "BTCUSDT", interval_ms = 60000, limit = 3 }
    assert.equal(3, #candles)
    assert.equal(START, candles[3].open_ms)
    assert.equal(0, candles[3].count)
    assert.equal(day.close, candles[2].close)
  end)

  it("has an average, and says what share of it a price is", function()
    local m = new()
    assert.is_nil((m:share("BTCUSDT", 300000, "1")))
    m:feed { symbol = "BTCUSDT", mid = "60000" }
    m:advance(START + 600000)
    local average = m:average("BTCUSDT", 300000)
    assert.equal(1, m:share("BTCUSDT", 300000, average))
    assert.equal(0.5, m:share("BTCUSDT", 300000, decimal.div(average, "2", 18)))
    assert.is_true(math.abs(m:share("BTCUSDT", 60000, "70000") - 70000 / m:average("BTCUSDT", 60000)) < 1e-12)
    assert.has_error(function() m:share("BTCUSDT", 300000) end)
    assert.has_error(function() m:share("ETHBTC", 300000, "1") end)
  end)

  it("goes on by itself, and the same every time", function()
    local function run(step)
      local m = new { seed = 3 }
      m:feed { symbol = "BTCUSDT", mid = "60000" }
      assert.is_true(m:next_ms() > START)
      for now = START + step, START + 60000, step do
        m:advance(now)
      end
      assert.equal(START + 60000, m:time())
      return m:book("BTCUSDT"), m:trades { symbol = "BTCUSDT", from_ms = START }
    end
    local book, trades = run(60000)
    local book_too, trades_too = run(250)
    assert.is_true(#trades > 10)
    assert.same(book, book_too)
    assert.same(trades, trades_too)
  end)

  it("is moved, frozen and quoted anew", function()
    local m, alice = new()
    m:feed { symbol = "BTCUSDT", mid = "60000" }
    local order = limit(m, alice, "buy", "0.5", "59000")
    m:move("BTCUSDT", { by = "-0.03" })
    assert.equal("58200", m:mid("BTCUSDT"))
    assert.equal("filled", m:order({ account = alice, symbol = "BTCUSDT", id = order.id }).status)
    m:move("BTCUSDT", { to = "61000" })
    assert.equal("61000", m:mid("BTCUSDT"))
    m:freeze("BTCUSDT", true)
    assert.is_nil(m:next_ms())
    m:freeze("BTCUSDT", false)
    m:quote("BTCUSDT", { spread = "0.1", levels = 2 })
    local book = m:book("BTCUSDT")
    assert.equal(2, #book.bids)
    assert.is_true(tonumber(book.asks[1][1]) - tonumber(book.bids[1][1]) >= 6100)
  end)
end)
