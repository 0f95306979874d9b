--- A connection that has gone silent without ending: nothing that the venue sends arrives, until it goes on.
local Stalled = {}
Stalled.__index = Stalled

local M = {}

local function held(name)
  return function(self, ...) self.later[#self.later + 1] = table.pack(name, ...) end
end

Stalled.send, Stalled.ping = held "send", held "ping"

--- The venue gives the connection up.
function Stalled:close(...) return self.sock:close(...) end
function Stalled:reset() return self.sock:reset() end

--- Holds back what is sent to the session from now on.
function M.begin(session)
  if getmetatable(session.sock) == Stalled then return end
  session.sock:auto_pong(false)
  session.sock = setmetatable({ sock = session.sock, later = {} }, Stalled)
end

--- Sends what was held back, and goes on.
function M.finish(session)
  local stalled = session.sock
  if getmetatable(stalled) ~= Stalled then return end
  session.sock = stalled.sock
  session.sock:auto_pong(true)
  for _, call in ipairs(stalled.later) do session.sock[call[1]](session.sock, table.unpack(call, 2, call.n)) end
end

return M
