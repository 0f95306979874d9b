-- What each error of Binance means, row by row: rest-api "HTTP Return Codes", errors.md, and what was seen beside them.
local errors = require "smc.venue.binance.errors"

--- class and retryable of a read, then of a call that could place or cancel an order.
local function both(http, code, message, cause)
  local read, again = errors.classify(http, code, message, false, cause)
  local changed, anew = errors.classify(http, code, message, true, cause)
  return { read, again, changed, anew }
end

local function row(http, code, message, read, again, changed, anew)
  it(("%s %s %s is %s"):format(http, code, message, read), function()
    assert.same({ read, again or false, changed or read, anew == nil and again or anew or false },
      both(http, code, message))
  end)
end

describe("an error code", function()
  -- http, code, text, class, retryable; then of a mutation, where they differ
  row(500, -1000, "An unknown error occurred while processing the request.", "server", true, "unknown_outcome", false)
  row(500, -1001, "Internal error; unable to process your request. Please try again.", "server", true,
    "unknown_outcome", false)
  row(401, -1002, "You are not authorized to execute this request.", "permission")
  row(429, -1003, "Too many requests queued.", "rate_limit", true)
  row(429, -1003, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. Please use "
    .. "WebSocket Streams for live updates to avoid polling the API.", "rate_limit", true)
  row(418, -1003, "Way too much request weight used; IP banned until 1790000000000. Please use WebSocket Streams for "
    .. "live updates to avoid bans.", "ip_ban", true)
  row(503, -1006, "An unexpected response was received from the message bus. Execution status unknown.",
    "unknown_outcome")
  row(504, -1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    "timeout", true, "unknown_outcome", false)
  row(503, -1008, "Server is currently overloaded with other requests. Please try again in a few minutes.", "server",
    true, "server", false)
  row(400, -1014, "Unsupported order combination.", "invalid_request")
  row(429, -1015, "Too many new orders; current limit is 50 orders per 10 SECOND.", "rate_limit", true)
  row(503, -1016, "This service is no longer available.", "server", true)
  row(400, -1020, "This operation is not supported.", "invalid_request")
  row(400, -1021, "Timestamp for this request is outside of the recvWindow.", "clock_skew")
  row(400, -1022, "Signature for this request is not valid.", "auth")
  row(429, -1034, "Too many concurrent connections.", "rate_limit", true)
  row(401, -1099, "Not found, authenticated, or authorized", "auth")
  row(400, -1100, "Illegal characters found in a parameter.", "invalid_request")
  row(400, -1101, "Duplicate values for a parameter detected.", "invalid_request")
  row(400, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.", "invalid_request")
  row(400, -1103, "An unknown parameter was sent.", "invalid_request")
  row(400, -1104, "Not all sent parameters were read; read '6' parameter(s) but was sent '7'.", "invalid_request")
  row(400, -1105, "Parameter 'symbol' was empty.", "invalid_request")
  row(400, -1106, "Parameter 'price' sent when not required.", "invalid_request")
  row(400, -1108, "Parameter 'quantity' overflowed.", "invalid_request")
  row(400, -1111, "Parameter 'price' has too much precision.", "invalid_request")
  row(400, -1112, "No orders on book for symbol.", "market_closed", true)
  row(400, -1114, "TimeInForce parameter sent when not required.", "invalid_request")
  row(400, -1115, "Invalid timeInForce.", "invalid_request")
  row(400, -1116, "Invalid orderType.", "invalid_request")
  row(400, -1117, "Invalid side.", "invalid_request")
  row(400, -1118, "New client order ID was empty.", "invalid_request")
  row(400, -1119, "Original client order ID was empty.", "invalid_request")
  row(400, -1120, "Invalid interval.", "invalid_request")
  row(400, -1121, "Invalid symbol.", "invalid_request")
  row(400, -1122, "Invalid symbolStatus.", "invalid_request")
  row(400, -1125, "This listenKey does not exist.", "invalid_request")
  row(400, -1127, "More than 24 hours between startTime and endTime.", "invalid_request")
  row(400, -1128, "Combination of optional parameters invalid.", "invalid_request")
  row(400, -1130, "Data sent for parameter 'limit' is not valid.", "invalid_request")
  row(400, -1131, "recvWindow must be less than 60000", "invalid_request")
  row(400, -1134, "`strategyType` was less than 1000000.", "invalid_request")
  row(400, -1135, "Invalid JSON Request.", "invalid_request")
  row(400, -1139, "Invalid ticker type.", "invalid_request")
  row(400, -1145, "Invalid cancelRestrictions", "invalid_request")
  row(400, -1151, "Symbol is present multiple times in the list.", "invalid_request")
  row(400, -1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.", "invalid_request")
  row(400, -1210, "Invalid pegPriceType.", "invalid_request")
  row(400, -1211, "Invalid pegOffsetType.", "invalid_request")
  row(400, -1220, "The symbol's status does not match the requested symbolStatus.", "invalid_request")
  row(400, -2008, "Invalid Api-Key ID.", "auth")
  row(400, -2013, "Order does not exist.", "unknown_order")
  row(401, -2014, "API-key format invalid.", "auth")
  row(401, -2015, "Invalid API-key, IP, or permissions for action.", "auth")
  row(400, -2016, "No trading window could be found for the symbol. Try ticker/24hrs instead.", "invalid_request")
  row(409, -2021, "Order cancel-replace partially failed.", "invalid_request")
  row(400, -2022, "Order cancel-replace failed.", "invalid_request")
  row(400, -2026, "Order was canceled or expired with no executed qty over 90 days ago and has been archived.",
    "unknown_order")
  row(400, -2035, "User Data Stream subscription already active.", "invalid_request")
  row(400, -2036, "User Data Stream subscription not active.", "invalid_request")
  row(400, -2039, "Client order ID is not correct for this order ID.", "unknown_order")
  row(400, -2042, "Maximum subscription ID reached for this connection.", "rate_limit")
  row(400, -2043, "This symbol doesn't have a reference price.", "invalid_request")
  for _, range in ipairs { { -1153, -1152 }, { -1155, -1155 }, { -1158, -1158 }, { -1161, -1160 }, { -1166, -1165 },
    { -1191, -1168 }, { -1199, -1196 }, { -1225, -1221 } } do
    for code = range[1], range[2] do row(400, code, "Of SBE, FIX and order lists.", "invalid_request") end
  end
  for code = 0, 4 do row(nil, code, "Of a market stream.", "invalid_request") end

  it("that nobody knows is class protocol, and kept", function()
    for http = 400, 504, 104 do
      assert.same({ "protocol", false, "protocol", false }, both(http, -9999, "A code that nobody knows."))
    end
    local err = errors.answered({ http = 400, code = -9999, message = "New." }, "place", true)
    assert.same({ "protocol", -9999, "New.", false }, { err.class, err.code, err.message, err.retryable })
  end)

  it("of an order that was not replaced has the class of what failed", function()
    local full = { code = -2010, message = "Account has insufficient balance for requested action." }
    assert.same({ "insufficient_funds", false, "insufficient_funds", false },
      both(409, -2021, "Order cancel-replace partially failed.", full))
    local limited = { code = -1015, message = "Too many new orders; current limit is 50 orders per 10 SECOND." }
    assert.same({ "rate_limit", false, "rate_limit", false },
      both(429, -2022, "Order cancel-replace failed.", limited))
  end)
end)

local TEXTS = {
  ["Unknown order sent."] = "unknown_order",
  ["Duplicate order sent."] = "duplicate_order",
  ["Market is closed."] = "market_closed",
  ["This order type is not possible in this trading phase."] = "market_closed",
  ["Limit orders require GTC for this phase."] = "market_closed",
  ["Account has insufficient balance for requested action."] = "insufficient_funds",
  ["Filter failure: LOT_SIZE"] = "filter",
  ["Filter failure: MAX_NUM_ORDERS"] = "filter",
  ["Price * QTY is zero or less."] = "filter",
  ["IcebergQty exceeds QTY."] = "filter",
  ["Order would trigger immediately."] = "invalid_request",
  ["Order would immediately match and take."] = "invalid_request",
  ["The relationship of the prices for the orders is not correct."] = "invalid_request",
  ["This action is disabled on this account."] = "permission",
  ["This account may not place or cancel orders."] = "permission",
  ["This symbol is not permitted for this account."] = "permission",
  ["This symbol is restricted for this account."] = "permission",
  ["Rest API trading is not enabled."] = "permission",
  ["WebSocket API trading is not enabled."] = "permission",
  ["FIX API trading is not enabled."] = "permission",
  ["Cancel order is invalid. Check origClOrdId and orderId."] = "invalid_request",
  ["Unsupported order combination"] = "invalid_request",
  ["Order was not canceled due to cancel restrictions."] = "invalid_request",
  ["Market orders are not supported for this symbol."] = "invalid_request",
  ["Iceberg orders are not supported for this symbol."] = "invalid_request",
  ["Stop loss orders are not supported for this symbol."] = "invalid_request",
  ["Stop loss limit orders are not supported for this symbol."] = "invalid_request",
  ["Take profit orders are not supported for this symbol."] = "invalid_request",
  ["Take profit limit orders are not supported for this symbol."] = "invalid_request",
  ["Trailing stop orders are not supported for this symbol."] = "invalid_request",
  ["Pegged orders are not supported for this symbol."] = "invalid_request",
  ["OCO orders are not supported for this symbol"] = "invalid_request",
  ["OPO orders are not supported for this symbol."] = "invalid_request",
  ["Quote order qty market orders are not support for this symbol."] = "invalid_request",
  ["Order cancel-replace is not supported for this symbol."] = "invalid_request",
  ["Order amend is not supported for this symbol."] = "invalid_request",
  ["Order book liquidity is less than `LOT_SIZE` filter minimum quantity."] = "market_closed",
  ["Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity."] = "market_closed",
  ["Order book liquidity is less than symbol minimum quantity."] = "market_closed",
  ["Order book liquidity is too low for this pegged order."] = "market_closed",
  ["Order amend (quantity increase) is not supported."] = "invalid_request",
  ["The requested action would change no state; rejecting"] = "invalid_request",
  ["Order amend (pending OPO order) is not supported."] = "invalid_request",
  ["This order type may not use pegged price."] = "invalid_request",
  ["This price peg cannot be used with this order type."] = "invalid_request",
  ["This symbol does not allow the specified self-trade prevention mode."] = "invalid_request",
  ["A text that nobody knows."] = "protocol",
}

describe("the text of a refused order", function()
  for text, class in pairs(TEXTS) do
    it(("%s is %s"):format(text, class), function()
      for _, code in ipairs { -1010, -1013, -2010, -2011, -2038 } do
        assert.same({ class, false, class, false }, both(400, code, text), code)
      end
    end)
  end
end)

describe("an answer without a code", function()
  for http, class in pairs { [400] = "invalid_request", [401] = "auth", [403] = "ip_ban", [404] = "invalid_request",
    [405] = "invalid_request", [406] = "invalid_request", [410] = "invalid_request", [451] = "permission" } do
    row(http, nil, "HTTP status " .. http, class)
  end
  row(418, nil, "HTTP status 418", "ip_ban", true)
  row(429, nil, "HTTP status 429", "rate_limit", true)
  for http = 500, 504 do row(http, nil, "HTTP status " .. http, "server", true, "unknown_outcome", false) end
end)
