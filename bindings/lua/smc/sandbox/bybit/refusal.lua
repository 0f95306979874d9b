--- How Bybit says no: a retCode and a text, over HTTP 200 unless a row says otherwise.
-- A refusal is a plain table { name, status, code, msg, null }; handlers return `nil, refusal`.
local refusals = require "smc.sandbox.refusals"

return refusals.of({
  params = { 10001, "params error: %s" },
  category = { 10001, "Illegal category" },
  not_supported = { 10001, "Not supported symbols" }, -- a symbol that market data does not have
  no_order_id = { 10001, "params error: OrderId or orderLinkId is required" },
  no_headers = { 10001, "empty value: apiTimestamp[%s] apiKey[%s] apiSignature[%s]: openapi sign params error!" },
  clock = { 10002, "invalid request, please check your server timestamp or recv_window param. "
    .. "req_timestamp[%s],server_timestamp[%d],recv_window[%s]" },
  bad_key = { 10003, "API key is invalid." },
  bad_signature = { 10004, "error sign! origin_string[%s]" },
  permission = { 10005, "Invalid API-key, IP, or permissions for action." },
  too_many = { 10006, "Too many visits. Exceeded the API Rate Limit." },
  no_route = { 10017, "Route not found.", 404 },

  -- ---- spot orders -----------------------------------------------------------------------------
  empty = { 170105, "Parameter '%s' was empty." },
  invalid_tif = { 170115, "Invalid timeInForce." },
  invalid_type = { 170116, "Invalid orderType." },
  invalid_side = { 170117, "Invalid side." },
  invalid_symbol = { 170121, "Invalid symbol." },
  invalid = { 170130, "Data sent for parameter '%s' is not valid." },
  no_balance = { 170131, "Insufficient balance." },
  price_low = { 170133, "Order price lower than the minimum." },
  price_decimals = { 170134, "Order price decimal too long." },
  qty_low = { 170136, "Order quantity exceeded lower limit." },
  qty_decimals = { 170137, "Order volume decimal too long." },
  filled = { 170139, "Order has been filled." },
  value_low = { 170140, "Order value exceeded lower limit." },
  duplicate = { 170141, "Duplicate clientOrderId." },
  canceled = { 170142, "Order has been canceled." },
  amount_decimals = { 170148, "Market order amount decimal too long." },
  buy_too_high = { 170193, "Buy order price cannot be higher than %s%s." },
  sell_too_low = { 170194, "Sell order price cannot be lower than %s%s." },
  no_order = { 170213, "Order does not exist." },
  unsupported = { 170227, "This feature is not supported." },
  limit_qty_high = { 170381, "Order quantity exceeded upper limit." },
  market_qty_high = { 170382, "Order quantity exceeded upper limit." },
  too_many_orders = { 170810, "Cannot exceed maximum of 500 conditional, TP/SL and active orders." },
}, 200)
