--- Lines of JSON over HTTP that never end, as messages: what an event stream needs of a connection.
local errors = require "smc.venue.oanda.errors"
local http = require "smc.core.http"
local request = require "smc.venue.oanda.request"
local task = require "smc.core.task"

local M = {}

local OPEN_SECONDS = 10 -- for the head of the answer
local SILENT_SECONDS = 10 -- the venue sends a heartbeat every 5
local FIRST_SECONDS = 2 -- of which half is left to chance: new connections are limited to two a second

local Conn = {}
Conn.__index = Conn

--- The next whole line.
function Conn:recv(seconds)
  local give_up = task.now() + seconds
  while not self.closed do
    local line, rest = self.rest:match "^([^\n]*)\n(.*)$"
    if line then
      self.rest = rest
      return { data = line }
    end
    local piece, err = self.reply:recv(math.max(0, give_up - task.now()))
    if not piece then return nil, err or errors.over(self.op) end
    self.rest, self.heard = self.rest .. piece, task.now()
  end
  return nil, errors.closed(self.op)
end

--- Drops the connection, which is all that there is to closing.
function Conn:close()
  self.closed = true
  self.reply:close()
  return true
end

Conn.__close = Conn.close

--- What an answer says that is no stream.
local function refusal(reply, op)
  local body = ""
  repeat
    local piece = reply:recv(OPEN_SECONDS)
    body = body .. (piece or "")
  until not piece
  return request.refused(reply.status, reply.headers, body, op, false)
end

--- Gives a class of event streams its connections.  They need fields url and token.
function M.extend(class, op)
  class.op, class.weights = op, { requests = 1 }
  class.stale_after, class.first_delay, class.at_once = SILENT_SECONDS, FIRST_SECONDS, false

  function class.broken(message) return errors.broken(op, message, 200, false) end

  function class.ping() end -- nobody can be asked

  function class:connect()
    local reply, err = http.stream { url = self.url, headers = { { "Content-Type", "application/json" } },
      bearer = self.token, timeout = OPEN_SECONDS, ca = self.ca }
    if not reply then return nil, errors.unanswered(err, op, false) end
    if reply.status ~= 200 then return nil, refusal(reply, op) end
    return setmetatable({ reply = reply, op = op, rest = "", heard = task.now() }, Conn)
  end
end

return M
