--- Prices as they change, over the pricing stream; the local book is the last price.
local lines = require "smc.venue.oanda.lines"
local market_stream = require "smc.venue.market_stream"
local unify = require "smc.venue.oanda.unify"

local M = {}
local Stream = lines.class "smc.stream"

local KINDS = { book = true, ticker = true }

-- ---- the local book ----------------------------------------------------------------

local Book = {}
Book.__index = Book

local function new_book(symbol) return setmetatable({ symbol = symbol, live = false }, Book) end

--- A price says all that there is; one that is older than what we have comes late.
function Book:update(price)
  local new = unify.book(price)
  if self.id and new.id < self.id then return end
  self.id, self.bids, self.asks, self.live = new.id, new.bids, new.asks, true
end

function Book:top(n)
  return { symbol = self.symbol, id = self.id, bids = { table.unpack(self.bids, 1, n) },
    asks = { table.unpack(self.asks, 1, n) } }
end

-- ---- lines -------------------------------------------------------------------------

local function event_of(kind, channel, price)
  local event = kind == "book" and unify.book(price) or unify.ticker(price)
  event.channel, event.kind, event.tradeable, event.raw = channel, kind, price.tradeable, price
  event.time = unify.time(price)
  return event
end

function Stream:take(line)
  if line.type ~= "PRICE" then return true end
  for kind in pairs(KINDS) do
    local channel = self.channel_of[kind .. ":" .. line.instrument]
    if kind == "book" and channel then self.books[channel]:update(line) end
    if channel then self.queue[#self.queue + 1] = event_of(kind, channel, line) end
  end
  return true
end

--- A new connection begins with the price of each instrument.
function Stream:opened()
  for _, book in pairs(self.books) do book.live = false end
  return true
end

--- The names of the instruments.
function Stream:subscriptions() return { table.unpack(self.names) } end

--- The local book: the best n levels, { symbol, id, bids, asks }.  symbol may be left out when there is one book.
function Stream:top(n, symbol)
  local book = self.books[symbol and "book:" .. symbol or self.only_book]
  if not book then error("stream:top: name the symbol of a book of this stream", 2) end
  local ok, err = self:drain()
  if ok then ok, err = self:await(function() return self.conn ~= nil and book.live end) end
  if not ok then return nil, err end
  return book:top(n)
end

--- Connects, and waits for the first prices of the books.
function M.open(venue, inner, channels)
  local fields = market_stream.parse(channels, KINDS, function(kind, name) return kind .. ":" .. name end,
    new_book, unify.native)
  local names, seen = {}, {}
  for _, topic in ipairs(fields.names) do
    local name = topic:match ":(.+)$"
    if not seen[name] then names[#names + 1], seen[name] = name, true end
  end
  fields.op, fields.token, fields.random, fields.names = "stream", inner.token, inner.random, names
  fields.url = ("%s/v3/accounts/%s/pricing/stream?instruments=%s"):format(venue.ws_url, venue.key,
    table.concat(names, "%2C"))
  local self, err = lines.open(Stream, fields)
  if not self then return nil, err end
  local ok
  ok, err = self:await(function()
    for _, book in pairs(self.books) do
      if not book.live then return false end
    end
    return true
  end)
  if ok then return self end
  self:close()
  return nil, err
end

return M
