--- A local order book kept from a snapshot and the depth events after it.
local levels = require "smc.venue.levels"

local Book = {}
Book.__index = Book

local M = {}

--- state: "buffering" until a snapshot fits, then "live".
function M.new(symbol)
  return setmetatable({ symbol = symbol, state = "buffering", buffer = {}, resyncs = 0 }, Book)
end

local function apply(self, event)
  levels.apply(self.bids, event.b)
  levels.apply(self.asks, event.a)
  self.id = event.u
end

--- Takes a depthUpdate.  Returns false when an event before it is missing: the book starts over then.
function Book:update(event)
  if self.state == "buffering" then
    self.buffer[#self.buffer + 1] = event
    return true
  end
  if event.u <= self.id then return true end
  if event.U > self.id + 1 then
    self.state, self.buffer, self.resyncs = "buffering", { event }, self.resyncs + 1
    return false
  end
  apply(self, event)
  return true
end

--- Takes a snapshot, as GET depth answers.  Returns false when it is older than what was buffered: fetch another.
function Book:restart(snapshot)
  local first = self.buffer[1]
  if first and snapshot.lastUpdateId < first.U - 1 then return false end
  self.bids, self.asks, self.id = levels.side(snapshot.bids), levels.side(snapshot.asks), snapshot.lastUpdateId
  local buffered = self.buffer
  self.state, self.buffer = "live", {}
  for _, event in ipairs(buffered) do
    if not self:update(event) then return false end
  end
  return true
end

Book.top = levels.top

return M
