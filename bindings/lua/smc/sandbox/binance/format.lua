--- How Binance writes numbers and orders: eight decimals, its own words, its own order of fields.
local json = require "smc.json"

local M = {}

local ZEROS = "00000000"
M.ZERO = "0." .. ZEROS

--- An engine decimal ("0.5") with exactly eight decimals.
local function pad(s)
  local dot = s:find(".", 1, true)
  if not dot then return s .. "." .. ZEROS end
  local n = #s - dot
  return n <= 8 and s .. ZEROS:sub(n + 1) or s:sub(1, dot + 8)
end
M.pad = pad

local TIF = { gtc = "GTC", ioc = "IOC", fok = "FOK" }
local EXPIRY = { ioc = "UNFILLED_IOC_QUANTITY_EXPIRED", fok = "UNFILLED_FOK_ORDER_EXPIRED",
  liquidity = "INSUFFICIENT_LIQUIDITY", system = "EXCHANGE_CANCELED" }

M.TIF = TIF

--- Upper-case engine words ("partially_filled") are Binance's.
local upper = {}
setmetatable(upper, { __index = function(t, word)
  t[word] = word:upper()
  return t[word]
end })
M.upper = upper

--- The venue's reason for an order that expired, nil for any other.
function M.expiry(o)
  return (o.status == "expired" or o.status == "expired_in_match") and EXPIRY[o.reason] or nil
end

local function prevention(o)
  if not o.prevented_match_id then return nil, nil end
  return o.prevented_match_id, pad(o.prevented_qty)
end

local function fills_of(fills)
  local out = {}
  for i, f in ipairs(fills) do
    out[i] = json.object("price", pad(f.price), "qty", pad(f.qty), "commission", pad(f.fee), "commissionAsset",
      f.fee_asset, "tradeId", f.id)
  end
  return json.array(out)
end

--- The answer to a placement.  kind: ACK, RESULT or FULL; at: venue time of the transaction.
function M.placed(o, fills, kind, at, skew_ms)
  if kind == "ACK" then
    return json.object("symbol", o.symbol, "orderId", o.id, "orderListId", -1, "clientOrderId", o.client_id,
      "transactTime", at)
  end
  local match, prevented = prevention(o)
  return json.object(
    "symbol", o.symbol, "orderId", o.id, "orderListId", -1, "clientOrderId", o.client_id, "transactTime", at,
    "price", pad(o.price), "origQty", pad(o.qty), "executedQty", pad(o.filled),
    "origQuoteOrderQty", pad(o.quote_qty), "cummulativeQuoteQty", pad(o.filled_quote),
    "status", upper[o.status], "timeInForce", TIF[o.tif], "type", upper[o.type], "side", upper[o.side],
    "workingTime", o.working_ms + skew_ms,
    "fills", kind == "FULL" and fills_of(fills) or nil,
    "selfTradePreventionMode", upper[o.stp],
    "preventedMatchId", match, "preventedQuantity", prevented,
    "strategyId", o.strategy_id, "strategyType", o.strategy_type,
    "expiryReason", M.expiry(o))
end

--- An order as queries show it.
function M.order(o, skew_ms)
  local match, prevented = prevention(o)
  return json.object(
    "symbol", o.symbol, "orderId", o.id, "orderListId", -1, "clientOrderId", o.client_id,
    "price", pad(o.price), "origQty", pad(o.qty), "executedQty", pad(o.filled), "cummulativeQuoteQty",
    pad(o.filled_quote), "status", upper[o.status], "timeInForce", TIF[o.tif], "type", upper[o.type], "side",
    upper[o.side], "stopPrice", M.ZERO, "icebergQty", M.ZERO,
    "time", o.created_ms + skew_ms, "updateTime", o.updated_ms + skew_ms, "isWorking", o.on_book == true,
    "workingTime", o.working_ms + skew_ms, "origQuoteOrderQty", pad(o.quote_qty), "selfTradePreventionMode",
    upper[o.stp], "preventedMatchId", match, "preventedQuantity", prevented,
    "strategyId", o.strategy_id, "strategyType", o.strategy_type,
    "expiryReason", M.expiry(o))
end

--- The answer to a cancel.
function M.canceled(o, at)
  local match, prevented = prevention(o)
  return json.object(
    "symbol", o.symbol, "origClientOrderId", o.orig_client_id, "orderId", o.id, "orderListId", -1,
    "clientOrderId", o.client_id, "transactTime", at,
    "price", pad(o.price), "origQty", pad(o.qty), "executedQty", pad(o.filled), "origQuoteOrderQty", pad(o.quote_qty),
    "cummulativeQuoteQty", pad(o.filled_quote), "status", upper[o.status],
    "timeInForce", TIF[o.tif], "type", upper[o.type], "side", upper[o.side], "selfTradePreventionMode", upper[o.stp],
    "preventedMatchId", match, "preventedQuantity", prevented,
    "strategyId", o.strategy_id, "strategyType", o.strategy_type)
end

--- One of the account's own fills.
function M.fill(f, skew_ms)
  return json.object("symbol", f.symbol, "id", f.id, "orderId", f.order_id, "orderListId", -1,
    "price", pad(f.price), "qty", pad(f.qty), "quoteQty", pad(f.quote),
    "commission", pad(f.fee), "commissionAsset", f.fee_asset, "time", f.time_ms + skew_ms,
    "isBuyer", f.side == "buy", "isMaker", f.is_maker, "isBestMatch", true)
end

local EPOCHS_FROM, EPOCHS_TO = 10 ^ 12, 10 ^ 14

--- Turns every millisecond timestamp of an answer into microseconds, in place.  Ids are far too small to be meant.
function M.microseconds(value)
  for i = 1, #value do
    local v = value[i]
    if type(v) == "table" then
      M.microseconds(v)
    elseif math.type(v) == "integer" and v >= EPOCHS_FROM and v < EPOCHS_TO then
      value[i] = v * 1000
    end
  end
  return value
end

--- [price, quantity] rows, padded, at most n.
function M.levels(rows, n)
  local out = {}
  for i = 1, math.min(#rows, n or #rows) do
    out[i] = json.array { pad(rows[i][1]), pad(rows[i][2]) }
  end
  return json.array(out)
end

return M
