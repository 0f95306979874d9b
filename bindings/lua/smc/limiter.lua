--- Rate limiters for scenarios: budgets by name, durations in seconds.
local colon = require "smc.colon"
local core = require "smc.core.limiter"
local errors = require "smc.error"
local lists = require "smc.list"
local task = require "smc.core.task"
local timeline = require "smc.timeline"
local world = require "smc.world"

local M = {}
local Limiter = { __name = "smc.limiter" }
Limiter.__index = Limiter

local within = setmetatable({}, { __mode = "k" }) -- limiter -> { core, names, index, list, fixed, track }
local read_already = setmetatable({}, { __mode = "k" }) -- what a venue allows -> what was read of its budgets
local shares = setmetatable({}, { __mode = "k" }) -- by world, by name: what is mapped, and for which budgets

local BUDGET = { limit = true, per = true, burst = true, kind = true }
local PRIORITY = { critical = 0, high = 1, normal = 2, low = 3 }
local MOST = 1000000000

local function is_count(value) return math.type(value) == "integer" and value >= 1 and value <= MOST end

local function budget_of(name, given, level)
  local function wrong(what) error(("smc.limiter: %s: %s"):format(name, what), level + 2) end
  if type(given) ~= "table" then wrong "a table like { limit = 6000, per = 60 } expected" end
  for key in pairs(given) do
    if not BUDGET[key] then wrong(lists.unknown("key", key, BUDGET)) end
  end
  if not is_count(given.limit) then wrong "limit is a whole number from 1 to 10^9" end
  if type(given.per) ~= "number" or not (given.per >= 0.001 and given.per <= 1e6) then
    wrong "per is a number of seconds from 0.001 to 10^6"
  end
  local kind = given.kind or given.burst and "bucket" or "window"
  if kind ~= "bucket" and kind ~= "window" then wrong "kind is \"window\" or \"bucket\"" end
  if given.burst and (kind == "window" or not is_count(given.burst)) then
    wrong "burst, of a bucket, is a whole number from 1 to 10^9"
  end
  return { window = kind == "window", limit = kind == "bucket" and given.burst or given.limit, refill = given.limit,
    period_ms = math.floor(given.per * 1000 + 0.5) }
end

--- Budgets as a limiter wants them: { names, sorted; list, in their order; index, by name; fixed, see M.fixed }.
local function read(budgets, level)
  if type(budgets) ~= "table" or next(budgets) == nil then
    error("smc.limiter: budgets by name expected, as in { weight = { limit = 6000, per = 60 } }, or a venue's name",
      level + 1)
  end
  local names, list, index = {}, {}, {}
  for name in pairs(budgets) do names[#names + 1] = tostring(name) end
  table.sort(names)
  if #names > 40 then error("smc.limiter: at most 40 budgets", level + 1) end
  for i, name in ipairs(names) do list[i], index[name] = budget_of(name, budgets[name], level + 1), i end
  return { names = names, list = list, index = index, fixed = setmetatable({}, { __mode = "k" }) }
end

--- The budgets of a venue, which nobody changes: read once.  limits: as in venue/binance/limits.lua.
local function read_once(limits, level)
  read_already[limits] = read_already[limits] or read(limits.budgets, level + 1)
  return read_already[limits]
end

--- Those of a venue as it publishes them.
local function published(name, level)
  local ok, limits = pcall(require, "smc.venue." .. name .. ".limits")
  if ok then return read_once(limits, level + 1) end
  error(("smc.limiter: no limits of a venue '%s' are known"):format(name), level + 1)
end

-- ---- shared on this machine ------------------------------------------------------------------

local function check_name(name, level)
  if type(name) ~= "string" or #name > 64 or not name:find "^[%w_-][%w._-]*$" then
    error("smc.limiter: share is a name of up to 64 letters, digits, '-', '_' and '.'", level + 1)
  end
end

--- What the name stands for: memory of this machine on the real clock.  On the virtual clock every spec has a time of
-- its own, which no other process shares: there the name means something within the spec.
local function share_of(name, names, list)
  local w = world.current "smc.limiter"
  shares[w] = shares[w] or {}
  local known = shares[w][name]
  local label = table.concat(names, " ") -- the numbers are compared below
  if known and known.label == label then return known.share end
  if known then
    return nil, errors.new { class = "invalid_request", code = "invalid_argument", op = "limiter", retryable = false,
      message = ("share '%s' has other budgets in this spec: %s"):format(name, known.label) }
  end
  local share, err = core.share(list, label, w.clock == "real" and name or nil)
  if not share then return nil, err end
  shares[w][name] = { share = share, label = label }
  return share
end

local counted_at = {} -- by origin: what this process shares with others of what is asked there; false: nothing

--- What all processes of this user on this machine ask of one venue, which counts it together; nil where there is no
-- such memory, and on the virtual clock, whose times mean nothing to another process.
local function share_at(origin, names, list)
  if world.current "smc.limiter".clock ~= "real" then return nil end
  if counted_at[origin] == nil then
    local name = ("at-" .. origin:gsub("^%a+://", ""):gsub("[^%w.]+", "-")):sub(1, 64)
    local share, err = core.share(list, table.concat(names, " "), name)
    if not share then task.log("limiter", ("%s: not shared with other processes: %s"):format(origin, err.message)) end
    counted_at[origin] = share or false
  end
  return counted_at[origin] or nil
end

-- ---- a limiter -------------------------------------------------------------------------------

local OPTIONS = { share = true, redis = true, prefix = true, without = true, patience = true }

local function check_options(options, level)
  if type(options) ~= "table" then error("smc.limiter: options as in { share = \"name\" } expected", level + 1) end
  for key in pairs(options) do
    if not OPTIONS[key] then error("smc.limiter: " .. lists.unknown("option", key, OPTIONS), level + 1) end
  end
  if options.share ~= nil then check_name(options.share, level + 1) end
  local function wrong(what) error("smc.limiter: " .. what, level + 2) end
  if options.redis == nil then
    for _, key in ipairs { "prefix", "without", "patience" } do
      if options[key] ~= nil then wrong(key .. " goes with redis") end
    end
    return
  end
  if options.share ~= nil then wrong "share or redis, not both" end
  if type(options.redis) ~= "string" and options.redis ~= true then
    wrong "redis is a place like \"redis://127.0.0.1:6379/0\", or true for the one that SMCRUN_REDIS_URL names"
  end
  if options.prefix ~= nil and (type(options.prefix) ~= "string" or not options.prefix:find "^[%w:._-]+$") then
    wrong "prefix is made of letters, digits, ':', '-', '_' and '.'"
  end
  local part, patience = options.without, options.patience
  if part ~= nil and part ~= "closed" and not (type(part) == "number" and part > 0 and part <= 1) then
    wrong "without is \"closed\", or the part of each limit that is used while Redis is away, above 0 to 1"
  end
  if patience ~= nil and not (type(patience) == "number" and patience >= 0.01 and patience <= 60) then
    wrong "patience is a number of seconds from 0.01 to 60"
  end
end

--- inner: what decides, for budgets as read gave them.
local function limiter(budgets, inner)
  local names, list = budgets.names, budgets.list
  local self = setmetatable({}, Limiter)
  within[self] = { core = inner, names = names, index = budgets.index, list = list, fixed = budgets.fixed }
  within[self].track = timeline.limiter(self, names, list, function(i) return inner.remote and 0 or inner:offset(i) end)
  return self
end

--- budgets: as read gave them.  Returns a limiter, or nil and an error.
local function made(budgets, options)
  local names, list = budgets.names, budgets.list
  local inner, share, err
  if options and options.share then
    share, err = share_of(options.share, names, list)
    if not share then return nil, err end
  end
  if options and options.redis then
    inner, err = require("smc.limiter_redis").new(list, names, options)
  else
    inner, err = core.new(list, share)
  end
  if not inner then return nil, err end
  return limiter(budgets, inner)
end

--- budgets: by name { limit, per [, burst | kind] }, or a venue's name.  See bindings/meta/limiter.lua.
function M.new(budgets, options)
  world.current "smc.limiter"
  local its = type(budgets) == "string" and published(budgets, 2) or read(budgets, 2)
  if options ~= nil then check_options(options, 2) end
  return made(its, options)
end

--- A limiter of what a venue allows: limits.budgets, by name.  origin: of a venue that outlives the spec, and counts
-- what all processes of this user on this machine ask; so they spend together.
function M.of(limits, origin)
  local its = read_once(limits, 2)
  return limiter(its, assert(core.new(its.list, origin and share_at(origin, its.names, its.list))))
end

local function budget(self, what, name)
  local inner = within[self]
  local i = inner.index[name]
  if not i then
    error(("limiter:%s: there is no budget '%s' (there are: %s)"):format(what, tostring(name),
      table.concat(inner.names, ", ")), 3)
  end
  return inner.core, i
end

--- The weights as a list, in the order of the budgets; its field `spent`: the numbers of those that are above zero.
local function weights_of(self, what, given)
  local inner, out = within[self], {}
  if inner.fixed[given] then return inner.fixed[given] end
  for i = 1, #inner.names do out[i] = 0 end
  if type(given) ~= "table" or next(given) == nil then
    error(("limiter:%s: weights by budget expected, as in { weight = 1 }"):format(what), 3)
  end
  for name, weight in next, given do -- in any order, for each request
    local i = inner.index[name]
    if not i then
      error(("limiter:%s: there is no budget '%s' (there are: %s)"):format(what, tostring(name),
        table.concat(inner.names, ", ")), 3)
    end
    if math.type(weight) ~= "integer" or weight < 0 or weight > MOST then
      error(("limiter:%s: the weight of %s is a whole number from 0 to 10^9"):format(what, name), 3)
    end
    out[i] = weight
  end
  local spent = {}
  for i = 1, #inner.names do
    if out[i] > 0 then spent[#spent + 1] = i end
  end
  out.spent = spent
  return out
end

--- These weights are asked for again and again, and nobody changes them: they are read once, for all limiters of the
-- same venue's budgets.  One that only behaves like a limiter is left alone.
function M.fixed(self, weights)
  local inner = within[self]
  if inner then inner.fixed[weights] = weights_of(self, "acquire", weights) end
end

local HOW = { acquire = { priority = true, timeout = true }, try = { priority = true } }
local MOST_SECONDS = 1e9

local function is_time(seconds) return math.type(seconds) ~= nil and seconds >= 0 and seconds <= MOST_SECONDS end

local function how_of(what, how)
  how = how or {}
  if type(how) ~= "table" then
    error(("limiter:%s: options as in { priority = \"high\" } expected"):format(what), 3)
  end
  for key in next, how do
    if not HOW[what][key] then error(("limiter:%s: %s"):format(what, lists.unknown("option", key, HOW[what])), 3) end
  end
  local priority = PRIORITY[how.priority or "normal"]
  if not priority then error(("limiter:%s: priority is critical, high, normal or low"):format(what), 3) end
  if how.timeout ~= nil and not is_time(how.timeout) then
    error(("limiter:%s: timeout is a number of seconds from 0 to 1e9"):format(what), 3)
  end
  return priority, how.timeout
end

--- Waits until the weights may be spent, and spends them.
function Limiter:acquire(weights, how)
  local priority, timeout = how_of("acquire", how)
  if world.is_sabotaged "limiter-grants" then return true end
  local list, inner = weights_of(self, "acquire", weights), within[self]
  local ok, err = inner.core:acquire(list, priority, timeout)
  if ok then timeline.used(inner.track, list.spent, inner.core) end
  return ok, err
end

--- Spends them now, or not at all.
function Limiter:try(weights, how)
  local priority = how_of("try", how)
  if world.is_sabotaged "limiter-grants" then return true end
  local list, inner = weights_of(self, "try", weights), within[self]
  local ok, err = inner.core:try(list, priority)
  if ok then timeline.used(inner.track, list.spent, inner.core) end
  return ok, err
end

--- Gives back what was paid at `since` (smc.now() then) and turned out to cost nothing.
function Limiter:refund(weights, since)
  local inner = within[self]
  local list = weights_of(self, "refund", weights)
  if type(since) ~= "number" or not (since >= 0 and since < 1e12) then
    error("limiter:refund: the time of the grant, as smc.now() gave it, expected", 2)
  end
  for _, i in ipairs(list.spent) do inner.core:refund(i, list[i], math.floor(since * 1000)) end
end

--- The names of its budgets, sorted.
function Limiter:budgets() return { table.unpack(within[self].names) } end

--- How many tasks of this process wait to be granted.
function Limiter:waiting() return within[self].core:waiting() end

--- Nobody is granted for so many seconds.
function Limiter:hold(seconds)
  if not is_time(seconds) then error("limiter:hold: a number of seconds from 0 to 1e9 expected", 2) end
  within[self].core:hold(seconds)
end

--- What the venue says is left of a budget, in an answer to what was granted at `since` (default: now).
function Limiter:left(name, n, since)
  local inner, i = budget(self, "left", name)
  if math.type(n) ~= "integer" or n < 0 then error("limiter:left: a whole number expected", 2) end
  if since ~= nil and not (type(since) == "number" and since >= 0 and since < 1e12) then
    error("limiter:left: the time of the grant, as smc.now() gave it, expected", 2)
  end
  inner:left(i, math.min(n, MOST), math.floor((since or task.now()) * 1000))
  if not inner.remote then timeline.used_of(within[self].track, i, inner) end
end

--- The windows of a budget follow a clock that is so many seconds ahead of smc.now().
function Limiter:follow(name, seconds)
  local inner, i = budget(self, "follow", name)
  if not within[self].list[i].window then error("limiter:follow: a bucket follows no clock", 2) end
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds < 1e12) then
    error("limiter:follow: seconds >= 0 expected", 2)
  end
  inner:follow(i, math.floor(seconds * 1000 + 0.5))
end

--- { used, limit, kind, rate } of a budget.
function Limiter:usage(name)
  local inner, i = budget(self, "usage", name)
  local conf = within[self].list[i]
  return { used = inner:used(i), limit = conf.limit, kind = conf.window and "window" or "bucket",
    rate = conf.refill / conf.period_ms * 1000 }
end

--- "warning" (80 %), "critical" (95 %) or nil: the highest that was passed since the last look.
function Limiter:alert(name)
  local inner, i = budget(self, "alert", name)
  local warning, critical = inner:alerts(i)
  return critical and "critical" or warning and "warning" or nil
end

colon.methods("limiter", Limiter, within)

return M
