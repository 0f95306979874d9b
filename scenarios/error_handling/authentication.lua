local smc = require "smc"

-- Who is not let in is told so once: no attempt will mend it, and none is made.
local VENUES = {
  binance = { symbol = "BTC/USDT", qty = "0.01" },
  bybit = { symbol = "BTC/USDT", qty = "0.01" },
  oanda = { symbol = "EUR/USD", qty = "100" },
}

for name, its in pairs(VENUES) do
  describe("credentials that " .. name .. " does not know #error-handling #" .. name, function()
    local venue, stranger
    before_each(function()
      venue = smc.venue(name)
      assert(venue:balances())
      stranger = smc.venue(name, { secret = smc.secret.random(), retry = true })
    end)

    it("are refused after one attempt, though retries are asked for", function()
      local balances, err = stranger:balances()
      assert.is_nil(balances)
      assert.same({ "auth", false }, { err.class, err.retryable })
      assert.equal(1, #stranger:requests())
    end)

    it("place nothing", function()
      local order, err = stranger:place { symbol = its.symbol, side = "buy", type = "market", qty = its.qty }
      assert.is_nil(order)
      assert.equal("auth", err.class)
      assert.equal(0, #venue.sandbox:orders())
    end)

    it("open no stream of an account, and are not tried again", function()
      local stream, err = stranger:user_stream()
      assert.is_nil(stream)
      assert.equal("auth", err.class)
      eventually(function() assert.equal(0, #venue.sandbox:streams()) end, { within = 15 })
    end)

    it("that are taken away end a stream for good when it has to log on again #virtual-time", function()
      local stream = assert(venue:user_stream())
      venue.sandbox:remove_key(name == "oanda" and venue.sandbox.token or venue.key)
      venue.sandbox:drop_streams()
      local event, err
      repeat event, err = stream:recv(60) until not event
      assert.equal("auth", err.class)
      assert.is_false(stream:connected())
      stream:close()
    end)
  end)
end
