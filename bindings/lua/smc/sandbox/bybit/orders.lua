--- Creating, changing and cancelling orders.  The answer says only that the order was taken in: what becomes of it
-- shows in order/realtime and on the private stream.
local decimal = require "smc.decimal"
local format = require "smc.sandbox.bybit.format"
local json = require "smc.json"
local ledger = require "smc.sandbox.bybit.ledger"
local order_params = require "smc.sandbox.bybit.order_params"
local params = require "smc.sandbox.bybit.params"
local prices = require "smc.sandbox.bybit.prices"
local private = require "smc.sandbox.bybit.private_stream"
local refusal = require "smc.sandbox.bybit.refusal"
local symbols = require "smc.sandbox.bybit.symbols"
local task = require "smc.core.task"

local M = {}

local cmp = decimal.cmp
local OPEN = { new = true, partially_filled = true }

-- Which refusal of the category the engine's stands for.
local REJECTED = { insufficient_funds = "no_funds", duplicate_client_id = "duplicate", quote_qty_too_small = "qty_low",
  invalid_price = "price_step", invalid_qty = "qty_step", invalid_quote_qty = "amount_step", halted = "closed",
  nothing_to_reduce = "nothing_to_reduce" }

-- What the engine turns away only after the acknowledgement: status and reason of such an order.
local LATE = { would_take = { "rejected", "" }, no_liquidity = { "expired", "liquidity" } }

local function turned_away(o, symbol, how)
  local now = task.wall_ms()
  return { symbol = symbol, side = o.side, type = o.market and "market" or "limit", tif = o.tif, price = o.price or "0",
    qty = o.qty or "0", quote_qty = o.quote_qty or "0", filled = "0", filled_quote = "0", status = how[1],
    reason = how[2], created_ms = now, updated_ms = now }
end

local OTHER = { spot = "linear", linear = "spot" }

--- The link as the engine's client id, which must be the account's only one: the venue counts by category.
local function client_id(sb, entry)
  local elsewhere = { account = entry.account, category = OTHER[entry.category] }
  if entry.link == "" or sb.ledger:find(elsewhere, nil, entry.link) then return nil end
  return entry.link
end

--- Gives an order to the engine and the ledger.  entry: what the ledger keeps of it (see ledger.lua), without its ids.
-- Returns the entry, or nil and a refusal.
function M.submit(sb, def, o, entry)
  entry.id, entry.link = sb.ledger:next_ids(def, entry.link)
  entry.category, entry.symbol, entry.post_only, entry.market_unit = def.category, def.symbol, o.post_only, o.unit
  local order, reason = sb.market:place { account = entry.account, symbol = def.symbol, side = o.side,
    type = o.market and "market" or o.post_only and "limit_maker" or "limit", qty = o.qty, quote_qty = o.quote_qty,
    price = o.price or o.bound, tif = not o.market and not o.post_only and o.tif or nil, stp = o.stp,
    trigger = o.trigger, trail = o.trail, link = o.oco, client_id = client_id(sb, entry),
    reduce_only = o.reduce_only or nil }
  if order then
    entry.engine_id = order.id
  elseif LATE[reason] then
    entry.order = turned_away(o, def.symbol, LATE[reason])
  else
    return nil, def.no[assert(REJECTED[reason], reason)]()
  end
  sb.ledger:add(entry)
  if entry.order then private.tell_order(sb, entry, entry.order) end
  return entry
end

local function acknowledged(entry) return json.object("orderId", entry.id, "orderLinkId", entry.link) end

--- Too many open orders of the category (spot) or the symbol (linear), or too many of this kind that wait.
local function crowded(sb, call, def, stop_type)
  local open = 0
  for _, each in ipairs(def.category == "spot" and call.market.list or { def }) do
    open = open + sb.market:count(call.account, each.symbol)
  end
  if open >= symbols.max_orders[def.category] then return def.no.too_many_orders() end
  if not stop_type then return nil end
  local waiting = 0
  for _, order in ipairs(sb.market:orders { account = call.account, symbol = def.symbol, open = true,
    conditional = true }) do
    if sb.ledger:of_engine(def.symbol, order.id).stop_type == stop_type then waiting = waiting + 1 end
  end
  if waiting >= symbols.max_waiting[def.category] then return def.no.too_many_waiting() end
end

-- By positionIdx, in hedge mode: the side that closes.
local CLOSES = { "sell", "buy" }

--- The rules of positions.
local function check_position(sb, call, def, o, idx)
  local position, closes = sb:position(call.account, def, idx), CLOSES[idx]
  if o.side == closes and not o.reduce_only then
    if not sb.assume.hedge_reduces then return nil, refusal.position_mode() end
    o.reduce_only = true
  end
  if o.reduce_only then
    if position.qty == "0" then return nil, refusal.linear.nothing_to_reduce() end
    local long = cmp(position.qty, "0") > 0
    if long == (o.side == "buy") and (closes or not o.trigger) then return nil, refusal.linear.same_side() end
    return true
  end
  local after = decimal.add(position.qty, o.side == "buy" and o.qty or "-" .. o.qty)
  if cmp(decimal.mul(decimal.abs(after), prices.mark(sb, def), 12), def.risk_limit) > 0 then
    return nil, refusal.linear.risk_limit(def.max_leverage)
  end
  return true
end

--- qty "0" that closes stands for the whole position.
local function close_all(sb, call, def, v, idx)
  if v.qty ~= "0" or v.reduceOnly ~= "true" or v.closeOnTrigger ~= "true" then return end
  local size = decimal.abs(sb:position(call.account, def, idx).qty)
  v.qty = cmp(size, def.max_market) > 0 and def.max_market or size
end

--- Returns the entry of the ledger, or nil and a refusal; so do the others of one order.
function M.create(sb, call)
  local v, def = call.values, call.def
  local idx, no = order_params.index(sb, call)
  if not idx then return nil, no end
  if def.contract then close_all(sb, call, def, v, idx) end
  local o, ok
  o, no = order_params.read(sb, def, v)
  if not o then return nil, no end
  ok, no = order_params.check(sb, def, o, sb:setting(call.account, "adjust_" .. def.category))
  if ok and def.contract then ok, no = check_position(sb, call, def, o, idx) end
  if not ok then return nil, no end
  if v.orderLinkId and sb.ledger:find(call, nil, v.orderLinkId) then return nil, def.no.duplicate() end
  local stop_type = o.trigger and (v.orderFilter == "tpslOrder" and "tpslOrder" or "Stop") or nil
  no = crowded(sb, call, def, stop_type)
  if no then return nil, no end
  return M.submit(sb, def, o, { account = call.account, idx = idx, link = v.orderLinkId, smp = v.smpType or "None",
    last = prices.last(sb, def), trigger_by = v.triggerBy, stop_type = stop_type, reduce_only = o.reduce_only,
    close_on_trigger = v.closeOnTrigger == "true", take_profit = o.take_profit, stop_loss = o.stop_loss,
    tpsl_mode = o.tpsl_mode, tp_limit = o.tp_limit, sl_limit = o.sl_limit,
    tp_by = v.tpTriggerBy, sl_by = v.slTriggerBy, slippage_type = v.slippageToleranceType,
    slippage = v.slippageTolerance })
end

--- The open order that a call names; gone(no, status): the refusal where there is none.
local function open_one(sb, call, gone)
  local v, def = call.values, call.def
  if not v.orderId and not v.orderLinkId then return nil, refusal.no_order_id() end
  local entry = sb.ledger:find(call, v.orderId, v.orderLinkId)
  if not entry or entry.symbol ~= def.symbol then return nil, gone(def.no) end
  local order = ledger.order_of(sb, entry)
  if not order or not OPEN[order.status] then return nil, gone(def.no, order and order.status) end
  return entry, order, def
end

function M.cancel(sb, call)
  local entry, order = open_one(sb, call, function(no, status)
    return status == "filled" and no.filled() or status and no.canceled() or no.no_cancel()
  end)
  if not entry then return nil, order end
  -- Without an orderFilter a spot order that waits is not looked for; the one of TP/SL orders stands for pairs of them.
  local filter = entry.category == "spot" and (call.values.orderFilter or "Order")
  if filter and filter ~= ledger.kind(entry) and not (filter == "tpslOrder" and entry.pair) then
    return nil, refusal.spot.no_cancel()
  end
  assert(sb.market:cancel { account = call.account, symbol = entry.symbol, id = order.id })
  local other = entry.pair and ledger.order_of(sb, entry.pair)
  if other and OPEN[other.status] then -- a take profit and a stop loss that came together go together
    assert(sb.market:cancel { account = call.account, symbol = entry.symbol, id = other.id })
  end
  return entry
end

local AMENDS = { invalid_qty = "below_filled", no_change = "not_modified", would_take = "would_take",
  invalid_trigger_price = "price_step" }

--- Reads one number of an amendment; nil where it stays as it is, or the order has none (old is nil).
local function changed(v, name, def, old, step)
  if not v[name] or not old or v[name] == "0" and name == "triggerPrice" then return nil end
  local value, no = params.amount(v, name, def.no)
  if not value then return nil, no end
  if not decimal.is_multiple(value, step) then
    return nil, name == "qty" and def.no.qty_step() or def.no.price_step()
  end
  return cmp(value, old) ~= 0 and value or nil
end

--- Reads what is to change: { qty, price, trigger_price }, or nil and a refusal.
local function amendment(sb, entry, order, def, v)
  local out = {}
  local old_price = order.type ~= "market" and order.price or nil
  local old_trigger = format.waits(order) and not order.trigger.trail and order.trigger_price or nil
  for _, row in ipairs { { "qty", "qty", order.qty, def.step }, { "price", "price", old_price, def.tick },
    { "triggerPrice", "trigger_price", old_trigger, def.tick } } do
    local value, no = changed(v, row[1], def, row[3], row[4])
    if no then return nil, no end
    out[row[2]] = value
  end
  if out.qty and cmp(out.qty, order.filled) <= 0 then return nil, def.no.below_filled() end
  if out.trigger_price then
    local no = order_params.wrong_side(sb, def, out.trigger_price, order.trigger.when == "rises", entry.trigger_by)
    if no then return nil, no end
  end
  return out
end

local PRICES = { take_profit = "takeProfit", stop_loss = "stopLoss", tp_limit = "tpLimitPrice",
  sl_limit = "slLimitPrice" }
local STOPS = { take_profit = "takeProfit", stop_loss = "stopLoss", tp_by = "tpTriggerBy", sl_by = "slTriggerBy",
  tpsl_mode = "tpslMode" }

--- Takes what an amendment says of the stops that an order brings: o, as read from v.  Returns whether it says any.
local function amend_stops(entry, o, v)
  local said = false
  for field, name in pairs(STOPS) do
    if v[name] then entry[field], said = o[field] or v[name], true end
  end
  for _, field in ipairs { "tp_limit", "sl_limit" } do
    if o[field] then entry[field], said = o[field], true end
  end
  return said
end

function M.amend(sb, call)
  local v = call.values
  local entry, order, def = open_one(sb, call, function(no) return no.no_replace() end)
  if not entry then return nil, order end
  local change, no = amendment(sb, entry, order, def, v)
  if not change then return nil, no end
  local o = { side = order.side, market = order.type == "market", post_only = entry.post_only,
    qty = change.qty or order.qty, price = order.type ~= "market" and (change.price or order.price) or nil,
    reduce_only = entry.reduce_only, trigger = format.waits(order) and order.trigger or nil }
  local ok
  for field, name in pairs(def.contract and {} or PRICES) do -- only what the order has
    if v[name] and not entry[field] then return nil, def.no.invalid(name) end
  end
  ok, no = order_params.read_stops(sb, def, o, v, entry)
  if ok and next(change) then
    ok, no = order_params.check(sb, def, o, sb:setting(call.account, "adjust_" .. def.category))
  end
  if not ok then return nil, no end
  local stops = amend_stops(entry, o, v)
  if not next(change) then return stops and entry or nil, not stops and refusal.not_modified() or nil end
  local reason
  ok, reason = sb.market:amend { account = call.account, symbol = entry.symbol, id = order.id, qty = change.qty,
    price = change.price and o.price, trigger_price = change.trigger_price }
  if ok and entry.stop then entry.stop.price = change.trigger_price or entry.stop.price end
  if ok then return entry end
  return nil, def.no[assert(AMENDS[reason] or REJECTED[reason], reason)]()
end

--- Whether a call that cancels all means this order.  stopOrderType: of conditional ones those that are no stops of a
-- position.
local function meant(v, filter, entry, order)
  if not filter then return true end
  local kind = format.waits(order) and ledger.kind(entry) or "Order"
  return kind == (filter == "OpenOrder" and "Order" or filter)
    and (filter ~= "StopOrder" or v.stopOrderType ~= "Stop" or entry.stop_type == "Stop")
end

local function cancel_all(sb, call)
  local v, out = call.values, {}
  if call.market.contracts and not (v.symbol or v.baseCoin or v.settleCoin) then return nil, refusal.no_scope() end
  local no = order_params.wrong_filter(call)
  if no then return nil, no end
  local filter = v.orderFilter or not call.market.contracts and "Order" or nil
  for _, def in ipairs(call.defs) do
    for _, order in ipairs(sb.market:orders { account = call.account, symbol = def.symbol, open = true }) do
      local entry = sb.ledger:of_engine(def.symbol, order.id)
      if meant(v, filter, entry, order) then
        assert(sb.market:cancel { account = call.account, symbol = def.symbol, id = order.id })
        out[#out + 1] = acknowledged(entry)
      end
    end
  end
  return json.object("list", json.array(out), "success", "1")
end

local function of_one(handle)
  return function(sb, call)
    local entry, no = handle(sb, call)
    if not entry then return nil, no end
    return acknowledged(entry)
  end
end

local function route(path, limit, handle, symbol)
  return { method = "POST", path = "/v5/order/" .. path, private = true, trade = true, limit = limit, category = true,
    symbol = symbol or "order", handle = handle }
end

M.routes = {
  route("create", { spot = 20, linear = 10, option = 10 }, of_one(M.create)),
  route("amend", { spot = 10, linear = 10, option = 10 }, of_one(M.amend)),
  route("cancel", { spot = 20, linear = 10, option = 10 }, of_one(M.cancel)),
  route("cancel-all", { spot = 20, linear = 10, option = 1 }, cancel_all, "order?"),
}

return M
