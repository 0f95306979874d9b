-- Sandboxes for programs that we did not write: opened on the real clock, described in a file, and ended when
-- somebody asks.  Run by ./run in an empty folder; the checks steer it over a small control interface.
local smc = require "smc"
local json = require "smc.json"
local listener = require "smc.core.server"

local FILE = "serving.json" -- in the working folder; appears when everything listens

-- What a control request does to a sandbox: POST /<sandbox>/<verb> with JSON.
local verbs = {}

function verbs.requests(box)
  local out = {}
  for i, r in ipairs(box:requests()) do
    out[i] = json.object("method", r.method, "path", r.path, "query", r.query, "body", r.body, "signed", r.signed,
      "websocket", r.websocket, "status", r.status)
  end
  return json.array(out)
end

function verbs.move(box, given)
  box:move(given.symbol, { to = given.to, by = given.by })
  return true
end

function verbs.limit(box, given)
  box:limit(given)
  return true
end

function verbs.skew(box, given)
  box:skew(given.seconds)
  return true
end

function verbs.add_key(box, given)
  return box:add_key(given)
end

function verbs.fault(box, given)
  box:fault(given)
  return true
end

function verbs.heal(box)
  return box:heal()
end

function verbs.halt(box, given)
  box:halt(given.symbol)
  return true
end

function verbs.resume(box, given)
  box:resume(given.symbol)
  return true
end

function verbs.streams(box)
  local out = {}
  for i, s in ipairs(box:streams()) do
    out[i] = json.object("kind", s.kind, "path", s.path, "pings", s.pings, "subscriptions", s.subscriptions,
      "streams", json.array(s.streams or {}))
  end
  return json.array(out)
end

-- A scenario may not write files: what it may not have is still there, below.
local function write(path, text)
  local file = assert(debug.getregistry()._LOADED.io.open(path, "w"))
  file:write(text)
  file:close()
end

local function describe_box(box)
  return json.object("rest", box.url, "ws", box.ws_url, "ws_api", box.ws_api_url, "key", box.key, "secret", box.secret,
    "account", box.account, "token", box.token)
end

describe("sandboxes", function()
  it("serve foreign programs until they are told to stop", function()
    local boxes = {
      main = smc.sandbox "binance",
      paid = smc.sandbox("binance", { assume = { commission_bps = 10 } }),
      strict = smc.sandbox("binance", { assume = { ban_after = 3, ban_first = 2 } }),
      bybit = smc.sandbox "bybit",
      bybitStrict = smc.sandbox("bybit", { assume = { ban_seconds = 2 } }),
      oanda = smc.sandbox "oanda",
      oandaStrict = smc.sandbox "oanda",
    }
    local stopped, answered = false, 0
    local control = assert(listener.listen { on_request = function(ex)
      answered = answered + 1
      if ex.path == "/stop" then
        stopped = true
        return ex:reply(200)
      end
      local name, verb = ex.path:match("^/(%w+)/([%w_]+)$")
      local result = verbs[verb](boxes[name], ex.body ~= "" and json.decode(ex.body) or nil)
      ex:reply(200, { { "Content-Type", "application/json" } }, json.encode(json.object("result", result)))
    end })
    finally(function() control:close() end)

    local serving = { control = control:origin() }
    for name, box in pairs(boxes) do serving[name] = describe_box(box) end
    write(FILE .. ".part", json.encode(serving))
    assert(debug.getregistry()._LOADED.os.rename(FILE .. ".part", FILE))

    while not stopped do smc.sleep(0.05) end
    assert.is_true(answered > 0)
  end)
end)
