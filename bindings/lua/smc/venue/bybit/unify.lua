--- Bybit's records in the words that all venues share.
local decimal = require "smc.decimal"
local words = require "smc.venue.words"

local M = {}

local number = words.number
M.number, M.levels = number, words.levels

--- "BTCUSDT" -> "BTC/USDT", and of category linear "BTC/USDT:USDT".
function M.symbol(native, category)
  local symbol = words.symbol(native)
  if category ~= "linear" then return symbol end
  return symbol .. ":" .. symbol:match "[^/]*$"
end

--- What is absent comes as "", or not at all.
local function given(s)
  if s == nil or s == "" then return nil end
  return number(s)
end

local function ms(s)
  local n = math.tointeger(tonumber(s))
  return n or s == nil and nil or error("a time in a text expected, not a " .. type(s))
end

local STATUS = { New = "open", Untriggered = "open", Triggered = "open", PartiallyFilled = "partially_filled",
  Filled = "filled", Rejected = "rejected", Deactivated = "canceled" }
local ENDED = { Cancelled = true, PartiallyFilledCanceled = true }

--- An order that ended before it was full: by us, or by the venue.  A market order for a quote amount ends so as a
-- rule, since what the last step leaves over is given back; it did what it was asked for.
local function status(o)
  if STATUS[o.orderStatus] then return STATUS[o.orderStatus] end
  if not ENDED[o.orderStatus] then error("bybit: unknown order status " .. tostring(o.orderStatus)) end
  if o.cancelType == "CancelByUser" then return "canceled" end
  if o.marketUnit == "quoteCoin" and o.rejectReason == "EC_CancelForNoFullFill" then return "filled" end
  return "expired"
end

local function is_zero(s) return number(s) == "0" end

--- The type of an order that waits, or waited, for a price.  Spot does not tell the direction, but the price of then.
local function waiting_type(o)
  local rises = o.triggerDirection == 1
  if o.triggerDirection == 0 then rises = decimal.cmp(o.triggerPrice, o.basePrice or "0") > 0 end
  local kind = rises == (o.side == "Buy") and "stop" or "take_profit"
  return o.orderType == "Market" and kind or kind .. "_limit"
end

--- An order, from order/realtime, order/history or the order topic.  category: "spot" or "linear".
function M.order(o, category)
  local market, post_only = o.orderType == "Market", o.timeInForce == "PostOnly"
  local filled, quote = number(o.cumExecQty), number(o.cumExecValue)
  local state = status(o)
  local trigger = given(o.triggerPrice)
  if trigger == "0" then trigger = nil end
  return {
    id = words.text(o.orderId), client_id = o.orderLinkId, symbol = M.symbol(o.symbol, category), side = o.side:lower(),
    type = trigger and waiting_type(o) or market and "market" or post_only and "limit_maker" or "limit",
    time_in_force = (market or post_only) and "gtc" or o.timeInForce:lower(), status = state,
    qty = market and o.marketUnit == "quoteCoin" and not (trigger and is_zero(filled)) and filled or number(o.qty),
    price = not market and number(o.price) or nil, trigger_price = trigger, filled = filled, filled_quote = quote,
    average = words.average(quote, filled), reduce_only = category == "linear" and o.reduceOnly or nil,
    time = ms(o.createdTime), updated = ms(o.updatedTime),
    reason = (state == "expired" or state == "rejected") and o.rejectReason or nil, raw = o,
  }
end

--- Whether an execution is a trade: by the account's own order, or by the venue's, which closes positions that can't be
-- held.  Others are funding and settlements.
local TRADES = { Trade = true, BustTrade = true, AdlTrade = true }
function M.is_trade(f) return TRADES[f.execType] or false end

--- What a fee was paid in, where the venue does not say: what the contract is settled in; of category spot what was
-- got.  Source: v5/enum, "Spot Fee Currency Instruction".
local function fee_asset(symbol, category, side)
  local base, quote = symbol:match "^([^/:]+)/([^:]+)"
  return category ~= "linear" and side == "Buy" and base or quote
end

--- One of the account's fills, from execution/list or the execution topic.
function M.fill(f, category)
  local symbol, asset = M.symbol(f.symbol, category), f.feeCurrency
  if asset == nil or asset == "" then asset = fee_asset(symbol, category, f.side) end
  return { id = words.text(f.execId), order_id = f.orderId, symbol = symbol, side = f.side:lower(),
    price = number(f.execPrice), qty = number(f.execQty), quote = number(f.execValue), fee = number(f.execFee),
    fee_asset = asset, time = ms(f.execTime), maker = f.isMaker }
end

--- Whether a position is not flat.
function M.is_held(p) return number(p.size) ~= "0" end

--- A position that is not flat, of category linear.
function M.position(p)
  return { symbol = M.symbol(p.symbol, "linear"), side = p.side == "Buy" and "long" or "short", qty = number(p.size),
    entry = number(p.avgPrice), mark = given(p.markPrice), unrealized = number(p.unrealisedPnl),
    realized = given(p.curRealisedPnl), margin = given(p.positionIM), leverage = given(p.leverage),
    liquidation = given(p.liqPrice), raw = p }
end

function M.trade(t, symbol)
  return { id = words.text(t.execId), symbol = symbol, price = number(t.price), qty = number(t.size), time = ms(t.time),
    side = t.side:lower() }
end

--- From tickers, REST or stream; the stream has no best prices.
function M.ticker(t, time, symbol)
  return { symbol = symbol, last = number(t.lastPrice), bid = given(t.bid1Price),
    bid_qty = given(t.bid1Size), ask = given(t.ask1Price), ask_qty = given(t.ask1Size), open = number(t.prevPrice24h),
    high = number(t.highPrice24h), low = number(t.lowPrice24h), volume = number(t.volume24h),
    quote_volume = number(t.turnover24h),
    time = words.integer(time) }
end

function M.candle(k)
  return { time = ms(k[1]), open = number(k[2]), high = number(k[3]), low = number(k[4]), close = number(k[5]),
    volume = number(k[6]), quote_volume = number(k[7]) }
end

function M.instrument(s)
  local lot, contract = s.lotSizeFilter, s.settleCoin
  local symbol = s.baseCoin .. "/" .. s.quoteCoin
  return { symbol = contract and symbol .. ":" .. contract or symbol, native = s.symbol, base = s.baseCoin,
    quote = s.quoteCoin, trading = s.status == "Trading", tick = number(s.priceFilter.tickSize),
    step = number(contract and lot.qtyStep or lot.basePrecision), min_qty = number(lot.minOrderQty),
    max_qty = number(contract and lot.maxOrderQty or lot.maxLimitOrderQty),
    min_notional = number(contract and lot.minNotionalValue or lot.minOrderAmt), order_types = { "Limit", "Market" },
    raw = s }
end

--- The coins of a wallet: what positions and orders in contracts tie up is locked as well.
function M.balances(coins)
  local out = {}
  for _, c in ipairs(coins) do
    local total, locked = number(c.walletBalance), number(c.locked)
    for _, margin in ipairs { c.totalPositionIM, c.totalOrderIM } do
      locked = decimal.add(locked, given(margin) or "0")
    end
    out[c.coin] = { free = decimal.sub(total, locked), locked = locked, total = total }
  end
  return out
end

return M
