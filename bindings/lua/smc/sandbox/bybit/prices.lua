--- The prices of an instrument beside its book: last, mark, index, funding, and the band that orders must keep to.
local decimal = require "smc.decimal"

local M = {}

local add, div, mul, sub = decimal.add, decimal.div, decimal.mul, decimal.sub

M.FUNDING_MS = 8 * 3600 * 1000
local INTEREST, DAMPER, CAP = "0.0001", "0.0005", "0.005"

function M.last(sb, def)
  return sb.market:trades({ symbol = def.symbol, limit = 1 })[1].price
end

function M.mark(sb, def) return sb.market:mid(def.symbol) end

--- A contract's index is the spot market's mid.
function M.index(sb, def) return sb.market:mid(def.index_symbol or def.symbol) end

local WATCHED = { LastPrice = M.last, MarkPrice = M.mark, IndexPrice = M.mark }

--- The price that triggerBy names, as the engine watches it: the mark is its index.
function M.watched(sb, def, by) return WATCHED[by](sb, def) end

local function clamp(x, by) return decimal.max(decimal.min(x, by), "-" .. by) end

--- What a long would pay a short for eight hours if they ended now: the premium and the interest, both kept in bounds.
function M.funding_rate(sb, def)
  local index = M.index(sb, def)
  local premium = div(sub(M.mark(sb, def), index), index, 8)
  return clamp(add(premium, clamp(sub(INTEREST, premium), DAMPER)), CAP)
end

--- When funding is settled next, in the market's time.
function M.next_funding(sb) return (sb.market:time() // M.FUNDING_MS + 1) * M.FUNDING_MS end

--- The least that one may sell at and the most that one may buy at.  The averages of the premium that the venue's
-- formula adds are taken for zero.
function M.band(sb, def)
  local mark, index = M.mark(sb, def), M.index(sb, def)
  local function from(price, by) return mul(price, add("1", by), 12) end
  local low = decimal.max(from(mark, "-" .. def.band_limit), decimal.min(index, from(mark, "-" .. def.band)))
  local high = decimal.min(from(mark, def.band_limit), decimal.max(index, from(mark, def.band)))
  return decimal.floor_to(low, def.tick), decimal.floor_to(high, def.tick)
end

--- The mark at which the engine would close what an account has of a contract, all else staying as it is: where what
-- the account has is no more than what its positions must keep.  "" when no order could have such a price.
-- Source: v5/position, "liqPrice" of cross margin.
function M.liquidation(sb, account, def)
  local margin, mark = sb.market:margin(account, def.quote), M.mark(sb, def)
  local kept, qty, size = margin.maintenance, "0", "0" -- kept: for the other positions
  for _, idx in ipairs(sb:indices(account, def)) do
    local p = sb:position(account, def, idx)
    kept, qty, size = sub(kept, p.mm), add(qty, p.qty), add(size, decimal.abs(p.qty))
  end
  local least = sub(add(mul(qty, mark, 12), kept), margin.equity)
  local slope = sub(qty, mul(size, def.contract.maintenance_rate, 12))
  if slope == "0" then return "" end -- long and short make up for each other
  local price = div(least, slope, 12)
  if decimal.cmp(price, def.tick) <= 0 or decimal.cmp(price, def.max_price) >= 0 then return "" end
  return decimal.floor_to(price, def.tick)
end

return M
