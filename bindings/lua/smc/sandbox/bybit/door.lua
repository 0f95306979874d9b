--- What the front door of a Bybit sandbox knows of it; see sandbox/door.lua.
local json = require "smc.json"

local M = {}

local function v5(...)
  local out = {}
  for i, request in ipairs { ... } do out[i] = request:gsub(" ", " /v5/", 1) end
  return out
end

M.ops = {
  ping = v5 "GET market/time", time = v5 "GET market/time", instruments = v5 "GET market/instruments-info",
  ticker = v5 "GET market/tickers", book = v5 "GET market/orderbook", candles = v5 "GET market/kline",
  trades = v5 "GET market/recent-trade", account = v5 "GET user/query-api", balances = v5 "GET account/wallet-balance",
  place = v5 "POST order/create", amend = v5 "POST order/amend", cancel = v5 "POST order/cancel",
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

function M.refusal(p)
  local page = PAGES[p.status]
  if page and not p.code and not p.message then return { { "Content-Type", "text/plain" } }, page end
  local usual = USUAL[p.status] or { 10016, "Internal server error." }
  return { { "Content-Type", "application/json; charset=utf-8" } }, json.encode(json.object("retCode",
    p.code or usual[1], "retMsg", p.message or usual[2], "result", json.object(), "retExtInfo", json.object(),
    "time", p.now))
end

return M
