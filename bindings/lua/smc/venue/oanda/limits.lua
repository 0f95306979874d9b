--- What OANDA allows: requests of an address, in any second.
-- Source: v20 "Best Practices", 120 requests a second.  The second rolls: a bucket keeps it when what it holds and what
-- flows into it in a second are no more than the limit.
local LIMIT, BURST = 120, 4

local M = { budgets = { requests = { limit = LIMIT - BURST, per = 1, burst = BURST } } }

--- Seconds to be quiet after a refusal: it names no end, and the second that was full is over then.
M.pause = 1

local ONE = { requests = 1 }

--- The weights of a request by budget.  Not to be changed.
function M.cost() return ONE end

return M
