--- What the front door of a Binance sandbox knows of it; see sandbox/door.lua.
local json = require "smc.json"
local routes = require "smc.sandbox.binance.routes"

local M = { name = "binance", envelope = "result" }

local function v3(...)
  local out = {}
  for i, request in ipairs { ... } do out[i] = request:gsub(" ", " /api/v3/", 1) end
  return out
end

M.ops = {
  ping = v3 "GET ping", time = v3 "GET time", instruments = v3 "GET exchangeInfo", ticker = v3 "GET ticker/24hr",
  book = v3 "GET depth", candles = v3 "GET klines", trades = v3 "GET trades", account = v3 "GET account",
  balances = v3 "GET account", place = v3 "POST order", cancel = v3 "DELETE order", order = v3 "GET order",
  amend = v3("PUT order/amend/keepPriority", "POST order/cancelReplace"), open_orders = v3 "GET openOrders",
  orders = v3 "GET allOrders", fills = v3 "GET myTrades", cancel_all = v3 "DELETE openOrders",
  stream = { "GET /ws*", "GET /stream*" }, user_stream = { "GET /ws-api/v3" },
}

-- Each has a twin in the WebSocket API.
for _, requests in pairs(M.ops) do
  for i = 1, #requests do
    local method, path = requests[i]:match "^(%u+) (.+)$"
    local twin = routes.by_path[path] and routes.by_path[path][method].ws
    if twin then requests[#requests + 1] = "WS " .. twin end
  end
end

M.volatile = { timestamp = true, recvWindow = true, signature = true }

function M.signed(ex)
  return ((ex.query or "") .. "&" .. (ex.body or "")):find("signature=", 1, true) ~= nil
end

-- Source: errors.md of the API's documentation; rest-api.md, "HTTP Return Codes".
local USUAL = {
  [401] = { -2015, "Invalid API-key, IP, or permissions for action." },
  [418] = { -1003, "Way too much request weight used; IP banned until %d. "
    .. "Please use WebSocket Streams for live updates to avoid bans." },
  [429] = { -1003, "Too many requests; current limit is 6000 request weight per 1 MINUTE. "
    .. "Please use WebSocket Streams for live updates to avoid polling the API." },
  [500] = { -1000, "An unknown error occurred while processing the request." },
  [503] = { -1008, "Server is currently overloaded with other requests. Please try again in a few minutes." },
  [504] = { -1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown." },
}
local BAN_S = 120
-- Of errors.md alone: with which HTTP status it comes is not documented.
M.maintenance = { 503, -1016, "This service is no longer available." }

local PAGES = { [403] = "403 Forbidden", [502] = "502 Bad Gateway" } -- from what stands before the venue's own servers

local function said(p)
  local usual = USUAL[p.status] or USUAL[500]
  return p.code or usual[1], p.message or usual[2]:format(p.now + (p.retry_after or BAN_S) * 1000)
end

function M.refusal(p)
  local page = PAGES[p.status]
  if page and not p.code and not p.message then
    return { { "Content-Type", "text/html" } }, ("<html><head><title>%s</title></head></html>\r\n"):format(page)
  end
  local code, text = said(p)
  return { { "Content-Type", "application/json;charset=UTF-8" } }, json.encode(json.object("code", code, "msg", text))
end

--- Source: web-socket-api.md, "Response format" and "IP Limits".
function M.message_refusal(p, message)
  local code, text = said(p)
  local data = p.retry_after and json.object("serverTime", p.now, "retryAfter",
    math.floor(p.now + p.retry_after * 1000)) or nil
  local id = message.asked.id
  return json.encode(json.object("id", id == nil and json.null or id, "status", p.status,
    "error", json.object("code", code, "msg", text, "data", data)))
end

-- ---- streams --------------------------------------------------------------------------------

--- Answers to what the client sent begin with what they are about.
function M.kind_of(text)
  local first = text:match '^{"(%a+)"'
  return (first == "result" or first == "error" or first == "id") and "answer" or "event"
end

--- That the venue is about to end the connection.  Source: web-socket-streams.md and web-socket-api.md, serverShutdown.
function M.shutdown_notice(session, now)
  local event = json.object("e", "serverShutdown", "E", session.unit == "us" and now * 1000 or now)
  if session.kind == "api" then
    event = json.object("event", event)
  elseif session.combined then
    event = json.object("stream", "!serverShutdown", "data", event)
  end
  return json.encode(event)
end

function M.farewell(session, now)
  session.sock:send(M.shutdown_notice(session, now))
  session.sock:close(1001, "the service is shutting down")
end

return M
