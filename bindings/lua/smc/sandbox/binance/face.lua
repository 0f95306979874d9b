--- What scenarios hold of a Binance sandbox, beyond what all sandboxes share.
local boxes = require "smc.sandbox.box"
local routes = require "smc.sandbox.binance.routes"
local venue = require "smc.sandbox.binance"
local ws_api = require "smc.sandbox.binance.ws_api"

local M = { options = boxes.options, guide = require "smc.sandbox.binance.guide",
  door = require "smc.sandbox.binance.door" }

local Box = boxes.class("binance", { hmac = true, rsa = true, ed25519 = true })

local LIMITS = { "request_weight", "raw_requests", "orders" }

--- A new limit: { request_weight = n, per = seconds }, or raw_requests or orders in its place.
function Box:limit(given)
  given = boxes.check_keys("sandbox:limit", given, { request_weight = true, raw_requests = true, orders = true,
    per = true })
  local kind
  for _, name in ipairs(LIMITS) do
    if given[name] ~= nil then
      if kind then error("sandbox:limit: only one limit at a time, " .. kind .. " or " .. name, 2) end
      kind = name
    end
  end
  local n = kind and given[kind]
  if not kind then error("sandbox:limit: request_weight, raw_requests or orders expected", 2) end
  if math.type(n) ~= "integer" or n < 0 or math.type(given.per) ~= "integer" or given.per < 1 then
    error("sandbox:limit: a count and `per`, a whole number of seconds, expected", 2)
  end
  boxes.venue(self).limits:change(kind, n, given.per)
end

--- Tells every WebSocket connection that the venue is about to end it.  Nothing else happens.
function Box:announce_shutdown()
  local sb = boxes.venue(self)
  for _, session in ipairs(sb:every_session()) do
    session.sock:send(M.door.shutdown_notice(session, sb:now()))
  end
end

function M.new(seed, options, book)
  local box, serve, close = boxes.new(Box, venue, seed, options, book)
  return box, serve, close -- not a tail call: an unknown assumption is blamed on the caller's line
end

--- What metrics call the path of a request: as many words as the venue has routes, whatever clients send.
function M.template(method, path, websocket)
  if method == "WS" then return ws_api.knows(path) and path or "other" end
  if not websocket then return routes.by_path[path] and path or "other" end
  if path == "/ws-api/v3" then return path end
  return path:find "^/ws" and "/ws" or path:find "^/stream" and "/stream" or "other"
end

--- Fills in where things are, once the server listens.
function M.urls(box)
  local ws = box.origin:gsub("^http", "ws")
  box.url, box.ws_url, box.ws_api_url = box.origin, ws, ws .. "/ws-api/v3"
end

return M
