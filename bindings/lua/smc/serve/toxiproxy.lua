--- Toxiproxy's HTTP API over the link faults of what `smcrun serve` serves: each venue is a proxy, so that the clients
-- which exist for it work unchanged.  Its own units: milliseconds, the slicer's delay in microseconds, KB/s.
-- Source: Toxiproxy README, "HTTP API"; api.go for statuses and error bodies.
local boxes = require "smc.sandbox.box"
local faults = require "smc.sandbox.link_faults"
local json = require "smc.json"

local M = {}

local VERSION = "2.12.0" -- of the API that this one is like

-- ---- answers --------------------------------------------------------------------------

local function reply(ex, status, value)
  ex:reply(status, { { "Content-Type", "application/json" }, { "Cache-Control", "no-store" } },
    json.encode(value) .. "\n")
end

local function refuse(ex, status, text) reply(ex, status, json.object("error", text, "status", status)) end

local function bad_body(ex, why) refuse(ex, 400, "bad request body: " .. why) end

--- 1.0 is written 1, as Toxiproxy does.
local function plain(n) return math.tointeger(n) or n end

-- ---- toxics ----------------------------------------------------------------------------

local function label_of(fault) return fault.label or ("%s_%s"):format(fault.name, fault.stream) end

local function attributes_of(fault)
  local out = {}
  for name, p in pairs(faults.table[fault.name].params) do
    local value = fault.values[name]
    out[#out + 1] = { name, p.api and math.floor(value * p.api + 0.5) or plain(value) }
  end
  table.sort(out, function(a, b) return a[1] < b[1] end)
  return json.object(out)
end

local function toxic_object(fault)
  return json.object("attributes", attributes_of(fault), "name", label_of(fault), "type", fault.name, "stream",
    fault.stream, "toxicity", plain(fault.values.toxicity))
end

--- The faults of a venue that are toxics there: those that act on bytes.
local function toxics_of(v)
  local out = {}
  for _, fault in ipairs(boxes.links(v.box).faults) do
    if faults.table[fault.name].toxic then out[#out + 1] = fault end
  end
  return out
end

local function find_toxic(v, label)
  for _, fault in ipairs(toxics_of(v)) do
    if label_of(fault) == label then return fault end
  end
end

local function list_of_toxics(v)
  local out = {}
  for i, fault in ipairs(toxics_of(v)) do out[i] = toxic_object(fault) end
  return json.array(out)
end

--- Attributes as the parameters of a fault; nil and what is wrong.
local function read_attributes(kind, given)
  if type(given) ~= "table" or getmetatable(given) ~= nil then return nil, "attributes must be an object" end
  local params, out, known = faults.table[kind].params, {}, {}
  for name in pairs(params) do known[#known + 1] = name end
  table.sort(known)
  for name, value in pairs(given) do
    local p = params[name]
    if not p then
      return nil, ("unknown attribute '%s' of %s (it has: %s)"):format(tostring(name), kind, table.concat(known, ", "))
    end
    if type(value) ~= "number" then return nil, ("%s must be a number"):format(name) end
    if p.api and math.type(value) ~= "integer" then return nil, ("%s must be a whole number"):format(name) end
    out[name] = p.api and value / p.api or p[1] == "integer" and math.tointeger(value) or value
  end
  return out
end

local function read_toxicity(given)
  if given == nil then return nil end
  if type(given) ~= "number" then return nil, "toxicity must be a number" end
  return given
end

-- ---- bodies ----------------------------------------------------------------------------

--- A JSON object, or with `list` a list of them; nil once the client was refused.
local function read_body(ex, list)
  local body, err = json.decode(ex.body)
  if body == nil then return bad_body(ex, tostring(err.message)) end
  if type(body) ~= "table" or (getmetatable(body) ~= nil) ~= (list or false) then
    return bad_body(ex, list and "a list of proxies expected" or "a JSON object expected")
  end
  return body
end

--- A field of some type, or nothing; false once the client was refused.
local function field(ex, body, name, kind)
  local value = body[name]
  if value == nil or value == json.null or type(value) == kind then return true end
  bad_body(ex, ("%s must be a %s"):format(name, kind))
  return false
end

-- ---- proxies ---------------------------------------------------------------------------

local function listen_of(v) return (v.box.origin:gsub("^%a+://", "")) end

local function is_enabled(v) return not v.removed and not boxes.is_down(v.box) end

local function proxy_object(v)
  return json.object("name", v.name, "listen", listen_of(v), "upstream", "smcrun:" .. v.name, "enabled", is_enabled(v),
    "toxics", list_of_toxics(v))
end

local function names(state)
  local out = {}
  for i, v in ipairs(state.venues) do out[i] = v.name end
  return table.concat(out, ", ")
end

--- The venue of that name as a proxy; nil when there is none, or it was deleted.
local function find_proxy(state, name)
  local v = state.by_name[name]
  return v and not v.removed and v or nil
end

--- Whether the place is where the venue is; port 0: any will do.
local function is_place(v, listen)
  local port = listen:match ":(%d+)$"
  return port == "0" or port == listen_of(v):match ":(%d+)$"
end

--- Returns true; nil and why not.
local function enable(v, on)
  if on == is_enabled(v) then return true end
  if not on then return boxes.links(v.box):add { link = "down" } end
  return v.box:heal "down"
end

--- What a proxy is to be; false once the client was refused.
local function check_proxy(ex, v, body)
  for name, kind in pairs { listen = "string", upstream = "string", enabled = "boolean" } do
    if not field(ex, body, name, kind) then return false end
  end
  if type(body.listen) == "string" and body.listen ~= "" and not is_place(v, body.listen) then
    bad_body(ex, ("%s listens on %s, and stays there"):format(v.name, listen_of(v)))
    return false
  end
  return true
end

local function set_enabled(ex, v, on)
  local ok, err = enable(v, on)
  if not ok then refuse(ex, 500, tostring(err)) end
  return ok
end

--- A venue that was deleted is made again.  False once the client was refused.
local function restore(state, ex, body, at)
  local name = body.name
  if type(name) ~= "string" or name == "" then
    refuse(ex, 400, "missing required field: name" .. at)
    return false
  end
  if type(body.upstream) ~= "string" or body.upstream == "" then
    refuse(ex, 400, "missing required field: upstream" .. at)
    return false
  end
  local v = state.by_name[name]
  if not v then
    bad_body(ex, ("no venue is called '%s'; each venue is a proxy: %s"):format(name, names(state)))
    return false
  end
  return check_proxy(ex, v, body) and v
end

local function is_on(body) return body.enabled ~= false end

-- ---- requests ----------------------------------------------------------------------------

local on = {}

function on.index(state, ex)
  local out = {}
  for _, v in ipairs(state.venues) do
    if not v.removed then out[#out + 1] = { v.name, proxy_object(v) } end
  end
  reply(ex, 200, json.object(out))
end

function on.create(state, ex)
  local body = read_body(ex)
  local v = body and restore(state, ex, body, "")
  if not v then return end
  if not v.removed then return refuse(ex, 409, "proxy already exists") end
  v.removed = nil
  if set_enabled(ex, v, is_on(body)) then reply(ex, 201, proxy_object(v)) end
end

function on.populate(state, ex)
  local list = read_body(ex, true)
  if not list then return end
  local chosen, out = {}, {}
  for i, body in ipairs(list) do
    if type(body) ~= "table" or getmetatable(body) ~= nil then return bad_body(ex, "a list of proxies expected") end
    chosen[i] = restore(state, ex, body, (" at proxy %d"):format(i))
    if not chosen[i] then return end
  end
  for i, v in ipairs(chosen) do
    v.removed = nil
    if not set_enabled(ex, v, is_on(list[i])) then return end
    out[i] = proxy_object(v)
  end
  reply(ex, 201, json.object("proxies", json.array(out)))
end

function on.reset(state, ex)
  for _, v in ipairs(state.venues) do
    for _, fault in ipairs(toxics_of(v)) do boxes.links(v.box):remove(fault) end
    if not v.removed and not set_enabled(ex, v, true) then return end
  end
  ex:reply(204)
end

function on.version(_, ex) reply(ex, 200, json.object("version", VERSION)) end

function on.show(_, ex, v) reply(ex, 200, proxy_object(v)) end

function on.update(_, ex, v)
  local body = read_body(ex)
  if not body or not check_proxy(ex, v, body) then return end
  if body.enabled ~= nil and not set_enabled(ex, v, body.enabled) then return end
  reply(ex, 200, proxy_object(v))
end

function on.delete(_, ex, v)
  for _, fault in ipairs(toxics_of(v)) do boxes.links(v.box):remove(fault) end
  if not set_enabled(ex, v, false) then return end
  v.removed = true
  ex:reply(204)
end

function on.toxics(_, ex, v) reply(ex, 200, list_of_toxics(v)) end

--- What a body says of a new toxic, as a fault; nil once the client was refused.
local function read_toxic(ex, v, body)
  for _, name in ipairs { "name", "type", "stream" } do
    if not field(ex, body, name, "string") then return end
  end
  local stream = body.stream or "downstream"
  if stream ~= "upstream" and stream ~= "downstream" then
    return refuse(ex, 400, "stream was invalid, can be either upstream or downstream")
  end
  local entry = faults.table[body.type]
  if not entry or not entry.toxic then return refuse(ex, 400, "invalid toxic type") end
  local label = body.name or ""
  if label == "" then label = ("%s_%s"):format(body.type, stream) end
  if find_toxic(v, label) then return refuse(ex, 409, "toxic already exists") end
  local given, why = read_attributes(body.type, body.attributes or {})
  if not given then return bad_body(ex, why) end
  given.toxicity, why = read_toxicity(body.toxicity)
  if why then return bad_body(ex, why) end
  given.link, given.stream = body.type, stream
  return given, label
end

function on.add(_, ex, v)
  local body = read_body(ex)
  if not body then return end
  local given, label = read_toxic(ex, v, body)
  if not given then return end
  local fault, why = boxes.links(v.box):add(given)
  if not fault then return bad_body(ex, why) end
  fault.label = label
  reply(ex, 200, toxic_object(fault))
end

function on.toxic(_, ex, _, fault) reply(ex, 200, toxic_object(fault)) end

function on.change(_, ex, v, fault)
  local body = read_body(ex)
  if not body then return end
  local given, why = read_attributes(fault.name, body.attributes or {})
  if not given then return bad_body(ex, why) end
  given.toxicity, why = read_toxicity(body.toxicity)
  if why then return bad_body(ex, why) end
  local ok
  ok, why = boxes.links(v.box):change(fault, given)
  if not ok then return bad_body(ex, tostring(why)) end
  reply(ex, 200, toxic_object(fault))
end

function on.remove(_, ex, v, fault)
  boxes.links(v.box):remove(fault)
  ex:reply(204)
end

-- ---- finding -------------------------------------------------------------------------------

--- What is there, and by which methods.
M.paths = {
  { "/version", GET = "version" },
  { "/proxies", GET = "index", POST = "create" },
  { "/populate", POST = "populate" },
  { "/reset", POST = "reset" },
  { "/proxies/{proxy}", GET = "show", POST = "update", PATCH = "update", DELETE = "delete" },
  { "/proxies/{proxy}/toxics", GET = "toxics", POST = "add" },
  { "/proxies/{proxy}/toxics/{toxic}", GET = "toxic", POST = "change", PATCH = "change", DELETE = "remove" },
}
for _, path in ipairs(M.paths) do path.pattern = "^" .. path[1]:gsub("{%w+}", "([^/]+)") .. "$" end

local function unescape(text)
  return text and (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- The entry of a path, and what stands for {proxy} and {toxic} in it.
local function find_path(asked)
  for _, path in ipairs(M.paths) do
    local proxy, label = asked:match(path.pattern)
    if proxy then return path, unescape(proxy), unescape(label) end
  end
end

--- Answers a request of this API.  False: it is none.
function M.handle(state, ex)
  local path, proxy, label = find_path(ex.path)
  if not path then return false end
  local name = path[ex.method == "HEAD" and "GET" or ex.method]
  if (ex:header "user-agent" or ""):find "^Mozilla/" then
    refuse(ex, 403, "User agent not allowed")
  elseif not name then
    refuse(ex, 405, "method not allowed")
  elseif path[1]:find("{proxy}", 1, true) then
    local v = find_proxy(state, proxy)
    local fault = v and label and find_toxic(v, label)
    if not v then
      refuse(ex, 404, "proxy not found")
    elseif label and not fault then
      refuse(ex, 404, "toxic not found")
    else
      on[name](state, ex, v, fault)
    end
  else
    on[name](state, ex)
  end
  return true
end

return M
