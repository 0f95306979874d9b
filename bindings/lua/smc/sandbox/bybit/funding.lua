--- What longs pay to shorts every eight hours, or the other way round.
local decimal = require "smc.decimal"
local prices = require "smc.sandbox.bybit.prices"
local private = require "smc.sandbox.bybit.private_stream"

local M = {}

--- Settles one account's position in one contract.
local function charge(sb, account, def, idx, rate, at_ms)
  local position = sb:position(account, def, idx)
  if position.qty == "0" then return end
  local qty, mark = decimal.abs(position.qty), prices.mark(sb, def)
  local value = decimal.mul(qty, mark, 8)
  local long = decimal.cmp(position.qty, "0") > 0
  local fee = decimal.mul(value, rate, 8)
  if not long then fee = decimal.neg(fee) end
  local n = #sb.fundings + 1
  local id = ("%08x-0000-5000-b000-%012x"):format(def.index, n)
  local f = { account = account, def = def, exec_id = id, trade_id = n, side = long and "buy" or "sell", price = mark,
    mark = mark, qty = qty, quote = value, rate = rate, fee = fee, is_maker = false, time_ms = at_ms,
    entry = { id = id, link = "", idx = idx, exec_type = "Funding" },
    order = { type = "funding", price = "0", qty = "0", quote_qty = "0", filled = "0" } }
  sb.fundings[n] = f
  sb.market:adjust(account, def.quote, decimal.neg(fee))
  private.tell_funding(sb, f)
end

local function settle(sb, at_ms)
  for _, def in ipairs(sb.categories.linear.list) do
    local rate = prices.funding_rate(sb, def)
    table.insert(sb.funding_rates, { def = def, rate = rate, time_ms = at_ms })
    for account = sb.first_account, sb.last_account do
      for _, idx in ipairs(sb:indices(account, def)) do charge(sb, account, def, idx, rate, at_ms) end
    end
  end
end

--- Settles whatever was due up to this moment of the market's time.
function M.catch_up(sb, now_ms)
  while sb.funding_due <= now_ms do
    sb.market:advance(sb.funding_due)
    settle(sb, sb.funding_due)
    sb.funding_due = sb.funding_due + prices.FUNDING_MS
  end
end

return M
