--- Faults of what a venue tells over its streams.  See sandbox/faults.lua.
--   frames    the kinds of frames that meet it: event, answer (to what the client sent), beat (pings, heartbeats)
--   frame     frame(tap, p, data, how): in place of sending one
--   attach    attach(tap): a stream comes under it;  detach(tap): it is over.  `times` counts streams then
local answers = require "smc.sandbox.faults.answers"
local bytes = require "smc.sandbox.faults.bytes"

local M = {}

local EVENTS = { event = true }
local ANY = { event = true, answer = true, beat = true }
local SAID = { event = true, answer = true }

M.duplicate = {
  doc = "tells each event twice",
  params = {}, frames = EVENTS,
  class = { stream = "-" },
  recovers = "by itself: what was told is not told again",
  frame = function(tap, _, data, how)
    tap:pass(how, data)
    tap:pass(how, data)
  end,
}

M.out_of_order = {
  doc = "holds an event back until others were told that came after it",
  params = { by = { "integer", "how many overtake it", unit = "events", default = 1, least = 1, most = 1000 } },
  frames = EVENTS,
  class = { stream = "-" },
  recovers = "by itself; a book says `gap` and is made anew, an account's stream fills in what overtook",
  may = function(tap) return not tap:holds() end,
  frame = function(tap, p, data, how) tap:hold_back(how, data, p.by) end,
  detach = function(tap) tap:let_go() end,
}

M.lost = {
  doc = "does not tell an event, and goes on",
  params = {}, frames = EVENTS,
  class = { stream = "-" },
  recovers = "a book says `gap` and is made anew; what an account's stream missed is asked for when it is made anew",
  frame = function() end,
}

M.stall = {
  doc = "a stream goes silent and does not end; what was held back comes when it is healed",
  params = {}, frames = ANY,
  class = { stream = "network" },
  recovers = "the stream is made anew within stale_after",
  attach = function(tap) tap:answer_pings(false) end,
  frame = function(tap, _, data, how)
    tap:keep(how, data)
    return "withheld"
  end,
  detach = function(tap)
    tap:answer_pings(true)
    tap:send_kept()
  end,
}

M.no_heartbeat = {
  doc = "sends no pings and no heartbeats over a stream, and answers none; events go on",
  params = {}, frames = { beat = true },
  class = { stream = "network" },
  recovers = "nothing while events come; a stream without events is made anew within stale_after",
  attach = function(tap) tap:answer_pings(false) end,
  frame = function() return "withheld" end,
  detach = function(tap) tap:answer_pings(true) end,
}

M.bad_frame = {
  doc = "sends a damaged frame in place of the next one",
  params = { kind = { "string", "json: half of the text; wrong_type: JSON with values of wrong types; utf8; oversized: "
    .. "no end in sight; of WebSockets also reserved_bits, opcode, continuation, control, masked; of lines also chunk",
    default = "json", one_of = { "json", "wrong_type", "utf8", "oversized", "reserved_bits", "opcode", "continuation",
      "control", "masked", "chunk" } } },
  frames = SAID,
  check = function(values, _, its)
    if values.kind == "wrong_type" or (its.lines and bytes.broken_line or bytes.broken)[values.kind] then return nil end
    return its.lines and "a stream of lines has no frames; kind is json, wrong_type, utf8, oversized or chunk there"
      or "chunk is a kind of streams of lines; a WebSocket has frames"
  end,
  class = { stream = "protocol" },
  recovers = "the stream is made anew at once",
  frame = function(tap, p, data, how)
    if p.kind == "wrong_type" then return tap:pass(how, answers.wrong_types(data, "leaves")) end
    if tap.lines and p.kind ~= "chunk" then return tap:pass(how, bytes.broken_line[p.kind](data)) end
    tap:raw((tap.lines and bytes.broken_line or bytes.broken)[p.kind](data))
  end,
}

local NEVER_SENT = { [1004] = true, [1005] = true, [1006] = true, [1015] = true } -- RFC 6455, 7.4.1

M.close = {
  doc = "ends a stream in place of the next frame; oanda: its answer ends",
  params = { code = { "integer", "of the Close frame; 1005: none in it; 1006: no Close frame at all", least = 1000,
    most = 4999, default = 1001 }, reason = { "string", "in the Close frame", default = "" } },
  frames = SAID,
  check = function(_, given, its)
    if its.lines and (given.code or given.reason) then return "a stream of lines ends without a code or a reason" end
  end,
  class = { stream = "network" },
  recovers = "the stream is made anew at once",
  frame = function(tap, p)
    if tap.lines then return tap:finish() end
    if p.code == 1006 then return tap:drop() end
    if p.code == 1005 then return tap:raw(bytes.frame("", 0, 0x88)) end
    if NEVER_SENT[p.code] or p.code > 1014 and p.code < 3000 then return tap:raw(bytes.close(p.code)) end
    tap:close(p.code, p.reason)
  end,
}

return M
