--- Take profit, stop loss and trailing stop of positions: conditional orders that only reduce.  Those of a whole
-- position are kept as large as it is; the engine cancels them when it is gone.
local decimal = require "smc.decimal"
local json = require "smc.json"
local ledger = require "smc.sandbox.bybit.ledger"
local order_params = require "smc.sandbox.bybit.order_params"
local orders = require "smc.sandbox.bybit.orders"
local params = require "smc.sandbox.bybit.params"
local prices = require "smc.sandbox.bybit.prices"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local OPEN = { new = true, partially_filled = true }

local function order_of(sb, stop)
  local order = ledger.order_of(sb, stop.entry)
  return order and OPEN[order.status] and order or nil
end

local function drop(sb, stop)
  local order = order_of(sb, stop)
  if order then assert(sb.market:cancel { account = stop.entry.account, symbol = stop.entry.symbol, id = order.id }) end
end

--- Sets one of TakeProfit, StopLoss and TrailingStop, or takes it away.  given: price, or trail with perhaps a price
-- from which it follows ("0": away); by; size (nil: the whole position) and limit, a price.
function M.set(sb, account, def, kind, given)
  local kept, whole = sb:kept(account, def), given.size == nil
  local position = sb.market:position(account, def.symbol)
  local long, away = decimal.cmp(position.qty, "0") > 0, (given.trail or given.price) == "0"
  if not away and not given.trail then
    local no = order_params.wrong_stop(kind, long, given.price, prices.watched(sb, def, given.by))
    if no then return nil, no end
  end
  if whole and kept.stops[kind] then
    drop(sb, kept.stops[kind])
    kept.stops[kind] = nil
  end
  if away then return true end
  local rises = (kind == "TakeProfit") == long
  local entry, no = orders.submit(sb, def, { side = long and "sell" or "buy", market = not given.limit,
    price = given.limit, tif = "gtc", qty = given.size or decimal.abs(position.qty), reduce_only = true, stp = "none",
    trigger = { price = given.price, by = order_params.WATCHES[given.by], when = rises and "rises" or "falls",
      immediately = true }, trail = given.trail },
    { account = account, smp = "None", trigger_by = given.by, reduce_only = true, close_on_trigger = true,
      stop_type = whole and kind or "Partial" .. kind, tpsl_mode = whole and "Full" or "Partial" })
  if not entry then return nil, no end
  if whole then kept.stops[kind] = { entry = entry, price = given.price, trail = given.trail } end
  return true
end

--- The position has changed: its stops become as large as it is.  Returns whether anything was done.
function M.sync(sb, account, def)
  local kept, done = sb:kept(account, def), false
  local size = decimal.abs(sb.market:position(account, def.symbol).qty)
  for _, kind in ipairs { "TakeProfit", "StopLoss", "TrailingStop" } do
    local stop = kept.stops[kind]
    local order = stop and order_of(sb, stop)
    if stop and not order then
      kept.stops[kind] = nil
    elseif stop and size ~= "0" and order.qty ~= size and not order.triggered_ms then
      assert(sb.market:amend { account = account, symbol = def.symbol, id = order.id, qty = size })
      done = true
    end
  end
  return done
end

--- How much of what an order has traded has no stops yet; nil: nothing that is held.
local function without_stops(sb, entry)
  local order, held = ledger.order_of(sb, entry), sb.market:position(entry.account, entry.symbol).qty
  local size = decimal.min(decimal.sub(order.filled, entry.stopped or "0"), decimal.abs(held))
  entry.stopped = order.filled
  return size ~= "0" and (order.side == "buy") == (decimal.cmp(held, "0") > 0) and size or nil
end

--- An order that brought a takeProfit or stopLoss has traded: its position gets them, or that part of it.
function M.attach(sb, entry)
  local partial = entry.tpsl_mode == "Partial"
  if entry.reduce_only or entry.attached and not partial then return false end
  entry.attached = true
  local def, size = sb.by_symbol[entry.symbol], nil
  if sb.market:position(entry.account, entry.symbol).qty == "0" then return false end
  if partial then
    size = without_stops(sb, entry)
    if not size then return false end
  end
  local done = false
  for kind, given in pairs {
    TakeProfit = { price = entry.take_profit, by = entry.tp_by or "LastPrice", size = size, limit = entry.tp_limit },
    StopLoss = { price = entry.stop_loss, by = entry.sl_by or "LastPrice", size = size, limit = entry.sl_limit } } do
    if given.price and given.price ~= "0" then done = M.set(sb, entry.account, def, kind, given) or done end
  end
  return done
end

-- ---- POST /v5/position/trading-stop ---------------------------------------------------------

-- By kind: the price or distance, what it watches, and of a part its size and its limit.
local FIELDS = {
  TakeProfit = { "takeProfit", "tpTriggerBy", "tpSize", "tpLimitPrice" },
  StopLoss = { "stopLoss", "slTriggerBy", "slSize", "slLimitPrice" },
  TrailingStop = { "trailingStop" },
}

--- A number of a call, nil where there is none.
local function number(def, v, name, step)
  if not name or not v[name] then return nil end
  local value, no = params.amount(v, name, def.no)
  if not value then return nil, no end
  if not decimal.is_multiple(value, step) then return nil, def.no.invalid(name) end
  return value
end

--- What a call asks for one of the three; nil where it says nothing of it.
local function asked(def, v, kind)
  local name, by, size, limit = table.unpack(FIELDS[kind])
  if by and v[by] and not order_params.WATCHES[v[by]] then return nil, def.no.invalid(by) end
  local partial = v.tpslMode == "Partial"
  local out = { by = by and v[by] or "LastPrice" }
  for _, row in ipairs { { kind == "TrailingStop" and "trail" or "price", name, def.tick },
    { "size", partial and size, def.step }, { "limit", partial and limit, def.tick },
    kind == "TrailingStop" and { "price", "activePrice", def.tick } or nil } do
    local value, no = number(def, v, row[2], row[3])
    if no then return nil, no end
    out[row[1]] = value
  end
  return (out.trail or kind ~= "TrailingStop" and out.price) and out or nil
end

function M.trading_stop(sb, call)
  local def = call.def
  if sb.market:position(call.account, def.symbol).qty == "0" then return nil, refusal.no_position_to_stop() end
  local stops, changed = sb:kept(call.account, def).stops, false
  for _, kind in ipairs { "TakeProfit", "StopLoss", "TrailingStop" } do
    local given, no = asked(def, call.values, kind)
    if no then return nil, no end
    local old = stops[kind] and (stops[kind].trail or stops[kind].price) or "0"
    if given and (given.size or (given.trail or given.price) ~= old) then
      local ok
      ok, no = M.set(sb, call.account, def, kind, given)
      if not ok then return nil, no end
      changed = true
    end
  end
  if not changed then return nil, refusal.stop_not_modified() end
  return json.object()
end

return M
