-- What comes of the cost of requests; weights.lua has what each costs.  A client whose books differ from the venue's is
-- refused by surprise, or waits for nothing.
local smc = require "smc"

local function bid(price) return { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = price } end

describe("the weight of a request to binance #rate-limiting #virtual-time #binance", function()
  it("is told with each answer, and grows by what was asked", function()
    local venue = smc.venue "binance"
    local seen = {}
    for i, levels in ipairs { 100, 500, 1000 } do
      local _, headers = assert(venue:get("/api/v3/depth", { symbol = "BTCUSDT", limit = levels }))
      seen[i] = tonumber(headers["x-mbx-used-weight-1m"])
    end
    assert.same({ 5, 30, 80 }, seen)
  end)

  it("of an order that is taken in comes back, of one that is refused it does not #leaves-orders", function()
    local venue = smc.venue "binance"
    assert(venue:place(bid "40000"))
    assert.equal(0, venue.limiter:usage("request_weight").used)
    assert.equal("filter", select(2, venue:place(bid "40000.001")).class)
    assert.equal(1, venue.limiter:usage("request_weight").used)
    assert.equal(1, venue.sandbox:limits().window)
  end)

  it("of an order that was answered by nobody does not come back #leaves-orders", function()
    local venue = smc.venue "binance"
    assert(venue:time())
    local before = venue.limiter:usage("request_weight").used
    venue:fault { venue = "ack_lost", on = "place", count = 1 }
    assert.equal("unknown_outcome", select(2, venue:place(bid "40000")).class)
    assert.equal(before + 1, venue.limiter:usage("request_weight").used)
  end)

  it("fills a window to its last unit, and the next one waits", function()
    local venue = smc.venue("binance", { limiter = { request_weight = { limit = 55, per = 10 } } })
    local start = smc.now()
    for _, levels in ipairs { 500, 500, 100 } do assert(venue:book("BTC/USDT", levels)) end
    assert.equal(start, smc.now())
    assert(venue:time())
    assert.near(10, smc.now() - start, 0.01)
  end)
end)

describe("an order's own budget #rate-limiting #virtual-time #leaves-orders", function()
  --- budget: of orders; reads(venue): a call that does not spend of it, though it needs a signature.
  local VENUES = {
    binance = { budget = "orders_10s", conf = { limit = 2, per = 10 }, wait = 10 },
    bybit = { budget = "order/create spot", conf = { limit = 2, per = 10, burst = 2 }, wait = 5 },
  }

  for name, row in pairs(VENUES) do
    it("is spent by orders alone at " .. name, function()
      local venue = smc.venue(name, { limiter = { [row.budget] = row.conf } })
      assert(venue:time())
      for _ = 1, 3 do assert(venue:balances()) end
      assert(venue:open_orders "BTC/USDT")
      assert.equal(0, venue.limiter:usage(row.budget).used)

      local order = assert(venue:place(bid "40000"))
      assert.equal(1, venue.limiter:usage(row.budget).used)
      assert(venue:cancel { symbol = "BTC/USDT", id = order.id })
      assert.equal(1, venue.limiter:usage(row.budget).used)
    end)

    it("keeps an order to " .. name .. " waiting, and what is more urgent passes", function()
      local venue = smc.venue(name, { limiter = { [row.budget] = row.conf } })
      local urgent = smc.venue(name, { limiter = venue.limiter, priority = "high" })
      local start = smc.now()
      for i = 1, 2 do assert(venue:place(bid("4000" .. i))) end
      local third = smc.spawn(function() return venue:place(bid "40003") end)
      smc.sleep(0.1)
      assert(urgent:balances())
      assert.near(0.1, smc.now() - start, 0.01)
      assert.equal(2, #venue.sandbox:orders())

      assert(venue:balances()) -- later, and no more urgent: nobody overtakes

      assert.near(row.wait, smc.now() - start, 0.1)
      assert(third:join())
    end)
  end
end)
