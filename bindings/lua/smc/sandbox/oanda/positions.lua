--- Positions: what is held of each instrument, and closing it.
local decimal = require "smc.decimal"
local format = require "smc.sandbox.oanda.format"
local json = require "smc.json"
local money = require "smc.sandbox.oanda.money"
local orders = require "smc.sandbox.oanda.orders"
local params = require "smc.sandbox.oanda.params"
local refusal = require "smc.sandbox.oanda.refusal"
local requests = require "smc.sandbox.oanda.requests"

local M = {}

local function list_of(open_only)
  return function(sb)
    local out = {}
    for _, def in ipairs(sb.symbols) do
      if sb.positions[def.symbol] and (not open_only or money.net(sb, def) ~= "0") then
        out[#out + 1] = (format.position(sb, def))
      end
    end
    return { "positions", json.array(out) }
  end
end

local function one(sb, call)
  local def = sb.by_symbol[call.instrument]
  if not def then return nil, refusal.invalid "instrument" end
  if not sb.positions[def.symbol] then return nil, refusal.dated(refusal.no_position()) end
  return { "position", (format.position(sb, def)) }
end

-- ---- closing -----------------------------------------------------------------------

--- The units of one side that are to be closed: { name, asked, extensions, held, units }.  false: none of it; nil and a
-- refusal: they can't be read.
local function side_of(body, name, held, other_given)
  local asked = body[name .. "Units"]
  if asked == json.null then asked = nil end
  if asked == "NONE" or asked == nil and (other_given or held == "0") then return false end
  asked = asked or "ALL"
  local side = { name = name, asked = asked, held = held, units = asked == "ALL" and held or params.decimal(asked),
    extensions = requests.extensions(body[name .. "ClientExtensions"]) }
  if not side.units or side.asked ~= "ALL" and decimal.le(side.units, "0") then
    return nil, refusal.invalid(name .. "Units")
  end
  return side
end

local function wrong_side(def, side)
  if side.held == "0" then return "CLOSEOUT_POSITION_DOESNT_EXIST" end
  if not decimal.is_multiple(side.units, def.step) then return "UNITS_PRECISION_EXCEEDED" end
  if decimal.lt(side.held, side.units) then return "CLOSEOUT_POSITION_UNITS_EXCEED_POSITION_SIZE" end
  return requests.wrong_extensions(side.extensions, "CLIENT_ORDER_")
end

local function closing_order(def, side)
  return { type = "MARKET", def = def, timeInForce = "FOK", positionFill = "REDUCE_ONLY",
    [side.name .. "PositionCloseout"] = json.object("instrument", def.symbol, "units",
      side.asked == "ALL" and "ALL" or side.units), clientExtensions = side.extensions,
    fill_reason = "MARKET_ORDER_POSITION_CLOSEOUT" }
end

--- Both sides: a list of those to close, or nil and a refusal.
local function sides_of(body, net)
  local held, out = decimal.abs(net), {}
  for _, name in ipairs { "long", "short" } do
    local other = body[(name == "long" and "short" or "long") .. "Units"]
    local mine = money.is_long(net) == (name == "long") and held or "0"
    local side, no = side_of(body, name, mine, other ~= nil and other ~= json.null)
    if no then return nil, no end
    if side then out[#out + 1] = side end
  end
  return out
end

local function close(sb, call)
  local def = sb.by_symbol[call.instrument]
  if not def then return nil, refusal.invalid "instrument" end
  local net = money.net(sb, def)
  local sides, no = sides_of(call.body, net)
  if not sides then return nil, no end
  call.batch = sb.log:begin(sb:now(), call.request_id)
  if #sides == 0 then return nil, refusal.reject("CLOSEOUT_POSITION_INCOMPLETE_SPECIFICATION", {}) end
  for _, side in ipairs(sides) do
    local wrong = wrong_side(def, side)
    if wrong then
      local tx = orders.reject(sb, closing_order(def, side), "POSITION_CLOSEOUT", wrong)
      local flat = wrong == "CLOSEOUT_POSITION_DOESNT_EXIST" and net == "0"
      return nil, refusal.reject(wrong, { side.name .. "OrderRejectTransaction", tx.json }, flat and 404 or 400)
    end
  end
  local side = sides[1]
  local order = closing_order(def, side)
  order.units = side.name == "long" and decimal.neg(side.units) or side.units
  local created, filled, cancelled = orders.submit(sb, order, "POSITION_CLOSEOUT")
  orders.locate(call, order)
  return table.pack(side.name .. "OrderCreateTransaction", created.json,
    side.name .. "OrderFillTransaction", filled and filled.json,
    side.name .. "OrderCancelTransaction", cancelled and cancelled.json)
end

M.routes = {
  { "GET", "positions", list_of(false) }, { "GET", "openPositions", list_of(true) },
  { "GET", "positions/{instrument}", one }, { "PUT", "positions/{instrument}/close", close },
}

return M
