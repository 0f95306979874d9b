local smc = require "smc"

-- On its way to an answer a request is looked up by name, connected, encrypted, sent and answered.  How far it got
-- decides what may be done next: what was never sent may be sent again, an order too.
local VENUES = {
  binance = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "50000" },
  bybit = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "58000" },
  oanda = { symbol = "EUR/USD", side = "buy", type = "limit", qty = "100", price = "1.0" },
}

for name, order in pairs(VENUES) do
  describe("a request to " .. name .. " #error-handling #leaves-orders #" .. name, function()
    local venue

    --- Its sandbox speaks TLS; nothing is connected yet.
    local function open_with_tls() venue = smc.venue(name, { sandbox = smc.sandbox(name, { tls = true }) }) end

    --- Neither a question nor an order has left, both may be sent again, and both took so long.  calls: only these.
    local function never_left(class, code, seconds, calls)
      local arrived = #venue.sandbox:requests()
      for _, call in ipairs(calls or { venue.balances, venue.place }) do
        local start = smc.now()
        local answer, err = call(venue, call == venue.place and order or nil)
        assert.is_nil(answer)
        assert.same({ class, code, false, true }, { err.class, err.code, err.sent, err.retryable })
        if seconds then assert.near(seconds, smc.now() - start, 0.05) end
      end
      assert.equal(arrived, #venue.sandbox:requests())
      assert.same({}, venue.sandbox:orders())
    end

    --- And when the fault is over the order is placed, once.
    local function is_got_over()
      assert(venue:heal())
      local placed = assert(venue:place(order))
      assert.equal(1, #venue.sandbox:orders())
      assert.equal(placed.id, assert(venue:order { symbol = order.symbol, client_id = placed.client_id }).id)
    end

    it("has not left while the venue's name has no address", function()
      venue = smc.venue(name)
      assert(venue:balances())
      venue:fault { link = "dns" }
      never_left("network", "dns")
      is_got_over()
    end)

    it("has not left while encryption does not come about, for ten seconds #virtual-time", function()
      open_with_tls()
      venue:fault { link = "blackhole" }
      never_left("timeout", "timeout", 10)
      is_got_over()
    end)

    it("has not left when encryption is cut short", function()
      open_with_tls()
      venue:fault { link = "limit_data", bytes = 100 }
      never_left("network", "tls")
      is_got_over()
    end)

    it("has not left for a certificate that has expired, is another's or from a stranger", function()
      open_with_tls()
      for _, wrong in ipairs { "tls_expired", "tls_wrong_host", "tls_unknown_ca" } do
        venue:fault { link = wrong }
        never_left("network", "tls", nil, { venue.place }) -- of a question: connection/hosts.lua
        assert(venue:heal())
      end
      is_got_over()
    end)

    it("ends in time while its answer trickles, though bytes still come #virtual-time", function()
      venue = smc.venue(name)
      assert(venue:balances())
      venue:fault { link = "slicer", average_size = 8, delay = 1, on = "balances" }
      local start = smc.now()
      local balances, err = venue:balances()
      assert.is_nil(balances)
      assert.same({ "timeout", true, true }, { err.class, err.sent, err.retryable })
      assert.near(10, smc.now() - start, 0.05)
      is_got_over()
    end)

    it("has a whole answer, though it comes in pieces", function()
      venue = smc.venue(name)
      local whole = assert(venue:balances())
      venue:fault { link = "slicer", average_size = 64, delay = 0.001 }
      assert.same(whole, assert(venue:balances()))
      assert.is_true(venue:requests { op = "balances" }[2].elapsed > 0.002)
    end)
  end)
end
