--- `smcrun serve`: sandboxes in real time for programs outside, and a control API for what happens to them.
-- runner/commands/serve.c calls this and nothing else.

local boxes = require "smc.sandbox.box"
local control = require "smc.serve.control"
local core = require "smc.core.task"
local dialects = require "smc.dialects"
local json = require "smc.json"
local metrics = require "smc.serve.metrics"
local places = require "smc.serve.places"
local sandbox = require "smc.sandbox"
local server = require "smc.core.server"
local world = require "smc.world"

local M = {}

local KEPT = 10000  -- requests that a venue remembers
-- The heap grows to so many per cent of what is alive before the collector begins anew.  Little is alive: what markets
-- and logs remember is not of the heap.
local GC_PAUSE = 800
local BEAT_S = 1    -- how often markets catch up with the clock when nobody asks
local CONTROL = 1   -- the control API's port lies so many behind --port

-- ---- what was asked for ----------------------------------------------------------

--- The venues to serve, each with its guide; or nil and what is wrong with the command line.
local function choose(options)
  local known, chosen, seen, takes = {}, {}, {}, {}
  local names = dialects.names()
  for _, name in ipairs(names) do known[name] = dialects.sandbox(name) end
  for i, name in ipairs(#options.venues > 0 and options.venues or names) do
    if not known[name] then
      return nil, ("there is no sandbox of '%s'; there are %s"):format(name, table.concat(names, ", "))
    end
    if seen[name] then return nil, ("'%s' is named twice"):format(name) end
    seen[name] = true
    chosen[i] = { name = name, guide = known[name].guide }
    for _, credential in ipairs(chosen[i].guide.takes) do takes[credential] = true end
  end
  for credential in pairs(options.credentials) do
    if not takes[credential] then return nil, ("none of the venues takes --%s"):format(credential) end
  end
  return chosen
end

-- ---- opening -------------------------------------------------------------------

local function port_of(options, offset)
  return options.port and options.port + offset
end

local function cannot_listen(what, host, port, err)
  return ("%s cannot listen on %s:%d: %s; choose another --port, or leave it out to take any that is free")
    :format(what, host or "127.0.0.1", port or 0, err.message)
end

--- Returns true; nil and why it cannot be.
local function open_venue(v, options)
  local given = { tls = options.tls or nil, assume = v.guide.assume }
  for _, credential in ipairs(v.guide.takes) do given[credential] = options.credentials[credential] end
  local place = { host = options.host, port = port_of(options, v.guide.offset), keep = KEPT,
    forget = function(...) v.metrics:count(...) end }
  v.box, v.server, v.log, v.dialect = sandbox.serve(v.name, given, place)
  if not v.box then return nil, cannot_listen(v.name, place.host, place.port, v.server) end
  v.metrics = metrics.new(v.name, v.dialect)
  if v.guide.keep then boxes.keep(v.box, v.guide.keep.orders, v.guide.keep.trades) end
  return true
end

local function lines_of_json(state)
  local out = {}
  for i, v in ipairs(state.venues) do out[i] = { v.name, places.object(v) } end
  out[#out + 1] = { "control", state.control }
  return json.object(out)
end

--- The control API: never where other machines reach it.
local function open_control(state, options)
  local port = port_of(options, CONTROL)
  local door, err = core.as_world(server.listen, { on_request = control.new(state), port = port })
  if not door then return nil, cannot_listen("the control API", nil, port, err) end
  state.control = door:origin()
  return true
end

local function open(options)
  local chosen, why = choose(options)
  if not chosen then return nil, why end
  local state = { venues = chosen, by_name = {} }
  for _, v in ipairs(chosen) do
    why = select(2, open_venue(v, options))
    if why then return nil, why end
    state.by_name[v.name], state.ca = v, v.box.ca
  end
  why = select(2, open_control(state, options))
  if why then return nil, why end
  state.places = lines_of_json(state)
  return state
end

-- ---- telling -------------------------------------------------------------------

local function write(text)
  local ok, err = io.stdout:write(text)
  if ok then ok, err = io.stdout:flush() end
  if not ok then error("cannot write to standard output: " .. err, 0) end
end

--- The certificate of the authority, for NODE_EXTRA_CA_CERTS and the like.  Returns true; nil and why.
local function write_ca(state, file)
  local out, err = io.open(file, "w")
  if not out then return nil, "cannot write --ca-file " .. err end
  local ok
  ok, err = out:write(state.ca)
  local closed, late = out:close()
  if ok and closed then return true end
  return nil, ("cannot write --ca-file %s: %s"):format(file, err or late)
end

local function announce(state, options)
  if options.json then return write(json.encode(state.places) .. "\n") end
  local first = { "smcrun serves sandboxes in real time until SIGINT (Ctrl-C) or SIGTERM; seed " .. options.seed }
  if options.ca_file then first[2] = "programs trust them with NODE_EXTRA_CA_CERTS=" .. options.ca_file end
  first[#first + 1] = ""
  write(places.card(state, first))
end

-- ---- serving -------------------------------------------------------------------

--- Without this, the first request after a quiet week would have to wait for the market to live through it.
local function keep_time(state, complain)
  while true do
    core.sleep(BEAT_S)
    for _, v in ipairs(state.venues) do
      local ok, err = pcall(v.box.advance, v.box)
      if not ok then complain(tostring(err)) end
    end
  end
end

--- Opens everything and tells where it is.  Returns the state; nil and why not.
local function begin(options)
  local state, why = open(options)
  if not state then return nil, why end
  if options.ca_file then
    why = select(2, write_ca(state, options.ca_file))
    if why then return nil, why end
  end
  announce(state, options)
  return state
end

--- Serves until the host is asked to stop.  options: venues (names; none: all), host, port, tls, ca_file, seed,
-- credentials { key, secret, token, account }, json, complain(line).
-- Returns true; nil and why when the command line asks for what is not there, or a port is taken.  Raises whatever else
-- goes wrong.
function M.run(options)
  world.open("serve", { seed = options.seed, target = "sandbox", clock = "real" })
  local state, why = begin(options)
  if state then
    collectgarbage("setpause", GC_PAUSE)
    local outcome = core.run(function() keep_time(state, options.complain) end)
    if outcome.status ~= "cancelled" then error(outcome.error or outcome.status, 0) end
  end
  world.close()
  return state and true, why
end

return M
