-- The type files in bindings/meta are the API reference: what exists is described, and what is described exists.
-- Run from the root of the repository.
local smc = require "smc"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

--- Names that a meta file describes on a class: fields of "---@class smc.json" and functions "function json.name(".
local function described(path, class)
  local text, names = read(path), {}
  local escaped = class:gsub("%.", "%%.")
  local variable = class:match("[%w_]+$")
  for name in text:gmatch("function " .. variable .. "[.:]([%w_]+)%(") do names[name] = true end
  local fields = text:match("%-%-%-@class " .. escaped .. "\n(.-)\nlocal ") or ""
  for name in fields:gmatch("%-%-%-@field ([%w_]+)") do names[name] = true end
  return names
end

local function missing(from, to)
  local list = {}
  for name in pairs(from) do
    if to[name] == nil then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

--- smc loads most of its parts when they are first asked for; its source names them.
local function names_of_smc()
  local names = {}
  for name in pairs(smc) do names[name] = true end
  for name in read("bindings/lua/smc.lua"):gmatch("\n  ([%w_]+) = function%(%)") do names[name] = true end
  return names
end

describe("the API reference", function()
  it("describes exactly what require 'smc' gives", function()
    local exists, documented = names_of_smc(), described("bindings/meta/smc.lua", "smc")
    assert.same({}, missing(exists, documented))
    assert.same({}, missing(documented, exists))
    for name in pairs(documented) do assert.is_not_nil(smc[name], name) end
  end)

  for _, part in ipairs { "http", "ws", "sign", "decimal", "histogram", "json", "dialect" } do
    it("describes exactly what smc." .. part .. " holds", function()
      local documented = described("bindings/meta/" .. part .. ".lua", "smc." .. part)
      local exists = {}
      for name in pairs(smc[part]) do exists[name] = true end
      assert.same({}, missing(exists, documented))
      assert.same({}, missing(documented, exists))
    end)
  end

  it("names every error class that the core can give", function()
    local classes = {}
    for class in read("bindings/meta/error.lua"):gmatch('%-%-%-| "([%w_]+)"') do classes[class] = true end
    local used = {}
    for class in read("core/include/smc/error.h"):gmatch('X%(%w+, "[%w_]+", "([%w_]+)"') do used[class] = true end
    assert.is_not_nil(next(used))
    assert.same({}, missing(used, classes))
    assert.same(classes, require "smc.error".CLASSES)
  end)
end)
