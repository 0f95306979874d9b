--- What may stand where the cursor is: names of globals, and fields of what is before a dot or colon, those of its
-- metatables too.

local M = {}

local WORDS = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local",
  "nil", "not", "or", "repeat", "return", "then", "true", "until", "while" }

local CHAIN = 16 -- metatables behind one another; longer chains are loops

--- Adds the names in t, and of what its metatable leads to.  Where __index is a function, what it finds is mostly in
-- the metatable itself, or among the keys of the tables that it lists as __names.
local function collect(t, into, depth)
  if depth > CHAIN then return end
  if type(t) == "table" then
    for key, value in next, t do
      if type(key) == "string" and key:find "^[%a_][%w_]*$" and not key:find "^__" then
        into[key] = into[key] or type(value)
      end
    end
  end
  local mt = debug.getmetatable(t)
  if type(mt) ~= "table" then return end
  local index, names = rawget(mt, "__index"), rawget(mt, "__names")
  for _, list in ipairs(type(names) == "table" and names or {}) do collect(list, into, depth + 1) end
  if type(index) == "table" then
    collect(index, into, depth + 1)
  elseif type(index) == "function" then
    collect(mt, into, depth + 1)
  end
end

local function field(t, name) return t[name] end

--- The value that "a.b.c" names, or nil.  Nothing is called but __index.
local function resolve(env, path)
  local value = env
  for name in path:gmatch "[^%.:]+" do
    local ok, found = pcall(field, value, name)
    if not ok or found == nil then return nil end
    value = found
  end
  return value
end

--- The longest text that all of them begin with.
local function common(names)
  local first, last = names[1], names[#names] -- they are sorted
  local n = 0
  while n < #first and first:byte(n + 1) == last:byte(n + 1) do n = n + 1 end
  return first:sub(1, n)
end

--- "x = venue.sandbox:or" -> "venue.sandbox", ":", "or"; nil, "", "ven" of a name that stands alone; nothing where what
-- stands before is the result of a call, or a text, which nobody looks into.
local function split(before)
  local at, path, mark, stem = before:match "()([%a_][%w_%.:]*)([%.:])([%w_]*)$"
  if not at then
    at, stem = before:match "()([%a_]?[%w_]*)$"
    mark = ""
  end
  if before:sub(1, at - 1):find "[%.:%w_\"')%]]$" then return nil end
  return stem, mark, path
end

--- before: the line up to the cursor.  Returns what is to be inserted there, and a sorted list of the candidates.
function M.at(env, before)
  local stem, mark, path = split(before)
  local value = env
  if path then value = resolve(env, path) end
  if not stem or value == nil then return "", {} end
  local names, found = {}, {}
  collect(value, found, 0)
  if not path then
    for _, word in ipairs(WORDS) do found[word] = "word" end
  end
  for name, kind in pairs(found) do
    if name:sub(1, #stem) == stem and (mark ~= ":" or kind == "function") then names[#names + 1] = name end
  end
  if #names == 0 then return "", names end
  table.sort(names)
  return common(names):sub(#stem + 1), names
end

return M
