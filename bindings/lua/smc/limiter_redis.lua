--- A limiter whose budgets are in Redis, for all who give the same prefix: who is before whom is decided here,
-- what may be spent there.  One task of the world asks, for the first of the queue and for nobody else.
local core = require "smc.core.redis"
local gates = require "smc.core.gate"
local limiters = require "smc.core.limiter"
local task = require "smc.core.task"
local errors = require "smc.error"
local world = require "smc.world"

local M = {}
local Remote = { remote = true }
Remote.__index = Remote

local FIRST_RETRY, LAST_RETRY = 0.1, 5 -- seconds
local LEAST_FALLBACK = 0.2             -- so long it serves before Redis is asked again
local EXACT = 2 ^ 53

local function now_ms() return math.floor(task.now() * 1000) end
local function word(n) return ("%d"):format(n) end

-- ---- what is said to Redis ---------------------------------------------------------------------

local function words_of(self, what, ...)
  local words = table.move(self.head, 1, #self.head, 1, {})
  words[1] = what
  for _, n in ipairs { ... } do words[#words + 1] = word(n) end
  return words
end

--- Seen from the last answer; each alert once, and anew when less than half is used.
local function note_used(self, answer)
  for i, conf in ipairs(self.list) do
    local used = answer[3 + i]
    local pct = used * 100 // conf.limit
    local told = pct < 50 and 0 or self.told[i]
    local level = pct >= 95 and 2 or pct >= 80 and 1 or 0
    if level > told then self.fresh[i] = math.max(self.fresh[i] or 0, level) end
    self.counts[i], self.told[i] = used, math.max(told, level)
  end
end

local function tell(self, what, ...)
  if not self.away then self.conn:tell(self.key, words_of(self, what, ...), self.patience) end
end

local function ones(self, i, weight)
  local weights = {}
  for k = 1, #self.list do weights[k] = k == i and weight or 0 end
  return table.unpack(weights)
end

--- Redis is back: it is told what happened meanwhile.
local function come_back(self)
  self.away, self.retry_in = nil, FIRST_RETRY
  for i, ahead in pairs(self.ahead) do tell(self, "follow", i, now_ms() + ahead) end
  if not self.fallback or not self.fell_back then return end
  local spent = {}
  for i = 1, #self.list do spent[i] = math.min(self.fallback:used(i), self.list[i].limit) end
  tell(self, "charge", table.unpack(spent))
  self.fell_back = false
end

-- No patience helps: it is there, and says no.
local FINAL = { invalid_request = true, auth = true }

--- Pays, or says how long to wait: true; false, seconds; nil, err when Redis is away or refuses.
local function spend(self, weights)
  if self.away and task.now() < self.retry_at then return nil, self.away end
  local was_away = self.away
  local what = was_away and "look" or "spend" -- first it has to know what was spent meanwhile
  local answer, err = self.conn:run(self.key, words_of(self, what, table.unpack(weights)), self.patience)
  if answer and was_away then
    come_back(self)
    answer, err = self.conn:run(self.key, words_of(self, "spend", table.unpack(weights)), self.patience)
  end
  if answer then
    note_used(self, answer)
    if answer[1] == 1 then return true end
    return false, math.max(answer[2], 1) / 1000
  end
  if not FINAL[err.class] then
    self.away_since = self.away_since or task.now()
    self.away, self.retry_at = err, task.now() + self.retry_in
    self.retry_in = math.min(2 * self.retry_in, LAST_RETRY)
  end
  return nil, err
end

-- ---- the queue -----------------------------------------------------------------------------------

--- Whoever is first may fit sooner than Redis has said, or is saying right now.
local function ask_again(self)
  self.changes = self.changes + 1
  self.gate:open()
end

local function first(self, lowest)
  for p = 0, lowest do
    if self.queues[p][1] then return self.queues[p][1] end
  end
end

local function leave(self, t)
  for i, other in ipairs(self.queues[t.priority]) do
    if other == t then
      table.remove(self.queues[t.priority], i)
      if i == 1 then self.gate:open() end
      return
    end
  end
end

local function finish(self, t, ok, err)
  t.done, t.ok, t.err = true, ok, err
  leave(self, t)
  t.gate:open()
end

local function give_back(self, weights)
  for i, weight in ipairs(weights) do
    if weight > 0 then tell(self, "refund", 0, ones(self, i, weight)) end
  end
end

--- Redis is away: a stated fraction of each limit, or an error once that has lasted too long.
local function without(self, t, err)
  if FINAL[err.class] then return finish(self, t, nil, err) end
  if self.fallback then
    local ok, local_err = self.fallback:acquire(t.weights, t.priority, LEAST_FALLBACK)
    self.fell_back = self.fell_back or ok or false
    if ok and not t.gone then return finish(self, t, true) end
    if not ok and local_err.class ~= "timeout" then finish(self, t, nil, err) end
    return
  end
  local left = self.away_since + self.patience - task.now()
  if left <= 0 then return finish(self, t, nil, err) end
  self.gate:wait(math.max(0.001, math.min(left, self.retry_at - task.now())))
end

local function serve(self, t)
  local held = self.held - now_ms()
  if held > 0 then
    self.gate:wait(held / 1000)
    return
  end
  local changes = self.changes
  local paid, more = spend(self, t.weights)
  if paid and t.gone then return give_back(self, t.weights) end
  if paid ~= nil then self.away_since = nil end
  if paid then return finish(self, t, true) end
  if t.gone then return end
  if paid == false then
    if first(self, 3) == t and self.changes == changes then self.gate:wait(more) end
    return
  end
  without(self, t, more)
end

local function pump(self)
  while true do
    local t = first(self, 3)
    if t then serve(self, t) else self.gate:wait() end
  end
end

local function never(self, weights)
  for i, weight in ipairs(weights) do
    if weight > self.list[i].limit then
      return errors.new { class = "invalid_request", code = "invalid_argument", op = "limiter", retryable = false,
        message = "a weight is above what its budget ever holds" }
    end
  end
end

-- ---- what a limiter does: as smc.core.limiter ------------------------------------------------------

function Remote:acquire(weights, priority, timeout)
  local no = never(self, weights)
  if no then return nil, no end
  if not self.pumping then
    self.pumping = true
    task.as_world(task.spawn, function() pump(self) end)
  end
  local t = { weights = weights, priority = priority, gate = gates.new() }
  table.insert(self.queues[priority], t)
  if first(self, 3) == t then self.gate:open() end
  local _ <close> = setmetatable({}, { __close = function()
    if t.done then return end
    t.gone = true
    leave(self, t)
  end })
  local _, late = t.gate:wait(timeout)
  if t.done then return t.ok, t.err end
  return nil, late
end

function Remote:try(weights, priority)
  local no = never(self, weights)
  if no then return nil, no end
  if first(self, priority) or self.held > now_ms() then return false end
  local paid, err = spend(self, weights)
  if paid ~= nil then return paid end
  if FINAL[err.class] or not self.fallback then return nil, err end
  paid, err = self.fallback:try(weights, priority)
  self.fell_back = self.fell_back or paid or false
  return paid, err
end

function Remote:waiting()
  local n = 0
  for p = 0, 3 do n = n + #self.queues[p] end
  return n
end

function Remote:refund(i, weight, ms)
  tell(self, "refund", math.max(0, now_ms() - ms), ones(self, i, weight))
  ask_again(self)
end

--- Until Redis has heard of the hold, or it is over: the others would go on, and who is held does not ask.
local function announce(self)
  local told = 0
  while told < self.held and self.held > now_ms() do
    local ends = self.held
    local answer = self.conn:run(self.key, words_of(self, "hold", ends - now_ms()), self.patience)
    if answer then told = ends else task.sleep(FIRST_RETRY) end
  end
  self.announcing = false
end

function Remote:hold(seconds)
  self.held = math.max(self.held, now_ms() + math.ceil(seconds * 1000))
  if self.fallback then self.fallback:hold(seconds) end
  if self.announcing then return end
  self.announcing = true
  task.as_world(task.spawn, function() announce(self) end)
end

function Remote:left(i, n, ms) tell(self, "left", i, n, math.max(0, now_ms() - ms)) end

function Remote:follow(i, ms)
  self.ahead[i] = ms
  if self.fallback then self.fallback:follow(i, ms) end
  tell(self, "follow", i, now_ms() + ms)
  ask_again(self)
end

function Remote:used(i) return self.counts[i] end

function Remote:alerts(i)
  local level = self.fresh[i] or 0
  self.fresh[i] = nil
  return level >= 1, level >= 2
end

-- ---- making one --------------------------------------------------------------------------------

--- So much of each limit, at least one.
local function part_of(list, fraction)
  local function part(n) return math.max(1, math.floor(n * fraction)) end
  local out = {}
  for i, b in ipairs(list) do
    out[i] = { window = b.window, limit = part(b.limit), refill = part(b.refill), period_ms = b.period_ms }
  end
  return limiters.new(out)
end

--- place: a text, on loopback; true: the one that the operator has named, wherever it is.
local function connect(place)
  if place ~= true then return core.open(place, false) end
  local named = world.current "smc.limiter".credentials.SMCRUN_REDIS_URL
  if named then return core.open(named, true) end
  return nil, errors.new { class = "invalid_request", code = "invalid_argument", op = "limiter", retryable = false,
    message = "redis = true is the place that SMCRUN_REDIS_URL names, in the environment or .env; it is not set" }
end

--- options: redis, prefix, without, patience; see bindings/meta/limiter.lua.  Returns it, or nil and an error.
function M.new(list, names, options)
  local head = { "", "", table.concat(names, " "), word(#list) }
  for i, b in ipairs(list) do
    if b.limit * b.period_ms >= EXACT then
      return nil, errors.new { class = "invalid_request", code = "invalid_argument", op = "limiter", retryable = false,
        message = names[i] .. ": in Redis limit * per is at most 9 * 10^12" }
    end
    table.move({ b.window and "w" or "b", word(b.limit), word(b.refill), word(b.period_ms) }, 1, 4, #head + 1, head)
  end
  local conn, err = connect(options.redis)
  if not conn then return nil, err end
  local self = setmetatable({ conn = conn, key = (options.prefix or "smcrun") .. ":" .. table.concat(names, ","),
    head = head, list = list, patience = options.patience or 2, queues = { [0] = {}, {}, {}, {} }, gate = gates.new(),
    counts = {}, told = {}, fresh = {}, ahead = {}, held = 0, changes = 0, retry_in = FIRST_RETRY }, Remote)
  for i = 1, #list do self.counts[i], self.told[i] = 0, 0 end
  if type(options.without) == "number" then
    self.fallback = part_of(list, options.without)
    for i, b in ipairs(list) do -- its windows begin where those of Redis do
      if b.window then self.fallback:follow(i, math.max(0, task.wall_ms() - now_ms())) end
    end
  end
  return self
end

return M
