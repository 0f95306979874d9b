-- The client half of oanda: its token, what its answers mean, orders whose outcome nobody told, what was asked for.
local clock = require "smc.venue.oanda.clock"
local oanda = require "smc.venue.oanda"
local script = require "oanda_script"
local smc = require "smc"
local task = require "smc.core.task"
local unify = require "smc.venue.oanda.unify"

local summary, tx = script.summary, script.tx
local BUY = { symbol = "EUR/USD", side = "buy", type = "market", qty = "1000", client_id = "mine" }

--- What a misuse says, and that it points at this file.
local function says(message, fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.matches("test_oanda_client.lua:%d+: ", tostring(err))
  assert.equal(message, (tostring(err):gsub("^.-:%d+: ", "", 1):gsub(" %(known: .*%)$", "")))
end

describe("times of oanda", function()
  it("are read in each of their forms, to the nanosecond", function()
    for _, text in ipairs { "2025-03-04T14:06:01.301122334Z", "1741097161.301122334" } do
      assert.same({ 1741097161301122334, 1741097161301 }, { clock.ns(text), clock.ms(text) })
    end
    assert.equal(1741097161000000000, clock.ns "2025-03-04T14:06:01Z")
    assert.equal(951782400000, clock.ms "2000-02-29T00:00:00.000000000Z")
    assert.equal(68169600000, clock.ms "1972-02-29T00:00:00Z")
    for _, text in ipairs { "", "0x1", "2025-03-04", "yesterday" } do assert.is_nil(clock.ns(text), text) end
    assert.equal("1741097161.301", clock.unix(1741097161301))
    assert.equal(1767571201000, clock.http_date "Mon, 05 Jan 2026 00:00:01 GMT")
    assert.is_nil(clock.http_date "Mon, 05 Jab 2026 00:00:01 GMT")
    assert.is_nil(clock.http_date(nil))
  end)
end)

describe("records of oanda in the words of all venues", function()
  it("are instruments with their steps", function()
    local i = unify.instrument { name = "USD_JPY", displayPrecision = 3, tradeUnitsPrecision = 0,
      minimumTradeSize = "1", maximumOrderUnits = "100000000" }
    assert.same({ "USD/JPY", "USD", "JPY", "0.001", "1", "1", "100000000" }, { i.symbol, i.base, i.quote, i.tick,
      i.step, i.min_qty, i.max_qty })
  end)

  -- type, units, more of the record; type, side, qty, price, trigger_price, reduce_only
  for _, row in ipairs {
    { { type = "LIMIT", units = "-500", price = "1.09000" }, { "limit", "sell", "500", "1.09" } },
    { { type = "LIMIT_ORDER", units = "+5.50", price = "2" }, { "limit", "buy", "5.5", "2" } },
    { { type = "STOP", units = "10", price = "1.2" }, { "stop", "buy", "10", nil, "1.2" } },
    { { type = "MARKET_IF_TOUCHED", units = "10", price = "1.2" }, { "take_profit", "buy", "10", nil, "1.2" } },
    { { type = "MARKET_ORDER", units = "-3", positionFill = "REDUCE_ONLY" },
      { "market", "sell", "3", nil, nil, true } },
    { { type = "TAKE_PROFIT", tradeID = "9", price = "1.3" }, { "take_profit", "sell", "70", nil, "1.3", true } },
    { { type = "STOP_LOSS_ORDER", tradeID = "9", price = "1" }, { "stop", "sell", "70", nil, "1", true } },
    { { type = "GUARANTEED_STOP_LOSS", tradeID = "9", price = "1" }, { "stop", "sell", "70", nil, "1", true } },
    { { type = "TRAILING_STOP_LOSS", tradeID = "9", trailingStopValue = "1.05" },
      { "stop", "sell", "70", nil, "1.05", true } },
  } do
    it("are orders of type " .. row[1].type, function()
      local raw = tx("7", row[1].type, row[1])
      if not raw.tradeID then raw.instrument = "EUR_USD" end
      local trade = { instrument = "EUR_USD", currentUnits = "70", initialUnits = "100" }
      local o = unify.order(raw, raw.tradeID and trade)
      local want = row[2]
      assert.same({ "EUR/USD", want[1], want[2], want[3], want[4] or "none", want[5] or "none", want[6] or false },
        { o.symbol, o.type, o.side, o.qty, o.price or "none", o.trigger_price or "none", o.reduce_only or false })
    end)
  end

  it("are positions of the side that is held", function()
    local flat = { units = "0" }
    local held = { units = "-200", averagePrice = "1.0800", unrealizedPL = "-0.2600" }
    assert.same({}, unify.positions { instrument = "EUR_USD", long = flat, short = flat })
    local p = unify.positions { instrument = "EUR_USD", long = flat, short = held, marginUsed = "4.3200" }
    assert.same({ 1, "EUR/USD", "short", "200", "1.08", "-0.26", "4.32" }, { #p, p[1].symbol, p[1].side, p[1].qty,
      p[1].entry, p[1].unrealized, p[1].margin })
  end)

  it("are books as deep as the venue quotes", function()
    local price = { instrument = "EUR_USD", time = script.time, bids = { { price = "1.08405", liquidity = 1000000 },
      { price = "1.08400", liquidity = 2000000 } }, asks = { { price = "1.08419", liquidity = 10 } } }
    assert.same({ symbol = "EUR/USD", id = 1767571201250000000, bids = { { "1.08405", "1000000" },
      { "1.084", "2000000" } }, asks = { { "1.08419", "10" } } }, unify.book(price))
    assert.equal(1, #unify.book(price, 1).bids)
    assert.same({ "1.08412", "1.08405", "10" }, { unify.ticker(price).last, unify.ticker(price).bid,
      unify.ticker(price).ask_qty })
    price.bids = {}
    assert.is_nil(unify.ticker(price).last)
  end)
end)

describe("the token of oanda", function()
  it("goes out with each request, and is seen nowhere", function()
    local venue, seen = script.open { ["GET /summary"] = { summary "7" },
      ["GET /echo"] = function(ex) script.reply(ex, { 200, { said = ex:header "authorization" } }) end }
    assert(venue:balances())
    assert.equal("Bearer " .. script.token, seen[1].token)
    local answer = assert(venue:get(("/v3/accounts/%s/echo"):format(venue.key), {}, { signed = true }))
    assert.equal("Bearer " .. script.token, answer.said)
    assert.truthy(task.transcript():find("Bearer ***", 1, true))
    assert.falsy(task.transcript():find(script.token, 1, true))
    assert(venue:get(("/v3/accounts/%s/echo"):format(venue.key)))
    assert.is_nil(seen[3].token)
    assert.is_nil(venue.secret)
    assert.same({ true, true, false }, { venue:requests()[1].signed, venue:requests()[2].signed,
      venue:requests()[3].signed })
  end)

  it("is one of several of its account, each drawn by the venue, until it is removed", function()
    local box = smc.venue("oanda").sandbox
    local token = box:add_key { kind = "bearer" }
    local second = smc.venue("oanda", { secret = token })
    assert.not_equal(box.token, token)
    assert.is_true(assert(second:account()).can_trade)
    assert.falsy(task.transcript():find(token, 1, true))
    box:remove_key(token)
    assert.equal("auth", select(2, second:account()).class)
    assert(smc.venue("oanda"):account())
    says("sandbox:add_key: a token is drawn by the venue, and takes no 'secret'", function()
      return box:add_key { kind = "bearer", secret = "mine" }, nil
    end)
    says("sandbox:add_key: kind = \"bearer\" expected", function()
      return box:add_key { kind = "hmac", secret = "mine" }, nil
    end)
  end)

  it("is not taken for an account where money is", function()
    for _, key in ipairs { "001-004-1234567-001", 7 } do
      local ok, err = pcall(oanda.new, { urls = {}, key = key, secret = "t0ken" }, {}, {})
      assert.is_false(ok)
      assert.matches("is a practice account", err)
    end
  end)
end)

describe("wrong use of an oanda venue", function()
  it("is blamed on its line, and sends nothing", function()
    local venue, seen = script.open {}
    local function place(key, value)
      return function()
        local order = { symbol = "EUR/USD", side = "buy", type = "market", qty = "1" }
        order[key] = value
        return venue:place(order), nil
      end
    end
    says("place: type is limit, market, stop or take_profit", place("type", "limit_maker"))
    says("place: oanda has no quote_qty", place("quote_qty", "10"))
    says("place: oanda has no self_trade", place("self_trade", "expire_taker"))
    says("place: side is buy or sell", place("side", "Buy"))
    says("place: unknown key 'units'", place("units", "1"))
    says("cancel: id or client_id expected", function() return venue:cancel { symbol = "EUR/USD" }, nil end)
    says("order: symbol is missing", function() return venue:order { id = "1" }, nil end)
    says("amend: a new qty, price or trigger_price expected", function()
      return venue:amend { symbol = "EUR/USD", id = "1" }, nil
    end)
    for _, symbol in ipairs { 7, "EURUSD", "EUR/USD?x=1", "../EUR/USD" } do
      says("book: a symbol like \"EUR/USD\" expected", function() return venue:book(symbol), nil end)
      says("trades: a symbol like \"EUR/USD\" expected", function() return venue:trades(symbol), nil end)
    end
    says("candles: unknown key 'from'", function() return venue:candles("EUR/USD", "1m", { from = 1 }), nil end)
    says("stream: unknown channel 'trade:EUR/USD'", function() return venue:stream { "trade:EUR/USD" }, nil end)
    assert.equal(0, #seen)
    local trades, err = venue:trades "EUR/USD"
    assert.is_nil(trades)
    assert.same({ "invalid_request", "not_offered" }, { err.class, err.code })
  end)
end)

describe("the clock of oanda", function()
  local function dated(offset)
    return { { "Date", os.date("!%a, %d %b %Y %H:%M:%S GMT", (smc.wall() + offset) // 1000) } }
  end

  it("is the date of an answer", function()
    local venue = script.open { ["GET /v3/accounts"] = function(ex, n)
      script.reply(ex, { 200, { accounts = {} }, n == 1 and dated(61000) or nil })
    end }
    assert.equal((smc.wall() + 61000) // 1000 * 1000, assert(venue:time()))
    local time, err = venue:time()
    assert.is_nil(time)
    assert.same({ "protocol", "the answer has no date" }, { err.class, err.message })
  end)

  for _, row in ipairs { { 0, "invalid_request" }, { 900, "invalid_request" }, { -1900, "clock_skew" },
    { 2000, "clock_skew" } } do
    it(("tells who is wrong about the future: %d ms"):format(row[1]), function()
      local venue = script.open { ["GET /instruments/EUR_USD/candles"] = function(ex)
        script.reply(ex, { 400, { errorMessage = "Invalid value specified for 'to'. Time is in the future" },
          dated(row[1]) })
      end }
      local candles, err = venue:candles("EUR/USD", "1m")
      assert.is_nil(candles)
      assert.equal(row[2], err.class)
    end)
  end

  it("is waited for as long as the venue says", function()
    local venue = script.open { ["GET /v3/accounts"] = function(ex, n)
      script.reply(ex, { 429, { errorMessage = "slow down" }, n == 1 and { { "Retry-After", "2" } }
        or n == 2 and { { "Retry-After", dated(5000)[1][2] } } or nil })
    end }
    local waits = {}
    for i = 1, 3 do
      local _, err = venue:ping()
      assert.same({ "rate_limit", 429, true }, { err.class, err.http, err.retryable })
      waits[i] = err.retry_after or "none"
    end
    assert.same({ 2, "none" }, { waits[1], waits[3] })
    assert.is_true(waits[2] > 4 and waits[2] <= 5)
  end)
end)

describe("an order of oanda", function()
  local CREATED = tx("8", "MARKET_ORDER", { instrument = "EUR_USD", units = "1000", timeInForce = "FOK",
    clientExtensions = { id = "mine" } })
  local FILLED = tx("9", "ORDER_FILL", { orderID = "8", instrument = "EUR_USD", units = "1000", price = "1.08500",
    pl = "0.0000", commission = "0.0000", accountBalance = "100000.0000" })

  it("is asked for in the venue's words", function()
    local venue, seen = script.open { ["GET /summary"] = { summary "7" },
      ["POST /orders"] = { { 201, { orderCreateTransaction = CREATED, lastTransactionID = "8" } } } }
    for _, row in ipairs {
      { { type = "market", qty = "1000" }, { type = "MARKET", units = "1000", timeInForce = "FOK" } },
      { { type = "market", qty = "5", time_in_force = "ioc", reduce_only = true },
        { type = "MARKET", units = "5", timeInForce = "IOC", positionFill = "REDUCE_ONLY" } },
      { { side = "sell", type = "limit", qty = "5", price = "1.1" },
        { type = "LIMIT", units = "-5", price = "1.1", timeInForce = "GTC" } },
      { { type = "stop", qty = "5", trigger_price = "1.2" }, { type = "STOP", units = "5", price = "1.2",
        timeInForce = "GTC" } },
      { { type = "take_profit", qty = "5", trigger_price = "1" }, { type = "MARKET_IF_TOUCHED", units = "5",
        price = "1", timeInForce = "GTC" } },
    } do
      local given, want = row[1], row[2]
      given.symbol, given.side, given.client_id = "EUR/USD", given.side or "buy", "mine"
      want.instrument, want.positionFill = "EUR_USD", want.positionFill or "DEFAULT"
      want.clientExtensions = { id = "mine" }
      assert(venue:place(given))
      assert.same({ order = want }, seen[#seen].body)
    end
    assert.equal(1, script.count(seen, "GET /summary"))
  end)

  it("is what its transactions say", function()
    local venue = script.open { ["GET /summary"] = { summary "7" }, ["POST /orders"] = {
      { 201, { orderCreateTransaction = CREATED, orderFillTransaction = FILLED, lastTransactionID = "9" } },
      { 201, { orderCreateTransaction = CREATED, orderCancelTransaction = tx("9", "ORDER_CANCEL", { orderID = "8",
        reason = "MARKET_HALTED" }) } },
      { 201, { orderCreateTransaction = CREATED, orderFillTransaction = tx("9", "ORDER_FILL", { units = "400",
        price = "1.085" }), orderCancelTransaction = tx("10", "ORDER_CANCEL", { orderID = "8",
        reason = "INSUFFICIENT_LIQUIDITY" }) } },
      { 201, { orderCreateTransaction = CREATED, orderFillTransaction = tx("9", "ORDER_FILL", { units = "400",
        price = "1.085" }) } },
      { 400, { orderRejectTransaction = tx("9", "MARKET_ORDER_REJECT", { rejectReason = "UNITS_INVALID" }),
        errorMessage = "Order units specified are invalid" } } } }
    local filled = assert(venue:place(BUY))
    assert.same({ "8", "mine", "filled", "1000", "1.085", "1085" }, { filled.id, filled.client_id, filled.status,
      filled.filled, filled.average, filled.filled_quote })
    local none, halted = venue:place(BUY)
    assert.is_nil(none)
    assert.same({ "market_closed", "MARKET_HALTED", true, "mine", "8" }, { halted.class, halted.code, halted.retryable,
      halted.client_id, halted.order_id })
    local part = assert(venue:place(BUY))
    assert.same({ "expired", "400", "INSUFFICIENT_LIQUIDITY" }, { part.status, part.filled, part.reason })
    local less = assert(venue:place(BUY)) -- of "ioc", of which the venue says no more than what was filled
    assert.same({ "expired", "1000", "400" }, { less.status, less.qty, less.filled })
    local _, rejected = venue:place(BUY)
    assert.same({ "invalid_request", "UNITS_INVALID", 400, "mine" }, { rejected.class, rejected.code, rejected.http,
      rejected.client_id })
  end)

  local function vanish(ex) ex:close() end

  --- Answers of sinceid: nothing at first, then these.
  local function late(looks, list)
    return function(ex, n)
      script.reply(ex, { 200, { transactions = n > looks and list or {}, lastTransactionID = n > looks and "9"
        or "7" } })
    end
  end

  for _, lost in ipairs { { "the connection", vanish }, { "an answer", { { 504, { errorMessage = "Timeout" } } } },
    { "its sense", { { 201, "<html>" } } }, { "its order", { { 201, {} } } } } do
    it("is found by its id when it has lost " .. lost[1], function()
      local venue, seen = script.open { ["GET /summary"] = { summary "7" }, ["POST /orders"] = lost[2],
        ["GET /transactions/sinceid"] = late(2, { tx("8", "LIMIT_ORDER", { clientExtensions = { id = "other" } }),
          CREATED, FILLED }) }
      local order = assert(venue:place(BUY))
      assert.same({ "8", "filled", "1.085" }, { order.id, order.status, order.average })
      assert.equal(1, script.count(seen, "POST /orders"))
      assert.equal("id=7", script.last(seen, "GET /transactions/sinceid").query)
    end)
  end

  it("is found to be cancelled, or rejected", function()
    local venue = script.open { ["GET /summary"] = { summary "7" }, ["POST /orders"] = vanish,
      ["GET /transactions/sinceid"] = function(ex, n)
        script.reply(ex, { 200, { transactions = n == 1 and { CREATED, tx("9", "ORDER_CANCEL", { orderID = "8",
          reason = "INSUFFICIENT_MARGIN" }) } or { tx("10", "MARKET_ORDER_REJECT", { rejectReason =
          "INSTRUMENT_NOT_TRADEABLE", clientExtensions = { id = "mine" } }) }, lastTransactionID = "9" } })
      end }
    local order, err = venue:place(BUY)
    assert.is_nil(order)
    assert.same({ "insufficient_funds", "mine" }, { err.class, err.client_id })
    order, err = venue:place(BUY)
    assert.is_nil(order)
    assert.same({ "permission", "INSTRUMENT_NOT_TRADEABLE", "mine" }, { err.class, err.code, err.client_id })
  end)

  it("stays in doubt when it is not found for ten seconds, and is not sent again", function()
    local venue, seen = script.open { ["GET /summary"] = { summary "7" }, ["POST /orders"] = vanish,
      ["GET /transactions/sinceid"] = function(ex, n)
        if n == 2 then return ex:close() end
        script.reply(ex, { 200, { transactions = {}, lastTransactionID = "7" } })
      end }
    local start = smc.now()
    local order, err = venue:place(BUY)
    assert.is_nil(order)
    assert.same({ "unknown_outcome", false, "mine" }, { err.class, err.retryable, err.client_id })
    assert.is_true(smc.now() - start >= 10)
    assert.same({ 1, 4 }, { script.count(seen, "POST /orders"), script.count(seen, "GET /transactions/sinceid") })
  end)

  it("is in doubt when a cancel gets no answer", function()
    local venue = script.open { ["PUT /orders/8/cancel"] = vanish }
    local order, err = venue:cancel { symbol = "EUR/USD", id = "8" }
    assert.is_nil(order)
    assert.equal("unknown_outcome", err.class)
  end)

  local NO_SUCH = { 404, { errorCode = "NO_SUCH_ORDER", errorMessage = "", lastTransactionID = "8" } }
  local PENDING = { id = "8", createTime = script.time, type = "LIMIT", instrument = "EUR_USD", units = "-10",
    price = "1.1", state = "PENDING", timeInForce = "GTC", positionFill = "DEFAULT", stopLossOnFill = { price = "1.2" },
    clientExtensions = { id = "mine" } }

  it("may be known a moment later than it was told of", function()
    local venue, seen = script.open { ["GET /orders/8"] = { NO_SUCH, NO_SUCH, { 200, { order = PENDING } } },
      ["GET /orders/9"] = { NO_SUCH } }
    local start = smc.now()
    assert.equal("open", assert(venue:order { symbol = "EUR/USD", id = "8" }).status)
    assert.near(0.5, smc.now() - start, 0.1)
    local none, err = venue:order { symbol = "EUR/USD", id = "9" }
    assert.is_nil(none)
    assert.same({ "unknown_order", "NO_SUCH_ORDER", 1 }, { err.class, err.code, script.count(seen, "GET /orders/9") })
  end)

  it("is named in a path by what it is called, and no more", function()
    local venue, seen = script.open { ["PUT /orders/8%2F..%2F9/cancel"] = { NO_SUCH },
      ["GET /orders/8%3Fx%3D1"] = { NO_SUCH }, ["PUT /orders/@a%2Fb%20c/cancel"] = { NO_SUCH } }
    for _, call in ipairs { function() return venue:cancel { symbol = "EUR/USD", id = "8/../9" } end,
      function() return venue:order { symbol = "EUR/USD", id = "8?x=1" } end,
      function() return venue:cancel { symbol = "EUR/USD", client_id = "a/b c" } end } do
      assert.equal("unknown_order", select(2, call()).class)
    end
    assert.equal(3, #seen)
  end)

  it("is found by our id after its end, with what ended it", function()
    local ended = { id = "8", createTime = script.time, type = "LIMIT", instrument = "EUR_USD", units = "10",
      price = "1.1", state = "FILLED", fillingTransactionID = "9", clientExtensions = { id = "mine" } }
    local venue, seen = script.open { ["GET /orders/@mine"] = { NO_SUCH }, ["GET /orders/@other"] = { NO_SUCH },
      ["GET /orders"] = { { 200, { orders = { ended } } } },
      ["GET /transactions/idrange"] = { { 200, { transactions = { tx("9", "ORDER_FILL", { units = "10",
        price = "1.09" }) } } } } }
    local order = assert(venue:order { symbol = "EUR/USD", client_id = "mine" })
    assert.same({ "filled", "10", "1.09" }, { order.status, order.filled, order.average })
    assert.equal("from=9&to=9&type=ORDER_FILL%2CORDER_CANCEL",
      script.last(seen, "GET /transactions/idrange").query)
    local none, err = venue:order { symbol = "EUR/USD", client_id = "other" }
    assert.is_nil(none)
    assert.equal("unknown_order", err.class)
  end)

  it("is said again as a whole when it is amended", function()
    local venue, seen = script.open { ["GET /orders/@mine"] = { { 200, { order = PENDING } } },
      ["PUT /orders/8"] = { { 201, { orderCancelTransaction = tx("9", "ORDER_CANCEL", { orderID = "8",
        reason = "CLIENT_REQUEST_REPLACED" }), orderCreateTransaction = tx("10", "LIMIT_ORDER", {
        instrument = "EUR_USD", units = "-7", price = "1.15" }) } }, { 201, { orderCancelTransaction = tx("12",
        "ORDER_CANCEL", { orderID = "8", reason = "CLIENT_REQUEST_REPLACED" }), orderCreateTransaction = tx("13",
        "LIMIT_ORDER", { instrument = "EUR_USD", units = "-7", price = "1" }), replacingOrderCancelTransaction =
        tx("14", "ORDER_CANCEL", { orderID = "13", reason = "INSUFFICIENT_MARGIN" }) } } } }
    local order = assert(venue:amend { symbol = "EUR/USD", client_id = "mine", qty = "7", price = "1.15" })
    assert.same({ "10", "7", "1.15", "open" }, { order.id, order.qty, order.price, order.status })
    local poor, err = venue:amend { symbol = "EUR/USD", client_id = "mine", price = "1" }
    assert.is_nil(poor)
    assert.same({ "insufficient_funds", "13" }, { err.class, err.order_id })
    assert.same({ order = { type = "LIMIT", instrument = "EUR_USD", units = "-7", price = "1.15", timeInForce = "GTC",
      positionFill = "DEFAULT", stopLossOnFill = { price = "1.2" }, clientExtensions = { id = "mine" } } },
      seen[2].body)
  end)

  it("has a price or a distance when it is amended, as its type has", function()
    local function order(id, type, fields)
      local out = { id = id, createTime = script.time, type = type, tradeID = "5", timeInForce = "GTC",
        state = "PENDING" }
      for name, value in pairs(fields) do out[name] = value end
      return { { 200, { order = out } } }
    end
    local venue, seen = script.open { ["GET /orders/8"] = order("8", "STOP_LOSS", { price = "1.05",
      distance = "0.01" }),
      ["GET /orders/9"] = order("9", "TRAILING_STOP_LOSS", { distance = "0.01", trailingStopValue = "1.05" }),
      ["PUT /orders/8"] = { { 201, { orderCreateTransaction = tx("10", "STOP_LOSS_ORDER", { tradeID = "5",
        price = "1.06" }) } } } }
    assert.equal("1.06", assert(venue:amend { symbol = "EUR/USD", id = "8", trigger_price = "1.06" }).trigger_price)
    assert.same({ order = { type = "STOP_LOSS", tradeID = "5", price = "1.06", timeInForce = "GTC" } },
      script.last(seen, "PUT /orders/8").body)
    local none, err = venue:amend { symbol = "EUR/USD", id = "9", trigger_price = "1.06" }
    assert.is_nil(none)
    assert.same({ "invalid_request", "not_offered", 3 }, { err.class, err.code, #seen })
  end)

  it("that belongs to a trade is filled by what was left of the trade", function()
    local profit = { id = "8", createTime = script.time, type = "TAKE_PROFIT", tradeID = "5", price = "1.05",
      state = "FILLED", fillingTransactionID = "9" }
    local venue = script.open { ["GET /orders/8"] = { { 200, { order = profit } } },
      ["GET /trades"] = { { 200, { trades = { { id = "5", instrument = "EUR_USD", currentUnits = "0",
        initialUnits = "30" } } } } },
      ["GET /transactions/idrange"] = { { 200, { transactions = { tx("9", "ORDER_FILL", { units = "-12",
        price = "1.06" }) } } } } }
    local order = assert(venue:order { symbol = "EUR/USD", id = "8" })
    assert.same({ "filled", "12", "12", "sell" }, { order.status, order.qty, order.filled, order.side })
  end)

  it("shows the trade that it belongs to", function()
    local stop = { id = "8", createTime = script.time, type = "STOP_LOSS", tradeID = "5", price = "1.05",
      state = "PENDING" }
    local venue, seen = script.open { ["GET /pendingOrders"] = { { 200, { orders = { PENDING, stop } } } },
      ["GET /trades"] = { { 200, { trades = { { id = "5", instrument = "USD_JPY", currentUnits = "30",
        initialUnits = "30" } } } } } }
    local list = assert(venue:open_orders "USD/JPY")
    assert.same({ 1, "stop", "sell", "30", "1.05" }, { #list, list[1].type, list[1].side, list[1].qty,
      list[1].trigger_price })
    assert.equal("count=500&ids=5&state=ALL", script.last(seen, "GET /trades").query)
  end)
end)

describe("what an oanda account holds and did", function()
  it("is closed side by side, after what waits is cancelled", function()
    local held = { instrument = "EUR_USD", long = { units = "10", averagePrice = "1" }, short = { units = "0" } }
    local gone = { instrument = "USD_JPY", long = { units = "0" }, short = { units = "-5", averagePrice = "1" } }
    local venue, seen = script.open { ["GET /pendingOrders"] = { { 200, { orders = { { id = "8", type = "LIMIT",
      createTime = script.time, instrument = "EUR_USD", units = "1", price = "1", state = "PENDING" }, { id = "6",
      type = "LIMIT", createTime = script.time, instrument = "EUR_USD", units = "1", price = "1",
      state = "PENDING" } } } } },
      ["PUT /orders/6/cancel"] = { { 404, { errorCode = "ORDER_DOESNT_EXIST" } } },
      ["PUT /orders/8/cancel"] = { { 200, { orderCancelTransaction = tx("9", "ORDER_CANCEL", { orderID = "8",
        reason = "CLIENT_REQUEST" }) } } },
      ["GET /openPositions"] = { { 200, { positions = { held, gone } } } },
      ["PUT /positions/EUR_USD/close"] = { { 200, { longOrderCreateTransaction = tx("10", "MARKET_ORDER",
        { units = "-10", instrument = "EUR_USD" }), longOrderFillTransaction = tx("11", "ORDER_FILL", { units = "-10",
        price = "1.1" }) } } },
      ["PUT /positions/USD_JPY/close"] = { { 404, { errorCode = "CLOSEOUT_POSITION_DOESNT_EXIST" } } } }
    local done = assert(venue:flatten())
    assert.same({ 1, "8", "canceled" }, { #done.cancelled, done.cancelled[1].id, done.cancelled[1].status })
    assert.same({ 1, "sell", "filled", "1.1" }, { #done.closed, done.closed[1].side, done.closed[1].status,
      done.closed[1].average })
    assert.same({ longUnits = "ALL" }, script.last(seen, "PUT /positions/EUR_USD/close").body)
    assert.same({ shortUnits = "ALL" }, script.last(seen, "PUT /positions/USD_JPY/close").body)
  end)

  it("is read page by page, without following the venue's addresses", function()
    local function fill(id)
      return tx(id, "ORDER_FILL", { instrument = "EUR_USD", units = "-1", price = "2", pl = "3.50", orderID = id,
        commission = "0.1", guaranteedExecutionFee = "0.2" })
    end
    local page = "https://api-fxtrade.oanda.com/v3/accounts/x/transactions/idrange?from=%d&to=%d&type=ORDER_FILL"
    local venue, seen = script.open { ["GET /summary"] = { summary "7" },
      ["GET /transactions"] = { { 200, { pages = { page:format(1, 1000), page:format(1001, 1700) } } } },
      ["GET /transactions/idrange"] = function(ex)
        script.reply(ex, { 200, { transactions = ex.query:find "^from=1&" and { fill "3" } or { fill "1003",
          tx("1004", "ORDER_FILL", { instrument = "USD_JPY" }), fill "1005" } } })
      end }
    local fills = assert(venue:fills("EUR/USD", { since = 1000 }))
    assert.same({ "3", "1003", "1005" }, { fills[1].id, fills[2].id, fills[3].id })
    assert.same({ "sell", "1", "2", "2", "0.3", "USD", "3.5" }, { fills[1].side, fills[1].qty, fills[1].price,
      fills[1].quote, fills[1].fee, fills[1].fee_asset, fills[1].realized })
    assert.equal("from=1.000&pageSize=1000&type=ORDER_FILL", script.last(seen, "GET /transactions").query)
    local last = assert(venue:fills("EUR/USD", { limit = 1 }))
    assert.same({ 1, "1005" }, { #last, last[1].id })
    assert.equal("1003", assert(venue:fills("EUR/USD", { order_id = "1003" }))[1].id)
  end)
end)
