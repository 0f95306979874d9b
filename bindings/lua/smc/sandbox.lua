--- Simulated venues: real HTTP and WebSocket servers of this process, over the matching engine.
-- In a spec there is one of each name, which all its clients share; `smc.sandbox(name, options)` opens one more.
local arrivals = require "smc.core.arrivals"
local list = require "smc.list"
local boxes = require "smc.sandbox.box"
local colon = require "smc.colon"
local dialects = require "smc.dialects"
local doors = require "smc.sandbox.door"
local faults = require "smc.sandbox.faults"
local request_log = require "smc.request_log"
local sabotage = require "smc.sabotage"
local server = require "smc.core.server"
local task = require "smc.core.task"
local witness = require "smc.sandbox.witness"
local world = require "smc.world"

local opened = setmetatable({}, { __mode = "k" }) -- by world, by name
local counts = setmetatable({}, { __mode = "k" }) -- sandboxes of a world, so that no two are the same

local REQUEST_FIELDS = { signed = "boolean", path = "string", method = "string", websocket = "boolean",
  status = "number", fault = "string" }

-- ---- what arrived ------------------------------------------------------------

local CLIPPED = 2048 -- bytes of a request, where requests are not kept for ever

--- The log of requests, and what venues write in it: add(method, path, query, body, signed, websocket, status, fault)
-- -> number; note(number, status, fault).  book.fault: the one that is being committed.
local function new_log(place)
  local log, keep, last = arrivals.new(place.keep, place.keep and CLIPPED), place.keep or math.huge, 0
  local add, note, at_once = log.add, log.note, math.max(1, keep // 100)
  local full = keep
  local book = {}
  function book.add(method, path, query, body, signed, websocket, status, fault)
    if last >= full then
      place.forget(log, last - keep + 1, last - keep + at_once)
      full = last + at_once
    end
    last = add(log, method, path, query, body, signed, websocket, status, fault or book.fault)
    return last
  end
  function book.note(id, status, fault) return note(log, id, status, fault) end
  return log, book
end

-- ---- opening ------------------------------------------------------------------

local TLS_FAULTS = { expired = "expired", wrong_host = "wrong_host", unknown_ca = "wrong_authority" }

--- What the listener is told of TLS.  tls: nil, true, or { fault = one of TLS_FAULTS }.
local function check_tls(name, tls)
  if tls == nil or type(tls) == "boolean" then return tls end
  local fault = type(tls) == "table" and tls.fault
  if TLS_FAULTS[fault] and next(tls, next(tls)) == nil then return { [TLS_FAULTS[fault]] = true } end
  error(("smc.sandbox: %s: tls must be true or { fault = \"expired\" | \"wrong_host\" | \"unknown_ca\" }")
    :format(name), 4)
end

local function check_options(name, options, known)
  if type(options) ~= "table" then error(("smc.sandbox: %s: an options table expected"):format(name), 4) end
  for key in pairs(options) do
    if not known[key] and key ~= "tls" then
      error(("smc.sandbox: %s: %s"):format(name, list.unknown("option", key, known, "tls")), 4)
    end
  end
end

local function listen(w, serve, place, tls)
  local s, err = task.as_world(server.listen, { on_request = serve, host = place.host, port = place.port, tls = tls,
    seed = w.seed + counts[w] })
  return s, err
end

--- Returns the box, its server and its log; or nil, err when it cannot listen.
local function open(w, name, options, place)
  local face = dialects.sandbox(name)
  check_options(name, options, face.options)
  local tls = check_tls(name, options.tls)
  counts[w] = (counts[w] or 0) + 1
  local door
  local log, book = new_log(place)
  local box, serve, close = face.new(w.seed + counts[w] - 1, options, book)
  door = doors.new(face.door, serve, book, w.seed + counts[w])
  door.box, door.venue = box, function() return boxes.venue(box) end
  local enter = sabotage.entrance(w.sabotage, function(ex) door:enter(ex) end)
  if w.allow_process then enter = witness.before(door, enter, w) end
  local s, err = listen(w, enter, place, tls)
  if not s then return nil, err end
  door.server, door.tls, door.served = s, tls, place.keep ~= nil
  box.origin, box.ca = s:origin(), s:ca()
  face.urls(box)
  box.requests = colon.method("sandbox:requests", function(_, filters)
    local out = request_log.matching("sandbox:requests", log, REQUEST_FIELDS, filters, 2)
    local wrong = filters and filters.fault and faults.unseen(filters.fault)
    if wrong then error("sandbox:requests: " .. wrong, 2) end
    return out
  end, { [box] = true })
  boxes.set_door(box, door)
  if w.sabotage then sabotage.befall(w.sabotage, door, boxes.venue(box)) end
  w.on_close(function()
    door:close()
    close()
    s:close()
  end)
  return box, s, log
end

local function check_name(name, level)
  if not dialects.sandbox(name) then error("smc.sandbox: " .. dialects.unknown("sandbox", name), level + 1) end
end

local M = {}

--- A sandbox of its own, beside those of smc.venue.
function M.open(name, options)
  check_name(name, 2)
  local box = assert(open(world.current "smc.sandbox", name, options or {}, {}))
  return box -- not a tail call: wrong options are blamed on the caller's line
end

--- The sandbox that all venues of that name in the running spec share; opened at its first mention.
function M.shared(name)
  check_name(name, 2)
  local w = world.current "smc.venue"
  opened[w] = opened[w] or {}
  opened[w][name] = opened[w][name] or assert(open(w, name, {}, {}))
  return opened[w][name]
end

--- For `smcrun serve`.  place: host, port (nil: 127.0.0.1, any), keep (how many requests are remembered),
-- forget(log, first, last), called before some are forgotten.  Returns the box, its server, its log (smc.core.arrivals)
-- and its dialect; nil, err when it cannot listen.
function M.serve(name, options, place)
  local box, s, log = open(world.current "smcrun serve", name, options, place)
  if not box then return nil, s end
  return box, s, log, dialects.sandbox(name)
end

return M
