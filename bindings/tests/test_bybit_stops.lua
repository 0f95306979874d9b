-- Take profit and stop loss of bybit positions that come together, and of parts of a position.
local fake = require "bybit_fake"
local json = require "smc.json"

local sb

local function post(path, over)
  local params = { category = "linear", symbol = "BTCUSDT" }
  for name, value in pairs(over or {}) do params[name] = value end
  return fake.post(sb, "/v5/" .. path, params)
end

local function get(path, query)
  return fake.get(sb, "/v5/" .. path, "category=linear&symbol=BTCUSDT" .. (query or ""))
end

local function trade(side, qty, over)
  local o = { side = side, orderType = "Market", qty = qty }
  for name, value in pairs(over or {}) do o[name] = value end
  local answer = post("order/create", o)
  assert.equal("OK", answer.retMsg)
  return answer.result.orderId
end

local function stop(over)
  over.positionIdx = 0
  return post("position/trading-stop", over)
end

local function row(id) return get("order/realtime", "&orderId=" .. id).result.list[1] end

--- By their stopOrderType, the orders that wait now.
local function waiting()
  local out = {}
  for _, o in ipairs(get("order/realtime", "&orderFilter=StopOrder&limit=50").result.list) do
    out[o.stopOrderType] = o
  end
  return out
end

local function move(to)
  sb.market:move("BTCUSDT.P", { to = to })
  sb:settle()
end

local function position() return get("position/list").result.list[1] end

before_each(function()
  sb = fake.venue()
  sb.limits:change_endpoint("/v5/position/trading-stop", 100)
  sb.limits:change_endpoint("/v5/order/create", 100)
end)
after_each(function() sb:close() end)

describe("a take profit and a stop loss of a part of a bybit position", function()
  local PART = { tpslMode = "Partial", takeProfit = "61000", stopLoss = "59000" }

  local function with_the_order() trade("Buy", "0.1", PART) end

  local function afterwards()
    trade("Buy", "0.1")
    local over = { tpSize = "0.1", slSize = "0.1" }
    for name, value in pairs(PART) do over[name] = value end
    assert.equal(0, stop(over).retCode)
  end

  for _, case in ipairs { { "with the order", with_the_order }, { "afterwards", afterwards } } do
    it("cancel each other when they come together, " .. case[1], function()
      case[2]()
      trade("Buy", "0.2")
      local both = waiting()
      local take, loss = both.PartialTakeProfit, both.PartialStopLoss
      move "61100"
      assert.same({ "Filled", "0.1" }, { row(take.orderId).orderStatus, row(take.orderId).cumExecQty })
      assert.same({ "Deactivated", "CancelByOCOSlCanceledByTpTriggered" }, { row(loss.orderId).orderStatus,
        row(loss.orderId).cancelType })
      move "58000"
      assert.equal("0.2", position().size)
    end)
  end

  it("cancel each other by whichever is triggered", function()
    afterwards()
    trade("Buy", "0.2")
    local take = waiting().PartialTakeProfit
    move "58900"
    assert.same({ "Deactivated", "CancelByOCOTpCanceledBySlTriggered", "0.2" }, { row(take.orderId).orderStatus,
      row(take.orderId).cancelType, position().size })
  end)

  it("are apart when they were set apart", function()
    trade("Buy", "0.3")
    assert.equal(0, stop({ tpslMode = "Partial", takeProfit = "61000", tpSize = "0.1" }).retCode)
    assert.equal(0, stop({ tpslMode = "Partial", stopLoss = "59000", slSize = "0.1" }).retCode)
    move "61100"
    assert.is_nil(waiting().PartialTakeProfit)
    assert.equal("Untriggered", waiting().PartialStopLoss.orderStatus)
  end)

  it("know the last price when they were placed", function()
    with_the_order()
    local last = fake.get(sb, "/v5/market/tickers", "category=linear&symbol=BTCUSDT").result.list[1].lastPrice
    local both = waiting()
    assert.same({ last, last }, { both.PartialTakeProfit.lastPriceOnCreated, both.PartialStopLoss.lastPriceOnCreated })
  end)

  it("are cancelled together by the user", function()
    with_the_order()
    local both = waiting()
    assert.equal(0, post("order/cancel", { orderId = both.PartialStopLoss.orderId }).retCode)
    assert.same({}, waiting())
    assert.same({ "Deactivated", "CancelByUser" }, { row(both.PartialTakeProfit.orderId).orderStatus,
      row(both.PartialTakeProfit.orderId).cancelType })
  end)

  it("are refused where their sizes do not fit", function()
    trade("Buy", "0.1")
    for _, case in ipairs {
      { 10001, "need to input in pairs", { takeProfit = "61000" } },
      { 10001, "need to input in pairs", { takeProfit = "61000", tpSize = "0.1", stopLoss = "59000" } },
      { 10001, "need to input in pairs", { trailingStop = "500" } },
      { 10001, "^slSize and tpSize must be equal", { takeProfit = "61000", tpSize = "0.1", stopLoss = "59000",
        slSize = "0.05" } },
      { 110058, "insufficient size", { takeProfit = "61000", tpSize = "0.101" } },
      { 10001, "tpLimitPrice is required", { takeProfit = "61000", tpSize = "0.1", tpOrderType = "Limit" } },
      { 10001, "^position idx not match position mode", { takeProfit = "61000", tpSize = "0.1" }, 1 },
      { 10001, "^tpOrderType only support Market when tpSlMode is Full", { tpslMode = "Full", takeProfit = "61000",
        tpOrderType = "Limit", tpLimitPrice = "61000" } },
      { 10001, "^slOrderType can not have a value when tpSlMode is empty", { tpslMode = "", stopLoss = "59000",
        slOrderType = "Market" } },
      { 10001, "tpslMode invalid", { tpslMode = "Half", stopLoss = "59000" } },
    } do
      local over = { tpslMode = "Partial", positionIdx = case[4] or 0 }
      for name, value in pairs(case[3]) do over[name] = value end
      local answer = post("position/trading-stop", over)
      assert.equal(case[1], answer.retCode, json.encode(over))
      assert.matches(case[2], answer.retMsg)
    end
    assert.same({}, waiting())
  end)

  it("may be twenty, not more", function()
    trade("Buy", "1")
    for i = 1, 10 do
      assert.equal(0, stop({ tpslMode = "Partial", takeProfit = "61000", stopLoss = "59000", tpSize = "0.1",
        slSize = "0.1" }).retCode, i)
    end
    local answer = stop { tpslMode = "Partial", takeProfit = "61000", tpSize = "0.1" }
    assert.same({ 110061, "Not allowed to have more than 20 TP/SLs under Partial tpSlMode" }, { answer.retCode,
      answer.retMsg })
    -- They do not count among the ten conditional orders.
    assert.equal(0, post("order/create", { side = "Sell", orderType = "Market", qty = "0.1", triggerPrice = "58000",
      triggerDirection = 2 }).retCode)
  end)
end)

describe("a take profit and a stop loss of a whole bybit position", function()
  it("are cleared with it, and name the order that brought them", function()
    trade("Buy", "0.1", { takeProfit = "61000", stopLoss = "59000", orderLinkId = "opener" })
    local both = waiting()
    assert.same({ "opener", "opener" }, { both.TakeProfit.parentOrderLinkId, both.StopLoss.parentOrderLinkId })
    stop { tpslMode = "Full", stopLoss = "58000" }
    local moved = waiting().StopLoss
    assert.same({ "58000", "opener" }, { moved.triggerPrice, moved.parentOrderLinkId })
    trade("Sell", "0.1")
    assert.same({ "Deactivated", "CancelByTpSlTsClear" }, { row(moved.orderId).orderStatus,
      row(moved.orderId).cancelType })
    assert.equal("CancelByTpSlTsClear", row(both.TakeProfit.orderId).cancelType)
  end)

  it("are cancelled together until one of them is changed alone", function()
    trade("Buy", "0.1", { takeProfit = "61000", stopLoss = "59000" })
    post("order/cancel", { orderId = waiting().TakeProfit.orderId })
    assert.same({}, waiting())
    assert.equal(0, stop({ tpslMode = "Full", takeProfit = "61000", stopLoss = "59000" }).retCode)
    assert.equal(0, stop({ tpslMode = "Full", takeProfit = "62000" }).retCode)
    post("order/cancel", { orderId = waiting().TakeProfit.orderId })
    assert.same({ "", "59000" }, { position().takeProfit, position().stopLoss })
    assert.equal("Untriggered", waiting().StopLoss.orderStatus)
  end)

  it("follow the amendment of their orders", function()
    trade("Buy", "0.1", { stopLoss = "59000" })
    assert.equal(0, post("order/amend", { orderId = waiting().StopLoss.orderId, triggerPrice = "59500" }).retCode)
    assert.equal("59500", position().stopLoss)
    move "59400"
    assert.equal("0", position().size)
  end)

  it("watch the price that an amendment of the opening order names", function()
    local id = trade("Buy", "0.1", { orderType = "Limit", price = "59000", takeProfit = "61000" })
    assert.equal(10001, post("order/amend", { orderId = id, tpTriggerBy = "Mid" }).retCode)
    assert.equal(0, post("order/amend", { orderId = id, tpTriggerBy = "MarkPrice" }).retCode)
    assert.equal("MarkPrice", row(id).tpTriggerBy)
    move "58900"
    assert.equal("MarkPrice", waiting().TakeProfit.triggerBy)
  end)

  it("change their limits where they have some", function()
    local id = trade("Buy", "0.1", { orderType = "Limit", price = "59000", tpslMode = "Partial", takeProfit = "61000",
      tpOrderType = "Limit", tpLimitPrice = "60900" })
    assert.equal(10001, post("order/amend", { orderId = id, tpLimitPrice = "60900.05" }).retCode)
    assert.equal(10001, post("order/amend", { orderId = id, slLimitPrice = "57000" }).retCode) -- it has none
    assert.equal(0, post("order/amend", { orderId = id, tpLimitPrice = "60800" }).retCode)
    move "58900"
    assert.equal("60800", waiting().PartialTakeProfit.price)
  end)

  it("do not come with an order that only reduces", function()
    trade("Buy", "0.1")
    local answer = post("order/create", { side = "Sell", orderType = "Limit", price = "61000", qty = "0.1",
      reduceOnly = true, takeProfit = "60500" })
    assert.same({ 10001, "params error: takeProfit cannot be set when reduceOnly is true" }, { answer.retCode,
      answer.retMsg })
  end)
end)

describe("the cancelling of all bybit orders", function()
  it("of a kind leaves the others", function()
    trade("Buy", "0.1", { takeProfit = "61000", stopLoss = "59000" })
    local conditional = post("order/create", { side = "Sell", orderType = "Market", qty = "0.1",
      triggerPrice = "58000", triggerDirection = 2 }).result.orderId
    local resting = post("order/create", { side = "Buy", orderType = "Limit", qty = "0.1", price = "57000" }).result
    local function gone(over)
      local ids = {}
      for i, o in ipairs(post("order/cancel-all", over).result.list) do ids[i] = o.orderId end
      return ids
    end
    assert.equal(10001, post("order/cancel-all", { orderFilter = "tpslOrder" }).retCode) -- of spot
    assert.same({ conditional }, gone { orderFilter = "StopOrder", stopOrderType = "Stop" })
    assert.same({ resting.orderId }, gone { orderFilter = "Order" })
    assert.equal(2, #gone { orderFilter = "StopOrder" })
    assert.same({}, gone {})
  end)

  it("of category spot tells TP/SL from conditional orders", function()
    local ids = {}
    for _, filter in ipairs { "StopOrder", "tpslOrder" } do
      ids[filter] = fake.post(sb, "/v5/order/create", { category = "spot", symbol = "BTCUSDT", side = "Buy",
        orderType = "Market", qty = "100", triggerPrice = "59000", orderFilter = filter }).result.orderId
    end
    local function spot(path, over)
      over.category, over.symbol = "spot", "BTCUSDT"
      return fake.post(sb, "/v5/order/" .. path, over)
    end
    assert.same({ 170201, 170201 }, { spot("cancel-all", { orderFilter = "Other" }).retCode,
      spot("create", { side = "Buy", orderType = "Market", qty = "100", orderFilter = "OcoOrder" }).retCode })
    assert.equal(170202, spot("create", { side = "Buy", orderType = "Market", qty = "100",
      orderFilter = "StopOrder" }).retCode)
    assert.same({}, spot("cancel-all", { orderFilter = "OcoOrder" }).result.list)
    assert.equal(170213, spot("cancel", { orderId = ids.tpslOrder, orderFilter = "StopOrder" }).retCode)
    local gone = spot("cancel-all", { orderFilter = "tpslOrder" }).result.list
    assert.same({ 1, ids.tpslOrder }, { #gone, gone[1].orderId })
    assert.equal(0, spot("cancel", { orderId = ids.StopOrder, orderFilter = "StopOrder" }).retCode)
  end)
end)

describe("a spot order of bybit that waits for a price", function()
  local function waits(filter, qty)
    return fake.post(sb, "/v5/order/create", { category = "spot", symbol = "BTCUSDT", side = "Sell",
      orderType = "Market", qty = qty, triggerPrice = "59000", orderFilter = filter })
  end

  local function locked()
    return fake.get(sb, "/v5/account/wallet-balance", "accountType=UNIFIED&coin=BTC").result.list[1].coin[1].locked
  end

  it("holds its coins where it is TP/SL, and takes them when it is triggered where it is conditional", function()
    assert.equal(0, waits("StopOrder", "40").retCode)
    assert.equal("0", locked())
    assert.equal(0, waits("tpslOrder", "30").retCode)
    assert.equal("30", locked())
    assert.equal(0, waits("tpslOrder", "40").retCode)
    assert.equal(170131, waits("tpslOrder", "31").retCode)
    local late = waits("StopOrder", "31").result.orderId
    sb.market:move("BTCUSDT", { to = "58900" })
    sb:settle()
    local o = fake.get(sb, "/v5/order/realtime", "category=spot&orderId=" .. late).result.list[1]
    assert.same({ "Cancelled", "0" }, { o.orderStatus, o.cumExecQty })
  end)
end)
