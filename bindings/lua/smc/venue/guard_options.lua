--- What a venue may be told of its guard: breaker, limiter, health, retry, priority, wait, obey_limits.
local Guard = require "smc.venue.guard"
local breakers = require "smc.breaker"
local healths = require "smc.health"
local limiters = require "smc.limiter"
local retries = require "smc.retry"
local task = require "smc.core.task"
local timeline = require "smc.timeline"

local M = {}

M.NAMES = { "breaker", "limiter", "health", "retry", "priority", "wait", "obey_limits" }

local PRIORITIES = { critical = true, high = true, normal = true, low = true }

-- A venue that has shut us out is in no better state than one that is down.
local COUNTS = { "network", "timeout", "server", "unknown_outcome", "protocol", "ip_ban" }

local published = setmetatable({}, { __mode = "k" }) -- by world, by origin: limits are of an address, not of an object
local usual = setmetatable({}, { __mode = "k" }) -- limits -> spending(..) of a limiter that has just their budgets

local function is_a(value, class)
  local meta = type(value) == "table" and getmetatable(value)
  return meta and meta.__name == class
end

--- What new(options) makes; what it finds wrong is blamed on the caller of smc.venue.
local function made(new, options, level)
  local ok, made_or_wrong = pcall(new, options)
  if not ok then
    local why = tostring(made_or_wrong):gsub("^%S-:%d+: ", ""):gsub("^smc%.", "")
    error("smc.venue: " .. why, level + 1)
  end
  return made_or_wrong
end

local function wrong(name, expected, level) error(("smc.venue: %s is %s"):format(name, expected), level + 1) end

local function breaker_of(given, level)
  if given == false then return nil end
  if given == nil or given == true then given = {} end
  if is_a(given, "smc.breaker") then return given end
  if type(given) ~= "table" then wrong("breaker", "true, false, options of smc.breaker or a breaker", level + 1) end
  local options = { counts = COUNTS }
  for name, value in pairs(given) do options[name] = value end
  return (made(breakers.new, options, level + 1)) -- not a tail call: levels count its frame
end

local function retry_of(given, level)
  if not given then return nil end
  if given == true then given = {} end
  if is_a(given, "smc.retry") then return given end
  if type(given) ~= "table" then wrong("retry", "false, true, options of smc.retry or a policy", level + 1) end
  return (made(retries.new, given, level + 1)) -- not a tail call: levels count its frame
end

local function health_of(given, level)
  if given == nil then given = {} end
  if is_a(given, "smc.health") then return given end
  if type(given) ~= "table" then wrong("health", "options of smc.health or a health", level + 1) end
  return (made(healths.new, given, level + 1)) -- not a tail call: levels count its frame
end

-- ---- the limiter ---------------------------------------------------------------------------

--- The published budgets, some of them as given.
local function changed(name, limits, given, level)
  local budgets, known = {}, {}
  for budget, conf in pairs(limits.budgets) do budgets[budget], known[#known + 1] = conf, budget end
  table.sort(known)
  for budget, conf in pairs(given) do
    if not budgets[budget] then
      error(("smc.venue: limiter: %s has no budget '%s' (there are: %s)"):format(name, tostring(budget),
        table.concat(known, ", ")), level + 1)
    end
    budgets[budget] = conf
  end
  return budgets
end

--- One for all that talk to the same place in this world.
local function published_of(w, venue, limits, level)
  local url = venue.url
  published[w] = published[w] or {}
  published[w][url] = published[w][url] or made(function(its)
    return limiters.of(its, not rawget(venue, "sandbox") and url or nil)
  end, limits, level + 1)
  return published[w][url]
end

--- Returns a limiter or nil, and whether it has just the published budgets.
local function limiter_of(venue, given, limits, w, obeys, level)
  if given == false then return nil end
  if given == nil or given == true then
    if not limits.budgets then return nil end
    -- Who does not obey is not held by what others were told, either.
    if obeys == false then return made(limiters.of, limits, level + 1), true end
    return published_of(w, venue, limits, level + 1), true
  end
  if is_a(given, "smc.limiter") then return given end
  if type(given) ~= "table" then
    wrong("limiter", "true, false, budgets as in { requests = { limit = 10, per = 1 } }, or a limiter", level + 1)
  end
  local budgets = limits.budgets and changed(venue.name, limits, given, level + 1) or given
  return (made(limiters.new, budgets, level + 1)) -- not a tail call: levels count its frame
end

--- What a request costs in the budgets that the limiter has: cost(asked, limiter).  Prices are few, and made once.
local function cost_in(knows, limits)
  if not limits.cost then -- each request is one, everywhere
    local one = {}
    for name in pairs(knows) do one[name] = 1 end
    return function() return one end
  end
  local priced = setmetatable({}, { __mode = "k" })
  local function of_ours(weights, limiter)
    local out = {}
    for name, weight in next, weights do out[name] = knows[name] and weight or nil end
    if next(out) ~= nil then limiters.fixed(limiter, out) end
    priced[weights] = out
    return out
  end
  return function(asked, limiter)
    local weights, free = asked.weights, nil
    if not weights then weights, free = limits.cost(asked) end
    return priced[weights] or of_ours(weights, limiter), free and (priced[free] or of_ours(free, limiter))
  end
end

local function check_known(venue, limiter, limits, level)
  local knows, shared = {}, not limits.budgets
  for _, name in ipairs(limiter:budgets()) do
    knows[name] = true
    shared = shared or limits.budgets[name] ~= nil
  end
  if shared then return knows end
  local known = {}
  for name in pairs(limits.budgets) do known[#known + 1] = name end
  table.sort(known)
  error(("smc.venue: limiter: %s spends of none of its budgets (it spends of: %s)"):format(venue.name,
    table.concat(known, ", ")), level + 1)
end

--- What a guard knows of its limiter: knows, the set of its budgets; cost, see cost_in; windows, the limits of those of
-- its budgets that are windows; turning, their names in order.
local function spending(venue, limiter, limits, level)
  local knows, windows, turning = check_known(venue, limiter, limits, level + 1), {}, {}
  for name in pairs(knows) do
    local usage = limiter:usage(name)
    if usage.kind == "window" then windows[name], turning[#turning + 1] = usage.limit, name end
  end
  return { knows = knows, cost = cost_in(knows, limits), windows = windows, turning = turning }
end

local NO_SPENDING = { knows = {}, windows = {}, turning = {} }

--- The same of what limiter_of returned.
local function spending_of(venue, limiter, is_usual, limits, level)
  if not limiter then return NO_SPENDING end
  if not is_usual then return (spending(venue, limiter, limits, level + 1)) end
  usual[limits] = usual[limits] or spending(venue, limiter, limits, level + 1)
  return usual[limits]
end

--- Gives a venue its guard, and the fields breaker, limiter and health.  limits: of the dialect, see
-- venue/binance/limits.lua; {} when none are published.  Wrong options are blamed on `level`.
function M.guard(venue, options, limits, w, level)
  if options.priority ~= nil and not PRIORITIES[options.priority] then
    wrong("priority", "critical, high, normal or low", level)
  end
  local wait, obeys = options.wait, options.obey_limits
  if wait ~= nil and (type(wait) ~= "number" or not (wait >= 0 and wait <= 1e9)) then
    wrong("wait", "a number of seconds >= 0", level)
  end
  if obeys ~= nil and type(obeys) ~= "boolean" then wrong("obey_limits", "true or false", level) end
  local limiter, is_usual = limiter_of(venue, options.limiter, limits, w, obeys, level)
  local spends = spending_of(venue, limiter, is_usual, limits, level)
  venue.breaker, venue.limiter = breaker_of(options.breaker, level), limiter
  venue.health = health_of(options.health, level)
  local self = setmetatable({ name = venue.name, breaker = venue.breaker, limiter = limiter, health = venue.health,
    retry = retry_of(options.retry, level), priority = options.priority or "normal", wait = wait,
    obeys = obeys ~= false, limits = limits, knows = spends.knows, cost = spends.cost, windows = spends.windows,
    turning = spends.turning, holds = {}, told = {}, changes = 0, under_way = 0 }, Guard)
  self.changes = self.breaker and self.breaker.changes or 0
  timeline.name(self.breaker, venue.name)
  timeline.name(limiter, venue.name)
  M.follow(self, 0)
  return self
end

--- Windows begin when the venue's clock says so.  offset_ms: how far it is ahead of ours.
function M.follow(guard, offset_ms)
  if not guard.limiter then return end
  local ahead = (task.wall_ms() + offset_ms) / 1000 - task.now()
  for _, name in ipairs(guard.turning) do guard.limiter:follow(name, math.max(0, ahead)) end
end

return M
