--- How Bybit says no: a retCode and a text, over HTTP 200 unless a row says otherwise.
-- A refusal is a plain table { name, status, code, msg, null }; handlers return `nil, refusal`.
-- About orders each category has its own codes: "spot.no_funds" is made by spot.no_funds(), and linear has the same.
local refusals = require "smc.sandbox.refusals"

local M = refusals.of({
  params = { 10001, "params error: %s" },
  category = { 10001, "Illegal category" },
  not_supported = { 10001, "Not supported symbols" }, -- a symbol that market data does not have
  no_scope = { 10001, "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin" },
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
  no_category = { 10404, "category is not correct/supported" },
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
  ["spot.filter"] = { 170201, "Invalid orderFilter parameter" },
  ["spot.no_trigger"] = { 170202, "Please enter the TP/SL price." },
  ["spot.expect_rise"] = { 170203, "The trigger price %s must be above the last price %s." },
  ["spot.expect_fall"] = { 170204, "The trigger price %s must be below the last price %s." },
  ["spot.stop_above"] = { 170203, "The TP/SL price %s must be above the order price %s." },
  ["spot.stop_below"] = { 170204, "The TP/SL price %s must be below the order price %s." },
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
  ["linear.side"] = { 10001, "params error: side invalid" },
  ["linear.type"] = { 10001, "params error: orderType invalid" },
  ["linear.tif"] = { 10001, "params error: timeInForce invalid" },
  ["linear.filter"] = { 10001, "params error: orderFilter invalid" },
  ["linear.invalid"] = { 10001, "params error: %s invalid" },
  ["linear.unsupported"] = { 10001, "This feature is not supported." },
  ["linear.price_step"] = { 10001, "Price invalid" },
  ["linear.qty_low"] = { 10001, "The number of contracts exceeds minimum limit allowed" },
  ["linear.qty_step"] = { 10001, "Qty invalid" },
  ["linear.qty_high"] = { 10001, "The number of contracts exceeds maximum limit allowed: too large, order_qty:%s > "
    .. "max_qty:%s" },
  ["linear.no_cancel"] = { 110001, "order not exists or too late to cancel" },
  ["linear.no_replace"] = { 110001, "order not exists or too late to replace" },
  ["linear.price_range"] = { 110003, "Order price is out of permissible range" },
  ["linear.no_funds"] = { 110007, "ab not enough for new order" },
  ["linear.too_many_waiting"] = { 110009, "The number of stop orders exceeds the maximum allowable limit" },
  ["linear.nothing_to_reduce"] = { 110017, "current position is zero, cannot fix reduce-only order qty" },
  ["linear.same_side"] = { 110017, "reduce-only order has same side with current position" },
  ["linear.too_many_orders"] = { 110020, "You cannot have more than 500 active orders." },
  ["linear.below_filled"] = { 110064, "Qty must be greater than the filled quantity" },
  ["linear.duplicate"] = { 110072, "OrderLinkedID is duplicate" },
  ["linear.risk_limit"] = { 110090, "The position may exceed the max limit; adjust your leverage to %s or below" },
  ["linear.closed"] = { 110074, "This contract is not live" },
  ["linear.expect_rise"] = { 110092, "expect Rising, but trigger_price[%s] <= current[%s]" },
  ["linear.expect_fall"] = { 110093, "expect Falling, but trigger_price[%s] >= current[%s]" },
  ["linear.value_low"] = { 110094, "Order does not meet minimum order value 5USDT" },
  ["linear.sell_too_low"] = { 110120, "Sell order price cannot be lower than %s%s." },
  ["linear.buy_too_high"] = { 110121, "Buy order price cannot be higher than %s%s." },

  -- ---- slippage --------------------------------------------------------------------------------
  slippage_ticks = { 110108, "slippageTolerance must be between 1 and 10000 ticks" },
  slippage_percent = { 110109, "slippageTolerance must be between 0.01 and 10 percent" },

  -- ---- positions -------------------------------------------------------------------------------
  position_mode = { 10001, "position idx not match position mode" },
  no_position_to_stop = { 10001, "can not set tp/sl/ts for zero position" },
  part_pairs = { 10001, '"tpSize" and "takeProfit" or "slSize" and "stopLoss" need to input in pairs and must set at '
    .. "least one pair when tpslMode is Partial." },
  part_sizes = { 10001, "slSize and tpSize must be equal if both values are set" },
  part_too_large = { 110058, "You can't set take profit and stop loss due to insufficient size of remaining position "
    .. "size." },
  too_many_parts = { 110061, "Not allowed to have more than 20 TP/SLs under Partial tpSlMode" },
  market_only = { 10001, "%s only support Market when tpSlMode is Full" },
  mode_needed = { 10001, "%s can not have a value when tpSlMode is empty" },
  stop_price = { 10001, "%s:%s set for %s position should be %s than base_price:%s" },
  stop_not_modified = { 34040, "not modified" },
  leverage_range = { 110013, "cannot set leverage gt maxLeverage by risk limit" },
  mode_needs_flat = { 110024, "You have an existing position, so the position mode cannot be switched." },
  same_position_mode = { 110025, "Position mode is not modified" },
  same_margin_mode = { 110026, "Cross/isolated margin mode is not modified" },
  mode_needs_no_orders = { 110028, "You have existing open orders, so the position mode cannot be switched." },
  hedged_positions = { 3400208, "You have unclosed hedge mode or isolated mode USDT perpetual positions" },
  no_hedge_mode = { 110029, "Hedge mode is not supported for this symbol." },
  not_isolated = { 110076, "Only isolated mode can set auto-add-margin" },
  portfolio = { 110077, "Pm mode cannot support" },
  not_reduce_only = { 110082, "You cannot lift Reduce-Only restrictions, as no Reduce-Only restrictions are applied to "
    .. "your position" },
  unified_only = { 100028, "The API cannot be accessed by unified account users." },
  portfolio_leverage = { 110038, "Leverage cannot be set in portfolio margin mode" },
  same_leverage = { 110043, "Set leverage not modified" },
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
M.spot.not_modified, M.linear.not_modified = M.not_modified, M.not_modified
M.spot.no_cancel, M.spot.no_replace, M.spot.too_many_waiting = M.spot.no_order, M.spot.no_order, M.spot.too_many_orders
M.linear.would_take = M.linear.price_step
M.linear.filled, M.linear.canceled = M.linear.no_cancel, M.linear.no_cancel
M.linear.limit_qty_high, M.linear.market_qty_high = M.linear.qty_high, M.linear.qty_high
M.inverse, M.option = M.linear, M.linear

return M
