--- What stands before the orders of a guarded venue: while the guard is open only those that reduce pass.
-- It is a method of that one venue object, in front of its class, and a veto of its guarded request: an order that was
-- let through and then had to wait, for a limiter or the end of a refusal, is judged once more before it is sent.
local client = require "smc.venue.client"
local colon = require "smc.colon"
local guard = require "smc.venue.guard"

local M = {}

local passes = setmetatable({}, { __mode = "k" }) -- coroutines that close positions for a guard
local placing = setmetatable({}, { __mode = "k" }) -- coroutine -> the order that it places: { venue, op, given }
local judges = setmetatable({}, { __mode = "k" }) -- venue -> those whose word counts, one a risk guard

--- fn, with the gates open for it: what the guard itself places is placed, and before anything else.
function M.passing(fn)
  return function(...)
    passes[coroutine.running()] = true
    guard.hurry()
    return fn(...)
  end
end

--- The error that an order ends with; nil: it may be placed.
local function refusal(venue, given, op)
  for _, allows in ipairs(judges[venue]) do
    local ok, no = allows(given, op)
    if not ok then
      no.venue, no.sent = venue.name, false
      return no
    end
  end
end

--- An order of the running task that is about to be sent; other requests are none of ours.
local function veto_of(venue)
  return function(asked)
    local running = coroutine.running()
    local order = not passes[running] and placing[running]
    if not order or order.venue ~= venue or order.op ~= asked.op then return nil end
    return refusal(venue, order.given, order.op)
  end
end

local function stand_before(venue)
  for _, op in ipairs { "place", "amend" } do
    local original = venue[op]
    venue[op] = colon.method(op, function(self, given)
      local running = coroutine.running()
      if not passes[running] then
        local no = refusal(venue, given, op)
        if no then return nil, no end
        placing[running] = { venue = venue, op = op, given = given }
      end
      return original(self, given) -- a tail call: wrong use is blamed on its caller
    end, judges)
  end
  client.inside(venue).guard.veto = veto_of(venue)
end

--- allows(given, op) -> true, or nil and an error.
function M.install(venue, allows)
  if not judges[venue] then
    judges[venue] = {}
    stand_before(venue)
  end
  table.insert(judges[venue], allows)
end

--- How many requests that change something are under way to the venue, from this object.
function M.under_way(venue) return client.inside(venue).guard.under_way end

return M
