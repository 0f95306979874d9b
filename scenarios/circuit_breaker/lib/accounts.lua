--- Three funded accounts that hold something, and what flat means: for scenarios about a risk guard over them.
local smc = require "smc"

local M = {}

--- options: of smc.venue.  Returns a list of them, and each.
function M.open(options)
  local binance, bybit, oanda = smc.venue("binance", options), smc.venue("bybit", options), smc.venue("oanda", options)
  binance.sandbox:fund { USDT = "50000" }
  bybit.sandbox:fund { USDT = "50000" }
  oanda.sandbox:fund { USD = "50000" }
  return { binance, bybit, oanda }, binance, bybit, oanda
end

--- Each of them holds something and has an order in the market.
function M.take_positions(binance, bybit, oanda)
  assert(binance:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.2" })
  assert(binance:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "50000" })
  assert(bybit:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.5" })
  assert(bybit:place { symbol = "ETH/USDT:USDT", side = "buy", type = "limit", qty = "0.1", price = "2500" })
  assert(oanda:place { symbol = "EUR/USD", side = "sell", type = "market", qty = "20000" })
  assert(oanda:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "100", price = "0.9" })
end

--- Nothing held and nothing open, as the venues themselves have it.
function M.assert_flat(venues)
  for _, venue in ipairs(venues) do
    assert.same({}, venue.sandbox:positions())
    assert.same({}, venue.sandbox:orders { status = "open" })
  end
  assert.is_nil(assert(venues[1]:balances()).BTC, "the assets of the spot account were sold")
end

--- A guard over them, which opens when a fiftieth is lost; they hold something from then on.
function M.guard(venues, alert)
  local guard = assert(smc.risk { venues = venues, max_drawdown = "0.02", sell_assets = true, alert = alert, trial = 3,
    stale_after = 30 })
  M.take_positions(table.unpack(venues))
  return guard
end

--- A fifth of what bybit holds is lost: 6000 of 150000.
function M.crash(bybit) bybit.sandbox:move("BTC/USDT:USDT", { by = "-0.2" }) end

function M.opens_and_gets_flat(guard, venues)
  eventually(function() assert.equal("open", guard.state) end, { within = 30 })
  eventually(function() assert.is_false(guard.is_closing) end, { within = 60 })
  M.assert_flat(venues)
end

--- What the guard has come to, one word each.
function M.kinds(guard)
  local out = {}
  for i, event in ipairs(guard:history()) do out[i] = event.kind end
  return table.concat(out, " ")
end

return M
