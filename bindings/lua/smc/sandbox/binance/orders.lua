--- Placing, testing and cancelling orders.
local account = require "smc.sandbox.binance.account"
local decimal = require "smc.decimal"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local lists = require "smc.sandbox.binance.lists"
local refusal = require "smc.sandbox.binance.refusal"
local terms = require "smc.sandbox.binance.terms"

local M = {}

--- Whether the order of a request has what its type needs.
function M.shape(v) return terms.shape(v) end

local RESPONSE = { LIMIT = "FULL", MARKET = "FULL" } -- of the other types ACK, unless it is asked for

--- Hands a judged order to the engine.  Returns the answer, or nil and a refusal.
function M.submit(sb, call)
  local v = call.values
  local rested = sb.market:count(call.account, v.symbol) > 0 -- it may meet orders of its own account
  local order, fills = sb.market:place(terms.request(sb, call.account, v), sb.placed)
  if order or sb.assume.count_rejected_orders then sb.limits:count_order(call.account, 1, call.now) end
  if not order then return nil, assert(terms.REJECTED[fills], fills) end
  local label = terms.label(v)
  if label then sb:set_label(order, label) end
  local kind = v.newOrderRespType or RESPONSE[v.type] or "ACK"
  return format.placed[kind](format.view(sb, order, { transactTime = call.now,
    fills = kind == "FULL" and fills or nil, order = nil, label = nil, skew_ms = nil,
    preventedMatches = rested and kind == "FULL" and account.matches_of(sb, order) or nil }, label or false))
end

function M.place(sb, call)
  local no = terms.judge(sb, call.def, call.values)
  if no then return nil, no end
  local ok
  ok, no = sb.limits:may_order(call.account, call.now)
  if not ok then return nil, no end
  no = terms.crowded(sb, call.account, call.values)
  if not no then return M.submit(sb, call) end
  if sb.assume.count_rejected_orders then sb.limits:count_order(call.account, 1, call.now) end
  return nil, no
end

local function commission(bps)
  local rate = format.pad(decimal.div(tostring(bps), "10000", 8))
  return json.object("maker", rate, "taker", rate)
end

function M.test(sb, call)
  local no = terms.judge(sb, call.def, call.values)
  if no then return nil, no end
  if not call.values.computeCommissionRates then return json.object() end
  return json.object("standardCommissionForOrder", commission(sb.assume.commission_bps),
    "specialCommissionForOrder", commission(0), "taxCommissionForOrder", commission(0), "discount", account.discount)
end

--- No symbol is traded through several books.
function M.no_sor() return nil, refusal.unsupported_operation() end

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
  local list = sb.lists[sb:label(order).list_id]
  if list then return lists.cancel_list(sb, call, list, v.newClientOrderId) end
  return cancel(sb, call, order, v.newClientOrderId)
end

function M.cancel(sb, call) return M.cancel_one(sb, call, call.values) end

function M.cancel_all(sb, call)
  local out, seen = {}, {}
  for _, order in ipairs(sb.market:orders { account = call.account, symbol = call.values.symbol, open = true }) do
    local id = sb:label(order).list_id
    if not id then
      out[#out + 1] = cancel(sb, call, order)
    elseif not seen[id] then
      seen[id], out[#out + 1] = true, lists.cancel_list(sb, call, sb.lists[id])
    end
  end
  if #out == 0 then return nil, refusal.unknown_order() end
  return json.array(out)
end

return M
