--- Public topics by name: what each one sends, and when.
local candles = require "smc.sandbox.candles"
local format = require "smc.sandbox.bybit.format"
local decimal = require "smc.decimal"
local json = require "smc.json"
local market_data = require "smc.sandbox.bybit.market_data"
local prices = require "smc.sandbox.bybit.prices"
local subscriptions = require "smc.sandbox.subscriptions"
local reached = require "smc.sandbox.reached"

local M = {}

local REPEAT_MS = 3000 -- a best price that stays is told again so often

-- Milliseconds between two pushes.  500 is not of spot.
local DEPTHS = { ["1"] = 10, ["50"] = 20, ["200"] = 100, ["500"] = 100, ["1000"] = 200 }

-- ---- books --------------------------------------------------------------------------

local function side(rows)
  local at = {}
  for _, row in ipairs(rows) do at[row[1]] = row[2] end
  return { rows = rows, at = at }
end

--- Rows that lead from one side of a book to another; what has left comes with size "0".
local function changes(old, new)
  local out = {}
  for _, row in ipairs(old.rows) do
    if not new.at[row[1]] then out[#out + 1] = json.array { row[1], "0" } end
  end
  for _, row in ipairs(new.rows) do
    if old.at[row[1]] ~= row[2] then out[#out + 1] = json.array { row[1], row[2] } end
  end
  return out
end

local function book_frame(topic, sb, kind, bids, asks)
  local now = sb:now()
  local data = json.object("s", topic.def.native, "b", bids, "a", asks, "u", topic.u, "seq", topic.seq)
  if topic.def.contract and topic.depth ~= 1 then
    return json.object("topic", topic.name, "type", kind, "ts", now, "data", data, "cts", now)
  end
  return json.object("topic", topic.name, "ts", now, "type", kind, "data", data, "cts", now)
end

local function take_book(topic, sb)
  local book = sb.market:book(topic.def.symbol, topic.depth)
  local old_bids, old_asks = topic.bids, topic.asks
  topic.bids, topic.asks, topic.seq = side(book.bids), side(book.asks), book.update_id
  return old_bids, old_asks
end

--- The book as it was last told, so that the next delta follows on it.
local function snapshot(topic, sb)
  if not topic.bids then
    take_book(topic, sb)
    topic.u = topic.seq
  end
  if topic.depth == 1 then topic.idle_due = sb.market:time() + REPEAT_MS end
  return book_frame(topic, sb, "snapshot", format.levels(topic.bids.rows), format.levels(topic.asks.rows))
end

local function delta(topic, sb)
  local old_bids, old_asks = take_book(topic, sb)
  local bids, asks = changes(old_bids, topic.bids), changes(old_asks, topic.asks)
  if #bids == 0 and #asks == 0 then return nil end
  topic.u = topic.u + 1
  return book_frame(topic, sb, "delta", json.array(bids), json.array(asks))
end

--- Always whole; a repetition keeps its number.
local function best(topic, sb)
  local old_bids, old_asks = take_book(topic, sb)
  local changed = #changes(old_bids, topic.bids) + #changes(old_asks, topic.asks) > 0
  if not changed and sb.market:time() < topic.idle_due then return nil end
  if changed then topic.u = topic.u + 1 end
  return snapshot(topic, sb)
end

local function orderbook(depth)
  return { every = DEPTHS[depth], lazy = "level", depth = math.tointeger(tonumber(depth)), snapshot = snapshot,
    emit = depth == "1" and best or delta }
end

-- ---- trades, tickers, candles -----------------------------------------------------------

--- Which way the price went: "PlusTick", "ZeroPlusTick" and their opposites.
local function tick_direction(topic, price)
  local way = topic.last_price and decimal.cmp(price, topic.last_price) or 0
  topic.last_price = price
  if way ~= 0 then topic.way = way > 0 and "PlusTick" or "MinusTick" end
  topic.way = topic.way or "PlusTick"
  return way == 0 and "Zero" .. topic.way or topic.way
end

local function public_trade()
  return { live = true, on_trades = function(topic, list, sb)
    local rows, def = {}, topic.def
    for i, t in ipairs(list) do
      rows[i] = json.object("T", t.time_ms + sb.skew_ms, "s", def.native, "S", t.buyer_is_maker and "Sell" or "Buy",
        "v", t.qty, "p", t.price, "L", def.contract and tick_direction(topic, t.price) or nil,
        "i", format.exec_id(def, t.id), "BT", false, "RPI", false, "seq", t.id)
    end
    return { json.object("topic", topic.name, "type", "snapshot", "ts", sb:now(), "data", json.array(rows)) }
  end }
end

local function ticker_frame(topic, sb, kind, fields)
  return json.object("topic", topic.name, "type", kind, "data", json.object(table.unpack(fields)),
    "cs", sb.market:best(topic.def.symbol).update_id, "ts", sb:now())
end

local BOOK_FIELDS = 8 -- names and values of the best prices, which stand last in a ticker; the spot stream has none

local function spot_ticker(topic, sb)
  local fields, more = market_data.ticker_fields(sb, topic.def)
  return ticker_frame(topic, sb, "snapshot", table.move(more, 1, #more, #fields - BOOK_FIELDS + 1,
    table.move(fields, 1, #fields - BOOK_FIELDS, 1, {})))
end

local function contract_fields(topic, sb)
  local fields, more = market_data.ticker_fields(sb, topic.def)
  fields = table.move(more, 1, #more, #fields + 1, fields)
  table.move({ "tickDirection", tick_direction(topic, fields[4]) }, 1, 2, #fields + 1, fields)
  return fields
end

--- As it was last told, so that the next delta follows on it.
local function contract_snapshot(topic, sb)
  if not topic.told then topic.told = contract_fields(topic, sb) end
  return ticker_frame(topic, sb, "snapshot", topic.told)
end

local function contract_delta(topic, sb)
  local old, changed = topic.told, { "symbol", topic.def.native }
  topic.told = contract_fields(topic, sb)
  for i = 2, #topic.told, 2 do
    if topic.told[i] ~= old[i] then
      changed[#changed + 1], changed[#changed + 2] = topic.told[i - 1], topic.told[i]
    end
  end
  return #changed > 2 and ticker_frame(topic, sb, "delta", changed) or nil
end

local function ticker(_, def)
  if not def.contract then return { every = 50, lazy = "trade", snapshot = spot_ticker, emit = spot_ticker } end
  return { every = 100, lazy = "level", snapshot = contract_snapshot, emit = contract_delta }
end

--- Positions that were closed because they could not be held.
local function liquidations()
  return { every = 500, lazy = "liquidation", emit = function(topic, sb)
    local rows = topic.liquidated
    topic.liquidated = nil
    return rows and json.object("topic", topic.name, "type", "snapshot", "ts", sb:now(), "data", json.array(rows))
  end }
end

--- An order of the venue's own has traded.
function M.liquidated(sb, def, e)
  local topic = sb.topic_of["linear allLiquidation." .. def.native]
  if not topic then return end
  topic.liquidated = topic.liquidated or {}
  table.insert(topic.liquidated, json.object("T", e.time_ms + sb.skew_ms, "s", def.native,
    "S", e.order.side == "sell" and "Buy" or "Sell", "v", e.last_qty, "p", e.last_price))
  subscriptions.touch(topic, sb.market:time())
end

--- The least and the most that one may sell and buy at.
local function price_limit()
  return { every = 300, emit = function(topic, sb)
    local low, high = prices.band(sb, topic.def)
    return json.object("topic", topic.name, "data", json.object("symbol", topic.def.native, "buyLmt", high,
      "sellLmt", low), "ts", sb:now())
  end }
end

local function kline(interval)
  return { every = 1000, emit = function(topic, sb)
    -- The candle of the instant before: at a candle's end that is the one that closes now.
    local now = sb.market:time()
    local list = candles.of(sb, topic.def.symbol, market_data.intervals[interval], { to_ms = now - 1, limit = 1 })
    local c = list[#list]
    if not c then return nil end
    return json.object("topic", topic.name, "data", json.array { json.object("start", c.open_ms + sb.skew_ms,
      "end", c.close_ms + sb.skew_ms, "interval", interval, "open", c.open, "close", c.close, "high", c.high,
      "low", c.low, "volume", c.volume, "turnover", c.quote_volume, "confirm", c.close_ms < now,
      "timestamp", sb:now()) }, "ts", sb:now(), "type", "snapshot")
  end }
end

-- ---- by name ----------------------------------------------------------------------------

--- The instrument and how to make the topic, or nil.
local function parse(sb, category, name)
  local kind, symbol = name:match("^([%w.]+)%.(%u+)$")
  local def = symbol and sb.categories[category].by_native[symbol]
  if not def then return nil end
  if kind == "publicTrade" then return def, public_trade end
  if kind == "tickers" then return def, ticker end
  if kind == "priceLimit" then return def, price_limit end
  if kind == "allLiquidation" and def.contract then return def, liquidations end
  local depth, interval = kind:match("^orderbook%.(%d+)$"), kind:match("^kline%.(%w+)$")
  if DEPTHS[depth] and (depth ~= "500" or def.contract) then return def, orderbook, depth end
  if market_data.intervals[interval] then return def, kline, interval end
end

function M.exists(sb, category, name)
  return parse(sb, category, name) ~= nil
end

--- How names are written, with <what varies>.
M.forms = { "publicTrade.<symbol>", "tickers.<symbol>", "orderbook.<depth>.<symbol>", "kline.<interval>.<symbol>",
  "allLiquidation.<symbol>", "priceLimit.<symbol>" }

local function form_of(name)
  return (name:gsub("%.%u+$", ".<symbol>"):gsub("^orderbook%.%d+", "orderbook.<depth>")
    :gsub("^kline%.%w+", "kline.<interval>"))
end

--- The topic of a category and a name, with a blank between, or nil for one that this venue has no data for.
-- lazy: the type of the event after which it has something to send.
function M.new(sb, key)
  local category, name = key:match("^(%a+) (.+)$")
  local def, make, detail = parse(sb, category, name)
  if not def then return nil end
  reached.mark("bybit", "streams", form_of(name))
  local topic = make(detail, def)
  topic.name, topic.def = name, def
  return topic
end

return M
