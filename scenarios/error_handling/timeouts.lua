local smc = require "smc"

-- Where a request is when time runs out decides what is known of it.  The client gives up after ten seconds.
local VENUES = {
  binance = { symbol = "BTC/USDT", qty = "0.01", price = "50000" },
  bybit = { symbol = "BTC/USDT", qty = "0.01", price = "58000" },
  oanda = { symbol = "EUR/USD", qty = "100", price = "1.0" },
}

for name, its in pairs(VENUES) do
  describe("running out of time on " .. name .. " #error-handling #virtual-time #" .. name, function()
    local venue
    before_each(function()
      venue = smc.venue(name)
      assert(venue:balances())
    end)

    --- How long a read took, and its error.
    local function read()
      local start = smc.now()
      local balances, err = venue:balances()
      return smc.now() - start, err, balances
    end

    local function place()
      return venue:place { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty, price = its.price,
        client_id = "mine" }
    end

    it("never comes to it when nobody listens: nothing was sent", function()
      venue:fault { venue = "down" }
      local seconds, err = read()
      assert.equal(0, seconds)
      assert.same({ "network", "connect" }, { err.class, err.code })
      local order
      order, err = place()
      assert.is_nil(order)
      assert.same({ "network", true }, { err.class, err.retryable })
      assert(venue:heal())
      assert.equal(0, #venue.sandbox:orders { client_id = "mine" })
    end)

    it("waits for the first byte, and no longer than ten seconds", function()
      venue:fault { venue = "silent", times = 1 }
      local seconds, err = read()
      assert.equal(10, seconds)
      assert.same({ "timeout", true, name }, { err.class, err.retryable, err.venue })
      assert(venue:balances())
    end)

    it("has the answer when it comes in time, however late", function()
      venue:fault { venue = "slow", seconds = 9.5, times = 1 }
      local seconds, err, balances = read()
      assert.is_nil(err)
      assert.equal(9.5, seconds)
      assert.is_truthy(next(balances))
    end)

    it("does not take half a body for the whole", function()
      venue:fault { venue = "content_length", by = 1, times = 1 }
      local seconds, err = read()
      assert.equal(10, seconds)
      assert.equal("timeout", err.class)
      venue:fault { venue = "truncated", times = 1 }
      seconds, err = read()
      assert.equal(0, seconds)
      assert.equal("network", err.class)
      assert(venue:balances())
    end)

    it("leaves an order in doubt that was sent, and settles the doubt by its client id #leaves-orders", function()
      venue:fault { venue = "silent", on = "place", carried_out = true, times = 1 }
      local order, err = place()
      if name == "oanda" then -- its client looks for itself
        assert.equal("mine", assert(order).client_id)
      else
        assert.same({ "unknown_outcome", "mine" }, { err.class, err.client_id })
      end
      assert.equal(1, #venue.sandbox:requests { fault = "silent" })
      assert.equal("open", assert(venue:order { symbol = its.symbol, client_id = "mine" }).status)
      assert.equal(1, #venue.sandbox:orders { client_id = "mine" })
    end)
  end)
end
