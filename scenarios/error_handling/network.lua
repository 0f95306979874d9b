local smc = require "smc"

-- Networks fail in more ways than by being gone.  Whichever it is, the next call after it works, streams are there
-- again by themselves with all that they were subscribed to, and nothing is left of what broke.
local VENUES = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }

-- What befalls the bytes, and what a question ends in meanwhile; nil: in its answer.
local FAULTS = {
  ["resets connections"] = { { link = "reset_peer" }, "network" },
  ["lets nobody in"] = { { link = "down" }, "network" },
  ["closes in the middle of answers"] = { { link = "close_mid_body" }, "network" },
  ["damages bytes"] = { { link = "corrupt", rate = 1 }, "protocol" },
  ["swallows everything"] = { { link = "blackhole" }, "timeout" },
  ["keeps the dead looking alive"] = { { link = "half_open" }, "timeout" },
  ["is slow, and not always as slow"] = { { link = "latency", latency = 0.5, jitter = 0.2 } },
}

--- Whoever reads a stream notices that it has died, and gets another.
local function listen(stream, seconds)
  local give_up = smc.now() + seconds
  while smc.now() < give_up do stream:recv(math.max(0.01, give_up - smc.now())) end
end

for name, symbol in pairs(VENUES) do
  describe("a network before " .. name .. " #error-handling #virtual-time #" .. name, function()
    for what, row in pairs(FAULTS) do
      it("that " .. what .. " is got over", function()
        local venue = smc.venue(name)
        local stream = assert(venue:stream { "ticker:" .. symbol, first_delay = 0.1, longest_delay = 0.4,
          stale_after = row[2] and 2 or nil })
        assert(stream:recv())
        venue:fault(row[1])

        local balances, err = venue:balances()

        assert.equal(row[2], err and err.class)
        assert.equal(row[2] == nil, balances ~= nil)
        listen(stream, 3)

        assert(venue:heal())

        assert(venue:balances())
        local event
        repeat event = assert(stream:recv()) until event.kind == "ticker" and event.time > smc.wall() - 2000
        assert.equal(row[2] ~= nil, stream.reconnects > 0)
        assert.equal(1, #venue.sandbox:streams())
        stream:close()
      end)
    end
  end)
end
