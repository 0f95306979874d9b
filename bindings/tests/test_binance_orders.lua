-- Orders of the sandbox: what a type needs, filters, the engine's refusals, answers field by field.
local fake = require "binance_fake"
local json = require "smc.json"

local sb

local function call(method, path, query)
  local ex = fake.signed(sb, method, "/api/v3/" .. path, query)
  return json.decode(ex.answer), ex
end

local function place(query) return call("POST", "order", "symbol=BTCUSDT&" .. query) end

local function refused(query, code, msg)
  local answer, ex = place(query)
  assert.same({ 400, code, msg }, { ex.status, answer.code, answer.msg }, query)
end

local LIMIT = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000"

local names = fake.names

describe("placing an order", function()
  before_each(function() sb = fake.venue() end)

  it("needs what its type needs", function()
    local function missing(query, name)
      refused(query, -1102, ("Mandatory parameter '%s' was not sent, was empty/null, or malformed."):format(name))
    end
    missing("type=LIMIT", "side")
    missing("side=BUY", "type")
    missing("side=BUY&type=LIMIT", "timeInForce")
    missing("side=BUY&type=LIMIT&timeInForce=GTC", "quantity")
    missing("side=BUY&type=LIMIT&timeInForce=GTC&quantity=1", "price")
    missing("side=BUY&type=LIMIT_MAKER&quantity=1", "price")
    refused("side=BUY&type=MARKET", -1102,
      "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!")
    refused("side=BUY&type=STOP_LOSS&quantity=1", -1102,
      "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!")
  end)

  it("takes nothing that its type has no use for", function()
    local function unneeded(query, name)
      refused(query, -1106, ("Parameter '%s' sent when not required."):format(name))
    end
    unneeded("side=BUY&type=MARKET&quantity=1&timeInForce=GTC", "timeInForce")
    unneeded("side=BUY&type=MARKET&quantity=1&price=1", "price")
    unneeded("side=BUY&type=MARKET&quantity=1&quoteOrderQty=1", "quoteOrderQty")
    unneeded("side=BUY&type=LIMIT_MAKER&quantity=1&price=1&timeInForce=GTC", "timeInForce")
    unneeded(LIMIT .. "&stopPrice=1", "stopPrice")
  end)

  it("knows its words and its numbers", function()
    refused("side=HOLD&type=LIMIT", -1117, "Invalid side.")
    refused("side=BUY&type=GUESS", -1116, "Invalid orderType.")
    refused("side=BUY&type=LIMIT&timeInForce=DAY", -1115, "Invalid timeInForce.")
    refused("side=BUY&type=MARKET&quantity=1e3", -1100,
      "Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.")
    refused("side=BUY&type=MARKET&quantity=0.123456789", -1111, "Parameter 'quantity' has too much precision.")
    refused("side=BUY&type=MARKET&quantity=92233720368.54775808", -1108, "Parameter 'quantity' overflowed.")
    refused(LIMIT .. "&newClientOrderId=a.b", -1100,
      "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.")
    refused(LIMIT .. "&selfTradePreventionMode=FORGIVE", -1130,
      "Data sent for parameter 'selfTradePreventionMode' is not valid.")
  end)

  for _, row in ipairs {
    { "PRICE_FILTER", "type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000.001" },
    { "PRICE_FILTER", "type=LIMIT&timeInForce=GTC&quantity=0.01&price=0" },
    { "PRICE_FILTER", "type=LIMIT&timeInForce=GTC&quantity=0.01&price=1000000.01" },
    { "PERCENT_PRICE_BY_SIDE", "type=LIMIT&timeInForce=GTC&quantity=0.01&price=20000" },
    { "PERCENT_PRICE_BY_SIDE", "type=LIMIT&timeInForce=GTC&quantity=0.01&price=200000" },
    { "LOT_SIZE", "type=LIMIT&timeInForce=GTC&quantity=0.000001&price=40000" },
    { "LOT_SIZE", "type=LIMIT&timeInForce=GTC&quantity=0.010005&price=40000" },
    { "LOT_SIZE", "type=LIMIT&timeInForce=GTC&quantity=9000.00001&price=40000" },
    { "MARKET_LOT_SIZE", "type=MARKET&quantity=140.00001" },
    { "NOTIONAL", "type=LIMIT&timeInForce=GTC&quantity=0.0001&price=40000" },
    { "NOTIONAL", "type=LIMIT&timeInForce=GTC&quantity=300&price=40000" },
    { "NOTIONAL", "type=MARKET&quantity=0.00008" },
    { "NOTIONAL", "type=MARKET&quoteOrderQty=4.99" },
  } do
    it("is filtered by " .. row[1] .. ": " .. row[2], function()
      refused("side=BUY&" .. row[2], -1013, "Filter failure: " .. row[1])
    end)
  end

  it("is refused by the engine in its own words", function()
    place(LIMIT .. "&newClientOrderId=one")
    refused(LIMIT .. "&newClientOrderId=one", -2010, "Duplicate order sent.")
    refused("side=SELL&type=MARKET&quantity=120", -2010, "Account has insufficient balance for requested action.")
    refused("side=SELL&type=LIMIT_MAKER&quantity=0.01&price=40000", -2010, "Order would immediately match and take.")
  end)

  it("stops at 200 open orders on a symbol", function()
    sb.limits:change("orders", 1000, 10)
    for _ = 1, 200 do assert.equal("NEW", place(LIMIT).status) end
    refused(LIMIT, -2010, "Filter failure: MAX_NUM_ORDERS")
  end)

  it("answers as briefly or fully as it was asked", function()
    local _, ack = place(LIMIT .. "&newOrderRespType=ACK")
    assert.equal("symbol orderId orderListId clientOrderId transactTime", names(ack.answer))
    local _, result = place(LIMIT .. "&newOrderRespType=RESULT")
    assert.equal("symbol orderId orderListId clientOrderId transactTime price origQty executedQty origQuoteOrderQty "
      .. "cummulativeQuoteQty status timeInForce type side workingTime selfTradePreventionMode", names(result.answer))
    local full, ex = place "side=BUY&type=MARKET&quantity=0.01"
    assert.equal("symbol orderId orderListId clientOrderId transactTime price origQty executedQty origQuoteOrderQty "
      .. "cummulativeQuoteQty status timeInForce type side workingTime fills price qty commission commissionAsset "
      .. "tradeId selfTradePreventionMode", names(ex.answer))
    assert.same({ "FILLED", "GTC", "0.00000000", "BTC" },
      { full.status, full.timeInForce, full.price, full.fills[1].commissionAsset })
    local maker = place "side=BUY&type=LIMIT_MAKER&quantity=0.01&price=40000"
    assert.is_nil(maker.status)
  end)

  it("expires what IOC and FOK can't fill, with HTTP 200", function()
    local ioc = place "side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.01&price=40000"
    assert.same({ "EXPIRED", "0.00000000", "UNFILLED_IOC_QUANTITY_EXPIRED" },
      { ioc.status, ioc.executedQty, ioc.expiryReason })
    local fok = place "side=BUY&type=LIMIT&timeInForce=FOK&quantity=0.01&price=40000"
    assert.same({ "EXPIRED", "UNFILLED_FOK_ORDER_EXPIRED" }, { fok.status, fok.expiryReason })
  end)

  it("takes commission from what is received, where the account pays any", function()
    sb = fake.venue { commission_bps = 10 }
    local order = place "side=BUY&type=MARKET&quantity=0.01"
    assert.same({ "0.00001000", "BTC" }, { order.fills[1].commission, order.fills[1].commissionAsset })
    assert.equal("0.00100000", call("GET", "account").commissionRates.taker)
  end)

  it("can be tried without being placed", function()
    assert.same({}, call("POST", "order/test", "symbol=BTCUSDT&" .. LIMIT))
    local rates = call("POST", "order/test", "symbol=BTCUSDT&" .. LIMIT .. "&computeCommissionRates=true")
    assert.equal("0.00000000", rates.standardCommissionForOrder.maker)
    local odd = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.010005"
    assert.equal("Filter failure: LOT_SIZE", call("POST", "order/test", odd).msg)
    assert.same({}, call("GET", "openOrders", "symbol=BTCUSDT"))
  end)
end)

describe("an order", function()
  local order
  before_each(function()
    sb = fake.venue()
    order = place(LIMIT .. "&newClientOrderId=mine")
  end)

  it("locks what it may cost, and frees it when it is cancelled", function()
    local function usdt()
      for _, b in ipairs(call("GET", "account").balances) do
        if b.asset == "USDT" then return b end
      end
    end
    assert.same({ "9999600.00000000", "400.00000000" }, { usdt().free, usdt().locked })
    call("DELETE", "order", "symbol=BTCUSDT&orderId=" .. order.orderId)
    assert.same({ "10000000.00000000", "0.00000000" }, { usdt().free, usdt().locked })
  end)

  it("is found by either id, with every field of the documents", function()
    local _, ex = call("GET", "order", "symbol=BTCUSDT&origClientOrderId=mine")
    assert.equal("symbol orderId orderListId clientOrderId price origQty executedQty cummulativeQuoteQty status "
      .. "timeInForce type side stopPrice icebergQty time updateTime isWorking workingTime origQuoteOrderQty "
      .. "selfTradePreventionMode", names(ex.answer))
    assert.equal("mine", call("GET", "order", "symbol=BTCUSDT&orderId=" .. order.orderId).clientOrderId)
    assert.equal(-2013, call("GET", "order", "symbol=BTCUSDT&orderId=999999").code)
    assert.equal(-2039, call("GET", "order", "symbol=BTCUSDT&origClientOrderId=x&orderId=" .. order.orderId).code)
    assert.equal(-1102, call("GET", "order", "symbol=BTCUSDT").code)
  end)

  it("has the fields that only some orders have where the documents have them", function()
    local stop = "side=BUY&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.01&price=61000&stopPrice=60900"
      .. "&trailingDelta=100&icebergQty=0.004&strategyId=7&strategyType=1000000&newOrderRespType=FULL"
    local placed, ex = place(stop)
    local head, terms = "symbol orderId orderListId clientOrderId ", "status timeInForce type side stopPrice "
      .. "trailingDelta trailingTime "
    assert.equal(head .. "transactTime price origQty executedQty origQuoteOrderQty cummulativeQuoteQty " .. terms
      .. "workingTime icebergQty strategyId strategyType fills selfTradePreventionMode", names(ex.answer))
    ex = select(2, call("GET", "order", "symbol=BTCUSDT&orderId=" .. placed.orderId))
    assert.equal(head .. "price origQty executedQty cummulativeQuoteQty " .. terms .. "icebergQty time updateTime "
      .. "isWorking workingTime origQuoteOrderQty strategyId strategyType selfTradePreventionMode", names(ex.answer))
    ex = select(2, call("DELETE", "order", "symbol=BTCUSDT&orderId=" .. placed.orderId))
    assert.equal("symbol origClientOrderId orderId orderListId clientOrderId transactTime price origQty executedQty "
      .. "origQuoteOrderQty cummulativeQuoteQty " .. terms .. "icebergQty strategyId strategyType "
      .. "selfTradePreventionMode", names(ex.answer))
    ex = select(2, place("side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&pegPriceType=PRIMARY_PEG"
      .. "&newOrderRespType=RESULT"))
    assert.equal(head .. "transactTime price pegPriceType peggedPrice origQty executedQty origQuoteOrderQty "
      .. "cummulativeQuoteQty status timeInForce type side workingTime selfTradePreventionMode", names(ex.answer))
  end)

  it("is working from when it reaches the book, also when it has ended", function()
    local function working(id)
      local o = call("GET", "order", "symbol=BTCUSDT&orderId=" .. id)
      return o.status .. " " .. tostring(o.isWorking)
    end
    local filled = place "side=BUY&type=MARKET&quantity=0.01"
    local waits = place "side=SELL&type=STOP_LOSS&quantity=0.01&stopPrice=50000"
    assert.same({ "NEW true", "FILLED true", "NEW false" },
      { working(order.orderId), working(filled.orderId), working(waits.orderId) })
    call("DELETE", "openOrders", "symbol=BTCUSDT")
    assert.same({ "CANCELED true", "CANCELED false" }, { working(order.orderId), working(waits.orderId) })
  end)

  it("takes the cancel's id, and frees its own", function()
    local gone = call("DELETE", "order", "symbol=BTCUSDT&origClientOrderId=mine&newClientOrderId=bye")
    assert.same({ "CANCELED", "mine", "bye" }, { gone.status, gone.origClientOrderId, gone.clientOrderId })
    assert.equal("bye", call("GET", "order", "symbol=BTCUSDT&origClientOrderId=mine").clientOrderId)
    assert.equal("NEW", place(LIMIT .. "&newClientOrderId=mine").status)
  end)

  it("is not found by the replaced id, where that is assumed", function()
    sb = fake.venue { former_client_ids = false }
    place(LIMIT .. "&newClientOrderId=mine")
    call("DELETE", "order", "symbol=BTCUSDT&origClientOrderId=mine")
    assert.equal(-2013, call("GET", "order", "symbol=BTCUSDT&origClientOrderId=mine").code)
  end)

  it("is cancelled once, and only if it is what the client thinks", function()
    local id = "symbol=BTCUSDT&orderId=" .. order.orderId
    assert.equal("Order was not canceled due to cancel restrictions.",
      call("DELETE", "order", id .. "&cancelRestrictions=ONLY_PARTIALLY_FILLED").msg)
    assert.equal("Cancel order is invalid. Check origClOrdId and orderId.",
      call("DELETE", "order", id .. "&origClientOrderId=other").msg)
    assert.equal("CANCELED", call("DELETE", "order", id .. "&cancelRestrictions=ONLY_NEW").status)
    assert.same({ -2011, "Unknown order sent." }, { call("DELETE", "order", id).code, call("DELETE", "order", id).msg })
  end)

  it("goes with all the others of its symbol", function()
    place(LIMIT)
    local gone = call("DELETE", "openOrders", "symbol=BTCUSDT")
    assert.same({ "mine", "CANCELED", "CANCELED" }, { gone[1].origClientOrderId, gone[1].status, gone[2].status })
    assert.same({ -2011, "Unknown order sent." }, { call("DELETE", "openOrders", "symbol=BTCUSDT").code,
      call("DELETE", "openOrders", "symbol=BTCUSDT").msg })
  end)

  it("is filled when the market comes to it, as a maker", function()
    sb.market:move("BTCUSDT", { to = "39000" })
    local filled = call("GET", "order", "symbol=BTCUSDT&orderId=" .. order.orderId)
    assert.same({ "FILLED", "400.00000000" }, { filled.status, filled.cummulativeQuoteQty })
    local fill = call("GET", "myTrades", "symbol=BTCUSDT&orderId=" .. order.orderId)[1]
    assert.same({ "40000.00000000", true, true }, { fill.price, fill.isMaker, fill.isBuyer })
  end)

  it("is listed with the others, by id and by time", function()
    local second = place(LIMIT)
    assert.equal(2, #call("GET", "allOrders", "symbol=BTCUSDT"))
    local later = call("GET", "allOrders", "symbol=BTCUSDT&orderId=" .. second.orderId)
    assert.same({ 1, second.orderId }, { #later, later[1].orderId })
    local day = 24 * 3600 * 1000
    assert.equal(-1127, call("GET", "allOrders",
      ("symbol=BTCUSDT&startTime=%d&endTime=%d"):format(order.transactTime - day - 1, order.transactTime)).code)
    assert.equal(-1128, call("GET", "myTrades", "symbol=BTCUSDT&fromId=1&startTime=" .. order.transactTime).code)
  end)
end)
