-- One order replaced by another: every way in which the two halves can end.
local fake = require "binance_fake"
local json = require "smc.json"

local sb, order

local function call(method, path, query)
  local ex = fake.signed(sb, method, "/api/v3/" .. path, query)
  return json.decode(ex.answer), ex
end

local NEW = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"
local POOR = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=120&price=70000"

local function replace(new, more)
  return call("POST", "order/cancelReplace", new .. "&" .. more)
end

local function open_ids()
  local out = {}
  for i, o in ipairs(call("GET", "openOrders", "symbol=BTCUSDT")) do out[i] = o.clientOrderId end
  return table.concat(out, " ")
end

local function count()
  return call("GET", "rateLimit/order")[1].count
end

describe("replacing an order", function()
  before_each(function()
    sb = fake.venue()
    order = call("POST", "order", NEW .. "&newClientOrderId=old")
  end)

  it("tells of both halves, costs nothing and counts one order", function()
    local both, ex = replace(NEW,
      "newClientOrderId=new&cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId=" .. order.orderId)

    assert.equal(200, ex.status)
    assert.same({ "SUCCESS", "SUCCESS", "old", "CANCELED", "NEW", "new" }, { both.cancelResult, both.newOrderResult,
      both.cancelResponse.origClientOrderId, both.cancelResponse.status, both.newOrderResponse.status,
      both.newOrderResponse.clientOrderId })
    assert.same({ "0", "2" }, { ex.out["x-mbx-used-weight-1m"], ex.out["x-mbx-order-count-10s"] })
    assert.equal("new", open_ids())
  end)

  it("may name the old order, and its cancel, by client id; the new one may take the old one's", function()
    local both = replace(NEW, "newClientOrderId=old&cancelReplaceMode=ALLOW_FAILURE&cancelOrigClientOrderId=old"
      .. "&cancelNewClientOrderId=bye")

    assert.same({ "bye", "old" }, { both.cancelResponse.clientOrderId, both.newOrderResponse.clientOrderId })
    assert.equal("old", open_ids())
  end)

  it("stops when there is nothing to cancel, and still counts the order", function()
    local both, ex = replace(NEW, "cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId=999999")

    assert.same({ 400, -2022, "Order cancel-replace failed." }, { ex.status, both.code, both.msg })
    assert.same({ "FAILURE", "NOT_ATTEMPTED", -2011, json.null }, { both.data.cancelResult, both.data.newOrderResult,
      both.data.cancelResponse.code, both.data.newOrderResponse })
    assert.equal("1", ex.out["x-mbx-used-weight-1m"])
    assert.equal(2, count())
    assert.equal("old", open_ids())
  end)

  it("places the new order all the same, where that was asked for", function()
    local both, ex = replace(NEW, "newClientOrderId=new&cancelReplaceMode=ALLOW_FAILURE&cancelOrderId=999999")

    assert.same({ 409, -2021, "Order cancel-replace partially failed." }, { ex.status, both.code, both.msg })
    assert.same({ "FAILURE", "SUCCESS", "new" },
      { both.data.cancelResult, both.data.newOrderResult, both.data.newOrderResponse.clientOrderId })
    assert.equal("old new", open_ids())
  end)

  it("may cancel the old order and be refused the new one", function()
    local both, ex = replace(POOR, "cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId=" .. order.orderId)

    assert.same({ 409, -2021, "SUCCESS", "FAILURE" },
      { ex.status, both.code, both.data.cancelResult, both.data.newOrderResult })
    assert.same({ code = -2010, msg = "Account has insufficient balance for requested action." },
      both.data.newOrderResponse)
    assert.equal("", open_ids())
  end)

  it("may fail on both sides", function()
    local both, ex = replace(POOR, "cancelReplaceMode=ALLOW_FAILURE&cancelOrderId=999999")

    assert.same({ 400, -2022, "FAILURE", "FAILURE" },
      { ex.status, both.code, both.data.cancelResult, both.data.newOrderResult })
  end)

  it("does nothing when a filter or a parameter refuses it", function()
    local function refused(new, more, code, msg)
      local answer, ex = replace(new, more)
      assert.same({ 400, code, msg }, { ex.status, answer.code, answer.msg })
      assert.equal("old", open_ids())
    end
    local id = "cancelOrderId=" .. order.orderId
    refused((NEW:gsub("0.01", "0.010005")), "cancelReplaceMode=STOP_ON_FAILURE&" .. id, -1013,
      "Filter failure: LOT_SIZE")
    refused(NEW, "cancelReplaceMode=STOP_ON_FAILURE", -1102,
      "Param 'cancelOrigClientOrderId' or 'cancelOrderId' must be sent, but both were empty/null!")
    refused(NEW, id, -1102, "Mandatory parameter 'cancelReplaceMode' was not sent, was empty/null, or malformed.")
    refused(NEW, id .. "&cancelReplaceMode=STOP_ON_FAILURE&cancelRestrictions=NONE", -1145,
      "Invalid cancelRestrictions")
  end)

  it("is refused whole by a used up order count, or cancels only", function()
    sb.limits:change("orders", 0, 10)
    local id = "cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId=" .. order.orderId

    local plain, ex = replace(NEW, id)
    assert.same({ 429, -1015, nil }, { ex.status, plain.code, plain.data })
    assert.equal("old", open_ids())

    local both, second = replace(NEW, id .. "&orderRateLimitExceededMode=CANCEL_ONLY")
    assert.same({ 429, -2021, "SUCCESS", -1015 },
      { second.status, both.code, both.data.cancelResult, both.data.newOrderResponse.code })
    assert.is_truthy(tonumber(second.out["retry-after"]))
    assert.equal("", open_ids())

    local neither, third = replace(NEW, (id:gsub("STOP_ON", "ALLOW")) .. "&orderRateLimitExceededMode=CANCEL_ONLY")
    assert.same({ 400, -2022, "FAILURE", "FAILURE" },
      { third.status, neither.code, neither.data.cancelResult, neither.data.newOrderResult })

    local stopped, fourth = replace(NEW, id .. "&orderRateLimitExceededMode=CANCEL_ONLY")
    assert.same({ 429, -2022, "FAILURE", "NOT_ATTEMPTED", json.null },
      { fourth.status, stopped.code, stopped.data.cancelResult, stopped.data.newOrderResult,
        stopped.data.newOrderResponse })
  end)

  it("counts the order that would go among the 200 that may be open", function()
    sb.limits:change("orders", 1000, 10)
    for _ = 2, 200 do call("POST", "order", NEW) end

    local answer = replace(NEW, "cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId=" .. order.orderId)

    assert.same({ -2010, "Filter failure: MAX_NUM_ORDERS" }, { answer.code, answer.msg })
    assert.equal("NEW", call("GET", "order", "symbol=BTCUSDT&orderId=" .. order.orderId).status)
  end)
end)
