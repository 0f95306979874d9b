--- How well a venue is doing, for scenarios: durations in seconds.
local colon = require "smc.colon"
local core = require "smc.core.health"
local list = require "smc.list"
local task = require "smc.core.task"

local M = {}
local Health = { __name = "smc.health" }

local within = setmetatable({}, { __mode = "k" }) -- health -> { core, watches }

local OPTIONS = { window = 20, good = 0.25, bad = 2, down_after = 5, stale = 30, limit_max = 5 }

-- Errors that say that the other side is in trouble.
local FAILED = { network = true, timeout = true, server = true, unknown_outcome = true, protocol = true,
  ip_ban = true }
local LIMITED = { rate_limit = true, ip_ban = true }

local function number(options, name, scale, least, most, level)
  local value = options[name]
  if value == nil then value = OPTIONS[name] end
  local whole = scale == 1
  if type(value) ~= "number" or not (value >= least and value <= most) or whole and math.type(value) ~= "integer" then
    error(("smc.health: %s must be a %snumber from %g to %g"):format(name, whole and "whole " or "", least, most),
      level + 1)
  end
  return math.tointeger(math.floor(value * scale + 0.5))
end

local function conf_of(options, level)
  local conf = { window = number(options, "window", 1, 1, 64, level + 1),
    good_ms = number(options, "good", 1000, 0, 1e6, level + 1),
    bad_ms = number(options, "bad", 1000, 0.001, 1e6, level + 1),
    down_after = number(options, "down_after", 1, 1, 1e6, level + 1),
    stale_ms = number(options, "stale", 1000, 0.001, 1e6, level + 1),
    limit_max = number(options, "limit_max", 1, 1, 16, level + 1) }
  if conf.good_ms >= conf.bad_ms then error("smc.health: good must be below bad", level + 1) end
  return conf
end

local USUAL = conf_of({}, 1)

--- Healthy, until it is told otherwise.  See bindings/meta/health.lua for the options.
function M.new(options)
  options = options or {}
  if type(options) ~= "table" then error("smc.health: an options table expected", 2) end
  for name in pairs(options) do
    if OPTIONS[name] == nil then error("smc.health: " .. list.unknown("option", name, OPTIONS), 2) end
  end
  local conf = next(options) == nil and USUAL or conf_of(options, 2)
  local self = setmetatable({}, Health)
  within[self] = { core = core.new(conf), watches = {} }
  return self
end

local WORDS = { ok = true, failed = true, limited = true }

local methods = {}

--- A call has ended: "ok" after so many seconds, "failed", or "limited".
function methods:call(word, seconds)
  if not WORDS[word] then
    error(("health:call: \"ok\", \"failed\" or \"limited\" expected, not '%s'"):format(tostring(word)), 2)
  end
  local timed = type(seconds) == "number" and seconds >= 0 and seconds <= 1e9
  if not timed and (word == "ok" or seconds ~= nil) then
    error("health:call: how many seconds it took, from 0 to 1e9, expected", 2)
  end
  within[self].core:call(word, seconds)
end

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

--- A stream is watched from now on, until unwatch.  silent(): seconds since it said something; without it frame tells.
-- Returns what unwatch wants.
function methods:watch(silent)
  if silent ~= nil and type(silent) ~= "function" then error("health:watch: a function expected", 2) end
  local watch = { silent = silent, heard = task.now() }
  table.insert(within[self].watches, watch)
  return watch
end

--- A frame came over the streams that are watched without a function.
function methods:frame()
  for _, watch in ipairs(within[self].watches) do watch.heard = task.now() end
end

function methods:unwatch(watch)
  local inner = within[self]
  for i, one in ipairs(inner.watches) do
    if one == watch then table.remove(inner.watches, i) end
  end
  if #inner.watches == 0 then inner.core:unwatch() end
end

--- As long as the stream that says least has been silent.
local function look(self)
  local inner, now = within[self], task.now()
  local longest = 0
  for _, watch in ipairs(inner.watches) do
    longest = math.max(longest, watch.silent and watch.silent() or now - watch.heard)
  end
  if #inner.watches > 0 then inner.core:frame(math.max(0, math.floor((now - longest) * 1000))) end
  return inner.core:look()
end

--- The parts that the score is the lowest of, the score and the state.
function methods:parts() return look(self) end

function Health.__index(self, key)
  if key == "state" or key == "score" then return look(self)[key] end
  if key == "latency" then return within[self].core:latency() end
  if key == "failures" then return within[self].core:failures() end
  return methods[key]
end

colon.methods("health", methods, within)

Health.__names = { { state = true, score = true, latency = true, failures = true }, methods }

return M
