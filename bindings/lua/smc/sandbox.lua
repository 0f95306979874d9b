--- Simulated venues: real HTTP and WebSocket servers of this process, over the matching engine.
-- In a spec there is one of each name, which all its clients share; `smc.sandbox(name, options)` opens one more.
local server = require "smc.core.server"
local task = require "smc.core.task"
local world = require "smc.world"

local DIALECTS = { binance = "smc.sandbox.binance.face" }

local opened = setmetatable({}, { __mode = "k" }) -- by world, by name
local counts = setmetatable({}, { __mode = "k" }) -- sandboxes of a world, so that no two are the same

-- ---- what arrived ------------------------------------------------------------

local REQUEST_FILTERS = { signed = true, path = true, method = true, after = true, before = true, websocket = true,
  status = true }

--- Requests in order of arrival.  Filters: equal fields, and after <= at <= before in seconds of smc.now().
local function matching(log, filters, level)
  filters = filters or {}
  for key in pairs(filters) do
    if not REQUEST_FILTERS[key] then error(("requests: unknown filter '%s'"):format(key), level + 1) end
  end
  local out = {}
  for _, r in ipairs(log) do
    local fits = (not filters.after or r.at >= filters.after) and (not filters.before or r.at <= filters.before)
    for _, key in ipairs { "signed", "path", "method", "websocket", "status" } do
      if filters[key] ~= nil and r[key] ~= filters[key] then fits = false end
    end
    if fits then out[#out + 1] = r end
  end
  return out
end

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
  function box.requests(_, filters) return (matching(log, filters, 2)) end
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
