--- What Binance allows, and what each request costs of it.
-- Source: rest-api "LIMITS" and the weight of each endpoint; the FAQ on the unfilled order count; the numbers are those
-- that exchangeInfo of the Spot testnet announces.  All windows begin at whole multiples of the venue's clock.
local M = {}

M.budgets = {
  request_weight = { limit = 6000, per = 60 },   -- of an address
  raw_requests = { limit = 300000, per = 300 },  -- of an address
  orders_10s = { limit = 50, per = 10 },         -- of an account, unfilled
  orders_1d = { limit = 160000, per = 86400 },
}

--- Seconds to be quiet after a refusal that names no end.
M.pause = 1

-- ---- weights -------------------------------------------------------------------------------

local function count(symbols)
  if type(symbols) == "table" then return #symbols end
  return symbols and select(2, tostring(symbols):gsub('"', "")) // 2 or nil
end

local function by_levels(p)
  local n = tonumber(p.limit) or 100
  return n <= 100 and 5 or n <= 500 and 25 or n <= 1000 and 50 or 250
end

local function by_days(p)
  local n = p.symbol and 1 or count(p.symbols) or 101
  return n <= 20 and 2 or n <= 100 and 40 or 80
end

local function by_rules(p)
  local n = count(p.symbols)
  return p.symbol and 2 or n and math.min(40, 2 * n) or 40
end

local function four_each(p) return math.min(200, 4 * (count(p.symbols) or 1)) end
local function if_symbol(with, without) return function(p) return p.symbol and with or without end end
local function if_order(with, without) return function(p) return p.orderId and with or without end end
local function if_rates(p) return p.computeCommissionRates and 20 or 1 end

local WEIGHTS = {
  ["GET exchangeInfo"] = 20, ["GET depth"] = by_levels, ["GET trades"] = 25, ["GET historicalTrades"] = 25,
  ["GET historicalBlockTrades"] = 25, ["GET aggTrades"] = 4, ["GET klines"] = 2, ["GET uiKlines"] = 2,
  ["GET avgPrice"] = 2, ["GET referencePrice"] = 2, ["GET referencePrice/calculation"] = 2,
  ["GET executionRules"] = by_rules, ["GET ticker/24hr"] = by_days, ["GET ticker/price"] = if_symbol(2, 4),
  ["GET ticker/bookTicker"] = if_symbol(2, 4), ["GET ticker"] = four_each, ["GET ticker/tradingDay"] = four_each,
  ["POST order/test"] = if_rates, ["POST sor/order/test"] = if_rates, ["PUT order/amend/keepPriority"] = 4,
  ["GET account"] = 20, ["GET order"] = 4, ["GET order/amendments"] = 4, ["GET openOrders"] = if_symbol(6, 80),
  ["GET allOrders"] = 20, ["GET myTrades"] = if_order(5, 20), ["GET rateLimit/order"] = 40,
  ["GET account/commission"] = 20, ["GET myFilters"] = 40, ["GET myPreventedMatches"] = if_order(20, 2),
  ["GET orderList"] = 4, ["GET allOrderList"] = 20, ["GET openOrderList"] = 6, ["GET myAllocations"] = 20,
}

-- Cost their weight only when they fail; by how many orders they place.
local FREE = { ["POST order"] = 1, ["POST order/cancelReplace"] = 1, ["POST sor/order"] = 1, ["POST orderList/oco"] = 2,
  ["POST order/oco"] = 2, ["POST orderList/oto"] = 2, ["POST orderList/opo"] = 2, ["POST orderList/otoco"] = 3,
  ["POST orderList/opoco"] = 3, ["DELETE order"] = 0, ["DELETE openOrders"] = 0, ["DELETE orderList"] = 0 }

local API = "/api/v3/"

local function name_of(asked)
  local path = asked.path
  if path:sub(1, #API) == API then path = path:sub(#API + 1) end
  return asked.method .. " " .. path
end

local costs = {} -- by name, by weight: { weights, free }, which are asked for with every request

local function cost_of(name, weight)
  local orders, weights = FREE[name], { request_weight = weight, raw_requests = 1 }
  if orders and orders > 0 then weights.orders_10s, weights.orders_1d = orders, orders end
  return { weights, orders and { request_weight = weight } or nil }
end

--- The weights of a request by budget, and those of them that come back when it succeeds.  Not to be changed.
function M.cost(asked)
  local name = name_of(asked)
  local weight = WEIGHTS[name] or 1
  if type(weight) == "function" then weight = weight(asked.params) end
  if not WEIGHTS[name] and not FREE[name] then name = "other" end
  local known = costs[name] or {}
  costs[name] = known
  known[weight] = known[weight] or cost_of(name, weight)
  return known[weight][1], known[weight][2]
end

-- ---- what answers say ------------------------------------------------------------------------

local HEADERS = { { "x-mbx-used-weight-1m", "request_weight" }, { "x-mbx-order-count-10s", "orders_10s" },
  { "x-mbx-order-count-1d", "orders_1d" } }

--- told(budget, used): by the venue's own count.
function M.counted(headers, told)
  for i = 1, #HEADERS do
    local used = math.tointeger(tonumber(headers[HEADERS[i][1]]))
    if used then told(HEADERS[i][2], used) end
  end
end

--- What a request shares its holds with.
function M.scope(asked) return (FREE[name_of(asked)] or 0) > 0 and "orders" or nil end

local TOO_MANY_ORDERS = -1015

--- What a refusal forbids; nil: everything.
function M.held(err) return err.code == TOO_MANY_ORDERS and "orders" or nil end

return M
