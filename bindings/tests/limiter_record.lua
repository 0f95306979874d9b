-- The law of limits for four processes on one budget, by the sandboxes: limiter_record.sh has them spend, one is killed
-- half way, and what they were granted is asked of a sandbox at the very time at which it was granted.  They reach at
-- least 95 % of what is allowed, are never turned away, and what is lost with the one that is killed is lost for no
-- longer than one window.
local binance = require "binance_fake"
local bybit = require "bybit_fake"
local oanda = require "oanda_fake"
local task = require "smc.core.task"

local LEAST, SPAN_MS = 0.95, 5000 -- the shortest time over which that is reckoned

local CALLS = { "time", [20] = "account", [40] = "rateLimit/order", [80] = "openOrders" } -- Binance's, by weight

-- By budget: what is allowed, and judge() -> the sandbox, ask(weight).  Requests of an address are so many that only
-- what counts them is asked.
local CASES = {
  ["binance request_weight"] = { allowed = 6000, period_ms = 60000, judge = function()
    local sb = binance.venue()
    return sb, function(weight)
      local ask = weight == 1 and binance.ask or binance.signed
      return ask(sb, "GET", "/api/v3/" .. CALLS[weight]).status == 200
    end
  end },
  ["bybit user/query-api"] = { allowed = 10, period_ms = 1000, judge = function()
    local sb = bybit.venue()
    return sb, function() return bybit.get(sb, "/v5/user/query-api").retCode == 0 end
  end },
  ["bybit requests"] = { allowed = 600, period_ms = 5000, judge = function()
    local sb = bybit.venue()
    return sb, function(n)
      for _ = 1, n do
        if not sb.limits:admit(task.wall_ms()) then return false end
      end
      return true
    end
  end },
  ["oanda requests"] = { allowed = 120, period_ms = 1000, judge = function()
    local sb = oanda.venue()
    return sb, function() return sb.limits:admit(task.wall_ms()) end
  end },
}

--- What was granted, by the spans in which it was: a list of sums.
local function replayed(record, case)
  local sb, ask = case.judge()
  local span, sums, refused, start = math.max(SPAN_MS, case.period_ms), {}, 0, task.wall_ms()
  for i = 0, record.until_ms // span - 1 do sums[i] = 0 end
  for line in record.grants:gmatch "[^\n]+" do
    local next_number = line:gmatch "%d+"
    local at = math.tointeger(next_number())
    task.sleep((start + at - task.wall_ms()) / 1000)
    for weight in next_number do
      weight = math.tointeger(weight)
      if not ask(weight) then refused = refused + 1 end
      sums[at // span] = sums[at // span] + weight
    end
  end
  return sums, span, refused, sb.limits:report(task.wall_ms(), sb.first_account)
end

for _, record in ipairs(require "record") do
  local name = record.venue .. " " .. record.budget
  it(name .. " is used up by four, and no more than that", function()
    local case = CASES[name]
    local sums, span, refused, log = replayed(record, case)
    assert.same({ 0, 0 }, { refused, log.violations })
    local allowed, total, n = case.allowed * span / case.period_ms, 0, 0
    for i, sum in pairs(sums) do
      local of_death = i == record.killed_ms // span
      local lost = of_death and case.allowed or 0
      assert.is_true(sum + lost >= LEAST * allowed, ("%d of %d in the span %d"):format(sum, allowed, i))
      -- Who dies may have been granted a whole window an instant before: a tenth of ten minutes at Binance.
      if not of_death then total, n = total + sum, n + 1 end
    end
    assert.is_true(total >= LEAST * allowed * n, ("%d of %d"):format(total, allowed * n))
  end)

  it(name .. " is the budget that the client's half of the venue has", function()
    local budget = require("smc.venue." .. record.venue .. ".limits").budgets[record.budget]
    local bucket = record.kind == "bucket"
    assert.same({ record.limit, record.period_ms, bucket and record.refill or record.limit },
      { budget.burst or budget.limit, math.floor(budget.per * 1000 + 0.5), budget.limit })
  end)
end
