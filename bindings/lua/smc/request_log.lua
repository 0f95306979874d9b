--- A log of requests that scenarios ask questions of: what a client sent, or what a sandbox saw.

local list = require "smc.list"

local M = {}

--- What is wrong with a filter, or nil: what no entry can be would find none, in silence.
local function wrong_filter(key, value, fields)
  local kind = fields[key] or (key == "after" or key == "before") and "number"
  if not kind then return list.unknown("filter", key, fields, "after", "before") end
  if type(value) ~= kind then return ("%s is a %s, not a %s"):format(key, kind, type(value)) end
end

--- The entries of `log` that fit all `filters`: fields that are equal, and `after` <= at <= `before` in seconds of
-- smc.now().  log: a list, oldest first, or the part of one from log.first to log.last.
-- what: the call; fields: the names that may be asked for, and the types of their values.  Wrong use is blamed on the
-- caller at `level`.
function M.matching(what, log, fields, filters, level)
  local wanted = {}
  if filters ~= nil and type(filters) ~= "table" then error(what .. ": a table of filters expected", level + 1) end
  for key, value in pairs(filters or {}) do
    local wrong = wrong_filter(key, value, fields)
    if wrong then error(("%s: %s"):format(what, wrong), level + 1) end
    if fields[key] then wanted[#wanted + 1] = { key, value } end
  end
  local after, before = filters and filters.after or -math.huge, filters and filters.before or math.huge
  local out = {}
  for i = log.first or 1, log.last or #log do
    local entry = log[i]
    local fits = entry.at >= after and entry.at <= before
    for _, pair in ipairs(wanted) do fits = fits and entry[pair[1]] == pair[2] end
    if fits then out[#out + 1] = entry end
  end
  return out
end

return M
