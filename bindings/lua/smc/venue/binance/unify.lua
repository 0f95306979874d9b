--- Binance's records in the words that all venues share: symbols with a slash, minimal decimals, lower-case words.
local decimal = require "smc.decimal"
local words = require "smc.venue.words"

local M = {}

local number, average = words.number, words.average
M.native, M.symbol, M.number, M.levels = words.native, words.symbol, number, words.levels

local STATUS = { NEW = "open", PENDING_NEW = "open", PARTIALLY_FILLED = "partially_filled", FILLED = "filled",
  CANCELED = "canceled", PENDING_CANCEL = "open", REJECTED = "rejected", EXPIRED = "expired",
    EXPIRED_IN_MATCH = "expired" }

local function status(word)
  return STATUS[word] or error("binance: unknown order status " .. tostring(word))
end

--- REST and WebSocket API answers: place, query, cancel.
function M.order(o)
  local filled, quote = number(o.executedQty), number(o.cummulativeQuoteQty)
  return {
    id = tostring(o.orderId), client_id = o.origClientOrderId or o.clientOrderId, symbol = M.symbol(o.symbol),
    side = o.side:lower(), type = o.type:lower(), time_in_force = o.timeInForce:lower(), status = status(o.status),
    qty = number(o.origQty), price = o.type ~= "MARKET" and number(o.price) or nil, filled = filled,
    filled_quote = quote, average = average(quote, filled), time = o.time or o.transactTime, updated = o.updateTime
    or o.transactTime, reason = o.expiryReason, raw = o,
  }
end

--- An executionReport.
function M.report(e)
  local filled, quote = number(e.z), number(e.Z)
  return {
    id = tostring(e.i), client_id = e.C ~= "" and e.C or e.c, symbol = M.symbol(e.s), side = e.S:lower(),
    type = e.o:lower(), time_in_force = e.f:lower(), status = status(e.X), qty = number(e.q), price = e.o ~= "MARKET"
    and number(e.p) or nil, filled = filled, filled_quote = quote, average = average(quote, filled), time = e.O,
      updated = e.T, reason = e.eR, raw = e,
  }
end

--- One of the account's fills: myTrades.
function M.fill(f)
  return { id = tostring(f.id), order_id = tostring(f.orderId), symbol = M.symbol(f.symbol),
    side = f.isBuyer and "buy" or "sell", price = number(f.price), qty = number(f.qty), quote = number(f.quoteQty),
    fee = number(f.commission), fee_asset = f.commissionAsset, time = f.time, maker = f.isMaker }
end

--- The fill inside an executionReport.
function M.report_fill(e)
  return { id = tostring(e.t), order_id = tostring(e.i), symbol = M.symbol(e.s), side = e.S:lower(),
    price = number(e.L), qty = number(e.l), quote = number(e.Y), fee = number(e.n), fee_asset = e.N, time = e.T,
      maker = e.m }
end

function M.trade(t, symbol)
  return { id = tostring(t.id), symbol = symbol, price = number(t.price), qty = number(t.qty), time = t.time,
    side = t.isBuyerMaker and "sell" or "buy" }
end

function M.ticker(t)
  return { symbol = M.symbol(t.symbol), last = number(t.lastPrice), bid = number(t.bidPrice),
    bid_qty = number(t.bidQty), ask = number(t.askPrice), ask_qty = number(t.askQty), open = number(t.openPrice),
    high = number(t.highPrice), low = number(t.lowPrice), volume = number(t.volume),
      quote_volume = number(t.quoteVolume), time = t.closeTime }
end

function M.candle(k)
  return { time = k[1], open = number(k[2]), high = number(k[3]), low = number(k[4]), close = number(k[5]),
    volume = number(k[6]), quote_volume = number(k[8]), count = k[9] }
end

local function filter_of(list, name)
  for _, f in ipairs(list) do
    if f.filterType == name then return f end
  end
  return {}
end

function M.instrument(s)
  local price, lot = filter_of(s.filters, "PRICE_FILTER"), filter_of(s.filters, "LOT_SIZE")
  local notional = filter_of(s.filters, "NOTIONAL")
  if not notional.minNotional then notional = filter_of(s.filters, "MIN_NOTIONAL") end
  return { symbol = s.baseAsset .. "/" .. s.quoteAsset, native = s.symbol, base = s.baseAsset, quote = s.quoteAsset,
    trading = s.status == "TRADING", tick = number(price.tickSize), step = number(lot.stepSize),
    min_qty = number(lot.minQty), max_qty = number(lot.maxQty), min_notional = number(notional.minNotional),
      order_types = s.orderTypes, raw = s }
end

function M.balances(list)
  local out = {}
  for _, b in ipairs(list) do
    out[b.asset] = { free = number(b.free), locked = number(b.locked), total = number(decimal.add(b.free, b.locked)) }
  end
  return out
end

return M
