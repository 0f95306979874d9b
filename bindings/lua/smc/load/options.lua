--- What smc.load is told, checked.
local list = require "smc.list"
local plan = require "smc.load.plan"

local M = {}

local KNOWN = { run = true, rate = true, users = true, duration = true, stages = true, warmup = true, arrivals = true,
  think = true, in_flight = true, grace = true, name = true, costs = true }

local ONLY_OPEN = { "arrivals", "in_flight" }

-- By name: the least and the most, and what it is.
local NUMBERS = {
  rate = { 1e-6, 1e5, "arrivals a second" }, duration = { 0.001, 1e6, "seconds" }, warmup = { 0, 1e6, "seconds" },
  grace = { 0, 1e6, "seconds" }, think = { 0, 1e6, "seconds" },
}
local COUNTS = { users = { 1, 10000 }, in_flight = { 1, 100000 } }

local function wrong(level, text, ...) error("smc.load: " .. text:format(...), level + 1) end

local function number(name, value, level, least)
  local low, high, unit = table.unpack(NUMBERS[name])
  low = least or low
  if math.type(value) == nil or not (value >= low and value <= high) then
    wrong(level + 1, "%s is a number of %s from %g to %g, not %s", name, unit, low, high, tostring(value))
  end
  return value
end

local function whole(name, value, level, least)
  local low, high = table.unpack(COUNTS[name])
  low = least or low
  if math.type(value) ~= "integer" or value < low or value > high then
    wrong(level + 1, "%s is a whole number from %d to %d, not %s", name, low, high, tostring(value))
  end
  return value
end

--- Stages may go down to nothing.
local function stages_of(given, key, level)
  if type(given) ~= "table" or #given == 0 then
    wrong(level + 1, "stages is a list like { { %s = 100, duration = 10 }, { %s = 100, duration = 60 } }", key, key)
  end
  for i, stage in ipairs(given) do
    if type(stage) ~= "table" then
      wrong(level + 1, "stages[%d] is a table like { %s = 100, duration = 10 }", i, key)
    end
    for name in pairs(stage) do
      if name ~= key and name ~= "duration" then
        wrong(level + 1, "stages[%d]: unknown key '%s' (known: %s, duration)", i, tostring(name), key)
      end
    end
    local check = key == "rate" and number or whole
    check(key, stage[key], level + 1, 0)
    number("duration", stage.duration, level + 1, 0)
  end
  return given
end

--- The segments of the time that is measured.
local function segments_of(given, key, level)
  if given.stages == nil then
    if given.duration == nil then wrong(level + 1, "duration is missing: for how many seconds?") end
    number("duration", given.duration, level + 1)
    return { { from = given[key], to = given[key], seconds = given.duration } }
  end
  if given.duration ~= nil then wrong(level + 1, "duration or stages, not both: each stage has its own duration") end
  local out = plan.segments(stages_of(given.stages, key, level + 1), key, given[key] or 0)
  if plan.seconds(out) <= 0 then wrong(level + 1, "stages take no time: one of them needs a duration above 0") end
  if plan.most(out) <= 0 then wrong(level + 1, "stages bring nothing: one of them needs a %s above 0", key) end
  return out
end

--- nil, a number of seconds, or { least, most }: -> least, most.
local function think_of(think, level)
  if type(think) ~= "table" then
    local seconds = number("think", think or 0, level + 1)
    return seconds, seconds
  end
  if #think ~= 2 then wrong(level + 1, "think is seconds, or a list { least, most }") end
  local least, most = number("think", think[1], level + 1), number("think", think[2], level + 1)
  if least > most then wrong(level + 1, "think: the least, %g, is above the most, %g", least, most) end
  return least, most
end

local function check_keys(given, level)
  if type(given) ~= "table" then wrong(level + 1, "options expected, as in { rate = 100, duration = 10, run = f }") end
  for name in pairs(given) do
    if not KNOWN[name] then wrong(level + 1, "%s", list.unknown("option", name, KNOWN)) end
  end
end

--- "rate" or "users": of an open or a closed model.
local function key_of(given, level)
  if given.rate ~= nil and given.users ~= nil then
    wrong(level + 1, "rate or users, not both: arrivals that wait for nobody, or users that wait for replies")
  end
  if given.rate ~= nil or given.users ~= nil then return given.rate ~= nil and "rate" or "users" end
  local first = type(given.stages) == "table" and given.stages[1]
  if type(first) ~= "table" or first.rate == nil and first.users == nil then
    wrong(level + 1, "rate or users is missing: so many arrivals a second, or so many users that wait for replies")
  end
  return first.rate ~= nil and "rate" or "users"
end

local function check_model(given, key, level)
  if key == "rate" then
    if given.think ~= nil then wrong(level + 1, "think goes with users: arrivals wait for nobody") end
    return
  end
  for _, name in ipairs(ONLY_OPEN) do
    if given[name] ~= nil then wrong(level + 1, "%s goes with rate: users wait for their replies", name) end
  end
end

--- Everything, checked: { run, key, segments, warmup (segments), warmup_s, poisson, think = { least, most }, in_flight,
-- grace, name, costs }.  Wrong options are blamed on `level`.
function M.read(given, level)
  check_keys(given, level + 1)
  if type(given.run) ~= "function" then wrong(level + 1, "run is the function that is called for each arrival") end
  local key = key_of(given, level + 1)
  check_model(given, key, level + 1)
  local check = key == "rate" and number or whole
  if given[key] ~= nil then check(key, given[key], level + 1, given.stages and 0) end
  local warmup_s = number("warmup", given.warmup or 0, level + 1)
  if warmup_s > 0 and (given[key] or 0) == 0 then
    wrong(level + 1, "warmup runs at %s, which is missing: it is where the first stage begins, too", key)
  end
  local arrivals = given.arrivals == nil and "even" or given.arrivals
  if arrivals ~= "even" and arrivals ~= "poisson" then wrong(level + 1, "arrivals is \"even\" or \"poisson\"") end
  if given.name ~= nil and (type(given.name) ~= "string" or given.name == "") then
    wrong(level + 1, "name is what the load is called in reports")
  end
  return { run = given.run, key = key, segments = segments_of(given, key, level + 1), warmup_s = warmup_s,
    warmup = warmup_s > 0 and { { from = given[key], to = given[key], seconds = warmup_s } } or {},
    poisson = arrivals == "poisson", think = { think_of(given.think, level + 1) },
    in_flight = whole("in_flight", given.in_flight or 1000, level + 1),
    grace = number("grace", given.grace or 30, level + 1), name = given.name or "load", costs = given.costs }
end

return M
