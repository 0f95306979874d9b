--- What a symbol of the group is called at each of its members, and the error when a member does not have it.
local errors = require "smc.error"

local M = {}

--- What the member calls it.
function M.theirs(g, member, symbol)
  local row = g.symbols[symbol]
  return row and row[member.label] or symbol
end

--- A function that gives what a member says the group's names back: fields symbol and channel.
local function renamer(pairs_of_names)
  if not next(pairs_of_names) then return function(value) return value end end
  return function(value)
    if type(value) ~= "table" then return value end
    local ours = pairs_of_names[value.symbol]
    if ours then
      value.channel = value.channel and value.channel:match "^%a+:" .. ours
      value.symbol = ours
    end
    for _, part in ipairs { value.order or false, value.fill or false } do
      if part and pairs_of_names[part.symbol] then part.symbol = pairs_of_names[part.symbol] end
    end
    return value
  end
end

--- Every symbol that has another in its place at the member, by what it is called there.
local function all_names(g, member)
  local names = {}
  for symbol, row in pairs(g.symbols) do
    local theirs = row[member.label]
    if theirs and theirs ~= symbol then names[theirs] = names[theirs] or symbol end
  end
  return names
end

--- Gives results of a call about one symbol, or about all (nil), the group's names.
function M.renaming(g, member, symbol)
  if symbol == nil then return renamer(all_names(g, member)) end
  local theirs = M.theirs(g, member, symbol)
  return renamer(theirs ~= symbol and { [theirs] = symbol } or {})
end

--- The channels and options of a stream as the member wants them, and what gives its events our names.  An account's
-- stream has no channels: it tells of all symbols.
function M.channels(g, member, given)
  if type(given) ~= "table" or given[1] == nil then return given, renamer(all_names(g, member)) end
  local names, out = {}, {}
  for key, value in pairs(given) do
    local kind, symbol = tostring(value):match "^(%a+:)(.+)$"
    if math.type(key) == "integer" and g.symbols[symbol] then
      local theirs = M.theirs(g, member, symbol)
      if theirs ~= symbol then names[theirs] = symbol end
      value = kind .. theirs
    end
    out[key] = value
  end
  return out, renamer(names)
end

--- Whether the member trades it, as far as it tells.
local function lists(member, symbol)
  if not member.known then
    local list = member.venue.instruments and member.venue:instruments()
    if not list then return true end
    member.known = {}
    for _, instrument in ipairs(list) do member.known[instrument.symbol] = true end
  end
  return member.known[symbol] == true
end

local function no_symbol(member, op, symbol, theirs)
  local key = member.label:find "[^%w]" and ('["%s"]'):format(member.label) or member.label
  local message = ("%s does not have %s; what stands for it there is said by symbols = { [\"%s\"] = { %s = .. } }")
    :format(member.label, theirs, symbol, key)
  if theirs ~= symbol then
    local names = {}
    for name in pairs(member.known) do names[#names + 1] = name end
    table.sort(names)
    message = ("%s does not have %s, which stands for %s by symbols (it has: %s)"):format(member.label, theirs, symbol,
      table.concat(names, ", "))
  end
  return errors.new { class = "invalid_request", code = "no_symbol", venue = member.venue.name, op = op,
    message = message }
end

local ASKED_WRONG = { invalid_request = true, filter = true }

--- Says it when the reason for an error is that the member does not have the symbol.  err: an error object, or the text
-- of one that was raised.  Returns an error object, or err as it was.
function M.explain(g, member, op, symbol, err)
  if type(symbol) ~= "string" or type(err) == "table" and not ASKED_WRONG[err.class] then return err end
  local theirs = M.theirs(g, member, symbol)
  return lists(member, theirs) and err or no_symbol(member, op, symbol, theirs)
end

--- The same for the channels of a stream, in the group's names: an error object, or nil.
function M.missing(g, member, op, given)
  for _, channel in ipairs(type(given) == "table" and given or {}) do
    local symbol = tostring(channel):match "^%a+:(.+)$"
    local theirs = symbol and M.theirs(g, member, symbol)
    if theirs and not lists(member, theirs) then return no_symbol(member, op, symbol, theirs) end
  end
end

return M
