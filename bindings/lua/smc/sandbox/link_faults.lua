--- The faults of the link between a client and a venue, as one table, in the form of that of the venue faults
-- (faults.lua): from name to
--   doc      what happens on the wire
--   params   name -> { type, doc, default, least, most, unit, api }.  api: by what a value is multiplied in Toxiproxy's
--            HTTP API, which counts milliseconds and microseconds
--   class    what our client makes of it: read =, order =, stream = (open when it begins), connect = (a stream that is
--            to be opened): a class of errors, a list of possible ones, "-" for none; under a venue's name what differs
--   recovers  how a client gets over it
--   toxic    toxic(p) -> the numbers of the core's toxic of that kind (smc/link.h)
--   stream   the direction when none is given (default: downstream)
--   aimed    meets requests, also when none are chosen
--   switch   in place of toxic, for what happens to all connections: switch(server, on) -> true or nil, err
--   needs_tls  only for a venue with TLS;  clients: only where the clients are of this process
--   one_of   parameters of which one is given, or it does nothing
--   toxiproxy  it is one of Toxiproxy's
local M = {}

--- As in faults.lua; connect: a stream that is to be opened.
M.seams = { "read", "order", "stream", "connect" }
M.within = { read = 10.5, order = 11, stream = 20, connect = 10.1, healed = 1.5, oanda = { order = 62 } }

local MS, US = 1000, 1000000

local function certificate(doc, kind)
  return { doc = doc, params = {}, needs_tls = true,
    class = { read = "network", order = "network", stream = "network", connect = "network" },
    recovers = "by another connection, once it is healed", switch = function(server, on)
    local ok, err = server:certificate(on and kind or "right")
    if ok then server:drop() end
    return ok, err
  end }
end

M.table = {
  latency = {
    doc = "bytes arrive so much later, in order", toxiproxy = true, one_of = { "latency", "jitter" },
    class = { read = "-", order = "-", stream = "-", connect = "-" },
    recovers = "at once",
    params = { latency = { "number", "how much", unit = "s", default = 0, least = 0, api = MS },
      jitter = { "number", "by which that may be shorter or longer", unit = "s", default = 0, least = 0, api = MS } },
    toxic = function(p) return { time = p.latency, jitter = p.jitter } end,
  },
  bandwidth = {
    doc = "so many bytes pass in a second at most, on each connection", toxiproxy = true,
    class = { read = "-", order = "-", stream = "-", connect = "-" },
    recovers = "at once",
    params = { rate = { "integer", "of 1000 bytes; 0: nothing passes", unit = "KB/s", default = 0, least = 0 } },
    toxic = function(p) return { size = p.rate * 1000 } end,
  },
  slow_close = {
    doc = "the end of a connection arrives so much later", toxiproxy = true, one_of = { "delay" },
    class = { read = "-", order = "-", stream = "-", connect = "-" },
    recovers = "at once",
    params = { delay = { "number", "how much", unit = "s", default = 0, least = 0, api = MS } },
    toxic = function(p) return { time = p.delay } end,
  },
  timeout = {
    doc = "bytes vanish; the connection is closed so much later, or when this is healed",
    toxiproxy = true,
    class = { read = "network", order = "unknown_outcome", stream = "network", connect = "network" },
    recovers = "by another connection, once it is healed",
    params = { timeout = { "number", "0: it is not closed before", unit = "s", default = 0, least = 0, api = MS } },
    toxic = function(p) return { time = p.timeout } end,
  },
  reset_peer = {
    doc = "the next bytes vanish and the connection is reset", toxiproxy = true,
    class = { read = "network", order = "unknown_outcome", stream = "network", connect = "network" },
    recovers = "by another connection, once it is healed",
    params = { timeout = { "number", "until it is", unit = "s", default = 0, least = 0, api = MS } },
    toxic = function(p) return { time = p.timeout } end,
  },
  slicer = {
    doc = "bytes arrive in small pieces", toxiproxy = true,
    class = { read = "-", order = "-", stream = "-", connect = "-" },
    recovers = "at once",
    params = { average_size = { "integer", "bytes of a piece", default = 64, least = 1 },
      size_variation = { "integer", "bytes by which it may be smaller or larger; less than average_size", default = 0,
        least = 0 },
      delay = { "number", "between pieces", unit = "s", default = 0, least = 0, api = US } },
    toxic = function(p) return { size = p.average_size, variation = p.size_variation, time = p.delay } end,
  },
  limit_data = {
    doc = "exactly so many bytes of each connection pass, then it is closed", toxiproxy = true,
    class = { read = "network", order = "unknown_outcome", stream = "network", connect = "network" },
    recovers = "by another connection, once it is healed",
    params = { bytes = { "integer", "that pass", default = 0, least = 0 } },
    toxic = function(p) return { size = p.bytes } end,
  },
  blackhole = {
    doc = "nothing passes, and nobody is told; what was held back goes its way when this is healed", stream = "both",
    class = { read = "timeout", order = "unknown_outcome", stream = "network", connect = "timeout" },
    recovers = "by itself, once it is healed",
    params = {},
    toxic = function() return {} end,
  },
  corrupt = {
    doc = "a share of the bytes arrives as other bytes",
    class = { read = "protocol", order = "unknown_outcome", stream = "protocol", connect = { "timeout", "network" },
      oanda = { connect = "protocol" } },
    recovers = "by another connection, once it is healed",
    params = { rate = { "number", "the share", default = 0.1, least = 0, most = 1 },
      skip = { "integer", "bytes of each connection that arrive unharmed before", default = 0, least = 0 } },
    toxic = function(p) return { share = p.rate, size = p.skip } end,
  },
  close_mid_body = {
    doc = "a connection is closed in the middle of the body of its next answer, or of its next frame", aimed = true,
    class = { read = "network", order = "unknown_outcome", stream = "network", connect = "network" },
    recovers = "by another connection",
    params = {},
    toxic = function() return {} end,
  },
  half_open = {
    doc = "the venue's end of a connection is gone, and the client is not told; reset when this is healed",
    class = { read = "timeout", order = "unknown_outcome", stream = "network", connect = "timeout" },
    recovers = "by another connection, once it is healed",
    stream = "both", params = {},
    toxic = function() return {} end,
  },
  down = {
    doc = "connections are refused, and those that are open are reset", params = {}, toxiproxy = true,
    class = { read = "network", order = "network", stream = "network", connect = "network" },
    recovers = "by another connection, once it is healed",
    switch = function(server, on)
      local ok, err = server:refuse(on)
      if ok and on then server:drop() end
      return ok, err
    end,
  },
  dns = {
    doc = "the venue's name has no address, and connections that are open are reset", params = {}, clients = true,
    class = { read = "network", order = "network", stream = "network", connect = "network" },
    recovers = "by another connection, once it is healed",
    switch = function(server, on)
      local ok, err = server:hide(on)
      if ok and on then server:drop() end
      return ok, err
    end,
  },
  tls_expired = certificate("the venue's certificate has expired", "expired"),
  tls_wrong_host = certificate("the venue's certificate is for another host", "wrong_host"),
  tls_unknown_ca = certificate("the venue's certificate is from an authority that nobody trusts", "wrong_authority"),
}

M.aliases = {}

--- Where one acts: "connections", "answers and frames", "the venue".
function M.place(fault)
  if fault.switch then return "the venue" end
  return fault.aimed and "answers and frames" or "connections"
end

--- Parameters of all link faults; those of which connections are not for a state of the whole venue.
M.common = {
  stream = { "string", "upstream (to the venue), downstream or both" },
  toxicity = { "number", "the probability that a connection is hit", default = 1, least = 0, most = 1 },
  count = { "integer", "so many connections (with on, path or method: requests) are hit at most", least = 1 },
  on = { "string", "only answers to this call of smc.venue, and the frames of streams that it opened" },
  path = { "string", "only answers to requests of this path" },
  method = { "string", "only answers to requests of this method" },
  after = { "number", "before it begins", unit = "s", default = 0, least = 0, most = 1e9 },
  ["for"] = { "number", "that it lasts; default: until healed; Lua: for_ or [\"for\"]", unit = "s", least = 0.001,
    most = 1e9 },
}

local TIMED = { after = true, ["for"] = true }

--- The names, sorted.
function M.names()
  local out = {}
  for name in pairs(M.table) do out[#out + 1] = name end
  table.sort(out)
  return out
end

-- ---- what was asked for ----------------------------------------------------------------

local STREAMS = { upstream = true, downstream = true, both = true }
local CHOOSING = { "on", "path", "method" }

local function range(p)
  if p.most then return (" from %g to %g"):format(p.least, p.most) end
  return p.least and (" of %g or more"):format(p.least) or ""
end

local function article(kind) return kind == "integer" and "a whole number" or "a " .. kind end

--- The value of a parameter, or nil and what is wrong.
local function read_param(name, p, value)
  if value == nil then return p.default end
  local kind = p[1] == "integer" and math.type(value) or type(value)
  if kind ~= p[1] or value ~= value or p.least and value < p.least or p.most and value > p.most then
    return nil, ("%s must be %s%s"):format(name, article(p[1]), range(p))
  end
  return value
end

--- Which parameters of all faults one takes.
function M.takes(fault, name)
  return M.common[name] ~= nil and (fault.toxic ~= nil or TIMED[name] == true)
end

local function known_params(fault)
  local out = {}
  for key, p in pairs(fault.params) do out[key] = p end
  for key, p in pairs(M.common) do
    if M.takes(fault, key) then out[key] = p end
  end
  return out
end

local function unknown_param(name, key, fault, known)
  if M.common[key] and not fault.toxic then
    return ("%s has no '%s': it happens to all connections at once"):format(name, key)
  end
  local names = {}
  for each in pairs(known) do names[#names + 1] = each end
  table.sort(names)
  return ("unknown parameter '%s' of '%s' (it has: %s)"):format(tostring(key), name, table.concat(names, ", "))
end

local function list_of(set)
  local out = {}
  for name in pairs(set) do out[#out + 1] = name end
  table.sort(out)
  return table.concat(out, ", ")
end

local function check_together(name, fault, given, values, ops)
  local chosen
  for _, key in ipairs(CHOOSING) do chosen = chosen or given[key] and key end
  if given.stream and not STREAMS[given.stream] then return "stream must be upstream, downstream or both" end
  if (chosen or fault.aimed) and given.stream == "upstream" then
    return ("%s: a request has gone upstream before anybody knows what it asks for; leave %s out, or stream")
      :format(name, chosen or "stream")
  end
  if given.on and next(ops) == nil then return "on: this venue's sandbox names no calls; choose by path and method" end
  if given.on and not ops[given.on] then
    return ("no call is named '%s' (on: %s)"):format(given.on, list_of(ops))
  end
  if values.size_variation and values.size_variation >= values.average_size then
    return "size_variation must be less than average_size"
  end
  return nil, fault.aimed or chosen ~= nil
end

--- Why one would do nothing, or nil.
function M.idle(given)
  local fault = M.table[given.link]
  for _, key in ipairs(fault and fault.one_of or {}) do
    if given[key] ~= nil and given[key] ~= 0 then return nil end
  end
  return fault and fault.one_of and ("%s does nothing without %s"):format(given.link,
    table.concat(fault.one_of, " or ")) or nil
end

--- Reads { link = NAME, and parameters }.  ops: the calls of the venue.
-- Returns { name, given, values, aimed, stream }; or nil and what is wrong.
function M.read(given, ops)
  local name = given.link
  local fault = M.table[name]
  if not fault then
    return nil, ("no link fault is called '%s' (known: %s)"):format(tostring(name), table.concat(M.names(), ", "))
  end
  local known, values = known_params(fault), {}
  for key in pairs(given) do
    if key ~= "link" and not known[key == "for_" and "for" or key] then
      return nil, unknown_param(name, key, fault, known)
    end
  end
  if given["for"] and given.for_ then return nil, "for and for_ are the same; give one of them" end
  for key, p in pairs(known) do
    local value, wrong = read_param(key, p, key == "for" and given.for_ or given[key])
    if wrong then return nil, wrong end
    values[key] = value
  end
  local why, aimed = check_together(name, fault, given, values, ops)
  if why then return nil, why end
  return { name = name, given = given, values = values, aimed = aimed or false,
    stream = given.stream or fault.stream or "downstream" }
end

return M
