--- Values as the prompt shows them: what a person wants to see, in an order that does not change.

local M = {}

local WIDTH = 100  -- columns of a table that is written on one line
local DEPTH = 4    -- tables in tables; what lies deeper is {...}
local ENTRIES = 40 -- of one table
local LENGTH = 400 -- bytes of a text in a table

local function key_of(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return key end
  return "[" .. (type(key) == "string" and ("%q"):format(key) or tostring(key)) .. "]"
end

local function text_of(value)
  if type(value) ~= "string" then return tostring(value) end
  local clipped = #value > LENGTH and value:sub(1, LENGTH) .. "..." or value
  return (("%q"):format(clipped):gsub("\\\n", "\\n"))
end

--- Tables, functions and what else Lua shows by its address come last, and without the address.
local function plain(value)
  local ok, text = pcall(text_of, value)
  if not ok then return "<" .. type(value) .. " whose __tostring fails>" end
  return (text:gsub("^(%a[%w_. ]*): 0x%x+$", "<%1>"):gsub("^(%a+): builtin: 0x%x+$", "<%1>"))
end

--- Whether its own metatable says how it is shown.
local function speaks(value)
  local mt = debug.getmetatable(value)
  return type(mt) == "table" and rawget(mt, "__tostring") ~= nil
end

local draw

--- The entries of a table, as texts: first the list, then the rest in the order of pairs.
local function entries(t, depth, above)
  local out, listed, left = {}, rawlen(t), 0
  local function add(text)
    if #out < ENTRIES then out[#out + 1] = text else left = left + 1 end
  end
  for i = 1, listed do add(draw(rawget(t, i), depth, above)) end
  for key, value in next, t do
    if math.type(key) ~= "integer" or key < 1 or key > listed then
      add { key_of(key), " = " .. draw(value, depth, above) }
    end
  end
  return out, left
end

--- Those with names are sorted behind the list.
local function in_order(list)
  local out, named = {}, {}
  for _, entry in ipairs(list) do
    local into = type(entry) == "table" and named or out
    into[#into + 1] = entry
  end
  table.sort(named, function(a, b) return a[1] < b[1] end)
  for _, entry in ipairs(named) do out[#out + 1] = entry[1] .. entry[2] end
  return out
end

local function draw_table(t, depth, above)
  if above[t] or depth > DEPTH then return "{...}" end
  above[t] = true
  local list, left = entries(t, depth + 1, above)
  above[t] = nil
  local texts = in_order(list)
  if left > 0 then texts[#texts + 1] = ("... %d more"):format(left) end
  if #texts == 0 then return "{}" end
  local line = "{ " .. table.concat(texts, ", ") .. " }"
  local indent = ("  "):rep(depth)
  if #line + #indent <= WIDTH and not line:find("\n", 1, true) then return line end
  local inner = ("  "):rep(depth + 1)
  return "{\n" .. inner .. table.concat(texts, ",\n" .. inner) .. "\n" .. indent .. "}"
end

function draw(value, depth, above)
  if type(value) == "table" and not speaks(value) then return draw_table(value, depth, above) end
  return plain(value)
end

--- One value.  A text stands as it is, as at Lua's own prompt.
function M.value(value)
  if type(value) == "string" then return value end
  return draw(value, 0, {})
end

--- Several, as a call returns them: beside each other when each fits on a line.
function M.values(packed)
  local texts, separator = {}, "\t"
  for i = 1, packed.n do
    texts[i] = M.value(packed[i])
    if texts[i]:find("\n", 1, true) then separator = "\n" end
  end
  return table.concat(texts, separator)
end

return M
