--- Which venues there are: those that are built in, and those whose halves lie beside the scenario, in venue/NAME.lua
-- and sandbox/NAME.lua.
local load_file = require "smc.load_file"

local M = {}

local BUILT_IN = { "binance", "bybit", "oanda" }
local CLIENT, SANDBOX = {}, {}
for _, name in ipairs(BUILT_IN) do
  CLIENT[name], SANDBOX[name] = "smc.venue." .. name, "smc.sandbox." .. name .. ".face"
end

--- The names of those that are built in.
function M.names() return { table.unpack(BUILT_IN) } end

--- The half of a venue of one's own, or nil when there is no such file; raises when the file is not what it should be.
local function beside(folder, name)
  if not name:find "^%a[%w_]*$" or not load_file.beside(folder .. "." .. name) then return nil end
  local ok, half = pcall(require, folder .. "." .. name)
  if not ok then
    -- Who is called as a tail can blame no line.
    local placed = type(half) ~= "string" or half:find "^[^\n]-%.lua:%d+: "
    error(placed and half or ("%s/%s.lua: %s"):format(folder, name, half), 0)
  end
  if type(half) ~= "table" or half.name ~= name or type(half.new) ~= "function" then
    error(("%s/%s.lua must return smc.dialect.%s { name = \"%s\", .. }"):format(folder, name, folder, name), 0)
  end
  return half
end

local function find(built_in, folder, name)
  if type(name) ~= "string" then return nil end
  if built_in[name] then return require(built_in[name]) end
  return beside(folder, name)
end

--- The client half of a venue, or nil.
function M.client(name) return find(CLIENT, "venue", name) end

--- The server half, or nil.
function M.sandbox(name) return find(SANDBOX, "sandbox", name) end

--- What is said when there is no half of that name.
function M.unknown(folder, name)
  return ("no venue is called '%s' (known: %s, and %s/NAME.lua beside the scenario)"):format(tostring(name),
    table.concat(BUILT_IN, ", "), folder)
end

return M
