--- A venue of one's own, as two tables: the client half in venue/NAME.lua, the server half in sandbox/NAME.lua, both
-- beside the scenario.  What it does not define it does not have.
local list = require "smc.list"
local box = require "smc.sandbox.box"
local base = require "smc.sandbox.base"
local client = require "smc.venue.client"
local decimal = require "smc.decimal"
local json = require "smc.json"
local outcome = require "smc.venue.outcome"
local query = require "smc.venue.query"
local task = require "smc.core.task"
local text = require "smc.core.text"

local M = {}

--- What is wrong with a table, or nil.  known: name -> type.
local function wrong(what, def, known, needed)
  if type(def) ~= "table" then return what .. ": a table expected" end
  for key, value in pairs(def) do
    if not known[key] then return ("%s: %s"):format(what, list.unknown("key", key, known)) end
    if type(value) ~= known[key] then return ("%s: %s must be a %s"):format(what, key, known[key]) end
  end
  for _, key in ipairs(needed) do
    if def[key] == nil then return ("%s: %s is missing"):format(what, key) end
  end
end

local function is_decimal(value) return type(value) == "string" and (pcall(decimal.add, value, "0")) end

-- ---- the client half ---------------------------------------------------------------------

local VENUE = { name = "string", testnet = "string", credentials = "table", symbols = "table", sign = "function",
  refused = "function", class_of = "function", limits = "table" }

--- What an answer is: its value, or nil and an error.
local function judge(def, errors, reply, asked)
  local value = json.decode(reply.body or "")
  if reply.status >= 200 and reply.status < 300 then
    if value ~= nil then return value, reply.headers end
    return nil, errors.broken(asked.op, "the answer is not JSON", reply.status, asked.mutation), reply.headers
  end
  local code, message
  if def.refused and type(value) == "table" then code, message = def.refused(value) end
  return nil, errors.answered({ http = reply.status, code = code, retry_after = tonumber(reply.headers["retry-after"]),
    message = message or ("HTTP status %d"):format(reply.status) }, asked.op, asked.mutation), reply.headers
end

--- One attempt.  bytes: the query of a GET or DELETE, the JSON of anything else.
local function send(def, errors, self, asked)
  local inner, url, body = client.inside(self), self.url .. asked.path, nil
  local in_query = asked.method == "GET" or asked.method == "DELETE"
  asked.headers, asked.bytes = {}, in_query and query.encode(asked.params) or json.encode(asked.params)
  if not in_query then asked.headers["Content-Type"] = "application/json" end
  if asked.signed then
    def.sign(asked, { key = self.key, now = task.wall_ms() + inner.offset_ms,
      sign = function(payload) return assert(inner.signer:sign(payload)) end })
  end
  if not in_query then body = asked.bytes elseif asked.bytes ~= "" then url = url .. "?" .. asked.bytes end
  local headers = {}
  for name, value in pairs(asked.headers) do headers[#headers + 1] = { name, value } end
  local reply, err = inner.wire:send(asked, url, headers, body)
  if not reply then return nil, errors.unanswered(err, asked.op, asked.mutation) end
  return judge(def, errors, reply, asked)
end

local DEFAULT_CLASS = { [401] = "auth", [403] = "permission", [429] = "rate_limit" }

--- By HTTP status, unless the venue knows better.  A mutation that met a failing server may have happened.
local function classify(def)
  return function(http, code, message, mutation)
    local class = def.class_of and def.class_of(http, code, message)
    if class then return class, class == "rate_limit" or class == "server" end
    if http >= 500 then return mutation and "unknown_outcome" or "server", not mutation end
    return DEFAULT_CLASS[http] or (code == nil and "invalid_request" or "protocol"), http == 429
  end
end

--- The client half.  name; testnet: the origin of its REST interface; credentials: { key = VARIABLE, secret =
-- VARIABLE }; sign(asked, who): adds to asked.headers or asked.bytes of { method, path, params, headers, bytes }, who:
-- { key, now (ms), sign(payload) }; refused(value) -> code, message of an answer that says no; class_of(http, code,
-- message) -> an error class, or nil for the usual one; limits: budgets by name, as smc.limiter has them: each request
-- costs one of each.  The venue's calls are added to `calls` of what it returns, as
-- methods; they have self:ask(op, method, path, params, { signed =, mutation = }) -> answer, headers | nil, err.
function M.venue(def)
  local why = wrong("dialect.venue", def, VENUE, { "name", "sign" })
  if not why and def.testnet and not (def.credentials and def.credentials.key and def.credentials.secret) then
    why = "dialect.venue: a testnet wants credentials = { key = VARIABLE, secret = VARIABLE }"
  end
  if why then error(why, 2) end
  local Venue = client.class(def.name)
  local errors = outcome.of(def.name, classify(def))
  function Venue:ask(op, method, path, params, how)
    how = how or {}
    return client.inside(self).guard:call({ op = op, method = method, path = path, params = params or {},
      signed = how.signed == true, mutation = how.mutation == true }, function(asked)
      return send(def, errors, self, asked)
    end)
  end
  client.verbs(Venue, function(self, op, method, path, params, signed)
    return self:ask(op, method, path, params, { signed = signed, mutation = method ~= "GET" and signed })
  end)
  local half = { name = def.name, calls = Venue, options = client.options, credentials = {},
    testnet = { rest = def.testnet } }
  for field, variable in pairs(def.credentials or {}) do
    half.credentials[#half.credentials + 1] = { field, variable }
  end
  function half.sandbox_urls(its) return { rest = its.url } end
  function half.new(access, options, w)
    local self = client.new(Venue, access, options, w, { budgets = def.limits })
    self.symbols = def.symbols
    return self -- not a tail call: wrong options are blamed on the caller's line
  end
  return half
end

--- For place of a client half: what it was given, or an error at the line of its caller.
M.check_place, M.check_one = client.check_place, client.check_one

-- ---- the server half ---------------------------------------------------------------------

local SANDBOX = { name = "string", symbols = "table", routes = "table", identify = "function", refuse = "function",
  assume = "table", funds = "table" }
local SYMBOL = { name = "string", base = "string", quote = "string", tick = "string", step = "string",
  start = "string" }

local ROUTE = { signed = "boolean", handle = "function" }

local function wrong_symbol(i, given)
  local what = ("dialect.sandbox: symbol %d"):format(i)
  local why = wrong(what, given, SYMBOL, { "name", "base", "quote", "tick", "step", "start" })
  if why then return why end
  for _, key in ipairs { "tick", "step", "start" } do
    if not is_decimal(given[key]) then return ("%s: %s is no decimal: '%s'"):format(what, key, given[key]) end
  end
end

local function wrong_route(name, route)
  if type(name) ~= "string" or not name:find "^%u+ /" then
    return ("dialect.sandbox: a route is named by method and path, \"GET /time\", not '%s'"):format(tostring(name))
  end
  return wrong(("dialect.sandbox: route '%s'"):format(name), route, ROUTE, { "handle" })
end

local function wrong_fund(i, fund)
  if type(fund) == "table" and type(fund[1]) == "string" and is_decimal(fund[2]) then return nil end
  return ("dialect.sandbox: fund %d is an asset and a decimal string, { \"USD\", \"100000\" }"):format(i)
end

--- What is wrong with a server half, before anybody asks it something.
local function wrong_sandbox(def)
  local why = wrong("dialect.sandbox", def, SANDBOX, { "name", "symbols", "routes" })
  if why then return why end
  for i, given in ipairs(def.symbols) do why = why or wrong_symbol(i, given) end
  for name, route in pairs(def.routes) do
    why = why or wrong_route(name, route)
    if not why and route.signed and not def.identify then why = "dialect.sandbox: a signed route wants identify" end
  end
  for i, fund in ipairs(def.funds or {}) do why = why or wrong_fund(i, fund) end
  return why
end

local function symbols_of(def)
  local out = {}
  for i, given in ipairs(def.symbols) do
    out[i] = { symbol = given.base .. given.quote }
    for key, value in pairs(given) do out[i][key] = value end
  end
  return out
end

local function decoded(raw)
  local out = {}
  for name, value in raw:gmatch "([^&=]+)=([^&]*)" do out[text.percent_decode(name)] = text.percent_decode(value) end
  return out
end

--- What a handler is given.
local function call_of(ex)
  return { method = ex.method, path = ex.path, query = decoded(ex.query or ""), raw_query = ex.query or "",
    raw_body = ex.body or "", body = ex.body ~= "" and json.decode(ex.body or "") or nil,
    header = function(name) return ex:header(name:lower()) end }
end

local function answer(def, sb, ex)
  local route = def.routes[ex.method .. " " .. ex.path]
  if not route then return nil, { status = 404, message = "there is no such path" } end
  local call = call_of(ex)
  if route.signed then
    local key, no = def.identify(sb, call)
    if not key then return nil, no end
    call.key, call.account = key, key.account
  end
  return route.handle(sb, call)
end

local function serve(def, sb, ex)
  local id = sb.book.add(ex.method, ex.path, ex.query or "", ex.body or "",
    (def.routes[ex.method .. " " .. ex.path] or {}).signed == true, ex.is_websocket)
  sb:settle()
  local value, no = answer(def, sb, ex)
  sb:settle()
  local status = value ~= nil and 200 or no.status
  sb.book.note(id, status)
  if value == nil then value = def.refuse and def.refuse(no) or { message = no.message } end
  ex:reply(status, { { "Content-Type", "application/json" } }, json.encode(value))
end

local KEY_LENGTH, SECRET_LENGTH = 16, 32

--- The class of a venue that speaks REST alone: nobody is told what happens by itself.
local function quiet_class()
  local class = base.class()
  function class.heard() end
  function class.watched() return false end
  function class.describe_sessions() return {} end
  return class
end

--- The server half.  name; symbols: { { name = "BTC/USDT", base, quote, tick, step, start }, .. }, decimals as strings;
-- routes: { ["GET /time"] = { signed = bool, handle = function(sb, call) return value | nil, no end }, .. };
-- identify(sb, call) -> a record of sb.keys | nil, no; refuse(no) -> the body of an answer that says no, where
-- no = { status, ..whatever it wants }; assume: named switches with their values.  sb: market (core/market/README.md),
-- keys (by name: { material, account, can_trade }), by_name, by_symbol, assume, now().
function M.sandbox(def)
  local why = wrong_sandbox(def)
  if why then error(why, 2) end
  local Venue, Box = quiet_class(), box.class(def.name, { hmac = true })
  Venue.serve = function(sb, ex) return serve(def, sb, ex) end
  local venue = { assumptions = { commission_bps = 0 } }
  for name, value in pairs(def.assume or {}) do venue.assumptions[name] = value end
  function venue.new(seed, assume, book, credentials)
    return base.new(Venue, { name = def.name, seed = seed, assume = assume, book = book,
      symbols = symbols_of(def), key_length = KEY_LENGTH, secret_length = SECRET_LENGTH, credentials = credentials,
      funds = def.funds })
  end
  local half = { name = def.name, options = box.options }
  function half.new(seed, options, book)
    local its, on_request, close = box.new(Box, venue, seed, options, book)
    return its, on_request, close -- not a tail call: an unknown assumption is blamed on the caller's line
  end
  half.door = { name = def.name, ops = {}, volatile = {} }
  function half.door.signed(ex) return (def.routes[ex.method .. " " .. ex.path] or {}).signed == true end
  function half.door.refusal(p)
    local no = { status = p.status, code = p.code, message = p.message or "a fault" }
    local body = def.refuse and def.refuse(no) or { message = no.message }
    return { { "Content-Type", "application/json" } }, json.encode(body)
  end
  function half.urls(its) its.url = its.origin end
  function half.template(method, path) return def.routes[method .. " " .. path] and path or "other" end
  return half
end

return M
