--- How Bybit says no: a retCode and a text, over HTTP 200 unless `status` says otherwise.
-- A refusal is a plain table { status, code, msg, null }; handlers return `nil, refusal`.
local M = {}

function M.new(code, msg, status)
  return { code = code, msg = msg, status = status or 200 }
end

local new = M.new

--- The general parameter error.
function M.params(what) return new(10001, "params error: " .. what) end

function M.category() return new(10001, "Illegal category") end

--- A symbol that market data does not have.
function M.not_supported() return new(10001, "Not supported symbols") end

function M.no_headers(status, timestamp, key, signature)
  local no = new(10001, ("empty value: apiTimestamp[%s] apiKey[%s] apiSignature[%s]: openapi sign params error!")
    :format(timestamp, key, signature), status)
  no.null = true
  return no
end

function M.clock(timestamp, now_ms, window)
  return new(10002, ("invalid request, please check your server timestamp or recv_window param. "
    .. "req_timestamp[%s],server_timestamp[%d],recv_window[%s]"):format(timestamp, now_ms, window))
end

function M.bad_key(status) return new(10003, "API key is invalid.", status) end

function M.bad_signature(origin) return new(10004, ("error sign! origin_string[%s]"):format(origin)) end

function M.permission() return new(10005, "Invalid API-key, IP, or permissions for action.") end

function M.too_many() return new(10006, "Too many visits. Exceeded the API Rate Limit.") end

function M.no_route() return new(10017, "Route not found.", 404) end

-- ---- spot orders -------------------------------------------------------------------

function M.empty(name) return new(170105, ("Parameter '%s' was empty."):format(name)) end

function M.invalid(name) return new(170130, ("Data sent for parameter '%s' is not valid."):format(name)) end

function M.unsupported() return new(170227, "This feature is not supported.") end

M.invalid_symbol = new(170121, "Invalid symbol.")
M.invalid_tif = new(170115, "Invalid timeInForce.")
M.invalid_type = new(170116, "Invalid orderType.")
M.invalid_side = new(170117, "Invalid side.")
M.no_balance = new(170131, "Insufficient balance.")
M.price_low = new(170133, "Order price lower than the minimum.")
M.price_decimals = new(170134, "Order price decimal too long.")
M.qty_low = new(170136, "Order quantity exceeded lower limit.")
M.qty_decimals = new(170137, "Order volume decimal too long.")
M.value_low = new(170140, "Order value exceeded lower limit.")
M.duplicate = new(170141, "Duplicate clientOrderId.")
M.amount_decimals = new(170148, "Market order amount decimal too long.")
M.limit_qty_high = new(170381, "Order quantity exceeded upper limit.")
M.market_qty_high = new(170382, "Order quantity exceeded upper limit.")
M.too_many_orders = new(170810, "Cannot exceed maximum of 500 conditional, TP/SL and active orders.")
M.filled = new(170139, "Order has been filled.")
M.canceled = new(170142, "Order has been canceled.")
M.no_order = new(170213, "Order does not exist.")
M.no_order_id = new(10001, "params error: OrderId or orderLinkId is required")

function M.buy_too_high(limit, quote)
  return new(170193, ("Buy order price cannot be higher than %s%s."):format(limit, quote))
end

function M.sell_too_low(limit, quote)
  return new(170194, ("Sell order price cannot be lower than %s%s."):format(limit, quote))
end

return M
