-- smc.health: its law is tested in C; here are its words, its seconds, and what errors are to it.
local smc = require "smc"

local function says(text, fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.matches("test_health.lua:%d+: ", err)
  assert.matches(text, err, 1, true)
end

local BEST = { success = 100, latency = 100, streak = 100, stream = 100, limits = 100, score = 100, state = "healthy" }

describe("smc.health", function()
  it("is healthy before anything is known", function()
    assert.same(BEST, smc.health():parts())
    assert.same({ 0, 0 }, { smc.health().latency, smc.health().failures })
  end)

  it("falls with failures in a row to offline, and rises with the first success", function()
    local health = smc.health { down_after = 4 }
    local states = {}
    for i = 1, 4 do
      health:call "failed"
      states[i] = health.state
    end
    assert.same({ "unhealthy", "unhealthy", "unhealthy", "offline" }, states)
    assert.equal(4, health.failures)
    health:call("ok", 0.1)
    assert.same({ 0, "unhealthy", 20 }, { health.failures, health.state, health.score })
    for _ = 1, 20 do health:call("ok", 0.1) end
    assert.same({ "healthy", 100 }, { health.state, health.score })
  end)

  it("knows how slow calls are, in seconds", function()
    local health = smc.health { good = 1, bad = 3 }
    health:call("ok", 2)
    assert.same({ 2, 50, "degraded" }, { health.latency, health:parts().latency, health.state })
  end)

  it("takes errors for what they say of the venue", function()
    local function after(class)
      local health = smc.health { limit_max = 2 }
      health:note(nil, { class = class }, 0.1)
      local parts = health:parts()
      return { parts.success, parts.limits }
    end
    for _, class in ipairs { "network", "timeout", "server", "unknown_outcome", "protocol" } do
      assert.same({ 0, 100 }, after(class), class)
    end
    for _, class in ipairs { "filter", "auth", "insufficient_funds", "cancelled", "circuit_open" } do
      assert.same({ 100, 100 }, after(class), class)
    end
    assert.same({ 100, 50 }, after "rate_limit")
    assert.same({ 0, 50 }, after "ip_ban")
    local health = smc.health()
    health:call "failed"
    health:note(nil, { class = "rate_limit" })
    assert.equal(1, health.failures) -- turned away is not answered
    health:note({}, nil, 0.125)
    assert.equal(0.125, health.latency)
  end)

  it("forgets refusals for a limit after a minute", function()
    local health = smc.health { limit_max = 1 }
    health:call "limited"
    assert.same({ 0, "unhealthy" }, { health.score, health.state })
    smc.sleep(59)
    assert.equal(0, health.score)
    smc.sleep(1)
    assert.equal(100, health.score)
  end)

  it("watches streams until the last one is let go", function()
    local health = smc.health { stale = 4 }
    health:frame() -- nobody watches
    smc.sleep(10)
    assert.equal(100, health:parts().stream)
    local one, other = health:watch(), health:watch()
    smc.sleep(6)
    assert.equal(50, health:parts().stream)
    health:frame()
    assert.equal(100, health:parts().stream)
    health:unwatch(one)
    health:unwatch(one)
    smc.sleep(8)
    assert.same({ 0, "unhealthy" }, { health:parts().stream, health.state })
    health:unwatch(other)
    assert.equal(100, health.score)
  end)

  it("is as stale as the stream that is silent for longest", function()
    local health, silence = smc.health { stale = 4 }, { 0, 0 }
    for i in ipairs(silence) do health:watch(function() return silence[i] end) end
    smc.sleep(10)
    assert.equal(100, health.score)
    silence[2] = 6
    assert.equal(50, health.score)
  end)

  it("refuses options that make no sense, by name, at the caller's line", function()
    says("smc.health: unknown option 'windows'", function() smc.health { windows = 1 } end)
    says("smc.health: an options table expected", function() smc.health(5) end)
    says("smc.health: window must be a whole number from 1 to 64", function() smc.health { window = 65 } end)
    says("smc.health: window must be a whole number", function() smc.health { window = 2.5 } end)
    says("smc.health: good must be below bad", function() smc.health { good = 3 } end)
    says("smc.health: limit_max must be a whole number from 1 to 16", function() smc.health { limit_max = 0 } end)
    says("health:call: \"ok\", \"failed\" or \"limited\" expected", function() smc.health():call "good" end)
    for _, wrong in ipairs { -1, 0 / 0, "1" } do
      says("health:call: how many seconds it took", function() smc.health():call("ok", wrong) end)
    end
    says("health:call: how many seconds it took", function() smc.health():call "ok" end)
    says("health:watch: a function expected", function() smc.health():watch(5) end)
    assert.error_matches(function() smc.health():call "fine" end, "fine")
  end)

  it("takes no number that the core can't keep", function()
    local core = require "smc.core.health"
    for _, wrong in ipairs { -1, 4294967296, 2.5, "two", false } do
      says("window must be a whole number from 0 to 4294967295", function()
        core.new { window = wrong or nil, good_ms = 1, bad_ms = 2, down_after = 1, stale_ms = 0, limit_max = 1 }
      end)
    end
  end)
end)
