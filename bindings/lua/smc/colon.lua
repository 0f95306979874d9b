--- Methods that say so when they are called with a dot in the place of a colon: obj.method(..) for obj:method(..).

local M = {}

local SAID = ": called with a dot? a colon goes before it"

--- name: as in "limiter:try".  objects: a table with all that have the method as its keys.  The method is called as a
-- tail, so that what it raises is blamed on the same line as ever.
function M.method(name, method, objects)
  return function(self, ...)
    if not objects[self] then error(name .. SAID, 2) end
    return method(self, ...)
  end
end

local function guarded(what, name, value, objects, names)
  local is_meant = type(value) == "function" and (names and names[name] or not names and name:sub(1, 2) ~= "__")
  return is_meant and M.method(what .. ":" .. name, value, objects) or value
end

--- The same for the methods of a class.  what: how messages name its objects; names: a set (default: all methods).
function M.methods(what, class, objects, names)
  for name, value in next, class do class[name] = guarded(what, name, value, objects, names) end
end

--- And for those that classes have whose metatable is this one.
function M.below(what, class, objects, names)
  M.methods(what, class, objects, names)
  class.__newindex = function(t, name, value) rawset(t, name, guarded(what, name, value, objects, names)) end
end

--- All objects of which getmetatable(object) == mark.
function M.marked(mark)
  return setmetatable({}, { __index = function(_, value) return getmetatable(value) == mark end })
end

return M
