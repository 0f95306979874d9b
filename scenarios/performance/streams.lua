-- How long news are on their way: from an order to what the stream of the account says of it, and while others ask.
local smc = require "smc"

local COIN = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.001", price = "40000" }
local VENUES = {
  binance = COIN, bybit = COIN, oanda = { symbol = "EUR/USD", side = "buy", type = "limit", qty = "10", price = "0.9" },
}

for name, order in pairs(VENUES) do
  describe(("streams of %s under load #performance #virtual-time #%s #leaves-orders"):format(name, name), function()
    local venue
    before_each(function() venue = smc.venue(name) end)

    --- Waits until the stream tells of an order.
    local function heard_of(stream, client_id)
      repeat
        local event, err = stream:recv(5)
        if not event then return nil, err end
      until event.order and event.order.client_id == client_id
      return true
    end

    it("tell of each order that is placed, as fast as the network is", function()
      local stream <close> = assert(venue:user_stream())
      assert(venue:instruments())
      venue:fault { link = "latency", latency = 0.03 }

      local result = smc.load { name = "news of orders", users = 1, think = 0.3, duration = 2, run = function()
        local placed, err = venue:place(order)
        if not placed then return nil, err end
        return heard_of(stream, placed.client_id)
      end }

      assert.load(result, { "errors == 0", "p99 < 0.1", "min >= 0.03", "count >= 4" })
    end)

    it("go on while the venue is asked for much else", function()
      local stream <close> = assert(venue:stream { "ticker:" .. order.symbol })
      local prices = 0
      local listener <close> = smc.spawn(function()
        while stream:recv(30) do prices = prices + 1 end
      end)

      local result = smc.load { name = "reads", rate = 10, duration = 3, run = function() return venue:time() end }

      assert.load(result, { "errors == 0", "p99 < 0.01" })
      assert.is_true(prices >= 2, "the stream has told of prices meanwhile")
      assert.equal("running", listener:status())
    end)
  end)
end
