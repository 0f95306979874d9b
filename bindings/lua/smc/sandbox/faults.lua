--- The faults that every sandbox can commit at its front door, as one table: from name to
--   doc      what the venue does
--   params   name -> { type ("string", "number", "integer", "boolean", "any"), doc, default, least, most, needed }
--   commit   commit(visit, p): answers one request (see door.lua)
--   switch   in its place, for what happens to all connections: switch(server, on) -> true or nil, err
local task = require "smc.core.task"

local M = {}

local STATUS = { "integer", "of the answer", default = 503, least = 200, most = 599 }
local CARRIED_OUT = { "boolean", "whether the venue does first what was asked", default = false }
local PAGE = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1>"
  .. "</center>\r\n</body>\r\n</html>\r\n"

--- What the venue would have said is carried out first when asked for, and lost; then answer(ex).
local function instead(visit, p, answer)
  if p.carried_out then
    visit:carry_out(function(ex) return answer(ex) end)
  else
    visit:record(answer(visit.ex))
  end
end

local function drop(ex) ex:reset() end

M.table = {
  status = {
    doc = "answers with this HTTP status and the venue's own error body, where it has one",
    params = { status = STATUS, code = { "any", "the venue's code in the body" },
      message = { "string", "the venue's text in the body" },
      retry_after = { "number", "seconds, as a Retry-After header", least = 0 }, carried_out = CARRIED_OUT },
    commit = function(visit, p)
      instead(visit, p, function(ex)
        ex:reply(p.status, visit:error_answer(p))
        return p.status
      end)
    end,
  },
  slow = {
    doc = "does at once what was asked, and answers so many seconds later",
    params = { seconds = { "number", "how late the answer is", needed = true, least = 0 } },
    commit = function(visit, p)
      visit:carry_out(function(ex, status, headers, body)
        task.after(math.floor(p.seconds * 1000 + 0.5), function() ex:reply(status, headers, body) end)
      end, { streams = true })
    end,
  },
  ack_lost = {
    doc = "does what was asked; the connection dies before the answer",
    params = {},
    commit = function(visit) visit:carry_out(drop) end,
  },
  reset = {
    doc = "drops the connection in place of an answer, and does nothing",
    params = {},
    commit = function(visit)
      visit:record()
      drop(visit.ex)
    end,
  },
  silent = {
    doc = "keeps the connection, and never answers",
    params = { carried_out = CARRIED_OUT },
    commit = function(visit, p) instead(visit, p, function() end) end,
  },
  truncated = {
    doc = "does what was asked; the connection ends in the middle of the answer's body",
    params = { bytes = { "integer", "of the body that are sent; half of it when missing", least = 0 } },
    commit = function(visit, p)
      visit:carry_out(function(ex, status, headers, body)
        body = body or ""
        local head = { { "Content-Length", tostring(#body) } }
        table.move(headers or {}, 1, #(headers or {}), 2, head)
        ex:start(status or 200, head)
        ex:write(body:sub(1, math.min(p.bytes or #body // 2, #body - 1)))
        ex:close()
      end)
    end,
  },
  not_json = {
    doc = "answers with a page in place of JSON",
    params = { status = { "integer", "of the answer", default = 200, least = 200, most = 599 },
      body = { "string", "of the answer", default = PAGE }, carried_out = CARRIED_OUT },
    commit = function(visit, p)
      instead(visit, p, function(ex)
        ex:reply(p.status, { { "Content-Type", "text/html" } }, p.body)
        return p.status
      end)
    end,
  },
  stale = {
    doc = "answers each GET as it did the first time since the fault began; the rest as always",
    params = {},
    commit = function(visit) visit:repeat_first() end,
  },
  down = {
    doc = "refuses connections and drops those that are open",
    switch = function(server, on)
      local ok, err = server:refuse(on)
      if ok and on then server:drop() end
      return ok, err
    end,
  },
  mute = {
    doc = "accepts and reads, but answers nothing until it is healed; what was held back goes its way then",
    switch = function(server, on)
      server:mute(on)
      return true
    end,
  },
}

--- The names, sorted.
function M.names()
  local out = {}
  for name in pairs(M.table) do out[#out + 1] = name end
  table.sort(out)
  return out
end

-- ---- what was asked for ----------------------------------------------------------------

local WHICH = { on = "string", path = "string", method = "string", times = "integer" }

local function fits(value, kind)
  if kind == "any" then return type(value) ~= "table" and type(value) ~= "function" end
  return kind == (kind == "integer" and math.type(value) or type(value))
end

local function range(p)
  if p.most then return (" from %d to %d"):format(p.least, p.most) end
  return p.least and (" of %d or more"):format(p.least) or ""
end

--- The value of a parameter, or nil and what is wrong.
local function read_param(name, p, value)
  if value == nil then
    if p.needed then return nil, ("%s (%s) is missing"):format(name, p[2]) end
    return p.default
  end
  if not fits(value, p[1]) or p.least and value < p.least or p.most and value > p.most then
    return nil, ("%s must be a %s%s"):format(name, p[1], range(p))
  end
  return value
end

local function check_names(name, fault, given)
  for key in pairs(given) do
    local known = key == "venue" or fault.params and (WHICH[key] or fault.params[key])
    if not known then return ("unknown parameter '%s' of '%s'"):format(tostring(key), name) end
  end
  for key, kind in pairs(WHICH) do
    if given[key] ~= nil and not fits(given[key], kind) then return ("%s must be a %s"):format(key, kind) end
  end
  if given.times and given.times < 1 then return "times must be 1 or more" end
end

--- Reads { venue = NAME, on = OP, path =, method =, times =, and parameters of the fault }.  ops: those of the venue.
-- Returns { name, given, values, on, path, method, left, committed }; or nil and what is wrong.
function M.read(given, ops)
  if type(given) ~= "table" then return nil, "a table such as { venue = \"reset\", on = \"place\" } expected" end
  local name = given.venue
  local fault = M.table[name]
  if not fault then
    return nil, ("no venue fault is called '%s' (known: %s)"):format(tostring(name), table.concat(M.names(), ", "))
  end
  local wrong = check_names(name, fault, given)
  if wrong then return nil, wrong end
  if given.on and not ops[given.on] then
    local known = {}
    for op in pairs(ops) do known[#known + 1] = op end
    table.sort(known)
    return nil, ("no call is named '%s' (on: %s)"):format(given.on, table.concat(known, ", "))
  end
  local values = {}
  for key, p in pairs(fault.params or {}) do
    values[key], wrong = read_param(key, p, given[key])
    if wrong then return nil, wrong end
  end
  return { name = name, given = given, values = values, on = given.on and ops[given.on], path = given.path,
    method = given.method and given.method:upper(), left = given.times or math.huge, committed = 0 }
end

return M
