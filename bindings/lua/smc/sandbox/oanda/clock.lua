--- Times of the venue: how they are written and read, and where a day begins in New York and elsewhere.
local candles = require "smc.sandbox.candles"

local M = {}

local HOUR_MS = 3600 * 1000
local DAY_MS = 24 * HOUR_MS

M.new_york = "America/New_York"
M.close_hour = 17 -- there: end of the trading day, of the week on a Friday, and of GFD orders

--- RFC 3339 with nine digits, as every answer has it.
function M.rfc3339(ms) return os.date("!%Y-%m-%dT%H:%M:%S", ms // 1000) .. (".%03d000000Z"):format(ms % 1000) end

--- As the head of every answer has it: the only thing by which a client can set its clock.
function M.http_date(ms) return os.date("!%a, %d %b %Y %H:%M:%S GMT", ms // 1000) end

local function civil(text)
  local year, month, day, hour, min, sec, fraction, zone = text:match
    "^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt](%d%d):(%d%d):(%d%d)%.?(%d*)(.*)$"
  if not year or #fraction > 9 then return nil end
  local first = candles.month_ms(tonumber(year), tonumber(month))
  if tonumber(month) < 1 or tonumber(month) > 12 or tonumber(day) < 1 or tonumber(hour) > 23 or tonumber(min) > 59
    or tonumber(sec) > 60 or first + tonumber(day) * DAY_MS > candles.month_ms(tonumber(year), tonumber(month) + 1) then
    return nil
  end
  local ms = first + (tonumber(day) - 1) * DAY_MS + tonumber(hour) * HOUR_MS + tonumber(min) * 60000
    + tonumber(sec) * 1000 + tonumber((fraction .. "000"):sub(1, 3))
  if zone == "Z" or zone == "z" then return ms end
  -- A plus that was sent unescaped arrives as a blank.
  local sign, hours, minutes = zone:match "^([-+ ])(%d%d):?(%d%d)$"
  if not sign then return nil end
  local offset = tonumber(hours) * HOUR_MS + tonumber(minutes) * 60000
  return sign == "-" and ms + offset or ms - offset
end

--- Unix milliseconds of a time in either format; nil when it is none.
function M.parse(text)
  local seconds, fraction = text:match "^(%d+)%.?(%d*)$"
  local ms
  if seconds then
    ms = #seconds <= 11 and tonumber(seconds) * 1000 + tonumber((fraction .. "000"):sub(1, 3))
  else
    ms = civil(text)
  end
  return ms and math.tointeger(ms)
end

--- A JSON text with its times as UNIX seconds.  Only whole strings in our own format are times.
function M.as_unix(text)
  return (text:gsub('"(%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d)(%.%d%d%d%d%d%d%d%d%d)Z"', function(whole, fraction)
    return ('"%d%s"'):format(civil(whole .. "Z") // 1000, fraction)
  end))
end

-- ---- places ------------------------------------------------------------------------

--- The n-th Sunday of a month, the last when n is 0: Unix milliseconds of its midnight in UTC.
local function sunday(year, month, n)
  local first = candles.month_ms(year, n == 0 and month + 1 or month)
  local weekday = (first // DAY_MS + 4) % 7
  return first + ((7 - weekday) % 7 + 7 * (n - 1)) * DAY_MS
end

-- standard: hours from UTC; from, to: when summer time begins and ends: month, which Sunday, hour in UTC.
local ZONES = {
  UTC = { standard = 0 }, ["Etc/UTC"] = { standard = 0 }, ["Asia/Tokyo"] = { standard = 9 },
  [M.new_york] = { standard = -5, from = { 3, 2, 7 }, to = { 11, 1, 6 } },
  ["Europe/London"] = { standard = 0, from = { 3, 0, 1 }, to = { 10, 0, 1 } },
}

function M.knows(zone) return ZONES[zone] ~= nil end

local function offset_of(zone, ms)
  local z = ZONES[zone]
  if not z.from then return z.standard * HOUR_MS end
  local year = tonumber(os.date("!%Y", ms // 1000))
  local from = sunday(year, z.from[1], z.from[2]) + z.from[3] * HOUR_MS
  local to = sunday(year, z.to[1], z.to[2]) + z.to[3] * HOUR_MS
  return (z.standard + (ms >= from and ms < to and 1 or 0)) * HOUR_MS
end

--- A time as the clocks on the wall there have it, and back.
local function to_local(ms, zone) return ms + offset_of(zone, ms) end

local function from_local(wall, zone)
  return wall - offset_of(zone, wall - ZONES[zone].standard * HOUR_MS)
end

--- The last time at or before ms when it was `hour` o'clock there.
function M.day_start(ms, zone, hour)
  local wall = to_local(ms, zone) - hour * HOUR_MS
  return from_local(wall // DAY_MS * DAY_MS + hour * HOUR_MS, zone)
end

--- The last weekday (0: Sunday) at or before ms, at that hour.
function M.week_start(ms, zone, hour, weekday)
  local wall = to_local(ms, zone) - hour * HOUR_MS
  local day = wall // DAY_MS
  day = day - (day + 4 - weekday) % 7
  return from_local(day * DAY_MS + hour * HOUR_MS, zone)
end

--- The last first day of a month at or before ms, at that hour.
function M.month_start(ms, zone, hour)
  local wall = to_local(ms, zone) - hour * HOUR_MS
  local year, month = os.date("!%Y-%m", wall // 1000):match "(%d+)-(%d+)"
  return from_local(candles.month_ms(tonumber(year), tonumber(month)) + hour * HOUR_MS, zone)
end

--- The end of the trading day in which ms lies.
function M.day_end(ms)
  return M.day_start(M.day_start(ms, M.new_york, M.close_hour) + 36 * HOUR_MS, M.new_york, M.close_hour)
end

--- The weekday (0: Sunday) on which the trading day that holds ms began.
function M.trading_weekday(ms)
  return ((to_local(ms, M.new_york) - M.close_hour * HOUR_MS) // DAY_MS + 4) % 7
end

--- Whether currencies trade: from Sunday to Friday, 17:00 in New York.
function M.in_week(ms)
  local weekday = M.trading_weekday(ms)
  return weekday ~= 5 and weekday ~= 6
end

return M
