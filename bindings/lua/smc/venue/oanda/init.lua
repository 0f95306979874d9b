--- OANDA v20, the client half: unified calls over its REST interface and its two streams of lines.
-- The account's id is the key; the secret is the token itself, which goes out as a bearer token and is shown nowhere.
local client = require "smc.venue.client"
local clock = require "smc.venue.oanda.clock"
local decimal = require "smc.decimal"
local errors = require "smc.venue.oanda.errors"
local limits = require "smc.venue.oanda.limits"
local orders = require "smc.venue.oanda.orders"
local request = require "smc.venue.oanda.request"
local task = require "smc.core.task"
local unify = require "smc.venue.oanda.unify"

local M = {}

M.options = {}
for name in pairs(client.options) do M.options[name] = name ~= "recv_window" or nil end
M.credentials = { { "key", "OANDA_PRACTICE_ACCOUNT_ID", "account" }, { "secret", "OANDA_PRACTICE_API_KEY", "token" } }
M.testnet = { rest = "https://api-fxpractice.oanda.com", stream = "https://stream-fxpractice.oanda.com" }
M.moved = { "OANDA_PRACTICE_URL", rest = "$http", stream = "$http" }

function M.sandbox_urls(box)
  return { rest = box.url, stream = box.ws_url }
end

local Venue = client.class "oanda"

local each = client.each

local LIVE = "^001%-" -- the first part of an account's id names its site: 101 is practice, 001 is money

function M.new(access, options, w)
  local key = options.key or access.key
  if type(key) ~= "string" or key:find(LIVE) then
    error(("smc.venue: the account of oanda is a practice account like \"101-004-1234567-001\", not '%s'")
      :format(tostring(key)), 3)
  end
  local self = client.new(Venue, access, options, w, limits, "bearer")
  self.symbols = { "EUR/USD", "GBP/USD", "USD/JPY", "EUR/GBP" }
  return self -- not a tail call: wrong options are blamed on the caller's line
end

client.verbs(Venue, request.call)

-- ---- public data ------------------------------------------------------------------

--- Seconds that the venue took to answer.
function Venue:ping()
  local start = task.now()
  local took, err = request.call(self, "ping", "GET", "/v3/accounts", {}, true,
    function() return task.now() - start end)
  if not took then return nil, err end
  return took
end

--- The venue's clock in Unix milliseconds, by the date of an answer: whole seconds.
function Venue:time()
  local ms, err = request.call(self, "time", "GET", "/v3/accounts", {}, true, function(_, headers)
    local date = clock.http_date(headers.date)
    return date, not date and errors.broken("time", "the answer has no date", 200, false) or nil
  end)
  if not ms then return nil, err end
  return ms
end

function Venue:instruments()
  return request.ask(self, "instruments", "instruments", nil,
    function(answer) return each(answer.instruments, unify.instrument) end)
end

local function price_of(self, op, name, convert)
  return request.ask(self, op, "pricing", { instruments = name }, function(answer) return convert(answer.prices[1]) end)
end

local function candles_of(answer) return each(answer.candles, unify.candle) end

local HOURS = 24

--- The best prices, and what the last 24 hours were, of which hourly candles tell.
function Venue:ticker(symbol)
  local name = unify.checked("ticker", symbol)
  local out, err = price_of(self, "ticker", name, unify.ticker)
  if not out then return nil, err end
  return request.ask(self, "ticker", ("instruments/%s/candles"):format(name), { granularity = "H1", count = HOURS },
    function(hours)
      for i, k in ipairs(candles_of(hours)) do
        if i == 1 then out.open, out.high, out.low = k.open, k.high, k.low end
        out.high, out.low = decimal.max(out.high, k.high), decimal.min(out.low, k.low)
      end
      return out
    end)
end

--- All that the venue quotes: one to a few levels a side.
function Venue:book(symbol, depth)
  client.count("book", "depth", depth)
  return price_of(self, "book", unify.checked("book", symbol), function(price) return unify.book(price, depth) end)
end

local CANDLES = { since = true, limit = true }
local INTERVALS = { ["1m"] = "M1", ["5m"] = "M5", ["15m"] = "M15", ["30m"] = "M30", ["1h"] = "H1", ["2h"] = "H2",
  ["4h"] = "H4", ["6h"] = "H6", ["8h"] = "H8", ["12h"] = "H12", ["1d"] = "D", ["1w"] = "W", ["1M"] = "M" }

function Venue:candles(symbol, interval, options)
  options = client.span("candles", options, CANDLES, 3)
  local name = unify.checked("candles", symbol)
  return request.ask(self, "candles", ("instruments/%s/candles"):format(name),
    { granularity = INTERVALS[interval] or client.interval(interval), count = options.limit,
      from = options.since and clock.unix(options.since) }, candles_of)
end

--- There are none: the venue publishes prices, not what others trade.
function Venue:trades(symbol)
  unify.checked("trades", symbol)
  return nil, errors.not_offered("trades", "oanda publishes prices, no trades: see ticker and candles")
end

-- ---- the account -------------------------------------------------------------------

function Venue:account()
  return request.summary(self, "account", function(a)
    return { can_trade = true, can_withdraw = false, can_deposit = false, type = a.hedgingEnabled and "hedging"
      or "netting", maker_fee = "0", taker_fee = "0", balances = unify.balances(a), updated = task.wall_ms(), raw = a }
  end)
end

--- Of the account's one currency: { free, locked, total }.
function Venue:balances()
  return request.summary(self, "balances", unify.balances)
end

--- What is held, by instrument.
function Venue:positions()
  return request.ask(self, "positions", "openPositions", nil, function(answer)
    local out = {}
    for _, p in ipairs(answer.positions) do
      for _, side in ipairs(unify.positions(p)) do out[#out + 1] = side end
    end
    return out
  end)
end

orders.extend(Venue)

-- ---- streams (loaded when asked for) -------------------------------------------------

--- Prices as they change: { "book:EUR/USD", "ticker:EUR/USD" }.
function Venue:stream(channels)
  return require("smc.venue.oanda.stream").open(self, client.inside(self), channels)
end

--- What happens to the account: orders, fills, balances.  options: see stream_options.
function Venue:user_stream(options)
  return require("smc.venue.oanda.user_stream").open(self, client.inside(self), options)
end

return M
