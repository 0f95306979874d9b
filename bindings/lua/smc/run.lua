--- Runs the specs of one file and tells `emit` what happens.  The runner's worker calls this and nothing else.

local core = require "smc.core.task"
local check = require "smc.check"
local credentials = require "smc.credentials"
local errors = require "smc.error"
local files = require "smc.load_file"
local journal = require "smc.journal"
local spec = require "smc.spec"
local timeline = require "smc.timeline"
local world = require "smc.world"

local M = {}

local VIRTUAL_TIME = "virtual-time" -- the tag of a spec that nobody would wait for
local LEAVES_ORDERS = "leaves-orders" -- of one that looks at an order to its end, and leaves it
local PROCESS = "process" -- of one that starts programs, which have no clock but the real one
local HOOK_SECONDS = 30 -- for after_each and teardown, which also run when the spec ran out of its own time

--- The innermost scenario line that a traceback names.
local function where_in(text)
  for file, line in tostring(text or ""):gmatch("([^%s:][^:\n]*):(%d+):") do
    if check.user_sources["@" .. file] then return file, math.tointeger(line) end
  end
end

--- "x.lua:3: oh" -> "oh", "x.lua", 3, where x.lua is the scenario's.  coroutine.wrap puts a position before a position.
local function split_position(message)
  local file, line
  repeat
    local f, l, rest = message:match("^([^\n:]+):(%d+): (.*)$")
    if not f or not check.user_sources["@" .. f] then break end
    file, line, message = f, math.tointeger(l), rest
  until false
  return message, file, line
end

--- An error object's own __tostring may be as broken as what raised it; what has none is shown with all that is in it.
local function text_of(err)
  if err == nil then return "error was called with nil for its message" end
  local meta = getmetatable(err)
  if type(meta) ~= "table" then meta = { __tostring = meta } end -- that of an error of ours is hidden behind its name
  local shows_itself = type(err) ~= "table" or meta.__tostring
  local ok, text = pcall(shows_itself and tostring or check.shown, err)
  return ok and text or "an error object whose __tostring fails: " .. tostring(text)
end

local function describe_error(err, traceback)
  local file, line
  if type(err) == "table" then file, line = err.file, err.line end
  if type(err) == "string" then err, file, line = split_position(err) end
  if not file then file, line = where_in(traceback) end
  return { message = text_of(err), file = file, line = line,
           traceback = type(err) == "table" and err.traceback or traceback }
end

local explain = {
  timeout = function(limit)
    return ("did not end within its %g s on the scenario's clock (--timeout)"):format(limit)
  end,
  deadlock = function() return "waits for ever: nothing is under way and no timer is set that could wake it" end,
  livelock = function(_, outcome)
    return ("never ends: %d steps at one instant of its clock, which stands still while anything goes on\n"
      .. "Let time pass in its loop, smc.sleep(0.001), or wait for what is to happen, eventually, stream:recv().")
      :format(outcome.steps)
  end,
}

local TOO_MUCH = "asked for more memory than the worker may have (--memory): "

--- The outcome of core.run -> verdict {status, kind, message, file, line, traceback}.
local function judge(outcome, limit)
  if outcome.status == "ok" then return nil end
  if outcome.error ~= nil and spec.is_skip(outcome.error) then
    return { status = "skip", kind = outcome.error.kind, message = outcome.error.reason }
  end
  if explain[outcome.status] then
    local file, line = where_in(outcome.traceback)
    return { status = outcome.status == "timeout" and "fail" or "error", kind = outcome.status,
             message = explain[outcome.status](limit, outcome), traceback = outcome.traceback,
             file = file, line = line }
  end
  local v = describe_error(outcome.error, outcome.traceback)
  local expected = check.is_failure(outcome.error) or errors.is(outcome.error)
  v.status = expected and "fail" or "error"
  v.kind = outcome.status ~= "error" and outcome.status or (expected and "assertion" or "error")
  if v.kind == "memory" then
    v.message = TOO_MUCH .. v.message
  end
  return v
end

local function body_of(s, chain)
  return function()
    for _, b in ipairs(chain) do
      for _, hook in ipairs(b.before_each) do hook() end
    end
    spec.enter_body()
    s.fn()
  end
end

--- What is to be done at the end of a spec: its own finally functions, last first, then after_each from the inside out.
local function endings(chain, cleanups)
  local list = {}
  for i = #cleanups, 1, -1 do list[#list + 1] = cleanups[i] end
  for i = #chain, 1, -1 do table.move(chain[i].after_each, 1, #chain[i].after_each, #list + 1, list) end
  return list
end

--- Each runs, whatever became of those before it.  Returns the first verdict.
local function run_endings(list)
  local first
  for _, fn in ipairs(list) do
    local verdict = judge(core.run(fn, HOOK_SECONDS), HOOK_SECONDS)
    first = first or verdict
  end
  return first
end

local function leak_verdict(leaks)
  if #leaks == 0 then return nil end
  return { status = "error", kind = "leak",
           message = "left behind at its end: " .. table.concat(leaks, ", ") .. "\nJoin or cancel tasks; cancel " ..
                     "orders; close streams and programs, or declare them with <close>." }
end

local function check_verdict(checks)
  if checks > 0 then return nil end
  return { status = "error", kind = "no_assertions",
           message = "checked nothing: a scenario without an assertion can't fail, so its passing says nothing" }
end

--- What the body came to, in the light of what was expected of it: an xfail waits for a failure, not for an error.
local function expected_verdict(verdict, s)
  local reason = spec.expectation()
  if not reason then return verdict end
  local because = reason == "" and "" or ": " .. reason
  if not verdict then
    return { status = "fail", kind = "xpass", line = s.line, message = "was expected to fail" .. because ..
             "\nIt passed: declare it with it(), or look at what it checks." }
  end
  if verdict.status ~= "fail" then return verdict end
  verdict.status, verdict.message = "xfail", "expected to fail" .. because .. "\n" .. verdict.message
  return verdict
end

--- Of the body's verdict and the first one of what came after it.
local function worse(verdict, cleaned)
  if verdict and not (verdict.status == "xfail" and cleaned) then return verdict end
  return cleaned
end

--- The names of the globals.
local function names_of_globals()
  local names = {}
  for name in pairs(_G) do names[name] = true end
  return names
end

--- What --strict-leaks finds, too: globals that a spec has made, for the next ones to trip over.
local function add_globals(leaks, before)
  for name in pairs(_G) do
    if not before[name] then leaks[#leaks + 1] = "global " .. tostring(name) end
  end
end

--- Cancels the orders that live on.  Where that failed, nothing else that a spec did is as urgent; with --strict-leaks
-- that there were any is a leak.
local function cancel_orders(verdict, w, strict)
  local left, cancelled = journal.settle(w)
  if not left then return verdict or (strict and leak_verdict(cancelled)) or nil end
  if not verdict then return { status = "error", kind = "orders_left", message = left } end
  verdict.status, verdict.message = "error", verdict.message .. "\n\n" .. left
  return verdict
end

local function outcome_of_spec(s, w, options)
  local chain = spec.chain(s)
  local cleanups = spec.begin(s)
  local globals = options.strict_leaks and names_of_globals()
  check.count = 0
  local verdict = expected_verdict(judge(core.run(body_of(s, chain), options.timeout), options.timeout), s)
  local cleaned = not core.stopped() and run_endings(endings(chain, cleanups)) or nil
  local leaks, unjoined = core.finish()
  spec.finish()
  if globals then add_globals(leaks, globals) end
  verdict = worse(verdict, cleaned)
  if unjoined and not verdict then
    verdict = judge { status = "error", error = unjoined.error, traceback = unjoined.traceback }
  end
  local strict = options.strict_leaks and not spec.has_tag(s, LEAVES_ORDERS)
  verdict = cancel_orders(verdict or leak_verdict(leaks) or check_verdict(check.count), w, strict)
  return verdict or { status = "pass", kind = "pass" }
end

--- Whatever the run's clock is, what starts programs runs by theirs.
local function clock_of(s, options)
  return spec.has_tag(s, PROCESS) and "real" or options.clock
end

--- Why a spec is not even begun: kind, message; or nil.
local function unbegun(s, options)
  if s.pending then return "pending", "pending" end
  if spec.has_tag(s, PROCESS) and not options.allow_process then
    return "not_allowed", ("starts programs (#%s), which wants --allow-process"):format(PROCESS)
  end
  if clock_of(s, options) == "real" and spec.has_tag(s, VIRTUAL_TIME) then
    return "skip", ("takes too long for the real clock (#%s)"):format(VIRTUAL_TIME)
  end
end

--- "binance,oanda" of a set of names; nil of an empty one.
local function listed(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return #names > 0 and table.concat(names, ",") or nil
end

--- The end of a spec whose body was not run.
local function end_unrun(s, options, verdict)
  options.emit { type = "spec_end", id = s.id, status = verdict.status, kind = verdict.kind, message = verdict.message,
                 traceback = verdict.traceback, file = verdict.file or options.path, line = verdict.line or s.line,
                 virtual_ms = 0, real_us = 0, checks = 0, transcript = verdict.transcript or "",
                 missing = verdict.missing }
end

local function run_spec(s, options)
  local real_us = core.real_us()
  local w = world.open(s.id, options, clock_of(s, options))
  local start = core.now()
  local v = outcome_of_spec(s, w, options)
  local virtual_ms = math.floor((core.now() - start) * 1000 + 0.5)
  local close_error = world.close()
  if core.stopped() then return end -- the runner knows what it has interrupted
  if close_error ~= nil and v.status == "pass" then v = judge { status = "error", error = close_error } end
  options.emit { type = "spec_end", id = s.id, status = v.status, kind = v.kind, message = v.message,
                 traceback = v.traceback, file = v.file or options.path, line = v.line or s.line,
                 virtual_ms = virtual_ms, real_us = core.real_us() - real_us, checks = check.count,
                 transcript = core.transcript(), timeline = timeline.text(),
                 venues = listed(w.venues), missing = listed(w.missing) }
end

--- setup and teardown of a block: once, around its first and last selected spec, in a world of their own.
-- Returns the verdict of one that did not end well.
local function run_block_hook(b, name, options)
  if #b[name] == 0 then return nil end
  local w = world.open(options.path .. "::" .. name, options)
  spec.begin()
  local verdict = judge(core.run(function()
    for _, hook in ipairs(b[name]) do hook() end
  end, HOOK_SECONDS), HOOK_SECONDS)
  core.finish()
  spec.finish()
  verdict = cancel_orders(verdict, w)
  world.close()
  if not verdict then return nil end
  verdict.transcript, verdict.missing = core.transcript(), listed(w.missing)
  return verdict
end

--- Nothing of a block can be judged whose setup failed: each of its specs ends as an error that says so; or is skipped,
-- when that is what setup asked for.
local function set_up(b, options)
  b.set_up = true
  local verdict = run_block_hook(b, "setup", options)
  if verdict and verdict.status ~= "skip" then
    verdict.status, verdict.kind, verdict.message = "error", "setup", "setup: " .. verdict.message
  end
  return verdict
end

local function tear_down(b, options)
  local verdict = b.set_up and run_block_hook(b, "teardown", options)
  if core.stopped() or not verdict or verdict.status == "skip" then return end
  options.emit { type = "file_error", file = verdict.file or options.path, line = verdict.line, kind = "teardown",
                 message = "teardown: " .. verdict.message, traceback = verdict.traceback }
end

local function count_blocks(selected)
  for _, s in ipairs(selected) do
    for _, b in ipairs(spec.chain(s)) do b.specs_left = b.specs_left + 1 end
  end
end

--- The verdict of a block around a spec that is not set up; what is not yet, is.
local function not_set_up(chain, options)
  for _, b in ipairs(chain) do
    if not b.set_up then b.broken = set_up(b, options) end
    if b.broken then return b.broken end
  end
end

--- Begins the spec, or tells why it can't be.
local function run_in_blocks(s, chain, options)
  local kind, why = unbegun(s, options)
  options.emit { type = "spec_start", id = s.id }
  if kind then return end_unrun(s, options, { status = "skip", kind = kind, message = why }) end
  local broken = not_set_up(chain, options)
  if core.stopped() then return end
  if broken then return end_unrun(s, options, broken) end
  run_spec(s, options)
end

--- Returns true when specs are left because enough have failed.
local function run_selected(selected, options)
  local chain = {}
  count_blocks(selected)
  for _, s in ipairs(selected) do
    if core.stopped() then return end
    if options.failed >= (options.max_failures or math.huge) then
      for i = #chain, 1, -1 do
        if chain[i].specs_left > 0 then tear_down(chain[i], options) end
      end
      return true
    end
    chain = spec.chain(s)
    run_in_blocks(s, chain, options)
    for i = #chain, 1, -1 do
      chain[i].specs_left = chain[i].specs_left - 1
      if chain[i].specs_left == 0 then tear_down(chain[i], options) end
    end
  end
end

local function load_specs(options)
  local specs = spec.declare_into(_G, options.path)
  local chunk, syntax = files.load(options.path)
  if not chunk then return nil, "syntax", describe_error(syntax) end
  local outcome = core.protect(chunk)
  if outcome.status == "ok" then return specs end
  local kind = outcome.status ~= "error" and outcome.status or core.refused_io() and "io_while_loading" or "load"
  local why = describe_error(outcome.error, outcome.traceback)
  if kind == "memory" then why.message = TOO_MUCH .. why.message end
  return nil, kind, why
end

--- Tells which specs are selected, in their order.  Returns those of them that run here.
local function choose(specs, options)
  local at_lines = spec.at_lines(options.lines)
  local selected, here = {}, {}
  for i, s in ipairs(specs) do
    s.index = i
    s.selected, s.runs_here, s.rank = options.select(s.id, s.tags, at_lines[s])
    if s.selected then selected[#selected + 1] = s end
  end
  table.sort(selected, function(a, b) return a.rank < b.rank or a.rank == b.rank and a.index < b.index end)
  for _, s in ipairs(selected) do
    options.emit { type = "declared", id = s.id, file = options.path, line = s.line, name = s.name, tags = s.tags,
                   lines = at_lines[s] }
    if s.runs_here then here[#here + 1] = s end
  end
  return here
end

--- Counts in options.failed what fails the run.
local function counting(options)
  local emit = options.emit
  options.failed = 0
  options.emit = function(event)
    local bad = event.type == "file_error" or event.status == "fail" or event.status == "error"
    options.failed = options.failed + (bad and 1 or 0)
    emit(event)
  end
  return options.emit
end

--- options: path, lines (those that were asked for), list, timeout (s), seed, target, clock, allow_process, read_paths
-- (list of files and folders that may be read, too), sabotage, credentials,
-- ca, journal, max_failures (nil: any number), strict_leaks, watch (the end says which files were used),
-- select(id, tags, lines) -> selected, runs here, rank; emit(event).
function M.file(options)
  local emit = counting(options)
  credentials.guard(options.credentials or {})
  files.allow(options.read_paths or {})
  local specs, kind, why = load_specs(options)
  local uses = options.watch and files.uses or function() end
  if not specs then
    emit { type = "file_error", file = why.file or options.path, line = why.line, kind = kind, message = why.message,
           traceback = why.traceback }
    emit { type = "file_end", file = options.path, declared = 0, selected = 0, uses = uses() }
    return
  end
  local selected = choose(specs, options)
  local early = not options.list and run_selected(selected, options)
  if core.stopped() then return end
  emit { type = "file_end", file = options.path, declared = #specs, selected = #selected,
         kind = early and "stopped" or nil, uses = uses() }
end

return M
