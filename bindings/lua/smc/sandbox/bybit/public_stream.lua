--- The public stream: subscriptions, pings, and what is sent when the market moves.
local frames = require "smc.sandbox.bybit.frames"
local json = require "smc.json"
local subscriptions = require "smc.sandbox.subscriptions"
local topics = require "smc.sandbox.bybit.topics"

local M = {}

local MAX_ARGS = 10
local MAX_LENGTH = 21000

--- Sends to all who subscribed.
function M.send(topic, event)
  local text = json.encode(event)
  for _, session in ipairs(topic.sessions) do session.sock:send(text) end
end

local function respond(session, frame, success, message)
  frames.send(session, "success", success, "ret_msg", message, "conn_id", session.conn_id,
    "req_id", frames.req_id(frame) or "", "op", frame.op)
end

local function total_length(session, more)
  local n = 0
  for _, list in ipairs { session.names, more } do
    for _, name in ipairs(list) do n = n + #name end
  end
  return n
end

--- What is wrong with a subscription, or nil.
local function objection(sb, session, names)
  if total_length(session, names) > MAX_LENGTH then return "error:args length limit exceeded" end
  for _, name in ipairs(names) do
    if not topics.exists(sb, session.category, name) then return "error:handler not found,topic:" .. name end
    if subscriptions.index_of(session.names, session.category .. " " .. name) then
      return "error:already subscribed,topic:" .. name
    end
  end
end

--- A topic is known by its category too.
local function keyed(session, names)
  local out = {}
  for i, name in ipairs(names) do out[i] = session.category .. " " .. name end
  return out
end

local operations = {}
M.operations = operations

--- One frame is answered once, and as a whole; then come the snapshots.
function operations.subscribe(sb, session, frame)
  local names = frames.names(frame)
  if not names then return respond(session, frame, false, "error:args invalid") end
  if session.category == "spot" and #names > MAX_ARGS then
    return frames.send(session, "success", false, "ret_msg", "args size >10", "conn_id", session.conn_id, "op",
      "subscribe")
  end
  local no = objection(sb, session, names)
  if no then return respond(session, frame, false, no) end
  respond(session, frame, true, session.category == "spot" and "subscribe" or "")
  local keys = keyed(session, names)
  subscriptions.subscribe(sb, session, keys, topics.new)
  for _, name in ipairs(keys) do
    local topic = sb.topic_of[name]
    if topic.snapshot then session.sock:send(json.encode(topic:snapshot(sb))) end
  end
  sb:arm()
end

function operations.unsubscribe(sb, session, frame)
  local names = frames.names(frame)
  if not names then return respond(session, frame, false, "error:args invalid") end
  subscriptions.unsubscribe(sb, session, keyed(session, names))
  respond(session, frame, true, session.category == "spot" and "subscribe" or "") -- not "unsubscribe"
end

--- Compact, and in this order of fields: clients look for `ret_msg":"pong`.
function operations.ping(_, session, frame)
  session.pings = session.pings + 1
  frames.send(session, "success", true, "ret_msg", "pong", "conn_id", session.conn_id,
    "req_id", frames.req_id(frame) or session.category ~= "spot" and "" or nil, "op", "ping")
end

--- The socket of a category.
function M.socket(category)
  return { name = "public", operations = operations, fields = function() return { category = category } end,
    closed = function(sb, session) subscriptions.unsubscribe(sb, session, { table.unpack(session.names) }) end }
end

return M
