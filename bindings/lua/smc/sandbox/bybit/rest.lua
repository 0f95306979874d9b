--- The REST half: paths, headers, the envelope that every answer comes in.
local auth = require "smc.sandbox.bybit.auth"
local json = require "smc.json"
local params = require "smc.sandbox.bybit.params"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local routes = {}
M.routes = routes
for _, part in ipairs { "market_data", "orders", "account" } do
  for _, route in ipairs(require("smc.sandbox.bybit." .. part).routes) do routes[route.path] = route end
end

--- Without the envelope: what stands before the venue's own servers says so.
local function shut_out(ex, text)
  ex:reply(403, { { "Content-Type", "text/plain" } }, text)
  return 403
end

local function limit_headers(out, used)
  out[#out + 1] = { "X-Bapi-Limit", tostring(used.limit) }
  out[#out + 1] = { "X-Bapi-Limit-Status", tostring(used.left) }
  out[#out + 1] = { "X-Bapi-Limit-Reset-Timestamp", tostring(used.reset) }
end

local function reply(sb, ex, result, no, used)
  local now = sb:now()
  local code = no and no.code or 0
  local out = { { "Content-Type", "application/json; charset=utf-8" }, { "Server", "Openresty" },
    { "Cache-Control", "no-store" }, { "Ret_code", tostring(code) }, { "Timenow", tostring(now) } }
  if used then limit_headers(out, used) end
  if no then reached.refused("bybit", no) end
  if no then result = no.null and json.null or json.object() end
  local status = no and no.status or 200
  ex:reply(status, out, json.encode(json.object("retCode", code, "retMsg", no and no.msg or "OK", "result", result,
    "retExtInfo", json.object(), "time", now)))
  return status
end

local function identify(sb, ex, now)
  return auth.check(sb, { key = ex:header "x-bapi-api-key" or "", timestamp = ex:header "x-bapi-timestamp" or "",
    window = ex:header "x-bapi-recv-window" or "", signature = ex:header "x-bapi-sign" or "",
    bytes = ex.method == "GET" and (ex.query or "") or ex.body or "" }, now)
end

local function read(ex)
  if ex.method == "GET" then return params.from_query(ex.query or "") end
  return params.from_json(ex.body or "")
end

--- Returns the result, or nil and a refusal; then how much of the endpoint's limit is used.
local function answer(sb, ex, route)
  reached.mark("bybit", "endpoints", route.method .. " " .. route.path)
  local now = sb:now()
  local call, used = {}, nil
  local no
  if route.private then
    call.key, no = identify(sb, ex, now)
    if not call.key then return nil, no end
    call.account = call.key.account
    if route.trade and not call.key.can_trade then return nil, refusal.permission() end
    local passed
    passed, used = sb.limits:admit_user(call.account, route.path, route.limit, now)
    if not passed then return nil, refusal.too_many(), used end
  end
  call.values, no = read(ex)
  if not call.values then return nil, no, used end
  if route.category and call.values.category ~= "spot" then return nil, refusal.category(), used end
  local result
  result, no = route.handle(sb, call)
  return result, no, used
end

--- Answers one exchange.  Returns the status that was sent.
function M.serve(sb, ex)
  sb:settle()
  if not sb.limits:admit(sb:now()) then return shut_out(ex, "403, access too frequent") end
  local route = routes[ex.path]
  if not route or route.method ~= ex.method then return reply(sb, ex, nil, refusal.no_route()) end
  if ex.method == "GET" and (ex.body or "") ~= "" then return shut_out(ex, "403 Forbidden") end
  local result, no, used = answer(sb, ex, route)
  sb:settle()
  return reply(sb, ex, result, no, used)
end

return M
