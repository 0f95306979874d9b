-- Which parameters of one request go together, which of two counts where both are sent, and what is refused.
local fake = require "binance_fake"
local json = require "smc.json"
local smc = require "smc"

local sb

local function call(method, path, query)
  local ex = fake.signed(sb, method, "/api/v3/" .. path, query)
  return json.decode(ex.answer), ex
end

local function public(target)
  local ex = fake.ask(sb, "GET", "/api/v3/" .. target)
  return json.decode(ex.answer), ex
end

local COMBINATION = "Combination of optional parameters invalid."

local function refused(code, msg, answer, ex)
  assert.same({ 400, code, msg }, { ex.status, answer.code, answer.msg })
end

local OCO = "symbol=BTCUSDT&side=SELL&quantity=0.01&aboveType=LIMIT_MAKER&abovePrice=61000"
  .. "&belowType=STOP_LOSS_LIMIT&belowStopPrice=59000&belowPrice=58000&belowTimeInForce="

local function oco(more, tif) return call("POST", "orderList/oco", OCO .. (tif or "GTC") .. more) end

before_each(function() sb = fake.venue() end)
after_each(function() sb:close() end)

describe("public data", function()
  it("has execution rules by one parameter", function()
    for _, query in ipairs { "symbol=BTCUSDT&symbolStatus=TRADING", 'symbols=["BTCUSDT"]&symbolStatus=TRADING' } do
      refused(-1128, COMBINATION, public("executionRules?" .. query))
    end
    assert.equal(4, #public("executionRules?symbolStatus=TRADING").symbolRules)
  end)

  it("has aggregate trades by id or by time", function()
    for _, bound in ipairs { "startTime", "endTime" } do
      refused(-1128, COMBINATION, public(("aggTrades?symbol=BTCUSDT&fromId=1&%s=%d"):format(bound, smc.wall())))
    end
    assert.equal(1, #public("aggTrades?symbol=BTCUSDT&fromId=1&limit=1"))
  end)

  it("has aggregate trades that no page cuts in two", function()
    sb.market:quote("BTCUSDT", { trade_ms = 0, levels = 0 })
    local seller, buyer = sb:new_account "seller", sb:new_account "buyer"
    local function trade(account, side, type, qty, price)
      return assert(sb.market:place { account = account, symbol = "BTCUSDT", side = side, type = type, qty = qty,
        price = price, tif = price and "gtc" })
    end
    for _, qty in ipairs { "1", "2", "3" } do trade(seller, "sell", "limit", qty, "60000") end
    trade(seller, "sell", "limit", "4", "60001")
    trade(buyer, "buy", "market", "10")
    sb:settle()
    local all = public "aggTrades?symbol=BTCUSDT&limit=3"
    local before, three, last = table.unpack(all)
    assert.same({ "6.00000000", three.f, three.f + 2, "4.00000000", three.f + 3 },
      { three.q, three.a, three.l, last.q, last.a })
    assert.same({ three, last }, (public "aggTrades?symbol=BTCUSDT&limit=2"))
    assert.same({ last }, (public "aggTrades?symbol=BTCUSDT&limit=1"))
    local function from(id, limit) return public(("aggTrades?symbol=BTCUSDT&fromId=%d&limit=%d"):format(id, limit)) end
    assert.same({ before, three }, from(before.a, 2))
    assert.same({ three }, from(three.a, 1))
    assert.same({ last }, from(three.a + 1, 5))
    assert.same({ three, last }, (public("aggTrades?symbol=BTCUSDT&startTime=" .. three.T)))
  end)

  it("begins with the first where a page is asked for from 0", function()
    for _, path in ipairs { "historicalTrades", "aggTrades" } do
      local page, newest = public(path .. "?symbol=BTCUSDT&limit=2&fromId=0"), public(path .. "?symbol=BTCUSDT&limit=2")
      assert.is_true((page[1].id or page[1].a) < (newest[1].id or newest[1].a), path)
    end
    for _ = 1, 3 do call("POST", "order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01") end
    local trades, orders = call("GET", "myTrades", "symbol=BTCUSDT"), call("GET", "allOrders", "symbol=BTCUSDT")
    assert.same({ trades[1] }, (call("GET", "myTrades", "symbol=BTCUSDT&fromId=0&limit=1")))
    assert.same({ orders[1] }, (call("GET", "allOrders", "symbol=BTCUSDT&orderId=0&limit=1")))
  end)

  it("knows time zones by hours, or by hours and minutes", function()
    local function status(zone)
      return select(2, public("klines?symbol=BTCUSDT&interval=1d&limit=1&timeZone=" .. zone)).status
    end
    for _, zone in ipairs { "0", "8", "-1:00", "05:45", "14:00", "-12:00" } do assert.equal(200, status(zone), zone) end
    for _, zone in ipairs { "5:5", "05:60", "545", "8:", ":30", "14:01", "-12:01" } do
      assert.equal(400, status(zone), zone)
    end
  end)
end)

describe("an account's orders", function()
  it("are listed by time where an id is sent, too", function()
    local order = call("POST", "order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000")
    local query = ("symbol=BTCUSDT&orderId=%d&startTime=%d"):format(order.orderId + 1, order.transactTime)
    assert.equal(order.orderId, call("GET", "allOrders", query)[1].orderId)
    assert.same({}, call("GET", "allOrders", "symbol=BTCUSDT&orderId=" .. order.orderId + 1))
  end)

  it("are listed by the time of their last change", function()
    local order = call("POST", "order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000")
    smc.sleep(5)
    call("DELETE", "order", "symbol=BTCUSDT&orderId=" .. order.orderId)
    local now = smc.wall()
    assert.equal("CANCELED", call("GET", "allOrders", "symbol=BTCUSDT&startTime=" .. now)[1].status)
    assert.same({}, call("GET", "allOrders", "symbol=BTCUSDT&startTime=" .. now + 1))
    assert.same({}, call("GET", "allOrders", "symbol=BTCUSDT&endTime=" .. now - 1))
  end)

  it("have prevented matches by the id of one, or by order and page", function()
    for _, query in ipairs { "", "preventedMatchId=1&orderId=1", "preventedMatchId=1&fromPreventedMatchId=1",
      "preventedMatchId=1&limit=5", "orderId=1&limit=5" } do
      refused(-1128, COMBINATION, call("GET", "myPreventedMatches", "symbol=BTCUSDT&" .. query))
    end
    for _, query in ipairs { "preventedMatchId=1", "orderId=1", "orderId=1&fromPreventedMatchId=1&limit=5" } do
      assert.same({}, call("GET", "myPreventedMatches", "symbol=BTCUSDT&" .. query))
    end
  end)

  it("have allocations by time within a day, or by id", function()
    local now = smc.wall()
    local day = ("symbol=BTCUSDT&startTime=%d&endTime=%d"):format(now - 86400000, now)
    assert.same({}, call("GET", "myAllocations", day))
    refused(-1128, COMBINATION, call("GET", "myAllocations", day .. "&fromAllocationId=1"))
    refused(-1127, "More than 24 hours between startTime and endTime.",
      call("GET", "myAllocations", ("symbol=BTCUSDT&startTime=%d&endTime=%d"):format(now - 86400001, now)))
  end)

  it("may be counted by the filters that it is told of", function()
    local names = {}
    for i, f in ipairs(call("GET", "myFilters", "symbol=BTCUSDT").symbolFilters) do names[i] = f.filterType end
    assert.same({ "MAX_NUM_ORDERS", "MAX_NUM_ORDER_LISTS", "MAX_NUM_ALGO_ORDERS", "MAX_NUM_ORDER_AMENDS" }, names)
  end)

  it("may have every mode against self-trades that a symbol lists", function()
    local modes = public("exchangeInfo?symbol=BTCUSDT").symbols[1].allowedSelfTradePreventionModes
    assert.equal("NONE EXPIRE_TAKER EXPIRE_MAKER EXPIRE_BOTH DECREMENT TRANSFER", table.concat(modes, " "))
    for _, mode in ipairs(modes) do
      assert.equal(mode, call("POST", "order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01"
        .. "&price=40000&selfTradePreventionMode=" .. mode).selfTradePreventionMode)
    end
  end)
end)

describe("order lists", function()
  it("have a client id of their own while they are open", function()
    local first = oco "&listClientOrderId=mine"
    refused(-2010, "Duplicate order sent.", oco "&listClientOrderId=mine")
    assert.equal(2, #call("GET", "openOrders", "symbol=BTCUSDT"))
    call("DELETE", "orderList", "symbol=BTCUSDT&orderListId=" .. first.orderListId)
    local second = oco "&listClientOrderId=mine"
    assert.is_true(second.orderListId > first.orderListId)
  end)

  it("are looked up by client id, and cancelled by both ids", function()
    local one, two = oco "&listClientOrderId=one", oco "&listClientOrderId=two"
    local both = ("orderListId=%d&%%s=one"):format(two.orderListId)
    assert.equal(one.orderListId, call("GET", "orderList", both:format "origClientOrderId").orderListId)
    refused(-2011, "Cancel order is invalid. Check origClOrdId and orderId.",
      call("DELETE", "orderList", "symbol=BTCUSDT&" .. both:format "listClientOrderId"))
    assert.equal(2, #call("GET", "openOrderList"))
    both = "symbol=BTCUSDT&listClientOrderId=one&orderListId=" .. one.orderListId
    assert.equal("ALL_DONE", call("DELETE", "orderList", both).listOrderStatus)
  end)

  it("are listed by id or by time", function()
    local list = oco ""
    local query = ("fromId=%d&startTime=%d"):format(list.orderListId + 1, list.transactionTime)
    refused(-1128, COMBINATION, call("GET", "allOrderList", query))
    local sock = fake.connect(sb, "/ws-api/v3")
    local params = { apiKey = sb.key, timestamp = smc.wall(), fromId = list.orderListId + 1,
      startTime = list.transactionTime }
    params.signature = fake.signature(sb, ("apiKey=%s&fromId=%d&startTime=%d&timestamp=%d"):format(params.apiKey,
      params.fromId, params.startTime, params.timestamp))
    sock:say(json.encode { id = 1, method = "allOrderLists", params = params })
    assert.equal(list.orderListId, json.decode(sock:take()[1]).result[1].orderListId)
  end)

  it("of which one cancels the other show parts only until canceled", function()
    refused(-1160, "Parameter 'belowIcebergQty' is not supported if `aboveTimeInForce`/`belowTimeInForce` is not GTC.",
      oco("&belowIcebergQty=0.004", "IOC"))
    assert.equal("0.00400000", oco("&belowIcebergQty=0.004").orderReports[1].icebergQty)
  end)
end)
