--- The parameters of a request: text by name, whether they came in a query or as JSON.
local decimal = require "smc.decimal"
local json = require "smc.json"
local refusal = require "smc.sandbox.bybit.refusal"
local text = require "smc.core.text"

local M = {}

local function decoded(s)
  if not s:find("[%%+]") then return s end
  return text.percent_decode((s:gsub("%+", " "))) or s
end

--- Of a raw query.  What is empty counts as not sent.
function M.from_query(query)
  local out = {}
  for name, value in query:gmatch("([^&=]+)=([^&]*)") do
    if value ~= "" then out[decoded(name)] = decoded(value) end
  end
  return out
end

--- Of a decoded JSON object.  null and "" count as not sent; whole numbers and truth values are taken as text.
-- `request`, what a batch consists of, stays a list of objects.
function M.from_object(object)
  if type(object) ~= "table" or #object > 0 then return nil, refusal.params "the body is not a JSON object" end
  local out = {}
  for name, value in pairs(object) do
    if name == "request" and type(value) == "table" then
      out.request = value
    elseif math.type(value) == "float" or type(value) == "table" then
      return nil, refusal.params(name .. " invalid")
    elseif value ~= json.null and value ~= "" then
      out[name] = tostring(value)
    end
  end
  return out
end

function M.from_json(body)
  if body:find "^%s*%[" then return nil, refusal.params "the body is not a JSON object" end
  return M.from_object(json.decode(body))
end

--- A whole number >= least, at most `most` (more is cut off), or the default.
function M.whole(values, name, default, least, most)
  local raw = values[name]
  if raw == nil then return default end
  local value = raw:find("^%d+$") and #raw <= 18 and math.tointeger(tonumber(raw))
  if not value or value < least then return nil, refusal.params(name .. " invalid") end
  return math.min(value, most or value)
end

--- A decimal that is not negative, in minimal form.  no: the refusals of the category.
function M.amount(values, name, no)
  local raw = values[name]
  if raw == nil then return nil, no.empty(name) end
  if not decimal.is_valid(raw) or raw:sub(1, 1) == "-" then return nil, no.invalid(name) end
  return decimal.format(raw)
end

-- ---- cursors -----------------------------------------------------------------------

--- A cursor is given out percent-encoded, and comes back so, or encoded once more; the query is decoded already.
function M.cursor(values)
  local raw = values.cursor
  if raw == nil then return nil end
  local at = decoded(raw):match("^page_args=(%d+)&$")
  if not at then return nil, refusal.params "cursor invalid" end
  return math.tointeger(tonumber(at))
end

function M.next_cursor(at)
  return at and ("page_args%%3D%d%%26"):format(at) or ""
end

--- One page of a list whose items have a growing number `n`, newest first.  Returns the items and the next cursor.
function M.page(list, values, default, most)
  local limit, no = M.whole(values, "limit", default, 1, most)
  if not limit then return nil, no end
  local before
  before, no = M.cursor(values)
  if no then return nil, no end
  local out = {}
  for i = #list, 1, -1 do
    if not before or list[i].n < before then
      if #out == limit then return out, M.next_cursor(out[#out].n) end
      out[#out + 1] = list[i]
    end
  end
  return out, ""
end

return M
