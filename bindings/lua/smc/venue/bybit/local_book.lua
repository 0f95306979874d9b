--- A local order book kept from the snapshots and deltas of one topic.
local levels = require "smc.venue.levels"

local Book = {}
Book.__index = Book

local M = {}

--- live: a snapshot came, and nothing was lost since.
function M.new(symbol)
  return setmetatable({ symbol = symbol, live = false, resyncs = 0 }, Book)
end

--- Takes the data of a frame.  kind: "snapshot" or "delta".  Returns false when one before it is missing: the book
-- waits for a snapshot then.
function Book:update(kind, data)
  if kind == "snapshot" or data.u == 1 then -- 1: the venue's service has started anew
    self.bids, self.asks, self.live = levels.side(data.b), levels.side(data.a), true
  elseif not self.live then
    return true
  elseif data.u ~= self.u + 1 then
    self.live, self.resyncs = false, self.resyncs + 1
    return false
  else
    levels.apply(self.bids, data.b)
    levels.apply(self.asks, data.a)
  end
  self.u, self.id = data.u, data.seq
  return true
end

Book.top = levels.top

return M
