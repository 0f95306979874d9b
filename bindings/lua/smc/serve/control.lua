--- The control API of `smcrun serve`: HTTP and JSON, for programs on this machine.  Its document: runner/serving.md.

local core = require "smc.core.task"
local faults = require "smc.sandbox.faults"
local json = require "smc.json"
local link_faults = require "smc.sandbox.link_faults"
local metrics = require "smc.serve.metrics"
local toxiproxy = require "smc.serve.toxiproxy"

local M = {}

local LIMIT, MOST = 100, 1000 -- of /VENUE/requests

-- What a browser may have been lured to has another Host, whatever address it leads to.
local LOOPBACK = { ["127.0.0.1"] = true, ["localhost"] = true, ["[::1]"] = true }

local function reply(ex, status, value, more)
  local headers = { { "Content-Type", "application/json" }, { "Cache-Control", "no-store" }, more }
  ex:reply(status, headers, json.encode(value) .. "\n")
end

local function refuse(ex, status, text, more)
  reply(ex, status, json.object("error", text), more)
end

-- ---- looking ------------------------------------------------------------------

--- Clients send what they like, and a clipped text may end inside a character; JSON is UTF-8.
local function safe(text)
  if text == nil then return nil end
  return utf8.len(text) and text or (text:gsub("[\x80-\xff]", "?"))
end

local function number_of(query, name, missing, most)
  local text = ("&" .. query):match("&" .. name .. "=([^&]*)")
  if not text then return missing end
  local n = text:find "^%d+$" and #text <= 18 and math.tointeger(tonumber(text))
  if not n then return nil, ("%s must be a whole number, as in ?%s=%d"):format(name, name, missing) end
  return math.min(n, most)
end

local function describe(r, id, epoch_ms)
  return json.object("id", id, "time", math.floor(epoch_ms + r.at * 1000 + 0.5), "method", safe(r.method),
    "path", safe(r.path), "query", safe(r.query), "body", safe(r.body), "signed", r.signed,
    "websocket", r.websocket or false, "status", r.status, "fault", r.fault)
end

local function requests(v, ex)
  for name in ex.query:gmatch "[^&=]+=?[^&]*" do
    local known = name:match "^since=" or name:match "^limit="
    if not known then return refuse(ex, 400, "only since=ID and limit=N can be asked for") end
  end
  local since, limit, why
  since, why = number_of(ex.query, "since", 0, math.maxinteger - 1)
  if since then limit, why = number_of(ex.query, "limit", LIMIT, MOST) end
  if not limit then return refuse(ex, 400, why) end
  local log, out = v.log, {}
  local epoch_ms = core.wall_ms() - core.now() * 1000
  for id = math.max(since + 1, log.first), math.min(log.last, math.max(since, log.first - 1) + limit) do
    out[#out + 1] = describe(log[id], id, epoch_ms)
  end
  reply(ex, 200, json.object("requests", json.array(out), "first", log.first, "last", log.last))
end

--- The connections that stay open, each with what its sandbox says of it.
local function streams(v, ex)
  local out = {}
  for i, stream in ipairs(v.box:streams()) do
    local fields = {}
    for name, value in pairs(stream) do
      fields[#fields + 1] = { name, type(value) == "table" and json.array(value) or value }
    end
    table.sort(fields, function(a, b) return a[1] < b[1] end)
    out[i] = json.object(fields)
  end
  reply(ex, 200, json.object("streams", json.array(out)))
end

-- ---- turning ------------------------------------------------------------------

--- From name to { example, like(body) -> another example for who sent that, or nil, fields = name -> type (nil: the
-- sandbox knows), act(venue, ex, body) }; act answers.
local turns = {}

--- A guide has examples of its own, where venues differ; false: the venue has no such thing.
local function example(v, name, body)
  local own, t = v.guide.examples[name], turns[name]
  if own ~= nil then return own end
  return body and t.like and t.like(body) or t.example
end

local function blame(v, ex, name, why, body)
  refuse(ex, 400, ("%s; send a body such as %s"):format(safe(why), example(v, name, body)))
end

--- Calls a method of the sandbox.  Wrong use, which it blames on its caller, is the client's; anything else is ours.
-- Returns true and what the method returned; nil once the client was refused.
local function turn(v, ex, method, given, ...)
  local ok, err, why = pcall(v.box[method], v.box, given, ...)
  if ok then return true, err, why end
  if type(err) ~= "string" or err:find "^[%w_/]+%.lua:%d+:" then error(err, 0) end
  blame(v, ex, method, (err:gsub("^sandbox:", "")), type(given) == "table" and given or nil)
end

local function cannot_listen(v, err) return ("cannot listen on %s again: %s"):format(v.box.origin, tostring(err)) end

local function faults_of(v)
  local out = {}
  for i, fault in ipairs(v.box:faults()) do
    local fields = {}
    for name, value in pairs(fault) do fields[#fields + 1] = { name, value } end
    table.sort(fields, function(a, b) return a[1] < b[1] end)
    out[i] = json.object(fields)
  end
  return json.array(out)
end

turns.skew = { example = '{"seconds": 2.5}', fields = { seconds = "number" }, act = function(v, ex, body)
  if not body.seconds or math.abs(body.seconds) > 1e9 then
    return blame(v, ex, "skew", "seconds, from -1000000000 to 1000000000, expected")
  end
  if turn(v, ex, "skew", body.seconds) then reply(ex, 200, json.object("seconds", body.seconds)) end
end }

turns.move = { example = '{"symbol": "BTC/USDT", "by": "-0.03"}',
  fields = { symbol = "string", by = "string", to = "string" }, act = function(v, ex, body)
    if not turn(v, ex, "move", body.symbol, { by = body.by, to = body.to }) then return end
    local book = v.box:book(body.symbol, 1)
    reply(ex, 200, json.object("symbol", book.symbol, "bid", book.bids[1] and book.bids[1][1],
      "ask", book.asks[1] and book.asks[1][1]))
  end }

turns.limit = { act = function(v, ex, body)
  if turn(v, ex, "limit", body) then reply(ex, 200, body) end
end }

turns.add_key = { example = '{"kind": "rsa", "public": "-----BEGIN PUBLIC KEY-----..", "trade": false}',
  like = function(body) return body.kind == "hmac" and '{"kind": "hmac", "secret": "a secret of mine"}' or nil end,
  act = function(v, ex, body)
    local fine, key = turn(v, ex, "add_key", body)
    if fine then reply(ex, 200, json.object("key", key)) end
  end }

local ANY_SYMBOL = '{"symbol": "BTC/USDT"}'

for _, name in ipairs { "halt", "resume" } do
  turns[name] = { example = ANY_SYMBOL, fields = { symbol = "string" }, act = function(v, ex, body)
    if turn(v, ex, name, body.symbol) then reply(ex, 200, json.object("symbol", body.symbol)) end
  end }
end

turns.fill = { example = '{"client_id": "mine-1", "qty": "0.5"}', act = function(v, ex, body)
  if turn(v, ex, "fill", body) then reply(ex, 200, body) end
end }

turns.reset = { example = "{}", fields = {}, act = function(v, ex)
  local fine, ok, err = turn(v, ex, "reset")
  if not fine then return end
  if ok then return reply(ex, 200, json.object("faults", faults_of(v))) end
  refuse(ex, 409, cannot_listen(v, err))
end }

turns.fault = { example = '{"venue": "ack_lost", "on": "place", "times": 1}',
  like = function(body) return body.link and not body.venue and '{"link": "latency", "latency": 0.2}' or nil end,
  act = function(v, ex, body)
    if turn(v, ex, "fault", body) then reply(ex, 200, json.object("faults", faults_of(v))) end
  end }

local HEAL = { venue = "string", link = "string" }

turns.heal = { example = '{"venue": "ack_lost"}', fields = HEAL, act = function(v, ex, body)
  local fine, ok, err = turn(v, ex, "heal", body.venue or body.link)
  if not fine then return end
  if ok then return reply(ex, 200, json.object("faults", faults_of(v))) end
  refuse(ex, 409, cannot_listen(v, err))
end }

local function check_fields(body, wanted)
  for name, value in pairs(body) do
    if not wanted[name] then return ("unknown field '%s'"):format(safe(name)) end
    if type(value) ~= wanted[name] then return ("%s must be a %s"):format(name, wanted[name]) end
  end
end

--- The JSON object of a POST; nil once the client was refused.
local function read_body(v, ex, name)
  local t = turns[name]
  local kind = (ex:header "content-type" or ""):lower():match "^%s*([^;%s]*)"
  if kind ~= "application/json" then
    return refuse(ex, 415, "send Content-Type: application/json, and a body such as " .. example(v, name))
  end
  local body, err = json.decode(ex.body)
  local why
  if body == nil then
    why = "no JSON: " .. tostring(err.message)
  elseif type(body) ~= "table" or getmetatable(body) ~= nil then
    why = "no JSON object"
  else
    why = t.fields and check_fields(body, t.fields)
  end
  if not why then return body end
  blame(v, ex, name, why)
end

-- ---- finding ------------------------------------------------------------------

-- In the order of the index.
local TURNS = { "fault", "heal", "skew", "move", "fill", "halt", "resume", "limit", "add_key", "reset" }

--- What there is: the line of --json, how each venue is set, and the paths.
local function index(state)
  local paths, venues = { "GET /", "GET /healthz", "GET /metrics" }, {}
  for _, v in ipairs(state.venues) do
    paths[#paths + 1] = ("GET /%s/requests?since=ID&limit=N"):format(v.name)
    paths[#paths + 1] = ("GET /%s/streams"):format(v.name)
    for _, name in ipairs(TURNS) do
      local body = example(v, name)
      if body then paths[#paths + 1] = ("POST /%s/%s %s"):format(v.name, name, body) end
    end
    venues[#venues + 1] = { v.name, json.object("faults", faults_of(v), "requests", v.log.last) }
  end
  for _, path in ipairs(toxiproxy.paths) do
    for _, method in ipairs { "GET", "POST", "PATCH", "DELETE" } do
      if path[method] then paths[#paths + 1] = method .. " " .. path[1] end
    end
  end
  local known, of_links = {}, {}
  for i, name in ipairs(faults.names()) do known[i] = { name, faults.table[name].doc } end
  for i, name in ipairs(link_faults.names()) do of_links[i] = { name, link_faults.table[name].doc } end
  return json.object("places", state.places, "faults", json.object(known), "link_faults", json.object(of_links),
    "venues", json.object(venues), "paths", json.array(paths))
end

local plain = {
  ["/"] = function(state, ex) reply(ex, 200, index(state)) end,
  ["/healthz"] = function(_, ex) reply(ex, 200, json.object("status", "ok")) end,
  ["/metrics"] = function(state, ex)
    ex:reply(200, { { "Content-Type", "text/plain; version=0.0.4; charset=utf-8" }, { "Cache-Control", "no-store" } },
      metrics.page(state.venues))
  end,
}

--- The method and the handler of a path; nil: there is no such path.
local function find(state, path)
  if plain[path] then return "GET", function(ex) plain[path](state, ex) end end
  local name, what = path:match "^/([%w_]+)/([%w_]+)$"
  local v = name and state.by_name[name]
  if not v then return nil end
  if what == "requests" then return "GET", function(ex) requests(v, ex) end end
  if what == "streams" then return "GET", function(ex) streams(v, ex) end end
  if not turns[what] or not example(v, what) then return nil end
  return "POST", function(ex)
    local body = read_body(v, ex, what)
    if body then turns[what].act(v, ex, body) end
  end
end

local function from_here(ex)
  local host = (ex:header "host" or ""):lower()
  return LOOPBACK[host:gsub(":%d*$", "")]
end

--- The handler of the control API.  state: { venues, by_name, places }.
function M.new(state)
  return function(ex)
    if not from_here(ex) then
      return refuse(ex, 403, "the Host header must be 127.0.0.1, localhost or [::1], with or without a port")
    end
    if toxiproxy.handle(state, ex) then return end
    local method, handle = find(state, ex.path)
    if not method then return refuse(ex, 404, "there is no such path; GET / lists those that there are") end
    local asked = ex.method == "HEAD" and "GET" or ex.method
    if asked ~= method then
      return refuse(ex, 405, ("use %s for %s"):format(method, ex.path), { "Allow", method })
    end
    handle(ex)
  end
end

return M
