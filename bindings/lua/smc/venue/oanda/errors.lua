--- What an answer of OANDA means: its errorCode, or the reason of a transaction, as a class; and whether the same call
-- may be sent again.  Source: openapi 3.0.25, TransactionRejectReason and OrderCancelReason, and the later page of the
-- venue on them ("Transaction Definitions"): guaranteed stops as orders of their own, the safeguards of FIFO accounts.
local errors = require "smc.error"
local outcome = require "smc.venue.outcome"

local M = {}

--- The names in a text: A_{B,C} is A_B and A_C; a question mark behind one says that the same call may be sent later.
local function names(text)
  local out = {}
  for word, mark in text:gmatch "([%w_:{},]+)(%??)" do
    local head, list, tail = word:match "^(.-){(.-)}(.*)$"
    for part in (list or ""):gmatch "[^,]+" do out[head .. part .. tail] = mark == "?" end
    if not list then out[word] = mark == "?" end
  end
  return out
end

-- A code that an answer names, with or without a transaction that says the same.
local REFUSED = {
  server = "INTERNAL_SERVER_ERROR?",
  market_closed = [[INSTRUMENT_PRICE_UNKNOWN? STOP_LOSS_ORDER_GUARANTEED_HALTED_{CREATE,TIGHTEN}_VIOLATION?
    GUARANTEED_STOP_LOSS_ORDER_HALTED_{CREATE_VIOLATION,TIGHTEN_VIOLATION,NOT_CANCELABLE,NOT_REPLACEABLE}?]],
  permission = [[
    ACCOUNT_{NOT_ACTIVE,LOCKED,ORDER_CREATION_LOCKED,CONFIGURATION_LOCKED,DEPOSIT_LOCKED,WITHDRAWAL_LOCKED}
    ACCOUNT_ORDER_CANCEL_LOCKED INSTRUMENT_NOT_TRADEABLE STOP_LOSS_ORDER_{NOT_CANCELABLE,NOT_REPLACEABLE}
    STOP_LOSS_ORDER_GUARANTEED_{REQUIRED,NOT_ALLOWED,HEDGING_NOT_ALLOWED}
    STOP_LOSS_ON_FILL_{REQUIRED_FOR_PENDING_ORDER,GUARANTEED_NOT_ALLOWED,GUARANTEED_REQUIRED}
    GUARANTEED_STOP_LOSS_ORDER_{REQUIRED,NOT_ALLOWED,HEDGING_NOT_ALLOWED,CREATE_VIOLATION,TIGHTEN_VIOLATION}
    GUARANTEED_STOP_LOSS_ORDER_{NOT_CANCELABLE,NOT_REPLACEABLE}
    GUARANTEED_STOP_LOSS_ON_FILL_{REQUIRED_FOR_PENDING_ORDER,NOT_ALLOWED,REQUIRED}
    {ORDERS_ON_FILL,STOP_LOSS_ORDER}_RMO_MUTUAL_EXCLUSIVITY_MUTUALLY_EXCLUSIVE_VIOLATION
    {GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ORDER_RMO_MUTUAL_EXCLUSIVITY_MUTUALLY_EXCLUSIVE_VIOLATION
    {ORDERS_ON_FILL,STOP_LOSS_ORDER}_RMO_MUTUAL_EXCLUSIVITY_GSLO_EXCLUDES_OTHERS_VIOLATION
    {GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ORDER_RMO_MUTUAL_EXCLUSIVITY_GSLO_EXCLUDES_OTHERS_VIOLATION]],
  unknown_order = "NO_SUCH_{ORDER,TRADE,POSITION} {ORDER,TRADE,CLOSEOUT_POSITION}_DOESNT_EXIST",
  insufficient_funds = "INSUFFICIENT_{MARGIN,FUNDS}",
  duplicate_order = [[
    CLIENT_{ORDER,TRADE}_ID_ALREADY_EXISTS ORDERS_ON_FILL_DUPLICATE_CLIENT_ORDER_IDS
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ORDER_ALREADY_EXISTS]],
  unknown_outcome = "CLOSEOUT_POSITION_REJECT",
  filter = [[
    PENDING_ORDERS_ALLOWED_EXCEEDED? UNITS_{PRECISION_EXCEEDED,LIMIT_EXCEEDED,MIMIMUM_NOT_MET,MINIMUM_NOT_MET}
    PRICE_PRECISION_EXCEEDED PRICE_DISTANCE_{PRECISION_EXCEEDED,MAXIMUM_EXCEEDED,MINIMUM_NOT_MET}
    PRICE_BOUND_PRECISION_EXCEEDED TAKE_PROFIT_ON_FILL_PRICE_PRECISION_EXCEEDED
    STOP_LOSS_ON_FILL_{PRICE_PRECISION_EXCEEDED,PRICE_DISTANCE_MAXIMUM_EXCEEDED,DISTANCE_PRECISION_EXCEEDED}
    STOP_LOSS_ON_FILL_GUARANTEED_{MINIMUM_DISTANCE_NOT_MET,LEVEL_RESTRICTION_EXCEEDED}
    TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_{PRECISION_EXCEEDED,MAXIMUM_EXCEEDED,MINIMUM_NOT_MET}
    STOP_LOSS_ORDER_GUARANTEED_{PRICE_WITHIN_SPREAD,MINIMUM_DISTANCE_NOT_MET,LEVEL_RESTRICTION_EXCEEDED}
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ORDER_WOULD_VIOLATE_FIFO_VIOLATION_SAFEGUARD
    GUARANTEED_STOP_LOSS_ORDER_{PRICE_WITHIN_SPREAD,MINIMUM_DISTANCE_NOT_MET}
    GUARANTEED_STOP_LOSS_ORDER_LEVEL_RESTRICTION_{VOLUME,PRICE_RANGE}_EXCEEDED
    GUARANTEED_STOP_LOSS_ON_FILL_{PRICE_PRECISION_EXCEEDED,PRICE_DISTANCE_MAXIMUM_EXCEEDED,MINIMUM_DISTANCE_NOT_MET}
    GUARANTEED_STOP_LOSS_ON_FILL_{DISTANCE_PRECISION_EXCEEDED,LEVEL_RESTRICTION_VOLUME_EXCEEDED}
    GUARANTEED_STOP_LOSS_ON_FILL_LEVEL_RESTRICTION_PRICE_RANGE_EXCEEDED
    CLOSE_TRADE_UNITS_EXCEED_TRADE_SIZE CLOSEOUT_POSITION_UNITS_EXCEED_POSITION_SIZE]],
  invalid_request = [[
    NO_SUCH_TRANSACTION INVALID_PAGESIZE ORDER_{ID_UNSPECIFIED,IDENTIFIER_INCONSISTENCY}
    TRADE_{ID_UNSPECIFIED,IDENTIFIER_INCONSISTENCY} INSTRUMENT_{MISSING,UNKNOWN} UNITS_{MISSING,INVALID}
    PRICE_{MISSING,INVALID,DISTANCE_MISSING,DISTANCE_INVALID,BOUND_INVALID}
    TIME_IN_FORCE_{MISSING,INVALID,GTD_TIMESTAMP_MISSING} CLIENT_ORDER_{ID_INVALID,TAG_INVALID,COMMENT_INVALID}
    CLIENT_TRADE_{ID_INVALID,TAG_INVALID,COMMENT_INVALID} TRADE_ON_FILL_CLIENT_EXTENSIONS_NOT_SUPPORTED
    CLIENT_EXTENSIONS_DATA_MISSING ORDER_FILL_POSITION_ACTION_{MISSING,INVALID} TRIGGER_CONDITION_{MISSING,INVALID}
    ORDER_PARTIAL_FILL_OPTION_{MISSING,INVALID} INVALID_REISSUE_IMMEDIATE_PARTIAL_FILL
    TAKE_PROFIT_ON_FILL_{PRICE_MISSING,PRICE_INVALID} STOP_LOSS_ON_FILL_{PRICE_MISSING,PRICE_INVALID,DISTANCE_INVALID}
    STOP_LOSS_ON_FILL_PRICE_AND_DISTANCE_{BOTH_SPECIFIED,BOTH_MISSING}
    TRAILING_STOP_LOSS_ON_FILL_PRICE_DISTANCE_{MISSING,INVALID} TRAILING_STOP_LOSS_ORDERS_NOT_SUPPORTED
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ON_FILL_TIME_IN_FORCE_MISSING
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ON_FILL_TIME_IN_FORCE_INVALID
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ON_FILL_GTD_TIMESTAMP_MISSING
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ON_FILL_CLIENT_ORDER_ID_INVALID
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ON_FILL_CLIENT_ORDER_TAG_INVALID
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ON_FILL_CLIENT_ORDER_COMMENT_INVALID
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ON_FILL_TRIGGER_CONDITION_MISSING
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ON_FILL_TRIGGER_CONDITION_INVALID
    GUARANTEED_STOP_LOSS_ON_FILL_{PRICE_MISSING,PRICE_INVALID,DISTANCE_INVALID}
    GUARANTEED_STOP_LOSS_ON_FILL_PRICE_AND_DISTANCE_{BOTH_SPECIFIED,BOTH_MISSING}
    GUARANTEED_STOP_LOSS_ORDER_PRICE_AND_DISTANCE_{BOTH_SPECIFIED,BOTH_MISSING}
    OCA_ORDER_IDS_STOP_LOSS_NOT_ALLOWED ORDER_CANCEL_WOULD_TRIGGER_CLOSEOUT
    STOP_LOSS_ORDER_PRICE_AND_DISTANCE_{BOTH_SPECIFIED,BOTH_MISSING} CLOSE_TRADE_{TYPE_MISSING,PARTIAL_UNITS_MISSING}
    CLOSEOUT_POSITION_{INCOMPLETE_SPECIFICATION,PARTIAL_UNITS_MISSING}
    MARGIN_RATE_{INVALID,WOULD_TRIGGER_CLOSEOUT,WOULD_TRIGGER_MARGIN_CALL} ALIAS_INVALID
    {CLIENT,ADMIN}_CONFIGURE_DATA_MISSING MARKUP_GROUP_ID_INVALID POSITION_AGGREGATION_MODE_INVALID
    AMOUNT_{INVALID,MISSING} FUNDING_REASON_MISSING REPLACING_{ORDER_INVALID,TRADE_ID_INVALID}]],
}

-- Of an order that was accepted (HTTP 201) and cancelled at once or later.
local CANCELLED = {
  ended = [[CLIENT_REQUEST CLIENT_REQUEST_REPLACED DIVIDEND_ADJUSTMENT_REPLACED LINKED_TRADE_CLOSED
    TIME_IN_FORCE_EXPIRED MIGRATION]],
  market_closed = [[
    MARKET_HALTED? INSTRUMENT_{BID_HALTED,ASK_HALTED}? STOP_LOSS_ON_FILL_GUARANTEED_{BID_HALTED,ASK_HALTED}?
    GUARANTEED_STOP_LOSS_ON_FILL_{BID_HALTED,ASK_HALTED}?]],
  permission = [[
    INSTRUMENT_{BID_REDUCE_ONLY,ASK_REDUCE_ONLY} STOP_LOSS_ON_FILL_REQUIRED
    ACCOUNT_{LOCKED,NEW_POSITIONS_LOCKED,ORDER_CREATION_LOCKED,ORDER_FILL_LOCKED}
    STOP_LOSS_ON_FILL_GUARANTEED_{REQUIRED,NOT_ALLOWED,HEDGING_NOT_ALLOWED}
    GUARANTEED_STOP_LOSS_ON_FILL_{REQUIRED,NOT_ALLOWED,HEDGING_NOT_ALLOWED}
    ORDERS_ON_FILL_RMO_MUTUAL_EXCLUSIVITY_MUTUALLY_EXCLUSIVE_VIOLATION]],
  insufficient_funds = "INSUFFICIENT_MARGIN",
  filter = [[
    INSUFFICIENT_LIQUIDITY BOUNDS_VIOLATION POSITION_SIZE_EXCEEDED ACCOUNT_POSITION_VALUE_LIMIT_EXCEEDED
    {OPEN_TRADES,PENDING_ORDERS}_ALLOWED_EXCEEDED FIFO_VIOLATION HEDGING_GSLO_VIOLATION LOSING_TAKE_PROFIT
    FIFO_VIOLATION_SAFEGUARD_{VIOLATION,PARTIAL_CLOSE_VIOLATION}
    GUARANTEED_STOP_LOSS_ON_FILL_{LOSS,PRICE_DISTANCE_MAXIMUM_EXCEEDED,MINIMUM_DISTANCE_NOT_MET}
    GUARANTEED_STOP_LOSS_ON_FILL_LEVEL_RESTRICTION_{VOLUME,PRICE_RANGE}_EXCEEDED
    TAKE_PROFIT_ON_FILL_{LOSS,PRICE_DISTANCE_MAXIMUM_EXCEEDED}
    STOP_LOSS_ON_FILL_{LOSS,PRICE_DISTANCE_MAXIMUM_EXCEEDED}
    STOP_LOSS_ON_FILL_GUARANTEED_{MINIMUM_DISTANCE_NOT_MET,LEVEL_RESTRICTION_EXCEEDED}]],
  duplicate_order = [[
    CLIENT_TRADE_ID_ALREADY_EXISTS
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ON_FILL_CLIENT_ORDER_ID_ALREADY_EXISTS]],
  invalid_request = [[
    {STOP_LOSS,GUARANTEED_STOP_LOSS}_ON_FILL_TIME_IN_FORCE_INVALID
    {STOP_LOSS,GUARANTEED_STOP_LOSS}_ON_FILL_TRIGGER_CONDITION_INVALID
    {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ON_FILL_GTD_TIMESTAMP_IN_PAST]],
  unknown_outcome = "POSITION_CLOSEOUT_FAILED",
  server = "INTERNAL_SERVER_ERROR?",
}

local function by_code(classes)
  local out = {}
  for class, text in pairs(classes) do
    for name, again in pairs(names(text)) do out[name] = { class, again } end
  end
  return out
end

local refused, cancelled = by_code(REFUSED), by_code(CANCELLED)

-- Requests that the venue's front door can't read.
local PARAMETER = names "oanda::rest::core::{InvalidParameterException,MissingParameterException}"
-- A time that was given, and is not what the venue takes for the future or the past: somebody's clock may be wrong.
local TIMELY = names [[TIME_IN_FORCE_GTD_TIMESTAMP_IN_PAST
  {TAKE_PROFIT,STOP_LOSS,GUARANTEED_STOP_LOSS,TRAILING_STOP_LOSS}_ON_FILL_GTD_TIMESTAMP_IN_PAST]]

local function by_message(message, skewed)
  return skewed and message:find("Time is in the future", 1, true) and "clock_skew" or "invalid_request", false
end

--- By the HTTP status, where that says all.
local function by_status(http, mutation, page)
  if http == 401 then return "auth", false end
  if page and (http == 403 or http == 429) then return "ip_ban", true end
  if http == 403 then return "permission", false end
  if http == 429 then return "rate_limit", true end
  if http >= 500 then return mutation and "unknown_outcome" or "server", not mutation end
  if http == 405 or http == 416 then return "invalid_request", false end
end

--- class, retryable of an answer that is an error.  mutation: the call could place, change or cancel something.
-- cause: { page: it is no JSON but a page of the venue's edge, skewed: the venue's clock is not ours }.
function M.classify(http, code, message, mutation, cause)
  cause = cause or {}
  local class, again = by_status(http, mutation, cause.page)
  if class then return class, again end
  if code == nil or PARAMETER[code] ~= nil then return by_message(message, cause.skewed) end
  if TIMELY[code] ~= nil then return cause.skewed and "clock_skew" or "invalid_request", false end
  local row = refused[code]
  if not row then return "protocol", false end -- never a guess
  return row[1], row[2]
end

--- class, retryable of the reason for which an order was cancelled; class "ended" when nothing was wrong.
function M.cancelled(reason)
  local row = cancelled[reason]
  if not row then return "protocol", false end
  return row[1], row[2]
end

--- The error for what the venue does not have at all; nothing was sent.
function M.not_offered(op, message)
  return errors.new { class = "invalid_request", code = "not_offered", message = message, venue = "oanda", op = op }
end

--- A stream that the venue ends, and one that is read after it was closed.
function M.over(op)
  return errors.new { class = "network", code = "closed", message = "the venue ended the stream", retryable = true,
    venue = "oanda", op = op }
end

function M.closed(op)
  return errors.new { class = "cancelled", code = "closed", message = "the stream is closed", venue = "oanda", op = op }
end

--- The error that an order is which was accepted and cancelled at once; nil when it did what it was asked for.
function M.of_cancel(order, op)
  if not order.reason or order.filled ~= "0" then return nil end
  local class, again = M.cancelled(order.reason)
  if class == "ended" then return nil end
  return errors.new { class = class, code = order.reason, http = 201, retryable = again, venue = "oanda", op = op,
    message = ("accepted as order %s, and cancelled"):format(order.id), order_id = order.id,
    client_id = order.client_id }
end

local outcomes = outcome.of("oanda", M.classify)
M.answered, M.unanswered, M.broken = outcomes.answered, outcomes.unanswered, outcomes.broken

return M
