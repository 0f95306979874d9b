--- Placing, testing and cancelling orders.
local account = require "smc.sandbox.binance.account"
local decimal = require "smc.decimal"
local filters = require "smc.sandbox.binance.filters"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"

local M = {}

local STP_ALLOWED = { NONE = true }
for _, mode in ipairs(symbols.stp_modes) do STP_ALLOWED[mode] = true end

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

--- Whether an order has what its type needs, and no more.  Returns nil, or a refusal.
function M.shape(v)
  local rule = RULES[v.type]
  for _, name in ipairs(rule.need) do
    if v[name] == nil and not (name == "price" and v.pegPriceType) then return refusal.missing(name) end
  end
  for _, name in ipairs(rule.refuse) do
    if v[name] ~= nil then return refusal.not_required(name) end
  end
  if v.type == "MARKET" then
    if v.quantity and v.quoteOrderQty then return refusal.not_required "quoteOrderQty" end
    if not v.quantity and not v.quoteOrderQty then return refusal.missing_both("quantity", "quoteOrderQty") end
  end
  if rule.unsupported and not v.stopPrice and not v.trailingDelta then
    return refusal.missing_both("stopPrice", "trailingDelta")
  end
end

local function supported(v)
  local unsupported = RULES[v.type].unsupported
  if v.trailingDelta then return refusal.unsupported "Trailing stop" end
  if unsupported then return refusal.unsupported(unsupported) end
  if v.icebergQty and decimal.cmp(v.icebergQty, "0") > 0 then return refusal.unsupported "Iceberg" end
  if v.pegPriceType then return refusal.unsupported "Pegged" end
  if v.selfTradePreventionMode and not STP_ALLOWED[v.selfTradePreventionMode] then
    return refusal.no_such_self_trade()
  end
end

--- All else that can be judged without the engine.  Returns nil, or a refusal.
function M.judge(sb, call)
  local v = call.values
  local no = supported(v)
  if no then return no end
  local order = { type = v.type, price = v.price, qty = v.quantity, quote_qty = v.quoteOrderQty }
  return select(2, filters.check(call.def, order, function() return sb:average_price(v.symbol) end))
end

--- The refusal of an order that would be one too many.
function M.crowded(sb, call)
  local v = call.values
  if v.type ~= "MARKET" and sb.market:count { account = call.account, symbol = v.symbol } >= symbols.max_orders then
    return refusal.engine_filter "MAX_NUM_ORDERS"
  end
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

local RESPONSE = { LIMIT = "FULL", MARKET = "FULL" } -- of the other types ACK, unless it is asked for

--- Hands a judged order to the engine.  Returns the answer, or nil and a refusal.
function M.submit(sb, call)
  local v = call.values
  local order, fills = sb.market:place {
    account = call.account, symbol = v.symbol, side = v.side:lower(), type = v.type:lower(),
    qty = v.quantity, quote_qty = v.quoteOrderQty, price = v.price,
    tif = v.timeInForce and v.timeInForce:lower() or nil,
    client_id = v.newClientOrderId or sb:new_client_id(),
    stp = (v.selfTradePreventionMode or symbols.stp_default):lower(),
  }
  if order or sb.assume.count_rejected_orders then sb.limits:count_order(call.account, 1, call.now) end
  if not order then return nil, assert(REJECTED[fills], fills) end
  if v.strategyId or v.strategyType then
    sb:set_label(order, { strategy_id = v.strategyId, strategy_type = v.strategyType })
  end
  local kind = v.newOrderRespType or RESPONSE[v.type] or "ACK"
  return format.placed[kind](format.view(sb, order, { transactTime = call.now, fills = kind == "FULL"
    and format.each(fills, format.own_fill) }))
end

function M.place(sb, call)
  local no = M.judge(sb, call)
  if no then return nil, no end
  local ok
  ok, no = sb.limits:may_order(call.account, call.now)
  if not ok then return nil, no end
  no = M.crowded(sb, call)
  if not no then return M.submit(sb, call) end
  if sb.assume.count_rejected_orders then sb.limits:count_order(call.account, 1, call.now) end
  return nil, no
end

local function commission(bps)
  local rate = format.pad(decimal.div(tostring(bps), "10000", 8))
  return json.object("maker", rate, "taker", rate)
end

function M.test(sb, call)
  local no = M.judge(sb, call)
  if no then return nil, no end
  if not call.values.computeCommissionRates then return json.object() end
  return json.object("standardCommissionForOrder", commission(sb.assume.commission_bps),
    "specialCommissionForOrder", commission(0), "taxCommissionForOrder", commission(0), "discount", account.discount)
end

-- ---- cancelling -----------------------------------------------------------------------------

local OPEN = { new = true, partially_filled = true }
local ONLY = { ONLY_NEW = "new", ONLY_PARTIALLY_FILLED = "partially_filled" }

local function cancel(sb, call, order, new_client_id)
  order = sb.market:cancel { account = call.account, symbol = order.symbol, id = order.id,
    new_client_id = new_client_id or sb:new_client_id() }
  return format.canceled(format.view(sb, order, { transactTime = call.now }))
end

--- Cancels one order.  v: the values of a cancel request.  Returns the answer, or nil and a refusal.
function M.cancel_one(sb, call, v)
  local order = sb:find_order(call, v)
  if not order or not OPEN[order.status] then return nil, refusal.unknown_order() end
  if v.origClientOrderId and order.client_id ~= v.origClientOrderId then return nil, refusal.ids_disagree() end
  local only = ONLY[v.cancelRestrictions]
  if only and order.status ~= only then return nil, refusal.cancel_restricted() end
  return cancel(sb, call, order, v.newClientOrderId)
end

function M.cancel(sb, call) return M.cancel_one(sb, call, call.values) end

function M.cancel_all(sb, call)
  local out = {}
  for i, order in ipairs(sb.market:orders { account = call.account, symbol = call.values.symbol, open = true }) do
    out[i] = cancel(sb, call, order)
  end
  if #out == 0 then return nil, refusal.unknown_order() end
  return json.array(out)
end

return M
