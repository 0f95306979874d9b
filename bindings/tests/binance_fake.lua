--- A Binance sandbox without sockets: exchanges are tables, so a test sees exactly what would go onto the wire.
local exchange = require "fake_exchange"
local sign = require "smc.core.sign"
local task = require "smc.core.task"
local text = require "smc.core.text"
local venue = require "smc.sandbox.binance"

local M = {}

--- A fresh venue.  assume: assumptions that differ.
function M.venue(assume) return exchange.venue(venue, assume) end

M.ask, M.connect, M.frames = exchange.ask, exchange.connect, exchange.frames

--- Signs a raw query string with the venue's own key.
function M.signature(sb, payload)
  return text.percent_encode(sign.key("hmac", sb.secret):sign(payload))
end

--- Sends a signed request with everything in the query.
function M.signed(sb, method, path, query)
  local payload = (query and query ~= "" and query .. "&" or "") .. "timestamp=" .. task.wall_ms()
  local target = path .. "?" .. payload .. "&signature=" .. M.signature(sb, payload)
  return M.ask(sb, method, target, { ["x-mbx-apikey"] = sb.key })
end

--- The names in a JSON text, in their order.
function M.names(raw)
  local out = {}
  for name in raw:gmatch '"(%w+)":' do out[#out + 1] = name end
  return table.concat(out, " ")
end

return M
