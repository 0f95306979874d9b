--- Faults that meet requests: what a venue answers, over HTTP or inside a WebSocket.  See sandbox/faults.lua.
local bytes = require "smc.sandbox.faults.bytes"
local json = require "smc.json"
local orders = require "smc.sandbox.faults.orders"
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

local function refuse(visit, p)
  instead(visit, p, function(ex)
    ex:reply(p.status, visit:error_answer(p))
    return p.status
  end)
end

M.status = {
  doc = "answers with this HTTP status and the venue's own error body, where it has one",
  params = { status = STATUS, code = { "any", "the venue's code in the body" },
    message = { "string", "the venue's text in the body" },
    retry_after = { "number", "as a Retry-After header", unit = "s", least = 0 }, carried_out = CARRIED_OUT },
  class = { read = "server", order = "unknown_outcome", stream = "server", binance = { order = "server" } },
  recovers = "the next call; an order in doubt is looked up by its client id",
  commit = refuse,
}

local STORM = { 500, 502, 503, 504 }

M.storm = {
  doc = "answers with 500, 502, 503 or 504, as chance has it",
  params = { carried_out = CARRIED_OUT },
  class = { read = "server", order = "unknown_outcome", stream = "server",
    binance = { read = { "server", "timeout" }, order = { "unknown_outcome", "server" } } },
  recovers = "the next call; an order in doubt is looked up by its client id",
  commit = function(visit, p)
    refuse(visit, { status = STORM[visit.door.random:int(1, #STORM)], carried_out = p.carried_out })
  end,
}

M.slow = {
  doc = "does at once what was asked, and answers later",
  params = { seconds = { "number", "how late the answer is", unit = "s", needed = true, least = 0 } },
  class = { read = "-", order = "-", stream = "-" },
  recovers = "by itself, when the answer comes within the client's timeout; else as `silent`",
  commit = function(visit, p)
    visit:carry_out(function(ex, status, headers, body)
      task.after(math.floor(p.seconds * 1000 + 0.5), function() ex:reply(status, headers, body) end)
    end, { streams = true })
  end,
}

M.ack_lost = {
  doc = "does what was asked; the connection dies before the answer",
  params = {},
  class = { read = "network", order = "unknown_outcome", stream = "network", oanda = { order = "-" } },
  recovers = "the order is looked up by its client id; oanda's client does so by itself",
  commit = function(visit) visit:carry_out(drop) end,
}

M.ack_twice = {
  doc = "does what was asked, once, and says so twice",
  params = {},
  calls_only = true,
  class = { read = "-", order = "-" },
  recovers = "the second answer is thrown away with its connection, and belongs to no other call",
  commit = function(visit)
    visit:carry_out(function(ex, status, headers, body) visit:twice(ex, status, headers, body or "") end)
  end,
}

M.early_fill = {
  doc = "fills the order that was just placed and tells so on the streams; the acknowledgement comes later",
  params = { seconds = { "number", "how late the acknowledgement is", unit = "s", default = 0.05, least = 0 } },
  calls_only = true, default_on = "place",
  class = { order = "-" },
  recovers = "by itself: the fill is handed out once, whichever arrives first",
  commit = function(visit, p)
    local door = visit.door
    local before = orders.known(door.box)
    visit:carry_out(function(ex, status, headers, body)
      orders.fill(door, orders.newest(door.box, before), 1)
      task.after(math.floor(p.seconds * 1000 + 0.5), function() ex:reply(status, headers, body) end)
    end)
  end,
}

M.partial_fill = {
  doc = "fills a part of the order that was just placed, tells so, and the account's streams are silent from then on",
  params = { share = { "number", "of the order that is filled", default = 0.5, least = 0.01, most = 0.99 } },
  not_for = { oanda = "fills a resting order whole" },
  calls_only = true, default_on = "place",
  class = { order = "-" },
  recovers = "the silent stream is made anew within stale_after, and asks what became of the order",
  frames = { event = true, answer = true, beat = true },
  hush = function(tap) tap:answer_pings(false) end,
  frame = function(tap, _, data, how) tap:keep(how, data) end,
  detach = function(tap)
    tap:answer_pings(true)
    tap:send_kept()
  end,
  commit = function(visit, p)
    local door = visit.door
    local before = orders.known(door.box)
    visit:carry_out(function(ex, status, headers, body)
      orders.fill(door, orders.newest(door.box, before), p.share)
      door:silence(visit.fault)
      ex:reply(status, headers, body)
    end)
  end,
}

M.reset = {
  doc = "drops the connection in place of an answer, and does nothing",
  params = {},
  class = { read = "network", order = "unknown_outcome", stream = "network" },
  recovers = "the next call; an order in doubt is looked up by its client id",
  commit = function(visit)
    visit:record()
    drop(visit.ex)
  end,
}

M.silent = {
  doc = "keeps the connection, and never answers",
  params = { carried_out = CARRIED_OUT },
  class = { read = "timeout", order = "unknown_outcome", stream = "timeout" },
  recovers = "the next call, after the client's timeout; an order in doubt is looked up by its client id",
  commit = function(visit, p) instead(visit, p, function() end) end,
}

M.truncated = {
  doc = "does what was asked; the connection ends in the middle of the answer's body",
  params = { bytes = { "integer", "of the body that are sent; half of it when missing", least = 0 } },
  calls_only = true,
  class = { read = "network", order = "unknown_outcome", oanda = { order = "-" } },
  recovers = "the next call; an order in doubt is looked up by its client id",
  commit = function(visit, p)
    visit:carry_out(function(ex, status, headers, body)
      body = body or ""
      visit:cut(ex, status or 200, headers, body, math.max(0, math.min(p.bytes or #body // 2, #body - 1)))
    end)
  end,
}

M.not_json = {
  doc = "answers with a page in place of JSON",
  params = { status = { "integer", "of the answer", default = 200, least = 200, most = 599 },
    body = { "string", "of the answer", default = PAGE, shown = "an HTML page" }, carried_out = CARRIED_OUT },
  class = { read = "protocol", order = "unknown_outcome", stream = "protocol" },
  recovers = "the next call; an order in doubt is looked up by its client id",
  commit = function(visit, p)
    instead(visit, p, function(ex)
      ex:reply(p.status, { { "Content-Type", "text/html" } }, p.body)
      return p.status
    end)
  end,
}

-- ---- JSON of the wrong types ------------------------------------------------------------------

local leaves

--- A value of another type in the place of each that holds no others.
local function wrong(value)
  if type(value) == "table" then return leaves(value) end
  if value == json.null or type(value) == "boolean" then return "wrong" end
  if type(value) == "string" then return false end
  return "wrong"
end

function leaves(value)
  local out = {}
  if #value > 0 then
    for i, inner in ipairs(value) do out[i] = wrong(inner) end
    return json.array(out)
  end
  for name, inner in pairs(value) do out[#out + 1] = { name, wrong(inner) } end
  return #out > 0 and json.object(out) or value
end

local KINDS = {
  leaves = wrong,
  null = function() return json.null end,
  array = function() return json.array {} end,
  object = function() return json.object() end,
  text = function() return "wrong" end,
}

--- The text of an answer or an event with values of wrong types.  inside: the name of the part that is the answer
-- itself, where the venue puts an envelope around it.
function M.wrong_types(text, kind, inside)
  local value = json.decode(text)
  if type(value) ~= "table" then return '"wrong"' end
  if inside and value[inside] ~= nil then
    value[inside] = KINDS[kind](value[inside])
    return json.encode(value)
  end
  return json.encode(KINDS[kind](value))
end

M.wrong_type = {
  doc = "does what was asked; the answer is JSON, with values of types that the venue does not promise",
  params = { kind = { "string", "leaves: every value that holds no others has another type; or a null, array, object "
    .. "or text in place of the answer", default = "leaves",
    one_of = { "leaves", "null", "array", "object", "text" } } },
  calls_only = true,
  class = { read = "protocol", order = "unknown_outcome", oanda = { order = "-" } },
  recovers = "the next call; an order in doubt is looked up by its client id",
  commit = function(visit, p)
    visit:carry_out(function(ex, status, headers, body)
      ex:reply(status, headers, M.wrong_types(body or "", p.kind, visit.door.its.envelope))
    end)
  end,
}

-- ---- lengths and encodings ----------------------------------------------------------------------

local function with(headers, name, value)
  local out = { { name, value } }
  return table.move(headers or {}, 1, #(headers or {}), 2, out)
end

M.content_length = {
  doc = "does what was asked; the answer says of itself that it is longer (by > 0) or shorter than it is",
  params = { by = { "integer", "added to the true length; not 0", unit = "bytes", default = 10, least = -1000000,
    most = 1000000 } },
  check = function(values) return values.by == 0 and "by must not be 0: that is the true length" or nil end,
  calls_only = true,
  class = { read = "timeout", order = "unknown_outcome", oanda = { order = "-" } },
  recovers = "the next call, over another connection; an order in doubt is looked up by its client id",
  commit = function(visit, p)
    visit:carry_out(function(ex, status, headers, body)
      body = body or ""
      visit:mislead(ex, status, headers, body, math.max(0, #body + p.by))
    end)
  end,
}

local DAMAGES = { "none", "crc", "cut", "block", "plain" }

M.gzip = {
  doc = "does what was asked; the answer comes with Content-Encoding: gzip, whether asked for or not, and is damaged",
  params = { damage = { "string", "crc: a wrong checksum; cut: half of it; block: a bad block; plain: no gzip at all; "
    .. "none", default = "block", one_of = DAMAGES } },
  http_only = true,
  calls_only = true,
  class = { read = "protocol", order = "unknown_outcome", oanda = { order = "-" } },
  recovers = "the next call; an order in doubt is looked up by its client id",
  commit = function(visit, p)
    visit:carry_out(function(ex, status, headers, body)
      ex:reply(status, with(headers, "Content-Encoding", "gzip"), bytes.gzip[p.damage](body or ""))
    end)
  end,
}

return M
