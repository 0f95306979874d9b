--- Events that arrive over a WebSocket, with questions asked in between.
local closing = require "smc.venue.closing"
local json = require "smc.json"
local task = require "smc.core.task"
local ws = require "smc.ws"

local M = {}
local Events = {}
Events.__index = Events
closing(Events)

local ANSWER_SECONDS = 10

--- A class of streams.  Hooks: event_of(self, frame) -> any number of events; broken(message) -> err; ready(self) ->
-- true or nil, err, called before each wait; beat(self) -> true or nil, err, called after every beat_every seconds of
-- waiting.
function M.class(name)
  local class = setmetatable({ __name = name, __close = Events.__close }, Events)
  class.__index = class
  return class
end

--- fields: conn and whatever the class needs.
local function new(class, fields)
  fields.queue, fields.last_id = {}, 0
  fields.beat_due = class.beat_every and task.now() + class.beat_every
  return setmetatable(fields, class)
end

--- Connects; then begin(self) -> true or nil, err.  Returns the stream, or nil and an error, and nothing left open.
function M.open(class, url, fields, begin)
  local err
  fields.conn, err = ws.connect(url)
  if not fields.conn then return nil, err end
  local self = new(class, fields)
  local ok
  ok, err = begin(self)
  if ok then return self end
  self:__close()
  return nil, err
end

function Events.ready() return true end

local function message(self, timeout)
  local give_up = task.now() + timeout
  while true do
    local wait_to = self.beat_due and math.min(give_up, self.beat_due) or give_up
    local got, err = self.conn:recv(math.max(0, wait_to - task.now()))
    if got then return got end
    local now = task.now()
    if err.class ~= "timeout" or not self.beat_due or now < self.beat_due then return nil, err end
    self.beat_due = now + self.beat_every
    local ok, lost = self:beat()
    if not ok then return nil, lost end
    if now >= give_up then return nil, err end
  end
end

local function next_frame(self, timeout)
  local got, err = message(self, timeout)
  if not got then return nil, err end
  local frame = json.decode(got.data)
  if type(frame) ~= "table" then return nil, self.broken "a frame that is not JSON" end
  return frame
end

local function keep(self, frame)
  for _, event in ipairs { self:event_of(frame) } do self.queue[#self.queue + 1] = event end
end

function Events:next_id()
  self.last_id = self.last_id + 1
  return self.last_id
end

--- Sends a question and waits for its answer; events that come first are kept.
-- answered(frame): the answer; nil, err; or nil for a frame that is no answer.
function Events:ask(question, answered)
  local ok, err = self.conn:send(json.encode(question))
  if not ok then return nil, err end
  local give_up = task.now() + ANSWER_SECONDS
  while true do
    local frame
    frame, err = next_frame(self, math.max(0, give_up - task.now()))
    if not frame then return nil, err end
    local answer
    answer, err = answered(frame)
    if answer ~= nil or err then return answer, err end
    keep(self, frame)
  end
end

--- Takes in frames until done() is true.
function Events:await(done)
  local give_up = task.now() + ANSWER_SECONDS
  while not done() do
    local frame, err = next_frame(self, math.max(0, give_up - task.now()))
    if not frame then return nil, err end
    keep(self, frame)
  end
  return true
end

--- Takes in whatever has arrived, without waiting for more.
function Events:drain()
  while true do
    local frame, err = next_frame(self, 0)
    if not frame then
      if err.class == "timeout" then return true end
      return nil, err
    end
    keep(self, frame)
  end
end

--- The next event, in order of arrival.  nil, err after `timeout` seconds (default 30) or when the connection is gone.
function Events:recv(timeout)
  local give_up = task.now() + (timeout or 30)
  while true do
    local ok, err = self:ready()
    if not ok then return nil, err end
    if #self.queue > 0 then return table.remove(self.queue, 1) end
    local frame
    frame, err = next_frame(self, math.max(0, give_up - task.now()))
    if not frame then return nil, err end
    keep(self, frame)
  end
end

return M
