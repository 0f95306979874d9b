--- A local order book kept from a snapshot and the depth events after it.
local levels = require "smc.venue.levels"

local Book = {}
Book.__index = Book

local M = {}

local MAX_BUFFERED = 5000 -- events that wait for a snapshot; more, and they are older than any that will come

--- live: a snapshot came, and nothing was lost since.  Until then events are buffered.
function M.new(symbol)
  return setmetatable({ symbol = symbol, live = false, buffer = {}, resyncs = 0 }, Book)
end

--- What came over a connection does not continue on the next one.
function Book:reset()
  self.live, self.buffer = false, {}
end

local function keep(self, event)
  if #self.buffer == MAX_BUFFERED then self.buffer = {} end
  self.buffer[#self.buffer + 1] = event
end

--- Takes a depthUpdate.  Returns false when an event before it is missing: the book starts over then; true and whether
-- it came late: the book knew.
function Book:update(event)
  if not self.live then
    keep(self, event)
    return true
  end
  if event.u <= self.id then return true, true end
  if event.U > self.id + 1 then
    self.live, self.buffer, self.resyncs = false, { event }, self.resyncs + 1
    return false
  end
  levels.change(self, event.b, event.a)
  self.id = event.u
  return true
end

local function by_first(a, b) return a.U < b.U end

--- Takes a snapshot, as GET depth answers.  Returns false when it does not fit what was buffered: fetch another.
function Book:restart(snapshot)
  local buffered = self.buffer
  table.sort(buffered, by_first)
  levels.replace(self, snapshot.bids, snapshot.asks)
  self.live, self.id, self.buffer = true, snapshot.lastUpdateId, {}
  for i, event in ipairs(buffered) do
    if not self:update(event) then
      table.move(buffered, i + 1, #buffered, 2, self.buffer)
      return false
    end
  end
  return true
end

Book.top = levels.top

return M
