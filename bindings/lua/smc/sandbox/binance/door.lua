--- What the front door of a Binance sandbox knows of it; see sandbox/door.lua.
local json = require "smc.json"

local M = {}

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
local PAGES = { [403] = "403 Forbidden", [502] = "502 Bad Gateway" } -- from what stands before the venue's own servers

function M.refusal(p)
  local page = PAGES[p.status]
  if page and not p.code and not p.message then
    return { { "Content-Type", "text/html" } }, ("<html><head><title>%s</title></head></html>\r\n"):format(page)
  end
  local usual = USUAL[p.status] or USUAL[500]
  local text = p.message or usual[2]:format(p.now + (p.retry_after or BAN_S) * 1000)
  return { { "Content-Type", "application/json;charset=UTF-8" } },
    json.encode(json.object("code", p.code or usual[1], "msg", text))
end

return M
