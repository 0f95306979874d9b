--- All faults that there are, for people, for programs and for the page of the sandboxes; off the tables that carry
-- them out.
local faults = require "smc.sandbox.faults"
local json = require "smc.json"
local link_faults = require "smc.sandbox.link_faults"

local M = {}

-- Each source: how one of them is asked for, the file that holds a spec for each cell, and a module like
-- smc.sandbox.faults: table, names(), place(fault), common, aliases, seams, within.
local SOURCES = {
  { name = "venue", asked = "venue:fault { venue = NAME, .. }", its = faults, law = "test_venue_faults_law.lua" },
  { name = "link", asked = "venue:fault { link = NAME, .. }", its = link_faults, law = "test_link_faults_law.lua" },
}

local WIDTH = 80 -- of a terminal
local SEAMS = { "read", "order", "stream", "connect" } -- connect: a stream that is to be opened

local function sorted(set)
  local out = {}
  for key in pairs(set) do out[#out + 1] = key end
  table.sort(out)
  return out
end

local function number(n) return math.type(n) == "integer" and ("%d"):format(n) or ("%g"):format(n) end

--- What a value may be: "integer 200..599", "one of a, b", "number >= 0 s".
local function form(p)
  local text = p[1]
  if p.one_of then
    text = table.concat(p.one_of, "|")
  elseif p.most then
    text = ("%s %s..%s"):format(text, number(p.least), number(p.most))
  elseif p.least then
    text = ("%s >= %s"):format(text, number(p.least))
  end
  return p.unit and text .. " " .. p.unit or text
end

local function default_of(p)
  if p.needed then return "needed" end
  if p.default == nil then return nil end
  if p.default == "" then return "default: none" end
  if p.shown then return "default: " .. p.shown end
  return "default " .. (math.type(p.default) and number(p.default) or tostring(p.default))
end

local function one_or_more(class)
  if class == false then return "is not met" end
  return type(class) == "table" and table.concat(class, " or ") or class
end

--- "read server, order unknown_outcome"; nil when none is named.
local function classes(by_seam)
  local out = {}
  for _, seam in ipairs(SEAMS) do
    if by_seam[seam] ~= nil then out[#out + 1] = seam .. " " .. one_or_more(by_seam[seam]) end
  end
  return #out > 0 and table.concat(out, ", ") or nil
end

--- What our client makes of a fault on one venue at one seam (read, order, stream): a class of errors, a list of those
-- that it may be, "-" for none; nil: the fault does not meet it.
function M.cell(fault, venue, seam)
  if fault.not_for and fault.not_for[venue] then return nil end
  local own = fault.class[venue]
  if own and own[seam] ~= nil then return own[seam] or nil end
  return fault.class[seam]
end

--- What a client makes of it: at each seam a class of errors, "-" for none; then what differs on a venue.
function M.classes(fault)
  local out = { classes(fault.class) }
  for _, name in ipairs(sorted(fault.class)) do
    local other = type(fault.class[name]) == "table" and classes(fault.class[name])
    if other then out[#out + 1] = name .. ": " .. other end
  end
  for _, name in ipairs(sorted(fault.not_for or {})) do out[#out + 1] = name .. ": no such thing" end
  return table.concat(out, "; ")
end

-- ---- for people ----------------------------------------------------------------------------

--- Text in lines of WIDTH, each behind an indent.
local function wrapped(text, indent)
  local lines, line = {}, ""
  for word in text:gmatch "%S+" do
    if #line > 0 and #indent + #line + 1 + #word > WIDTH then
      lines[#lines + 1], line = indent .. line, word
    else
      line = #line > 0 and line .. " " .. word or word
    end
  end
  lines[#lines + 1] = indent .. line
  return lines
end

local INDENT = "    "

local function add(out, lines) table.move(lines, 1, #lines, #out + 1, out) end

local function add_params(out, params)
  local width = 0
  for _, name in ipairs(sorted(params)) do width = math.max(width, #name) end
  for _, name in ipairs(sorted(params)) do
    local p = params[name]
    local default = default_of(p)
    local lines = wrapped(("%s (%s%s)"):format(p[2], (form(p):gsub("|", " | ")), default and ", " .. default or ""),
      INDENT .. (" "):rep(width + 2))
    lines[1] = INDENT .. name .. (" "):rep(width + 2 - #name) .. lines[1]:sub(#INDENT + width + 3)
    add(out, lines)
  end
end

local function aliases_of(its, name)
  local out = {}
  for _, alias in ipairs(sorted(its.aliases or {})) do
    if its.aliases[alias] == name then out[#out + 1] = alias end
  end
  return out
end

local function add_fault(out, its, name)
  local fault, also = its.table[name], aliases_of(its, name)
  out[#out + 1] = ("%s%s  [%s]"):format(name, #also > 0 and " (also " .. table.concat(also, ", ") .. ")" or "",
    its.place(fault))
  add(out, wrapped(fault.doc, INDENT))
  add_params(out, fault.params or {})
  add(out, wrapped("client: " .. M.classes(fault), INDENT))
  add(out, wrapped("then: " .. fault.recovers, INDENT))
  out[#out + 1] = ""
end

--- The page for people.
function M.text()
  local out = {}
  for _, source in ipairs(SOURCES) do
    out[#out + 1] = ("%s faults: %s"):format(source.name, source.asked)
    out[#out + 1] = ""
    out[#out + 1] = "of each of them, unless it is a state of the whole venue"
    add_params(out, source.its.common)
    out[#out + 1] = ""
    for _, name in ipairs(source.its.names()) do add_fault(out, source.its, name) end
  end
  return table.concat(out, "\n")
end

-- ---- for programs ---------------------------------------------------------------------------

local function params_as_json(params)
  local out = {}
  for i, name in ipairs(sorted(params)) do
    local p = params[name]
    out[i] = json.object("name", name, "type", p[1], "about", p[2], "unit", p.unit, "default", p.default,
      "needed", p.needed or false, "least", p.least, "most", p.most, "one_of", p.one_of and json.array(p.one_of))
  end
  return json.array(out)
end

local function class_as_json(by_seam)
  local out = {}
  for _, key in ipairs(sorted(by_seam)) do
    local value = by_seam[key]
    if type(value) == "table" then
      out[#out + 1] = { key, #value > 0 and json.array(value) or class_as_json(value) }
    else
      out[#out + 1] = { key, value }
    end
  end
  return json.object(out)
end

local function object_of(map)
  local out = {}
  for i, key in ipairs(sorted(map or {})) do out[i] = { key, map[key] } end
  return json.object(out)
end

--- { venue = { common = [params], faults = [..] }, link = { .. } } as one line of JSON.
function M.json()
  local kinds = {}
  for k, source in ipairs(SOURCES) do
    local its, list = source.its, {}
    for i, name in ipairs(its.names()) do
      local fault = its.table[name]
      list[i] = json.object("name", name, "aliases", json.array(aliases_of(its, name)), "where", its.place(fault),
        "does", fault.doc, "params", params_as_json(fault.params or {}), "class", class_as_json(fault.class),
        "recovers", fault.recovers, "not_for", object_of(fault.not_for))
    end
    kinds[k] = { source.name, json.object("common", params_as_json(its.common), "faults", json.array(list)) }
  end
  return json.encode(json.object(kinds)) .. "\n"
end

-- ---- for the page ------------------------------------------------------------------------------

local function cell(text) return (text:gsub("|", "\\|")) end

local function params_in_words(params)
  local out = {}
  for i, name in ipairs(sorted(params)) do
    local p = params[name]
    local default = default_of(p)
    out[i] = ("`%s` %s%s: %s"):format(name, form(p), default and " (" .. default .. ")" or "", p[2])
  end
  return table.concat(out, "; ")
end

local VENUES = { "binance", "bybit", "oanda" }

--- Half of the fault matrix: a cell for each fault, venue and seam.
local function matrix(its)
  local seams = table.concat(its.seams, ", ")
  local out = { "| fault | " .. table.concat(VENUES, (": %s | "):format(seams)) .. (": %s |"):format(seams),
    "|---|---|---|---|" }
  for _, name in ipairs(its.names()) do
    local row = { "`" .. name .. "`" }
    for _, venue in ipairs(VENUES) do
      local cells = {}
      for i, seam in ipairs(its.seams) do
        cells[i] = one_or_more(M.cell(its.table[name], venue, seam)) or "not met"
      end
      row[#row + 1] = table.concat(cells, ", ")
    end
    out[#out + 1] = "| " .. table.concat(row, " | ") .. " |"
  end
  return table.concat(out, "\n")
end

local SEAM = { read = "a read", order = "an order", stream = "a stream", connect = "a stream that is to be opened" }

--- "a read 10.1 s, an order 10.6 s (oanda, which looks for it: 36 s)"
local function deadlines(its)
  local out = {}
  for i, seam in ipairs(its.seams) do
    local own = its.within.oanda[seam]
    out[i] = ("%s %g s%s"):format(SEAM[seam], its.within[seam],
      own and (" (oanda, which looks for it: %g s)"):format(own) or "")
  end
  return table.concat(out, ", ")
end

--- The second chapter of a source.
local function add_matrix(out, source)
  local its, seams = source.its, {}
  for i, seam in ipairs(its.seams) do seams[i] = SEAM[seam] end
  out[#out + 1] = ("### What the client makes of %s faults\n"):format(source.name)
  out[#out + 1] = ("The class of the error that %s and %s end with; `-`: no error. Over within: %s. Once the fault "
    .. "has ended, and the wait that the venue has asked for, the next call is answered within %g s. Each cell is a "
    .. "spec of `bindings/tests/%s`, which sees to it that no order is lost or doubled, and that no permit, place in a "
    .. "queue, task, timer or socket is left.\n"):format(table.concat(seams, ", ", 1, #seams - 1), seams[#seams],
    deadlines(its), its.within.healed, source.law)
  out[#out + 1] = matrix(its)
  out[#out + 1] = ""
end

--- Chapters in Markdown.
function M.markdown()
  local out = {}
  for _, source in ipairs(SOURCES) do
    local its = source.its
    out[#out + 1] = ("## %s faults\n"):format(source.name)
    out[#out + 1] = ("`%s`. Of each, unless it is a state of the whole venue: %s.\n"):format(source.asked,
      cell(params_in_words(its.common)))
    out[#out + 1] = "| fault | where | does | parameters | then |\n|---|---|---|---|---|"
    for _, name in ipairs(its.names()) do
      local fault = its.table[name]
      out[#out + 1] = ("| `%s` | %s | %s | %s | %s |"):format(name, its.place(fault), cell(fault.doc),
        cell(params_in_words(fault.params or {})), cell(fault.recovers))
    end
    out[#out + 1] = ""
    add_matrix(out, source)
  end
  return table.concat(out, "\n")
end

return M
