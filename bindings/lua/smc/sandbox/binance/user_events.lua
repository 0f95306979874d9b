--- What an account is told about itself: executionReport, outboundAccountPosition, balanceUpdate.
local account_events = require "smc.sandbox.account_events"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local lists = require "smc.sandbox.binance.lists"

local M = {}
local pad, ZERO = format.pad, format.ZERO

-- The engine's word for what happened, in the venue's.
local EXEC = { new = "NEW", trade = "TRADE", canceled = "CANCELED", expired = "EXPIRED", prevented = "TRADE_PREVENTION",
  replaced = "REPLACED", triggered = "NEW",
  released = "NEW" }

local RENAMES = { CANCELED = true, REPLACED = true } -- tell of the client id that was there before

-- Why an order that was triggered could not work.
local REJECT = { insufficient_funds = "INSUFFICIENT_BALANCES", would_take = "WOULD_MATCH_IMMEDIATELY" }

local list_status = format.shape "e E s=symbol g=id c=kind l=type L=status r C=client_id T=time O=orders"

local report = format.shape "e E s=symbol c=clientOrderId S=side o=type f=timeInForce q=origQty p=price P=stopPrice \z
  d=trailingDelta D=trailingTime F=icebergQty g=orderListId C=origClientOrderId j=strategyId J=strategyType x \z
  X=status r i=orderId l z=executedQty L n N T t v I w=onBook m M O=time Z=cummulativeQuoteQty Y \z
  Q=origQuoteOrderQty W=workingSince V=selfTradePreventionMode A B U Cs pl=B pL pY gP=pegPriceType gOT=pegOffsetType \z
  gOV=pegOffsetValue gp=peggedPrice eR=expiryReason"

function M.execution(sb, e, now)
  local gone = e.exec == "canceled" and e.order.reason == "linked"
  local more = { e = "executionReport", E = now, x = gone and "EXPIRED" or EXEC[e.exec],
    r = REJECT[e.order.reject] or "NONE", T = e.time_ms + sb.skew_ms, I = e.exec_id, l = ZERO, L = ZERO, n = "0",
    N = json.null, t = -1, m = false, M = false, Y = ZERO }
  if not RENAMES[more.x] then more.origClientOrderId = "" end
  if e.exec == "triggered" or e.exec == "released" and not e.order.trigger then more.onBook = true end
  if e.exec == "trade" then
    more.l, more.L, more.Y, more.t = pad(e.last_qty), pad(e.last_price), pad(e.last_quote), e.trade_id
    more.n, more.N, more.m, more.M = pad(e.fee), e.fee_asset, e.is_maker, true
  elseif e.exec == "prevented" then
    more.v, more.U, more.Cs = e.prevented_match_id, e.counter_order_id, e.order.symbol
    more.A, more.B = pad(e.order.prevented_qty), pad(e.last_prevented_qty)
    more.pL, more.pY = pad(e.prevented_price), pad(e.prevented_quote)
  end
  return report(format.view(sb, e.order, more))
end

local function position(sb, list, now)
  local assets = format.each(list, function(b)
    return json.object("a", b.asset, "f", pad(b.free), "l", pad(b.locked))
  end)
  return json.object("e", "outboundAccountPosition", "E", now, "u", list[#list].time_ms + sb.skew_ms, "B", assets)
end

local function signed(amount)
  if amount:sub(1, 1) == "-" then return "-" .. pad(amount:sub(2)) end
  return pad(amount)
end

local function transfer(sb, e, now)
  return json.object("e", "balanceUpdate", "E", now, "a", e.asset, "d", signed(e.amount), "T", e.time_ms + sb.skew_ms)
end

--- Calls tell(account, event) for each thing that one operation after the other did; what it meant for order lists
-- comes last.
function M.each(sb, events, tell)
  local now, touched = sb:now(), {}
  account_events.each(events, {
    balances = function(list) tell(list[1].account, position(sb, list, now)) end,
    order = function(e)
      if e.exec ~= "triggered" or sb.assume.report_triggers then tell(e.account, M.execution(sb, e, now)) end
      local list = sb.lists[sb:label(e.order).list_id]
      if list then touched[#touched + 1] = { list, e.exec == "new" } end
    end,
    transfer = function(e) tell(e.account, transfer(sb, e, now)) end,
  })
  for _, touch in ipairs(touched) do
    local list, new = table.unpack(touch)
    for _, status in ipairs(lists.news(sb, list, new)) do
      status.e, status.E, status.r = "listStatus", now, "NONE"
      tell(list.account, list_status(status))
    end
  end
end

return M
