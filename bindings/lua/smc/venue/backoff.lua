--- How long a stream that lost its connection waits before each attempt to get another.
local M = {}

--- Seconds of the n-th wait: `first`, and twice as long each time up to `longest`; of which half is left to chance.
function M.delay(n, first, longest, random)
  return math.min(longest, first * 2.0 ^ (n - 1)) * (0.5 + random:float() / 2)
end

return M
