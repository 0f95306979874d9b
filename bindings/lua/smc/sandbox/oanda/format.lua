--- The shapes of orders, trades and positions in answers and transactions.
local clock = require "smc.sandbox.oanda.clock"
local decimal = require "smc.decimal"
local instruments = require "smc.sandbox.oanda.instruments"
local json = require "smc.json"
local money = require "smc.sandbox.oanda.money"

local M = {}

local amount = money.amount

--- { id, tag, comment } as JSON, or nil.
function M.extensions(given)
  return given and json.object("id", given.id, "tag", given.tag, "comment", given.comment)
end

-- ---- orders ------------------------------------------------------------------------

--- One that is finer than the instrument's, of an order that is rejected for it, is shown as it was given.
local function price(order, value)
  local def = order.def
  return def and decimal.is_multiple(decimal.abs(value), def.tick) and instruments.price(def, value) or value
end

local function time(_, ms) return clock.rfc3339(ms) end

local function extensions(_, given) return M.extensions(given) end

local function details(order, d)
  return json.object("price", d.price and price(order, d.price), "distance", d.distance and price(order, d.distance),
    "timeInForce", d.timeInForce, "gtdTime", d.gtdTime and clock.rfc3339(d.gtdTime),
    "clientExtensions", M.extensions(d.clientExtensions), "triggerMode", "TOP_OF_BOOK")
end

-- What an order says of itself, in this order, and how; what it has not is left out.
local FIELDS = { { "tradeID" }, { "clientTradeID" }, { "instrument" }, { "units" }, { "price", price },
  { "distance", price }, { "priceBound", price }, { "timeInForce" }, { "gtdTime", time }, { "triggerCondition" },
  { "triggerMode" }, { "partialFill" }, { "positionFill" }, { "tradeClose" }, { "longPositionCloseout" },
  { "shortPositionCloseout" }, { "marginCloseout" }, { "takeProfitOnFill", details }, { "stopLossOnFill", details },
  { "trailingStopLossOnFill", details }, { "tradeClientExtensions", extensions }, { "clientExtensions", extensions } }

local function order_fields(order)
  local out = { n = 0 }
  for _, field in ipairs(FIELDS) do
    local name, show = field[1], field[2]
    local value = order[name]
    if value ~= nil then
      out[out.n + 1], out[out.n + 2] = name, show and show(order, value) or value
      out.n = out.n + 2
    end
  end
  return out
end

--- The fields of an order's transaction; more: name and value in turn.
function M.transaction_fields(order, ...)
  local out, more = order_fields(order), table.pack(...)
  table.move(more, 1, more.n, out.n + 1, out)
  return table.unpack(out, 1, out.n + more.n)
end

--- As GET .../orders shows it.
function M.order(order)
  local out = order_fields(order)
  local ids = order.tradeClosedIDs
  local def, initial = order.def, order.initialMarketPrice
  local last = table.pack("initialMarketPrice", initial and instruments.price(def, initial),
    "trailingStopValue", order.trailing and instruments.price(def, order.trailing), "state", order.state,
    "fillingTransactionID", order.fillingTransactionID,
    "filledTime", order.filled_ms and clock.rfc3339(order.filled_ms),
    "tradeOpenedID", order.tradeOpenedID, "tradeReducedID", order.tradeReducedID,
    "tradeClosedIDs", ids and #ids > 0 and json.array(ids) or nil,
    "cancellingTransactionID", order.cancellingTransactionID,
    "cancelledTime", order.cancelled_ms and clock.rfc3339(order.cancelled_ms),
    "replacesOrderID", order.replacesOrderID, "replacedByOrderID", order.replacedByOrderID)
  table.move(last, 1, last.n, out.n + 1, out)
  return json.object("id", order.id, "createTime", clock.rfc3339(order.created_ms), "type", order.type,
    table.unpack(out, 1, out.n + last.n))
end

-- ---- trades ------------------------------------------------------------------------

--- summary: with the ids of the dependent orders, else with these orders themselves.
function M.trade(sb, trade, summary)
  local open, def = trade.state == "OPEN", trade.def
  local function dependent(name, field)
    local order = trade[field]
    if not order then return nil, nil end
    if summary then return name .. "ID", order.id end
    return name, M.order(order)
  end
  local out = table.pack("id", trade.id, "instrument", def.symbol, "price", instruments.price(def, trade.price),
    "openTime", clock.rfc3339(trade.open_ms), "initialUnits", trade.initial,
    "initialMarginRequired", amount(trade.margin), "state", trade.state, "currentUnits", trade.units,
    "realizedPL", amount(trade.realized), "unrealizedPL", open and amount(money.unrealized(sb, trade)) or nil,
    "marginUsed", open and amount(money.margin(sb, def, trade.units)) or nil, "financing", amount(trade.financing),
    "dividendAdjustment", "0.0000",
    "averageClosePrice", trade.closed ~= "0" and instruments.price(def, decimal.div(trade.closed_value, trade.closed))
      or nil, "closingTransactionIDs", #trade.closing > 0 and json.array(trade.closing) or nil,
    "closeTime", trade.close_ms and clock.rfc3339(trade.close_ms), "clientExtensions", M.extensions(trade.extensions))
  for _, pair in ipairs { { "takeProfitOrder", "TAKE_PROFIT" }, { "stopLossOrder", "STOP_LOSS" },
    { "trailingStopLossOrder", "TRAILING_STOP_LOSS" } } do
    local name, value = dependent(pair[1], pair[2])
    if name then
      out[out.n + 1], out[out.n + 2] = name, value
      out.n = out.n + 2
    end
  end
  return json.object(table.unpack(out, 1, out.n))
end

-- ---- positions ---------------------------------------------------------------------

local function side_of(sb, def, totals, long)
  local units, cost, unrealized, ids = "0", "0", "0", {}
  for _, trade in ipairs(money.open_trades(sb, def)) do
    if money.is_long(trade.units) == long then
      units, ids[#ids + 1] = decimal.add(units, trade.units), trade.id
      cost = decimal.add(cost, decimal.mul(trade.units, trade.price, 12))
      unrealized = decimal.add(unrealized, money.unrealized(sb, trade))
    end
  end
  return json.object("units", units,
    "averagePrice", units ~= "0" and instruments.price(def, decimal.div(cost, units)) or nil,
    "tradeIDs", units ~= "0" and json.array(ids) or nil, "pl", amount(totals.pl), "resettablePL", amount(totals.pl),
    "unrealizedPL", amount(unrealized), "financing", amount(totals.financing), "dividendAdjustment", "0.0000",
    "guaranteedExecutionFees", "0.0000"), unrealized
end

--- Returns the position and its unrealized profit: net, long, short.
function M.position(sb, def)
  local p = sb.positions[def.symbol]
  local long, long_unrealized = side_of(sb, def, p.long, true)
  local short, short_unrealized = side_of(sb, def, p.short, false)
  local net, pl = decimal.add(long_unrealized, short_unrealized), decimal.add(p.long.pl, p.short.pl)
  local held = money.net(sb, def)
  return json.object("instrument", def.symbol, "pl", amount(pl), "resettablePL", amount(pl),
    "unrealizedPL", amount(net), "marginUsed", held ~= "0" and amount(money.margin(sb, def, held)) or nil,
    "financing", amount(decimal.add(p.long.financing, p.short.financing)), "commission", amount(p.commission),
    "dividendAdjustment", "0.0000", "guaranteedExecutionFees", "0.0000", "long", long, "short", short),
    net, long_unrealized, short_unrealized
end

return M
