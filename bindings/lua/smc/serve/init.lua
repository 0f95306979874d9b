--- `smcrun serve`: sandboxes in real time for programs outside, and a control API for what happens to them.
-- runner/serve.c calls this and nothing else.

local control = require "smc.serve.control"
local core = require "smc.core.task"
local json = require "smc.json"
local metrics = require "smc.serve.metrics"
local sandbox = require "smc.sandbox"
local server = require "smc.core.server"
local world = require "smc.world"

local M = {}

local KEPT = 10000  -- requests that a venue remembers
local BEAT_S = 1    -- how often markets catch up with the clock when nobody asks
local CONTROL = 1   -- the control API's port lies so many behind --port
local OFFSET = { binance = 0 }

-- ---- what is printed -----------------------------------------------------------

local TABLE = [[
smcrun serves sandboxes in real time until it gets SIGINT (Ctrl-C) or SIGTERM; seed $seed

binance
  REST           $rest
  streams        $ws
  WebSocket API  $ws_api
  key            $key
  secret         $secret
control          $control

ccxt
  const ex = new ccxt.pro.binance({ apiKey: '$key',
    secret: '$secret',
    options: { fetchCurrencies: false, fetchMarkets: { types: ['spot'] } } })
  ex.setSandboxMode(true)
  for (const k of ['public', 'private']) ex.urls.api[k] = '$rest/api/v3'
  ex.urls.api.ws.spot = '$ws/ws'
  ex.urls.api.ws['ws-api'].spot = '$ws_api'
  await ex.loadHttpProxyAgent()   // else ccxt refuses ws:// without TLS

@binance/connector
  new Spot('$key',
    '$secret', { baseURL: '$rest' })
  new WebsocketStream({ wsURL: '$ws', callbacks })
  new WebsocketAPI('$key',
    '$secret', { wsURL: '$ws_api', callbacks })
]]

local function write(text)
  assert(io.stdout:write(text))
  assert(io.stdout:flush())
end

local function announce(state, options)
  if options.json then return write(json.encode(state.places) .. "\n") end
  local box = state.by_name.binance.box
  local words = { seed = tostring(options.seed), rest = box.url, ws = box.ws_url, ws_api = box.ws_api_url,
    key = box.key, secret = box.secret, control = state.control }
  write((TABLE:gsub("%$([%a_]+)", words)))
end

-- ---- opening -------------------------------------------------------------------

local function port_of(options, offset)
  return options.port and options.port + offset
end

local function cannot_listen(what, port, err)
  return nil, ("%s cannot listen on 127.0.0.1:%d: %s; choose another --port, or leave it out to take any that is free")
    :format(what, port or 0, err.message)
end

local function open_venue(name, options)
  local v = { name = name }
  local err
  v.box, v.server, v.log, v.dialect = sandbox.serve(name, { key = options.key, secret = options.secret }, {
    port = port_of(options, OFFSET[name]), keep = KEPT,
    forget = function(entry, id) v.metrics:count(entry, id) end,
  })
  if not v.box then
    err = v.server
    return cannot_listen(name, port_of(options, OFFSET[name]), err)
  end
  v.metrics = metrics.new(name, v.dialect)
  return v
end

local function places(state)
  local out = {}
  for i, v in ipairs(state.venues) do
    out[i] = { v.name, json.object("rest", v.box.url, "ws", v.box.ws_url, "ws_api", v.box.ws_api_url,
      "key", v.box.key, "secret", v.box.secret) }
  end
  out[#out + 1] = { "control", state.control }
  return json.object(out)
end

local function open(options)
  local state = { venues = {}, by_name = {} }
  for i, name in ipairs(options.venues) do
    local v, why = open_venue(name, options)
    if not v then return nil, why end
    state.venues[i], state.by_name[name] = v, v
  end
  local port = port_of(options, CONTROL)
  local door, err = core.as_world(server.listen, { on_request = control.new(state), port = port })
  if not door then return cannot_listen("the control API", port, err) end
  state.control = door:origin()
  state.places = places(state)
  return state
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

--- Serves until the host is asked to stop.  options: venues (names), port, seed, key, secret, json, complain(line).
-- Returns true; nil and why when a port is taken.  Raises whatever else goes wrong.
function M.run(options)
  world.open("serve", { seed = options.seed, target = "sandbox", clock = "real" })
  local state, why = open(options)
  if state then
    announce(state, options)
    local outcome = core.run(function() keep_time(state, options.complain) end)
    if outcome.status ~= "cancelled" then error(outcome.error or outcome.status, 0) end
  end
  world.close()
  return state and true, why
end

return M
