--- What a load came to: numbers, percentiles, and a table for people.
local colon = require "smc.colon"

local M = {}

local Result = { __name = "smc.load" }
local methods = {}
Result.__index = methods

local within = setmetatable({}, { __mode = "k" }) -- result -> { histogram, buckets, first, mark }

M.PERCENTILES = { 50, 90, 95, 99, 99.9 }

local function name_of(percentile) return ("p%g"):format(percentile) end

function M.is(value) return within[value] ~= nil end
function M.inside(result) return within[result] end

--- elapsed: seconds from the beginning of what is measured to the later of its planned and its real end.
function M.new(options, tally, elapsed, planned_s)
  local self = { name = options.name, model = options.key == "rate" and "open" or "closed", planned = tally.planned,
    count = tally.count, failed = tally.failed, dropped = tally.dropped, classes = tally.classes,
    errors = tally.count > 0 and tally.failed / tally.count or nil, elapsed = elapsed, duration = planned_s,
    rate = (tally.count - tally.failed) / elapsed, behind = tally.behind, in_flight = tally.in_flight,
    min = tally.histogram:min(), mean = tally.histogram:mean(), max = tally.histogram:max() }
  for _, percentile in ipairs(M.PERCENTILES) do
    self[name_of(percentile)] = tally.histogram:percentile(percentile)
  end
  within[self] = { histogram = tally.histogram, buckets = tally.buckets, first = tally.first, grace = options.grace }
  return setmetatable(self, Result)
end

--- The latency in seconds that so many percent do not exceed; nil: nothing has ended.
function methods:percentile(percent)
  if type(percent) ~= "number" or not (percent >= 0 and percent <= 100) then
    error("result:percentile: a number from 0 to 100 expected", 2)
  end
  return within[self].histogram:percentile(percent)
end

-- ---- the table -----------------------------------------------------------------------------

--- 0.0123 -> "12.3 ms"
local function duration(seconds)
  if seconds == nil then return "-" end
  if seconds >= 1 then return ("%.4g s"):format(seconds) end
  if seconds >= 0.001 or seconds == 0 then return ("%.3g ms"):format(seconds * 1000) end
  return ("%.3g us"):format(seconds * 1e6)
end

M.duration = duration

--- "timeout 3, server 1", the most frequent first; "" of none.
function M.classes_in_words(classes)
  local names = {}
  for class in pairs(classes) do names[#names + 1] = class end
  table.sort(names, function(a, b)
    if classes[a] ~= classes[b] then return classes[a] > classes[b] end
    return a < b
  end)
  for i, class in ipairs(names) do names[i] = ("%s %d"):format(class, classes[class]) end
  return table.concat(names, ", "), names
end

local function row(cells, width)
  for i, cell in ipairs(cells) do cells[i] = (" "):rep(math.max(0, width - #cell)) .. cell end
  return table.concat(cells)
end

local function latency_rows(self)
  local names, values = { "min", "mean" }, { duration(self.min), duration(self.mean) }
  for _, percentile in ipairs(M.PERCENTILES) do
    names[#names + 1] = name_of(percentile)
    values[#values + 1] = duration(self[name_of(percentile)])
  end
  names[#names + 1], values[#values + 1] = "max", duration(self.max)
  return "           " .. row(names, 10), "  latency  " .. row(values, 10)
end

local MOST_BYTES = 160

--- The first error of each class: what it said.
local function examples(self, out)
  for class in (M.classes_in_words(self.classes)):gmatch "([%w_]+) %d+" do
    local text = within[self].first[class]:gsub("%c", " ")
    out[#out + 1] = ("           %s: %s"):format(class, #text > MOST_BYTES and text:sub(1, MOST_BYTES) .. ".." or text)
  end
end

--- Its lines.
function M.lines(self)
  local open = self.model == "open"
  local out = { ("%s: %s model, %d %s in %s"):format(self.name, self.model, self.planned,
    open and "arrivals" or "runs", duration(self.duration)) }
  out[2] = ("  ended    %d, %.5g a second without an error; at most %d at once"):format(self.count, self.rate,
    self.in_flight)
  if open then
    out[#out + 1] = ("  dropped  %d%s"):format(self.dropped,
      self.behind >= 0.001 and ("; the latest began %s late"):format(duration(self.behind)) or "")
  end
  local words = M.classes_in_words(self.classes)
  out[#out + 1] = ("  errors   %d%s"):format(self.failed,
    self.failed > 0 and (", %.3g %%: %s"):format(100 * self.errors, words) or "")
  examples(self, out)
  out[#out + 1], out[#out + 2] = latency_rows(self)
  return out
end

function Result:__tostring() return table.concat(M.lines(self), "\n") end

colon.methods("result", methods, within)

return M
