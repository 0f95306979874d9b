--- Take profit, stop loss and trailing stop of positions: conditional orders that only reduce.  Those of a whole
-- position are kept as large as it is; the engine cancels them when it is gone.
local decimal = require "smc.decimal"
local format = require "smc.sandbox.bybit.format"
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

--- Takes away what is set of the whole position.  What came together with it is by itself then.
local function take_away(sb, kept, kind)
  local stop = kept.stops[kind]
  if not stop then return nil end
  drop(sb, stop)
  kept.stops[kind] = nil
  return stop.entry
end

--- Sets one of TakeProfit, StopLoss and TrailingStop, or takes it away.  given: price, or trail with perhaps a price
-- from which it follows ("0": away); by; size (nil: the whole position) and limit, a price; oco: a link of the engine;
-- parent: the link of the order that brought it.  Returns the entry of its order, true when it was taken away, or nil
-- and a refusal.
function M.set(sb, account, def, idx, kind, given)
  local kept, whole = sb:kept(account, def, idx), given.size == nil
  local position = sb:position(account, def, idx)
  local long, away = decimal.cmp(position.qty, "0") > 0, (given.trail or given.price) == "0"
  if not away and not given.trail then
    local no = order_params.wrong_stop(kind, long, given.price, prices.watched(sb, def, given.by))
    if no then return nil, no end
  end
  local old = whole and take_away(sb, kept, kind)
  if away then return true end
  local rises = (kind == "TakeProfit") == long
  local entry, no = orders.submit(sb, def, { side = long and "sell" or "buy", market = not given.limit,
    price = given.limit, tif = "gtc", qty = given.size or decimal.abs(position.qty), reduce_only = true, stp = "none",
    oco = given.oco, trigger = { price = given.price, by = order_params.WATCHES[given.by],
      when = rises and "rises" or "falls", immediately = true }, trail = given.trail },
    { account = account, idx = idx, smp = "None", last = prices.last(sb, def), trigger_by = given.by,
      reduce_only = true, close_on_trigger = true, kind = kind, stop_type = whole and kind or "Partial" .. kind,
      tpsl_mode = whole and "Full" or "Partial", parent = given.parent or old and old.parent })
  if not entry then return nil, no end
  if whole then
    entry.stop = { entry = entry, price = given.price, trail = given.trail }
    kept.stops[kind] = entry.stop
  end
  return entry
end

--- Sets a take profit and a stop loss that come together, by kind.  The user cancels them together, and of a part of a
-- position the one that is triggered cancels the other.  Returns the entries by kind, or nil and a refusal.
local function set_both(sb, account, def, idx, both)
  local take, stop, made = both.TakeProfit, both.StopLoss, {}
  if take and stop and take.size and stop.size then
    take.oco = sb.market:new_link()
    stop.oco = take.oco
  end
  for _, kind in ipairs { "TakeProfit", "StopLoss" } do
    if both[kind] then
      local entry, no = M.set(sb, account, def, idx, kind, both[kind])
      if not entry then return nil, no end
      made[kind] = entry ~= true and entry or nil
    end
  end
  take, stop = made.TakeProfit, made.StopLoss
  if take and stop then take.pair, stop.pair = stop, take end
  return made
end

--- The position has changed: its stops become as large as it is.  Returns whether anything was done.
function M.sync(sb, account, def, idx)
  local kept, done = sb:kept(account, def, idx), false
  local size = decimal.abs(sb:position(account, def, idx).qty)
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
local function without_stops(sb, entry, held)
  local order = ledger.order_of(sb, entry)
  local size = decimal.min(decimal.sub(order.filled, entry.stopped or "0"), decimal.abs(held))
  entry.stopped = order.filled
  return size ~= "0" and (order.side == "buy") == (decimal.cmp(held, "0") > 0) and size or nil
end

--- An order that brought a takeProfit or stopLoss has traded: its position gets them, or that part of it.
local function attach_to_position(sb, def, entry)
  local partial = entry.tpsl_mode == "Partial"
  if entry.reduce_only or entry.attached and not partial then return false end
  entry.attached = true
  local size
  local held = sb:position(entry.account, def, entry.idx).qty
  if held == "0" then return false end
  if partial then
    size = without_stops(sb, entry, held)
    if not size then return false end
  end
  local function brought(price, by, limit)
    if not price or price == "0" then return nil end
    return { price = price, by = by or "LastPrice", size = size, limit = limit, parent = entry.link }
  end
  local both = { TakeProfit = brought(entry.take_profit, entry.tp_by, entry.tp_limit),
    StopLoss = brought(entry.stop_loss, entry.sl_by, entry.sl_limit) }
  return next(both) ~= nil and set_both(sb, entry.account, def, entry.idx, both) ~= nil
end

--- How much of what a spot order has got, or given, has no stops yet, on the step: a buyer's fee is taken from it.
local function open_size(def, entry, order)
  local got = order.side == "buy" and decimal.sub(order.filled, entry.fee) or order.filled
  local size = decimal.floor_to(decimal.sub(got, entry.stopped or "0"), def.step)
  entry.stopped = decimal.add(entry.stopped or "0", size)
  return size
end

--- A spot order that brought a takeProfit or stopLoss has traded: orders that wait hold what it got until one of them
-- gets rid of it.  What the account can't pay for is not placed.
local function attach_to_spot(sb, def, entry)
  local order = ledger.order_of(sb, entry)
  if OPEN[order.status] and not sb.assume.spot_stops_at_once then return false end
  local size, buys, made = open_size(def, entry, order), order.side == "buy", {}
  if size == "0" then return false end
  local both = { TakeProfit = entry.take_profit ~= "0" and entry.take_profit,
    StopLoss = entry.stop_loss ~= "0" and entry.stop_loss }
  local pair = both.TakeProfit and both.StopLoss and true
  local link = pair and sb.market:new_link() or nil
  for _, kind in ipairs { "TakeProfit", "StopLoss" } do
    if made.TakeProfit and not format.waits(ledger.order_of(sb, made.TakeProfit)) then break end -- taken at once
    local limit = kind == "TakeProfit" and entry.tp_limit or kind == "StopLoss" and entry.sl_limit or nil
    made[kind] = both[kind] and orders.submit(sb, def, { side = buys and "sell" or "buy", market = not limit,
      price = limit, tif = "gtc", qty = size, stp = "none", oco = link, unit = not limit and "baseCoin" or nil,
      trigger = { price = both[kind], by = "last", when = (kind == "TakeProfit") == buys and "rises" or "falls",
        immediately = true } },
      { account = entry.account, idx = 0, smp = "None", last = prices.last(sb, def), kind = kind,
        stop_type = pair and sb.assume.spot_pair_type or "tpslOrder", parent = entry.link }) or nil
  end
  if pair and made.TakeProfit and made.StopLoss then
    made.TakeProfit.pair, made.StopLoss.pair = made.StopLoss, made.TakeProfit
  end
  return next(made) ~= nil
end

--- An order that brought a takeProfit or stopLoss has traded, or ended.  Returns whether anything was done.
function M.attach(sb, entry)
  local def = sb.by_symbol[entry.symbol]
  return (def.contract and attach_to_position or attach_to_spot)(sb, def, entry)
end

-- ---- POST /v5/position/trading-stop ---------------------------------------------------------

-- By kind: the price or distance, what it watches, of a part its size and its limit, and how it is placed.
local FIELDS = {
  TakeProfit = { "takeProfit", "tpTriggerBy", "tpSize", "tpLimitPrice", "tpOrderType" },
  StopLoss = { "stopLoss", "slTriggerBy", "slSize", "slLimitPrice", "slOrderType" },
  TrailingStop = { "trailingStop" },
}
local MOST_PARTS = 20

--- A number of a call, nil where there is none.
local function number(def, v, name, step)
  if not name or not v[name] then return nil end
  local value, no = params.amount(v, name, def.no)
  if not value then return nil, no end
  if not decimal.is_multiple(value, step) then return nil, def.no.invalid(name) end
  return value
end

--- What is wrong with the parameters that only stops of a part of a position have; nil: nothing.
local function wrong_parts(v)
  local partial = v.tpslMode == "Partial"
  for _, kind in ipairs { "TakeProfit", "StopLoss" } do
    local type = FIELDS[kind][5]
    if v[type] and not v.tpslMode then return refusal.mode_needed(type) end
    if v[type] == "Limit" and not partial then return refusal.market_only(type) end
  end
  if not partial then return nil end
  local take, stop = v.takeProfit and v.tpSize, v.stopLoss and v.slSize
  if (v.takeProfit or v.tpSize) ~= nil and not take or (v.stopLoss or v.slSize) ~= nil and not stop
    or not (take or stop) then
    return refusal.part_pairs()
  end
  if take and stop and decimal.is_valid(take) and decimal.is_valid(stop) and decimal.cmp(take, stop) ~= 0 then
    return refusal.part_sizes()
  end
end

--- What a call asks for one of the three; nil where it says nothing of it.
local function asked(def, v, kind)
  local name, by, size, limit, type = table.unpack(FIELDS[kind])
  if by and v[by] and not order_params.WATCHES[v[by]] then return nil, def.no.invalid(by) end
  local partial = v.tpslMode == "Partial"
  local at_limit = partial and type and v[type] == "Limit"
  if at_limit and not v[limit] then return nil, def.no.empty(limit) end
  local out = { by = by and v[by] or "LastPrice" }
  for _, row in ipairs { { kind == "TrailingStop" and "trail" or "price", name, def.tick },
    { "size", partial and size, def.step }, { "limit", at_limit and limit, def.tick },
    kind == "TrailingStop" and { "price", "activePrice", def.tick } or nil } do
    local value, no = number(def, v, row[2], row[3])
    if no then return nil, no end
    out[row[1]] = value
  end
  return (out.trail or kind ~= "TrailingStop" and out.price) and out or nil
end

--- Whether there is room for stops of a part so large; else a refusal.
local function room(sb, account, def, idx, size, n)
  if decimal.cmp(size, decimal.abs(sb:position(account, def, idx).qty)) > 0 then
    return nil, refusal.part_too_large()
  end
  for _, order in ipairs(sb.market:orders { account = account, symbol = def.symbol, open = true }) do
    local entry = sb.ledger:of_engine(def.symbol, order.id)
    if entry.idx == idx and (entry.stop_type or ""):find "^Partial" then n = n + 1 end
  end
  if n > MOST_PARTS then return nil, refusal.too_many_parts() end
  return true
end

--- What is to be set, by kind; what stays as it is left out.
local function changes(sb, call, idx)
  local def, out, stops = call.def, {}, sb:kept(call.account, call.def, idx).stops
  for _, kind in ipairs { "TakeProfit", "StopLoss", "TrailingStop" } do
    local given, no = asked(def, call.values, kind)
    if no then return nil, no end
    local old = stops[kind] and (stops[kind].trail or stops[kind].price) or "0"
    if given and (given.size or (given.trail or given.price) ~= old) then out[kind] = given end
  end
  local part = out.TakeProfit and out.TakeProfit.size or out.StopLoss and out.StopLoss.size
  if part then
    local ok, no = room(sb, call.account, def, idx, part, (out.TakeProfit and 1 or 0) + (out.StopLoss and 1 or 0))
    if not ok then return nil, no end
  end
  return out
end

function M.trading_stop(sb, call)
  local def, v = call.def, call.values
  local idx, no = order_params.index(sb, call)
  if not idx then return nil, no end
  if v.tpslMode and v.tpslMode ~= "Full" and v.tpslMode ~= "Partial" then return nil, def.no.invalid "tpslMode" end
  if sb:position(call.account, def, idx).qty == "0" then return nil, refusal.no_position_to_stop() end
  no = wrong_parts(v)
  if no then return nil, no end
  local given, done
  given, no = changes(sb, call, idx)
  if not given then return nil, no end
  if not next(given) then return nil, refusal.stop_not_modified() end
  done, no = set_both(sb, call.account, def, idx, given)
  if done and given.TrailingStop then
    done, no = M.set(sb, call.account, def, idx, "TrailingStop", given.TrailingStop)
  end
  if not done then return nil, no end
  return json.object()
end

return M
