-- A circuit breaker at its edges: one call less, one millisecond sooner.  breaker.lua shows on every venue what it
-- does; this is how exactly.
local smc = require "smc"

describe("a circuit breaker at its edge #circuit-breaker #virtual-time #binance", function()
  local function open_venue(breaker)
    local venue = smc.venue("binance", { breaker = breaker })
    return venue, venue.breaker
  end

  --- One call for each letter: + succeeds, - fails, s succeeds after 200 ms, q after 199.
  local function calls(venue, marks)
    for mark in marks:gmatch "." do
      if mark == "-" then venue:fault { venue = "http", status = 503, on = "time", count = 1 } end
      if mark == "s" then venue:fault { venue = "slow", seconds = 0.2, on = "time", count = 1 } end
      if mark == "q" then venue:fault { venue = "slow", seconds = 0.199, on = "time", count = 1 } end
      local time, err = venue:time()
      if mark == "-" then assert.equal("server", err.class) else assert(time) end
    end
  end

  it("opens at the share that it was given, and not at one call less", function()
    local venue, breaker = open_venue { size = 10, min_calls = 10, failure_rate = 0.5 }
    calls(venue, "+++++----+")
    assert.equal("closed", breaker.state)
    calls(venue, "++++") -- those that succeeded first are forgotten, and others take their place
    assert.equal("closed", breaker.state)
    calls(venue, "-")
    assert.equal("open", breaker.state)
    assert.same({ 10, 5 }, { breaker:history()[1].calls, breaker:history()[1].failures })
  end)

  it("opens at the n-th failure in a row, and the next call is not sent", function()
    local venue, breaker = open_venue { size = 5, min_calls = 5, failure_rate = 1 }
    calls(venue, "----")
    assert.equal("closed", breaker.state)
    calls(venue, "-")
    assert.equal("open", breaker.state)
    assert.equal("circuit_open", select(2, venue:time()).class)
    assert.equal(5, #venue.sandbox:requests())
  end)

  it("opens before the least number of calls for nothing", function()
    local venue, breaker = open_venue { size = 8, min_calls = 6, failure_rate = 0.1 }
    calls(venue, "-----")
    assert.equal("closed", breaker.state)
    calls(venue, "+") -- the sixth: five of six have failed
    assert.equal("open", breaker.state)
  end)

  it("does not add up failures that successes lie between", function()
    local venue, breaker = open_venue { size = 4, min_calls = 4, failure_rate = 0.5 }
    for _ = 1, 5 do calls(venue, "+++-") end
    assert.equal("closed", breaker.state)
    assert.equal(0, breaker.changes)
  end)

  it("refuses to the last millisecond, and lets one through at the end", function()
    local venue, breaker = open_venue { size = 2, min_calls = 2, failure_rate = 1, open = 20 }
    calls(venue, "--")
    smc.sleep(19.999)
    local _, err = venue:time()
    assert.equal("circuit_open", err.class)
    assert.near(0.001, err.retry_after, 0.0001)
    assert.equal("open", breaker.state)
    smc.sleep(0.001)
    assert(venue:time())
    assert.equal("closed", breaker.state)
  end)

  it("takes a call for slow from the time that it was given, and not a millisecond sooner", function()
    local venue, breaker = open_venue { size = 2, min_calls = 2, slow = 0.2, slow_rate = 1 }
    calls(venue, "qs")
    assert.equal("closed", breaker.state)
    calls(venue, "s")
    assert.equal("open", breaker.state)
    assert.same({ 2, 0, 2 }, { breaker:history()[1].calls, breaker:history()[1].failures, breaker:history()[1].slow })
  end)

  it("opens again at one failure among the calls that try the venue, and wants all of them anew", function()
    local venue, breaker = open_venue { size = 2, min_calls = 2, failure_rate = 1, open = 1, probes = 3 }
    calls(venue, "--")
    smc.sleep(1)
    calls(venue, "++-")
    assert.equal("open", breaker.state)
    smc.sleep(1)
    calls(venue, "++")
    assert.equal("half_open", breaker.state)
    calls(venue, "+")
    assert.equal("closed", breaker.state)
  end)

  it("remembers nothing of before when it has closed", function()
    local venue, breaker = open_venue { size = 4, min_calls = 2, failure_rate = 0.5, open = 1 }
    calls(venue, "--")
    smc.sleep(1)
    calls(venue, "++-") -- the first closes it; of two calls since, one has failed
    assert.equal("open", breaker.state)
    assert.same({ 2, 1 }, { breaker:history()[4].calls, breaker:history()[4].failures })
  end)

  it("forgets slow calls like failures, when others have taken their place", function()
    local venue, breaker = open_venue { size = 4, min_calls = 4, slow = 0.2, slow_rate = 0.5 }
    for _ = 1, 4 do calls(venue, "s+++") end
    assert.equal("closed", breaker.state)
    calls(venue, "ss")
    assert.equal("open", breaker.state)
    assert.same({ 4, 2 }, { breaker:history()[1].calls, breaker:history()[1].slow })
  end)

  it("stays open ten times as long as at first, at most, where nobody says how long", function()
    local venue, breaker = open_venue { size = 1, min_calls = 1, open = 1, growth = 4 }
    for _, seconds in ipairs { 1, 4, 10, 10 } do
      calls(venue, "-")
      local _, err = venue:time()
      assert.same({ "circuit_open", seconds }, { err.class, err.retry_after })
      smc.sleep(seconds)
    end
    calls(venue, "+")
    assert.equal("closed", breaker.state)
  end)

  it("forgets a failure when a window of time has passed over it", function()
    local venue, breaker = open_venue { window = "time", size = 16, min_calls = 2, failure_rate = 1 }
    calls(venue, "-")
    smc.sleep(16)
    calls(venue, "-")
    assert.equal("closed", breaker.state)
    smc.sleep(14.9)
    calls(venue, "-")
    assert.equal("open", breaker.state)
  end)
end)

describe("a breaker around something of one's own #circuit-breaker #virtual-time #binance", function()
  --- Two failures in a row open it, for five seconds.
  local breaker, venue, called, broken
  before_each(function()
    breaker = smc.breaker { size = 2, min_calls = 2, failure_rate = 1, open = 5 }
    venue, called, broken = smc.venue("binance", { breaker = false }), 0, false
  end)

  --- A component that needs the venue's time.
  local function component(...)
    called = called + 1
    if broken then return nil, assert(select(2, venue:ticker "BTC/USDT")) end
    return assert(venue:time()), ...
  end

  local function breaks()
    broken = true
    venue:fault { venue = "http", status = 500, on = "ticker" }
  end

  it("gives what the component gives, as long as it works", function()
    for i = 1, 20 do assert.equal(i, select(2, breaker:call(component, i))) end
    assert.same({ "closed", 0, 20 }, { breaker.state, breaker.permits, called })
  end)

  it("refuses after the second failure, without calling it, and is closed by a success after its time", function()
    breaks()
    assert.equal("server", select(2, breaker:call(component)).class)
    assert.equal("closed", breaker.state)
    assert.equal("server", select(2, breaker:call(component)).class)
    assert.equal("open", breaker.state)

    assert.equal("circuit_open", select(2, breaker:call(component)).class)
    assert.equal(2, called)

    broken = false
    smc.sleep(5)
    assert(breaker:call(component))
    assert.same({ "closed", 3 }, { breaker.state, called })
  end)

  it("counts each way in which the other side fails", function()
    local ways = { { "network", { link = "down" } }, { "timeout", { venue = "silent" } },
      { "server", { venue = "http", status = 503 } }, { "protocol", { venue = "not_json" } } }
    for _, way in ipairs(ways) do
      breaker = smc.breaker { size = 1, min_calls = 1 }
      venue:fault(way[2])
      assert.equal(way[1], select(2, breaker:call(venue.time, venue)).class)
      assert.equal("open", breaker.state, way[1])
      assert(venue:heal())
    end
  end)

  it("is neither opened nor closed by what was called off", function()
    local group = smc.failover { venue }
    breaks()
    for _ = 1, 2 do breaker:call(component) end
    assert.equal("open", breaker.state)
    group:close()
    smc.sleep(5)
    assert.equal("cancelled", select(2, breaker:call(group.time, group)).class)
    assert.same({ "half_open", 0 }, { breaker.state, breaker.permits })
    broken = false
    assert(breaker:call(component))
    assert.equal("closed", breaker.state)
  end)

  it("counts neither a component that raises, nor what is the caller's own mistake", function()
    for _ = 1, 5 do
      assert.is_false(pcall(breaker.call, breaker, function() error "a bug" end))
      assert.equal("invalid_request", select(2, breaker:call(function() return venue:ticker "NO/SUCH" end)).class)
    end
    assert.same({ "closed", 0 }, { breaker.state, breaker.permits })
  end)
end)
