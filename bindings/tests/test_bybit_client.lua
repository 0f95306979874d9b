-- The client half of bybit: how records are unified, the local book, orders only acknowledged.
local boxes = require "smc.sandbox.box"
local json = require "smc.json"
local local_book = require "smc.venue.bybit.local_book"
local smc = require "smc"
local unify = require "smc.venue.bybit.unify"

describe("a bybit order in the words of all venues", function()
  local function order(over)
    local raw = { orderId = "1", orderLinkId = "x", symbol = "BTCUSDT", side = "Buy", orderType = "Limit",
      price = "10.0", qty = "2.00", cumExecQty = "0.50", cumExecValue = "4.5", timeInForce = "GTC",
      orderStatus = "PartiallyFilled", cancelType = "UNKNOWN", rejectReason = "EC_NoError",
      createdTime = "5", updatedTime = "6", marketUnit = "" }
    for name, value in pairs(over or {}) do raw[name] = value end
    local out = unify.order(raw)
    out.raw = nil
    return out
  end

  it("has minimal decimals and numbers for times", function()
    assert.same({ id = "1", client_id = "x", symbol = "BTC/USDT", side = "buy", type = "limit", time_in_force = "gtc",
      status = "partially_filled", qty = "2", price = "10", filled = "0.5", filled_quote = "4.5", average = "9",
      time = 5, updated = 6 }, order())
  end)

  for _, row in ipairs {
    { "canceled", { orderStatus = "Cancelled", cancelType = "CancelByUser", rejectReason = "EC_PerCancelRequest" } },
    { "canceled", { orderStatus = "PartiallyFilledCanceled", cancelType = "CancelByUser" } },
    { "expired", { orderStatus = "Cancelled", rejectReason = "EC_NoImmediateQtyToFill" }, "EC_NoImmediateQtyToFill" },
    { "expired", { orderStatus = "PartiallyFilledCanceled", rejectReason = "EC_CancelForNoFullFill" },
      "EC_CancelForNoFullFill" },
    { "filled", { orderStatus = "PartiallyFilledCanceled", rejectReason = "EC_CancelForNoFullFill",
      orderType = "Market", marketUnit = "quoteCoin" } },
    { "rejected", { orderStatus = "Rejected", rejectReason = "EC_PostOnlyWillTakeLiquidity" },
      "EC_PostOnlyWillTakeLiquidity" },
    { "open", { orderStatus = "Untriggered" } },
  } do
    it(("is %s when the venue says %s"):format(row[1], row[2].orderStatus .. (row[2].marketUnit or "")
      .. (row[2].cancelType or "")), function()
      local o = order(row[2])
      assert.same({ row[1], row[3] }, { o.status, o.reason })
    end)
  end
end)

describe("a bybit fill", function()
  -- What the documents show in the example of v5/execution/list, where feeCurrency is empty.
  local function fill(category, over)
    local raw = { symbol = "ETHUSDT", orderType = "Market", orderLinkId = "", side = "Buy", orderId = "8c065341",
      stopOrderType = "UNKNOWN", leavesQty = "0", execTime = "1672282722429", feeCurrency = "", isMaker = false,
      execFee = "0.071409", feeRate = "0.0006", execId = "e0cbe81d", execPrice = "1190.15", execQty = "0.1",
      execValue = "119.015", execType = "Trade", closedSize = "", seq = 4688002127 }
    for name, value in pairs(over or {}) do raw[name] = value end
    return unify.fill(raw, category)
  end

  it("says what its fee was paid in, also where the venue does not", function()
    assert.same({ id = "e0cbe81d", order_id = "8c065341", symbol = "ETH/USDT:USDT", side = "buy", price = "1190.15",
      qty = "0.1", quote = "119.015", fee = "0.071409", fee_asset = "USDT", time = 1672282722429, maker = false },
      fill "linear")
    assert.same({ "USDT", "ETH", "USDT", "MNT" }, { fill("linear", { side = "Sell" }).fee_asset,
      fill("spot").fee_asset, fill("spot", { side = "Sell" }).fee_asset,
      fill("spot", { feeCurrency = "MNT" }).fee_asset })
  end)
end)

describe("the positions of bybit", function()
  it("leave out a row without size, which hedge mode has", function()
    local venue = smc.venue "bybit"
    assert(venue:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.1" })
    local row = venue:positions()[1].raw
    local flat = { size = "0", side = "", symbol = "ETHUSDT", avgPrice = "0", unrealisedPnl = "0" }
    venue:fault { venue = "not_json", on = "positions", body = json.encode { retCode = 0, retMsg = "OK",
      result = { list = { flat, row } } } }
    local held = assert(venue:positions())
    assert.same({ 1, "BTC/USDT:USDT" }, { #held, held[1].symbol })
  end)
end)

describe("a local book of bybit", function()
  local book
  before_each(function()
    book = local_book.new "BTC/USDT"
    book:update("snapshot", { b = { { "10.0", "1" } }, a = { { "11.0", "1" } }, u = 5, seq = 50 })
  end)

  it("applies deltas in their order", function()
    assert.is_true(book:update("delta", { b = { { "10.0", "0" }, { "9.5", "2" } }, a = {}, u = 6, seq = 51 }))
    assert.same({ symbol = "BTC/USDT", id = 51, bids = { { "9.5", "2" } }, asks = { { "11", "1" } } }, book:top(5))
  end)

  it("waits for a snapshot when one is missing", function()
    assert.is_false(book:update("delta", { b = {}, a = { { "11.0", "0" } }, u = 7, seq = 52 }))
    assert.is_true(book:update("delta", { b = {}, a = { { "11.0", "0" } }, u = 8, seq = 53 }))
    assert.same({ false, 1 }, { book.live, book.resyncs })
    book:update("snapshot", { b = {}, a = { { "12", "1" } }, u = 9, seq = 54 })
    assert.same({ { "12", "1" } }, book:top(1).asks)
  end)

  it("knows what it has had already", function()
    book:update("delta", { b = { { "9.5", "2" } }, a = {}, u = 6, seq = 51 })
    assert.is_true(book:update("delta", { b = { { "9.5", "7" } }, a = {}, u = 6, seq = 51 }))
    assert.is_true(book:update("snapshot", { b = {}, a = {}, u = 5, seq = 50 }))
    assert.same({ 51, { { "10", "1" }, { "9.5", "2" } } }, { book.id, book:top(5).bids })
  end)

  it("takes no snapshot that is older than what it had before it lost something, unless it was reset", function()
    book:update("delta", { b = {}, a = {}, u = 8, seq = 53 })
    book:update("snapshot", { b = {}, a = {}, u = 4, seq = 49 })
    assert.is_false(book.live)
    book:reset()
    book:update("snapshot", { b = {}, a = {}, u = 4, seq = 49 })
    assert.is_true(book.live)
  end)

  it("starts anew when the venue's service does", function()
    assert.is_true(book:update("delta", { b = { { "7", "1" } }, a = {}, u = 1, seq = 60 }))
    assert.same({ { "7", "1" } }, book:top(5).bids)
  end)
end)

describe("a bybit venue", function()
  --- What a misuse says, and that it points at this file.
  local function says(message, fn)
    local ok, err = pcall(fn)
    assert.is_false(ok)
    assert.matches("test_bybit_client.lua:%d+: ", tostring(err))
    assert.equal(message, (tostring(err):gsub("^.-:%d+: ", "", 1):gsub(" %(known: .*%)$", "")))
  end

  it("refuses contracts that are not settled in USDT, by name", function()
    local venue = smc.venue "bybit"
    local function refused(what)
      return what .. ": 'BTC/USD:BTC' is not offered: of bybit's contracts those in USDT are, like \"BTC/USDT:USDT\""
    end
    says(refused "ticker", function() return venue:ticker "BTC/USD:BTC", nil end)
    says(refused "place", function()
      return venue:place { symbol = "BTC/USD:BTC", side = "buy", type = "market", qty = "1" }, nil
    end)
    says(refused "cancel", function() return venue:cancel { symbol = "BTC/USD:BTC", id = "1" }, nil end)
    says(refused "open_orders", function() return venue:open_orders "BTC/USD:BTC", nil end)
    says(refused "stream", function() return venue:stream { "trade:BTC/USD:BTC" }, nil end)
    says("stream: 'trade:BTC/USDT:USDT' has another category than what stands before it", function()
      return venue:stream { "trade:BTC/USDT", "trade:BTC/USDT:USDT" }, nil
    end)
    assert.same({}, venue:requests())
  end)

  it("refuses options and keys that it does not know", function()
    local venue = smc.venue "bybit"
    says("smc.venue: bybit: unknown option 'limits'", function() smc.venue("bybit", { limits = false }) end)
    says("smc.venue: recv_window is a whole number of milliseconds", function()
      smc.venue("bybit", { recv_window = 0.5 })
    end)
    says("place: unknown key 'amount'", function()
      return venue:place { symbol = "BTC/USDT", side = "buy", type = "market", amount = "1" }, nil
    end)
    says("place: reduce_only belongs to positions; this venue has none", function()
      return venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "1", reduce_only = true }, nil
    end)
    says("place: quote_qty stands alone, in a market order of category spot", function()
      return venue:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", quote_qty = "1" }, nil
    end)
    says("cancel: id or client_id expected", function() return venue:cancel { symbol = "BTC/USDT" }, nil end)
    says("stream: unknown channel 'news:BTC/USDT'", function() return venue:stream { "news:BTC/USDT" }, nil end)
    says("smc.sandbox: bybit: unknown assumption 'weather'", function()
      return smc.sandbox("bybit", { assume = { weather = 1 } }), nil
    end)
    says("sandbox:limit: endpoints count by the second", function()
      venue.sandbox:limit { path = "/v5/order/create", requests = 1, per = 5 }
    end)
    for _, path in ipairs { "/v5/order/creat", "/v5/market/time" } do
      says(("sandbox:limit: no endpoint with a limit of its own is called '%s'; one is /v5/order/create"):format(path),
        function() venue.sandbox:limit { path = path, requests = 1, per = 1 } end)
    end
    says("sandbox:add_key: a secret has at least 4 bytes", function()
      return venue.sandbox:add_key { kind = "hmac", secret = "abc" }, nil
    end)
    says("sandbox:add_key: kind (hmac, rsa) and its secret or public PEM expected", function()
      return venue.sandbox:add_key { kind = "ed25519", public = "x" }, nil
    end)
  end)

  it("shows what became of orders that were only acknowledged", function()
    local venue = smc.venue "bybit"
    local crossing = assert(venue:place { symbol = "BTC/USDT", side = "sell", type = "limit_maker", qty = "0.001",
      price = "59800" })
    assert.same({ "rejected", "limit_maker", "EC_PostOnlyWillTakeLiquidity" }, { crossing.status, crossing.type,
      crossing.reason })
    local late = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", time_in_force = "ioc",
      qty = "0.001", price = "40000" })
    assert.equal("expired", late.status)
    local spent = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", quote_qty = "1000" })
    assert.same({ "filled", spent.filled }, { spent.status, spent.qty })
  end)

  it("walks an order through its life in the words that all venues share", function()
    local venue = smc.venue "bybit"
    local order = assert(venue:place { symbol = "ETH/USDT", side = "sell", type = "limit", qty = "2", price = "3100",
      client_id = "mine" })
    assert.same({ "mine" }, { assert(venue:open_orders())[1].client_id })
    venue.sandbox:move("ETH/USDT", { to = "3200" })
    local filled = assert(venue:order { symbol = "ETH/USDT", id = order.id })
    assert.same({ "filled", "3100", "6200" }, { filled.status, filled.average, filled.filled_quote })
    local fill = assert(venue:fills("ETH/USDT", { order_id = order.id }))[1]
    assert.same({ order.id, "3100", true, "6.2", "USDT" }, { fill.order_id, fill.price, fill.maker, fill.fee,
      fill.fee_asset })
    assert.same({ order.id }, { assert(venue:orders "ETH/USDT")[1].id })
    local again, err = venue:place { symbol = "ETH/USDT", side = "sell", type = "limit", qty = "2", price = "3300",
      client_id = "mine" }
    assert.is_nil(again)
    assert.same({ "duplicate_order", 170141, "mine" }, { err.class, err.code, err.client_id })
    local _, none = venue:order { symbol = "ETH/USDT", client_id = "other" }
    assert.same({ "unknown_order", 170213 }, { none.class, none.code })
    assert.same({}, assert(venue:cancel_all()))
  end)

  for _, symbol in ipairs { "BTC/USDT", "BTC/USDT:USDT" } do
    it("changes an order, which keeps its id: " .. symbol, function()
      local venue = smc.venue "bybit"
      local order = assert(venue:place { symbol = symbol, side = "buy", type = "limit", qty = "0.1", price = "58000" })
      local changed = assert(venue:amend { symbol = symbol, id = order.id, qty = "0.2", price = "57000" })
      assert.same({ order.id, symbol, "0.2", "57000", "open" }, { changed.id, changed.symbol, changed.qty,
        changed.price, changed.status })
      local same, err = venue:amend { symbol = symbol, client_id = order.client_id, qty = "0.2" }
      assert.is_nil(same)
      assert.same({ "invalid_request", 10001, order.client_id }, { err.class, err.code, err.client_id })
      assert.equal("canceled", assert(venue:cancel { symbol = symbol, id = order.id }).status)
      local _, gone = venue:amend { symbol = symbol, id = order.id, qty = "0.3" }
      assert.equal("unknown_order", gone.class)
    end)

    it("places orders that wait for a price, of every kind: " .. symbol, function()
      local venue = smc.venue "bybit"
      for _, row in ipairs { { "stop", "sell", "59000" }, { "stop_limit", "buy", "61000", "61100" },
        { "take_profit", "sell", "61000" }, { "take_profit_limit", "buy", "59000", "58900" } } do
        local kind, side, trigger, price = table.unpack(row, 1, 4)
        local order = assert(venue:place { symbol = symbol, side = side, type = kind, qty = "0.1",
          trigger_price = trigger, price = price })
        assert.same({ kind, side, trigger, price, "open" }, { order.type, order.side, order.trigger_price, order.price,
          order.status })
      end
      local open = assert(venue:open_orders(symbol))
      assert.equal(4, #open)
      local moved = assert(venue:amend { symbol = symbol, id = open[1].id, trigger_price = "59500" })
      assert.equal("59500", moved.trigger_price)
      assert.equal("canceled", assert(venue:cancel { symbol = symbol, client_id = open[2].client_id }).status)
      assert.equal(3, #assert(venue:cancel_all(symbol)))
      assert.same({}, assert(venue:open_orders()))
    end)
  end

  it("knows instruments of both categories", function()
    local by_symbol = {}
    for _, i in ipairs(assert(smc.venue("bybit"):instruments())) do by_symbol[i.symbol] = i end
    local spot, linear = by_symbol["BTC/USDT"], by_symbol["BTC/USDT:USDT"]
    assert.same({ "0.000001", "80", "5" }, { spot.step, spot.max_qty, spot.min_notional })
    assert.same({ "0.001", "1000", "5", "BTCUSDT" }, { linear.step, linear.max_qty, linear.min_notional,
      linear.native })
  end)

  it("reads instruments page by page, of contracts the perpetual ones in USDT", function()
    local venue, request = smc.venue "bybit", require "smc.venue.bybit.request"
    local call, asked = request.call, {}
    finally(function() request.call = call end)
    local function contract(base, kind, settle)
      return { symbol = base .. settle, baseCoin = base, quoteCoin = settle, settleCoin = settle,
        contractType = kind, status = "Trading", priceFilter = { tickSize = "0.1" },
        lotSizeFilter = { qtyStep = "1", minOrderQty = "1", maxOrderQty = "9", minNotionalValue = "5" } }
    end
    local PAGES = {
      [""] = { { contract("A", "LinearPerpetual", "USDT"), contract("B", "LinearFutures", "USDT") }, "2" },
      ["2"] = { { contract("C", "LinearPerpetual", "USDC"), contract("D", "LinearPerpetual", "USDT") }, "" } }
    function request.call(_, _, what)
      local p = what.params
      asked[#asked + 1] = p.category .. " " .. (p.cursor or "")
      local page = p.category == "spot" and { {} } or PAGES[p.cursor or ""]
      return what.read { result = { list = page[1], nextPageCursor = page[2] } }
    end
    local list = assert(venue:instruments())
    assert.same({ "A/USDT:USDT", "D/USDT:USDT" }, { list[1].symbol, list[2].symbol })
    assert.same({ "spot ", "linear ", "linear 2" }, asked)
  end)

  it("holds positions in contracts, and flattens them", function()
    local venue = smc.venue "bybit"
    assert.same({}, assert(venue:positions()))
    local bought = assert(venue:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.3" })
    assert(venue:place { symbol = "ETH/USDT:USDT", side = "sell", type = "market", qty = "2" })
    assert(venue:place { symbol = "BTC/USDT:USDT", side = "buy", type = "limit", qty = "0.1", price = "58000" })
    assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.1", price = "58000" })
    local held = assert(venue:positions())
    assert.same({ "BTC/USDT:USDT", "long", "0.3", "10" }, { held[1].symbol, held[1].side, held[1].qty,
      held[1].leverage })
    assert.same({ "ETH/USDT:USDT", "short", "2" }, { held[2].symbol, held[2].side, held[2].qty })
    assert.equal(bought.average, held[1].entry)
    local fill = assert(venue:fills("BTC/USDT:USDT", { order_id = bought.id }))[1]
    assert.same({ "BTC/USDT:USDT", "USDT" }, { fill.symbol, fill.fee_asset })

    local part = assert(venue:place { symbol = "BTC/USDT:USDT", side = "sell", type = "market", qty = "0.1",
      reduce_only = true })
    assert.same({ true, "filled" }, { part.reduce_only, part.status })
    local flat = assert(venue:flatten "BTC/USDT:USDT")
    assert.same({ 1, 1, "0.2" }, { #flat.cancelled, #flat.closed, flat.closed[1].filled })
    flat = assert(venue:flatten())
    assert.same({ 1, 1, "2" }, { #flat.cancelled, #flat.closed, flat.closed[1].filled })
    assert.same({ {}, {} }, { assert(venue:positions()), assert(venue:open_orders()) })
    local none, err = venue:place { symbol = "BTC/USDT:USDT", side = "sell", type = "market", qty = "0.1",
      reduce_only = true }
    assert.is_nil(none)
    assert.same({ "filter", 110017 }, { err.class, err.code })
  end)

  it("tells of what the venue closes, and of no funding as if it were a fill", function()
    local venue = smc.venue "bybit"
    local events <close> = assert(venue:user_stream())
    local sb = boxes.venue(venue.sandbox)
    sb.market:quote("BTCUSDT.P", { level_qty = "400" })
    assert(venue:post("/v5/position/set-leverage", { category = "linear", symbol = "BTCUSDT", buyLeverage = "100",
      sellLeverage = "100" }, { signed = true }))
    assert(venue:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "300" })
    sb.funding_due = smc.wall() + 1000
    smc.sleep(2)
    venue.sandbox:move("BTC/USDT:USDT", { to = "25000" })
    local sum, known = { buy = "0", sell = "0" }, {}
    for i, fill in ipairs(assert(venue:fills "BTC/USDT:USDT")) do
      sum[fill.side], known[i] = smc.decimal.add(sum[fill.side], fill.qty), fill.id
    end
    assert.same({ buy = "300", sell = "300" }, sum)
    local told = {}
    repeat
      local event = assert(events:recv(5))
      if event.fill then told[#told + 1] = event.fill.id end
    until #told == #known
    assert.same(known, told)
  end)

  it("streams contracts: whole tickers, a local book, the account's own", function()
    local venue = smc.venue "bybit"
    local stream <close> = assert(venue:stream { "ticker:BTC/USDT:USDT", "book:BTC/USDT:USDT" })
    local events <close> = assert(venue:user_stream())
    for _ = 1, 5 do
      local event = assert(stream:recv(10))
      assert.matches(":BTC/USDT:USDT$", event.channel)
      if event.kind == "ticker" then
        assert.same({ "BTC/USDT:USDT", "string", "string" }, { event.symbol, type(event.last), type(event.bid) })
      end
    end
    venue.sandbox:move("BTC/USDT:USDT", { by = "0.01" })
    eventually(function()
      local top, book = assert(stream:top(5)), venue.sandbox:book("BTC/USDT:USDT", 5)
      assert.same({ book.bids, book.asks }, { top.bids, top.asks })
    end, { within = 5 })
    local order = assert(venue:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.1" })
    local seen = {}
    repeat
      local event = assert(events:recv(5))
      seen[event.kind] = event
    until event.kind == "balance"
    assert.same({ "BTC/USDT:USDT", order.id, "0.1" }, { seen.order.order.symbol, seen.fill.fill.order_id,
      seen.fill.fill.qty })
  end)

  it("reads every page, and cancels all", function()
    local venue = smc.venue "bybit"
    venue.sandbox:limit { path = "/v5/order/create", requests = 100, per = 1 }
    venue.sandbox:limit { path = "/v5/order/realtime", requests = 500, per = 1 }
    for i = 1, 52 do
      assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.001", price = 40000 + i .. "" })
    end
    local open = assert(venue:open_orders "BTC/USDT")
    assert.same({ 52, "40001", "40052" }, { #open, open[1].price, open[52].price })
    local gone = assert(venue:cancel_all "BTC/USDT")
    assert.same({ 52, "canceled" }, { #gone, gone[1].status })
    assert.equal(10, #assert(venue:orders("BTC/USDT", { limit = 10 })))
  end)

  it("cancels spot orders of every kind, whoever placed them", function()
    local venue = smc.venue "bybit"
    local function tpsl()
      return assert(venue:post("/v5/order/create", { category = "spot", symbol = "BTCUSDT", side = "Buy",
        orderType = "Market", qty = "100", triggerPrice = "59000", orderFilter = "tpslOrder" }, { signed = true }))
        .result.orderId
    end
    local id = tpsl()
    assert.same({ id, "canceled" }, { assert(venue:cancel { symbol = "BTC/USDT", id = id }).id,
      assert(venue:order { symbol = "BTC/USDT", id = id }).status })
    id = tpsl()
    local gone = assert(venue:cancel_all "BTC/USDT")
    assert.same({ 1, id }, { #gone, gone[1].id })
    local _, err = venue:cancel { symbol = "BTC/USDT", id = "7" }
    assert.equal("unknown_order", err.class)
  end)

  it("says how long a limit lasts", function()
    local venue = smc.venue "bybit"
    venue.sandbox:limit { path = "/v5/account/wallet-balance", requests = 1, per = 1 }
    assert(venue:balances())
    local balances, err = venue:balances()
    assert.is_nil(balances)
    assert.same({ "rate_limit", 10006, true }, { err.class, err.code, err.retryable })
    assert.is_true(err.retry_after > 0 and err.retry_after <= 1)
    venue.sandbox:limit { requests = 1, per = 5 }
    assert(venue:ping())
    local _, ban = venue:ping()
    assert.same({ "ip_ban", 403, 600 }, { ban.class, ban.http, ban.retry_after })
    assert.is_true(venue.sandbox:limits().violations >= 2)
  end)

  it("pings its streams while it waits", function()
    local venue = smc.venue "bybit"
    local stream <close> = assert(venue:stream { "ticker:BTC/USDT" })
    venue.sandbox:advance()
    local give_up = smc.now() + 45
    while smc.now() < give_up do assert(stream:recv(45)) end
    assert.equal(2, venue.sandbox:streams()[1].pings)
    assert.same({ "tickers.BTCUSDT" }, stream:subscriptions())
  end)
end)
