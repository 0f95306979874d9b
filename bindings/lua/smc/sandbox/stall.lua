--- A connection that has gone silent without ending: nothing that the venue sends arrives, until it goes on.
-- A session sends by its `sock`: a WebSocket, or `ex`, the answer that a stream of lines is.
local Stalled = {}
Stalled.__index = Stalled

local M = {}

local function held(name)
  return function(self, ...) self.later[#self.later + 1] = table.pack(name, ...) end
end

Stalled.send, Stalled.ping, Stalled.write = held "send", held "ping", held "write"

--- The venue gives the connection up.
function Stalled:close(...) return self.sock:close(...) end
function Stalled:reset() return self.sock:reset() end

local function answer_pings(session, on)
  if not session.ex then session.sock:auto_pong(on) end
end

--- Whether a session's sock is a connection that is held back.
function M.is(sock) return getmetatable(sock) == Stalled end

--- Holds back what is sent to the session from now on.
function M.begin(session)
  if getmetatable(session.sock) == Stalled then return end
  answer_pings(session, false)
  session.sock = setmetatable({ sock = session.sock, later = {} }, Stalled)
end

--- Sends what was held back, and goes on.
function M.finish(session)
  local stalled = session.sock
  if getmetatable(stalled) ~= Stalled then return end
  session.sock = stalled.sock
  answer_pings(session, true)
  for _, call in ipairs(stalled.later) do session.sock[call[1]](session.sock, table.unpack(call, 2, call.n)) end
end

return M
