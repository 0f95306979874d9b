--- A rolling window: so many of something in any span of time.
local M = {}

function M.new(ms, limit) return { ms = ms, limit = limit, first = 1, last = 0 } end

--- Forgets what has left the window; how many are in it.
function M.roll(w, now_ms)
  while w.first <= w.last and w[w.first] <= now_ms - w.ms do
    w[w.first] = nil
    w.first = w.first + 1
  end
  return w.last - w.first + 1
end

--- Counts one if there is room for it.
function M.take(w, now_ms)
  if M.roll(w, now_ms) >= w.limit then return false end
  w.last = w.last + 1
  w[w.last] = now_ms
  return true
end

return M
