-- Making an order smaller in its place, its history; the labels of orders; lists of what there is none of.
local fake = require "binance_fake"
local json = require "smc.json"

local sb, order

local function call(method, path, query)
  local ex = fake.signed(sb, method, "/api/v3/" .. path, query)
  return json.decode(ex.answer), ex
end

local function place(query) return call("POST", "order", "symbol=BTCUSDT&" .. query) end

local LIMIT = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"

local function amend(query)
  return call("PUT", "order/amend/keepPriority", "symbol=BTCUSDT&orderId=" .. order.orderId .. "&" .. query)
end

describe("amending an order", function()
  before_each(function()
    sb = fake.venue()
    order = place(LIMIT .. "&newClientOrderId=mine")
  end)

  it("makes it smaller, frees the difference and gives it a new client id", function()
    local answer, ex = amend "newQty=0.004&newClientOrderId=less"

    local a = answer.amendedOrder
    assert.same({ 200, "mine", "less", "0.00400000", "0.00000000", "NEW", order.orderId, "50000.00000000" },
      { ex.status, a.origClientOrderId, a.clientOrderId, a.qty, a.executedQty, a.status, a.orderId, a.price })
    assert.equal("4", ex.out["x-mbx-used-weight-1m"]) -- amending costs its weight: CHANGELOG of 2026-04-02
    local now = call("GET", "order", "symbol=BTCUSDT&origClientOrderId=less")
    assert.same({ "0.00400000", order.orderId }, { now.origQty, now.orderId })
    for _, b in ipairs(call("GET", "account").balances) do
      if b.asset == "USDT" then assert.equal("200.00000000", b.locked) end
    end
  end)

  it("keeps its place in the queue", function()
    local second = place(LIMIT)
    amend "newQty=0.009"
    sb.market:quote("BTCUSDT", { trade_ms = 0, levels = 0 })
    local other = sb:new_account "other"
    sb.market:place { account = other, symbol = "BTCUSDT", side = "sell", type = "market", qty = "0.009" }

    assert.equal("FILLED", call("GET", "order", "symbol=BTCUSDT&orderId=" .. order.orderId).status)
    assert.equal("NEW", call("GET", "order", "symbol=BTCUSDT&orderId=" .. second.orderId).status)
  end)

  it("may be found by client id, which may stay", function()
    local answer = call("PUT", "order/amend/keepPriority",
      "symbol=BTCUSDT&origClientOrderId=mine&newClientOrderId=mine&newQty=0.005")
    assert.same({ "mine", "mine" },
      { answer.amendedOrder.origClientOrderId, answer.amendedOrder.clientOrderId })
  end)

  it("is refused in the venue's words", function()
    local function refused(query, code, msg)
      local answer, ex = amend(query)
      assert.same({ 400, code, msg }, { ex.status, answer.code, answer.msg })
    end
    refused("newQty=0.02", -2038, "Order amend (quantity increase) is not supported.")
    refused("newQty=0.01", -2038, "The requested action would change no state; rejecting")
    refused("newQty=0.00001", -2038, "Filter failure: NOTIONAL")
    refused("newQty=0.005005", -2038, "Filter failure: LOT_SIZE")
    refused("newQty=x", -1100,
      "Illegal characters found in parameter 'newQty'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.")
    place(LIMIT .. "&newClientOrderId=taken")
    refused("newQty=0.005&newClientOrderId=taken", -2038, "Duplicate order sent.")
    call("DELETE", "order", "symbol=BTCUSDT&orderId=" .. order.orderId)
    refused("newQty=0.005", -2038, "Unknown order sent.")
    local neither = call("PUT", "order/amend/keepPriority", "symbol=BTCUSDT&newQty=0.005")
    assert.equal("Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!", neither.msg)
  end)

  it("can be done ten times, each remembered", function()
    for i = 1, 10 do assert.is_nil(amend(("newQty=%.5f"):format(0.01 - i * 0.00001)).code) end
    assert.equal("Filter failure: MAX_NUM_ORDER_AMENDS", amend("newQty=0.005").msg)

    local list = call("GET", "order/amendments", "symbol=BTCUSDT&orderId=" .. order.orderId)
    assert.same({ 10, "mine", "0.01000000", "0.00999000" },
      { #list, list[1].origClientOrderId, list[1].origQty, list[1].newQty })
    assert.equal(list[1].newClientOrderId, list[2].origClientOrderId)
    local later = call("GET", "order/amendments",
      ("symbol=BTCUSDT&orderId=%d&fromExecutionId=%d&limit=2"):format(order.orderId, list[4].executionId))
    assert.same({ 2, list[4].executionId, list[5].executionId }, { #later, later[1].executionId, later[2].executionId })
    assert.equal(-2013, call("GET", "order/amendments", "symbol=BTCUSDT&orderId=999999").code)
  end)

  it("is told to the account, with the number of the answer", function()
    local sock = fake.connect(sb, "/ws-api/v3")
    local query = "apiKey=" .. sb.key .. "&timestamp=" .. require("smc").wall()
    sock:say(json.encode { id = 1, method = "userDataStream.subscribe.signature", params = { apiKey = sb.key,
      timestamp = require("smc").wall(), signature = fake.signature(sb, query) } })
    sock:take()

    local answer = amend "newQty=0.004&newClientOrderId=less"

    local told = json.decode(sock:take()[1]).event
    assert.same({ "REPLACED", "less", "mine", "0.00400000", answer.executionId },
      { told.x, told.c, told.C, told.q, told.I })
    sock:close(1000)
    sb:close()
  end)
end)

describe("the order in the answer to an amendment", function()
  before_each(function() sb = fake.venue() end)

  it("has what orders of its kind have, and a working time once it works", function()
    order = place "side=BUY&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.01&price=61000&stopPrice=60900\z
      &strategyId=7&icebergQty=0.004"
    local _, ex = amend "newQty=0.008"
    assert.equal("symbol orderId orderListId origClientOrderId clientOrderId price qty executedQty preventedQty "
      .. "quoteOrderQty cumulativeQuoteQty status timeInForce type side stopPrice icebergQty strategyId "
      .. "selfTradePreventionMode", fake.names(ex.answer:match '"amendedOrder":(%b{})'))
    order = place(LIMIT)
    assert.equal(order.workingTime, amend("newQty=0.008").amendedOrder.workingTime)
  end)
end)

describe("an order's labels", function()
  before_each(function() sb = fake.venue() end)

  it("come back wherever the order does", function()
    local labels = "&strategyId=7&strategyType=1000001"
    order = place(LIMIT .. labels)
    local plain = place(LIMIT)
    assert.same({ 7, 1000001, nil }, { order.strategyId, order.strategyType, plain.strategyId })
    local seen = call("GET", "order", "symbol=BTCUSDT&orderId=" .. order.orderId)
    assert.same({ 7, 1000001 }, { seen.strategyId, seen.strategyType })
    local list = call("GET", "openOrders", "symbol=BTCUSDT")
    assert.same({ 7, nil }, { list[1].strategyId, list[2].strategyId })
    assert.equal(7, call("DELETE", "order", "symbol=BTCUSDT&orderId=" .. order.orderId).strategyId)
    assert.same({ -1134, "`strategyType` was less than 1000000." },
      { place(LIMIT .. "&strategyType=5").code, place(LIMIT .. "&strategyType=5").msg })
  end)
end)

describe("an account's lists", function()
  before_each(function() sb = fake.venue() end)

  it("are empty where there is nothing of the kind", function()
    for path, query in pairs { allOrderList = "limit=5", openOrderList = "", myAllocations = "symbol=BTCUSDT" } do
      local answer, ex = call("GET", path, query)
      assert.same({ 200, {} }, { ex.status, answer }, path)
    end
    local blocks = fake.ask(sb, "GET", "/api/v3/historicalBlockTrades?symbol=BTCUSDT&fromId=1")
    assert.equal("[]", blocks.answer)
    local reference = fake.ask(sb, "GET", "/api/v3/referencePrice?symbol=BTCUSDT")
    assert.same({ 400, -2043 }, { reference.status, json.decode(reference.answer).code })
  end)

  it("tell of trades with oneself that were prevented", function()
    local maker = place "side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=59999"
    sb.market:quote("BTCUSDT", { trade_ms = 0, levels = 0 })
    local taker = place("side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.004&price=59999"
      .. "&selfTradePreventionMode=EXPIRE_BOTH")
    assert.equal("EXPIRED_IN_MATCH", taker.status)

    local list = call("GET", "myPreventedMatches", "symbol=BTCUSDT&orderId=" .. taker.orderId)
    local m = list[1]
    assert.same({ 1, taker.orderId, maker.orderId, "EXPIRE_BOTH", "59999.00000000", "0.00400000", "0.01000000" },
      { #list, m.takerOrderId, m.makerOrderId, m.selfTradePreventionMode, m.price, m.takerPreventedQuantity,
        m.makerPreventedQuantity })
    assert.same({ { preventedMatchId = m.preventedMatchId, makerSymbol = "BTCUSDT", makerOrderId = maker.orderId,
      price = m.price, takerPreventedQuantity = "0.00400000", makerPreventedQuantity = "0.01000000" } },
      taker.preventedMatches)
    assert.same({ "0.00400000", nil }, { taker.preventedQuantity, taker.preventedMatchId })
    local gone = call("GET", "order", "symbol=BTCUSDT&orderId=" .. maker.orderId)
    assert.same({ m.preventedMatchId, "0.01000000" }, { gone.preventedMatchId, gone.preventedQuantity })
    local same = call("GET", "myPreventedMatches", "symbol=BTCUSDT&preventedMatchId=" .. m.preventedMatchId)
    assert.same(list, same)
    for _, other in ipairs { 0, 999 } do
      assert.same({}, (call("GET", "myPreventedMatches", "symbol=BTCUSDT&preventedMatchId=" .. other)))
    end
    assert.equal(-1128, call("GET", "myPreventedMatches", "symbol=BTCUSDT").code)
  end)
end)
