-- What a venue's breaker and its health do where nobody says otherwise: the numbers that most people trade with.
local smc = require "smc"

describe("the breaker of a venue that was told nothing #circuit-breaker #virtual-time #binance", function()
  local venue
  before_each(function() venue = smc.venue "binance" end)

  --- One call for each letter: + succeeds, - fails.
  local function calls(marks)
    for mark in marks:gmatch "." do
      if mark == "-" then venue:fault { venue = "http", status = 503, on = "time", count = 1 } end
      assert.equal(mark == "+", venue:time() ~= nil)
    end
  end

  it("opens at half of ten calls, and not before there were ten", function()
    calls "+--------"
    assert.equal("closed", venue.breaker.state)
    calls "-"
    assert.equal("open", venue.breaker.state)
    assert.equal(10, venue.breaker:history()[1].calls)
  end)

  it("looks at the last twenty calls", function()
    calls(("+"):rep(30) .. ("-"):rep(9))
    assert.equal("closed", venue.breaker.state)
    calls "-"
    assert.equal("open", venue.breaker.state)
    assert.same({ 20, 10 }, { venue.breaker:history()[1].calls, venue.breaker:history()[1].failures })
  end)

  it("tries the venue after thirty seconds, with one call", function()
    calls(("-"):rep(10))
    smc.sleep(29.999)
    assert.equal("circuit_open", select(2, venue:time()).class)
    smc.sleep(0.001)
    calls "+"
    assert.equal("closed", venue.breaker.state)
  end)

  it("takes no call for slow", function()
    venue:fault { venue = "slow", seconds = 4, on = "time" }
    calls "++++++++++"
    assert.equal("closed", venue.breaker.state)
  end)
end)

describe("the health of a venue that was told nothing #circuit-breaker #virtual-time #binance", function()
  local venue
  before_each(function() venue = smc.venue("binance", { breaker = false, obey_limits = false }) end)

  it("is the success of the last twenty calls, and offline after five failures in a row", function()
    venue:fault { venue = "http", status = 503, on = "time", count = 4 }
    for _ = 1, 4 do assert.is_nil((venue:time())) end
    assert.equal("unhealthy", venue.health.state)
    for _ = 1, 16 do assert(venue:time()) end
    assert.equal(80, venue.health:parts().success)
    for _ = 1, 4 do assert(venue:time()) end
    assert.equal(100, venue.health:parts().success)
    venue:fault { venue = "http", status = 503, on = "time" }
    for _ = 1, 5 do assert.is_nil((venue:time())) end
    assert.same({ "offline", 0 }, { venue.health.state, venue.health:parts().streak })
  end)

  it("is quick up to a quarter of a second, and gone from two on", function()
    for _, row in ipairs { { 0.25, 100 }, { 1.125, 50 }, { 2, 0 } } do
      local one = smc.venue("binance", { breaker = false })
      one:fault { venue = "slow", seconds = row[1], on = "time", count = 1 }
      assert(one:time())
      assert.equal(row[2], one.health:parts().latency)
    end
  end)

  it("falls by a fifth with each refusal for a limit", function()
    venue:fault { venue = "http", status = 429, on = "time", count = 2 }
    for refused = 1, 2 do
      assert.equal("rate_limit", select(2, venue:time()).class)
      assert.equal(100 - 20 * refused, venue.health:parts().limits)
    end
  end)

  it("is full with a stream that was silent for half a minute, and nothing after a whole", function()
    local stream <close> = assert(venue:stream { "ticker:BTC/USDT", stale_after = 300 })
    assert(stream:recv())
    venue.sandbox:stall_streams(true)
    local heard = smc.now()
    for _, row in ipairs { { 30, 100 }, { 45, 50 }, { 57, 10 } } do
      smc.sleep(heard + row[1] - smc.now())
      assert.near(row[2], venue.health:parts().stream, 1, ("after %g s"):format(row[1]))
    end
  end)
end)
