--- A Binance sandbox without sockets: exchanges are tables, so a test sees exactly what would go onto the wire.
local sign = require "smc.core.sign"
local task = require "smc.core.task"
local text = require "smc.core.text"
local venue = require "smc.sandbox.binance"

local M = {}

--- A fresh venue.  assume: assumptions that differ.
function M.venue(assume)
  local all = {}
  for name, value in pairs(venue.assumptions) do all[name] = value end
  for name, value in pairs(assume or {}) do all[name] = value end
  return venue.new(1, all, function() end)
end

local Exchange = {}
Exchange.__index = Exchange

function Exchange:header(name) return self.headers[name] end

function Exchange:reply(status, headers, body)
  assert(self.status == nil, "answered twice")
  self.status, self.answer, self.out = status, body, {}
  for _, h in ipairs(headers) do self.out[h[1]:lower()] = h[2] end
end

--- The socket's server side: `sent` is what the client would read.
function Exchange:upgrade(handlers)
  local sock = { sent = {}, pinged = {}, handlers = handlers }
  function sock:send(data) self.sent[#self.sent + 1] = data end
  function sock:ping(payload) self.pinged[#self.pinged + 1] = payload end
  function sock:close(code, reason)
    if self.closed then return end
    self.closed = { code, reason }
    handlers.on_close(self, code, reason)
  end
  --- As the client: a text message; and everything that came since the last look.
  function sock:say(data) handlers.on_message(self, data, false) end
  function sock:take()
    local out = self.sent
    self.sent = {}
    return out
  end
  self.sock, self.status = sock, 101
  return sock
end

local function exchange(method, target, headers, body, is_websocket)
  local path, query = target:match("^([^?]*)%??(.*)$")
  return setmetatable({ method = method, path = path, query = query, body = body or "", headers = headers or {},
    is_websocket = is_websocket or false }, Exchange)
end

--- Sends an unsigned request; returns the answered exchange.
function M.ask(sb, method, target, headers, body)
  local ex = exchange(method, target, headers, body)
  sb:serve(ex)
  return ex
end

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

--- Opens a WebSocket; returns its server side (see Exchange:upgrade) or the refused exchange.
function M.connect(sb, target)
  local ex = exchange("GET", target, {}, "", true)
  sb:serve(ex)
  return ex.sock or ex
end

return M
