--- The symbol filters, in the order in which the sandbox checks them.  Exact decimals throughout.
local amounts = require "smc.core.params"
local decimal = require "smc.decimal"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"

local M = {}

local mul, within = decimal.mul, decimal.within

local DOWN, UP = tonumber(symbols.price_down) * 1.01, tonumber(symbols.price_up) * 0.99

--- Exactly, where the price comes near a bound.
local function percent_price(sb, symbol, price)
  local share = sb:price_share(symbol, price)
  if share > DOWN and share < UP then return true end
  local average = sb:average_price(symbol)
  return within(price, mul(average, symbols.price_down), mul(average, symbols.price_up))
end

-- Of a symbol, as functions of an amount; usual: whether price and quantity, and what they come to, are in order.
local on_grid, lot, notional, worth, usual = {}, {}, {}, {}, {}
for _, def in ipairs(symbols.list) do
  usual[def] = amounts.order({ def.tick, def.max_price, def.tick }, { def.step, def.max_qty, def.step },
    { def.min_notional, symbols.max_notional, false })
  on_grid[def] = amounts.bounds(def.tick, def.max_price, def.tick)
  lot[def] = amounts.bounds(def.step, def.max_qty, def.step)
  notional[def] = amounts.bounds(def.min_notional, symbols.max_notional)
  worth[def] = amounts.bounds(def.min_notional)
end

local function between(value, least, most) return value >= least and value <= most end

--- Returns nil, or a refusal.  v: an order as requests name it: type, quantity, quoteOrderQty, stopPrice,
-- trailingDelta; price: its own or its pegged one; part: of an iceberg; market: it works as a market order.  The
-- average price is what sb says.
function M.check(sb, def, v, price, part, market)
  local qty = v.quantity
  local plain = price and qty and not (part or v.stopPrice or v.trailingDelta)
  if plain and usual[def](price, qty) and percent_price(sb, def.symbol, price) then return nil end
  if price and not on_grid[def](price) then return refusal.filter "PRICE_FILTER" end
  if v.stopPrice and not on_grid[def](v.stopPrice) then return refusal.filter "PRICE_FILTER" end
  if price and not percent_price(sb, def.symbol, price) then
    return refusal.filter "PERCENT_PRICE_BY_SIDE"
  end
  if qty and not lot[def](qty) then return refusal.filter "LOT_SIZE" end
  if part and not lot[def](part) then return refusal.filter "LOT_SIZE" end
  if v.type == "MARKET" and qty and not within(qty, nil, def.market_max) then
    return refusal.filter "MARKET_LOT_SIZE"
  end
  local amount = v.quoteOrderQty or mul(qty, price or sb:average_price(def.symbol))
  if not (market and worth or notional)[def](amount) then return refusal.filter "NOTIONAL" end
  if part and not within(mul(part, symbols.iceberg_parts), qty) then return refusal.filter "ICEBERG_PARTS" end
  local delta = v.trailingDelta
  if delta and not between(delta, symbols.min_trailing_delta, symbols.max_trailing_delta) then
    return refusal.filter "TRAILING_DELTA"
  end
end

return M
