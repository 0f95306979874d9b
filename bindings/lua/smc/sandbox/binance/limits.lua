--- Binance's counters: request weight per address, unfilled orders per account, raw requests and connections.
-- All are fixed windows aligned to the venue's wall clock, not sliding ones.
local json = require "smc.json"
local refusal = require "smc.sandbox.binance.refusal"
local windows = require "smc.core.windows"

local M = {}
local Limits = {}
Limits.__index = Limits

local SECONDS = { SECOND = 1, MINUTE = 60, HOUR = 3600, DAY = 86400 }
local LETTER = { SECOND = "S", MINUTE = "M", HOUR = "H", DAY = "D" }
-- What a window's count is called in answers; behind it comes the interval.
local HEADERS = { REQUEST_WEIGHT = "X-MBX-USED-WEIGHT", ORDERS = "X-MBX-ORDER-COUNT" }
local CONNECT_WEIGHT = 2

--- What a limit is.  counter: of all windows of an account (default: one of its own).
local function window(kind, interval, num, limit, counter)
  local header = HEADERS[kind] and ("%s-%d%s"):format(HEADERS[kind], num, LETTER[interval])
  local ms = SECONDS[interval] * num * 1000
  return { kind = kind, interval = interval, num = num, limit = limit, ms = ms, total = 0, header = header,
    counter = counter or windows.new { ms } }
end

--- Seconds as Binance writes them: 60 -> MINUTE, 1.
local function interval_of(seconds)
  for _, name in ipairs { "DAY", "HOUR", "MINUTE" } do
    if seconds % SECONDS[name] == 0 then return name, seconds // SECONDS[name] end
  end
  return "SECOND", seconds
end

local function remaining_s(w, now_ms)
  return math.max(1, (w.ms - now_ms % w.ms + 999) // 1000)
end

function M.new(assume, now_ms)
  return setmetatable({
    assume = assume,
    opened = now_ms,
    weight = window("REQUEST_WEIGHT", "MINUTE", 1, 6000),
    raw = window("RAW_REQUESTS", "MINUTE", 5, 300000),
    connections = window("CONNECTIONS", "MINUTE", 5, 300),
    order_limits = { { "SECOND", 10, 50 }, { "DAY", 1, 160000 } },
    orders = {},      -- by account: its windows
    banned_until = 0, -- wall ms
    used_until = 0,   -- wall ms: a fault has it that the weight is used up
    shut_until = 0,   -- the later of both
    bans = 0,
    over = 0,         -- requests in a row while used up
    violations = 0,
  }, Limits)
end

--- A new limit.  kind: request_weight, raw_requests or orders.
function Limits:change(kind, n, seconds)
  local interval, num = interval_of(seconds)
  if kind == "request_weight" then
    self.weight = window("REQUEST_WEIGHT", interval, num, n)
  elseif kind == "raw_requests" then
    self.raw = window("RAW_REQUESTS", interval, num, n)
  else
    self.order_limits, self.orders = { { interval, num, n } }, {}
  end
end

--- The windows of an account: a list, with the one counter of all.
local function order_windows(self, account)
  local of = self.orders[account]
  if of then return of end
  local lengths, most = {}, {}
  for i, l in ipairs(self.order_limits) do lengths[i], most[i] = SECONDS[l[1]] * l[2] * 1000, l[3] end
  of = { counter = windows.new(lengths), limits = most }
  for i, l in ipairs(self.order_limits) do of[i] = window("ORDERS", l[1], l[2], l[3], of.counter) end
  self.orders[account] = of
  return of
end

--- Each ban is longer than the one before, unless it is given how long.
function Limits:ban(ms, now_ms)
  ms = ms or math.tointeger(math.min(self.assume.ban_first * 2 ^ self.bans, self.assume.ban_longest) * 1000)
  self.bans, self.over = self.bans + 1, 0
  self.banned_until = now_ms + ms
  self.shut_until = math.max(self.banned_until, self.used_until)
end

--- The weight counts as used up for so long (nil: to the end of its window).
function Limits:use_up(ms, now_ms)
  self.used_until = now_ms + (ms or self.weight.ms - now_ms % self.weight.ms)
  self.shut_until = math.max(self.banned_until, self.used_until)
end

--- Neither a ban nor what was used up holds any longer; how many bans there were is not forgotten.
function Limits:forgive()
  self.banned_until, self.used_until, self.shut_until, self.over = 0, 0, 0, 0
end

local function banned(self, now_ms)
  local no = refusal.banned(self.banned_until)
  no.retry_after = (self.banned_until - now_ms + 999) // 1000
  no.retry_at = self.banned_until
  return no
end

local function too_many(self, w, now_ms, refuse)
  self.violations = self.violations + 1
  local no = refuse(w.limit, w.num, w.interval)
  no.retry_after = remaining_s(w, now_ms)
  no.retry_at = now_ms + no.retry_after * 1000
  return no
end

--- Counts n more; returns how many there are now.
local function add(w, n, now_ms)
  w.total = w.total + n
  return w.counter:add(n, now_ms)
end

--- The answer to a request beyond the limit, or a ban for who goes on with those.
local function beyond(self, w, now_ms)
  self.over = self.over + 1
  if self.over <= self.assume.ban_after then return too_many(self, w, now_ms, refusal.weight_used) end
  self:ban(nil, now_ms)
  self.violations = self.violations + 1
  return banned(self, now_ms)
end

--- The answer while it is shut.
local function shut(self, now_ms)
  if now_ms < self.banned_until then
    self.violations = self.violations + 1
    return banned(self, now_ms)
  end
  local no = beyond(self, self.weight, now_ms)
  if no.status == 418 then return no end
  no.retry_after = (self.used_until - now_ms + 999) // 1000
  no.retry_at = self.used_until
  return no
end

--- Counts one request before it is handled.  weight: its cost; free: it costs nothing should it succeed.
function Limits:admit(weight, free, now_ms)
  if now_ms < self.shut_until then return nil, shut(self, now_ms) end
  local raw, w = self.raw, self.weight
  if add(raw, 1, now_ms) > raw.limit then return nil, too_many(self, raw, now_ms, refusal.requests_used) end
  if w.counter:counts(now_ms) + weight <= w.limit then
    if not free then add(w, weight, now_ms) end
    self.over = 0
    return true
  end
  w.counter:add(weight, now_ms)
  return nil, beyond(self, w, now_ms)
end

--- A request that is free only when it succeeds has failed.
function Limits:charge(weight, now_ms) add(self.weight, weight, now_ms) end

--- A WebSocket handshake.  Returns nil and a refusal when there were too many.
function Limits:connect(api, now_ms)
  if now_ms < self.banned_until then return nil, banned(self, now_ms) end
  local c = self.connections
  if add(c, 1, now_ms) > c.limit and self.assume.limit_connections then
    return nil, too_many(self, c, now_ms, refusal.connections_used)
  end
  if api then return self:admit(CONNECT_WEIGHT, false, now_ms) end
  return true
end

--- Whether the account may place so many more orders (default: one).
function Limits:may_order(account, now_ms, more)
  local of = order_windows(self, account)
  local full = of.counter:full(more or 1, of.limits, now_ms) -- the day first: past it the short window is left alone
  if full then return nil, too_many(self, of[full], now_ms, refusal.orders_used) end
  return true
end

--- An order was placed (by = 1) or had its first fill (by < 0).
function Limits:count_order(account, by, now_ms) order_windows(self, account).counter:add(by, now_ms) end

local function describe(w, count)
  return json.object("rateLimitType", w.kind, "interval", w.interval, "intervalNum", w.num, "limit", w.limit,
    "count", count)
end

--- exchangeInfo's rateLimits; the WebSocket API lists connections where REST lists raw requests.
function Limits:describe(ws)
  local out = { describe(self.weight) }
  for _, l in ipairs(self.order_limits) do out[#out + 1] = describe(window("ORDERS", l[1], l[2], l[3])) end
  out[#out + 1] = describe(ws and self.connections or self.raw)
  return json.array(out)
end

local function counted_orders(self, account, now_ms)
  local of = order_windows(self, account)
  local out = { of.counter:counts(now_ms) }
  for i, w in ipairs(of) do out[i] = describe(w, out[i]) end
  return out
end

function Limits:describe_orders(account, now_ms) return json.array(counted_orders(self, account, now_ms)) end

--- The rateLimits of a WebSocket API answer.
function Limits:describe_used(account, now_ms)
  local out = account and counted_orders(self, account, now_ms) or {}
  out[#out + 1] = describe(self.weight, (self.weight.counter:counts(now_ms)))
  return json.array(out)
end

--- A list of headers whose first four are somebody else's.
local function new_head(weight, of)
  local head = { false, false, false, false, { HEADERS.REQUEST_WEIGHT, 0 }, { weight.header, 0 }, weight = weight }
  for i, w in ipairs(of or {}) do head[6 + i] = { w.header, 0 } end
  return head
end

--- The headers of an answer from the fifth on: the used weight, and the order counts when account is given.  Always the
-- same list: whoever keeps it makes a copy.
function Limits:head(account, now_ms)
  local weight, of = self.weight, account and order_windows(self, account) or self
  local head = of.headers
  if not head or head.weight ~= weight then
    head = new_head(weight, account and of)
    of.headers = head
  end
  local used = weight.counter:counts(now_ms)
  head[5][2], head[6][2] = used, used
  if account then of.counter:put(head, 7, now_ms) end
  return head
end

--- The running windows by name, orders being those of one account.
local function each(self, account, now_ms)
  local out = {}
  local function add_one(name, w, used)
    out[name] = { used = used, limit = w.limit, per = w.ms // 1000 }
  end
  add_one("request_weight", self.weight, (self.weight.counter:counts(now_ms)))
  add_one("raw_requests", self.raw, (self.raw.counter:counts(now_ms)))
  local of = order_windows(self, account)
  local counts = { of.counter:counts(now_ms) }
  for i, w in ipairs(of) do add_one(("orders_%d%s"):format(w.num, LETTER[w.interval]:lower()), w, counts[i]) end
  return out
end

--- For scenarios: weight used and allowed since the start, refusals, the running window, the ban's end in wall ms; and
-- all running windows.
function Limits:report(now_ms, account)
  local w = self.weight
  local n = now_ms // w.ms - self.opened // w.ms + 1
  return { used = w.total, allowed = n * w.limit, violations = self.violations,
    window = w.counter:counts(now_ms), limit = w.limit, per = w.ms // 1000,
    banned_until = self.banned_until > now_ms and self.banned_until or nil, each = each(self, account, now_ms) }
end

return M
