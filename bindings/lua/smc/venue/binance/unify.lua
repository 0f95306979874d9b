--- Binance's records in the words that all venues share: symbols with a slash, minimal decimals, lower-case words.
local decimal = require "smc.decimal"
local words = require "smc.venue.words"

local M = {}

local number, average, integer = words.number, words.average, words.integer
M.native, M.symbol, M.number, M.levels = words.native, words.symbol, number, words.levels

local STATUS = { NEW = "open", PENDING_NEW = "open", PARTIALLY_FILLED = "partially_filled", FILLED = "filled",
  CANCELED = "canceled", PENDING_CANCEL = "open", REJECTED = "rejected", EXPIRED = "expired",
    EXPIRED_IN_MATCH = "expired" }

local function status(word)
  return STATUS[word] or error("binance: unknown order status " .. tostring(word))
end

--- Order types, in our words and in the venue's.
M.TYPES = { limit = "LIMIT", market = "MARKET", limit_maker = "LIMIT_MAKER", stop = "STOP_LOSS",
  stop_limit = "STOP_LOSS_LIMIT", take_profit = "TAKE_PROFIT", take_profit_limit = "TAKE_PROFIT_LIMIT" }

local OUR_TYPE = {}
for ours, theirs in pairs(M.TYPES) do OUR_TYPE[theirs] = ours end

--- A price that there may be none of.
local function price_of(s)
  s = number(s)
  return s ~= "0" and s or nil
end

--- What was paid for what was filled.  Of some old orders the venue says that it does not know: by less than zero.
local function paid(s)
  s = number(s)
  return s and s:sub(1, 1) ~= "-" and s or nil
end

--- An order from what answers and events call alike, once their fields have the names of answers.
local function order(o, client_id, time, updated)
  local filled, quote = number(o.executedQty), paid(o.cummulativeQuoteQty)
  return {
    id = tostring(o.orderId), client_id = client_id, symbol = M.symbol(o.symbol), side = o.side:lower(),
    type = OUR_TYPE[o.type] or o.type:lower(), time_in_force = o.timeInForce:lower(), status = status(o.status),
    qty = number(o.origQty), price = price_of(o.price), trigger_price = price_of(o.stopPrice), filled = filled,
    filled_quote = quote, average = average(quote, filled), time = integer(time), updated = integer(updated),
    reason = o.expiryReason,
  }
end

--- REST and WebSocket API answers: place, query, cancel.
function M.order(o)
  local out = order(o, o.origClientOrderId or o.clientOrderId, o.time or o.transactTime, o.updateTime or o.transactTime)
  out.raw = o
  return out
end

--- What cancelling all answers: orders, and lists of orders with the reports of theirs.
function M.cancelled(list)
  local out = {}
  for _, o in ipairs(list) do
    for _, one in ipairs(o.orderReports or { o }) do out[#out + 1] = M.order(one) end
  end
  return out
end

--- What cancelling one order answers; which: its ids.  One of a list takes the others along.
function M.cancelled_one(answer, which)
  for _, o in ipairs(answer.orderReports or { answer }) do
    if tostring(o.orderId) == tostring(which.orderId) or o.origClientOrderId == which.origClientOrderId then
      return M.order(o)
    end
  end
  return M.order(answer)
end

--- The answer to an amendment; old: the order as it was.
function M.amended(answer, old)
  local o = answer.amendedOrder
  old.qty, old.filled, old.status = number(o.qty), number(o.executedQty), status(o.status)
  old.client_id, old.updated, old.raw = o.clientOrderId, answer.transactTime, o
  return old
end

local REPORT = { symbol = "s", side = "S", type = "o", timeInForce = "f", status = "X", origQty = "q", price = "p",
  stopPrice = "P", executedQty = "z", cummulativeQuoteQty = "Z", orderId = "i", expiryReason = "eR" }

--- An executionReport.
function M.report(e)
  local o = {}
  for name, letter in pairs(REPORT) do o[name] = e[letter] end
  -- With a cancel c is the cancel's, with an amendment the order's new one; C is what it was before.
  local out = order(o, e.x == "CANCELED" and e.C ~= "" and e.C or e.c, e.O, e.T)
  out.raw = e
  return out
end

--- One of the account's fills: myTrades.
function M.fill(f)
  return { id = tostring(f.id), order_id = tostring(f.orderId), symbol = M.symbol(f.symbol),
    side = f.isBuyer and "buy" or "sell", price = number(f.price), qty = number(f.qty), quote = number(f.quoteQty),
    fee = number(f.commission), fee_asset = f.commissionAsset, time = integer(f.time), maker = f.isMaker }
end

--- The fill inside an executionReport.
function M.report_fill(e)
  return { id = tostring(e.t), order_id = tostring(e.i), symbol = M.symbol(e.s), side = e.S:lower(),
    price = number(e.L), qty = number(e.l), quote = number(e.Y), fee = number(e.n), fee_asset = e.N,
    time = integer(e.T), maker = e.m }
end

function M.book(answer, symbol)
  return { symbol = symbol, id = integer(answer.lastUpdateId), bids = M.levels(answer.bids),
    asks = M.levels(answer.asks) }
end

function M.trade(t, symbol)
  return { id = tostring(t.id), symbol = symbol, price = number(t.price), qty = number(t.qty),
    time = integer(t.time), side = t.isBuyerMaker and "sell" or "buy" }
end

function M.ticker(t)
  return { symbol = M.symbol(t.symbol), last = number(t.lastPrice), bid = number(t.bidPrice),
    bid_qty = number(t.bidQty), ask = number(t.askPrice), ask_qty = number(t.askQty), open = number(t.openPrice),
    high = number(t.highPrice), low = number(t.lowPrice), volume = number(t.volume),
      quote_volume = number(t.quoteVolume), time = integer(t.closeTime) }
end

function M.candle(k)
  return { time = integer(k[1]), open = number(k[2]), high = number(k[3]), low = number(k[4]), close = number(k[5]),
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

function M.account(a)
  return { can_trade = a.canTrade, can_withdraw = a.canWithdraw, can_deposit = a.canDeposit,
    type = a.accountType:lower(), maker_fee = number(a.commissionRates.maker),
    taker_fee = number(a.commissionRates.taker), balances = M.balances(a.balances),
    updated = integer(a.updateTime), raw = a }
end

return M
