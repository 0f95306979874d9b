--- A Bybit sandbox without sockets.
local exchange = require "fake_exchange"
local json = require "smc.json"
local sign = require "smc.core.sign"
local task = require "smc.core.task"
local venue = require "smc.sandbox.bybit"

local M = { ask = exchange.ask, connect = exchange.connect, frames = exchange.frames }

--- A fresh venue.  assume: assumptions that differ.
function M.venue(assume) return exchange.venue(venue, assume) end

--- The headers that sign these bytes.  other: what differs: key, timestamp, window, signature.
function M.headers(sb, bytes, other)
  other = other or {}
  local key, window = other.key or sb.key, other.window or "5000"
  local timestamp = other.timestamp or tostring(task.wall_ms())
  return { ["x-bapi-api-key"] = key, ["x-bapi-timestamp"] = timestamp, ["x-bapi-recv-window"] = window,
    ["x-bapi-sign"] = other.signature or sign.key("hmac", sb.secret):sign(timestamp .. key .. window .. bytes) }
end

--- A signed request; query for a GET, a table for a POST.  Returns the decoded answer and the exchange.
function M.get(sb, path, query)
  local ex = M.ask(sb, "GET", path .. (query and "?" .. query or ""), M.headers(sb, query or ""))
  return json.decode(ex.answer), ex
end

function M.post(sb, path, params)
  local body = json.encode(params)
  local ex = M.ask(sb, "POST", path, M.headers(sb, body), body)
  return json.decode(ex.answer), ex
end

--- A private connection that has logged on, and subscribed to what is named.  What was answered is still to be read.
function M.private(sb, ...)
  local sock, expires = M.connect(sb, "/v5/private"), task.wall_ms() + 10000
  sock:say(json.encode { op = "auth", args = json.array { sb.key, expires,
    sign.key("hmac", sb.secret):sign("GET/realtime" .. expires) } })
  if ... then sock:say(json.encode { op = "subscribe", args = json.array { ... } }) end
  return sock
end

return M
