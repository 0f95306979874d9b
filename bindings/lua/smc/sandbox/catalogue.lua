--- What each sandbox knows, read off the tables that it works by.  A venue's own catalogue.lua gives the sections:
-- { kind, title, columns, rows = { { name = .., cells.. }, .. } }; kind and name are what reached.lua is told.
local fault_list = require "smc.sandbox.fault_list"

local M = { venues = { "binance", "bybit", "oanda" } }

function M.sections(venue) return require("smc.sandbox." .. venue .. ".catalogue") end

--- The rows of refusals, by code and text; a limit is a refusal too.
function M.errors(refusal)
  local rows = {}
  for name, row in pairs(refusal.rows) do
    rows[#rows + 1] = { name = name, tostring(row[1]), tostring(row[3] or refusal.usual_status), row[2] }
  end
  table.sort(rows, function(a, b)
    local one, other = math.abs(tonumber(a[1]) or 0), math.abs(tonumber(b[1]) or 0)
    if one ~= other then return one < other end
    if a[1] ~= b[1] then return a[1] < b[1] end
    return a[3] < b[3]
  end)
  return { kind = "errors", title = "Errors", columns = { "code", "HTTP", "text" }, rows = rows }
end

--- rows: name, and in cells what is counted, how much of it may be, and what is answered beyond.
function M.limits(rows)
  return { kind = "limits", title = "Limits", columns = { "what", "how many", "beyond" }, rows = rows }
end

--- A section whose entries have nothing but their names.
function M.plain(kind, title, column, names)
  local rows = {}
  for i, name in ipairs(names) do rows[i] = { name = name, name } end
  table.sort(rows, function(a, b) return a.name < b.name end)
  return { kind = kind, title = title, columns = { column }, rows = rows }
end

-- ---- as a page ---------------------------------------------------------------------------

local function cell(text)
  return "`" .. text:gsub("|", "\\|"):gsub("`", "'") .. "`"
end

local function table_of(section)
  local out = { "| " .. table.concat(section.columns, " | ") .. " |", ("|---"):rep(#section.columns) .. "|" }
  for _, row in ipairs(section.rows) do
    local cells = {}
    for i = 1, #section.columns do cells[i] = row[i] == "" and "" or cell(row[i]) end
    out[#out + 1] = "| " .. table.concat(cells, " | ") .. " |"
  end
  return table.concat(out, "\n")
end

--- The page in Markdown: the faults, then a chapter for each venue.
function M.markdown()
  local out = { (fault_list.markdown():gsub("%s+$", "")) }
  for _, venue in ipairs(M.venues) do
    out[#out + 1] = "## " .. venue
    for _, section in ipairs(M.sections(venue)) do
      out[#out + 1] = "### " .. section.title
      out[#out + 1] = table_of(section)
    end
  end
  return table.concat(out, "\n\n") .. "\n"
end

return M
