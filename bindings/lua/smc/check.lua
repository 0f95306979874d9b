--- luassert as scenarios see it: every check is counted, and one that fails raises a Failure that knows its line.

local luassert = require "luassert"
local assertions = require "luassert.namespaces".assertion
local deepcompare = require "luassert.util".deepcompare
local errors = require "smc.error"

local M = { count = 0 }

local Failure = { __name = "smc.failure" }
Failure.__index = Failure
Failure.__tostring = function(self) return self.message end

--- Sources of the scenario's own files, "@path" -> true: smc/load_file.lua fills it.
M.user_sources = {}

--- File and line of the innermost frame that belongs to the scenario.
function M.where(level)
  local info = debug.getinfo(level, "Sl")
  while info do
    if M.user_sources[info.source] then return info.short_src, info.currentline end
    level = level + 1
    info = debug.getinfo(level, "Sl")
  end
end

function M.is_failure(value)
  return getmetatable(value) == Failure
end

local function frame(info)
  local where = info.what == "C" and "[C]" or ("%s:%d"):format(info.short_src, info.currentline)
  local what = info.what == "main" and "main chunk" or info.name and ("%s '%s'"):format(info.namewhat, info.name)
    or info.what == "C" and "?" or ("function <%s:%d>"):format(info.short_src, info.linedefined)
  return ("\n\t%s: in %s"):format(where, what)
end

--- As debug.traceback, which also looks each function up among all modules to say its name: `eventually` fails many
-- times before it succeeds, and that was a seventh of the time that some scenarios took.
local function trace(level)
  local lines = { "\nstack traceback:" }
  for at = level, level + 40 do
    local info = debug.getinfo(at, "Sln")
    if not info then return table.concat(lines) end
    lines[#lines + 1] = frame(info)
  end
  return table.concat(lines) .. "\n\t..."
end

local function raise(message, level)
  local file, line = M.where(level + 1)
  local failure = { message = message, file = file, line = line, traceback = trace(level + 1) }
  error(setmetatable(failure, Failure), 0)
end
M.raise = raise

--- luassert puts a position before its message; ours is kept apart.
local function strip_position(message)
  return (tostring(message):gsub("^[^\n:]+:%d+: ", "", 1))
end

--- What objects are called in messages; without a name all that is in them is shown.
M.called = setmetatable({}, { __mode = "k" })

luassert:add_formatter(function(value)
  local name = M.called[value]
  return name and ("(%s, %s)"):format(name, tostring(value))
end)

--- A value as it stands in messages.
function M.shown(value)
  return luassert:format({ n = 1, value, nofmt = {} })[1]
end

local Proxy = {}
local inner = setmetatable({}, { __mode = "k" })

local function proxy(state)
  local p = setmetatable({}, Proxy)
  inner[p] = state
  return p
end

function Proxy:__index(key)
  return proxy(inner[self][key])
end

local function finish(state, ok, first, ...)
  if not ok then
    if errors.is(first) or M.is_failure(first) then error(first, 0) end
    raise(strip_position(first), 3)
  end
  if rawequal(first, state) then return proxy(state) end
  M.count = M.count + 1
  return first, ...
end

function Proxy:__call(...)
  local state = inner[self]
  return finish(state, pcall(state, ...))
end

-- What holds is seen at once: luassert makes its messages, and looks for the line to blame, before it compares.
-- By name: what luassert calls it, how many arguments it wants, and whether it surely holds.
local USUAL = {
  equal = { "equal", 2, rawequal },
  same = { "same", 2, function(a, b)
    if rawequal(a, b) or type(a) ~= "table" or type(b) ~= "table" then return rawequal(a, b) end
    local ok, same = pcall(deepcompare, a, b, true)
    return ok and same
  end },
  is_true = { "true", 1, function(value) return value == true end },
  is_false = { "false", 1, function(value) return value == false end },
  is_nil = { "nil", 1, function(value) return value == nil end },
}

local quick = {}
for key, usual in pairs(USUAL) do
  local name, least, holds = table.unpack(usual)
  local known = assertions[name]
  quick[key] = function(...)
    if assertions[name] == known and select("#", ...) >= least and holds(...) then
      M.count = M.count + 1
      return ...
    end
    return proxy(luassert[key])(...) -- a tail call: the frames above it are counted
  end
end

local Assert = {}

function Assert:__index(key)
  local own = rawget(luassert, key)
  if own ~= nil then return own end
  return quick[key] or proxy(luassert[key])
end

--- assert(v, err): v and the rest back; an error object is raised unchanged, a text as a failure.
function Assert:__call(value, message, ...)
  M.count = M.count + 1
  if value then return value, message, ... end
  if type(message) == "table" then
    if errors.is(message) and message.file == nil then message.file, message.line = M.where(3) end
    error(message, 0)
  end
  raise(message == nil and "assertion failed!" or tostring(message), 2)
end

M.assert = setmetatable({
  --- assert.load(result, { "p99 < 0.050" }): see smc/load.lua.
  load = function(...) return require("smc.load").assert(...) end,
}, Assert)

return M
