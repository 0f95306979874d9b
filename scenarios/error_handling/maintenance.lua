local smc = require "smc"

-- A venue that is being worked on takes leave as it documents, refuses, and is there again.
local VENUES = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }

for name, symbol in pairs(VENUES) do
  describe("maintenance of " .. name .. " #error-handling #" .. name, function()
    local venue
    before_each(function() venue = smc.venue(name) end)

    it("is an error of the server, and over when it is over", function()
      assert(venue:balances())
      venue:fault { venue = "maintenance" }
      local balances, err = venue:balances()
      assert.is_nil(balances)
      assert.same({ "server", true }, { err.class, err.retryable })
      assert(venue:heal())
      assert(venue:balances())
    end)

    it("ends the streams, which are made anew when it is over #virtual-time", function()
      local stream = assert(venue:stream { "book:" .. symbol, first_delay = 0.5, longest_delay = 1 })
      venue:fault { venue = "maintenance", for_ = 3 }
      local event
      repeat event = assert(stream:recv()) until event.kind == "reconnected"
      assert.equal("network", event.reason.class)
      assert.is_true(event.down >= 2.5, tostring(event.down))
      repeat event = assert(stream:recv()) until event.kind == "book"
      stream:close()
    end)

    it("opens no stream meanwhile", function()
      assert(venue:time())
      venue:fault { venue = "maintenance" }
      local stream, err = venue:stream { "ticker:" .. symbol }
      assert.is_nil(stream)
      assert.equal("server", err.class)
    end)
  end)
end

it("bybit says until when, where it says so #error-handling #bybit", function()
  local venue = smc.venue "bybit"
  assert.same({}, assert(venue:get "/v5/system/status").result.list)
  venue:fault { venue = "maintenance", seconds = 900 }
  local notice = assert(venue:get "/v5/system/status").result.list[1]
  assert.equal("ongoing", notice.state)
  assert.equal(900000, tonumber(notice["end"]) - tonumber(notice.begin))
end)
