--- Streams that move with a group: each is one of the active member's, read by a task of its own, and is opened anew at
-- the next member before the old one is closed.
local colon = require "smc.colon"
local core = require "smc.core.task"
local errors = require "smc.error"
local gates = require "smc.core.gate"
local invoke = require "smc.failover.invoke"
local symbols = require "smc.failover.symbols"
local timeout = require("smc.task").timeout
local world = require "smc.world"

local M = {}

local OPEN_SECONDS = 10 -- of the opening of one stream while a switch waits for it
local CLOSE_SECONDS = 2
local QUEUE = 1000 -- events that nobody has fetched; then the venue has to wait
local READ_SECONDS = 60
local LIVE_SECONDS, LIVE_EVERY = 10, 0.05 -- how long a book that is being made is waited for

-- Another member refused the stream for good: the group moves on without it.
local HOPELESS = { invalid_request = true, filter = true, auth = true, permission = true }

local Stream = { __name = "smc.group_stream" }
Stream.__index = Stream

local within = setmetatable({}, { __mode = "k" }) -- stream -> what it keeps to itself

-- ---- reading -------------------------------------------------------------------------------

local function push(s, event)
  s.last = s.last + 1
  s.queue[s.last] = event
  s.gate:open()
end

local function pop(s)
  if s.first > s.last then return nil end
  local event = s.queue[s.first]
  s.queue[s.first], s.first = nil, s.first + 1
  s.room:open()
  return event
end

local function read_on(s, inner)
  local label = s.member.label
  while true do
    while s.last - s.first >= QUEUE or s.asking do s.room:wait() end
    local event, err = inner:recv(READ_SECONDS)
    if event then
      if event.order then event.order.venue = label end
      push(s, s.rename(event))
    elseif err.class ~= "timeout" then
      s.failed = err
      s.gate:open()
      return
    end
  end
end

local function attach(s, member, opened)
  s.member, s.inner, s.rename, s.failed = member, opened.inner, opened.rename, nil
  s.reader = core.as_world(core.spawn, read_on, s, opened.inner)
end

--- Takes the stream off its member.  Returns what is to be closed.
local function detach(s)
  if s.reader then core.cancel(s.reader) end
  local inner = s.inner
  s.reader, s.inner, s.member = nil, nil, nil
  return inner
end

local function drop(inner)
  local _ <close> = inner
end

--- Says goodbye to a venue that is still there, without anybody waiting for it.
local function close_politely(inner)
  core.as_world(core.spawn, function()
    local _ <close> = inner
    timeout(CLOSE_SECONDS, function() inner:close() end)
  end)
end

-- ---- opening -------------------------------------------------------------------------------

--- Opens it at a member: { inner, rename }; nil and an error; or raises what the member's own stream raised.
local function open_at(s, g, member)
  local given, rename = symbols.channels(g, member, s.given)
  local lacks = symbols.missing(g, member, s.kind, s.given)
  if lacks then return nil, lacks end
  local inner, err = invoke.protected(member.venue[s.kind], member.venue, given)
  if not inner then return nil, err end
  return { inner = inner, rename = rename }
end

--- The same for a switch: in time, and what a member can't offer is an error like others.
local function try_at(s, g, member)
  return timeout(OPEN_SECONDS, function()
    local ok, opened, err = pcall(open_at, s, g, member)
    if ok then return opened, err end
    local message = invoke.wrong_use(opened)
    if not message then error(opened, 0) end
    return nil, errors.new { class = "invalid_request", venue = member.venue.name, op = s.kind, message = message }
  end)
end

--- The stream is over: nobody moves it any more.
local function forget(s)
  s.closed = true
  core.cancel(s.keeper)
  for i, other in ipairs(s.streams.list) do
    if other == s then return table.remove(s.streams.list, i) end
  end
end

-- ---- what scenarios hold ------------------------------------------------------------------------

local DEFAULT_SECONDS = 30

local function ended(s, op)
  if s.closed then return errors.new { class = "cancelled", op = op, message = "the stream is closed" } end
  if s.failed then return s.failed end
  if s.inner then
    return errors.new { class = "timeout", op = op, retryable = true, message = "nothing came in time" }
  end
  return errors.new { class = "no_venue", op = op, retryable = true, message = "none of the group's venues is up" }
end

local Turn = { __close = function(turn) turn.s.reading = false end }

--- The next event, in order of arrival: of the stream, or that it has moved (kind "switched").
function Stream:recv(seconds)
  local s = within[self]
  if seconds ~= nil and (math.type(seconds) == nil or seconds ~= seconds) then
    error("stream:recv: a number of seconds expected", 2)
  end
  if s.reading then error("stream:recv: another task waits for this stream already", 2) end
  s.reading = true
  local _ <close> = setmetatable({ s = s }, Turn)
  local give_up = core.now() + (seconds or DEFAULT_SECONDS)
  while true do
    local event = pop(s)
    if event then return event end
    local left = give_up - core.now()
    if s.closed or s.failed or left <= 0 then return nil, ended(s, "stream:recv") end
    s.gate:wait(left)
  end
end

--- What the member's own stream offers beside events.
local function ask(self, what, ...)
  local s = within[self]
  if not s.inner or s.failed then return nil, ended(s, "stream:" .. what) end
  if not s.inner[what] then invoke.wrong("stream:%s: this stream has none", what) end
  return invoke.protected(s.inner[what], s.inner, ...)
end

local Asking = { __close = function(asking)
  asking.s.asking = false
  asking.s.room:open()
end }

--- The local book.  The task that reads keeps it live, or else is kept from reading meanwhile.
local function top(self, n, symbol)
  local s, give_up = within[self], core.now() + LIVE_SECONDS
  while true do
    local book, err
    do
      s.asking = true
      local _ <close> = setmetatable({ s = s }, Asking)
      book, err = ask(self, "top", n, symbol and s.member and symbols.theirs(s.g, s.member, symbol))
    end
    if book then return s.rename(book) end
    if err.code ~= "not_live" or core.now() >= give_up then return nil, err end
    core.sleep(LIVE_EVERY)
  end
end

function Stream:top(n, symbol)
  local book, err = invoke.blame(2, top, self, n, symbol)
  return book, err
end

--- What asks the venue over the stream itself: the task that reads it stands aside meanwhile.
local function ask_alone(self, what)
  local s = within[self]
  local inner, reader = s.inner, s.reader
  if reader then core.cancel(reader) end
  local _ <close> = setmetatable({}, { __close = function()
    if reader and s.reader == reader and not s.failed then
      s.reader = core.as_world(core.spawn, read_on, s, inner)
    end
  end })
  return ask(self, what)
end

function Stream:subscriptions()
  local names, err = invoke.blame(2, ask_alone, self, "subscriptions")
  return names, err
end

function Stream:connected()
  local s = within[self]
  return s.inner ~= nil and s.failed == nil and s.inner:connected()
end

--- Closes it.  Returns what closing the venue's stream returned.
function Stream:close()
  local s = within[self]
  if s.closed then return nil end
  forget(s)
  local inner = detach(s)
  s.gate:open()
  return inner and inner:close()
end

--- Drops it without waiting.
function Stream:__close()
  local s = within[self]
  forget(s)
  drop(detach(s))
  s.gate:open()
end

colon.methods("stream", Stream, within)

-- ---- the streams of a group ------------------------------------------------------------------

local Streams = {}
Streams.__index = Streams

function M.new()
  return setmetatable({ list = {} }, Streams)
end

--- Seconds since a member's streams said something.
function Streams:age(member)
  local age = 0
  for _, s in ipairs(self.list) do
    if s.member == member then age = math.max(age, s.inner:quiet()) end
  end
  return age
end

--- All that are open, opened at the target as well; a refusal for good is kept for whoever reads that stream.
-- Returns a list of { s, opened | refused }; nil and an error, and nothing left open.
local function open_all(self, g, target)
  local moved, ok = {}, false
  local _ <close> = setmetatable({}, { __close = function()
    if ok then return end
    for _, one in ipairs(moved) do drop(one.opened and one.opened.inner) end
  end })
  for _, s in ipairs({ table.unpack(self.list) }) do
    local opened, err = try_at(s, g, target)
    if not opened and not HOPELESS[err.class] then return nil, err end
    moved[#moved + 1] = { s = s, opened = opened, refused = err }
  end
  ok = true
  return moved
end

local function switched(from, target, last)
  return { kind = "switched", from = from and from.label, to = target.label, cause = last.cause,
    duration = core.now() - last.at_ms / 1000, time = core.wall_ms() }
end

--- Moves all streams to the target of a switch.  last: the core's decision.  Returns true, or nil and an error.
function Streams:move(g, last, target)
  if world.is_sabotaged "failover-forgets" then return true end
  local moved, err = open_all(self, g, target)
  if not moved then return nil, err end
  local from = last.from and g.members[last.from]
  for _, one in ipairs(moved) do
    local old = detach(one.s)
    if old and from and from.connected then close_politely(old) else drop(old) end
    if one.s.closed then
      drop(one.opened and one.opened.inner)
    else
      push(one.s, switched(from, target, last))
      if one.opened then attach(one.s, target, one.opened) else one.s.failed = one.refused end
    end
  end
  return true
end

--- There is no venue: nothing is to be heard any more.
function Streams:stop()
  for _, s in ipairs(self.list) do drop(detach(s)) end
end

function Streams:close_all()
  for _, s in ipairs({ table.unpack(self.list) }) do
    forget(s)
    drop(detach(s))
    s.gate:open()
  end
end

--- What is open of a stream that has moved belongs to the world.  This task does not: who forgets the stream leaks it.
local function stream_stays_open() gates.new():wait() end

--- Opens one at a member.  given: what the caller gave; stays(): whether the group has stayed there meanwhile.  Returns
-- the stream; nil and an error; or nil alone when the group has moved.
function Streams:open(g, member, kind, given, stays)
  local s = { streams = self, g = g, kind = kind, given = given, queue = {}, first = 1, last = 0, gate = gates.new(),
    room = gates.new() }
  local opened, err = open_at(s, g, member)
  if not opened then return nil, err end
  local stayed
  local _ <close> = setmetatable({}, { __close = function() -- also when whoever opens it is ended while stays() waits
    if not stayed then drop(opened.inner) end
  end })
  stayed = stays()
  if not stayed then return nil end
  self.list[#self.list + 1] = s
  attach(s, member, opened)
  s.keeper = core.spawn(stream_stays_open)
  local stream = setmetatable({}, Stream)
  within[stream] = s
  return stream
end

return M
