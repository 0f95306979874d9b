--- The faults that every sandbox can commit, as one table: from name to
--   doc       what the venue does, in a sentence
--   params    name -> { type ("string", "number", "integer", "boolean", "any"), doc, default, least, most, needed,
--             one_of, unit, shown: in the place of a default that is too long to print }
--   class     what our client makes of it: read =, order =, stream = a class of errors, "-" for none; what is left out
--             does not meet it; under a venue's name what differs there
--   recovers  how a client gets over it
--   check     check(values, given, its, venue) -> what is wrong with the values, or nil
--   not_for   venue -> why it has no such thing
-- and at least one of
--   commit    commit(visit, p): answers one request (faults/answers.lua).  http_only: not one inside a WebSocket;
--             calls_only: not one that asks for a stream; default_on: the call that it is of, when none is named
--   frame     frame(tap, p, data, how): sends something in place of a frame (faults/streams.lua)
--   begin, switch: a state of the whole venue (faults/states.lua)
-- The front door (door.lua) carries them out.
local lists = require "smc.list"

local M = { table = {}, aliases = { http = "status" } }

--- What of our client is met, and the seconds within which each is over; healed: the next call after the end of a
-- fault, and of the wait that the venue has asked for.
M.seams = { "read", "order", "stream" }
M.within = { read = 10.5, order = 11, stream = 45, healed = 1, oanda = { order = 36 } }

for _, part in ipairs { "answers", "states", "streams" } do
  for name, fault in pairs(require("smc.sandbox.faults." .. part)) do
    if type(fault) == "table" then M.table[name] = fault end
  end
end

--- The names, sorted.
function M.names()
  local out = {}
  for name in pairs(M.table) do out[#out + 1] = name end
  table.sort(out)
  return out
end

--- Where one acts: "requests", "streams", "requests and streams", "the venue".
function M.place(fault)
  if fault.begin or fault.switch then return "the venue" end
  if fault.commit and fault.frames_of then return "requests and streams" end
  return fault.commit and "requests" or "streams"
end

-- ---- what was asked for ----------------------------------------------------------------

--- Parameters of all faults, in the same form; those of which requests are not for a state.
M.common = {
  on = { "string", "a call of the client, as in requests{ op = .. }: its requests, also inside a WebSocket; or its "
    .. "stream" },
  path = { "string", "of a request, or of a stream's handshake" },
  method = { "string", "of a request; WS: one inside a WebSocket" },
  times = { "integer", "so many requests, frames or silent streams; default: until healed", least = 1 },
  count = { "integer", "the same as times", least = 1 },
  probability = { "number", "of meeting it, by the seed", default = 1, least = 0, most = 1 },
  after = { "number", "before it begins", unit = "s", default = 0, least = 0, most = 1e9 },
  ["for"] = { "number", "that it lasts; default: until healed; Lua: for_ or [\"for\"]", unit = "s", least = 0.001,
    most = 1e9 },
}
local TIMED = { after = true, ["for"] = true, for_ = true }

local function fits(value, kind)
  if kind == "any" then return type(value) ~= "table" and type(value) ~= "function" end
  return kind == (kind == "integer" and math.type(value) or type(value))
end

local function a(kind) return (kind == "integer" and "an " or "a ") .. kind end

local function bound(n) return math.type(n) == "integer" and ("%d"):format(n) or ("%g"):format(n) end

local function range(p)
  if p.one_of then return ": " .. table.concat(p.one_of, ", ") end
  if p.most then return (" from %s to %s"):format(bound(p.least), bound(p.most)) end
  return p.least and (" of %s or more"):format(bound(p.least)) or ""
end

local function among(list, value)
  for _, known in ipairs(list) do
    if known == value then return true end
  end
  return false
end

--- The value of a parameter, or nil and what is wrong.
local function read_param(name, p, value)
  if value == nil then
    if p.needed then return nil, ("%s (%s) is missing"):format(name, p[2]) end
    return p.default
  end
  if not fits(value, p[1]) or p.least and value < p.least or p.most and value > p.most
    or p.one_of and not among(p.one_of, value) then
    return nil, ("%s must be %s%s"):format(name, a(p[1]), range(p))
  end
  return value
end

--- Which parameters of all faults one takes.
function M.takes(fault, name)
  local all = fault.begin or fault.switch
  return M.common[name] ~= nil and (not all or TIMED[name] == true)
end

local function check_names(name, fault, given)
  for key in pairs(given) do
    local plain = key == "for_" and "for" or key
    if key ~= "venue" and not fault.params[key] and not M.takes(fault, plain) then
      local names = {}
      for each in pairs(M.common) do names[#names + 1] = M.takes(fault, each) and each or nil end
      return ("%s of '%s'"):format(lists.unknown("parameter", key, fault.params, table.unpack(names)), name)
    end
  end
  if given.times and given.count then return "times and count are the same; give one of them" end
  if given["for"] and given.for_ then return "for and for_ are the same; give one of them" end
end

local function sorted_keys(set)
  local out = {}
  for key in pairs(set) do out[#out + 1] = key end
  table.sort(out)
  return out
end

--- What is wrong with `on`, or nil.  ops: those of the venue.
local function check_on(name, fault, on, ops)
  if not on then return nil end
  if next(ops) == nil then return "on: this venue's sandbox names no calls; choose by path and method" end
  if not ops[on] then
    return ("no call is named '%s' (on: %s)"):format(on, table.concat(sorted_keys(ops), ", "))
  end
  if not fault.commit and on ~= "stream" and on ~= "user_stream" then
    return ("'%s' is of streams: on is stream or user_stream, not %s"):format(name, on)
  end
end

local function find(name, its)
  name = M.aliases[name] or name
  local fault = type(name) == "string" and M.table[name]
  if not fault then
    return nil, ("no venue fault is called '%s' (known: %s)"):format(tostring(name), table.concat(M.names(), ", "))
  end
  local why = fault.not_for and fault.not_for[its.name]
  if why then return nil, ("'%s' is not for %s, which %s"):format(name, its.name, why) end
  if not fault.commit and fault.frame and not its.kind_of then
    return nil, ("'%s' is of streams, and this sandbox has none"):format(name)
  end
  return fault, nil, name
end

--- Why no request can have met a fault of that name, or nil when one can.
function M.unseen(name)
  local fault = M.table[name]
  if fault and fault.commit then return nil end
  if not fault then
    return ("no fault of requests is called '%s'; of what befell the wire see sandbox:faults()"):format(name)
  end
  return ("'%s' is noted at no request; see %s"):format(name, fault.needs == "limits"
    and "sandbox:limits().violations, or their status" or "sandbox:faults(), which says how often it was committed")
end

local function read_all(params, given)
  local values = {}
  for _, key in ipairs(sorted_keys(params)) do
    local value, wrong = read_param(key, params[key], key == "for" and given.for_ or given[key])
    if wrong then return nil, wrong end
    values[key] = value
  end
  return values
end

--- Reads { venue = NAME, and parameters }.  its: what the venue's door knows; ops: its calls, compiled; venue: itself.
-- Returns { name, entry, given, values, on, path, method, probability, after, lasts, left, committed }; or nil and what
-- is wrong.
function M.read(given, its, ops, venue)
  if type(given) ~= "table" then return nil, "a table such as { venue = \"reset\", on = \"place\" } expected" end
  local fault, wrong, name = find(given.venue, its)
  if not fault then return nil, wrong end
  wrong = check_names(name, fault, given) or check_on(name, fault, given.on, ops)
  local which, values
  if not wrong then which, wrong = read_all(M.common, given) end
  if not wrong then values, wrong = read_all(fault.params or {}, given) end
  if not wrong and fault.check then wrong = fault.check(values, given, its, venue) end
  if wrong then return nil, wrong end
  return { name = name, entry = fault, given = given, values = values, on = ops[which.on or fault.default_on or false],
    frames_on = ops[which.on or fault.frames_of or false], path = which.path,
    method = which.method and which.method:upper(), probability = which.probability, after = which.after,
    lasts = which["for"], left = which.times or which.count or math.huge, committed = 0 }
end

return M
