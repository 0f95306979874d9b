--- What is asked of a load's result, as "p99 < 0.050".
local M = {}

local OPERATORS = {
  ["<"] = function(a, b) return a < b end, ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end, [">="] = function(a, b) return a >= b end,
  ["=="] = function(a, b) return a == b end,
}

local METRICS = { "min", "mean", "max", "errors", "failed", "count", "rate", "dropped" }
local LATENCY = { min = true, mean = true, max = true }
local UNITS = "latencies are in seconds, errors is a share from 0 to 1, rate is in 1/s"

local known = {}
for _, name in ipairs(METRICS) do known[name] = true end

--- 99.9 of "p99.9".
local function percentile_of(metric)
  local percent = tonumber(metric:match "^p(%d+%.?%d*)$")
  return percent and percent > 0 and percent < 100 and percent or nil
end

--- "p99 < 0.050" -> { text, metric, percentile, operator, value }, or nil and what is wrong with it.
function M.parse(text)
  if type(text) ~= "string" then return nil, ("a text like \"p99 < 0.050\" expected, not a %s"):format(type(text)) end
  local metric, operator, value = text:match "^%s*([%w_.]*)%s*([<>=~!]*)%s*(.-)%s*$"
  local percentile = percentile_of(metric)
  if not known[metric] and not percentile then
    return nil, ("unknown metric '%s' (there are: p50, p90, p95, p99, p99.9 or another percentile, %s)"):format(metric,
      table.concat(METRICS, ", "))
  end
  if not OPERATORS[operator] then
    return nil, ("unknown operator '%s' (there are: <, <=, >, >=, ==)"):format(operator)
  end
  local plain = value:match "^%d+%.?%d*$" or value:match "^%d+%.?%d*[eE]%-?%d+$"
  if not plain then return nil, ("'%s' is no number without a unit: %s"):format(value, UNITS) end
  return { text = ("%s %s %s"):format(metric, operator, plain), metric = metric, percentile = percentile,
    operator = operator, value = tonumber(plain) }
end

-- ---- what can't be broken ------------------------------------------------------------------

--- The least and the most that a metric can be, whatever the venue does.
local function range(result, threshold, grace)
  local metric = threshold.metric
  if threshold.percentile or LATENCY[metric] then return 0, result.duration + grace end
  if metric == "errors" then return 0, 1 end
  if metric == "rate" then return 0, math.huge end
  return 0, result.model == "open" and result.planned or math.huge
end

--- "always" or "never" when the outcome does not depend on the load; nil when it does.
local function foregone(threshold, low, high)
  local operator, value = threshold.operator, threshold.value
  if operator == "==" then return (value < low or value > high) and "never" or nil end
  local holds = OPERATORS[operator]
  local at_low, at_high = holds(low, value), holds(high, value)
  if at_low ~= at_high then return nil end
  return at_low and "always" or "never"
end

local function check_meaning(result, threshold, grace)
  local low, high = range(result, threshold, grace)
  local outcome = foregone(threshold, low, high)
  if not outcome then return nil end
  return ("'%s' %s: it is from %g to %g, whatever happens (%s)"):format(threshold.text,
    outcome == "always" and "can't be broken" or "can't hold", low, high, UNITS)
end

-- ---- the verdict ---------------------------------------------------------------------------

local function value_of(result, threshold)
  if threshold.percentile then return result:percentile(threshold.percentile) end
  return result[threshold.metric]
end

local function by_how_much(threshold, value)
  local off = value - threshold.value
  local share = threshold.value ~= 0 and (" (%.3g %%)"):format(100 * math.abs(off) / threshold.value) or ""
  return ("is %.6g: too %s by %.4g%s"):format(value, off > 0 and "high" or "low", math.abs(off), share)
end

--- What went wrong and no threshold is about: a latency of those that were let in, and did not fail, would be praised.
local function unasked(result, parsed)
  local asked = {}
  for _, threshold in ipairs(parsed) do asked[threshold.metric] = true end
  local out = {}
  if result.dropped > 0 and not asked.dropped then
    out[#out + 1] = ("%d of %d arrivals were dropped, and no threshold is about that: \"dropped <= %d\" allows it")
      :format(result.dropped, result.planned, result.dropped)
  end
  if result.failed > 0 and not asked.errors and not asked.failed then
    local share = math.ceil(result.errors * 1000) / 1000 -- one that is 1 could not be broken
    out[#out + 1] = ("%d of %d runs failed, and no threshold is about that: \"errors %s %.3g\" allows it"):format(
      result.failed, result.count, share < 1 and "<=" or result.errors == 1 and "==" or "<", share)
  end
  return out
end

--- Reads them all.  wrong(text) raises.
function M.read(list, wrong)
  if type(list) == "string" then list = { list } end
  if type(list) ~= "table" or #list == 0 then
    wrong "thresholds expected, as in { \"p99 < 0.050\", \"errors < 0.001\" }"
  end
  local out = {}
  for i, text in ipairs(list) do
    local threshold, why = M.parse(text)
    local named = type(text) == "string" and '"' .. text .. '"' or "threshold " .. i
    if not threshold then wrong(("%s: %s"):format(named, why)) end
    out[i] = threshold
  end
  return out
end

--- Returns the lines of what does not hold, and a list of { text, held, value }.  wrong(text) raises.
function M.judge(result, parsed, grace, wrong)
  if result.count == 0 then
    return { ("nothing has ended: of %d that were meant to begin %d were dropped; there is nothing to judge"):format(
      result.planned, result.dropped) }, {}
  end
  local broken, told = {}, {}
  for i, threshold in ipairs(parsed) do
    local meaningless = check_meaning(result, threshold, grace)
    if meaningless then wrong(meaningless) end
    local value = value_of(result, threshold)
    local held = OPERATORS[threshold.operator](value, threshold.value)
    told[i] = { text = threshold.text, held = held, value = value }
    if not held then broken[#broken + 1] = ("%-16s %s"):format(threshold.text, by_how_much(threshold, value)) end
  end
  return table.move(unasked(result, parsed), 1, 2, #broken + 1, broken), told
end

return M
