--- When arrivals are meant to come, and how many users there are meant to be.  Pure: no clock, no waiting.
-- segments: a list of { from, to, seconds }: a rate in 1/s, or a number of users, that goes evenly from one value to
-- the other.  Moments are whole milliseconds from the beginning, the step of the clock's timers.
local M = {}

local ROUNDING = 1e-9 -- what sums of rates may be off by: it must not make an arrival more, or one less
local TINY_MS = 1e-6

local function one() return 1 end

--- Seconds from the beginning of a segment until it has brought n arrivals.
local function after(segment, n)
  if n <= 0 then return 0 end
  local growth = (segment.to - segment.from) / segment.seconds
  return 2 * n / (segment.from + math.sqrt(math.max(0, segment.from ^ 2 + 2 * growth * n)))
end

--- An iterator over the moments of arrivals.  gap(): from one to the next, when they came one a second; default: always
-- 1, which spaces them evenly, the first at the beginning.  With exponential gaps they are a Poisson process, whatever
-- the rates.
function M.arrivals(segments, gap)
  local i, began, before = 1, 0, 0 -- the segment, when it begins, how many come before it
  local n = gap and gap() or 0
  gap = gap or one
  return function()
    while segments[i] do
      local segment = segments[i]
      local brings = (segment.from + segment.to) / 2 * segment.seconds
      if n < before + brings - ROUNDING then
        local seconds = began + after(segment, n - before)
        n = n + gap()
        return math.ceil(seconds * 1000 - TINY_MS)
      end
      i, began, before = i + 1, began + segment.seconds, before + brings
    end
  end
end

--- The moments at which the number of users changes: a list of { ms, users }.
function M.users(segments)
  local out, began, now = {}, 0, 0
  local function change(seconds, users)
    local ms = math.ceil((began + seconds) * 1000 - TINY_MS)
    now = users
    if #out > 0 and out[#out][1] == ms then out[#out][2] = users else out[#out + 1] = { ms, users } end
  end
  for _, s in ipairs(segments) do
    if s.from ~= now then change(0, s.from) end
    local step = s.to > s.from and 1 or -1
    for users = s.from + step, s.to, step do
      change((users - s.from) / (s.to - s.from) * s.seconds, users)
    end
    began = began + s.seconds
  end
  return out
end

--- The segments of stages, each of which goes to its value in its time, from `first` on.  key: "rate" or "users".
function M.segments(stages, key, first)
  local out, from = {}, first
  for i, stage in ipairs(stages) do
    out[i] = { from = from, to = stage[key], seconds = stage.duration }
    from = stage[key]
  end
  return out
end

function M.seconds(segments)
  local sum = 0
  for _, s in ipairs(segments) do sum = sum + s.seconds end
  return sum
end

--- The highest value on the way.
function M.most(segments)
  local most = 0
  for _, s in ipairs(segments) do most = math.max(most, s.from, s.to) end
  return most
end

return M
