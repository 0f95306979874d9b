--- The public side of REST: time, exchangeInfo, books, trades, candles, tickers.
local candles = require "smc.sandbox.candles"
local decimal = require "smc.decimal"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local params = require "smc.sandbox.binance.params"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"

local M = {}
local field, pad = params.field, format.pad

local DAY_MS = 24 * 3600 * 1000
local STATUSES = { TRADING = true, HALT = true, BREAK = true }
local MINUTE = 60000

local function symbol_of(sb, v)
  local def = sb.by_symbol[v.symbol]
  if not def then return nil, refusal.invalid_symbol() end
  if v.symbolStatus and v.symbolStatus ~= "TRADING" then
    return nil, refusal.other_status()
  end
  return def
end

--- The definitions that `symbol`, `symbols` or neither name.  Second result: one was asked for by name.
local function chosen(sb, v)
  if v.symbol and v.symbols then return nil, refusal.bad_combination() end
  if v.symbol then
    local def, no = symbol_of(sb, v)
    if not def then return nil, no end
    return { def }, true
  end
  local out = {}
  if v.symbols then
    for i, name in ipairs(v.symbols) do
      out[i] = sb.by_symbol[name]
      if not out[i] then return nil, refusal.invalid_symbol() end
    end
  else
    out = sb.symbols
  end
  if v.symbolStatus and v.symbolStatus ~= "TRADING" then out = {} end
  return out, false
end

--- describe(sb, def) of the one symbol that was named, or an array of it.
local function each(sb, v, describe)
  local defs, one = chosen(sb, v)
  if not defs then return nil, one end
  if one then return describe(sb, defs[1]) end
  local out = {}
  for i, def in ipairs(defs) do out[i] = describe(sb, def) end
  return json.array(out)
end

M.each = each

local function ping() return json.object() end

local function time(_, call) return json.object("serverTime", call.now) end

local function spot(permissions)
  if not permissions then return true end
  for _, name in ipairs(permissions) do
    if name == "SPOT" then return true end
  end
  return false
end

local function exchange_info(sb, call)
  local v = call.values
  local named = v.symbol or v.symbols
  if named and (v.permissions or v.symbolStatus) then return nil, refusal.bad_combination() end
  local defs, no = chosen(sb, v)
  if not defs then return nil, no end
  if not spot(v.permissions) then defs = {} end
  local list = {}
  for i, def in ipairs(defs) do list[i] = symbols.describe(def, v.showPermissionSets ~= false) end
  return json.object("timezone", "UTC", "serverTime", call.now, "rateLimits", sb.limits:describe(call.ws),
    "exchangeFilters", json.array {}, "symbols", json.array(list))
end

--- Clients of all of the venue's markets ask for its contracts too, and fail as a whole without an answer.
local function no_contracts(_, call)
  return json.object("timezone", "UTC", "serverTime", call.now, "rateLimits", json.array {},
    "exchangeFilters", json.array {}, "symbols", json.array {})
end

local function depth(sb, call)
  local def, no = symbol_of(sb, call.values)
  if not def then return nil, no end
  local n = call.values.limit or 100
  local book = sb.market:book(def.symbol, n)
  return json.object("lastUpdateId", book.update_id, "bids", format.levels(book.bids), "asks", format.levels(book.asks))
end

local function trades(sb, call)
  local v = call.values
  local def, no = symbol_of(sb, v)
  if not def then return nil, no end
  local out = {}
  for i, t in ipairs(sb.market:trades { symbol = def.symbol, from_id = v.fromId, limit = v.limit or 500 }) do
    out[i] = json.object("id", t.id, "price", pad(t.price), "qty", pad(t.qty), "quoteQty", pad(t.quote),
      "time", t.time_ms + sb.skew_ms, "isBuyerMaker", t.buyer_is_maker, "isBestMatch", true)
  end
  return json.array(out)
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

local function agg_trades(sb, call)
  local v = call.values
  local def, no = symbol_of(sb, v)
  if not def then return nil, no end
  local limit = v.limit or 500
  local list = M.aggregate(sb.market:trades { symbol = def.symbol, from_id = v.fromId,
    from_ms = v.startTime and v.startTime - sb.skew_ms, to_ms = v.endTime and v.endTime - sb.skew_ms, limit = limit })
  local out = {}
  for i, t in ipairs(list) do
    out[i] = json.object("a", t.id, "p", pad(t.price), "q", pad(t.qty), "f", t.id, "l", t.last_id,
      "T", t.time_ms + sb.skew_ms, "m", t.buyer_is_maker, "M", true)
  end
  return json.array(out)
end

--- "8", "-5:30", "+0" -> milliseconds east of UTC; nil when it is no time zone.
local function zone_ms(zone)
  local sign, hours, minutes = zone:match("^([+-]?)(%d%d?):?(%d*)$")
  if not sign then return nil end
  local ms = tonumber(hours) * 60 * MINUTE + (minutes ~= "" and tonumber(minutes) or 0) * MINUTE
  ms = sign == "-" and -ms or ms
  if ms < -720 * MINUTE or ms > 840 * MINUTE then return nil end
  return ms
end

M.zone_ms = zone_ms

local function klines(sb, call)
  local v = call.values
  local def, no = symbol_of(sb, v)
  if not def then return nil, no end
  local zone = zone_ms(v.timeZone or "0")
  if not zone then return nil, refusal.invalid "timeZone" end
  local out = {}
  for i, c in ipairs(candles.of(sb, def.symbol, v.interval, {
    from_ms = v.startTime and v.startTime - sb.skew_ms, to_ms = v.endTime and v.endTime - sb.skew_ms,
    limit = v.limit or 500, zone_ms = zone })) do
    out[i] = json.array { c.open_ms + sb.skew_ms, pad(c.open), pad(c.high), pad(c.low), pad(c.close), pad(c.volume),
      c.close_ms + sb.skew_ms, pad(c.quote_volume), c.count, pad(c.taker_volume), pad(c.taker_quote_volume), "0" }
  end
  return json.array(out)
end

local function no_blocks(sb, call)
  local def, no = symbol_of(sb, call.values)
  if not def then return nil, no end
  return json.array {}
end

local function no_reference_price(sb, call)
  local def, no = symbol_of(sb, call.values)
  if not def then return nil, no end
  return nil, refusal.no_reference_price()
end

local function average(sb, call)
  local def, no = symbol_of(sb, call.values)
  if not def then return nil, no end
  local price, last_ms = sb:average_price(def.symbol)
  return json.object("mins", 5, "price", pad(price), "closeTime", last_ms + sb.skew_ms)
end

--- The figures of the last 24 hours, all as text of eight decimals.
function M.day(sb, def)
  local now = sb.market:time()
  local s = assert(sb.market:stats(def.symbol, now - DAY_MS, now))
  local best = sb.market:best(def.symbol)
  local change = decimal.sub(s.close, s.open)
  local percent = decimal.format(decimal.div(decimal.mul(change, "100"), s.open, 3), 3)
  return {
    symbol = def.symbol, change = pad(change), percent = percent, vwap = pad(decimal.div(s.quote_volume, s.volume, 8)),
    prev = pad(s.prev_close or s.open), last = pad(s.close), last_qty = pad(s.last_qty), bid = pad(best.bid or "0"),
    bid_qty = pad(best.bid_qty or "0"), ask = pad(best.ask or "0"), ask_qty = pad(best.ask_qty or "0"),
    open = pad(s.open), high = pad(s.high), low = pad(s.low), volume = pad(s.volume),
    quote_volume = pad(s.quote_volume), open_ms = now - DAY_MS + sb.skew_ms, close_ms = now + sb.skew_ms,
    first_id = s.first_id, last_id = s.last_id, count = s.count,
  }
end

local function full_day(sb, def)
  local d = M.day(sb, def)
  return json.object("symbol", d.symbol, "priceChange", d.change, "priceChangePercent", d.percent,
    "weightedAvgPrice", d.vwap, "prevClosePrice", d.prev, "lastPrice", d.last, "lastQty", d.last_qty,
    "bidPrice", d.bid, "bidQty", d.bid_qty, "askPrice", d.ask, "askQty", d.ask_qty,
    "openPrice", d.open, "highPrice", d.high, "lowPrice", d.low, "volume", d.volume, "quoteVolume", d.quote_volume,
    "openTime", d.open_ms, "closeTime", d.close_ms, "firstId", d.first_id, "lastId", d.last_id, "count", d.count)
end

local function mini_day(sb, def)
  local d = M.day(sb, def)
  return json.object("symbol", d.symbol, "openPrice", d.open, "highPrice", d.high, "lowPrice", d.low, "lastPrice",
    d.last, "volume", d.volume, "quoteVolume", d.quote_volume, "openTime", d.open_ms, "closeTime", d.close_ms,
    "firstId", d.first_id, "lastId", d.last_id, "count", d.count)
end

local function ticker_24hr(sb, call)
  return each(sb, call.values, call.values.type == "MINI" and mini_day or full_day)
end

local function ticker_price(sb, call)
  return each(sb, call.values, function(_, def)
    local last = sb.market:trades { symbol = def.symbol, limit = 1 }[1]
    return json.object("symbol", def.symbol, "price", pad(last.price))
  end)
end

local function book_ticker(sb, call)
  return each(sb, call.values, function(_, def)
    local best = sb.market:best(def.symbol)
    return json.object("symbol", def.symbol, "bidPrice", pad(best.bid or "0"), "bidQty", pad(best.bid_qty or "0"),
      "askPrice", pad(best.ask or "0"), "askQty", pad(best.ask_qty or "0"))
  end)
end

local interval_names = { ["1M"] = true }
for name in pairs(candles.intervals) do interval_names[name] = true end

local one_symbol = field("symbol", "symbol", { need = true })
local maybe_symbol = field("symbol", "symbol")
local maybe_symbols = field("symbols", "symbols")
local status = field("symbolStatus", "any", { among = STATUSES, refusal = refusal.invalid_status() })
local ticker_type = field("type", "any", { among = { FULL = true, MINI = true },
  refusal = refusal.invalid_ticker_type() })
M.status, M.ticker_type = status, ticker_type

local function limit(max) return field("limit", "long", { max = max, min = 1 }) end

local function depth_weight(v)
  local n = v.limit or 100
  return n <= 100 and 5 or n <= 500 and 25 or n <= 1000 and 50 or 250
end

local function day_weight(v)
  if v.symbol then return 2 end
  local n = v.symbols and #v.symbols or 101
  return n <= 20 and 2 or n <= 100 and 40 or 80
end

local function price_weight(v) return v.symbol and 2 or 4 end

local kline_fields = { one_symbol,
  field("interval", "any", { need = true, among = interval_names, refusal = refusal.invalid_interval() }),
  field("startTime", "bound"), field("endTime", "bound"), field("timeZone", "any"), limit(1000) }

local function route(path, ws, weight, fields, handle)
  return { method = "GET", path = "/api/v3/" .. path, ws = ws, security = "NONE", weight = weight, fields = fields,
    handle = handle }
end

M.routes = {
  route("ping", "ping", 1, {}, ping),
  route("time", "time", 1, {}, time),
  route("exchangeInfo", "exchangeInfo", 20, { maybe_symbol, maybe_symbols, field("permissions", "words"),
    field("showPermissionSets", "bool"), status }, exchange_info),
  { method = "GET", path = "/fapi/v1/exchangeInfo", security = "NONE", weight = 1, fields = {}, handle = no_contracts },
  { method = "GET", path = "/dapi/v1/exchangeInfo", security = "NONE", weight = 1, fields = {}, handle = no_contracts },
  route("depth", "depth", depth_weight, { one_symbol, limit(5000), status }, depth),
  route("trades", "trades.recent", 25, { one_symbol, limit(1000) }, trades),
  route("historicalTrades", "trades.historical", 25, { one_symbol, field("fromId", "long"), limit(1000) }, trades),
  route("historicalBlockTrades", "blockTrades.historical", 25, { one_symbol, field("fromId", "long", { need = true }),
    limit(1000) }, no_blocks),
  route("referencePrice", "referencePrice", 2, { one_symbol }, no_reference_price),
  route("aggTrades", "trades.aggregate", 4, { one_symbol, field("fromId", "long"), field("startTime", "bound"),
    field("endTime", "bound"), limit(1000) }, agg_trades),
  route("klines", "klines", 2, kline_fields, klines),
  route("uiKlines", "uiKlines", 2, kline_fields, klines),
  route("avgPrice", "avgPrice", 2, { one_symbol }, average),
  route("ticker/24hr", "ticker.24hr", day_weight, { maybe_symbol, maybe_symbols, status, ticker_type },
    ticker_24hr),
  route("ticker/price", "ticker.price", price_weight, { maybe_symbol, maybe_symbols, status }, ticker_price),
  route("ticker/bookTicker", "ticker.book", price_weight, { maybe_symbol, maybe_symbols, status }, book_ticker),
}

return M
