--- Simulated venues: real HTTP and WebSocket servers of this process, over the matching engine.
-- In a spec there is one of each name, which all its clients share; `smc.sandbox(name, options)` opens one more.
local request_log = require "smc.request_log"
local server = require "smc.core.server"
local task = require "smc.core.task"
local world = require "smc.world"

local DIALECTS = { binance = "smc.sandbox.binance.face" }

local opened = setmetatable({}, { __mode = "k" }) -- by world, by name
local counts = setmetatable({}, { __mode = "k" }) -- sandboxes of a world, so that no two are the same

local REQUEST_FIELDS = { signed = true, path = true, method = true, websocket = true, status = true }

-- ---- opening ------------------------------------------------------------------

local function check_options(name, options, known)
  for key in pairs(options) do
    if not known[key] then error(("sandbox %s: unknown option '%s'"):format(name, tostring(key)), 4) end
  end
end

local function listen(w, serve)
  local s = task.as_world(function() return assert(server.listen { on_request = serve }) end)
  if w.sabotage == "dead" then
    assert(s:refuse(true))
  elseif w.sabotage == "mute" then
    s:mute(true)
  end
  return s
end

local function open(w, name, options)
  local log = {}
  local function record(entry)
    entry.at = task.now()
    log[#log + 1] = entry
  end
  local face = require(DIALECTS[name])
  check_options(name, options, face.options)
  counts[w] = (counts[w] or 0) + 1
  local box, serve, close = face.new(w.seed + counts[w] - 1, options, record)
  local s = listen(w, serve)
  box.origin = s:origin()
  face.urls(box)
  function box.requests(_, filters) return (request_log.matching(log, REQUEST_FIELDS, filters, 2)) end
  w.on_close(function()
    close()
    s:close()
  end)
  return box
end

local function check_name(name, level)
  if type(name) ~= "string" or not DIALECTS[name] then
    error(("sandbox: no venue is called '%s' (known: binance)"):format(tostring(name)), level + 1)
  end
end

local M = {}

--- A sandbox of its own, beside those of smc.venue.
function M.open(name, options)
  check_name(name, 2)
  local box = open(world.current "smc.sandbox", name, options or {})
  return box -- not a tail call: wrong options are blamed on the caller's line
end

--- The sandbox that all venues of that name in the running spec share; opened at its first mention.
function M.shared(name)
  check_name(name, 2)
  local w = world.current "smc.venue"
  opened[w] = opened[w] or {}
  opened[w][name] = opened[w][name] or open(w, name, {})
  return opened[w][name]
end

return M
