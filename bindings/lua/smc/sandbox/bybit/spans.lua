--- startTime and endTime of a list, seven days apart at most: the one that is missing follows from the other.
local params = require "smc.sandbox.bybit.params"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local WEEK_MS = 7 * 24 * 3600 * 1000

--- { from, to } in the market's time, or nil and a refusal.
function M.of(sb, v)
  local from, no = params.whole(v, "startTime", false, 0)
  local to
  if from ~= nil then to, no = params.whole(v, "endTime", false, 0) end
  if to == nil then return nil, no end
  if not from and not to then to = sb:now() end
  from = from or to - WEEK_MS
  to = to or from + WEEK_MS
  if to - from > WEEK_MS then
    return nil, refusal.params "the time range between startTime and endTime exceeds 7 days"
  end
  return { from = from - sb.skew_ms, to = to - sb.skew_ms }
end

return M
