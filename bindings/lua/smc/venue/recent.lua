--- Remembers what was said about the last few thousand keys.
local Recent = {}
Recent.__index = Recent

local M = {}

--- At least the last `size` keys, at most twice as many.
function M.new(size)
  return setmetatable({ size = size, count = 0, young = {}, old = {} }, Recent)
end

function Recent:get(key)
  local value = self.young[key]
  if value == nil then value = self.old[key] end
  return value
end

function Recent:put(key, value)
  if self.young[key] == nil then
    if self.count == self.size then self.count, self.old, self.young = 0, self.young, {} end
    self.count = self.count + 1
  end
  self.young[key] = value
end

return M
