local smc = require "smc"

local function path(venue, rest) return ("/v3/accounts/%s/%s"):format(venue.key, rest) end

describe("oanda streams #connection #oanda", function()
  local venue
  before_each(function() venue = smc.venue "oanda" end)

  it("sends prices as lines of JSON over HTTP: one of each instrument first, then a heartbeat every five seconds",
    function()
      local stream <close> = assert(venue:stream { "ticker:EUR/USD", "ticker:USD/JPY" })
      local seen = {}
      for _ = 1, 2 do
        local event = assert(stream:recv(10))
        seen[event.symbol] = event
        assert.is_true(smc.decimal.lt(event.bid, event.ask))
      end
      assert.is_not_nil(seen["EUR/USD"] and seen["USD/JPY"])
      assert.same({ "EUR_USD", "USD_JPY" }, stream:subscriptions())
    end)

  it("keeps a local book equal to the venue's while the market moves", function()
    local stream <close> = assert(venue:stream { "book:EUR/USD" })
    local first = assert(stream:top(3))
    for _, by in ipairs { "0.01", "-0.02", "0.005" } do
      venue.sandbox:move("EUR/USD", { by = by })
      eventually(function()
        local theirs, ours = assert(venue:book("EUR/USD", 3)), assert(stream:top(3))
        assert.same({ theirs.bids, theirs.asks }, { ours.bids, ours.asks })
      end, { within = 10 }) -- the venue tells four times a second
    end
    assert.is_true(stream:top(3).id > first.id)
  end)

  it("hears nothing of an instrument that stands still but heartbeats, and does not give the stream up", function()
    venue.sandbox:halt "EUR/USD"
    local stream <close> = assert(venue:stream { "ticker:EUR/USD" })
    assert.is_false(assert(stream:recv(5)).tradeable)
    local event, err = stream:recv(12)
    assert.is_nil(event)
    assert.equal("timeout", err.class)
    assert.equal(1, #venue.sandbox:requests { path = path(venue, "pricing/stream") })
    venue.sandbox:resume "EUR/USD"
    assert.is_true(assert(stream:recv(5)).tradeable)
  end)

  it("leaves no connection behind", function()
    local stream = assert(venue:stream { "ticker:EUR/USD" })
    local events = assert(venue:user_stream())
    assert.equal(2, #venue.sandbox:streams())
    stream:close()
    events:close()
    eventually(function() assert.same({}, venue.sandbox:streams()) end)
  end)
end)
