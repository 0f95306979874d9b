--- How Binance says no: an HTTP status, a code and a literal text.
-- A refusal is a plain table { name, status, code, msg, data }; handlers return `nil, refusal`.
local refusals = require "smc.sandbox.refusals"

return refusals.of({
  -- ---- the request -----------------------------------------------------------------------------
  unsupported_operation = { -1020, "This operation is not supported." },
  clock_ahead = { -1021, "Timestamp for this request was 1000ms ahead of the server's time." },
  clock_behind = { -1021, "Timestamp for this request is outside of the recvWindow." },
  bad_signature = { -1022, "Signature for this request is not valid." },
  illegal = { -1100, "Illegal characters found in parameter '%s'; legal range is '%s'." },
  too_many_values = { -1101, "Too many values sent for parameter '%s', maximum allowed up to %d." },
  duplicate_values = { -1101, "Duplicate values for a parameter detected." },
  too_many_parameters = { -1101, "Too many parameters; expected '0' and received '%d'." },
  missing = { -1102, "Mandatory parameter '%s' was not sent, was empty/null, or malformed." },
  missing_both = { -1102, "Param '%s' or '%s' must be sent, but both were empty/null!" },
  unread = { -1104, "Not all sent parameters were read; read '%d' parameter(s) but was sent '%d'." },
  empty = { -1105, "Parameter '%s' was empty." },
  not_required = { -1106, "Parameter '%s' sent when not required." },
  overflow = { -1108, "Parameter '%s' overflowed." },
  precision = { -1111, "Parameter '%s' has too much precision." },
  invalid_tif = { -1115, "Invalid timeInForce." },
  invalid_type = { -1116, "Invalid orderType." },
  invalid_side = { -1117, "Invalid side." },
  invalid_interval = { -1120, "Invalid interval." },
  invalid_symbol = { -1121, "Invalid symbol." },
  invalid_status = { -1122, "Invalid symbolStatus." },
  over_a_day = { -1127, "More than 24 hours between startTime and endTime." },
  bad_combination = { -1128, "Combination of optional parameters invalid." },
  invalid = { -1130, "Data sent for parameter '%s' is not valid." },
  window_too_wide = { -1131, "recvWindow must be less than 60000" },
  strategy_type = { -1134, "`strategyType` was less than 1000000." },
  bad_json = { -1135, "JSON sent for parameter '%s' is not valid" },
  bad_frame = { -1135, "Invalid JSON Request." },
  invalid_ticker_type = { -1139, "Invalid ticker type." },
  invalid_restrictions = { -1145, "Invalid cancelRestrictions" },
  symbol_twice = { -1151, "Symbol is present multiple times in the list." },
  invalid_time_unit = { -1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND." },
  invalid_peg = { -1210, "Invalid pegPriceType." },
  invalid_peg_offset = { -1211, "Invalid pegOffsetType." },
  not_in_oco = { -1158, "Order type not supported in OCO." },
  buy_limit_above = { -1165, "A limit order in a buy OCO must be below." },
  sell_limit_below = { -1166, "A limit order in a sell OCO must be above." },
  both_limits = { -1168, "At least one OCO order must be contingent." },
  buy_stop_below = { -1196, "A stop loss order in a buy OCO must be above." },
  sell_stop_above = { -1197, "A stop loss order in a sell OCO must be below." },
  buy_profit_above = { -1198, "A take profit order in a buy OCO must be below." },
  sell_profit_below = { -1199, "A take profit order in a sell OCO must be above." },
  other_status = { -1220, "The symbol's status does not match the requested symbolStatus." },

  -- ---- limits ----------------------------------------------------------------------------------
  weight_used = { -1003, "Too much request weight used; current limit is %d request weight per %d %s. "
    .. "Please use WebSocket Streams for live updates to avoid polling the API.", 429 },
  -- Of these two the documents say the limit but not the text.
  requests_used = { -1003, "Too many requests; current limit is %d requests per %d %s.", 429 },
  connections_used = { -1003, "Too many requests; current limit is %d connections per %d %s.", 429 },
  banned = { -1003, "Way too much request weight used; IP banned until %d. "
    .. "Please use WebSocket Streams for live updates to avoid bans.", 418 },
  orders_used = { -1015, "Too many new orders; current limit is %d orders per %d %s.", 429 },

  -- ---- orders ----------------------------------------------------------------------------------
  filter = { -1013, "Filter failure: %s" },
  engine_filter = { -2010, "Filter failure: %s" }, -- of counts and positions, which only the engine knows
  combination = { -1014, "Unsupported order combination." },
  iceberg_too_large = { -2010, "IcebergQty exceeds QTY." },
  market_closed = { -1013, "Market is closed." },
  no_peg = { -2010, "This order type may not use pegged price." },
  other_peg = { -2010, "This price peg cannot be used with this order type." },
  no_peg_liquidity = { -2010, "Order book liquidity is too low for this pegged order." },
  would_trigger = { -2010, "Order would trigger immediately." },
  wrong_relation = { -2010, "The relationship of the prices for the orders is not correct." },
  unsupported = { -2010, "%s orders are not supported for this symbol." },
  duplicate_order = { -2010, "Duplicate order sent." },
  no_balance = { -2010, "Account has insufficient balance for requested action." },
  would_take = { -2010, "Order would immediately match and take." },
  no_liquidity = { -2010, "Order book liquidity is less than symbol minimum quantity." },
  unknown_order = { -2011, "Unknown order sent." },
  ids_disagree = { -2011, "Cancel order is invalid. Check origClOrdId and orderId." },
  cancel_restricted = { -2011, "Order was not canceled due to cancel restrictions." },
  no_such_order = { -2013, "Order does not exist." },
  replaced_in_part = { -2021, "Order cancel-replace partially failed.", 409 },
  not_replaced = { -2022, "Order cancel-replace failed." },
  not_amended = { -2038, "%s" },
  client_id_of_another = { -2039, "Client order ID is not correct for this order ID." },

  -- ---- who asks --------------------------------------------------------------------------------
  bad_key_format = { -2014, "API-key format invalid.", 401 },
  bad_key = { -2015, "Invalid API-key, IP, or permissions for action.", 401 },
  subscribed = { -2035, "User Data Stream subscription already active." },
  not_subscribed = { -2036, "User Data Stream subscription not active." },
  subscriptions_used = { -2042, "Maximum subscription ID reached for this connection." },
  no_reference_price = { -2043, "This symbol doesn't have a reference price." },
  not_for_hmac = { -4056, -- of no document: web-socket-api says only that logging on takes Ed25519
    "HMAC_SHA256 API key is not supported." },

  -- ---- control messages of market streams: small codes of their own, no HTTP status ------------------------------
  unknown_property = { 0, "Unknown property" },
  not_a_boolean = { 1, "Invalid value type: expected Boolean" },
  bad_message = { 2, "Invalid request: %s" },
  unknown_method = { 2, "Invalid request: unknown variant `%s`, expected one of %s at line 1 column %d" },
  not_json = { 3, "Invalid JSON: expected value at line %s column %s" },
  streams_used = { 4, "Too many subscriptions" },
}, 400)
