-- Order lists: what they must be made of, what becomes of their orders, how they are shown, cancelled and told of.
local fake = require "binance_fake"
local json = require "smc.json"
local sign = require "smc.core.sign"
local task = require "smc.core.task"

local sb

local function call(method, path, query)
  local ex = fake.signed(sb, method, "/api/v3/" .. path, query)
  return json.decode(ex.answer), ex
end

local function list(kind, query) return call("POST", "orderList/" .. kind, "symbol=BTCUSDT&" .. query) end

local function order(id) return call("GET", "order", "symbol=BTCUSDT&orderId=" .. id) end

local function refused(kind, query, code, msg)
  local answer, ex = list(kind, query)
  assert.same({ 400, code, msg }, { ex.status, answer.code, answer.msg }, query)
end

local function move(to)
  sb.market:move("BTCUSDT", { to = to })
  sb:settle()
end

local function ids(answer)
  local out = {}
  for i, o in ipairs(answer.orders) do out[i] = o.orderId end
  return out
end

local function statuses(answer)
  local out = {}
  for i, id in ipairs(ids(answer)) do out[i] = order(id).status end
  return table.concat(out, " ")
end

local function locked(asset)
  for _, b in ipairs(call("GET", "account").balances) do
    if b.asset == asset then return b.locked end
  end
end

local OCO = "side=SELL&quantity=0.01&aboveType=LIMIT_MAKER&abovePrice=61000&belowType=STOP_LOSS_LIMIT"
  .. "&belowStopPrice=59000&belowPrice=58000&belowTimeInForce=GTC"
local WORKING = "workingType=LIMIT&workingSide=BUY&workingPrice=59000&workingQuantity=0.01&workingTimeInForce=GTC"
local OTO = WORKING .. "&pendingType=LIMIT_MAKER&pendingSide=SELL&pendingQuantity=0.01&pendingPrice=61000"
local OTOCO = WORKING .. "&pendingSide=SELL&pendingQuantity=0.01&pendingAboveType=LIMIT_MAKER&pendingAbovePrice=61000"
  .. "&pendingBelowType=STOP_LOSS&pendingBelowStopPrice=58000"

before_each(function() sb = fake.venue() end)
after_each(function() sb:close() end)

describe("one order that cancels the other", function()
  it("is a list of two, whose funds are locked once", function()
    local answer = list("oco", OCO .. "&listClientOrderId=mine&aboveClientOrderId=up&belowClientOrderId=down")
    assert.same({ "OCO", "EXEC_STARTED", "EXECUTING", "mine", "BTCUSDT", -1 },
      { answer.contingencyType, answer.listStatusType, answer.listOrderStatus, answer.listClientOrderId, answer.symbol,
        answer.orderReports[1].workingTime })
    assert.same({ "down", "up" }, { answer.orders[1].clientOrderId, answer.orders[2].clientOrderId })
    assert.same({ "STOP_LOSS_LIMIT", "LIMIT_MAKER", answer.orderListId },
      { answer.orderReports[1].type, answer.orderReports[2].type, answer.orderReports[2].orderListId })
    assert.equal("0.01000000", locked "BTC")
    assert.equal(answer.orderListId, order(answer.orders[1].orderId).orderListId)
    assert.equal(2, call("GET", "rateLimit/order")[1].count)
  end)

  it("is over when the one above is filled", function()
    local answer = list("oco", OCO)
    move "61100"
    assert.equal("EXPIRED FILLED", statuses(answer))
    assert.equal("OCO_TRIGGER", order(ids(answer)[1]).expiryReason)
    local now = call("GET", "orderList", "orderListId=" .. answer.orderListId)
    assert.same({ "ALL_DONE", "ALL_DONE" }, { now.listStatusType, now.listOrderStatus })
    assert.same({}, call("GET", "openOrderList"))
  end)

  it("is named by the fills of its orders", function()
    local answer = list("oco", OCO)
    move "61100"
    local function list_of(id) return call("GET", "myTrades", "symbol=BTCUSDT&orderId=" .. id)[1].orderListId end
    assert.equal(answer.orderListId, list_of(ids(answer)[2]))
    assert.equal(-1, list_of(call("POST", "order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01").orderId))
  end)

  it("goes on with the one below when that is triggered", function()
    local answer = list("oco", OCO)
    move "58900"
    assert.equal("FILLED EXPIRED", statuses(answer))
  end)

  it("is cancelled as a whole, by any of its names", function()
    for _, way in ipairs { "orderListId", "listClientOrderId", "orderId", "symbol" } do
      local answer = list("oco", OCO)
      local which = { orderListId = answer.orderListId, listClientOrderId = answer.listClientOrderId,
        orderId = ids(answer)[2] }
      local path = way == "orderId" and "order" or way == "symbol" and "openOrders" or "orderList"
      local query = "symbol=BTCUSDT" .. (which[way] and "&" .. way .. "=" .. which[way] or "")
      local gone = call("DELETE", path, query)
      gone = way == "symbol" and gone[1] or gone
      assert.same({ "ALL_DONE", "ALL_DONE", 2 }, { gone.listStatusType, gone.listOrderStatus, #gone.orderReports }, way)
      assert.equal("CANCELED CANCELED", statuses(answer))
      assert.equal("0.00000000", locked "BTC")
    end
    assert.equal("Unknown order sent.", call("DELETE", "orderList", "symbol=BTCUSDT&orderListId=1").msg)
    assert.equal(-2011, call("DELETE", "orderList", "symbol=BTCUSDT&orderListId=99").code)
  end)

  it("is made of what stands on its own side", function()
    local base = "quantity=0.01&side="
    local function legs(side, above, below)
      return base .. side .. "&aboveType=" .. above .. "&belowType=" .. below
    end
    refused("oco", legs("SELL", "LIMIT", "STOP_LOSS"), -1158, "Order type not supported in OCO.")
    refused("oco", legs("SELL", "LIMIT_MAKER", "LIMIT_MAKER"), -1168, "At least one OCO order must be contingent.")
    refused("oco", legs("BUY", "LIMIT_MAKER", "STOP_LOSS"), -1196, "A stop loss order in a buy OCO must be above.")
    refused("oco", legs("BUY", "LIMIT_MAKER", "TAKE_PROFIT"), -1165, "A limit order in a buy OCO must be below.")
    refused("oco", legs("BUY", "TAKE_PROFIT", "LIMIT_MAKER"), -1198, "A take profit order in a buy OCO must be below.")
    refused("oco", legs("SELL", "TAKE_PROFIT", "LIMIT_MAKER"), -1166, "A limit order in a sell OCO must be above.")
    refused("oco", legs("SELL", "STOP_LOSS", "LIMIT_MAKER"), -1197, "A stop loss order in a sell OCO must be below.")
    refused("oco", legs("SELL", "LIMIT_MAKER", "TAKE_PROFIT"), -1199,
      "A take profit order in a sell OCO must be above.")
    refused("oco", legs("SELL", "LIMIT_MAKER", "STOP_LOSS"), -1102,
      "Param 'belowStopPrice' or 'belowTrailingDelta' must be sent, but both were empty/null!")
    refused("oco", legs("SELL", "LIMIT_MAKER", "STOP_LOSS") .. "&belowStopPrice=59000", -1102,
      "Mandatory parameter 'abovePrice' was not sent, was empty/null, or malformed.")
    refused("oco", OCO .. "&aboveStopPrice=1", -1106, "Parameter 'aboveStopPrice' sent when not required.")
  end)

  it("stands around the market, within the filters, and is placed as a whole or not at all", function()
    local wrong = "The relationship of the prices for the orders is not correct."
    refused("oco", (OCO:gsub("61000", "59500")), -2010, wrong)
    refused("oco", (OCO:gsub("StopPrice=59000", "StopPrice=60500")), -2010, wrong)
    refused("oco", (OCO:gsub("61000", "61000.001")), -1013, "Filter failure: PRICE_FILTER")
    refused("oco", (OCO:gsub("0.01", "140")), -2010, "Account has insufficient balance for requested action.")
    refused("oco", OCO .. "&aboveClientOrderId=x&belowClientOrderId=x", -2010, "Duplicate order sent.")
    assert.same({}, call("GET", "openOrders", "symbol=BTCUSDT"))
    assert.equal("0.00000000", locked "BTC")
  end)

  it("is taken back when its second order is refused", function()
    sb.market:quote("BTCUSDT", { levels = 0 })
    call("POST", "order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=61500")
    refused("oco", OCO, -2010, "Order would immediately match and take.")
    assert.equal("0.00000000", locked "BTC")
    assert.equal(1, #call("GET", "openOrders", "symbol=BTCUSDT"))
  end)

  it("may trail, and may take a profit below", function()
    local answer = list("oco", "side=BUY&quantity=0.01&aboveType=STOP_LOSS&aboveTrailingDelta=200"
      .. "&belowType=TAKE_PROFIT&belowStopPrice=59000")
    move "58900"
    assert.equal("EXPIRED FILLED", statuses(answer))
  end)

  it("is one of at most twenty, and of five orders that wait", function()
    for i = 1, 4 do assert.is_number(list("oco", OCO).orderListId, i) end
    refused("oco", "side=SELL&quantity=0.01&aboveType=TAKE_PROFIT&aboveStopPrice=61000&belowType=STOP_LOSS"
      .. "&belowStopPrice=59000", -2010, "Filter failure: MAX_NUM_ALGO_ORDERS")
    assert.is_number(list("oco", OCO).orderListId)
    refused("oco", OCO, -2010, "Filter failure: MAX_NUM_ALGO_ORDERS")
    for _ = 6, 20 do assert.is_number(list("oto", OTO).orderListId) end
    refused("oto", OTO, -2010, "Filter failure: MAX_NUM_ORDER_LISTS")
  end)
end)

describe("one order that cancels the other, as it was asked for before", function()
  local OLD = "symbol=BTCUSDT&side=SELL&quantity=0.01&price=61000&stopPrice=59000"
  local LIMITED = "&stopLimitPrice=58000&stopLimitTimeInForce=GTC"

  local function old(query) return call("POST", "order/oco", query) end

  it("is the same list", function()
    local answer = old(OLD .. LIMITED .. "&listClientOrderId=mine&limitClientOrderId=up&stopClientOrderId=down"
      .. "&limitStrategyId=7&stopStrategyType=1000001")
    assert.same({ "OCO", "EXECUTING", "mine", "down", "up" }, { answer.contingencyType, answer.listOrderStatus,
      answer.listClientOrderId, answer.orders[1].clientOrderId, answer.orders[2].clientOrderId })
    local stop, limit = answer.orderReports[1], answer.orderReports[2]
    assert.same({ "STOP_LOSS_LIMIT", "59000.00000000", "58000.00000000", "GTC", 1000001 },
      { stop.type, stop.stopPrice, stop.price, stop.timeInForce, stop.strategyType })
    assert.same({ "LIMIT_MAKER", "61000.00000000", 7 }, { limit.type, limit.price, limit.strategyId })
    move "61100"
    assert.equal("EXPIRED FILLED", statuses(answer))
  end)

  it("stops at the market without a limit, and buys below and above", function()
    assert.equal("STOP_LOSS", old(OLD).orderReports[1].type)
    local buy = old "symbol=BTCUSDT&side=BUY&quantity=0.01&price=59000&stopPrice=61000&trailingDelta=100"
    assert.same({ "STOP_LOSS", 100, "LIMIT_MAKER" },
      { buy.orderReports[1].type, buy.orderReports[1].trailingDelta, buy.orderReports[2].type })
  end)

  it("is refused by the names that it uses", function()
    for query, expected in pairs {
      [OLD .. "&stopLimitPrice=58000"] = { -1102,
        "Mandatory parameter 'stopLimitTimeInForce' was not sent, was empty/null, or malformed." },
      [OLD .. "&stopLimitTimeInForce=GTC"] = { -1106, "Parameter 'stopLimitTimeInForce' sent when not required." },
      ["symbol=BTCUSDT&side=SELL&quantity=0.01&price=61000"] = { -1102,
        "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!" },
      ["symbol=BTCUSDT&side=SELL&quantity=0.01&stopPrice=59000"] = { -1102,
        "Mandatory parameter 'price' was not sent, was empty/null, or malformed." },
      ["symbol=BTCUSDT&side=BUY&quantity=0.01&price=61000&stopPrice=59000"] = { -2010,
        "The relationship of the prices for the orders is not correct." },
    } do
      local answer = old(query)
      assert.same(expected, { answer.code, answer.msg }, query)
    end
  end)
end)

describe("one order that triggers another", function()
  it("keeps it pending until it is filled", function()
    local answer = list("oto", OTO)
    assert.same({ "OTO", "NEW", "PENDING_NEW" }, { answer.contingencyType, answer.orderReports[1].status,
      answer.orderReports[2].status })
    assert.equal("0.00000000", locked "BTC")
    move "58950"
    assert.equal("FILLED NEW", statuses(answer))
    assert.is_true(order(ids(answer)[2]).isWorking)
    move "61100"
    assert.equal("FILLED FILLED", statuses(answer))
  end)

  it("takes it along when it ends otherwise", function()
    local gone = list("oto", (OTO:gsub("GTC", "IOC")))
    assert.equal("EXPIRED EXPIRED", statuses(gone))
    assert.equal("OTO_PHASE_ONE_EXPIRED", order(ids(gone)[2]).expiryReason)
    local answer = list("oto", OTO)
    call("DELETE", "order", "symbol=BTCUSDT&orderId=" .. ids(answer)[1])
    assert.equal("CANCELED CANCELED", statuses(answer))
  end)

  it("is a limit order, and leaves nothing pegged pending", function()
    refused("oto", (OTO:gsub("workingType=LIMIT", "workingType=MARKET")), -1116, "Invalid orderType.")
    refused("otoco", (OTOCO:gsub("workingType=LIMIT", "workingType=STOP_LOSS")), -1116, "Invalid orderType.")
    refused("oto", OTO .. "&workingStopPrice=60000", -1104,
      "Not all sent parameters were read; read '12' parameter(s) but was sent '13'.")
    refused("oto", OTO .. "&pendingPegPriceType=PRIMARY_PEG", -2010, "Pegged orders are not supported for this symbol.")
    refused("oto", (OTO:gsub("pendingPrice=61000", "pendingPrice=1")), -1013,
      "Filter failure: PERCENT_PRICE_BY_SIDE")
  end)

  it("leaves the other pending in the answer, also where it is filled at once", function()
    local at_once = OTO:gsub("workingPrice=59000", "workingPrice=61000")
    for _, pending in ipairs { at_once, (at_once:gsub("LIMIT_MAKER", "MARKET"):gsub("&pendingPrice=%d+", "")) } do
      local answer = list("oto", pending .. "&newOrderRespType=FULL")
      local working, other = table.unpack(answer.orderReports)
      assert.same({ "FILLED", 1, "PENDING_NEW", -1, "0.00000000", "0.00000000", {} }, { working.status, #working.fills,
        other.status, other.workingTime, other.executedQty, other.cummulativeQuoteQty, other.fills })
      assert.matches("^FILLED ", statuses(answer))
      assert.is_nil(statuses(answer):find "PENDING")
    end
  end)

  it("is amended leg by leg, a pair together", function()
    local function amend(id)
      return call("PUT", "order/amend/keepPriority", "symbol=BTCUSDT&newQty=0.005&orderId=" .. id)
    end
    local oto = list("oto", OTO)
    local less = amend(ids(oto)[2])
    assert.same({ "PENDING_NEW", "0.00500000", "OTO", 2 }, { less.amendedOrder.status, less.amendedOrder.qty,
      less.listStatus.contingencyType, #less.listStatus.orders })
    assert.equal("0.01000000", order(ids(oto)[1]).origQty)
    local oco = list("oco", OCO)
    assert.equal("EXECUTING", amend(ids(oco)[2]).listStatus.listOrderStatus)
    assert.same({ "0.00500000", "0.00500000" }, { order(ids(oco)[1]).origQty, locked "BTC" })
  end)
end)

describe("one order that triggers two of which one cancels the other", function()
  it("does so when it is filled", function()
    local answer = list("otoco", OTOCO)
    assert.equal("NEW PENDING_NEW PENDING_NEW", statuses(answer))
    assert.equal(3, call("GET", "rateLimit/order")[1].count)
    move "58950"
    assert.equal("FILLED NEW NEW", statuses(answer))
    assert.equal("0.01000000", locked "BTC")
    move "57900"
    assert.equal("FILLED FILLED EXPIRED", statuses(answer))
  end)

  it("may have but one of them", function()
    local only = OTOCO:gsub("&pendingBelowType.*$", "")
    assert.equal("NEW PENDING_NEW", statuses(list("otoco", only)))
  end)
end)

describe("the lists of an account", function()
  it("are found by either id, and by time", function()
    local one, two = list("oco", OCO .. "&listClientOrderId=first"), list("oto", OTO)
    assert.equal(one.orderListId, call("GET", "orderList", "origClientOrderId=first").orderListId)
    assert.equal(-2013, call("GET", "orderList", "orderListId=77").code)
    assert.equal(2, #call("GET", "openOrderList"))
    assert.same({ two.orderListId }, { call("GET", "allOrderList", "fromId=" .. two.orderListId)[1].orderListId })
    assert.same({ two.orderListId, nil }, { call("GET", "allOrderList", "limit=1")[1].orderListId })
    assert.same({}, call("GET", "allOrderList", "endTime=" .. one.transactionTime - 1))
    local query = ("startTime=%d&endTime=%d"):format(one.transactionTime - 1, one.transactionTime)
    assert.equal(2, #call("GET", "allOrderList", query))
  end)
end)

describe("a list whose orders the venue has forgotten", function()
  it("is forgotten with the last of them, and in nobody's way", function()
    sb.market:keep(20, 100)
    list("oco", OCO .. "&listClientOrderId=old")
    local half = list("oto", OTO)
    move "61100"
    move "58900" -- fills what the pending order waits for
    for _ = 1, 600 do
      sb.market:place { account = sb.last_account, symbol = "BTCUSDT", side = "buy", type = "market", qty = "0.00001" }
      sb:settle()
    end
    assert.equal(-2013, order(ids(half)[1]).code)
    assert.equal(-2013, call("GET", "orderList", "origClientOrderId=old").code)
    local open = call("GET", "openOrderList")
    assert.same({ half.orderListId, half.orders }, { open[1].orderListId, open[1].orders })
    assert.same({ half.orderListId }, { call("GET", "allOrderList")[1].orderListId })
    assert.equal("OCO", list("oco", OCO:gsub("=59000", "=57000"):gsub("=58000", "=56000")).contingencyType)
  end)
end)

describe("the WebSocket API and its user stream", function()
  local sock

  local function signed(params)
    params.apiKey, params.timestamp = sb.key, task.wall_ms()
    local names, parts = {}, {}
    for name in pairs(params) do names[#names + 1] = name end
    table.sort(names)
    for i, name in ipairs(names) do parts[i] = name .. "=" .. tostring(params[name]) end
    params.signature = sign.key("hmac", sb.secret):sign(table.concat(parts, "&"))
    return params
  end

  local function ask(method, params)
    sock:say(json.encode { id = 1, method = method, params = signed(params) })
    for _, frame in ipairs(fake.frames(sock)) do
      if frame.id == 1 then return frame.result or frame end
    end
  end

  local function params_of(query)
    local out = { symbol = "BTCUSDT" }
    for name, value in query:gmatch "(%w+)=([^&]+)" do out[name] = value end
    return out
  end

  before_each(function() sock = fake.connect(sb, "/ws-api/v3") end)

  it("place, ask for and cancel lists as REST does", function()
    local oco = ask("orderList.place.oco", params_of(OCO))
    assert.same({ "OCO", 2 }, { oco.contingencyType, #oco.orders })
    assert.equal("OTO", ask("orderList.place.oto", params_of(OTO)).contingencyType)
    assert.equal(3, #ask("orderList.place.otoco", params_of(OTOCO)).orders)
    local old = ask("orderList.place", params_of "side=SELL&quantity=0.01&price=61000&stopPrice=59000")
    assert.same({ "OCO", "STOP_LOSS" }, { old.contingencyType, old.orderReports[1].type })
    assert.equal("EXECUTING", ask("orderList.status", { orderListId = oco.orderListId }).listOrderStatus)
    assert.same({ 4, 4 }, { #ask("openOrderLists.status", {}), #ask("allOrderLists", {}) })
    assert.equal("ALL_DONE", ask("orderList.cancel", { symbol = "BTCUSDT", orderListId = oco.orderListId })
      .listOrderStatus)
  end)

  it("tell of each order, and of the list when it begins and when it is over", function()
    ask("userDataStream.subscribe.signature", {})
    local answer = list("oco", OCO)
    move "61100"
    local told = {}
    for _, frame in ipairs(fake.frames(sock)) do
      local e = frame.event
      if e.e == "executionReport" then
        told[#told + 1] = ("%s %s %s %d"):format(e.o, e.x, e.X, e.g)
      elseif e.e == "listStatus" then
        told[#told + 1] = ("list %d %s %s %s %d"):format(e.g, e.c, e.l, e.L, #e.O)
        assert.equal(answer.listClientOrderId, e.C)
      end
    end
    local id = answer.orderListId
    assert.same({ "STOP_LOSS_LIMIT NEW NEW " .. id, "LIMIT_MAKER NEW NEW " .. id,
      ("list %d OCO EXEC_STARTED EXECUTING 2"):format(id), "STOP_LOSS_LIMIT EXPIRED EXPIRED " .. id,
      "LIMIT_MAKER TRADE FILLED " .. id, ("list %d OCO ALL_DONE ALL_DONE 2"):format(id) }, told)
  end)

  local function told_of_list(frames)
    local out = {}
    for _, frame in ipairs(frames) do
      if frame.event.e == "listStatus" then out[#out + 1] = frame.event end
    end
    return out
  end

  it("call the parts of its orders by letters, and say when it came to what they tell", function()
    ask("userDataStream.subscribe.signature", {})
    local answer = list("oco", OCO)
    task.sleep(5)
    move "61100"
    local frames = fake.frames(sock)
    local begun, over = table.unpack(told_of_list(frames))
    local orders = {}
    for i, o in ipairs(answer.orders) do orders[i] = { s = o.symbol, i = o.orderId, c = o.clientOrderId } end
    assert.same({ orders, orders }, { begun.O, over.O })
    assert.equal("TRADE", frames[#frames - 2].event.x)
    assert.same({ answer.transactionTime, frames[#frames - 2].event.T }, { begun.T, over.T })
    assert.is_true(over.T > begun.T)
    assert.equal(over.T, call("GET", "orderList", "orderListId=" .. answer.orderListId).transactionTime)
  end)

  it("tell when an amendment gives an order of it another client id, and only then", function()
    ask("userDataStream.subscribe.signature", {})
    local answer = list("oco", OCO)
    local first = answer.orders[1]
    local amend = "symbol=BTCUSDT&orderId=" .. first.orderId
    call("PUT", "order/amend/keepPriority", amend .. "&newQty=0.008&newClientOrderId=" .. first.clientOrderId)
    assert.equal(1, #told_of_list(fake.frames(sock)))
    task.sleep(5)
    call("PUT", "order/amend/keepPriority", amend .. "&newQty=0.007&newClientOrderId=other")
    local told = told_of_list(fake.frames(sock))
    assert.same({ 1, "UPDATED", "EXECUTING", "other", answer.transactionTime + 5000 },
      { #told, told[1].l, told[1].L, told[1].O[1].c, told[1].T })
  end)

  it("name the id that an order had only when it gets another", function()
    ask("userDataStream.subscribe.signature", {})
    local placed = call("POST", "order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=59000"
      .. "&newClientOrderId=first")
    call("PUT", "order/amend/keepPriority", "symbol=BTCUSDT&newQty=0.008&newClientOrderId=second&orderId="
      .. placed.orderId)
    move "58900"
    local told = {}
    for _, frame in ipairs(fake.frames(sock)) do
      local e = frame.event
      if e.x then told[#told + 1] = ("%s %s<%s"):format(e.x, e.c, e.C) end
    end
    assert.same({ "NEW first<", "REPLACED second<first", "TRADE second<" }, told)
  end)
end)
