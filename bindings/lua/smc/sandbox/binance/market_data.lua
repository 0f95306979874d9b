--- The public side of REST: time, exchangeInfo, books, trades, candles.  Tickers: tickers.lua.
local candles = require "smc.sandbox.candles"
local decimal = require "smc.decimal"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"

local M = {}
local pad = format.pad

local MINUTE = 60000

-- ---- which symbols --------------------------------------------------------------------------

--- Whether the one symbol that was named has the status that was asked for.  Returns nil, or a refusal.
local function other_status(sb, call)
  local asked = call.values.symbolStatus
  if asked and asked ~= symbols.status(sb, call.def) then return refusal.other_status() end
end

--- The definitions that `symbol`, `symbols` or neither name.  Second result: one was asked for by name.
local function chosen(sb, call)
  local v = call.values
  if v.symbol and v.symbols then return nil, refusal.bad_combination() end
  if v.symbol then
    local no = other_status(sb, call)
    if no then return nil, no end
    return { call.def }, true
  end
  local defs, out = v.symbols and {} or sb.symbols, {}
  for i, name in ipairs(v.symbols or {}) do
    defs[i] = sb.by_symbol[name]
    if not defs[i] then return nil, refusal.invalid_symbol() end
  end
  for _, def in ipairs(defs) do
    if not v.symbolStatus or v.symbolStatus == symbols.status(sb, def) then out[#out + 1] = def end
  end
  return out, false
end

--- describe(def) of the one symbol that was named, or an array of it.
function M.each_symbol(sb, call, describe)
  local defs, one = chosen(sb, call)
  if not defs then return nil, one end
  if one then return describe(defs[1]) end
  return format.each(defs, describe)
end

-- ---- the venue itself -----------------------------------------------------------------------

function M.ping() return json.object() end

function M.time(_, call) return json.object("serverTime", call.now) end

local function spot(permissions)
  if not permissions then return true end
  for _, name in ipairs(permissions) do
    if name == "SPOT" then return true end
  end
  return false
end

local function exchange(call, limits, list)
  return json.object("timezone", "UTC", "serverTime", call.now, "rateLimits", limits, "exchangeFilters", json.array {},
    "symbols", list)
end

function M.exchange_info(sb, call)
  local v = call.values
  if (v.symbol or v.symbols) and (v.permissions or v.symbolStatus) then return nil, refusal.bad_combination() end
  local defs, no = chosen(sb, call)
  if not defs then return nil, no end
  return exchange(call, sb.limits:describe(call.ws),
    format.each(spot(v.permissions) and defs or {}, symbols.describe, sb, v.showPermissionSets ~= false))
end

--- Clients of all of the venue's markets ask for its contracts too, and fail as a whole without an answer.
function M.no_contracts(_, call) return exchange(call, json.array {}, json.array {}) end

-- ---- one symbol -------------------------------------------------------------------------------

--- What a symbol could have, and no symbol here has.
function M.nothing() return json.array {} end

--- Rules are asked for by one of its parameters, or by none.
function M.one_choice(v)
  local sent = (v.symbol and 1 or 0) + (v.symbols and 1 or 0) + (v.symbolStatus and 1 or 0)
  return sent > 1 and refusal.bad_combination() or nil
end

--- No rule bounds the prices of trades here, and so no price is computed that such rules refer to.
function M.rules(sb, call)
  local rules, no = M.each_symbol(sb, call, function(def)
    return json.object("symbol", def.symbol, "rules", json.array {})
  end)
  if not rules then return nil, no end
  return json.object("symbolRules", call.def and json.array { rules } or rules)
end

function M.no_reference_price() return nil, refusal.no_reference_price() end

function M.depth(sb, call)
  local no = other_status(sb, call)
  if no then return nil, no end
  local book = sb.market:book(call.def.symbol, call.values.limit or 100)
  return json.object("lastUpdateId", book.update_id, "bids", format.levels(book.bids), "asks", format.levels(book.asks))
end

function M.trades(sb, call)
  return format.each(sb.market:trades(sb:span(call.values, { from_id = call.values.fromId })), function(t)
    return json.object("id", t.id, "price", pad(t.price), "qty", pad(t.qty), "quoteQty", pad(t.quote),
      "time", t.time_ms + sb.skew_ms, "isBuyerMaker", t.buyer_is_maker, "isBestMatch", true)
  end)
end

--- Joins neighbouring trades of one instant, price and side: what one taker did at one price.  Its id is the first's.
function M.aggregate(list)
  local out = {}
  for _, t in ipairs(list) do
    local last = out[#out]
    if last and last.time_ms == t.time_ms and last.price == t.price and last.buyer_is_maker == t.buyer_is_maker then
      last.qty, last.last_id = decimal.add(last.qty, t.qty), t.id
    else
      out[#out + 1] = { id = t.id, last_id = t.id, price = t.price, qty = t.qty, time_ms = t.time_ms,
        buyer_is_maker = t.buyer_is_maker }
    end
  end
  return out
end

--- They are asked for by id or by time.
function M.which_trades(v)
  return v.fromId and (v.startTime or v.endTime) and refusal.bad_combination() or nil
end

--- The whole ones among the last n trades that are asked for, or the first n where a start is given; whether that is
-- all there are.
local function whole(sb, v, n)
  local first = v.fromId and v.fromId - 1 -- to see whether the one before goes on
  local trades = sb.market:trades(sb:span(v, { from_id = first, limit = n }))
  local list, all = M.aggregate(trades), #trades < n
  if not all then table.remove(list, (v.fromId or v.startTime) and #list or 1) end
  if v.fromId and list[1] and list[1].id < v.fromId then table.remove(list, 1) end
  return list, all
end

local AGGREGATES = 500 -- where no limit is sent

local function aggregates(sb, v)
  local limit = v.limit or AGGREGATES
  local n = limit + 2
  while true do
    local list, all = whole(sb, v, n)
    if all or #list >= limit then
      local first = (v.fromId or v.startTime) and 1 or math.max(1, #list - limit + 1)
      return table.move(list, first, math.min(#list, first + limit - 1), 1, {})
    end
    n = 2 * n
  end
end

function M.agg_trades(sb, call)
  return format.each(aggregates(sb, call.values), function(t)
    return json.object("a", t.id, "p", pad(t.price), "q", pad(t.qty), "f", t.id, "l", t.last_id,
      "T", t.time_ms + sb.skew_ms, "m", t.buyer_is_maker, "M", true)
  end)
end

--- "8", "-5:30", "+0" -> milliseconds east of UTC; nil when it is no time zone.
function M.zone_ms(zone)
  local sign, hours, minutes = (zone:find ":" and zone or zone .. ":00"):match "^([+-]?)(%d%d?):([0-5]%d)$"
  if not sign then return nil end
  local ms = (tonumber(hours) * 60 + tonumber(minutes)) * MINUTE
  ms = sign == "-" and -ms or ms
  if ms < -720 * MINUTE or ms > 840 * MINUTE then return nil end
  return ms
end

function M.klines(sb, call)
  local zone = M.zone_ms(call.values.timeZone or "0")
  if not zone then return nil, refusal.invalid "timeZone" end
  local list = candles.of(sb, call.def.symbol, call.values.interval, sb:span(call.values, { zone_ms = zone }))
  return format.each(list, function(c)
    return json.array { c.open_ms + sb.skew_ms, pad(c.open), pad(c.high), pad(c.low), pad(c.close), pad(c.volume),
      c.close_ms + sb.skew_ms, pad(c.quote_volume), c.count, pad(c.taker_volume), pad(c.taker_quote_volume), "0" }
  end)
end

function M.average(sb, call)
  local price, last_ms = sb:average_price(call.def.symbol)
  return json.object("mins", 5, "price", pad(price), "closeTime", last_ms + sb.skew_ms)
end

return M
