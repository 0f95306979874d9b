--- A folder of the running spec's own: made when it first asks, removed with all that lies in it when the spec is over.

local core = require "smc.core.task"
local files = require "smc.load_file"
local world = require "smc.world"

local M = {}

local function remove(lock)
  local path = files.own
  files.own = nil
  local removed, why = core.remove_tmpdir(path, lock)
  if not removed then error("smc.tmp: " .. why, 0) end
end

--- Its absolute path, the same one throughout a spec and its hooks.
function M.folder()
  local w = world.current "smc.tmp"
  if not files.own then
    local path, lock = core.make_tmpdir()
    if not path then error("smc.tmp: " .. lock, 2) end
    files.own = path
    w.on_close(function() remove(lock) end)
  end
  return files.own
end

return M
