--- Returns of an account and of what it holds, and how they move together.  Statistics: binary numbers will do.
local Statistics = {}
Statistics.__index = Statistics

local M = {}

local MOST = 1000 -- returns that are looked at; the core's own bound for value at risk
local LEAST = 20 -- below so many, nothing is said

function M.new() return setmetatable({ returns = {}, series = {} }, Statistics) end

local function push(list, value)
  list[#list + 1] = value
  if #list > MOST then table.remove(list, 1) end
end

--- One more sample: the equity, and the prices of what is held, by asset.
function Statistics:sample(equity, prices)
  if self.equity and self.equity > 0 then push(self.returns, equity / self.equity - 1) end
  self.equity = equity
  for asset, price in pairs(prices) do
    local s = self.series[asset] or { returns = {} }
    if s.price and s.price > 0 then push(s.returns, price / s.price - 1) end
    s.price, self.series[asset] = price, s
  end
  for asset in pairs(self.series) do
    if not prices[asset] then self.series[asset] = nil end -- not held any more
  end
end

--- Of the latest n of two series; 0 when one of them does not move.
local function correlation(a, b, n)
  local da, db, sum_a, sum_b = #a - n, #b - n, 0, 0
  for i = 1, n do sum_a, sum_b = sum_a + a[da + i], sum_b + b[db + i] end
  local mean_a, mean_b, ab, aa, bb = sum_a / n, sum_b / n, 0, 0, 0
  for i = 1, n do
    local x, y = a[da + i] - mean_a, b[db + i] - mean_b
    ab, aa, bb = ab + x * y, aa + x * x, bb + y * y
  end
  return aa > 0 and bb > 0 and ab / math.sqrt(aa * bb) or 0
end

--- The assets that are held, in order, and their correlations, row by row; of those that are held too short a time: 0.
function Statistics:correlations()
  local assets, cells = {}, {}
  for asset in pairs(self.series) do assets[#assets + 1] = asset end
  table.sort(assets)
  for _, a in ipairs(assets) do
    for _, b in ipairs(assets) do
      local x, y = self.series[a].returns, self.series[b].returns
      local n = math.min(#x, #y)
      cells[#cells + 1] = a == b and 1 or n >= LEAST and correlation(x, y, n) or 0
    end
  end
  return assets, cells
end

return M
