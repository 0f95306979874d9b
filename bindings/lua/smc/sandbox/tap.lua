--- A connection over which a venue tells something by itself, while faults of streams are in force: what is sent goes
-- by the front door (door.lua).  It stands in the place of a session's `sock`: a WebSocket, or `ex`, the answer that a
-- stream of lines is.
local Tap = {}
Tap.__index = Tap

local M = {}

--- real: what sends; path: that its handshake asked for; lines: it is a stream of lines.
function M.new(door, real, path, lines)
  local tap = setmetatable({ door = door, real = real, path = path, lines = lines, under = {}, kept = {} }, Tap)
  door:welcome(tap)
  return tap
end

function M.is(sock) return getmetatable(sock) == Tap end

-- ---- as a sock -------------------------------------------------------------------------------

function Tap:send(data) return self.door:tell(self, "send", data) end
function Tap:write(data) return self.door:tell(self, "write", data) end
function Tap:ping(payload) return self.door:tell(self, "ping", payload) end

for _, name in ipairs { "pong", "close", "reset", "raw", "drop", "finish", "auto_pong" } do
  Tap[name] = function(self, ...) return self.real[name](self.real, ...) end
end

-- ---- for faults --------------------------------------------------------------------------------

--- Sends, as it would have been.
function Tap:pass(how, data) return self.real[how](self.real, data) end

function Tap:answer_pings(on)
  if not self.lines then self.real:auto_pong(on) end
end

--- Whether something waits for others to overtake it.
function Tap:holds() return self.late ~= nil end

function Tap:hold_back(how, data, by) self.late = { how = how, data = data, left = by } end

--- An event was told: what it overtook may follow.
function Tap:overtook()
  local late = self.late
  if not late then return end
  late.left = late.left - 1
  if late.left < 1 then self:let_go() end
end

function Tap:let_go()
  local late = self.late
  self.late = nil
  if late then self:pass(late.how, late.data) end
end

--- For later: see send_kept.
function Tap:keep(how, data) self.kept[#self.kept + 1] = { how, data } end

function Tap:send_kept()
  local kept = self.kept
  self.kept = {}
  for _, frame in ipairs(kept) do self:pass(frame[1], frame[2]) end
end

return M
