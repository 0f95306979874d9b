--- What an account can ask about itself: balances, orders, fills, its order count.
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local params = require "smc.sandbox.binance.params"
local refusal = require "smc.sandbox.binance.refusal"

local M = {}
local field = params.field
local pad = format.pad

local DAY_MS = 24 * 3600 * 1000
local UID = 354937868

local function balances(sb, account, omit_zero)
  local out = {}
  for _, b in ipairs(sb.market:balances(account)) do
    if not omit_zero or b.free ~= "0" or b.locked ~= "0" then
      out[#out + 1] = json.object("asset", b.asset, "free", pad(b.free), "locked", pad(b.locked))
    end
  end
  return json.array(out)
end

local function status(sb, call)
  local bps = sb.assume.commission_bps
  local rate = sb.fee_rate
  return json.object(
    "makerCommission", bps, "takerCommission", bps, "buyerCommission", 0, "sellerCommission", 0,
    "commissionRates", json.object("maker", pad(rate), "taker", pad(rate), "buyer", format.ZERO, "seller", format.ZERO),
    "canTrade", call.key.can_trade, "canWithdraw", true, "canDeposit", true, "brokered", false,
    "requireSelfTradePrevention", false, "preventSor", false,
    "updateTime", (sb.balance_at[call.account] or sb.market_opened) + sb.skew_ms, "accountType", "SPOT",
    "balances", balances(sb, call.account, call.values.omitZeroBalances),
    "permissions", json.array { "SPOT" }, "uid", UID + call.account - sb.first_account)
end

local function one(sb, call)
  local v = call.values
  if not v.orderId and not v.origClientOrderId then
    return nil, refusal.missing_both("origClientOrderId", "orderId")
  end
  if not sb.by_symbol[v.symbol] then return nil, refusal.invalid_symbol() end
  local order = sb.market:order { account = call.account, symbol = v.symbol, id = v.orderId,
    client_id = not v.orderId and v.origClientOrderId or nil }
  if not order then return nil, refusal.no_such_order() end
  local asked = v.origClientOrderId
  if asked and v.orderId and asked ~= order.client_id and asked ~= order.orig_client_id then
    return nil, refusal.client_id_of_another()
  end
  if asked and asked ~= order.client_id and not sb.assume.former_client_ids then return nil, refusal.no_such_order() end
  return format.order(sb:with_strategy(order), sb.skew_ms)
end

local function orders_of(sb, list)
  local out = {}
  for i, order in ipairs(list) do out[i] = format.order(sb:with_strategy(order), sb.skew_ms) end
  return json.array(out)
end

local function open(sb, call)
  local symbol = call.values.symbol
  if symbol and not sb.by_symbol[symbol] then return nil, refusal.invalid_symbol() end
  return orders_of(sb, sb.market:orders { account = call.account, symbol = symbol, open = true })
end

local function bounds(sb, v)
  if v.startTime and v.endTime and v.endTime - v.startTime > DAY_MS then
    return nil, refusal.over_a_day()
  end
  return { from_ms = v.startTime and v.startTime - sb.skew_ms, to_ms = v.endTime and v.endTime - sb.skew_ms }
end

local function all(sb, call)
  local v = call.values
  if not sb.by_symbol[v.symbol] then return nil, refusal.invalid_symbol() end
  local span, no = bounds(sb, v)
  if not span then return nil, no end
  return orders_of(sb, sb.market:orders { account = call.account, symbol = v.symbol, from_id = v.orderId,
    from_ms = span.from_ms, to_ms = span.to_ms, limit = v.limit or 500 })
end

local function fills(sb, call)
  local v = call.values
  if not sb.by_symbol[v.symbol] then return nil, refusal.invalid_symbol() end
  local timed = v.startTime or v.endTime
  if timed and (v.orderId or v.fromId) then return nil, refusal.bad_combination() end
  local span, no = bounds(sb, v)
  if not span then return nil, no end
  local out = {}
  for i, f in ipairs(sb.market:fills { account = call.account, symbol = v.symbol, order_id = v.orderId,
    from_id = v.fromId,
    from_ms = span.from_ms, to_ms = span.to_ms, limit = v.limit or 500 }) do
    out[i] = format.fill(f, sb.skew_ms)
  end
  return json.array(out)
end

local function order_counts(sb, call)
  return sb.limits:describe_orders(call.account, call.now)
end

local function rates(rate)
  return json.object("maker", rate, "taker", rate, "buyer", format.ZERO, "seller", format.ZERO)
end

local function commission(sb, call)
  local symbol = call.values.symbol
  if not sb.by_symbol[symbol] then return nil, refusal.invalid_symbol() end
  return json.object("symbol", symbol, "standardCommission", rates(pad(sb.fee_rate)),
    "specialCommission", rates(format.ZERO), "taxCommission", rates(format.ZERO),
    "discount", json.object("enabledForAccount", false, "enabledForSymbol", false, "discountAsset", "BNB",
      "discount", "0.25000000"))
end

local function my_filters(sb, call)
  if not sb.by_symbol[call.values.symbol] then return nil, refusal.invalid_symbol() end
  return json.object("exchangeFilters", json.array {}, "symbolFilters", json.array {}, "assetFilters", json.array {})
end

local function prevented(sb, call)
  local v = call.values
  if not sb.by_symbol[v.symbol] then return nil, refusal.invalid_symbol() end
  if (v.preventedMatchId == nil) == (v.orderId == nil) then return nil, refusal.bad_combination() end
  local out = {}
  for _, p in ipairs(sb.market:prevented { account = call.account, symbol = v.symbol, order_id = v.orderId,
    from_id = v.preventedMatchId or v.fromPreventedMatchId, limit = v.preventedMatchId and 1 or v.limit or 500 }) do
    if not v.preventedMatchId or p.id == v.preventedMatchId then
      out[#out + 1] = json.object("symbol", v.symbol, "preventedMatchId", p.id, "takerOrderId", p.taker_order_id,
        "makerSymbol", v.symbol, "makerOrderId", p.maker_order_id, "tradeGroupId", -1,
        "selfTradePreventionMode", format.upper[p.stp], "price", pad(p.price),
        "takerPreventedQuantity", p.taker_qty and pad(p.taker_qty), "makerPreventedQuantity",
        p.maker_qty and pad(p.maker_qty), "transactTime", p.time_ms + sb.skew_ms)
    end
  end
  return json.array(out)
end

--- Lists of what this sandbox never makes: order lists, allocations.
local function none() return json.array {} end

local function symbol_field(need) return field("symbol", "symbol", { need = need }) end
local limit_field = field("limit", "long", { max = 1000, min = 1 })

M.routes = {
  { method = "GET", path = "/api/v3/account", ws = "account.status", security = "USER_DATA", weight = 20,
    fields = { field("omitZeroBalances", "bool") }, handle = status },
  { method = "GET", path = "/api/v3/order", ws = "order.status", security = "USER_DATA", weight = 4,
    fields = { symbol_field(true), field("orderId", "long"), field("origClientOrderId", "client_id") }, handle = one },
  { method = "GET", path = "/api/v3/openOrders", ws = "openOrders.status", security = "USER_DATA",
    weight = function(v) return v.symbol and 6 or 80 end, fields = { symbol_field(false) }, handle = open },
  { method = "GET", path = "/api/v3/allOrders", ws = "allOrders", security = "USER_DATA", weight = 20,
    fields = { symbol_field(true), field("orderId", "long"), field("startTime", "bound"), field("endTime", "bound"),
      limit_field }, handle = all },
  { method = "GET", path = "/api/v3/myTrades", ws = "myTrades", security = "USER_DATA",
    weight = function(v) return v.orderId and 5 or 20 end,
    fields = { symbol_field(true), field("orderId", "long"), field("startTime", "bound"), field("endTime", "bound"),
      field("fromId", "long"), limit_field }, handle = fills },
  { method = "GET", path = "/api/v3/rateLimit/order", ws = "account.rateLimits.orders", security = "USER_DATA",
    weight = 40, fields = {}, handle = order_counts },
  { method = "GET", path = "/api/v3/account/commission", ws = "account.commission", security = "USER_DATA",
    weight = 20, fields = { symbol_field(true) }, handle = commission },
  { method = "GET", path = "/api/v3/myFilters", ws = "myFilters", security = "USER_DATA", weight = 40,
    fields = { symbol_field(true) }, handle = my_filters },
  { method = "GET", path = "/api/v3/myPreventedMatches", ws = "myPreventedMatches", security = "USER_DATA",
    weight = function(v) return v.orderId and 20 or 2 end,
    fields = { symbol_field(true), field("preventedMatchId", "long"), field("orderId", "long"),
      field("fromPreventedMatchId", "long"), limit_field }, handle = prevented },
  { method = "GET", path = "/api/v3/allOrderList", ws = "allOrderLists", security = "USER_DATA", weight = 20,
    fields = { field("fromId", "long"), field("startTime", "bound"), field("endTime", "bound"), limit_field },
    handle = none },
  { method = "GET", path = "/api/v3/openOrderList", ws = "openOrderLists.status", security = "USER_DATA", weight = 6,
    fields = {}, handle = none },
  { method = "GET", path = "/api/v3/myAllocations", ws = "myAllocations", security = "USER_DATA", weight = 20,
    fields = { symbol_field(true), field("startTime", "bound"), field("endTime", "bound"),
      field("fromAllocationId", "long"), field("orderId", "long"), limit_field }, handle = none },
}

return M
