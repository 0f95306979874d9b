--- Retry policies for scenarios: durations in seconds, failures as error objects.
local colon = require "smc.colon"
local core = require "smc.core.retry"
local list = require "smc.list"
local rng = require "smc.core.rng"
local task = require "smc.core.task"
local world = require "smc.world"

local M = {}
local Retry = { __name = "smc.retry" }
Retry.__index = Retry
local Run = { __name = "smc.retry_run" }
Run.__index = Run

local within = setmetatable({}, { __mode = "k" }) -- policy -> { conf, random }
local made = setmetatable({}, { __mode = "k" }) -- policies of a world, so that no two draw the same waits

local OPTIONS = { attempts = 4, budget = 60, base = 0.2, max = 10, factor = 2, jitter = 0.5 }

local function number(options, name, scale, least, most, level)
  local value = options[name]
  if value == nil then value = OPTIONS[name] end
  local whole = scale == 1
  if type(value) ~= "number" or not (value >= least and value <= most) or whole and math.type(value) ~= "integer" then
    error(("smc.retry: %s must be a %snumber from %g to %g"):format(name, whole and "whole " or "", least, most),
      level + 1)
  end
  return math.tointeger(math.floor(value * scale + 0.5))
end

--- The first attempt counts: attempts = 1 is no retry.  See bindings/meta/retry.lua for the options.
function M.new(options)
  options = options or {}
  if type(options) ~= "table" then error("smc.retry: an options table expected", 2) end
  for name in pairs(options) do
    if OPTIONS[name] == nil then error("smc.retry: " .. list.unknown("option", name, OPTIONS), 2) end
  end
  local conf = { attempts = number(options, "attempts", 1, 1, 1000, 2),
    budget_ms = number(options, "budget", 1000, 0, 1e6, 2), base_ms = number(options, "base", 1000, 0.001, 1e6, 2),
    max_ms = number(options, "max", 1000, 0.001, 1e6, 2), factor_pct = number(options, "factor", 100, 1, 10, 2),
    jitter_pct = number(options, "jitter", 100, 0, 1, 2) }
  if options.max == nil then conf.max_ms = math.max(conf.max_ms, conf.base_ms) end
  if conf.max_ms < conf.base_ms then error("smc.retry: max must not be below base", 2) end
  local w = world.current "smc.retry"
  made[w] = (made[w] or 0) + 1
  local self = setmetatable({}, Retry)
  within[self] = { conf = conf, random = rng.new(w.seed, "retry " .. made[w]) }
  return self
end

--- One request over all its attempts.
function Retry:begin()
  local inner = within[self]
  return setmetatable({ core = core.new(inner.conf), conf = inner.conf, random = inner.random, began = task.now() },
    Run)
end

--- How an attempt failed, as the policy sees it.  Of an order or a cancel only the class unknown_outcome is in doubt:
-- any other error says that nothing has happened, or that nothing was sent.
local function failure_of(err, mutation)
  return { mutation = mutation, sent = err.sent ~= false, answered = err.class ~= "unknown_outcome",
    temporary = err.retryable == true or err.sent == false and (err.class == "network" or err.class == "timeout"),
    retry_after = err.retry_after }
end

--- To be called once for each failed attempt: "again" or "look_up" after so many seconds, or "stop".
function Run:next(err, mutation)
  if type(err) ~= "table" then error("run:next: the error of the attempt that failed expected", 2) end
  if world.is_sabotaged "retry-never" then return "stop" end
  if world.is_sabotaged "retry-always" then return "again", 0 end
  return self.core:next(failure_of(err, mutation == true), self.random)
end

--- How many attempts failed so far.
function Run:failed() return self.core:failed() end

--- Whether no attempt, or no time, is left.
function Run:spent()
  local budget = self.conf.budget_ms
  return self:failed() >= self.conf.attempts or budget > 0 and (task.now() - self.began) * 1000 > budget
end

--- Calls fn until it succeeds or the policy says stop.  Returns its results, or nil and its last error.
function Retry:call(fn, ...)
  if type(fn) ~= "function" then error("retry:call: a function expected", 2) end
  local run = self:begin()
  while true do
    local results = table.pack(fn(...))
    local err = results[2]
    if results[1] ~= nil or type(err) ~= "table" then return table.unpack(results, 1, results.n) end
    local verdict, wait = run:next(err)
    if verdict ~= "again" then return nil, err end
    task.sleep(wait)
  end
end

colon.methods("retry", Retry, within)
colon.methods("retry_run", Run, colon.marked(Run))

return M
