--- The REST half: paths, headers, bodies.
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.binance.refusal"
local router = require "smc.sandbox.binance.router"
local routes = require "smc.sandbox.binance.routes"

local M = {}

local NOT_FOUND_PAGE = "<html><body><h2>404 Not found</h2></body></html>"
local GONE_PAGE = "<html>\r\n<head><title>410 Gone</title></head>\r\n<body>\r\n<center><h1>410 Gone</h1></center>\r\n"
  .. "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"

-- Routes that the venue has retired: they answer 410 with a page, whatever is asked.
M.retired = { ["/api/v3/userDataStream"] = true, ["/api/v1/userDataStream"] = true }

local UNITS = format.units

local CONTENT_TYPE = { "Content-Type", "application/json;charset=UTF-8" }
local SERVER = { "Server", "nginx" }
local CACHE_CONTROL = { "Cache-Control", "no-cache, no-store, must-revalidate" }

--- The headers of an answer, and its order counts when account is given.  The next answer has the same list.
local function headers(sb, account, now)
  local head = sb.limits:head(account, now)
  if not head[4] then head[1], head[2], head[3], head[4] = CONTENT_TYPE, SERVER, { "x-mbx-uuid" }, CACHE_CONTROL end
  head[3][2] = sb:new_uuid()
  return head
end

local function refuse(sb, ex, no)
  reached.refused("binance", no)
  local out = { table.unpack(headers(sb, nil, sb:now())) }
  if no.retry_after then out[#out + 1] = { "Retry-After", tostring(no.retry_after) } end
  ex:reply(no.status, out, json.encode(json.object("code", no.code, "msg", no.msg, "data", no.data)))
  return no.status
end

local function not_found(ex)
  local accepts = ex:header "accept"
  if accepts and accepts:find("text/html", 1, true) then
    ex:reply(404, { { "Content-Type", "text/html" } }, NOT_FOUND_PAGE)
  else
    ex:reply(404, {}, "")
  end
  return 404
end

local function find(ex, method, path)
  if M.retired[path] then
    reached.mark("binance", "endpoints", "any " .. path)
    ex:reply(410, { { "Content-Type", "text/html" }, { "Server", "nginx" } }, GONE_PAGE)
    return nil, 410
  end
  local methods = routes.by_path[path]
  if not methods then return nil, not_found(ex) end
  local route = methods[method]
  if not route then
    ex:reply(405, {}, "")
    return nil, 405
  end
  return route
end

local FORM = "application/x-www-form-urlencoded"

--- The body, if it is one of parameters.
local function form_body(method, body, kind)
  if body == "" or method == "GET" then return "" end
  if kind and kind ~= FORM and not kind:lower():find(FORM, 1, true) then return "" end
  return body
end

local function sbe_only(accepts) return accepts:lower():match("^%s*application/sbe%s*$") ~= nil end

--- Answers one exchange.  Returns the status that was sent.
function M.serve(sb, ex, method, path, query, body)
  local route, status = find(ex, method, path)
  if not route then return status end
  local accepts, unit, kind, api_key = ex:header("accept", "x-mbx-time-unit", "content-type", "x-mbx-apikey")
  if accepts and sbe_only(accepts) then
    ex:reply(406, {}, "")
    return 406
  end
  if unit and not UNITS[unit] then
    return refuse(sb, ex, refusal.invalid_time_unit())
  end
  local result, no, call, now = router.answer(sb, route, { query = query, body = form_body(method, body, kind),
    api_key = api_key, values = nil, now = nil, key = nil, account = nil, def = nil }) -- room for what is added
  if result == nil then return refuse(sb, ex, no) end
  local answer = json.encode(result)
  if UNITS[unit] == "us" then answer = format.microseconds(answer) end
  ex:reply(200, headers(sb, route.orders and call.account, now), answer)
  return 200
end

return M
