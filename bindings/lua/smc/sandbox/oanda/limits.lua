--- OANDA's counters of an address: requests, and new connections, over any second.
local assumptions = require "smc.sandbox.oanda.assumptions"
local reached = require "smc.sandbox.reached"
local rolling = require "smc.sandbox.rolling"

local M = {}
local Limits = {}
Limits.__index = Limits

local SECOND_MS = 1000

--- For the catalogue: what is counted, how much of it may be, and what happens then.
M.list = {
  { name = "requests", "requests of an address", ("%d in any second"):format(assumptions.requests_per_second),
    "HTTP 429" },
  { name = "streams", "open streams of an address", tostring(assumptions.streams), "HTTP 429" },
  { name = "connections", "new connections of an address", "any number, unless connections_per_second is assumed",
    "reset" },
}

--- Takes down that a limit turned somebody away.  Returns passed.
function M.counted(name, passed)
  if not passed then reached.mark("oanda", "limits", name) end
  return passed
end

function M.new(assume, now_ms)
  return setmetatable({ opened = now_ms, requests = rolling.new(SECOND_MS, assume.requests_per_second), used = 0,
    connections = assume.connections_per_second and rolling.new(SECOND_MS, assume.connections_per_second) or nil,
    latest = 0, violations = 0, banned_until = 0, used_until = 0, shut_until = 0, ban_ms = assume.ban_seconds * 1000 },
    Limits)
end

--- A new limit: n requests over so many seconds.
function Limits:change(n, seconds) self.requests = rolling.new(seconds * 1000, n) end

--- The venue's edge shuts the address out for so long (nil: as is assumed).
function Limits:ban(ms, now_ms)
  self.banned_until = now_ms + (ms or self.ban_ms)
  self.shut_until = math.max(self.banned_until, self.used_until)
end

--- Requests count as used up for so long (nil: the second that they last).
function Limits:use_up(ms, now_ms)
  self.used_until = now_ms + (ms or self.requests.ms)
  self.shut_until = math.max(self.banned_until, self.used_until)
end

function Limits:banned(now_ms) return now_ms < self.banned_until end

function Limits:forgive() self.banned_until, self.used_until, self.shut_until = 0, 0, 0 end

--- Counts one request.  false: one too many.
function Limits:admit(now_ms)
  if now_ms < self.shut_until then
    self.violations = self.violations + 1
    return false
  end
  if M.counted("requests", rolling.take(self.requests, now_ms)) then
    self.used = self.used + 1
    return true
  end
  self.violations = self.violations + 1
  return false
end

--- Counts a connection at its first request; connections are numbered as they come.  false: one too many.
function Limits:connect(connection, now_ms)
  if not self.connections or connection <= self.latest then return true end
  self.latest = connection
  return M.counted("connections", rolling.take(self.connections, now_ms))
end

--- For scenarios: requests since the start and allowed since, refusals, the running window.
function Limits:report(now_ms)
  local w = self.requests
  return { used = self.used, allowed = ((now_ms - self.opened) // w.ms + 1) * w.limit, violations = self.violations,
    window = rolling.roll(w, now_ms), limit = w.limit, per = w.ms // 1000,
    banned_until = self.banned_until > now_ms and self.banned_until or nil,
    each = { requests = { used = rolling.roll(w, now_ms), limit = w.limit, per = w.ms // 1000 } } }
end

return M
