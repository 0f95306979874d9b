--- Lists that callers give, and names that they may give.
local M = {}

--- The highest position that something stands at.  A list with a nil in it, such as a venue that was never opened, is
-- looked at as far as that: ipairs would end before it, in silence.
function M.length(list)
  local last = 0
  for key in pairs(list) do last = math.type(key) == "integer" and math.max(last, key) or last end
  return last
end

--- "unknown option 'wihtin' (known: every, within)".  kind: what the key is; known: a table that has the names as its
-- keys; ...: further ones.
function M.unknown(kind, key, known, ...)
  local names = { ... }
  for name in pairs(known) do names[#names + 1] = tostring(name) end
  table.sort(names)
  return ("unknown %s '%s' (known: %s)"):format(kind, tostring(key), table.concat(names, ", "))
end

return M
