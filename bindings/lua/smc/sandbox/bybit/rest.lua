--- The REST half: paths, headers, the envelope that every answer comes in.
local auth = require "smc.sandbox.bybit.auth"
local calls = require "smc.sandbox.bybit.calls"
local json = require "smc.json"
local params = require "smc.sandbox.bybit.params"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

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

local CONTENT_TYPE = { "Content-Type", "application/json; charset=utf-8" }
local SERVER, CACHE_CONTROL = { "Server", "Openresty" }, { "Cache-Control", "no-store" }

local function reply(sb, ex, result, no, call)
  local now = sb:now()
  local code = no and no.code or 0
  local out = { CONTENT_TYPE, SERVER, CACHE_CONTROL, { "Ret_code", tostring(code) }, { "Timenow", tostring(now) } }
  if call and call.used then limit_headers(out, call.used) end
  if no then reached.refused("bybit", no) end
  if no then result = no.null and json.null or json.object() end
  local status = no and no.status or 200
  ex:reply(status, out, json.encode(json.object("retCode", code, "retMsg", no and no.msg or "OK", "result", result,
    "retExtInfo", call and call.ext or json.object(), "time", now)))
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

--- Returns the result, or nil and a refusal; then the call.
local function answer(sb, ex, route)
  reached.mark("bybit", "endpoints", route.method .. " " .. route.path)
  local key, no
  if route.private then
    key, no = identify(sb, ex, sb:now())
    if not key then return nil, no end
  end
  return calls.perform(sb, route, key, read(ex))
end

--- Answers one exchange.  Returns the status that was sent.
function M.serve(sb, ex)
  sb:settle()
  if not sb.limits:admit(sb:now()) then return shut_out(ex, "403, access too frequent") end
  local route = calls.route(ex.path)
  if not route or route.method ~= ex.method then return reply(sb, ex, nil, refusal.no_route()) end
  if ex.method == "GET" and (ex.body or "") ~= "" then return shut_out(ex, "403 Forbidden") end
  local result, no, call = answer(sb, ex, route)
  sb:settle()
  return reply(sb, ex, result, no, call)
end

return M
