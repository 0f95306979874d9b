--- The sides of a local order book: quantities by price.
local decimal = require "smc.decimal"
local words = require "smc.venue.words"

local M = {}

--- Takes in [price, quantity] rows; a quantity of zero takes the price out.
function M.apply(levels, rows)
  for _, row in ipairs(rows) do
    local price, qty = words.number(row[1]), words.number(row[2])
    levels[price] = qty ~= "0" and qty or nil
  end
end

--- A side of nothing but these rows.
function M.side(rows)
  local levels = {}
  M.apply(levels, rows)
  return levels
end

local function sorted(levels, better, n)
  local prices, out = {}, {}
  for price in pairs(levels) do prices[#prices + 1] = price end
  table.sort(prices, function(a, b) return decimal.cmp(a, b) == better end)
  for i = 1, math.min(n, #prices) do out[i] = { prices[i], levels[prices[i]] } end
  return out
end

--- The best n levels of each side of a book { symbol, id, bids, asks }.
function M.top(book, n)
  return { symbol = book.symbol, id = book.id, bids = sorted(book.bids, 1, n), asks = sorted(book.asks, -1, n) }
end

return M
