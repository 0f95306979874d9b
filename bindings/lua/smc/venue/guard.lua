--- The guarded request: the one way from a call of a venue to the wire and back, top to bottom.
--   call    once, and again as long as the retry policy says so
--   once    breaker's permit -> holds and limiter -> sign, send, judge -> what is told of it
-- What an attempt is, the dialect says: send(asked) signs, sends and judges it, once.  So what is signed is fresh,
-- however long it waited.  asked: { op, method, path, params, signed, mutation }, and of an order also
--   look_up   look_up() -> what the call would have returned, or nil, err: by its client id
--   lives     seconds after which a request that was sent can't take effect any more; nil: nobody knows
-- and of one whose answer is to be more than JSON
--   read      read(answer, headers) -> what the call is to return: here, so that an answer that can't be read is a
--             failure for breaker, health and retry, too
-- veto(asked), where somebody has set one: an error, or nil; asked right before an order is sent, long as it waited.
local errors = require "smc.error"
local reading = require "smc.venue.reading"
local task = require "smc.core.task"

local Guard = {}
Guard.__index = Guard

local urgent = setmetatable({}, { __mode = "k" }) -- coroutines whose requests get out of positions

--- From now on the running task's requests are urgent, at every venue: of priority critical at a limiter, and not kept
-- back by a breaker that failures have opened.  What the venue itself forbids (holds, bans) holds for them, too.
function Guard.hurry() urgent[coroutine.running()] = true end

local function hurries() return urgent[coroutine.running()] == true end

-- ---- what may keep a request back ------------------------------------------------------------

--- An error of our own: nothing was sent.  wait: seconds until it is worth asking again, where that is known.
local function refused(self, asked, class, message, wait)
  return errors.new { class = class, code = "not_sent", message = message, retryable = wait ~= nil, retry_after = wait,
    venue = self.name, op = asked.op, sent = false }
end

--- The breaker's permit.  Whoever gets it has to close it: one that is not reported counts for nothing.
local function permit_of(self, asked)
  if not self.breaker then return nil end
  local permit, open
  if hurries() then permit, open = self.breaker:ask_urgently() else permit, open = self.breaker:ask() end
  self:note_breaker()
  if permit then return permit end
  return nil, refused(self, asked, "circuit_open", open.message, open.retry_after)
end

local function too_long(self, asked, left)
  return refused(self, asked, "rate_limit", ("it would have waited longer than %g s"):format(self.wait), left)
end

--- Seconds that the venue has asked us to be quiet, of everything or of requests like this one.
local function held(self, asked)
  if next(self.holds) == nil then return 0 end
  local scope = self.limits.scope and self.limits.scope(asked)
  return math.max(self.holds.all or 0, scope and self.holds[scope] or 0) - task.now()
end

local NOTHING_PAID = {}

--- Waits until no hold is left and the limiter has room.  Returns what was paid: { weights, free, at }.
local function admit(self, asked)
  local give_up = self.wait and task.now() + self.wait
  while self.obeys and held(self, asked) > 0 do
    local left = held(self, asked)
    if give_up and task.now() + left > give_up then return nil, too_long(self, asked, left) end
    task.sleep(left)
  end
  if not self.limiter then return NOTHING_PAID end
  local weights, free = self.cost(asked, self.limiter)
  if next(weights) == nil then return { weights = weights, free = free, at = task.now() } end
  local priority = hurries() and "critical" or self.priority
  local ok, err = self.limiter:acquire(weights, { priority = priority,
    timeout = give_up and math.max(0, give_up - task.now()) })
  if not ok and err.class == "timeout" then return nil, too_long(self, asked) end
  if not ok then return nil, refused(self, asked, err.class, err.message) end
  self:note_usage(weights)
  return { weights = weights, free = free, at = task.now() }
end

-- ---- what an answer tells ------------------------------------------------------------------

--- What was paid for nothing comes back; what the venue counted is taken over where it is more.
local function settle(self, asked, paid, value, err, headers)
  if not paid.weights then return end
  local unsent = value == nil and err.sent == false
  local back = unsent and paid.weights or value ~= nil and paid.free
  if back then self.limiter:refund(back, paid.at) end
  if headers and self.limits.counted then
    self.limits.counted(headers, function(name, used, left)
      if not self.knows[name] then return end
      left = left or self.limiter:usage(name).limit - used
      self.limiter:left(name, math.max(0, left), paid.at)
    end, asked)
  end
end

local HOLDS = { rate_limit = true, ip_ban = true }

--- The venue says wait: nothing like it is sent before the end.
local function hold(self, asked, err)
  local seconds = HOLDS[err.class] and self.obeys and (err.retry_after or self.limits.pause)
  if not seconds then return end
  local scope = self.limits.held and self.limits.held(err, asked) or "all"
  local until_ = task.now() + seconds
  if until_ <= (self.holds[scope] or 0) then return end
  self.holds[scope] = until_
  if scope == "all" and self.limiter then self.limiter:hold(seconds) end
  self:note(("%s: %s: nothing %sis sent for %g s"):format(asked.op, err.class,
    scope == "all" and "" or "to " .. scope .. " ", seconds))
end

-- ---- one attempt ---------------------------------------------------------------------------

--- Why it must not be sent any more, after it has waited: nil when it may.
local function too_late(self, asked, permit)
  if permit and self.breaker.state == "open" and not hurries() then -- meanwhile
    return refused(self, asked, "circuit_open", "the circuit breaker has opened")
  end
  return self.veto and asked.mutation and self.veto(asked) or nil
end

local Sending = {}
Sending.__close = function(sending) sending.guard.under_way = sending.guard.under_way - 1 end

--- Counts it among what is under way, until the returned is closed; nil: it changes nothing there.
local function sending_of(self, asked)
  if not asked.mutation then return nil end
  self.under_way = self.under_way + 1
  return setmetatable({ guard = self }, Sending)
end

--- Returns the value and the answer's headers; or nil and an error, and whether that is one of our own.
function Guard:once(asked, send)
  local permit <close>, open = permit_of(self, asked)
  if open then return nil, open, true end
  local paid, late = admit(self, asked)
  if not paid then return nil, late, true end
  late = too_late(self, asked, permit)
  if late then
    if paid.weights then self.limiter:refund(paid.weights, paid.at) end
    return nil, late, true
  end
  if permit then permit:begin() end
  local _ <close> = sending_of(self, asked)
  local start = task.now()
  local value, err, headers = send(asked)
  if value ~= nil then headers = err end
  if value ~= nil and asked.read then
    value, err = reading.answer(self.name, asked.op, asked.mutation, asked.read, value, headers)
  end
  settle(self, asked, paid, value, err, headers)
  local failure = value == nil and err or nil
  if permit then self.breaker:report(permit, self.breaker:judge(value, failure)) end
  self:note_breaker()
  self.health:note(value, failure, task.now() - start)
  if failure then hold(self, asked, failure) end
  if failure then return nil, failure end
  return value, headers
end

-- ---- again ---------------------------------------------------------------------------------

--- What became of an order that was sent at `sent`: it; or nil, and true when it can't get to the venue any more.
local function resolve(self, asked, sent)
  while asked.look_up do
    local found, err = asked.look_up()
    if found ~= nil then return found end
    local left = asked.lives and sent + asked.lives - task.now()
    if err.class ~= "unknown_order" or not left then return nil, false end
    if left <= 0 then return nil, true end
    task.sleep(left)
  end
  return nil, false
end

local function never_arrived(self, asked)
  return errors.new { class = "network", code = "never_arrived", retryable = true, venue = self.name, op = asked.op,
    message = "it was looked up, and never reached the venue", sent = false }
end

--- Sends it, and again as the retry policy says.  Returns the value and its headers, or nil and an error.
local function again_and_again(self, asked, send)
  local run, doubt = self.retry:begin(), nil
  while true do
    local sent = task.now()
    local value, err, ours = self:once(asked, function(what)
      sent = task.now()
      return send(what)
    end)
    if value ~= nil or ours then return value, err end
    if doubt and err.class == "duplicate_order" then -- it was there after all
      local found = asked.look_up()
      return found, found == nil and doubt or nil
    end
    local verdict, wait = run:next(err, asked.mutation)
    if verdict == "stop" or verdict == "look_up" and not asked.look_up then return nil, err end
    local next_step = verdict == "again" and "once more" or "looked up"
    self:note(("%s: %s: %s in %.3g s"):format(asked.op, err.class, next_step, wait))
    task.sleep(wait)
    if verdict == "look_up" then
      local found, gone = resolve(self, asked, sent)
      if found ~= nil then return found end
      if not gone then return nil, err end
      if run:spent() then return nil, never_arrived(self, asked) end
      doubt = err
    end
  end
end

--- Sends it, again where there is a retry policy.  Returns the value and its headers, or nil and an error.
function Guard:call(asked, send)
  if self.retry then return again_and_again(self, asked, send) end
  local value, err = self:once(asked, send)
  return value, err
end

-- ---- streams -------------------------------------------------------------------------------

--- Seconds in which nothing may be sent.
function Guard:quiet()
  return self.obeys and math.max(0, (self.holds.all or 0) - task.now()) or 0
end

--- Opens a connection, once holds are over and the limiter has what it costs; the breaker is not asked: a stream tries
-- again in its own time.  connect() -> it, or nil and an error, which it returns.
function Guard:connect(op, weights, connect)
  local asked = { op = op, method = "GET", path = "", params = {}, weights = weights or {} }
  local paid, late = admit(self, asked)
  if not paid then return nil, late end
  local start = task.now()
  local conn, err = connect()
  local failure = conn == nil and err or nil
  self.health:note(conn, failure, task.now() - start)
  if failure then hold(self, asked, failure) end
  return conn, err
end

-- ---- the transcript ------------------------------------------------------------------------

function Guard:note(text) task.log(self.name, text) end

function Guard:note_breaker()
  if not self.breaker or self.breaker.changes == self.changes then return end
  local history = self.breaker:history()
  for i = self.changes + 1, #history do
    local change = history[i]
    self:note(("breaker: %s -> %s (%d calls, %d failed, %d slow)"):format(change.from, change.to, change.calls,
      change.failures, change.slow))
  end
  self.changes = #history
end

local ALERTS = { { 95, "critical" }, { 80, "warning" } }

local function note_alert(self, name, used, limit)
  local percent, told = used * 100 // limit, self.told[name] or 0
  if percent < told then told = 0 end
  for _, alert in ipairs(ALERTS) do
    if percent >= alert[1] and told < alert[1] then
      self:note(("limiter: %s: %d of %d used (%s)"):format(name, used, limit, alert[2]))
      told = alert[1]
    end
  end
  self.told[name] = told > 0 and told or nil
end

--- How much of a window is used up, once for each alert.
function Guard:note_usage(weights)
  for name, limit in next, self.windows do -- in any order: those that say something are sorted
    local used = weights[name] and self.limiter:usage(name).used
    if used and (used * 100 >= limit * ALERTS[2][1] or self.told[name]) then
      for one in pairs(weights) do
        if self.windows[one] then note_alert(self, one, self.limiter:usage(one).used, self.windows[one]) end
      end
      return
    end
  end
end

return Guard
