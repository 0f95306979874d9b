--- Funded accounts that hold something, and what flat means: for scenarios about a risk guard over them.
local smc = require "smc"

local M = {}

--- names: of venues; default all three.  options: of smc.venue, for each.  Returns a list of the venues, and each.
function M.open(names, options)
  local venues = {}
  for i, name in ipairs(names or { "binance", "bybit", "oanda" }) do
    venues[i] = smc.venue(name, options)
    venues[i].sandbox:fund { [name == "oanda" and "USD" or "USDT"] = "50000" }
  end
  return venues, table.unpack(venues)
end

local ORDERS = {
  binance = { { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.2" },
    { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "50000" } },
  bybit = { { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.5" },
    { symbol = "ETH/USDT:USDT", side = "buy", type = "limit", qty = "0.1", price = "2500" } },
  oanda = { { symbol = "EUR/USD", side = "sell", type = "market", qty = "20000" },
    { symbol = "EUR/USD", side = "buy", type = "limit", qty = "100", price = "0.9" } },
}

--- Each of them holds something and has an order in the market.
function M.take_positions(venues)
  for _, venue in ipairs(venues) do
    for _, order in ipairs(ORDERS[venue.name]) do assert(venue:place(order)) end
  end
end

--- Nothing held and nothing open, as the venues themselves have it.
function M.assert_flat(venues)
  for _, venue in ipairs(venues) do
    assert.same({}, venue.sandbox:positions())
    assert.same({}, venue.sandbox:orders { status = "open" })
    if venue.name == "binance" then
      assert.is_nil(assert(venue:balances()).BTC, "the assets of the spot account were sold")
    end
  end
end

--- A guard over them, which opens when a fiftieth is lost; they hold something from then on.  options: more of
-- smc.risk.
function M.guard(venues, options)
  local given = { venues = venues, max_drawdown = "0.02", sell_assets = true, trial = 3, stale_after = 30 }
  for name, value in pairs(options or {}) do given[name] = value end
  local guard = assert(smc.risk(given))
  M.take_positions(venues)
  return guard
end

--- A fifth of what bybit holds is lost: 6000 of the 50000 of each account.
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
