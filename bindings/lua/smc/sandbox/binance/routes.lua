--- All that can be asked for: one row for each endpoint of REST and its twin in the WebSocket API.
-- Source: rest-api and web-socket-api, "endpoints" and "methods"; weights as they say.
local account = require "smc.sandbox.binance.account"
local amend = require "smc.sandbox.binance.amend"
local fields = require "smc.sandbox.binance.fields"
local lists = require "smc.sandbox.binance.lists"
local market_data = require "smc.sandbox.binance.market_data"
local orders = require "smc.sandbox.binance.orders"
local replace = require "smc.sandbox.binance.replace"
local tickers = require "smc.sandbox.binance.tickers"

-- ---- weights that depend on what is asked for ------------------------------------------------

local function by_levels(v)
  local n = v.limit or 100
  return n <= 100 and 5 or n <= 500 and 25 or n <= 1000 and 50 or 250
end

local function by_days(v)
  if v.symbol then return 2 end
  local n = v.symbols and #v.symbols or 101
  return n <= 20 and 2 or n <= 100 and 40 or 80
end

local function by_rules(v)
  return v.symbol and 2 or v.symbols and math.min(40, 2 * #v.symbols) or 40
end

local function four_each(v) return math.min(200, 4 * (v.symbols and #v.symbols or 1)) end
local function if_symbol(with, without) return function(v) return v.symbol and with or without end end
local function if_order(with, without) return function(v) return v.orderId and with or without end end
local function if_rates(v) return v.computeCommissionRates and 20 or 1 end

-- ---- parameters that several share ------------------------------------------------------------

local ONE = "symbol! origClientOrderId|orderId!"
local TICKERS = "symbol symbols symbolStatus"
local KLINES = "symbol! interval! startTime endTime timeZone limit<=1000"
local ORDER = "symbol! side! type! timeInForce quantity quoteOrderQty price newClientOrderId strategyId strategyType "
  .. "stopPrice trailingDelta icebergQty newOrderRespType selfTradePreventionMode pegPriceType pegOffsetType "
  .. "pegOffsetValue"
local REPLACE = "cancelReplaceMode! cancelOrigClientOrderId|cancelOrderId! cancelNewClientOrderId cancelRestrictions "
  .. "orderRateLimitExceededMode " .. ORDER

local SOR = "symbol! side! type! timeInForce quantity! price newClientOrderId strategyId strategyType icebergQty "
  .. "newOrderRespType selfTradePreventionMode "
local LIST = "symbol! listClientOrderId newOrderRespType selfTradePreventionMode "
local OLD_OCO = "side! quantity! price! stopPrice trailingDelta stopLimitPrice stopLimitTimeInForce "
  .. "limitClientOrderId limitIcebergQty limitStrategyId limitStrategyType "
  .. "stopClientOrderId stopIcebergQty stopStrategyId stopStrategyType"
local WORKING = "workingType! workingSide! workingPrice! workingQuantity! working* "

-- The endpoint, the method, security, weight, parameters, handler; then by name: free, it costs nothing when it
-- succeeds; orders, answers tell the order count; check(values) -> nil or a refusal, before the symbol is looked up.
local ROWS = {
  { "GET ping", "ping", "NONE", 1, "", market_data.ping },
  { "GET time", "time", "NONE", 1, "", market_data.time },
  { "GET exchangeInfo", "exchangeInfo", "NONE", 20, "symbol symbols permissions showPermissionSets symbolStatus",
    market_data.exchange_info },
  { "GET depth", "depth", "NONE", by_levels, "symbol! limit<=5000 symbolStatus", market_data.depth },
  { "GET trades", "trades.recent", "NONE", 25, "symbol! limit<=1000", market_data.trades },
  { "GET historicalTrades", "trades.historical", "NONE", 25, "symbol! fromId limit<=1000", market_data.trades },
  { "GET historicalBlockTrades", "blockTrades.historical", "NONE", 25, "symbol! fromId! limit<=1000",
    market_data.nothing },
  { "GET aggTrades", "trades.aggregate", "NONE", 4, "symbol! fromId startTime endTime limit<=1000",
    market_data.agg_trades, check = market_data.which_trades },
  { "GET klines", "klines", "NONE", 2, KLINES, market_data.klines },
  { "GET uiKlines", "uiKlines", "NONE", 2, KLINES, market_data.klines },
  { "GET avgPrice", "avgPrice", "NONE", 2, "symbol!", market_data.average },
  { "GET referencePrice", "referencePrice", "NONE", 2, "symbol!", market_data.no_reference_price },
  { "GET referencePrice/calculation", "referencePrice.calculation", "NONE", 2, "symbol! symbolStatus",
    market_data.no_reference_price },
  { "GET executionRules", "executionRules", "NONE", by_rules, TICKERS, market_data.rules,
    check = market_data.one_choice },
  { "GET ticker/24hr", "ticker.24hr", "NONE", by_days, TICKERS .. " tickerType", tickers.day },
  { "GET ticker/price", "ticker.price", "NONE", if_symbol(2, 4), TICKERS, tickers.price },
  { "GET ticker/bookTicker", "ticker.book", "NONE", if_symbol(2, 4), TICKERS, tickers.book },
  { "GET ticker", "ticker", "NONE", four_each, "symbol|symbols! windowSize tickerType symbolStatus", tickers.rolling },
  { "GET ticker/tradingDay", "ticker.tradingDay", "NONE", four_each, "symbol|symbols! timeZone tickerType symbolStatus",
    tickers.trading_day },
  { "GET /fapi/v1/exchangeInfo", nil, "NONE", 1, "", market_data.no_contracts },
  { "GET /dapi/v1/exchangeInfo", nil, "NONE", 1, "", market_data.no_contracts },

  { "POST order", "order.place", "TRADE", 1, ORDER, orders.place, free = true, orders = true, check = orders.shape },
  { "POST order/test", "order.test", "TRADE", if_rates, ORDER .. " computeCommissionRates", orders.test,
    check = orders.shape },
  { "DELETE order", "order.cancel", "TRADE", 1, ONE .. " newClientOrderId cancelRestrictions", orders.cancel,
    free = true },
  { "DELETE openOrders", "openOrders.cancelAll", "TRADE", 1, "symbol!", orders.cancel_all, free = true },
  { "POST order/cancelReplace", "order.cancelReplace", "TRADE", 1, REPLACE, replace.replace, free = true, orders = true,
    check = orders.shape },
  { "PUT order/amend/keepPriority", "order.amend.keepPriority", "TRADE", 4, ONE .. " newClientOrderId newQty!",
    amend.amend },

  { "POST order/oco", "orderList.place", "TRADE", 1, LIST .. OLD_OCO, lists.old_oco, free = true, orders = true,
    check = lists.check_old_oco },
  { "POST orderList/oco", "orderList.place.oco", "TRADE", 1, LIST
    .. "side! quantity! aboveType! above* belowType! below*", lists.oco, free = true, orders = true,
    check = lists.check_oco },
  { "POST orderList/oto", "orderList.place.oto", "TRADE", 1, LIST .. WORKING
    .. "pendingType! pendingSide! pendingQuantity! pending*", lists.oto, free = true, orders = true,
    check = lists.check_oto },
  { "POST orderList/otoco", "orderList.place.otoco", "TRADE", 1, LIST .. WORKING
    .. "pendingSide! pendingQuantity! pendingAboveType! pendingAbove* pendingBelowType pendingBelow*", lists.otoco,
    free = true, orders = true, check = lists.check_otoco },
  { "POST orderList/opo", "orderList.place.opo", "TRADE", 1, LIST .. WORKING .. "pendingType! pendingSide! pending*",
    lists.no_opo, free = true },
  { "POST orderList/opoco", "orderList.place.opoco", "TRADE", 1, LIST .. WORKING
    .. "pendingSide! pendingAboveType! pendingAbove* pendingBelowType pendingBelow*", lists.no_opo, free = true },
  { "POST sor/order", "sor.order.place", "TRADE", 1, SOR, orders.no_sor, free = true },
  { "POST sor/order/test", "sor.order.test", "TRADE", if_rates, SOR .. "computeCommissionRates", orders.no_sor },
  { "DELETE orderList", "orderList.cancel", "TRADE", 1, "symbol! orderListId|listClientOrderId! newClientOrderId",
    lists.cancel, free = true },

  { "GET account", "account.status", "USER_DATA", 20, "omitZeroBalances", account.status },
  { "GET order", "order.status", "USER_DATA", 4, ONE, account.order },
  { "GET order/amendments", "order.amendments", "USER_DATA", 4, "symbol! orderId! fromExecutionId limit<=1000",
    amend.amendments },
  { "GET openOrders", "openOrders.status", "USER_DATA", if_symbol(6, 80), "symbol", account.open_orders },
  { "GET allOrders", "allOrders", "USER_DATA", 20, "symbol! orderId startTime endTime limit<=1000", account.all_orders,
    check = account.within_a_day },
  { "GET myTrades", "myTrades", "USER_DATA", if_order(5, 20), "symbol! orderId startTime endTime fromId limit<=1000",
    account.fills, check = account.which_fills },
  { "GET rateLimit/order", "account.rateLimits.orders", "USER_DATA", 40, "", account.order_counts },
  { "GET account/commission", "account.commission", "USER_DATA", 20, "symbol!", account.commission },
  { "GET myFilters", "myFilters", "USER_DATA", 40, "symbol!", account.filters },
  { "GET myPreventedMatches", "myPreventedMatches", "USER_DATA", if_order(20, 2),
    "symbol! preventedMatchId orderId fromPreventedMatchId limit<=1000", account.prevented,
    check = account.which_prevented },
  { "GET orderList", "orderList.status", "USER_DATA", 4, "orderListId|origClientOrderId!", lists.one },
  { "GET allOrderList", "allOrderLists", "USER_DATA", 20, "fromId startTime endTime limit<=1000", lists.all,
    check = account.within_a_day },
  { "GET openOrderList", "openOrderLists.status", "USER_DATA", 6, "", lists.open },
  { "GET myAllocations", "myAllocations", "USER_DATA", 20,
    "symbol! startTime endTime fromAllocationId orderId limit<=1000", account.none,
    check = account.which_allocations },
}

local AUTH, SESSION_AUTH = "recvWindow timestamp! signature!", "recvWindow timestamp! signature apiKey"

-- What a route may be sent, parsed when it is first asked for: a spec calls few of them.
local FIELDS = {
  rest_fields = function(r) return fields.parse(r.line .. (r.signed and " " .. AUTH or "")) end,
  -- On a session that has logged on, key and signature may be left out.
  ws_fields = function(r) return fields.parse(r.line .. " returnRateLimits " .. (r.signed and SESSION_AUTH or "")) end,
}

local Route = {}

function Route.__index(r, key)
  local parse = FIELDS[key]
  if not parse then return nil end
  local parsed = parse(r)
  rawset(r, key, parsed)
  return parsed
end

local function route(row)
  local endpoint, ws, security, weight, line, handle = table.unpack(row, 1, 6)
  local method, path = endpoint:match "^(%u+) (.+)$"
  path = path:find "^/" and path or "/api/v3/" .. path
  return setmetatable({ method = method, path = path, endpoint = method .. " " .. path, ws = ws, security = security,
    signed = security ~= "NONE", weight = weight, line = line, handle = handle, check = row.check, free = row.free,
    orders = row.orders }, Route)
end

local M = { by_path = {}, by_ws = {} }

for _, row in ipairs(ROWS) do
  local r = route(row)
  M.by_path[r.path] = M.by_path[r.path] or {}
  M.by_path[r.path][r.method] = r
  if r.ws then M.by_ws[r.ws] = r end
end

return M
