-- Contracts of the bybit sandbox: orders that only reduce or wait, positions, their stops, funding, liquidation.
local decimal = require "smc.decimal"
local fake = require "bybit_fake"
local json = require "smc.json"
local sign = require "smc.core.sign"
local smc = require "smc"

local sb

local function post(path, over)
  local params = { category = "linear", symbol = "BTCUSDT" }
  for name, value in pairs(over or {}) do params[name] = value end
  for name, value in pairs(params) do
    if value == "-" then params[name] = nil end
  end
  return fake.post(sb, "/v5/" .. path, params)
end

local function get(path, query) return fake.get(sb, "/v5/" .. path, "category=linear" .. (query or "")) end

local function order(over)
  local o = { side = "Buy", orderType = "Limit", qty = "0.1", price = "58000" }
  for name, value in pairs(over or {}) do o[name] = value end
  return o
end

local function create(over) return post("order/create", order(over)) end

--- Places an order that must be taken in; its row as it is then.
local function placed(over)
  local answer = create(over)
  assert.same({ 0, "OK" }, { answer.retCode, answer.retMsg })
  return answer.result.orderId
end

local function row(id) return get("order/realtime", "&orderId=" .. id).result.list[1] end

local function trade(side, qty, over)
  local o = { side = side, orderType = "Market", qty = qty, price = "-" }
  for name, value in pairs(over or {}) do o[name] = value end
  return row(placed(o))
end

local function position(symbol) return get("position/list", "&symbol=" .. (symbol or "BTCUSDT")).result.list[1] end

local function usdt()
  local wallet = fake.get(sb, "/v5/account/wallet-balance", "accountType=UNIFIED&coin=USDT").result.list[1]
  return wallet.coin[1], wallet
end

local function move(to, symbol)
  sb.market:move((symbol or "BTCUSDT") .. ".P", { to = to })
  sb:settle()
end

before_each(function() sb = fake.venue() end)
after_each(function() sb:close() end)

describe("an order in a bybit contract", function()
  for _, case in ipairs {
    { 10001, { category = "linear", symbol = "-" } }, { 10001, { symbol = "NOSUCH" } }, { 10001, { side = "-" } },
    { 10001, { side = "buy" } }, { 10001, { orderType = "LIMIT" } }, { 10001, { timeInForce = "DAY" } },
    { 10001, { timeInForce = "RPI" } }, { 10001, { qty = "1e3" } }, { 10001, { qty = "0.0009" } },
    { 10001, { qty = "0.0015" } }, { 10001, { qty = "1000.001" } },
    { 10001, { orderType = "Market", qty = "400.001" } }, { 10001, { price = "58000.05" } },
    { 110003, { price = "2000000" } }, { 110003, { price = "0" } }, { 110094, { qty = "0.001", price = "4000" } },
    { 110007, { qty = "300", price = "59000", orderLinkId = "x" }, "1" }, { 10001, { positionIdx = 1 } },
    { 110017, { reduceOnly = true } }, { 110090, { qty = "350", price = "59900" } },
    { 110092, { triggerPrice = "58000", triggerDirection = 1 } },
    { 110093, { triggerPrice = "62000", triggerDirection = 2 } }, { 10001, { triggerPrice = "62000" } },
    { 10001, { triggerPrice = "62000", triggerDirection = 3 } }, { 10001, { triggerBy = "Mid" } },
    { 10001, { takeProfit = "57000" } }, { 10001, { stopLoss = "59000" } }, { 10001, { stopLoss = "low" } },
    { 110108, { orderType = "Market", slippageToleranceType = "TickSize", slippageTolerance = "0" } },
    { 110109, { orderType = "Market", slippageToleranceType = "Percent", slippageTolerance = "10.01" } },
    { 10001, { orderLinkId = ("x"):rep(37) } },
  } do
    it(("is refused with %d for %s"):format(case[1], json.encode(case[2])), function()
      if case[3] then
        assert.equal(0, post("position/set-leverage", { buyLeverage = case[3], sellLeverage = case[3] }).retCode)
      end
      local answer, ex = create(case[2])
      assert.same({ 200, case[1], "{}" }, { ex.status, answer.retCode, json.encode(answer.result) })
      assert.same({}, sb.ledger.list)
    end)
  end

  it("has ids of another form than in category spot, and a link of its own", function()
    local answer = create { orderLinkId = "mine" }
    assert.matches("^%x+%-%x+%-4%x+%-%x+%-%x+$", answer.result.orderId)
    assert.equal("mine", answer.result.orderLinkId)
    assert.equal(110072, create({ orderLinkId = "mine" }).retCode)
    assert.equal("", create().result.orderLinkId)
    local spot = fake.post(sb, "/v5/order/create", { category = "spot", symbol = "BTCUSDT", side = "Buy",
      orderType = "Limit", qty = "0.1", price = "58000", orderLinkId = "mine" })
    assert.equal(0, spot.retCode)
  end)

  it("is told apart from one of category spot by its fields", function()
    local o = row(placed())
    assert.same({ "BTCUSDT", "New", "CreateByUser", "", 0, false, "" }, { o.symbol, o.orderStatus, o.createType,
      o.isLeverage, o.positionIdx, o.reduceOnly, o.tpslMode })
    assert.is_nil(o.basePrice)
    assert.same({}, fake.get(sb, "/v5/order/realtime", "category=spot").result.list)
  end)

  it("ties up a margin, not the price", function()
    local before = usdt()
    placed { qty = "1", price = "59000" }
    local after = usdt()
    assert.same({ before.walletBalance, "0", "5900" }, { after.walletBalance, after.locked, after.totalOrderIM })
  end)

  it("outside the band is moved to its edge, or refused by who wants that", function()
    local id = placed { side = "Sell", price = "50000", timeInForce = "PostOnly" }
    assert.is_true(decimal.cmp(row(id).price, "58000") > 0)
    assert.equal(0, post("account/set-limit-px-action", { modifyEnable = false }).retCode)
    assert.same({ 110120, 110121 }, { create({ side = "Sell", price = "50000" }).retCode,
      create({ price = "70000" }).retCode })
    local limits = fake.get(sb, "/v5/market/price-limit", "symbol=BTCUSDT").result
    assert.equal(0, create({ price = limits.buyLmt, timeInForce = "IOC" }).retCode)
    assert.equal(110121, create({ price = decimal.add(limits.buyLmt, "0.1") }).retCode)
    local settings = fake.get(sb, "/v5/account/user-setting-config").result
    assert.same({ false, true }, { settings.lpaSpot, settings.lpaPerp }) -- lpaPerp: refused
    assert.equal(0, fake.post(sb, "/v5/account/set-limit-px-action", { category = "inverse",
      modifyEnable = true }).retCode) -- of all contracts
    assert.is_false(fake.get(sb, "/v5/account/user-setting-config").result.lpaPerp)
  end)

  it("is cancelled where spot would be rejected or filled in part", function()
    local late = row(placed { side = "Sell", price = "59900", timeInForce = "PostOnly" })
    assert.same({ "Cancelled", "EC_PostOnlyWillTakeLiquidity" }, { late.orderStatus, late.rejectReason })
    local best = sb.market:best "BTCUSDT.P"
    local part = row(placed { qty = "100", price = best.ask, timeInForce = "IOC" })
    assert.same({ "Cancelled", "EC_CancelForNoFullFill", true }, { part.orderStatus, part.rejectReason,
      decimal.cmp(part.cumExecQty, "0") > 0 })
  end)

  it("that is gone is called so when it is to be cancelled or changed", function()
    local id = placed()
    assert.equal(0, post("order/cancel", { orderId = id }).retCode)
    local answer = post("order/cancel", { orderId = id })
    assert.same({ 110001, "order not exists or too late to cancel" }, { answer.retCode, answer.retMsg })
    answer = post("order/amend", { orderId = id, qty = "1" })
    assert.same({ 110001, "order not exists or too late to replace" }, { answer.retCode, answer.retMsg })
  end)

  it("is changed in price and quantity, and keeps its id", function()
    local id = placed { orderLinkId = "a" }
    assert.equal(id, post("order/amend", { orderLinkId = "a", qty = "0.2", price = "57000" }).result.orderId)
    assert.same({ "0.2", "57000", "New" }, { row(id).qty, row(id).price, row(id).orderStatus })
    local same = post("order/amend", { orderId = id, qty = "0.2" })
    assert.same({ 10001, "order not modified" }, { same.retCode, same.retMsg })
    assert.equal(10001, post("order/amend", { orderId = id, qty = "0.2001" }).retCode)
    id = placed { qty = "50", price = sb.market:best("BTCUSDT.P").ask }
    assert.equal(110064, post("order/amend", { orderId = id, qty = "0.001" }).retCode)
    id = placed { triggerPrice = "62000", triggerDirection = 1, price = "63000" }
    assert.equal(110092, post("order/amend", { orderId = id, triggerPrice = "50000" }).retCode)
  end)

  it("is refused while its contract is halted", function()
    sb.market:halt("BTCUSDT.P", true)
    assert.equal(110074, create().retCode)
  end)

  it("must be asked for with a symbol or a coin, in lists and in cancelling all", function()
    placed()
    placed { symbol = "ETHUSDT", price = "2900" }
    assert.equal(10001, get("order/realtime").retCode)
    assert.equal(10001, post("order/cancel-all", { symbol = "-" }).retCode)
    assert.equal(2, #get("order/realtime", "&settleCoin=USDT").result.list)
    assert.equal(1, #get("order/realtime", "&baseCoin=ETH").result.list)
    assert.equal(1, #post("order/cancel-all", { symbol = "-", baseCoin = "ETH" }).result.list)
    assert.equal(1, #post("order/cancel-all", { symbol = "-", settleCoin = "USDT" }).result.list)
  end)

  it("may be the 500th of its symbol that is open, and the tenth that waits", function()
    sb.limits:change_endpoint("/v5/order/create", 2000)
    for _ = 1, 10 do placed { triggerPrice = "62000", triggerDirection = 1, qty = "0.001" } end
    assert.equal(110009, create({ triggerPrice = "62000", triggerDirection = 1 }).retCode)
    for _ = 11, 500 do placed { qty = "0.001" } end
    assert.equal(110020, create({ qty = "0.001" }).retCode)
    assert.equal(0, create({ symbol = "ETHUSDT", price = "2900" }).retCode)
  end)

  it("may tolerate so much slippage", function()
    local best = sb.market:best "BTCUSDT.P"
    local o = trade("Buy", "100", { slippageToleranceType = "TickSize", slippageTolerance = "1" })
    assert.same({ "Cancelled", "TickSize", "1", decimal.add(best.ask, "0.1") }, { o.orderStatus,
      o.slippageToleranceType, o.slippageTolerance, o.price })
    assert.is_true(decimal.cmp(o.avgPrice, o.price) <= 0)
    o = trade("Sell", "0.01", { slippageToleranceType = "Percent", slippageTolerance = "0.5" })
    assert.equal("Filled", o.orderStatus)
  end)
end)

describe("a bybit position", function()
  it("is a row even when flat, by symbol; by coin it is not", function()
    local p = position()
    assert.same({ "", "0", "10", -1 }, { p.side, p.size, p.leverage, p.seq })
    assert.same({}, get("position/list", "&settleCoin=USDT").result.list)
    assert.equal(10001, get("position/list").retCode)
    assert.equal("Illegal category", fake.get(sb, "/v5/position/list", "category=spot&symbol=BTCUSDT").retMsg)
    local inverse = fake.get(sb, "/v5/position/list", "category=inverse&limit=200")
    assert.same({ 0, "[]" }, { inverse.retCode, json.encode(inverse.result.list) })
  end)

  it("opens at what was paid, and is worth what the mark says", function()
    local before = usdt().walletBalance
    local o = trade("Buy", "0.5")
    local p = position()
    assert.same({ "Buy", "0.5", o.avgPrice }, { p.side, p.size, decimal.format(p.avgPrice) })
    assert.equal(o.cumExecFee, decimal.sub(before, usdt().walletBalance))
    assert.equal(decimal.mul(o.cumExecValue, "0.00055", 8, "down"), o.cumExecFee)
    move "61000"
    p = position()
    assert.equal(decimal.mul(decimal.sub(p.markPrice, p.avgPrice), "0.5", 8), p.unrealisedPnl)
    local coin, wallet = usdt()
    assert.equal(p.unrealisedPnl, coin.unrealisedPnl)
    assert.equal(decimal.add(coin.walletBalance, coin.unrealisedPnl), coin.equity)
    assert.same({ p.positionIM, p.positionMM }, { coin.totalPositionIM, coin.totalPositionMM })
    assert.equal(wallet.totalInitialMargin, coin.totalPositionIM)
  end)

  it("is only made smaller by an order that says so", function()
    trade("Buy", "0.5")
    local same = create { reduceOnly = true }
    assert.same({ 110017, "reduce-only order has same side with current position" }, { same.retCode, same.retMsg })
    local o = trade("Sell", "2", { reduceOnly = true })
    assert.same({ "0.5", true, "Filled" }, { o.cumExecQty, o.reduceOnly, o.orderStatus })
    assert.equal("0", position().size)
  end)

  it("is closed whole by quantity zero", function()
    trade("Sell", "0.3")
    local o = trade("Buy", "0", { reduceOnly = true, closeOnTrigger = true })
    assert.same({ "0.3", "0" }, { o.cumExecQty, position().size })
  end)

  it("leaves behind what its closing brought", function()
    local bought = trade("Buy", "0.4")
    local sold = trade("Sell", "0.1", { reduceOnly = true })
    local c = get("position/closed-pnl", "&symbol=BTCUSDT").result.list[1]
    assert.same({ sold.orderId, "Sell", "0.1", "10", "Trade" }, { c.orderId, c.side, c.closedSize, c.leverage,
      c.execType })
    assert.equal(sold.cumExecValue, c.cumExitValue)
    assert.is_true(decimal.cmp(decimal.abs(decimal.sub(c.avgEntryPrice, bought.avgPrice)), "0.01") < 0)
    local fill = get("execution/list", "&orderId=" .. sold.orderId).result.list[1]
    assert.same({ "0.1", "USDT", "BTCUSDT" }, { fill.closedSize, fill.feeCurrency, fill.symbol })
    assert.equal("0", get("execution/list", "&orderId=" .. bought.orderId).result.list[1].closedSize)
  end)

  it("brings in all what it takes out of the wallet, its fees for opening too", function()
    local before = usdt().walletBalance
    trade("Buy", "0.4")
    move "60500"
    trade("Sell", "0.1", { reduceOnly = true })
    trade("Buy", "0.2")
    trade("Sell", "0.7") -- closes half a coin, and opens a fifth on the other side
    move "60000"
    trade("Buy", "0.2", { reduceOnly = true })
    local sum = "0"
    local list = get("position/closed-pnl", "&symbol=BTCUSDT").result.list
    for _, c in ipairs(list) do
      sum = decimal.add(sum, c.closedPnl)
      assert.is_true(decimal.cmp(c.openFee, "0") > 0 and decimal.cmp(c.closeFee, "0") > 0)
    end
    assert.equal(3, #list)
    assert.is_true(decimal.cmp(decimal.abs(decimal.sub(sum, decimal.sub(usdt().walletBalance, before))), "0.00001") < 0)
  end)

  it("is in the log of what changed the wallet, as is what was bought", function()
    local function log(query) return fake.get(sb, "/v5/account/transaction-log", query or "").result.list end
    sb.market:credit(sb.first_account, "USDT", "500")
    sb:settle()
    local before = usdt().walletBalance
    trade("Buy", "0.4")
    move "60500"
    local sold = trade("Sell", "0.1", { reduceOnly = true })
    local bought = fake.post(sb, "/v5/order/create", { category = "spot", symbol = "BTCUSDT", side = "Buy",
      orderType = "Market", qty = "0.01", marketUnit = "baseCoin" }).result.orderId
    local list, sum = log "accountType=UNIFIED&currency=USDT&limit=50", "0"
    assert.equal(usdt().walletBalance, list[1].cashBalance)
    for i, r in ipairs(list) do
      assert.equal(decimal.sub(decimal.add(r.cashFlow, r.funding ~= "" and r.funding or "0"), r.fee), r.change)
      local after = list[i - 1]
      if after then assert.equal(decimal.add(r.cashBalance, after.change), after.cashBalance) end
      if r.type ~= "TRANSFER_IN" then sum = decimal.add(sum, r.change) end
    end
    assert.equal(decimal.sub(usdt().walletBalance, before), sum)
    local given = list[#list - 1] -- the last row is of what the account began with
    assert.same({ "TRANSFER_IN", "500", "None", before }, { given.type, given.change, given.side, given.cashBalance })
    local closing = log "category=linear&type=TRADE"[1]
    assert.same({ sold.orderId, "Sell", "0.3", "BTCUSDT", "0.00055" }, { closing.orderId, closing.side, closing.size,
      closing.symbol, closing.feeRate })
    local coin = log "category=spot&currency=BTC"[1]
    assert.same({ bought, "0.01", "0.00001", "0.00999" }, { coin.orderId, coin.qty, coin.fee, coin.change })
    assert.same({}, log "type=SETTLEMENT")
    assert.equal(10001, fake.get(sb, "/v5/account/transaction-log", "category=futures").retCode)
  end)

  it("has a leverage, which is set once and within bounds", function()
    local function set(buy, sell)
      return post("position/set-leverage", { buyLeverage = buy, sellLeverage = sell or buy }).retCode
    end
    assert.same({ 110043, 0, 110043, 110013, 110013, 10001, 10001 }, { set "10", set "25", set "25", set "100.5",
      set "0.5", set("5", "6"), set "many" })
    trade("Buy", "0.1")
    local p = position()
    assert.equal("25", p.leverage)
    assert.equal(decimal.mul(decimal.mul("0.1", p.markPrice), "0.04", 8), p.positionIM)
    assert.equal(0, fake.post(sb, "/v5/account/set-margin-mode", { setMarginMode = "PORTFOLIO_MARGIN" }).retCode)
    assert.equal(110038, set "5")
  end)

  it("pays for being held every eight hours, or is paid", function()
    trade("Buy", "1")
    local before = usdt().walletBalance
    local ticker = get("market/tickers", "&symbol=BTCUSDT").result.list[1]
    assert.equal(0, math.tointeger(tonumber(ticker.nextFundingTime)) % (8 * 3600 * 1000))
    assert.equal(ticker.nextFundingTime, tostring(sb.funding_due))
    local due = smc.wall() + 5000
    sb.funding_due = due -- a spec does not last eight hours
    smc.sleep(10)
    local f = get("execution/list", "&execType=Funding").result.list[1]
    assert.same({ "Funding", "1", tostring(due) }, { f.execType, f.execQty, f.execTime })
    assert.equal(decimal.mul(f.execValue, f.feeRate, 8), f.execFee)
    assert.equal(f.execFee, decimal.sub(before, usdt().walletBalance))
    local settled = fake.get(sb, "/v5/account/transaction-log", "type=SETTLEMENT").result.list
    assert.same({ 1, decimal.neg(f.execFee), "0", usdt().walletBalance, "1", f.feeRate }, { #settled,
      settled[1].funding, settled[1].fee, settled[1].cashBalance, settled[1].size, settled[1].feeRate })
    assert.same({}, fake.get(sb, "/v5/account/transaction-log", "type=TRANSFER_OUT").result.list)
    assert.equal(0, #get("execution/list", "&execType=Trade&startTime=" .. due).result.list)
    local past = get("market/funding/history", "&symbol=BTCUSDT&limit=2").result.list
    assert.same({ "0.0001", 8 * 3600 * 1000 }, { past[1].fundingRate,
      past[1].fundingRateTimestamp - past[2].fundingRateTimestamp })
    assert.equal(f.feeRate, sb.funding_rates[1].rate)
  end)

  it("is closed by the venue when the account can't hold it", function()
    local sock = fake.connect(sb, "/v5/public/linear")
    sock:say '{"op":"subscribe","args":["allLiquidation.BTCUSDT"]}'
    post("position/set-leverage", { buyLeverage = "100", sellLeverage = "100" })
    sb.market:quote("BTCUSDT.P", { level_qty = "400" })
    trade("Buy", "300")
    local waiting = placed { qty = "1", price = "20000" }
    move "25000"
    assert.equal("0", position().size)
    assert.same({ "Cancelled", "CancelAllBeforeLiq" }, { row(waiting).orderStatus, row(waiting).cancelType })
    local last = get("order/history", "&symbol=BTCUSDT").result.list[1]
    assert.same({ "CreateByLiq", "Sell", "300", "" }, { last.createType, last.side, last.cumExecQty,
      last.lastPriceOnCreated })
    assert.equal("BustTrade", get("execution/list", "&orderId=" .. last.orderId).result.list[1].execType)
    smc.sleep(1)
    local told
    for _, frame in ipairs(fake.frames(sock)) do
      if frame.topic then told = frame.data[1] end
    end
    assert.same({ "BTCUSDT", "Buy" }, { told.s, told.S })
    sock:close(1000)
  end)
end)

describe("an order that waits for a price, at bybit", function()
  it("is untriggered, then triggered, then an order like any other", function()
    local id = placed { side = "Sell", orderType = "Market", price = "-", triggerPrice = "59000", triggerDirection = 2 }
    local o = row(id)
    assert.same({ "Untriggered", "59000", 2, "LastPrice", "Stop", "CreateByStopOrder" }, { o.orderStatus,
      o.triggerPrice, o.triggerDirection, o.triggerBy, o.stopOrderType, o.createType })
    assert.equal(1, #get("order/realtime", "&symbol=BTCUSDT&orderFilter=StopOrder").result.list)
    assert.equal(0, #get("order/realtime", "&symbol=BTCUSDT&orderFilter=Order").result.list)
    move "58900"
    assert.same({ "Filled", "Sell" }, { row(id).orderStatus, position().side })
  end)

  it("may watch the mark, and be changed or cancelled meanwhile", function()
    local id = placed { triggerPrice = "62000", triggerDirection = 1, triggerBy = "MarkPrice", price = "63000" }
    assert.equal(0, post("order/amend", { orderId = id, triggerPrice = "61000" }).retCode)
    assert.same({ "61000", "MarkPrice" }, { row(id).triggerPrice, row(id).triggerBy })
    assert.equal(0, post("order/cancel", { orderId = id }).retCode)
    assert.same({ "Deactivated", "CancelByUser" }, { row(id).orderStatus, row(id).cancelType })
  end)
end)

describe("the stops of a bybit position", function()
  local function stop(over)
    over.positionIdx = 0
    return post("position/trading-stop", over)
  end

  it("need a position, a price on the right side, and a change", function()
    sb.limits:change_endpoint("/v5/position/trading-stop", 100)
    assert.equal("can not set tp/sl/ts for zero position", stop({ takeProfit = "61000" }).retMsg)
    trade("Buy", "0.1")
    assert.matches("^TakeProfit:59000 set for Buy position should be higher than base_price:",
      stop({ takeProfit = "59000" }).retMsg)
    assert.equal(10001, stop({ stopLoss = "61000" }).retCode)
    for _, wrong in ipairs { { stopLoss = "59000.05" }, { stopLoss = "low" },
      { stopLoss = "59000", slTriggerBy = "Mid" }, { tpslMode = "Partial", takeProfit = "61000", tpSize = "0.0001" },
      { tpslMode = "Partial", takeProfit = "61000", tpSize = "0.1", tpOrderType = "Limit", tpLimitPrice = "x" },
      { trailingStop = "-1" } } do
      assert.equal(10001, stop(wrong).retCode, json.encode(wrong))
    end
    assert.same({ "", "", "0" }, { position().takeProfit, position().stopLoss, position().trailingStop })
    assert.equal(0, stop({ takeProfit = "61000", stopLoss = "59000" }).retCode)
    assert.equal(34040, stop({ takeProfit = "61000" }).retCode)
    assert.same({ "61000", "59000" }, { position().takeProfit, position().stopLoss })
    assert.equal(0, stop({ stopLoss = "0" }).retCode)
    assert.same({ "61000", "" }, { position().takeProfit, position().stopLoss })
  end)

  it("grow and shrink with it, and go with it", function()
    trade("Buy", "0.1")
    stop { takeProfit = "61000", stopLoss = "59000" }
    trade("Buy", "0.2")
    local list = get("order/realtime", "&symbol=BTCUSDT").result.list
    assert.same({ "0.3", "0.3" }, { list[1].qty, list[2].qty })
    trade("Sell", "0.25")
    move "61100"
    assert.same({ "0", "" }, { position().size, position().takeProfit })
    assert.same({}, get("order/realtime", "&symbol=BTCUSDT").result.list)
    local done = get("order/history", "&symbol=BTCUSDT&orderStatus=Filled").result.list
    local by_take_profit
    for _, o in ipairs(done) do
      if o.createType == "CreateByTakeProfit" then by_take_profit = o end
    end
    assert.same({ "TakeProfit", "0.05", true, true }, { by_take_profit.stopOrderType, by_take_profit.cumExecQty,
      by_take_profit.reduceOnly, by_take_profit.closeOnTrigger })
  end)

  it("may come with the order that opens it", function()
    trade("Sell", "0.1", { takeProfit = "58000", stopLoss = "61000", slTriggerBy = "MarkPrice" })
    local p = position()
    assert.same({ "58000", "61000" }, { p.takeProfit, p.stopLoss })
    move "61200"
    assert.equal("0", position().size)
  end)

  it("may change while the order rests", function()
    local id = placed { price = "59000", takeProfit = "62000" }
    assert.equal(10001, post("order/amend", { orderId = id, takeProfit = "58000" }).retCode)
    assert.equal(0, post("order/amend", { orderId = id, takeProfit = "61500", stopLoss = "50000" }).retCode)
    assert.same({ "61500", "50000" }, { row(id).takeProfit, row(id).stopLoss })
    move "58900"
    assert.same({ "0.1", "61500", "50000" }, { position().size, position().takeProfit, position().stopLoss })
  end)

  it("may be of a part, and at a limit", function()
    trade("Buy", "0.4")
    assert.equal(0, stop({ tpslMode = "Partial", takeProfit = "61000", tpSize = "0.1",
      tpOrderType = "Limit", tpLimitPrice = "61000" }).retCode)
    local o = get("order/realtime", "&symbol=BTCUSDT").result.list[1]
    assert.same({ "PartialTakeProfit", "0.1", "Limit", "61000" }, { o.stopOrderType, o.qty, o.orderType, o.price })
    assert.equal("", position().takeProfit)
  end)

  it("may be of a part, and at a limit, when they come with an order: of what it has traded", function()
    for _, wrong in ipairs { { tpslMode = "Half" }, { tpslMode = "Full", tpOrderType = "Limit" },
      { takeProfit = "61000", tpOrderType = "Limit", tpLimitPrice = "60900" },
      { tpslMode = "Partial", takeProfit = "61000", tpOrderType = "Limit" },
      { tpslMode = "Partial", takeProfit = "61000", tpOrderType = "Limit", tpLimitPrice = "60900.05" } } do
      assert.equal(10001, create(wrong).retCode, json.encode(wrong))
    end
    trade("Buy", "0.1")
    local id = placed { price = "59000", qty = "0.2", tpslMode = "Partial", takeProfit = "61000",
      tpOrderType = "Limit", tpLimitPrice = "60900", stopLoss = "57000" }
    assert.same({ "Partial", "60900", "0" }, { row(id).tpslMode, row(id).tpLimitPrice, row(id).slLimitPrice })
    local own = sb.ledger.by_id[id].engine_id
    sb.market:fill { account = sb.first_account, symbol = "BTCUSDT.P", id = own, qty = "0.05" }
    sb:settle()
    move "58900"
    local seen = {}
    for _, o in ipairs(get("order/realtime", "&symbol=BTCUSDT&orderFilter=StopOrder").result.list) do
      seen[#seen + 1] = table.concat({ o.stopOrderType, o.qty, o.orderType, o.price, o.triggerPrice }, " ")
    end
    table.sort(seen)
    assert.same({ "PartialStopLoss 0.05 Market 0 57000", "PartialStopLoss 0.15 Market 0 57000",
      "PartialTakeProfit 0.05 Limit 60900 61000", "PartialTakeProfit 0.15 Limit 60900 61000" }, seen)
    assert.same({ "0.3", "", "" }, { position().size, position().takeProfit, position().stopLoss })
  end)

  it("may trail the price", function()
    trade("Buy", "0.1")
    assert.equal(0, stop({ trailingStop = "500" }).retCode)
    assert.equal("500", position().trailingStop)
    move "61000"
    assert.equal("0.1", position().size)
    move "60300"
    assert.equal("0", position().size)
  end)
end)

describe("the streams of bybit contracts", function()
  it("have a ticker that is whole once, then tells what has changed", function()
    local sock = fake.connect(sb, "/v5/public/linear")
    sock:say '{"op":"subscribe","args":["tickers.BTCUSDT","publicTrade.BTCUSDT","orderbook.500.BTCUSDT"]}'
    smc.sleep(5)
    local list = fake.frames(sock)
    assert.same({ true, "" }, { list[1].success, list[1].ret_msg })
    local seen = { tickers = {}, publicTrade = {}, orderbook = {} }
    for _, f in ipairs(list) do
      if f.topic then table.insert(seen[f.topic:match "^%a+"], f) end
    end
    local first, second = seen.tickers[1], seen.tickers[2]
    assert.same({ "snapshot", "delta", "BTCUSDT" }, { first.type, second.type, second.data.symbol })
    assert.is_not_nil(first.data.openInterestValue)
    assert.is_not_nil(first.data.markPrice)
    assert.is_nil(first.data.usdIndexPrice)
    local whole, changed = 0, 0
    for _ in pairs(first.data) do whole = whole + 1 end
    for name, value in pairs(second.data) do
      changed = changed + 1
      assert.is_true(name == "symbol" or first.data[name] ~= value, name)
    end
    assert.is_true(changed < whole)
    local traded = seen.publicTrade[1].data[1]
    assert.matches("Tick$", traded.L)
    assert.matches("^%x+%-0000%-5000%-", traded.i)
    assert.equal("snapshot", seen.orderbook[1].type)
    sock:say '{"op":"subscribe","args":["allLiquidation.BTCUSDT","orderbook.30.BTCUSDT"]}'
    sock:say '{"op":"subscribe","args":["allLiquidation.BTCUSDT"]}'
    local acks = fake.frames(sock)
    assert.same({ false, true }, { acks[1].success, acks[2].success })
    sock:say '{"op":"ping"}'
    local pong = fake.frames(sock)
    assert.same({ "pong", "" }, { pong[#pong].ret_msg, pong[#pong].req_id })
    sock:close(1000)
  end)

  it("tell an account of its orders, executions and positions", function()
    local sock = fake.connect(sb, "/v5/private")
    local expires = smc.wall() + 10000
    sock:say(json.encode { op = "auth", args = json.array { sb.key, expires,
      sign.key("hmac", sb.secret):sign("GET/realtime" .. expires) } })
    sock:say '{"op":"subscribe","args":["order.linear","order"]}'
    sock:say '{"op":"subscribe","args":["order.linear","execution.linear","position.linear","wallet"]}'
    sock:say '{"op":"subscribe","args":["execution.fast.linear"]}'
    local acks = fake.frames(sock)
    assert.same({ true, false, true, true }, { acks[1].success, acks[2].success, acks[3].success, acks[4].success })
    trade("Buy", "0.01")
    local by_topic, names = {}, {}
    for _, f in ipairs(fake.frames(sock)) do
      by_topic[f.topic] = f
      names[#names + 1] = f.topic
    end
    assert.same({ "order.linear", "execution.fast.linear", "execution.linear", "order.linear", "wallet",
      "position.linear" }, names)
    local o, e = by_topic["order.linear"].data[1], by_topic["execution.linear"].data[1]
    assert.same({ "linear", "Filled", "UNKNOWN", "0" }, { o.category, o.orderStatus, o.tpslMode, o.closedPnl })
    assert.same({ "linear", "0.01", "0", "CreateByUser" }, { e.category, e.execQty, e.closedSize, e.createType })
    local p = by_topic["position.linear"].data[1]
    assert.same({ "linear", "Buy", "0.01", e.execPrice }, { p.category, p.side, p.size, p.entryPrice })
    assert.is_nil(p.avgPrice)
    sock:close(1000)
  end)
end)

describe("the public data of bybit contracts", function()
  it("is apart from that of category spot", function()
    local btc = get("market/instruments-info", "&symbol=BTCUSDT").result.list[1]
    assert.same({ "LinearPerpetual", "USDT", "100.00", "0.001" }, { btc.contractType, btc.settleCoin,
      btc.leverageFilter.maxLeverage, btc.lotSizeFilter.qtyStep })
    assert.equal(0, #get("market/instruments-info", "&status=PreLaunch").result.list)
    assert.equal(3, #get("market/tickers").result.list)
    assert.equal(20, #get("market/orderbook", "&symbol=BTCUSDT").result.b) -- all that there are
    assert.equal(500, #get("market/recent-trade", "&symbol=BTCUSDT").result.list)
    assert.equal("linear", fake.get(sb, "/v5/market/kline", "symbol=BTCUSDT&interval=1").result.category)
    assert.equal(5, #get("market/mark-price-kline", "&symbol=BTCUSDT&interval=1&limit=1").result.list[1])
    assert.equal(5, #get("market/index-price-kline", "&symbol=BTCUSDT&interval=1&limit=1").result.list[1])
    local premium = get("market/premium-index-price-kline", "&symbol=BTCUSDT&interval=1&limit=3").result
    local marks = get("market/mark-price-kline", "&symbol=BTCUSDT&interval=1&limit=3").result.list
    local indices = get("market/index-price-kline", "&symbol=BTCUSDT&interval=1&limit=3").result.list
    for i, candle in ipairs(premium.list) do
      local share = decimal.div(decimal.sub(marks[i][5], indices[i][5]), indices[i][5], 6)
      assert.same({ 5, marks[i][1], share }, { #candle, candle[1], decimal.format(candle[5]) })
      for column = 2, 5 do
        assert.is_true(decimal.le(candle[column], candle[3]) and decimal.le(candle[4], candle[column]))
      end
    end
    assert.same({ "linear", "BTCUSDT", 3 }, { premium.category, premium.symbol, #premium.list })
    assert.equal("20000000", get("market/risk-limit", "&symbol=BTCUSDT").result.list[1].riskLimitValue)
    local held = get("market/open-interest", "&symbol=BTCUSDT&intervalTime=1h&limit=2").result.list
    assert.same({ "100000", "50000", 3600000 }, { held[1].openInterest, held[1].singleOpenInterest,
      held[1].timestamp - held[2].timestamp })
    assert.equal(10001, get("market/open-interest", "&symbol=BTCUSDT&intervalTime=1y").retCode)
    local fees = get("account/fee-rate", "&symbol=BTCUSDT").result.list[1]
    assert.same({ "0.00055", "0.0002" }, { fees.takerFeeRate, fees.makerFeeRate })
    assert.equal(3, #fake.get(sb, "/v5/account/fee-rate").result.list) -- linear, where nothing is said
  end)
end)
