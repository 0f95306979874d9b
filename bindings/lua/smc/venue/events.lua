--- Events that arrive over a connection, with questions asked in between; and another connection when that one is lost.
local backoff = require "smc.venue.backoff"
local closing = require "smc.venue.closing"
local colon = require "smc.colon"
local errors = require "smc.error"
local json = require "smc.json"
local task = require "smc.core.task"
local ws = require "smc.ws"

local M = {}
local Events = {}
Events.__index = Events
closing(Events)

-- What a venue or whoever opens a stream may want otherwise; see stream_options.
Events.reconnect, Events.stale_after, Events.first_delay, Events.longest_delay = true, 30, 0.5, 30
Events.at_once = true -- the first attempt waits for nothing

local ANSWER_SECONDS = 10
local STEADY_SECONDS = 60 -- a connection that lived so long was a good one: attempts are counted anew
local QUIET = 2 / 3 -- of stale_after: then we ask whether anybody is there
local EPSILON = 1e-6 -- seconds that a timer may be early
local opened = setmetatable({}, { __mode = "k" }) -- streams, as a set
local HOPELESS = { auth = true, permission = true, invalid_request = true } -- no attempt will mend these

--- A class of streams.  Its hooks:
--   begin(self) -> true or nil, err   subscribes over a new connection
--   event_of(self, frame) -> events   any number of them
--   broken(message) -> err            for a frame that is not what was promised
-- And if need be:
--   connect(self) -> conn or nil, err   default: a WebSocket to self.url.  conn has recv(seconds), send, close, __close
--                                       and heard
--   reset(self)           what the lost connection brought can't be continued
--   ready(self)           -> true or nil, err; before each wait
--   wanted(self, event)   whether an event is handed out; asked just before
--   ping(self)            every ping_every seconds, and when it is too quiet
--   max_age               seconds after which the connection is changed
-- and other values of what Events is made with.
function M.class(name)
  local class = setmetatable({ __name = name, __close = Events.__close }, Events)
  class.__index = class
  return class
end

function Events:connect() return ws.connect(self.url, { ca = self.ca }) end
function Events:ping() self.conn:ping(nil, 0) end
function Events.reset() end
function Events.ready() return true end
function Events.wanted() return true end

-- ---- one reader at a time ----------------------------------------------------------------

local Turn = { __close = function(turn) turn.stream.reading = false end }

--- While what this returns is not closed, nobody else may wait for the stream: two would take each other's frames.
-- Raises at the caller's caller.
function Events:alone(what)
  if self.reading then error(what .. ": another task waits for this stream already", 3) end
  self.reading = true
  return setmetatable({ stream = self }, Turn)
end

-- ---- the connection ----------------------------------------------------------------------

--- The connection is of no use any more.  Returns nil and the reason.
function Events:fail(err)
  self.failed = self.failed or err
  return nil, self.failed
end

--- The venue says that it is about to end the connection.
function Events:ends(what)
  return self:fail(errors.new { class = "network", code = "ends", retryable = true, op = self.__name,
    message = "the venue ends the connection: " .. what })
end

local function let_go(self)
  if self.beat then self.beat:cancel() end
  local _ <close> = self.conn
  self.beat, self.conn = nil, nil
end

local function keep_pinging(self)
  if not self.ping_every then return end
  self.beat = task.after(math.tointeger(self.ping_every * 1000), function()
    self:ping()
    keep_pinging(self)
  end)
end

-- What a server means that does not open a WebSocket.  Its page is not seen: a 403 is what venues document, an address
-- that is shut out.
local STATUSES = { [401] = "auth", [403] = "ip_ban", [418] = "ip_ban", [429] = "rate_limit" }

local function refused(err)
  local status = err.op == "ws.open" and err.code == "protocol" and err.sys or 0
  local class = STATUSES[status] or status >= 500 and "server"
  if not class then return err end
  return errors.new { class = class, code = "refused", http = status, message = err.message, op = err.op,
    retryable = class ~= "auth" }
end

local function establish(self)
  local conn, err = self.guard:connect(self.op, self.weights, function()
    local conn, err = self:connect()
    return conn, not conn and refused(err) or nil
  end)
  if not conn then return nil, err end
  if self.closed then -- while we were waiting
    local _ <close> = conn
    return nil, self.failed
  end
  self.conn, self.failed, self.asked, self.opened = conn, nil, nil, task.now()
  keep_pinging(self)
  local ok
  ok, err = self:begin()
  if ok then return true end
  self.failed = err
  let_go(self)
  return nil, err
end

--- Connects and begins.  fields: what the class needs; options: see stream_options; inner: what the venue keeps to
-- itself, of it random, a seeded generator, and ca, the authority that its server is trusted by.
-- Returns the stream, or nil and an error, and nothing left open.
function M.open(class, fields, options, inner)
  local self = setmetatable(fields, class)
  opened[self] = true
  for name, value in pairs(options) do self[name] = value end
  self.random, self.ca, self.guard, self.attempts, self.reconnects = inner.random, inner.ca, inner.guard, 0, 0
  self.queue, self.first, self.last, self.last_id = {}, 1, 0, 0
  local ok, err
  local _ <close> = setmetatable({}, { __close = function()
    if not ok then self:__close() end
  end })
  ok, err = establish(self)
  if not ok then return nil, err end
  self.watch = self.guard.health:watch(function() return self:quiet() end)
  return self
end

local function push(self, event)
  self.last = self.last + 1
  self.queue[self.last] = event
end

local function pop(self)
  while self.first <= self.last do
    local event = self.queue[self.first]
    self.queue[self.first], self.first = nil, self.first + 1
    if self:wanted(event) then return event end
  end
end

--- Adds an event of our own behind those that have arrived.
Events.push = push

local function schedule(self, wait)
  local n = self.attempts + (self.at_once and 0 or 1)
  local delay = n == 0 and 0 or backoff.delay(n, self.first_delay, self.longest_delay, self.random)
  self.down.next_at = task.now() + math.max(delay, wait or 0, self.guard:quiet())
end

--- An attempt that has come to nothing, be it that whoever made it was ended meanwhile: there is no connection, and
-- what was told over the one that did not last is asked for again.
local function undone(self, before, err)
  self.failed = self.failed or err
  let_go(self)
  for i = self.last, before + 1, -1 do self.queue[i] = nil end
  self.last = before
  schedule(self, self.failed.retry_after)
end

--- One attempt.  What is told over the new connection stands behind an event that says so.
local function again(self)
  local down, before, ok, err = self.down, self.last, nil, nil
  local told = { kind = "reconnected", reason = down.reason, since = down.since }
  self.attempts, down.attempts = self.attempts + 1, down.attempts + 1
  local _ <close> = setmetatable({}, { __close = function()
    if not ok then undone(self, before, err or down.reason) end
  end })
  self:reset()
  push(self, told)
  ok, err = establish(self)
  if not ok then
    self.failed, self.hopeless = err, HOPELESS[err.class]
    return
  end
  self.reconnects, self.down = self.reconnects + 1, nil
  told.attempts, told.down, told.time = down.attempts, task.now() - down.at, task.wall_ms()
end

--- Notes that the connection is gone, and when it last said something.
local function go_down(self)
  local now = task.now()
  if now - self.opened >= STEADY_SECONDS then self.attempts = 0 end
  self.down = { reason = self.failed, at = now, heard = self.conn.heard, attempts = 0,
    since = task.wall_ms() - math.floor((now - self.conn.heard) * 1000) }
  let_go(self)
  self.guard.health:call "failed"
  schedule(self)
end

--- The error of whoever wants something while there is no connection.
function Events:waiting()
  return errors.new { class = "timeout", code = "reconnecting", retryable = true, op = self.__name,
    message = ("no connection since %.1f s: %s"):format(task.now() - self.down.at, self.failed.message) }
end

--- Has a connection, if there is one to be had before give_up.
local function connected(self, give_up)
  while self.failed do
    if self.closed or not self.reconnect or self.hopeless then return nil, self.failed end
    if not self.down then go_down(self) end
    local now = task.now()
    local wait = self.down.next_at - now
    if wait <= EPSILON then
      again(self)
    elseif give_up - now <= EPSILON then
      return nil, self:waiting()
    else
      task.sleep(math.min(wait, give_up - now))
    end
  end
  return true
end

--- Seconds since something was heard.
function Events:quiet()
  local heard = self.conn and self.conn.heard or self.down and self.down.heard
  return heard and task.now() - heard or 0
end

--- Whether there is a connection now.
function Events:connected() return self.failed == nil and not self.closed end

-- ---- frames ------------------------------------------------------------------------------

local function stale(self)
  return errors.new { class = "network", code = "stale", retryable = true, op = self.__name,
    message = ("nothing was heard for %g s"):format(self.stale_after) }
end

local function aged(self)
  return errors.new { class = "network", code = "aged", retryable = true, op = self.__name,
    message = ("the connection is %g s old"):format(self.max_age) }
end

--- When the silence will have lasted too long, and whether we have asked since it began.  asked: when something was
-- heard last as we asked.
local function silence(self)
  local heard = self.conn.heard
  local asked = self.asked == heard
  return heard + self.stale_after * (asked and 1 or QUIET), asked
end

--- The next message.
local function message(self, give_up)
  while true do
    local old_at = self.opened + (self.max_age or math.huge)
    local due = silence(self)
    local got, err = self.conn:recv(math.max(0, math.min(give_up, due, old_at) - task.now()))
    if got then return got end
    if err.class ~= "timeout" then return self:fail(err) end
    local now = task.now() + EPSILON
    if now >= old_at then return self:fail(aged(self)) end
    local too_late, asked = silence(self)
    if now >= too_late and asked then return self:fail(stale(self)) end
    if now >= too_late then
      self.asked = self.conn.heard
      self:ping()
    elseif now >= give_up then
      return nil, err
    end
  end
end

local function next_frame(self, give_up)
  if self.failed then return nil, self.failed end
  local got, err = message(self, give_up)
  if not got then return nil, err end
  local frame = json.decode(got.data)
  if type(frame) ~= "table" then return self:fail(self.broken "a frame that is not JSON") end
  return frame
end

--- A frame that is not what the venue promises ends the connection, not the program.
local function keep(self, frame)
  local said = table.pack(pcall(self.event_of, self, frame))
  if not said[1] then return self:fail(self.broken("a frame that can't be read: " .. tostring(said[2]))) end
  for i = 2, said.n do
    if said[i] == nil then break end
    push(self, said[i])
  end
  return true
end

function Events:next_id()
  self.last_id = self.last_id + 1
  return self.last_id
end

--- Sends a question and waits for its answer; events that come first are kept.
-- answered(frame): the answer; nil, err; or nil for a frame that is no answer.
function Events:ask(question, answered)
  if self.failed then return nil, self.failed end
  local ok, err = self.conn:send(json.encode(question))
  if not ok then return self:fail(err) end
  local give_up = task.now() + ANSWER_SECONDS
  while true do
    local frame
    frame, err = next_frame(self, give_up)
    if not frame then return nil, err end
    local answer
    answer, err = answered(frame)
    if answer ~= nil or err then return answer, err end
    ok, err = keep(self, frame)
    if not ok then return nil, err end
  end
end

local function take(self, give_up)
  local frame, err = next_frame(self, give_up)
  if not frame then return nil, err end
  return keep(self, frame)
end

--- Takes in frames until done() is true.
function Events:await(done)
  local give_up = task.now() + ANSWER_SECONDS
  while not done() do
    local ok, err = take(self, give_up)
    if not ok then return nil, err end
  end
  return true
end

--- Takes in whatever has arrived, without waiting for more.
function Events:drain()
  while true do
    local now = task.now()
    local ok, err = connected(self, now)
    if not ok then return nil, err end
    ok = take(self, now)
    if not ok and not self.failed then return true end
  end
end

--- The next event, in order of arrival.  nil, err after `timeout` seconds (default 30) or when the connection is gone
-- for good.
function Events:recv(timeout)
  if timeout ~= nil and (math.type(timeout) == nil or timeout ~= timeout) then
    error("stream:recv: a number of seconds expected", 2)
  end
  local _ <close> = self:alone "stream:recv"
  local give_up = task.now() + (timeout or 30)
  while true do
    local event = pop(self)
    if event then return event end
    local ok, err = connected(self, give_up)
    if not ok then return nil, err end
    ok, err = self:ready()
    if ok and self.first > self.last then ok, err = take(self, math.min(give_up, self.wake_at or give_up)) end
    if not ok and not self.failed and task.now() + EPSILON >= give_up then return nil, err end
  end
end

colon.below("stream", Events, opened, { recv = true, top = true, subscriptions = true, connected = true, close = true })

return M
