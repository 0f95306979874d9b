--- What is asked of the venue, over REST or over the trade socket: routes by path, and how one is gone.
-- A route: { method, path, private, trade, limit, category, default, batch, handle }.  limit: calls of an account a
-- second, a number or one for each group of categories.  category: true where the call needs one, "contracts" where
-- spot will not do; default: which one it is when nothing is said.
-- symbol, whole, span, page: what it takes, see params.take.
-- handle(sb, call) -> result or nil, refusal.  call: { key, account, values, category, market }, market being the
-- instruments of the category, and what was taken; used, what is left of the limit, and ext, the retExtInfo, are added.
local params = require "smc.sandbox.bybit.params"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local routes = {}
M.routes = routes

for _, part in ipairs { "market_data", "orders", "batch", "account", "assets", "transaction_log",
  "positions", "dcp" } do
  for _, route in ipairs(require("smc.sandbox.bybit." .. part).routes) do routes[route.path] = route end
end

--- The route of a path, or nil.
function M.route(path) return routes[path] end

--- inverse and linear share their windows.
local GROUPS = { spot = "spot", option = "option", linear = "linear", inverse = "linear" }

local function admit(sb, route, call)
  local group, limit = "", route.limit
  if type(limit) == "table" then
    group = GROUPS[call.category] or "linear"
    limit = limit[group]
  end
  local passed, used = sb.limits:admit_user(call.account, route.path, group, limit, sb:now())
  call.used = used
  return passed
end

--- Goes a route.  key: of the caller, nil for what is public.  values: the parameters; nil, no when they could not be
-- read.  Returns result or nil, refusal; and the call.
function M.perform(sb, route, key, values, no)
  local call = { key = key, account = key and key.account, values = values,
    category = values and (values.category or route.default) }
  if route.trade and not key.can_trade then return nil, refusal.permission(), call end
  -- A batch counts its orders one by one.
  if route.batch then
    function call.admit() return admit(sb, route, call) end
  elseif route.private and not admit(sb, route, call) then
    return nil, refusal.too_many(), call
  elseif not route.private and sb.limits:used_up(sb:now()) then
    return nil, refusal.too_many(), call -- it has been seen of market data, too, without the headers of a limit
  end
  if not values then return nil, no, call end
  call.market = sb.categories[call.category]
  local fits = call.market and (route.category ~= "contracts" or call.category ~= "spot")
  if route.category and not fits then return nil, refusal.category(), call end
  local ok
  ok, no = params.take(sb, call, route)
  if not ok then return nil, no, call end
  local result
  result, no = route.handle(sb, call)
  return result, no, call
end

return M
