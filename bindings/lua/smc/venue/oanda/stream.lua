--- Prices as they change, over the pricing stream; the local book is the last price.
local clock = require "smc.venue.oanda.clock"
local events = require "smc.venue.events"
local lines = require "smc.venue.oanda.lines"
local local_book = require "smc.venue.oanda.local_book"
local market_stream = require "smc.venue.market_stream"
local text = require "smc.core.text"
local unify = require "smc.venue.oanda.unify"

local M = {}
local Stream = market_stream.class()
lines.extend(Stream, "stream")

local KINDS = { "book", "ticker" }

local function event_of(kind, channel, price)
  local event = kind == "book" and unify.book(price) or unify.ticker(price)
  event.channel, event.kind, event.tradeable, event.raw = channel, kind, price.tradeable, price
  event.time = unify.time(price)
  return event
end

local reset = Stream.reset

--- Another connection begins with the prices of now, which may be those that were told.
function Stream:reset()
  reset(self)
  self.newest = {}
end

local function same_side(a, b)
  for i = 1, math.max(#a, #b) do
    local one, other = a[i], b[i]
    if not one or not other or one.price ~= other.price or one.liquidity ~= other.liquidity then return false end
  end
  return true
end

--- Whether two prices of one moment say the same: there may be more than one in it.
local function same(a, b)
  return a.tradeable == b.tradeable and same_side(a.bids, b.bids) and same_side(a.asks, b.asks)
end

--- Prices that come late, or twice, are not told.
function Stream:event_of(line)
  local out = {}
  if line.type ~= "PRICE" then return nil end
  local newest = self.newest[line.instrument]
  if newest and line.time == newest.time and same(line, newest) then return nil end
  if newest and local_book.is_late(clock.ns(line.time), clock.ns(newest.time)) then return nil end
  self.newest[line.instrument] = line
  for _, kind in ipairs(KINDS) do
    local channel = self.channel_of[kind .. ":" .. line.instrument]
    if kind == "book" and channel then self.books[channel]:update(line) end
    if channel then out[#out + 1] = event_of(kind, channel, line) end
  end
  return table.unpack(out)
end

--- The names of the instruments.
function Stream:subscriptions()
  if self.closed then return nil, self.failed end
  return { table.unpack(self.names) }
end

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
  local fields, options = market_stream.parse(channels, { kinds = { book = true, ticker = true },
    new_book = local_book.new, native = unify.native, topic = function(kind, name) return kind .. ":" .. name end })
  local names, seen = {}, {}
  for _, topic in ipairs(fields.names) do
    local name = topic:match ":(.+)$"
    if not seen[name] then names[#names + 1], seen[name] = name, true end
  end
  fields.newest = {}
  fields.token, fields.names = inner.token, names
  fields.url = ("%s/v3/accounts/%s/pricing/stream?instruments=%s"):format(venue.ws_url, venue.key,
    text.percent_encode(table.concat(names, ",")))
  return events.open(Stream, fields, options, inner)
end

return M
