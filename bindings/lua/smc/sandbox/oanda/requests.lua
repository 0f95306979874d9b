--- Reading what a client asks for in an order.  What cannot be read is a refusal (layer 1); what can, but must not be,
-- is a reason, which becomes a *_REJECT transaction (layer 2).
local clock = require "smc.sandbox.oanda.clock"
local decimal = require "smc.decimal"
local instruments = require "smc.sandbox.oanda.instruments"
local json = require "smc.json"
local params = require "smc.sandbox.oanda.params"
local refusal = require "smc.sandbox.oanda.refusal"

local M = {}

local cmp = decimal.cmp
local MOST_TEXT = 128 -- characters of an id, a tag or a comment

-- What the types of orders have.  price: needed; tifs: the first is the default; dependent: of a trade.
local PENDING = { "GTC", "GTD", "GFD" }
local TYPES = {
  MARKET = { tifs = { "FOK", "IOC" }, bound = true },
  LIMIT = { tifs = PENDING, price = true }, STOP = { tifs = PENDING, price = true, bound = true },
  MARKET_IF_TOUCHED = { tifs = PENDING, price = true, bound = true },
  TAKE_PROFIT = { tifs = PENDING, price = true, dependent = true },
  STOP_LOSS = { tifs = PENDING, either = true, dependent = true },
  TRAILING_STOP_LOSS = { tifs = PENDING, distance = true, dependent = true },
}
M.types = TYPES

-- The fields that a type has; what else is sent is ignored.
for _, spec in pairs(TYPES) do
  local free, waits = not spec.dependent, spec.tifs == PENDING
  spec.has = { timeInForce = true, clientExtensions = true, instrument = free, units = free, positionFill = free,
    takeProfitOnFill = free, stopLossOnFill = free, trailingStopLossOnFill = free, tradeClientExtensions = free,
    tradeID = spec.dependent, clientTradeID = spec.dependent, gtdTime = waits, triggerCondition = waits,
    price = spec.price or spec.either, distance = spec.distance or spec.either, priceBound = spec.bound,
    guaranteed = spec.either }
end

local TIFS = { GTC = "GTC", GTD = "GTD", GFD = "GFD", FOK = "FOK", IOC = "IOC" }
local FILLS = { DEFAULT = "DEFAULT", OPEN_ONLY = "OPEN_ONLY", REDUCE_FIRST = "REDUCE_FIRST",
  REDUCE_ONLY = "REDUCE_ONLY", POSITION_DEFAULT = "DEFAULT" }
local TRIGGERS = { DEFAULT = "DEFAULT", INVERSE = "INVERSE", BID = "BID", ASK = "ASK", MID = "MID",
  TRIGGER_DEFAULT = "DEFAULT" }

-- ---- layer 1 -----------------------------------------------------------------------

local function present(value)
  if value == json.null then return nil end
  return value
end

--- Reads fields of `given` into `out` by a table of readers; the first that fails is refused, by its path.
-- has: only those.
local function read(given, out, readers, path, has)
  for _, reader in ipairs(readers) do
    local name, parse, shown = reader[1], reader[2], reader[3]
    local value = present(given[name])
    if value ~= nil and (not has or has[name]) then
      value = parse(value)
      if value == nil then return refusal.invalid(shown or path .. name) end
      out[name] = value
    end
  end
end

local function one_of(words)
  return function(value) return type(value) == "string" and words[value] or nil end
end

local function time(value)
  if math.type(value) == "integer" then value = tostring(value) end
  return type(value) == "string" and clock.parse(value) or nil
end

local function text(value) return type(value) == "string" and value or nil end

local function id(value)
  return (type(value) == "string" or math.type(value) == "integer") and tostring(value) or nil
end

local function truth(value) if type(value) == "boolean" then return value end end

local EXTENSIONS = { { "id", text }, { "tag", text }, { "comment", text } }

--- { id, tag, comment } of a JSON value.
function M.extensions(value)
  if type(value) ~= "table" then return nil end
  local out = {}
  if read(value, out, EXTENSIONS, "") then return nil end
  return out
end

local DETAILS = { { "price", params.decimal }, { "distance", params.decimal }, { "timeInForce", one_of(TIFS) },
  { "gtdTime", time }, { "triggerCondition", one_of(TRIGGERS) }, { "guaranteed", truth },
  { "clientExtensions", M.extensions } }

local ORDER = { { "instrument", text }, { "units", params.decimal }, { "price", params.decimal },
  { "distance", params.decimal }, { "priceBound", params.decimal }, { "timeInForce", one_of(TIFS) },
  { "gtdTime", time }, { "positionFill", one_of(FILLS), "orderPositionFill" },
  { "triggerCondition", one_of(TRIGGERS) }, { "tradeID", id }, { "clientTradeID", text }, { "guaranteed", truth },
  { "clientExtensions", M.extensions }, { "tradeClientExtensions", M.extensions } }

-- What may follow a fill, in the order in which it makes them: the kind of the order, and the name of its details.
local DEPENDENTS = { { "TAKE_PROFIT", "takeProfitOnFill" }, { "STOP_LOSS", "stopLossOnFill" },
  { "TRAILING_STOP_LOSS", "trailingStopLossOnFill" } }
M.dependents = DEPENDENTS

--- The details of a dependent order, with what goes without saying: it is as in the order that is replaced, if any.
function M.details(given, path, kind, replaced)
  if type(given) ~= "table" then return nil, refusal.invalid(path) end
  local d, old = {}, replaced or { timeInForce = "GTC" }
  local no = read(given, d, DETAILS, path .. ".")
  if no then return nil, no end
  for _, name in ipairs { "timeInForce", "gtdTime", "triggerCondition", "clientExtensions" } do
    d[name] = d[name] or old[name]
  end
  if not d.price and not d.distance then d.distance, d.price = old.distance, not old.distance and old.price or nil end
  if d.timeInForce ~= "GTD" then d.gtdTime = nil end
  if TYPES[kind].distance then d.price = nil end
  return d
end

--- An order as it is asked for: a table in the words of the venue, with `def` and `trade`.  Or nil and a refusal.
function M.order(sb, given)
  if type(given) ~= "table" then return nil, refusal.missing_data() end
  local kind = given.type
  if present(kind) == nil then return nil, refusal.missing_data() end
  local spec = TYPES[kind]
  if not spec then return nil, refusal.invalid "order.type" end
  local o = { type = kind }
  local no = read(given, o, ORDER, "order.", spec.has)
  if no then return nil, no end
  for _, pair in ipairs(DEPENDENTS) do
    local name = pair[2]
    if spec.has[name] and present(given[name]) ~= nil then
      o[name], no = M.details(given[name], "order." .. name, pair[1])
      if no then return nil, no end
    end
  end
  if o.instrument then
    o.def = sb.by_symbol[o.instrument]
    if not o.def then return nil, refusal.invalid "order.instrument" end
  end
  o.timeInForce = o.timeInForce or spec.tifs[1]
  if o.timeInForce ~= "GTD" then o.gtdTime = nil end
  if not spec.dependent then o.positionFill = o.positionFill or "DEFAULT" end
  if spec.has.triggerCondition then o.triggerCondition = o.triggerCondition or "DEFAULT" end
  if spec.price and not spec.dependent then o.partialFill = "DEFAULT" end
  if spec.dependent then o.triggerMode = "TOP_OF_BOOK" end
  return o
end

-- ---- layer 2 -----------------------------------------------------------------------

local function wrong_units(def, units)
  if not units then return "UNITS_MISSING" end
  local size = decimal.abs(units)
  if size == "0" then return "UNITS_INVALID" end
  if not decimal.is_multiple(size, def.step) then return "UNITS_PRECISION_EXCEEDED" end
  if cmp(size, def.least) < 0 then return "UNITS_MIMIMUM_NOT_MET" end
  if cmp(size, instruments.most_units) > 0 then return "UNITS_LIMIT_EXCEEDED" end
end

--- Of a price or a distance that was given: not above zero, or finer than the instrument's prices.
local function wrong_number(def, value, name)
  if not value then return nil end
  if cmp(value, "0") <= 0 then return name .. "_INVALID" end
  if not decimal.is_multiple(value, def.tick) then return name .. "_PRECISION_EXCEEDED" end
end

local function wrong_trail(def, distance, name)
  if not distance then return nil end
  local ticks = decimal.div(distance, def.tick)
  if cmp(ticks, instruments.trailing.least) < 0 then return name .. "_MINIMUM_NOT_MET" end
  if cmp(ticks, instruments.trailing.most) > 0 then return name .. "_MAXIMUM_EXCEEDED" end
end

--- names: how the reasons of this kind of order begin.
local function wrong_prices(def, kind, d, names)
  local spec = TYPES[kind]
  if spec.price and not d.price and not (names.on_fill and d.distance) then return names.price .. "_MISSING" end
  if spec.distance and not d.distance then return names.distance .. "_MISSING" end
  if spec.either and d.price and d.distance then return names.either .. "_BOTH_SPECIFIED" end
  if spec.either and not d.price and not d.distance then return names.either .. "_BOTH_MISSING" end
  return wrong_number(def, not spec.distance and d.price, names.price)
    or wrong_number(def, (spec.distance or spec.either) and d.distance, names.distance)
    or wrong_trail(def, spec.distance and d.distance, names.distance)
end

local function wrong_time(sb, kind, d, names)
  local allowed = false
  for _, word in ipairs(TYPES[kind].tifs) do allowed = allowed or word == d.timeInForce end
  if not allowed then return names.tif .. "_INVALID" end
  if d.timeInForce ~= "GTD" then return nil end
  if not d.gtdTime then return names.gtd .. "GTD_TIMESTAMP_MISSING" end
  if d.gtdTime <= sb:now() then return names.gtd .. "GTD_TIMESTAMP_IN_PAST" end
end

--- Of client extensions: too long.
function M.wrong_extensions(given, prefix)
  for _, name in ipairs { "id", "tag", "comment" } do
    local value = given and given[name]
    if value and (utf8.len(value) or MOST_TEXT + 1) > MOST_TEXT or name == "id" and value == "" then
      return prefix .. name:upper() .. "_INVALID"
    end
  end
end

local NAMES = { price = "PRICE", distance = "PRICE_DISTANCE", tif = "TIME_IN_FORCE", gtd = "TIME_IN_FORCE_",
  either = "STOP_LOSS_ORDER_PRICE_AND_DISTANCE", extensions = "CLIENT_ORDER_",
  guaranteed = "STOP_LOSS_ORDER_GUARANTEED_NOT_ALLOWED" }

local function names_on_fill(kind)
  local prefix = kind .. "_ON_FILL_"
  return { on_fill = true, price = prefix .. "PRICE", either = prefix .. "PRICE_AND_DISTANCE",
    tif = prefix .. "TIME_IN_FORCE",
    distance = prefix .. (kind == "TRAILING_STOP_LOSS" and "PRICE_DISTANCE" or "DISTANCE"), gtd = prefix,
    extensions = prefix .. "CLIENT_ORDER_", guaranteed = prefix .. "GUARANTEED_NOT_ALLOWED" }
end

--- Why the details of a dependent order can't be, or nil; on_fill: they come with another order.
function M.wrong_details(sb, def, kind, d, on_fill)
  local names = on_fill and names_on_fill(kind) or NAMES
  return wrong_prices(def, kind, d, names) or wrong_time(sb, kind, d, names)
    or kind == "STOP_LOSS" and d.guaranteed and names.guaranteed
    or M.wrong_extensions(d.clientExtensions, names.extensions)
end

local function wrong_on_fill(sb, o)
  local seen = {}
  for _, pair in ipairs(DEPENDENTS) do
    local details = o[pair[2]]
    local reason = details and M.wrong_details(sb, o.def, pair[1], details, true)
    if reason then return reason end
    local name = details and details.clientExtensions and details.clientExtensions.id
    if name and seen[name] then return "ORDERS_ON_FILL_DUPLICATE_CLIENT_ORDER_IDS" end
    if name then seen[name] = true end
  end
end

local function wrong_trade(sb, o, replaced)
  if not o.tradeID and not o.clientTradeID then return "TRADE_ID_UNSPECIFIED" end
  local by_id = o.tradeID and sb:open_trade(o.tradeID)
  local by_client = o.clientTradeID and sb:trade_of_client(o.clientTradeID)
  if o.tradeID and o.clientTradeID and by_id ~= by_client then return "TRADE_IDENTIFIER_INCONSISTENCY" end
  o.trade = by_id or by_client
  if not o.trade then return "TRADE_DOESNT_EXIST" end
  o.def, o.tradeID, o.clientTradeID = o.trade.def, o.trade.id, o.trade.extensions and o.trade.extensions.id
  local other = o.trade[o.type]
  if other and other ~= replaced then return o.type .. "_ORDER_ALREADY_EXISTS" end
end

local function wrong_ids(sb, o, replaced)
  local client_id = o.clientExtensions and o.clientExtensions.id
  local other = client_id and sb:order_of_client(client_id)
  if other and other ~= replaced then return "CLIENT_ORDER_ID_ALREADY_EXISTS" end
  local trade_id = o.tradeClientExtensions and o.tradeClientExtensions.id
  if trade_id and sb:trade_of_client(trade_id) then return "CLIENT_TRADE_ID_ALREADY_EXISTS" end
  if o.type ~= "MARKET" and not replaced and #sb.pending >= sb.assume.pending_orders then
    return "PENDING_ORDERS_ALLOWED_EXCEEDED"
  end
end

--- Why an order can't be, or nil.  replaced: the one that it is to take the place of.
function M.wrong(sb, o, replaced)
  local dependent = TYPES[o.type].dependent
  local reason
  if dependent then
    reason = wrong_trade(sb, o, replaced)
  elseif not o.def then
    reason = "INSTRUMENT_MISSING"
  else
    reason = wrong_units(o.def, o.units)
  end
  return reason or M.wrong_details(sb, o.def, o.type, o)
    or wrong_number(o.def, TYPES[o.type].bound and o.priceBound, "PRICE_BOUND") or wrong_on_fill(sb, o)
    or M.wrong_extensions(o.tradeClientExtensions, "CLIENT_TRADE_")
    or o.tradeClientExtensions and o.positionFill == "REDUCE_ONLY" and "TRADE_ON_FILL_CLIENT_EXTENSIONS_NOT_SUPPORTED"
    or wrong_ids(sb, o, replaced)
end

return M
