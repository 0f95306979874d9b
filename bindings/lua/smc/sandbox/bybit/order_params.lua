--- What an order asks for: its parameters read into our own words, and checked against the instrument's rules.
local decimal = require "smc.decimal"
local params = require "smc.sandbox.bybit.params"
local prices = require "smc.sandbox.bybit.prices"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local cmp, mul = decimal.cmp, decimal.mul

local SIDES = { Buy = "buy", Sell = "sell" }
local TYPES = { Market = true, Limit = true }
local TIFS = { GTC = "gtc", IOC = "ioc", FOK = "fok", PostOnly = "gtc" }
local UNITS = { baseCoin = true, quoteCoin = true }
local SMP = { None = "none", CancelMaker = "expire_maker", CancelTaker = "expire_taker", CancelBoth = "expire_both" }
local WATCHES = { LastPrice = "last", MarkPrice = "mark", IndexPrice = "index" }
M.WATCHES = WATCHES
local MAX_LINK = 36
local PLACED = { Order = true, StopOrder = true, tpslOrder = true } -- the orderFilter of a spot order

-- What orderFilter may be where orders are looked up or cancelled; of those that are not served there are none.
local FILTERS = {
  spot = { Order = true, StopOrder = true, tpslOrder = true, OcoOrder = true, BidirectionalTpslOrder = true },
  linear = { Order = true, StopOrder = true, OpenOrder = true },
}

--- The refusal of an orderFilter that the category does not have; nil where there is none.
function M.wrong_filter(call)
  local filter = call.values.orderFilter
  if not filter or FILTERS[call.category == "spot" and "spot" or "linear"][filter] then return nil end
  return refusal[call.category].filter()
end

-- Features that this sandbox has not, with the values that ask for none of them.
local UNSUPPORTED = {
  spot = { isLeverage = "0", bboSideType = "", orderIv = "" },
  linear = { bboSideType = "", orderIv = "" },
}

--- The position that a call of an account means by its positionIdx, or nil and a refusal.
function M.index(sb, call)
  local given = call.values.positionIdx or "0"
  for _, idx in ipairs(sb:indices(call.account, call.def)) do
    if given == tostring(idx) then return idx end
  end
  return nil, refusal.position_mode()
end

local function words(def, v)
  local no = def.no
  if not v.side then return nil, no.empty "side" end
  if not SIDES[v.side] then return nil, no.side() end
  if not v.orderType then return nil, no.empty "orderType" end
  if not TYPES[v.orderType] then return nil, no.type() end
  if v.timeInForce == "RPI" then return nil, no.unsupported() end
  if v.timeInForce and not TIFS[v.timeInForce] then return nil, no.tif() end
  if v.marketUnit and not UNITS[v.marketUnit] then return nil, no.invalid "marketUnit" end
  if v.smpType and not SMP[v.smpType] then return nil, no.invalid "smpType" end
  if v.triggerBy and not WATCHES[v.triggerBy] then return nil, no.invalid "triggerBy" end
  if v.orderLinkId and (#v.orderLinkId > MAX_LINK or v.orderLinkId:find("[^%w_-]")) then
    return nil, refusal.params "orderLinkId invalid"
  end
  if def.category == "spot" then
    if not PLACED[v.orderFilter or "Order"] then return nil, no.filter() end
    if v.orderFilter and v.orderFilter ~= "Order" and not v.triggerPrice then return nil, no.no_trigger() end
  end
  for name, none in pairs(UNSUPPORTED[def.category]) do
    if v[name] and v[name] ~= none then return nil, no.unsupported() end
  end
  return true
end

--- The refusal of a trigger price that has been reached already; nil where it has not.
function M.wrong_side(sb, def, price, rises, by)
  local now = prices.watched(sb, def, by or "LastPrice")
  if rises and cmp(price, now) <= 0 then return def.no.expect_rise(price, now) end
  if not rises and cmp(price, now) >= 0 then return def.no.expect_fall(price, now) end
end

--- The refusal of a stop at a price that its position is past; nil where it is not.  kind: TakeProfit or StopLoss.
function M.wrong_stop(kind, long, price, base)
  local above = (kind == "TakeProfit") == long
  if cmp(price, base) == (above and 1 or -1) then return nil end
  return refusal.stop_price(kind, price, long and "Buy" or "Sell", above and "higher" or "lower", base)
end

local STOPS = { { "TakeProfit", "takeProfit", "take_profit" }, { "StopLoss", "stopLoss", "stop_loss" } }
local LIMITS = { { "tpOrderType", "tpLimitPrice", "tp_limit", "takeProfit" },
  { "slOrderType", "slLimitPrice", "sl_limit", "stopLoss" } }
local MODES = { Full = true, Partial = true }

--- At which limits the stops of an order are placed.
local function read_limits(def, o, v, entry)
  for _, row in ipairs(LIMITS) do
    local type, name, field, stop = table.unpack(row)
    local implied = not def.contract and not v[type] and v[stop]
    if v[type] == "Limit" or (entry[field] or implied) and v[name] then
      if def.contract and o.tpsl_mode ~= "Partial" then return nil, def.no.invalid "tpslMode" end
      local price, no = params.amount(v, name, def.no)
      if not price then return nil, no end
      if not decimal.is_multiple(price, def.tick) then return nil, def.no.invalid(name) end
      o[field] = price
    end
  end
  return true
end

--- The refusal of a stop of a position at this price; nil: it may have it.
local function wrong_of_contract(sb, def, o, kind, name, price)
  if o.reduce_only then return refusal.params(name .. " cannot be set when reduceOnly is true") end
  return M.wrong_stop(kind, o.side == "buy", price, o.price or prices.last(sb, def))
end

--- The same of spot, where only limit orders that work at once have stops.
local function wrong_of_spot(def, o, kind, price)
  if o.market or o.trigger then return def.no.unsupported() end
  if not decimal.is_multiple(price, def.tick) then return def.no.price_step() end
  local above = (kind == "TakeProfit") == (o.side == "buy")
  if above and cmp(price, o.price) <= 0 then return def.no.stop_above(price, o.price) end
  if not above and cmp(price, o.price) >= 0 then return def.no.stop_below(price, o.price) end
end

--- Reads the stops that come with an order into it; "0": none.  entry: of the order that is changed, nil of a new one.
function M.read_stops(sb, def, o, v, entry)
  if v.tpslMode and def.contract and not MODES[v.tpslMode] then return nil, def.no.invalid "tpslMode" end
  o.tpsl_mode = def.contract and (v.tpslMode or entry and entry.tpsl_mode) or nil
  local ok, no = read_limits(def, o, v, entry or {})
  if not ok then return nil, no end
  for _, by in ipairs(def.contract and { "tpTriggerBy", "slTriggerBy" } or {}) do
    if v[by] and not WATCHES[v[by]] then return nil, def.no.invalid(by) end
  end
  for _, row in ipairs(STOPS) do
    local kind, name, field = table.unpack(row)
    if v[name] then
      local price
      price, no = params.amount(v, name, def.no)
      if price and price ~= "0" then
        if def.contract then no = wrong_of_contract(sb, def, o, kind, name, price)
        else no = wrong_of_spot(def, o, kind, price) end
      end
      if no then return nil, no end
      o[field] = price
    end
  end
  return true
end

--- When a conditional order fires, as the engine wants it; nil without a triggerPrice.  The direction follows from the
-- price of now where the category does not demand it.  Of spot only a TP/SL order holds its coins meanwhile.
function M.trigger(sb, def, v)
  if not v.triggerPrice then return nil end
  local price, no = params.amount(v, "triggerPrice", def.no)
  if not price then return nil, no end
  if not decimal.is_multiple(price, def.tick) or cmp(price, "0") == 0 then return nil, def.no.price_step() end
  local by = v.triggerBy or "LastPrice"
  local now = prices.watched(sb, def, by)
  local direction = v.triggerDirection
  if not direction and def.category == "linear" then return nil, def.no.empty "triggerDirection" end
  direction = direction or (cmp(price, now) > 0 and "1" or "2")
  if direction ~= "1" and direction ~= "2" then return nil, def.no.invalid "triggerDirection" end
  no = M.wrong_side(sb, def, price, direction == "1", by)
  if no then return nil, no end
  return { price = price, by = WATCHES[by], when = direction == "1" and "rises" or "falls", immediately = true,
    unlocked = v.orderFilter ~= "tpslOrder" }
end

--- How far from the best price a market order may trade, as a price; nil where it says nothing of it.
local function bound(sb, def, o, v)
  local kind, by = v.slippageToleranceType, v.slippageTolerance
  if not o.market or not kind or kind == "UNKNOWN" then return nil end
  local best = sb.market:best(def.symbol)
  local from, sign = best.ask, ""
  if o.side == "sell" then from, sign = best.bid, "-" end
  if kind == "TickSize" then
    local ticks = math.tointeger(tonumber(by))
    if not ticks or ticks < 1 or ticks > 10000 then return nil, refusal.slippage_ticks() end
    return from and decimal.add(from, mul(sign .. def.tick, tostring(ticks)))
  end
  if kind ~= "Percent" then return nil, def.no.invalid "slippageToleranceType" end
  if not decimal.is_valid(by or "") or not decimal.is_multiple(by, "0.01") or cmp(by, "0.01") < 0
    or cmp(by, "10") > 0 then
    return nil, refusal.slippage_percent()
  end
  return from and decimal.floor_to(mul(from, decimal.add("1", decimal.div(sign .. by, "100", 6)), 12), def.tick)
end

--- What is asked for, with amounts in minimal form: { side, market, post_only, tif, stp, unit, qty | quote_qty, price,
-- bound, trigger, reduce_only, take_profit, stop_loss }.
function M.read(sb, def, v)
  local ok, no = words(def, v)
  if not ok then return nil, no end
  local o = { side = SIDES[v.side], market = v.orderType == "Market", stp = SMP[v.smpType or "None"],
    reduce_only = def.category == "linear" and (v.reduceOnly == "true" or v.closeOnTrigger == "true") }
  o.post_only = not o.market and v.timeInForce == "PostOnly"
  o.tif = TIFS[v.timeInForce or "GTC"]
  local amount
  amount, no = params.amount(v, "qty", def.no)
  if not amount then return nil, no end
  if not o.market then
    o.price, no = params.amount(v, "price", def.no)
    if not o.price then return nil, no end
  elseif def.category == "spot" then
    o.unit = v.marketUnit or (o.side == "buy" and "quoteCoin" or "baseCoin")
  end
  if o.unit == "quoteCoin" then o.quote_qty = amount else o.qty = amount end
  o.trigger, no = M.trigger(sb, def, v)
  if not no then o.bound, no = bound(sb, def, o, v) end
  if no then return nil, no end
  ok, no = M.read_stops(sb, def, o, v)
  if not ok then return nil, no end
  return o
end

local function check_size(def, o)
  local no = def.no
  if o.quote_qty then
    if not decimal.is_multiple(o.quote_qty, def.quote_step) then return nil, no.amount_step() end
    return true
  end
  if cmp(o.qty, def.step) < 0 and (def.category == "linear" or o.qty == "0") then return nil, no.qty_low() end
  if not decimal.is_multiple(o.qty, def.step) then return nil, no.qty_step() end
  local most = o.market and def.max_market or o.post_only and def.max_maker or def.max_limit
  if cmp(o.qty, most) > 0 then
    local high = o.market and no.market_qty_high or no.limit_qty_high
    return nil, high(mul(o.qty, "100000000", 0), mul(most, "100000000", 0))
  end
  return true
end

--- Inside the band of prices; a contract's price is moved to its edge unless the account does not want that.
local function check_band(sb, def, o, adjust)
  local low, high = prices.band(sb, def)
  if o.side == "buy" and cmp(o.price, high) > 0 then
    if not adjust then return nil, def.no.buy_too_high(high, def.quote) end
    o.price = high
  elseif o.side == "sell" and cmp(o.price, low) < 0 then
    if not adjust then return nil, def.no.sell_too_low(low, def.quote) end
    o.price = low
  end
  return true
end

local function check_price(sb, def, o, adjust)
  if cmp(o.price, def.tick) < 0 or def.max_price and cmp(o.price, def.max_price) > 0 then
    return nil, def.no.price_range()
  end
  if not decimal.is_multiple(o.price, def.tick) then
    if not (def.category == "linear" and sb.assume.truncate_price) then return nil, def.no.price_step() end
    o.price = decimal.floor_to(o.price, def.tick)
  end
  if o.trigger then return true end -- the band is that of another time
  return check_band(sb, def, o, adjust)
end

--- Checks an order { side, market, post_only, qty | quote_qty, price, trigger, reduce_only } against the rules of its
-- instrument.  adjust: prices outside the band are moved to its edge.
function M.check(sb, def, o, adjust)
  local ok, no = check_size(def, o)
  if not ok then return nil, no end
  if o.price then
    ok, no = check_price(sb, def, o, adjust)
    if not ok then return nil, no end
  end
  local value = o.quote_qty or mul(o.qty, o.price or prices.last(sb, def), 12)
  if not o.reduce_only and cmp(value, def.min_value) < 0 then return nil, def.no.value_low() end
  return true
end

return M
