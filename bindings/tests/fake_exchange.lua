--- Sandboxes without sockets: exchanges are tables, so a test sees exactly what would go onto the wire.
local json = require "smc.json"

local M = {}

local Exchange = {}
Exchange.__index = Exchange

function Exchange:header(name, ...)
  if select("#", ...) == 0 then return self.headers[name] end
  return self.headers[name], self:header(...)
end

function Exchange:parts() return self.method, self.path, self.query, self.body, self.is_websocket end

function Exchange:reply(status, headers, body)
  assert(self.status == nil, "answered twice")
  self.status, self.answer, self.out = status, body, {}
  for _, h in ipairs(headers) do self.out[h[1]:lower()] = tostring(h[2]) end
end

--- A stream: `pieces` are its chunks so far; `hang_up` ends it as the client.
function Exchange:start(status, headers)
  self:reply(status, headers, "")
  self.alive, self.pieces = true, {}
  function self:write(bytes) self.pieces[#self.pieces + 1] = bytes end
  function self:hang_up() self.alive = false end
  self.close = self.hang_up
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

--- A fresh venue of a sandbox's module.  assume: assumptions that differ.
function M.venue(venue, assume)
  local all = {}
  for name, value in pairs(venue.assumptions) do all[name] = value end
  for name, value in pairs(assume or {}) do all[name] = value end
  return venue.new(1, all, { add = function() return 0 end, note = function() end })
end

--- Sends an unsigned request; returns the answered exchange.
function M.ask(sb, method, target, headers, body)
  local ex = exchange(method, target, headers, body)
  sb:serve(ex)
  return ex
end

--- What a socket was sent since the last look, decoded.
function M.frames(sock)
  local out = {}
  for i, text in ipairs(sock:take()) do out[i] = json.decode(text) end
  return out
end

--- Opens a WebSocket; returns its server side (see Exchange:upgrade) or the refused exchange.
function M.connect(sb, target)
  local ex = exchange("GET", target, {}, "", true)
  sb:serve(ex)
  return ex.sock or ex
end

return M
