--- A wire on which frames get lost, come twice or overtake each other, as a seeded generator has it.
local Wire = {}
Wire.__index = Wire

local M = {}

local LATEST = 6 -- turns that a late frame is on its way

--- clean: frames that were sent after the last damage and have arrived; done: how often each kind was done.
function M.new(random)
  return setmetatable({ random = random, turn = 0, sent = 0, hurt = 0, pending = {}, clean = 0, done = {} }, Wire)
end

local function push(self, frame, late)
  self.sent = self.sent + 1
  self.pending[#self.pending + 1] = { frame = frame, number = self.sent, due = self.turn + late, late = late > 0 }
end

local function hurt(self)
  self.clean, self.hurt = 0, self.sent
end

local damages = {}

function damages.drop() end

function damages.duplicate(self, frame)
  push(self, frame, 0)
  push(self, frame, self.random:int(1, LATEST))
end

function damages.reorder(self, frame) push(self, frame, self.random:int(1, LATEST)) end

local KINDS = { "drop", "duplicate", "reorder" }

function Wire:damage(kind, frame)
  self.done[kind] = (self.done[kind] or 0) + 1
  if frame then damages[kind](self, frame) end
  hurt(self)
end

--- One frame in eight suffers.
function Wire:send(frame)
  if self.random:int(1, 8) > 1 then return push(self, frame, 0) end
  self:damage(KINDS[self.random:int(1, #KINDS)], frame)
end

--- All that is under way is lost.
function Wire:cut()
  self.pending = {}
  self:damage "reconnect"
end

--- What arrives in this turn, in order; then the next turn begins.
function Wire:take()
  local arrived, still = {}, {}
  for _, p in ipairs(self.pending) do
    if p.due > self.turn then
      still[#still + 1] = p
    else
      arrived[#arrived + 1] = p.frame
      if p.late then hurt(self) elseif p.number > self.hurt then self.clean = self.clean + 1 end
    end
  end
  self.pending, self.turn = still, self.turn + 1
  return arrived
end

return M
