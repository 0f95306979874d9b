--- Parameters as text: decimals come as strings, tables go as JSON.
local json = require "smc.json"
local text = require "smc.core.text"

local M = {}

function M.text(name, value)
  if type(value) == "table" then return json.encode(value) end
  if type(value) ~= "string" and type(value) ~= "number" and type(value) ~= "boolean" then
    error(("parameter '%s' is a %s: a text, a whole number, true, false or a table expected")
      :format(name, type(value)), 0)
  end
  if type(value) == "number" and math.type(value) ~= "integer" then
    error(("parameter '%s' is a fraction: give decimals as strings"):format(name), 0)
  end
  return tostring(value)
end

--- The names, sorted.
function M.names(params)
  local names = {}
  for name in pairs(params) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- name=value pairs in order of the names, percent-encoded.
function M.encode(params) return text.form_encode(params, M.text) end

return M
