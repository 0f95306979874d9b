--- Current prices, and what amounts are worth at home.
local clock = require "smc.sandbox.oanda.clock"
local decimal = require "smc.decimal"
local instruments = require "smc.sandbox.oanda.instruments"
local json = require "smc.json"
local params = require "smc.sandbox.oanda.params"
local refusal = require "smc.sandbox.oanda.refusal"
local streams = require "smc.sandbox.oanda.streams"

local M = {}

local LEVELS = 3

--- Remembers when the prices of these instruments changed for the last time.  Returns whether any did.
function M.look(sb, defs)
  local changed, market, prices = false, sb.market, sb.prices
  for _, def in ipairs(defs) do
    local seen, update_id, tradeable = prices[def.symbol], market:update_id(def.symbol), sb:tradeable(def)
    if not seen or seen.update_id ~= update_id or seen.tradeable ~= tradeable then
      local best = market:best(def.symbol)
      if not seen or seen.bid ~= best.bid or seen.ask ~= best.ask or seen.tradeable ~= tradeable then
        seen = { bid = best.bid, ask = best.ask, tradeable = tradeable, time_ms = market:time() }
        prices[def.symbol], changed = seen, true
      end
      seen.update_id = update_id
    end
  end
  return changed
end

local function buckets(def, rows, as_text)
  local out = {}
  for i, row in ipairs(rows) do
    local liquidity = decimal.floor_to(row[2], "1")
    out[i] = json.object("price", instruments.price(def, row[1]), "liquidity",
      as_text and liquidity or math.tointeger(tonumber(liquidity)))
  end
  return json.array(out)
end

--- What the closeout of a position would get: the far end of what the book shows.
local function closeout(def, rows) return #rows > 0 and instruments.price(def, rows[#rows][1]) or nil end

--- As the fills of orders tell it.
function M.full_price(sb, def)
  local book = sb.market:book(def.symbol, LEVELS)
  return json.object("closeoutBid", closeout(def, book.bids), "closeoutAsk", closeout(def, book.asks), "timestamp",
    clock.rfc3339(sb.prices[def.symbol].time_ms + sb.skew_ms), "bids", buckets(def, book.bids, true),
    "asks", buckets(def, book.asks, true))
end

--- As prices and their stream tell it; more: name and value in turn.
function M.client_price(sb, def, ...)
  local book, seen = sb.market:book(def.symbol, LEVELS), sb.prices[def.symbol]
  local fields = table.pack("type", "PRICE", "time", clock.rfc3339(seen.time_ms + sb.skew_ms),
    "bids", buckets(def, book.bids), "asks", buckets(def, book.asks), "closeoutBid", closeout(def, book.bids),
    "closeoutAsk", closeout(def, book.asks), "status", seen.tradeable and "tradeable" or "non-tradeable",
    "tradeable", seen.tradeable, ...)
  fields[fields.n + 1], fields[fields.n + 2] = "instrument", def.symbol
  return json.object(table.unpack(fields, 1, fields.n + 2))
end

--- Of the currencies of these instruments, each once.
function M.conversions(sb, defs)
  local out, seen = {}, {}
  for _, def in ipairs(defs) do
    for _, currency in ipairs { def.base, def.quote } do
      if not seen[currency] and (currency == instruments.home or instruments.via(sb.by_symbol, currency)) then
        seen[currency] = true
        local gain, loss = instruments.factors(sb, currency)
        out[#out + 1] = json.object("currency", currency, "accountGain", gain, "accountLoss", loss,
          "positionValue", instruments.rate(sb, currency))
      end
    end
  end
  return json.array(out)
end

local function units_available(sb, def)
  local long, short = sb:units_available(def)
  local out = {}
  for _, fill in ipairs { "default", "reduceFirst", "reduceOnly", "openOnly" } do
    out[#out + 1] = fill
    out[#out + 1] = json.object("long", long[fill], "short", short[fill])
  end
  return json.object(table.unpack(out))
end

local function quote_factors(sb, def)
  local gain, loss = instruments.factors(sb, def.quote)
  return json.object("positiveUnits", decimal.format(gain, 8), "negativeUnits", decimal.format(loss, 8))
end

local function prices(sb, call)
  local v = call.values
  local defs, no = params.instruments(sb, v)
  if defs == false then return nil, refusal.missing "instruments" end
  local since, units, home
  if defs then since, no = params.time(v, "since") end
  if since ~= nil then units, no = params.truth(v, "includeUnitsAvailable", sb.assume.units_available) end
  if units ~= nil then home, no = params.truth(v, "includeHomeConversions", false) end
  if home == nil then return nil, no end
  local list = {}
  for _, def in ipairs(defs) do
    if not since or sb.prices[def.symbol].time_ms + sb.skew_ms > since then
      list[#list + 1] = M.client_price(sb, def, "unitsAvailable", units and units_available(sb, def) or nil,
        "quoteHomeConversionFactors", not home and quote_factors(sb, def) or nil)
    end
  end
  return table.pack("time", clock.rfc3339(sb:now()), "prices", json.array(list),
    "homeConversions", home and M.conversions(sb, defs) or nil)
end

M.routes = {
  { "GET", "pricing", prices, plain = true }, { "GET", "pricing/stream", streams.prices, stream = true },
}

return M
