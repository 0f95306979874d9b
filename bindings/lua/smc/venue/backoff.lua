--- How long a stream that lost its connection waits before each attempt to get another.
local M = {}

--- Seconds before attempt n, counting from 1: none, then `first`, and twice as long each time up to `longest`; of which
-- at most half is left to chance.
function M.delay(n, first, longest, random)
  if n == 1 then return 0 end
  return math.min(longest, first * 2.0 ^ (n - 2)) * (0.5 + random:float() / 2)
end

return M
