--- The public side of REST: time, instruments, tickers, books, trades, candles.
local candles = require "smc.sandbox.candles"
local decimal = require "smc.decimal"
local format = require "smc.sandbox.bybit.format"
local json = require "smc.json"
local params = require "smc.sandbox.bybit.params"
local prices = require "smc.sandbox.bybit.prices"
local refusal = require "smc.sandbox.bybit.refusal"
local symbols = require "smc.sandbox.bybit.symbols"

local M = {}

local HOUR_MS = 3600 * 1000
local DAY_MS = 24 * HOUR_MS

--- The venue's names of candle lengths, in our own.
M.intervals = { ["1"] = "1m", ["3"] = "3m", ["5"] = "5m", ["15"] = "15m", ["30"] = "30m", ["60"] = "1h",
  ["120"] = "2h", ["240"] = "4h", ["360"] = "6h", ["720"] = "12h", D = "1d", W = "1w", M = "1M" }

local function symbol_of(call)
  local def = call.market.by_native[call.values.symbol]
  if not def then return nil, refusal.not_supported() end
  return def
end

local function time(sb)
  local now = sb:now()
  return json.object("timeSecond", tostring(now // 1000), "timeNano", tostring(now * 1000000))
end

--- Of one symbol, or of all.
local function each_of(call, make)
  local list = {}
  if call.values.symbol then
    local def, no = symbol_of(call)
    if not def then return nil, no end
    list[1] = make(def)
  else
    for i, def in ipairs(call.market.list) do list[i] = make(def) end
  end
  return list
end

--- Clients ask for every category when they load markets; those that are not served here have no instruments.
local function instruments(_, call)
  local list, no = each_of(call, symbols.describe)
  if not list then return nil, no end
  local v = call.values
  if v.status and v.status ~= "Trading" then list = {} end
  return json.object("category", call.category, "list", json.array(list),
    "nextPageCursor", call.category ~= "spot" and "" or nil)
end

--- The figures of the last 24 hours.
function M.day(sb, def)
  local now = sb.market:time()
  local s = assert(sb.market:stats(def.symbol, now - DAY_MS, now))
  local prev = s.prev_close or s.open
  return { last = s.close, high = s.high, low = s.low, prev = prev, volume = s.volume, turnover = s.quote_volume,
    change = decimal.div(decimal.sub(s.close, prev), prev, 4),
    hour_ago = (sb.market:stats(def.symbol, now - HOUR_MS, now) or s).open }
end

--- What is open in a contract: what strangers hold, and what accounts do.
local function open_interest(sb, def)
  local sum = def.interest
  for account = sb.first_account, sb.last_account do
    sum = decimal.add(sum, decimal.abs(sb.market:position(account, def.symbol).qty))
  end
  return sum
end

--- The names and values of a ticker, in turn; of contracts REST and the stream have the same.
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
  local mark, interest = prices.mark(sb, def), open_interest(sb, def)
  local value = decimal.mul(interest, mark, 4)
  return out, { "indexPrice", prices.index(sb, def), "markPrice", mark, "prevPrice1h", d.hour_ago,
    "openInterest", interest, "openInterestValue", value, "singleOpenInterest", interest,
    "singleOpenInterestValue", value, "fundingRate", prices.funding_rate(sb, def),
    "nextFundingTime", tostring(prices.next_funding(sb) + sb.skew_ms), "predictedDeliveryPrice", "",
    "basisRate", "", "basis", "", "deliveryFeeRate", "", "deliveryTime", "0", "preOpenPrice", "", "preQty", "",
    "curPreListingPhase", "", "fundingIntervalHour", "8", "fundingCap", "0.005", "basisRateYear", "" }
end

local function joined(a, b)
  for _, value in ipairs(b) do a[#a + 1] = value end
  return json.object(table.unpack(a))
end

local function ticker(sb, def) return joined(M.ticker_fields(sb, def)) end

local function tickers(sb, call)
  local list, no = each_of(call, function(def) return ticker(sb, def) end)
  if not list then return nil, no end
  return json.object("category", call.category, "list", json.array(list))
end

local function orderbook(sb, call)
  local def, no = symbol_of(call)
  if not def then return nil, no end
  local limit
  limit, no = params.whole(call.values, "limit", call.category == "spot" and 1 or 25, 1, 1000)
  if not limit then return nil, no end
  local book = sb.market:book(def.symbol, limit)
  local now = sb:now()
  return json.object("s", def.native, "b", format.levels(book.bids), "a", format.levels(book.asks), "ts", now,
    "u", book.update_id, "seq", book.update_id, "cts", now)
end

local function recent(sb, call)
  local def, no = symbol_of(call)
  if not def then return nil, no end
  local limit
  local most = call.category == "spot" and 60 or 1000
  limit, no = params.whole(call.values, "limit", math.min(500, most), 1, most)
  if not limit then return nil, no end
  local trades, out = sb.market:trades { symbol = def.symbol, limit = limit }, {}
  for i = #trades, 1, -1 do
    local t = trades[i]
    out[#out + 1] = json.object("execId", format.exec_id(def, t.id), "symbol", def.native, "price", t.price,
      "size", t.qty, "side", t.buyer_is_maker and "Sell" or "Buy", "time", tostring(t.time_ms + sb.skew_ms),
      "isBlockTrade", false, "isRPITrade", false, "seq", tostring(t.id))
  end
  return json.object("category", call.category, "list", json.array(out))
end

--- From `start` on, else up to `end`: newest first.  source(def): whose candles; without it the instrument's own, with
-- what was traded.
local function kline(source)
  return function(sb, call)
    local v = call.values
    local def, no = symbol_of(call)
    if not def then return nil, no end
    local interval = M.intervals[v.interval]
    if not interval then return nil, refusal.params "Interval invalid" end
    local limit, from, to
    limit, no = params.whole(v, "limit", 200, 1, 1000)
    if limit then from, no = params.whole(v, "start", false, 0) end
    if from ~= nil then to, no = params.whole(v, "end", false, 0) end
    if to == nil then return nil, no end
    local out = {}
    for _, c in ipairs(candles.of(sb, source and source(def) or def.symbol, interval, {
      from_ms = from and from - sb.skew_ms or nil, to_ms = to and to - sb.skew_ms or nil, limit = limit })) do
      local row = { tostring(c.open_ms + sb.skew_ms), c.open, c.high, c.low, c.close }
      if not source then row[6], row[7] = c.volume, c.quote_volume end
      table.insert(out, 1, json.array(row))
    end
    return json.object("category", call.category, "symbol", def.native, "list", json.array(out))
  end
end

local function risk_limit(_, call)
  local list, no = each_of(call, symbols.describe_risk)
  if not list then return nil, no end
  return json.object("category", call.category, "list", json.array(list), "nextPageCursor", "")
end

local function price_limit(sb, call)
  local def, no = symbol_of(call)
  if not def then return nil, no end
  local low, high = prices.band(sb, def)
  return json.object("symbol", def.native, "buyLmt", high, "sellLmt", low, "ts", tostring(sb:now()))
end

--- Times at multiples of a step, newest first, each given to make(time, index) -> row.
local function back_in_time(sb, call, step_ms, default, most, make)
  local v = call.values
  local limit, to, no
  limit, no = params.whole(v, "limit", default, 1, most)
  if limit then to, no = params.whole(v, "endTime", sb:now(), 0) end
  local from
  if to then from, no = params.whole(v, "startTime", 0, 0) end
  if not from then return nil, no end
  local out = {}
  local at = math.min(to, sb:now()) // step_ms * step_ms
  while at >= from and #out < limit do
    out[#out + 1] = make(at)
    at = at - step_ms
  end
  return out
end

--- What was settled while the sandbox was open; before that it was the interest alone.
local function funding_history(sb, call)
  local def, no = symbol_of(call)
  if not def then return nil, no end
  local settled = {}
  for _, row in ipairs(sb.funding_rates) do
    if row.def == def then settled[row.time_ms + sb.skew_ms] = row.rate end
  end
  local list
  list, no = back_in_time(sb, call, prices.FUNDING_MS, 200, 200, function(at)
    return json.object("symbol", def.native, "fundingRate", settled[at] or "0.0001",
      "fundingRateTimestamp", tostring(at))
  end)
  if not list then return nil, no end
  return json.object("category", call.category, "list", json.array(list))
end

local INTERESTS = { ["5min"] = 5 * 60000, ["15min"] = 15 * 60000, ["30min"] = 30 * 60000, ["1h"] = HOUR_MS,
  ["4h"] = 4 * HOUR_MS, ["1d"] = DAY_MS }

local function interest_history(sb, call)
  local def, no = symbol_of(call)
  if not def then return nil, no end
  local step = INTERESTS[call.values.intervalTime]
  if not step then return nil, refusal.params "intervalTime invalid" end
  local now = open_interest(sb, def)
  local list
  list, no = back_in_time(sb, call, step, 50, 200, function(at)
    return json.object("openInterest", now, "timestamp", tostring(at))
  end)
  if not list then return nil, no end
  return json.object("category", call.category, "symbol", def.native, "list", json.array(list), "nextPageCursor", "")
end

local function status() return json.object("list", json.array {}) end

local function route(path, handle, category, default)
  return { method = "GET", path = "/v5/market/" .. path, category = category, default = default, handle = handle }
end

local function index_symbol(def) return def.index_symbol or def.symbol end
local function own_symbol(def) return def.symbol end

M.routes = {
  route("time", time), route("instruments-info", instruments, true), route("tickers", tickers, true),
  route("orderbook", orderbook, true), route("recent-trade", recent, true), route("kline", kline(), true, "linear"),
  route("mark-price-kline", kline(own_symbol), "contracts", "linear"),
  route("index-price-kline", kline(index_symbol), "contracts", "linear"),
  route("funding/history", funding_history, "contracts"), route("open-interest", interest_history, "contracts"),
  route("risk-limit", risk_limit, "contracts"), route("price-limit", price_limit, true, "linear"),
  { method = "GET", path = "/v5/system/status", handle = status },
  { method = "GET", path = "/v5/account/instruments-info", private = true, limit = 10, category = true,
    handle = instruments },
}

return M
