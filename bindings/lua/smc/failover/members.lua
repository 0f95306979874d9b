--- One venue of a group: what was seen of it, and the check that asks whether it is there.
local client = require "smc.venue.client"
local core = require "smc.core.task"
local timeout = require("smc.task").timeout

local M = {}
local Member = {}
Member.__index = Member

local LIMIT_SECONDS = 60 -- a refusal for a limit counts for so long

-- The venue failed.  Any other answer shows that it works.
local FAILED = { network = true, timeout = true, server = true, protocol = true, unknown_outcome = true }
local LIMITED = { rate_limit = true, ip_ban = true }
-- These say nothing about the venue: nothing was asked of it.
local UNASKED = { circuit_open = true, cancelled = true }

--- conf: what smc/failover/options.lua read.
function M.new(conf, index)
  return setmetatable({ venue = conf.venues[index], label = conf.names[index], index = index,
    timeout = conf.check_timeout, ban = M.ban_hits(conf), connected = true, failed_calls = 0, failed_checks = 0,
    hits = {} }, Member)
end

--- As how many refusals a ban counts: nothing will be answered for long.
function M.ban_hits(conf)
  for _, trigger in ipairs(conf.policy.triggers) do
    if trigger.kind == "rate_limit" then return math.max(1, trigger.threshold) end
  end
  return 1
end

local function note_limits(self, err)
  if not err or not LIMITED[err.class] then return end
  for _ = 1, err.class == "ip_ban" and self.ban or 1 do self.hits[#self.hits + 1] = core.now() end
end

--- What came of a call through the group; err: nil when it succeeded.
function Member:note_call(err)
  if err and UNASKED[err.class] then return end
  note_limits(self, err)
  local failed = err ~= nil and FAILED[err.class]
  self.failed_calls = failed and self.failed_calls + 1 or LIMITED[err and err.class] and self.failed_calls or 0
  if failed then self.last_error = err end
end

--- What came of a check.  One that succeeds says nothing about calls that fail, unless there are none.
local function note_check(self, err, is_active)
  note_limits(self, err)
  local failed = err ~= nil and FAILED[err.class]
  self.connected = not failed or err.http ~= nil
  self.failed_checks = failed and self.failed_checks + 1 or 0
  if failed then self.last_error = err elseif not is_active then self.failed_calls = 0 end
end

--- One check.  Returns whether the venue was asked at all, and an error: one that its own limiter kept back too
-- long says nothing.
local function ask(self)
  local op, began = self.venue.ping and "ping" or "time", core.now()
  local ok, err = timeout(self.timeout, function() return self.venue[op](self.venue) end)
  if ok then return true end
  local waited = err.class == "timeout" and not client.inside(self.venue).wire:sent_since(op, began)
  return not waited and not UNASKED[err.class], err
end

--- Asks the venue whether it is there.  Whoever comes while one asks waits for the same answer.  is_active(): whether
-- calls are made there; judged(): called when the answer is known.
function Member:check(is_active, judged)
  if not self.checking then
    self.checking = core.as_world(core.spawn, function()
      local asked, err = ask(self)
      self.checking = nil
      if asked then note_check(self, err, is_active()) end
      judged()
    end)
  end
  core.join_any { self.checking }
end

--- Refusals for a limit within the last minute.
local function limit_hits(self)
  local since = core.now() - LIMIT_SECONDS
  while self.hits[1] and self.hits[1] < since do table.remove(self.hits, 1) end
  return #self.hits
end

--- What the core decides by.  stream_age: seconds since its streams said something; 0 when it has none.
function Member:signal(stream_age)
  local venue = self.venue
  return { connected = self.connected, failures = math.max(self.failed_calls, self.failed_checks),
    limit_hits = limit_hits(self), stream_age_ms = math.floor(stream_age * 1000),
    breaker_open = venue.breaker ~= nil and venue.breaker.state == "open",
    latency_ms = math.floor(venue.health.latency * 1000), score = venue.health.score }
end

return M
