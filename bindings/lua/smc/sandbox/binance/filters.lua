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

local function on_grid(def, price) return within(price, def.tick, def.max_price, def.tick) end

local function between(value, least, most) return value >= least and value <= most end

--- Returns nil, or a refusal.  v: an order as requests name it: type, quantity, quoteOrderQty, stopPrice,
-- trailingDelta; price: its own or its pegged one; part: of an iceberg; market: it works as a market order.  The
-- average price is what sb says.
function M.check(sb, def, v, price, part, market)
  local qty = v.quantity
  if price and not on_grid(def, price) then return refusal.filter "PRICE_FILTER" end
  if v.stopPrice and not on_grid(def, v.stopPrice) then return refusal.filter "PRICE_FILTER" end
  if price and not percent_price(price, sb:average_price(def.symbol)) then
    return refusal.filter "PERCENT_PRICE_BY_SIDE"
  end
  if qty and not within(qty, def.step, def.max_qty, def.step) then return refusal.filter "LOT_SIZE" end
  if part and not within(part, def.step, def.max_qty, def.step) then return refusal.filter "LOT_SIZE" end
  if v.type == "MARKET" and qty and not within(qty, nil, def.market_max) then
    return refusal.filter "MARKET_LOT_SIZE"
  end
  local amount = v.quoteOrderQty or mul(qty, price or sb:average_price(def.symbol))
  local most = not market and symbols.max_notional or nil
  if not within(amount, def.min_notional, most) then return refusal.filter "NOTIONAL" end
  if part and not within(mul(part, symbols.iceberg_parts), qty) then return refusal.filter "ICEBERG_PARTS" end
  local delta = v.trailingDelta
  if delta and not between(delta, symbols.min_trailing_delta, symbols.max_trailing_delta) then
    return refusal.filter "TRAILING_DELTA"
  end
end

return M
