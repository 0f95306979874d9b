-- smc.risk: how a guard gets accounts flat, whom it tells, how it is reset; what it does about what it can't read.
local smc = require "smc"
local risk_world = require "risk_world"
local decimal = smc.decimal

local PERP, order, opened, guarded, tripped = risk_world.PERP, risk_world.order, risk_world.opened, risk_world.guarded,
  risk_world.tripped
local has_tripped, kinds = risk_world.has_tripped, risk_world.kinds

local function middle(venue, symbol)
  local book = venue.sandbox:book(symbol, 1)
  return decimal.div(decimal.add(book.bids[1][1], book.asks[1][1]), "2")
end

describe("a trip", function()
  it("cancels and closes everything everywhere at once, and reads again that it is so", function()
    local bybit, oanda, binance = opened "bybit", opened "oanda", opened "binance"
    local guard = assert(smc.risk { venues = { binance, bybit, oanda }, max_exposure = "40000" })
    for _, symbol in ipairs { "BTC/USDT:USDT", "ETH/USDT:USDT" } do
      assert(bybit:place(order { symbol = symbol, qty = symbol:find "^BTC" and "0.3" or "2" }))
    end
    assert(oanda:place { symbol = "EUR/USD", side = "sell", type = "market", qty = "20000" })
    for _, venue in ipairs { binance, bybit } do
      assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "58000" })
    end
    assert(oanda:place { symbol = "GBP/USD", side = "buy", type = "limit", qty = "100", price = "0.9" })
    has_tripped(guard)
    for _, venue in ipairs { binance, bybit, oanda } do
      assert.same({}, venue.sandbox:positions())
      assert.same({}, venue.sandbox:orders { status = "open" })
    end
    local event = guard:history()[1]
    assert.same({ "open", { "exposure" }, "40000", true, 3 }, { event.kind, event.causes, event.limits.max_exposure,
      event.closing.flat, #event.closing.venues })
    assert.is_true(decimal.lt("40000", event.seen.exposure))
    local counts = {}
    for i, r in ipairs(event.closing.venues) do counts[i] = { r.venue, r.cancelled, #r.closed, r.attempts } end
    assert.same({ { "binance", 1, 0, 1 }, { "bybit", 1, 2, 1 }, { "oanda", 1, 1, 1 } }, counts)
  end)

  it("is not kept from one position by another that is refused", function()
    local guard, venue = guarded { max_exposure = "1000", close_within = 3 }
    assert(venue:place(order { qty = "0.1" }))
    assert(venue:place(order { symbol = "ETH/USDT:USDT", qty = "1" }))
    venue.sandbox:halt "BTC/USDT:USDT"
    has_tripped(guard)
    local held = venue.sandbox:positions()
    assert.same({ 1, "BTC/USDT:USDT" }, { #held, held[1].symbol })
  end)

  it("is not over while an order is open that can't be cancelled", function()
    local guard, venue = guarded {}
    assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "58000" })
    venue:fault { venue = "status", status = 503, on = "cancel_all", times = 2 }
    assert.is_true(guard:flatten().flat)
    assert.same({}, venue.sandbox:orders { status = "open" })
    assert.same({ "flatten", 3 }, { guard:history()[1].kind, guard:history()[1].closing.venues[1].attempts })
  end)

  it("goes before whatever else waits at a limiter", function()
    local guard, venue = guarded({ check_every = 600 }, { limiter = { requests = { limit = 3, per = 2 } } })
    local pings = smc.spawn(function() return smc.all(30, function() return (venue:ping()) end) end)
    smc.sleep(0.1)
    assert.is_true(guard:flatten().flat)
    assert.is_true(#venue:requests { op = "ping" } < 20, "thirty wait")
    assert.equal(30, #pings:join())
  end)

  it("stops orders that were let through before, and have not left", function()
    local guard, venue = guarded({ check_every = 600 }, { limiter = { requests = { limit = 5, per = 5, burst = 5 } } })
    smc.sleep(10)
    for _ = 1, 5 do assert(venue:ping()) end
    local limit = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "40000" }
    local waits = smc.spawn(function() return venue:place(limit) end)
    local exit = smc.spawn(function() return venue:place(order { side = "sell", reduce_only = true }) end)
    smc.sleep(0.1)
    assert.equal(2, venue.limiter:waiting())
    guard:set_limits { max_exposure = "1" }
    guard:stop "now"
    local placed, err = waits:join()
    assert.same({ nil, "risk_guard", "place", "bybit", false }, { placed, err.code, err.op, err.venue, err.sent })
    assert.is_string(err.client_id)
    assert.equal("risk_guard", select(2, exit:join()).code, "stopped: not even exits")
    assert.same({}, venue.sandbox:orders())
    assert.equal(0, venue.breaker.permits)
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
  end)

  it("is not over while an order is under way that was sent before", function()
    local guard, venue = guarded { check_every = 600 }
    venue:fault { venue = "slow", seconds = 3, on = "place", times = 1 }
    venue:fault { link = "latency", latency = 2, stream = "upstream" }
    local sent = smc.spawn(function() return venue:place(order { type = "limit", price = "40000" }) end)
    smc.sleep(0.1)
    venue:heal "latency"
    assert.is_true(guard:flatten().flat)
    assert(sent:join())
    assert.same({}, venue.sandbox:orders { status = "open" })
    assert.is_true(guard:history()[1].closing.venues[1].attempts > 1)
  end)

  it("goes on until its time is up, tells that it is not flat, and can be told to go on", function()
    local inbox = smc.webhook()
    local guard, venue = guarded { max_exposure = "10000", close_within = 10, alert = inbox }
    assert(venue:place(PERP))
    venue.sandbox:halt(PERP.symbol)
    eventually(function() assert.equal("open", guard.state) end)
    eventually(function() assert.equal(1, #inbox:messages { kind = "risk.not_flat" }) end, { within = 30 })
    local closing = guard:history()[1].closing
    local result = closing.venues[1]
    assert.same({ false, false, "1 positions, 0 orders, 0 assets to sell" }, { closing.flat, result.flat, result.left })
    assert.is_true(result.attempts > 3)
    assert.is_true(closing.elapsed <= 10)
    assert.equal(result.attempts, #result.errors)
    local message = inbox:messages({ kind = "risk.not_flat" })[1].event
    assert.same({ "bybit", result.left }, { message.left[1].venue, message.left[1].left })
    venue.sandbox:resume(PERP.symbol)
    assert.is_true(guard:flatten().flat)
    assert.same({}, venue.sandbox:positions())
    assert.equal(2, #inbox:messages())
  end)

  it("sells assets where it is told to, and leaves them where it is not", function()
    for _, sells in ipairs { true, false } do
      local venue = smc.venue("binance", { sandbox = smc.sandbox "binance" })
      venue.sandbox:fund { BTC = "0.50007", USDT = "1000" }
      local guard = assert(smc.risk { venues = { venue }, max_drawdown = "0.01", sell_assets = sells,
        max_exposure = "100000" })
      assert.equal(sells and decimal.mul("0.50007", middle(venue, "BTC/USDT")) or "0", guard:figures().exposure)
      venue.sandbox:move("BTC/USDT", { by = "-0.05" })
      has_tripped(guard)
      assert.is_true(guard:history()[1].closing.flat)
      local left = assert(venue:balances()).BTC
      if sells then
        assert.is_true(left == nil or decimal.lt(left.total, "0.0001"))
      else
        assert.equal("0.50007", left.total)
      end
    end
  end)
end)

describe("an alert", function()
  it("is sent once a trip, however long it lasts, and tells what was seen", function()
    local inbox = smc.webhook()
    local guard, venue = tripped { alert = inbox.url }
    venue.sandbox:move("BTC/USDT", { by = "0.01" })
    smc.sleep(5)
    local messages = inbox:messages()
    assert.same({ 1, true, "risk.open" }, { #messages, messages[1].valid_signature, messages[1].kind })
    local event = messages[1].event
    assert.same({ { "exposure" }, { max_exposure = "10000" } }, { { event.causes[1] }, event.limits })
    assert.equal(guard:history()[1].seen.exposure, event.seen.exposure)
    assert.same({ 1, true }, { #guard:alerts(), guard:alerts()[1].delivered })
    assert(guard:reset())
    assert(venue:place(PERP))
    eventually(function() assert.equal(2, #inbox:messages { kind = "risk.open" }) end)
    assert.are_not.equal(messages[1].id, inbox:messages()[2].id)
  end)

  it("does not keep positions from being closed when nobody takes it", function()
    local inbox = smc.webhook()
    inbox:fail { status = 503 }
    local guard, venue = tripped { alert = inbox }
    assert.same({}, venue.sandbox:positions())
    inbox:heal()
    eventually(function() assert.equal(1, #inbox:messages()) end, { within = 40 })
    assert.is_true(#inbox:attempts { id = guard:alerts()[1].id } > 1)
  end)
end)

describe("a reset", function()
  local function refused(guard, code, text, how)
    local ok, err = guard:reset(how)
    assert.same({ nil, "circuit_open", code }, { ok, err.class, err.code })
    assert.matches(text, err.message, 1, true)
  end

  it("is refused while a violation persists, while positions are closed, and when there is nothing", function()
    local guard, venue = guarded { max_drawdown = "0.05" }
    refused(guard, "nothing_to_reset", "the guard is closed")
    assert(venue:place(PERP))
    venue:fault { venue = "status", status = 503, on = "place", times = 3 }
    venue.sandbox:move(PERP.symbol, { by = "-0.1" })
    eventually(function() assert.equal("open", guard.state) end)
    refused(guard, "closing", "still being closed")
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
    refused(guard, "violation_persists", "drawdown (0.")
    assert.equal("open", guard.state)
    guard:set_limits { max_exposure = "1000" }
    assert.is_true(guard:reset { rebase = true, by = "ann", reason = "seen and understood" })
    local event = guard:history()[2]
    assert.same({ "half_open", "half_open", "ann", "seen and understood" }, { guard.state, event.kind, event.by,
      event.reason })
    assert.equal(guard:figures().equity, guard:figures().peak)
    assert.same({ max_drawdown = "0.05", max_exposure = "1000" }, event.limits)
    guard:set_limits { max_drawdown = false }
    assert.is_nil(assert(guard:check()).drawdown)
  end)

  it("that begins anew forgets nothing when it is refused", function()
    local guard, venue = guarded { max_drawdown = "0.05", max_exposure = "100000", close_within = 0 }
    assert(venue:place(PERP))
    venue.sandbox:move(PERP.symbol, { by = "-0.1" })
    venue.sandbox:halt(PERP.symbol)
    eventually(function() assert.equal("open", guard.state) end)
    eventually(function() assert.is_false(guard.is_closing) end)
    guard:set_limits { max_exposure = "1000" }
    refused(guard, "violation_persists", "exposure (", { rebase = true })
    assert.equal("20000", guard:figures().peak)
    refused(guard, "violation_persists", "drawdown (")
    venue:fault { venue = "down" }
    refused(guard, "violation_persists", "can't be read")
  end)

  it("is a trial that ends after its time, or with another trip", function()
    local guard, venue = tripped { trial = 5 }
    assert(guard:reset())
    assert.equal("half_open", guard.state)
    smc.sleep(4.5)
    assert.equal("half_open", guard.state)
    smc.sleep(2)
    assert.equal("open half_open closed", kinds(guard))
    assert(venue:place(PERP))
    has_tripped(guard)
    assert(guard:reset())
    assert(venue:place(PERP))
    has_tripped(guard)
    assert.equal("open half_open closed open half_open open", kinds(guard))
    assert.same({}, venue.sandbox:positions())
  end)

  it("blames wrong use on its caller", function()
    local guard = guarded {}
    for text, fn in pairs { ["unknown key 'who'"] = function() guard:reset { who = 1 } end,
      ["a reason expected"] = function() guard:stop() end, ["unknown limit 'x'"] = function()
        guard:set_limits { x = 1 } end, ["an order expected"] = function() guard:may_place() end,
      ["max_drawdown must be"] = function() guard:set_limits { max_drawdown = "2" } end } do
      local ok, err = pcall(fn)
      assert.is_false(ok)
      assert.matches("test_risk_trip_law.lua:%d+: ", err)
      assert.matches(text, err, 1, true)
    end
  end)
end)

describe("an emergency stop", function()
  it("gets flat, lets nothing through, and is told once", function()
    local inbox = smc.webhook()
    local guard, venue = guarded { alert = inbox }
    assert(venue:place(PERP))
    assert.is_true(guard:stop "the desk is on fire")
    assert.is_false(guard:stop "still")
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
    assert.same({}, venue.sandbox:positions())
    local placed, err = venue:place(order { reduce_only = true })
    assert.same({ nil, "risk_guard" }, { placed, err.code })
    assert.matches("stopped", err.message, 1, true)
    assert.equal("the desk is on fire", inbox:messages({ kind = "risk.stopped" })[1].event.reason)
    assert.equal(1, #inbox:messages())
    assert(guard:reset())
    assert.equal("stopped half_open", kinds(guard))
  end)
end)

describe("a stop while positions are being closed", function()
  it("lets that go on, and nothing else begin", function()
    local guard, venue = guarded { max_exposure = "10000" }
    assert(venue:place(PERP))
    venue:fault { venue = "status", status = 503, on = "place", times = 2 }
    eventually(function() assert.is_true(guard.is_closing) end)
    assert.is_true(guard:stop "this as well")
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
    assert.same({}, venue.sandbox:positions())
    assert.equal("open stopped", kinds(guard))
    assert.same({ true, 3 }, { guard:history()[1].closing.flat, guard:history()[1].closing.venues[1].attempts })
    assert.is_nil(guard:history()[2].closing)
  end)
end)

describe("what can't be read", function()
  it("will do for as long as it may, and then is a violation", function()
    local guard, venue = guarded { stale_after = 3 }
    venue:fault { venue = "status", status = 500, on = "positions" }
    local seen, err = guard:check()
    assert.same({ nil, "server" }, { seen, err.class })
    smc.sleep(2.5)
    assert.equal("closed", guard.state)
    venue:heal()
    smc.sleep(1)
    venue:fault { venue = "status", status = 500, on = "positions" }
    smc.sleep(2.5)
    assert.equal("closed", guard.state)
    eventually(function() assert.equal("open", guard.state) end, { within = 3 })
    assert.same({ "data" }, guard:history()[1].causes)
    assert.matches("bybit positions: server", guard:history()[1].seen.data, 1, true)
  end)

  it("may be an answer that is none", function()
    local guard, venue = guarded { stale_after = 0 }
    venue:fault { venue = "not_json", on = "balances" }
    smc.sleep(1.1)
    assert.same({ "open", { "data" } }, { guard.state, guard:history()[1].causes })
  end)

  it("may be an answer of another shape", function()
    local guard, venue = guarded { stale_after = 0 }
    venue:fault { venue = "not_json", on = "balances", body = '{"retCode":0,"retMsg":"OK","result":{},"time":1}' }
    smc.sleep(0.5)
    local seen, err = guard:check()
    assert.same({ nil, "unreadable", "bybit", "open" }, { seen, err.code, err.venue, guard.state })
  end)
end)
