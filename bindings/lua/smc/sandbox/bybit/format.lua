--- How Bybit writes orders, executions, positions and wallets.
local decimal = require "smc.decimal"
local json = require "smc.json"
local prices = require "smc.sandbox.bybit.prices"

local M = {}

local add, mul, sub = decimal.add, decimal.mul, decimal.sub

local SIDE = { buy = "Buy", sell = "Sell" }
M.SIDE = SIDE

local TIF = { gtc = "GTC", ioc = "IOC", fok = "FOK" }

local EXPIRED = { ioc = "EC_NoImmediateQtyToFill", fok = "EC_NoEnoughQtyToFill",
  liquidity = "EC_NoImmediateQtyToFill", bound = "EC_ReachRiskPriceLimit", trigger_failed = "EC_NoEnoughQtyToFill" }
local CANCELS = { user = { "CancelByUser", "EC_PerCancelRequest" },
  reduce_only = { "CancelByReduceOnly", "EC_NoError" }, system = { "CancelAllBeforeLiq", "EC_NoError" } }

local function waits(o) return o.trigger ~= nil and not o.triggered_ms end
M.waits = waits

--- What a quote amount leaves over when the next step would cost more than is left.
local function remainder(o)
  return o.quote_qty ~= "0" and sub(o.quote_qty, o.filled_quote) or "0"
end

--- orderStatus, cancelType, rejectReason of an engine order.
local function state(def, o)
  local touched = o.filled ~= "0"
  local ended = touched and def.category == "spot" and "PartiallyFilledCanceled" or "Cancelled"
  if o.status == "new" then return waits(o) and "Untriggered" or "New", "UNKNOWN", "EC_NoError" end
  if o.status == "partially_filled" then return "PartiallyFilled", "UNKNOWN", "EC_NoError" end
  if o.status == "rejected" then
    return def.category == "spot" and "Rejected" or "Cancelled", "UNKNOWN", "EC_PostOnlyWillTakeLiquidity"
  end
  if o.status == "canceled" then
    return waits(o) and "Deactivated" or ended, table.unpack(CANCELS[o.reason] or CANCELS.user)
  end
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
    local qty = sub(o.qty, o.filled)
    return qty, o.price == "0" and "0" or mul(qty, o.price)
  end
  return "0", remainder(o)
end

local CREATED_BY = { Stop = "CreateByStopOrder", TakeProfit = "CreateByTakeProfit", StopLoss = "CreateByStopLoss",
  PartialTakeProfit = "CreateByPartialTakeProfit", PartialStopLoss = "CreateByPartialStopLoss",
  TrailingStop = "CreateByTrailingStop", liquidation = "CreateByLiq" }

local function created_by(entry)
  return CREATED_BY[entry.liquidation and "liquidation" or entry.stop_type] or "CreateByUser"
end

--- The coin that an order of this side pays its fees in.
function M.fee_coin(def, side)
  return (def.contract or side == "sell") and def.quote or def.base
end

--- An order row.  o: the engine's, as of the moment; status: instead of the order's own; stream: the row goes to the
-- private stream.
function M.order(def, entry, o, skew_ms, stream, status)
  local own, cancel_type, reason = state(def, o)
  local leaves_qty, leaves_value = left(o)
  local coin = M.fee_coin(def, o.side)
  local linear, none = def.contract ~= nil, def.contract and "" or def.zero
  local limit_none = def.contract and "0" or def.zero
  return json.object(
    "category", stream and def.category or nil,
    "orderId", entry.id, "orderLinkId", entry.link, "parentOrderLinkId", "", "blockTradeId", "", "symbol", def.native,
    "price", o.price, "qty", o.quote_qty ~= "0" and o.quote_qty or o.qty, "side", SIDE[o.side],
    "isLeverage", linear and "" or "0", "positionIdx", 0, "orderStatus", status or own,
    "createType", linear and created_by(entry) or nil, "cancelType", cancel_type, "rejectReason", reason,
    "avgPrice", o.filled ~= "0" and decimal.div(o.filled_quote, o.filled, 8) or "",
    "leavesQty", leaves_qty, "leavesValue", leaves_value, "cumExecQty", o.filled, "cumExecValue", o.filled_quote,
    "cumExecFee", entry.fee,
    "timeInForce", entry.post_only and "PostOnly" or o.type == "market" and "IOC" or TIF[o.tif],
    "orderType", o.type == "market" and "Market" or "Limit", "stopOrderType", entry.stop_type or "", "orderIv", "",
    "marketUnit", entry.market_unit or "", "triggerPrice", o.trigger and o.trigger_price or none,
    "takeProfit", entry.take_profit or none, "stopLoss", entry.stop_loss or none,
    "tpslMode", linear and (entry.tpsl_mode or stream and "UNKNOWN" or "") or nil,
    "ocoTriggerBy", "", "tpLimitPrice", limit_none, "slLimitPrice", limit_none, "tpTriggerBy", entry.tp_by or "",
    "slTriggerBy", entry.sl_by or "", "triggerDirection", o.trigger and (o.trigger.when == "rises" and 1 or 2) or 0,
    "triggerBy", o.trigger and (entry.trigger_by or "LastPrice") or "",
    "basePrice", not linear and not stream and (entry.last or o.price) or nil,
    "lastPriceOnCreated", linear and entry.last or nil,
    "reduceOnly", entry.reduce_only or false, "closeOnTrigger", entry.close_on_trigger or false, "placeType", "",
    "smpType", entry.smp, "smpGroup", 0, "smpOrderId", "",
    "slippageToleranceType", entry.slippage_type or "UNKNOWN", "slippageTolerance", entry.slippage or "0",
    "extraFees", "", "feeCurrency", stream and (linear and "" or coin) or nil,
    "closedPnl", stream and (entry.closed and entry.closed.pnl or "0") or nil,
    "createdTime", tostring(o.created_ms + skew_ms), "updatedTime", tostring(o.updated_ms + skew_ms),
    "cumFeeDetail", entry.fee == "0" and json.object() or json.object(coin, entry.fee))
end

local EXEC_BASE, SYMBOL_STEP = 2100000000000000000, 1000000000000

--- The id of a public trade, and of an account's side of it: of contracts in the form of a UUID.
function M.exec_id(def, trade_id, sell)
  local n = trade_id * 4 + (sell == nil and 0 or sell and 1 or 2)
  if def.contract then return ("%08x-0000-5000-a000-%012x"):format(def.index, n) end
  return tostring(EXEC_BASE + def.index * SYMBOL_STEP + n)
end

--- An execution row.  f: { side, price, qty, quote, fee, trade_id, is_maker, time_ms, closed_qty, realized }; o: the
-- order after it.
function M.execution(sb, def, entry, f, o, stream)
  local linear = def.contract ~= nil
  return json.object(
    "category", stream and def.category or nil,
    "symbol", def.native, "closedSize", linear and (f.closed_qty or "0") or "", "execFee", f.fee, "execFeeV2", "",
    "execId", M.exec_id(def, f.trade_id, f.side == "sell"), "execPrice", f.price, "execQty", f.qty,
    "execType", entry.liquidation and "BustTrade" or "Trade", "execValue", f.quote,
    "feeRate", sb:rate(def, f.is_maker), "tradeIv", "", "markIv", "", "blockTradeId", "",
    "markPrice", linear and f.mark or "", "indexPrice", "", "underlyingPrice", "", "leavesQty", sub(o.qty, o.filled),
    "orderId", entry.id, "orderLinkId", entry.link, "orderPrice", o.price,
    "orderQty", o.quote_qty ~= "0" and "0.000000" or o.qty, "orderType", o.type == "market" and "Market" or "Limit",
    "stopOrderType", entry.stop_type or linear and "UNKNOWN" or "", "side", SIDE[f.side],
    "execTime", tostring(f.time_ms + sb.skew_ms), "isLeverage", "0", "isMaker", f.is_maker, "seq", f.trade_id,
    "marketUnit", entry.market_unit or "", "execPnl", linear and (f.realized or "0") or nil,
    "createType", linear and created_by(entry) or nil, "extraFees", "", "feeCurrency", M.fee_coin(def, f.side))
end

-- ---- the wallet --------------------------------------------------------------------------

--- What a coin is worth in dollars.
local function usd_price(sb, coin)
  if coin == "USDT" then return "1" end
  return prices.last(sb, sb.categories.spot.by_native[coin .. "USDT"])
end

local function coin_row(sb, b, total)
  return json.object("coin", b.asset, "equity", total,
    "usdValue", mul(total, usd_price(sb, b.asset), 8), "walletBalance", total, "locked", b.locked,
    "spotHedgingQty", "0", "borrowAmount", "0", "spotBorrow", "0", "accruedInterest", "0", "totalOrderIM", "0",
    "totalPositionIM", "0", "totalPositionMM", "0", "unrealisedPnl", "0", "cumRealisedPnl", "0", "bonus", "0",
    "collateralSwitch", true, "marginCollateral", true, "colRes", "0", "availableToWithdraw", "",
    "availableToBorrow", "")
end

--- The account object of wallet-balance and of the wallet topic.  wanted: a set of coins; nil: those that it has.
function M.wallet(sb, account, wanted)
  local coins, worth = {}, "0"
  for _, b in ipairs(sb.market:balances(account)) do
    local total = add(b.free, b.locked)
    worth = add(worth, mul(total, usd_price(sb, b.asset), 8))
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
