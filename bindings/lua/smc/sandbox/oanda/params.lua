--- The parameters of a query: text by name.
local clock = require "smc.sandbox.oanda.clock"
local decimal = require "smc.decimal"
local refusal = require "smc.sandbox.oanda.refusal"
local text = require "smc.core.text"

local M = {}

function M.decoded(s) return s:find("%", 1, true) and text.percent_decode(s) or s end

--- Of a raw query.  What is empty counts as not sent.
function M.from_query(query)
  local out = {}
  for name, value in query:gmatch "([^&=]+)=([^&]*)" do
    if value ~= "" then out[M.decoded(name)] = M.decoded(value) end
  end
  return out
end

--- A whole number from `least` to `most`, or the default; too_much: the refusal of a larger one.
function M.whole(values, name, default, least, most, too_much)
  local raw = values[name]
  if raw == nil then return default end
  local value = raw:find "^%d+$" and #raw <= 18 and math.tointeger(tonumber(raw))
  if not value or value < least then return nil, refusal.invalid(name) end
  if most and value > most then return nil, too_much or refusal.invalid(name) end
  return value
end

--- true, false, or the default.
function M.truth(values, name, default)
  local raw = values[name] and values[name]:lower()
  if raw == nil then return default end
  if raw ~= "true" and raw ~= "false" then return nil, refusal.invalid(name) end
  return raw == "true"
end

--- Unix milliseconds, or false when it was not sent.
function M.time(values, name)
  if values[name] == nil then return false end
  local ms = clock.parse(values[name])
  if not ms then return nil, refusal.invalid(name) end
  return ms
end

--- A set and a list of the words in a comma-joined list; nil when it was not sent.
function M.words(values, name)
  if values[name] == nil then return nil end
  local set, list = {}, {}
  for word in values[name]:gmatch "[^,]+" do
    if not set[word] then list[#list + 1] = word end
    set[word] = true
  end
  return set, list
end

--- Definitions of the instruments in a comma-joined list, in its order; false when it was not sent.
function M.instruments(sb, values)
  local _, list = M.words(values, "instruments")
  if not list then return false end
  for i, name in ipairs(list) do
    list[i] = sb.by_symbol[name]
    if not list[i] then return nil, refusal.invalid "instruments" end
  end
  return list
end

--- A page of a list whose entries have a growing number `n`, newest first: those that fit, not younger than beforeID,
-- at most count of them; the answer's Link leads to the next.  show(entry) makes what is shown of it.
function M.page(call, list, fits, show)
  local v = call.values
  local count, no = M.whole(v, "count", 50, 1, 500)
  local before
  if count then before, no = M.whole(v, "beforeID", math.maxinteger, 0) end
  if not before then return nil, no end
  local ids, out = M.words(v, "ids"), {}
  for i = #list, 1, -1 do
    local entry = list[i]
    if entry.n <= before and (not ids or ids[entry.id]) and fits(entry) then
      if #out == count then
        local query = ("beforeID=%d&count=%d"):format(entry.n, count)
        for _, name in ipairs { "ids", "instrument", "state" } do
          query = query .. (v[name] and ("&%s=%s"):format(name, v[name]) or "")
        end
        call.headers[#call.headers + 1] = { "Link",
          ('<%s%s?%s>; rel="next"'):format(call.origin, call.ex.path, query) }
        break
      end
      out[#out + 1] = show(entry)
    end
  end
  return out
end

--- Whether an entry has the instrument and the state that are asked for, as a function; or nil and a refusal.
-- states: a set, and the default at 1.
function M.fitting(sb, call, states)
  local v = call.values
  local state = v.state or states[1]
  if not states[state] then return nil, refusal.invalid "state" end
  if v.instrument and not sb.by_symbol[v.instrument] then return nil, refusal.invalid "instrument" end
  return function(entry)
    return (state == "ALL" or entry.state == state) and (not v.instrument or entry.def.symbol == v.instrument)
  end
end

--- A value of a JSON body as a decimal: text, or a number.  nil: it is none.
function M.decimal(value)
  if type(value) == "number" then
    value = math.type(value) == "integer" and tostring(value) or ("%.10f"):format(value)
  end
  if type(value) ~= "string" then return nil end
  value = value:gsub("^%+", ""):gsub("^(%-?)%.", "%10.")
  return decimal.is_valid(value) and decimal.format(value) or nil
end

return M
