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

--- Returns true, or nil and a refusal.  order: { type, price, qty, quote_qty }; reference(): the average price.
function M.check(def, order, reference)
  local market = order.type == "MARKET"
  if order.price then
    if not price_filter(def, order.price) then return nil, refusal.filter "PRICE_FILTER" end
    if not percent_price(order.price, reference()) then return nil, refusal.filter "PERCENT_PRICE_BY_SIDE" end
  end
  if order.qty and not lot_size(def, order.qty) then return nil, refusal.filter "LOT_SIZE" end
  if market and order.qty and cmp(order.qty, def.market_max) > 0 then return nil, refusal.filter "MARKET_LOT_SIZE" end
  local amount = order.quote_qty or mul(order.qty, order.price or reference())
  if not notional(def, amount, market) then return nil, refusal.filter "NOTIONAL" end
  return true
end

return M
