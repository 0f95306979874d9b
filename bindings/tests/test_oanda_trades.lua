-- Trades of the oanda sandbox, what hangs on them, and what they do to positions, margin and the account.
local decimal = require "smc.decimal"
local fake = require "oanda_fake"
local json = require "smc.json"
local smc = require "smc"

local sb

local function get(target) return fake.get(sb, target) end
local function put(target, body) return fake.ask(sb, "PUT", target, body) end

--- Opens a trade of 10000 EUR; returns its id and the answer.
local function open(given)
  local o = { type = "MARKET", instrument = "EUR_USD", units = "10000" }
  for name, value in pairs(given or {}) do o[name] = value end
  local answer = fake.ask(sb, "POST", "orders", { order = o })
  local opened = answer.orderFillTransaction and answer.orderFillTransaction.tradeOpened
  return opened and opened.tradeID, answer
end

local function move(to, symbol)
  sb.market:move(symbol or "EUR_USD", { to = to })
  sb:settle()
end

local function still()
  sb = fake.venue()
  for _, def in ipairs(sb.symbols) do sb.market:freeze(def.symbol, true) end
end

local function best(symbol)
  local b = sb.market:best(symbol or "EUR_USD")
  return b.bid, b.ask
end

local function last() return json.decode(sb.log.list[#sb.log.list].text) end

local function kinds(from)
  local out = {}
  for n = from, #sb.log.list do out[#out + 1] = sb.log.list[n].type end
  return table.concat(out, " ")
end

local function rejected(code, name, status, answer, ex)
  local tx = answer[name .. "RejectTransaction"]
  assert.same({ status, code, code, tx and tx.id }, { ex.status, answer.errorCode, tx and tx.rejectReason,
    answer.relatedTransactionIDs[1] }, ex.answer)
end

describe("a trade of oanda", function()
  before_each(still)

  it("is closed whole or in parts", function()
    local id = open()
    local answer, ex = put("trades/" .. id .. "/close", { units = "4000" })
    local made, fill = answer.orderCreateTransaction, answer.orderFillTransaction
    assert.same({ 200, "MARKET_ORDER", "TRADE_CLOSE", "REDUCE_ONLY", "FOK", "-4000", id, "4000" }, { ex.status,
      made.type, made.reason, made.positionFill, made.timeInForce, made.units, made.tradeClose.tradeID,
      made.tradeClose.units })
    assert.same({ "MARKET_ORDER_TRADE_CLOSE", id, "-4000", "-0.6400" }, { fill.reason, fill.tradeReduced.tradeID,
      fill.tradeReduced.units, fill.pl }) -- the spread, 0.00016 a unit
    local trade = get("trades/" .. id).trade
    assert.same({ "6000", "10000", "OPEN", "-0.6400", fill.id, "1.07992" }, { trade.currentUnits, trade.initialUnits,
      trade.state, trade.realizedPL, trade.closingTransactionIDs[1], trade.averageClosePrice })
    answer = put("trades/" .. id .. "/close")
    assert.same({ "ALL", id }, { answer.orderCreateTransaction.tradeClose.units,
      answer.orderFillTransaction.tradesClosed[1].tradeID })
    trade = get("trades/" .. id).trade
    assert.same({ "0", "CLOSED", "-1.6000", nil, nil, 2 }, { trade.currentUnits, trade.state, trade.realizedPL,
      trade.unrealizedPL, trade.marginUsed, #trade.closingTransactionIDs })
    rejected("TRADE_DOESNT_EXIST", "order", 404, put("trades/" .. id .. "/close", {}))
    assert.equal(0, #get("openTrades").trades)
    assert.equal("99998.4000", get("summary").account.balance)
  end)

  it("is closed even when others of its instrument are older", function()
    local first = open { units = "5" }
    local second = open { units = "7" }
    put("trades/" .. second .. "/close", { units = "ALL" })
    assert.same({ "OPEN", "CLOSED" }, { get("trades/" .. first).trade.state, get("trades/" .. second).trade.state })
  end)

  it("cannot be closed: more than there is, what is gone, what cannot be read", function()
    local id = open()
    rejected("CLOSE_TRADE_UNITS_EXCEED_TRADE_SIZE", "order", 400, put("trades/" .. id .. "/close", { units = "10001" }))
    rejected("UNITS_PRECISION_EXCEEDED", "order", 400, put("trades/" .. id .. "/close", { units = "0.5" }))
    rejected("TRADE_DOESNT_EXIST", "order", 404, put("trades/999/close", {}))
    rejected("TRADE_DOESNT_EXIST", "order", 404, put("trades/@nobody/close", {}))
    local n = #sb.log.list
    local answer, ex = put("trades/x/close", {})
    assert.same({ 400, "Invalid value specified for 'tradeID'", n }, { ex.status, answer.errorMessage, #sb.log.list })
    for _, units in ipairs { "half", "0", "-1" } do
      answer = put("trades/" .. id .. "/close", { units = units })
      assert.equal("Invalid value specified for 'units'", answer.errorMessage)
    end
    answer, ex = get "trades/999"
    assert.same({ 404, "NO_SUCH_TRADE", sb.log:last() }, { ex.status, answer.errorCode, answer.lastTransactionID })
    sb:halt(sb.by_symbol.EUR_USD, true)
    answer, ex = put("trades/" .. id .. "/close", {})
    assert.same({ 200, "MARKET_HALTED" }, { ex.status, answer.orderCancelTransaction.reason })
  end)

  it("shows what it would make", function()
    local id = open { units = "-10000" }
    move "1.07"
    local trade = get("trades/" .. id).trade
    local pl = decimal.mul(decimal.sub(trade.price, select(2, best())), "10000")
    assert.equal(decimal.format(pl, 4), trade.unrealizedPL)
    local value = decimal.mul(sb.market:mid "EUR_USD", "10000")
    assert.equal(decimal.format(decimal.mul(value, "0.02"), 4), trade.marginUsed)
  end)

  it("goes by its client's name while it is open, and no two have the same", function()
    local id = open { tradeClientExtensions = { id = "t/1", tag = "x" } }
    assert.equal(id, get("trades/@t%2F1").trade.id)
    local _, answer = open { tradeClientExtensions = { id = "t/1" } }
    assert.equal("CLIENT_TRADE_ID_ALREADY_EXISTS", answer.errorCode)
    local other = open()
    rejected("CLIENT_TRADE_ID_ALREADY_EXISTS", "tradeClientExtensionsModify", 400,
      put("trades/" .. other .. "/clientExtensions", { clientExtensions = { id = "t/1" } }))
    rejected("CLIENT_EXTENSIONS_DATA_MISSING", "tradeClientExtensionsModify", 400,
      put("trades/" .. other .. "/clientExtensions", {}))
    rejected("CLIENT_TRADE_TAG_INVALID", "tradeClientExtensionsModify", 400,
      put("trades/" .. other .. "/clientExtensions", { clientExtensions = { tag = ("x"):rep(129) } }))
    rejected("TRADE_DOESNT_EXIST", "tradeClientExtensionsModify", 404,
      put("trades/999/clientExtensions", { clientExtensions = { id = "z" } }))
    put("trades/" .. other .. "/clientExtensions", { clientExtensions = { id = "t2" } })
    put("trades/@t2/close", {})
    assert.equal("t2", last().tradesClosed[1].clientTradeID)
    put("trades/@t%2F1/close", {})
    assert.equal(404, select(2, get "trades/@t%2F1").status)
    assert.is_string(open { tradeClientExtensions = { id = "t/1" } })
  end)

  it("cannot be opened by an order that waited too long for its name", function()
    open { type = "LIMIT", price = "1.07", tradeClientExtensions = { id = "one" } }
    open { tradeClientExtensions = { id = "one" } }
    move "1.06"
    assert.same({ "ORDER_CANCEL", "CLIENT_TRADE_ID_ALREADY_EXISTS" }, { last().type, last().reason })
  end)

  it("is listed, newest first", function()
    local a, b = open(), open { instrument = "AUD_USD", units = "5" }
    put("trades/" .. a .. "/close", {})
    local function ids(query)
      local out = {}
      for i, t in ipairs(get("trades" .. query).trades) do out[i] = t.id end
      return table.concat(out, " ")
    end
    assert.same({ b, b .. " " .. a, a, b, "", a }, { ids "", ids "?state=ALL", ids "?state=CLOSED",
      ids "?instrument=AUD_USD", ids "?state=CLOSE_WHEN_TRADEABLE", ids("?state=ALL&ids=" .. a) })
    local _, ex = get "trades?state=ALL&count=1"
    assert.matches("/trades%?beforeID=" .. a .. "&count=1&state=ALL>; rel=\"next\"$", ex.out.link)
  end)
end)

describe("what hangs on a trade of oanda", function()
  before_each(still)

  it("comes with its fill, in the same batch, and ends with it", function()
    local id, answer = open { takeProfitOnFill = { price = "1.09", clientExtensions = { id = "tp" } },
      stopLossOnFill = { distance = "0.01" }, trailingStopLossOnFill = { distance = "0.02", timeInForce = "GFD" },
      tradeClientExtensions = { id = "t" } }
    assert.equal("MARKET_ORDER ORDER_FILL TAKE_PROFIT_ORDER STOP_LOSS_ORDER TRAILING_STOP_LOSS_ORDER", kinds(3))
    assert.same({ "3", "4", "5", "6", "7" }, answer.relatedTransactionIDs)
    local sl = json.decode(sb.log.list[6].text)
    assert.same({ "3", "ON_FILL", "4", id, "t", "GTC", "1.07008", "0.01000" }, { sl.batchID, sl.reason,
      sl.orderFillTransactionID, sl.tradeID, sl.clientTradeID, sl.timeInForce, sl.price, sl.distance })
    local trade = get("trades/" .. id).trade
    assert.same({ "1.09000", "tp", "1.07008", "GFD" }, { trade.takeProfitOrder.price,
      trade.takeProfitOrder.clientExtensions.id, trade.stopLossOrder.price, trade.trailingStopLossOrder.timeInForce })
    move "1.0902"
    assert.equal("ORDER_FILL ORDER_CANCEL ORDER_CANCEL", kinds(8))
    local fill, cancel = json.decode(sb.log.list[8].text), last()
    assert.same({ "TAKE_PROFIT_ORDER", "tp", "5", (best()) }, { fill.reason, fill.clientOrderID, fill.orderID,
      fill.price })
    assert.same({ "LINKED_TRADE_CLOSED", "7", id, "8", "8" }, { cancel.reason, cancel.orderID, cancel.closedTradeID,
      cancel.tradeCloseTransactionID, cancel.batchID })
    assert.equal(0, #get("pendingOrders").orders)
    trade = get("trades/" .. id).trade -- which goes on showing what it ended with
    assert.same({ "CLOSED", "FILLED", "8", "CANCELLED", "9" }, { trade.state, trade.takeProfitOrder.state,
      trade.takeProfitOrder.fillingTransactionID, trade.stopLossOrder.state,
      trade.stopLossOrder.cancellingTransactionID })
    local closed = get("changes?sinceTransactionID=2").changes.tradesClosed[1]
    assert.same({ "5", "6", "7" }, { closed.takeProfitOrderID, closed.stopLossOrderID, closed.trailingStopLossOrderID })
  end)

  it("stops losses, long and short", function()
    local long = open { stopLossOnFill = { price = "1.07" } }
    move "1.0701"
    assert.equal("OPEN", get("trades/" .. long).trade.state)
    move "1.07" -- the bid is below, the ask above
    assert.same({ "CLOSED", "STOP_LOSS_ORDER" }, { get("trades/" .. long).trade.state, last().reason })
    local short = open { units = "-10000", stopLossOnFill = { price = "1.08" }, takeProfitOnFill = { price = "1.06" } }
    move "1.0799"
    assert.equal("OPEN", get("trades/" .. short).trade.state)
    move "1.08"
    assert.equal("CLOSED", get("trades/" .. short).trade.state)
  end)

  it("trails the best price", function()
    local id = open { trailingStopLossOnFill = { distance = "0.01" } }
    local function value() return get("trades/" .. id).trade.trailingStopLossOrder.trailingStopValue end
    assert.equal(decimal.format(decimal.sub(best(), "0.01"), 5), value())
    move "1.1"
    local top = decimal.format(decimal.sub(best(), "0.01"), 5)
    assert.equal(top, value())
    move "1.095"
    assert.equal(top, value())
    move "1.0898"
    assert.same({ "CLOSED", "TRAILING_STOP_LOSS_ORDER" }, { get("trades/" .. id).trade.state, last().reason })
  end)

  it("that would lose at once keeps its order from being filled", function()
    for reason, given in pairs { TAKE_PROFIT_ON_FILL_LOSS = { takeProfitOnFill = { price = "1.07" } },
      STOP_LOSS_ON_FILL_LOSS = { stopLossOnFill = { price = "1.09" } } } do
      local _, answer = open(given)
      assert.same({ reason, nil }, { answer.orderCancelTransaction.reason, answer.orderFillTransaction })
    end
    local _, answer = open { units = "-1", stopLossOnFill = { price = "1.07" } }
    assert.equal("STOP_LOSS_ON_FILL_LOSS", answer.orderCancelTransaction.reason)
  end)

  it("is set, replaced and cancelled by one request", function()
    local id = open()
    local answer, ex = put("trades/" .. id .. "/orders", { takeProfit = { price = "1.09" },
      stopLoss = { price = "1.07" }, trailingStopLoss = { distance = "0.02" } })
    assert.same({ 200, "1.09000", "1.07000", "0.02000", "CLIENT_ORDER" }, { ex.status,
      answer.takeProfitOrderTransaction.price, answer.stopLossOrderTransaction.price,
      answer.trailingStopLossOrderTransaction.distance, answer.stopLossOrderTransaction.reason })
    local n = #sb.log.list
    answer = put("trades/" .. id .. "/orders", { takeProfit = json.null, stopLoss = { price = "1.06" } })
    assert.equal("ORDER_CANCEL ORDER_CANCEL STOP_LOSS_ORDER", kinds(n + 1))
    assert.same({ "CLIENT_REQUEST", "CLIENT_REQUEST_REPLACED", "REPLACEMENT", answer.stopLossOrderTransaction.id },
      { answer.takeProfitOrderCancelTransaction.reason, answer.stopLossOrderCancelTransaction.reason,
        answer.stopLossOrderTransaction.reason, answer.stopLossOrderCancelTransaction.replacedByOrderID })
    local trade = get("trades/" .. id).trade
    assert.same({ nil, "1.06000", "0.02000" }, { trade.takeProfitOrder, trade.stopLossOrder.price,
      trade.trailingStopLossOrder.distance })
    answer = put("trades/" .. id .. "/orders", { stopLoss = { price = "1.2" } })
    assert.same({ "STOP_LOSS_ORDER", "CLOSED" }, { answer.stopLossOrderFillTransaction.reason,
      get("trades/" .. id).trade.state })
  end)

  it("is cancelled where there is one", function()
    local id = open()
    local n = #sb.log.list
    local answer, ex = put("trades/" .. id .. "/orders", { takeProfit = json.null, stopLoss = json.null })
    assert.same({ 200, n, 0 }, { ex.status, #sb.log.list, #answer.relatedTransactionIDs })
    answer = put("trades/" .. id .. "/orders", { takeProfit = json.null, stopLoss = { price = "1.07" } })
    assert.same({ nil, "1.07000" }, { answer.takeProfitOrderCancelTransaction, answer.stopLossOrderTransaction.price })
  end)

  it("stands at a distance from its trade, or from the price where it is an order of its own", function()
    local id = open()
    move "1.085"
    local ask = sb.market:best("EUR_USD").ask
    local function stop(given)
      given.type, given.tradeID, given.distance = "STOP_LOSS", id, "0.01"
      return given
    end
    local answer = fake.ask(sb, "POST", "orders", { order = stop {} })
    assert.same({ decimal.sub(ask, "0.01"), "0.01000" }, { decimal.format(answer.orderCreateTransaction.price),
      answer.orderCreateTransaction.distance })
    local trade = get("trades/" .. id).trade
    local tx = put("trades/" .. id .. "/orders", { stopLoss = { distance = "0.02" } }).stopLossOrderTransaction
    assert.equal(decimal.sub(decimal.format(trade.price), "0.02"), decimal.format(tx.price))
    move "1.05"
    assert.same({ "CLOSED", "STOP_LOSS_ORDER" }, { get("trades/" .. id).trade.state, last().reason })
  end)

  it("keeps what is not said when it is replaced", function()
    local id = open()
    local function set(body) return put("trades/" .. id .. "/orders", body) end
    set { takeProfit = { price = "1.09", timeInForce = "GTD", gtdTime = "2027-01-01T00:00:00Z",
      clientExtensions = { id = "tp", tag = "mine" } }, stopLoss = { distance = "0.01" } }
    local tx = set({ takeProfit = { price = "1.095" } }).takeProfitOrderTransaction
    assert.same({ "1.09500", "GTD", "2027-01-01T00:00:00.000000000Z", "tp", "mine" }, { tx.price, tx.timeInForce,
      tx.gtdTime, tx.clientExtensions.id, tx.clientExtensions.tag })
    tx = set({ takeProfit = { timeInForce = "GTC", clientExtensions = { id = "other" } } }).takeProfitOrderTransaction
    assert.same({ "1.09500", "GTC", nil, "other", nil }, { tx.price, tx.timeInForce, tx.gtdTime,
      tx.clientExtensions.id, tx.clientExtensions.tag })
    tx = set({ stopLoss = { timeInForce = "GFD" } }).stopLossOrderTransaction
    assert.same({ "0.01000", "GFD" }, { tx.distance, tx.timeInForce })
    tx = set({ stopLoss = { price = "1.06" } }).stopLossOrderTransaction
    assert.same({ "1.06000", nil, "GFD" }, { tx.price, tx.distance, tx.timeInForce })
  end)

  it("is refused with a transaction of its own name", function()
    local id = open()
    local function set(body) return put("trades/" .. id .. "/orders", body) end
    rejected("PRICE_PRECISION_EXCEEDED", "takeProfitOrder", 400, set { takeProfit = { price = "1.090001" } })
    rejected("STOP_LOSS_ORDER_PRICE_AND_DISTANCE_BOTH_SPECIFIED", "stopLossOrder", 400,
      set { stopLoss = { price = "1.07", distance = "0.01" } })
    rejected("STOP_LOSS_ORDER_PRICE_AND_DISTANCE_BOTH_MISSING", "stopLossOrder", 400, set { stopLoss = {} })
    rejected("STOP_LOSS_ORDER_GUARANTEED_NOT_ALLOWED", "stopLossOrder", 400,
      set { stopLoss = { price = "1.07", guaranteed = true } })
    for code, distance in pairs { PRICE_DISTANCE_INVALID = "0", PRICE_DISTANCE_PRECISION_EXCEEDED = "0.010001",
      PRICE_DISTANCE_MINIMUM_NOT_MET = "0.0004", PRICE_DISTANCE_MAXIMUM_EXCEEDED = "1.1" } do
      rejected(code, "trailingStopLossOrder", 400, set { trailingStopLoss = { distance = distance } })
    end
    rejected("PRICE_DISTANCE_MISSING", "trailingStopLossOrder", 400, set { trailingStopLoss = {} })
    rejected("TRADE_DOESNT_EXIST", "takeProfitOrderCancel", 400, put("trades/999/orders", { takeProfit = json.null }))
    rejected("TRADE_DOESNT_EXIST", "stopLossOrder", 400, put("trades/999/orders", { stopLoss = { price = "1" } }))
    assert.equal("Invalid value specified for 'stopLoss.price'", set({ stopLoss = { price = "low" } }).errorMessage)
    assert.equal("The request was missing required data", set({}).errorMessage)
    assert.equal(0, #sb.pending)
  end)

  it("may be made as an order, once of each kind", function()
    local id = open { tradeClientExtensions = { id = "c" } }
    local other = open()
    local function make(given)
      return fake.ask(sb, "POST", "orders", { order = given })
    end
    for _, kind in ipairs { "TAKE_PROFIT", "STOP_LOSS", "TRAILING_STOP_LOSS" } do
      local given = { type = kind, tradeID = id, price = kind == "STOP_LOSS" and "1.07" or "1.09", distance =
        kind == "TRAILING_STOP_LOSS" and "0.02" or nil }
      local answer, ex = make(given)
      assert.same({ 201, kind .. "_ORDER", id }, { ex.status, answer.orderCreateTransaction.type,
        answer.orderCreateTransaction.tradeID })
      rejected(kind .. "_ORDER_ALREADY_EXISTS", "order", 400, make(given))
    end
    rejected("TRADE_DOESNT_EXIST", "order", 404, make { type = "STOP_LOSS", tradeID = "999", price = "1.07" })
    rejected("TRADE_IDENTIFIER_INCONSISTENCY", "order", 400,
      make { type = "STOP_LOSS", tradeID = other, clientTradeID = "c", price = "1.07" })
    local sl = get("trades/" .. id).trade.stopLossOrder.id
    rejected("REPLACING_TRADE_ID_INVALID", "order", 400,
      put("orders/" .. sl, { order = { type = "STOP_LOSS", tradeID = other, price = "1.07" } }))
    local answer = put("orders/" .. sl, { order = { type = "STOP_LOSS", clientTradeID = "c", price = "1.05" } })
    assert.same({ "REPLACEMENT", sl }, { answer.orderCreateTransaction.reason,
      answer.orderCreateTransaction.replacesOrderID })
    assert.equal(answer.orderCreateTransaction.id, get("trades/" .. id).trade.stopLossOrder.id)
  end)
end)

describe("a position of oanda", function()
  before_each(still)

  it("is known from its first trade on, also when it is flat", function()
    local answer, ex = get "positions/EUR_USD"
    assert.same({ 404, "NO_SUCH_POSITION", "2" }, { ex.status, answer.errorCode, answer.lastTransactionID })
    assert.equal("Invalid value specified for 'instrument'", get("positions/EURUSD").errorMessage)
    local a = open()
    move "1.09"
    local b = open { units = "30000" }
    local p = get("positions/EUR_USD").position
    local average = decimal.div(decimal.add(decimal.mul("1.08008", "10000"), decimal.mul(select(2, best()), "30000")),
      "40000")
    assert.same({ "40000", decimal.format(average, 5), a .. " " .. b, "0" }, { p.long.units, p.long.averagePrice,
      table.concat(p.long.tradeIDs, " "), p.short.units })
    assert.equal(p.unrealizedPL, p.long.unrealizedPL)
    open { units = "-40000" }
    p = get("positions/EUR_USD").position
    assert.same({ "0", nil, nil, nil, get("summary").account.pl }, { p.long.units, p.long.averagePrice, p.long.tradeIDs,
      p.marginUsed, p.pl })
    assert.same({ 1, 0 }, { #get("positions").positions, #get("openPositions").positions })
  end)

  it("is closed by its side", function()
    open()
    open { units = "5000" }
    local answer, ex = put("positions/EUR_USD/close", { longUnits = "12000" })
    local made, fill = answer.longOrderCreateTransaction, answer.longOrderFillTransaction
    assert.same({ 200, "POSITION_CLOSEOUT", "EUR_USD", "12000", "-12000", "MARKET_ORDER_POSITION_CLOSEOUT", 1,
      "-2000" }, { ex.status, made.reason, made.longPositionCloseout.instrument, made.longPositionCloseout.units,
        made.units, fill.reason, #fill.tradesClosed, fill.tradeReduced.units })
    assert.matches("/orders/" .. made.id .. "$", ex.out.location)
    answer = put("positions/EUR_USD/close", { longUnits = "ALL", shortUnits = "NONE",
      longClientExtensions = { id = "bye" } })
    assert.same({ "ALL", "bye" }, { answer.longOrderCreateTransaction.longPositionCloseout.units,
      answer.longOrderFillTransaction.clientOrderID })
    open { units = "-7" }
    local only_long = { longUnits = "NONE" }
    assert.equal("CLOSEOUT_POSITION_INCOMPLETE_SPECIFICATION", put("positions/EUR_USD/close", only_long).errorCode)
    rejected("CLOSEOUT_POSITION_DOESNT_EXIST", "longOrder", 400, put("positions/EUR_USD/close", { longUnits = "ALL" }))
    assert.equal("7", put("positions/EUR_USD/close").shortOrderFillTransaction.units)
  end)

  it("is not closed where nothing is held, or more than is", function()
    rejected("CLOSEOUT_POSITION_DOESNT_EXIST", "longOrder", 404, put("positions/EUR_USD/close", { longUnits = "ALL" }))
    local answer, ex = put("positions/EUR_USD/close", {})
    assert.same({ 400, "CLOSEOUT_POSITION_INCOMPLETE_SPECIFICATION" }, { ex.status, answer.errorCode })
    open()
    local wrong
    wrong, ex = put("positions/EUR_USD/close", { longUnits = "ALL", shortUnits = "ALL" })
    rejected("CLOSEOUT_POSITION_DOESNT_EXIST", "shortOrder", 400, wrong, ex)
    assert.matches('"type":"MARKET_ORDER_REJECT","timeInForce":"FOK","positionFill":"REDUCE_ONLY",'
      .. '"shortPositionCloseout":{"instrument":"EUR_USD","units":"ALL"},"reason":"POSITION_CLOSEOUT"',
      (ex.answer:gsub('"instrument":"EUR_USD","timeInForce"', '"timeInForce"')), 1, true)
    rejected("CLOSEOUT_POSITION_UNITS_EXCEED_POSITION_SIZE", "longOrder", 400,
      put("positions/EUR_USD/close", { longUnits = "10001" }))
    rejected("UNITS_PRECISION_EXCEEDED", "longOrder", 400, put("positions/EUR_USD/close", { longUnits = "1.5" }))
    rejected("CLIENT_ORDER_ID_INVALID", "longOrder", 400,
      put("positions/EUR_USD/close", { longUnits = "ALL", longClientExtensions = { id = ("x"):rep(129) } }))
    assert.equal("Invalid value specified for 'longUnits'",
      put("positions/EUR_USD/close", { longUnits = "most" }).errorMessage)
    assert.equal("10000", get("positions/EUR_USD").position.long.units)
  end)
end)

describe("an oanda account", function()
  before_each(still)

  it("adds up", function()
    open { units = "100000" }
    open { type = "LIMIT", price = "1.07" }
    open { instrument = "USD_JPY", units = "-50000" }
    move "1.09"
    local a = get("").account
    local pl = "0"
    for _, t in ipairs(a.trades) do pl = decimal.add(pl, t.unrealizedPL) end
    assert.same({ 2, 2, 1, 1 }, { a.openTradeCount, a.openPositionCount, a.pendingOrderCount, #a.orders })
    assert.equal(decimal.format(pl, 4), a.unrealizedPL)
    assert.equal(decimal.format(decimal.add(a.balance, pl), 4), a.NAV)
    local used = decimal.add(decimal.mul(decimal.mul("100000", "1.09"), "0.02"), "1000")
    assert.equal(decimal.format(used, 4), a.marginUsed)
    assert.equal(decimal.format(decimal.sub(a.NAV, used), 4), a.marginAvailable)
    assert.equal(decimal.format(decimal.div(used, a.marginCloseoutNAV, 5), 5), a.marginCallPercent)
    assert.equal(decimal.format(decimal.div(decimal.div(used, a.marginCloseoutNAV, 5), "2", 5), 5),
      a.marginCloseoutPercent)
    local s = get("summary").account
    assert.same({ a.NAV, nil, nil }, { s.NAV, s.trades, s.orders })
    assert.equal("0", s.resettablePLTime)
  end)

  it("tells how many units it could trade", function()
    open { units = "1000000" }
    local p = get("pricing?instruments=EUR_USD&includeUnitsAvailable=true").prices[1].unitsAvailable
    assert.same({ "0", "1000000" }, { p.reduceOnly.long, p.reduceOnly.short })
    assert.equal(decimal.add(p.openOnly.long, "2000000"), p.default.short)
    assert.is_nil(select(2, open { units = p.default.long }).orderCancelTransaction)
    assert.equal("INSUFFICIENT_MARGIN", select(2, open { units = "1000" }).orderCancelTransaction.reason)
  end)

  it("tells what has changed since a transaction, and its state as a whole", function()
    local since = sb.log:last()
    local a = open { takeProfitOnFill = { price = "1.2" } }
    open { units = "-4000" }
    put("trades/" .. a .. "/close", {})
    local _, limit = open { type = "LIMIT", price = "1.07" }
    open { units = "5" }
    local answer = get("changes?sinceTransactionID=" .. since)
    local c, state = answer.changes, answer.state
    assert.same({ 6, 4, 1, 0, 2, 1, 1, 1 }, { #c.ordersCreated, #c.ordersFilled, #c.ordersCancelled, #c.ordersTriggered,
      #c.tradesOpened, #c.tradesReduced, #c.tradesClosed, #c.positions })
    assert.equal(#sb.log.list - 2, #c.transactions)
    assert.same({ a, "CLOSED" }, { c.tradesClosed[1].id, c.tradesClosed[1].state })
    assert.same({ limit.orderCreateTransaction.id, "0.01008", 1, "EUR_USD" }, { state.orders[1].id,
      state.orders[1].triggerDistance, #state.trades, state.positions[1].instrument })
    assert.equal(get("summary").account.NAV, state.NAV)
    local _, ex = get("changes?sinceTransactionID=" .. sb.log:last())
    assert.matches('^{"changes":{"ordersCreated":%[%],"ordersCancelled":%[%],"ordersFilled":%[%],'
      .. '"ordersTriggered":%[%],"tradesOpened":%[%],"tradesReduced":%[%],"tradesClosed":%[%],"positions":%[%],'
      .. '"transactions":%[%]},"state":{',
      ex.answer)
    assert.equal(416, select(2, get("changes?sinceTransactionID=" .. #sb.log.list + 1)).status)
    while #sb.log.list <= 1000 do
      sb.log:begin(sb:now())
      sb.log:add "MARGIN_CALL_ENTER"
    end
    assert.equal(416, select(2, get "changes?sinceTransactionID=0").status)
    assert.equal("Missing 'sinceTransactionID' parameter", get("changes").errorMessage)
    assert.equal(400, select(2, get "changes?sinceTransactionID=x").status)
  end)

  it("is configured by its owner", function()
    local function configure(body) return fake.ask(sb, "PATCH", "configuration", body) end
    local answer, ex = configure { alias = "Second", marginRate = "0.05" }
    assert.same({ 200, "Second", "0.05" }, { ex.status, answer.clientConfigureTransaction.alias,
      answer.clientConfigureTransaction.marginRate })
    assert.same({ "Second", "0.05" }, { get("summary").account.alias, get("summary").account.marginRate })
    open { units = "1000000" }
    assert.equal("54000.0000", get("summary").account.marginUsed)
    for code, body in pairs { CLIENT_CONFIGURE_DATA_MISSING = {}, ALIAS_INVALID = { alias = "" },
      MARGIN_RATE_INVALID = { marginRate = "0" }, MARGIN_RATE_WOULD_TRIGGER_MARGIN_CALL = { marginRate = "0.1" },
      MARGIN_RATE_WOULD_TRIGGER_CLOSEOUT = { marginRate = "0.2" } } do
      answer, ex = configure(body)
      assert.same({ 400, code, code, sb.log:last() }, { ex.status, answer.errorCode,
        answer.clientConfigureRejectTransaction.rejectReason, answer.lastTransactionID })
    end
    assert.equal("0.05", get("summary").account.marginRate)
  end)

  it("is called for margin, and closed out when half of it is gone", function()
    open { units = "4000000" } -- 86400 of 100000
    open { instrument = "USD_JPY", units = "10000" }
    local n = #sb.log.list
    move "1.07"
    assert.equal("MARGIN_CALL_ENTER", kinds(n + 1))
    assert.is_string(get("summary").account.marginCallEnterTime)
    local jpy = get("openTrades").trades[1].id
    assert.is_table(put("trades/" .. jpy .. "/close", { units = "1" }).orderFillTransaction) -- reducing is free
    n = n + 2
    move "1.08"
    assert.matches("MARGIN_CALL_EXIT$", kinds(n + 1))
    assert.is_nil(get("summary").account.marginCallEnterTime)
    n = #sb.log.list
    move "1.06"
    assert.equal("MARGIN_CALL_ENTER MARKET_ORDER ORDER_FILL MARKET_ORDER ORDER_FILL", kinds(n + 1))
    local made, fill = json.decode(sb.log.list[n + 2].text), json.decode(sb.log.list[n + 3].text)
    assert.same({ "MARGIN_CLOSEOUT", "MARGIN_CHECK_VIOLATION", "MARKET_ORDER_MARGIN_CLOSEOUT", made.id }, { made.reason,
      made.marginCloseout.reason, fill.reason, fill.batchID })
    assert.equal(0, get("summary").account.openTradeCount)
  end)

  it("pays for holding trades over the end of a day, three times on a Wednesday", function()
    local long = open { units = "1000000" }
    open { instrument = "AUD_USD", units = "-1" }
    local n = #sb.log.list
    fake.jump(sb, 22 * 3600 - 1) -- 17:00 in New York
    assert.equal(n, #sb.log.list)
    fake.jump(sb, 1)
    local cost = "-31.0685" -- 1080000 times 1.05 percent of a 365th
    local tx = last()
    assert.same({ "DAILY_FINANCING", "DAILY", 2, long, cost }, { tx.type, tx.accountFinancingMode,
      #tx.positionFinancings, tx.positionFinancings[1].openTradeFinancings[1].tradeID,
      tx.positionFinancings[1].financing })
    assert.equal(tx.accountBalance, decimal.format(decimal.add("100000", tx.financing), 4))
    assert.same({ cost, tx.financing }, { get("trades/" .. long).trade.financing, get("summary").account.financing })
    fake.jump(sb, 2 * 24 * 3600)
    assert.equal(decimal.format(decimal.mul(cost, "5"), 1),
      decimal.format(get("positions/EUR_USD").position.financing, 1))
    sb.assume.financing = false
    n = #sb.log.list
    fake.jump(sb, 24 * 3600)
    assert.equal(n, #sb.log.list)
  end)

  it("rests at weekends when the assumption says so", function()
    sb = fake.venue { fx_week = true, financing = false }
    for _, def in ipairs(sb.symbols) do sb.market:quote(def.symbol, { volatility = "0", trade_ms = 0 }) end
    local _, answer = open { type = "LIMIT", price = "1.0" }
    local id = answer.orderCreateTransaction.id
    local function halted() return select(2, open { units = "1" }).orderCancelTransaction ~= nil end
    assert.is_false(halted())
    for _, def in ipairs(sb.symbols) do sb.market:freeze(def.symbol, true) end -- spares the steps of five days
    fake.jump(sb, 118 * 3600 - 1) -- Friday, 17:00 in New York
    assert.is_false(halted())
    fake.jump(sb, 1)
    assert.is_true(halted())
    assert.equal("non-tradeable", get("pricing?instruments=EUR_USD").prices[1].status)
    move "0.9"
    assert.equal("PENDING", get("orders/" .. id).order.state)
    fake.jump(sb, 48 * 3600)
    assert.equal("FILLED", get("orders/" .. id).order.state)
    assert.is_false(halted())
  end)
end)

describe("the sandbox of oanda, as scenarios hold it,", function()
  it("shows orders, halts and resumes", function()
    local box = smc.sandbox "oanda"
    local headers = { Authorization = "Bearer " .. box.token }
    local function post(order)
      return assert(smc.http.post(box.url .. "/v3/accounts/" .. box.account .. "/orders",
        json.encode { order = order }, { headers = headers }))
    end
    post { type = "MARKET", instrument = "EUR_USD", units = "7", clientExtensions = { id = "a" },
      stopLossOnFill = { price = "1" } }
    post { type = "LIMIT", instrument = "USD_JPY", units = "-5", price = "200" }
    local all = box:orders()
    assert.same({ 3, { id = "3", client_id = "a", symbol = "EUR/USD", type = "market", side = "buy", price = "0",
      qty = "7", filled = "7", status = "filled", time_in_force = "fok" } }, { #all, all[1] })
    assert.same({ 2, 1, 1, 2 }, { #box:orders { status = "open" }, #box:orders { client_id = "a" },
      #box:orders { symbol = "USD/JPY" }, #box:orders { side = "sell" } })
    box:halt "EUR/USD"
    assert.matches("MARKET_HALTED", post({ type = "MARKET", instrument = "EUR_USD", units = "1" }).body)
    box:resume "EUR/USD"
    assert.matches('"ORDER_FILL"', post({ type = "MARKET", instrument = "EUR_USD", units = "1" }).body)
    box:limit { requests = 0, per = 1 }
    assert.equal(429, post({}).status)
  end)

  it("resets connections beyond a limit, when the assumption says so", function()
    local box = smc.sandbox("oanda", { assume = { connections_per_second = 1 } })
    local headers = { Authorization = "Bearer " .. box.token }
    local function ask() return smc.http.get(box.url .. "/v3/accounts", { headers = headers }) end
    assert.equal(200, assert(ask()).status)
    headers.Connection = "close" -- the connection that is there may go on
    assert.is_true(assert(ask()).reused)
    assert.equal("network", select(2, ask()).class)
    smc.sleep(1)
    assert.equal(200, assert(ask()).status)
  end)
end)
