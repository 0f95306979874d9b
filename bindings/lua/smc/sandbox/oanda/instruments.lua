--- What the sandbox trades: currency pairs, a metal, an index; and what amounts in other currencies are worth at home.
local decimal = require "smc.decimal"
local json = require "smc.json"

local M = { home = "USD" }

-- places: of prices; pip: of what is counted in pips; unit_places, least: of units; rate: of margin; spread: relative
-- to the price; liquidity: of one price level.
local LIST = {
  { "EUR_USD", start = "1.08", places = 5, pip = -4, rate = "0.02", spread = "0.00013" },
  { "GBP_USD", start = "1.27", places = 5, pip = -4, rate = "0.02", spread = "0.00015" },
  { "USD_JPY", start = "150", places = 3, pip = -2, rate = "0.02", spread = "0.0001" },
  { "EUR_GBP", start = "0.85", places = 5, pip = -4, rate = "0.02", spread = "0.00018" },
  { "USD_CHF", start = "0.88", places = 5, pip = -4, rate = "0.03", spread = "0.00017" },
  { "AUD_USD", start = "0.65", places = 5, pip = -4, rate = "0.03", spread = "0.00018" },
  { "XAU_USD", type = "METAL", title = "Gold", start = "2650", places = 3, pip = -2, rate = "0.05", spread = "0.00015",
    liquidity = "5000" },
  { "SPX500_USD", type = "CFD", title = "US SPX 500", start = "6000", places = 1, pip = 0, unit_places = 1,
    least = "0.1", rate = "0.05", spread = "0.0001", liquidity = "1000" },
}

M.most_units = "100000000"

local function power(places) return decimal.format(decimal.div("1", tostring(math.tointeger(10 ^ places)), 18)) end

local function complete(def, index)
  def.index, def.symbol = index, def[1]
  def.base, def.quote = def.symbol:match "^(.+)_(.+)$"
  def.name, def.tick = def.base .. "/" .. def.quote, power(def.places)
  def.unit_places = def.unit_places or 0
  def.step, def.least, def.type = power(def.unit_places), def.least or "1", def.type or "CURRENCY"
  def.level_qty = def.liquidity or "10000000"
  def.trade_qty = decimal.round(decimal.div(def.level_qty, "1000", 6), def.unit_places)
  return def
end

M.list = {}
for i, def in ipairs(LIST) do M.list[i] = complete(def, i) end

function M.price(def, value) return decimal.format(value, def.places) end

--- As GET .../instruments describes it.
function M.describe(def)
  local shift = power(def.places - 5 < 0 and 0 or def.places - 5)
  local function distance(points) return M.price(def, decimal.mul(def.tick, points, 12)) end
  local days = {}
  for i, day in ipairs { "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY" } do
    days[i] = json.object("dayOfWeek", day, "daysCharged", i == 3 and 3 or i > 5 and 0 or 1)
  end
  return json.object("name", def.symbol, "type", def.type, "displayName", def.title or def.name, "pipLocation", def.pip,
    "displayPrecision", def.places, "tradeUnitsPrecision", def.unit_places, "minimumTradeSize", def.least,
    "maximumTrailingStopDistance", distance(decimal.mul("100000", shift, 6)),
    "minimumTrailingStopDistance", distance "50", "maximumPositionSize", "0", "maximumOrderUnits", M.most_units,
    "marginRate", def.rate, "guaranteedStopLossOrderMode", "DISABLED", "tags", json.array {},
    "financing", json.object("longRate", M.financing.long, "shortRate", M.financing.short,
      "financingDaysOfWeek", json.array(days)))
end

M.financing = { long = "-0.0105", short = "-0.0045" }
M.trailing = { least = "50", most = "100000" } -- ticks

-- ---- conversion --------------------------------------------------------------------

--- The pair through which a currency is turned into the home currency, and whether by division; nil for home.
function M.via(by_symbol, currency)
  if currency == M.home then return nil end
  local direct = by_symbol[currency .. "_" .. M.home]
  if direct then return direct, false end
  return by_symbol[M.home .. "_" .. currency], true
end

--- What one unit of a currency is worth at home, at the mid.
function M.rate(sb, currency)
  local def, inverse = M.via(sb.by_symbol, currency)
  if not def then return "1" end
  local mid = sb.market:mid(def.symbol)
  return inverse and decimal.div("1", mid, 12) or mid
end

--- The same as it is applied to a gain, and to a loss.
function M.factors(sb, currency)
  if currency == M.home then return "1", "1" end
  local rate, markup = M.rate(sb, currency), sb.assume.conversion_markup
  return decimal.mul(rate, decimal.sub("1", markup), 12), decimal.mul(rate, decimal.add("1", markup), 12)
end

return M
