--- What both kinds of WebSocket connection have in common: operations as JSON frames, and how a connection is opened.
local json = require "smc.json"
local reached = require "smc.sandbox.reached"
local subscriptions = require "smc.sandbox.subscriptions"

local M = {}

--- Sends an object, names and values in turn.
function M.send(session, ...)
  session.sock:send(json.encode(json.object(...)))
end

--- A value of a frame as the venue gives it back: as text, nil if there was none.
function M.text(value)
  if value == nil or value == json.null or type(value) == "table" then return nil end
  return tostring(value)
end

function M.req_id(frame) return M.text(frame.req_id) end

--- The list of topic names in args, or nil.
function M.names(frame)
  if type(frame.args) ~= "table" or #frame.args == 0 then return nil end
  for _, name in ipairs(frame.args) do
    if type(name) ~= "string" then return nil end
  end
  return frame.args
end

local function not_json(data)
  local near = data:sub(1, 10)
  return ("Failed to decode incoming data:readObjectStart: expect { or n, but found %s, error found in #1 byte of "
    .. "...|%s|..., bigger context ...|%s|..."):format(data:sub(1, 1), near, data:sub(1, 100))
end

local function unknown(_, session, frame)
  M.send(session, "success", false, "ret_msg", "error:invalid op", "conn_id", session.conn_id, "req_id",
    M.req_id(frame) or "", "op", M.text(frame.op) or "")
end

local function on_message(sb, session, socket, data)
  local frame = json.decode(data)
  if type(frame) ~= "table" then
    return M.send(session, "success", false, "ret_msg", not_json(data), "conn_id", session.conn_id, "op", "")
  end
  -- The status is that of every answer that has an envelope.
  local id = sb.book.add("WS", M.text(frame.op) or "", nil, data, frame.op == "auth", nil, 200)
  local operation = socket.operations[frame.op]
  if operation then reached.mark("bybit", "operations", session.socket .. " " .. frame.op) end
  operation = operation or socket.unknown or unknown
  operation(sb, session, frame, id, data)
end

--- Accepts a handshake.  Returns the status.  socket: { name, operations, unknown, closed, fields }.  operations: by
-- name, called with venue, session, frame, the number of it in the log and its text; unknown: for any other name;
-- closed(sb, session): besides what is done here; fields(): what a session has of its own.
function M.accept(sb, ex, socket)
  if not sb.limits:connect(sb:now()) then
    ex:reply(403, { { "Content-Type", "text/plain" } }, "403, access too frequent")
    return 403
  end
  local session = socket.fields and socket.fields() or {}
  session.socket, session.path, session.names, session.pings = socket.name, ex.path, {}, 0
  session.conn_id = sb:new_conn_id()
  local sock = ex:upgrade {
    on_message = function(_, data) on_message(sb, session, socket, data) end,
    on_close = function()
      table.remove(sb.sessions, subscriptions.index_of(sb.sessions, session))
      if socket.closed then socket.closed(sb, session) end
      sb:arm()
    end,
  }
  if not sock then return 400 end -- its handshake was wrong, and has been answered
  session.sock = sock
  sb.sessions[#sb.sessions + 1] = session
  return 101
end

return M
