--- A local order book that is the last price.
local unify = require "smc.venue.oanda.unify"

local Book = {}
Book.__index = Book

local M = {}

--- live: a price came over this connection.
function M.new(symbol) return setmetatable({ symbol = symbol, live = false }, Book) end

--- What came over a connection says nothing of now.
function Book:reset() self.live = false end

--- Whether a price comes late: it is older than one that we have, but not by so much that the venue's clock has moved.
local LATEST_NS = 5000000000
function M.is_late(ns, newest) return newest ~= nil and ns < newest and newest - ns <= LATEST_NS end

--- A price says all that there is.  Returns whether it was of use: one that comes late is not.
function Book:update(price)
  local new = unify.book(price)
  if M.is_late(new.id, self.id) then return false end
  self.id, self.bids, self.asks, self.live = new.id, new.bids, new.asks, true
  return true
end

function Book:top(n)
  n = math.min(n, math.max(#self.bids, #self.asks))
  return { symbol = self.symbol, id = self.id, bids = { table.unpack(self.bids, 1, n) },
    asks = { table.unpack(self.asks, 1, n) } }
end

return M
