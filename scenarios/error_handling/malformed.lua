local smc = require "smc"

-- What a venue sends that is not what it promises ends in an error that says so; nothing raises, nothing is believed.
local VENUES = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }

local ANSWERS = {
  ["a page of the edge"] = { venue = "not_json" },
  ["nothing at all"] = { venue = "not_json", body = "" },
  ["numbers where texts belong"] = { venue = "wrong_type" },
  ["null"] = { venue = "wrong_type", kind = "null" },
  ["a list where an object belongs"] = { venue = "wrong_type", kind = "array" },
  ["an object with nothing in it"] = { venue = "wrong_type", kind = "object" },
  ["gzip that nobody asked for"] = { venue = "gzip", damage = "none" },
  ["damaged gzip"] = { venue = "gzip", damage = "block" },
  ["shorter than its bytes"] = { venue = "content_length", by = -20 },
}

local FRAMES = {
  ["half of its text"] = { venue = "bad_frame", kind = "json" },
  ["no UTF-8"] = { venue = "bad_frame", kind = "utf8" },
}

for name, symbol in pairs(VENUES) do
  describe("what " .. name .. " sends wrong #error-handling #" .. name, function()
    local venue
    before_each(function() venue = smc.venue(name) end)

    for what, fault in pairs(ANSWERS) do
      it("is not taken for an answer when it is " .. what, function()
        local given = { on = "balances", times = 1 }
        for key, value in pairs(fault) do given[key] = value end
        assert(venue:balances())
        venue:fault(given)

        local balances, err = venue:balances()

        assert.is_nil(balances)
        assert.same({ "protocol", false, name }, { err.class, err.retryable, err.venue })
        assert(venue:balances())
      end)
    end

    for what, fault in pairs(FRAMES) do
      it("ends a stream, which is made anew, when a frame has " .. what, function()
        local given = { on = "stream", times = 1 }
        for key, value in pairs(fault) do given[key] = value end
        local stream = assert(venue:stream { "ticker:" .. symbol, "book:" .. symbol })
        venue:fault(given)

        local event
        repeat event = assert(stream:recv()) until event.kind == "reconnected"

        assert.equal("protocol", event.reason.class)
        assert.equal(1, stream.reconnects)
        repeat event = assert(stream:recv()) until event.kind == "book"
        stream:close()
      end)
    end

    it("ends a stream, which is made anew, when it closes the connection", function()
      local stream = assert(venue:stream { "book:" .. symbol })
      venue:fault { venue = "close", times = 1 }
      local event
      repeat event = assert(stream:recv()) until event.kind == "reconnected"
      assert.equal("network", event.reason.class)
      assert.equal(1, stream.reconnects)
      stream:close()
    end)
  end)
end
