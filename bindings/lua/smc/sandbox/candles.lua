--- Candles of a symbol by the names of their intervals: "1m", "4h", "1d", "1w", "1M".
local decimal = require "smc.decimal"

local M = {}

local MINUTE = 60000
local DAY_MS = 24 * 60 * MINUTE
local WEEK_OFFSET_MS = 4 * DAY_MS -- the epoch was a Thursday, and weeks open on Monday

--- Milliseconds of each interval of fixed length.
M.intervals = {
  ["1s"] = 1000, ["1m"] = MINUTE, ["3m"] = 3 * MINUTE, ["5m"] = 5 * MINUTE, ["15m"] = 15 * MINUTE,
  ["30m"] = 30 * MINUTE, ["1h"] = 60 * MINUTE, ["2h"] = 120 * MINUTE, ["4h"] = 240 * MINUTE, ["6h"] = 360 * MINUTE,
  ["8h"] = 480 * MINUTE, ["12h"] = 720 * MINUTE, ["1d"] = DAY_MS, ["3d"] = 3 * DAY_MS, ["1w"] = 7 * DAY_MS,
}

--- Months have no fixed length: the candle of each from day candles.
local function monthly(days)
  local out = {}
  for _, d in ipairs(days) do
    local month = os.date("!%Y-%m", d.open_ms // 1000)
    local last = out[#out]
    if last and last.month == month then
      if d.count > 0 then
        if last.count == 0 then last.first_id = d.first_id end
        last.high = decimal.cmp(d.high, last.high) > 0 and d.high or last.high
        last.low = decimal.cmp(d.low, last.low) < 0 and d.low or last.low
        last.close, last.last_id = d.close, d.last_id
        for _, sum in ipairs { "volume", "quote_volume", "taker_volume", "taker_quote_volume" } do
          last[sum] = decimal.add(last[sum], d[sum])
        end
        last.count = last.count + d.count
      end
    else
      d.month = month
      local y, m = month:match("(%d+)-(%d+)")
      d.open_ms = math.tointeger(M.month_ms(tonumber(y), tonumber(m)))
      d.close_ms = math.tointeger(M.month_ms(tonumber(y), tonumber(m) + 1)) - 1
      out[#out + 1] = d
    end
  end
  return out
end

--- Unix milliseconds at which a month begins, by the civil calendar.
function M.month_ms(year, month)
  if month > 12 then year, month = year + 1, month - 12 end
  local y = month <= 2 and year - 1 or year
  local era = y // 400
  local day_of_year = (153 * ((month + 9) % 12) + 2) // 5
  local day_of_era = (y - era * 400) * 365 + (y - era * 400) // 4 - (y - era * 400) // 100 + day_of_year
  return (era * 146097 + day_of_era - 719468) * DAY_MS
end

--- Engine candles of a symbol.  span: { from_ms, to_ms, limit, zone_ms }, times of the engine.
function M.of(sb, symbol, interval, span)
  local ms = M.intervals[interval]
  local zone = span.zone_ms or 0
  local query = { symbol = symbol, interval_ms = ms or DAY_MS, from_ms = span.from_ms, to_ms = span.to_ms,
    limit = span.limit, offset_ms = -zone - (sb.skew_ms or 0) }
  if interval == "1w" then query.offset_ms = query.offset_ms + WEEK_OFFSET_MS end
  query.offset_ms = query.offset_ms % query.interval_ms
  if ms then return sb.market:candles(query) end
  query.limit = nil
  return monthly(sb.market:candles(query))
end

return M
