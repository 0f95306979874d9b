--- Every link fault, as a client of every venue meets it: one cell for each fault, venue and thing that it does.
-- `M.meet` carries one out and says what came of it; what should, says the table of the faults.
local faults = require "smc.sandbox.link_faults"
local smc = require "smc"

local M = {}

M.venues = { "binance", "bybit", "oanda" }
M.things = { "read", "order", "stream", "connect" }
M.symbol = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }
local QTY = { binance = "0.01", bybit = "0.01", oanda = "100" }

--- The numbers with which the table's classes are meant.
M.given = {
  latency = { latency = 0.2, jitter = 0.05 }, bandwidth = { rate = 50 }, slow_close = { delay = 1 },
  timeout = { timeout = 2 }, slicer = { average_size = 100, size_variation = 50, delay = 0.001 },
  limit_data = { bytes = 100 }, corrupt = { rate = 1 },
}

M.deadline = 65 -- seconds within which every cell has an end; oanda looks a lost order up four times

--- The classes that the table promises, any of which it may be; "-": no error.
function M.promised(fault, venue, thing)
  local class = faults.table[fault].class
  local own = class[venue] or {}
  local promise = own[thing] or class[thing]
  return type(promise) == "table" and promise or { promise }
end

function M.keeps(promise, class)
  for _, each in ipairs(promise) do
    if each == class then return true end
  end
  return false
end

local function market(venue)
  return { symbol = M.symbol[venue.name], side = "buy", type = "market", qty = QTY[venue.name] }
end

--- For a while, whatever a stream tells: nil, or the error that ends it.
local function listen(stream)
  local started = smc.now()
  repeat
    local event, err = stream:recv(12)
    if not event then return err end
  until smc.now() - started > 8
end

local function open(venue)
  return venue:stream { "ticker:" .. M.symbol[venue.name], reconnect = false, stale_after = 10 }
end

--- From thing to the function that does it: begin() lets the fault loose.  Returns the error, or nil, and of an order
-- its client id.
local does = {}

function does.read(venue, begin)
  begin()
  return (select(2, venue:account()))
end

function does.order(venue, begin)
  assert(venue:place(market(venue))) -- what a client asks before its first order is known now
  begin()
  local order, err = venue:place(market(venue))
  return err, (order or err).client_id
end

function does.stream(venue, begin)
  local stream = assert(open(venue))
  assert(stream:recv(30))
  begin()
  local err = listen(stream)
  stream:close()
  return err
end

function does.connect(venue, begin)
  begin()
  local stream, err = open(venue)
  if not stream then return err end
  err = listen(stream)
  stream:close()
  return err
end

--- Carries out one cell.  Returns what it led to: class ("-": no error), message, seconds, and of an order how many the
-- venue has of it; and the venue, still under the fault.
function M.meet(fault, name, thing)
  local tls = faults.table[fault].needs_tls
  local venue = smc.venue(name, { sandbox = smc.sandbox(name, { tls = tls }), breaker = false })
  local given, started = { link = fault }, nil
  for key, value in pairs(M.given[fault] or {}) do given[key] = value end
  assert(venue:account())
  local err, client_id = does[thing](venue, function()
    started = smc.now()
    venue:fault(given)
  end)
  return { class = err and err.class or "-", message = tostring(err), seconds = smc.now() - started,
    orders = client_id and #venue.sandbox:orders { client_id = client_id } or nil }, venue
end

return M
