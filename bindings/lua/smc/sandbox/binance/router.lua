--- From a request to its answer: the one path that REST and the WebSocket API share.
local auth = require "smc.sandbox.binance.auth"
local params = require "smc.sandbox.binance.params"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.binance.refusal"

local M = {}

local endpoints, methods = reached.of("binance", "endpoints"), reached.of("binance", "methods")

--- What a signed request lacks before its own parameters are looked at.
local function unsigned(route, sent, session)
  if not route.signed then return nil end
  if not session and sent.values.signature == nil then return refusal.missing "signature" end
  if sent.values.timestamp == nil then return refusal.missing "timestamp" end
end

local function read(sb, route, request, now)
  local values, no
  if request.query then values = params.quick(route.rest_fields, request.query, request.body) end
  if not values then
    local sent = request.sent or params.from_rest(request.query, request.body)
    no = sb.assume.security_parameters_first and unsigned(route, sent, request.session)
    if no then return nil, no end
    values, no = params.read(request.ws and route.ws_fields or route.rest_fields, sent, now)
    no = no or unsigned(route, sent, request.session)
  end
  no = no or route.check and route.check(values)
  if no then return nil, no end
  return values
end

local function identify(sb, request, values, now)
  if request.session and not values.signature then
    local ok, no = auth.check_clock(values.timestamp, values.recvWindow, now)
    if not ok then return nil, no end
    return request.session
  end
  return auth.check(sb, request, values, now)
end

local function run(sb, route, request, now)
  local values, no = read(sb, route, request, now)
  local weight = route.weight
  if type(weight) == "function" then weight = weight(values or {}) end
  local admitted, limited = sb.limits:admit(weight, route.free, now)
  if not admitted then return nil, limited, 0 end
  if not values then return nil, no, weight end
  local call = request
  call.values, call.now = values, now
  if route.signed then
    call.key, no = identify(sb, request, values, now)
    if not call.key then return nil, no, weight end
    if route.security == "TRADE" and not call.key.can_trade then return nil, refusal.bad_key(), weight end
    call.account = call.key.account
  end
  if values.symbol then
    call.def = sb.by_symbol[values.symbol]
    if not call.def then return nil, refusal.invalid_symbol(), weight, call end
  end
  local result
  result, no = route.handle(sb, call)
  return result, no, weight, call
end

--- Answers a request.  Returns the JSON value, or nil and a refusal; the call, once somebody was identified; the time.
-- route: a row of routes.lua.  request: { query and body, or sent and payloads(); ws, api_key, session, connection };
-- it becomes the call: { values, now, key, account, def } are added.
function M.answer(sb, route, request)
  local names, name = endpoints, route.endpoint
  if request.ws then names, name = methods, route.ws end
  names[name] = (names[name] or 0) + 1
  local now = sb:settle()
  local result, no, weight, call = run(sb, route, request, now)
  if result == nil and route.free and weight > 0 then sb.limits:charge(weight, now) end
  return result, no, call, sb:settle()
end

return M
