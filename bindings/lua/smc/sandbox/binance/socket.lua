--- What both kinds of WebSocket connection have in common: the handshake, the venue's pings, and a day's life.
local reached = require "smc.sandbox.reached"
local task = require "smc.core.task"
local units = require("smc.sandbox.binance.format").units

local M = {}

local PING_EVERY_MS = 20000
local PONG_WITHIN_MS = 60000
local LIFETIME_MS = 24 * 3600 * 1000

local function beat(session)
  local now = task.wall_ms()
  if now - session.opened >= LIFETIME_MS then
    return session.sock:close(1001, "the connection is 24 hours old")
  end
  if session.unanswered and now - session.unanswered >= PONG_WITHIN_MS then
    return session.sock:close(1008, "Pong timeout")
  end
  session.pings = session.pings + 1
  session.payload = tostring(now)
  session.unanswered = session.unanswered or now
  if session.sock:ping(session.payload) == "withheld" then session.unanswered = nil end -- by a fault: see faults.lua
  session.beat = task.after(PING_EVERY_MS, function() beat(session) end)
end

--- A pong counts only when it echoes the last ping.
local function pong(session, payload)
  if payload ~= session.payload then return end
  session.pongs, session.unanswered = session.pongs + 1, nil
end

--- What a query says of an option, nil when it does not.
function M.option(query, name) return ("&" .. query):match("&" .. name .. "=([^&]*)") end

local function remove(list, value)
  for i, v in ipairs(list) do
    if v == value then return table.remove(list, i) end
  end
end

--- Answers a handshake and keeps the session in `list`.  Returns the status; 101: it is open.  session: { kind =
-- "market" or "api", .. }; it gets path, unit, sock, pings, pongs.  on: message(session, text), closed(session), and
-- maybe control(session), for each ping and pong: false drops it.
function M.accept(sb, ex, session, list, on)
  local unit = M.option(ex.query or "", "timeUnit")
  if unit and not units[unit] then
    ex:reply(400, {}, "")
    return 400
  end
  local allowed, no = sb.limits:connect(session.kind == "api", sb:now())
  if not allowed then
    reached.refused("binance", no)
    ex:reply(no.status, { { "Retry-After", tostring(no.retry_after) } }, "")
    return no.status
  end
  local control = on.control or function() return true end
  local sock = ex:upgrade {
    on_message = function(_, data) on.message(session, data) end,
    on_ping = function() control(session) end,
    on_pong = function(_, payload)
      if control(session) then pong(session, payload) end
    end,
    on_close = function()
      if session.beat then session.beat:cancel() end
      remove(list, session)
      on.closed(session)
    end,
  }
  if not sock then return 400 end -- its handshake was wrong, and has been answered
  session.path, session.unit, session.sock = ex.path, units[unit] or "ms", sock
  session.opened, session.pings, session.pongs = task.wall_ms(), 0, 0
  session.beat = task.after(PING_EVERY_MS, function() beat(session) end)
  list[#list + 1] = session
  return 101
end

return M
