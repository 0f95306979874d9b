--- Starts the runs of a load, and waits for their ends.
local core = require "smc.core.task"
local errors = require "smc.error"
local gates = require "smc.core.gate"
local plan = require "smc.load.plan"

local M = {}

local TICK = 0.001 -- the clock's step: without a pause a user whose replies take no time would never let it move

--- Runs it once.  What it raises ends the load; nil, err is an error that is counted.
local function attempt(self, ...)
  local result = table.pack(pcall(self.run, ...))
  if not result[1] then
    self.raised = self.raised or { result[2] }
    return nil
  end
  local value, err = result[2], result[3]
  if value == nil or value == false then return err end
end

local function ended(self, id)
  self.running[id] = nil
  self.n_running = self.n_running - 1
  if self.n_running == 0 or self.raised then self.idle:open() end
end

local function begin(self, id, fn)
  self.n_running = self.n_running + 1
  self.tally.in_flight = math.max(self.tally.in_flight, self.n_running)
  self.running[id] = core.spawn(fn)
end

local function sleep_until(due)
  local left = due - core.now()
  if left > 0 then core.sleep(left) end
end

--- Seconds since then, in whole microseconds, as the clock has them.
local function since(moment) return math.floor((core.now() - moment) * 1e6 + 0.5) / 1e6 end

--- Ends what still runs, in the order in which it began.
local function cancel_all(self)
  local ids = {}
  for id in pairs(self.running) do ids[#ids + 1] = id end
  table.sort(ids)
  for _, id in ipairs(ids) do core.cancel(self.running[id]) end
  self.running, self.n_running = {}, 0
  return ids
end

--- Waits for what still runs, for `grace` seconds at most.
local function drain(self)
  local give_up = core.now() + self.grace
  while self.n_running > 0 and not self.raised and core.now() < give_up do self.idle:wait(give_up - core.now()) end
end

local function unfinished(self)
  return errors.new { class = "unfinished", code = "unfinished", op = "load",
    message = ("had not ended %g s after the last arrival (grace)"):format(self.grace) }
end

-- ---- the open model ------------------------------------------------------------------------

local function arrive(self, id, due, measured)
  local let_in = self.n_running < self.most
  if measured then self.tally:plan(let_in, core.now() - due) end
  if not let_in then return end
  self.due[id] = measured and due or nil
  begin(self, id, function()
    local err = attempt(self, id)
    self.due[id] = nil
    if measured and not self.raised then self.tally:add(since(due), err, core.now()) end
    ended(self, id)
  end)
end

--- Arrivals come when they are meant to, whatever became of those before them.  A latency counts from that moment: also
-- what waited for a loop that was late.
local function open(self, options)
  local gap = options.poisson and function() return self.random:exp() end or nil
  local id, began = 0, core.now()
  for _, part in ipairs { { options.warmup, false }, { options.segments, true } } do
    local segments, measured = table.unpack(part)
    if measured then self.from = began end
    for ms in plan.arrivals(segments, gap) do
      sleep_until(began + ms / 1000)
      if self.raised then return end
      id = id + 1
      arrive(self, id, began + ms / 1000, measured)
    end
    began = began + plan.seconds(segments)
    sleep_until(began)
  end
end

-- ---- the closed model ----------------------------------------------------------------------

local function pause(self, began)
  local least, most = table.unpack(self.think)
  local seconds = least + (most > least and self.random:float() * (most - least) or 0)
  if seconds == 0 and core.now() == began then seconds = TICK end
  sleep_until(math.min(core.now() + seconds, self.stop))
end

local function one_run(self, user)
  local began = core.now()
  local measured = began >= self.from
  self.n = self.n + 1
  if measured then self.tally:plan(true, 0) end
  self.due[user] = measured and began or nil
  local err = attempt(self, self.n, user)
  self.due[user] = nil
  if measured and not self.raised then self.tally:add(since(began), err, core.now()) end
  pause(self, began)
end

local function be_user(self, user)
  begin(self, user, function()
    while not self.raised and user <= self.users and core.now() < self.stop do one_run(self, user) end
    ended(self, user)
  end)
end

--- Each user does one thing after the other, and waits for its end: a venue that is slow is asked less often.
local function closed(self, options)
  local began = core.now()
  self.n, self.users, self.from = 0, 0, began + options.warmup_s
  self.stop = self.from + plan.seconds(options.segments)
  local all = table.move(options.segments, 1, #options.segments, #options.warmup + 1, { table.unpack(options.warmup) })
  local changes = plan.users(all)
  for _, change in ipairs(changes) do
    sleep_until(began + change[1] / 1000)
    if self.raised then return end
    self.users = change[2]
    for user = 1, self.users do
      if not self.running[user] then be_user(self, user) end
    end
  end
  while not self.raised and core.now() < self.stop do self.idle:wait(self.stop - core.now()) end
end

--- Runs a load to its end.  tally: what it is counted in.  Returns when what is measured began, and how many seconds
-- went by until the later of its end as planned and of its last run; raises what a run has raised.
function M.run(options, tally, random)
  local self = { run = options.run, tally = tally, random = random, grace = options.grace, most = options.in_flight,
    think = options.think, running = {}, n_running = 0, due = {}, idle = gates.new() }
  local _ <close> = setmetatable({}, { __close = function() cancel_all(self) end })
  local drive = options.key == "rate" and open or closed
  drive(self, options)
  drain(self)
  if self.raised then error(self.raised[1], 0) end
  local now = core.now()
  for _, id in ipairs(cancel_all(self)) do
    if self.due[id] then tally:add(since(self.due[id]), unfinished(self), now) end
  end
  return math.max(plan.seconds(options.segments), tally.last - self.from)
end

return M
