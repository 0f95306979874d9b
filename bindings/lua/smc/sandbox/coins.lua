--- What every simulated spot venue trades, and what its accounts own.  By which rules is each venue's own business.
local M = {}

-- start: where its feed begins.  level_qty, trade_qty: how much makers show and takers take, where the defaults of the
-- engine (meant for quotes in dollars) do not fit.
local PAIRS = {
  { symbol = "BTCUSDT", base = "BTC", quote = "USDT", start = "60000" },
  { symbol = "ETHUSDT", base = "ETH", quote = "USDT", start = "3000" },
  { symbol = "ETHBTC", base = "ETH", quote = "BTC", start = "0.05", level_qty = "20", trade_qty = "0.2" },
  { symbol = "BNBUSDT", base = "BNB", quote = "USDT", start = "600" },
}

--- What every account of a fresh sandbox owns.
M.funds = { { "BNB", "1000" }, { "BTC", "100" }, { "ETH", "1000" }, { "USDT", "10000000" } }

--- The pairs, each with a venue's own rules for it.  rules: by symbol.
function M.with(rules)
  local out = {}
  for i, pair in ipairs(PAIRS) do
    local def = { name = pair.base .. "/" .. pair.quote, lower = pair.symbol:lower() }
    for key, value in pairs(pair) do def[key] = value end
    for key, value in pairs(rules[pair.symbol]) do def[key] = value end
    out[i] = def
  end
  return out
end

return M
