--- From a request to its answer: the one path that REST and the WebSocket API share.
local auth = require "smc.sandbox.binance.auth"
local params = require "smc.sandbox.binance.params"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.binance.refusal"

local M = { by_path = {}, by_ws = {} }

local ws_only = { params.field("returnRateLimits", "bool") }
local ws_key = params.field("apiKey", "any")
-- On a session that has logged on, key and signature may be left out.
local ws_signature = params.field("signature", "any")

local function joined(...)
  local out = {}
  for i = 1, select("#", ...) do
    for _, f in ipairs((select(i, ...))) do out[#out + 1] = f end
  end
  return out
end

local function add(route)
  route.signed = route.security ~= "NONE"
  route.rest_fields = route.signed and joined(route.fields, auth.fields) or route.fields
  local ws_auth = { auth.fields[1], auth.fields[2], ws_signature, ws_key }
  route.ws_fields = joined(route.fields, ws_only, route.signed and ws_auth or {})
  if route.path then
    M.by_path[route.path] = M.by_path[route.path] or {}
    M.by_path[route.path][route.method] = route
  end
  if route.ws then M.by_ws[route.ws] = route end
end

for _, part in ipairs { "market_data", "tickers", "orders", "replace", "amend", "account" } do
  for _, route in ipairs(require("smc.sandbox.binance." .. part).routes) do add(route) end
end

local function weigh(route, values)
  local weight = route.weight
  return type(weight) == "function" and weight(values) or weight
end

--- What a signed request lacks before its own parameters are looked at.
local function unsigned(route, sent, session)
  if not route.signed then return nil end
  if not session and sent.values.signature == nil then return refusal.missing "signature" end
  if sent.values.timestamp == nil then return refusal.missing "timestamp" end
end

local function read(sb, route, request, now)
  local no = sb.assume.security_parameters_first and unsigned(route, request.sent, request.session)
  if no then return nil, no end
  local values
  values, no = params.read(request.ws and route.ws_fields or route.rest_fields, request.sent, now)
  if not values then return nil, no end
  no = unsigned(route, request.sent, request.session)
  if no then return nil, no end
  return values
end

local function identify(sb, request, values, now)
  if request.session and not values.signature then
    local ok, no = auth.check_clock(values.timestamp, values.recvWindow, now)
    if not ok then return nil, no end
    return request.session
  end
  return auth.check(sb, { api_key = request.api_key, payloads = request.payloads(), signature = values.signature,
    timestamp = values.timestamp, window = values.recvWindow }, now)
end

local function run(sb, route, request, now)
  local values, no = read(sb, route, request, now)
  local weight = weigh(route, values or {})
  local admitted, limited = sb.limits:admit(weight, route.free, now)
  if not admitted then return nil, limited, 0 end
  if not values then return nil, no, weight end
  local call = { values = values, now = now, ws = request.ws, connection = request.connection }
  if route.signed then
    call.key, no = identify(sb, request, values, now)
    if not call.key then return nil, no, weight end
    if route.security == "TRADE" and not call.key.can_trade then return nil, refusal.bad_key(), weight end
    call.account = call.key.account
  end
  local result
  result, no = route.handle(sb, call)
  return result, no, weight, call
end

--- Answers a request.  Returns the JSON value, or nil and a refusal; then the call, once somebody was identified.
-- request: { sent, ws, api_key, payloads = function, session, connection }
function M.answer(sb, route, request)
  if request.ws then
    reached.mark("binance", "methods", route.ws)
  else
    reached.mark("binance", "endpoints", route.method .. " " .. route.path)
  end
  sb:settle()
  local now = sb:now()
  local result, no, weight, call = run(sb, route, request, now)
  if result == nil and route.free and weight > 0 then sb.limits:charge(weight, now) end
  sb:settle()
  return result, no, call
end

return M
