--- Market data over a WebSocket: channels in our own words, and local books.
local errors = require "smc.error"
local events = require "smc.venue.events"
local list = require "smc.list"
local stream_options = require "smc.venue.stream_options"
local task = require "smc.core.task"
local words = require "smc.venue.words"

local M = {}

local HEAL_SECONDS = 1 -- before a book that could not be made live is tried again

local function not_live(book)
  return errors.new { class = "timeout", code = "not_live", retryable = true, op = "stream:top",
    message = ("the book of %s is being made anew"):format(book.symbol) }
end

--- A class of market streams.  Beside the hooks of events it has restart_books(self) -> true or nil, err: makes every
-- book of self.books live again; self.stale says that one is not.
function M.class()
  local class = events.class "smc.stream"
  class.op = "stream"

  --- Books that can't be made live now do not keep other events from coming.  Those that nobody waited for to the end
  -- are still to be made live.
  function class:ready()
    if not self.stale or self.wake_at and task.now() < self.wake_at then return true end
    self.stale, self.wake_at = false, nil
    local ok, err
    local _ <close> = setmetatable({}, { __close = function() self.stale = self.stale or not ok end })
    ok, err = self:restart_books()
    if ok then
      self.unhealed = nil
      return true
    end
    self.unhealed = err
    if self.failed then return nil, err end
    self.wake_at = task.now() + math.max(HEAL_SECONDS, err.retry_after or 0)
    return true
  end

  function class:reset()
    for _, book in pairs(self.books) do book:reset() end
    self.stale, self.wake_at = false, nil
  end

  --- What a hole in the events looks like to whoever reads them.  missed: how many, where ids can be counted.
  function class:gap(channel, after, before, missed)
    return { kind = "gap", channel = channel, symbol = channel:match "^%a+:(.+)$", after = after, before = before,
      missed = missed, time = task.wall_ms() }
  end

  --- Takes in what has arrived, unless another task does all the time.
  local function catch_up(self)
    if self.reading and self.failed then return nil, self.down and self:waiting() or self.failed end
    if self.reading then return true end
    local _ <close> = self:alone "stream:top"
    local ok, err = self:drain()
    if not ok then return nil, err end
    return self:ready()
  end

  --- The local book: the best n levels, { symbol, id, bids, asks }.  symbol may be left out when there is one book.
  function class:top(n, symbol)
    if math.type(n) ~= "integer" or n < 1 then error("stream:top: how many levels? a whole number from 1", 2) end
    local channel = symbol and "book:" .. tostring(symbol) or self.only_book
    local book = channel and self.books[channel]
    if not book then error("stream:top: name the symbol of a book of this stream", 2) end
    local ok, err = catch_up(self)
    if not ok then return nil, err end
    if not book.live then return nil, self.unhealed or not_live(book) end
    return book:top(n)
  end

  return class
end

--- The smallest depth on offer that is deep enough.  offered: ascending, with a default.
local function depth_of(asked, offered, level)
  if asked == nil then return offered.default end
  local deepest = offered[#offered]
  if math.type(asked) ~= "integer" or asked < 1 or asked > deepest then
    error(("stream: depth is a whole number of levels, at most %d"):format(deepest), level + 1)
  end
  for _, depth in ipairs(offered) do
    if depth >= asked then return depth end
  end
end

--- Reads a list like { "trade:BTC/USDT" } with its options; wrong use is blamed on the caller of the caller.
-- how: kinds, a set; topic(kind, native symbol, depth), the venue's name; new_book(symbol); native(symbol), as the
-- venue writes it (default: without the slash); depths, what is on offer (default: that can't be chosen).
-- Returns the fields { names, channels, channel_of, books, only_book, depth }, names being the venue's; the options.
function M.parse(channels, how)
  if type(channels) ~= "table" or channels[1] == nil then
    error("stream: a list like { \"trade:BTC/USDT\" } expected", 3)
  end
  local options = stream_options.read("stream", channels, { depth = how.depths }, 4)
  local depth = how.depths and depth_of(channels.depth, how.depths, 3)
  local names, channel_of, books, only = {}, {}, {}, nil
  for i = 1, list.length(channels) do
    local channel = channels[i]
    local kind, symbol = tostring(channel):match("^(%a+):(.+)$")
    if not how.kinds[kind] then error("stream: " .. list.unknown("channel", channel, how.kinds), 3) end
    if not words.is_symbol(symbol) then error("stream: a symbol like \"BTC/USDT\" expected", 3) end
    names[i] = how.topic(kind, (how.native or words.native)(symbol), depth)
    channel_of[names[i]] = channel
    if kind == "book" then
      books[channel] = how.new_book(symbol)
      only = next(books, next(books)) == nil and channel or nil
    end
  end
  return { names = names, channels = channels, channel_of = channel_of, books = books, only_book = only,
    depth = depth }, options
end

return M
