--- One request that meets a fault: over HTTP, or a message inside a WebSocket.  See door.lua.
local bytes = require "smc.sandbox.faults.bytes"
local task = require "smc.core.task"

local Visit = {}
Visit.__index = Visit

local M = {}

local MOST_KEPT = 1000 -- answers that a stale venue repeats

--- ex: the exchange, or what stands for it (message_of).
function M.new(door, ex, fault)
  return setmetatable({ door = door, ex = ex, fault = fault }, Visit)
end

-- ---- a message inside a WebSocket, with the words of an exchange ----------------------------------

local Message = { method = "WS", query = "", is_websocket = false }
Message.__index = Message

function Message:reply(_, _, text) return self.sock:send(text) end
function Message:reset() return self.sock:reset() end
function Message.header() end

--- given: sock, path (the name of the call), body (the text), asked (the request, decoded), session, id (of the log,
-- when it is there already), perform(deliver): carries it out, and gives the text of the answer to deliver.
function M.message_of(given) return setmetatable(given, Message) end

local function is_message(ex) return getmetatable(ex) == Message end

-- ---- carrying out --------------------------------------------------------------------------------

--- A venue may take its list for the next answer, too, and have numbers in it.
local function copied(headers)
  local out = {}
  for i, header in ipairs(headers or {}) do out[i] = { header[1], tostring(header[2]) } end
  return out
end

--- What the venue is given in place of the exchange: its answer goes to deliver(status, headers, body).  passes: a
-- WebSocket or an answer in pieces is let through; else that is lost, too.
function M.stand_in(ex, deliver, passes)
  local self = {}
  function self.parts() return ex:parts() end
  function self.header(_, ...) return ex:header(...) end
  function self.reply(_, status, headers, body) return deliver(status, copied(headers), body) end
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
  local door, ex = self.door, self.ex
  door.book.fault = self.fault.name
  if is_message(ex) then
    if ex.id then door.book.note(ex.id, nil, self.fault.name) end
    ex.perform(function(text) return answer(ex, 200, nil, text) end)
  else
    door.serve(M.stand_in(ex, function(...) return answer(ex, ...) end, passes))
  end
  door.book.fault = nil
end

--- The venue does it, and answers by itself.
function Visit:serve()
  if is_message(self.ex) then return self.ex.perform(function(text) return self.ex.sock:send(text) end) end
  return self.door.serve(self.ex)
end

--- Notes the request as the venue would have.
function Visit:record(status)
  local ex, door = self.ex, self.door
  if is_message(ex) and ex.id then return door.book.note(ex.id, status, self.fault.name) end
  door.book.add(ex.method, ex.path, ex.query or "", ex.body or "", door.its.signed(ex), ex.is_websocket, status,
    self.fault.name)
end

--- Headers and body of an answer that says no.
function Visit:error_answer(p)
  local its = self.door.its
  p = setmetatable({ now = task.wall_ms() }, { __index = p })
  if is_message(self.ex) then return nil, its.message_refusal(p, self.ex) end
  local headers, body = its.refusal(p)
  if p.retry_after then headers[#headers + 1] = { "Retry-After", ("%d"):format(math.ceil(p.retry_after)) } end
  return headers, body
end

--- Whether it asks what the venue says of itself while it is being worked on.
function Visit:announced()
  local path = self.door.its.announces
  return path ~= nil and self.ex.path == path
end

-- ---- answers that are not what they should be -----------------------------------------------------

--- The whole answer two times.
function Visit.twice(_, ex, status, headers, body)
  if is_message(ex) then
    ex.sock:send(body)
    return ex.sock:send(body)
  end
  if not status then return ex:reset() end -- it had no answer of its own: a WebSocket, lines
  local whole = bytes.answer(status, headers, body)
  ex:raw(whole .. whole)
  ex:finish()
end

--- So many bytes of the body, then the end of the connection.
function Visit.cut(_, ex, status, headers, body, n)
  if is_message(ex) then
    ex.sock:raw(bytes.frame(body:sub(1, n), #body))
    return ex.sock:drop()
  end
  local head = { { "Content-Length", tostring(#body) } }
  table.move(headers or {}, 1, #(headers or {}), 2, head)
  ex:start(status, head)
  ex:write(body:sub(1, n))
  ex:close()
end

--- The body, under another length.
function Visit.mislead(_, ex, status, headers, body, n)
  if is_message(ex) then return ex.sock:raw(bytes.frame(body, n)) end
  local head = { { "Content-Length", tostring(n) } }
  table.move(headers or {}, 1, #(headers or {}), 2, head)
  ex:reply(status or 200, head, body)
end

-- ---- answers that stand still -----------------------------------------------------------------------

local function target_of(ex, volatile)
  local kept = {}
  for pair in (ex.query or ""):gmatch "[^&]+" do
    if not volatile[pair:match "^[^=]*"] then kept[#kept + 1] = pair end
  end
  return ex.path .. "?" .. table.concat(kept, "&")
end

function Visit:repeat_first()
  local ex, fault = self.ex, self.fault
  if ex.method ~= "GET" or self.door:is_stream(ex) then return self:serve() end
  fault.first, fault.n_first = fault.first or {}, fault.n_first or 0
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

return M
