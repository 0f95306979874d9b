--- Which member of a group is used: looking, deciding, and going from one to another, one switch at a time.
local core = require "smc.core.task"
local errors = require "smc.error"
local timeline = require "smc.timeline"
local world = require "smc.world"

local M = {}

local KEPT = 1000 -- events of history

-- What the value of a cause is counted in, in parts of that; causes that have none are not here.
local VALUES = { latency = 1000, stream_stale = 1000, errors = 1, rate_limit = 1, health = 1, recovered = 1,
  failback = 1 }

--- The member that is used, or nil.
function M.active(g)
  local index = not g.closed and g.core:active()
  return index and g.members[index] or nil
end

function M.is_up(g, member) return g.core:is_up(member.index) end

local function label_of(g, index) return index and g.members[index].label or nil end

-- ---- what happened -------------------------------------------------------------------------

local function describe(event)
  local value = event.value and (" (%g)"):format(event.value) or ""
  local why = event.reason and (", failed: %s"):format(event.reason) or ""
  return ("%s -> %s: %s%s, %.3f s%s"):format(event.from or "none", event.to or "none", event.cause, value,
    event.duration, why)
end

local function value_of(last)
  local scale = VALUES[last.cause]
  if not scale then return nil end
  return scale == 1 and last.value or last.value / scale
end

local function kind_of(event)
  if not event.ok then return "failed" end
  return event.to == nil and "no_venue" or event.cause == "recovered" and "recovered" or "switched"
end

--- Who is to be told hears it without waiting: what an alert takes is nothing to the group.
local function tell(g, event)
  g.tell(kind_of(event), { time = event.time, from = event.from, to = event.to, cause = event.cause,
    value = event.value, duration = event.duration, reason = event.reason and tostring(event.reason),
    error = event.error and tostring(event.error) })
end

--- Writes down the core's last decision; reason: the error for which a switch failed.
local function record(g, reason)
  local last = g.core:last()
  local from = last.from and g.members[last.from]
  local event = { from = label_of(g, last.from), to = label_of(g, last.to), cause = last.cause,
    value = value_of(last), at = last.at_ms / 1000,
    duration = (last.done_ms - last.at_ms) / 1000, time = core.wall_ms(), ok = reason == nil, reason = reason,
    error = from and not M.is_up(g, from) and from.last_error or nil }
  g.history[#g.history + 1] = event
  if #g.history > KEPT then table.remove(g.history, 1) end
  core.log("failover", describe(event))
  timeline.switch(g.timeline, event)
  tell(g, event)
end

-- ---- one switch ----------------------------------------------------------------------------

--- What a switch came to: noted when it is closed.  One whose task was ended has come to nothing.
local function outcome(g)
  return setmetatable({ ok = false, over = false }, { __close = function(self, raised)
    if g.closed or not self.over and raised == nil then return end
    g.core:done(self.ok)
    g.switch = nil
    record(g, not self.ok and (self.reason or tostring(raised)) or nil)
    g.gate:open()
  end })
end

local function unreachable(target)
  return target.last_error or errors.new { class = "network", venue = target.venue.name, op = "failover",
    message = "it does not answer" }
end

--- The target must answer, and take over the streams; only then the one before is let go.
local function go(g, last)
  local target = g.members[last.to]
  local result <close> = outcome(g)
  target:check(function() return true end, function() M.step(g) end)
  if target.connected then
    result.ok, result.reason = g.streams:move(g, last, target)
  else
    result.reason = unreachable(target)
  end
  result.over = true
end

local function begin(g)
  local last = g.core:last()
  g.switch = core.as_world(core.spawn, function()
    go(g, last)
    M.step(g) -- whatever has come meanwhile, and a switch that failed
  end)
end

--- Looks at what is known, and acts on it.
function M.step(g)
  if g.closed then return end
  local signals = {}
  for i, member in ipairs(g.members) do signals[i] = member:signal(g.streams:age(member)) end
  if world.is_sabotaged "failover-never" then return end
  local verdict = g.core:step(signals)
  if verdict == "switch" then return begin(g) end
  if verdict == "no_venue" then
    record(g)
    g.streams:stop()
    g.gate:open()
  end
end

-- ---- waiting for a venue -------------------------------------------------------------------

function M.is_closed(op)
  return errors.new { class = "cancelled", op = op, message = "the failover group is closed" }
end

local function no_venue(g, op)
  local names = {}
  for i, member in ipairs(g.members) do names[i] = member.label end
  return errors.new { class = "no_venue", op = op, retryable = true,
    message = "none of the group's venues is up: " .. table.concat(names, ", ") }
end

--- The member to be used now; a switch away from one that is down is waited for.  nil and an error of class no_venue
-- when there is none.
function M.await(g, op)
  while not g.closed do
    local member = M.active(g)
    if member and M.is_up(g, member) then return member end
    if not g.switch then return member, not member and no_venue(g, op) or nil end
    g.gate:wait()
  end
  return nil, M.is_closed(op)
end

--- A task that ends when the member is down and the group has left it, or is closed.
function M.fall(g, member)
  if not member.fall or core.status(member.fall) ~= "running" then
    member.fall = core.as_world(core.spawn, function()
      while M.is_up(g, member) and not g.closed do g.gate:wait() end
    end)
  end
  return member.fall
end

--- Takes in what a call gave; asks a member that has failed it whether it is there.
function M.examine(g, member, err)
  member:note_call(err)
  if err and (err.class == "network" or err.class == "timeout" or err.class == "unknown_outcome" and not err.http)
    and M.is_up(g, member) then
    M.check(g, member)
  else
    M.step(g)
  end
end

function M.check(g, member)
  member:check(function() return M.active(g) == member end, function() M.step(g) end)
end

-- ---- by hand -------------------------------------------------------------------------------

local REFUSED = { switching = "a switch is under way", active = "it is active already", down = "it is down" }

--- true, or nil and an error: its code says why.
function M.by_hand(g, member)
  if g.closed then return nil, M.is_closed "switch" end
  local ok, why = g.core:move(member.index)
  if not ok then
    return nil, errors.new { class = "invalid_request", code = why, venue = member.venue.name, op = "switch",
      retryable = why ~= "active", message = ("can't switch to %s: %s"):format(member.label, REFUSED[why]) }
  end
  begin(g)
  while g.switch and not g.closed do g.gate:wait() end
  if M.active(g) == member then return true end
  return nil, g.closed and M.is_closed "switch" or unreachable(member)
end

return M
