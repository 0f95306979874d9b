--- Risk guards: they watch accounts at several venues, and when a limit is passed they stop the trading, get every
-- account flat, and tell somebody.
local list = require "smc.list"
local alert = require "smc.webhook.alert"
local colon = require "smc.colon"
local closing = require "smc.risk.closing"
local core = require "smc.core.risk"
local errors = require "smc.error"
local gate = require "smc.risk.gate"
local options = require "smc.risk.options"
local rng = require "smc.core.rng"
local task = require "smc.core.task"
local timeline = require "smc.timeline"
local view = require "smc.risk.view"
local world = require "smc.world"

local M = {}
local Guard = { __name = "smc.risk" }
local methods = {}

local within = setmetatable({}, { __mode = "k" }) -- guard -> what it keeps to itself
local made = setmetatable({}, { __mode = "k" }) -- by world: how many, so that no two draw the same

-- The core's words, and those of circuit breakers.
local STATES = { armed = "closed", tripped = "open", trial = "half_open", stopped = "stopped" }

local function state_of(inner) return STATES[inner.core:state()] end

local function log(text) task.log("risk", text) end

-- ---- history ---------------------------------------------------------------------------------

local function copied(t)
  local out = {}
  for key, value in pairs(t) do out[key] = value end
  return out
end

--- One line about each cause: what was seen, and what the limit is.
local function described(event)
  local parts = {}
  for i, cause in ipairs(event.causes or {}) do
    local seen = event.seen[cause]
    parts[i] = seen ~= nil and ("%s %s"):format(cause, tostring(seen)) or cause
  end
  if event.reason then parts[#parts + 1] = event.reason end
  return #parts > 0 and ": " .. table.concat(parts, ", ") or ""
end

local function seen_of(inner)
  local seen = inner.core:seen()
  seen.equity, seen.peak, seen.day_start = inner.view.equity, inner.view.peak, inner.view.day_start
  seen.data = inner.view.blind
  return seen
end

--- Takes down that the guard has come into a state.  fields: causes, reason, by.
local function record(inner, kind, fields)
  local event = { kind = kind, at = task.now(), time = task.wall_ms(), seen = seen_of(inner),
    limits = copied(inner.limits) }
  for name, value in pairs(fields) do event[name] = value end
  inner.history[#inner.history + 1] = event
  log(kind .. described(event))
  timeline.state(inner, state_of(inner))
  return event
end

-- ---- tripping --------------------------------------------------------------------------------

local function told(event)
  return { time = event.time, causes = event.causes, reason = event.reason, by = event.by, seen = event.seen,
    limits = event.limits }
end

--- How it ended, for history and alert.
local function finished(inner, event, result)
  event.closing = result
  log(("%s after %.3f s"):format(result.flat and "flat" or "NOT FLAT", result.elapsed))
  if result.flat then return end
  local left = {}
  for _, r in ipairs(result.venues) do
    if not r.flat then left[#left + 1] = { venue = r.venue, left = r.left, error = r.errors[#r.errors] } end
  end
  inner.tell("not_flat", { time = task.wall_ms(), causes = event.causes, reason = event.reason, left = left })
end

--- Gets everything flat, in a task of the world.  What runs already goes on; after one that was asked for while orders
-- were let through, which it may not have seen, comes another.
local function close_all(inner, event)
  if inner.closing and inner.closing_for.kind ~= "flatten" then return end
  local before = inner.closing
  inner.closing_for = event
  inner.closing = task.as_world(task.spawn, function()
    local earlier <close> = before
    if earlier then task.join_any { earlier } end
    local result = closing.run(inner.view.accounts, { close_within = inner.options.close_within, log = log,
      random = inner.random, sell_assets = inner.options.sell_assets })
    if inner.closing_for == event then inner.closing = nil end
    finished(inner, event, result)
  end)
end

local function trip(inner)
  local event = record(inner, "open", { causes = inner.core:violated() })
  inner.tell("open", told(event))
  close_all(inner, event)
end

--- Judges what was read last.  sample: see View:judged.
local function judge(inner, sample)
  local before = state_of(inner)
  local tripped = inner.core:look(inner.view:judged(sample))
  if tripped then
    trip(inner)
  elseif before == "half_open" and state_of(inner) == "closed" then
    record(inner, "closed", {})
  end
end

local function watch(inner)
  local due = task.now() + inner.options.check_every
  while true do
    task.sleep(math.max(0.001, due - task.now()))
    due = math.max(due, task.now()) + inner.options.check_every
    inner.view:read()
    judge(inner, true)
  end
end

-- ---- opening ---------------------------------------------------------------------------------

--- Whether an order can only make a position smaller: as it says itself; of an asset, when what is owned is sold.
local function reduces(account, given, op)
  if op ~= "place" or type(given) ~= "table" then return false end
  return given.reduce_only == true or account.spot:sells(given, account.reading.balances)
end

local function refusal(inner, op)
  local state = state_of(inner)
  return errors.new { class = "circuit_open", code = "risk_guard", op = op, retryable = false,
    message = state == "stopped" and "the risk guard was stopped: nothing may be placed until it is reset"
      or "the risk guard is open: until it is reset only what makes a position smaller may be placed" }
end

local function may_place(inner, account, given, op)
  if inner.closed or inner.core:may_place(reduces(account, given, op)) then return true end
  return nil, refusal(inner, op)
end

--- The n-th guard of a world draws from a stream of its own.
local function seed_of(w)
  made[w] = (made[w] or 0) + 1
  return w.seed + made[w] - 1
end

local function new(given, level)
  local w = world.current "smc.risk"
  local seed = seed_of(w)
  local inner = { options = given, limits = given.limits, history = {}, random = rng.new(seed, "risk guard"),
    core = core.new(nil, options.conf(given.limits, given.trial)) }
  inner.tell, inner.deliveries = alert.new(given.alert, "risk", seed, log, level + 1)
  function given.counts_losses() return inner.limits.max_consecutive_losses ~= nil end
  inner.view = view.new(given.venues, given)
  return inner
end

--- See bindings/meta/risk.lua for the options.  Looks once, and then every check_every seconds until the spec ends.
-- Returns the guard; nil and an error when a venue can't be read.
function M.new(given)
  local inner = new(options.read(given, 2), 2)
  local ok, err = inner.view:read()
  if not ok then return nil, err end
  for _, account in ipairs(inner.view.accounts) do
    gate.install(account.venue, function(order, op)
      if type(order) == "table" and type(order.symbol) == "string" then account.placed[order.symbol] = true end
      return may_place(inner, account, order, op)
    end)
  end
  local self = setmetatable({}, Guard)
  within[self] = inner
  timeline.breaker(inner)
  timeline.name(inner, "risk")
  judge(inner, true)
  inner.watcher = task.as_world(task.spawn, watch, inner)
  return self
end

-- ---- what scenarios ask and do -----------------------------------------------------------------

local function is_closed(op)
  return nil, errors.new { class = "cancelled", code = "closed", op = op, message = "the risk guard is closed" }
end

--- Looks now, beside the regular looks.  Returns what was seen, as figures does; nil and an error when a venue can't be
-- read, which is a violation once it has lasted stale_after seconds.
function methods:check()
  local inner = within[self]
  if inner.closed then return is_closed "guard:check" end
  local ok, err = inner.view:read()
  judge(inner, false)
  if not ok then return nil, err end
  return seen_of(inner)
end

--- What the last look saw: of every limit that is on, by its name; equity, peak, day_start.
function methods:figures() return seen_of(within[self]) end

--- Whether an order, as place is given it, would be placed now, at one of the venues.
function methods:may_place(order)
  local inner = within[self]
  if type(order) ~= "table" or not (order.symbol and order.side and order.type) then
    error("guard:may_place: an order expected, as place is given it", 2)
  end
  for _, account in ipairs(inner.view.accounts) do
    if may_place(inner, account, order, "place") then return true end
  end
  return nil, refusal(inner, "guard:may_place")
end

local RESET = { reason = true, by = true, rebase = true }

local function persists(inner)
  local said = {}
  for i, cause in ipairs(inner.core:violated()) do
    local seen = seen_of(inner)[cause]
    said[i] = seen ~= nil and ("%s (%s)"):format(cause, tostring(seen)) or cause
  end
  return table.concat(said, ", ") .. (#said == 1 and " is" or " are") .. " still beyond the limit"
end

local function cannot(code, message)
  return nil, errors.new { class = "circuit_open", code = code, message = message, op = "guard:reset" }
end

--- Lets trade again, on trial.  See bindings/meta/risk.lua.
function methods:reset(given)
  given = given or {}
  if type(given) ~= "table" then error("guard:reset: a table like { by =, reason =, rebase = } expected", 2) end
  for key in pairs(given) do
    if not RESET[key] then error("guard:reset: " .. list.unknown("key", key, RESET), 2) end
  end
  local inner = within[self]
  if inner.closed then return is_closed "guard:reset" end
  if inner.closing then return cannot("closing", "positions are still being closed") end
  local readable, err = inner.view:read()
  if not readable then return cannot("violation_persists", "an account can't be read: " .. tostring(err)) end
  local take_back = given.rebase and inner.view:rebase()
  local ok, word = inner.core:reset(inner.view:judged(false))
  if ok then
    record(inner, "half_open", { reason = given.reason, by = given.by })
    return true
  end
  local why = word == "persists" and persists(inner)
  if take_back then -- and what the figures say is true again
    take_back()
    judge(inner, false)
  end
  if why then return cannot("violation_persists", why) end
  return cannot("nothing_to_reset", ("the guard is %s: there is nothing to reset"):format(state_of(inner)))
end

--- Emergency stop: as a trip, but nothing at all may be placed until a reset.
function methods:stop(reason)
  if type(reason) ~= "string" or reason == "" then error("guard:stop: a reason expected", 2) end
  local inner = within[self]
  if inner.closed then error("guard:stop: the guard is closed", 2) end
  if not inner.core:stop() then return false end
  local event = record(inner, "stopped", { reason = reason })
  inner.tell("stopped", told(event))
  close_all(inner, event)
  return true
end

--- Gets every account flat now, once more when it was not the last time.  Waits.
function methods:flatten()
  local inner = within[self]
  if inner.closed then return is_closed "guard:flatten" end
  local last = inner.history[#inner.history]
  if not last or state_of(inner) == "closed" then
    last = record(inner, "flatten", {})
  end
  close_all(inner, last)
  local running, event = inner.closing, inner.closing_for
  task.join_any { running }
  task.results(running)
  return event.closing
end

--- Other limits, from the next look on; those that are not named stay, false takes one away.
function methods:set_limits(given)
  local inner = within[self]
  local limits = options.limits(given, inner.limits, 2)
  inner.core:set_limits(options.conf(limits, inner.options.trial))
  inner.limits = limits
end

--- What happened, oldest first.
function methods:history() return { table.unpack(within[self].history) } end

--- What was sent to the webhook, oldest first.
function methods:alerts() return { table.unpack(within[self].deliveries) } end

--- Stops watching, and lets every order through.
function methods:close()
  local inner = within[self]
  if inner.closed then return end
  inner.closed = true
  task.cancel(inner.watcher)
  if inner.closing then task.cancel(inner.closing) end
end

Guard.__close = methods.close

local fields = {
  state = state_of,
  violations = function(inner) return inner.core:violated() end,
  is_closing = function(inner) return inner.closing ~= nil end,
}

function Guard.__index(self, key)
  if fields[key] then return fields[key](within[self]) end
  return methods[key]
end

colon.methods("guard", methods, within)

Guard.__names = { fields, methods }

return M
