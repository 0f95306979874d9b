-- Orders of the oanda sandbox: what a fill says, what fires when, how an order ends, and every reason to reject one.
local decimal = require "smc.decimal"
local fake = require "oanda_fake"
local json = require "smc.json"

local sb

local function get(target) return fake.get(sb, target) end

--- Sends an order; the rest of `given` over a market order of 10000 EUR.
local function order(given)
  local o = { type = "MARKET", instrument = "EUR_USD", units = "10000" }
  for name, value in pairs(given or {}) do o[name] = value ~= "nil" and value or nil end
  return fake.ask(sb, "POST", "orders", { order = o })
end

local function pending(given)
  given.type = given.type or "LIMIT"
  local answer, ex = order(given)
  assert.equal(201, ex.status, ex.answer)
  return answer.orderCreateTransaction.id, answer
end

local function move(to, symbol)
  sb.market:move(symbol or "EUR_USD", { to = to })
  sb:settle()
end

--- Prices stand still, so that they can be told beforehand.
local function still()
  sb = fake.venue()
  for _, def in ipairs(sb.symbols) do sb.market:freeze(def.symbol, true) end
end

local function best(symbol)
  local b = sb.market:best(symbol or "EUR_USD")
  return b.bid, b.ask
end

local function last(n)
  local list = {}
  for i = #sb.log.list - (n or 1) + 1, #sb.log.list do list[#list + 1] = json.decode(sb.log.list[i].text) end
  return table.unpack(list)
end

local function kinds(from)
  local out = {}
  for n = from, #sb.log.list do out[#out + 1] = sb.log.list[n].type end
  return table.concat(out, " ")
end

local function names(raw)
  local out = {}
  for name in raw:gmatch '"(%w+)":' do out[#out + 1] = name end
  return table.concat(out, " ")
end

describe("a market order of oanda", function()
  before_each(still)

  it("is filled at once, and says all about it", function()
    local _, ask = best()
    local answer, ex = order { clientExtensions = { id = "k-17", tag = "t" } }
    assert.equal(201, ex.status)
    assert.equal(("http://127.0.0.1:8080/v3/accounts/%s/orders/3"):format(sb.account_id), ex.out.location)
    assert.matches('^{"orderCreateTransaction":{"id":"3",.*"orderFillTransaction":{"id":"4",'
      .. '.*"relatedTransactionIDs":%["3","4"%],"lastTransactionID":"4"}$', ex.answer)
    local made, fill = answer.orderCreateTransaction, answer.orderFillTransaction
    local base = "id accountID userID batchID requestID time type "
    assert.equal(base .. "instrument units timeInForce positionFill clientExtensions id tag reason",
      names(sb.log.list[3].text))
    local buckets = " price liquidity price liquidity price liquidity "
    assert.equal(base .. "orderID clientOrderID instrument units requestedUnits price pl quotePL financing "
      .. "baseFinancing commission accountBalance gainQuoteHomeConversionFactor lossQuoteHomeConversionFactor "
      .. "guaranteedExecutionFee quoteGuaranteedExecutionFee halfSpreadCost fullVWAP reason tradeOpened price tradeID "
      .. "units guaranteedExecutionFee quoteGuaranteedExecutionFee halfSpreadCost initialMarginRequired fullPrice "
      .. "closeoutBid closeoutAsk timestamp bids" .. buckets .. "asks" .. buckets .. "homeConversionFactors "
      .. "gainQuoteHome factor lossQuoteHome factor gainBaseHome factor lossBaseHome factor",
      names(sb.log.list[4].text))
    assert.same({ "MARKET_ORDER", "FOK", "DEFAULT", "CLIENT_ORDER", "10000" }, { made.type, made.timeInForce,
      made.positionFill, made.reason, made.units })
    assert.same({ "3", "k-17", ask, "MARKET_ORDER", "100000.0000", "0.0000" }, { fill.orderID, fill.clientOrderID,
      fill.price, fill.reason, fill.accountBalance, fill.pl })
    assert.same({ "3", "3", made.requestID, made.time }, { made.batchID, fill.batchID, fill.requestID, fill.time })
    assert.equal(ex.out.requestid, made.requestID)
    assert.same({ "4", "10000", "216.0000" }, { fill.tradeOpened.tradeID, fill.tradeOpened.units,
      fill.tradeOpened.initialMarginRequired }) -- 10000 at a mid of 1.08, 2 percent
    assert.equal("string", type(fill.fullPrice.bids[1].liquidity))
    assert.equal("0.8000", fill.halfSpreadCost) -- 10000 times half of 0.00016
    local shown = get("orders/3").order
    assert.same({ "FILLED", "4", "4", "MARKET" }, { shown.state, shown.fillingTransactionID, shown.tradeOpenedID,
      shown.type })
  end)

  it("takes units as a number, and as text with a plus", function()
    assert.equal("100", order({ units = 100 }).orderFillTransaction.units)
    assert.equal("-100", order({ units = -100 }).orderFillTransaction.units)
    assert.equal("100", order({ units = "+100.0" }).orderFillTransaction.units)
  end)

  it("walks the book, and pays the average", function()
    local rows = sb.market:book("EUR_USD", 2).asks
    local units = decimal.add(rows[1][2], "1000000")
    sb.balance = "10000000"
    local fill = order({ units = units }).orderFillTransaction
    local cost = decimal.add(decimal.mul(rows[1][1], rows[1][2]), decimal.mul(rows[2][1], "1000000"))
    assert.equal(decimal.format(decimal.div(cost, units), 5), fill.price)
  end)

  it("is cancelled when the book has not enough, or not within its bound", function()
    sb.balance = "100000000"
    local _, ask = best()
    local function ended(given)
      local answer, ex = order(given)
      assert.same({ 201, nil }, { ex.status, answer.orderFillTransaction })
      assert.same({ answer.orderCreateTransaction.id, answer.orderCreateTransaction.batchID },
        { answer.orderCancelTransaction.orderID, answer.orderCancelTransaction.batchID })
      return answer.orderCancelTransaction.reason
    end
    assert.equal("INSUFFICIENT_LIQUIDITY", ended { units = "90000000" })
    assert.equal("BOUNDS_VIOLATION", ended { priceBound = decimal.sub(ask, "0.00001") })
    assert.equal("BOUNDS_VIOLATION", ended { units = "-1", priceBound = ask })
    assert.equal("BOUNDS_VIOLATION", ended { units = "20000000", priceBound = ask })
    assert.equal(ask, order({ priceBound = ask }).orderFillTransaction.price)
    assert.equal("BOUNDS_VIOLATION", ended { priceBound = decimal.sub(ask, "0.00001"), timeInForce = "IOC" })
    local part = order({ units = "90000000", timeInForce = "IOC" }).orderFillTransaction
    assert.is_true(decimal.lt(part.units, part.requestedUnits))
    assert.same({ "90000000", part.units }, { part.requestedUnits, part.tradeOpened.units })
  end)

  it("is cancelled for want of margin, unless it reduces", function()
    assert.equal("INSUFFICIENT_MARGIN", order({ units = "4700000" }).orderCancelTransaction.reason)
    assert.is_table(order({ units = "4600000" }).orderFillTransaction) -- 99360 of 100000
    assert.equal("INSUFFICIENT_MARGIN", order({ units = "100000" }).orderCancelTransaction.reason)
    assert.is_table(order({ units = "-4500000" }).orderFillTransaction)
    assert.equal("100000", get("openPositions").positions[1].long.units)
  end)

  it("is cancelled while the instrument is halted, and others are not", function()
    local eur = sb.by_symbol.EUR_USD
    sb:halt(eur, true)
    assert.equal("MARKET_HALTED", order().orderCancelTransaction.reason)
    assert.is_table(order({ instrument = "USD_JPY" }).orderFillTransaction)
    local price = get("pricing?instruments=EUR_USD").prices[1]
    assert.same({ false, "non-tradeable" }, { price.tradeable, price.status })
    local id = pending { price = "1.09" } -- would be filled at once
    assert.equal("PENDING", get("orders/" .. id).order.state)
    sb:halt(eur, false)
    assert.equal("FILLED", get("orders/" .. id).order.state)
  end)

  it("with the same client id twice is filled twice", function()
    local given = { clientExtensions = { id = "again" } }
    assert.is_table(order(given).orderFillTransaction)
    assert.is_table(order(given).orderFillTransaction)
  end)

  it("reduces, opens or turns around as its position fill says", function()
    order { units = "100" }
    order { units = "50" }
    local flip = order({ units = "-170" }).orderFillTransaction
    assert.same({ 2, "4", "-100", "6", "-50", "-20" }, { #flip.tradesClosed, flip.tradesClosed[1].tradeID,
      flip.tradesClosed[1].units, flip.tradesClosed[2].tradeID, flip.tradesClosed[2].units, flip.tradeOpened.units })
    assert.equal(flip.id, flip.tradeOpened.tradeID)
    local less = order({ units = "5" }).orderFillTransaction
    assert.same({ flip.id, "5", nil, nil }, { less.tradeReduced.tradeID, less.tradeReduced.units, less.tradesClosed,
      less.tradeOpened })
    local cut = order({ units = "1000", positionFill = "REDUCE_ONLY" }).orderFillTransaction
    assert.same({ "15", "1000", nil }, { cut.units, cut.requestedUnits, cut.tradeOpened })
    assert.equal("POSITION_CLOSEOUT_FAILED",
      order({ units = "10", positionFill = "REDUCE_ONLY" }).orderCancelTransaction.reason)
    order { units = "10", positionFill = "OPEN_ONLY" }
    assert.equal("FIFO_VIOLATION",
      order({ units = "-10", positionFill = "OPEN_ONLY" }).orderCancelTransaction.reason)
    assert.equal("10", get("positions/EUR_USD").position.long.units)
  end)

  it("makes a profit at home, converted against its owner", function()
    order { instrument = "USD_JPY", units = "10000" }
    local entry = select(2, best "USD_JPY")
    move("151", "USD_JPY")
    local bid, mid = best "USD_JPY", sb.market:mid "USD_JPY"
    local fill = order({ instrument = "USD_JPY", units = "-10000" }).orderFillTransaction
    local quote = decimal.mul(decimal.sub(bid, entry), "10000")
    local pl = decimal.mul(quote, decimal.mul(decimal.div("1", mid, 12), "0.995", 12), 12)
    assert.same({ decimal.format(quote), decimal.format(pl, 4) }, { fill.quotePL, fill.pl })
    assert.equal(decimal.format(decimal.add("100000", fill.pl), 4), fill.accountBalance)
    assert.equal(fill.pl, fill.tradesClosed[1].realizedPL)
    order { instrument = "USD_JPY", units = "-10000" }
    entry = best "USD_JPY"
    move("152", "USD_JPY")
    fill = order({ instrument = "USD_JPY", units = "10000" }).orderFillTransaction
    local loss = decimal.mul(decimal.sub(entry, select(2, best "USD_JPY")), "10000")
    pl = decimal.mul(loss, decimal.mul(decimal.div("1", sb.market:mid "USD_JPY", 12), "1.005", 12), 12)
    assert.same({ decimal.format(loss), decimal.format(pl, 4) }, { fill.quotePL, fill.pl })
  end)

  it("costs commission when the assumption says so", function()
    sb = fake.venue { commission_bps = 10 }
    local fill = order().orderFillTransaction
    local commission = decimal.mul(decimal.mul(fill.price, "10000"), "0.001")
    assert.same({ decimal.format(commission, 4), decimal.format(decimal.sub("100000", commission), 4) },
      { fill.commission, fill.accountBalance })
    assert.equal(fill.commission, get("summary").account.commission)
  end)
end)

describe("a pending order of oanda", function()
  before_each(still)

  it("waits for its price: each type, each side", function()
    local ids = {
      pending { price = "1.07" }, pending { price = "1.09", units = "-10000" },
      pending { type = "STOP", price = "1.09" }, pending { type = "STOP", price = "1.07", units = "-10000" },
      pending { type = "MARKET_IF_TOUCHED", price = "1.07" }, (pending { type = "MARKET_IF_TOUCHED", price = "1.09" }),
    }
    assert.equal("1.08008", get("orders/" .. ids[5]).order.initialMarketPrice)
    local function states()
      local out = {}
      for i, id in ipairs(ids) do out[i] = get("orders/" .. id).order.state:sub(1, 1) end
      return table.concat(out)
    end
    assert.equal("PPPPPP", states())
    move "1.0701"
    assert.equal("PPPPPP", states())
    move "1.0699"
    assert.equal("FPPFFP", states())
    move "1.0902"
    assert.equal("FFFFFF", states())
  end)

  it("is a limit at its own price or better, and a stop at whatever the market gives", function()
    pending { price = "1.07" }
    pending { type = "STOP", price = "1.09", units = "1" }
    move "1.06"
    assert.equal(select(2, best()), last().price)
    assert.equal("LIMIT_ORDER", last().reason)
    move "1.10"
    assert.equal(select(2, best()), last().price)
    assert.equal("STOP_ORDER", last().reason)
    pending { type = "STOP", price = "1.11", priceBound = "1.111", units = "1" }
    move "1.12"
    assert.same({ "ORDER_CANCEL", "BOUNDS_VIOLATION" }, { last().type, last().reason })
  end)

  it("may watch another price", function()
    local bid, ask = best() -- 1.07992, 1.08008
    assert.same({ "1.07992", "1.08008" }, { bid, ask })
    for condition, at in pairs { BID = "1.07992", ASK = "1.08008", MID = "1.08", INVERSE = "1.07992",
      DEFAULT = "1.08008" } do
      local beyond = decimal.add(at, "0.00001")
      local id = pending { type = "STOP", price = beyond, triggerCondition = condition, units = "1" }
      assert.equal("PENDING", get("orders/" .. id).order.state, condition)
      id = pending { type = "STOP", price = at, triggerCondition = condition, units = "1" }
      assert.equal("FILLED", get("orders/" .. id).order.state, condition)
    end
    local id = pending { price = bid, triggerCondition = "INVERSE", units = "1" } -- the ask is beyond its price
    assert.same({ "CANCELLED", "BOUNDS_VIOLATION" }, { get("orders/" .. id).order.state, last().reason })
  end)

  it("whose price is there already is filled in the answer", function()
    local answer, ex = order { type = "LIMIT", price = "1.1" }
    assert.same({ 201, "LIMIT_ORDER", select(2, best()) }, { ex.status, answer.orderFillTransaction.reason,
      answer.orderFillTransaction.price })
  end)

  it("that fires on the way is filled then, not when somebody looks", function()
    local function run(looks)
      sb = fake.venue()
      local ask = select(2, best())
      pending { type = "STOP", price = decimal.add(ask, "0.00005"), trailingStopLossOnFill = { distance = "0.0005" } }
      for _ = 1, looks do fake.jump(sb, 600 // looks) end
      local out = {}
      for n, tx in ipairs(sb.log.list) do
        local t = json.decode(tx.text)
        out[n] = { t.type, t.time, t.price or false, t.batchID }
      end
      return out
    end
    local often, once = run(600), run(1)
    assert.same(often, once)
    assert.equal("CREATE TRANSFER_FUNDS STOP_ORDER ORDER_FILL TRAILING_STOP_LOSS_ORDER ORDER_FILL", kinds(1))
  end)

  it("ends when its time is over", function()
    local id = pending { price = "1.07", timeInForce = "GTD", gtdTime = "2026-01-05T00:00:10.5Z" }
    local day = pending { price = "1.07", timeInForce = "GFD" }
    assert.equal("2026-01-05T00:00:10.500000000Z", get("orders/" .. id).order.gtdTime)
    fake.jump(sb, 60)
    local cancel = last()
    assert.same({ "ORDER_CANCEL", "TIME_IN_FORCE_EXPIRED", id, "2026-01-05T00:00:10.500000000Z" }, { cancel.type,
      cancel.reason, cancel.orderID, cancel.time })
    assert.same({ "CANCELLED", cancel.id }, { get("orders/" .. id).order.state,
      get("orders/" .. id).order.cancellingTransactionID })
    fake.jump(sb, 22 * 3600 - 61)
    assert.equal("PENDING", get("orders/" .. day).order.state)
    fake.jump(sb, 1)
    assert.equal("2026-01-05T22:00:00.000000000Z", last().time)
    assert.equal("CANCELLED", get("orders/" .. day).order.state)
  end)

  it("is cancelled once", function()
    local id = pending { price = "1.07", clientExtensions = { id = "a b" } }
    local answer, ex = fake.ask(sb, "PUT", "orders/@a%20b/cancel")
    assert.same({ 200, "CLIENT_REQUEST", id, "a b" }, { ex.status, answer.orderCancelTransaction.reason,
      answer.orderCancelTransaction.orderID, answer.orderCancelTransaction.clientOrderID })
    assert.same({ answer.lastTransactionID }, answer.relatedTransactionIDs)
    for _, spec in ipairs { id, "@a%20b", "999", "@never" } do
      local n = #sb.log.list
      answer, ex = fake.ask(sb, "PUT", "orders/" .. spec .. "/cancel")
      assert.same({ 404, "ORDER_DOESNT_EXIST", "The Order specified does not exist", "ORDER_DOESNT_EXIST", n + 1 },
        { ex.status, answer.errorCode, answer.errorMessage, answer.orderCancelRejectTransaction.rejectReason,
          #sb.log.list })
    end
    answer, ex = fake.ask(sb, "PUT", "orders/x/cancel")
    assert.same({ 400, "Invalid value specified for 'orderID'" }, { ex.status, answer.errorMessage })
  end)

  it("is found by id always, by client id only while it waits", function()
    local id = pending { price = "1.07", clientExtensions = { id = "mine" } }
    assert.equal(id, get("orders/@mine").order.id)
    fake.ask(sb, "PUT", "orders/" .. id .. "/cancel")
    assert.equal("CANCELLED", get("orders/" .. id).order.state)
    local answer, ex = get "orders/@mine"
    assert.same({ 404, "NO_SUCH_ORDER", "The order ID specified does not exist", "4" }, { ex.status, answer.errorCode,
      answer.errorMessage, answer.lastTransactionID })
  end)

  it("is found a little later than it is made, when the assumption says so", function()
    sb.assume.read_lag = 0.5
    local id = pending { price = "1.07" }
    local trade = order().orderFillTransaction.id
    assert.equal("NO_SUCH_ORDER", get("orders/" .. id).errorCode)
    assert.equal("NO_SUCH_TRADE", get("trades/" .. trade).errorCode)
    assert.equal(1, #get("pendingOrders").orders)
    fake.jump(sb, 0.5)
    assert.same({ id, trade }, { get("orders/" .. id).order.id, get("trades/" .. trade).trade.id })
  end)

  it("is replaced in one batch, and stays when the new one can't be", function()
    local id = pending { price = "1.07" }
    local function replace(given, spec)
      local o = { type = "LIMIT", instrument = "EUR_USD", units = "20000", price = "1.06" }
      for name, value in pairs(given or {}) do o[name] = value end
      return fake.ask(sb, "PUT", "orders/" .. (spec or id), { order = o })
    end
    local answer, ex = replace { units = "0" }
    assert.same({ 400, "UNITS_INVALID", id }, { ex.status, answer.errorCode,
      answer.orderRejectTransaction.intendedReplacesOrderID })
    answer = replace { type = "STOP", price = "1.09" }
    assert.equal("REPLACING_ORDER_INVALID", answer.errorCode)
    assert.equal("PENDING", get("orders/" .. id).order.state)
    answer, ex = replace()
    local gone, made = answer.orderCancelTransaction, answer.orderCreateTransaction
    assert.same({ 201, "CLIENT_REQUEST_REPLACED", made.id, "REPLACEMENT", id, gone.id }, { ex.status, gone.reason,
      gone.replacedByOrderID, made.reason, made.replacesOrderID, made.cancellingTransactionID })
    assert.same({ gone.batchID, "1.06000" }, { made.batchID, get("orders/" .. made.id).order.price })
    assert.equal(made.id, get("orders/" .. id).order.replacedByOrderID)
    answer, ex = replace()
    assert.same({ 404, "ORDER_DOESNT_EXIST" }, { ex.status, answer.orderCancelRejectTransaction.rejectReason })
    answer = replace({ price = "1.1" }, made.id)
    assert.equal("LIMIT_ORDER", answer.orderFillTransaction.reason)
  end)

  it("may get other client extensions", function()
    local id = pending { price = "1.07" }
    pending { price = "1.07", clientExtensions = { id = "taken" } }
    local function modify(body, spec)
      return fake.ask(sb, "PUT", "orders/" .. (spec or id) .. "/clientExtensions", body)
    end
    local answer = modify { clientExtensions = { id = "new", comment = "c" }, tradeClientExtensions = { tag = "t" } }
    assert.equal("new", answer.orderClientExtensionsModifyTransaction.clientExtensionsModify.id)
    assert.equal("c", get("orders/@new").order.clientExtensions.comment)
    for code, body in pairs { CLIENT_EXTENSIONS_DATA_MISSING = {}, CLIENT_ORDER_TAG_INVALID =
      { clientExtensions = { tag = ("x"):rep(129) } }, CLIENT_TRADE_COMMENT_INVALID =
      { tradeClientExtensions = { comment = ("x"):rep(129) } }, CLIENT_ORDER_ID_ALREADY_EXISTS =
      { clientExtensions = { id = "taken" } } } do
      local wrong, ex = modify(body)
      assert.same({ 400, code, code }, { ex.status, wrong.errorCode,
        wrong.orderClientExtensionsModifyRejectTransaction.rejectReason })
    end
    local _, ex = modify({ clientExtensions = { id = "z" } }, "999")
    assert.equal(404, ex.status)
  end)

  it("has no bound when its type has none", function()
    local _, answer = pending { price = "1.07", priceBound = "1.06" }
    assert.is_nil(answer.orderCreateTransaction.priceBound)
    _, answer = pending { type = "STOP", price = "1.09", priceBound = "1.1" }
    assert.equal("1.10000", answer.orderCreateTransaction.priceBound)
  end)

  it("is listed, newest first, in pages", function()
    local ids = {}
    for i = 1, 5 do ids[i] = pending { price = "1.07", instrument = i == 3 and "AUD_USD" or nil, units = "1",
      type = i == 3 and "STOP" or "LIMIT" } end
    local function listed(query)
      local answer, ex = get("orders" .. query)
      local out = {}
      for i, o in ipairs(answer.orders) do out[i] = o.id end
      return table.concat(out, " "), ex
    end
    assert.equal(table.concat({ ids[5], ids[4], ids[3], ids[2], ids[1] }, " "), (listed ""))
    local page, ex = listed "?count=2"
    assert.equal(ids[5] .. " " .. ids[4], page)
    assert.equal(('<http://127.0.0.1:8080/v3/accounts/%s/orders?beforeID=%s&count=2>; rel="next"')
      :format(sb.account_id, ids[3]), ex.out.link)
    page, ex = listed("?count=2&beforeID=" .. ids[2])
    assert.same({ ids[2] .. " " .. ids[1], nil }, { page, ex.out.link })
    assert.equal(ids[3], (listed "?instrument=AUD_USD"))
    assert.equal(ids[4] .. " " .. ids[1], (listed("?ids=" .. ids[1] .. "," .. ids[4])))
    fake.ask(sb, "PUT", "orders/" .. ids[2] .. "/cancel")
    assert.equal(ids[2], (listed "?state=CANCELLED"))
    assert.equal(4, #get("pendingOrders").orders)
    for name, query in pairs { count = "count=501", state = "state=OPEN", instrument = "instrument=X",
      beforeID = "beforeID=x" } do
      assert.equal(("Invalid value specified for '%s'"):format(name), get("orders?" .. query).errorMessage)
    end
  end)
end)

describe("an order of oanda that cannot be read", function()
  before_each(still)

  it("is refused without a trace, by the path of what is wrong", function()
    for path, given in pairs { ["order.type"] = { type = "FIXED_PRICE" },
      ["order.instrument"] = { instrument = "EURUSD" }, ["order.units"] = { units = "many" },
      ["order.timeInForce"] = { timeInForce = "DAY" },
      orderPositionFill = { positionFill = "ALL" }, ["order.price"] = { type = "LIMIT", price = "1,08" },
      ["order.priceBound"] = { priceBound = {} }, ["order.gtdTime"] = { type = "LIMIT", gtdTime = "soon" },
      ["order.triggerCondition"] = { type = "STOP", triggerCondition = "LAST" },
      ["order.distance"] = { type = "STOP_LOSS", distance = true },
      ["order.clientExtensions"] = { clientExtensions = { id = 7 } },
      ["order.takeProfitOnFill"] = { takeProfitOnFill = "1.1" },
      ["order.takeProfitOnFill.price"] = { takeProfitOnFill = { price = "high" } },
      ["order.stopLossOnFill.timeInForce"] = { stopLossOnFill = { price = "1.07", timeInForce = "DAY" } } } do
      local answer, ex = order(given)
      assert.same({ 400, ("Invalid value specified for '%s'"):format(path),
        "oanda::rest::core::InvalidParameterException", nil }, { ex.status, answer.errorMessage, answer.errorCode,
        answer.lastTransactionID }, path)
    end
    for _, body in ipairs { {}, { order = { instrument = "EUR_USD", units = "1" } } } do
      local answer, ex = fake.ask(sb, "POST", "orders", body)
      assert.same({ 400, "The request was missing required data" }, { ex.status, answer.errorMessage })
    end
    assert.equal(2, #sb.log.list)
  end)
end)

describe("an order of oanda that must not be", function()
  local LONG = ("x"):rep(129)
  local PAST = "2026-01-05T00:00:00Z"

  before_each(still)

  local function rejected(code, given, status)
    local n = #sb.log.list
    local answer, ex = order(given)
    assert.equal(code, answer.errorCode, ex.answer)
    local tx = answer.orderRejectTransaction
    assert.same({ status or 400, code, given.type or "MARKET", n + 1, tx.id }, { ex.status, tx.rejectReason,
      (tx.type:gsub("_ORDER_REJECT$", "")), #sb.log.list, answer.relatedTransactionIDs[1] }, code)
    assert.equal(0, #sb.pending)
  end

  -- Each of a market order, unless it says otherwise.
  local PLAIN = {
    INSTRUMENT_MISSING = { instrument = "nil" }, UNITS_MISSING = { units = "nil" }, UNITS_INVALID = { units = "0" },
    UNITS_PRECISION_EXCEEDED = { units = "1.5" },
    UNITS_LIMIT_EXCEEDED = { units = "-100000001" },
    PRICE_MISSING = { type = "STOP" }, PRICE_INVALID = { type = "LIMIT", price = "0" },
    PRICE_PRECISION_EXCEEDED = { type = "LIMIT", price = "1.080001" }, PRICE_BOUND_INVALID = { priceBound = "-1" },
    PRICE_BOUND_PRECISION_EXCEEDED = { priceBound = "1.080001" }, TIME_IN_FORCE_INVALID = { timeInForce = "GTC" },
    TIME_IN_FORCE_GTD_TIMESTAMP_MISSING = { type = "LIMIT", price = "1.07", timeInForce = "GTD" },
    TIME_IN_FORCE_GTD_TIMESTAMP_IN_PAST = { type = "LIMIT", price = "1.07", timeInForce = "GTD", gtdTime = PAST },
    CLIENT_ORDER_ID_INVALID = { clientExtensions = { id = LONG } },
    CLIENT_ORDER_TAG_INVALID = { clientExtensions = { tag = LONG } },
    CLIENT_ORDER_COMMENT_INVALID = { clientExtensions = { comment = LONG } },
    CLIENT_TRADE_ID_INVALID = { tradeClientExtensions = { id = LONG } },
    CLIENT_TRADE_TAG_INVALID = { tradeClientExtensions = { tag = LONG } },
    CLIENT_TRADE_COMMENT_INVALID = { tradeClientExtensions = { comment = LONG } },
    TRADE_ON_FILL_CLIENT_EXTENSIONS_NOT_SUPPORTED = { positionFill = "REDUCE_ONLY",
      tradeClientExtensions = { id = "t" } },
    TRADE_ID_UNSPECIFIED = { type = "TAKE_PROFIT", price = "1.1" },
  }

  for code, given in pairs(PLAIN) do
    it("is rejected: " .. code, function() rejected(code, given) end)
  end

  it("is rejected for an empty id", function()
    rejected("CLIENT_ORDER_ID_INVALID", { clientExtensions = { id = "" } })
  end)

  it("is rejected when it is smaller than the least", function()
    sb.by_symbol.SPX500_USD.least = "1"
    finally(function() sb.by_symbol.SPX500_USD.least = "0.1" end)
    rejected("UNITS_MIMIMUM_NOT_MET", { instrument = "SPX500_USD", units = "0.5" })
  end)

  it("is rejected for its time in force: the wrong one for its type", function()
    for _, kind in ipairs { "LIMIT", "STOP", "MARKET_IF_TOUCHED" } do
      for _, tif in ipairs { "FOK", "IOC" } do
        rejected("TIME_IN_FORCE_INVALID", { type = kind, price = "1.07", timeInForce = tif })
      end
    end
    rejected("TIME_IN_FORCE_INVALID", { timeInForce = "GTD", gtdTime = PAST })
  end)

  local function on_fill(name, details) return { [name] = details } end

  for kind, name in pairs { TAKE_PROFIT = "takeProfitOnFill", STOP_LOSS = "stopLossOnFill",
    TRAILING_STOP_LOSS = "trailingStopLossOnFill" } do
    it("is rejected for what should follow its fill: " .. kind, function()
      local prefix, good = kind .. "_ON_FILL_", kind == "TRAILING_STOP_LOSS" and { distance = "0.01" } or
        { price = kind == "TAKE_PROFIT" and "1.2" or "1" }
      local function with(more)
        local d = {}
        for k, v in pairs(good) do d[k] = v end
        for k, v in pairs(more) do d[k] = v end
        return on_fill(name, d)
      end
      rejected(prefix .. "TIME_IN_FORCE_INVALID", with { timeInForce = "FOK" })
      rejected(prefix .. "GTD_TIMESTAMP_MISSING", with { timeInForce = "GTD" })
      rejected(prefix .. "GTD_TIMESTAMP_IN_PAST", with { timeInForce = "GTD", gtdTime = PAST })
      for _, field in ipairs { "id", "tag", "comment" } do
        rejected(("%sCLIENT_ORDER_%s_INVALID"):format(prefix, field:upper()),
          with { clientExtensions = { [field] = LONG } })
      end
      assert.equal(201, select(2, order(with {})).status)
    end)
  end

  it("is rejected for the prices of what should follow", function()
    local tp, sl, tsl = "takeProfitOnFill", "stopLossOnFill", "trailingStopLossOnFill"
    for code, given in pairs { TAKE_PROFIT_ON_FILL_PRICE_MISSING = on_fill(tp, {}),
      TAKE_PROFIT_ON_FILL_PRICE_INVALID = on_fill(tp, { price = "0" }),
      TAKE_PROFIT_ON_FILL_PRICE_PRECISION_EXCEEDED = on_fill(tp, { price = "1.200001" }),
      STOP_LOSS_ON_FILL_PRICE_AND_DISTANCE_BOTH_MISSING = on_fill(sl, {}),
      STOP_LOSS_ON_FILL_PRICE_AND_DISTANCE_BOTH_SPECIFIED = on_fill(sl, { price = "1", distance = "0.1" }),
      STOP_LOSS_ON_FILL_PRICE_INVALID = on_fill(sl, { price = "-1" }),
      STOP_LOSS_ON_FILL_PRICE_PRECISION_EXCEEDED = on_fill(sl, { price = "1.000001" }),
      STOP_LOSS_ON_FILL_DISTANCE_INVALID = on_fill(sl, { distance = "0" }),
      STOP_LOSS_ON_FILL_DISTANCE_PRECISION_EXCEEDED = on_fill(sl, { distance = "0.000001" }),
      STOP_LOSS_ON_FILL_GUARANTEED_NOT_ALLOWED = on_fill(sl, { price = "1", guaranteed = true }),
      TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_MISSING = on_fill(tsl, {}),
      TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_INVALID = on_fill(tsl, { distance = "0" }),
      TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_PRECISION_EXCEEDED = on_fill(tsl, { distance = "0.010001" }),
      TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_MINIMUM_NOT_MET = on_fill(tsl, { distance = "0.00049" }),
      TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_MAXIMUM_EXCEEDED = on_fill(tsl, { distance = "1.00001" }) } do
      rejected(code, given)
    end
  end)

  it("is rejected when its client's id waits already, and when there are too many", function()
    local id = pending { price = "1.07", clientExtensions = { id = "one" } }
    local answer, ex = order { type = "STOP", price = "1.2", clientExtensions = { id = "one" } }
    assert.same({ 400, "CLIENT_ORDER_ID_ALREADY_EXISTS" }, { ex.status, answer.errorCode })
    assert.is_table(order({ clientExtensions = { id = ("x"):rep(128) } }).orderFillTransaction)
    fake.ask(sb, "PUT", "orders/" .. id .. "/cancel")
    sb.assume.pending_orders = 0
    rejected("PENDING_ORDERS_ALLOWED_EXCEEDED", { type = "LIMIT", price = "1.07" })
  end)

  it("has the reject as the venue writes it", function()
    local _, ex = order { type = "LIMIT", price = "1.07", units = "0" }
    assert.matches('"type":"LIMIT_ORDER_REJECT","instrument":"EUR_USD","units":"0","price":"1.07000",'
      .. '"timeInForce":"GTC","triggerCondition":"DEFAULT","partialFill":"DEFAULT","positionFill":"DEFAULT",'
      .. '"reason":"CLIENT_ORDER","rejectReason":"UNITS_INVALID"},"relatedTransactionIDs":["3"],'
      .. '"lastTransactionID":"3","errorMessage":"Order units specified are invalid","errorCode":"UNITS_INVALID"}',
      ex.answer, 1, true)
  end)
end)

describe("ids of oanda", function()
  it("have no gaps, whatever happens", function()
    still()
    order { stopLossOnFill = { price = "1.07" }, takeProfitOnFill = { price = "1.09" } }
    order { units = "0" }
    pending { price = "1.07" }
    move "1.06"
    order { units = "-1" }
    fake.ask(sb, "PUT", "orders/999/cancel")
    for n, tx in ipairs(sb.log.list) do assert.equal(tostring(n), tx.id) end
    assert.equal("MARKET_ORDER ORDER_FILL TAKE_PROFIT_ORDER STOP_LOSS_ORDER MARKET_ORDER_REJECT LIMIT_ORDER "
      .. "ORDER_FILL ORDER_CANCEL ORDER_FILL MARKET_ORDER ORDER_FILL ORDER_CANCEL_REJECT", kinds(3))
  end)
end)
