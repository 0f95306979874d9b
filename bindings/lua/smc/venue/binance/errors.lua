--- What an answer of Binance means: its code and text as a class, and whether the same call may be sent again.
-- Source: rest-api "HTTP Return Codes", errors.md.  What is not here is of class `protocol`, never a guess.
local outcome = require "smc.venue.outcome"

local M = {}

local CODES = {
  server = { -1000, -1001, -1008, -1016 },
  timeout = { -1007 },
  unknown_outcome = { -1006 },
  rate_limit = { -1003, -1015, -1034, -2042 },
  clock_skew = { -1021 },
  auth = { -1022, -1099, -2008, -2014, -2015 },
  permission = { -1002 },
  market_closed = { -1112 },
  unknown_order = { -2013, -2026, -2039 },
  invalid_request = {
    -1014, -1020, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1111, -1114, -1115, -1116, -1117,
    -1118, -1119, -1120, -1121, -1122, -1125, -1127, -1128, -1130, -1131, -1134, -1135, -1139, -1145, -1151,
    -1152, -1153, -1155, -1158, -1160, -1161, -1165, -1166, -1168, -1194, -1196, -1197, -1198, -1199, -1210,
    -1211, -1220, -1221, -1222, -1223, -1224, -1225, -2016, -2035, -2036, -2043,
    -2021, -2022, -- of replacing an order: the code inside decides, where there is one
    0, 1, 2, 3, 4, -- of a market stream's control messages, numbered apart
  },
}
for code = -1191, -1169 do table.insert(CODES.invalid_request, code) end -- of FIX

-- The same call may be sent again, later.
local RETRYABLE = { [-1000] = true, [-1001] = true, [-1003] = true, [-1007] = true, [-1008] = true, [-1015] = true,
  [-1016] = true, [-1034] = true, [-1112] = true }

-- Of a call that could place or cancel an order; after most of these nobody knows whether it did.
local MUTATION = { [-1000] = "unknown_outcome", [-1001] = "unknown_outcome", [-1007] = "unknown_outcome",
  [-1008] = "server" }

-- Codes that say only that an order was refused: the text decides.
local BY_TEXT = { [-1010] = true, [-1013] = true, [-2010] = true, [-2011] = true, [-2038] = true }

local UNSUPPORTED = " orders are not supported for this symbol."
local TEXTS = {
  unknown_order = { "Unknown order sent." },
  duplicate_order = { "Duplicate order sent." },
  market_closed = {
    "Market is closed.", "This order type is not possible in this trading phase.",
    "Limit orders require GTC for this phase.",
    "Order book liquidity is less than `LOT_SIZE` filter minimum quantity.",
    "Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity.",
    "Order book liquidity is less than symbol minimum quantity.",
    "Order book liquidity is too low for this pegged order.",
  },
  insufficient_funds = { "Account has insufficient balance for requested action." },
  filter = { "Price * QTY is zero or less.", "IcebergQty exceeds QTY." },
  permission = {
    "This action is disabled on this account.", "This account may not place or cancel orders.",
    "This symbol is not permitted for this account.", "This symbol is restricted for this account.",
    "Rest API trading is not enabled.", "WebSocket API trading is not enabled.", "FIX API trading is not enabled.",
  },
  invalid_request = {
    "Order would trigger immediately.", "Order would immediately match and take.",
    "The relationship of the prices for the orders is not correct.",
    "Cancel order is invalid. Check origClOrdId and orderId.", "Unsupported order combination",
    "Order was not canceled due to cancel restrictions.",
    "Market" .. UNSUPPORTED, "Iceberg" .. UNSUPPORTED, "Stop loss" .. UNSUPPORTED, "Stop loss limit" .. UNSUPPORTED,
    "Take profit" .. UNSUPPORTED, "Take profit limit" .. UNSUPPORTED, "Trailing stop" .. UNSUPPORTED,
    "Pegged" .. UNSUPPORTED, "OPO" .. UNSUPPORTED, "OCO orders are not supported for this symbol",
    "Quote order qty market orders are not support for this symbol.",
    "Order cancel-replace is not supported for this symbol.", "Order amend is not supported for this symbol.",
    "Order amend (quantity increase) is not supported.", "The requested action would change no state; rejecting",
    "Order amend (pending OPO order) is not supported.", "This order type may not use pegged price.",
    "This price peg cannot be used with this order type.",
    "This symbol does not allow the specified self-trade prevention mode.",
  },
}

-- Answers without a code: pages of the servers in front.
local STATUSES = { [401] = "auth", [403] = "ip_ban", [418] = "ip_ban", [429] = "rate_limit", [451] = "permission" }

--- { class = { member, .. } } as { [member] = class }.
local function by_member(lists)
  local out = {}
  for class, list in pairs(lists) do
    for _, member in ipairs(list) do out[member] = class end
  end
  return out
end

local CLASS_OF, CLASS_OF_TEXT = by_member(CODES), by_member(TEXTS)

local function by_status(http, mutation)
  if http and http >= 500 then return mutation and "unknown_outcome" or "server", not mutation end
  return STATUSES[http] or "invalid_request", http == 418 or http == 429
end

local function by_text(message)
  return message:find "^Filter failure: " and "filter" or CLASS_OF_TEXT[message] or "protocol"
end

--- class, retryable of an answer that is an error.  mutation: the call could place or cancel an order.
-- cause: { code, message } of the half that failed, when an order could not be replaced.
function M.classify(http, code, message, mutation, cause)
  if not code then return by_status(http, mutation) end
  if cause then return (M.classify(http, cause.code, cause.message, mutation)), false end
  if BY_TEXT[code] then return by_text(message), false end
  if code == -1003 and message:find("IP banned until", 1, true) then return "ip_ban", true end
  if mutation and MUTATION[code] then return MUTATION[code], false end
  return CLASS_OF[code] or "protocol", RETRYABLE[code] == true
end

local outcomes = outcome.of("binance", M.classify)
M.answered, M.unanswered, M.broken = outcomes.answered, outcomes.unanswered, outcomes.broken

return M
