--- Which symbols there are: "BTC/USDT" of category spot; contracts are written with what they are settled in, and
-- "BTC/USDT:USDT" is of category linear.
local client = require "smc.venue.client"

local M = {}

--- "BTC/USDT:USDT" -> "linear", "BTCUSDT".  level: whom a wrong symbol is blamed on, 3 being the caller of the caller.
function M.of(what, symbol, level)
  level = level or 3
  local pair, settled = (type(symbol) == "string" and symbol or ""):match "^([^:]+):(.*)$"
  if not pair then return "spot", client.native(what, symbol, level + 1) end
  if settled ~= "USDT" or not pair:find "/USDT$" then
    error(("%s: '%s' is not offered: of bybit's contracts those in USDT are, like \"BTC/USDT:USDT\"")
      :format(what, symbol), level)
  end
  return "linear", client.native(what, pair, level + 1)
end

return M
