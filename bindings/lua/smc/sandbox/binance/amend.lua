--- Making an order smaller without losing its place in the queue, and the history of that.
local decimal = require "smc.decimal"
local filters = require "smc.sandbox.binance.filters"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local lists = require "smc.sandbox.binance.lists"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"

local M = {}

local rejected = refusal.not_amended
local REJECTED = {
  unknown_order = rejected "Unknown order sent.",
  not_smaller = rejected "Order amend (quantity increase) is not supported.",
  no_change = rejected "The requested action would change no state; rejecting",
  halted = rejected "Market is closed.",
  duplicate_client_id = rejected "Duplicate order sent.",
  invalid_qty = refusal.invalid "newQty", -- not more than what is filled already
}

--- What the new quantity must satisfy; the engine judges the rest.
local function judge(sb, def, order, qty)
  local market = order.type == "market"
  local price = not market and order.price or nil
  local no = filters.check(sb, def, { type = order.type, quantity = qty }, price, nil, market)
  if no and decimal.cmp(qty, order.qty) < 0 then return rejected(no.msg) end
  if #(sb:label(order).amendments or {}) >= symbols.max_amends then
    return rejected "Filter failure: MAX_NUM_ORDER_AMENDS"
  end
end

function M.amend(sb, call)
  local v = call.values
  local old = sb:find_order(call, v)
  if not old or v.origClientOrderId and old.client_id ~= v.origClientOrderId then return nil, REJECTED.unknown_order end
  local no = judge(sb, call.def, old, v.newQty)
  if no then return nil, no end
  local new, why = sb.market:amend { account = call.account, symbol = v.symbol, id = old.id, qty = v.newQty,
    keep_priority = true, new_client_id = v.newClientOrderId or sb:new_client_id() }
  if not new then return nil, assert(REJECTED[why], why) end
  if new.client_id ~= old.client_id then lists.renamed(sb, old, call.now) end
  sb:settle() -- the engine numbers what it did in the event of it
  local history = sb:label(old).amendments or {}
  history[#history + 1] = { symbol = v.symbol, orderId = old.id, executionId = sb.last_exec_id,
    origClientOrderId = old.client_id, newClientOrderId = new.client_id, origQty = format.pad(old.qty),
    newQty = format.pad(new.qty), time = call.now }
  sb:set_label(old, { amendments = history })
  return json.object("transactTime", call.now, "executionId", sb.last_exec_id, "amendedOrder",
    format.amended(format.view(sb, new, { origClientOrderId = old.client_id })), "listStatus", lists.status(sb, new))
end

local amendment = format.shape "symbol orderId executionId origClientOrderId newClientOrderId origQty newQty time"

function M.amendments(sb, call)
  local v = call.values
  local order = sb:find_order(call, v)
  if not order then return nil, refusal.no_such_order() end
  local out = {}
  for _, a in ipairs(sb:label(order).amendments or {}) do
    if a.executionId >= (v.fromExecutionId or 0) and #out < (v.limit or 500) then out[#out + 1] = amendment(a) end
  end
  return json.array(out)
end

return M
