--- Market data over a WebSocket: channels in our own words, and local books.
local events = require "smc.venue.events"
local words = require "smc.venue.words"

local M = {}

--- A class of market streams.  Beside the hooks of events it has restart_books(self) -> true or nil, err: makes every
-- book of self.books live again; self.stale says that one is not.
function M.class()
  local class = events.class "smc.stream"

  function class:ready()
    if not self.stale then return true end
    return self:restart_books()
  end

  --- The local book: the best n levels, { symbol, id, bids, asks }.  symbol may be left out when there is one book.
  function class:top(n, symbol)
    local channel = symbol and "book:" .. symbol or self.only_book
    local book = channel and self.books[channel]
    if not book then error("stream:top: name the symbol of a book of this stream", 2) end
    local ok, err = self:drain()
    if ok then ok, err = self:ready() end
    if not ok then return nil, err end
    return book:top(n)
  end

  return class
end

--- Reads a list like { "trade:BTC/USDT" }; wrong use is blamed on the caller of the caller.
-- kinds: which exist; topic(kind, native symbol): the venue's name; new_book(symbol); native(symbol): as the venue
-- writes it, default without the slash.
-- Returns the venue's names, and the fields { channels, channel_of, books, only_book }.
function M.parse(channels, kinds, topic, new_book, native)
  if type(channels) ~= "table" or #channels == 0 then
    error("stream: a list like { \"trade:BTC/USDT\" } expected", 3)
  end
  for key in pairs(channels) do
    if math.type(key) ~= "integer" then error(("stream: unknown option '%s'"):format(tostring(key)), 3) end
  end
  local names, channel_of, books, only = {}, {}, {}, nil
  for i, channel in ipairs(channels) do
    local kind, symbol = tostring(channel):match("^(%a+):(.+)$")
    if not kinds[kind] then error(("stream: unknown channel '%s'"):format(tostring(channel)), 3) end
    names[i] = topic(kind, (native or words.native)(symbol))
    channel_of[names[i]] = channel
    if kind == "book" then
      books[channel] = new_book(symbol)
      only = next(books, next(books)) == nil and channel or nil
    end
  end
  return names, { channels = channels, channel_of = channel_of, books = books, only_book = only }
end

return M
