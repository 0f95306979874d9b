--- What becomes of an order when its moment has come: a fill, with the trades that it closes and opens, or a cancel.
local clock = require "smc.sandbox.oanda.clock"
local decimal = require "smc.decimal"
local format = require "smc.sandbox.oanda.format"
local instruments = require "smc.sandbox.oanda.instruments"
local json = require "smc.json"
local money = require "smc.sandbox.oanda.money"
local pricing = require "smc.sandbox.oanda.pricing"
local reached = require "smc.sandbox.reached"
local requests = require "smc.sandbox.oanda.requests"

local M = {}

local abs, add, cmp, mul, neg, sub = decimal.abs, decimal.add, decimal.cmp, decimal.mul, decimal.neg, decimal.sub
local amount, is_long = money.amount, money.is_long

local function signed(units, long) return long and units or neg(units) end

--- The units of an order, signed; a dependent order has those of its trade.
function M.units_of(order) return order.units or neg(order.trade.units) end

-- ---- what orders watch -------------------------------------------------------------

--- The price that an order watches.
function M.watched(sb, order)
  local best, buy = sb.market:best(order.def.symbol), is_long(M.units_of(order))
  local side = order.triggerCondition
  if not best.bid or not best.ask then return nil end
  if side == "MID" then return decimal.div(add(best.bid, best.ask), "2", 12) end
  if side == "BID" or side == "DEFAULT" and not buy or side == "INVERSE" and buy then return best.bid end
  return best.ask
end

--- Whether it waits for the price to rise.
local function rises(order)
  local buy = is_long(M.units_of(order))
  if order.type == "MARKET_IF_TOUCHED" then return cmp(order.price, order.initialMarketPrice) > 0 end
  if order.type == "LIMIT" or order.type == "TAKE_PROFIT" then return not buy end
  return buy
end

--- Whether a pending order's moment has come; a trailing stop is drawn along.
function M.fires(sb, order)
  local watched = M.watched(sb, order)
  if not watched then return false end
  local up, at = rises(order), order.price
  if order.type == "TRAILING_STOP_LOSS" then
    at = up and add(watched, order.distance) or sub(watched, order.distance)
    if order.trailing then at = up and decimal.min(order.trailing, at) or decimal.max(order.trailing, at) end
    order.trailing = at
  end
  return up and cmp(watched, at) >= 0 or not up and cmp(watched, at) <= 0
end

-- ---- creating and cancelling -------------------------------------------------------

--- Where a stop loss stands that is so far from the price: below the ask if the trade is long, above the bid if short.
local function at_distance(sb, order)
  local trade, best = order.trade, sb.market:best(order.def.symbol)
  if is_long(trade.units) then return sub(best.ask or trade.price, order.distance) end
  return add(best.bid or trade.price, order.distance)
end

--- Enters an order into the account; reason and more go into its transaction, name and value in turn.
function M.create(sb, order, reason, ...)
  order.instrument = not order.tradeID and order.def.symbol or nil
  if order.type == "STOP_LOSS" and not order.price then order.price = at_distance(sb, order) end
  local tx = sb.log:add(order.type .. "_ORDER", format.transaction_fields(order, "reason", reason, ...))
  order.id, order.n, order.created_ms, order.state = tx.id, tx.n, tx.time_ms, "PENDING"
  order.partialFill = order.partialFill and "DEFAULT_FILL"
  tx.created = order
  if sb.sabotage == "amnesiac" then return tx end
  sb.orders[order.n], sb.order_list[#sb.order_list + 1], sb.pending[#sb.pending + 1] = order, order, order
  if order.trade then order.trade[order.type] = order end
  order.expires_ms = order.timeInForce == "GTD" and order.gtdTime
    or order.timeInForce == "GFD" and clock.day_end(tx.time_ms) or nil
  if order.type == "MARKET_IF_TOUCHED" then order.initialMarketPrice = M.watched(sb, order) end
  return tx
end

--- Takes it from those that wait.  A trade that is closed goes on showing the orders that it ended with.
local function leave(sb, order, state)
  order.state = state
  for i, other in ipairs(sb.pending) do
    if other == order then
      table.remove(sb.pending, i)
      break
    end
  end
  if order.trade and order.trade.state == "OPEN" then order.trade[order.type] = nil end
end

function M.client_id(order) return order.clientExtensions and order.clientExtensions.id or nil end

--- Ends an order without a fill.
function M.cancel(sb, order, reason, ...)
  reached.mark("oanda", "cancels", reason)
  if sb.sabotage ~= "uncancellable" then leave(sb, order, "CANCELLED") end
  local tx = sb.log:add("ORDER_CANCEL", "orderID", order.id, "clientOrderID", M.client_id(order), "reason", reason, ...)
  order.cancellingTransactionID, order.cancelled_ms, tx.cancelled = tx.id, tx.time_ms, order
  return tx
end

-- Why an order may end without a fill.
M.reasons = {
  "CLIENT_REQUEST", "CLIENT_REQUEST_REPLACED", "LINKED_TRADE_CLOSED", "TIME_IN_FORCE_EXPIRED", "MARKET_HALTED",
  "INSUFFICIENT_LIQUIDITY", "BOUNDS_VIOLATION", "INSUFFICIENT_MARGIN", "CLIENT_TRADE_ID_ALREADY_EXISTS",
  "TAKE_PROFIT_ON_FILL_LOSS", "STOP_LOSS_ON_FILL_LOSS", "POSITION_CLOSEOUT_FAILED", "FIFO_VIOLATION" }
for _, pair in ipairs(requests.dependents) do
  for _, name in ipairs { "CLIENT_ORDER_ID_ALREADY_EXISTS", "GTD_TIMESTAMP_IN_PAST" } do
    M.reasons[#M.reasons + 1] = pair[1] .. "_ON_FILL_" .. name
  end
end

-- ---- planning ----------------------------------------------------------------------

--- How many of so many units the book does not give within a bound, and whether the book as a whole has enough.
local function walk(sb, def, buy, units, bound)
  local book = sb.market:book(def.symbol)
  local left, depth = units, "0"
  for _, row in ipairs(buy and book.asks or book.bids) do
    depth = add(depth, row[2])
    local within = not bound or buy and cmp(row[1], bound) <= 0 or not buy and cmp(row[1], bound) >= 0
    if within then left = sub(left, decimal.min(left, row[2])) end
  end
  return left, cmp(depth, units) >= 0
end

--- Which trades so many units close, oldest first, and how many are left to open another.
local function reductions(sb, order, units, buy)
  local out, left, only = {}, units, order.closes or order.trade
  for _, trade in ipairs(only and { only } or money.open_trades(sb, order.def)) do
    if is_long(trade.units) ~= buy and left ~= "0" then
      local take = decimal.min(left, abs(trade.units))
      out[#out + 1], left = { trade = trade, units = take }, sub(left, take)
    end
  end
  return out, left
end

--- Why the dependent orders of a fill can't be, or nil: while their order waited, their name was given to another, or
-- their time went by.
local function late(sb, order)
  for _, pair in ipairs(requests.dependents) do
    local d = order[pair[2]]
    local id = d and M.client_id(d)
    local other = id and sb:order_of_client(id)
    if other and other ~= order then return pair[1] .. "_ON_FILL_CLIENT_ORDER_ID_ALREADY_EXISTS" end
    if d and d.gtdTime and d.gtdTime <= sb:now() then return pair[1] .. "_ON_FILL_GTD_TIMESTAMP_IN_PAST" end
  end
end

--- The same: they would be filled at once.
local function losing(sb, order, buy)
  local best = sb.market:best(order.def.symbol)
  local exit = buy and best.bid or best.ask
  local tp, sl = order.takeProfitOnFill, order.stopLossOnFill
  if tp and tp.price and (cmp(exit, tp.price) == 0 or buy == (cmp(exit, tp.price) > 0)) then
    return "TAKE_PROFIT_ON_FILL_LOSS"
  end
  if sl and sl.price and (cmp(exit, sl.price) == 0 or buy == (cmp(exit, sl.price) < 0)) then
    return "STOP_LOSS_ON_FILL_LOSS"
  end
end

--- What filling an order now comes to: { buy, closes, opened, units }; nil and the reason of its end.
local function plan(sb, order)
  if not sb:tradeable(order.def) then return nil, "MARKET_HALTED" end
  local wanted = M.units_of(order)
  local p = { buy = is_long(wanted), closes = {} }
  local units, open = abs(wanted), abs(wanted)
  local against = money.net(sb, order.def)
  if order.positionFill ~= "OPEN_ONLY" then
    p.closes, open = reductions(sb, order, units, p.buy)
    if order.closes or order.trade or order.positionFill == "REDUCE_ONLY" then units, open = sub(units, open), "0" end
    if units == "0" then return nil, sb.assume.reduce_nothing end
  elseif against ~= "0" and is_long(against) ~= p.buy then
    return nil, sb.assume.open_against
  end
  local limit = (order.type == "LIMIT" or order.type == "TAKE_PROFIT") and order.price
  local missing, enough = walk(sb, order.def, p.buy, units, limit or order.priceBound)
  if missing ~= "0" and (order.timeInForce ~= "IOC" or missing == units) then
    return nil, enough and "BOUNDS_VIOLATION" or "INSUFFICIENT_LIQUIDITY"
  end
  if missing ~= "0" then
    units = sub(units, missing)
    p.closes, open = reductions(sb, order, units, p.buy)
  end
  p.units, p.opened = units, open
  return p
end

--- What else may stand in the way of opening.
local function may_open(sb, order, p)
  if p.opened == "0" then return nil end
  local given = order.tradeClientExtensions
  if given and given.id and sb:trade_of_client(given.id) then return "CLIENT_TRADE_ID_ALREADY_EXISTS" end
  local reason = late(sb, order) or losing(sb, order, p.buy)
  if reason then return reason end
  local held = add(money.net(sb, order.def), signed(p.units, p.buy))
  local f = money.figures(sb, { def = order.def, units = held })
  if cmp(f.used, f.nav) > 0 then return "INSUFFICIENT_MARGIN" end
end

-- ---- filling -----------------------------------------------------------------------

--- Trades on the market.  Returns what the units cost, in quote.
local function trade_on_market(sb, order, p)
  local placed = assert(sb.market:place { account = sb.first_account, symbol = order.def.symbol,
    side = p.buy and "buy" or "sell", type = "market", qty = p.units })
  return placed.filled_quote
end

--- Closes a part of a trade.  Returns what the transaction says of it, and the profit at home and in quote.
local function reduce(sb, order, cut, price, half, fill_id, time_ms)
  local trade = cut.trade
  local long, units = is_long(trade.units), cut.units
  local quote = money.profit(signed(units, long), trade.price, price)
  local pl = money.at_home(sb, trade.def, quote)
  trade.units = sub(trade.units, signed(units, long))
  trade.realized = add(trade.realized, pl)
  trade.closed, trade.closed_value = add(trade.closed, units), add(trade.closed_value, mul(units, price, 12))
  trade.closing[#trade.closing + 1] = fill_id
  local totals = sb.positions[trade.def.symbol][long and "long" or "short"]
  totals.pl = add(totals.pl, pl)
  if trade.units == "0" then
    trade.state, trade.close_ms = "CLOSED", time_ms
    for i, other in ipairs(sb.open_trades) do
      if other == trade then
        table.remove(sb.open_trades, i)
        break
      end
    end
  end
  return json.object("tradeID", trade.id, "clientTradeID", trade.extensions and trade.extensions.id,
    "units", signed(units, not long), "realizedPL", amount(pl), "financing", "0.0000",
    "price", instruments.price(trade.def, price), "guaranteedExecutionFee", "0.0000",
    "quoteGuaranteedExecutionFee", "0", "halfSpreadCost", amount(half(units))), pl, quote
end

local function open(sb, order, p, price, half, fill_id, time_ms)
  local units = signed(p.opened, p.buy)
  if sb.sabotage == "doubling" then units = add(units, units) end
  local trade = { id = fill_id, n = tonumber(fill_id), def = order.def, units = units, initial = units, price = price,
    open_ms = time_ms, realized = "0", financing = "0", state = "OPEN", closed = "0", closed_value = "0", closing = {},
    margin = money.margin(sb, order.def, units), extensions = order.tradeClientExtensions }
  sb.trades[#sb.trades + 1], sb.open_trades[#sb.open_trades + 1], sb.trade_by_id[trade.id] = trade, trade, trade
  order.tradeOpenedID = trade.id
  return trade, json.object("price", instruments.price(order.def, price), "tradeID", trade.id, "units", units,
    "guaranteedExecutionFee", "0.0000", "quoteGuaranteedExecutionFee", "0",
    "clientExtensions", format.extensions(trade.extensions), "halfSpreadCost", amount(half(p.opened)),
    "initialMarginRequired", amount(trade.margin))
end

local FILL_REASONS = { LIMIT = "LIMIT_ORDER", STOP = "STOP_ORDER", MARKET_IF_TOUCHED = "MARKET_IF_TOUCHED_ORDER",
  TAKE_PROFIT = "TAKE_PROFIT_ORDER", STOP_LOSS = "STOP_LOSS_ORDER", TRAILING_STOP_LOSS = "TRAILING_STOP_LOSS_ORDER" }

local function factors(sb, def)
  local list = {}
  for _, pair in ipairs { { "Quote", def.quote }, { "Base", def.base } } do
    if pair[2] == instruments.home or instruments.via(sb.by_symbol, pair[2]) then
      local gain, loss = instruments.factors(sb, pair[2])
      list[#list + 1], list[#list + 2] = "gain" .. pair[1] .. "Home", json.object("factor", gain)
      list[#list + 1], list[#list + 2] = "loss" .. pair[1] .. "Home", json.object("factor", loss)
    end
  end
  return json.object(table.unpack(list))
end

--- The price of a dependent order that comes with its trade's details: a distance is one from the trade's own price.
function M.details_price(trade, kind, d)
  if d.price or kind == "TRAILING_STOP_LOSS" then return d.price end
  local up = (kind == "TAKE_PROFIT") == is_long(trade.units)
  return up and add(trade.price, d.distance) or sub(trade.price, d.distance)
end

--- The orders that a fill attaches to the trade that it opened.
local function attach(sb, order, trade, fill_id)
  for _, pair in ipairs(requests.dependents) do
    local d = order[pair[2]]
    if d then
      sb.stirred = true -- its moment may have come already
      local price = M.details_price(trade, pair[1], d)
      M.create(sb, { type = pair[1], def = trade.def, trade = trade, tradeID = trade.id,
        clientTradeID = trade.extensions and trade.extensions.id, price = price, distance = d.distance,
        timeInForce = d.timeInForce, gtdTime = d.gtdTime, triggerCondition = d.triggerCondition or "DEFAULT",
        triggerMode = "TOP_OF_BOOK", clientExtensions = d.clientExtensions }, "ON_FILL",
        "orderFillTransactionID", fill_id)
    end
  end
end

--- The dependent orders of a closed trade end with it.
local function unlink(sb, trade, fill_id)
  for _, pair in ipairs(requests.dependents) do
    local order = trade[pair[1]]
    if order and order.state == "PENDING" then
      M.cancel(sb, order, "LINKED_TRADE_CLOSED", "closedTradeID", trade.id, "tradeCloseTransactionID", fill_id)
    end
  end
end

local function new_position() return { long = { pl = "0", financing = "0" }, short = { pl = "0", financing = "0" },
  commission = "0" } end

local function fill(sb, order, p)
  local def, best = order.def, sb.market:best(order.def.symbol)
  local spread, rate = sub(best.ask, best.bid), instruments.rate(sb, def.quote)
  local full_price, conversions = pricing.full_price(sb, def), factors(sb, def)
  local gain, loss = instruments.factors(sb, def.quote)
  local spread_cost = "0" -- of all parts together
  local function half(units)
    local cost = money.round(mul(mul(mul(units, spread, 12), "0.5", 12), rate, 12))
    spread_cost = add(spread_cost, cost)
    return cost
  end
  local price = decimal.round(decimal.div(trade_on_market(sb, order, p), p.units), def.places)
  local id, time_ms = ("%d"):format(sb.log.n + 1), sb.log.batch.time_ms
  sb.positions[def.symbol] = sb.positions[def.symbol] or new_position()
  local pl, quote_pl, closed, reduced, closed_ids = "0", "0", {}, nil, {}
  for _, cut in ipairs(p.closes) do
    local told, home, quote = reduce(sb, order, cut, price, half, id, time_ms)
    pl, quote_pl = add(pl, home), add(quote_pl, quote)
    cut.closed = cut.trade.state == "CLOSED"
    if cut.closed then
      closed[#closed + 1], closed_ids[#closed_ids + 1] = told, cut.trade.id
    else
      reduced, order.tradeReducedID = told, cut.trade.id
    end
  end
  local commission = money.round(mul(mul(mul(p.units, price, 12), rate, 12), sb.fee_rate, 12))
  sb.balance, sb.pl = sub(add(sb.balance, pl), commission), add(sb.pl, pl)
  sb.commission = add(sb.commission, commission)
  sb.positions[def.symbol].commission = add(sb.positions[def.symbol].commission, commission)
  local trade, opened
  if p.opened ~= "0" then trade, opened = open(sb, order, p, price, half, id, time_ms) end
  leave(sb, order, "FILLED")
  order.filled, sb.filled_ms = p.units, time_ms
  order.fillingTransactionID, order.filled_ms, order.tradeClosedIDs = id, time_ms, closed_ids
  local tx = sb.log:add("ORDER_FILL", "orderID", order.id, "clientOrderID", M.client_id(order),
    "instrument", def.symbol, "units", signed(p.units, p.buy), "requestedUnits", order.requested,
    "price", instruments.price(def, price), "pl", amount(pl), "quotePL", decimal.round(quote_pl, def.places),
    "financing", "0.0000", "baseFinancing", "0", "commission", amount(commission), "accountBalance", amount(sb.balance),
    "gainQuoteHomeConversionFactor", gain, "lossQuoteHomeConversionFactor", loss, "guaranteedExecutionFee", "0.0000",
    "quoteGuaranteedExecutionFee", "0", "halfSpreadCost", amount(spread_cost),
    "fullVWAP", instruments.price(def, price),
    "reason", order.fill_reason or FILL_REASONS[order.type] or "MARKET_ORDER", "tradeOpened", opened,
    "tradesClosed", #closed > 0 and json.array(closed) or nil, "tradeReduced", reduced, "fullPrice", full_price,
    "homeConversionFactors", conversions)
  tx.filled, tx.opened, tx.defs, tx.cuts = order, trade, { def }, p.closes
  sb.stirred = sb.stirred or sb.margin_call_ms ~= nil -- the call may be over
  if trade then attach(sb, order, trade, id) end
  for _, cut in ipairs(p.closes) do
    if cut.closed then unlink(sb, cut.trade, id) end
  end
  return tx
end

--- Fills an order at once, or ends it with the reason why not.  Returns the fill and the cancel, one of them nil.
function M.execute(sb, order)
  order.requested = M.units_of(order)
  local p, reason = plan(sb, order)
  reason = reason or may_open(sb, order, p)
  if reason then return nil, M.cancel(sb, order, reason) end
  return fill(sb, order, p)
end

return M
