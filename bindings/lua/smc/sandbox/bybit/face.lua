--- What scenarios hold of a Bybit sandbox, beyond what all sandboxes share.
local boxes = require "smc.sandbox.box"
local calls = require "smc.sandbox.bybit.calls"
local venue = require "smc.sandbox.bybit"

local M = { options = boxes.options, guide = require "smc.sandbox.bybit.guide",
  door = require "smc.sandbox.bybit.door" }

local Box = boxes.class("bybit", { hmac = true, rsa = true })

--- New limits: { requests = n, per = seconds } of an address, or { path = "/v5/...", requests = n, per = 1 } of an
-- account at an endpoint.
function Box:limit(given)
  given = boxes.check_keys("sandbox:limit", given, { requests = true, per = true, path = true })
  local n, per = given.requests, given.per
  if math.type(n) ~= "integer" or n < 0 or math.type(per) ~= "integer" or per < 1 then
    error("sandbox:limit: requests, a count, and per, a whole number of seconds, expected", 2)
  end
  local limits = boxes.venue(self).limits
  if not given.path then return limits:change(n, per) end
  if per ~= 1 then error("sandbox:limit: endpoints count by the second", 2) end
  local route = calls.routes[given.path]
  if not (route and route.limit) then
    error(("sandbox:limit: no endpoint with a limit of its own is called '%s'; one is /v5/order/create")
      :format(tostring(given.path)), 2)
  end
  limits:change_endpoint(given.path, n)
end

function M.new(seed, options, book)
  local box, serve, close = boxes.new(Box, venue, seed, options, book)
  return box, serve, close -- not a tail call: an unknown assumption is blamed on the caller's line
end

local operations = {} -- of all sockets
for _, socket in pairs(venue.sockets) do
  for name in pairs(socket.operations) do operations[name] = true end
end

--- What metrics call the path of a request: as many words as the venue has routes, whatever clients send.
function M.template(method, path, websocket)
  local known = method == "WS" and operations or websocket and venue.sockets or calls.routes
  return known[path] and path or "other"
end

--- Fills in where things are, once the server listens.
function M.urls(box)
  local ws = box.origin:gsub("^http", "ws")
  box.url, box.ws_url, box.ws_api_url = box.origin, ws .. "/v5/public/spot", ws .. "/v5/private"
end

return M
