-- The client half without a wire: what answers mean, how records are unified, how a local book is kept.
local errors = require "smc.venue.binance.errors"
local local_book = require "smc.venue.binance.local_book"
local unify = require "smc.venue.binance.unify"

describe("a request without an answer", function()
  local function lost(class, sent, mutation)
    local err = errors.unanswered({ class = class, code = "x", message = "m", sent = sent, retryable = false }, "place",
      mutation)
    return { err.class, err.retryable, err.venue, err.op }
  end

  it("has an unknown outcome only if it could change something and may have arrived", function()
    assert.same({ "unknown_outcome", false, "binance", "place" }, lost("timeout", true, true))
    assert.same({ "unknown_outcome", false, "binance", "place" }, lost("network", true, true))
    assert.same({ "network", true, "binance", "place" }, lost("network", false, true))
    assert.same({ "timeout", true, "binance", "place" }, lost("timeout", true, false))
  end)
end)

describe("unified records", function()
  it("name symbols by both assets", function()
    assert.equal("BTCUSDT", unify.native "BTC/USDT")
    for native, unified in pairs { BTCUSDT = "BTC/USDT", ETHBTC = "ETH/BTC", BNBFDUSD = "BNB/FDUSD", BTC = "BTC" } do
      assert.equal(unified, unify.symbol(native))
    end
  end)

  it("write decimals as short as they are", function()
    for long, short in pairs { ["0.50000000"] = "0.5", ["100"] = "100", ["100.00000000"] = "100",
      ["0.00000000"] = "0", ["1.00000010"] = "1.0000001" } do
      assert.equal(short, unify.number(long))
    end
  end)

  it("keep an order's own client id when a cancel has replaced it", function()
    local order = unify.order { symbol = "BTCUSDT", orderId = 7, clientOrderId = "bye", origClientOrderId = "mine",
      side = "BUY", type = "LIMIT", timeInForce = "GTC", status = "CANCELED", origQty = "1.00000000",
      price = "10.00000000", executedQty = "0.25000000", cummulativeQuoteQty = "2.25000000", transactTime = 5 }
    order.raw = nil
    assert.same({ id = "7", client_id = "mine", symbol = "BTC/USDT", side = "buy", type = "limit",
      time_in_force = "gtc", status = "canceled", qty = "1", price = "10", filled = "0.25", filled_quote = "2.25",
      average = "9", time = 5, updated = 5 }, order)
  end)

  it("do not know what was paid where the venue does not", function()
    local order = unify.order { symbol = "BTCUSDT", orderId = 7, clientOrderId = "mine", side = "BUY", type = "LIMIT",
      timeInForce = "GTC", status = "FILLED", origQty = "1.0", price = "10.0", executedQty = "1.0",
      cummulativeQuoteQty = "-1.00000000", time = 5, updateTime = 5 }
    assert.same({ "1", nil, nil }, { order.filled, order.filled_quote, order.average })
  end)

  it("name an order by the id that it has when it is told of", function()
    local function id_of(x, c, original)
      return unify.report({ x = x, c = c, C = original, s = "BTCUSDT", S = "BUY", o = "LIMIT", f = "GTC", X = "NEW",
        q = "1", p = "10", P = "0", z = "0", Z = "0", i = 7, O = 5, T = 5 }).client_id
    end
    assert.same({ "mine", "mine", "other", "mine" }, { id_of("NEW", "mine", ""), id_of("CANCELED", "bye", "mine"),
      id_of("REPLACED", "other", "mine"), id_of("TRADE", "mine", "old") })
  end)
end)

describe("a local book", function()
  local book
  local function event(first, last, bids, asks) return { U = first, u = last, b = bids or {}, a = asks or {} } end
  local function snapshot(id) return { lastUpdateId = id, bids = { { "10.0", "1.0" } },
    asks = { { "11.0", "1.0" } } } end
  before_each(function() book = local_book.new "BTC/USDT" end)

  it("applies what was buffered after the snapshot, and nothing older", function()
    book:update(event(5, 6, { { "9.0", "5.0" } }))
    book:update(event(7, 9, { { "10.0", "2.0" } }, { { "11.0", "0.00" }, { "10.5", "3.0" } }))
    assert.is_true(book:restart(snapshot(6)))
    assert.same({ symbol = "BTC/USDT", id = 9, bids = { { "10", "2" } }, asks = { { "10.5", "3" } } }, book:top(5))
  end)

  it("asks for another snapshot when the first is too old", function()
    book:update(event(5, 6))
    assert.is_false(book:restart(snapshot(3)))
    assert.is_true(book:restart(snapshot(4)))
  end)

  it("starts over when an event is missing", function()
    book:restart(snapshot(4))
    assert.is_true(book:update(event(5, 7)))
    assert.is_true(book:update(event(6, 7)))
    assert.is_false(book:update(event(9, 9)))
    assert.same({ false, 1 }, { book.live, book.resyncs })
    assert.is_true(book:restart(snapshot(8)))
    assert.equal(9, book:top(1).id)
  end)

  it("takes what it buffered in the order of the venue", function()
    book:update(event(9, 10, { { "9.0", "3.0" } }))
    book:update(event(7, 8, { { "9.0", "2.0" } }))
    assert.is_true(book:restart(snapshot(6)))
    assert.same({ { "10", "1" }, { "9", "3" } }, book:top(2).bids)
  end)

  it("keeps what comes after a hole in its buffer for the next snapshot", function()
    for _, e in ipairs { event(7, 8), event(11, 12), event(13, 14, { { "9.0", "2.0" } }) } do book:update(e) end
    assert.is_false(book:restart(snapshot(6)))
    assert.is_true(book:restart(snapshot(10)))
    assert.same({ 14, "9" }, { book.id, book:top(2).bids[2][1] })
  end)

  it("waits anew after a reset", function()
    book:restart(snapshot(4))
    book:reset()
    assert.is_true(book:update(event(20, 21)))
    assert.is_false(book.live)
    assert.is_true(book:restart(snapshot(20)))
    assert.equal(21, book.id)
  end)

  it("tells prices apart that are the same number to a double", function()
    book:restart { lastUpdateId = 1, bids = {}, asks = { { "1.000000000000000001", "1" },
      { "1.000000000000000003", "1" }, { "1.000000000000000002", "1" } } }
    book:update(event(2, 2, {}, { { "1.000000000000000002", "0" } }))
    assert.same({ { "1.000000000000000001", "1" }, { "1.000000000000000003", "1" } }, book:top(5).asks)
  end)

  it("sorts by value, not by text", function()
    book:restart { lastUpdateId = 1, bids = { { "9.5", "1" }, { "10.0", "1" } }, asks = { { "100.0", "1" },
      { "11", "1" } } }
    assert.same({ { "10", "1" }, { "9.5", "1" } }, book:top(2).bids)
    assert.same({ { "11", "1" } }, book:top(1).asks)
  end)
end)

describe("a venue", function()
  local smc = require "smc"

  --- One field of each.
  local function field_of(list, name)
    local out = {}
    for i, item in ipairs(list) do out[i] = item[name] end
    return out
  end

  local SYMBOLS = " (known: BNB/USDT, BTC/USDT, ETH/BTC, ETH/USDT)"

  --- What a misuse says, and that it points at this file.
  local function says(message, fn)
    local ok, err = pcall(fn)
    assert.is_false(ok)
    assert.matches("test_binance_client.lua:%d+: ", tostring(err))
    assert.equal(message, (tostring(err):gsub("^.-:%d+: ", "", 1):gsub("(unknown .*) %(known: .*%)$", "%1")))
  end

  it("refuses options, filters and keys that it does not know", function()
    local venue = smc.venue "binance"
    says("smc.venue: no venue is called 'kraken' "
      .. "(known: binance, bybit, oanda, and venue/NAME.lua beside the scenario)",
      function() smc.venue "kraken" end)
    says("smc.venue: binance: unknown option 'limits'", function() smc.venue("binance", { limits = false }) end)
    says("smc.venue: recv_window is a whole number of milliseconds", function()
      smc.venue("binance", { recv_window = 0.5 })
    end)
    says("place: unknown key 'amount'", function()
      return venue:place { symbol = "BTC/USDT", side = "buy", type = "market", amount = "1" }, nil
    end)
    says("place: qty is a decimal string", function()
      return venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = 1 }, nil
    end)
    local function place(more)
      local asked = { symbol = "BTC/USDT", side = "buy", type = "market", qty = "1" }
      for key, value in pairs(more) do asked[key] = value end
      return function() return venue:place(asked), nil end
    end
    says("place: type is limit, limit_maker, market, stop, stop_limit, take_profit or take_profit_limit",
      place { type = "stopp" })
    says("place: trigger_price is a decimal string", place { trigger_price = 1 })
    says("place: reduce_only is true or false", place { reduce_only = "yes" })
    says("place: reduce_only belongs to positions; this venue has none", place { reduce_only = true })
    says("place: a market order has no trigger_price; types that have one: stop, take_profit",
      place { trigger_price = "1" })
    says("place: side is a word", place { side = 1 })
    says("cancel: id or client_id expected", function() return venue:cancel { symbol = "BTC/USDT" }, nil end)
    says("requests: unknown filter 'when'", function() return venue:requests { when = 1 }, nil end)
    says("requests: status is a number, not a string", function() return venue:requests { status = "200" }, nil end)
    says("get: unknown option 'sign'", function() return venue:get("/api/v3/account", {}, { sign = true }), nil end)
    says("stream: unknown channel 'news:BTC/USDT'", function() return venue:stream { "news:BTC/USDT" }, nil end)
    says("sandbox:move: either by or to expected", function() venue.sandbox:move("BTC/USDT", {}) end)
    says("sandbox:orders: unknown key 'colour'", function() return venue.sandbox:orders { colour = 1 }, nil end)
    says("sandbox:requests: unknown filter 'when'", function() return venue.sandbox:requests { when = 1 }, nil end)
    says("sandbox:requests: after is a number, not a boolean", function()
      return venue.sandbox:requests { after = true }, nil
    end)
    for name, see in next, { rate_limit = "sandbox:limits().violations, or their status",
      stall = "sandbox:faults(), which says how often it was committed" } do
      says(("sandbox:requests: '%s' is noted at no request; see %s"):format(name, see), function()
        return venue.sandbox:requests { fault = name }, nil
      end)
    end
    for _, name in ipairs { "ack_losst", "latency" } do
      says(("sandbox:requests: no fault of requests is called '%s'; of what befell the wire see sandbox:faults()")
        :format(name), function() return venue.sandbox:requests { fault = name }, nil end)
    end
    says("sandbox:book: no symbol is called 'X/Y'" .. SYMBOLS, function() return venue.sandbox:book "X/Y", nil end)
    says("smc.sandbox: binance: unknown assumption 'weather'", function()
      return smc.sandbox("binance", { assume = { weather = 1 } }), nil
    end)
    says("smc.sandbox: binance: key must be 1 to 128 letters, digits, - or _", function()
      return smc.sandbox("binance", { key = "a b" }), nil
    end)
    says("smc.sandbox: binance: secret must be 8 to 128 printable characters without blanks", function()
      return smc.sandbox("binance", { secret = "1234567" }), nil
    end)
    for way, value in pairs { to = "0", by = "-1" } do
      says("sandbox:move: the price would be 0: it has to be 1 to 10^12 ticks of 0.01", function()
        venue.sandbox:move("BTC/USDT", { [way] = value })
      end)
    end
    says("sandbox:halt: symbol is missing" .. SYMBOLS, function() venue.sandbox:halt() end)
  end)

  it("meets a sandbox with credentials that the scenario chose", function()
    local box = smc.sandbox("binance", { key = "my-key", secret = "12345678" })
    assert.same({ "my-key", "12345678" }, { box.key, box.secret })
    assert.is_true(assert(smc.venue("binance", { sandbox = box }):account()).can_trade)
    local _, err = smc.venue("binance", { sandbox = smc.sandbox("binance", { key = "my-key" }) }):account()
    assert.is_nil(err)
    local function code_for(key)
      local url = ("%s/api/v3/account?timestamp=%d&signature=00"):format(box.url, smc.wall())
      local reply = assert(smc.http.get(url, { headers = { ["X-MBX-APIKEY"] = key } }))
      return smc.json.decode(reply.body).code
    end
    assert.same({ -1022, -2014 }, { code_for "my-key", code_for "your-key" })
  end)

  it("is one of several clients of the spec's sandbox, and can be given another one", function()
    local one, other = smc.venue "binance", smc.venue "binance"
    local order = assert(one:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "40000" })
    assert.equal(order.id, assert(other:order { symbol = "BTC/USDT", client_id = order.client_id }).id)
    assert.same({ 1, 1, 2 }, { #one:requests(), #other:requests(), #one.sandbox:requests { signed = true } })

    local elsewhere = smc.venue("binance", { sandbox = smc.sandbox("binance", { assume = { commission_bps = 10 } }) })
    assert.same({}, assert(elsewhere:open_orders()))
    assert.equal("0.001", assert(elsewhere:account()).taker_fee)
  end)

  it("has no positions, and is flat when nothing is in the market", function()
    local venue = smc.venue "binance"
    local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = "40000" })

    local flat = assert(venue:flatten())

    assert.same({ { order.id }, {} }, { { flat.cancelled[1].id, flat.cancelled[2] }, flat.closed })
    assert.same({ {}, {} }, { assert(venue:open_orders()), assert(venue:positions()) })
  end)

  it("meets a symbol that does not trade, until it does again", function()
    local venue = smc.venue "binance"
    local function buy() return venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" } end
    venue.sandbox:halt "BTC/USDT"
    local order, err = buy()
    assert.is_nil(order)
    assert.same({ "market_closed", -1013 }, { err.class, err.code })
    assert.is_false(assert(venue:instruments())[1].trading)
    venue.sandbox:resume "BTC/USDT"
    assert.equal("filled", assert(buy()).status)
  end)

  it("sees what it asked in vain among the requests of the sandbox, and in the transcript", function()
    local venue = smc.venue "binance"
    local answer, err = venue:get("/sapi/v1/capital/config/getall", {}, { signed = true })
    assert.is_nil(answer)
    assert.same({ 404, "invalid_request" }, { err.http, err.class })
    local seen = venue.sandbox:requests { status = 404 }
    assert.same({ "/sapi/v1/capital/config/getall", "GET", true }, { seen[1].path, seen[1].method, seen[1].signed })
    local transcript = require("smc.core.task").transcript()
    assert.matches("GET /sapi/v1/capital/config/getall[^\n]*\n[^\n]*< 404", transcript)
  end)

  it("walks an order through its life in the words that all venues share", function()
    local venue = smc.venue "binance"
    local order = assert(venue:place { symbol = "ETH/USDT", side = "sell", type = "limit", qty = "2", price = "3100",
      client_id = "mine" })
    assert.same({ "open", "sell", "limit", "gtc", "2", "3100", "0" },
      { order.status, order.side, order.type, order.time_in_force, order.qty, order.price, order.filled })
    assert.same({ "mine" }, { assert(venue:open_orders())[1].client_id })

    venue.sandbox:move("ETH/USDT", { to = "3200" })

    local filled = assert(venue:order { symbol = "ETH/USDT", id = order.id })
    assert.same({ "filled", "3100", "6200" }, { filled.status, filled.average, filled.filled_quote })
    local fill = assert(venue:fills("ETH/USDT", { order_id = order.id }))[1]
    assert.same({ order.id, "3100", true }, { fill.order_id, fill.price, fill.maker })
    local _, err = venue:cancel { symbol = "ETH/USDT", id = order.id }
    assert.same({ "unknown_order", -2011 }, { err.class, err.code })
    assert.same({}, assert(venue:cancel_all()))
    assert.equal("mine", venue.sandbox:orders({ status = "filled" })[1].client_id)
  end)

  it("amends an order in its place when only the quantity shrinks, and replaces it otherwise", function()
    local venue = smc.venue "binance"
    local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.02", price = "40000",
      client_id = "mine" })

    local smaller = assert(venue:amend { symbol = "BTC/USDT", id = order.id, qty = "0.01" })
    assert.same({ order.id, "mine", "0.01", "40000", "open" },
      { smaller.id, smaller.client_id, smaller.qty, smaller.price, smaller.status })

    local dearer = assert(venue:amend { symbol = "BTC/USDT", client_id = "mine", price = "41000" })
    assert.same({ "0.01", "41000", "limit", "gtc" }, { dearer.qty, dearer.price, dearer.type, dearer.time_in_force })
    assert.equal("canceled", assert(venue:order { symbol = "BTC/USDT", id = order.id }).status)
    assert.same({ dearer.id }, field_of(assert(venue:open_orders()), "id"))

    local larger = assert(venue:amend { symbol = "BTC/USDT", id = dearer.id, qty = "0.03", price = "42000" })
    assert.same({ "0.03", "42000" }, { larger.qty, larger.price })
  end)

  it("tells why an order was not amended by the class of what failed", function()
    local venue = smc.venue "binance"
    local function buy(qty)
      return assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = qty, price = "40000" })
    end
    local order = buy "0.02"
    buy "100"
    local function fails(change)
      change.symbol, change.id = "BTC/USDT", change.id or order.id
      local amended, err = venue:amend(change)
      assert.is_nil(amended)
      return { err.class, err.code, err.client_id ~= nil }
    end
    assert.same({ "unknown_order", -2013, false }, fails { id = "99", qty = "1" })
    assert.same({ "filter", -2038, false }, fails { qty = "0.0000001" })
    assert.same({ "filter", -1013, true }, fails { qty = "0.03", price = "40000.001" })
    assert.same({ "insufficient_funds", -2021, true }, fails { qty = "80", price = "110000" })
  end)

  it("places orders that wait for a price, and amends them", function()
    local venue = smc.venue "binance"
    local function place(kind, more)
      local asked = { symbol = "BTC/USDT", side = "sell", type = kind, qty = "0.01", trigger_price = "59000" }
      for key, value in pairs(more or {}) do asked[key] = value end
      return assert(venue:place(asked))
    end
    local stop = place "stop"
    assert.same({ "stop", "59000", "open" }, { stop.type, stop.trigger_price, stop.status })
    assert.is_nil(stop.price)
    local limit = place("stop_limit", { price = "58000" })
    assert.same({ "stop_limit", "58000", "gtc" }, { limit.type, limit.price, limit.time_in_force })
    local gain = place("take_profit", { trigger_price = "61000" })
    local moved = assert(venue:amend { symbol = "BTC/USDT", id = limit.id, trigger_price = "58500" })
    assert.same({ "58500", "58000", "0.01" }, { moved.trigger_price, moved.price, moved.qty })

    venue.sandbox:move("BTC/USDT", { to = "58900" })

    assert.equal("filled", assert(venue:order { symbol = "BTC/USDT", id = stop.id }).status)
    assert.same({ gain.id, moved.id }, field_of(assert(venue:open_orders()), "id"))
  end)

  it("cancels an order of a list, and tells of the others when it cancels all", function()
    local venue = smc.venue "binance"
    local function oco()
      return assert(venue:post("/api/v3/orderList/oco", { symbol = "BTCUSDT", side = "SELL", quantity = "0.01",
        aboveType = "LIMIT_MAKER", abovePrice = "61000", belowType = "STOP_LOSS", belowStopPrice = "59000" },
        { signed = true }))
    end
    local id = tostring(oco().orders[2].orderId)
    local gone = assert(venue:cancel { symbol = "BTC/USDT", id = id })
    assert.same({ id, "canceled", "limit_maker" }, { gone.id, gone.status, gone.type })
    oco()
    assert.same({ "stop", "limit_maker" }, field_of(assert(venue:cancel_all()), "type"))
  end)
end)
