--- How Bybit writes orders, executions and wallets.
local decimal = require "smc.decimal"
local json = require "smc.json"

local M = {}

local SIDE = { buy = "Buy", sell = "Sell" }
M.SIDE = SIDE

local TIF = { gtc = "GTC", ioc = "IOC", fok = "FOK" }

local EXPIRED = { ioc = "EC_NoImmediateQtyToFill", fok = "EC_NoEnoughQtyToFill",
  liquidity = "EC_NoImmediateQtyToFill" }

--- What a quote amount leaves over when the next step would cost more than is left.
local function remainder(o)
  return o.quote_qty ~= "0" and decimal.sub(o.quote_qty, o.filled_quote) or "0"
end

--- orderStatus, cancelType, rejectReason of an engine order.
local function state(o)
  local touched = o.filled ~= "0"
  local ended = touched and "PartiallyFilledCanceled" or "Cancelled"
  if o.status == "new" then return "New", "UNKNOWN", "EC_NoError" end
  if o.status == "partially_filled" then return "PartiallyFilled", "UNKNOWN", "EC_NoError" end
  if o.status == "rejected" then return "Rejected", "UNKNOWN", "EC_PostOnlyWillTakeLiquidity" end
  if o.status == "canceled" then return ended, "CancelByUser", "EC_PerCancelRequest" end
  if o.status == "expired_in_match" then return ended, "CancelBySmp", "EC_NoError" end
  if o.status == "expired" then
    return ended, "UNKNOWN", touched and "EC_CancelForNoFullFill" or EXPIRED[o.reason]
  end
  if remainder(o) ~= "0" then return "PartiallyFilledCanceled", "UNKNOWN", "EC_CancelForNoFullFill" end
  return "Filled", "UNKNOWN", "EC_NoError"
end

M.status = state

local function left(o)
  if o.status == "new" or o.status == "partially_filled" then
    local qty = decimal.sub(o.qty, o.filled)
    return qty, o.price == "0" and "0" or decimal.mul(qty, o.price)
  end
  return "0", remainder(o)
end

--- An order row.  o: the engine's, as of the moment; stream: the row goes to the private stream.
function M.order(def, entry, o, skew_ms, stream)
  local status, cancel_type, reason = state(o)
  local leaves_qty, leaves_value = left(o)
  local fee_coin = o.side == "buy" and def.base or def.quote
  local zero = def.zero
  return json.object(
    "category", stream and "spot" or nil,
    "orderId", entry.id, "orderLinkId", entry.link, "parentOrderLinkId", "", "blockTradeId", "", "symbol", def.native,
    "price", o.price, "qty", o.quote_qty ~= "0" and o.quote_qty or o.qty, "side", SIDE[o.side], "isLeverage", "0",
    "positionIdx", 0, "orderStatus", status, "cancelType", cancel_type, "rejectReason", reason,
    "avgPrice", o.filled ~= "0" and decimal.div(o.filled_quote, o.filled, 8) or "",
    "leavesQty", leaves_qty, "leavesValue", leaves_value, "cumExecQty", o.filled, "cumExecValue", o.filled_quote,
    "cumExecFee", entry.fee,
    "timeInForce", entry.post_only and "PostOnly" or o.type == "market" and "IOC" or TIF[o.tif],
    "orderType", o.type == "market" and "Market" or "Limit", "stopOrderType", "", "orderIv", "",
    "marketUnit", entry.market_unit or "", "triggerPrice", zero, "takeProfit", zero, "stopLoss", zero,
    "ocoTriggerBy", "", "tpLimitPrice", zero, "slLimitPrice", zero, "tpTriggerBy", "", "slTriggerBy", "",
    "triggerDirection", 0, "triggerBy", "", "basePrice", not stream and o.price or nil,
    "reduceOnly", false, "closeOnTrigger", false, "placeType", "", "smpType", entry.smp, "smpGroup", 0,
    "smpOrderId", "", "slippageToleranceType", "UNKNOWN", "slippageTolerance", "0", "extraFees", "",
    "feeCurrency", stream and fee_coin or nil, "closedPnl", stream and "0" or nil,
    "createdTime", tostring(o.created_ms + skew_ms), "updatedTime", tostring(o.updated_ms + skew_ms),
    "cumFeeDetail", entry.fee == "0" and json.object() or json.object(fee_coin, entry.fee))
end

local EXEC_BASE, SYMBOL_STEP = 2100000000000000000, 1000000000000

--- The id of a public trade, and of an account's side of it.
function M.exec_id(def, trade_id, sell)
  return tostring(EXEC_BASE + def.index * SYMBOL_STEP + trade_id * 4 + (sell == nil and 0 or sell and 1 or 2))
end

--- An execution row.  f: { side, price, qty, quote, fee, trade_id, is_maker, time_ms }; o: the order after it.
function M.execution(def, entry, f, o, rate, skew_ms, stream)
  local leaves = decimal.sub(o.qty, o.filled)
  return json.object(
    "category", stream and "spot" or nil,
    "symbol", def.native, "closedSize", "", "execFee", f.fee, "execFeeV2", "",
    "execId", M.exec_id(def, f.trade_id, f.side == "sell"), "execPrice", f.price, "execQty", f.qty,
    "execType", "Trade", "execValue", f.quote, "feeRate", rate, "tradeIv", "", "markIv", "", "blockTradeId", "",
    "markPrice", "", "indexPrice", "", "underlyingPrice", "", "leavesQty", leaves,
    "orderId", entry.id, "orderLinkId", entry.link, "orderPrice", o.price,
    "orderQty", o.quote_qty ~= "0" and "0.000000" or o.qty, "orderType", o.type == "market" and "Market" or "Limit",
    "stopOrderType", "", "side", SIDE[f.side], "execTime", tostring(f.time_ms + skew_ms), "isLeverage", "0",
    "isMaker", f.is_maker, "seq", f.trade_id, "marketUnit", entry.market_unit or "", "extraFees", "",
    "feeCurrency", f.side == "buy" and def.base or def.quote)
end

--- What a coin is worth in dollars.
local function usd_price(sb, coin)
  if coin == "USDT" then return "1" end
  return sb:last_price(coin .. "USDT")
end

local function coin_row(sb, b, total)
  return json.object("coin", b.asset, "equity", total,
    "usdValue", decimal.mul(total, usd_price(sb, b.asset), 8), "walletBalance", total, "locked", b.locked,
    "spotHedgingQty", "0", "borrowAmount", "0", "spotBorrow", "0", "accruedInterest", "0", "totalOrderIM", "0",
    "totalPositionIM", "0", "totalPositionMM", "0", "unrealisedPnl", "0", "cumRealisedPnl", "0", "bonus", "0",
    "collateralSwitch", true, "marginCollateral", true, "colRes", "0", "availableToWithdraw", "",
    "availableToBorrow", "")
end

--- The account object of wallet-balance and of the wallet topic.  wanted: a set of coins; nil: those that it has.
function M.wallet(sb, account, wanted)
  local coins, worth = {}, "0"
  for _, b in ipairs(sb.market:balances(account)) do
    local total = decimal.add(b.free, b.locked)
    worth = decimal.add(worth, decimal.mul(total, usd_price(sb, b.asset), 8))
    local shown = total ~= "0"
    if wanted then shown = wanted[b.asset] end
    if shown then coins[#coins + 1] = coin_row(sb, b, total) end
  end
  return json.object("accountType", "UNIFIED", "accountIMRate", "0", "accountMMRate", "0", "accountIMRateByMp", "0",
    "accountMMRateByMp", "0", "accountLTV", "0", "totalEquity", worth, "totalWalletBalance", worth,
    "totalMarginBalance", worth, "totalAvailableBalance", worth, "totalPerpUPL", "0", "totalInitialMargin", "0",
    "totalMaintenanceMargin", "0", "totalInitialMarginByMp", "0", "totalMaintenanceMarginByMp", "0",
    "coin", json.array(coins))
end

--- [price, size] rows.
function M.levels(rows)
  local out = {}
  for i, row in ipairs(rows) do out[i] = json.array { row[1], row[2] } end
  return json.array(out)
end

return M
