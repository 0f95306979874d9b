--- A local order book that is the last price.
local unify = require "smc.venue.oanda.unify"

local Book = {}
Book.__index = Book

local M = {}

--- live: a price came over this connection.
function M.new(symbol) return setmetatable({ symbol = symbol, live = false }, Book) end

--- What came over a connection says nothing of now.
function Book:reset() self.live = false end

--- A price says all that there is; one that is older than what we have comes late.
function Book:update(price)
  local new = unify.book(price)
  if self.id and new.id < self.id then return end
  self.id, self.bids, self.asks, self.live = new.id, new.bids, new.asks, true
end

function Book:top(n)
  return { symbol = self.symbol, id = self.id, bids = { table.unpack(self.bids, 1, n) },
    asks = { table.unpack(self.asks, 1, n) } }
end

return M
