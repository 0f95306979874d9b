-- How a stream comes back: how soon it tries again, when it takes silence for the end, and that what it tells after
-- having been away was not told before.  A fill that is told twice is a position of twice the size in somebody's books.
local smc = require "smc"

describe("a stream that lost its connection #connection #virtual-time", function()
  it("tries at once, and then half as often each time, by chance up to twice as soon #binance", function()
    local venue = smc.venue "binance"
    local stream <close> = assert(venue:stream { "ticker:BTC/USDT" })
    venue:fault { venue = "status", status = 503, on = "stream" }
    local lost = smc.now()
    venue.sandbox:drop_streams()
    local event
    repeat event = stream:recv(40) until not event

    local tries = venue.sandbox:requests { websocket = true, status = 503 }

    assert.is_true(#tries >= 7, #tries .. " attempts in 40 s")
    assert.near(0, tries[1].at - lost, 0.001)
    local sooner = 0
    for i = 2, #tries do
      local longest = math.min(30, 0.5 * 2 ^ (i - 2))
      local waited = tries[i].at - tries[i - 1].at
      assert.is_true(waited >= longest / 2 - 0.002 and waited <= longest + 0.002, ("wait %d: %g s"):format(i, waited))
      sooner = sooner + longest - waited
    end
    assert.is_true(sooner > 1, "no two clients are to knock at the same moment")
  end)

  it("waits for one to two seconds first at oanda, which counts connections #oanda", function()
    local venue = smc.venue "oanda"
    local stream <close> = assert(venue:stream { "ticker:EUR/USD" })
    assert(stream:recv(5))
    venue.sandbox:drop_streams()
    local event
    repeat event = assert(stream:recv(10)) until event.kind == "reconnected"
    assert.is_true(event.down >= 1 and event.down <= 2.01, event.down)
  end)

  for _, name in ipairs { "binance", "bybit" } do
    it(("at %s takes 30 seconds of silence for its end, if nobody says otherwise #%s"):format(name, name), function()
      local venue = smc.venue(name)
      local stream <close> = assert(venue:user_stream())
      smc.sleep(0.1)
      venue.sandbox:stall_streams(true)
      local silent = smc.now()
      local event = assert(stream:recv(31))
      assert.same({ "reconnected", "stale" }, { event.kind, event.reason.code })
      assert.near(30, smc.now() - silent, 1)
    end)
  end
end)

for name, order in pairs {
  binance = { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.001" },
  bybit = { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.001" },
  oanda = { symbol = "EUR/USD", side = "buy", type = "market", qty = "100" },
} do
  it(("a fill that %s's stream has told is not told again when it comes back #connection #%s"):format(name, name),
    function()
      local venue = smc.venue(name)
      local stream <close> = assert(venue:user_stream())
      local first = assert(venue:place(order))
      local told = {}
      local function hear_until(id)
        eventually(function()
          local event = assert(stream:recv(1))
          if event.fill then told[#told + 1] = event.fill.order_id end
          assert.equal(id, told[#told])
        end, { within = 15 })
      end
      hear_until(first.id)

      venue.sandbox:drop_streams()
      eventually(function() assert.equal("reconnected", assert(stream:recv(1)).kind) end, { within = 15 })
      local second = assert(venue:place(order))
      hear_until(second.id)

      assert.same({ first.id, second.id }, told)
    end)
end
