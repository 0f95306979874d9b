--- What Bybit allows: requests of an address, and requests of an account to each private endpoint.
-- Source: v5 "Rate Limit Rules", the default tier.  Its windows roll: so many in any second.  A bucket keeps that when
-- what it holds and what flows into it in that time are no more than the limit: for what it holds beyond one, as much
-- less flows in the long run.  Orders of a batch are counted by the venue one by one; here a batch is one request of
-- the address, and no more.
local M = {}

--- At most `limit` in any `per` seconds, of which `burst` at once.
local function rolling(limit, per, burst) return { limit = limit - burst, per = per, burst = burst } end

M.budgets = { requests = rolling(600, 5, 18) }

--- Seconds to be quiet after a refusal that names no end.
M.pause = 2

local ENDPOINTS = {
  ["order/create"] = { spot = 20, linear = 10 }, ["order/amend"] = { spot = 10, linear = 10 },
  ["order/cancel"] = { spot = 20, linear = 10 }, ["order/cancel-all"] = { spot = 20, linear = 10 },
  ["order/realtime"] = 50, ["order/history"] = 50, ["execution/list"] = 50, ["position/list"] = 50,
  ["position/closed-pnl"] = 50, ["position/set-leverage"] = 10, ["position/switch-mode"] = 10,
  ["position/trading-stop"] = 10, ["account/wallet-balance"] = 50, ["account/info"] = 50, ["account/fee-rate"] = 5,
  ["account/instruments-info"] = 10, ["account/user-setting-config"] = 50, ["account/set-margin-mode"] = 5,
  ["account/set-limit-px-action"] = 10, ["user/query-api"] = 10, ["asset/coin/query-info"] = 5,
  ["order/disconnected-cancel-all"] = 5, ["account/transaction-log"] = 25,
  ["asset/transfer/query-account-coins-balance"] = 5, ["asset/transfer/query-account-coin-balance"] = 450,
  ["account/withdrawal"] = 50, ["account/query-dcp-info"] = 5, ["account/smp-group"] = 5,
  ["order/spot-borrow-check"] = 50, ["position/symbol-info"] = 50, ["position/set-auto-add-margin"] = 10,
  ["position/confirm-pending-mmr"] = 10, ["position/switch-isolated"] = 10,
}

local SPAN = 1.02 -- seconds that one more than the limit takes: so far may requests shift on their way to the venue

--- At most `limit` in any second, nearly evenly: of the few that are allowed none is kept for bursts.
local function second(limit)
  local burst = limit < 50 and 1 or 2 -- two, where a millisecond that a timer is late would count
  return { limit = limit + 1 - burst, per = SPAN, burst = burst }
end

for path, limit in pairs(ENDPOINTS) do
  if type(limit) == "table" then
    for group, n in pairs(limit) do M.budgets[path .. " " .. group] = second(n) end
  else
    M.budgets[path] = second(limit)
  end
end

--- The budget of the endpoint; nil of what is public.  inverse and linear share theirs; options, which are not offered
-- here, are counted with them.
local function endpoint(asked)
  local path = asked.path:match "^/v5/(.*)$"
  local limit = asked.signed and ENDPOINTS[path]
  if type(limit) ~= "table" then return limit and path end
  return path .. " " .. (asked.params.category == "spot" and "spot" or "linear")
end

local PUBLIC, costs = { requests = 1 }, {} -- by endpoint, which are asked for with every request

--- The weights of a request by budget.  Not to be changed.
function M.cost(asked)
  local name = endpoint(asked)
  if not name then return PUBLIC end
  costs[name] = costs[name] or { requests = 1, [name] = 1 }
  return costs[name]
end

M.scope = endpoint

local ENDPOINT_LIMIT = 10006

--- What a refusal forbids; nil: everything.
function M.held(err, asked) return err.code == ENDPOINT_LIMIT and endpoint(asked) or nil end

--- told(budget, nil, left): by the venue's own count.
function M.counted(headers, told, asked)
  local name, n = endpoint(asked), math.tointeger(tonumber(headers["x-bapi-limit-status"]))
  if name and n then told(name, nil, n) end
end

return M
