--- Programs of any language, started by a spec: what they print, what they are told, and their end.
local colon = require "smc.colon"
local core = require "smc.core.process"
local errors = require "smc.error"
local files = require "smc.load_file"
local lists = require "smc.list"
local spec = require "smc.spec"
local task = require "smc.core.task"
local world = require "smc.world"

local M = {}

local WITHIN_S = 10     -- for what is waited for, when nobody says how long
local GRACE_S = 2       -- between asking a program to end and ending it
local LAST_LINES = 5    -- that an error shows
local FOREVER_S = 1e9
local HELD_BACK = ", or keeps it to itself: what goes to no terminal many programs hold back until they flush it"

local OPTIONS = { env = true, cwd = true, stdin = true, name = true, grace = true }
local INHERITED = { "PATH", "HOME", "LANG" }
local STREAMS = { stdout = 1, stderr = 2 }

local within = setmetatable({}, { __mode = "k" }) -- process -> { core, grace, seen }

-- ---- what it is given ------------------------------------------------------------

local function is_text(value) return type(value) == "string" and not value:find "%z" end

local function check_seconds(what, value, missing, level)
  if value == nil then return missing end
  if math.type(value) == nil or not (value >= 0 and value <= FOREVER_S) then
    error(what .. ": a number of seconds from 0 to 1e9 expected", level + 1)
  end
  return value
end

--- { "python3", "bot.py", env = .. } -> the words of the command line.
local function check_command(given)
  if type(given) ~= "table" or #given == 0 then
    error("smc.process: a table expected that begins with the program, as in { \"python3\", \"bot.py\" }", 3)
  end
  local words = {}
  for i = 1, lists.length(given) do
    if not is_text(given[i]) then
      error(("smc.process: the words of a command line are texts; number %d is a %s"):format(i, type(given[i])), 3)
    end
    words[i] = given[i]
  end
  for key in pairs(given) do
    if words[key] == nil and not OPTIONS[key] then
      error("smc.process: " .. lists.unknown("option", key, OPTIONS), 3)
    end
  end
  for _, name in ipairs { "cwd", "name" } do
    if given[name] ~= nil and not is_text(given[name]) then error(("smc.process: %s is a text"):format(name), 3) end
  end
  if given.stdin ~= nil and given.stdin ~= true and type(given.stdin) ~= "string" then
    error("smc.process: stdin is a text, or true for what write is given", 3)
  end
  return words
end

--- What a program is told of its surroundings: enough to be found and to speak, and what the spec says.  Python writes
-- what it prints to a pipe only when 8 KiB of it are there, and then nobody could wait for a line.
local function environment(given)
  if given ~= nil and type(given) ~= "table" then error("smc.process: env is a table of texts by name", 3) end
  local all, list = {}, {}
  for _, name in ipairs(INHERITED) do all[name] = os.getenv(name) end
  all.PYTHONUNBUFFERED = "1"
  for name, value in pairs(given or {}) do
    if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" then
      error(("smc.process: env: '%s' is not the name of a variable"):format(tostring(name)), 3)
    end
    if math.type(value) ~= nil then value = tostring(value) end
    if not is_text(value) then
      error(("smc.process: env: %s is a text or a number, not a %s"):format(name, type(value)), 3)
    end
    all[name] = value
  end
  for name, value in pairs(all) do list[#list + 1] = name .. "=" .. value end
  return list
end

--- Relative to the scenario's folder, whatever folder smcrun was started in.
local function folder(given)
  if given == nil then return files.root end
  return given:sub(1, 1) == "/" and given or files.root .. "/" .. given
end

local function is_file(path)
  local file <close> = io.open(path, "rb")
  return file ~= nil and select("#", file:read(1)) == 1 -- a folder can be opened, but reading it fails with a reason
end

--- The folder from which Python loads a module that is started by its name, if it is there: "-m", "pkg.bot".
local function place_of_module(name, roots)
  local path = name:find "^[%w_.]+$" and name:gsub("%.", "/")
  for _, root in ipairs(path and roots or {}) do
    if is_file(root .. "/" .. path .. ".py") or is_file(root .. "/" .. path .. "/__main__.py") then return root end
  end
end

--- Where it looks: the working folder, and what PYTHONPATH names.
local function roots_of(cwd, env)
  local roots = { cwd }
  for root in tostring(env and env.PYTHONPATH or ""):gmatch "[^:]+" do
    roots[#roots + 1] = root:sub(1, 1) == "/" and root or cwd .. "/" .. root
  end
  return roots
end

--- Words of the command line that are files are what the scenario is made of, and so are others of their kind, beside
-- them or below: a program loads its modules from there.  --watch runs it again when one is saved.
local function note_files(words, cwd, env)
  local roots = roots_of(cwd, env)
  for i, word in ipairs(words) do
    local path = word:sub(1, 1) == "/" and word or cwd .. "/" .. word
    if is_file(path .. "/__main__.py") then path = path .. "/__main__.py" end
    if is_file(path) then
      files.note(path)
      local beside, kind = path:match "^(.*/)[^/]+(%.%a%w*)$"
      if kind then files.note(beside .. "*" .. kind) end
    end
    local root = place_of_module(words[i - 1] == "-m" and word or word:match "^%-m(.+)" or "", roots)
    if root then files.note(root .. "/*.py") end
  end
end

-- ---- the object ---------------------------------------------------------------------

local Process = {}
local Meta = { __metatable = "smc.process", __name = "smc.process" }

local function exit_of(its)
  local status, signal = its.core:ended()
  if status == nil and signal == nil then return nil end
  return { status = status, signal = signal }
end

function Meta.__index(self, key)
  if key == "running" then return exit_of(within[self]) == nil end
  if key == "exit" then return exit_of(within[self]) end
  return Process[key]
end

function Meta.__tostring(self) return "process " .. self.name end

local function check_stream(what, name)
  if name ~= nil and not STREAMS[name] then error(what .. ": stream is \"stdout\" or \"stderr\"", 3) end
  return STREAMS[name]
end

--- What it has printed, a line each, in the order in which it came.
function Process:lines(stream)
  local its, wanted, out = within[self], check_stream("process:lines", stream), {}
  local first, last = its.core:lines()
  for i = first, last do
    local text, from = its.core:line(i)
    if not wanted or wanted == from then out[#out + 1] = text end
  end
  return out
end

--- ": it printed nothing", or the end of what it printed.
local function last_words(self)
  local lines = self:lines()
  if #lines == 0 then
    return "; it printed nothing" .. (self.running and HELD_BACK or "")
  end
  return "; it printed last:\n  " .. table.concat(lines, "\n  ", math.max(1, #lines - LAST_LINES + 1))
end

local function how_it_ended(exit)
  return exit.signal and "was ended by SIG" .. exit.signal or "ended with status " .. exit.status
end

local function check_options(what, given, known)
  if given ~= nil and type(given) ~= "table" then error(what .. ": a table of options expected", 3) end
  for key in pairs(given or {}) do
    if not known[key] then error(("%s: %s"):format(what, lists.unknown("option", key, known)), 3) end
  end
  return given or {}
end

--- The first line behind those that were seen that matches -> its number, text, captures.
local function find_line(its, pattern, wanted)
  local first, last = its.core:lines()
  for i = math.max(first, its.seen + 1), last do
    local text, from = its.core:line(i)
    if not wanted or wanted == from then
      local found = table.pack(text:find(pattern))
      if found[1] then return i, text, table.unpack(found, 3, found.n) end
    end
  end
  return nil, last
end

local function fail(op, class, code, message)
  return nil, errors.new { class = class, code = code, op = op, message = message }
end

--- Waits for a line, behind the one that was waited for before, that matches a Lua pattern.  Returns it and what the
-- pattern has captured.
function Process:wait_for(pattern, options)
  local its = within[self]
  if type(pattern) ~= "string" then error("process:wait_for: a pattern expected", 2) end
  local well_formed, why = pcall(string.find, "", pattern)
  if not well_formed then error("process:wait_for: " .. why:gsub("^.-:%d+: ", ""), 2) end
  options = check_options("process:wait_for", options, { within = true, stream = true })
  local wanted = check_stream("process:wait_for", options.stream)
  local limit = check_seconds("process:wait_for: within", options.within, WITHIN_S, 2)
  local give_up = task.now() + limit
  while true do
    local exit = exit_of(its) -- before the lines: those that come with the end are looked at
    local found = table.pack(pcall(find_line, its, pattern, wanted))
    if not found[1] then error("process:wait_for: " .. found[2]:gsub("^.-:%d+: ", ""), 2) end -- of the pattern
    if found[2] then
      its.seen = found[2]
      return table.unpack(found, 3, found.n)
    end
    if exit then
      return fail("process:wait_for", "network", "closed", ("%s %s without a line that matches '%s'%s")
        :format(self.name, how_it_ended(exit), pattern, last_words(self)))
    end
    local left = give_up - task.now()
    if left <= 0 or not its.core:changed(found[3], left) then
      return fail("process:wait_for", "timeout", "timeout", ("%s printed no line that matches '%s' within %g s%s")
        :format(self.name, pattern, limit, last_words(self)))
    end
  end
end

--- Waits for its end: { status = 0 }, or { signal = "TERM" }.
function Process:wait(options)
  local its = within[self]
  options = check_options("process:wait", options, { within = true })
  local limit = check_seconds("process:wait: within", options.within, WITHIN_S, 2)
  local give_up = task.now() + limit
  while true do
    local exit, _, last = exit_of(its), its.core:lines()
    if exit then return exit end
    local left = give_up - task.now()
    if left <= 0 or not its.core:changed(last, left) then
      return fail("process:wait", "timeout", "timeout", ("%s still ran after %g s%s"):format(self.name, limit,
        last_words(self)))
    end
  end
end

--- To its standard input.  Returns true; nil, err when it takes none, or does not read.
function Process:write(text)
  local its = within[self]
  if type(text) ~= "string" then error("process:write: a text expected", 2) end
  if not its.takes_input then error("process:write: it was started without stdin = true", 2) end
  return its.core:write(text)
end

--- Its standard input ends behind what was written.
function Process:close_stdin() within[self].core:end_input() end

--- "TERM", "INT", "USR1", ..: to the program, not to what it has started.
function Process:signal(name)
  local its = within[self]
  local number = type(name) == "string" and core.number_of((name:gsub("^SIG", "")))
  if not number then error(("process:signal: '%s' is not the name of a signal"):format(tostring(name)), 2) end
  return its.core:signal(number, false)
end

--- SIGKILL, to it and whatever it has started.  They are gone when this returns.
function Process:kill() within[self].core:kill_now() end

local function stop(self, its, grace)
  if not exit_of(its) and grace > 0 then
    its.core:signal(core.number_of "TERM", true)
    self:wait { within = grace }
  end
  its.core:kill_now()
  return exit_of(its)
end

--- Asks it and whatever it has started to end (SIGTERM), and ends them (SIGKILL) when the program has not within
-- `grace` seconds.  Returns as wait.
function Process:stop(options)
  local its = within[self]
  options = check_options("process:stop", options, { grace = true })
  return stop(self, its, check_seconds("process:stop: grace", options.grace, its.grace, 2))
end

--- Where nothing may wait any more, it is not asked.
function Meta.__close(self)
  local its = within[self]
  if not pcall(stop, self, its, its.grace) then its.core:kill_now() end
end

colon.methods("process", Process, within)

-- ---- start ---------------------------------------------------------------------------

--- Whether this run and this spec may have programs at all.
local function check_world(w)
  if not w.allow_process then spec.skip("it starts a program, which wants --allow-process", "not_allowed") end
  if w.clock ~= "real" then
    error("smc.process: a program runs by the real clock: tag the spec #process, or run all with --clock real", 3)
  end
end

--- { program, argument, .., env = { NAME = text }, cwd = folder, stdin = text or true, name = text, grace = s }
function M.start(given)
  local w = world.current "smc.process"
  local words = check_command(given)
  local grace = check_seconds("smc.process: grace", given.grace, GRACE_S, 2)
  local env = environment(given.env)
  check_world(w)
  local name, cwd = given.name or words[1]:match "[^/]*$", folder(given.cwd)
  note_files(words, cwd, given.env)
  local its, err = core.start(words, env, cwd, given.stdin ~= nil, name, table.concat(words, " "))
  if not its then error("smc.process: " .. err.message, 2) end
  w.programs = true
  local self = setmetatable({ name = name, pid = its:pid() }, Meta)
  within[self] = { core = its, grace = grace, seen = 0, takes_input = given.stdin == true }
  if type(given.stdin) == "string" then
    its:write(given.stdin)
    its:end_input()
  end
  return self
end

return M
