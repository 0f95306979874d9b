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
    { 10001, { category = "inverse" } }, { 10001, { category = "inverse", symbol = "-" } },
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
    { 170134, { triggerPrice = "50000.05" } }, { 170227, { isLeverage = 1 } }, { 170227, { timeInForce = "RPI" } },
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

describe("a bybit order with conditions", function()
  before_each(function() sb = fake.venue() end)

  local function spot(path, over)
    local params = { category = "spot", symbol = "BTCUSDT" }
    for name, value in pairs(over) do params[name] = value end
    return fake.post(sb, "/v5/order/" .. path, params)
  end

  local STOP = { side = "Sell", orderType = "Market", qty = "0.1", price = "-", triggerPrice = "59000",
    orderFilter = "StopOrder" }

  it("waits for its price, is triggered, and then an order like any other", function()
    local id = placed(STOP).orderId
    local o = lookup(id)
    assert.same({ "Untriggered", "Stop", "59000", 2, "LastPrice", "0.1" }, { o.orderStatus, o.stopOrderType,
      o.triggerPrice, o.triggerDirection, o.triggerBy, o.leavesQty })
    assert.is_true(decimal.cmp(o.basePrice, "59000") > 0)
    sb.market:move("BTCUSDT", { to = "58900" })
    assert.same({ "Filled", "0.1" }, { lookup(id).orderStatus, lookup(id).cumExecQty })
  end)

  it("is kept behind a filter, and deactivated when it is cancelled before", function()
    local id = placed(STOP).orderId
    local function listed(filter)
      return #fake.get(sb, "/v5/order/realtime", "category=spot&orderFilter=" .. filter).result.list
    end
    assert.same({ 1, 0, 0 }, { listed "StopOrder", listed "tpslOrder", listed "Order" })
    assert.equal(170213, spot("cancel", { orderId = id }).retCode)
    assert.equal(0, spot("amend", { orderId = id, triggerPrice = "58000" }).retCode)
    assert.equal("58000", lookup(id).triggerPrice)
    assert.equal(170204, spot("amend", { orderId = id, triggerPrice = "61000" }).retCode)
    assert.same({ 0, 1 }, { #spot("cancel-all", {}).result.list,
      #spot("cancel-all", { orderFilter = "StopOrder" }).result.list })
    assert.same({ "Deactivated", "CancelByUser" }, { lookup(id).orderStatus, lookup(id).cancelType })
    id = placed(STOP).orderId
    assert.equal(0, spot("cancel", { orderId = id, orderFilter = "StopOrder" }).retCode)
  end)

  it("is refused where its trigger price has been reached", function()
    for _, row in ipairs { { 170203, "1", "59000" }, { 170204, "2", "61000" }, { 170130, "3", "59000" },
      { 170134, "2", "59000.05" } } do
      local over = { triggerDirection = row[2], triggerPrice = row[3] }
      for name, value in pairs(STOP) do over[name] = over[name] or value end
      assert.equal(row[1], create(over).retCode, json.encode(row))
    end
    local over = { triggerBy = "Guess" }
    for name, value in pairs(STOP) do over[name] = over[name] or value end
    assert.equal(170130, create(over).retCode)
  end)

  it("may be the thirtieth of its symbol that waits, not the next", function()
    sb.limits:change_endpoint("/v5/order/create", 100)
    for _ = 1, 30 do placed(STOP) end
    assert.equal(170810, create(STOP).retCode)
    assert.equal(0, create().retCode)
  end)

  it("tolerates so much slippage and no more", function()
    local function market(kind, by, over)
      local asked = { orderType = "Market", marketUnit = "baseCoin", qty = "0.1", slippageToleranceType = kind,
        slippageTolerance = by }
      for name, value in pairs(over or {}) do asked[name] = value end
      return asked
    end
    for _, row in ipairs { { 110108, "TickSize", "0" }, { 110108, "TickSize", "10001" }, { 110108, "TickSize", "1.5" },
      { 110109, "Percent", "10.01" }, { 110109, "Percent", "0.005" }, { 110109, "Percent", "0.011" },
      { 170130, "Guess", "1" } } do
      assert.equal(row[1], create(market(row[2], row[3])).retCode, json.encode(row))
    end
    local best = sb.market:best "BTCUSDT"
    local o = lookup(placed(market("TickSize", "1", { qty = "20" })).orderId)
    assert.same({ "PartiallyFilledCanceled", "TickSize", "1", decimal.add(best.ask, "0.1") }, { o.orderStatus,
      o.slippageToleranceType, o.slippageTolerance, o.price })
    assert.is_true(decimal.cmp(o.cumExecValue, decimal.mul(o.cumExecQty, o.price)) <= 0)
    assert.equal("Filled", lookup(placed(market("Percent", "1", { side = "Sell" })).orderId).orderStatus)
  end)
end)

describe("changing a bybit order", function()
  before_each(function() sb = fake.venue() end)

  local function amend(params)
    params.category, params.symbol = "spot", params.symbol or "BTCUSDT"
    return fake.post(sb, "/v5/order/amend", params)
  end

  it("is acknowledged, and is the same order afterwards", function()
    local order = placed { orderLinkId = "mine" }
    assert.same(order, amend({ orderLinkId = "mine", qty = "0.02", price = "41000" }).result)
    local o = lookup(order.orderId)
    assert.same({ "0.02", "41000", "New" }, { o.qty, o.price, o.orderStatus })
  end)

  it("says what is wrong with it", function()
    sb.limits:change_endpoint("/v5/order/amend", 100)
    local id = placed().orderId
    for _, row in ipairs {
      { 10001, {} }, { 170213, { orderId = "7", qty = "1" } }, { 170121, { symbol = "NOSUCH", orderId = id } },
      { 10001, { orderId = id } }, { 10001, { orderId = id, qty = "0.01", price = "40000.0" } },
      { 170137, { orderId = id, qty = "0.0000001" } }, { 170134, { orderId = id, price = "40000.05" } },
      { 170130, { orderId = id, price = "-1" } }, { 170140, { orderId = id, qty = "0.0001" } },
      { 170193, { orderId = id, price = "70000" } }, { 170131, { orderId = id, qty = "80", price = "60000" }, 4 },
    } do
      for _ = 1, row[3] or 0 do placed { qty = "50", price = "40000" } end
      assert.equal(row[1], amend(row[2]).retCode, json.encode(row[2]))
    end
    fake.post(sb, "/v5/order/cancel-all", { category = "spot" })
    local best = sb.market:best "BTCUSDT"
    id = placed({ side = "Sell", price = "60500", timeInForce = "PostOnly" }).orderId
    assert.equal(170218, amend({ orderId = id, price = best.bid }).retCode)
    assert.equal("60500", lookup(id).price)
    id = placed({ qty = "50", price = best.ask }).orderId
    assert.equal(170313, amend({ orderId = id, qty = "0.001" }).retCode)
    fake.post(sb, "/v5/order/cancel", { category = "spot", symbol = "BTCUSDT", orderId = id })
    assert.equal(170213, amend({ orderId = id, qty = "60" }).retCode)
  end)

  it("is refused while the market is halted, as is a new one", function()
    local id = placed().orderId
    sb.market:halt("BTCUSDT", true)
    assert.same({ 170151, 170151 }, { amend({ orderId = id, qty = "0.02" }).retCode, create().retCode })
    assert.equal(0, fake.post(sb, "/v5/order/cancel", { category = "spot", symbol = "BTCUSDT", orderId = id }).retCode)
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

describe("the settings of a bybit account", function()
  before_each(function() sb = fake.venue() end)

  it("decide what becomes of prices outside the band", function()
    local function action(enable)
      return fake.post(sb, "/v5/account/set-limit-px-action", { category = "spot", modifyEnable = enable }).retCode
    end
    local limits = fake.get(sb, "/v5/market/price-limit", "category=spot&symbol=BTCUSDT").result
    assert.same({ 0, 170193 }, { create({ price = limits.buyLmt, timeInForce = "IOC" }).retCode,
      create({ price = decimal.add(limits.buyLmt, "0.1") }).retCode })
    assert.same({ 10001, 0 }, { action "perhaps", action(true) })
    assert.is_true(fake.get(sb, "/v5/account/user-setting-config").result.lpaSpot)
    local id = placed({ side = "Sell", price = "50000", timeInForce = "IOC" }).orderId
    assert.equal(limits.sellLmt, lookup(id).price)
  end)

  it("name its margin mode", function()
    local function mode(name) return fake.post(sb, "/v5/account/set-margin-mode", { setMarginMode = name }).retCode end
    assert.same({ 110026, 10001, 0 }, { mode "REGULAR_MARGIN", mode "CROSS", mode "ISOLATED_MARGIN" })
    assert.equal("ISOLATED_MARGIN", fake.get(sb, "/v5/account/info").result.marginMode)
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

  it("show each coin with what could be transferred, and an account for funding that is empty", function()
    local function coins(query)
      local out = {}
      for i, row in ipairs(fake.get(sb, "/v5/asset/transfer/query-account-coins-balance", query).result.balance) do
        out[i] = table.concat({ row.coin, row.walletBalance, row.transferBalance, row.bonus }, " ")
      end
      return out
    end
    assert.same({ "USDT 10000000 10000000 ", "BTC 100 100 " }, coins "accountType=UNIFIED&coin=USDT,BTC")
    placed { price = "58000", qty = "1" }
    assert.same({ "USDT 10000000 9942000 " }, coins "accountType=UNIFIED&coin=USDT")
    assert.same({ "USDT 0 0 " }, coins "accountType=FUND&coin=USDT")
    for query, msg in pairs { ["accountType=UNIFIED"] = "params error: coin is required",
      ["coin=USDT"] = "params error: accountType invalid" } do
      local answer = fake.get(sb, "/v5/asset/transfer/query-account-coins-balance", query)
      assert.same({ 10001, msg }, { answer.retCode, answer.retMsg })
    end
  end)
end)
