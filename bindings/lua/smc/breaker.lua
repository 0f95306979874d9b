--- Circuit breakers for scenarios: durations in seconds, rates from 0 to 1, errors by class.
local colon = require "smc.colon"
local core = require "smc.core.breaker"
local errors = require "smc.error"
local lists = require "smc.list"
local timeline = require "smc.timeline"
local world = require "smc.world"

local M = {}
local Breaker = { __name = "smc.breaker" }

local within = setmetatable({}, { __mode = "k" }) -- breaker -> { core, counts, history }

local OPTIONS = { window = "calls", size = 20, min_calls = 10, failure_rate = 0.5, slow_rate = 0, slow = 1, open = 30,
  open_max = false, growth = 1, probes = 1, counts = false }

-- Errors that say that the other side is in trouble.  Any other answer shows that it is there.
local COUNTS = { "network", "timeout", "server", "unknown_outcome", "protocol" }

local function number(options, name, least, most, level)
  local value = options[name]
  if value == nil then value = OPTIONS[name] end
  if type(value) ~= "number" or not (value >= least and value <= most) then
    error(("smc.breaker: %s must be a number from %g to %g"):format(name, least, most), level + 1)
  end
  return value
end

local function whole(options, name, scale, least, most, level)
  if scale == 1 and options[name] ~= nil and math.type(options[name]) ~= "integer" then
    error(("smc.breaker: %s must be a whole number from %g to %g"):format(name, least, most), level + 1)
  end
  return math.tointeger(math.floor(number(options, name, least, most, level + 1) * scale + 0.5))
end

local function conf_of(options, level)
  local time = (options.window or OPTIONS.window) == "time"
  local conf = { time = time, failure_pct = whole(options, "failure_rate", 100, 0, 1, level + 1),
    slow_pct = whole(options, "slow_rate", 100, 0, 1, level + 1),
    slow_ms = whole(options, "slow", 1000, 0, 1e6, level + 1),
    open_ms = whole(options, "open", 1000, 0.001, 1e6, level + 1),
    growth_pct = whole(options, "growth", 100, 1, 10, level + 1),
    probes = whole(options, "probes", 1, 1, 1e6, level + 1),
    min_calls = whole(options, "min_calls", 1, 1, 1e6, level + 1),
    size = whole(options, "size", time and 1000 or 1, time and 0.016 or 1, time and 1e6 or 1024, level + 1) }
  conf.open_max_ms = options.open_max and whole(options, "open_max", 1000, 0.001, 1e6, level + 1)
    or conf.growth_pct > 100 and conf.open_ms * 10 or conf.open_ms
  if not time then conf.min_calls = math.min(conf.min_calls, conf.size) end
  return conf
end

local USUAL = conf_of({}, 1)

local function set_of(list, level)
  local out = {}
  if type(list) ~= "table" or #list == 0 then
    error("smc.breaker: counts is a list of error classes, as in { \"network\", \"server\" }", level + 1)
  end
  for _, class in ipairs(list) do
    if not errors.CLASSES[class] then
      error(("smc.breaker: counts is a list of error classes; '%s' is none"):format(tostring(class)), level + 1)
    end
    out[class] = true
  end
  return out
end

--- A closed breaker.  See bindings/meta/breaker.lua for the options.
function M.new(options)
  options = options or {}
  if type(options) ~= "table" then error("smc.breaker: an options table expected", 2) end
  local conf = USUAL
  for name in pairs(options) do
    if OPTIONS[name] == nil then error("smc.breaker: " .. lists.unknown("option", name, OPTIONS), 2) end
    if name ~= "counts" then conf = nil end
  end
  if options.window and options.window ~= "calls" and options.window ~= "time" then
    error("smc.breaker: window is \"calls\" or \"time\"", 2)
  end
  local ok, breaker = pcall(core.new, conf or conf_of(options, 2))
  if not ok then error("smc.breaker: " .. breaker:gsub("^.-:%d+: ", ""), 2) end
  local self = setmetatable({}, Breaker)
  within[self] = { core = breaker, counts = set_of(options.counts or COUNTS, 2), history = {} }
  timeline.breaker(self)
  return self
end

--- Takes down a transition as soon as somebody could notice it.
local function observe(self)
  local inner = within[self]
  local changes, last = inner.core:last()
  if changes <= #inner.history then return end
  inner.history[changes] = last
  timeline.state(self, last.to, last.at)
end

local methods = {}

local function ask(self, urgent)
  local stuck = world.is_sabotaged "breaker-never-closes" and #within[self].history > 0
  local permit, wait
  if not stuck then permit, wait = within[self].core:ask(urgent) end
  observe(self)
  if permit then return permit end
  return nil, errors.new { class = "circuit_open", message = "the circuit breaker is open", retryable = wait ~= nil,
    retry_after = wait, op = "breaker.ask" }
end

--- One call: its permit, or nil and an error of class circuit_open.
function methods:ask() return ask(self, false) end

--- The same for a call that must not wait for failures of before: only a breaker that is forced open refuses it.
function methods:ask_urgently() return ask(self, true) end

--- What a call gave, as the breaker sees it.
function methods:judge(result, err)
  if world.is_sabotaged "breaker-never-opens" then return "ok" end
  if result ~= nil or type(err) ~= "table" then return "ok" end
  if err.class == "cancelled" then return "ignored" end
  return within[self].counts[err.class] and "failed" or "ok"
end

local WORDS = { ok = true, failed = true, ignored = true }

function methods:report(permit, word)
  if type(permit) ~= "userdata" then error("breaker:report: the permit expected, as breaker:ask gave it", 2) end
  if not WORDS[word] then
    error(("breaker:report: \"ok\", \"failed\" or \"ignored\" expected, not '%s'"):format(tostring(word)), 2)
  end
  local first = permit:report(word)
  observe(self)
  return first
end

--- Calls fn if the breaker lets it, and reports what came of it; an interrupted or raising call counts as none.
function methods:call(fn, ...)
  if type(fn) ~= "function" then error("breaker:call: a function expected", 2) end
  local permit <close>, no = self:ask()
  if not permit then return nil, no end
  local results = table.pack(fn(...))
  self:report(permit, self:judge(results[1], results[2]))
  return table.unpack(results, 1, results.n)
end

function methods:force(word)
  if word ~= nil and word ~= "open" and word ~= "closed" then
    error("breaker:force: \"open\", \"closed\" or nil expected", 2)
  end
  within[self].core:force(word)
  observe(self)
end

--- All transitions so far, oldest first.
function methods:history()
  return { table.unpack(within[self].history) }
end

function Breaker.__index(self, key)
  if key == "state" then return within[self].core:state() end
  if key == "changes" then return (within[self].core:last()) end
  if key == "permits" then return within[self].core:out() end
  return methods[key]
end

colon.methods("breaker", methods, within)

Breaker.__names = { { state = true, changes = true }, methods }

return M
