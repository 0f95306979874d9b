-- What the bybit sandbox answers, key by key, as the venue documents it, and the calls that only answer.
-- Source: the response parameters and examples of v5/{order,position,account,asset,user,websocket}.
local decimal = require "smc.decimal"
local fake = require "bybit_fake"
local json = require "smc.json"
local sign = require "smc.core.sign"
local smc = require "smc"

local sb

local function names(object)
  local out = {}
  for name in pairs(object) do out[#out + 1] = name end
  table.sort(out)
  return table.concat(out, " ")
end

local function get(path, query) return fake.get(sb, "/v5/" .. path, query) end

local function post(path, params) return fake.post(sb, "/v5/" .. path, params) end

local function order(category, over)
  local o = { category = category, symbol = "BTCUSDT", side = "Buy", orderType = "Market",
    qty = category == "spot" and "500" or "0.1" }
  for name, value in pairs(over or {}) do o[name] = value end
  return post("order/create", o).result.orderId
end

before_each(function() sb = fake.venue() end)
after_each(function() sb:close() end)

describe("what bybit tells of an order", function()
  it("has fields about RPI in the history and on the stream", function()
    local sock = fake.private(sb, "order", "execution")
    for _, category in ipairs { "spot", "linear" } do
      order(category)
      local now = get("order/realtime", "symbol=BTCUSDT&openOnly=1&category=" .. category).result.list[1]
      local past = get("order/history", "category=" .. category).result.list[1]
      assert.is_nil(now.rpiTakerAccess)
      assert.same({ false, "0" }, { past.rpiTakerAccess, past.rpiMatchedQty })
    end
    local seen = {}
    for _, frame in ipairs(fake.frames(sock)) do
      local row = frame.topic and frame.data[1]
      if frame.topic == "order" then
        assert.same({ false, "0" }, { row.rpiTakerAccess, row.rpiMatchedQty })
      elseif row then
        seen[row.category] = row
      end
    end
    assert.same({ "", "0" }, { seen.spot.execPnl, seen.linear.execPnl })
    assert.is_nil(seen.spot.execFeeV2)
    sock:close(1000)
  end)

  it("is found by its id however long ago it traded", function()
    local id = order "linear"
    local late = "&startTime=" .. smc.wall() + 1
    assert.equal(0, #get("execution/list", "category=linear&symbol=BTCUSDT" .. late).result.list)
    assert.equal(id, get("execution/list", "category=linear&execType=Funding&orderId=" .. id .. late)
      .result.list[1].orderId)
  end)

  it("is echoed where a batch could not do what was asked", function()
    local function batch(what, list)
      local answer = post("order/" .. what .. "-batch", { category = "linear", request = json.array(list) })
      return answer.result.list, answer.retExtInfo.list
    end
    local rows, codes = batch("create", { { symbol = "BTCUSDT", side = "Buy", orderType = "Limit", qty = "0.01",
      price = "50000", positionIdx = 1, orderLinkId = "b0" } })
    assert.same({ 10001, "position idx not match position mode" }, { codes[1].code, codes[1].msg })
    assert.same({ "", "b0", "" }, { rows[1].orderId, rows[1].orderLinkId, rows[1].createAt })
    rows = batch("cancel", { { symbol = "BTCUSDT", orderLinkId = "b1" } })
    assert.same({ "", "b1", "category orderId orderLinkId symbol" }, { rows[1].orderId, rows[1].orderLinkId,
      names(rows[1]) })
    assert.equal("category orderId orderLinkId symbol", names(batch("amend", { { symbol = "BTCUSDT" } })[1]))
  end)
end)

describe("what bybit tells of contracts", function()
  it("comes in pages where that was asked for", function()
    for path, query in pairs { ["market/instruments-info"] = "", ["account/instruments-info"] = "",
      ["position/list"] = "&settleCoin=USDT" } do
      for _, symbol in ipairs { "BTCUSDT", "ETHUSDT" } do order("linear", { symbol = symbol }) end
      local seen, cursor = {}, ""
      repeat
        local result = get(path, "category=linear&limit=1" .. query .. cursor).result
        assert.equal(1, #result.list)
        seen[#seen + 1] = result.list[1].symbol
        cursor = "&cursor=" .. result.nextPageCursor
      until result.nextPageCursor == ""
      assert.same(path == "position/list" and { "BTCUSDT", "ETHUSDT" } or { "BTCUSDT", "ETHUSDT", "BNBUSDT" }, seen)
    end
    assert.equal(4, #get("market/instruments-info", "category=spot&limit=1").result.list) -- spot has no pages
  end)

  it("knows both sides of the open interest, and each of them", function()
    order "linear"
    local t = get("market/tickers", "category=linear&symbol=BTCUSDT").result.list[1]
    assert.same({ "100000.2", "50000.1", "" }, { t.openInterest, t.singleOpenInterest, t.basisRateYear })
    local sock = fake.connect(sb, "/v5/public/linear")
    sock:say '{"op":"subscribe","args":["tickers.BTCUSDT"]}'
    local told = fake.frames(sock)[2].data
    assert.equal("100000.2", told.openInterest)
    sock:close(1000)
  end)

  it("tells of delivery only where contracts have one", function()
    local fields = { "predictedDeliveryPrice", "basisRate", "basis", "basisRateYear", "deliveryFeeRate" }
    local t = get("market/tickers", "category=linear&symbol=BTCUSDT").result.list[1]
    for _, field in ipairs(fields) do assert.equal("", t[field]) end
    assert.equal("0", t.deliveryTime)
    local sock = fake.connect(sb, "/v5/public/linear")
    sock:say '{"op":"subscribe","args":["tickers.BTCUSDT"]}'
    local told = fake.frames(sock)[2].data
    assert.equal(t.fundingRate, told.fundingRate)
    fields[#fields + 1] = "deliveryTime"
    for _, field in ipairs(fields) do assert.is_nil(told[field]) end
    sock:close(1000)
  end)

  it("has the leverage of each, unless margin is reckoned by portfolio", function()
    order "linear"
    local result = get("position/symbol-info", "category=linear").result
    assert.same({ 3, { symbol = "BTCUSDT", leverage = "10", side = "Buy", positionIdx = 0 } }, { #result.list,
      result.list[1] })
    assert.equal("", get("position/symbol-info", "category=linear&symbol=ETHUSDT").result.list[1].side)
    post("account/set-margin-mode", { setMarginMode = "PORTFOLIO_MARGIN" })
    assert.equal(110077, get("position/symbol-info", "category=linear").retCode)
  end)

  it("is the price limit, every 300 ms", function()
    local sock = fake.connect(sb, "/v5/public/linear")
    sock:say '{"op":"subscribe","args":["priceLimit.BTCUSDT"]}'
    smc.sleep(1)
    local list = fake.frames(sock)
    local limits = get("market/price-limit", "symbol=BTCUSDT").result
    local last = list[#list]
    assert.same({ "priceLimit.BTCUSDT", "BTCUSDT", 300 }, { last.topic, last.data.symbol,
      last.ts - list[#list - 1].ts })
    for _, name in ipairs { "buyLmt", "sellLmt" } do -- the market has moved since
      assert.is_true(math.abs(tonumber(last.data[name]) / tonumber(limits[name]) - 1) < 0.001, name)
    end
    sock:close(1000)
  end)
end)

describe("a bybit position", function()
  local function row() return get("position/list", "category=linear&symbol=BTCUSDT").result.list[1] end

  local function move(to)
    sb.market:move("BTCUSDT.P", { to = to })
    sb:settle()
  end

  for _, side in ipairs { "Buy", "Sell" } do
    it("says at which price the venue would close it, and is closed there: " .. side, function()
      sb.market:quote("BTCUSDT.P", { level_qty = "400" })
      order("linear", { side = side, qty = "300" })
      order("linear", { side = side, qty = "10", symbol = "ETHUSDT" })
      local at = row().liqPrice
      local before = side == "Buy" and "1.0005" or "0.9995"
      move(decimal.mul(at, before, 1))
      assert.equal("300", row().size)
      assert.equal(at, row().liqPrice)
      move(decimal.mul(at, side == "Buy" and "0.9995" or "1.0005", 1))
      assert.equal("0", row().size)
    end)
  end

  it("that is flat shows zeros in the place of prices on the stream", function()
    local sock = fake.private(sb, "position")
    order "linear"
    order("linear", { side = "Sell" })
    local list = fake.frames(sock)
    local open, flat = list[#list - 1].data[1], list[#list].data[1]
    assert.same({ "Buy", "", "" }, { open.side, open.takeProfit, open.sessionAvgPrice })
    assert.same({ "", "0", "0", "0", "0", "0", "0" }, { flat.side, flat.entryPrice, flat.liqPrice, flat.breakEvenPrice,
      flat.takeProfit, flat.stopLoss, flat.sessionAvgPrice })
    assert.same({ "", "" }, { row().takeProfit, row().liqPrice })
    sock:close(1000)
  end)

  it("says no such price where there can't be one", function()
    assert.equal("", row().liqPrice)
    order("linear", { qty = "1" })
    assert.equal("", row().liqPrice) -- the account has more than it is worth
  end)

  it("has no leverage, margin and risk of its own where margin is reckoned by portfolio", function()
    sb.market:quote("BTCUSDT.P", { level_qty = "400" })
    order("linear", { qty = "300" })
    post("account/set-margin-mode", { setMarginMode = "PORTFOLIO_MARGIN" })
    local p = row()
    assert.same({ "", "", "", "", 0, "0" }, { p.leverage, p.positionIM, p.positionMM, p.liqPrice, p.riskId,
      p.riskLimitValue })
    local wallet = get("account/wallet-balance", "accountType=UNIFIED&coin=USDT").result.list[1]
    assert.same({ "", "", "" }, { wallet.coin[1].totalPositionIM, wallet.coin[1].totalOrderIM,
      wallet.coin[1].totalPositionMM })
    assert.is_true(decimal.lt("1000000", wallet.totalInitialMargin))
  end)
end)

describe("what bybit refuses of positions", function()
  local function code(path, over)
    local params = { category = "linear", symbol = "BTCUSDT" }
    for name, value in pairs(over or {}) do params[name] = value end
    return post("position/" .. path, params).retCode
  end

  it("is what classic accounts and other margin modes have", function()
    assert.equal(100028, code("switch-isolated", { tradeMode = 1, buyLeverage = "5", sellLeverage = "5" }))
    assert.equal(110082, code "confirm-pending-mmr")
    assert.same({ 110076, 10001 }, { code("set-auto-add-margin", { autoAddMargin = 1 }),
      code("set-auto-add-margin", { autoAddMargin = 2 }) })
    post("account/set-margin-mode", { setMarginMode = "ISOLATED_MARGIN" })
    assert.equal(0, code("set-auto-add-margin", { autoAddMargin = 1 }))
    assert.equal(1, get("position/list", "category=linear&symbol=BTCUSDT").result.list[1].autoAddMargin)
    post("account/set-margin-mode", { setMarginMode = "PORTFOLIO_MARGIN" })
    assert.equal(110077, code("set-auto-add-margin", { autoAddMargin = 0 }))
  end)
end)

describe("what bybit tells of an account", function()
  it("is what its key may do, in full", function()
    local key = get "user/query-api".result
    assert.equal("affiliateID affiliateIDInt64 apiKey createdAt deadlineDay expiredAt id inviterID inviterIDInt64 ips "
      .. "isMaster kycLevel kycRegion mktMakerLevel note parentUid permissions readOnly rsaPublicKey secret type "
      .. "unified userID userIDInt64 uta vipLevel", names(key))
    assert.equal("Affiliate BitCard BlockTrade ByXPost ContractTrade CopyTrading Derivatives Earn Exchange FiatBitPay "
      .. "FiatConvertBroker FiatGlobalPay FiatP2P NFT Options Spot Wallet", names(key.permissions))
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT", key.expiredAt)
    assert.equal(0, get "account/smp-group".result.smpGroup)
    assert.is_nil(get("account/fee-rate", "category=linear&symbol=BTCUSDT").result.category)
    assert.equal("spot", get("account/fee-rate", "category=spot&symbol=BTCUSDT").result.category)
  end)

  it("is what of a coin could be taken out", function()
    order("linear", { qty = "1" })
    local held = get("position/list", "category=linear&symbol=BTCUSDT").result.list[1].positionIM
    local all = get("asset/transfer/query-account-coins-balance", "accountType=UNIFIED&coin=USDT").result.balance[1]
    local one = get("asset/transfer/query-account-coin-balance", "accountType=UNIFIED&coin=USDT").result
    assert.equal("accountId accountType balance bizType memberId", names(one))
    assert.equal("bonus coin ltvTransferSafeAmount transferBalance transferSafeAmount walletBalance",
      names(one.balance))
    assert.same({ all.walletBalance, all.transferBalance }, { one.balance.walletBalance, one.balance.transferBalance })
    assert.is_true(tonumber(one.balance.walletBalance) - tonumber(one.balance.transferBalance) >= tonumber(held))
    local free = get("account/withdrawal", "coinName=USDT,BTC,XYZ").result
    assert.same({ all.transferBalance, all.transferBalance, "0" }, { free.availableWithdrawal,
      free.availableWithdrawalMap.USDT, free.availableWithdrawalMap.XYZ })
    assert.equal(10001, get "account/withdrawal".retCode)
    assert.equal(10001, get("asset/transfer/query-account-coin-balance", "coin=USDT").retCode)
    assert.equal(10001, get("account/withdrawal", "coinName=" .. ("A,"):rep(21)).retCode)
    assert.equal(10001, get("asset/transfer/query-account-coin-balance", "accountType=FUND").retCode)
  end)

  it("is how much it could buy or sell", function()
    local function quota(side) return get("order/spot-borrow-check", "category=spot&symbol=BTCUSDT&side=" .. side) end
    local buy, sell = quota "Buy".result, quota "Sell".result
    assert.same({ "USDT", "BTC" }, { buy.borrowCoin, sell.borrowCoin })
    local best = sb.market:best "BTCUSDT"
    local spare = get("account/withdrawal", "coinName=USDT,BTC").result.availableWithdrawalMap
    assert.same({ spare.USDT, spare.BTC }, { buy.spotMaxTradeAmount, sell.spotMaxTradeQty })
    assert.is_true(math.abs(tonumber(buy.maxTradeQty) - tonumber(spare.USDT) / tonumber(best.ask)) <= 0.0001)
    assert.equal(170117, quota "Short".retCode)
    assert.equal(10001, get("order/spot-borrow-check", "category=linear&symbol=BTCUSDT&side=Buy").retCode)
  end)
end)

describe("a bybit socket", function()
  it("lets an account subscribe to whatever the venue has, and stays silent where nothing is", function()
    local sock = fake.private(sb)
    for _, args in ipairs { '"order.inverse","order.option","execution.inverse","execution.option"',
      '"execution.fast.inverse","execution.fast.option","position.inverse","position.option"',
      '"dcp.option","greeks"' } do
      sock:say(('{"op":"subscribe","args":[%s]}'):format(args))
    end
    sock:say '{"op":"subscribe","args":["order","order.option"]}'
    local success = {}
    for i, frame in ipairs(fake.frames(sock)) do success[i] = frame.success end
    assert.same({ true, true, true, true, false }, success)
    order "linear"
    assert.same({}, fake.frames(sock))
    sock:close(1000)
  end)

  it("for trading tells a wrong log-on from a wrong signature, and a wrong category by its own code", function()
    local sock = fake.connect(sb, "/v5/trade")
    local function say(frame)
      sock:say(json.encode(frame))
      return json.decode(sock:take()[1])
    end
    assert.equal(10001, say({ op = "auth", args = json.array { sb.key } }).retCode)
    local expires = smc.wall() + 5000
    local no = say { op = "auth", args = json.array { sb.key, expires, "x" } }
    assert.same({ 10004, "error sign! origin_string[GET/realtime" .. expires .. "]" }, { no.retCode, no.retMsg })
    assert.equal(0, say({ op = "auth", args = json.array { sb.key, expires,
      sign.key("hmac", sb.secret):sign("GET/realtime" .. expires) } }).retCode)
    assert.equal(10404, say({ op = "order.create", header = { ["X-BAPI-TIMESTAMP"] = tostring(smc.wall()) },
      args = json.array { { category = "futures", symbol = "BTCUSDT" } } }).retCode)
    sock:close(1000)
  end)
end)
