--- What a client may leave behind of what it did at a venue: permits, places in queues, tasks, timers, streams,
-- sockets, and orders that nobody asked for.
local core = require "smc.core.task"
local http = require "smc.core.http"
local smc = require "smc"
local io = debug.getregistry()._LOADED.io

local M = {}

local BEATS = 20       -- seconds within which a venue notices that a client's stream has ended
local MOST_FILES = 100 -- a worker has a few dozen at most

--- Descriptors of this process: of both ends of each connection, as the venues live in it.  Asking takes none of them.
function M.files()
  local n = 0
  for fd = 0, MOST_FILES do
    local info = io.open("/proc/self/fdinfo/" .. fd)
    if info then
      n = n + 1
      info:close()
    end
  end
  return n
end

local function alive()
  local list = core.alive()
  table.sort(list)
  return list
end

--- The client of streams keeps what it needs for all of them once it has tried the first.
local function warm_up() assert(not smc.ws.connect "ws://127.0.0.1:1/") end

--- What there is before a venue was asked for anything.
function M.mark(venue)
  warm_up()
  return { venue = venue, alive = alive(), files = M.files() }
end

--- Everything that the venue's client began is over: as at the mark, but for connections that are kept for the next
-- request, which are closed here.  Call it when all streams were closed and all faults healed.
function M.nothing_since(mark)
  local venue = mark.venue
  eventually(function() assert.equal(0, #venue.sandbox:streams()) end, { within = BEATS })
  if venue.breaker then assert.equal(0, venue.breaker.permits, "permits of the breaker") end
  if venue.limiter then assert.equal(0, venue.limiter:waiting(), "requests that wait at the limiter") end
  http.idle_close()
  assert.equal(0, http.open_sockets(), "sockets of requests")
  eventually(function() -- the venue has to notice that a connection was closed
    assert.same(mark.alive, alive(), "tasks, timers and streams")
    assert.equal(mark.files, M.files(), "descriptors")
  end, { within = 1, every = 0.05 })
end

--- The venue has of each of these client ids as many orders as are said of it, and no others.
function M.only_orders(venue, wanted)
  local there = {}
  for id in pairs(wanted) do there[id] = 0 end
  for _, order in ipairs(venue.sandbox:orders()) do there[order.client_id] = (there[order.client_id] or 0) + 1 end
  assert.same(wanted, there)
end

return M
