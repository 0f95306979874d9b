--- Reads request parameters as Binance does: which are missing, empty, malformed or unknown, in its order and words.
local core = require "smc.core.params"
local decimal = require "smc.decimal"
local json = require "smc.json"
local refusal = require "smc.sandbox.binance.refusal"
local text = require "smc.core.text"

local M = {}

local FIRST_TIME = 1483228800000 -- 2017-01-01: no time parameter may be earlier
local MICROSECONDS_FROM = 10 ^ 15 -- integers this large are microseconds
local LARGEST = "92233720368.54775807" -- int64 with 8 decimals
local DECIMAL_RANGE = [[^([0-9]{1,20})(\.[0-9]{1,20})?$]]
local LONG_RANGE = "^[0-9]{1,20}$"
local SYMBOL_RANGE = "^[A-Z0-9-_.]{1,20}$"
local CLIENT_ID_RANGE = "^[a-zA-Z0-9-_]{1,36}$"
local MAX_SYMBOLS = 100

--- The parameters of a REST request: { values = map, count = n, duplicate = bool }.  The query wins over the body.
function M.from_rest(query, body)
  local values, count, duplicate = text.form_decode(query ~= "" and query or body)
  if query ~= "" and body ~= "" then
    local more, _, again = text.form_decode(body)
    for name, value in pairs(more) do
      if values[name] == nil then values[name], count = value, count + 1 end
    end
    duplicate = duplicate or again
  end
  return { values = values, count = count, duplicate = duplicate }
end

local function plain(value)
  if type(value) == "table" then return json.encode(value) end
  if value == json.null then return "" end
  return tostring(value)
end

--- The parameters of a WebSocket API request, from its decoded JSON object.
function M.from_ws(object)
  local sent = { values = {}, count = 0, duplicate = false }
  for name, value in pairs(object) do
    sent.values[name] = plain(value)
    sent.count = sent.count + 1
  end
  return sent
end

local kinds = {}

function kinds.decimal(name, raw)
  local whole, fraction = raw:match("^(%d+)%.(%d+)$")
  if not whole then whole, fraction = raw:match("^(%d+)$"), "" end
  if not whole or #whole > 20 or #fraction > 20 then return nil, refusal.illegal(name, DECIMAL_RANGE) end
  if #fraction:gsub("0+$", "") > 8 then return nil, refusal.precision(name) end
  if #fraction > 8 then raw = whole .. "." .. fraction:sub(1, 8) end
  if #whole > 10 and decimal.cmp(raw, LARGEST) > 0 then return nil, refusal.overflow(name) end
  return raw
end

function kinds.long(name, raw)
  if not raw:find("^%d+$") or #raw > 20 then return nil, refusal.illegal(name, LONG_RANGE) end
  local value = math.tointeger(tonumber(raw))
  if not value or value < 0 then return nil, refusal.overflow(name) end
  return value
end

function kinds.symbol(name, raw)
  if #raw > 60 or not raw:find("^[A-Z0-9%-_.\x80-\xff]+$") or (utf8.len(raw) or 99) > 20 then
    return nil, refusal.illegal(name, SYMBOL_RANGE)
  end
  return raw
end

function kinds.client_id(name, raw)
  if #raw > 36 or not raw:find("^[%w%-_]+$") then return nil, refusal.illegal(name, CLIENT_ID_RANGE) end
  return raw
end

function kinds.bool(name, raw)
  local lower = raw:lower()
  if lower ~= "true" and lower ~= "false" then return nil, refusal.invalid(name) end
  return lower == "true"
end

--- Milliseconds; microseconds are recognised by their size.  Out of range is an error.
function kinds.time(name, raw, now_ms)
  local value, no = kinds.long(name, raw)
  if not value then return nil, no end
  if value >= MICROSECONDS_FROM then value = value // 1000 end
  if value < FIRST_TIME or value > now_ms + 10000 then return nil, refusal.invalid(name) end
  return value
end

--- A bound of a query: clamped instead of refused.
function kinds.bound(name, raw, now_ms)
  local value, no = kinds.long(name, raw)
  if not value then return nil, no end
  if value >= MICROSECONDS_FROM then value = value // 1000 end
  return math.max(FIRST_TIME, math.min(value, now_ms + 10000))
end

--- The clock of a signed request: its range is judged with the recvWindow, by auth.
function kinds.timestamp(name, raw)
  local value, no = kinds.long(name, raw)
  if not value then return nil, no end
  if value >= MICROSECONDS_FROM then value = value // 1000 end
  return value
end

--- Milliseconds with at most 3 decimals.
function kinds.window(name, raw)
  local fraction = raw:match("^%d+$") and "" or raw:match("^%d+%.(%d+)$")
  if not fraction or #raw > 20 then return nil, refusal.illegal(name, DECIMAL_RANGE) end
  if #fraction > 3 then return nil, refusal.precision(name) end
  local value = tonumber(raw)
  if value > 60000 then return nil, refusal.window_too_wide() end
  return value
end

function kinds.any(_, raw)
  return raw
end

--- A JSON array of symbols.
function kinds.symbols(name, raw)
  local list = json.decode(raw)
  if type(list) ~= "table" or raw:find("^%s*{") then return nil, refusal.bad_json(name) end
  if #list > MAX_SYMBOLS then return nil, refusal.too_many_values(name, MAX_SYMBOLS) end
  local seen = {}
  for _, symbol in ipairs(list) do
    if type(symbol) ~= "string" then return nil, refusal.bad_json(name) end
    local ok, no = kinds.symbol(name, symbol)
    if not ok then return nil, no end
    if seen[symbol] then return nil, refusal.symbol_twice() end
    seen[symbol] = true
  end
  return list
end

--- A word, or a JSON array of words.
function kinds.words(name, raw)
  if not raw:find("^%s*%[") then return { raw } end
  local list = json.decode(raw)
  if type(list) ~= "table" then return nil, refusal.bad_json(name) end
  return list
end

local function one(field, raw, now_ms)
  if raw == "" then return nil, refusal.empty(field.name) end
  local value, no = field.read(field.name, raw, now_ms)
  if value == nil then return nil, no end
  if field.among and not field.among[value] then return nil, field.refusal or refusal.invalid(field.name) end
  if field.max and value > field.max then value = field.max end
  if field.min and value < field.min then
    return nil, field.refusal or refusal.invalid(field.name)
  end
  return value
end

local WORD = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

-- What values of a kind usually look like, for core.reader: those need no further judgement.
local PLAIN = { any = { "text", 512 }, client_id = { "text", 36, WORD .. "abcdefghijklmnopqrstuvwxyz" },
  decimal = { "decimal", 10 }, long = { "integer", 15 }, symbol = { "text", 20, WORD .. "." },
  timestamp = { "integer", 15 }, window = { "integer", 4 } }

--- Declares a parameter.  rest: need (mandatory), among (set of values), max (clamped), min, refusal (for among, min).
function M.field(name, kind, rest)
  rest = rest or {}
  return { name = name, kind = kind, read = assert(kinds[kind], kind), plain = PLAIN[kind], need = rest.need,
    among = rest.among, max = rest.max, min = rest.min, refusal = rest.refusal }
end

--- The values of a REST request, read at once, when all are there and as they usually are; else nil: M.read judges.
function M.quick(fields, query, body)
  if query ~= "" and body ~= "" or #fields.either > 0 then return nil end
  fields.reader = fields.reader or core.reader(fields)
  return fields.reader(query ~= "" and query or body)
end

--- Reads `sent` by a list of fields { .., either = { { name, name }, .. } }: of each pair there must be one.  Returns
-- the values by name, or nil and a refusal.
function M.read(fields, sent, now_ms)
  if sent.duplicate then return nil, refusal.duplicate_values() end
  local given, values, read = sent.values, {}, 0
  for i = 1, #fields do
    local field = fields[i]
    local raw = given[field.name]
    if raw ~= nil then
      local value, no = one(field, raw, now_ms)
      if value == nil then return nil, no end
      values[field.name] = value
      read = read + 1
    elseif field.need then
      return nil, refusal.missing(field.name)
    end
  end
  if read < sent.count then
    if #fields == 0 then return nil, refusal.too_many_parameters(sent.count) end
    return nil, refusal.unread(read, sent.count)
  end
  for _, pair in ipairs(fields.either) do
    if values[pair[1]] == nil and values[pair[2]] == nil then return nil, refusal.missing_both(pair[1], pair[2]) end
  end
  return values
end

return M
