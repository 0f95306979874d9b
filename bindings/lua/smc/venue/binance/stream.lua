--- Market data over a WebSocket: subscriptions, unified events, local books.
local closing = require "smc.venue.closing"
local errors = require "smc.venue.binance.errors"
local json = require "smc.json"
local local_book = require "smc.venue.binance.local_book"
local task = require "smc.core.task"
local unify = require "smc.venue.binance.unify"
local ws = require "smc.ws"

local M = {}
local Stream = {}
Stream.__index = Stream
Stream.__name = "smc.stream"

local ACK_SECONDS = 10
local SNAPSHOT_LEVELS = 1000
local SNAPSHOT_TRIES = 10

local CHANNELS = { trade = "@trade", book = "@depth@100ms", ticker = "@ticker" }

-- ---- frames --------------------------------------------------------------------

local function broken(message)
  return errors.broken("stream", message)
end

local function read_frame(self, timeout)
  local message, err = self.conn:recv(timeout)
  if not message then return nil, err end
  local frame = json.decode(message.data)
  if type(frame) ~= "table" then return nil, broken "a frame that is not JSON" end
  return frame
end

local function trade_event(d, channel)
  return { channel = channel, kind = "trade", symbol = unify.symbol(d.s), id = tostring(d.t), price = unify.number(d.p),
    qty = unify.number(d.q), side = d.m and "sell" or "buy", time = d.T, raw = d }
end

local function ticker_event(d, channel)
  return { channel = channel, kind = "ticker", symbol = unify.symbol(d.s), last = unify.number(d.c),
    bid = unify.number(d.b), bid_qty = unify.number(d.B), ask = unify.number(d.a), ask_qty = unify.number(d.A),
    open = unify.number(d.o), high = unify.number(d.h), low = unify.number(d.l), volume = unify.number(d.v),
    quote_volume = unify.number(d.q), time = d.C, raw = d }
end

--- A book that lost events is dropped and will be fetched anew.
local function book_event(self, d, channel)
  local book = self.books[channel]
  if not book:update(d) then self.stale = true end
  return { channel = channel, kind = "book", symbol = book.symbol, first_id = d.U, id = d.u, bids = unify.levels(d.b),
    asks = unify.levels(d.a), time = d.E, raw = d }
end

--- A frame as an event, or nil when it is none.
local function event_of(self, frame)
  local channel = frame.stream and self.channel_of[frame.stream]
  if not channel then return nil end
  local kind, d = channel:match("^%a+"), frame.data
  if kind == "trade" then return trade_event(d, channel) end
  if kind == "ticker" then return ticker_event(d, channel) end
  return book_event(self, d, channel)
end

local function keep(self, event)
  self.queue[#self.queue + 1] = event
end

-- ---- control ---------------------------------------------------------------------

--- Sends a control message and waits for the answer that carries its id; events that come first are kept.
local function control(self, method, params)
  self.last_id = self.last_id + 1
  local id = self.last_id
  local ok, err = self.conn:send(json.encode(json.object("method", method, "params", params, "id", id)))
  if not ok then return nil, err end
  local give_up = task.now() + ACK_SECONDS
  while true do
    local frame
    frame, err = read_frame(self, math.max(0, give_up - task.now()))
    if not frame then return nil, err end
    if frame.error then
      return nil, errors.answered({ code = frame.error.code, message = tostring(frame.error.msg) }, "stream", false)
    end
    if frame.id == id and frame.stream == nil then return frame end
    local event = event_of(self, frame)
    if event then keep(self, event) end
  end
end

-- ---- books ------------------------------------------------------------------------

local function snapshot(self, book)
  for _ = 1, SNAPSHOT_TRIES do
    local answer, err = self.venue:get("/api/v3/depth", { symbol = unify.native(book.symbol), limit = SNAPSHOT_LEVELS })
    if not answer then return nil, err end
    if book:restart(answer) then return true end
  end
  return nil, broken("no snapshot fits the events of " .. book.symbol)
end

local function restart_books(self)
  self.stale = false
  for _, channel in ipairs(self.channels) do
    local book = self.books[channel]
    if book and book.state ~= "live" then
      local ok, err = snapshot(self, book)
      if not ok then return nil, err end
    end
  end
  return true
end

--- Takes in whatever has arrived, without waiting for more.
local function drain(self)
  while true do
    local frame, err = read_frame(self, 0)
    if not frame then
      if err.class == "timeout" then return true end
      return nil, err
    end
    local event = event_of(self, frame)
    if event then keep(self, event) end
  end
end

-- ---- the stream object --------------------------------------------------------------

--- The next event, in order of arrival: { channel, kind, symbol, time, raw, ... }.  nil, err after `timeout` seconds
-- (default 30) or when the connection is gone.
function Stream:recv(timeout)
  local give_up = task.now() + (timeout or 30)
  while true do
    if self.stale then
      local ok, err = restart_books(self)
      if not ok then return nil, err end
    end
    if #self.queue > 0 then return table.remove(self.queue, 1) end
    local frame, err = read_frame(self, math.max(0, give_up - task.now()))
    if not frame then return nil, err end
    local event = event_of(self, frame)
    if event then keep(self, event) end
  end
end

--- The names that the venue says this connection is subscribed to.
function Stream:subscriptions()
  local answer, err = control(self, "LIST_SUBSCRIPTIONS")
  if not answer then return nil, err end
  return answer.result
end

--- The local book: the best n levels, { symbol, id, bids, asks }.  symbol may be left out when there is one book.
function Stream:top(n, symbol)
  local channel = symbol and "book:" .. symbol or self.only_book
  local book = channel and self.books[channel]
  if not book then error("stream:top: name the symbol of a book of this stream", 2) end
  local ok, err = drain(self)
  if ok and self.stale then ok, err = restart_books(self) end
  if not ok then return nil, err end
  return book:top(n)
end

closing(Stream)

-- ---- opening -------------------------------------------------------------------------

local function parse(channels)
  if type(channels) ~= "table" or #channels == 0 then
    error("stream: a list like { \"trade:BTC/USDT\" } expected", 3)
  end
  for key in pairs(channels) do
    if math.type(key) ~= "integer" then error(("stream: unknown option '%s'"):format(tostring(key)), 3) end
  end
  local names, channel_of, books, only = {}, {}, {}, nil
  for i, channel in ipairs(channels) do
    local kind, symbol = tostring(channel):match("^(%a+):(.+)$")
    if not CHANNELS[kind] then error(("stream: unknown channel '%s'"):format(tostring(channel)), 3) end
    names[i] = unify.native(symbol):lower() .. CHANNELS[kind]
    channel_of[names[i]] = channel
    if kind == "book" then
      books[channel] = local_book.new(symbol)
      only = next(books, next(books)) == nil and channel or nil
    end
  end
  return names, { channels = channels, channel_of = channel_of, books = books, only_book = only }
end

--- Connects, subscribes, and fetches the snapshots of the books.
function M.open(venue, channels)
  local names, state = parse(channels)
  local conn, err = ws.connect(venue.ws_url .. "/stream")
  if not conn then return nil, err end
  state.venue, state.conn, state.queue, state.last_id, state.stale = venue, conn, {}, 0, false
  local self = setmetatable(state, Stream)
  local ok
  ok, err = control(self, "SUBSCRIBE", json.array(names))
  if ok then ok, err = restart_books(self) end
  if not ok then
    self:__close()
    return nil, err
  end
  return self
end

return M
