--- The public side of REST: time, instruments, tickers, books, trades, candles.
local candles = require "smc.sandbox.candles"
local decimal = require "smc.decimal"
local format = require "smc.sandbox.bybit.format"
local json = require "smc.json"
local prices = require "smc.sandbox.bybit.prices"
local params = require "smc.sandbox.bybit.params"
local refusal = require "smc.sandbox.bybit.refusal"
local symbols = require "smc.sandbox.bybit.symbols"

local M = {}

local HOUR_MS = 3600 * 1000
local DAY_MS = 24 * HOUR_MS

--- The venue's names of candle lengths, in our own.
M.intervals = { ["1"] = "1m", ["3"] = "3m", ["5"] = "5m", ["15"] = "15m", ["30"] = "30m", ["60"] = "1h",
  ["120"] = "2h", ["240"] = "4h", ["360"] = "6h", ["720"] = "12h", D = "1d", W = "1w", M = "1M" }

local function time(sb)
  local now = sb:now()
  return json.object("timeSecond", tostring(now // 1000), "timeNano", tostring(now * 1000000))
end

local function each(list, make)
  local out = {}
  for i, item in ipairs(list) do out[i] = make(item) end
  return json.array(out)
end

--- Clients ask for every category when they load markets; those that are not served here have no instruments.  Those of
-- category spot come all at once.  more: by category, what each has besides.
local function instruments(more)
  return function(_, call)
    local status, list, next_cursor = call.values.status, call.defs, nil
    if status and status ~= "Trading" then list = {} end
    if call.market.contracts then list, next_cursor = params.page_forward(list, call) end
    return json.object("category", call.category, "list", each(list, function(def)
      return symbols.describe(def, more[def.category] or {})
    end), "nextPageCursor", next_cursor)
  end
end

local PUBLIC = { linear = { "forbidUplWithdrawal", false } }
local RPI = { "isPublicRpi", false, "myRpiPermission", false }
local OWN = { spot = RPI, linear = RPI }

--- The figures of the last 24 hours.
function M.day(sb, def)
  local now = sb.market:time()
  local s = assert(sb.market:stats(def.symbol, now - DAY_MS, now))
  local prev = s.prev_close or s.open
  return { last = s.close, high = s.high, low = s.low, prev = prev, volume = s.volume, turnover = s.quote_volume,
    change = decimal.div(decimal.sub(s.close, prev), prev, 4),
    hour_ago = def.contract and (sb.market:stats(def.symbol, now - HOUR_MS, now) or s).open }
end

--- What is open in a contract, of both sides and of one: what strangers hold, and what accounts do, each against one of
-- them.
local function open_interest(sb, def)
  local sum = def.interest
  for account = sb.first_account, sb.last_account do
    for _, idx in ipairs(sb:indices(account, def)) do
      sum = decimal.add(sum, decimal.abs(sb:position(account, def, idx).qty))
    end
  end
  return decimal.mul(sum, "2"), sum
end

--- The names and values of a ticker, in turn.
function M.ticker_fields(sb, def)
  local d, best = M.day(sb, def), sb.market:best(def.symbol)
  local quotes = { "bid1Price", best.bid or "", "bid1Size", best.bid_qty or "", "ask1Price", best.ask or "",
    "ask1Size", best.ask_qty or "" }
  local out = { "symbol", def.native, "lastPrice", d.last, "prevPrice24h", d.prev, "price24hPcnt", d.change,
    "highPrice24h", d.high, "lowPrice24h", d.low, "turnover24h", d.turnover, "volume24h", d.volume,
    table.unpack(quotes) }
  if not def.contract then
    return out, { "usdIndexPrice", def.quote == "USDT" and prices.index(sb, def) or "" }
  end
  local mark = prices.mark(sb, def)
  local both, single = open_interest(sb, def)
  return out, { "indexPrice", prices.index(sb, def), "markPrice", mark, "prevPrice1h", d.hour_ago,
    "openInterest", both, "openInterestValue", decimal.mul(both, mark, 4), "singleOpenInterest", single,
    "singleOpenInterestValue", decimal.mul(single, mark, 4), "fundingRate", prices.funding_rate(sb, def),
    "nextFundingTime", tostring(prices.next_funding(sb) + sb.skew_ms), "preOpenPrice", "", "preQty", "",
    "curPreListingPhase", "", "fundingIntervalHour", "8", "fundingCap", "0.005" }
end

local function joined(a, b)
  for _, value in ipairs(b) do a[#a + 1] = value end
  return json.object(table.unpack(a))
end

-- What only contracts that are delivered have: over REST the others say nothing in its place, the stream leaves it out.
-- Source: v5/market/tickers, v5/websocket/public/ticker.
local DELIVERY = { "predictedDeliveryPrice", "", "basisRate", "", "basis", "", "basisRateYear", "",
  "deliveryFeeRate", "", "deliveryTime", "0" }

local function ticker(sb, def)
  local fields, more = M.ticker_fields(sb, def)
  if def.contract then table.move(DELIVERY, 1, #DELIVERY, #more + 1, more) end
  return joined(fields, more)
end

local function tickers(sb, call)
  return json.object("category", call.category, "list", each(call.defs, function(def) return ticker(sb, def) end))
end

local function orderbook(sb, call)
  local def, now = call.def, sb:now()
  local book = sb.market:book(def.symbol, call.limit)
  return json.object("s", def.native, "b", format.levels(book.bids), "a", format.levels(book.asks), "ts", now,
    "u", book.update_id, "seq", book.update_id, "cts", now)
end

local function recent(sb, call)
  local def, out = call.def, {}
  local trades = sb.market:trades { symbol = def.symbol, limit = call.limit }
  for i = #trades, 1, -1 do
    local t = trades[i]
    out[#out + 1] = json.object("execId", format.exec_id(def, t.id), "symbol", def.native, "price", t.price,
      "size", t.qty, "side", t.buyer_is_maker and "Sell" or "Buy", "time", tostring(t.time_ms + sb.skew_ms),
      "isBlockTrade", false, "isRPITrade", false, "seq", tostring(t.id))
  end
  return json.object("category", call.category, "list", json.array(out))
end

local function index_symbol(def) return def.index_symbol or def.symbol end
local function own_symbol(def) return def.symbol end

--- The candles of a market that a call asks for.
local function asked_for(sb, call, interval, symbol)
  local from, to = call.start, call["end"]
  return candles.of(sb, symbol, interval, { from_ms = from and from - sb.skew_ms or nil,
    to_ms = to and to - sb.skew_ms or nil, limit = call.limit })
end

--- From `start` on, else up to `end`: newest first.  rows(sb, call, interval): open time, open, high, low, close, ..
local function kline(rows)
  return function(sb, call)
    local interval, out = M.intervals[call.values.interval], {}
    if not interval then return nil, refusal.params "Interval invalid" end
    for _, row in ipairs(rows(sb, call, interval)) do
      row[1] = tostring(row[1] + sb.skew_ms)
      table.insert(out, 1, json.array(row))
    end
    return json.object("category", call.category, "symbol", call.def.native, "list", json.array(out))
  end
end

--- The instrument's own, with what was traded.
local function traded(sb, call, interval)
  local out = {}
  for i, c in ipairs(asked_for(sb, call, interval, call.def.symbol)) do
    out[i] = { c.open_ms, c.open, c.high, c.low, c.close, c.volume, c.quote_volume }
  end
  return out
end

--- source(def): whose prices.
local function prices_of(source)
  return function(sb, call, interval)
    local out = {}
    for i, c in ipairs(asked_for(sb, call, interval, source(call.def))) do
      out[i] = { c.open_ms, c.open, c.high, c.low, c.close }
    end
    return out
  end
end

--- By how much of the index the mark was above it.  What lay between the four prices of a candle is not known.
local function premiums(sb, call, interval)
  local def, indices, out = call.def, {}, {}
  for _, c in ipairs(asked_for(sb, call, interval, index_symbol(def))) do indices[c.open_ms] = c end
  for _, c in ipairs(asked_for(sb, call, interval, def.symbol)) do
    local index = indices[c.open_ms]
    if index then
      local function premium(name) return decimal.div(decimal.sub(c[name], index[name]), index[name], 6) end
      local first, high, low, last = premium "open", premium "high", premium "low", premium "close"
      out[#out + 1] = { c.open_ms, first, decimal.max(first, decimal.max(high, decimal.max(low, last))),
        decimal.min(first, decimal.min(high, decimal.min(low, last))), last }
    end
  end
  return out
end

local function risk_limit(_, call)
  return json.object("category", call.category, "list", each(call.defs, symbols.describe_risk), "nextPageCursor", "")
end

local function price_limit(sb, call)
  local low, high = prices.band(sb, call.def)
  return json.object("symbol", call.def.native, "buyLmt", high, "sellLmt", low, "ts", tostring(sb:now()))
end

--- Times at multiples of a step, newest first, each given to make(time) -> row.
local function back_in_time(sb, call, step_ms, make)
  local out, now = {}, sb:now()
  local at = math.min(call.endTime or now, now) // step_ms * step_ms
  while at >= call.startTime and #out < call.limit do
    out[#out + 1] = make(at)
    at = at - step_ms
  end
  return json.array(out)
end

--- What was settled while the sandbox was open; before that it was the interest alone.
local function funding_history(sb, call)
  local def, settled = call.def, {}
  for _, row in ipairs(sb.funding_rates) do
    if row.def == def then settled[row.time_ms + sb.skew_ms] = row.rate end
  end
  return json.object("category", call.category, "list", back_in_time(sb, call, prices.FUNDING_MS, function(at)
    return json.object("symbol", def.native, "fundingRate", settled[at] or "0.0001",
      "fundingRateTimestamp", tostring(at))
  end))
end

local INTERESTS = { ["5min"] = 5 * 60000, ["15min"] = 15 * 60000, ["30min"] = 30 * 60000, ["1h"] = HOUR_MS,
  ["4h"] = 4 * HOUR_MS, ["1d"] = DAY_MS }

local function interest_history(sb, call)
  local step = INTERESTS[call.values.intervalTime]
  if not step then return nil, refusal.params "intervalTime invalid" end
  local both, single = open_interest(sb, call.def)
  local list = back_in_time(sb, call, step, function(at)
    return json.object("openInterest", both, "singleOpenInterest", single, "timestamp", tostring(at))
  end)
  return json.object("category", call.category, "symbol", call.def.native, "list", list, "nextPageCursor", "")
end

--- What is being worked on now; nothing is known of before or after.  Source: v5/system-status.
local function status(sb)
  local m = sb.maintenance
  if not m then return json.object("list", json.array {}) end
  return json.object("list", json.array { json.object("id", ("%d"):format(m.begin_ms), "title", "System maintenance",
    "state", "ongoing", "begin", ("%d"):format(m.begin_ms), "end", ("%d"):format(m.end_ms), "href", "",
    "serviceTypes", json.array { 2, 3, 4, 5 }, "product", json.array { 1, 2 }, "uidSuffix", json.array {},
    "maintainType", 1, "env", 2) })
end

local CANDLES = { limit = { 200, 1, 1000 }, start = { false, 0 }, ["end"] = { false, 0 } }

local function past(default) return { limit = { default, 1, 200 }, startTime = { 0, 0 }, endTime = { false, 0 } } end

--- symbol: default "data"; category: default true.
local function route(path, handle, takes)
  takes = takes or {}
  return { method = "GET", path = "/v5/market/" .. path, handle = handle, category = takes.category or true,
    default = takes.default, symbol = takes.symbol or "data", whole = takes.whole, page = takes.page }
end

local function candle_route(path, handle)
  return route(path, handle, { category = "contracts", default = "linear", whole = CANDLES })
end

M.routes = {
  { method = "GET", path = "/v5/market/time", handle = time },
  { method = "GET", path = "/v5/system/status", handle = status },
  route("instruments-info", instruments(PUBLIC), { symbol = "data?", page = { 500, 1000 } }),
  route("tickers", tickers, { symbol = "data?" }),
  route("orderbook", orderbook, { whole = { limit = { spot = { 1, 1, 1000 }, linear = { 25, 1, 1000 } } } }),
  route("recent-trade", recent, { whole = { limit = { spot = { 60, 1, 60 }, linear = { 500, 1, 1000 } } } }),
  route("kline", kline(traded), { default = "linear", whole = CANDLES }),
  candle_route("mark-price-kline", kline(prices_of(own_symbol))),
  candle_route("premium-index-price-kline", kline(premiums)),
  candle_route("index-price-kline", kline(prices_of(index_symbol))),
  route("funding/history", funding_history, { category = "contracts", whole = past(200) }),
  route("open-interest", interest_history, { category = "contracts", whole = past(50) }),
  route("risk-limit", risk_limit, { category = "contracts", symbol = "data?" }),
  route("price-limit", price_limit, { default = "linear" }),
  { method = "GET", path = "/v5/account/instruments-info", private = true, limit = 10, category = true,
    symbol = "data?", page = { 200, 200 }, handle = instruments(OWN) },
}

return M
