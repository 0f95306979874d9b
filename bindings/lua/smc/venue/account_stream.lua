--- What happens to an account, where the venue tells it once and never again: what a lost connection kept from us is
-- asked for over REST, and nothing is told twice.
local client = require "smc.venue.client"
local decimal = require "smc.decimal"
local events = require "smc.venue.events"
local recent = require "smc.venue.recent"
local stream_options = require "smc.venue.stream_options"
local task = require "smc.core.task"

local M = {}

local KEPT = 5000 -- fills and orders whose telling is remembered
local OVERLAP_MS = 60000 -- asked for again before the last sign of life: venues tell late
local ENDED = { filled = true, canceled = true, rejected = true, expired = true }

local function key_of(order) return order.symbol .. " " .. order.id end
local function fill_key(fill) return fill.symbol .. " " .. fill.id .. " " .. fill.order_id end

--- Whether an order has gone on since it was told of.
local function newer(order, told)
  if told.ended then return false end
  local more = decimal.cmp(order.filled, told.filled)
  if more ~= 0 then return more > 0 end
  return ENDED[order.status] or order.updated > told.updated
end

--- Whether an order is told as it was before what was told already: it comes late.
local function older(order, told)
  if told.ended then return not ENDED[order.status] end
  local more = decimal.cmp(order.filled, told.filled)
  if more ~= 0 then return more < 0 end
  return order.updated < told.updated
end

local function note(self, order, by_rest)
  local key, ended = key_of(order), ENDED[order.status] or false
  self.orders:put(key, { filled = order.filled, ended = ended, updated = order.updated, by_rest = by_rest })
  self.open[key] = not ended and { symbol = order.symbol, id = order.id } or nil
  self.symbols[order.symbol] = true
end

--- A fill that was told is not told again; nor is what an order was before that which was told of it.
local function wanted(self, event)
  local order, fill = event.order, event.fill
  local before = order and self.orders:get(key_of(order))
  local late = before ~= nil and older(order, before)
  if fill then
    if self.fills:get(fill_key(fill)) then return false end
    self.fills:put(fill_key(fill), true)
    self.symbols[fill.symbol] = true
  elseif order then
    if late or before and (before.by_rest or event.reconciled) and not newer(order, before) then return false end
  end
  if order and not late then note(self, order, event.reconciled) end
  return true
end

-- ---- catching up ---------------------------------------------------------------------------

--- Every item from `since` on.  ask(since) -> a page, oldest first, or nil, err; key(item).
local function all(ask, since, key)
  local out, seen = {}, {}
  while true do
    local page, err = ask(since)
    if not page then return nil, err end
    local before = #out
    for _, item in ipairs(page) do
      if not seen[key(item)] then seen[key(item)], out[#out + 1] = true, item end
    end
    if #out == before then return out end
    since = page[#page].time
  end
end

local function by(field)
  return function(a, b)
    if a[field] ~= b[field] then return a[field] < b[field] end
    return a.id < b.id
  end
end

--- calls: a list of functions -> list or nil, err.  Returns one list, sorted by a field.
local function gathered(calls, field)
  local out = {}
  for _, call in ipairs(calls) do
    local list, err = call()
    if not list then return nil, err end
    table.move(list, 1, #list, #out + 1, out)
  end
  table.sort(out, by(field))
  return out
end

local function each_symbol(self, open, make)
  for _, order in ipairs(open) do self.symbols[order.symbol] = true end
  for symbol in pairs(client.traded(self.venue)) do self.symbols[symbol] = true end
  local calls = {}
  for symbol in pairs(self.symbols) do calls[#calls + 1] = make(symbol) end
  return calls
end

local function missed_fills(self, open, since)
  return gathered(each_symbol(self, open, function(symbol)
    return function()
      return all(function(from) return self.venue:fills(symbol, { since = from }) end, since, fill_key)
    end
  end), "time")
end

--- Those that are open, those that began since, and those that were open and are not any more.
local function missed_orders(self, open, since)
  local is_open = {}
  for _, order in ipairs(open) do is_open[key_of(order)] = true end
  local calls = each_symbol(self, open, function(symbol)
    return function()
      return all(function(from) return self.venue:orders(symbol, { since = from }) end, since, key_of)
    end
  end)
  calls[#calls + 1] = function() return open end
  for key, which in pairs(self.open) do
    if not is_open[key] then
      calls[#calls + 1] = function()
        local order, err = self.venue:order(which)
        if not order and err.class == "unknown_order" then return {} end -- a test venue was wiped: nobody knows
        if not order then return nil, err end
        return { order }
      end
    end
  end
  return gathered(calls, "updated")
end

--- Fills first: an order asked for later has them in it.
local function catch_up(self)
  local heard_ms = self.began_ms + math.floor((self.down.heard - self.began) * 1000)
  local since = math.max(self.began_ms, heard_ms - OVERLAP_MS)
  local open, fills, orders, balances, err
  open, err = self.venue:open_orders()
  if open then fills, err = missed_fills(self, open, since) end
  if fills then orders, err = missed_orders(self, open, since) end
  if orders then balances, err = self.venue:balances() end
  if not balances then return nil, err end
  for _, fill in ipairs(fills) do
    self:push { kind = "fill", fill = fill, execution = "trade", time = fill.time, raw = fill, reconciled = true }
  end
  for _, order in ipairs(orders) do
    self:push { kind = "order", order = order, execution = order.status, time = order.updated, raw = order.raw,
      reconciled = true }
  end
  self:push { kind = "balance", balances = balances, time = task.wall_ms(), raw = balances, reconciled = true }
  return true
end

--- What is open when we begin may have ended when we next look.
local function look_around(self)
  local open, err = self.venue:open_orders()
  if not open then return nil, err end
  for _, order in ipairs(open) do note(self, order, true) end
  return true
end

-- ---- the class -----------------------------------------------------------------------------

--- A class of account streams.  Beside the hooks of events it has subscribe(self) -> true or nil, err.
function M.class()
  local class = events.class "smc.user_stream"
  class.wanted, class.op = wanted, "user_stream"

  --- Whether the venue has said the very same before; key: what tells one thing that it says from all others.
  function class:twice(key)
    if self.said:get(key) then return true end
    self.said:put(key, true)
    return false
  end

  function class:begin()
    local ok, err = self:subscribe()
    if not ok or not self.reconnect then return ok, err end
    return (self.down and catch_up or look_around)(self)
  end

  return class
end

local function read_symbols(list)
  local out = {}
  if list ~= nil and type(list) ~= "table" then error("user_stream: symbols is a list like { \"BTC/USDT\" }", 3) end
  for _, symbol in ipairs(list or {}) do
    client.native("user_stream", symbol, 4)
    out[symbol] = true
  end
  return out
end

--- Connects and subscribes.  fields: what the class needs; given: the options.  Call it as a tail: wrong use is blamed
-- on the caller.
function M.open(class, venue, fields, given)
  if given ~= nil and type(given) ~= "table" then error("user_stream: a table of options expected", 2) end
  given = given or {}
  local options = stream_options.read("user_stream", given, { symbols = true }, 3)
  fields.venue, fields.symbols, fields.open = venue, read_symbols(given.symbols), {}
  fields.fills, fields.orders, fields.said = recent.new(KEPT), recent.new(KEPT), recent.new(KEPT)
  if options.reconnect ~= false then
    local err
    fields.began_ms, err = venue:time()
    if not fields.began_ms then return nil, err end
    fields.began = task.now()
  end
  return events.open(class, fields, options, client.inside(venue))
end

return M
