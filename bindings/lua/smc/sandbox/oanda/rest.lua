--- The front door: paths, the token, answers.  REST and both streams live on one origin.
local clock = require "smc.sandbox.oanda.clock"
local json = require "smc.json"
local params = require "smc.sandbox.oanda.params"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.oanda.refusal"

local M = { endpoints = {} }

-- ---- routes ------------------------------------------------------------------------

local tree = {} -- segment -> node; "{}": any segment; node.methods: method -> route

local function add(prefix, route)
  local method, path, handle = route[1], route[2], route[3]
  local node, names = tree, {}
  for segment in (prefix .. path):gmatch "[^/]+" do
    local name = segment:match "^{(.*)}$"
    if name then names[#names + 1] = name end
    segment = name and "{}" or segment
    node[segment] = node[segment] or {}
    node = node[segment]
  end
  node.methods = node.methods or {}
  local name = method .. " /" .. prefix .. path
  node.methods[method] = { name = name, handle = handle, names = names, plain = route.plain, stream = route.stream }
  M.endpoints[#M.endpoints + 1] = name
end

for _, part in ipairs { "account", "orders", "trades", "positions", "pricing", "candles", "transactions" } do
  local module = require("smc.sandbox.oanda." .. part)
  for _, route in ipairs(module.routes) do add("v3/accounts/{account}/", route) end
  for _, route in ipairs(module.public_routes or {}) do add("v3/", route) end
end

--- The route's methods, and what stands in the places of its names.
local function find(path)
  local node, found = tree, {}
  for segment in path:gmatch "[^/]+" do
    local exact = node[segment]
    if not exact then found[#found + 1] = params.decoded(segment) end
    node = exact or node["{}"]
    if not node then return nil end
  end
  return node.methods, found
end

--- What metrics call the path of a request: as many words as there are routes.
function M.template(path)
  local node, out = tree, ""
  for segment in path:gmatch "[^/]+" do
    local exact = node[segment]
    node, out = exact or node["{}"], out .. "/" .. (exact and segment or "{}")
    if not node then return "other" end
  end
  return node.methods and out or "other"
end

-- ---- answers -----------------------------------------------------------------------

local ORIGINS = { { "Access-Control-Allow-Origin", "*" },
  { "Access-Control-Allow-Headers", "Authorization, Content-Type, Accept-Datetime-Format" },
  { "Access-Control-Allow-Methods", "PUT, PATCH, POST, GET, OPTIONS, DELETE" } }

local function reply(call, status, fields)
  local headers = { { "Content-Type", "application/json" }, { "RequestID", call.request_id }, { "Date", call.date },
    table.unpack(ORIGINS) }
  for _, header in ipairs(call.headers) do headers[#headers + 1] = header end
  local text = json.encode(json.object(table.unpack(fields, 1, fields.n)))
  call.ex:reply(status, headers, call.unix and clock.as_unix(text) or text)
  return status
end

--- Appends name and value to a list of fields; what is nil is left out.
local function append(fields, name, value)
  if value == nil then return end
  fields.n = (fields.n or #fields) + 2
  fields[fields.n - 1], fields[fields.n] = name, value
end

--- The ids of what the request did, and the head of the account's log.
local function account_state(sb, fields, call)
  if call.batch then append(fields, "relatedTransactionIDs", json.array(call.batch.ids)) end
  append(fields, "lastTransactionID", sb.log:last())
end

local function refuse(sb, call, no)
  reached.refused("oanda", no)
  local fields = { n = 0 }
  for i = 1, #(no.parts or {}), 2 do append(fields, no.parts[i], no.parts[i + 1]) end
  if no.parts then account_state(sb, fields, call) end
  append(fields, "errorMessage", no.msg)
  local told = no.code ~= "" and (not no.code:find "^oanda::" or sb.assume.parameter_error_code)
  append(fields, "errorCode", told and no.code or nil)
  -- The body may have been longer than it said: what follows it is no request.
  if no.name == "bad_body" then call.headers[#call.headers + 1] = { "Connection", "close" } end
  if no.status == 429 and sb.assume.retry_after then
    call.headers[#call.headers + 1] = { "Retry-After", tostring(sb.assume.retry_after) }
  end
  return reply(call, no.status, fields)
end

-- ---- what is checked before a handler ----------------------------------------------

local function authorize(sb, ex, call)
  local token = (ex:header "authorization" or ""):match "^[Bb]earer +(%S+)$"
  if not token or not sb.keys[token] then return refusal.unauthorized() end
  call.token = token
  local id = ex.path:match "^/v3/accounts/([^/]+)"
  if not id then return nil end
  id = params.decoded(id)
  if id == sb.account_id then return nil end
  return id:find "^%d%d%d%-%d%d%d%-%d%d%d%d+%-%d%d%d$" and refusal.forbidden() or refusal.invalid "accountID"
end

local function route_of(ex, call)
  local methods, found = find(ex.path)
  if not methods then return nil, refusal.no_route() end
  local route = methods[ex.method]
  if not route then return nil, refusal.wrong_method() end
  for i, name in ipairs(route.names) do call[name] = found[i] end
  return route
end

local function body_of(ex)
  local text = ex.body or ""
  if text == "" or ex.method == "GET" then return {} end
  local body = json.decode(text)
  if type(body) ~= "table" or text:find "^%s*%[" then return nil, refusal.bad_body() end
  return body
end

local function answer(sb, ex, call)
  local no = authorize(sb, ex, call)
  if no then return nil, no end
  local route
  route, no = route_of(ex, call)
  if not route then return nil, no end
  reached.mark("oanda", "endpoints", route.name)
  call.route, call.values = route, params.from_query(ex.query or "")
  call.body, no = body_of(ex)
  if not call.body then return nil, no end
  return route.handle(sb, call)
end

local FORBIDDEN = "<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>\r\n"

--- Without JSON: what stands before the venue's own servers says so.
local function shut_out(ex)
  ex:reply(403, { { "Content-Type", "text/html" } }, FORBIDDEN)
  return 403
end

--- Answers one exchange.  Returns the status that was sent.
function M.serve(sb, ex)
  local call = { ex = ex, headers = {}, status = 200, request_id = sb:next_request_id(),
    unix = (ex:header "accept-datetime-format" or ""):upper() == "UNIX", date = clock.http_date(sb:now()),
    origin = sb.scheme .. "://" .. (ex:header "host" or "localhost") }
  if ex.method == "OPTIONS" then return reply(call, 200, {}) end
  if not sb.limits:admit(sb:now()) then
    if sb.limits:banned(sb:now()) then return shut_out(ex) end
    return refuse(sb, call, refusal.too_many())
  end
  local fields, no = answer(sb, ex, call)
  sb:settle()
  if not fields then return refuse(sb, call, no) end
  if call.route.stream then return 200 end
  if call.account and not call.route.plain then account_state(sb, fields, call) end
  return reply(call, call.status, fields)
end

return M
