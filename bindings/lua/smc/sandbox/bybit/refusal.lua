--- How Bybit says no: a retCode and a text, over HTTP 200 unless a row says otherwise.
-- A refusal is a plain table { name, status, code, msg, null }; handlers return `nil, refusal`.
-- About orders each category has its own codes: "spot.no_funds" is made by spot.no_funds(), and linear has the same.
local refusals = require "smc.sandbox.refusals"

local M = refusals.of({
  params = { 10001, "params error: %s" },
  category = { 10001, "Illegal category" },
  not_supported = { 10001, "Not supported symbols" }, -- a symbol that market data does not have
  not_modified = { 10001, "order not modified" },
  no_order_id = { 10001, "params error: OrderId or orderLinkId is required" },
  no_headers = { 10001, "empty value: apiTimestamp[%s] apiKey[%s] apiSignature[%s]: openapi sign params error!" },
  clock = { 10002, "invalid request, please check your server timestamp or recv_window param. "
    .. "req_timestamp[%s],server_timestamp[%d],recv_window[%s]" },
  bad_key = { 10003, "API key is invalid." },
  bad_signature = { 10004, "error sign! origin_string[%s]" },
  permission = { 10005, "Invalid API-key, IP, or permissions for action." },
  too_many = { 10006, "Too many visits. Exceeded the API Rate Limit." },
  no_route = { 10017, "Route not found.", 404 },

  -- ---- the trade socket ------------------------------------------------------------------------
  unknown_op = { 10404, "Unknown op: %s" },
  not_logged_on = { 10004, "Request not authorized" },
  logged_on = { 20001, "Repeat auth" },
  request_twice = { 20006, "reqId duplicated" },

  -- ---- orders of category spot -----------------------------------------------------------------
  ["spot.empty"] = { 170105, "Parameter '%s' was empty." },
  ["spot.tif"] = { 170115, "Invalid timeInForce." },
  ["spot.type"] = { 170116, "Invalid orderType." },
  ["spot.side"] = { 170117, "Invalid side." },
  ["spot.symbol"] = { 170121, "Invalid symbol." },
  ["spot.invalid"] = { 170130, "Data sent for parameter '%s' is not valid." },
  ["spot.no_funds"] = { 170131, "Insufficient balance." },
  ["spot.price_range"] = { 170133, "Order price lower than the minimum." },
  ["spot.price_step"] = { 170134, "Order price decimal too long." },
  ["spot.qty_low"] = { 170136, "Order quantity exceeded lower limit." },
  ["spot.qty_step"] = { 170137, "Order volume decimal too long." },
  ["spot.filled"] = { 170139, "Order has been filled." },
  ["spot.value_low"] = { 170140, "Order value exceeded lower limit." },
  ["spot.duplicate"] = { 170141, "Duplicate clientOrderId." },
  ["spot.canceled"] = { 170142, "Order has been canceled." },
  ["spot.amount_step"] = { 170148, "Market order amount decimal too long." },
  ["spot.closed"] = { 170151, "This trading pair is not open yet." },
  ["spot.buy_too_high"] = { 170193, "Buy order price cannot be higher than %s%s." },
  ["spot.sell_too_low"] = { 170194, "Sell order price cannot be lower than %s%s." },
  ["spot.expect_rise"] = { 170203, "The trigger price %s must be above the last price %s." },
  ["spot.expect_fall"] = { 170204, "The trigger price %s must be below the last price %s." },
  ["spot.no_order"] = { 170213, "Order does not exist." },
  ["spot.below_filled"] = { 170313, "Order quantity must be greater than the filled quantity." },
  ["spot.would_take"] = { 170218, "The LIMIT-MAKER order is rejected due to invalid price." },
  ["spot.unsupported"] = { 170227, "This feature is not supported." },
  ["spot.limit_qty_high"] = { 170381, "Order quantity exceeded upper limit." },
  ["spot.market_qty_high"] = { 170382, "Order quantity exceeded upper limit." },
  ["spot.too_many_orders"] = { 170810, "Cannot exceed maximum of 500 conditional, TP/SL and active orders." },

  -- ---- orders of category linear -----------------------------------------------------------------
  ["linear.empty"] = { 10001, "params error: %s is required" },
  ["linear.symbol"] = { 10001, "params error: symbol invalid" },
  -- ---- slippage --------------------------------------------------------------------------------
  slippage_ticks = { 110108, "slippageTolerance must be between 1 and 10000 ticks" },
  slippage_percent = { 110109, "slippageTolerance must be between 0.01 and 10 percent" },

  -- ---- the account -----------------------------------------------------------------------------
  same_margin_mode = { 110026, "Cross/isolated margin mode is not modified" },
}, 200)

-- inverse and option, which have no instruments here, say no as linear does.
for name in pairs(M.rows) do
  local category, short = name:match "^(%a+)%.(.+)$"
  if category then
    M[category] = M[category] or {}
    M[category][short] = M[name]
  end
end
-- Where a category tells less apart than the other.
M.spot.no_cancel, M.spot.no_replace, M.spot.too_many_waiting = M.spot.no_order, M.spot.no_order, M.spot.too_many_orders
M.inverse, M.option = M.linear, M.linear

return M
