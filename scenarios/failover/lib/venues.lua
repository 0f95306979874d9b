--- What scenarios about a group of two venues have in common, whichever of the venues fails.
local M = {}

local VENUES = { "binance", "bybit", "oanda" }

--- Iterates over each venue and the one behind it: name, other, and what stands for a coin where there are none, as
-- smc.failover takes it.
function M.pairs()
  local i = 0
  return function()
    i = i + 1
    local name, other = VENUES[i], VENUES[i % #VENUES + 1]
    local symbols = (name == "oanda" or other == "oanda") and { ["BTC/USDT"] = { oanda = "EUR/USD" } } or nil
    return name, other, symbols
  end
end

--- The first event of a kind; what came before it is no business of ours.
function M.next_of(stream, kind)
  local event
  repeat event = assert(stream:recv(20)) until event.kind == kind
  return event
end

return M
