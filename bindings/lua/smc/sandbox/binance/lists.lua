--- Order lists: one cancels the other (OCO), one triggers the other (OTO), and one triggers an OCO (OTOCO).
-- The engine links the orders (core/market, "Linked orders"); here is what makes a list of them.
local account = require "smc.sandbox.binance.account"
local decimal = require "smc.decimal"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"
local terms = require "smc.sandbox.binance.terms"

local M = {}
local OPEN = { new = true, partially_filled = true }

-- ---- legs -----------------------------------------------------------------------------------

local LEG = { "type", "side", "quantity", "price", "stopPrice", "trailingDelta", "timeInForce", "icebergQty",
  "strategyId", "strategyType", "pegPriceType", "pegOffsetType", "pegOffsetValue" }

local function prefixed(prefix)
  return function(name) return prefix .. name:sub(1, 1):upper() .. name:sub(2) end
end

--- The leg of a request whose parameters begin with a prefix, as the values of an order.  side, quantity: of the list,
-- where the leg has none of its own.
local function leg(v, prefix, side, quantity)
  local named = prefixed(prefix)
  local out = { symbol = v.symbol, newClientOrderId = v[prefix .. "ClientOrderId"], named = named,
    selfTradePreventionMode = v.selfTradePreventionMode }
  for _, name in ipairs(LEG) do out[name] = v[named(name)] end
  out.side, out.quantity = out.side or side, out.quantity or quantity
  return out
end

local function waits(one) return terms.RULES[one.type].waits end

--- The two legs of an OCO: one that waits comes first, so that nothing has reached the book when the other is refused.
local function pair(v, above, below, side, quantity)
  local one, other = leg(v, above, side, quantity), leg(v, below, side, quantity)
  one.above = true
  if not waits(one) then one, other = other, one end
  return { one, other }
end

-- ---- what must hold ----------------------------------------------------------------------------

local IN_OCO = { LIMIT_MAKER = "limit", STOP_LOSS = "stop", STOP_LOSS_LIMIT = "stop", TAKE_PROFIT = "profit",
  TAKE_PROFIT_LIMIT = "profit" }

-- Where a leg must stand: by side and kind, whether above, and the refusal of one that does not.
local PLACES = {
  BUY = { limit = { false, "buy_limit_above" }, stop = { true, "buy_stop_below" },
    profit = { false, "buy_profit_above" } },
  SELL = { limit = { true, "sell_limit_below" }, stop = { false, "sell_stop_above" },
    profit = { true, "sell_profit_below" } },
}

local function check_pair(legs)
  for _, one in ipairs(legs) do
    if not IN_OCO[one.type] then return refusal.not_in_oco() end
    if one.icebergQty and one.timeInForce and one.timeInForce ~= "GTC" then
      return refusal.iceberg_of_pair(one.named "icebergQty")
    end
  end
  if not waits(legs[1]) and not waits(legs[2]) then return refusal.both_limits() end
  for _, one in ipairs(legs) do
    local place = PLACES[one.side][IN_OCO[one.type]]
    if (one.above or false) ~= place[1] then return refusal[place[2]]() end
  end
end

--- The price of a leg that is compared with the market's; nil: it trails.
local function level(one)
  return (one.type == "LIMIT_MAKER" or one.type == "TAKE_PROFIT_LIMIT") and one.price or one.stopPrice
end

--- Of a pair that is placed now: one stands above the last price, the other below.
local function around(sb, legs)
  local last = sb.market:trades { symbol = legs[1].symbol, limit = 1 }[1].price
  for _, one in ipairs(legs) do
    local at = level(one)
    if at and decimal.cmp(at, last) ~= (one.above and 1 or -1) then return refusal.wrong_relation() end
  end
end

--- No two orders of the list, and no open order, may have one client id.
local function named_twice(sb, call, legs)
  local seen = {}
  for _, one in ipairs(legs) do
    local id = one.newClientOrderId
    if id then
      local other = sb:find_order(call, { symbol = one.symbol, origClientOrderId = id })
      if seen[id] or other and OPEN[other.status] and other.client_id == id then return refusal.duplicate_order() end
      seen[id] = true
    end
  end
end

local function each_leg(legs, check)
  for _, one in ipairs(legs) do
    local no = check(one)
    if no then return no end
  end
end

--- The orders of a list by their place in it, as far as the market remembers them.  Nil: none; the list is forgotten
-- with them.
local function remembered(sb, list)
  local out
  for i, id in ipairs(list.ids) do
    local order = sb.market:order { account = list.account, symbol = list.symbol, id = id }
    if order then
      out = out or {}
      out[i], list.names[i] = order, order.client_id
    end
  end
  if not out then sb.lists[list.id] = false end
  return out
end

--- Whether something can still become of it.  With its last order it ends, and its time is that of its end.
local function is_open(sb, list)
  if list.ended then return false end
  local orders = remembered(sb, list) or {}
  for _, order in pairs(orders) do
    if OPEN[order.status] then return true end
  end
  list.ended = true -- for good: nothing opens an order again
  for _, order in pairs(orders) do list.time = math.max(list.time, order.updated_ms + sb.skew_ms) end
  return false
end

--- The lists of the account that asks, those that are remembered.
local function own(sb, call)
  local out = {}
  for _, list in ipairs(sb.lists) do
    if list and list.account == call.account and remembered(sb, list) then out[#out + 1] = list end
  end
  return out
end

local function open_lists(sb, call, symbol)
  local out = {}
  for _, list in ipairs(sb.lists) do
    if list and list.account == call.account and (not symbol or list.symbol == symbol) and is_open(sb, list) then
      out[#out + 1] = list
    end
  end
  return out
end

--- An open list has one client id for itself.
local function list_named_twice(sb, call)
  local id = call.values.listClientOrderId
  for _, list in ipairs(id and open_lists(sb, call) or {}) do
    if list.client_id == id then return refusal.duplicate_order() end
  end
end

local function judge(sb, call, legs)
  local waiting = 0
  for _, one in ipairs(legs) do waiting = waiting + (waits(one) and 1 or 0) end
  return each_leg(legs, function(one) return terms.judge(sb, call.def, one) end)
    or named_twice(sb, call, legs)
    or list_named_twice(sb, call)
    or each_leg(legs, function(one) return terms.crowded(sb, call.account, one, #legs - 1, waiting - 1) end)
    or #open_lists(sb, call, call.def.symbol) >= symbols.max_lists and refusal.engine_filter "MAX_NUM_ORDER_LISTS"
    or nil
end

-- ---- as they are shown ---------------------------------------------------------------------------

local SHOWN = format.shape "orderListId=id contingencyType=kind listStatusType=type listOrderStatus=status \z
  listClientOrderId=client_id transactionTime=time symbol orders orderReports=reports"

local ORDER = { "symbol", "orderId", "clientOrderId" } -- what answers call the parts of an order
local TOLD_ORDER = { "s", "i", "c" } -- and what events do

--- A list as a record; type: EXEC_STARTED, UPDATED or ALL_DONE; parts: what those of its orders are called.
local function record(sb, list, type, parts, reports)
  local orders = remembered(sb, list) or {}
  local shown_orders = {}
  for i, id in ipairs(list.ids) do
    shown_orders[i] = json.object(parts[1], list.symbol, parts[2], id, parts[3], orders[i] and orders[i].client_id
      or list.names[i])
  end
  return { id = list.id, kind = list.kind, type = type, status = type == "ALL_DONE" and type or "EXECUTING",
    client_id = list.client_id, time = list.time, symbol = list.symbol, reports = reports and json.array(reports),
    orders = json.array(shown_orders) }
end

local function shown(list, sb)
  return SHOWN(record(sb, list, is_open(sb, list) and "EXEC_STARTED" or "ALL_DONE", ORDER))
end

--- What there is to tell of a list after something happened to one of its orders; new: that one has just been placed.
-- Returns records; each is told once.
function M.news(sb, list, new)
  local out = {}
  if new and not list.begun then
    list.begun, out[1] = true, record(sb, list, "EXEC_STARTED", TOLD_ORDER)
  end
  if list.renamed then
    list.renamed, out[#out + 1] = false, record(sb, list, "UPDATED", TOLD_ORDER)
  end
  if not list.over and not is_open(sb, list) then
    list.over, out[#out + 1] = true, record(sb, list, "ALL_DONE", TOLD_ORDER)
  end
  return out
end

local STATUS = format.shape "orderListId=id contingencyType=kind listOrderStatus=status listClientOrderId=client_id \z
  symbol orders"

--- An order has another client id since an operation that nobody was told of yet.  Tells of it.
function M.renamed(sb, order, now)
  local list = sb.lists[sb:label(order).list_id]
  if list then list.renamed, list.time = true, now end
  sb:settle()
  if list then list.renamed = false end -- nobody may have listened
end

--- The list of an order, as an amendment tells of it; nil: it has none.
function M.status(sb, order)
  local list = sb.lists[sb:label(order).list_id]
  return list and STATUS(record(sb, list, "EXEC_STARTED", ORDER)) or nil
end

-- ---- placing -------------------------------------------------------------------------------------

--- Places the legs in their order.  Returns the list and the fills of each, or nil and a refusal.  Only the last of a
-- pair can be refused once another is placed; that one waits, and nobody has seen it.
local function submit(sb, call, kind, legs)
  local list = { id = #sb.lists + 1, kind = kind, account = call.account, symbol = call.def.symbol, time = call.now,
    client_id = call.values.listClientOrderId or sb:new_client_id(), ids = {}, names = {} }
  local link, fills = sb.market:new_link(), {}
  for i, one in ipairs(legs) do
    local request = terms.request(sb, call.account, one)
    request.after, request.link = one.pending and list.ids[1], one.linked and link
    local order, why = sb.market:place(request, sb.placed)
    if not order then
      if list.ids[1] then
        sb.market:cancel { account = call.account, symbol = list.symbol, id = list.ids[1] }
        sb.market:forget()
      end
      return nil, assert(terms.REJECTED[why], why)
    end
    local label = terms.label(one) or {}
    label.list_id = list.id
    sb:set_label(order, label)
    list.ids[i], list.names[i], fills[i] = order.id, order.client_id, format.own_fills(why)
  end
  sb.lists[list.id] = list
  sb.limits:count_order(call.account, #legs, call.now)
  return list, fills
end

--- An order of a list that has just been placed.  One that is pending is shown as that, also when what it waits for was
-- filled at once.
local function placed(sb, call, order, one, fills, respond)
  local view = format.view(sb, order, { transactTime = call.now, fills = fills,
    preventedMatches = respond == "FULL" and account.matches_of(sb, order) or nil })
  if one.pending then
    view.status, view.workingTime, view.fills = "PENDING_NEW", -1, json.array {}
    view.executedQty, view.cummulativeQuoteQty = format.ZERO, format.ZERO
  end
  return format.placed[respond](view)
end

--- Judges and places a list.
local function place(sb, call, kind, legs)
  local no = judge(sb, call, legs)
  if no then return nil, no end
  local ok
  ok, no = sb.limits:may_order(call.account, call.now, #legs)
  if not ok then return nil, no end
  local list, fills = submit(sb, call, kind, legs)
  if not list then return nil, fills end
  local respond, reports = call.values.newOrderRespType or "RESULT", {}
  for i, id in ipairs(list.ids) do
    local order = sb.market:order { account = call.account, symbol = list.symbol, id = id }
    reports[i] = placed(sb, call, order, legs[i], fills[i], respond)
  end
  return SHOWN(record(sb, list, "EXEC_STARTED", ORDER, reports))
end

local function shapes(legs)
  return each_leg(legs, function(one) return terms.shape(one, one.named) end)
end

local function linked(legs)
  for _, one in ipairs(legs) do one.linked = true end
  return legs
end

local function pending(legs)
  for _, one in ipairs(legs) do one.pending = true end
  return legs
end

local function oco_legs(v) return linked(pair(v, "above", "below", v.side, v.quantity)) end

function M.check_oco(v)
  local legs = oco_legs(v)
  return check_pair(legs) or shapes(legs)
end

local function place_pair(sb, call, legs)
  local no = around(sb, legs)
  if no then return nil, no end
  return place(sb, call, "OCO", legs)
end

function M.oco(sb, call) return place_pair(sb, call, oco_legs(call.values)) end

-- What the parameters of an older OCO are called, other than as those of its legs.
local OF_LIMIT = { price = "price", quantity = "quantity" }
local OF_STOP = { price = "stopLimitPrice", quantity = "quantity", stopPrice = "stopPrice",
  trailingDelta = "trailingDelta", timeInForce = "stopLimitTimeInForce" }

--- A leg of it, of a type that the request does not name.
local function old_leg(v, prefix, names, type)
  local one = leg(v, prefix, v.side, v.quantity)
  local plain = one.named
  one.type, one.named = type, function(name) return names[name] or plain(name) end
  one.price, one.stopPrice = v[names.price], v[names.stopPrice]
  one.trailingDelta, one.timeInForce = v[names.trailingDelta], v[names.timeInForce]
  return one
end

local function old_oco_legs(v)
  local stop = old_leg(v, "stop", OF_STOP, v.stopLimitPrice and "STOP_LOSS_LIMIT" or "STOP_LOSS")
  local limit = old_leg(v, "limit", OF_LIMIT, "LIMIT_MAKER")
  stop.above, limit.above = v.side == "BUY", v.side == "SELL"
  return linked { stop, limit }
end

function M.check_old_oco(v) return shapes(old_oco_legs(v)) end

function M.old_oco(sb, call) return place_pair(sb, call, old_oco_legs(call.values)) end

local WORKING = { LIMIT = true, LIMIT_MAKER = true }

local function oto_legs(v) return { leg(v, "working"), table.unpack(pending { leg(v, "pending") }) } end

function M.check_oto(v)
  if not WORKING[v.workingType] then return refusal.invalid_type() end
  return shapes(oto_legs(v))
end

function M.oto(sb, call) return place(sb, call, "OTO", oto_legs(call.values)) end

local function otoco_legs(v)
  if not v.pendingBelowType then
    local only = leg(v, "pendingAbove", v.pendingSide, v.pendingQuantity)
    return { leg(v, "working"), table.unpack(pending { only }) }, {}
  end
  local two = pending(linked(pair(v, "pendingAbove", "pendingBelow", v.pendingSide, v.pendingQuantity)))
  return { leg(v, "working"), table.unpack(two) }, two
end

function M.check_otoco(v)
  if not WORKING[v.workingType] then return refusal.invalid_type() end
  local legs, two = otoco_legs(v)
  return #two > 0 and check_pair(two) or shapes(legs)
end

function M.otoco(sb, call) return place(sb, call, "OTO", (otoco_legs(call.values))) end

--- One that pays for another: no symbol takes them.
function M.no_opo() return nil, refusal.unsupported "OPO" end

-- ---- cancelling and asking -----------------------------------------------------------------------

--- The list that a call names; of the account that asks.  Of both ids a query takes the client id, a cancel the other.
local function find(sb, call)
  local v = call.values
  local client_id = v.origClientOrderId or not v.orderListId and v.listClientOrderId
  local id = not v.origClientOrderId and v.orderListId
  local lists = own(sb, call)
  for i = #lists, 1, -1 do
    local list = lists[i]
    if list.id == id or list.client_id == client_id then return list end
  end
end

--- Cancels all orders of a list, those that wait for another first.  Returns the answer.
function M.cancel_list(sb, call, list, new_client_id)
  local reports = {}
  for i = #list.ids, 1, -1 do
    local gone = sb.market:cancel { account = list.account, symbol = list.symbol, id = list.ids[i],
      new_client_id = new_client_id or sb:new_client_id() }
    if gone then table.insert(reports, 1, format.canceled(format.view(sb, gone, { transactTime = call.now }))) end
  end
  list.time = call.now
  return SHOWN(record(sb, list, "ALL_DONE", ORDER, reports))
end

function M.cancel(sb, call)
  local list = find(sb, call)
  if not list or list.symbol ~= call.values.symbol or not is_open(sb, list) then return nil, refusal.unknown_order() end
  local client_id = call.values.listClientOrderId
  if client_id and client_id ~= list.client_id then return nil, refusal.ids_disagree() end
  return M.cancel_list(sb, call, list, call.values.newClientOrderId)
end

function M.one(sb, call)
  local list = find(sb, call)
  if not list then return nil, refusal.no_such_order() end
  return shown(list, sb)
end

function M.open(sb, call) return format.each(open_lists(sb, call), shown, sb) end

--- By id or by time: REST takes one of both, in the WebSocket API the time counts.
function M.all(sb, call)
  local v, out = call.values, {}
  local timed = v.startTime or v.endTime
  if timed and v.fromId and not call.ws then return nil, refusal.bad_combination() end
  for _, list in ipairs(own(sb, call)) do
    is_open(sb, list) -- its time is that of its end, once it has one
    if (timed or list.id >= (v.fromId or 0)) and list.time >= (v.startTime or 0)
      and list.time <= (v.endTime or math.maxinteger) then
      out[#out + 1] = list
    end
  end
  local limit = v.limit or 500
  local first = (v.startTime or v.fromId and not timed) and 1 or math.max(1, #out - limit + 1)
  return format.each({ table.unpack(out, first, math.min(#out, first + limit - 1)) }, shown, sb)
end

return M
