--- The trade socket: orders as frames, with the parameters, codes and limits that they have over REST.  Who speaks is
-- settled once, by auth; no request is signed.
local auth = require "smc.sandbox.bybit.auth"
local calls = require "smc.sandbox.bybit.calls"
local frames = require "smc.sandbox.bybit.frames"
local json = require "smc.json"
local params = require "smc.sandbox.bybit.params"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local MAX_ID = 36

--- ...: further names and values.
local function respond(session, frame, no, ...)
  if no then reached.refused("bybit", no) end
  local text = json.encode(json.object("reqId", frames.text(frame.reqId), "retCode", no and no.code or 0,
    "retMsg", no and no.msg or "OK", "op", frames.text(frame.op) or "", "connId", session.conn_id, ...))
  if session.deliver then return session.deliver(text) end -- see sandbox/visit.lua
  session.sock:send(text)
end

--- The same clock rule as of a signed request.
local function check_header(frame, now_ms)
  local header = type(frame.header) == "table" and frame.header or {}
  local timestamp = frames.text(header["X-BAPI-TIMESTAMP"])
  if not timestamp then return nil, refusal.params "X-BAPI-TIMESTAMP is required" end
  return auth.check_clock(timestamp, frames.text(header["X-BAPI-RECV-WINDOW"]) or "", now_ms)
end

local function check_id(session, frame)
  local id = frames.text(frame.reqId)
  if not id then return true end
  if #id > MAX_ID then return nil, refusal.params "reqId is too long" end
  if session.ids[id] then return nil, refusal.request_twice() end
  session.ids[id] = true
  return true
end

local function limit_header(sb, call)
  local now = sb:now()
  local used = call and call.used or { limit = 0, left = 0, reset = now }
  return json.object("X-Bapi-Limit", tostring(used.limit), "X-Bapi-Limit-Status", tostring(used.left),
    "X-Bapi-Limit-Reset-Timestamp", tostring(used.reset), "Traceid", sb.random:alnum(32):lower(),
    "Timenow", tostring(now))
end

--- As over REST, but that a category which is not served has a code of this socket.
local function perform(sb, route, key, values, no)
  if values and not sb.categories[values.category] then return nil, refusal.no_category() end
  return calls.perform(sb, route, key, values, no)
end

--- order.create and the like, by the path of the same call over REST.
local function order_call(path)
  local route = calls.route(path)
  return function(sb, session, frame)
    sb:settle()
    local ok, no = check_id(session, frame)
    if ok and not session.key then ok, no = nil, refusal.not_logged_on() end
    if ok then ok, no = check_header(frame, sb:now()) end
    if ok and (type(frame.args) ~= "table" or #frame.args ~= 1) then ok, no = nil, refusal.params "args invalid" end
    local result, call
    if ok then result, no, call = perform(sb, route, session.key, params.from_object(frame.args[1])) end
    sb:settle()
    respond(session, frame, no, "data", result or json.object(), "retExtInfo", call and call.ext or json.object(),
      "header", limit_header(sb, call))
  end
end

--- A call that may meet a fault on its way.
local function guarded(name, call)
  return function(sb, session, frame, id, data)
    if not sb.gate then return call(sb, session, frame) end
    sb.gate:message { sock = session.sock, session = session, path = name, body = data, asked = frame,
      id = id,
      perform = function(deliver)
        session.deliver = deliver
        call(sb, session, frame)
        session.deliver = nil
      end }
  end
end

local operations = {}
M.operations = operations

for _, name in ipairs { "create", "amend", "cancel" } do
  for _, batch in ipairs { "", "-batch" } do
    local path = "/v5/order/" .. name .. batch
    local op = "order." .. name .. batch
    if calls.route(path) then operations[op] = guarded(op, order_call(path)) end
  end
end

function operations.auth(sb, session, frame)
  frame.reqId = frame.reqId or frame.req_id -- both are in use
  if session.key then return respond(session, frame, refusal.logged_on()) end
  local args = frame.args
  if type(args) ~= "table" or #args ~= 3 then return respond(session, frame, refusal.params "args invalid") end
  session.key = auth.check_socket(sb, args, sb:now())
  respond(session, frame, not session.key and refusal.bad_signature("GET/realtime" .. (frames.text(args[2]) or ""))
    or nil)
end

function operations.ping(sb, session, frame)
  session.pings = session.pings + 1
  respond(session, { op = "pong", reqId = frame.reqId or frame.req_id }, nil, "data", json.array { tostring(sb:now()) })
end

local function unknown(_, session, frame)
  respond(session, frame, refusal.unknown_op(frames.text(frame.op) or ""), "data", json.object())
end

M.socket = { name = "trade", operations = operations, unknown = unknown,
  fields = function() return { ids = {} } end }

return M
