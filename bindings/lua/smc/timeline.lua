--- What plots of a spec are made of: requests, use of limits, states of breakers, switches of failover groups, faults
-- and loads, on the spec's clock.  Written down where they happen, bounded in number; the event of a spec's end carries
-- it as JSON, which runner/report/report.schema.json describes.  While no world is open nothing is written down.
local core = require "smc.core.task"
local json = require "smc.json"
local series = require "smc.series"

local M = {}

-- What one spec may have of each; how many were left out is told.
local MOST = { requests = 16, limiters = 32, budgets = 8, breakers = 16, groups = 8, faults = 100, changes = 100,
  loads = 16, thresholds = 20 }
local LABEL_BYTES = 80

local current -- of the world that is open
local entries = setmetatable({}, { __mode = "k" }) -- limiter or breaker -> what is kept of it

function M.begin()
  current = { start = core.now(), requests = {}, limiters = {}, breakers = {}, groups = {}, faults = {}, loads = {},
    left_out = {} }
end

local now, floor = core.now, math.floor -- requests come in thousands

local function now_ms() return floor((now() - current.start) * 1000) end

local function leave_out(what) current.left_out[what] = (current.left_out[what] or 0) + 1 end

--- Keeps a thing in its list; nil when that is full.
local function keep(list, what, thing)
  if #list >= MOST[what] then return leave_out(what) end
  list[#list + 1] = thing
  return thing
end

--- A text that needs no escape in JSON: so what hides secrets in it can't break it.
local function label(text)
  text = tostring(text)
  if not utf8.len(text) then text = text:gsub("[\x80-\xff]", "?") end
  text = text:gsub("[%c\"\\]", "?")
  return #text > LABEL_BYTES and text:sub(1, (utf8.offset(text, 0, LABEL_BYTES + 1) or 1) - 1) or text
end

--- What tell(thing) makes of each; nil of none.
local function each(list, tell)
  local out = {}
  for i, thing in ipairs(list) do out[i] = tell(thing) end
  return #out > 0 and out or nil
end

-- ---- requests ------------------------------------------------------------------------------

--- The number of the bucket of a latency: 0 below a microsecond, then four for each doubling.
local function bucket(seconds)
  local us = seconds * 1e6
  return us < 1 and 0 or math.floor(math.log(us, 2) * 4) + 1
end
M.bucket = bucket

--- bucket -> how many, as a list of { bucket, how many } in order.
local function told_buckets(counts)
  local buckets = {}
  for b, n in pairs(counts) do buckets[#buckets + 1] = { b, n } end
  table.sort(buckets, function(a, b) return a[1] < b[1] end)
  return json.array(buckets)
end

local function requests_of(of)
  local its = current.requests[of]
  if its ~= nil then return its end
  its = keep(current.requests, "requests", { of = of, latency = {},
    series = series.new({ "ok", "refused", "failed" }, series.sum) }) or false
  current.requests[of] = its
  return its
end

--- A request to `of`, a venue, has ended.  status: of the answer; nil: there was none, and it has no latency.
function M.request(of, seconds, status)
  local its = current and requests_of(of)
  if not its then return end
  local columns = its.series.columns
  local column = not status and columns.failed or status >= 400 and columns.refused or columns.ok
  local at = its.series:slot(now_ms())
  column[at] = column[at] + 1
  if not status then return end
  local b = bucket(seconds)
  its.latency[b] = (its.latency[b] or 0) + 1
end

local function told_requests(its)
  local columns = its.series.columns
  return json.object("of", label(its.of), "width", its.series.width, "at", its.series:times(), "ok", columns.ok,
    "refused", columns.refused, "failed", columns.failed, "latency", told_buckets(its.latency))
end

-- ---- limits --------------------------------------------------------------------------------

--- A limiter was made.  list: its budgets { window, limit, refill, period_ms }; ahead(i): by how many ms the clock that
-- the windows of a budget follow is ahead of smc.now().  Returns what used() wants, or nil.
function M.limiter(limiter, names, list, ahead)
  if not current then return nil end
  local its = keep(current.limiters, "limiters", { names = names, list = list, ahead = ahead, series = {}, peaks = {},
    owner = current })
  entries[limiter] = its
  return its
end

local function note_peak(its, i, used, ms)
  local s = its.series[i]
  if not s then
    s = series.new({ "used" }, math.max)
    its.series[i], its.peaks[i] = s, 0
  end
  local at, column = s:slot(ms), s.columns.used
  if used > column[at] then column[at] = used end
  if used > its.peaks[i] then its.peaks[i] = used end
end

--- Something of its budgets was spent, or is said to be: of those in `spent`.  inner:used(i): how much is used now.
function M.used(its, spent, inner)
  if not its or its.owner ~= current then return end
  local ms = now_ms()
  for _, i in ipairs(spent) do note_peak(its, i, inner:used(i), ms) end
end

--- The same of budget i alone.
function M.used_of(its, i, inner)
  if its and its.owner == current then note_peak(its, i, inner:used(i), now_ms()) end
end

--- ms from the start of the spec to the first turn of a window.
local function turn(its, conf, i)
  return (-math.floor(current.start * 1000) - its.ahead(i)) % conf.period_ms
end

local function told_budget(its, i)
  local conf, s = its.list[i], its.series[i]
  return json.object("of", its.of, "budget", label(its.names[i]), "kind", conf.window and "window" or "bucket",
    "limit", conf.limit, "refill", conf.refill, "period_ms", conf.period_ms,
    "turn_ms", conf.window and turn(its, conf, i) or nil, "width", s.width, "at", s:times(), "used", s.columns.used)
end

--- Those whose limits were most used.
local function told_budgets()
  local all = {}
  for order, its in ipairs(current.limiters) do
    for i in pairs(its.series) do
      all[#all + 1] = { its = its, i = i, order = order, share = its.peaks[i] / its.list[i].limit }
    end
  end
  table.sort(all, function(a, b)
    if a.share ~= b.share then return a.share > b.share end
    return a.order < b.order or a.order == b.order and a.i < b.i
  end)
  local out = {}
  for _, one in ipairs(all) do
    if not keep(out, "budgets", one) then break end
  end
  if #all > #out then current.left_out.budgets = #all - #out end
  for k, one in ipairs(out) do out[k] = told_budget(one.its, one.i) end
  return out
end

-- ---- states and switches -------------------------------------------------------------------

--- A breaker was made, or a risk guard.
function M.breaker(breaker)
  if not current then return end
  local its = { states = {}, owner = current }
  entries[breaker] = keep(current.breakers, "breakers", its)
end

--- It has come into a state, at smc.now() = `at` (default: now).
function M.state(breaker, state, at)
  local its = entries[breaker]
  if not its or its.owner ~= current then return end
  local ms = at and math.floor((at - current.start) * 1000 + 0.5) or now_ms()
  keep(its.states, "changes", { math.max(0, ms), state })
end

--- Whose a limiter or a breaker is, once and for all.
function M.name(object, of)
  local its = object and entries[object]
  if its and not its.of then its.of = label(of) end
end

--- A failover group was made.  labels: of its members; active: the one that is used first.
function M.group(labels, active)
  if not current then return nil end
  return keep(current.groups, "groups", { labels = labels, active = active, switches = {}, owner = current })
end

--- A switch has ended; event: as group:history() has it, with at and duration in seconds.
function M.switch(group, event)
  if not group or group.owner ~= current then return end
  local from = math.floor((event.at - current.start) * 1000 + 0.5)
  keep(group.switches, "changes", json.object("at", from, "done", from + math.floor(event.duration * 1000 + 0.5),
    "from", event.from and label(event.from), "to", event.to and label(event.to), "cause", label(event.cause),
    "ok", event.ok))
end

-- ---- faults --------------------------------------------------------------------------------

--- A fault has begun at a venue; kind: "link" or "venue"; on: the call that it is about, or nil.  Returns a mark for
-- ended().
function M.fault(venue, kind, name, on)
  if not current then return nil end
  return keep(current.faults, "faults", { venue = venue, kind = kind, name = name, on = on, from = now_ms(),
    owner = current })
end

function M.ended(mark)
  if mark and mark.owner == current and not mark.to then mark.to = now_ms() end
end

local function told_fault(fault)
  return json.object("venue", label(fault.venue), "kind", fault.kind, "name", label(fault.name),
    "on", fault.on and label(fault.on), "from", fault.from, "to", fault.to)
end

-- ---- loads ---------------------------------------------------------------------------------

--- A load has ended.  result: as smc.load returns it; buckets: how many latencies each has.
function M.load(result, buckets)
  if not current then return nil end
  return keep(current.loads, "loads", { of = label(result.name), result = result, buckets = buckets, ended = now_ms(),
    thresholds = {} })
end

--- What was asked of it: a list of { text, held, value }.
function M.thresholds(load, told)
  for _, one in ipairs(load and told or {}) do keep(load.thresholds, "thresholds", one) end
end

local function ms(seconds) return seconds and floor(seconds * 1e6 + 0.5) / 1000 end

local function told_threshold(one)
  return json.object("text", label(one.text), "held", one.held, "value", one.value)
end

local function told_load(its)
  local r, classes = its.result, {}
  for class, n in pairs(r.classes) do classes[label(class)] = n end
  local latency = r.count > 0 and json.object("min", ms(r.min), "mean", ms(r.mean), "p50", ms(r.p50), "p90", ms(r.p90),
    "p95", ms(r.p95), "p99", ms(r.p99), "p99.9", ms(r["p99.9"]), "max", ms(r.max)) or nil
  return json.object("of", its.of, "model", r.model, "ended", its.ended, "duration", ms(r.duration),
    "planned", r.planned, "count", r.count, "dropped", r.dropped, "failed", r.failed, "classes",
    next(classes) and classes or nil, "rate", r.rate, "behind", ms(r.behind), "in_flight", r.in_flight,
    "latency", latency, "buckets", told_buckets(its.buckets), "thresholds", each(its.thresholds, told_threshold))
end

-- ---- all of it -----------------------------------------------------------------------------

--- Numbers those that nobody has named, and those whose names are the same.
local function number(list, what)
  local seen = {}
  for _, its in ipairs(list) do
    local name = its.of or what
    seen[name] = (seen[name] or 0) + 1
    its.of = seen[name] > 1 and ("%s %d"):format(name, seen[name]) or name
  end
end

local function told_breakers()
  local out = {}
  number(current.breakers, "breaker")
  for _, its in ipairs(current.breakers) do
    if #its.states > 0 then out[#out + 1] = json.object("of", its.of, "states", its.states) end
  end
  return #out > 0 and out or nil
end

local function told_group(group)
  return json.object("members", each(group.labels, label), "active", label(group.active),
    "switches", json.array(group.switches))
end

--- What was written down since begin(), as JSON; nil: nothing was.
function M.text()
  number(current.limiters, "limiter")
  number(current.loads, "load")
  local budgets = told_budgets()
  local out = json.object("requests", each(current.requests, told_requests), "limits", #budgets > 0 and budgets or nil,
    "breakers", told_breakers(), "groups", each(current.groups, told_group), "faults", each(current.faults, told_fault),
    "loads", each(current.loads, told_load), "left_out", next(current.left_out) and current.left_out or nil)
  local text = json.encode(out)
  return text ~= "{}" and text or nil
end

return M
