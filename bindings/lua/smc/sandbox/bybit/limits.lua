--- Bybit's counters: requests of an address over five seconds, requests of an account to an endpoint over one second,
-- handshakes over five minutes.  All windows roll.
local assumptions = require "smc.sandbox.bybit.assumptions"
local reached = require "smc.sandbox.reached"
local rolling = require "smc.sandbox.rolling"

local M = {}
local Limits = {}
Limits.__index = Limits

local SECOND_MS, IP_MS, CONNECTIONS_MS = 1000, 5000, 300000

--- For the catalogue: what is counted, how much of it may be, and what is answered then.
M.list = {
  { name = "requests", "requests of an address", ("%d in %d s"):format(assumptions.ip_limit, IP_MS // 1000),
    ("HTTP 403 for %d s"):format(assumptions.ban_seconds) },
  { name = "connections", "WebSocket handshakes of an address", ("%d in %d s"):format(assumptions.connection_limit,
    CONNECTIONS_MS // 1000), "HTTP 403" },
  { name = "endpoint", "requests of an account to an endpoint", "as listed, each second", "retCode 10006" },
}

--- Takes down that a limit turned somebody away.  Returns passed.
local function counted(name, passed)
  if not passed then reached.mark("bybit", "limits", name) end
  return passed
end

function M.new(assume, now_ms)
  return setmetatable({ assume = assume, opened = now_ms, requests = rolling.new(IP_MS, assume.ip_limit),
    connections = rolling.new(CONNECTIONS_MS, assume.connection_limit), users = {}, changed = {}, banned_until = 0,
    used_until = 0, used = 0, violations = 0 }, Limits)
end

--- A new limit of the address: n requests over so many seconds.
function Limits:change(n, seconds)
  self.requests = rolling.new(seconds * 1000, n)
end

--- A new limit of an endpoint: n requests of an account a second.
function Limits:change_endpoint(path, n)
  self.changed[path], self.users = n, {}
end

--- The address is shut out for so long (nil: as long as the venue says).
function Limits:ban(ms, now_ms) self.banned_until = now_ms + (ms or self.assume.ban_seconds * 1000) end

--- The account's limits count as used up for so long (nil: the second that they last).
function Limits:use_up(ms, now_ms) self.used_until = now_ms + (ms or SECOND_MS) end

--- Whether they do.
function Limits:used_up(now_ms) return now_ms < self.used_until end

function Limits:forgive() self.banned_until, self.used_until = 0, 0 end

--- Counts one request of the address.  false: it is shut out.
function Limits:admit(now_ms)
  if now_ms >= self.banned_until and counted("requests", rolling.take(self.requests, now_ms)) then
    self.used = self.used + 1
    return true
  end
  if now_ms >= self.banned_until then self:ban(nil, now_ms) end
  self.violations = self.violations + 1
  return false
end

--- A handshake.  false: too many, or the address is shut out.
function Limits:connect(now_ms)
  if now_ms < self.banned_until then return false end
  return not self.assume.limit_connections or counted("connections", rolling.take(self.connections, now_ms))
end

--- Counts one request of an account to an endpoint; group: what else tells windows apart.  Returns whether it may pass,
-- and what the headers say: { limit, left, reset }.
function Limits:admit_user(account, path, group, limit, now_ms)
  limit = self.changed[path] or limit
  local id = account .. " " .. path .. " " .. group
  local w = self.users[id] or rolling.new(SECOND_MS, limit)
  self.users[id] = w
  if now_ms < self.used_until then
    self.violations = self.violations + 1
    return false, { limit = limit, left = 0, reset = self.used_until }
  end
  local passed = counted("endpoint", rolling.take(w, now_ms))
  if not passed then self.violations = self.violations + 1 end
  return passed, { limit = limit, left = limit - rolling.roll(w, now_ms),
    reset = passed and now_ms or (w[w.first] or now_ms) + SECOND_MS }
end

--- The windows by name, those of endpoints being of one account.
local function each(self, account, now_ms)
  local w, prefix = self.requests, account .. " /v5/"
  local out = { requests = { used = rolling.roll(w, now_ms), limit = w.limit, per = w.ms // 1000 } }
  for id, of_one in pairs(self.users) do
    if id:sub(1, #prefix) == prefix then
      out[(id:sub(#prefix + 1):gsub(" $", ""))] = { used = rolling.roll(of_one, now_ms), limit = of_one.limit, per = 1 }
    end
  end
  return out
end

--- For scenarios: requests of the address since the start and allowed since, refusals, the running window; and all
-- windows that were used.
function Limits:report(now_ms, account)
  local w = self.requests
  local windows = (now_ms - self.opened) // w.ms + 1
  return { used = self.used, allowed = windows * w.limit, violations = self.violations,
    window = rolling.roll(w, now_ms), limit = w.limit, per = w.ms // 1000,
    banned_until = self.banned_until > now_ms and self.banned_until or nil, each = each(self, account, now_ms) }
end

return M
