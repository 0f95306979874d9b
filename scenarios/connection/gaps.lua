-- One lost update is enough: a book without it shows a price that is not there, and orders are placed by it.
local smc = require "smc"

for name, symbol in pairs { binance = "BTC/USDT", bybit = "BTC/USDT" } do
  describe(("the book that a client keeps of %s #connection #%s #virtual-time #leaves-orders"):format(name,
    name), function()
    it("is fetched anew when a single update was lost", function()
      local venue = smc.venue(name)
      local stream <close> = assert(venue:stream { "book:" .. symbol })
      repeat local event = assert(stream:recv(5)) until event.kind == "book" -- nothing else happens for a while
      venue:fault { venue = "lost", on = "stream", times = 1 }

      assert(venue:place { symbol = symbol, side = "buy", type = "limit", qty = "0.01", price = "59000" })

      local event
      for _ = 1, 5 do -- several: those of before the loss may still be on their way
        event = assert(stream:recv(5))
        if event.kind == "gap" then break end
      end
      assert.equal("gap", event.kind)
      eventually(function()
        local theirs, ours = venue.sandbox:book(symbol, 10), assert(stream:top(10))
        assert.same({ theirs.bids, theirs.asks }, { ours.bids, ours.asks })
      end, { within = 5 })
    end)
  end)
end

describe("the trades that a client hears of at binance #connection #binance #virtual-time", function()
  it("have no gap that is not told, as wide as it is", function()
    local venue = smc.venue "binance"
    local stream <close> = assert(venue:stream { "trade:BTC/USDT" })
    local before = assert(stream:recv(15))
    for _ = 1, 2 do
      venue:fault { venue = "lost", on = "stream", times = 1 }
      assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.001" })

      local event = assert(stream:recv(15))
      while event.kind == "trade" and tonumber(event.id) == tonumber(before.id) + 1 do
        before, event = event, assert(stream:recv(15))
      end
      assert.equal("gap", event.kind)
      assert.same({ before.id, 1 }, { event.after, event.missed })
      before = assert(stream:recv(15))
    end
  end)
end)

for _, name in ipairs { "binance", "bybit" } do
  it(("a trade that %s tells twice is heard once #connection #%s"):format(name, name), function()
    local venue = smc.venue(name)
    local stream <close> = assert(venue:stream { "trade:BTC/USDT" })
    venue:fault { venue = "duplicate", on = "stream" }
    local heard = {}
    for _ = 1, 5 do
      assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.001" })
      local event = assert(stream:recv(5))
      assert.equal("trade", event.kind)
      assert.is_nil(heard[event.id])
      heard[event.id] = true
    end
    assert.is_true(#venue.sandbox:faults() > 0 and venue.sandbox:faults()[1].committed > 0)
  end)
end

it("an order of which oanda's stream lost the news is told of by the next heartbeat #connection #oanda #virtual-time \z
  #leaves-orders",
  function()
    local venue = smc.venue "oanda"
    local stream <close> = assert(venue:user_stream())
    venue:fault { venue = "lost", on = "user_stream", times = 1 }
    local order = assert(venue:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "100", price = "0.9" })

    local event = assert(stream:recv(6)) -- a heartbeat comes every five seconds, with the number of what was last

    assert.same({ "order", order.id, true }, { event.kind, event.order.id, event.reconciled })
  end)
