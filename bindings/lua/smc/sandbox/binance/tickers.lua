--- Tickers over a window that the client names: rolling ones of minutes to days, and the trading day.
local decimal = require "smc.decimal"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local market_data = require "smc.sandbox.binance.market_data"
local params = require "smc.sandbox.binance.params"
local refusal = require "smc.sandbox.binance.refusal"

local M = {}
local field, pad, ZERO = params.field, format.pad, format.ZERO

local MINUTE = 60000
local DAY_MS = 24 * 60 * MINUTE
local UNITS = { m = { MINUTE, 59 }, h = { 60 * MINUTE, 23 }, d = { DAY_MS, 7 } }
local WEIGHT_OF_ONE, WEIGHT_MOST = 4, 200

--- "1h" -> milliseconds; nil for what is no window.
function M.window_ms(name)
  local n, unit = name:match "^(%d%d?)([mhd])$"
  if not n then return nil end
  local ms, most = table.unpack(UNITS[unit])
  n = tonumber(n)
  return n >= 1 and n <= most and n * ms or nil
end

local function nothing_traded(sb, symbol)
  local last = sb.market:trades { symbol = symbol, limit = 1 }[1].price
  return { open = last, high = last, low = last, close = last, volume = "0", quote_volume = "0", count = 0,
    first_id = -1, last_id = -1 }
end

--- The figures from open_ms (inclusive, engine time) until now, all as text.
local function figures(sb, def, open_ms, close_ms)
  local s = sb.market:stats(def.symbol, open_ms - 1, sb.market:time()) or nothing_traded(sb, def.symbol)
  local change = decimal.sub(s.close, s.open)
  return {
    symbol = def.symbol, change = pad(change),
    percent = decimal.format(decimal.div(decimal.mul(change, "100"), s.open, 3), 3),
    vwap = s.count > 0 and pad(decimal.div(s.quote_volume, s.volume, 8)) or ZERO,
    open = pad(s.open), high = pad(s.high), low = pad(s.low), last = pad(s.close), volume = pad(s.volume),
    quote_volume = pad(s.quote_volume), open_ms = open_ms + sb.skew_ms, close_ms = close_ms + sb.skew_ms,
    first_id = s.first_id, last_id = s.last_id, count = s.count,
  }
end

--- Rolling: it begins with a minute, so it is up to one minute longer than its name says.
function M.rolling(sb, def, window_ms)
  local now = sb.market:time()
  return figures(sb, def, (now - window_ms) // MINUTE * MINUTE, now)
end

local function trading_day(sb, def, zone_ms)
  local open = (sb.market:time() + sb.skew_ms + zone_ms) // DAY_MS * DAY_MS - zone_ms - sb.skew_ms
  return figures(sb, def, open, open + DAY_MS - 1)
end

local function full(t)
  return json.object("symbol", t.symbol, "priceChange", t.change, "priceChangePercent", t.percent,
    "weightedAvgPrice", t.vwap, "openPrice", t.open, "highPrice", t.high, "lowPrice", t.low, "lastPrice", t.last,
    "volume", t.volume, "quoteVolume", t.quote_volume, "openTime", t.open_ms, "closeTime", t.close_ms,
    "firstId", t.first_id, "lastId", t.last_id, "count", t.count)
end

local function mini(t)
  return json.object("symbol", t.symbol, "openPrice", t.open, "highPrice", t.high, "lowPrice", t.low,
    "lastPrice", t.last, "volume", t.volume, "quoteVolume", t.quote_volume, "openTime", t.open_ms,
    "closeTime", t.close_ms, "firstId", t.first_id, "lastId", t.last_id, "count", t.count)
end

local function describe(sb, v, of)
  if not v.symbol and not v.symbols then return nil, refusal.missing_both("symbol", "symbols") end
  return market_data.each(sb, v, function(_, def) return (v.type == "MINI" and mini or full)(of(def)) end)
end

local function ticker(sb, call)
  local window_ms = M.window_ms(call.values.windowSize or "1d")
  if not window_ms then return nil, refusal.invalid "windowSize" end
  return describe(sb, call.values, function(def) return M.rolling(sb, def, window_ms) end)
end

local function day_ticker(sb, call)
  local zone_ms = market_data.zone_ms(call.values.timeZone or "0")
  if not zone_ms then return nil, refusal.invalid "timeZone" end
  return describe(sb, call.values, function(def) return trading_day(sb, def, zone_ms) end)
end

local function weight(v)
  return math.min(WEIGHT_MOST, WEIGHT_OF_ONE * (v.symbols and #v.symbols or 1))
end

local function route(path, ws, own, handle)
  return { method = "GET", path = "/api/v3/" .. path, ws = ws, security = "NONE", weight = weight, handle = handle,
    fields = { field("symbol", "symbol"), field("symbols", "symbols"), own, market_data.ticker_type,
      market_data.status } }
end

M.routes = {
  route("ticker", "ticker", field("windowSize", "any"), ticker),
  route("ticker/tradingDay", "ticker.tradingDay", field("timeZone", "any"), day_ticker),
}

return M
