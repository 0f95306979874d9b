-- Take profit and stop loss that a spot order of the bybit sandbox brings: what becomes of them when it has traded.
local decimal = require "smc.decimal"
local fake = require "bybit_fake"
local json = require "smc.json"
local smc = require "smc"

local PAIR = "BidirectionalTpslOrder"

local sb

local function post(path, over)
  local params = { category = "spot", symbol = "BTCUSDT" }
  for name, value in pairs(over or {}) do params[name] = value end
  return fake.post(sb, "/v5/order/" .. path, params)
end

local function create(over)
  local o = { side = "Buy", orderType = "Limit", qty = "0.1", price = "60300", takeProfit = "61000",
    stopLoss = "59000" }
  for name, value in pairs(over or {}) do o[name] = value end
  for name, value in pairs(o) do
    if value == "-" then o[name] = nil end
  end
  return post("create", o)
end

local function placed(over)
  local answer = create(over)
  assert.equal("OK", answer.retMsg)
  return answer.result
end

local function listed(filter)
  return fake.get(sb, "/v5/order/realtime", "category=spot&orderFilter=" .. filter).result.list
end

local function row(id) return fake.get(sb, "/v5/order/realtime", "category=spot&orderId=" .. id).result.list[1] end

--- The pair that waits: the take profit and the stop loss.
local function pair()
  local list = listed(PAIR)
  assert.equal(2, #list)
  return list[2], list[1]
end

local function locked(coin)
  return fake.get(sb, "/v5/account/wallet-balance", "accountType=UNIFIED&coin=" .. coin).result.list[1].coin[1].locked
end

local function move(to)
  sb.market:move("BTCUSDT", { to = to })
  sb:settle()
end

before_each(function()
  sb = fake.venue()
  sb.limits:change_endpoint("/v5/order/create", 100)
end)
after_each(function() sb:close() end)

describe("a spot order of bybit with a take profit and a stop loss", function()
  it("is followed by both when it is filled, which hold once what it got", function()
    local before = locked "BTC"
    local parent = placed { orderLinkId = "mother" }
    local mother = row(parent.orderId)
    assert.same({ "Filled", "61000", "59000", "" }, { mother.orderStatus, mother.takeProfit, mother.stopLoss,
      mother.ocoTriggerBy })
    local take, loss = pair()
    assert.same({ "Untriggered", "61000", 1, "Sell", "Market", "mother", "OcoTriggerByUnknown" }, { take.orderStatus,
      take.triggerPrice, take.triggerDirection, take.side, take.orderType, take.parentOrderLinkId, take.ocoTriggerBy })
    assert.same({ "Untriggered", "59000", 2, PAIR }, { loss.orderStatus, loss.triggerPrice, loss.triggerDirection,
      loss.stopOrderType })
    -- The fee was taken from what it got; what is left over is on the step.
    assert.same({ "0.0999", "0.0999", "0.0999" }, { take.qty, loss.qty, decimal.sub(locked "BTC", before) })
    assert.is_nil(take.tpslMode)
    assert.is_nil(take.createType)
    assert.same({}, listed "Order")
  end)

  it("gets rid of it by the one that is triggered, which cancels the other", function()
    placed()
    local take, loss = pair()
    move "61100"
    take, loss = row(take.orderId), row(loss.orderId)
    assert.same({ "Filled", "OcoTriggerByTp", "Deactivated", "OcoTriggerByTp", "CancelByOCOSlCanceledByTpTriggered" },
      { take.orderStatus, take.ocoTriggerBy, loss.orderStatus, loss.ocoTriggerBy, loss.cancelType })
    assert.equal("0", locked "BTC")
  end)

  it("stops its loss at a limit, where it has one", function()
    placed { slLimitPrice = "58500", slOrderType = "Limit", tpOrderType = "Market" }
    local take, loss = pair()
    assert.same({ "Limit", "58500", "Market" }, { loss.orderType, loss.price, take.orderType })
    move "58900"
    assert.same({ "CancelByOCOTpCanceledBySlTriggered", "OcoTriggerBySl", "Filled" }, { row(take.orderId).cancelType,
      row(take.orderId).ocoTriggerBy, row(loss.orderId).orderStatus })
  end)

  it("may have one of them alone, and sell", function()
    placed { side = "Sell", price = "59700", takeProfit = "59000", stopLoss = "-", tpLimitPrice = "58990" }
    local one = listed "tpslOrder"[1]
    assert.same({ "Buy", "0.1", "58990", "59000", 2, "" }, { one.side, one.qty, one.price, one.triggerPrice,
      one.triggerDirection, one.ocoTriggerBy })
    placed { side = "Sell", price = "59700", takeProfit = "0", stopLoss = "61000" }
    one = listed "tpslOrder"[1]
    assert.same({ "61000", 1, "Market", "baseCoin" }, { one.triggerPrice, one.triggerDirection, one.orderType,
      one.marketUnit })
    move "61100"
    assert.same({ "Filled", "0.1" }, { row(one.orderId).orderStatus, row(one.orderId).cumExecQty })
  end)

  it("is followed by them when it has ended, for what it had traded", function()
    sb.market:quote("BTCUSDT", { levels = 1, level_qty = "0.05" })
    local id = placed({ qty = "1", price = "60100", takeProfit = "63000" }).orderId
    local filled = row(id).cumExecQty
    assert.same({ "PartiallyFilled", {}, {} }, { row(id).orderStatus, listed(PAIR), listed "tpslOrder" })
    assert.is_true(decimal.lt("0", filled))
    assert.equal(0, post("cancel", { orderId = id }).retCode)
    assert.equal(decimal.floor_to(decimal.mul(filled, "0.999"), "0.000001"), (pair()).qty)
    id = placed({ price = "59500" }).orderId
    post("cancel", { orderId = id })
    assert.equal(2, #listed(PAIR)) -- it had traded nothing
  end)

  it("is followed by them fill by fill, by an assumption that has another name for them, too", function()
    sb:close()
    sb = fake.venue { spot_stops_at_once = true, spot_pair_type = "OcoOrder" }
    sb.market:quote("BTCUSDT", { levels = 1, level_qty = "0.05" })
    local id = placed({ qty = "1", price = "60100", takeProfit = "63000" }).orderId
    assert.same({ "PartiallyFilled", 2, 0 }, { row(id).orderStatus, #listed "OcoOrder", #listed(PAIR) })
  end)

  it("is followed by nothing that waits when its price has been reached meanwhile", function()
    sb.market:quote("BTCUSDT", { levels = 1, level_qty = "0.05" })
    local id = placed({ qty = "1", price = "60100" }).orderId
    move "62000"
    sb.market:quote("BTCUSDT", { levels = 20, level_qty = "5" })
    assert.equal(0, post("cancel", { orderId = id }).retCode)
    sb:settle()
    assert.same({ {}, {}, "0" }, { listed(PAIR), listed "Order", locked "BTC" })
    local last = fake.get(sb, "/v5/order/history", "category=spot").result.list[1]
    assert.same({ "Filled", PAIR, "61000" }, { last.orderStatus, last.stopOrderType, last.triggerPrice })
  end)

  it("is not followed by what can't be paid for", function()
    local usdt = sb.market:margin(sb.first_account, "USDT").available
    sb.market:debit(sb.first_account, "USDT", usdt)
    placed { side = "Sell", price = "59700", takeProfit = "59000", stopLoss = "70000" }
    local one = listed "tpslOrder"
    assert.same({ 0, 1 }, { #one, #listed(PAIR) })
    assert.equal("59000", listed(PAIR)[1].triggerPrice)
  end)

  it("brings what the user cancels together, by either filter", function()
    for _, filter in ipairs { PAIR, "tpslOrder" } do
      placed()
      local take, loss = pair()
      assert.equal(170213, post("cancel", { orderId = take.orderId }).retCode)
      assert.equal(170213, post("cancel", { orderId = take.orderId, orderFilter = "StopOrder" }).retCode)
      assert.equal(0, post("cancel", { orderId = take.orderId, orderFilter = filter }).retCode)
      assert.same({ "Deactivated", "CancelByUser", "Deactivated" }, { row(take.orderId).orderStatus,
        row(take.orderId).cancelType, row(loss.orderId).orderStatus })
    end
    placed()
    assert.same({ 0, 0, 2 }, { #post("cancel-all").result.list,
      #post("cancel-all", { orderFilter = "tpslOrder" }).result.list,
      #post("cancel-all", { orderFilter = PAIR }).result.list })
    assert.equal("0", locked "BTC")
  end)

  it("is refused with prices that do not fit", function()
    for _, case in ipairs { { 170203, { takeProfit = "60300" } }, { 170204, { stopLoss = "60300" } },
      { 170204, { side = "Sell", price = "59700" } }, { 170134, { takeProfit = "61000.005" } },
      { 170130, { stopLoss = "x" } }, { 170105, { tpOrderType = "Limit" } },
      { 170130, { slOrderType = "Limit", slLimitPrice = "58000.005" } },
      { 170227, { orderType = "Market", price = "-" } },
      { 170227, { triggerPrice = "59000", orderFilter = "StopOrder" } } } do
      assert.equal(case[1], create(case[2]).retCode, json.encode(case[2]))
    end
    assert.equal("The TP/SL price 60000 must be above the order price 60300.", create { takeProfit = "60000" }.retMsg)
    placed { orderType = "Market", price = "-", qty = "100", takeProfit = "0", stopLoss = "-" }
  end)

  it("may be changed in what it brings, not in what it does not", function()
    local id = placed({ price = "55000", takeProfit = "58000", stopLoss = "-", tpLimitPrice = "57900" }).orderId
    local function amend(over)
      over.orderId = id
      return post("amend", over).retCode
    end
    assert.same({ 170130, 170130, 170203 }, { amend { stopLoss = "50000" }, amend { slLimitPrice = "50000" },
      amend { takeProfit = "54000" } })
    assert.equal(0, amend { takeProfit = "59000", tpLimitPrice = "58900" })
    assert.same({ "59000", "58900" }, { row(id).takeProfit, row(id).tpLimitPrice })
    assert.equal(0, amend { takeProfit = "0" })
    move "54000"
    assert.same({ "Filled", {}, {} }, { row(id).orderStatus, listed "tpslOrder", listed(PAIR) })
  end)

  it("is told of on the private stream, and so is what follows", function()
    local sock = fake.private(sb, "order.spot")
    fake.frames(sock)
    placed()
    sb:settle()
    local told = {}
    for _, frame in ipairs(fake.frames(sock)) do
      for _, o in ipairs(frame.data or {}) do told[#told + 1] = o.orderStatus .. " " .. o.stopOrderType end
    end
    assert.same({ "Filled ", "Untriggered " .. PAIR, "Untriggered " .. PAIR }, { told[#told - 2], told[#told - 1],
      told[#told] })
    move "58900"
    local ends = {}
    for _, frame in ipairs(fake.frames(sock)) do
      for _, o in ipairs(frame.data or {}) do ends[#ends + 1] = o.orderStatus .. " " .. o.ocoTriggerBy end
    end
    assert.same({ "Deactivated OcoTriggerBySl", "Filled OcoTriggerBySl" }, { ends[1], ends[#ends] })
  end)

  it("leaves nothing when a client cancels all", function()
    local venue = smc.venue "bybit"
    assert(venue:post("/v5/order/create", { category = "spot", symbol = "BTCUSDT", side = "Buy", orderType = "Limit",
      qty = "0.1", price = "60300", takeProfit = "61000", stopLoss = "59000" }, { signed = true }))
    assert.equal(2, #assert(venue:open_orders "BTC/USDT"))
    assert.equal(2, #assert(venue:cancel_all "BTC/USDT"))
    assert.same({}, venue:open_orders "BTC/USDT")
  end)
end)
