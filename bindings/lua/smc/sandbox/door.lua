--- The front door of a sandbox: every request passes it on its way to the venue, and meets the faults that were asked
-- for (faults.lua).  Of its venue it knows what the dialect's own door.lua says:
--   ops        the client's calls, each with the requests that it makes: op -> { "POST /api/v3/order", .. }; {} is any
--              segment of a path, * at its end whatever follows
--   signed     signed(ex): whether the request is signed
--   refusal    refusal(p) -> headers, body of an answer that says no; p: the values of the fault `status`, and now (ms)
--   volatile   query parameters that differ from one request to the next: name -> true
local faults = require "smc.sandbox.faults"
local task = require "smc.core.task"

local M = {}
local Door = {}
Door.__index = Door
local Visit = {}
Visit.__index = Visit

local MOST_KEPT = 1000 -- answers that a stale venue repeats

-- ---- which requests ----------------------------------------------------------------------

local function pattern_of(path)
  return "^" .. path:gsub("[%-%.%+%%]", "%%%0"):gsub("{}", "[^/]+"):gsub("%*$", ".*") .. "$"
end

local function compile(ops)
  local out = {}
  for op, requests in pairs(ops) do
    out[op] = {}
    for i, request in ipairs(requests) do
      local method, path = request:match "^(%u+) (.+)$"
      out[op][i] = { method = method, pattern = pattern_of(path) }
    end
  end
  return out
end

local function meets(fault, ex)
  if fault.left < 1 or fault.method and fault.method ~= ex.method or fault.path and fault.path ~= ex.path then
    return false
  end
  if not fault.on then return true end
  for _, request in ipairs(fault.on) do
    if request.method == ex.method and ex.path:find(request.pattern) then return true end
  end
  return false
end

-- ---- one request that meets a fault ----------------------------------------------------

--- What the venue is given in place of the exchange: its answer goes to deliver(status, headers, body).  passes: a
-- WebSocket or an answer in pieces is let through; else that is lost, too.
local function stand_in(ex, deliver, passes)
  local self = {}
  function self.parts() return ex:parts() end
  function self.header(_, name) return ex:header(name) end
  function self.reply(_, status, headers, body) return deliver(status, headers, body) end
  for _, name in ipairs { "upgrade", "start" } do
    self[name] = function(_, ...)
      if passes then return ex[name](ex, ...) end
      deliver()
      return nil, "lost"
    end
  end
  for _, name in ipairs { "write", "finish", "raw", "close", "reset" } do
    self[name] = function(_, ...) return ex[name](ex, ...) end
  end
  return setmetatable(self, { __index = ex })
end

--- The venue does what was asked; then answer(ex, status, headers, body of the venue's answer).
function Visit:carry_out(answer, passes)
  local door = self.door
  door.committing = self.fault.name
  door.serve(stand_in(self.ex, function(...) return answer(self.ex, ...) end, passes))
  door.committing = nil
end

--- Notes the request as the venue would have.
function Visit:record(status)
  local ex, door = self.ex, self.door
  door.record { method = ex.method, path = ex.path, query = ex.query or "", body = ex.body or "",
    websocket = ex.is_websocket, signed = door.its.signed(ex), status = status, fault = self.fault.name }
end

function Visit:error_answer(p)
  local headers, body = self.door.its.refusal(setmetatable({ now = task.wall_ms() }, { __index = p }))
  if p.retry_after then headers[#headers + 1] = { "Retry-After", ("%d"):format(math.ceil(p.retry_after)) } end
  return headers, body
end

local function target_of(ex, volatile)
  local kept = {}
  for pair in (ex.query or ""):gmatch "[^&]+" do
    if not volatile[pair:match "^[^=]*"] then kept[#kept + 1] = pair end
  end
  return ex.path .. "?" .. table.concat(kept, "&")
end

function Visit:repeat_first()
  local ex, fault = self.ex, self.fault
  if ex.method ~= "GET" or ex.is_websocket then return self.door.serve(ex) end
  local target = target_of(ex, self.door.its.volatile)
  local first = fault.first[target]
  if first then
    self:record(first.status)
    return ex:reply(first.status, first.headers, first.body)
  end
  self:carry_out(function(_, status, headers, body)
    if fault.n_first < MOST_KEPT then
      fault.first[target], fault.n_first = { status = status, headers = headers, body = body }, fault.n_first + 1
    end
    return ex:reply(status, headers, body)
  end, true)
end

-- ---- the door --------------------------------------------------------------------------------

--- its: the dialect's door.lua; serve(ex): the venue; record(entry): the log of requests.
function M.new(its, serve, record)
  return setmetatable({ its = its, serve = serve, record = record, ops = compile(its.ops), faults = {} }, Door)
end

--- Lets one request in.
function Door:enter(ex)
  for i, fault in ipairs(self.faults) do
    local commit = faults.table[fault.name].commit
    if commit and meets(fault, ex) then
      fault.left, fault.committed = fault.left - 1, fault.committed + 1
      if fault.left < 1 then table.remove(self.faults, i) end
      return commit(setmetatable({ door = self, ex = ex, fault = fault }, Visit), fault.values)
    end
  end
  return self.serve(ex)
end

--- From now on the fault is committed.  Returns true, or nil and what is wrong with it.
function Door:add(given)
  local fault, wrong = faults.read(given, self.ops)
  if not fault then return nil, wrong end
  local switch = faults.table[fault.name].switch
  if switch then
    for _, other in ipairs(self.faults) do
      if other.name == fault.name then return true end
    end
    if not self.sabotaged then assert(switch(self.server, true)) end
  end
  fault.first, fault.n_first = {}, 0
  self.faults[#self.faults + 1] = fault
  return true
end

--- Ends all faults, or those of one name.  Returns true; nil and why it cannot.
function Door:heal(name)
  if name ~= nil and not faults.table[name] then
    return nil, ("no venue fault is called '%s' (known: %s)"):format(tostring(name), table.concat(faults.names(), ", "))
  end
  local left, failed = {}, nil
  for _, fault in ipairs(self.faults) do
    local switch = faults.table[fault.name].switch
    local ends = not name or fault.name == name
    if ends and switch and not self.sabotaged then
      local ok, err = switch(self.server, false)
      if not ok then ends, failed = false, err end
    end
    if not ends then left[#left + 1] = fault end
  end
  self.faults = left
  return not failed or nil, failed
end

--- Those in force, oldest first: what was given, and how often each was committed.
function Door:list()
  local out = {}
  for i, fault in ipairs(self.faults) do
    out[i] = { committed = fault.committed }
    for key, value in pairs(fault.given) do out[i][key] = value end
    if out[i].times then out[i].times = fault.left end
  end
  return out
end

return M
