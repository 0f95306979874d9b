-- Orders of the bybit sandbox: what is refused at once, what is taken in and then turned away, lists, pages.
local decimal = require "smc.decimal"
local fake = require "bybit_fake"
local json = require "smc.json"

local sb

local function create(over)
  local order = { category = "spot", symbol = "BTCUSDT", side = "Buy", orderType = "Limit", qty = "0.01",
    price = "40000" }
  for name, value in pairs(over or {}) do order[name] = value ~= "-" and value or nil end
  return fake.post(sb, "/v5/order/create", order)
end

local function placed(over)
  local answer = create(over)
  assert.same({ 0, "OK" }, { answer.retCode, answer.retMsg })
  return answer.result
end

local function lookup(id)
  return fake.get(sb, "/v5/order/realtime", "category=spot&orderId=" .. id).result.list[1]
end

local function ended(over)
  local o = lookup(placed(over).orderId)
  return { o.orderStatus, o.cancelType, o.rejectReason }
end

describe("creating a bybit order", function()
  before_each(function() sb = fake.venue() end)

  for _, row in ipairs {
    { 10001, { category = "linear" } }, { 10001, { category = "inverse", symbol = "-" } },
    { 10001, { category = "-" } },
    { 170105, { symbol = "-" } }, { 170121, { symbol = "btcusdt" } },
    { 170105, { side = "-" } }, { 170117, { side = "buy" } },
    { 170105, { orderType = "-" } }, { 170116, { orderType = "LIMIT" } }, { 170115, { timeInForce = "DAY" } },
    { 170105, { qty = "-" } }, { 170130, { qty = "1e3" } }, { 170130, { qty = "-1" } }, { 170136, { qty = "0" } },
    { 170137, { qty = "0.0000001" } }, { 170381, { qty = "80.000001" } },
    { 170382, { orderType = "Market", marketUnit = "baseCoin", qty = "40.000001" } },
    { 170148, { orderType = "Market", qty = "10.00000001" } },
    { 170105, { price = "-" } }, { 170133, { price = "0" } }, { 170134, { price = "40000.05" } },
    { 170140, { qty = "0.0001" } }, { 170193, { price = "70000" } }, { 170194, { side = "Sell", price = "50000" } },
    { 10001, { orderLinkId = ("x"):rep(37) } }, { 10001, { orderLinkId = "a.b" } }, { 170130, { smpType = "All" } },
    { 170227, { triggerPrice = "50000" } }, { 170227, { isLeverage = 1 } }, { 170227, { timeInForce = "RPI" } },
  } do
    it(("is refused with %d for %s"):format(row[1], json.encode(row[2])), function()
      local answer, ex = create(row[2])
      assert.same({ 200, row[1], "{}" }, { ex.status, answer.retCode, json.encode(answer.result) })
      assert.same({}, sb.ledger.list)
    end)
  end

  it("needs the funds for it", function()
    local answer = create { side = "Sell", symbol = "ETHUSDT", qty = "1000.5", price = "3000" }
    assert.same({ 170131, "Insufficient balance." }, { answer.retCode, answer.retMsg })
  end)

  it("takes a link once and for ever", function()
    local order = placed { orderLinkId = "mine" }
    assert.equal("mine", order.orderLinkId)
    assert.equal(0, fake.post(sb, "/v5/order/cancel", { category = "spot", symbol = "BTCUSDT",
      orderLinkId = "mine" }).retCode)
    assert.equal(170141, create { orderLinkId = "mine" }.retCode)
    local own = placed { orderLinkId = json.null }
    assert.matches("^19%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d$", own.orderId)
    assert.equal(tostring(math.tointeger(tonumber(own.orderId)) + 1), own.orderLinkId)
  end)

  it("may end otherwise than it was acknowledged", function()
    assert.same({ "New", "UNKNOWN", "EC_NoError" }, ended())
    assert.same({ "Filled", "UNKNOWN", "EC_NoError" }, ended { orderType = "Market", marketUnit = "baseCoin" })
    assert.same({ "Rejected", "UNKNOWN", "EC_PostOnlyWillTakeLiquidity" },
      ended { side = "Sell", price = "59800", timeInForce = "PostOnly" })
    assert.same({ "Cancelled", "UNKNOWN", "EC_NoImmediateQtyToFill" }, ended { timeInForce = "IOC" })
    assert.same({ "Cancelled", "UNKNOWN", "EC_NoEnoughQtyToFill" }, ended { timeInForce = "FOK" })
    assert.same({ "PartiallyFilledCanceled", "UNKNOWN", "EC_CancelForNoFullFill" },
      ended { orderType = "Market", qty = "1000" })
    fake.post(sb, "/v5/order/cancel-all", { category = "spot" })
    sb.market:quote("BTCUSDT", { levels = 0 })
    assert.same({ "Cancelled", "UNKNOWN", "EC_NoImmediateQtyToFill" },
      ended { orderType = "Market", side = "Sell" })
  end)

  it("by a quote amount shows what was left over", function()
    local o = lookup(placed({ orderType = "Market", qty = "1000" }).orderId)
    assert.same({ "1000", "quoteCoin", "0", "Market", "IOC" }, { o.qty, o.marketUnit, o.price, o.orderType,
      o.timeInForce })
    assert.equal("1000", decimal.add(o.cumExecValue, o.leavesValue))
    assert.equal(decimal.mul(o.cumExecQty, "0.001", 8, "down"), o.cumExecFee)
    assert.equal(o.cumExecFee, o.cumFeeDetail.BTC)
    assert.is_nil(o.createType) -- clients tell contracts from spot by these
    assert.is_nil(o.tpslMode)
  end)
end)

describe("cancelling a bybit order", function()
  before_each(function() sb = fake.venue() end)

  local function cancel(params)
    params.category, params.symbol = "spot", params.symbol or "BTCUSDT"
    return fake.post(sb, "/v5/order/cancel", params)
  end

  it("is acknowledged, and refused the second time", function()
    local order = placed()
    assert.same(order, cancel({ orderId = order.orderId }).result)
    local o = lookup(order.orderId)
    assert.same({ "Cancelled", "CancelByUser", "EC_PerCancelRequest", "0" }, { o.orderStatus, o.cancelType,
      o.rejectReason, o.leavesQty })
    assert.equal(170142, cancel({ orderId = order.orderId }).retCode)
  end)

  it("says what is wrong with it", function()
    local answer = cancel {}
    assert.same({ 10001, "params error: OrderId or orderLinkId is required" }, { answer.retCode, answer.retMsg })
    assert.same({ 170213, "Order does not exist." }, { cancel({ orderId = "7" }).retCode,
      cancel({ orderLinkId = "x" }).retMsg })
    assert.equal(170213, cancel({ symbol = "ETHUSDT", orderId = placed().orderId }).retCode)
    assert.equal(170139, cancel({ orderId = placed({ orderType = "Market", marketUnit = "baseCoin" }).orderId })
      .retCode)
  end)

  it("of all takes those of the symbol, or of every symbol", function()
    local one = placed()
    local two = placed { symbol = "ETHUSDT", price = "2000", qty = "1" }
    local function all(symbol)
      return fake.post(sb, "/v5/order/cancel-all", { category = "spot", symbol = symbol }).result
    end
    local gone = all "ETHUSDT"
    assert.same({ two.orderId, "1" }, { gone.list[1].orderId, gone.success })
    assert.same({ one.orderId }, { all().list[1].orderId })
    assert.same({}, { table.unpack(all().list) })
  end)
end)

describe("the lists of a bybit account", function()
  before_each(function() sb = fake.venue() end)

  it("page by cursors that may come back as they are, or encoded once more", function()
    local ids = {}
    for i = 1, 5 do ids[i] = placed().orderId end
    local function page(cursor)
      local result = fake.get(sb, "/v5/order/realtime", "category=spot&limit=2"
        .. (cursor and "&cursor=" .. cursor or "")).result
      return { result.list[1].orderId, result.list[2] and result.list[2].orderId }, result.nextPageCursor
    end
    local first, cursor = page()
    assert.same({ ids[5], ids[4] }, first)
    assert.matches("^page_args%%3D%d+%%26$", cursor)
    for _, sent in ipairs { cursor, (cursor:gsub("%%", "%%25")) } do assert.same({ ids[3], ids[2] }, (page(sent))) end
    local _, last = page(cursor)
    local rest, none = page(last)
    assert.same({ { ids[1] }, "" }, { rest, none })
  end)

  it("tell open orders from ended ones", function()
    local open, gone = placed().orderId, placed().orderId
    fake.post(sb, "/v5/order/cancel", { category = "spot", symbol = "BTCUSDT", orderId = gone })
    local function ids(path, query)
      local out = {}
      for i, o in ipairs(fake.get(sb, path, "category=spot" .. query).result.list) do out[i] = o.orderId end
      return out
    end
    assert.same({ open }, ids("/v5/order/realtime", ""))
    assert.same({ gone }, ids("/v5/order/realtime", "&openOnly=1"))
    assert.same({ gone }, ids("/v5/order/history", ""))
    assert.same({ gone }, ids("/v5/order/history", "&orderStatus=Cancelled"))
    assert.same({}, ids("/v5/order/history", "&orderStatus=Filled"))
    assert.same({}, ids("/v5/order/realtime", "&orderId=1"))
    assert.equal(10001, fake.get(sb, "/v5/order/history", "category=spot&startTime=1&endTime=999999999").retCode)
  end)

  it("show an execution with its fee in what was received", function()
    placed { orderType = "Market", marketUnit = "baseCoin", qty = "0.01", orderLinkId = "x" }
    local f = fake.get(sb, "/v5/execution/list", "category=spot&orderLinkId=x").result.list[1]
    assert.same({ "BTCUSDT", "Buy", "0.01", "0.00001", "BTC", "Trade", false, "0.001" }, { f.symbol, f.side,
      f.execQty, f.execFee, f.feeCurrency, f.execType, f.isMaker, f.feeRate })
    assert.equal(decimal.mul(f.execPrice, f.execQty), f.execValue)
    assert.equal("[]", json.encode(fake.get(sb, "/v5/execution/list", "category=spot&symbol=ETHUSDT").result.list))
  end)

  it("show the wallet, with what open orders lock", function()
    placed()
    local function coins(query)
      local out = {}
      local wallet = fake.get(sb, "/v5/account/wallet-balance", "accountType=UNIFIED" .. query).result.list[1]
      for _, c in ipairs(wallet.coin) do
        out[c.coin] = c.locked .. " of " .. c.walletBalance
      end
      return out
    end
    assert.same({ BTC = "0 of 100", ETH = "0 of 1000", BNB = "0 of 1000", USDT = "400 of 10000000" }, coins "")
    assert.same({ BTC = "0 of 100", USDT = "400 of 10000000" }, coins "&coin=BTC,USDT")
    assert.equal(10001, fake.get(sb, "/v5/account/wallet-balance", "accountType=SPOT").retCode)
  end)
end)
