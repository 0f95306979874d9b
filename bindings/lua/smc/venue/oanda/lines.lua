--- A stream of lines of JSON over HTTP that never ends: it is opened again when it breaks, or has been silent for as
-- long as two heartbeats take.
local errors = require "smc.venue.oanda.errors"
local http = require "smc.core.http"
local json = require "smc.json"
local request = require "smc.venue.oanda.request"
local task = require "smc.core.task"

local M = {}
local Lines = {}
Lines.__index = Lines

local OPEN_SECONDS = 10 -- for the head of the answer
local SILENT_SECONDS = 10 -- the venue sends a heartbeat every 5
local FIRST_WAIT, MOST_WAIT, JITTER = 1, 30, 0.2 -- seconds before it is opened again; the next wait is twice as long

--- A class of streams.  Hooks: take(self, line) -> true or nil, err: puts events into self.queue, of unknown lines
-- none; opened(self) -> true or nil, err: the connection is a new one; caught_up is set when it has put events there.
function M.class(name)
  local class = setmetatable({ __name = name, __close = Lines.__close }, Lines)
  class.__index = class
  return class
end

--- What an answer says that is no stream.
local function refusal(conn, op)
  local body = ""
  repeat
    local piece = conn:recv(OPEN_SECONDS)
    body = body .. (piece or "")
  until not piece
  return request.refused(conn.status, conn.headers, body, op, false)
end

local function connect(self)
  local conn, err = http.stream { url = self.url, headers = { { "Content-Type", "application/json" } },
    bearer = self.token, timeout = OPEN_SECONDS }
  if not conn then return nil, errors.unanswered(err, self.op, false) end
  if conn.status ~= 200 then return nil, refusal(conn, self.op) end
  self.conn, self.rest, self.heard = conn, "", task.now()
  local ok
  ok, err = self:opened()
  if ok then return true end
  conn:close()
  self.conn = nil
  return nil, err
end

--- fields: op, url, token, random (jitter), and whatever the class needs.  Returns the stream, or nil and an error.
function M.open(class, fields)
  fields.queue, fields.failures, fields.reconnects = {}, 0, 0
  local self = setmetatable(fields, class)
  local ok, err = connect(self)
  if ok then return self end
  return nil, err
end

--- The connection is gone: says when to open the next one.
local function lost(self)
  if self.conn then self.conn:close() end
  self.conn = nil
  local wait = math.min(MOST_WAIT, FIRST_WAIT * 2 ^ self.failures)
  self.failures = self.failures + 1
  self.retry_at = task.now() + wait * (1 + JITTER * self.random:float())
end

--- Opens it again when its time has come.  Returns nil and an error when that makes no sense, or the wait is over.
local function reopen(self, give_up)
  while not self.conn do
    task.sleep(math.max(0, math.min(give_up, self.retry_at) - task.now()))
    if task.now() < self.retry_at then return nil, errors.silent(self.op) end
    local ok, err = connect(self)
    if ok then
      self.reconnects = self.reconnects + 1
    elseif not err.retryable then
      return nil, err
    else
      lost(self)
    end
  end
  return true
end

--- More bytes, within the wait.  A silent connection is dropped.
local function more(self, give_up)
  local dead_at = self.heard + SILENT_SECONDS
  local piece, err = self.conn:recv(math.max(0, math.min(give_up, dead_at) - task.now()))
  if piece then
    self.rest, self.heard, self.failures = self.rest .. piece, task.now(), 0
  elseif not err or err.class ~= "timeout" or task.now() >= dead_at then
    lost(self)
  elseif task.now() >= give_up then
    return nil, errors.silent(self.op)
  end
  return true
end

--- The next whole line, decoded.
local function next_line(self, give_up)
  while true do
    if self.closed then return nil, errors.closed(self.op) end
    local ok, err = reopen(self, give_up)
    if not ok then return nil, err end
    local line, rest = self.rest:match "^([^\n]*)\n(.*)$"
    if line then
      self.rest = rest
      local value = json.decode(line)
      if type(value) ~= "table" then return nil, errors.broken(self.op, "a line that is not JSON", 200, false) end
      return value
    end
    if self.caught_up then -- the new connection has brought something
      self.caught_up = false
      return {}
    end
    ok, err = more(self, give_up)
    if not ok then return nil, err end
  end
end

--- Takes in one line.
local function step(self, give_up)
  local line, err = next_line(self, give_up)
  if not line then return nil, err end
  return self:take(line)
end

--- The next event, in order of arrival.  nil, err after `timeout` seconds (default 30), or when the venue refuses to
-- open the stream again.
function Lines:recv(timeout)
  local give_up = task.now() + (timeout or 30)
  while #self.queue == 0 do
    local ok, err = step(self, give_up)
    if not ok then return nil, err end
  end
  return table.remove(self.queue, 1)
end

--- Takes in whatever has arrived, without waiting for more.
function Lines:drain()
  while true do
    local ok, err = step(self, task.now())
    if not ok then
      if err.class == "timeout" then return true end
      return nil, err
    end
  end
end

--- Takes in lines until done() is true; what they bring is kept.
function Lines:await(done)
  local give_up = task.now() + OPEN_SECONDS
  while not done() do
    local ok, err = step(self, give_up)
    if not ok then return nil, err end
  end
  return true
end

--- Drops the connection, which is all that there is to closing.  Closing twice is fine.
function Lines:close()
  self.closed = true
  if self.conn then self.conn:close() end
  self.conn = nil
  return true
end

Lines.__close = Lines.close

return M
