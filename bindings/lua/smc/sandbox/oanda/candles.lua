--- Candles.  The market's trades are what it knows of its past: a candle of mids is made of their prices, and those of
-- bids and asks lie half a usual spread beside it.
local clock = require "smc.sandbox.oanda.clock"
local decimal = require "smc.decimal"
local instruments = require "smc.sandbox.oanda.instruments"
local json = require "smc.json"
local params = require "smc.sandbox.oanda.params"
local refusal = require "smc.sandbox.oanda.refusal"

local M = {}

local SECOND_MS, HOUR_MS = 1000, 3600 * 1000
local DAY_MS = 24 * HOUR_MS
local MOST = 5000

-- Up to an hour they are counted from the epoch; longer ones from the start of a day, and are put together from hours.
local LENGTHS = { S5 = 5, S10 = 10, S15 = 15, S30 = 30, M1 = 60, M2 = 120, M4 = 240, M5 = 300, M10 = 600, M15 = 900,
  M30 = 1800, H1 = 3600, H2 = 7200, H3 = 10800, H4 = 14400, H6 = 21600, H8 = 28800, H12 = 43200, D = 86400,
  W = 7 * 86400, M = 28 * 86400 }

local WEEKDAYS = { Sunday = 0, Monday = 1, Tuesday = 2, Wednesday = 3, Thursday = 4, Friday = 5, Saturday = 6 }

--- When the candle began that holds ms.
local function start_of(a, ms)
  if a.length <= HOUR_MS then return ms // a.length * a.length end
  if a.granularity == "W" then return clock.week_start(ms, a.zone, a.hour, a.weekday) end
  if a.granularity == "M" then return clock.month_start(ms, a.zone, a.hour) end
  local day = clock.day_start(ms, a.zone, a.hour)
  return day + (ms - day) // a.length * a.length
end

--- When the one that began at `open` ends.
local function end_of(a, open)
  if a.length <= HOUR_MS then return open + a.length end
  local later = start_of(a, open + a.length + (a.length >= DAY_MS and a.length // 4 or 0))
  return later > open and later or open + a.length
end

local function put(out, a, c)
  local open_ms = start_of(a, c.open_ms)
  local last = out[#out]
  if not last or last.open_ms ~= open_ms then
    out[#out + 1] = { open_ms = open_ms, open = c.open, high = c.high, low = c.low, close = c.close, count = c.count }
    return
  end
  last.high, last.low = decimal.max(last.high, c.high), decimal.min(last.low, c.low)
  last.close, last.count = c.close, last.count + c.count
end

--- The market's own candles, at most so many, put together.  Returns that, and whether these were all.
local function gather(sb, def, a, limit)
  local parts, out = sb.market:candles { symbol = def.symbol, interval_ms = math.min(a.length, HOUR_MS), limit = limit,
    from_ms = a.from and start_of(a, a.from) or nil, to_ms = a.to and a.to - 1 or nil }, {}
  for _, c in ipairs(parts) do
    if c.count > 0 then put(out, a, c) end
  end
  return out, #parts < limit
end

--- Those with ticks that begin from a.from on and before a.to: the oldest a.count when there is a start, else the
-- latest.
local function pick(sb, def, a)
  local limit = (a.count + 2) * math.max(1, a.length // HOUR_MS) * 4
  local out, all = gather(sb, def, a, limit)
  while not all and #out < a.count + 2 do -- most of them had no ticks
    limit = limit * 8
    out, all = gather(sb, def, a, limit)
  end
  if a.from and not a.first and out[1] and out[1].open_ms <= a.from then table.remove(out, 1) end
  if a.from then return table.move(out, 1, math.min(#out, a.count), 1, {}) end
  return table.move(out, math.max(1, #out - a.count + 1), #out, 1, {})
end

local function ohlc(def, c, shift)
  local function at(price) return instruments.price(def, decimal.add(price, shift)) end
  return json.object("o", at(c.open), "h", at(c.high), "l", at(c.low), "c", at(c.close))
end

--- The candles of an instrument as JSON.  a: granularity, length, count, from, to, first, smooth, price, zone, hour,
-- weekday.
local function candles(sb, def, a)
  local half = decimal.round(decimal.mul(decimal.mul(def.start, def.spread, 12), "0.5", 12), def.places)
  local now, out, previous = sb.market:time(), {}, nil
  for i, c in ipairs(pick(sb, def, a)) do
    if a.smooth and previous then
      c.open = previous
      c.high, c.low = decimal.max(c.high, c.open), decimal.min(c.low, c.open)
    end
    previous = c.close
    out[i] = json.object("complete", end_of(a, c.open_ms) <= now, "volume", c.count,
      "time", clock.rfc3339(c.open_ms), "bid", a.price.B and ohlc(def, c, decimal.neg(half)) or nil,
      "mid", a.price.M and ohlc(def, c, "0") or nil, "ask", a.price.A and ohlc(def, c, half) or nil)
  end
  return { "instrument", def.symbol, "granularity", a.granularity, "candles", json.array(out) }
end

-- ---- what is asked for --------------------------------------------------------------

local function components(text)
  local out = {}
  for letter in text:gmatch "." do
    if not ("MBA"):find(letter, 1, true) then return nil end
    out[letter] = true
  end
  return next(out) and out or nil
end

local function alignment(a, v)
  a.granularity = v.granularity or "S5"
  if not LENGTHS[a.granularity] then return refusal.invalid "granularity" end
  a.length = LENGTHS[a.granularity] * SECOND_MS
  a.price = components(v.price or "M")
  if not a.price then return refusal.invalid "price" end
  a.zone = v.alignmentTimezone or clock.new_york
  if not clock.knows(a.zone) then return refusal.invalid "alignmentTimezone" end
  a.weekday = WEEKDAYS[v.weeklyAlignment or "Friday"]
  if not a.weekday then return refusal.invalid "weeklyAlignment" end
  local no
  a.hour, no = params.whole(v, "dailyAlignment", clock.close_hour, 0, 23)
  return no
end

local function span(sb, a, v)
  local no
  a.from, no = params.time(v, "from")
  if a.from ~= nil then a.to, no = params.time(v, "to") end
  if a.to == nil then return no end
  for _, name in ipairs { "from", "to" } do
    if a[name] and a[name] > sb:now() then return refusal.in_future(name) end
  end
  if a.from and a.to and v.count then
    return refusal.count_and_span()
  end
  a.count, no = params.whole(v, "count", 500, 1, MOST, refusal.too_many_candles())
  if no then return no end
  if a.from and a.to then
    if a.from > a.to then return refusal.invalid "from" end
    if (a.to - a.from) // a.length > MOST then return refusal.too_many_candles() end
    a.count = MOST
  end
end

local function read(sb, v)
  local a = {}
  local no = alignment(a, v) or span(sb, a, v)
  if no then return nil, no end
  a.smooth, no = params.truth(v, "smooth", false)
  if a.smooth ~= nil then a.first, no = params.truth(v, "includeFirst", true) end
  if a.first == nil then return nil, no end
  return a
end

local function of_instrument(sb, call)
  local def = sb.by_symbol[call.instrument]
  if not def then return nil, refusal.invalid "instrument" end
  local a, no = read(sb, call.values)
  if not a then return nil, no end
  return candles(sb, def, a)
end

--- For so many units: the book is too deep for them to move a candle.
local function of_account(sb, call)
  local units = call.values.units
  local value = units and params.decimal(units)
  if units and (not value or decimal.le(value, "0")) then return nil, refusal.invalid "units" end
  return of_instrument(sb, call)
end

--- Several at once: candleSpecifications = EUR_USD:M1:MBA,...
local function latest(sb, call)
  local _, specifications = params.words(call.values, "candleSpecifications")
  if not specifications then return nil, refusal.missing "candleSpecifications" end
  local out = {}
  for i, text in ipairs(specifications) do
    local name, granularity, price = text:match "^([^:]*):([^:]*):?([^:]*)$"
    local def = sb.by_symbol[name]
    if not def then return nil, refusal.invalid "candleSpecifications" end
    local a, no = read(sb, setmetatable({ granularity = granularity, price = price ~= "" and price or nil,
      count = call.values.count or "2" }, { __index = call.values }))
    if not a then return nil, no end
    out[i] = json.object(table.unpack(candles(sb, def, a)))
  end
  return { "latestCandles", json.array(out) }
end

M.routes = {
  { "GET", "instruments/{instrument}/candles", of_account, plain = true },
  { "GET", "candles/latest", latest, plain = true },
}
M.public_routes = { { "GET", "instruments/{instrument}/candles", of_instrument, plain = true } }

return M
