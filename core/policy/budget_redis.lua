-- The law of smc/limiter.h as one script inside Redis: what it reads and writes happens at one instant for all.
-- KEYS[1]  a hash that holds the state of one limiter
-- ARGV     what, now, budgets, n, then n times: kind ("w" or "b"), limit, refill, period_ms; then what `what` needs
--          now      milliseconds, or "" for the clock of Redis
--          budgets  what they are called; others under the same key are refused
--   spend    a weight for each budget: all are paid or none
--   charge   the same, paid even where there is less: what was spent while Redis was away
--   refund   ms since the grant, a weight for each
--   left     the budget's number, how much the venue says is left, ms since what it answers was granted
--   hold     ms from now in which nobody is granted
--   follow   the budget's number, what the venue's clock shows
--   look
-- Returns  whether it was paid (0 or 1), ms until it may be, now, then for each budget how much is used
-- Numbers are doubles here: limit * period_ms must stay below 2^53.
local what, now, names, n = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
if not now then
  local time = redis.call("TIME")
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local state, fields = {}, redis.call("HGETALL", KEYS[1])
for i = 1, #fields, 2 do state[fields[i]] = fields[i + 1] end

local budgets, conf = {}, { names }
for i = 1, n do
  local at = 4 + (i - 1) * 4
  local b = { window = ARGV[at + 1] == "w", limit = tonumber(ARGV[at + 2]), refill = tonumber(ARGV[at + 3]),
    period = tonumber(ARGV[at + 4]) }
  b.full = b.limit * b.period
  b.level = tonumber(state["level" .. i]) or b.window and 0 or b.full
  b.at = tonumber(state["at" .. i]) or b.window and 0 or now
  b.ahead = tonumber(state["ahead" .. i]) or 0
  b.since = tonumber(state["since" .. i]) or 0 -- of a window: what was granted before is of another one, or may be
  b.paid = tonumber(state["paid" .. i]) or 0   -- of a window: no grant was at this time or later
  budgets[i] = b
  conf[i + 1] = table.concat({ ARGV[at + 1], b.limit, b.window and 0 or b.refill, b.period }, " ")
end
local rest = 4 + n * 4
conf = table.concat(conf, "; ")
if state.conf and state.conf ~= conf then return redis.error_reply("OTHER budgets are shared there: " .. state.conf) end

local function period_of(b, ms) return math.floor((ms + b.ahead) / b.period) end

local function roll(b)
  if b.window then
    local period = period_of(b, now)
    if period > b.at then -- or before, when that clock turned out to be behind
      b.at, b.level, b.since = period, 0, math.max(0, period * b.period - b.ahead, b.paid)
    end
  elseif now > b.at then
    b.level = math.min(b.full, b.level + math.min(now - b.at, math.ceil(b.full / b.refill)) * b.refill)
    b.at = now
  end
end

local function wait_for(b, weight)
  if b.window then return b.level + weight <= b.limit and 0 or (b.at + 1) * b.period - (now + b.ahead) end
  local short = weight * b.period - b.level
  return short <= 0 and 0 or math.max(0, b.at - now) + math.ceil(short / b.refill)
end

local function pay(b, weight)
  if not b.window then
    b.level = b.level - weight * b.period
    return
  end
  b.level, b.paid = b.level + weight, math.max(b.paid, now + 1)
end

local function used(b)
  return b.window and b.level or math.ceil((b.full - b.level) / b.period)
end

local held, paid, wait = tonumber(state.held) or 0, 0, 0

local function each_weight(from, fn)
  for i = 1, n do
    local weight = tonumber(ARGV[from + i])
    if weight > 0 then
      roll(budgets[i])
      fn(budgets[i], weight)
    end
  end
end

if what == "spend" then
  wait = math.max(0, held - now)
  each_weight(rest, function(b, weight) wait = math.max(wait, wait_for(b, weight)) end)
  if wait == 0 then
    paid = 1
    each_weight(rest, pay)
  end
elseif what == "charge" then
  each_weight(rest, function(b, weight)
    pay(b, weight)
    if b.window then b.level = math.min(b.level, b.limit) else b.level = math.max(b.level, 0) end
  end)
elseif what == "refund" then
  local granted = now - ARGV[rest + 1]
  each_weight(rest + 1, function(b, weight)
    if not b.window then
      b.level = math.min(b.full, b.level + weight * b.period)
    elseif granted >= b.since then
      b.level = math.max(0, b.level - weight)
    end
  end)
elseif what == "left" then
  local b, left, since = budgets[tonumber(ARGV[rest + 1])], tonumber(ARGV[rest + 2]), now - ARGV[rest + 3]
  roll(b)
  if b.window and period_of(b, since) == period_of(b, now) then
    b.level = math.max(b.level, b.limit - left)
  elseif not b.window then
    b.level = math.min(b.level, left * b.period + (now - since) * b.refill)
  end
elseif what == "hold" then
  held = math.max(held, now + ARGV[rest + 1])
elseif what == "follow" then
  budgets[tonumber(ARGV[rest + 1])].ahead = ARGV[rest + 2] - now
end

local function text(number) return string.format("%.0f", number) end

-- Kept as long as anything in it can matter, and a day.
local keep, out, write = math.max(0, held - now), { paid, wait, now }, { "conf", conf, "held", text(held) }
for i, b in ipairs(budgets) do
  if what == "look" then roll(b) end
  keep = math.max(keep, b.window and b.period or math.ceil(b.full / b.refill))
  out[3 + i] = used(b)
  for field, value in pairs { level = b.level, at = b.at, ahead = b.ahead, since = b.since, paid = b.paid } do
    write[#write + 1] = field .. i
    write[#write + 1] = text(value)
  end
end
redis.call("HSET", KEYS[1], unpack(write))
redis.call("PEXPIRE", KEYS[1], text(keep + 86400000))
return out
