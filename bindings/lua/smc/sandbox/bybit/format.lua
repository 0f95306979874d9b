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
  reduce_only = { "CancelByReduceOnly", "EC_NoError" }, linked = { "UNKNOWN", "EC_NoError" },
  system = { "CancelAllBeforeLiq", "EC_NoError" } }

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

local CLEARED = { TakeProfit = true, StopLoss = true, TrailingStop = true, PartialTakeProfit = true,
  PartialStopLoss = true }
local LINKED = { TakeProfit = "CancelByOCOTpCanceledBySlTriggered", StopLoss = "CancelByOCOSlCanceledByTpTriggered" }

--- Who cancelled an order, where the engine's reason alone does not tell; nil where it does.  Source: v5/enum.
local function cancelled_by(entry, o)
  if entry.by_dcp then return "CancelByDCP" end
  if o.reason == "linked" then return LINKED[entry.kind] end
  return o.reason == "reduce_only" and CLEARED[entry.stop_type] and "CancelByTpSlTsClear" or nil
end

local OCO = { TakeProfit = "OcoTriggerByTp", StopLoss = "OcoTriggerBySl" }

--- Which of two spot orders that came together was triggered.
local function triggered_by(entry, o)
  if entry.category ~= "spot" or not entry.pair then return "" end
  local taken = o.reason == "linked" and entry.pair or o.triggered_ms and entry
  return taken and OCO[taken.kind] or "OcoTriggerByUnknown"
end

local function left(o)
  if o.status == "new" or o.status == "partially_filled" then
    local qty = sub(o.qty, o.filled)
    return qty, o.price == "0" and "0" or mul(qty, o.price)
  end
  return "0", remainder(o)
end

local CREATED_BY = { Stop = "CreateByStopOrder", TakeProfit = "CreateByTakeProfit", StopLoss = "CreateByStopLoss",
  PartialTakeProfit = "CreateByPartialTakeProfit", PartialStopLoss = "CreateByPartialStopLoss",
  TrailingStop = "CreateByTrailingStop", BustTrade = "CreateByLiq" }

local function created_by(entry)
  return CREATED_BY[entry.exec_type or entry.stop_type] or "CreateByUser"
end

--- The coin that an order of this side pays its fees in.
function M.fee_coin(def, side)
  return (def.contract or side == "sell") and def.quote or def.base
end

--- An order row.  o: the engine's, as of the moment; where: "stream", "history" or nil; status: instead of the order's
-- own.
function M.order(def, entry, o, skew_ms, where, status)
  local stream = where == "stream"
  local own, cancel_type, reason = state(def, o)
  local leaves_qty, leaves_value = left(o)
  local coin = M.fee_coin(def, o.side)
  local linear, none = def.contract ~= nil, def.contract and "" or def.zero
  local limit_none = def.contract and "0" or def.zero
  return json.object(
    "category", stream and def.category or nil,
    "orderId", entry.id, "orderLinkId", entry.link, "parentOrderLinkId", entry.parent or "", "blockTradeId", "",
    "symbol", def.native,
    "price", o.price, "qty", o.quote_qty ~= "0" and o.quote_qty or o.qty, "side", SIDE[o.side],
    "isLeverage", linear and "" or "0", "positionIdx", entry.idx, "orderStatus", status or own,
    "createType", linear and created_by(entry) or nil, "cancelType", cancelled_by(entry, o) or cancel_type,
    "rejectReason", reason,
    "avgPrice", o.filled ~= "0" and decimal.div(o.filled_quote, o.filled, 8) or "",
    "leavesQty", leaves_qty, "leavesValue", leaves_value, "cumExecQty", o.filled, "cumExecValue", o.filled_quote,
    "cumExecFee", entry.fee,
    "timeInForce", entry.post_only and "PostOnly" or o.type == "market" and "IOC" or TIF[o.tif],
    "orderType", o.type == "market" and "Market" or "Limit", "stopOrderType", entry.stop_type or "", "orderIv", "",
    "marketUnit", entry.market_unit or "", "triggerPrice", o.trigger and o.trigger_price or none,
    "takeProfit", entry.take_profit or none, "stopLoss", entry.stop_loss or none,
    "tpslMode", linear and (entry.tpsl_mode or stream and "UNKNOWN" or "") or nil,
    "ocoTriggerBy", triggered_by(entry, o), "tpLimitPrice", entry.tp_limit or limit_none,
    "slLimitPrice", entry.sl_limit or limit_none, "tpTriggerBy", entry.tp_by or "",
    "slTriggerBy", entry.sl_by or "", "triggerDirection", o.trigger and (o.trigger.when == "rises" and 1 or 2) or 0,
    "triggerBy", o.trigger and (entry.trigger_by or "LastPrice") or "",
    "basePrice", not linear and not stream and (entry.last or o.price) or nil,
    "lastPriceOnCreated", linear and (entry.last or "") or nil,
    "reduceOnly", entry.reduce_only or false, "closeOnTrigger", entry.close_on_trigger or false, "placeType", "",
    "smpType", entry.smp, "smpGroup", 0, "smpOrderId", "",
    "slippageToleranceType", entry.slippage_type or "UNKNOWN", "slippageTolerance", entry.slippage or "0",
    "extraFees", "", "feeCurrency", stream and (linear and "" or coin) or nil,
    "closedPnl", stream and (entry.closed and entry.closed.pnl or "0") or nil,
    "createdTime", tostring(o.created_ms + skew_ms), "updatedTime", tostring(o.updated_ms + skew_ms),
    "cumFeeDetail", entry.fee == "0" and json.object() or json.object(coin, entry.fee),
    "rpiTakerAccess", where and false, "rpiMatchedQty", where and "0")
end

local EXEC_BASE, SYMBOL_STEP = 2100000000000000000, 1000000000000

--- The id of a public trade, and of an account's side of it: of contracts in the form of a UUID.
function M.exec_id(def, trade_id, sell)
  local n = trade_id * 4 + (sell == nil and 0 or sell and 1 or 2)
  if def.contract then return ("%08x-0000-5000-a000-%012x"):format(def.index, n) end
  return tostring(EXEC_BASE + def.index * SYMBOL_STEP + n)
end

local ORDER_TYPES = { market = "Market", limit = "Limit", limit_maker = "Limit", funding = "UNKNOWN" }

--- An execution row.  f: { side, price, qty, quote, fee, trade_id, is_maker, time_ms, closed_qty, realized, mark }, and
-- of a funding settlement { exec_id, rate }; o: the order after it.
function M.execution(sb, def, entry, f, o, stream)
  local linear = def.contract ~= nil
  return json.object(
    "category", stream and def.category or nil,
    "symbol", def.native, "closedSize", linear and (f.closed_qty or "0") or "", "execFee", f.fee,
    "execFeeV2", not stream and "" or nil,
    "execId", f.exec_id or M.exec_id(def, f.trade_id, f.side == "sell"), "execPrice", f.price, "execQty", f.qty,
    "execType", entry.exec_type or "Trade", "execValue", f.quote,
    "feeRate", f.rate or sb:rate(def, f.is_maker), "tradeIv", "", "markIv", "", "blockTradeId", "",
    "markPrice", linear and f.mark or "", "indexPrice", "", "underlyingPrice", "", "leavesQty", sub(o.qty, o.filled),
    "orderId", entry.id, "orderLinkId", entry.link, "orderPrice", o.price,
    "orderQty", o.quote_qty ~= "0" and "0.000000" or o.qty, "orderType", ORDER_TYPES[o.type],
    "stopOrderType", entry.stop_type or linear and "UNKNOWN" or "", "side", SIDE[f.side],
    "execTime", tostring(f.time_ms + sb.skew_ms), "isLeverage", "0", "isMaker", f.is_maker, "seq", f.trade_id,
    "marketUnit", entry.market_unit or "", "execPnl", linear and (f.realized or "0") or stream and "" or nil,
    "createType", linear and created_by(entry) or nil, "extraFees", "", "feeCurrency", M.fee_coin(def, f.side))
end

--- The price at which closing a position would leave nothing, its fees paid.
local function break_even(p, realized, rate)
  local fees = mul(decimal.abs(p.qty), rate, 12)
  return decimal.div(sub(mul(p.entry, p.qty, 12), realized), sub(p.qty, fees), 8)
end

--- Of a position; "" when it is flat.
function M.side_of(p)
  return p.qty == "0" and "" or decimal.cmp(p.qty, "0") > 0 and "Buy" or "Sell"
end

--- A position row.  stream: to the private stream.  Where margin is reckoned by portfolio it says nothing of leverage,
-- margin and risk.
function M.position(sb, account, def, idx, stream)
  local p, kept = sb:position(account, def, idx), sb:kept(account, def, idx)
  local flat, own = p.qty == "0", sb:setting(account, "margin_mode") ~= "PORTFOLIO_MARGIN"
  local im, mm = own and p.im or "", own and p.mm or ""
  local none = stream and flat and "0" or "" -- in the place of a price
  local stops, realized = kept.stops, sub(p.realized, kept.fees)
  local function time(ms) return ms ~= 0 and tostring(ms + sb.skew_ms) or "" end
  return json.object("category", stream and def.category or nil, "positionIdx", idx,
    "riskId", own and def.id or 0, "riskLimitValue", own and def.risk_limit or "0", "symbol", def.native,
    "side", M.side_of(p), "size", decimal.abs(p.qty),
    stream and "entryPrice" or "avgPrice", p.entry, "positionValue", decimal.abs(p.cost), "tradeMode", 0,
    "positionStatus", "Normal", "autoAddMargin", kept.auto_add_margin or 0,
    "adlRankIndicator", flat and 0 or 2, "leverage", own and kept.leverage or "",
    "breakEvenPrice", flat and none or break_even(p, realized, def.taker_fee),
    "positionBalance", flat and "0" or p.im, "markPrice", prices.mark(sb, def),
    "liqPrice", flat and none or own and prices.liquidation(sb, account, def) or "", "bustPrice", "",
    "positionMM", mm, "positionMMByMp", mm, "positionIM", im, "positionIMByMp", im,
    "tpslMode", "Full", "takeProfit", stops.TakeProfit and stops.TakeProfit.price or none,
    "stopLoss", stops.StopLoss and stops.StopLoss.price or none,
    "trailingStop", stops.TrailingStop and stops.TrailingStop.trail or "0", "unrealisedPnl", p.upl,
    "curRealisedPnl", realized, "cumRealisedPnl", sub(p.realized_total, p.fees),
    "seq", p.updated_ms ~= 0 and p.updated_ms or -1, "isReduceOnly", false, "mmrSysUpdatedTime", "",
    "leverageSysUpdatedTime", "", "sessionAvgPrice", none, "openTime", flat and 0 or p.opened_ms + sb.skew_ms,
    "createdTime", time(p.opened_ms), "updatedTime", time(p.updated_ms))
end

--- A row of closed-pnl.  c: see private_stream.lua.
function M.closed(sb, c)
  local entry = c.side == "sell" and sub(c.exit, c.realized) or add(c.exit, c.realized)
  return json.object("symbol", c.def.native, "orderId", c.entry.id, "side", SIDE[c.side], "qty", c.qty,
    "orderPrice", c.order_price, "orderType", c.order_type == "market" and "Market" or "Limit",
    "execType", c.entry.exec_type or "Trade", "closedSize", c.size, "cumEntryValue", entry,
    "avgEntryPrice", decimal.div(entry, c.size, 8), "cumExitValue", c.exit,
    "avgExitPrice", decimal.div(c.exit, c.size, 8), "closedPnl", c.pnl, "fillCount", tostring(c.fills),
    "leverage", c.leverage, "openFee", c.open_fee, "closeFee", c.fee, "createdTime", tostring(c.time_ms + sb.skew_ms),
    "updatedTime", tostring(c.time_ms + sb.skew_ms))
end

-- ---- the wallet --------------------------------------------------------------------------

--- What a coin is worth in dollars.
local function usd_price(sb, coin)
  if coin == "USDT" then return "1" end
  return prices.last(sb, sb.categories.spot.by_native[coin .. "USDT"])
end

local ZERO_MARGIN = { upl = "0", position_im = "0", order_im = "0", maintenance = "0" }

--- What a coin's row says of margin: nothing where it is reckoned by portfolio.  usdt: the account's.
local function margin_of(sb, account, coin, usdt)
  local margin = coin == "USDT" and usdt or ZERO_MARGIN
  if sb:setting(account, "margin_mode") ~= "PORTFOLIO_MARGIN" then return margin end
  return { upl = margin.upl, position_im = "", order_im = "", maintenance = "" }
end

local function coin_row(sb, b, total, margin)
  local equity = add(total, margin.upl)
  return json.object("coin", b.asset, "equity", equity,
    "usdValue", mul(equity, usd_price(sb, b.asset), 8), "walletBalance", total, "locked", b.locked,
    "spotHedgingQty", "0", "borrowAmount", "0", "spotBorrow", "0", "accruedInterest", "0",
    "totalOrderIM", margin.order_im, "totalPositionIM", margin.position_im, "totalPositionMM", margin.maintenance,
    "unrealisedPnl", margin.upl, "cumRealisedPnl", "0", "bonus", "0",
    "collateralSwitch", true, "marginCollateral", true, "colRes", "0", "availableToWithdraw", "",
    "availableToBorrow", "", "free", "")
end

--- The account object of wallet-balance and of the wallet topic.  wanted: a set of coins; nil: those that it has.
function M.wallet(sb, account, wanted)
  local coins, worth, free = {}, "0", "0"
  local usdt = sb.market:margin(account, "USDT")
  for _, b in ipairs(sb.market:balances(account)) do
    local total, price = add(b.free, b.locked), usd_price(sb, b.asset)
    worth, free = add(worth, mul(total, price, 8)), add(free, mul(b.free, price, 8))
    local shown = total ~= "0"
    if wanted then shown = wanted[b.asset] end
    if shown then coins[#coins + 1] = coin_row(sb, b, total, margin_of(sb, account, b.asset, usdt)) end
  end
  local im, equity = add(usdt.position_im, usdt.order_im), add(worth, usdt.upl)
  local function rate(of) return decimal.div(of, equity, 4) end
  return json.object("accountType", "UNIFIED", "accountIMRate", rate(im), "accountMMRate", rate(usdt.maintenance),
    "accountIMRateByMp", rate(im), "accountMMRateByMp", rate(usdt.maintenance), "accountLTV", "0",
    "totalEquity", equity, "totalWalletBalance", worth, "totalMarginBalance", equity,
    "totalAvailableBalance", sub(add(free, usdt.upl), im), "totalPerpUPL", usdt.upl, "totalInitialMargin", im,
    "totalMaintenanceMargin", usdt.maintenance, "totalInitialMarginByMp", im,
    "totalMaintenanceMarginByMp", usdt.maintenance, "coin", json.array(coins))
end

--- [price, size] rows.
function M.levels(rows)
  local out = {}
  for i, row in ipairs(rows) do out[i] = json.array { row[1], row[2] } end
  return json.array(out)
end

return M
