-- Full load on a sandbox as `smcrun serve` opens it, for an hour of virtual time: what memory it takes must not grow.
--   smcrun --internal --timeout 4000 --hang-after 600 -k hour runner/bench/soak.lua
-- Orders that are filled, orders that rest and are cancelled, streams that are read, a client that polls.
local smc = require "smc"
local boxes = require "smc.sandbox.box"
local guide = require "smc.sandbox.binance.guide"
local sandbox = require "smc.sandbox"

local SYMBOL = "BTC/USDT"
local MINUTE = 60

local function resident_mib()
  local file <close> = assert(io.open "/proc/self/status")
  return tonumber(file:read("a"):match "VmRSS:%s*(%d+)") / 1024
end

local function open(keep)
  local box = sandbox.serve("binance", { assume = guide.assume }, { keep = 1000, forget = function() end })
  box:limit { orders = 1000000000, per = 10 }
  box:limit { request_weight = 1000000000, per = 60 }
  box:limit { raw_requests = 1000000000, per = 300 }
  boxes.keep(box, keep.orders, keep.trades)
  return box
end

--- One minute: a fresh client, for a client remembers all that it sent.
local function minute(box, rate)
  local venue = smc.venue("binance", { sandbox = box })
  local stream <close> = assert(venue:stream { "trade:" .. SYMBOL, "book:" .. SYMBOL })
  for second = 1, MINUTE do
    for i = 1, rate do
      assert(venue:place { symbol = SYMBOL, side = i % 2 == 0 and "buy" or "sell", type = "market", qty = "0.01" })
    end
    local resting = assert(venue:place { symbol = SYMBOL, side = "buy", type = "limit", qty = "0.01", price = "55000" })
    assert(venue:cancel { symbol = SYMBOL, id = resting.id })
    assert(venue:account())
    if second % 10 == 0 then assert(venue:orders(SYMBOL, { limit = 100 })) end
    assert(stream:drain())
    smc.sleep(1)
  end
end

--- Returns how many orders were placed, and MiB resident at the end of each minute.
local function soak(minutes, rate, keep)
  local box, mib = open(keep), {}
  for i = 1, minutes do
    minute(box, rate)
    collectgarbage()
    mib[i] = resident_mib()
  end
  return #mib * MINUTE * (rate + 1), mib
end

local function report(orders, mib, warm)
  local most = math.max(table.unpack(mib, warm))
  local words = "%d minutes, %d orders: %.1f MiB resident after %d minutes, at most %.1f MiB from then on"
  print(words:format(#mib, orders, mib[warm], warm, most))
  return most - mib[warm]
end

describe("full load", function()
  it("leaves nothing behind in an hour", function()
    local orders, mib = soak(60, 100, guide.keep)
    assert.is_true(report(orders, mib, 20) < 8)
  end)

  it("leaves nothing behind in some minutes, with less to remember", function()
    local orders, mib = soak(14, 15, { orders = 400, trades = 1000 })
    assert.is_true(report(orders, mib, 9) < 1)
  end)
end)
