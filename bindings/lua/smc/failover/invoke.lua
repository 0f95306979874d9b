--- One call of a member, in its words: symbols are those that it knows.
local symbols = require "smc.failover.symbols"

local M = {}

local Wrong = {} -- what wrong use raises here: the group's call blames it on its own caller

local function without_position(message) return (message:gsub("^[^\n]-:%d+: ", "", 1)) end

--- The text of wrong use, or nil for any other error.
function M.wrong_use(err)
  return getmetatable(err) == Wrong and err.message or nil
end

function M.wrong(message, ...)
  error(setmetatable({ message = message:format(...) }, Wrong), 0)
end

local function reraise(ok, result, ...)
  if ok then return result, ... end
  if type(result) == "string" then M.wrong("%s", without_position(result)) end
  error(result, 0)
end

--- Calls a function of a member; what it raises as wrong use is somebody else's.
function M.protected(fn, ...) return reraise(pcall(fn, ...)) end

--- Calls fn; wrong use is blamed on `level`, as in error().
function M.blame(level, fn, ...)
  local result = table.pack(pcall(fn, ...))
  if result[1] then return table.unpack(result, 2, result.n) end
  local err = result[2]
  local message = M.wrong_use(err)
  error(message or err, message and level + 1 or 0)
end

--- The arguments of a call with the member's symbol in the place of ours.  first: a symbol, or a table that has one.
local function translated(g, member, first)
  if type(first) == "string" then return symbols.theirs(g, member, first), first end
  if type(first) ~= "table" or type(first.symbol) ~= "string" then return first, nil end
  local out = {}
  for key, value in pairs(first) do out[key] = value end
  out.symbol = symbols.theirs(g, member, first.symbol)
  return out, first.symbol
end

local function outcome(g, member, op, symbol, ok, result, ...)
  if not ok and type(result) ~= "string" then error(result, 0) end
  if not ok or result == nil then
    local err = ok and ... or result
    local why = symbols.explain(g, member, op, symbol, err)
    if not ok and why == err then M.wrong("%s", without_position(err)) end
    return nil, why
  end
  local rename = symbols.renaming(g, member, symbol)
  if type(result) == "table" and result[1] ~= nil then
    for i, item in ipairs(result) do result[i] = rename(item) end
  end
  return rename(result), ...
end

--- Calls venue:op(first, ...).  Returns what it returned, with our names of symbols.
function M.call(g, member, op, first, ...)
  local theirs, symbol = translated(g, member, first)
  return outcome(g, member, op, symbol, pcall(member.venue[op], member.venue, theirs, ...))
end

return M
