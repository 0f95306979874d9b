--- Tickers: of the last 24 hours, of a window that the client names, of the trading day; for REST and for streams.
local decimal = require "smc.decimal"
local format = require "smc.sandbox.binance.format"
local market_data = require "smc.sandbox.binance.market_data"
local refusal = require "smc.sandbox.binance.refusal"

local M = {}
local pad = format.pad

local MINUTE = 60000
local DAY_MS = 24 * 60 * MINUTE
local UNITS = { m = { MINUTE, 59 }, h = { 60 * MINUTE, 23 }, d = { DAY_MS, 7 } }

-- ---- figures --------------------------------------------------------------------------------

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

--- The figures of the trades after one instant (engine time, not included), all decimals as text of eight places.
local function figures(sb, def, after_ms, open_ms, close_ms)
  local s = sb.market:stats(def.symbol, after_ms, sb.market:time()) or nothing_traded(sb, def.symbol)
  local change = decimal.sub(s.close, s.open)
  return {
    symbol = def.symbol, change = pad(change),
    percent = decimal.format(decimal.div(decimal.mul(change, "100"), s.open, 3), 3),
    vwap = s.count > 0 and pad(decimal.div(s.quote_volume, s.volume, 8)) or format.ZERO,
    prev = pad(s.prev_close or s.open),
    open = pad(s.open), high = pad(s.high), low = pad(s.low), last = pad(s.close), last_qty = pad(s.last_qty or "0"),
    volume = pad(s.volume), quote_volume = pad(s.quote_volume), open_ms = open_ms + sb.skew_ms,
    close_ms = close_ms + sb.skew_ms, first_id = s.first_id, last_id = s.last_id, count = s.count,
  }
end

local function best_of(sb, def, out)
  local best = sb.market:best(def.symbol)
  out.symbol, out.update_id = def.symbol, best.update_id
  for _, side in ipairs { "bid", "ask" } do
    out[side], out[side .. "_qty"] = pad(best[side] or "0"), pad(best[side .. "_qty"] or "0")
  end
  return out
end

--- The last 24 hours, and the best prices.
function M.of_day(sb, def)
  local now = sb.market:time()
  return best_of(sb, def, figures(sb, def, now - DAY_MS, now - DAY_MS, now))
end

--- Rolling: it begins with a minute, so it is up to one minute longer than its name says.
function M.of_window(sb, def, window_ms)
  local now = sb.market:time()
  local open = (now - window_ms) // MINUTE * MINUTE
  return figures(sb, def, open - 1, open, now)
end

local function of_trading_day(sb, def, zone_ms)
  local open = (sb.market:time() + sb.skew_ms + zone_ms) // DAY_MS * DAY_MS - zone_ms - sb.skew_ms
  return figures(sb, def, open - 1, open, open + DAY_MS - 1)
end

-- ---- as they are written ----------------------------------------------------------------------

local CHANGE = "symbol priceChange=change priceChangePercent=percent weightedAvgPrice=vwap "
local PRICES = "openPrice=open highPrice=high lowPrice=low "
local AMOUNTS = "volume quoteVolume=quote_volume "
local TRADES = "openTime=open_ms closeTime=close_ms firstId=first_id lastId=last_id count"

local full_day = format.shape(CHANGE .. "prevClosePrice=prev lastPrice=last lastQty=last_qty bidPrice=bid "
  .. "bidQty=bid_qty askPrice=ask askQty=ask_qty " .. PRICES .. AMOUNTS .. TRADES)
local full = format.shape(CHANGE .. PRICES .. "lastPrice=last " .. AMOUNTS .. TRADES)
local mini = format.shape("symbol " .. PRICES .. "lastPrice=last " .. AMOUNTS .. TRADES)
local price = format.shape "symbol price"
local book = format.shape "symbol bidPrice=bid bidQty=bid_qty askPrice=ask askQty=ask_qty"

--- What the streams send; `e` is their name.
M.streams = {
  mini = format.shape "e E=close_ms s=symbol c=last o=open h=high l=low v=volume q=quote_volume",
  day = format.shape "e E=close_ms s=symbol p=change P=percent w=vwap x=prev c=last Q=last_qty b=bid B=bid_qty a=ask \z
    A=ask_qty o=open h=high l=low v=volume q=quote_volume O=open_ms C=close_ms F=first_id L=last_id n=count",
  window = format.shape "e E=close_ms s=symbol p=change P=percent o=open h=high l=low c=last w=vwap v=volume \z
    q=quote_volume O=open_ms C=close_ms F=first_id L=last_id n=count",
}

-- ---- answers ----------------------------------------------------------------------------------

local function each(sb, call, shape, of, more)
  return market_data.each_symbol(sb, call, function(def) return shape(of(sb, def, more)) end)
end

local function full_or_mini(call, whole) return call.values.type == "MINI" and mini or whole end

function M.day(sb, call)
  return each(sb, call, full_or_mini(call, full_day), M.of_day)
end

function M.rolling(sb, call)
  local ms = M.window_ms(call.values.windowSize or "1d")
  if not ms then return nil, refusal.invalid "windowSize" end
  return each(sb, call, full_or_mini(call, full), M.of_window, ms)
end

function M.trading_day(sb, call)
  local ms = market_data.zone_ms(call.values.timeZone or "0")
  if not ms then return nil, refusal.invalid "timeZone" end
  return each(sb, call, full_or_mini(call, full), of_trading_day, ms)
end

function M.price(sb, call)
  return each(sb, call, price, function(_, def)
    return { symbol = def.symbol, price = pad(sb.market:trades { symbol = def.symbol, limit = 1 }[1].price) }
  end)
end

function M.book(sb, call)
  return each(sb, call, book, function(_, def) return best_of(sb, def, {}) end)
end

return M
