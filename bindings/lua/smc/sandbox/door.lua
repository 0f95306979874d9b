--- The front door of a sandbox: every request passes it on its way to the venue, and meets the faults that were asked
-- for (faults.lua); so does what the venue tells over its streams, while there are faults of those.  Of its venue it
-- knows what the dialect's own door.lua says:
--   name       of the venue
--   ops        the client's calls, each with the requests that it makes: op -> { "POST /api/v3/order", .. }; {} is any
--              segment of a path, * at its end whatever follows; "WS order.place" is one inside a WebSocket
--   signed     signed(ex): whether the request is signed
--   refusal    refusal(p) -> headers, body of an answer that says no; p: the values of the fault `status`, and now (ms)
--   volatile   query parameters that differ from one request to the next: name -> true
-- and, of a venue with streams:
--   kind_of    kind_of(text): what a frame is: "event", "answer" or "beat";  lines: they are lines of an HTTP answer
--   farewell   farewell(session, now): takes leave of a stream;  maintenance: { status, code, message } of an answer
--   announces  a path that is answered even then
--   message_refusal  message_refusal(p, message) -> the text of an answer inside a WebSocket
--   envelope   the field of an answer that holds what was asked for
--   filled_by_price  whether only the price fills orders
local faults = require "smc.sandbox.faults"
local link_faults = require "smc.sandbox.link_faults"
local links = require "smc.sandbox.links"
local rng = require "smc.core.rng"
local stall = require "smc.sandbox.stall"
local tap = require "smc.sandbox.tap"
local task = require "smc.core.task"
local timeline = require "smc.timeline"
local visit = require "smc.sandbox.visit"

local M = {}
local Door = {}
Door.__index = Door

-- ---- which requests ----------------------------------------------------------------------

local function pattern_of(path)
  return "^" .. path:gsub("[%-%.%+%%]", "%%%0"):gsub("{}", "[^/]+"):gsub("%*$", ".*") .. "$"
end

local compiled = setmetatable({}, { __mode = "k" }) -- ops of a dialect, which nobody changes -> compile(ops)

local function compile(ops)
  if compiled[ops] then return compiled[ops] end
  local out = {}
  for op, requests in next, ops do
    out[op] = {}
    for i, request in ipairs(requests) do
      local method, path = request:match "^(%u+) (.+)$"
      out[op][i] = { method = method, pattern = pattern_of(path) }
    end
  end
  compiled[ops] = out
  return out
end

local function among(requests, method, path)
  for _, request in ipairs(requests or {}) do
    if request.method == method and path:find(request.pattern) then return true end
  end
  return false
end

local function meets(fault, on, method, path)
  if not fault.active or fault.left < 1 or fault.path and fault.path ~= path then return false end
  if fault.method and fault.method ~= method then return false end
  return not on or among(on, method, path)
end

local METHODS = { DELETE = true, GET = true, HEAD = true, OPTIONS = true, PATCH = true, POST = true, PUT = true,
  WS = true }

--- Why `on`, `method` and `path` choose no request that there can be, or nil: such a fault would befall none, in
-- silence.
local function chooses_none(self, given)
  local method = type(given.method) == "string" and given.method:upper()
  local path = type(given.path) == "string" and given.path
  if method and not METHODS[method] then
    return ("method is DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT or WS, not '%s'"):format(given.method)
  end
  if path and (path:find "[?#%s]" or path:find "/" and not path:find "^/") then
    return ("path is as in /api/v3/order, without host and query, not '%s'"):format(path)
  end
  if not self.ops[given.on] then return nil end
  for _, request in ipairs(self.ops[given.on]) do
    if (not method or request.method == method) and (not path or path:find(request.pattern)) then return nil end
  end
  return ("no request of '%s' has that method and path (it makes: %s)"):format(given.on,
    table.concat(self.its.ops[given.on], ", "))
end

--- Whether a link fault is about this request.
function Door.meets(fault, request)
  return not (fault.path and fault.path ~= request.path) and not (fault.method and fault.method ~= request.method)
    and (not fault.on or among(fault.on, request.method, request.path))
end

--- Whether the fault comes about this time; counts it then.
local function happens(self, fault)
  if fault.probability < 1 and self.random:float() >= fault.probability then return false end
  fault.left, fault.committed = fault.left - 1, fault.committed + 1
  return true
end

--- Whether a request asks for a stream.
function Door:is_stream(ex)
  if ex.is_websocket then return true end
  return among(self.ops.stream, ex.method, ex.path) or among(self.ops.user_stream, ex.method, ex.path)
end

-- ---- the list of faults ------------------------------------------------------------------------

--- its: the dialect's door.lua; serve(ex): the venue; book: of requests; seed: of what chance decides.
function M.new(its, serve, book, seed)
  local self = setmetatable({ its = its, name = its.name, serve = serve, book = book, ops = compile(its.ops),
    faults = {}, meeting = false, random = rng.new(seed or 1, "venue faults") }, Door)
  self.links = links.new(self)
  return self
end

local function set_list(self, list)
  self.faults = list
  self.meeting, self.tapping = false, false
  for _, fault in ipairs(list) do
    self.meeting = self.meeting or fault.active and fault.entry.commit ~= nil
    self.tapping = self.tapping or fault.active and fault.entry.frame ~= nil
  end
  local venue = self.venue and self.venue()
  if venue then venue.gate = self.meeting and self or nil end
end

local function remove(self, fault)
  local list = {}
  for _, other in ipairs(self.faults) do
    if other ~= fault then list[#list + 1] = other end
  end
  timeline.ended(fault.mark)
  set_list(self, list)
end

--- One that is used up is forgotten, unless a stream is still under it.
local function tidy(self, fault)
  local entry = fault.entry
  if fault.left < 1 and not entry.attach and not entry.hush and not fault.stop then remove(self, fault) end
end

-- ---- requests ------------------------------------------------------------------------------------

--- The exchange, with what it opens tapped.
local function tapped(self, ex)
  local out, path = visit.stand_in(ex, function(...) return ex:reply(...) end, true), ex.path
  local line = self.its.lines and tap.new(self, ex, path, true)
  if line then
    function out.write(_, data) return line:write(data) end
    out.tap = line
  end
  function out.upgrade(_, on)
    local sock, err = ex:upgrade(on)
    return sock and tap.new(self, sock, path), err
  end
  return out
end

--- Commits the first fault that meets the request.  Returns whether one did.
local function commit(self, ex, http)
  for _, fault in ipairs(self.faults) do
    local entry = fault.entry
    local fits = entry.commit and (http or not entry.http_only)
    if fits and not (entry.calls_only and http and self:is_stream(ex)) and meets(fault, fault.on, ex.method, ex.path)
      and happens(self, fault) then
      tidy(self, fault)
      if self.on_fault then self.on_fault(fault.name) end
      entry.commit(visit.new(self, ex, fault), fault.values)
      return true
    end
  end
  return false
end

--- Lets one request in.
function Door:enter(ex)
  if self.links.aimed > 0 then self.links:meet(ex) end
  if self.tapping and self:is_stream(ex) then ex = tapped(self, ex) end
  if self.meeting and commit(self, ex, true) then return end
  return self.serve(ex)
end

--- A request inside a WebSocket, of a venue whose gate this is.  message: see visit.message_of.
function Door:message(message)
  local ex = visit.message_of(message)
  if not commit(self, ex, false) then ex.perform(function(text) return ex.sock:send(text) end) end
end

-- ---- streams ---------------------------------------------------------------------------------------

--- A stream comes under the faults that are in force.
local function put_under(self, fault, stream)
  if not fault.entry.attach or stream.under[fault] then return end
  if not meets(fault, fault.frames_on, "GET", stream.path) or not happens(self, fault) then return end
  stream.under[fault] = true
  fault.entry.attach(stream)
end

function Door:welcome(stream)
  for _, fault in ipairs(self.faults) do put_under(self, fault, stream) end
end

--- Every stream that is open, tapped; they stay so.
local function taps(self)
  local out = {}
  for _, session in ipairs(self.venue():every_session()) do
    local holder = stall.is(session.sock) and session.sock or session
    local sock = holder.sock
    if type(sock) == "table" and sock.tap then sock = sock.tap end
    if not tap.is(sock) then
      sock = tap.new(self, sock, session.path, self.its.lines)
      holder.sock = sock
    end
    out[#out + 1] = sock
  end
  return out
end

local function may(fault, stream, kind)
  local entry = fault.entry
  if not entry.frame or not entry.frames[kind] then return false end
  if entry.attach or entry.hush then return stream.under[fault] == true end
  if entry.may and not entry.may(stream) then return false end
  return meets(fault, fault.frames_on, "GET", stream.path)
end

--- Tells something over a stream, or what a fault makes of it.  how: send, write or ping.
function Door:tell(stream, how, data)
  local kind = how == "ping" and "beat" or self.its.kind_of(data)
  for _, fault in ipairs(self.faults) do
    if may(fault, stream, kind) and (stream.under[fault] or happens(self, fault)) then
      tidy(self, fault)
      return fault.entry.frame(stream, fault.values, data, how)
    end
  end
  local ok, err = stream:pass(how, data)
  if kind == "event" then stream:overtook() end
  return ok, err
end

--- The account's streams that are open say nothing more, until the fault is healed.
function Door:silence(fault)
  for _, stream in ipairs(taps(self)) do
    if among(self.ops.user_stream, "GET", stream.path) and not stream.under[fault] then
      stream.under[fault] = true
      fault.entry.hush(stream)
    end
  end
end

-- ---- beginning and ending ---------------------------------------------------------------------------

local function milliseconds(seconds) return math.floor(seconds * 1000 + 0.5) end

--- Ends what a fault has done.  Returns true; nil and why it cannot.
local function finish(self, fault)
  if fault.timer then fault.timer:cancel() end
  fault.timer = nil
  local held = fault.name == "down" and self.links:is_down()
  if fault.active and fault.entry.switch and not held then
    local ok, err = fault.entry.switch(self.server, false)
    if not ok then return nil, err end
  end
  if fault.stop then fault.stop() end
  if fault.active and fault.entry.detach then
    for _, stream in ipairs(taps(self)) do
      if stream.under[fault] or not fault.entry.attach and not fault.entry.hush then fault.entry.detach(stream) end
      stream.under[fault] = nil
    end
  end
  fault.active, fault.stop = false, nil
  timeline.ended(fault.mark)
  return true
end

local function begin(self, fault)
  local entry = fault.entry
  fault.active = true
  fault.mark = timeline.fault(self.name, "venue", fault.name, fault.given.on or fault.given.path)
  set_list(self, self.faults)
  if entry.switch then assert(entry.switch(self.server, true)) end
  if entry.begin then
    self.venue():settle() -- it begins now, not when the venue was asked last
    fault.stop = entry.begin(self, fault.values)
  end
  if entry.frame then
    for _, stream in ipairs(taps(self)) do put_under(self, fault, stream) end
  end
  if not fault.lasts then return end
  fault.timer = task.after(milliseconds(fault.lasts), function()
    fault.timer = nil
    if finish(self, fault) then remove(self, fault) end
  end)
end

--- Whether a venue fault keeps connections out.
function Door:is_down()
  for _, fault in ipairs(self.faults) do
    if fault.name == "down" and fault.active then return true end
  end
  return false
end

--- From now on, or from `after` on, the fault is committed.  for_good: nothing heals it.  Returns true, or nil and what
-- is wrong with it.
function Door:add(given, for_good)
  if type(given) == "table" and (given.link == nil) == (given.venue == nil) then
    return nil, "either venue, what the venue does wrong, or link, what befalls the wire, expected"
  end
  local of_links, of_venues = link_faults.table, faults.table
  if type(given) == "table" and of_links[given.venue] and not of_venues[given.venue] then
    return nil, ("'%s' befalls the wire: { link = \"%s\", .. }"):format(given.venue, given.venue)
  elseif type(given) == "table" and of_venues[given.link] and not of_links[given.link] then
    return nil, ("'%s' is what the venue does: { venue = \"%s\", .. }"):format(given.link, given.link)
  end
  local none = type(given) == "table" and chooses_none(self, given)
  if none then return nil, none end
  if type(given) == "table" and given.link ~= nil then return self.links:add(given, true) end
  local fault, wrong = faults.read(given, self.its, self.ops, self.venue())
  if not fault then return nil, wrong end
  local needs = fault.entry.needs
  if needs and not self.venue()[needs] then
    return nil, ("'%s' is not for a venue without %s"):format(fault.name, needs)
  end
  if fault.entry.switch then
    for _, other in ipairs(self.faults) do
      if other.name == fault.name then return true end
    end
  end
  fault.for_good = for_good
  self.faults[#self.faults + 1] = fault
  if fault.after > 0 then
    fault.timer = task.after(milliseconds(fault.after), function() begin(self, fault) end)
  else
    begin(self, fault)
  end
  return true
end

--- Ends all faults, or those of one name.  Returns true; nil and why it cannot.
function Door:heal(name)
  name = faults.aliases[name] or name
  if name ~= nil and not faults.table[name] and not link_faults.table[name] then
    return nil, ("no fault is called '%s' (of venues: %s; of links: %s)"):format(tostring(name),
      table.concat(faults.names(), ", "), table.concat(link_faults.names(), ", "))
  end
  local _, failed = self.links:heal(name)
  local left = {}
  for _, fault in ipairs(self.faults) do
    local ends = (not name or fault.name == name) and not fault.for_good
    if ends then
      local ok, err = finish(self, fault)
      if not ok then ends, failed = false, err end
    end
    if not ends then left[#left + 1] = fault end
  end
  set_list(self, left)
  return not failed or nil, failed
end

--- Nothing begins or ends by itself any more.
function Door:close()
  for _, fault in ipairs(self.faults) do
    if fault.timer then fault.timer:cancel() end
  end
  self.links:close()
end

--- Those in force, of each kind the oldest first: what was given, and how often each was committed.
function Door:list()
  local out = {}
  for i, fault in ipairs(self.faults) do
    out[i] = { committed = fault.committed }
    for key, value in pairs(fault.given) do out[i][key] = value end
    for _, name in ipairs { "times", "count" } do
      if out[i][name] then out[i][name] = fault.left end
    end
  end
  return table.move(self.links:list(), 1, #self.links.faults, #out + 1, out)
end

return M
