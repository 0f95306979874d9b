--- The venue's times, in any of its forms, as integers.
local M = {}

--- Days from the Unix epoch to a date.
local function days(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719469
end

local function seconds(year, month, day, hour, min, sec)
  return ((days(year, month, day) * 24 + hour) * 60 + min) * 60 + sec
end

--- Nanoseconds since the epoch of "2025-03-04T14:06:01.301122334Z" or "1741097161.301122334"; nil when it is neither.
function M.ns(text)
  if type(text) ~= "string" then return nil end
  local whole, fraction = text:match "^(%d+)%.?(%d*)$"
  if not whole then
    local fields = { text:match "^(%d+)%-(%d+)%-(%d+)T(%d+):(%d+):(%d+)%.?(%d*)Z$" }
    if #fields == 0 then return nil end
    fraction = table.remove(fields)
    for i, field in ipairs(fields) do fields[i] = math.tointeger(tonumber(field)) end
    whole = seconds(table.unpack(fields))
  end
  return math.tointeger(tonumber(whole)) * 1000000000 + math.tointeger(tonumber((fraction .. "000000000"):sub(1, 9)))
end

--- Milliseconds since the epoch; nil when it is no time.
function M.ms(text)
  local ns = M.ns(text)
  return ns and ns // 1000000
end

--- As parameters want it, whichever form the answers have.
function M.unix(ms) return ("%d.%03d"):format(ms // 1000, ms % 1000) end

local MONTHS = {}
for name in ("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"):gmatch "%a+" do
  MONTHS[#MONTHS + 1], MONTHS[name] = name, #MONTHS + 1
end

--- Milliseconds of an HTTP date, "Mon, 05 Jan 2026 00:00:00 GMT"; nil when it is none.
function M.http_date(text)
  local day, month, year, hour, min, sec = (text or ""):match "^%a+, (%d+) (%a+) (%d+) (%d+):(%d+):(%d+) GMT$"
  if not MONTHS[month] then return nil end
  local function int(s) return math.tointeger(tonumber(s)) end
  return seconds(int(year), MONTHS[month], int(day), int(hour), int(min), int(sec)) * 1000
end

return M
