--- Binance's counters: request weight per address, unfilled orders per account, raw requests and connections.
-- All are fixed windows aligned to the venue's wall clock, not sliding ones.
local json = require "smc.json"
local refusal = require "smc.sandbox.binance.refusal"

local M = {}
local Limits = {}
Limits.__index = Limits

local SECONDS = { SECOND = 1, MINUTE = 60, HOUR = 3600, DAY = 86400 }
local LETTER = { SECOND = "S", MINUTE = "M", HOUR = "H", DAY = "D" }
-- What a window's count is called in answers; behind it comes the interval.
local HEADERS = { REQUEST_WEIGHT = "X-MBX-USED-WEIGHT", ORDERS = "X-MBX-ORDER-COUNT" }
local CONNECT_WEIGHT = 2

local function window(kind, interval, num, limit)
  local header = HEADERS[kind] and ("%s-%d%s"):format(HEADERS[kind], num, LETTER[interval])
  return { kind = kind, interval = interval, num = num, limit = limit, ms = SECONDS[interval] * num * 1000,
    index = -1, count = 0, total = 0, header = header }
end

--- Seconds as Binance writes them: 60 -> MINUTE, 1.
local function interval_of(seconds)
  for _, name in ipairs { "DAY", "HOUR", "MINUTE" } do
    if seconds % SECONDS[name] == 0 then return name, seconds // SECONDS[name] end
  end
  return "SECOND", seconds
end

local function roll(w, now_ms)
  local index = now_ms // w.ms
  if index ~= w.index then w.index, w.count = index, 0 end
  return w
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

local function order_windows(self, account)
  local windows = self.orders[account]
  if not windows then
    windows = {}
    for i, l in ipairs(self.order_limits) do windows[i] = window("ORDERS", l[1], l[2], l[3]) end
    self.orders[account] = windows
  end
  return windows
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

local function add(w, n)
  w.count, w.total = w.count + n, w.total + n
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
  add(roll(self.raw, now_ms), 1)
  if self.raw.count > self.raw.limit then return nil, too_many(self, self.raw, now_ms, refusal.requests_used) end
  local w = roll(self.weight, now_ms)
  if w.count + weight <= w.limit then
    if not free then add(w, weight) end
    self.over = 0
    return true
  end
  w.count = w.count + weight
  return nil, beyond(self, w, now_ms)
end

--- A request that is free only when it succeeds has failed.
function Limits:charge(weight, now_ms)
  add(roll(self.weight, now_ms), weight)
end

--- A WebSocket handshake.  Returns nil and a refusal when there were too many.
function Limits:connect(api, now_ms)
  if now_ms < self.banned_until then return nil, banned(self, now_ms) end
  local c = roll(self.connections, now_ms)
  add(c, 1)
  if self.assume.limit_connections and c.count > c.limit then
    return nil, too_many(self, c, now_ms, refusal.connections_used)
  end
  if api then return self:admit(CONNECT_WEIGHT, false, now_ms) end
  return true
end

--- Whether the account may place so many more orders (default: one).
function Limits:may_order(account, now_ms, more)
  local windows = order_windows(self, account)
  for i = #windows, 1, -1 do -- the day first: past it the short window is left alone
    local w = roll(windows[i], now_ms)
    if w.count + (more or 1) > w.limit then return nil, too_many(self, w, now_ms, refusal.orders_used) end
  end
  return true
end

--- An order was placed (by = 1) or had its first fill (by < 0).
function Limits:count_order(account, by, now_ms)
  local windows = order_windows(self, account)
  for i = 1, #windows do
    local w = roll(windows[i], now_ms)
    local n = w.count + by
    w.count = n > 0 and n or 0
  end
end

local function describe(w, with_count)
  return json.object("rateLimitType", w.kind, "interval", w.interval, "intervalNum", w.num, "limit", w.limit,
    "count", with_count and w.count or nil)
end

--- exchangeInfo's rateLimits; the WebSocket API lists connections where REST lists raw requests.
function Limits:describe(ws)
  local out = { describe(self.weight) }
  for _, l in ipairs(self.order_limits) do out[#out + 1] = describe(window("ORDERS", l[1], l[2], l[3])) end
  out[#out + 1] = describe(ws and self.connections or self.raw)
  return json.array(out)
end

function Limits:describe_orders(account, now_ms)
  local out = {}
  for i, w in ipairs(order_windows(self, account)) do out[i] = describe(roll(w, now_ms), true) end
  return json.array(out)
end

--- The rateLimits of a WebSocket API answer.
function Limits:describe_used(account, now_ms)
  local out = {}
  if account then
    for i, w in ipairs(order_windows(self, account)) do out[i] = describe(roll(w, now_ms), true) end
  end
  out[#out + 1] = describe(roll(self.weight, now_ms), true)
  return json.array(out)
end

--- Appends the used-weight headers, and the order counts when account is given.
function Limits:headers(out, account, now_ms)
  local w, n = roll(self.weight, now_ms), #out
  local used = tostring(w.count)
  out[n + 1], out[n + 2] = { HEADERS.REQUEST_WEIGHT, used }, { w.header, used }
  if not account then return end
  local windows = order_windows(self, account)
  for i = 1, #windows do
    local o = roll(windows[i], now_ms)
    out[n + 2 + i] = { o.header, tostring(o.count) }
  end
end

--- The running windows by name, orders being those of one account.
local function each(self, account, now_ms)
  local out = {}
  local function add_one(name, w)
    out[name] = { used = roll(w, now_ms).count, limit = w.limit, per = w.ms // 1000 }
  end
  add_one("request_weight", self.weight)
  add_one("raw_requests", self.raw)
  for _, w in ipairs(order_windows(self, account)) do
    add_one(("orders_%d%s"):format(w.num, LETTER[w.interval]:lower()), w)
  end
  return out
end

--- For scenarios: weight used and allowed since the start, refusals, the running window, the ban's end in wall ms; and
-- all running windows.
function Limits:report(now_ms, account)
  local w = roll(self.weight, now_ms)
  local windows = now_ms // w.ms - self.opened // w.ms + 1
  return { used = w.total, allowed = windows * w.limit, violations = self.violations, window = w.count, limit = w.limit,
    per = w.ms // 1000, banned_until = self.banned_until > now_ms and self.banned_until or nil,
    each = each(self, account, now_ms) }
end

return M
