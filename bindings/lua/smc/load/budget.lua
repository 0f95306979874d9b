--- Whether a load may be put upon venues that are not ours: it must fit into their limits, all the time.
local M = {}

local function wrong(level, text, ...) error("smc.load: " .. text:format(...), level + 1) end

--- The most runs a second that there can be; nil: nobody knows.
local function most_runs(plan, options)
  if options.key == "rate" then return plan.most(options.segments) end
  local least = options.think[1]
  return least > 0 and plan.most(options.segments) / least or nil
end

local function is_a(value, class)
  local meta = type(value) == "table" and getmetatable(value)
  return meta and meta.__name == class
end

--- One venue: raises when the load is too much for one of its budgets.
local function check(venue, weights, runs, options, level)
  if type(venue) ~= "table" or type(venue.name) ~= "string" or type(weights) ~= "table" or next(weights) == nil then
    wrong(level + 1, "costs is by venue what a run costs of its limiter, as in { [venue] = { request_weight = 2 } }")
  end
  if not is_a(venue.limiter, "smc.limiter") then
    wrong(level + 1, "%s has no limiter: on a testnet a load goes through one", venue.name)
  end
  for budget, weight in pairs(weights) do
    if math.type(weight) ~= "integer" or weight < 0 then
      wrong(level + 1, "costs: %s of %s is a whole number, not %s", tostring(budget), venue.name, tostring(weight))
    end
    local ok, usage = pcall(venue.limiter.usage, venue.limiter, budget)
    if not ok then
      wrong(level + 1, "costs: %s has no budget '%s' (there are: %s)", venue.name, tostring(budget),
        table.concat(venue.limiter:budgets(), ", "))
    end
    if runs * weight > usage.rate * (1 + 1e-9) then
      wrong(level + 1, "%g runs a second would cost %g of %s of %s in a second, and its limiter has %.4g: at most %s",
        runs, runs * weight, budget, venue.name, usage.rate,
        options.key == "rate" and ("rate = %.4g"):format(usage.rate / weight)
          or ("%.4g runs a second, by fewer users or more think time"):format(usage.rate / weight))
    end
  end
end

--- On a testnet what a run costs has to be said, and the load has to fit; in a sandbox it may be too much.
function M.check(plan, options, w, level)
  if w.target == "sandbox" then return end
  if type(options.costs) ~= "table" or next(options.costs) == nil then
    wrong(level + 1,
      "on a testnet say what a run costs of whose limits, as in costs = { [venue] = { request_weight = 2 } }")
  end
  local runs = most_runs(plan, options)
  if not runs then
    wrong(level + 1, "on a testnet users need a think time above 0: without one nothing bounds what they send")
  end
  for venue, weights in pairs(options.costs) do check(venue, weights, runs, options, level + 1) end
end

return M
