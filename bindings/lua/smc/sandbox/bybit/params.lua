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

--- One page of a list whose items have a growing number `n`, newest first: what a call that takes a page asked for.
-- Returns the items and the next cursor.
function M.page(list, call)
  local out = {}
  for i = #list, 1, -1 do
    if not call.before or list[i].n < call.before then
      if #out == call.limit then return out, M.next_cursor(out[#out].n) end
      out[#out + 1] = list[i]
    end
  end
  return out, ""
end

--- The same of a list that begins with the oldest: its cursor tells how many items came before.
function M.page_forward(list, call)
  local from = call.before or 0
  local upto = math.min(#list, from + call.limit)
  return table.move(list, from + 1, upto, 1, {}), M.next_cursor(upto < #list and upto or nil)
end

-- ---- what a route takes ------------------------------------------------------------

local WEEK_MS = 7 * 24 * 3600 * 1000

--- Sets call.def, the instrument that was named, and call.defs, those that the call is about.  how: "data" or "order",
-- by whose words an unknown symbol is refused; "?": it may be missing.
local function instruments(call, how)
  local v, no = call.values, refusal[call.category]
  local orders, optional = how:find "^order" ~= nil, how:find "?" ~= nil
  call.def = call.market.by_native[v.symbol]
  if v.symbol and not call.def then return nil, orders and no.symbol() or refusal.not_supported() end
  if not call.def and not optional then return nil, orders and no.empty "symbol" or refusal.not_supported() end
  call.defs = { call.def }
  for _, def in ipairs(call.def and {} or call.market.list) do
    local fits = (v.baseCoin or def.base) == def.base and (v.settleCoin or def.quote) == def.quote
    if fits or not def.contract then call.defs[#call.defs + 1] = def end
  end
  return true
end

--- Sets call.from and call.to, in the market's time, seven days apart at most: one that is missing is so far from the
-- other.
local function span(sb, call, far)
  local from, to = call.startTime, call.endTime
  if not from and not to then to = sb:now() end
  from = from or to - far
  to = to or from + far
  if to - from > WEEK_MS then
    return nil, refusal.params "the time range between startTime and endTime exceeds 7 days"
  end
  call.from, call.to = from - sb.skew_ms, to - sb.skew_ms
  return true
end

--- Reads into a call what its route takes: { symbol, whole, span, page }.  symbol: see above; whole: by name the whole
-- numbers { default, least, most }, or such rules by category; span: true for startTime and endTime as lists of an
-- account have them, or the milliseconds between them when one is missing; page: { default, most } of a limit, with a
-- cursor.
function M.take(sb, call, takes)
  local ok, no = true, nil
  if takes.symbol then ok, no = instruments(call, takes.symbol) end
  if not ok then return nil, no end
  local whole = {}
  for name, rule in pairs(takes.whole or {}) do whole[name] = rule[call.category] or rule.linear or rule end
  if takes.page then whole.limit = { takes.page[1], 1, takes.page[2] } end
  if takes.span then whole.startTime, whole.endTime = { false, 0 }, { false, 0 } end
  for name, rule in pairs(whole) do
    call[name], no = M.whole(call.values, name, table.unpack(rule, 1, 3))
    if no then return nil, no end
  end
  if takes.page then
    call.before, no = M.cursor(call.values)
    if no then return nil, no end
  end
  if takes.span then return span(sb, call, takes.span == true and WEEK_MS or takes.span) end
  return true
end

return M
