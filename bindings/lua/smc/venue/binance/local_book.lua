--- A local order book kept from a snapshot and the depth events after it.
local decimal = require "smc.decimal"
local unify = require "smc.venue.binance.unify"

local Book = {}
Book.__index = Book

local M = {}

--- state: "buffering" until a snapshot fits, then "live".
function M.new(symbol)
  return setmetatable({ symbol = symbol, state = "buffering", buffer = {}, resyncs = 0 }, Book)
end

local function apply_side(levels, rows)
  for _, row in ipairs(rows) do
    local price, qty = unify.number(row[1]), unify.number(row[2])
    levels[price] = qty ~= "0" and qty or nil
  end
end

local function apply(self, event)
  apply_side(self.bids, event.b)
  apply_side(self.asks, event.a)
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

local function side_of(rows)
  local levels = {}
  apply_side(levels, rows)
  return levels
end

--- Takes a snapshot, as GET depth answers.  Returns false when it is older than what was buffered: fetch another.
function Book:restart(snapshot)
  local first = self.buffer[1]
  if first and snapshot.lastUpdateId < first.U - 1 then return false end
  self.bids, self.asks, self.id = side_of(snapshot.bids), side_of(snapshot.asks), snapshot.lastUpdateId
  local buffered = self.buffer
  self.state, self.buffer = "live", {}
  for _, event in ipairs(buffered) do
    if not self:update(event) then return false end
  end
  return true
end

local function sorted(levels, better, n)
  local prices, out = {}, {}
  for price in pairs(levels) do prices[#prices + 1] = price end
  table.sort(prices, function(a, b) return decimal.cmp(a, b) == better end)
  for i = 1, math.min(n, #prices) do out[i] = { prices[i], levels[prices[i]] } end
  return out
end

--- The best n levels of each side.
function Book:top(n)
  return { symbol = self.symbol, id = self.id, bids = sorted(self.bids, 1, n), asks = sorted(self.asks, -1, n) }
end

return M
