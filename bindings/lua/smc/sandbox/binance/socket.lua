--- What both kinds of WebSocket connection have in common: the venue's pings, and a day's life.
local task = require "smc.core.task"

local M = {}

local PING_EVERY_MS = 20000
local PONG_WITHIN_MS = 60000
local LIFETIME_MS = 24 * 3600 * 1000

local function beat(session)
  local now = task.wall_ms()
  if now - session.opened >= LIFETIME_MS then
    session.sock:close(1001, "the connection is 24 hours old")
    return
  end
  if session.unanswered and now - session.unanswered >= PONG_WITHIN_MS then
    session.sock:close(1008, "Pong timeout")
    return
  end
  session.pings = session.pings + 1
  session.payload = tostring(now)
  session.unanswered = session.unanswered or now
  session.sock:ping(session.payload)
  session.beat = task.after(PING_EVERY_MS, function() beat(session) end)
end

--- Starts the pings of a session { sock }.
function M.start(session)
  session.opened, session.pings, session.pongs = task.wall_ms(), 0, 0
  session.beat = task.after(PING_EVERY_MS, function() beat(session) end)
end

--- A pong counts only when it echoes the last ping.
function M.pong(session, payload)
  if payload ~= session.payload then return end
  session.pongs, session.unanswered = session.pongs + 1, nil
end

function M.stop(session)
  if session.beat then session.beat:cancel() end
  session.beat = nil
end

return M
