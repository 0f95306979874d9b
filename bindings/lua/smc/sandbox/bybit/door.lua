--- What the front door of a Bybit sandbox knows of it; see sandbox/door.lua.
local json = require "smc.json"

local M = { name = "bybit", envelope = "result", announces = "/v5/system/status" }

local function v5(...)
  local out = {}
  for i, request in ipairs { ... } do out[i] = request:gsub(" ", " /v5/", 1) end
  return out
end

M.ops = {
  ping = v5 "GET market/time", time = v5 "GET market/time", instruments = v5 "GET market/instruments-info",
  ticker = v5 "GET market/tickers", book = v5 "GET market/orderbook", candles = v5 "GET market/kline",
  trades = v5 "GET market/recent-trade", account = v5 "GET user/query-api", balances = v5 "GET account/wallet-balance",
  place = { "POST /v5/order/create", "WS order.create" }, amend = { "POST /v5/order/amend", "WS order.amend" },
  cancel = { "POST /v5/order/cancel", "WS order.cancel" },
  order = v5("GET order/realtime", "GET order/history"), open_orders = v5 "GET order/realtime",
  orders = v5("GET order/history", "GET order/realtime"), fills = v5 "GET execution/list",
  cancel_all = v5 "POST order/cancel-all", positions = v5 "GET position/list",
  stream = v5 "GET public/*", user_stream = v5 "GET private",
}

M.volatile = {} -- what differs from one request to the next is in headers

function M.signed(ex) return ex:header "x-bapi-sign" ~= nil end

-- Source: the API's documentation, "Error Codes".
local USUAL = { [404] = { 10017, "Route not found." }, [429] = { 429, "System level frequency protection." } }
local PAGES = { [403] = "403, access too frequent", [502] = "502 Bad Gateway", [503] = "503 Service Unavailable",
  [504] = "504 Gateway Time-out" } -- from what stands before the venue's own servers

-- What is being worked on says so under /v5/system/status; how it refuses meanwhile is not documented.
M.maintenance = { 200, 10016, "Server error. The system is under maintenance." }

local function said(p)
  local usual = USUAL[p.status] or { 10016, "Internal server error." }
  return p.code or usual[1], p.message or usual[2]
end

function M.refusal(p)
  local page = PAGES[p.status]
  if page and not p.code and not p.message then return { { "Content-Type", "text/plain" } }, page end
  local code, text = said(p)
  return { { "Content-Type", "application/json; charset=utf-8" } }, json.encode(json.object("retCode", code,
    "retMsg", text, "result", json.object(), "retExtInfo", json.object(), "time", p.now))
end

--- On the trade socket.
function M.message_refusal(p, message)
  local code, text = said(p)
  local frame = message.asked
  return json.encode(json.object("reqId", frame.reqId, "retCode", code, "retMsg", text, "op", message.path,
    "data", json.object(), "retExtInfo", json.object(), "connId", message.session.conn_id))
end

-- ---- streams --------------------------------------------------------------------------------

function M.kind_of(text)
  if text:find '^{"topic"' then return "event" end
  return (text:find('"op":"pong"', 1, true) or text:find('"ret_msg":"pong"', 1, true)) and "beat" or "answer"
end

--- The venue takes no leave that its documents know of.
function M.farewell(session) session.sock:close(1001, "") end

return M
