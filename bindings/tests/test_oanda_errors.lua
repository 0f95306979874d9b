-- What each error of OANDA means, row by row: openapi 3.0.25 (TransactionRejectReason, OrderCancelReason), the codes of
-- answers without a transaction, and HTTP.
local errors = require "smc.venue.oanda.errors"

-- class, retryable, reasons.  Of "timely" ones somebody's clock may be wrong.
local REJECTED = {
  { "duplicate_order", false, [[
    CLIENT_ORDER_ID_ALREADY_EXISTS CLIENT_TRADE_ID_ALREADY_EXISTS ORDERS_ON_FILL_DUPLICATE_CLIENT_ORDER_IDS
    STOP_LOSS_ORDER_ALREADY_EXISTS TAKE_PROFIT_ORDER_ALREADY_EXISTS TRAILING_STOP_LOSS_ORDER_ALREADY_EXISTS]] },
  { "filter", false, [[
    CLOSEOUT_POSITION_UNITS_EXCEED_POSITION_SIZE CLOSE_TRADE_UNITS_EXCEED_TRADE_SIZE PRICE_BOUND_PRECISION_EXCEEDED
    PRICE_DISTANCE_MAXIMUM_EXCEEDED PRICE_DISTANCE_MINIMUM_NOT_MET PRICE_DISTANCE_PRECISION_EXCEEDED
    PRICE_PRECISION_EXCEEDED STOP_LOSS_ON_FILL_DISTANCE_PRECISION_EXCEEDED
    STOP_LOSS_ON_FILL_GUARANTEED_LEVEL_RESTRICTION_EXCEEDED STOP_LOSS_ON_FILL_GUARANTEED_MINIMUM_DISTANCE_NOT_MET
    STOP_LOSS_ON_FILL_PRICE_DISTANCE_MAXIMUM_EXCEEDED STOP_LOSS_ON_FILL_PRICE_PRECISION_EXCEEDED
    STOP_LOSS_ORDER_GUARANTEED_LEVEL_RESTRICTION_EXCEEDED STOP_LOSS_ORDER_GUARANTEED_MINIMUM_DISTANCE_NOT_MET
    STOP_LOSS_ORDER_GUARANTEED_PRICE_WITHIN_SPREAD TAKE_PROFIT_ON_FILL_PRICE_PRECISION_EXCEEDED
    TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_MAXIMUM_EXCEEDED
    TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_MINIMUM_NOT_MET
    TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_PRECISION_EXCEEDED UNITS_LIMIT_EXCEEDED UNITS_MIMIMUM_NOT_MET
    UNITS_PRECISION_EXCEEDED]] },
  { "filter", true, [[
    PENDING_ORDERS_ALLOWED_EXCEEDED]] },
  { "insufficient_funds", false, [[
    INSUFFICIENT_FUNDS INSUFFICIENT_MARGIN]] },
  { "invalid_request", false, [[
    ADMIN_CONFIGURE_DATA_MISSING ALIAS_INVALID AMOUNT_INVALID AMOUNT_MISSING CLIENT_CONFIGURE_DATA_MISSING
    CLIENT_EXTENSIONS_DATA_MISSING CLIENT_ORDER_COMMENT_INVALID CLIENT_ORDER_ID_INVALID CLIENT_ORDER_TAG_INVALID
    CLIENT_TRADE_COMMENT_INVALID CLIENT_TRADE_ID_INVALID CLIENT_TRADE_TAG_INVALID
    CLOSEOUT_POSITION_INCOMPLETE_SPECIFICATION CLOSEOUT_POSITION_PARTIAL_UNITS_MISSING
    CLOSE_TRADE_PARTIAL_UNITS_MISSING CLOSE_TRADE_TYPE_MISSING FUNDING_REASON_MISSING INSTRUMENT_MISSING
    INSTRUMENT_UNKNOWN INVALID_REISSUE_IMMEDIATE_PARTIAL_FILL MARGIN_RATE_INVALID MARGIN_RATE_WOULD_TRIGGER_CLOSEOUT
    MARGIN_RATE_WOULD_TRIGGER_MARGIN_CALL MARKUP_GROUP_ID_INVALID ORDER_FILL_POSITION_ACTION_INVALID
    ORDER_FILL_POSITION_ACTION_MISSING ORDER_IDENTIFIER_INCONSISTENCY ORDER_ID_UNSPECIFIED
    ORDER_PARTIAL_FILL_OPTION_INVALID ORDER_PARTIAL_FILL_OPTION_MISSING POSITION_AGGREGATION_MODE_INVALID
    PRICE_BOUND_INVALID PRICE_DISTANCE_INVALID PRICE_DISTANCE_MISSING PRICE_INVALID PRICE_MISSING
    REPLACING_ORDER_INVALID REPLACING_TRADE_ID_INVALID STOP_LOSS_ON_FILL_CLIENT_ORDER_COMMENT_INVALID
    STOP_LOSS_ON_FILL_CLIENT_ORDER_ID_INVALID STOP_LOSS_ON_FILL_CLIENT_ORDER_TAG_INVALID
    STOP_LOSS_ON_FILL_DISTANCE_INVALID STOP_LOSS_ON_FILL_GTD_TIMESTAMP_MISSING
    STOP_LOSS_ON_FILL_PRICE_AND_DISTANCE_BOTH_MISSING STOP_LOSS_ON_FILL_PRICE_AND_DISTANCE_BOTH_SPECIFIED
    STOP_LOSS_ON_FILL_PRICE_INVALID STOP_LOSS_ON_FILL_PRICE_MISSING STOP_LOSS_ON_FILL_TIME_IN_FORCE_INVALID
    STOP_LOSS_ON_FILL_TIME_IN_FORCE_MISSING STOP_LOSS_ON_FILL_TRIGGER_CONDITION_INVALID
    STOP_LOSS_ON_FILL_TRIGGER_CONDITION_MISSING STOP_LOSS_ORDER_PRICE_AND_DISTANCE_BOTH_MISSING
    STOP_LOSS_ORDER_PRICE_AND_DISTANCE_BOTH_SPECIFIED TAKE_PROFIT_ON_FILL_CLIENT_ORDER_COMMENT_INVALID
    TAKE_PROFIT_ON_FILL_CLIENT_ORDER_ID_INVALID TAKE_PROFIT_ON_FILL_CLIENT_ORDER_TAG_INVALID
    TAKE_PROFIT_ON_FILL_GTD_TIMESTAMP_MISSING TAKE_PROFIT_ON_FILL_PRICE_INVALID TAKE_PROFIT_ON_FILL_PRICE_MISSING
    TAKE_PROFIT_ON_FILL_TIME_IN_FORCE_INVALID TAKE_PROFIT_ON_FILL_TIME_IN_FORCE_MISSING
    TAKE_PROFIT_ON_FILL_TRIGGER_CONDITION_INVALID TAKE_PROFIT_ON_FILL_TRIGGER_CONDITION_MISSING
    TIME_IN_FORCE_GTD_TIMESTAMP_MISSING TIME_IN_FORCE_INVALID TIME_IN_FORCE_MISSING TRADE_IDENTIFIER_INCONSISTENCY
    TRADE_ID_UNSPECIFIED TRADE_ON_FILL_CLIENT_EXTENSIONS_NOT_SUPPORTED
    TRAILING_STOP_LOSS_ON_FILL_CLIENT_ORDER_COMMENT_INVALID TRAILING_STOP_LOSS_ON_FILL_CLIENT_ORDER_ID_INVALID
    TRAILING_STOP_LOSS_ON_FILL_CLIENT_ORDER_TAG_INVALID TRAILING_STOP_LOSS_ON_FILL_GTD_TIMESTAMP_MISSING
    TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_INVALID TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_MISSING
    TRAILING_STOP_LOSS_ON_FILL_TIME_IN_FORCE_INVALID TRAILING_STOP_LOSS_ON_FILL_TIME_IN_FORCE_MISSING
    TRAILING_STOP_LOSS_ON_FILL_TRIGGER_CONDITION_INVALID TRAILING_STOP_LOSS_ON_FILL_TRIGGER_CONDITION_MISSING
    TRAILING_STOP_LOSS_ORDERS_NOT_SUPPORTED TRIGGER_CONDITION_INVALID TRIGGER_CONDITION_MISSING UNITS_INVALID
    UNITS_MISSING]] },
  { "market_closed", true, [[
    INSTRUMENT_PRICE_UNKNOWN STOP_LOSS_ORDER_GUARANTEED_HALTED_CREATE_VIOLATION
    STOP_LOSS_ORDER_GUARANTEED_HALTED_TIGHTEN_VIOLATION]] },
  { "permission", false, [[
    ACCOUNT_CONFIGURATION_LOCKED ACCOUNT_DEPOSIT_LOCKED ACCOUNT_LOCKED ACCOUNT_NOT_ACTIVE
    ACCOUNT_ORDER_CANCEL_LOCKED ACCOUNT_ORDER_CREATION_LOCKED ACCOUNT_WITHDRAWAL_LOCKED INSTRUMENT_NOT_TRADEABLE
    STOP_LOSS_ON_FILL_GUARANTEED_NOT_ALLOWED STOP_LOSS_ON_FILL_GUARANTEED_REQUIRED
    STOP_LOSS_ON_FILL_REQUIRED_FOR_PENDING_ORDER STOP_LOSS_ORDER_GUARANTEED_HEDGING_NOT_ALLOWED
    STOP_LOSS_ORDER_GUARANTEED_NOT_ALLOWED STOP_LOSS_ORDER_GUARANTEED_REQUIRED STOP_LOSS_ORDER_NOT_CANCELABLE
    STOP_LOSS_ORDER_NOT_REPLACEABLE]] },
  { "server", true, [[
    INTERNAL_SERVER_ERROR]] },
  { "timely", false, [[
    STOP_LOSS_ON_FILL_GTD_TIMESTAMP_IN_PAST TAKE_PROFIT_ON_FILL_GTD_TIMESTAMP_IN_PAST
    TIME_IN_FORCE_GTD_TIMESTAMP_IN_PAST TRAILING_STOP_LOSS_ON_FILL_GTD_TIMESTAMP_IN_PAST]] },
  { "unknown_order", false, [[
    CLOSEOUT_POSITION_DOESNT_EXIST ORDER_DOESNT_EXIST TRADE_DOESNT_EXIST]] },
  { "unknown_outcome", false, [[
    CLOSEOUT_POSITION_REJECT]] },
}

-- Of orders that were accepted and cancelled; "ended": nothing was wrong.
local CANCELLED = {
  { "duplicate_order", false, [[
    CLIENT_TRADE_ID_ALREADY_EXISTS STOP_LOSS_ON_FILL_CLIENT_ORDER_ID_ALREADY_EXISTS
    TAKE_PROFIT_ON_FILL_CLIENT_ORDER_ID_ALREADY_EXISTS TRAILING_STOP_LOSS_ON_FILL_CLIENT_ORDER_ID_ALREADY_EXISTS]] },
  { "ended", false, [[
    CLIENT_REQUEST CLIENT_REQUEST_REPLACED LINKED_TRADE_CLOSED MIGRATION TIME_IN_FORCE_EXPIRED]] },
  { "filter", false, [[
    ACCOUNT_POSITION_VALUE_LIMIT_EXCEEDED BOUNDS_VIOLATION FIFO_VIOLATION HEDGING_GSLO_VIOLATION
    INSUFFICIENT_LIQUIDITY LOSING_TAKE_PROFIT OPEN_TRADES_ALLOWED_EXCEEDED PENDING_ORDERS_ALLOWED_EXCEEDED
    POSITION_SIZE_EXCEEDED STOP_LOSS_ON_FILL_GUARANTEED_LEVEL_RESTRICTION_EXCEEDED
    STOP_LOSS_ON_FILL_GUARANTEED_MINIMUM_DISTANCE_NOT_MET STOP_LOSS_ON_FILL_LOSS
    STOP_LOSS_ON_FILL_PRICE_DISTANCE_MAXIMUM_EXCEEDED TAKE_PROFIT_ON_FILL_LOSS
    TAKE_PROFIT_ON_FILL_PRICE_DISTANCE_MAXIMUM_EXCEEDED]] },
  { "insufficient_funds", false, [[
    INSUFFICIENT_MARGIN]] },
  { "invalid_request", false, [[
    STOP_LOSS_ON_FILL_GTD_TIMESTAMP_IN_PAST STOP_LOSS_ON_FILL_TIME_IN_FORCE_INVALID
    STOP_LOSS_ON_FILL_TRIGGER_CONDITION_INVALID TAKE_PROFIT_ON_FILL_GTD_TIMESTAMP_IN_PAST
    TRAILING_STOP_LOSS_ON_FILL_GTD_TIMESTAMP_IN_PAST]] },
  { "market_closed", true, [[
    INSTRUMENT_ASK_HALTED INSTRUMENT_BID_HALTED MARKET_HALTED STOP_LOSS_ON_FILL_GUARANTEED_ASK_HALTED
    STOP_LOSS_ON_FILL_GUARANTEED_BID_HALTED]] },
  { "permission", false, [[
    ACCOUNT_LOCKED ACCOUNT_NEW_POSITIONS_LOCKED ACCOUNT_ORDER_CREATION_LOCKED ACCOUNT_ORDER_FILL_LOCKED
    INSTRUMENT_ASK_REDUCE_ONLY INSTRUMENT_BID_REDUCE_ONLY STOP_LOSS_ON_FILL_GUARANTEED_HEDGING_NOT_ALLOWED
    STOP_LOSS_ON_FILL_GUARANTEED_NOT_ALLOWED STOP_LOSS_ON_FILL_GUARANTEED_REQUIRED STOP_LOSS_ON_FILL_REQUIRED]] },
  { "server", true, [[
    INTERNAL_SERVER_ERROR]] },
  { "unknown_outcome", false, [[
    POSITION_CLOSEOUT_FAILED]] },
}

--- Calls row(class, retryable, name) for each; returns how many there are.
local function each(rows, row)
  local count = 0
  for _, r in ipairs(rows) do
    for name in r[3]:gmatch "%S+" do
      row(r[1], r[2], name)
      count = count + 1
    end
  end
  return count
end

local function of(http, code, message, mutation, cause)
  return { errors.classify(http, code, message, mutation, cause) }
end

describe("a transaction that rejects", function()
  local count = each(REJECTED, function(class, again, name)
    it(("%s is %s"):format(name, class), function()
      local http = name:find "DOESNT_EXIST" and 404 or 400
      for _, mutation in ipairs { false, true } do
        local usual = class == "timely" and "invalid_request" or class
        assert.same({ usual, again }, of(http, name, "", mutation))
        local skewed = class == "timely" and "clock_skew" or class
        assert.same({ skewed, again }, of(http, name, "", mutation, { skewed = true }))
      end
    end)
  end)

  it("has one of 143 reasons", function() assert.equal(143, count) end)
end)

describe("an order that was accepted and cancelled", function()
  local count = each(CANCELLED, function(class, again, name)
    it(("%s is %s"):format(name, class), function()
      assert.same({ class, again }, { errors.cancelled(name) })
      local order = { id = "7", client_id = "mine", filled = "0", reason = name }
      local err = errors.of_cancel(order, "place")
      if class == "ended" then
        assert.is_nil(err)
      else
        assert.same({ class, again, name, 201, "place", "7", "mine" }, { err.class, err.retryable, err.code, err.http,
          err.op, err.order_id, err.client_id })
      end
      order.filled = "1"
      assert.is_nil(errors.of_cancel(order, "place"))
    end)
  end)

  it("has one of 47 reasons", function() assert.equal(47, count) end)

  it("keeps a reason that nobody knows, without a guess", function()
    local err = errors.of_cancel({ id = "7", filled = "0", reason = "NEW_REASON" }, "place")
    assert.same({ "protocol", false, "NEW_REASON" }, { err.class, err.retryable, err.code })
  end)
end)

describe("an answer that is an error", function()
  local PARAMETER = "oanda::rest::core::InvalidParameterException"
  local MISSING = "oanda::rest::core::MissingParameterException"
  local TIMEOUT = "Timeout waiting for response."
  -- http, code, message, cause; class and retryable of a read; of a mutation, where they differ
  for _, row in ipairs {
    { 400, nil, "The request was missing required data", nil, "invalid_request", false },
    { 400, PARAMETER, "Invalid value specified for 'order.units'", nil, "invalid_request", false },
    { 400, PARAMETER, "Invalid value specified for 'instrument'", nil, "filter", false },
    { 400, PARAMETER, "Invalid value specified for 'instruments'", nil, "filter", false },
    { 400, PARAMETER, "Invalid value specified for 'order.instrument'", nil, "filter", false },
    { 400, nil, "Invalid value specified for 'instrument'", nil, "filter", false },
    { 400, nil, "Invalid value specified for 'instrumental'", nil, "invalid_request", false },
    { 400, MISSING, "Missing 'instruments' parameter", nil, "invalid_request", false },
    { 400, PARAMETER, "Invalid value specified for 'to'. Time is in the future", nil, "invalid_request", false },
    { 400, PARAMETER, "Invalid value specified for 'to'. Time is in the future", { skewed = true }, "clock_skew",
      false },
    { 400, "INVALID_PAGESIZE", "", nil, "invalid_request", false },
    { 404, "NO_SUCH_ORDER", "", nil, "unknown_order", false },
    { 404, "NO_SUCH_TRADE", "", nil, "unknown_order", false },
    { 404, "NO_SUCH_POSITION", "", nil, "unknown_order", false },
    { 404, "NO_SUCH_TRANSACTION", "", nil, "invalid_request", false },
    { 404, nil, "no such path", nil, "invalid_request", false },
    { 400, "UNITS_MINIMUM_NOT_MET", "", nil, "filter", false },
    { 400, "SOMETHING_NEW", "", nil, "protocol", false },
    { 401, nil, "Insufficient authorization to perform request.", nil, "auth", false },
    { 403, nil, "The provided request was forbidden.", nil, "permission", false },
    { 403, "ACCOUNT_CONFIGURATION_LOCKED", "", nil, "permission", false },
    { 403, nil, "<html>", { page = true }, "ip_ban", true },
    { 405, nil, "", nil, "invalid_request", false },
    { 416, nil, "", nil, "invalid_request", false },
    { 429, nil, "", nil, "rate_limit", true },
    { 429, nil, "<html>", { page = true }, "ip_ban", true },
    { 500, nil, "", nil, "server", true, "unknown_outcome", false },
    { 502, nil, "<html>", { page = true }, "server", true, "unknown_outcome", false },
    { 503, nil, "", nil, "server", true, "unknown_outcome", false },
    { 504, nil, TIMEOUT, nil, "server", true, "unknown_outcome", false },
    { 520, nil, "<html>", { page = true }, "server", true, "unknown_outcome", false },
  } do
    local http, code, message, cause, read, again, changed, anew = table.unpack(row, 1, 8)
    it(("%s %s %s%s is %s"):format(http, code, message, cause and cause.skewed and " (clocks differ)" or "", read),
      function()
        assert.same({ read, again }, of(http, code, message, false, cause))
        if changed == nil then changed, anew = read, again end
        assert.same({ changed, anew }, of(http, code, message, true, cause))
      end)
  end
end)
