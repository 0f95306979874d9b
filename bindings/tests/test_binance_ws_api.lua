-- Every method of the WebSocket API that has a twin in REST: both say the same.
local fake = require "binance_fake"
local json = require "smc.json"
local sign = require "smc.core.sign"
local smc = require "smc"

local sb, sock

local function ask(method, params)
  sock:say(json.encode { id = 1, method = method, params = params, returnRateLimits = false })
  local answer = json.decode(sock:take()[1])
  return answer.result, answer
end

--- Adds key, clock and signature: over all parameters, sorted.
local function signed(params)
  local all = { apiKey = sb.key, timestamp = smc.wall() }
  for name, value in pairs(params) do all[name] = value end
  local names, parts = {}, {}
  for name in pairs(all) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = name .. "=" .. tostring(all[name]) end
  all.signature = sign.key("hmac", sb.secret):sign(table.concat(parts, "&"))
  return all
end

local function place(params)
  local all = { symbol = "BTCUSDT", side = "BUY", type = "LIMIT", timeInForce = "GTC", quantity = "0.01",
    price = "40000" }
  for name, value in pairs(params or {}) do all[name] = value end
  return ask("order.place", signed(all))
end

local function query_of(params)
  local parts = {}
  for name, value in pairs(params) do parts[#parts + 1] = name .. "=" .. tostring(value) end
  table.sort(parts)
  return table.concat(parts, "&")
end

local PUBLIC = {
  { "avgPrice", "avgPrice" }, { "klines", "klines", { interval = "1m", limit = 3 } },
  { "uiKlines", "uiKlines", { interval = "1h", limit = 2 } }, { "ticker", "ticker" },
  { "ticker.24hr", "ticker/24hr" }, { "ticker.book", "ticker/bookTicker" },
  { "ticker.tradingDay", "ticker/tradingDay" }, { "trades.recent", "trades", { limit = 4 } },
  { "trades.historical", "historicalTrades", { fromId = 5, limit = 4 } },
  { "trades.aggregate", "aggTrades", { limit = 4 } }, { "executionRules", "executionRules" },
}

local PRIVATE = {
  { "account.commission", "account/commission" }, { "allOrders", "allOrders" }, { "myTrades", "myTrades" },
  { "myAllocations", "myAllocations" }, { "myFilters", "myFilters" },
  { "allOrderLists", "allOrderList", no_symbol = true },
  { "openOrderLists.status", "openOrderList", no_symbol = true },
  { "account.rateLimits.orders", "rateLimit/order", no_symbol = true },
}

describe("the limits in an answer", function()
  it("are those that the request was counted by", function()
    sb = fake.venue()
    sock = fake.connect(sb, "/ws-api/v3")
    local function limits(method, params)
      sock:say(json.encode { id = 1, method = method, params = signed(params) })
      local out = {}
      for i, l in ipairs(json.decode(sock:take()[1]).rateLimits) do out[i] = l.rateLimitType .. " " .. l.interval end
      return out
    end
    local order = { symbol = "BTCUSDT", side = "BUY", type = "MARKET", quantity = "0.01" }
    assert.same({ "REQUEST_WEIGHT MINUTE" }, limits("order.test", order))
    assert.same({ "ORDERS SECOND", "ORDERS DAY", "REQUEST_WEIGHT MINUTE" }, limits("order.place", order))
    sb:close()
  end)
end)

describe("the WebSocket API", function()
  before_each(function()
    sb = fake.venue()
    sock = fake.connect(sb, "/ws-api/v3")
  end)
  after_each(function()
    sock:close(1000)
    sb:close()
  end)

  local function params_of(row)
    local params = { symbol = not row.no_symbol and "BTCUSDT" or nil }
    for name, value in pairs(row[3] or {}) do params[name] = value end
    return params
  end

  for _, row in ipairs(PUBLIC) do
    it("answers " .. row[1] .. " as REST does", function()
      local params = params_of(row)
      local rest = json.decode(fake.ask(sb, "GET", "/api/v3/" .. row[2] .. "?" .. query_of(params)).answer)
      local result = ask(row[1], params)
      assert.is_not_nil(next(rest))
      assert.same(rest, result)
    end)
  end

  for _, row in ipairs(PRIVATE) do
    it("answers " .. row[1] .. " as REST does", function()
      place()
      place { type = "MARKET", timeInForce = nil, price = nil, quantity = "0.02" }
      local params = params_of(row)
      local rest = json.decode(fake.signed(sb, "GET", "/api/v3/" .. row[2], query_of(params)).answer)
      local result, answer = ask(row[1], signed(params))
      assert.same({ 200, "table" }, { answer.status, type(rest) })
      assert.same(rest, result)
    end)
  end

  it("knows no block trades and no reference price, as REST", function()
    assert.same({}, ask("blockTrades.historical", { symbol = "BTCUSDT", fromId = 1 }))
    for _, method in ipairs { "referencePrice", "referencePrice.calculation" } do
      assert.equal(-2043, select(2, ask(method, { symbol = "BTCUSDT" })).error.code)
    end
  end)

  -- method, its twin, what it is given beside the symbol, what it is refused with
  for _, row in ipairs {
    { "sor.order.place", "sor/order", { side = "BUY", type = "MARKET", quantity = "1" },
      "This operation is not supported." },
    { "sor.order.test", "sor/order/test", { side = "BUY", type = "MARKET", quantity = "1" },
      "This operation is not supported." },
    { "orderList.place.opo", "orderList/opo", { workingType = "LIMIT", workingSide = "BUY", workingPrice = "40000",
      workingQuantity = "1", pendingType = "MARKET", pendingSide = "SELL" },
      "OPO orders are not supported for this symbol." },
    { "orderList.place.opoco", "orderList/opoco", { workingType = "LIMIT", workingSide = "BUY", workingPrice = "40000",
      workingQuantity = "1", pendingAboveType = "LIMIT_MAKER", pendingSide = "SELL" },
      "OPO orders are not supported for this symbol." },
  } do
    it("knows that no symbol takes " .. row[1] .. ", as REST", function()
      row[3].symbol = "BTCUSDT"
      assert.equal(row[4], select(2, ask(row[1], signed(row[3]))).error.msg)
      assert.equal(row[4], json.decode(fake.signed(sb, "POST", "/api/v3/" .. row[2], query_of(row[3])).answer).msg)
    end)
  end

  it("amends, replaces and cancels what it placed, and tells the history of it", function()
    local order = place()
    local amended = ask("order.amend.keepPriority", signed { symbol = "BTCUSDT", orderId = order.orderId,
      newQty = "0.005" })
    assert.same({ order.orderId, "0.00500000" }, { amended.amendedOrder.orderId, amended.amendedOrder.qty })
    local history = ask("order.amendments", signed { symbol = "BTCUSDT", orderId = order.orderId })
    assert.same({ 1, "0.01000000", "0.00500000" }, { #history, history[1].origQty, history[1].newQty })

    local replaced = ask("order.cancelReplace", signed { symbol = "BTCUSDT", cancelReplaceMode = "STOP_ON_FAILURE",
      cancelOrderId = order.orderId, side = "BUY", type = "LIMIT", timeInForce = "GTC", quantity = "0.02",
      price = "41000" })
    assert.same({ "SUCCESS", "SUCCESS" }, { replaced.cancelResult, replaced.newOrderResult })

    local cancelled = ask("openOrders.cancelAll", signed { symbol = "BTCUSDT" })
    assert.same({ 1, replaced.newOrderResponse.orderId }, { #cancelled, cancelled[1].orderId })
  end)

  it("tells which orders self-trade prevention kept from each other", function()
    local maker = place { side = "SELL", price = "60100", quantity = "1" }
    local taker = place { price = "60200", quantity = "100" }
    assert.equal("EXPIRED_IN_MATCH", ask("order.status", signed { symbol = "BTCUSDT", orderId = maker.orderId }).status)

    local list = ask("myPreventedMatches", signed { symbol = "BTCUSDT", orderId = taker.orderId })

    assert.same({ 1, taker.orderId, maker.orderId, "EXPIRE_MAKER" }, { #list, list[1].takerOrderId,
      list[1].makerOrderId, list[1].selfTradePreventionMode })
  end)
end)
