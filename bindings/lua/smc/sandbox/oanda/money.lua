--- What an account is worth: its balance, what its open trades would make, the margin that they hold.
local decimal = require "smc.decimal"
local instruments = require "smc.sandbox.oanda.instruments"

local M = {}

local add, mul = decimal.add, decimal.mul

--- Amounts of the account have four decimals.
function M.amount(value) return decimal.format(value, 4) end

function M.round(value) return decimal.round(value, 4) end

function M.is_long(units) return units:sub(1, 1) ~= "-" end

--- What a profit in an instrument's quote currency is at home; gains and losses convert differently.
function M.at_home(sb, def, quote)
  local gain, loss = instruments.factors(sb, def.quote)
  return M.round(mul(quote, M.is_long(quote) and gain or loss, 12))
end

--- The quote profit of so many units between two prices.
function M.profit(units, entry, exit) return mul(decimal.sub(exit, entry), units, 12) end

--- Open trades of an instrument, oldest first; nil: of all.
function M.open_trades(sb, def)
  local out = {}
  for _, trade in ipairs(sb.open_trades) do
    if not def or trade.def == def then out[#out + 1] = trade end
  end
  return out
end

--- What closing a trade now would make; at the mid, for the rules of margin.
function M.unrealized(sb, trade, at_mid)
  local price
  if at_mid then
    price = sb.market:mid(trade.def.symbol)
  else
    local best = sb.market:best(trade.def.symbol)
    price = M.is_long(trade.units) and best.bid or best.ask
  end
  return M.at_home(sb, trade.def, M.profit(trade.units, trade.price, price or trade.price))
end

--- The value of units at home, at the mid.
function M.value(sb, def, units)
  local quote = mul(decimal.abs(units), sb.market:mid(def.symbol), 12)
  return mul(quote, instruments.rate(sb, def.quote), 12)
end

--- The margin rate of an instrument: its own, or the account's if that is higher.
function M.rate(sb, def, rate) return decimal.max(def.rate, rate or sb.margin_rate) end

function M.margin(sb, def, units, rate) return M.round(mul(M.value(sb, def, units), M.rate(sb, def, rate), 12)) end

--- The units held of an instrument, signed.
function M.net(sb, def)
  local units = "0"
  for _, trade in ipairs(M.open_trades(sb, def)) do units = add(units, trade.units) end
  return units
end

--- The same of all of which something is held.
local function nets(sb)
  local out = {}
  for _, trade in ipairs(sb.open_trades) do out[trade.def] = add(out[trade.def] or "0", trade.units) end
  return out
end

--- { balance, unrealized, nav, used, available, value, closeout_unrealized, closeout_nav, call_percent,
-- closeout_percent }.  other: { def, units, rate }, as if so many units of an instrument were held, or the account's
-- margin rate were another.
function M.figures(sb, other)
  other = other or {}
  local f = { balance = sb.balance, unrealized = "0", closeout_unrealized = "0", used = "0", value = "0" }
  for _, trade in ipairs(sb.open_trades) do
    f.unrealized = add(f.unrealized, M.unrealized(sb, trade))
    f.closeout_unrealized = add(f.closeout_unrealized, M.unrealized(sb, trade, true))
  end
  local held = nets(sb)
  for _, def in ipairs(sb.symbols) do
    local units = def == other.def and other.units or held[def] or "0"
    if units ~= "0" then
      f.value = add(f.value, M.round(M.value(sb, def, units)))
      f.used = add(f.used, M.margin(sb, def, units, other.rate))
    end
  end
  f.nav, f.closeout_nav = add(f.balance, f.unrealized), add(f.balance, f.closeout_unrealized)
  f.available = decimal.max("0", decimal.sub(f.nav, f.used))
  local ruined = decimal.le(f.closeout_nav, "0")
  f.call_percent = f.used == "0" and "0" or ruined and "2" or decimal.div(f.used, f.closeout_nav, 5)
  f.closeout_percent = decimal.div(f.call_percent, "2", 5)
  return f
end

--- How many units could be traded: by position fill, long and short.
function M.units_available(sb, def)
  local one = M.value(sb, def, "1")
  local f, net = M.figures(sb), M.net(sb, def)
  local free = decimal.floor_to(decimal.div(f.available, mul(one, M.rate(sb, def), 12), 6), def.step)
  local out = {}
  for side, against in pairs { long = not M.is_long(net), short = M.is_long(net) and net ~= "0" } do
    local closable = against and decimal.abs(net) or "0"
    -- What is closed gives back its own margin, which can be used once more.
    local all = against and add(free, mul(closable, "2")) or free
    out[side] = { default = all, reduceFirst = all, reduceOnly = closable, openOnly = against and "0" or free }
  end
  return out.long, out.short
end

return M
