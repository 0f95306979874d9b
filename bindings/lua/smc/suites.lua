--- The file suites.lua: which paths `smcrun --suite NAME` runs.  Data; what it holds is checked as a whole.

local core = require "smc.core.task"

local M = {}

local FORM = "return { NAME = { PATH, .. }, .. }"

local function complain(file, message, ...)
  return nil, file .. ": " .. message:format(...)
end

local function read_all(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text
  text, why = file:read("a") -- nil for a folder
  file:close()
  return text, why
end

--- What the file returns, evaluated without anything to call.
local function evaluate(path)
  local text, unreadable = read_all(path)
  if not text then return nil, ("%s; it says what each suite runs: %s"):format(unreadable, FORM) end
  local chunk, syntax = load(text, "@" .. path, "t", {})
  if not chunk then return nil, syntax end
  local value
  local outcome = core.protect(function() value = chunk() end)
  if outcome.status ~= "ok" then
    return complain(path, "%s; it is data: %s", tostring(outcome.error or outcome.status), FORM)
  end
  if type(value) ~= "table" then
    return complain(path, "returns a %s instead of a table: %s", type(value), FORM)
  end
  return value
end

local function check_suite(path, name, suite)
  if type(name) ~= "string" or not name:find("^[%w_%-]+$") then
    return complain(path, "'%s' is no name of a suite: letters, digits, _ and -", tostring(name))
  end
  if type(suite) ~= "table" or #suite == 0 then
    return complain(path, "suite '%s' must be a list of paths: %s = { \"folder\", .. }", name, name)
  end
  for key, value in pairs(suite) do
    local is_path = math.type(key) == "integer" and key >= 1 and key <= #suite
    if not is_path and key ~= "filter" then
      return complain(path, "suite '%s' has an unknown key '%s': it may have paths, and filter = EXPR", name,
        tostring(key))
    end
    if type(value) ~= "string" or value == "" then
      return complain(path, "suite '%s': a %s must be a text, not %s", name, is_path and "path" or "filter",
        value == "" and "an empty one" or "a " .. type(value))
    end
  end
  return true
end

local function sorted_names(suites)
  local names = {}
  for name in pairs(suites) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function join(folder, path)
  if folder == "." or path:sub(1, 1) == "/" then return path end
  return path == "." and folder or folder:gsub("/+$", "") .. "/" .. path
end

--- All of the folder's suites by name, checked, and the file; or nil and a sentence.
local function load_all(folder)
  local file = join(folder, "suites.lua")
  local suites, why = evaluate(file)
  if not suites then return nil, why end
  for key, suite in pairs(suites) do
    local fine
    fine, why = check_suite(file, key, suite)
    if not fine then return nil, why end
  end
  return suites, file
end

--- The names of the folder's suites, sorted; or nil and a sentence.
function M.names(folder)
  local suites, why = load_all(folder)
  if not suites then return nil, why end
  return sorted_names(suites)
end

--- The suite as {paths.., file =, filter =}, its paths from the working folder on; or nil and a sentence.
function M.read(folder, name)
  local suites, file = load_all(folder)
  if not suites then return nil, file end
  local suite = suites[name]
  if not suite then
    local names = sorted_names(suites)
    return complain(file, "there is no suite '%s'; it has: %s", name,
      #names > 0 and table.concat(names, ", ") or "none")
  end
  local found = { file = file, filter = suite.filter }
  for i, path in ipairs(suite) do found[i] = join(folder, path) end
  return found
end

return M
