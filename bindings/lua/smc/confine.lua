--- What a scenario may not have is taken away before the first scenario line runs.
-- Embedded modules keep the whole library: their environment was filled before (bindings/smcb_runtime.c).

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
    execute = refuse("os.execute", "scenarios run no other programs"),
    getenv = refuse("os.getenv", "credentials reach venues by themselves"),
    remove = refuse("os.remove"), rename = refuse("os.rename"), tmpname = refuse("os.tmpname"),
    setlocale = refuse("os.setlocale"),
  }
end

local function confine_io()
  local all = io
  local function open(path, mode)
    if mode ~= nil and not mode:match("^rb?$") then
      error("io.open: a scenario may only read files", 2)
    end
    return all.open(path, mode)
  end
  _G.io = { open = open, lines = all.lines, type = all.type, write = all.write,
            stdout = all.stdout, stderr = all.stderr, popen = refuse("io.popen", "scenarios run no other programs") }
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

--- require finds smc, cjson and files beside the scenario: smc/run.lua sets where that is.
local function confine_require(internal)
  local require_any, package_all = require, package
  package_all.path, package_all.cpath = "", ""
  package_all.searchers[4], package_all.searchers[3] = nil, nil
  _G.package = {}
  _G.require = function(name)
    if type(name) ~= "string" then error("require: a module name expected", 2) end
    if not internal and (name:match("^smc%.") or name:match("^luassert") or name == "say") then
      error(("require: '%s' is internal; what is public is in require 'smc'"):format(name), 2)
    end
    return require_any(name)
  end
end

local RANK = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then return RANK[ta] < RANK[tb] end
  if ta == "boolean" then return a and not b end
  return a < b
end

--- Lua draws the order of keys anew in every process, so a scenario that walks a table would not repeat under its seed.
-- This pairs goes through numbers, then strings, then booleans, each in order; keys of other types (tables, functions)
-- come last, in no order.  As with Lua's own, fields may be changed or removed meanwhile.
local function ordered_pairs()
  local pairs_any, metatable_of, sort = pairs, debug.getmetatable, table.sort
  _G.pairs = function(t)
    local mt = metatable_of(t)
    if type(t) ~= "table" or (mt and mt.__pairs) then return pairs_any(t) end
    local keys, others = {}, {}
    for key in pairs_any(t) do
      local list = RANK[type(key)] and keys or others
      list[#list + 1] = key
    end
    sort(keys, before)
    table.move(others, 1, #others, #keys + 1, keys)
    local i = 0
    return function()
      repeat
        i = i + 1
        local key = keys[i]
        if key == nil then return nil end
        local value = t[key]
        if value ~= nil then return key, value end
      until false
    end, t, nil
  end
end

return function(internal, seed)
  confine_os()
  confine_io()
  confine_load()
  confine_require(internal)
  ordered_pairs()
  if not internal then
    local all = debug
    _G.debug = { traceback = all.traceback, getinfo = all.getinfo }
  end
  math.randomseed(seed)
end
