--- How well a venue is doing, for scenarios: durations in seconds.
local core = require "smc.core.health"

local M = {}
local Health = { __name = "smc.health" }

local within = setmetatable({}, { __mode = "k" }) -- health -> { core, watchers }

local OPTIONS = { window = 20, good = 0.25, bad = 2, down_after = 5, stale = 30, limit_max = 5 }

-- Errors that say that the other side is in trouble.
local FAILED = { network = true, timeout = true, server = true, unknown_outcome = true, protocol = true,
  ip_ban = true }
local LIMITED = { rate_limit = true, ip_ban = true }

local function number(options, name, scale, least, most, level)
  local value = options[name]
  if value == nil then value = OPTIONS[name] end
  if type(value) ~= "number" or not (value >= least and value <= most) then
    error(("smc.health: %s must be a number from %g to %g"):format(name, least, most), level + 1)
  end
  return math.tointeger(math.floor(value * scale + 0.5))
end

--- Healthy, until it is told otherwise.  See bindings/meta/health.lua for the options.
function M.new(options)
  options = options or {}
  if type(options) ~= "table" then error("smc.health: an options table expected", 2) end
  for name in pairs(options) do
    if OPTIONS[name] == nil then error(("smc.health: unknown option '%s'"):format(tostring(name)), 2) end
  end
  local conf = { window = number(options, "window", 1, 1, 64, 2), good_ms = number(options, "good", 1000, 0, 1e6, 2),
    bad_ms = number(options, "bad", 1000, 0.001, 1e6, 2), down_after = number(options, "down_after", 1, 1, 1e6, 2),
    stale_ms = number(options, "stale", 1000, 0.001, 1e6, 2), limit_max = number(options, "limit_max", 1, 1, 16, 2) }
  if conf.good_ms >= conf.bad_ms then error("smc.health: good must be below bad", 2) end
  local self = setmetatable({}, Health)
  within[self] = { core = core.new(conf), watchers = 0 }
  return self
end

local methods = {}

--- A call has ended: "ok" after so many seconds, "failed", or "limited".
function methods:call(word, seconds) within[self].core:call(word, seconds) end

--- Takes in what a call gave: its result, or nil and an error.  One that was never sent says nothing.
function methods:note(result, err, seconds)
  local inner = within[self].core
  if result ~= nil or type(err) ~= "table" then return inner:call("ok", seconds) end
  if err.class == "cancelled" or err.class == "circuit_open" then return end
  if LIMITED[err.class] then inner:call "limited" end
  if FAILED[err.class] then
    inner:call "failed"
  elseif not LIMITED[err.class] then
    inner:call("ok", seconds) -- it said no, but it is there
  end
end

--- A stream is watched from now on; whoever watches stops with unwatch.
function methods:watch()
  within[self].watchers = within[self].watchers + 1
  within[self].core:frame()
end

--- A frame came over a stream that is watched.
function methods:frame()
  if within[self].watchers > 0 then within[self].core:frame() end
end

function methods:unwatch()
  local inner = within[self]
  if inner.watchers == 0 then return end
  inner.watchers = inner.watchers - 1
  if inner.watchers == 0 then inner.core:unwatch() end
end

--- The parts that the score is the lowest of, the score and the state.
function methods:parts() return within[self].core:look() end

function Health.__index(self, key)
  if key == "state" or key == "score" then return within[self].core:look()[key] end
  if key == "latency" then return within[self].core:latency() end
  if key == "failures" then return within[self].core:failures() end
  return methods[key]
end

return M
