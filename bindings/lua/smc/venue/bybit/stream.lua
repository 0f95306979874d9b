--- Market data over the public WebSocket: subscriptions, unified events, local books.
local categories = require "smc.venue.bybit.categories"
local client = require "smc.venue.client"
local events = require "smc.venue.events"
local frames = require "smc.venue.bybit.frames"
local local_book = require "smc.venue.bybit.local_book"
local market_stream = require "smc.venue.market_stream"
local recent = require "smc.venue.recent"
local unify = require "smc.venue.bybit.unify"

local M = {}
local Stream = market_stream.class()
frames.extend(Stream, "stream")

local KEPT = 5000 -- trades that are known when they come again

local TOPICS = { trade = "publicTrade.%s", book = "orderbook.%s.%s", ticker = "tickers.%s" }
local DEPTHS = { 1, 50, 200, 1000, default = 50 }

--- Trades that were not told before.
local function trade_events(self, frame, channel)
  local out = {}
  for _, t in ipairs(frame.data) do
    local key = channel .. " " .. t.i
    if not self.trades:get(key) then
      self.trades:put(key, true)
      out[#out + 1] = { channel = channel, kind = "trade", symbol = channel:match ":(.+)$", id = t.i,
        price = unify.number(t.p), qty = unify.number(t.v), side = t.S:lower(), time = t.T, raw = t }
    end
  end
  return table.unpack(out)
end

--- Of contracts only the first ticker is whole; then come what has changed.
local function ticker_event(self, frame, channel)
  local whole = frame.type == "delta" and self.tickers[channel] or {}
  for name, value in pairs(frame.data) do whole[name] = value end
  self.tickers[channel] = whole
  local event = unify.ticker(whole, frame.ts, channel:match ":(.+)$")
  event.channel, event.kind, event.raw = channel, "ticker", frame.data
  return event
end

--- A book that lost events is dropped and will be subscribed to anew.
local function book_event(self, frame, channel)
  local book, d = self.books[channel], frame.data
  local u = book.u
  local event = { channel = channel, kind = "book", symbol = book.symbol, first_id = d.seq, id = d.seq,
    bids = unify.levels(d.b), asks = unify.levels(d.a), time = frame.ts, raw = d }
  local fits, late = book:update(frame.type, d)
  if fits then return not late and event or nil end
  self.stale = true
  return self:gap(channel, u, d.u, d.u - u - 1), event
end

function Stream:event_of(frame)
  local channel = frame.topic and self.channel_of[frame.topic]
  if not channel then return nil end
  local kind = channel:match("^%a+")
  if kind == "trade" then return trade_events(self, frame, channel) end
  if kind == "ticker" then return ticker_event(self, frame, channel) end
  return book_event(self, frame, channel)
end

--- Subscribes anew to the books that lost events, and waits for their snapshots.
function Stream:restart_books()
  for _, topic in ipairs(self.names) do
    local book = self.books[self.channel_of[topic]]
    if book and not book.live then
      local ok, err = self:operate("unsubscribe", { topic })
      if ok then ok, err = self:operate("subscribe", { topic }) end
      if ok then ok, err = self:await(function() return book.live end) end
      if not ok then return self:fail(err) end
    end
  end
  return true
end

--- The names of the topics.  The venue can't be asked: these are the ones that it has confirmed.
function Stream:subscriptions()
  if self.closed then return nil, self.failed end
  return { table.unpack(self.names) }
end

local MAX_ARGS = 10 -- in one request

--- Subscribes, and waits for the snapshots of the books.
function Stream:begin()
  for first = 1, #self.names, MAX_ARGS do
    local ok, err = self:operate("subscribe", { table.unpack(self.names, first,
      math.min(first + MAX_ARGS - 1, #self.names)) })
    if not ok then return nil, err end
  end
  return self:await(function()
    for _, book in pairs(self.books) do
      if not book.live then return false end
    end
    return true
  end)
end

--- The category of all channels: each has a socket of its own.
local function category_of(channels)
  local common
  for _, channel in ipairs(type(channels) == "table" and channels or {}) do
    local symbol = tostring(channel):match "^%a+:(.+)$"
    local category = symbol and categories.of("stream", symbol, 4)
    if common and category and category ~= common then
      error(("stream: '%s' has another category than what stands before it"):format(channel), 3)
    end
    common = common or category
  end
  return common or "spot"
end

local function native(symbol) return select(2, categories.of("stream", symbol)) end

local function topic(kind, symbol, depth)
  if kind == "book" then return TOPICS.book:format(depth, symbol) end
  return TOPICS[kind]:format(symbol)
end

--- Connects, and begins.
function M.open(venue, channels)
  local category = category_of(channels)
  local fields, options = market_stream.parse(channels, { kinds = TOPICS, new_book = local_book.new, native = native,
    depths = DEPTHS, topic = topic })
  fields.tickers, fields.trades = {}, recent.new(KEPT)
  fields.url = venue.ws_url:gsub("/spot$", "/" .. category)
  return events.open(Stream, fields, options, client.inside(venue))
end

return M
