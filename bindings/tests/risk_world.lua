-- Accounts with round funds, and guards over them: for the tests of smc.risk.
local smc = require "smc"

local M = {}

M.PERP = { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.5" }

--- An order like another (M.PERP), with changes.
function M.order(changes, from)
  local out = {}
  for name, value in pairs(from or M.PERP) do out[name] = value end
  for name, value in pairs(changes) do out[name] = value end
  return out
end

function M.opened(name, funds, options)
  local venue = smc.venue(name, options)
  venue.sandbox:fund(funds or { [name == "oanda" and "USD" or "USDT"] = "20000" })
  return venue
end

--- A guard over one bybit account.
function M.guarded(options, of_venue)
  local venue = M.opened("bybit", nil, of_venue)
  local given = { venues = { venue } }
  for name, value in pairs(options) do given[name] = value end
  return assert(smc.risk(given)), venue
end

--- Waits until it has opened and closed everything, or given up.
function M.has_tripped(guard)
  eventually(function() assert.equal("open", guard.state) end)
  eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
end

--- A guard that was opened by a position that is too large, and closed it.
function M.tripped(options)
  local given = { max_exposure = "10000", trial = 5 }
  for name, value in pairs(options or {}) do given[name] = value end
  local guard, venue = M.guarded(given)
  assert(venue:place(M.PERP))
  M.has_tripped(guard)
  return guard, venue
end

--- What it has come to, one word each.
function M.kinds(guard)
  local out = {}
  for i, event in ipairs(guard:history()) do out[i] = event.kind end
  return table.concat(out, " ")
end

return M
