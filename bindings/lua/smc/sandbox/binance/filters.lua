--- The symbol filters, in the order in which the sandbox checks them.  Exact decimals throughout.
local decimal = require "smc.decimal"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"

local M = {}

local mul, within = decimal.mul, decimal.within

local DOWN, UP = tonumber(symbols.price_down) * 1.01, tonumber(symbols.price_up) * 0.99

--- Exactly, where the price comes near a bound.
local function percent_price(price, reference)
  local share = tonumber(price) / tonumber(reference)
  if share > DOWN and share < UP then return true end
  return within(price, mul(reference, symbols.price_down), mul(reference, symbols.price_up))
end

local function on_grid(def, price) return not price or within(price, def.tick, def.max_price, def.tick) end

local function between(value, least, most) return value >= least and value <= most end

--- Returns nil, or a refusal.  order: { type, market (it works as one), price, stop, delta, qty,
-- quote_qty, part };
-- reference(): the average price.
function M.check(def, order, reference)
  if not on_grid(def, order.price) or not on_grid(def, order.stop) then return refusal.filter "PRICE_FILTER" end
  if order.price and not percent_price(order.price, reference()) then return refusal.filter "PERCENT_PRICE_BY_SIDE" end
  for _, qty in ipairs { order.qty or order.part, order.qty and order.part } do
    if not within(qty, def.step, def.max_qty, def.step) then return refusal.filter "LOT_SIZE" end
  end
  if order.type == "MARKET" and order.qty and not within(order.qty, nil, def.market_max) then
    return refusal.filter "MARKET_LOT_SIZE"
  end
  local amount = order.quote_qty or mul(order.qty, order.price or reference())
  local most = not order.market and symbols.max_notional or nil
  if not within(amount, def.min_notional, most) then return refusal.filter "NOTIONAL" end
  if order.part and not within(mul(order.part, symbols.iceberg_parts), order.qty) then
    return refusal.filter "ICEBERG_PARTS"
  end
  if order.delta and not between(order.delta, symbols.min_trailing_delta, symbols.max_trailing_delta) then
    return refusal.filter "TRAILING_DELTA"
  end
end

return M
