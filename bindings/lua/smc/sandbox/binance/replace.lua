--- One request that cancels an order and places another.  Each half may fail, and the answer tells of both.
local json = require "smc.json"
local orders = require "smc.sandbox.binance.orders"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.binance.refusal"
local terms = require "smc.sandbox.binance.terms"

local M = {}

--- A half of the answer: what it gave, or why it was refused; null when it was not tried.
local function half(result, no)
  if result then return result end
  if no then reached.refused("binance", no) end
  return no and json.object("code", no.code, "msg", no.msg) or json.null
end

local function answer(cancelled, cancel_no, placed, place_no)
  local outcome = placed and "SUCCESS" or place_no and "FAILURE" or "NOT_ATTEMPTED"
  return json.object("cancelResult", cancelled and "SUCCESS" or "FAILURE", "newOrderResult", outcome,
    "cancelResponse", half(cancelled, cancel_no), "newOrderResponse", half(placed, place_no))
end

--- The refusal that carries both halves.  some: one of them succeeded.
local function failed(both, some, status)
  local no = some and refusal.replaced_in_part() or refusal.not_replaced()
  no.status, no.data = status or no.status, both
  return no
end

local function cancel(sb, call)
  local v = call.values
  return orders.cancel_one(sb, call, { symbol = v.symbol, orderId = v.cancelOrderId,
    origClientOrderId = v.cancelOrigClientOrderId, newClientOrderId = v.cancelNewClientOrderId,
    cancelRestrictions = v.cancelRestrictions })
end

--- The order count is used up: with CANCEL_ONLY the old order goes all the same.
local function cancel_only(sb, call, limited)
  local v = call.values
  if v.orderRateLimitExceededMode ~= "CANCEL_ONLY" then return nil, limited end
  local cancelled, no = cancel(sb, call)
  local stops, status = v.cancelReplaceMode == "STOP_ON_FAILURE", nil
  if stops and not call.ws then status = 429 end
  local tried = (cancelled or not stops) and limited or nil
  local why = failed(answer(cancelled, no, nil, tried), cancelled ~= nil, status)
  why.retry_after = status and limited.retry_after
  return nil, why
end

function M.replace(sb, call)
  local v = call.values
  -- Counted with the order that would go: a client that has the most orders can't replace one.
  local no = terms.judge(sb, call.def, v) or terms.crowded(sb, call.account, v)
  if no then return nil, no end
  local may, limited = sb.limits:may_order(call.account, call.now)
  if not may then return cancel_only(sb, call, limited) end

  local cancelled, cancel_no = cancel(sb, call)
  if not cancelled and v.cancelReplaceMode == "STOP_ON_FAILURE" then
    sb.limits:count_order(call.account, 1, call.now) -- an order that was not attempted counts as well
    return nil, failed(answer(nil, cancel_no), false)
  end
  local placed, place_no = orders.submit(sb, call)
  local both = answer(cancelled, cancel_no, placed, place_no)
  if cancelled and placed then return both end
  return nil, failed(both, cancelled ~= nil or placed ~= nil)
end

return M
