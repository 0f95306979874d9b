--- Placing, testing and cancelling orders.
local decimal = require "smc.decimal"
local filters = require "smc.sandbox.binance.filters"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local params = require "smc.sandbox.binance.params"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"

local M = { routes = {} }
local field = params.field

local function set(list)
  local out = {}
  for _, word in ipairs(list) do out[word] = true end
  return out
end

local STP = set { "NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER" }
local STP_ALLOWED = set(symbols.stp_modes)
STP_ALLOWED.NONE = true

-- What a type must have and must not have.  unsupported: no symbol of this sandbox takes it.
local TRIGGERS = { "stopPrice", "trailingDelta" }
local RULES = {
  LIMIT = { need = { "timeInForce", "quantity", "price" }, refuse = { "quoteOrderQty", table.unpack(TRIGGERS) } },
  LIMIT_MAKER = { need = { "quantity", "price" }, refuse = { "timeInForce", "quoteOrderQty", table.unpack(TRIGGERS) } },
  MARKET = { need = {}, refuse = { "timeInForce", "price", "icebergQty", table.unpack(TRIGGERS) } },
  STOP_LOSS = { need = { "quantity" }, refuse = { "timeInForce", "price" }, unsupported = "Stop loss" },
  TAKE_PROFIT = { need = { "quantity" }, refuse = { "timeInForce", "price" }, unsupported = "Take profit" },
  STOP_LOSS_LIMIT = { need = { "timeInForce", "quantity", "price" }, refuse = {}, unsupported = "Stop loss limit" },
  TAKE_PROFIT_LIMIT = { need = { "timeInForce", "quantity", "price" }, refuse = {}, unsupported = "Take profit limit" },
}

local types = {}
for name in pairs(RULES) do types[name] = true end

--- A word out of a few; any other is refused, in the way that is named.
local function word(name, list, no, need)
  return field(name, "any", { need = need, among = list, refusal = no and refusal[no]() })
end

local place_fields = {
  field("symbol", "symbol", { need = true }),
  word("side", set { "BUY", "SELL" }, "invalid_side", true),
  word("type", types, "invalid_type", true),
  word("timeInForce", set { "GTC", "IOC", "FOK" }, "invalid_tif"),
  field("quantity", "decimal"),
  field("quoteOrderQty", "decimal"),
  field("price", "decimal"),
  field("newClientOrderId", "client_id"),
  field("strategyId", "long"),
  field("strategyType", "long", { min = 1000000, refusal = refusal.strategy_type() }),
  field("stopPrice", "decimal"),
  field("trailingDelta", "long"),
  field("icebergQty", "decimal"),
  word("newOrderRespType", set { "ACK", "RESULT", "FULL" }),
  word("selfTradePreventionMode", STP),
  word("pegPriceType", set { "PRIMARY_PEG", "MARKET_PEG" }, "invalid_peg"),
  word("pegOffsetType", set { "PRICE_LEVEL" }, "invalid_peg_offset"),
  field("pegOffsetValue", "long"),
}

local function shape(v)
  local rule = RULES[v.type]
  for _, name in ipairs(rule.need) do
    if v[name] == nil and not (name == "price" and v.pegPriceType) then return nil, refusal.missing(name) end
  end
  for _, name in ipairs(rule.refuse) do
    if v[name] ~= nil then return nil, refusal.not_required(name) end
  end
  if v.type == "MARKET" then
    if v.quantity and v.quoteOrderQty then return nil, refusal.not_required "quoteOrderQty" end
    if not v.quantity and not v.quoteOrderQty then return nil, refusal.missing_both("quantity", "quoteOrderQty") end
  end
  if rule.unsupported and not v.stopPrice and not v.trailingDelta then
    return nil, refusal.missing_both("stopPrice", "trailingDelta")
  end
  return rule
end

local function supported(v, rule)
  if v.trailingDelta then return nil, refusal.unsupported "Trailing stop" end
  if rule.unsupported then return nil, refusal.unsupported(rule.unsupported) end
  if v.icebergQty and decimal.cmp(v.icebergQty, "0") > 0 then return nil, refusal.unsupported "Iceberg" end
  if v.pegPriceType then return nil, refusal.unsupported "Pegged" end
  if v.selfTradePreventionMode and not STP_ALLOWED[v.selfTradePreventionMode] then
    return nil, refusal.no_such_self_trade()
  end
  return true
end

--- All that can be judged without the engine.  Returns the symbol's definition, or nil and a refusal.
local function judge(sb, v)
  local rule, no = shape(v)
  if not rule then return nil, no end
  local def = sb.by_symbol[v.symbol]
  if not def then return nil, refusal.invalid_symbol() end
  local ok
  ok, no = supported(v, rule)
  if not ok then return nil, no end
  local order = { type = v.type, price = v.price, qty = v.quantity, quote_qty = v.quoteOrderQty }
  ok, no = filters.check(def, order, function() return sb:average_price(def.symbol) end)
  if not ok then return nil, no end
  return def
end

local REJECTED = {
  duplicate_client_id = refusal.duplicate_order(),
  insufficient_funds = refusal.no_balance(),
  would_take = refusal.would_take(),
  no_liquidity = refusal.no_liquidity(),
  invalid_price = refusal.filter "PRICE_FILTER",
  invalid_qty = refusal.filter "LOT_SIZE",
  invalid_quote_qty = refusal.filter "NOTIONAL",
  quote_qty_too_small = refusal.filter "LOT_SIZE",
}

local function full_of_orders(sb, call, def)
  return call.values.type ~= "MARKET"
    and sb.market:count { account = call.account, symbol = def.symbol } + 1 > symbols.max_orders
end

--- Hands a judged order to the engine.  Returns the answer, or nil and a refusal.
local function submit(sb, call, def)
  local v = call.values
  local order, fills = sb.market:place {
    account = call.account, symbol = def.symbol, side = v.side:lower(), type = v.type:lower(),
    qty = v.quantity, quote_qty = v.quoteOrderQty, price = v.price,
    tif = v.timeInForce and v.timeInForce:lower() or nil,
    client_id = v.newClientOrderId or sb:new_client_id(),
    stp = (v.selfTradePreventionMode or symbols.stp_default):lower(),
  }
  if order or sb.assume.count_rejected_orders then sb.limits:count_order(call.account, 1, call.now) end
  if not order then return nil, assert(REJECTED[fills], fills) end
  if v.strategyId or v.strategyType then sb:set_strategy(order, v.strategyId, v.strategyType) end
  local kind = v.newOrderRespType or (v.type == "LIMIT_MAKER" and "ACK" or "FULL")
  return format.placed(sb:with_strategy(order), fills, kind, call.now, sb.skew_ms)
end

local function place(sb, call)
  local def, no = judge(sb, call.values)
  if not def then return nil, no end
  local ok
  ok, no = sb.limits:may_order(call.account, call.now)
  if not ok then return nil, no end
  if full_of_orders(sb, call, def) then
    if sb.assume.count_rejected_orders then sb.limits:count_order(call.account, 1, call.now) end
    return nil, refusal.engine_filter "MAX_NUM_ORDERS"
  end
  return submit(sb, call, def)
end

local function commission(bps)
  local rate = format.pad(decimal.div(tostring(bps), "10000", 8))
  return json.object("maker", rate, "taker", rate)
end

local function test(sb, call)
  local def, no = judge(sb, call.values)
  if not def then return nil, no end
  if not call.values.computeCommissionRates then return json.object() end
  return json.object(
    "standardCommissionForOrder", commission(sb.assume.commission_bps),
    "specialCommissionForOrder", commission(0),
    "taxCommissionForOrder", commission(0),
    "discount", json.object("enabledForAccount", false, "enabledForSymbol", false, "discountAsset", "BNB",
      "discount", "0.25000000"))
end

local function cancel_ids(v)
  if not v.orderId and not v.origClientOrderId then return refusal.missing_both("origClientOrderId", "orderId") end
end

local function restricted(v, order)
  return v.cancelRestrictions == "ONLY_NEW" and order.status ~= "new"
    or v.cancelRestrictions == "ONLY_PARTIALLY_FILLED" and order.status ~= "partially_filled"
end

local OPEN = { new = true, partially_filled = true }

--- Cancels one order.  v: the values of a cancel request.  Returns the answer, or nil and a refusal.
local function cancel_one(sb, call, v)
  local order = sb.market:order { account = call.account, symbol = v.symbol, id = v.orderId,
    client_id = not v.orderId and v.origClientOrderId or nil }
  if not order or not OPEN[order.status] then return nil, refusal.unknown_order() end
  if v.origClientOrderId and order.client_id ~= v.origClientOrderId then
    return nil, refusal.ids_disagree()
  end
  if restricted(v, order) then
    return nil, refusal.cancel_restricted()
  end
  order = sb.market:cancel { account = call.account, symbol = v.symbol, id = order.id,
    new_client_id = v.newClientOrderId or sb:new_client_id() }
  if not order then return nil, refusal.unknown_order() end
  return format.canceled(sb:with_strategy(order), call.now)
end

local function cancel(sb, call)
  local v = call.values
  local no = cancel_ids(v)
  if no then return nil, no end
  if not sb.by_symbol[v.symbol] then return nil, refusal.invalid_symbol() end
  return cancel_one(sb, call, v)
end

local function cancel_all(sb, call)
  local symbol = call.values.symbol
  if not sb.by_symbol[symbol] then return nil, refusal.invalid_symbol() end
  local out = {}
  for i, order in ipairs(sb.market:orders { account = call.account, symbol = symbol, open = true }) do
    local gone = assert(sb.market:cancel { account = call.account, symbol = symbol, id = order.id,
      new_client_id = sb:new_client_id() })
    out[i] = format.canceled(sb:with_strategy(gone), call.now)
  end
  if #out == 0 then return nil, refusal.unknown_order() end
  return json.array(out)
end

local function with(fields, more)
  local out = { table.unpack(fields) }
  out[#out + 1] = more
  return out
end

local symbol_field = field("symbol", "symbol", { need = true })
local restrictions = word("cancelRestrictions", set { "ONLY_NEW", "ONLY_PARTIALLY_FILLED" }, "invalid_restrictions")

-- What replacing an order is made of.
M.parts = { judge = judge, full_of_orders = full_of_orders, submit = submit, cancel_one = cancel_one,
  place_fields = place_fields, restrictions = restrictions, word = word, set = set }

M.routes = {
  { method = "POST", path = "/api/v3/order", ws = "order.place", security = "TRADE", weight = 1, free = true,
    orders = true, fields = place_fields, handle = place },
  { method = "POST", path = "/api/v3/order/test", ws = "order.test", security = "TRADE", orders = false,
    weight = function(v) return v.computeCommissionRates and 20 or 1 end,
    fields = with(place_fields, field("computeCommissionRates", "bool")), handle = test },
  { method = "DELETE", path = "/api/v3/order", ws = "order.cancel", security = "TRADE", weight = 1, free = true,
    fields = {
      symbol_field, field("orderId", "long"), field("origClientOrderId", "client_id"),
      field("newClientOrderId", "client_id"), restrictions }, handle = cancel },
  { method = "DELETE", path = "/api/v3/openOrders", ws = "openOrders.cancelAll", security = "TRADE", weight = 1,
    free = true, fields = { symbol_field }, handle = cancel_all },
}

return M
