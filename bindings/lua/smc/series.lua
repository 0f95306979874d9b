--- Numbers over time, in so few points that a report stays small however long a spec lasts.
-- Time is cut into intervals, at first of 1 ms; whenever there would be more than MOST that hold something, they become
-- twice as wide and neighbours are joined, by their sum or by the greater: a peak is never lost.
local M = { MOST = 120 }
local Series = {}
Series.__index = Series

--- names: of the columns.  join(a, b): what two neighbours are together, math.max or M.sum.
function M.new(names, join)
  local self = { width = 1, n = 0, bins = {}, columns = {}, list = {}, join = join }
  for i, name in ipairs(names) do
    self.list[i] = {}
    self.columns[name] = self.list[i]
  end
  return setmetatable(self, Series)
end

function M.sum(a, b) return a + b end

--- The intervals become twice as wide.
local function coarsen(self)
  local bins, n = self.bins, 0
  for i = 1, self.n do
    local bin = bins[i] // 2
    local same = n > 0 and bins[n] == bin
    if not same then n = n + 1 end
    for _, column in ipairs(self.list) do column[n] = same and self.join(column[n], column[i]) or column[i] end
    bins[n] = bin
  end
  for i = self.n, n + 1, -1 do
    bins[i] = nil
    for _, column in ipairs(self.list) do column[i] = nil end
  end
  self.n, self.width = n, 2 * self.width
end

--- Where in the columns a moment is.  Moments never go back.
function Series:slot(ms)
  local bin = ms // self.width
  if bin == self.bins[self.n] then return self.n end
  while self.n == M.MOST do
    coarsen(self)
    bin = ms // self.width
    if bin == self.bins[self.n] then return self.n end
  end
  local n = self.n + 1
  self.n, self.bins[n] = n, bin
  for _, column in ipairs(self.list) do column[n] = 0 end
  return n
end

--- When each interval begins, in ms.
function Series:times()
  local out = {}
  for i = 1, self.n do out[i] = self.bins[i] * self.width end
  return out
end

return M
