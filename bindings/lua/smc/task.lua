--- Concurrency for scenarios: tasks are coroutines that the scheduler resumes; whatever waits, yields.

local colon = require "smc.colon"
local core = require "smc.core.task"
local list = require "smc.list"

local M = {}

local Task = {}

-- Wrong use is blamed on the scenario's line: `level` counts as in error(), from the function that is given it.

local function check_function(what, fn, level)
  if type(fn) ~= "function" then error(what .. ": a function expected, got " .. type(fn), level + 1) end
end

local function check_seconds(what, seconds, level)
  if math.type(seconds) == nil or not (seconds >= 0 and seconds <= 1e9) then
    error(what .. ": seconds must be a number from 0 to 1e9", level + 1)
  end
end

local function at_caller(level, ok, first, ...)
  if not ok then error(first, type(first) == "string" and level + 1 or 0) end
  return first, ...
end

--- Waits until the task has ended.  Returns what it returned; raises what it raised; nil, err when it was cancelled or
-- `seconds` passed first.
function Task:join(seconds)
  if seconds ~= nil then check_seconds("task:join", seconds, 2) end
  local ended, err = at_caller(2, pcall(core.join_any, { self }, seconds))
  if not ended then return nil, err end
  return core.results(self)
end

--- Ends the task where it waits; its pending <close> variables run.
function Task:cancel()
  at_caller(2, pcall(core.cancel, self))
end

--- "running", "done", "failed" or "cancelled".
function Task:status()
  return core.status(self)
end

colon.methods("task", Task, colon.marked "smc.task")

local task_meta = core.task_meta
core.task_meta = nil
task_meta.__index = Task
task_meta.__close = function(self) core.cancel(self) end
task_meta.__metatable = "smc.task"

M.spawn = core.spawn
M.sleep = core.sleep
M.now = core.now
M.wall = core.wall_ms

local function spawn_all(what, first, fn)
  local tasks = {}
  if math.type(first) == "integer" and type(fn) == "function" then
    for i = 1, first do tasks[i] = core.spawn(fn, i) end
  elseif type(first) == "table" then
    for i = 1, list.length(first) do check_function(what, first[i], 3) end
    for i, f in ipairs(first) do tasks[i] = core.spawn(f) end
  end
  if #tasks == 0 then error(what .. ": a list of functions, or a count and a function expected", 3) end
  return tasks
end

local function cancel_all(tasks)
  for _, t in ipairs(tasks) do core.cancel(t) end
end

--- Its end, however it comes (an error, a cancelled caller), ends the tasks that still run.
local function together(tasks)
  return setmetatable({}, { __close = function() cancel_all(tasks) end })
end

--- Runs the functions at the same time and waits for all.  Returns the list of their first results.
-- The first error ends the others and is raised.
function M.all(first, fn)
  local tasks = spawn_all("smc.all", first, fn)
  local _ <close> = together(tasks)
  local running = table.move(tasks, 1, #tasks, 1, {})
  while #running > 0 do
    local first_ended, still = core.join_any(running), {}
    if core.status(running[first_ended]) == "failed" then core.results(running[first_ended]) end
    for _, t in ipairs(running) do
      if core.status(t) == "running" then still[#still + 1] = t end
      if core.status(t) == "failed" then core.results(t) end
    end
    running = still
  end
  local results = {}
  for i, t in ipairs(tasks) do results[i] = (core.results(t)) end
  return results
end

--- Runs the functions at the same time until the first has ended, and ends the others.  Returns that one's index and
-- results, or raises its error.
function M.race(first, fn)
  local tasks = spawn_all("smc.race", first, fn)
  local _ <close> = together(tasks)
  local winner = core.join_any(tasks)
  return winner, core.results(tasks[winner])
end

--- Runs fn, but no longer than `seconds`.  Returns its results, or nil and an error of class timeout.
function M.timeout(seconds, fn)
  check_seconds("smc.timeout", seconds, 2)
  check_function("smc.timeout", fn, 2)
  local t <close> = core.spawn(fn)
  local ended, err = core.join_any({ t }, seconds)
  if not ended then
    err.op, err.message = "smc.timeout", ("not done within %g s"):format(seconds)
    return nil, err
  end
  return core.results(t)
end

return M
