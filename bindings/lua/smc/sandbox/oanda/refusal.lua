--- How OANDA says no: an HTTP status, an errorMessage, often an errorCode.  Three layers: what cannot be read is
-- refused without a trace; what the engine refuses leaves a *_REJECT transaction (`reject`); what is accepted and then
-- cancelled is no refusal at all.  Handlers return `nil, refusal`.
local refusals = require "smc.sandbox.refusals"

local INVALID, MISSING = "oanda::rest::core::InvalidParameterException", "oanda::rest::core::MissingParameterException"

local M = refusals.of({
  bad_body = { "", "The request body is not valid JSON" },
  invalid = { INVALID, "Invalid value specified for '%s'" },
  in_future = { "", "Invalid value specified for '%s'. Time is in the future" },
  missing = { MISSING, "Missing '%s' parameter" },
  missing_data = { MISSING, "The request was missing required data" },
  too_many_candles = { "", "Maximum value for 'count' exceeded" },
  count_and_span = { "", "'count' cannot be specified when both 'to' and 'from' are also specified" },
  page_size = { "INVALID_PAGESIZE", "The specified page size is invalid" },
  unauthorized = { "", "Insufficient authorization to perform request.", 401 },
  forbidden = { "", "The provided request was forbidden.", 403 },
  no_route = { "", "The resource requested does not exist.", 404 },
  no_order = { "NO_SUCH_ORDER", "The order ID specified does not exist", 404 },
  no_trade = { "NO_SUCH_TRADE", "The trade ID specified does not exist", 404 },
  no_position = { "NO_SUCH_POSITION", "The position specified does not exist", 404 },
  no_transaction = { "NO_SUCH_TRANSACTION", "The transaction ID specified does not exist", 404 },
  wrong_method = { "", "The method is not allowed for the resource requested.", 405 },
  range = { "", "The range of transactions specified is not available.", 416 },
  too_many = { "", "The rate of requests exceeds what is permitted.", 429 },
  too_many_streams = { "", "The number of open streams exceeds what is permitted.", 429 },
}, 400)

-- Layer 2: every reason that the sandbox has.  These texts of the venue are known; the others are made of the code.
local TEXTS = {
  UNITS_INVALID = "Order units specified are invalid", ORDER_DOESNT_EXIST = "The Order specified does not exist",
  UNITS_LIMIT_EXCEEDED = "The units specified exceeds the maximum number of units allowed",
  MARGIN_RATE_INVALID = "The margin rate provided is invalid",
}

M.reasons = {} -- code -> text
local function add(prefix, names)
  for name in names:gmatch "%S+" do
    local code = prefix .. name
    M.reasons[code] = TEXTS[code] or "Rejected: " .. code:lower():gsub("_", " ")
  end
end

add("", [[CLIENT_CONFIGURE_DATA_MISSING ALIAS_INVALID MARGIN_RATE_INVALID MARGIN_RATE_WOULD_TRIGGER_CLOSEOUT
  MARGIN_RATE_WOULD_TRIGGER_MARGIN_CALL INSTRUMENT_MISSING UNITS_MISSING UNITS_INVALID UNITS_PRECISION_EXCEEDED
  UNITS_MIMIMUM_NOT_MET UNITS_LIMIT_EXCEEDED ORDER_DOESNT_EXIST TRADE_DOESNT_EXIST TRADE_ID_UNSPECIFIED
  TRADE_IDENTIFIER_INCONSISTENCY REPLACING_ORDER_INVALID REPLACING_TRADE_ID_INVALID CLIENT_EXTENSIONS_DATA_MISSING
  PENDING_ORDERS_ALLOWED_EXCEEDED TRADE_ON_FILL_CLIENT_EXTENSIONS_NOT_SUPPORTED CLIENT_ORDER_ID_ALREADY_EXISTS
  ORDERS_ON_FILL_DUPLICATE_CLIENT_ORDER_IDS CLIENT_TRADE_ID_ALREADY_EXISTS CLOSE_TRADE_UNITS_EXCEED_TRADE_SIZE
  CLOSEOUT_POSITION_DOESNT_EXIST CLOSEOUT_POSITION_INCOMPLETE_SPECIFICATION
  CLOSEOUT_POSITION_UNITS_EXCEED_POSITION_SIZE]])
add("PRICE_", "MISSING INVALID PRECISION_EXCEEDED BOUND_INVALID BOUND_PRECISION_EXCEEDED")
add("PRICE_DISTANCE_", "MISSING INVALID PRECISION_EXCEEDED MINIMUM_NOT_MET MAXIMUM_EXCEEDED")
add("TIME_IN_FORCE_", "INVALID GTD_TIMESTAMP_MISSING GTD_TIMESTAMP_IN_PAST")
add("CLIENT_ORDER_", "ID_INVALID TAG_INVALID COMMENT_INVALID")
add("CLIENT_TRADE_", "ID_INVALID TAG_INVALID COMMENT_INVALID")
for _, kind in ipairs { "TAKE_PROFIT", "STOP_LOSS", "TRAILING_STOP_LOSS" } do
  add(kind, "_ORDER_ALREADY_EXISTS")
  add(kind .. "_ON_FILL_", [[TIME_IN_FORCE_INVALID GTD_TIMESTAMP_MISSING GTD_TIMESTAMP_IN_PAST CLIENT_ORDER_ID_INVALID
    CLIENT_ORDER_TAG_INVALID CLIENT_ORDER_COMMENT_INVALID]])
end
add("TAKE_PROFIT_ON_FILL_", "PRICE_MISSING PRICE_INVALID PRICE_PRECISION_EXCEEDED")
add("STOP_LOSS_", [[ORDER_PRICE_AND_DISTANCE_BOTH_SPECIFIED ORDER_PRICE_AND_DISTANCE_BOTH_MISSING
  ORDER_GUARANTEED_NOT_ALLOWED]])
add("STOP_LOSS_ON_FILL_", [[PRICE_AND_DISTANCE_BOTH_SPECIFIED PRICE_AND_DISTANCE_BOTH_MISSING PRICE_INVALID
  PRICE_PRECISION_EXCEEDED DISTANCE_INVALID DISTANCE_PRECISION_EXCEEDED GUARANTEED_NOT_ALLOWED]])
add("TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_", [[MISSING INVALID PRECISION_EXCEEDED MINIMUM_NOT_MET
  MAXIMUM_EXCEEDED]])

--- A refusal whose answer also names the last transaction.
function M.dated(no)
  no.parts = {}
  return no
end

--- parts: what the answer says before its message: the name of a transaction and its JSON, in turn.
function M.reject(code, parts, status)
  return { name = code, code = code, msg = assert(M.reasons[code], code), parts = parts,
    status = status or code:find "_DOESNT_EXIST$" and 404 or 400 }
end

return M
