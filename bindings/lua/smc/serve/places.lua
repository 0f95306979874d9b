--- Where the sandboxes of `smcrun serve` are, for people and for programs, by the guide of each dialect: a table
--   offset    its port lies so many behind --port (the control API's is 1)
--   assume    assumptions of the sandbox that are others here
--   takes     the options of the command line that fix its credentials
--   examples  bodies for the control API, where venues differ
--   keep      how many ended orders of an account and symbol, and trades of a symbol, are remembered; nil: all
--   places    a list of { name in JSON, label for people, value }
--   clients   a list of { package, lines that point it at the sandbox; credentials stand for themselves }
-- Values and lines hold $http and $ws (the sandbox's origin), $host, $port and $tls (true or false) of it, and $NAME,
-- any field of the box.
local json = require "smc.json"

local M = {}

local function fill(text, box)
  local scheme, host, port = box.origin:match "^(%a+)://([%d.]+):(%d+)$"
  local words = { http = box.origin, ws = box.origin:gsub("^http", "ws"), host = host, port = port,
    tls = tostring(scheme == "https") }
  return (text:gsub("%$([%a_]+)", function(word) return words[word] or assert(box[word], word) end))
end

--- One venue's part of the line of --json.
function M.object(v)
  local out = {}
  for i, place in ipairs(v.guide.places) do out[i] = { place[1], fill(place[3], v.box) } end
  return json.object(out)
end

local function put(out, label, value)
  out[#out + 1] = ("  %-14s %s"):format(label, value)
end

local function describe(out, v)
  out[#out + 1] = ""
  out[#out + 1] = v.name
  for _, place in ipairs(v.guide.places) do put(out, place[2], fill(place[3], v.box)) end
  for _, client in ipairs(v.guide.clients) do
    out[#out + 1] = ""
    out[#out + 1] = "  // " .. client[1]
    out[#out + 1] = (fill(client[2], v.box):gsub("^", "  "):gsub("\n", "\n  "))
  end
end

--- The table for people.  state: { venues, control }; first: its first lines.
function M.card(state, first)
  local out = { table.unpack(first) }
  out[#out + 1] = ("%-16s %s"):format("control", state.control)
  for _, v in ipairs(state.venues) do describe(out, v) end
  return table.concat(out, "\n") .. "\n"
end

return M
