--- The WebSocket API: the REST handlers behind JSON frames, sessions, and the user data stream.
local auth = require "smc.sandbox.binance.auth"
local fields = require "smc.sandbox.binance.fields"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local params = require "smc.sandbox.binance.params"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.binance.refusal"
local router = require "smc.sandbox.binance.router"
local routes = require "smc.sandbox.binance.routes"
local socket = require "smc.sandbox.binance.socket"

local M = {}

local MAX_ACTIVE = 1000
local MAX_SUBSCRIPTION_ID = 65535
local SESSION_WEIGHT = 2

local function text_of(session, value)
  local text = json.encode(value)
  return session.unit == "us" and format.microseconds(text) or text
end

local function send(session, value) session.sock:send(text_of(session, value)) end

--- An answer goes to whoever waits for it: see sandbox/visit.lua.
local function answer(session, request, value)
  if request.deliver then return request.deliver(text_of(session, value)) end
  send(session, value)
end

-- ---- answers -------------------------------------------------------------------

local function wants_limits(session, request)
  local asked = request.params.returnRateLimits
  if asked == nil then return session.rate_limits end
  return asked == true or asked == "true"
end

local function respond(sb, session, request, result, no, account)
  local limits
  if wants_limits(session, request) then limits = sb.limits:describe_used(account, sb:now()) end
  local id = request.id == nil and json.null or request.id
  if result ~= nil then
    return answer(session, request, json.object("id", id, "status", 200, "result", result, "rateLimits", limits))
  end
  reached.refused("binance", no)
  local data = no.data
  if no.retry_at then data = json.object("serverTime", sb:now(), "retryAfter", no.retry_at) end
  answer(session, request, json.object("id", id, "status", no.status,
    "error", json.object("code", no.code, "msg", no.msg, "data", data), "rateLimits", limits))
  if no.status == 418 then session.sock:close(1008, "IP banned") end
end

-- ---- user data ------------------------------------------------------------------

local function subscribe(sb, session, account, by_logon)
  for _, s in ipairs(session.subscribed) do
    if s.account == account then return nil, refusal.subscribed() end
  end
  if session.next_id > MAX_SUBSCRIPTION_ID or #session.subscribed >= MAX_ACTIVE then
    return nil, refusal.subscriptions_used()
  end
  sb:settle() -- what happened before does not belong to the new stream
  local id = session.next_id
  session.next_id = id + 1
  table.insert(session.subscribed, { id = id, account = account, by_logon = by_logon })
  sb:arm()
  return json.object("subscriptionId", id)
end

--- Ends those for which ends(subscription) holds.  Returns how many.
local function terminate(sb, session, ends)
  local kept, before = {}, session.subscribed
  session.subscribed = kept
  for _, s in ipairs(before) do
    if ends(s) then
      local event = json.object("e", "eventStreamTerminated", "E", sb:now())
      send(session, json.object("subscriptionId", s.id, "event", event))
    else
      kept[#kept + 1] = s
    end
  end
  sb:arm()
  return #before - #kept
end

--- Tells every subscription of the account.
function M.tell(sb, account, event)
  local bodies = {}
  local function body(unit)
    bodies.ms = bodies.ms or json.encode(event)
    if unit == "us" and not bodies.us then bodies.us = format.microseconds(bodies.ms) end
    return json.raw(bodies[unit])
  end
  for _, session in ipairs(sb.api_sessions) do
    for _, s in ipairs(session.subscribed) do
      if s.account == account then
        session.sock:send(json.encode(json.object("subscriptionId", s.id, "event", body(session.unit))))
      end
    end
  end
end

--- Whether anybody is told anything.
function M.has_listeners(sb)
  for _, session in ipairs(sb.api_sessions) do
    if #session.subscribed > 0 then return true end
  end
  return false
end

-- ---- methods of the session -------------------------------------------------------

local function describe(sb, session)
  local key = session.key
  return json.object("apiKey", key and key.api_key or json.null, "authorizedSince", session.authorized or json.null,
    "connectedSince", session.connected, "returnRateLimits", session.rate_limits, "serverTime", sb:now(),
    "userDataStream", #session.subscribed > 0)
end

local signed_fields = fields.parse "apiKey! recvWindow timestamp! signature! returnRateLimits"
local no_fields = fields.parse "returnRateLimits"
local id_fields = fields.parse "subscriptionId returnRateLimits"

local function identify(sb, request, values, now)
  return auth.check(sb, { api_key = values.apiKey, payloads = function()
    return auth.ws_payloads(request.params, request.raw, sb.assume.encoded_ws_payload)
  end }, values, now)
end

local own = {}

own["session.logon"] = { fields = signed_fields, run = function(sb, session, request, values, now)
  local key, no = identify(sb, request, values, now)
  if not key then return nil, no end
  if key.kind ~= "ed25519" then return nil, refusal.not_for_hmac() end
  session.key, session.authorized = key, now
  return describe(sb, session)
end }

own["session.status"] = { fields = no_fields, run = function(sb, session) return describe(sb, session) end }

own["session.logout"] = { fields = no_fields, run = function(sb, session)
  session.key, session.authorized = nil, nil
  terminate(sb, session, function(s) return s.by_logon end)
  return describe(sb, session)
end }

own["session.subscriptions"] = { fields = no_fields, run = function(_, session)
  return format.each(session.subscribed, function(s) return json.object("subscriptionId", s.id) end)
end }

own["userDataStream.subscribe"] = { fields = no_fields, run = function(sb, session)
  if not session.key then return nil, refusal.bad_key() end
  return subscribe(sb, session, session.key.account, true)
end }

own["userDataStream.subscribe.signature"] = { fields = signed_fields, run = function(sb, session, request, values, now)
  local key, no = identify(sb, request, values, now)
  if not key then return nil, no end
  return subscribe(sb, session, key.account, false)
end }

own["userDataStream.unsubscribe"] = { fields = id_fields, run = function(sb, session, _, values)
  local asked = values.subscriptionId
  local ended = terminate(sb, session, function(s) return not asked or s.id == asked end)
  if asked and ended == 0 then return nil, refusal.not_subscribed() end
  return json.object()
end }

local function run_own(sb, session, request, method)
  reached.mark("binance", "methods", request.method)
  local now = sb:now()
  local admitted, no = sb.limits:admit(SESSION_WEIGHT, false, now)
  if not admitted then return nil, no end
  local values
  values, no = params.read(method.fields, params.from_ws(request.params), now)
  if not values then return nil, no end
  return method.run(sb, session, request, values, now)
end

-- ---- frames -----------------------------------------------------------------------

local function read(data)
  local frame = json.decode(data)
  if type(frame) ~= "table" or type(frame.method) ~= "string" then
    return nil, refusal.bad_frame(), { params = {}, id = type(frame) == "table" and frame.id
      or nil }
  end
  local request = { id = frame.id, method = frame.method:gsub("^v%d+/", ""), params = frame.params or {}, raw = data }
  if type(request.params) ~= "table" then
    request.params = {}
    return nil, refusal.bad_json "params", request
  end
  return request
end

local function routed(sb, session, request, route)
  local result, no, call = router.answer(sb, route, {
    sent = params.from_ws(request.params), ws = true, session = session.key, api_key = request.params.apiKey,
    payloads = function() return auth.ws_payloads(request.params, request.raw, sb.assume.encoded_ws_payload) end,
  })
  return result, no, route.orders and call and call.account or nil
end

--- The key was deleted while the session stood: it ends with the next request, whatever that asks.
local function revoked(sb, session)
  if not session.key or sb.keys[session.key.api_key] then return false end
  session.key, session.authorized = nil, nil
  return true
end

local function perform(sb, session, request, data)
  local id = sb.book.add("WS", request.method, nil, data, request.params.signature ~= nil)
  local method, route = own[request.method], routes.by_ws[request.method]
  local result, no, account
  if revoked(sb, session) then
    request.id, no = nil, refusal.bad_key()
  elseif method then
    result, no = run_own(sb, session, request, method)
  elseif route then
    result, no, account = routed(sb, session, request, route)
  else
    no = refusal.unsupported_operation()
  end
  sb.book.note(id, result ~= nil and 200 or no.status)
  respond(sb, session, request, result, no, account)
end

local function on_message(sb, session, data)
  local request, no, blame = read(data)
  if not request then return respond(sb, session, blame, nil, no) end
  if not sb.gate then return perform(sb, session, request, data) end
  sb.gate:message { sock = session.sock, session = session, path = request.method, body = data, asked = request,
    perform = function(deliver)
      request.deliver = deliver
      perform(sb, session, request, data)
    end }
end

--- The names of all methods.
function M.methods()
  local out = {}
  for name in pairs(own) do out[#out + 1] = name end
  for name in pairs(routes.by_ws) do out[#out + 1] = name end
  return out
end

--- Whether there is a method of that name.
function M.knows(method)
  return own[method] ~= nil or routes.by_ws[method] ~= nil
end

--- Answers a handshake on /ws-api/v3.  Returns the status.
function M.accept(sb, ex)
  local session = { kind = "api", subscribed = {}, next_id = 0, connected = sb:now(),
    rate_limits = socket.option(ex.query or "", "returnRateLimits") ~= "false" }
  return socket.accept(sb, ex, session, sb.api_sessions, {
    message = function(_, data) on_message(sb, session, data) end,
    closed = function() sb:arm() end,
  })
end

return M
