--- Load: so many arrivals a second, whatever becomes of them, or so many users that wait for replies; and what is asked
-- of the outcome.
local budget = require "smc.load.budget"
local check = require "smc.check"
local core = require "smc.core.task"
local drive = require "smc.load.drive"
local options_of = require "smc.load.options"
local plan = require "smc.load.plan"
local results = require "smc.load.result"
local rng = require "smc.core.rng"
local tallies = require "smc.load.tally"
local thresholds = require "smc.load.thresholds"
local timeline = require "smc.timeline"
local world = require "smc.world"

local M = {}

local made = setmetatable({}, { __mode = "k" }) -- by world: how many, so that no two draw the same

local function random_of(w)
  made[w] = (made[w] or 0) + 1
  return rng.new(w.seed, "load " .. made[w])
end

--- A load that its spec has no time for is told so before it begins, and not when the time is up.
local function check_time(options, w, level)
  local needs = options.warmup_s + plan.seconds(options.segments)
  local left = w.deadline and w.deadline - core.now() or math.huge
  if needs <= left then return end
  error(("smc.load: it takes %g s, and its spec has %.4g s left: give specs more by smcrun --timeout"):format(needs,
    left), level + 1)
end

--- See bindings/meta/load.lua.
function M.run(given)
  local w = world.current "smc.load"
  local options = options_of.read(given, 2)
  check_time(options, w, 2)
  budget.check(plan, options, w, 2)
  local tally = tallies.new()
  local elapsed = drive.run(options, tally, random_of(w))
  local result = results.new(options, tally, elapsed, plan.seconds(options.segments))
  local inside = results.inside(result)
  inside.mark = timeline.load(result, inside.buckets)
  for _, line in ipairs(results.lines(result)) do core.log("load", line) end
  return result
end

--- assert.load: the thresholds hold.
function M.assert(result, list)
  local function wrong(text) error("assert.load: " .. text, 4) end
  if not results.is(result) then error("assert.load: what smc.load returned expected, got " .. type(result), 2) end
  local parsed = thresholds.read(list, wrong)
  local inside = results.inside(result)
  local broken, told = thresholds.judge(result, parsed, inside.grace, wrong)
  timeline.thresholds(inside.mark, told)
  if #broken == 0 then
    check.count = check.count + 1
    return result
  end
  for _, one in ipairs(told) do broken[#broken + 1] = one.held and ("%-16s holds"):format(one.text) or nil end
  check.raise(("the load is not what was asked for:\n  %s\n\n%s"):format(table.concat(broken, "\n  "),
    tostring(result)), 2)
end

return M
