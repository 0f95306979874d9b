-- smc.breaker: its law is tested in C; here are its words, seconds, classes and permits.
local smc = require "smc"

local function failing(class) return function() return nil, { class = class } end end
local function fine() return "fine" end

local function says(text, fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.matches("test_breaker.lua:%d+: ", err)
  assert.matches(text, err, 1, true)
end

local function states(breaker)
  local out = {}
  for i, change in ipairs(breaker:history()) do out[i] = change.to end
  return table.concat(out, " ")
end

describe("smc.breaker", function()
  it("opens on failures, refuses with the time to wait, tries again, and closes", function()
    local breaker = smc.breaker { size = 4, min_calls = 4, open = 30, probes = 2 }
    for _ = 1, 2 do assert.equal("fine", breaker:call(fine)) end
    for _ = 1, 2 do breaker:call(failing "server") end
    assert.equal("open", breaker.state)

    local called = 0
    local value, err = breaker:call(function() called = called + 1 end)
    assert.same({ nil, "circuit_open", true, 0 }, { value, err.class, err.retryable, called })
    assert.near(30, err.retry_after, 0.01)

    smc.sleep(err.retry_after)
    assert.equal("fine", breaker:call(fine))
    assert.equal("half_open", breaker.state)
    assert.equal("fine", breaker:call(fine))
    assert.equal("closed", breaker.state)
    assert.equal("open half_open closed", states(breaker))
    local first = breaker:history()[1]
    assert.same({ "closed", 4, 2, 0 }, { first.from, first.calls, first.failures, first.slow })
  end)

  it("stays open longer each time that a probe fails", function()
    local breaker = smc.breaker { size = 1, open = 2, growth = 2, open_max = 5 }
    breaker:call(failing "network")
    local function waits(...)
      for _, wait in ipairs { ... } do
        local _, err = breaker:call(fine)
        assert.near(wait, err.retry_after, 0.01)
        smc.sleep(wait)
        breaker:call(failing "network")
      end
    end
    waits(2, 4, 5, 5)
    breaker = smc.breaker { size = 1, open = 1, growth = 5 } -- up to ten times as long, unless told otherwise
    breaker:call(failing "network")
    waits(1, 5, 10, 10)
  end)

  it("counts only errors that say that the other side is in trouble", function()
    for class, opens in pairs { network = true, timeout = true, server = true, unknown_outcome = true, protocol = true,
      auth = false, filter = false, rate_limit = false, cancelled = false } do
      local breaker = smc.breaker { size = 1 }
      breaker:call(failing(class))
      assert.equal(opens and "open" or "closed", breaker.state, class)
    end
    local breaker = smc.breaker { size = 1, counts = { "rate_limit" } }
    breaker:call(failing "server")
    assert.equal("closed", breaker.state)
    breaker:call(failing "rate_limit")
    assert.equal("open", breaker.state)
  end)

  it("opens on calls that are slow", function()
    local breaker = smc.breaker { size = 2, min_calls = 2, failure_rate = 0, slow_rate = 1, slow = 0.2 }
    local function slow()
      smc.sleep(0.2)
      return true
    end
    breaker:call(slow)
    breaker:call(slow)
    assert.equal("open", breaker.state)
    assert.equal(2, breaker:history()[1].slow)
  end)

  it("does not take for slow what a call waited before it began", function()
    local breaker = smc.breaker { size = 2, min_calls = 1, failure_rate = 0, slow_rate = 1, slow = 0.2 }
    local permit = assert(breaker:ask())
    smc.sleep(1)
    permit:begin()
    breaker:report(permit, "ok")
    assert.equal("closed", breaker.state)
    permit = assert(breaker:ask())
    permit:begin()
    smc.sleep(0.2)
    breaker:report(permit, "ok")
    permit = assert(breaker:ask())
    smc.sleep(0.2)
    breaker:report(permit, "ok")
    assert.equal("open", breaker.state)
  end)

  it("forgets what is older than a window of time", function()
    local breaker = smc.breaker { window = "time", size = 16, min_calls = 2, failure_rate = 1 }
    breaker:call(failing "server")
    smc.sleep(17)
    breaker:call(failing "server")
    assert.equal("closed", breaker.state)
    breaker:call(failing "server")
    assert.equal("open", breaker.state)
  end)

  it("takes back the permit of a call that was cancelled or raised", function()
    local breaker = smc.breaker { size = 1, open = 1 }
    breaker:call(failing "server")
    smc.sleep(1)
    local probe = smc.spawn(function() return breaker:call(function() smc.sleep(60) end) end)
    smc.sleep(0.1)
    local _, err = breaker:call(fine)
    assert.same({ "circuit_open", false }, { err.class, err.retryable }) -- the one probe is out

    probe:cancel()
    breaker:call(failing "cancelled")
    assert.equal("half_open", breaker.state)
    assert.error_matches(function() breaker:call(function() error "broken" end) end, "broken")
    assert.equal("half_open", breaker.state)
    assert.equal("fine", breaker:call(fine))
    assert.equal("closed", breaker.state)
  end)

  it("hears each permit once", function()
    local breaker = smc.breaker { size = 2, min_calls = 2 }
    local permit = assert(breaker:ask())
    assert.is_true(breaker:report(permit, "failed"))
    assert.is_false(breaker:report(permit, "failed"))
    assert.equal("closed", breaker.state)
    assert.error_matches(function() breaker:report(assert(breaker:ask()), "maybe") end, "maybe")
  end)

  it("lets an urgent call through at once, and judges it as a probe", function()
    local breaker = smc.breaker { size = 1, open = 30 }
    breaker:call(failing "server")
    breaker:report(assert(breaker:ask_urgently()), "failed")
    assert.near(30, select(2, breaker:ask()).retry_after, 0.01)
    breaker:report(assert(breaker:ask_urgently()), "ok")
    assert.equal("closed", breaker.state)
    assert.equal("open half_open open half_open closed", states(breaker))
    breaker:force "open"
    local permit, err = breaker:ask_urgently()
    assert.same({ nil, "circuit_open", false }, { permit, err.class, err.retryable })
  end)

  it("knows how many permits are out", function()
    local breaker = smc.breaker { size = 1, open = 1 }
    assert.equal(0, breaker.permits)
    do
      local one = assert(breaker:ask())
      local two <close> = assert(breaker:ask())
      assert.equal(2, breaker.permits)
      breaker:report(one, "failed")
      breaker:report(one, "failed")
      assert.same({ 1, "open" }, { breaker.permits, breaker.state })
      assert.is_nil((breaker:ask()))
      assert.equal(1, breaker.permits)
      assert.is_not_nil(two)
    end
    assert.equal(0, breaker.permits)
    assert(breaker:ask_urgently())
    assert.equal(1, breaker.permits)
  end)

  it("can be held open, or closed, and be let go", function()
    local breaker = smc.breaker { size = 1 }
    breaker:force "open"
    local _, err = breaker:call(fine)
    assert.same({ "circuit_open", false }, { err.class, err.retryable })
    breaker:force "closed"
    breaker:call(failing "server")
    assert.equal("closed", breaker.state)
    breaker:force()
    breaker:call(failing "server")
    assert.equal("open closed closed open", states(breaker))
  end)

  it("refuses options that make no sense, by name, at the caller's line", function()
    says("smc.breaker: unknown option 'sise'", function() smc.breaker { sise = 1 } end)
    says("smc.breaker: an options table expected", function() smc.breaker(5) end)
    says("smc.breaker: window is \"calls\" or \"time\"", function() smc.breaker { window = "days" } end)
    says("smc.breaker: failure_rate must be a number from 0 to 1", function() smc.breaker { failure_rate = 50 } end)
    says("smc.breaker: size must be a number from 1 to 1024", function() smc.breaker { size = 2000 } end)
    says("smc.breaker: open must be a number", function() smc.breaker { open = 0 } end)
    says("smc.breaker: growth must be a number from 1 to 10", function() smc.breaker { growth = 0.5 } end)
    says("open_max_ms not below it", function() smc.breaker { open = 10, open_max = 5 } end)
    says("smc.breaker: counts is a list of error classes", function() smc.breaker { counts = { 1 } } end)
    says("smc.breaker: counts is a list of error classes", function() smc.breaker { counts = "network" } end)
    says("smc.breaker: counts is a list of error classes", function() smc.breaker { counts = {} } end)
    says("'netwrok' is none", function() smc.breaker { counts = { "server", "netwrok" } } end)
    says("smc.breaker: size must be a whole number", function() smc.breaker { size = 2.5 } end)
    assert.is_not_nil(smc.breaker { window = "time", size = 2.5 })
    local breaker = smc.breaker()
    says("breaker:call: a function expected", function() breaker:call(5) end)
    says("breaker:force: \"open\", \"closed\" or nil expected", function() breaker:force "opened" end)
    says("breaker:report: the permit expected", function() breaker:report(nil, "ok") end)
    says("breaker:report: \"ok\", \"failed\" or \"ignored\" expected", function()
      breaker:report(breaker:ask(), "bad")
    end)
  end)
end)
