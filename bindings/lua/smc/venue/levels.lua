--- The sides of a local order book: quantities by price, kept in order.
-- The best price stands last, so that what changes near it moves little.
local decimal = require "smc.decimal"
local words = require "smc.venue.words"

local M = {}

local Side = {}
Side.__index = Side

--- Prices are compared as numbers, and exactly where those are equal.
local function before(row, rank, price, better)
  if row.rank ~= rank then return row.rank < rank end
  return decimal.cmp(row[1], price) * better < 0
end

--- Where a price stands, or would.
local function place_of(self, rank, price)
  local low, high = 1, self.count + 1
  while low < high do
    local middle = (low + high) // 2
    if before(self.rows[middle], rank, price, self.better) then low = middle + 1 else high = middle end
  end
  return low
end

local function put(self, price, qty)
  local row = self.at[price]
  if row then
    row[2] = qty
    return
  end
  local rank = tonumber(price) * self.better
  row = { price, qty, rank = rank }
  table.insert(self.rows, place_of(self, rank, price), row)
  self.at[price], self.count = row, self.count + 1
end

local function remove(self, price)
  local row = self.at[price]
  if not row then return end
  table.remove(self.rows, place_of(self, row.rank, price))
  self.at[price], self.count = nil, self.count - 1
end

--- Takes in [price, quantity] rows; a quantity of zero takes the price out.
function Side:apply(rows)
  for _, row in ipairs(rows) do
    local price, qty = words.number(row[1]), words.number(row[2])
    if qty == "0" then remove(self, price) else put(self, price, qty) end
  end
end

--- The best n levels, best first.
function Side:top(n)
  local out = {}
  for i = 1, math.min(n, self.count) do
    local row = self.rows[self.count + 1 - i]
    out[i] = { row[1], row[2] }
  end
  return out
end

local function side(better, rows)
  local self, worst_first = setmetatable({ better = better, rows = {}, at = {}, count = 0 }, Side), {}
  for i = #rows, 1, -1 do worst_first[#worst_first + 1] = rows[i] end
  self:apply(worst_first)
  return self
end

--- Gives a book { bids, asks } nothing but these rows.
function M.replace(book, bids, asks)
  book.bids, book.asks = side(1, bids), side(-1, asks)
end

--- Takes in changes of both sides.
function M.change(book, bids, asks)
  book.bids:apply(bids)
  book.asks:apply(asks)
end

--- The best n levels of each side of a book { symbol, id, bids, asks }.
function M.top(book, n)
  return { symbol = book.symbol, id = book.id, bids = book.bids:top(n), asks = book.asks:top(n) }
end

return M
