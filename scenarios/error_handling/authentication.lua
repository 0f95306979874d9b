local smc = require "smc"

-- Who is not let in is told so once: no attempt will mend it, and none is made.
local VENUES = {
  binance = { symbol = "BTC/USDT", qty = "0.01", price = "50000" },
  bybit = { symbol = "BTC/USDT", qty = "0.01", price = "58000" },
  oanda = { symbol = "EUR/USD", qty = "100", price = "1.0" },
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

    it("that are taken away are refused from then on, once each time, and what they have placed stays", function()
      local patient = smc.venue(name, { retry = true })
      local order = assert(patient:place { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty,
        price = its.price })
      patient.sandbox:remove_key(name == "oanda" and patient.sandbox.token or patient.key)
      local before = #patient:requests()

      for _, call in ipairs { "balances", "open_orders", "cancel_all" } do
        local result, err = patient[call](patient, call ~= "balances" and its.symbol or nil)
        assert.is_nil(result)
        assert.same({ "auth", false }, { err.class, err.retryable })
      end

      assert.equal(before + 3, #patient:requests())
      assert.equal(1, #venue.sandbox:orders { client_id = order.client_id, status = "open" })
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
