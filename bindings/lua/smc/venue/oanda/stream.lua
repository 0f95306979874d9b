--- Prices as they change, over the pricing stream; the local book is the last price.
local events = require "smc.venue.events"
local lines = require "smc.venue.oanda.lines"
local market_stream = require "smc.venue.market_stream"
local text = require "smc.core.text"
local unify = require "smc.venue.oanda.unify"

local M = {}
local Stream = market_stream.class()
lines.extend(Stream, "stream")

local KINDS = { "book", "ticker" }

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

--- A new connection begins with the price of each instrument.
function Book:reset() self.live = false end

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

function Stream:event_of(line)
  local out = {}
  for _, kind in ipairs(line.type == "PRICE" and KINDS or {}) do
    local channel = self.channel_of[kind .. ":" .. line.instrument]
    if kind == "book" and channel then self.books[channel]:update(line) end
    if channel then out[#out + 1] = event_of(kind, channel, line) end
  end
  return table.unpack(out)
end

--- The names of the instruments.
function Stream:subscriptions() return { table.unpack(self.names) } end

--- Waits for the first prices of the books.
function Stream:begin()
  return self:await(function()
    for _, book in pairs(self.books) do
      if not book.live then return false end
    end
    return true
  end)
end

--- Connects, and begins.
function M.open(venue, inner, channels)
  local fields, options = market_stream.parse(channels, { book = true, ticker = true },
    function(kind, name) return kind .. ":" .. name end, new_book, unify.native)
  local names, seen = {}, {}
  for _, topic in ipairs(fields.names) do
    local name = topic:match ":(.+)$"
    if not seen[name] then names[#names + 1], seen[name] = name, true end
  end
  fields.token, fields.names = inner.token, names
  fields.url = ("%s/v3/accounts/%s/pricing/stream?instruments=%s"):format(venue.ws_url, venue.key,
    text.percent_encode(table.concat(names, ",")))
  return events.open(Stream, fields, options, inner)
end

return M
