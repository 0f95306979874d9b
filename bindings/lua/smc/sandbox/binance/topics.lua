--- Market streams by name: what each one sends, and when.
local candles = require "smc.sandbox.candles"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local market_data = require "smc.sandbox.binance.market_data"
local reached = require "smc.sandbox.reached"
local tickers = require "smc.sandbox.binance.tickers"

local M = {}
local pad = format.pad

--- [price, quantity] rows in order of their first change, each with its latest quantity.
local function put(side, price, qty)
  local at = side.at[price]
  if at then
    side[at][2] = pad(qty)
  else
    side[#side + 1] = json.array { pad(price), pad(qty) }
    side.at[price] = #side
  end
end

local function rows(side)
  side.at = nil
  return json.array(side)
end

local function no_changes()
  return { first = nil, last = nil, bids = { at = {} }, asks = { at = {} } }
end

local kinds = {}

local function each(list, convert)
  local out = {}
  for i, item in ipairs(list) do out[i] = convert(item) end
  return out
end

function kinds.trade()
  return { live = true, on_trades = function(topic, list, sb)
    return each(list, function(t)
      return json.object("e", "trade", "E", sb:now(), "s", topic.def.symbol, "t", t.id, "p", pad(t.price),
        "q", pad(t.qty), "T", t.time_ms + sb.skew_ms, "m", t.buyer_is_maker, "M", true)
    end)
  end }
end

function kinds.aggTrade()
  return { live = true, on_trades = function(topic, list, sb)
    return each(market_data.aggregate(list), function(t)
      return json.object("e", "aggTrade", "E", sb:now(), "s", topic.def.symbol, "a", t.id, "p", pad(t.price),
        "q", pad(t.qty), "f", t.id, "l", t.last_id, "T", t.time_ms + sb.skew_ms, "m", t.buyer_is_maker, "M", true)
    end)
  end }
end

function kinds.bookTicker()
  return { live = true, on_best = function(topic, best)
    local key = ("%s %s %s %s"):format(best.bid, best.bid_qty, best.ask, best.ask_qty)
    if key == topic.sent then return {} end
    topic.sent = key
    return { json.object("u", best.update_id, "s", topic.def.symbol, "b", pad(best.bid or "0"), "B",
      pad(best.bid_qty or "0"), "a", pad(best.ask or "0"), "A", pad(best.ask_qty or "0")) }
  end }
end

local function mini_ticker(sb, def)
  local d = tickers.of_day(sb, def)
  d.e = "24hrMiniTicker"
  return tickers.streams.mini(d), d.last_id
end

function kinds.miniTicker()
  return { every = 1000, emit = function(topic, sb) return (mini_ticker(sb, topic.def)) end }
end

local function window_ticker(window)
  local ms = tickers.window_ms(window)
  return function(sb, def)
    local d = tickers.of_window(sb, def, ms)
    d.e = window .. "Ticker"
    return tickers.streams.window(d), d.last_id
  end
end

function kinds.ticker()
  return { every = 1000, emit = function(topic, sb)
    local d = tickers.of_day(sb, topic.def)
    d.e = "24hrTicker"
    return tickers.streams.day(d)
  end }
end

function kinds.avgPrice()
  return { every = 1000, emit = function(topic, sb)
    local price, last_ms = sb:average_price(topic.def.symbol)
    return json.object("e", "avgPrice", "E", sb:now(), "s", topic.def.symbol, "i", "5m", "w", pad(price),
      "T", last_ms + sb.skew_ms)
  end }
end

local function kline(interval, zone_ms)
  return { every = interval == "1s" and 1000 or 2000, emit = function(topic, sb)
    -- The candle of the instant before: at a candle's end that is the one that closes now.
    local now = sb.market:time()
    local list = candles.of(sb, topic.def.symbol, interval, { to_ms = now - 1, limit = 1, zone_ms = zone_ms })
    local c = list[#list]
    if not c then return nil end
    return json.object("e", "kline", "E", sb:now(), "s", topic.def.symbol, "k", json.object(
      "t", c.open_ms + sb.skew_ms, "T", c.close_ms + sb.skew_ms, "s", topic.def.symbol, "i", interval,
      "f", c.first_id, "L", c.last_id, "o", pad(c.open), "c", pad(c.close), "h", pad(c.high), "l", pad(c.low),
      "v", pad(c.volume), "n", c.count, "x", c.close_ms < now, "q", pad(c.quote_volume),
      "V", pad(c.taker_volume), "Q", pad(c.taker_quote_volume), "B", "0"))
  end }
end

local function depth_diff(every)
  return { every = every, changes = no_changes(),
    on_level = function(topic, level)
      local c = topic.changes
      c.first, c.last = c.first or level.update_id, level.update_id
      put(level.side == "buy" and c.bids or c.asks, level.price, level.qty)
    end,
    emit = function(topic, sb)
      local c = topic.changes
      if not c.first then return nil end
      topic.changes = no_changes()
      return json.object("e", "depthUpdate", "E", sb:now(), "s", topic.def.symbol, "U", c.first, "u", c.last,
        "b", rows(c.bids), "a", rows(c.asks))
    end }
end

local function depth_top(levels, every)
  return { every = every, emit = function(topic, sb)
    local book = sb.market:book(topic.def.symbol, levels)
    if book.update_id == topic.sent then return nil end
    topic.sent = book.update_id
    return json.object("lastUpdateId", book.update_id, "bids", format.levels(book.bids), "asks",
      format.levels(book.asks))
  end }
end

--- One message for all symbols that traded since the last one.  describe(sb, def): a ticker, and its last trade's id.
local function all_symbols(describe)
  return { every = 1000, seen = {}, emit = function(topic, sb)
    local out = {}
    for _, def in ipairs(sb.symbols) do
      local ticker, last_id = describe(sb, def)
      if last_id ~= topic.seen[def.symbol] then
        topic.seen[def.symbol] = last_id
        out[#out + 1] = ticker
      end
    end
    return #out > 0 and json.array(out) or nil
  end }
end

local SPEEDS = { [""] = 1000, ["@100ms"] = 100, ["@1000ms"] = 1000 }
local LEVELS = { ["5"] = 5, ["10"] = 10, ["20"] = 20 }

local WINDOWS = { ["1h"] = true, ["4h"] = true, ["1d"] = true }
local NO_SYMBOL = {} -- of topics that are about all of them

local function make_for_all(name)
  if name == "!miniTicker@arr" then return all_symbols(mini_ticker) end
  local window = name:match "^!ticker_(%w+)@arr$"
  return WINDOWS[window] and all_symbols(window_ticker(window))
end

local function make(kind)
  if kinds[kind] then return kinds[kind]() end
  local window = kind:match "^ticker_(%w+)$"
  if WINDOWS[window] then
    local describe = window_ticker(window)
    return { every = 1000, emit = function(topic, sb) return (describe(sb, topic.def)) end }
  end
  local interval, zone = kind:match("^kline_(%w+)(@?[+%d:]*)$")
  if interval and (candles.intervals[interval] or interval == "1M") then
    if zone == "" then return kline(interval, 0) end
    if zone == "@+08:00" then return kline(interval, 8 * 3600 * 1000) end
    return nil
  end
  local levels, speed = kind:match("^depth(%d*)(.*)$")
  if not levels or not SPEEDS[speed] then return nil end
  if levels == "" then return depth_diff(SPEEDS[speed]) end
  return LEVELS[levels] and depth_top(LEVELS[levels], SPEEDS[speed])
end

--- How names are written, with <what varies>.
M.forms = { "!miniTicker@arr", "!ticker_<window>@arr", "<symbol>@depth<levels>", "<symbol>@depth<levels>@<speed>",
  "<symbol>@depth", "<symbol>@depth@<speed>", "<symbol>@kline_<interval>", "<symbol>@kline_<interval>@+08:00",
  "<symbol>@ticker_<window>" }
for kind in pairs(kinds) do M.forms[#M.forms + 1] = "<symbol>@" .. kind end

local function form_of(name)
  return (name:gsub("^[^!@]+@", "<symbol>@"):gsub("ticker_%w+", "ticker_<window>"):gsub("kline_%w+", "kline_<interval>")
    :gsub("depth%d+", "depth<levels>"):gsub("@%d+ms$", "@<speed>"))
end

--- The topic of a stream name, or nil for a name that this venue has no data for.
-- live: sends as things happen; every: sends at multiples of so many milliseconds.
function M.new(sb, name)
  local symbol, kind = name:match("^([^@]+)@(.+)$")
  local def = symbol and sb.by_lower[symbol]
  local topic
  if def then
    topic = make(kind)
  else
    def, topic = NO_SYMBOL, make_for_all(name)
  end
  if not topic then return nil end
  reached.mark("binance", "streams", form_of(name))
  topic.name, topic.def = name, def
  topic.label = json.encode(name)
  return topic
end

return M
