--- Market data over a WebSocket: subscriptions, unified events, local books.
local client = require "smc.venue.client"
local errors = require "smc.venue.binance.errors"
local events = require "smc.venue.events"
local json = require "smc.json"
local local_book = require "smc.venue.binance.local_book"
local market_stream = require "smc.venue.market_stream"
local unify = require "smc.venue.binance.unify"

local M = {}
local Stream = market_stream.class()

Stream.max_age = 23 * 3600 -- the venue ends what is a day old

local DEPTHS = { 1000, 5000, default = 1000 } -- of a snapshot
local SNAPSHOT_TRIES = 10

local CHANNELS = { trade = "@trade", book = "@depth@100ms", ticker = "@ticker" }

-- ---- frames --------------------------------------------------------------------

function Stream.broken(message)
  return errors.broken("stream", message)
end

--- Ids grow by one: what was told before is dropped, and what was not told is told of.
local function trade_event(self, d, channel)
  local last = self.last_trade[channel]
  if last and d.t <= last then return nil end
  self.last_trade[channel] = d.t
  local event = { channel = channel, kind = "trade", symbol = unify.symbol(d.s), id = tostring(d.t),
    price = unify.number(d.p), qty = unify.number(d.q), side = d.m and "sell" or "buy", time = d.T, raw = d }
  if not last or d.t == last + 1 then return event end
  return self:gap(channel, tostring(last), event.id, d.t - last - 1), event
end

--- The last trade in it has a number that never falls; with the same one, what tells two apart is the time.
local function ticker_event(self, d, channel)
  local last = self.last_ticker[channel]
  if last and (d.L < last.L or d.L == last.L and d.C == last.C) then return nil end
  self.last_ticker[channel] = d
  return { channel = channel, kind = "ticker", symbol = unify.symbol(d.s), last = unify.number(d.c),
    bid = unify.number(d.b), bid_qty = unify.number(d.B), ask = unify.number(d.a), ask_qty = unify.number(d.A),
    open = unify.number(d.o), high = unify.number(d.h), low = unify.number(d.l), volume = unify.number(d.v),
    quote_volume = unify.number(d.q), time = d.C, raw = d }
end

--- A book that lost events is dropped and will be fetched anew.
local function book_event(self, d, channel)
  local book = self.books[channel]
  local id = book.id
  local event = { channel = channel, kind = "book", symbol = book.symbol, first_id = d.U, id = d.u,
    bids = unify.levels(d.b), asks = unify.levels(d.a), time = d.E, raw = d }
  local fits, late = book:update(d)
  if fits then return not late and event or nil end
  self.stale = true
  return self:gap(channel, id, d.U), event
end

--- A frame as events, or nothing when it is none.
function Stream:event_of(frame)
  if frame.stream == "!serverShutdown" then return self:ends "serverShutdown" end
  local channel = frame.stream and self.channel_of[frame.stream]
  if not channel then return nil end
  local kind, d = channel:match("^%a+"), frame.data
  if kind == "trade" then return trade_event(self, d, channel) end
  if kind == "ticker" then return ticker_event(self, d, channel) end
  return book_event(self, d, channel)
end

-- ---- control ---------------------------------------------------------------------

--- Sends a control message and waits for the answer that carries its id.
local function control(self, method, params)
  local id = self:next_id()
  return self:ask(json.object("method", method, "params", params, "id", id), function(frame)
    if frame.error then
      return nil, errors.answered({ code = frame.error.code, message = tostring(frame.error.msg) }, "stream", false)
    end
    if frame.id == id and frame.stream == nil then return frame end
  end)
end

-- ---- books ------------------------------------------------------------------------

local function snapshot(self, book)
  for _ = 1, SNAPSHOT_TRIES do
    local answer, err = self.venue:get("/api/v3/depth", { symbol = unify.native(book.symbol), limit = self.depth })
    if not answer then return nil, err end
    if book:restart(answer) then return true end
  end
  return nil, self.broken("no snapshot fits the events of " .. book.symbol)
end

function Stream:restart_books()
  for _, channel in ipairs(self.channels) do
    local book = self.books[channel]
    if book and not book.live then
      local ok, err = snapshot(self, book)
      if not ok then return nil, err end
    end
  end
  return true
end

--- The names that the venue says this connection is subscribed to.
function Stream:subscriptions()
  local _ <close> = self:alone "stream:subscriptions"
  local answer, err = control(self, "LIST_SUBSCRIPTIONS")
  if not answer then return nil, err end
  return answer.result
end

--- Subscribes, and fetches the snapshots of the books.
function Stream:begin()
  local ok, err = control(self, "SUBSCRIBE", json.array(self.names))
  if not ok then return nil, err end
  return self:restart_books()
end

--- Connects, and begins.
function M.open(venue, channels)
  local fields, options = market_stream.parse(channels, { kinds = CHANNELS, new_book = local_book.new, depths = DEPTHS,
    topic = function(kind, symbol) return symbol:lower() .. CHANNELS[kind] end })
  fields.venue, fields.url, fields.last_trade = venue, venue.ws_url .. "/stream", {}
  fields.last_ticker = {}
  return events.open(Stream, fields, options, client.inside(venue))
end

return M
