-- Full load on a sandbox as `smcrun serve` opens it, for an hour of virtual time: what memory it takes must not grow.
--   smcrun --internal --timeout 4000 --hang-after 600 -k hour runner/bench/soak.lua
-- Orders that are filled, orders that rest and are cancelled, streams that are read, a client that polls.
local smc = require "smc"
local boxes = require "smc.sandbox.box"
local dialects = require "smc.dialects"
local sandbox = require "smc.sandbox"

local MINUTE = 60

-- What a venue is asked: symbol, qty, and a price that no buyer gets; topics: of its stream; limits: lifted; rates:
-- orders a second in an hour, and in some minutes.
local VENUES = {
  binance = { rates = { 100, 15 }, symbol = "BTC/USDT", qty = "0.01", low = "55000", topics = { "trade", "book" },
    limits = { { orders = 1000000000, per = 10 }, { request_weight = 1000000000, per = 60 },
      { raw_requests = 1000000000, per = 300 } } },
  bybit = { rates = { 40, 3 }, symbol = "BTC/USDT", qty = "0.01", low = "55000", topics = { "trade", "book" },
    limits = { { requests = 1000000000, per = 5 }, { path = "/v5/order/create", requests = 1000000000, per = 1 },
      { path = "/v5/order/cancel", requests = 1000000000, per = 1 },
      { path = "/v5/order/realtime", requests = 1000000000, per = 1 } } },
  oanda = { rates = { 20, 1 }, symbol = "EUR/USD", qty = "10", low = "0.5", topics = { "book" },
    limits = { { requests = 1000000000, per = 1 } } },
}

local function resident_mib()
  local file <close> = assert(io.open "/proc/self/status")
  return tonumber(file:read("a"):match "VmRSS:%s*(%d+)") / 1024
end

local function open(name, keep)
  local box = sandbox.serve(name, { assume = dialects.sandbox(name).guide.assume },
    { keep = 1000, forget = function() end })
  for _, limit in ipairs(VENUES[name].limits) do box:limit(limit) end
  boxes.keep(box, keep.orders, keep.trades)
  return box
end

--- One minute: a fresh client, for a client remembers all that it sent.
local function minute(name, box, rate)
  local v, topics = VENUES[name], {}
  local venue = smc.venue(name, { sandbox = box, limiter = false })
  for i, topic in ipairs(v.topics) do topics[i] = topic .. ":" .. v.symbol end
  local stream <close> = assert(venue:stream(topics))
  for second = 1, MINUTE do
    for i = 1, rate do
      assert(venue:place { symbol = v.symbol, side = (i + second) % 2 == 0 and "buy" or "sell", type = "market",
        qty = v.qty })
    end
    local resting = assert(venue:place { symbol = v.symbol, side = "buy", type = "limit", qty = v.qty, price = v.low })
    assert(venue:cancel { symbol = v.symbol, id = resting.id })
    assert(venue:account())
    if second % 10 == 0 then assert(venue:orders(v.symbol, { limit = 50 })) end
    assert(stream:drain())
    smc.sleep(1)
  end
end

--- Returns how many orders were placed, and MiB resident at the end of each minute.
local function soak(name, minutes, rate, keep)
  local box, mib = open(name, keep), {}
  for i = 1, minutes do
    minute(name, box, rate)
    collectgarbage()
    mib[i] = resident_mib()
  end
  return #mib * MINUTE * (rate + 1), mib
end

local function report(name, orders, mib, warm)
  local most = math.max(table.unpack(mib, warm))
  local words = "%s: %d minutes, %d orders: %.1f MiB resident after %d minutes, at most %.1f MiB from then on"
  print(words:format(name, #mib, orders, mib[warm], warm, most))
  return most - mib[warm]
end

for _, name in ipairs(dialects.names()) do
  describe("full load on " .. name, function()
    -- As many orders to remember as under `smcrun serve`, and fewer trades: both are full when it begins to count.
    it("leaves nothing behind in an hour", function()
      local rate = VENUES[name].rates[1]
      local keep = { orders = dialects.sandbox(name).guide.keep.orders, trades = 10 * MINUTE * rate }
      local orders, mib = soak(name, 60, rate, keep)
      assert.is_true(report(name, orders, mib, 20) < 8)
    end)

    it("leaves nothing behind in some minutes, with less to remember", function()
      local rate = VENUES[name].rates[2]
      local orders, mib = soak(name, 14, rate, { orders = 26 * rate, trades = 1000 })
      assert.is_true(report(name, orders, mib, 9) < 1)
    end)
  end)
end
