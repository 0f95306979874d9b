--- What an answer of Binance means: its code and text as a class, and whether the same call may be sent again.
local outcome = require "smc.venue.outcome"

local M = {}

-- { class, retryable }.  A mutation whose class differs is in MUTATION below.
local CODES = {
  [-1000] = { "server", true }, [-1001] = { "server", true }, [-1002] = { "permission" },
  [-1003] = { "rate_limit", true }, [-1006] = { "unknown_outcome" }, [-1007] = { "timeout", true },
  [-1008] = { "server", true }, [-1014] = { "invalid_request" }, [-1015] = { "rate_limit", true },
  [-1016] = { "server", true }, [-1020] = { "invalid_request" }, [-1021] = { "clock_skew" }, [-1022] = { "auth" },
  [-1034] = { "rate_limit", true }, [-1099] = { "auth" }, [-1112] = { "market_closed", true }, [-2008] = { "auth" },
  [-2013] = { "unknown_order" }, [-2014] = { "auth" }, [-2015] = { "auth" }, [-2026] = { "unknown_order" },
  [-2039] = { "unknown_order" }, [-2042] = { "rate_limit" },
}

-- After these nobody knows whether an order was placed or cancelled.
local MUTATION = { [-1000] = "unknown_outcome", [-1001] = "unknown_outcome", [-1006] = "unknown_outcome",
  [-1007] = "unknown_outcome", [-1008] = "server" }

-- Codes that say only that the engine refused: the text decides.
local BY_TEXT = { [-1010] = true, [-1013] = true, [-2010] = true, [-2011] = true, [-2038] = true }

local TEXTS = {
  ["Unknown order sent."] = "unknown_order",
  ["Duplicate order sent."] = "duplicate_order",
  ["Market is closed."] = "market_closed",
  ["This order type is not possible in this trading phase."] = "market_closed",
  ["Limit orders require GTC for this phase."] = "market_closed",
  ["Account has insufficient balance for requested action."] = "insufficient_funds",
  ["Price * QTY is zero or less."] = "filter",
  ["IcebergQty exceeds QTY."] = "filter",
  ["This action is disabled on this account."] = "permission",
  ["This account may not place or cancel orders."] = "permission",
  ["This symbol is not permitted for this account."] = "permission",
  ["This symbol is restricted for this account."] = "permission",
  ["Rest API trading is not enabled."] = "permission",
  ["WebSocket API trading is not enabled."] = "permission",
  ["FIX API trading is not enabled."] = "permission",
}

local STATUSES = { [401] = "auth", [403] = "ip_ban", [418] = "ip_ban", [429] = "rate_limit", [451] = "permission" }

local function by_text(message)
  if message:find("^Filter failure: ") then return "filter" end
  if message:find("^Order book liquidity is ") then return "market_closed" end
  return TEXTS[message] or "invalid_request"
end

local function by_status(http, mutation)
  if http and http >= 500 then
    return mutation and "unknown_outcome" or "server", not mutation
  end
  return STATUSES[http] or "invalid_request", http == 418 or http == 429
end

--- class, retryable of an answer that is an error.  mutation: the call could place or cancel an order.
function M.classify(http, code, message, mutation)
  if not code then return by_status(http, mutation) end
  if BY_TEXT[code] then return by_text(message), false end
  local known = CODES[code]
  if not known then
    -- Codes below -1000 that are not listed above describe the request itself.
    if code <= -1100 and code > -2000 then return "invalid_request", false end
    local class = by_status(http, mutation)
    return class, false
  end
  if code == -1003 and message:find("IP banned until", 1, true) then return "ip_ban", true end
  if mutation and MUTATION[code] then return MUTATION[code], false end
  return known[1], known[2] == true
end

local outcomes = outcome.of("binance", M.classify)
M.answered, M.unanswered, M.broken = outcomes.answered, outcomes.unanswered, outcomes.broken

return M
