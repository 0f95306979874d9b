--- Which symbols there are: those of category spot.
local client = require "smc.venue.client"

local M = {}

--- "BTC/USDT" -> "BTCUSDT".  Derivatives are written with what they are settled in, and refused by name.
-- level: whom a wrong symbol is blamed on, 3 being the caller of the caller.
function M.native(what, symbol, level)
  level = level or 3
  if type(symbol) == "string" and symbol:find(":", 1, true) then
    error(("%s: '%s' is a derivative: of bybit only spot is offered, like \"BTC/USDT\""):format(what, symbol), level)
  end
  return (client.native(what, symbol, level + 1))
end

return M
