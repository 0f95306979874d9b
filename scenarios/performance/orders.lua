-- Orders in numbers: each that a venue has acknowledged is there once, and can be taken back.
local smc = require "smc"

-- rate: below what the venue allows of orders; trips: between client and venue until an order is acknowledged.
local COIN = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.001", price = "40000" }
local FX = { symbol = "EUR/USD", side = "buy", type = "limit", qty = "10", price = "0.9" }
local VENUES = {
  binance = { order = COIN, rate = 4, trips = 1 }, bybit = { order = COIN, rate = 5, trips = 2 },
  oanda = { order = FX, rate = 5, trips = 1 },
}

for name, row in pairs(VENUES) do
  describe(("orders at %s under load #performance #virtual-time #%s"):format(name, name), function()
    local venue, acknowledged
    before_each(function()
      venue, acknowledged = smc.venue(name, { retry = true }), {}
      assert(venue:instruments())
      venue:fault { link = "latency", latency = 0.02, jitter = 0.01 }
    end)

    local function place()
      local order, err = venue:place(row.order)
      if order then acknowledged[#acknowledged + 1] = order.client_id end
      return order, err
    end

    local function each_is_there_once()
      assert.equal(#acknowledged, #venue.sandbox:orders())
      for _, id in ipairs(acknowledged) do assert.equal(1, #venue.sandbox:orders { client_id = id }) end
    end

    it("are all acknowledged, each is there once, and none is left when all are cancelled", function()
      local result = smc.load { name = "orders", rate = row.rate, duration = 2, run = place }

      assert.load(result, { ("p99 < %g"):format(0.035 * row.trips), "errors == 0", "dropped == 0" })
      assert.equal(row.rate * 2, #acknowledged)
      each_is_there_once()
      assert(venue:cancel_all(row.order.symbol))
      assert.same({}, venue.sandbox:orders { status = "open" })
    end)

    it("are there once, too, when three acknowledgements in a row are lost #leaves-orders", function()
      venue:fault { venue = "ack_lost", on = "place", after = 0.5, times = 3 }

      local result = smc.load { name = "orders", rate = row.rate, duration = 2, run = place }

      assert.load(result, { ("p50 < %g"):format(0.035 * row.trips), "errors == 0" })
      assert.equal(row.rate * 2, #acknowledged)
      each_is_there_once()
    end)

    it("that users place and take back leave nothing behind", function()
      local result = smc.load { name = "round trips", users = 2, think = 1.5, duration = 3, run = function()
        local order, err = place()
        if not order then return nil, err end
        return venue:cancel { symbol = row.order.symbol, client_id = order.client_id }
      end }

      assert.load(result, { "errors == 0", "p99 < 0.2", "count == 4" })
      each_is_there_once()
      assert.same({}, venue.sandbox:orders { status = "open" })
    end)
  end)
end
