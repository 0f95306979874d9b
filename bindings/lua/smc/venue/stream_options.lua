--- What a stream may be told beside what it is to carry.
local list = require "smc.list"

local M = {}

local KNOWN = { reconnect = "boolean", stale_after = "number", first_delay = "number", longest_delay = "number" }

local function check(what, name, value, level)
  if KNOWN[name] == "boolean" then
    if type(value) ~= "boolean" then error(("%s: %s is true or false"):format(what, name), level + 1) end
  elseif type(value) ~= "number" or value ~= value or value <= 0 or value > 86400 then
    error(("%s: %s is a number of seconds above 0, a day at most"):format(what, name), level + 1)
  end
end

--- Those that were given.  given: a table, whose positions 1..n and names in `others` are somebody else's.  level: whom
-- wrong use is blamed on, as in error().
function M.read(what, given, others, level)
  local out = {}
  for name, value in pairs(given) do
    if KNOWN[name] then
      check(what, name, value, level)
      out[name] = value
    elseif math.type(name) ~= "integer" and not (others and others[name]) then
      local names = {}
      for other in pairs(others or {}) do names[#names + 1] = other end
      error(("%s: %s"):format(what, list.unknown("option", name, KNOWN, table.unpack(names))), level)
    end
  end
  return out
end

return M
