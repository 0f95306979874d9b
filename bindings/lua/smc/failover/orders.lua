--- Orders of a group: placed once, wherever that is in the end.  One whose outcome is unknown is looked up by its
-- client id where it was sent, before it is sent anywhere else.
local client = require "smc.venue.client"
local core = require "smc.core.task"
local errors = require "smc.error"
local invoke = require "smc.failover.invoke"
local switching = require "smc.failover.switching"
local timeout = require("smc.task").timeout

local M = {}

local CLIENT_ID_LENGTH = 20
local FIRST_WAIT, LONGEST_WAIT = 0.25, 4 -- seconds between two looks for an order
local ABSENT_SECONDS = 10 -- until an order that is not there never will be, where requests do not grow old

-- The venue has answered, or was not reached: nothing has happened.
local UNSENT = { network = true, timeout = true, circuit_open = true, rate_limit = true, ip_ban = true }
-- Whatever was asked for may have happened.
local OPEN = { unknown_outcome = true, protocol = true, server = true }

-- ---- who holds what ------------------------------------------------------------------------

local SHARED = {} -- in place of the member, when several have orders of one id

local function remember(g, member, order)
  if order.client_id then g.holders[order.client_id] = member end
  local id = order.id and tostring(order.id)
  if id then g.ids[id] = (g.ids[id] == nil or g.ids[id] == member) and member or SHARED end
  order.venue = member.label
end
M.remember = remember

--- The member that holds an order named by { id | client_id, venue }; nil when nobody knows; nil and an error when
-- several do.
function M.holder(g, op, which)
  if which.venue ~= nil then return g:member_of(which.venue) end
  if which.client_id and g.holders[which.client_id] then return g.holders[which.client_id] end
  local holder = which.id and g.ids[tostring(which.id)]
  if holder ~= SHARED then return holder end
  return nil, errors.new { class = "invalid_request", code = "ambiguous", op = op,
    message = ("several venues have an order %s: say which, as in venue = order.venue"):format(which.id) }
end

-- ---- doubt ---------------------------------------------------------------------------------

--- Seconds after which a request that has not arrived at the member never will.
local function absent_after(g, member)
  if g.absent_after then return g.absent_after end
  return client.lives(member.venue) or ABSENT_SECONDS
end

local Doubt = {}
Doubt.__index = Doubt

--- An order that is being sent.  Left without an outcome (its task was ended) it is in doubt, unless it was refused as
-- wrong use before anything left.
local function sending(g, member, request)
  local doubt = setmetatable({ g = g, member = member, client_id = request.client_id, symbol = request.symbol,
    side = request.side, since = core.now() }, Doubt)
  g.holders[doubt.client_id] = member
  return doubt
end

--- From now on the group looks for it whenever the member answers.
local function keep(doubt)
  doubt.absent_at = doubt.absent_at or core.now() + absent_after(doubt.g, doubt.member)
  doubt.busy = false
  if doubt.kept then return end
  doubt.kept = true
  table.insert(doubt.g.doubts, doubt)
end

--- Whether an order has left for the member since then, as far as one can tell.
local function was_sent(doubt)
  local inner = client.inside(doubt.member.venue)
  return not inner or inner.wire:sent_since("place", doubt.since)
end

local function settle(doubt, outcome)
  doubt.outcome = outcome
  for i, other in ipairs(doubt.g.doubts) do
    if other == doubt then table.remove(doubt.g.doubts, i) end
  end
  if outcome == "absent" and doubt.g.holders[doubt.client_id] == doubt.member then
    doubt.g.holders[doubt.client_id] = nil
  end
  if doubt.kept then
    core.log("failover", ("the order %s at %s is not in doubt any more: %s"):format(doubt.client_id,
      doubt.member.label, outcome))
  end
end

function Doubt:__close(raised)
  if self.outcome then return end
  if invoke.wrong_use(raised) and not was_sent(self) then settle(self, "absent") else keep(self) end
end

--- One look.  Returns "found" and the order, "absent", or "unknown" and an error.
local function look(doubt)
  local began = core.now()
  local order, err = timeout(doubt.member.timeout, function()
    return invoke.call(doubt.g, doubt.member, "order", { symbol = doubt.symbol, client_id = doubt.client_id })
  end)
  if order then
    remember(doubt.g, doubt.member, order)
    return "found", order
  end
  if err.class == "unknown_order" and began >= doubt.absent_at then return "absent" end
  return "unknown", err
end

--- Looks until it is known, or until it should be and the member does not answer.
local function resolve(doubt)
  doubt.absent_at = core.now() + absent_after(doubt.g, doubt.member)
  local wait = FIRST_WAIT
  while true do
    local word, result = look(doubt)
    local left = doubt.absent_at - core.now()
    if word ~= "unknown" or left <= 0 and result.class ~= "unknown_order" then return word, result end
    core.sleep(math.max(0.001, math.min(wait, left)))
    wait = math.min(2 * wait, LONGEST_WAIT)
  end
end

--- Looks once for each order that is in doubt at a member, which answers again.
function M.look_again(g, member)
  for _, doubt in ipairs({ table.unpack(g.doubts) }) do
    if doubt.member == member and not doubt.busy and not doubt.outcome then
      doubt.busy = true
      local word = look(doubt)
      doubt.busy = false
      if word ~= "unknown" then settle(doubt, word) end
    end
  end
end

function M.in_doubt(g)
  local out = {}
  for i, doubt in ipairs(g.doubts) do
    out[i] = { client_id = doubt.client_id, symbol = doubt.symbol, side = doubt.side, venue = doubt.member.label,
      since = doubt.since }
  end
  return out
end

-- ---- placing -------------------------------------------------------------------------------

--- An error that says what has become known: nothing has happened.
local function not_placed(err)
  return errors.new { class = err.http and "server" or "network", code = "not_placed", http = err.http,
    retryable = true, venue = err.venue, op = "place",
    message = "looked up by its client id, and it is not there: " .. tostring(err.message) }
end

--- The same of an error after which nobody knows.
local function unknown(err)
  if err.class == "unknown_outcome" then return err end
  return errors.new { class = "unknown_outcome", code = err.code, http = err.http, venue = err.venue, op = "place",
    message = err.message }
end

--- Sends it to one member.  Returns the order; or nil, an error, and whether the next one may have it.
local function send(g, member, request)
  local doubt <close> = sending(g, member, request)
  local order, err = invoke.call(g, member, "place", request)
  switching.examine(g, member, err)
  if order then
    remember(g, member, order)
    doubt.outcome = "placed"
    return order
  end
  if OPEN[err.class] and not err.retryable then
    local word, found = resolve(doubt)
    if word == "found" then
      settle(doubt, word)
      return found
    end
    if word ~= "absent" then return nil, unknown(err), false end
    err = not_placed(err)
  end
  settle(doubt, "absent")
  -- Where trading has to stop, an order is not carried on to whom nobody has stopped.
  return nil, err, err.code ~= "risk_guard" and (err.retryable or UNSENT[err.class])
end

local function new_id(g) return "smc-" .. g.random:alnum(CLIENT_ID_LENGTH) end

--- Places an order at the active member; when it is certain that one which went down has not got it, at the next one.
function M.place(g, given)
  local request, tried, last = {}, {}, nil
  for key, value in pairs(given) do request[key] = value end
  request.client_id = request.client_id or new_id(g)
  while true do
    local member, none = switching.await(g, "place")
    if not member or tried[member] then
      local err = none or last
      err.client_id = request.client_id
      return nil, err
    end
    tried[member] = true
    local order, err, may_go_on = send(g, member, request)
    if order then return order end
    err.client_id, last = request.client_id, err
    if not may_go_on then return nil, err end
  end
end

return M
