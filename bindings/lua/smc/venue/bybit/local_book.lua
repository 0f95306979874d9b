--- A local order book kept from the snapshots and deltas of one topic.
local levels = require "smc.venue.levels"

local Book = {}
Book.__index = Book

local M = {}

--- live: a snapshot came, and nothing was lost since.
function M.new(symbol)
  return setmetatable({ symbol = symbol, live = false, resyncs = 0 }, Book)
end

--- What came over a connection does not continue on the next one.
function Book:reset()
  self.live, self.id = false, nil
end

local function restart(self, data)
  if data.u ~= 1 and self.id and data.seq < self.id then return true, true end
  levels.replace(self, data.b, data.a)
  self.live, self.u, self.id = true, data.u, data.seq
  return true
end

--- Takes the data of a frame.  kind: "snapshot" or "delta".  Returns false when one before it is missing: the book
-- waits for a snapshot then; true and whether it came late: the book knew.
function Book:update(kind, data)
  if kind == "snapshot" or data.u == 1 then return restart(self, data) end -- 1: the venue's service has started anew
  if not self.live or data.u <= self.u then return true, self.live end
  if data.u > self.u + 1 then
    self.live, self.resyncs = false, self.resyncs + 1
    return false
  end
  levels.change(self, data.b, data.a)
  self.u, self.id = data.u, data.seq
  return true
end

Book.top = levels.top

return M
