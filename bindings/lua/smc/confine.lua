--- What a scenario may not have is taken away before the first scenario line runs.
-- Embedded modules keep the whole library: their environment was filled before (bindings/smcb_runtime.c).

-- A scenario may replace string.match and its like; what guards must go on calling the real ones.
local find, match, sub, type = string.find, string.match, string.sub, type

local function refuse(name, instead)
  return function()
    error(name .. " is not available in a scenario" .. (instead and ": " .. instead or ""), 2)
  end
end

local function confine_os()
  local all = os
  _G.os = {
    clock = all.clock, date = all.date, difftime = all.difftime, time = all.time,
    exit = refuse("os.exit", "return from the spec, or let an assertion fail"),
    execute = refuse("os.execute", "smc.process starts programs"),
    getenv = refuse("os.getenv", "credentials reach venues by themselves, other settings are written into the file"),
    remove = refuse("os.remove"), rename = refuse("os.rename"), tmpname = refuse("os.tmpname", "smc.tmp is a folder"),
    setlocale = refuse("os.setlocale"),
  }
end

local function lies_in(real, root)
  if root ~= "/" then root = root .. "/" end
  return sub(real, 1, #root) == root
end

--- Whether a file lies below a folder, or is what is called that, and nothing on the way to it is hidden, as .env is.
local function lies_below(real, root)
  return real == root or lies_in(real, root) and not find(real, "/.", root == "/" and 1 or #root + 1, true)
end

--- The file behind `path` if a scenario may read it: it lies in the scenario's folder, below what --allow-read names,
-- or in smc.tmp().  Else nil and why; false and why when there is no such file.
local function readable(path, files)
  local real, err = files.real(path)
  if not real then return false, err end
  if files.own and lies_in(real, files.own) then return real end
  if files.root and lies_below(real, files.root) then return real end
  local allowed = files.allowed
  for i = 1, #allowed do
    if lies_below(real, allowed[i]) then return real end
  end
  return nil, "a scenario reads only files of its own folder and what --allow-read names, and no hidden ones"
end

--- The same of a file that may be written to, and need not be there: it lies in smc.tmp().
local function writable(path, files)
  local folder, name = match(path, "^(.*/)([^/]+)$")
  local above, err = nil, nil
  if folder and files.own then above, err = files.real(folder) end
  if err then return false, err end
  local real = above and (files.real(path) or above .. "/" .. name)
  if real and lies_in(real, files.own) then return real end
  return nil, "a scenario may only read files, and write in smc.tmp()"
end

local function confine_io(internal)
  local all, metatable_of = io, debug.getmetatable
  local require_any = require
  local function must_read(what, path)
    if internal then return path end
    if type(path) ~= "string" then error(what .. ": a file name expected", 3) end
    local files = require_any "smc.load_file"
    files.note(path)
    local real, err = readable(path, files)
    if real == nil then error(("%s: %s: %s"):format(what, path, err), 3) end
    return real, err
  end
  local function must_write(path)
    if type(path) ~= "string" then error("io.open: a file name expected", 3) end
    local real, err = writable(path, require_any "smc.load_file")
    if real == nil then error(("io.open: %s: %s"):format(path, err), 3) end
    return real, err
  end
  local function open(path, mode)
    local real, err
    if mode == nil or mode == "r" or mode == "rb" then
      real, err = must_read("io.open", path)
    else
      real, err = must_write(path)
    end
    if not real then return nil, err end
    return all.open(real, mode)
  end
  local function lines(path, ...)
    local real, err = must_read("io.lines", path)
    if not real then error("io.lines: " .. err, 2) end
    return all.lines(real, ...)
  end
  metatable_of(all.stdout).__metatable = "FILE*"
  _G.io = { open = open, lines = lines, type = all.type, write = all.write, stdout = all.stdout, stderr = all.stderr,
            popen = refuse("io.popen", "smc.process starts programs") }
end

local function confine_load()
  local load_any = load
  --- Bytecode could break the interpreter, so only text is loaded.
  _G.load = function(chunk, name, _, ...)
    return load_any(chunk, name, "t", ...)
  end
  _G.loadfile = refuse("loadfile", "use require")
  _G.dofile = refuse("dofile", "use require")
end

local function is_internal(name)
  return find(name, "^smc%.") or name == "luassert" or find(name, "^luassert%.") or name == "say"
end

--- require finds smc, cjson and files beside the scenario: smc/run.lua sets where that is.  The standard library is
-- there too, as a scenario has it.
local function confine_require(internal)
  local require_any, package_all = require, package
  local standard = { _G = _G, package = {} }
  for _, name in ipairs { "coroutine", "debug", "io", "math", "os", "string", "table", "utf8" } do
    standard[name] = _G[name]
  end
  package_all.path, package_all.cpath = "", ""
  package_all.searchers[4], package_all.searchers[3] = nil, nil
  _G.package = standard.package
  _G.require = function(name)
    if type(name) ~= "string" then error("require: a module name expected", 2) end
    if internal then return require_any(name) end
    if standard[name] then return standard[name] end
    if is_internal(name) then
      error("require: '" .. name .. "' is internal; what is public is in require 'smc'", 2)
    end
    return require_any(name)
  end
end

--- The functions that run now are no values for a scenario: some of them are ours.
local function confine_debug()
  local getinfo, traceback = debug.getinfo, debug.traceback
  local function look(...)
    local info = getinfo(...)
    if info then info.func = nil end
    return info
  end
  _G.debug = {
    traceback = traceback,
    getinfo = function(at, what, more)
      if type(at) == "thread" then return look(at, what, more or "lnSrtuL") end
      if type(at) == "number" then at = at + 2 end -- this function and look are in between
      local info = look(at, what or "lnSrtuL")
      return info -- not a tail call: it would take this frame away
    end,
  }
end

--- A task belongs to the scheduler: resumed by somebody else it would wake up though what it waits for has not come.
local function confine_coroutine()
  local core = require "smc.core.task"
  local is_task = core.is_task
  local all = coroutine
  local create, wrap = core.coroutines(all)
  _G.coroutine = {
    create = create, isyieldable = all.isyieldable, running = all.running, status = all.status, wrap = wrap,
    yield = all.yield,
  }
  for _, name in ipairs { "resume", "close" } do
    local any = all[name]
    _G.coroutine[name] = function(co, ...)
      if type(co) == "thread" and is_task(co) then
        error("coroutine." .. name .. ": a task is not yours to resume or close; use its join and cancel", 2)
      end
      return any(co, ...)
    end
  end
end

return function(internal, seed)
  local require_any = require
  confine_os()
  confine_io(internal)
  confine_load()
  confine_coroutine()
  if not internal then confine_debug() end
  confine_require(internal)
  _G.pairs = require_any "smc.core.pairs"
  math.randomseed(seed)
end
