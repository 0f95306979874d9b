-- The law of account streams: however often the connection breaks or goes silent, every fill is told, none twice, and
-- what is told of each order goes forward only, to what became of it.
local rng = require "smc.core.rng"
local smc = require "smc"

local STEPS = 400
local SYMBOLS = { binance = { "BTC/USDT", "ETH/USDT" }, bybit = { "BTC/USDT", "ETH/USDT:USDT" },
  oanda = { "EUR/USD", "USD/JPY" } }
-- Price, its form, and that of quantities.
local MARKETS = { ["BTC/USDT"] = { 60000, "%.1f", "0.%02d" }, ["ETH/USDT"] = { 3000, "%.1f", "0.%02d" },
  ["ETH/USDT:USDT"] = { 3000, "%.1f", "0.%02d" }, ["EUR/USD"] = { 1.08, "%.5f", "%d00" },
  ["USD/JPY"] = { 150, "%.3f", "%d00" } }

local PLENTY = 10000000

local LIMITS = { binance = { { request_weight = PLENTY, per = 60 }, { orders = PLENTY, per = 10 } },
  bybit = { { requests = PLENTY, per = 5 } }, oanda = {} }
for _, path in ipairs { "order/create", "order/cancel", "order/realtime", "order/history", "execution/list",
  "account/wallet-balance" } do
  table.insert(LIMITS.bybit, { path = "/v5/" .. path, requests = PLENTY, per = 1 })
end

local ENDED = { filled = true, canceled = true, expired = true, rejected = true }

local function order_name(o) return o.symbol .. " " .. o.id end
local function fill_name(f) return ("%s %s of %s"):format(f.symbol, f.id, f.order_id) end
local function state(o) return o.status .. " " .. o.filled end

--- What a reader of the stream knows.
local function note(known, event)
  if event.kind == "reconnected" then known.reconnects = known.reconnects + 1 end
  if event.reconciled then known.reconciled = known.reconciled + 1 end
  if event.fill then
    local name = fill_name(event.fill)
    known.fills[name] = (known.fills[name] or 0) + 1
  end
  local order = event.order
  if not order then return end
  local before = known.last[order_name(order)]
  if before and (ENDED[before.status] and not event.fill or smc.decimal.cmp(order.filled, before.filled) < 0) then
    known.back[#known.back + 1] = ("%s: %s after %s"):format(order_name(order), state(order), state(before))
  end
  known.orders[order_name(order)], known.last[order_name(order)] = state(order), order
end

local function read(stream, known, seconds)
  while true do
    local event = stream:recv(seconds)
    if not event then return end
    note(known, event)
  end
end

local function truth(venue, symbols)
  local out = { fills = {}, orders = {} }
  for _, symbol in ipairs(symbols) do
    for _, f in ipairs(assert(venue:fills(symbol))) do out.fills[fill_name(f)] = 1 end
    for _, o in ipairs(assert(venue:orders(symbol))) do out.orders[order_name(o)] = state(o) end
  end
  return out
end

local acts = {}

local function qty(w, symbol) return MARKETS[symbol][3]:format(w.random:int(1, 20)) end
local function price(symbol, away) return MARKETS[symbol][2]:format(MARKETS[symbol][1] * (1 + away)) end

function acts.take(w, symbol, side)
  w.client:place { symbol = symbol, side = side, type = "market", qty = qty(w, symbol) }
end

function acts.rest(w, symbol, side)
  local away = w.random:int(-2, 20) / 10000 * (side == "buy" and -1 or 1)
  w.client:place { symbol = symbol, side = side, type = "limit", qty = qty(w, symbol), price = price(symbol, away),
    self_trade = w.self_trade }
end

function acts.cancel(w, symbol)
  local open = assert(w.client:open_orders(symbol))
  if #open > 0 then w.client:cancel { symbol = symbol, id = open[w.random:int(1, #open)].id } end
end

function acts.move(w, symbol)
  w.box:move(symbol, { to = price(symbol, w.random:int(-15, 15) / 10000) })
end

function acts.wait(w) smc.sleep(w.random:int(1, 200) / 1000) end
function acts.drop(w) w.box:drop_streams() end
function acts.stall(w) w.box:stall_streams(true) end
function acts.go_on(w) w.box:stall_streams(false) end

local BAG = { "take", "take", "rest", "rest", "rest", "rest", "cancel", "move", "wait", "wait", "drop", "stall",
  "go_on" }

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("an account's stream of " .. name, function()
    it("tells every fill once and every order's end, through 400 steps over bad connections", function()
      local venue, other, symbols = smc.venue(name), smc.venue(name), SYMBOLS[name]
      for _, limit in ipairs(LIMITS[name]) do venue.sandbox:limit(limit) end
      local stream <close> = assert(venue:user_stream { symbols = name ~= "oanda" and symbols or nil, stale_after = 6,
        first_delay = 0.05, longest_delay = 0.1 })
      local known = { fills = {}, orders = {}, last = {}, back = {}, reconnects = 0, reconciled = 0 }
      local w = { random = rng.new(20260105, name), box = venue.sandbox,
        self_trade = name ~= "oanda" and "none" or nil }
      for _ = 1, STEPS do
        w.client = w.random:int(1, 2) == 1 and venue or other
        acts[BAG[w.random:int(1, #BAG)]](w, symbols[w.random:int(1, 2)], w.random:int(1, 2) == 1 and "buy" or "sell")
        if w.random:int(1, 3) == 1 then read(stream, known, 0.03) end
      end
      venue.sandbox:drop_streams()
      for _, symbol in ipairs(symbols) do assert(other:cancel_all(symbol)) end
      read(stream, known, 5)

      local expected = truth(other, symbols)
      assert.same(expected.fills, known.fills)
      assert.same(expected.orders, known.orders)
      assert.same({}, known.back)
      local filled = {}
      for fill in pairs(expected.fills) do
        local symbol = fill:match "^%S+"
        filled[symbol] = (filled[symbol] or 0) + 1
      end
      for _, symbol in ipairs(symbols) do assert.is_true(filled[symbol] >= 20, symbol .. " was traded") end
      assert.is_true(known.reconnects >= 10, known.reconnects .. " reconnects")
      assert.is_true(known.reconciled >= 50, known.reconciled .. " events that were missed at first")
    end)
  end)
end
