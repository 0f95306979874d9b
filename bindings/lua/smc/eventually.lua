--- Waiting for something to become true, on the scenario's clock.

local core = require "smc.core.task"
local check = require "smc.check"
local errors = require "smc.error"
local list = require "smc.list"
local world = require "smc.world"

local known = { within = true, every = true }
local TICK = 0.001 -- the clock's step: a shorter sleep would not move it, and the trying never end

local function seconds(name, value, least)
  if math.type(value) == nil or not (value >= least and value <= 1e9) then
    error(("eventually: %s must be a number of seconds from %g to 1e9"):format(name, least), 3)
  end
  return value
end

--- For how long to try, and why not longer, if so: behind the end of the spec's time nobody hears what was still so.
local function time_for(within, every)
  local now, deadline = core.now(), world.deadline()
  if not deadline or deadline <= now or now + within < deadline then return within, "" end
  return math.max(0, deadline - every - now), ": its spec has no more time (--timeout)"
end

--- Calls fn until it raises no failed assertion, every `every` seconds (default 0.1), for at most `within` seconds
-- (default 5).  Returns what fn returned.  The last failure is raised when time is up; an error that is neither a
-- failed assertion nor an error object is raised at once, for trying again can't mend it.
return function(fn, options)
  options = options or {}
  if type(options) ~= "table" then error("eventually: options as in { within = 5, every = 0.1 } expected", 2) end
  for key in pairs(options) do
    if not known[key] then error("eventually: " .. list.unknown("option", key, known), 2) end
  end
  if type(fn) ~= "function" then error("eventually: a function expected, got " .. type(fn), 2) end
  local every = seconds("every", options.every or 0.1, TICK)
  local within, why = time_for(seconds("within", options.within or 5, 0), every)
  local give_up = core.now() + within
  while true do
    local result = table.pack(pcall(fn))
    if result[1] then return table.unpack(result, 2, result.n) end
    local err = result[2]
    if not check.is_failure(err) and not errors.is(err) then error(err, 0) end
    if core.now() >= give_up then
      if check.is_failure(err) then
        err.message = ("%s\n(still so after %g s of trying every %g s%s)"):format(err.message, within, every, why)
      end
      error(err, 0)
    end
    core.sleep(math.max(TICK, math.min(every, give_up - core.now())))
  end
end
