--- `smcrun repl`: a prompt for Lua in a world of its own.  runner/commands/repl.c calls this and nothing else.
--
-- Between two lines the world stands still; while one runs, its clock moves as in a spec, and so does whatever earlier
-- lines have left under way.
local check = require "smc.check"
local complete = require "smc.repl.complete"
local core = require "smc.core.task"
local dialects = require "smc.dialects"
local errors = require "smc.error"
local show = require "smc.repl.show"
local spec = require "smc.spec"
local task = require "smc.task"
local venues = require "smc.venue"
local world = require "smc.world"

local M = {}

local CHUNK = "=prompt"

local GREETING = [[
smcrun repl: Lua 5.4 with smc, sandboxes in virtual time (seed %d).
%s are connected at their first use, as in
binance:ticker "BTC/USDT".  help says more; Ctrl-D leaves.]]

local HELP = [[
An expression prints its values, a statement does what it says; what is not
finished goes on at the next line.
  %-18s the venues: their sandboxes start at the first use
  %-18s all of the API, as in a scenario
  %-18s as in a scenario
  %-18s the faults of a venue: smcrun --list-faults
A local ends with its line, a global stays.  Time passes while a call waits, and
only then: smc.sleep(60) takes no time.
Tab completes, the arrows fetch earlier lines (not those that speak of a secret,
nor those that begin with a blank).  Ctrl-C ends what runs, Ctrl-D or exit
leaves.]]

-- ---- the globals ----------------------------------------------------------------------

--- What a line sees: its own globals, the venues, smc, and what a scenario file has.
local function environment(state)
  local env = { smc = require "smc", assert = check.assert, eventually = require "smc.eventually" }
  local helpers, connect = {}, {}
  function helpers.help()
    print(HELP:format(table.concat(dialects.names(), " "), "smc", "assert eventually", "binance:fault{..}"))
  end
  function helpers.exit() state.over = true end
  helpers.quit = helpers.exit
  for _, name in ipairs(dialects.names()) do
    connect[name] = function() return venues.open(name) end
  end
  setmetatable(helpers, { __index = _G })
  setmetatable(connect, { __index = helpers })
  env._G = env
  local function index(_, key)
    local open = rawget(connect, key)
    if not open then return helpers[key] end
    rawset(env, key, open())
    return env[key]
  end
  return setmetatable(env, { __index = index, __names = { connect } })
end

-- ---- one line --------------------------------------------------------------------------

--- The chunk of a text: an expression gives its values.  nil and why; nil, nil when the text is not finished.
local function compile(text, env)
  local chunk = load("return " .. text, CHUNK, "t", env)
  if chunk then return chunk end
  local why
  chunk, why = load(text, CHUNK, "t", env)
  if chunk then return chunk end
  if why:find "<eof>$" then return nil end
  return nil, why
end

local EXPLAIN = {
  deadlock = "waits for ever: nothing is under way and no timer is set that could wake it",
  livelock = "never ends: it goes on at one instant of the clock, which stands still; let time pass in its loop",
  memory = "asked for more memory than there is (--memory)",
}

--- What went wrong, for people: a text and a traceback, or nil where it would say nothing.
local function explain(outcome)
  local err = outcome.error
  local ok, text = pcall(show.value, spec.is_skip(err) and err.reason or err)
  if not ok then text = "an error object that cannot be shown" end
  -- A line that is one call is a tail call: who calls wrongly is then this file.
  text = EXPLAIN[outcome.status] or text:gsub("^smc/repl/init%.lua:%d+: ", "")
  if errors.is(err) or not outcome.traceback then return text end
  return text, (outcome.traceback:gsub("in upvalue 'chunk'", "at the prompt"))
end

--- Runs fn as a task.  True: it did not fail.
local function try(state, fn)
  local outcome = core.run(fn)
  if outcome.status == "ok" then return true end
  if core.stopped() then
    state.options.complain "interrupted"
  else
    state.options.complain(explain(outcome))
  end
  return false
end

--- Tells of tasks, of this or an earlier line, that have failed meanwhile and that nobody has joined.
local function tell_failed(state)
  for failed in core.take_failed do
    local text, traceback = explain(failed)
    state.options.complain("a task has failed: " .. text, traceback)
    state.failed = true
  end
end

--- Runs a chunk and shows what it returns.  True: it did not fail.
local function run(state, chunk)
  local results, shown
  if not try(state, function() results = table.pack(chunk()) end) then return false end
  if results.n == 0 then return true end
  -- As a task of its own: a __tostring may want to wait, and may loop.
  if not try(state, function() shown = show.values(results) end) then return false end
  state.options.print(shown)
  return true
end

local LEAVE = { exit = true, quit = true }

--- A chunk, from as many lines as it takes.  nil when there is none.
local function read(state)
  local text
  core.clear_stop() -- here: one that comes before the line runs is meant for it
  repeat
    local prompt = text and "... " or ("smc %gs> "):format(task.now())
    local line, broken_off = state.options.read(prompt)
    if not line and broken_off then return nil end
    local word = line and not text and line:match "^%s*(%a*)%s*$"
    if word == "help" then line = "help()" end
    if not line or LEAVE[word] then
      state.over = true
      if not text then return nil end
      line = "" -- what is wrong with it?
    end
    text = text and text .. "\n" .. line or line
    local chunk, why = compile(text, state.env)
    if not chunk and state.over then why = why or "the input ends in the middle of a statement" end
    if why then
      state.options.complain(why)
      state.failed = true
    end
    if chunk or why then return chunk end
  until false
end

--- options: seed, greet (whether a person is there), read(prompt) -> line | nil at the end of the input | nil, true
-- when it was broken off, print(text), complain(text, traceback), on_complete(fn): fn(line up to the cursor) -> text to
-- insert, list of candidates.  Returns whether every line ran without an error.
function M.run(options)
  world.open("repl", { seed = options.seed, target = "sandbox", clock = "virtual" })
  check.user_sources[CHUNK] = true
  local state = { options = options, failed = false }
  state.env = environment(state)
  options.on_complete(function(before) return complete.at(state.env, before) end)
  if options.greet then options.print(GREETING:format(options.seed, table.concat(dialects.names(), ", "))) end
  while not state.over do
    local chunk = read(state)
    if chunk then
      if not run(state, chunk) then state.failed = true end
      tell_failed(state)
    end
  end
  world.close()
  return not state.failed
end

return M
