--- What a stream may be told beside what it is to carry.
local M = {}

local DEFAULTS = { reconnect = true, stale_after = 30, first_delay = 0.5, longest_delay = 30 }

local function check(what, name, value, level)
  if type(DEFAULTS[name]) == "boolean" then
    if type(value) ~= "boolean" then error(("%s: %s is true or false"):format(what, name), level + 1) end
  elseif type(value) ~= "number" or value ~= value or value <= 0 or value > 86400 then
    error(("%s: %s is a number of seconds above 0, a day at most"):format(what, name), level + 1)
  end
end

--- Every option.  given: a table, whose positions 1..n and names in `others` are somebody else's.  level: whom wrong
-- use is blamed on, as in error().
function M.read(what, given, others, level)
  local out = {}
  for name, value in pairs(DEFAULTS) do out[name] = value end
  for name, value in pairs(given) do
    if DEFAULTS[name] ~= nil then
      check(what, name, value, level)
      out[name] = value
    elseif math.type(name) ~= "integer" and not (others and others[name]) then
      error(("%s: unknown option '%s'"):format(what, tostring(name)), level)
    end
  end
  return out
end

return M
