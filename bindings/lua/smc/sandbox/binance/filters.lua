--- The symbol filters, in the order in which the sandbox checks them.  Exact decimals throughout.
local decimal = require "smc.decimal"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"

local M = {}

local cmp, mul = decimal.cmp, decimal.mul

local function price_filter(def, price)
  return cmp(price, def.tick) >= 0 and cmp(price, def.max_price) <= 0 and decimal.is_multiple(price, def.tick)
end

local function percent_price(price, reference)
  return cmp(price, mul(reference, symbols.price_down)) >= 0 and cmp(price, mul(reference, symbols.price_up)) <= 0
end

local function lot_size(def, qty)
  return cmp(qty, def.step) >= 0 and cmp(qty, def.max_qty) <= 0 and decimal.is_multiple(qty, def.step)
end

local function notional(def, amount, is_market)
  if cmp(amount, def.min_notional) < 0 then return false end
  return is_market or cmp(amount, symbols.max_notional) <= 0
end

local function between(value, least, most) return value >= least and value <= most end

--- Returns nil, or a refusal.  order: { type, market (it works as one), price, stop, delta, qty, quote_qty };
-- reference(): the average price.
function M.check(def, order, reference)
  for _, price in ipairs { order.price or order.stop, order.price and order.stop } do
    if not price_filter(def, price) then return refusal.filter "PRICE_FILTER" end
  end
  if order.price and not percent_price(order.price, reference()) then return refusal.filter "PERCENT_PRICE_BY_SIDE" end
  if order.qty and not lot_size(def, order.qty) then return refusal.filter "LOT_SIZE" end
  if order.type == "MARKET" and order.qty and cmp(order.qty, def.market_max) > 0 then
    return refusal.filter "MARKET_LOT_SIZE"
  end
  local amount = order.quote_qty or mul(order.qty, order.price or reference())
  if not notional(def, amount, order.market) then return refusal.filter "NOTIONAL" end
  if order.delta and not between(order.delta, symbols.min_trailing_delta, symbols.max_trailing_delta) then
    return refusal.filter "TRAILING_DELTA"
  end
end

return M
