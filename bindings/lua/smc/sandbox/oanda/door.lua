--- What the front door of an OANDA sandbox knows of it; see sandbox/door.lua.
local json = require "smc.json"

local M = { name = "oanda", lines = true, filled_by_price = true }

local function its(...)
  local out = {}
  for i, request in ipairs { ... } do out[i] = request:gsub(" ", " /v3/accounts/{}/", 1) end
  return out
end

M.ops = {
  ping = { "GET /v3/accounts" }, time = { "GET /v3/accounts" }, instruments = its "GET instruments",
  ticker = its "GET pricing", book = its "GET pricing", candles = its "GET instruments/{}/candles",
  account = its "GET summary", balances = its "GET summary", positions = its "GET openPositions",
  place = its "POST orders", amend = its "PUT orders/{}", cancel = its "PUT orders/{}/cancel",
  order = its "GET orders/{}",
  open_orders = its "GET pendingOrders", orders = its "GET orders", cancel_all = its "PUT orders/{}/cancel",
  fills = its "GET transactions*", flatten = its "PUT positions/{}/close", stream = its "GET pricing/stream",
  user_stream = its "GET transactions/stream",
}

M.volatile = {} -- what differs from one request to the next is in headers

function M.signed(ex) return ex:header "authorization" ~= nil end

local USUAL = { [401] = "Insufficient authorization to perform request.", [504] = "Timeout waiting for response.",
  [429] = "The rate of requests exceeds what is permitted.", [503] = "The service is not available." }

M.maintenance = { 503 }

function M.refusal(p)
  if p.status == 502 and not p.code and not p.message then -- from what stands before the venue's own servers
    return { { "Content-Type", "text/html" } }, "<html><head><title>502 Bad Gateway</title></head></html>\r\n"
  end
  local message = p.message or USUAL[p.status] or "An internal server error occurred."
  return { { "Content-Type", "application/json" } }, json.encode(json.object("errorMessage", message,
    "errorCode", p.code))
end

-- ---- streams --------------------------------------------------------------------------------

function M.kind_of(line) return line:find('^{"type":"HEARTBEAT"') and "beat" or "event" end

--- There is no such line; the answer ends.
function M.farewell(session) session.sock:finish() end

return M
