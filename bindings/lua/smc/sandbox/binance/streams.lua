--- Market streams: connections, subscriptions, control messages.
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.binance.refusal"
local socket = require "smc.sandbox.binance.socket"
local subscriptions = require "smc.sandbox.subscriptions"
local text = require "smc.core.text"
local topics = require "smc.sandbox.binance.topics"

local M = {}

local MAX_STREAMS = 1024

-- ---- sending ---------------------------------------------------------------

--- Sends to all who subscribed.
function M.send(topic, event)
  local plain = json.encode(event)
  local micro
  for _, session in ipairs(topic.sessions) do
    local body = plain
    if session.unit == "us" then
      micro = micro or format.microseconds(plain)
      body = micro
    end
    if session.combined then body = '{"stream":' .. topic.label .. ',"data":' .. body .. "}" end
    session.sock:send(body)
  end
end

local function subscribe(sb, session, names)
  subscriptions.subscribe(sb, session, names, topics.new)
end

-- ---- control messages ---------------------------------------------------------

local METHODS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
local controls = {}

local function names_of(params)
  if type(params) ~= "table" then return nil, refusal.bad_message "params must be a list of stream names" end
  for _, name in ipairs(params) do
    if type(name) ~= "string" then return nil, refusal.bad_message "stream name must be a string" end
  end
  return params
end

function controls.SUBSCRIBE(sb, session, params)
  local names, no = names_of(params)
  if not names then return nil, no end
  if #session.names + #names > MAX_STREAMS then return nil, refusal.streams_used() end
  subscribe(sb, session, names)
  return json.null
end

function controls.UNSUBSCRIBE(sb, session, params)
  local names, no = names_of(params)
  if not names then return nil, no end
  subscriptions.unsubscribe(sb, session, names)
  return json.null
end

function controls.LIST_SUBSCRIPTIONS(_, session)
  return json.array { table.unpack(session.names) }
end

local function property(params, count)
  if type(params) ~= "table" or type(params[1]) ~= "string" then
    return nil, refusal.bad_message "property name must be a string"
  end
  if #params > count then return nil, refusal.bad_message "too many parameters" end
  if params[1] ~= "combined" then return nil, refusal.unknown_property() end
  return true
end

function controls.SET_PROPERTY(_, session, params)
  local ok, no = property(params, 2)
  if not ok then return nil, no end
  if type(params[2]) ~= "boolean" then return nil, refusal.not_a_boolean() end
  session.combined = params[2]
  return json.null
end

function controls.GET_PROPERTY(_, session, params)
  local ok, no = property(params, 1)
  if not ok then return nil, no end
  return session.combined
end

local function good_id(id)
  return id == nil or id == json.null or math.type(id) == "integer" or type(id) == "string" and #id <= 36
    and not id:find("[^%w-]") -- alphanumeric, says the page; the venue's own clients send UUIDs
end

--- Where in a one-line message a parser stands after the method's value.
local function column_after(data, method)
  local _, last = data:find('"method"%s*:%s*"' .. method:gsub("%p", "%%%0") .. '"')
  return last or #data
end

--- The message, or nil, what is wrong with it, and whether the connection ends for that.
local function read(data)
  local message, err = json.decode(data)
  if message == nil then
    local line, column = tostring(err.message):match("line (%d+), column (%d+)")
    return nil, refusal.not_json(line or 1, column or 1), true
  end
  if type(message) ~= "table" or type(message.method) ~= "string" then
    return nil, refusal.bad_message(("missing field `method` at line 1 column %d"):format(#data)), true
  end
  if not controls[message.method] then
    return nil, refusal.unknown_method(message.method, METHODS, column_after(data, message.method)), true
  end
  if not good_id(message.id) then
    return nil, refusal.bad_message "request ID must be an unsigned integer"
  end
  return message
end

local function answer_error(session, no, id)
  reached.refused("binance", no)
  session.sock:send(json.encode(json.object("error", json.object("code", no.code, "msg", no.msg), "id", id)))
end

--- A connection may send a few messages a second; more, and it is dropped.  Returns whether it stays.
local function in_time(sb, session)
  local second = sb.market_clock() // 1000
  if second ~= session.second then session.second, session.messages = second, 0 end
  session.messages = session.messages + 1
  if session.messages <= sb.assume.messages_per_second then return true end
  session.sock:close(1008, "Too many requests")
  return false
end

local function on_message(sb, session, data)
  if not in_time(sb, session) then return end
  local message, no, fatal = read(data)
  if not message then
    answer_error(session, no)
    if fatal then session.sock:close(1008, "Invalid request") end
    return
  end
  local result
  result, no = controls[message.method](sb, session, message.params)
  if result == nil then return answer_error(session, no, message.id) end
  session.sock:send(json.encode(json.object("result", result, "id", message.id == nil and json.null or message.id)))
end

-- ---- connections --------------------------------------------------------------

local function split(list)
  local out = {}
  for name in list:gmatch("[^/]+") do
    name = text.percent_decode(name) or name
    if utf8.len(name) then out[#out + 1] = name end -- else no stream is called so, and no answer could list it
  end
  return out
end

--- What a path asks for: { combined, names }, or nil when no such path exists.
local function parse_target(path, query)
  if path == "/ws" or path:sub(1, 4) == "/ws/" then return { combined = false, names = split(path:sub(5)) } end
  if path ~= "/stream" and path ~= "/stream/" then return nil end
  local list = socket.option(query, "streams") or ""
  return { combined = true, names = split((list:gsub("%%2[fF]", "/"))) }
end

--- Answers a handshake on a market stream path.  Returns the status; 404 when the path does not exist.
function M.accept(sb, ex)
  local asked = parse_target(ex.path, ex.query or "")
  if not asked then
    ex:reply(404, {}, "")
    return 404
  end
  local session = { kind = "market", combined = asked.combined, names = {} }
  local status = socket.accept(sb, ex, session, sb.sessions, {
    message = function(_, data) on_message(sb, session, data) end,
    control = function() return in_time(sb, session) end,
    closed = function() subscriptions.unsubscribe(sb, session, { table.unpack(session.names) }) end,
  })
  if status == 101 then subscribe(sb, session, asked.names) end
  return status
end

return M
