--- OANDA's records in the words that all venues share.  Units above zero buy, below zero sell.
local clock = require "smc.venue.oanda.clock"
local decimal = require "smc.decimal"
local words = require "smc.venue.words"

local M = {}

local number = words.number
M.number = number

--- "EUR/USD" -> "EUR_USD", and back.
function M.native(symbol) return (symbol:gsub("/", "_", 1)) end

--- The same for what a call was given; wrong use is blamed on the caller of the call, or higher up.
function M.checked(what, symbol, level)
  if type(symbol) ~= "string" or not symbol:find "^[%u%d]+/[%u%d]+$" then
    error(what .. ": a symbol like \"EUR/USD\" expected", level or 3)
  end
  return M.native(symbol)
end

function M.symbol(native) return (native:gsub("_", "/", 1)) end

local function side_of(units) return units:sub(1, 1) == "-" and "sell" or "buy" end

local function qty_of(units) return number((units:gsub("^[-+]", ""))) end

--- When a price or a transaction was, in milliseconds.
function M.time(record) return clock.ms(record.time) end

-- ---- market data -------------------------------------------------------------------

local function levels(buckets)
  local out = {}
  for i, bucket in ipairs(buckets) do out[i] = { number(bucket.price), number(tostring(bucket.liquidity)) } end
  return out
end

--- A book from a price: all the levels that the venue quotes; id is the price's time in nanoseconds.
function M.book(price, depth)
  local bids, asks = levels(price.bids), levels(price.asks)
  depth = depth or math.max(#bids, #asks)
  return { symbol = M.symbol(price.instrument), id = clock.ns(price.time), bids = { table.unpack(bids, 1, depth) },
    asks = { table.unpack(asks, 1, depth) } }
end

--- The best prices, and the middle between them: nobody trades here with anybody but the venue.
function M.ticker(price)
  local bid, ask = levels(price.bids)[1] or {}, levels(price.asks)[1] or {}
  local middle = bid[1] and ask[1] and decimal.div(decimal.add(bid[1], ask[1]), "2", 9)
  return { symbol = M.symbol(price.instrument), last = middle and number(middle) or nil, bid = bid[1], bid_qty = bid[2],
    ask = ask[1], ask_qty = ask[2], time = clock.ms(price.time) }
end

function M.candle(k)
  return { time = clock.ms(k.time), open = number(k.mid.o), high = number(k.mid.h), low = number(k.mid.l),
    close = number(k.mid.c), count = k.volume }
end

--- "0.00001" for 5.
local function power(places) return places <= 0 and "1" or "0." .. ("0"):rep(places - 1) .. "1" end

function M.instrument(i)
  local base, quote = i.name:match "^(.+)_(.+)$"
  return { symbol = base .. "/" .. quote, native = i.name, base = base, quote = quote, trading = true,
    tick = power(i.displayPrecision), step = power(i.tradeUnitsPrecision), min_qty = number(i.minimumTradeSize),
    max_qty = number(i.maximumOrderUnits), order_types = { "LIMIT", "MARKET", "STOP", "MARKET_IF_TOUCHED" }, raw = i }
end

-- ---- the account -------------------------------------------------------------------

--- In the account's currency: total is the cash, locked the margin in use, free what new positions may use: profit
-- and loss of open ones counts there.
function M.balances(account)
  return { [account.currency] = { free = number(account.marginAvailable), locked = number(account.marginUsed),
    total = number(account.balance) } }
end

--- The sides of a position that are held.
function M.positions(p)
  local out = {}
  for _, side in ipairs { "long", "short" } do
    local held = p[side]
    if held and qty_of(held.units) ~= "0" then
      out[#out + 1] = { symbol = M.symbol(p.instrument), side = side, qty = qty_of(held.units),
        entry = number(held.averagePrice), unrealized = number(held.unrealizedPL), margin = number(p.marginUsed),
        raw = p }
    end
  end
  return out
end

-- ---- orders ------------------------------------------------------------------------

local TYPES = { LIMIT = "limit", MARKET = "market", STOP = "stop", MARKET_IF_TOUCHED = "take_profit",
  TAKE_PROFIT = "take_profit", STOP_LOSS = "stop", GUARANTEED_STOP_LOSS = "stop", TRAILING_STOP_LOSS = "stop",
  FIXED_PRICE = "market" }

--- The order of a record of the account, or of the transaction that made it.  trade: the one that it closes, of an
-- order that belongs to a trade: such an order has no instrument and no units of its own.
function M.order(o, trade)
  local native = o.type:gsub("_ORDER$", ""):gsub("_ORDER_REJECT$", "")
  local kind = TYPES[native] or native:lower()
  local units = o.units or trade and decimal.neg(trade.currentUnits == "0" and trade.initialUnits
    or trade.currentUnits) or "0"
  local instrument = o.instrument or trade and trade.instrument or ""
  local waits = kind ~= "limit" and kind ~= "market"
  local time = clock.ms(o.createTime or o.time)
  return {
    id = words.text(o.id), client_id = o.clientExtensions and o.clientExtensions.id or "",
    symbol = M.symbol(instrument), side = side_of(units), type = kind,
    time_in_force = o.timeInForce and o.timeInForce:lower() or "gtc",
    status = o.state == "FILLED" and "filled" or o.state == "CANCELLED" and "canceled" or "open", qty = qty_of(units),
    price = kind == "limit" and number(o.price) or nil,
    trigger_price = waits and number(o.price or o.trailingStopValue) or nil,
    reduce_only = (o.positionFill == "REDUCE_ONLY" or o.tradeID ~= nil) or nil,
    filled = "0", filled_quote = "0", time = time, updated = time, raw = o,
  }
end

--- What an ORDER_FILL made of the order.  There is one for an order, and it ends it: what was not filled is gone.  An
-- order that belongs to a trade was for what was left of the trade.
function M.filled(order, fill)
  order.filled, order.average = qty_of(fill.units), number(fill.price)
  order.filled_quote = number(decimal.mul(order.filled, order.average))
  if order.qty == "0" or order.raw.tradeID then order.qty = order.filled end
  order.status = decimal.cmp(order.filled, order.qty) < 0 and "expired" or "filled"
  order.updated = clock.ms(fill.time)
  return order
end

local OURS = { CLIENT_REQUEST = true, CLIENT_REQUEST_REPLACED = true, DIVIDEND_ADJUSTMENT_REPLACED = true,
  LINKED_TRADE_CLOSED = true, MIGRATION = true }

--- What an ORDER_CANCEL made of it: our own wish, or the venue's.
function M.cancelled(order, cancel)
  order.status = OURS[cancel.reason] and "canceled" or "expired"
  order.reason = not OURS[cancel.reason] and cancel.reason or nil
  order.updated = clock.ms(cancel.time)
  return order
end

--- A transaction of refusal as an order.
function M.rejected(tx)
  local order = M.order(tx)
  order.status, order.reason = "rejected", tx.rejectReason
  return order
end

--- One of the account's fills.  home: the currency of the account.
function M.fill(tx, home)
  local price, qty = number(tx.price), qty_of(tx.units)
  return { id = words.text(tx.id), order_id = tx.orderID, symbol = M.symbol(tx.instrument), side = side_of(tx.units),
    price = price, qty = qty, quote = number(decimal.mul(qty, price)), fee = number(decimal.add(tx.commission or "0",
      tx.guaranteedExecutionFee or "0")), fee_asset = home, realized = number(tx.pl or "0"), time = clock.ms(tx.time),
    maker = false }
end

return M
