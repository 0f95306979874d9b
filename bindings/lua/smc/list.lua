--- Lists that callers give.
local M = {}

--- The highest position that something stands at.  A list with a nil in it, such as a venue that was never opened, is
-- looked at as far as that: ipairs would end before it, in silence.
function M.length(list)
  local last = 0
  for key in pairs(list) do last = math.type(key) == "integer" and math.max(last, key) or last end
  return last
end

return M
