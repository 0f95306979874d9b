--- Making an order smaller without losing its place in the queue, and the history of that.
local decimal = require "smc.decimal"
local filters = require "smc.sandbox.binance.filters"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local params = require "smc.sandbox.binance.params"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"

local M = {}
local field, pad, upper = params.field, format.pad, format.upper

local rejected = refusal.not_amended

local REJECTED = {
  unknown_order = rejected "Unknown order sent.",
  not_smaller = rejected "Order amend (quantity increase) is not supported.",
  no_change = rejected "The requested action would change no state; rejecting",
  duplicate_client_id = rejected "Duplicate order sent.",
  invalid_qty = refusal.invalid "newQty", -- not more than what is filled already
}

local function history(sb, symbol, id)
  local key = symbol .. "/" .. id
  sb.amendments[key] = sb.amendments[key] or {}
  return sb.amendments[key]
end

local function find(sb, call)
  local v = call.values
  local order = sb.market:order { account = call.account, symbol = v.symbol, id = v.orderId,
    client_id = not v.orderId and v.origClientOrderId or nil }
  if not order or v.origClientOrderId and order.client_id ~= v.origClientOrderId then
    return nil, REJECTED.unknown_order
  end
  return order
end

--- What the new quantity must satisfy; the engine judges the rest.
local function judge(sb, def, order, qty)
  local _, no = filters.check(def, { type = upper[order.type], price = order.price, qty = qty },
    function() return sb:average_price(def.symbol) end)
  if no and decimal.cmp(qty, order.qty) < 0 then return nil, rejected(no.msg) end
  if #history(sb, def.symbol, order.id) >= symbols.max_amends then
    return nil, rejected "Filter failure: MAX_NUM_ORDER_AMENDS"
  end
  return true
end

local function describe(o, old_client_id, sb)
  return json.object(
    "symbol", o.symbol, "orderId", o.id, "orderListId", -1, "origClientOrderId", old_client_id,
    "clientOrderId", o.client_id, "price", pad(o.price), "qty", pad(o.qty), "executedQty", pad(o.filled),
    "preventedQty", pad(o.prevented_qty), "quoteOrderQty", pad(o.quote_qty),
    "cumulativeQuoteQty", pad(o.filled_quote), "status", upper[o.status], "timeInForce", format.TIF[o.tif],
    "type", upper[o.type], "side", upper[o.side], "workingTime", o.working_ms + sb.skew_ms,
    "selfTradePreventionMode", upper[o.stp])
end

local function amend(sb, call)
  local v = call.values
  if not v.orderId and not v.origClientOrderId then
    return nil, refusal.missing_both("origClientOrderId", "orderId")
  end
  local def = sb.by_symbol[v.symbol]
  if not def then return nil, refusal.invalid_symbol() end
  local old, no = find(sb, call)
  if not old then return nil, no end
  local ok
  ok, no = judge(sb, def, old, v.newQty)
  if not ok then return nil, no end
  local new, why = sb.market:amend { account = call.account, symbol = v.symbol, id = old.id, qty = v.newQty,
    new_client_id = v.newClientOrderId or sb:new_client_id() }
  if not new then return nil, assert(REJECTED[why], why) end
  sb:settle() -- the engine numbers what it did in the event of it
  table.insert(history(sb, v.symbol, old.id), { exec_id = sb.last_exec_id, old_client_id = old.client_id,
    client_id = new.client_id, old_qty = old.qty, qty = new.qty, time = call.now })
  return json.object("transactTime", call.now, "executionId", sb.last_exec_id, "amendedOrder",
    describe(new, old.client_id, sb))
end

local function amendments(sb, call)
  local v = call.values
  if not sb.by_symbol[v.symbol] then return nil, refusal.invalid_symbol() end
  local order = sb.market:order { account = call.account, symbol = v.symbol, id = v.orderId }
  if not order then return nil, refusal.no_such_order() end
  local out = {}
  for _, a in ipairs(history(sb, v.symbol, v.orderId)) do
    if a.exec_id >= (v.fromExecutionId or 0) and #out < (v.limit or 500) then
      out[#out + 1] = json.object("symbol", v.symbol, "orderId", v.orderId, "executionId", a.exec_id,
        "origClientOrderId", a.old_client_id, "newClientOrderId", a.client_id, "origQty", pad(a.old_qty),
        "newQty", pad(a.qty), "time", a.time)
    end
  end
  return json.array(out)
end

local symbol_field = field("symbol", "symbol", { need = true })

M.routes = {
  { method = "PUT", path = "/api/v3/order/amend/keepPriority", ws = "order.amend.keepPriority", security = "TRADE",
    weight = 4, free = true, fields = { symbol_field, field("orderId", "long"),
      field("origClientOrderId", "client_id"), field("newClientOrderId", "client_id"),
      field("newQty", "decimal", { need = true }) }, handle = amend },
  { method = "GET", path = "/api/v3/order/amendments", ws = "order.amendments", security = "USER_DATA", weight = 4,
    fields = { symbol_field, field("orderId", "long", { need = true }), field("fromExecutionId", "long"),
      field("limit", "long", { max = 1000, min = 1 }) }, handle = amendments },
}

return M
