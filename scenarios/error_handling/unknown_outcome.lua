local smc = require "smc"

-- An order whose acknowledgement is missing may be there or not.  It is looked up before anything else is done, and it
-- is never sent twice.
local VENUES = {
  binance = { symbol = "BTC/USDT", qty = "0.01", price = "50000" },
  bybit = { symbol = "BTC/USDT", qty = "0.01", price = "58000" },
  oanda = { symbol = "EUR/USD", qty = "100", price = "1.0" },
}

-- How an acknowledgement gets lost, and whether the venue has the order all the same.
local LOSSES = {
  ["dies with its connection"] = { { venue = "ack_lost" }, true },
  ["never gets to the venue"] = { { venue = "reset" }, false },
  ["is cut in two"] = { { venue = "truncated" }, true },
  ["is a gateway's page, and the order is there"] = { { venue = "status", status = 504, carried_out = true }, true },
  ["is a gateway's page, and the order is not there"] = { { venue = "status", status = 504 }, false },
  ["has numbers where texts belong"] = { { venue = "wrong_type" }, true },
  ["is no JSON"] = { { venue = "not_json", carried_out = true }, true },
}

for name, its in pairs(VENUES) do
  describe("an order in doubt on " .. name .. " #error-handling #virtual-time #leaves-orders #" .. name, function()
    local venue
    before_each(function()
      venue = smc.venue(name)
      assert(venue:balances())
    end)

    local function place(client_id)
      return venue:place { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty, price = its.price,
        client_id = client_id }
    end

    for what, loss in pairs(LOSSES) do
      it("whose acknowledgement " .. what .. " is found, or known not to be", function()
        local given, there = { on = "place", times = 1 }, loss[2]
        for key, value in pairs(loss[1]) do given[key] = value end
        venue:fault(given)

        local order, err = place "mine"

        assert.is_true(order ~= nil or err.class == "unknown_outcome", tostring(err))
        local found, why = venue:order { symbol = its.symbol, client_id = "mine" }
        assert.equal(there, found ~= nil)
        assert.is_true(there or why.class == "unknown_order", tostring(why))
        assert.equal(there and 1 or 0, #venue.sandbox:orders { client_id = "mine" })
        assert.equal(1, #venue:requests { op = "place", method = "POST" })
        assert.equal(1, #venue.sandbox:requests { fault = given.venue })
      end)
    end

    it("is looked up and returned, not sent again, when retries are asked for", function()
      local patient = smc.venue(name, { retry = true })
      assert(patient:balances())
      patient:fault { venue = "ack_lost", on = "place", times = 1 }
      local order = assert(patient:place { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty,
        price = its.price, client_id = "mine" })
      assert.equal("mine", order.client_id)
      assert.equal(1, #patient:requests { op = "place", method = "POST" })
      assert.equal(1, #patient.sandbox:requests { fault = "ack_lost" })
      assert.equal(1, #patient.sandbox:orders { client_id = "mine" })
    end)

    it("is not taken for another one that comes meanwhile", function()
      local other = smc.venue(name)
      local patient = smc.venue(name, { retry = true })
      assert(patient:balances())
      patient:fault { venue = "ack_lost", on = "place", times = 1 }
      local placing = smc.spawn(function()
        return patient:place { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty, price = its.price,
          client_id = "mine" }
      end)
      smc.sleep(0.01)
      assert(other:place { symbol = its.symbol, side = "sell", type = "limit", qty = its.qty,
        price = name == "oanda" and "2" or "65000", client_id = "another" })
      local order = assert(placing:join())
      assert.same({ "mine", "buy" }, { order.client_id, order.side })
    end)

    it("is not there twice when its acknowledgement is", function()
      venue:fault { venue = "ack_twice", on = "place", times = 1 }
      local order = assert(place "mine")
      assert.equal(1, #venue.sandbox:requests { fault = "ack_twice" })
      assert.equal(1, #venue.sandbox:orders { client_id = "mine" })
      assert.equal(order.id, assert(venue:order { symbol = its.symbol, client_id = "mine" }).id)
    end)

    it("is told once by the account's stream, though the fill comes before the answer", function()
      local stream = assert(venue:user_stream())
      venue:fault { venue = "early_fill", seconds = 1 }
      local order = assert(place "mine")
      local fills = {}
      eventually(function()
        local event = stream:recv(0.5)
        if event and event.fill then fills[#fills + 1] = event.fill.order_id end
        assert.same({ order.id }, fills)
      end, { within = 5 })
      local more = stream:recv(3)
      while more do
        assert.is_nil(more.fill)
        more = stream:recv(3)
      end
      stream:close()
    end)
  end)
end
