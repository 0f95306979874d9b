--- Failover groups for scenarios: several venues behind the calls of one.
local alert = require "smc.webhook.alert"
local calls = require "smc.failover.calls"
local colon = require "smc.colon"
local core_failover = require "smc.core.failover"
local core = require "smc.core.task"
local gates = require "smc.core.gate"
local invoke = require "smc.failover.invoke"
local members = require "smc.failover.members"
local options = require "smc.failover.options"
local orders = require "smc.failover.orders"
local rng = require "smc.core.rng"
local streams = require "smc.failover.streams"
local switching = require "smc.failover.switching"
local timeline = require "smc.timeline"
local world = require "smc.world"

local M = {}

local Group = { __name = "smc.failover" }
local Inner = {}
Inner.__index = Inner

local within = setmetatable({}, { __mode = "k" }) -- group -> what it keeps to itself
local made = setmetatable({}, { __mode = "k" }) -- by world: how many, so that no two draw the same ids

--- The member that a venue object or a label names; wrong use otherwise.
function Inner:member_of(venue)
  for _, member in ipairs(self.members) do
    if member.venue == venue or member.label == venue then return member end
  end
  local names = {}
  for i, member in ipairs(self.members) do names[i] = member.label end
  local what = type(venue) == "table" and venue.name or venue
  invoke.wrong("failover: '%s' is no venue of the group (these are: %s)", tostring(what), table.concat(names, ", "))
end

--- Asks one member for ever whether it is there, and what has become of orders that are in doubt.
local function watch(g, member)
  while not g.closed do
    core.sleep(g.check_every)
    switching.check(g, member)
    if member.connected then orders.look_again(g, member) end
  end
end

--- The n-th group of a world draws from a stream of its own, and so do its alerts.
local function draw(g, w, level)
  local n = (made[w] or 0) + 1
  made[w] = n
  g.random = rng.new(w.seed, "failover " .. n)
  g.tell, g.deliveries = alert.new(g.alert, "failover", w.seed + n, function(text) core.log("failover", text) end,
    level + 1)
end

--- A group over venues.  See bindings/meta/failover.lua for the options.
function M.new(given)
  local w = world.current "smc.failover"
  local g = setmetatable(options.read(given, 2), Inner)
  draw(g, w, 2)
  g.core, g.gate, g.streams = core_failover.new(g.policy), gates.new(), streams.new()
  g.members, g.history, g.doubts, g.holders, g.ids, g.watchers = {}, {}, {}, {}, {}, {}
  for i in ipairs(g.venues) do
    g.members[i] = members.new(g, i)
    g.watchers[i] = core.as_world(core.spawn, watch, g, g.members[i])
  end
  g.timeline = timeline.group(g.names, g.names[g.core:active()])
  local self = setmetatable({}, Group)
  within[self] = g
  return self
end

-- ---- fields ----------------------------------------------------------------------------------

--- The member that comes first while all are up.
local function first_choice(g)
  local best = 1
  for i, weight in ipairs(g.policy.weights) do
    if weight > g.policy.weights[best] then best = i end
  end
  return g.members[best]
end

local fields = {}

function fields.active(g)
  local member = switching.active(g)
  return member and member.venue
end

function fields.state(g)
  if g.closed then return "closed" end
  if g.switch then return "switching" end
  local member = switching.active(g)
  if not member then return "no_venue" end
  return member == first_choice(g) and "normal" or "failed_over"
end

function fields.venues(g) return { table.unpack(g.venues) } end

-- ---- methods ---------------------------------------------------------------------------------

local methods = {}

for op, call in pairs(calls.table) do
  methods[op] = function(self, ...)
    local result = table.pack(invoke.blame(2, call, within[self], op, ...))
    return table.unpack(result, 1, result.n) -- not a tail call: wrong use is blamed on the caller's line
  end
end

--- Goes to a member by hand; automatic failback is off until that goes down.
function methods:switch(venue)
  local g = within[self]
  local ok, err = invoke.blame(2, function() return switching.by_hand(g, g:member_of(venue)) end)
  return ok, err
end

--- Whether a member is up, as far as the group knows.
function methods:is_up(venue)
  local g = within[self]
  local up = invoke.blame(2, function() return switching.is_up(g, g:member_of(venue)) end)
  return up
end

--- All switches so far, oldest first, and the moments when there was no venue any more.
function methods:history()
  return { table.unpack(within[self].history) }
end

--- What was sent to the webhook, oldest first.
function methods:alerts() return { table.unpack(within[self].deliveries) } end

--- Orders of which nobody knows what became of them.
function methods:in_doubt()
  return orders.in_doubt(within[self])
end

local function close(self)
  local g = within[self]
  if g.closed then return end
  g.closed = true
  for _, watcher in ipairs(g.watchers) do core.cancel(watcher) end
  if g.switch then core.cancel(g.switch) end
  g.streams:close_all()
  g.gate:open()
end

methods.close = close
Group.__close = close

-- What means something at one venue only.
for _, name in ipairs { "get", "post", "put", "patch", "delete", "fault", "heal", "requests", "sync" } do
  methods[name] = function()
    error(("failover: %s belongs to one venue: group.active:%s(...)"):format(name, name), 2)
  end
end

function Group.__index(self, key)
  if fields[key] then return fields[key](within[self]) end
  return methods[key]
end

colon.methods("group", methods, within)

Group.__names = { fields, methods }

return M
