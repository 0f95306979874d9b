--- Loading a scenario file: text only, its own folder searched by require, every file remembered as the user's.

local core = require "smc.core.task"
local check = require "smc.check"

-- A scenario may replace string.match and its like; what decides which file is read must go on calling the real ones.
local match, gsub = string.match, string.gsub

-- root: the scenario's folder, as an absolute path without links, once a file is being loaded.
-- own: the folder of the running spec, once it has asked for one (smc/tmp.lua).
local M = { real = core.real_path }

--- Files and folders elsewhere that a scenario may read, as absolute paths without links: --allow-read.
M.allowed = {}
function M.allow(paths)
  for _, path in ipairs(paths) do M.allowed[#M.allowed + 1] = M.real(path) end
end


local used, seen = {}, {} -- files that the scenario is made of, or would be if they were there

--- A file that was read, or looked for.
function M.note(path)
  if seen[path] then return end
  seen[path] = true
  used[#used + 1] = path
end

--- All of them, a line each.
function M.uses() return table.concat(used, "\n") end

local function read(path)
  local file, err = io.open(path, "rb")
  if not file then return nil, err end
  local text = file:read("a")
  file:close()
  return text
end

local function compile(path)
  M.note(path)
  local text, err = read(path)
  if not text then return nil, err end
  text = gsub(gsub(text, "^\u{FEFF}", ""), "^#[^\n]*", "") -- the mark of some editors, and "#!": as Lua itself does
  check.user_sources["@" .. path] = true
  return load(text, "@" .. path, "t")
end

--- require "helpers.orders" in scenarios/failover/x.lua finds scenarios/failover/helpers/orders.lua.  It is the last
-- searcher, and so raises what it does not find: require itself would tell of preload, too, and where it stands.
local function searcher_beside(folder)
  return function(name)
    if not match(name, "^[%w_%-%.]+$") or match(name, "^%.") or match(name, "%.%.") then
      error("require: '" .. name .. "' is not a module name", 0) -- ".etc.x" would become /etc/x
    end
    local path = folder .. gsub(name, "%.", "/") .. ".lua"
    M.note(path)
    local probe = io.open(path, "rb")
    if not probe then
      error("require: there is no module '" .. name .. "': no file '" .. path .. "' beside the scenario", 0)
    end
    probe:close()
    local chunk, err = compile(path)
    if not chunk then error(err, 0) end
    return chunk, path
  end
end

--- Whether there is a module of that name beside the scenario.
function M.beside(name)
  local probe = M.folder and io.open(M.folder .. gsub(name, "%.", "/") .. ".lua", "rb")
  return probe ~= nil and probe:close()
end

--- The file's chunk, or nil and the syntax error.
function M.load(path)
  local folder = match(path, "^(.*/)") or ""
  M.folder = folder
  M.root = M.real(folder == "" and "." or folder)
  package.searchers[2] = searcher_beside(folder)
  return compile(path)
end

return M
