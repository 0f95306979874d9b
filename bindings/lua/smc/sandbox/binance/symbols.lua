--- The symbols that the sandbox trades, and how exchangeInfo describes them.
local coins = require "smc.sandbox.coins"
local json = require "smc.json"
local pad = require("smc.sandbox.binance.format").pad

local M = {}

-- market_max: the most that one market order may ask for.
M.list = coins.with {
  BTCUSDT = { tick = "0.01", max_price = "1000000", step = "0.00001", max_qty = "9000", market_max = "140",
    min_notional = "5" },
  ETHUSDT = { tick = "0.01", max_price = "1000000", step = "0.0001", max_qty = "9000", market_max = "2800",
    min_notional = "5" },
  ETHBTC = { tick = "0.00001", max_price = "922327", step = "0.0001", max_qty = "100000", market_max = "2500",
    min_notional = "0.0001" },
  BNBUSDT = { tick = "0.01", max_price = "100000", step = "0.001", max_qty = "900000", market_max = "9000",
    min_notional = "5" },
}

M.max_notional = "9000000"
M.iceberg_parts = "100"
M.max_orders, M.max_algo_orders, M.max_amends, M.max_lists = 200, 5, 10, 20
M.min_trailing_delta, M.max_trailing_delta = 10, 2000
M.price_up, M.price_down = "2", "0.5"

M.stp_default = "EXPIRE_MAKER"
M.stp_modes = { "NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER" }
M.order_types = { "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT" }

--- By name, in the order of exchangeInfo.
local function filters(def)
  return {
    { "PRICE_FILTER", "minPrice", pad(def.tick), "maxPrice", pad(def.max_price), "tickSize", pad(def.tick) },
    { "LOT_SIZE", "minQty", pad(def.step), "maxQty", pad(def.max_qty), "stepSize", pad(def.step) },
    { "ICEBERG_PARTS", "limit", math.tointeger(tonumber(M.iceberg_parts)) },
    { "MARKET_LOT_SIZE", "minQty", pad "0", "maxQty", pad(def.market_max), "stepSize", pad "0" },
    { "TRAILING_DELTA", "minTrailingAboveDelta", M.min_trailing_delta, "maxTrailingAboveDelta", M.max_trailing_delta,
      "minTrailingBelowDelta", M.min_trailing_delta, "maxTrailingBelowDelta", M.max_trailing_delta },
    { "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp", M.price_up, "bidMultiplierDown", M.price_down,
      "askMultiplierUp", M.price_up, "askMultiplierDown", M.price_down, "avgPriceMins", 5 },
    { "NOTIONAL", "minNotional", pad(def.min_notional), "applyMinToMarket", true,
      "maxNotional", pad(M.max_notional), "applyMaxToMarket", false, "avgPriceMins", 5 },
    { "MAX_NUM_ORDERS", "maxNumOrders", M.max_orders },
    { "MAX_NUM_ORDER_LISTS", "maxNumOrderLists", M.max_lists },
    { "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", M.max_algo_orders },
    { "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends", M.max_amends },
  }
end

--- The names of the filters that every symbol has.
function M.filter_names()
  local out = {}
  for i, f in ipairs(filters(M.list[1])) do out[i] = f[1] end
  return out
end

local function describe_filters(def, pattern)
  local out = {}
  for _, f in ipairs(filters(def)) do
    if f[1]:find(pattern) then out[#out + 1] = json.object("filterType", table.unpack(f)) end
  end
  return json.array(out)
end

--- The filters that count what an account has on a symbol.
function M.counting_filters(def) return describe_filters(def, "^MAX_NUM_") end

function M.status(sb, def) return sb.market:halted(def.symbol) and "HALT" or "TRADING" end

--- One element of exchangeInfo's symbols.  permission_sets: the client wants to see them.
function M.describe(def, sb, permission_sets)
  local sets = permission_sets and json.array { json.array { "SPOT" } } or json.array {}
  return json.object(
    "symbol", def.symbol, "status", M.status(sb, def),
    "baseAsset", def.base, "baseAssetPrecision", 8,
    "quoteAsset", def.quote, "quotePrecision", 8, "quoteAssetPrecision", 8,
    "baseCommissionPrecision", 8, "quoteCommissionPrecision", 8,
    "orderTypes", json.array(M.order_types),
    "icebergAllowed", true, "ocoAllowed", true, "otoAllowed", true, "opoAllowed", false,
    "quoteOrderQtyMarketAllowed", true, "allowTrailingStop", true,
    "cancelReplaceAllowed", true, "amendAllowed", true, "pegInstructionsAllowed", true,
    "isSpotTradingAllowed", true, "isMarginTradingAllowed", false,
    "filters", describe_filters(def, ""), "permissions", json.array {}, "permissionSets", sets,
    "defaultSelfTradePreventionMode", M.stp_default, "allowedSelfTradePreventionModes", json.array(M.stp_modes))
end

return M
