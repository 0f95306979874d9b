--- Every link fault, as a client of every venue meets it: one cell for each fault, venue and thing that it does.
-- `M.meet` carries one out and says what came of it; what should, says the table of the faults.
local faults = require "smc.sandbox.link_faults"
local smc = require "smc"
local traces = require "traces"

local M = {}

M.venues = { "binance", "bybit", "oanda" }
M.things = faults.seams
M.symbol = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }
local QTY = { binance = "0.01", bybit = "0.01", oanda = "100" }

--- The numbers with which the table's classes are meant.
M.given = {
  latency = { latency = 0.2, jitter = 0.05 }, bandwidth = { rate = 50 }, slow_close = { delay = 1 },
  timeout = { timeout = 2 }, slicer = { average_size = 100, size_variation = 50, delay = 0.001 },
  limit_data = { bytes = 100 }, corrupt = { rate = 1 },
}

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

M.FIRST = "first" -- the client id of the order that is placed before the fault

local function market(venue, client_id)
  return { symbol = M.symbol[venue.name], side = "buy", type = "market", qty = QTY[venue.name], client_id = client_id }
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

--- From thing to the function that does it: begin() lets the fault loose.  Returns the error, or nil, and what is known
-- beside it: { paid = requests of the limiter's budget } of a read, { client_id } of an order.
local does = {}

local BUDGET = { binance = "raw_requests", bybit = "requests", oanda = "requests" }

function does.read(venue, begin)
  begin()
  local limiter, budget = venue.limiter, BUDGET[venue.name]
  local before = limiter:usage(budget).used
  local _, err = venue:account()
  return err, { paid = limiter:usage(budget).used - before }
end

function does.order(venue, begin)
  assert(venue:place(market(venue, M.FIRST))) -- what a client asks before its first order is known now
  begin()
  local order, err = venue:place(market(venue))
  return err, { client_id = (order or err).client_id }
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

--- Carries out one cell.  breaker: options of the client's, or nil.  Returns what it led to: class ("-": no error),
-- message, seconds, unsent (nothing has left), and what `does` says; the venue, still under the fault; and the mark of
-- what there was before (traces.lua).
function M.meet(fault, name, thing, breaker)
  local tls = faults.table[fault].needs_tls
  local venue = smc.venue(name, { sandbox = smc.sandbox(name, { tls = tls }), breaker = breaker })
  local given, started, mark = { link = fault }, nil, traces.mark(venue)
  for key, value in pairs(M.given[fault] or {}) do given[key] = value end
  assert(venue:account())
  local err, more = does[thing](venue, function()
    started = smc.now()
    venue:fault(given)
  end)
  local cell = more or {}
  cell.class, cell.message, cell.seconds = err and err.class or "-", tostring(err), smc.now() - started
  cell.unsent = err ~= nil and err.sent == false
  return cell, venue, mark
end

return M
