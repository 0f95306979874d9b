-- What each venue does when it is in trouble makes a group leave it, whatever its words for that are; and how long that
-- takes at most.
local smc = require "smc"
local venues = require "lib.venues"

local EVERY, PATIENCE = 2, 1 -- seconds between checks, and that one waits

-- How a venue is gone, and the class of what is known of it then.
local GONE = {
  ["refuses connections"] = { { venue = "down" }, "network" },
  ["resets connections"] = { { link = "reset_peer" }, "network" },
  ["says nothing"] = { { link = "blackhole" }, "timeout" },
}

--- The other triggers, switched off.
local function only(name, value)
  local all = { connection = false, breaker = false, errors = false, rate_limit = false, latency = false,
    stream_stale = false, health = false }
  all[name] = value
  return all
end

for name, other, symbols in venues.pairs() do
  describe(("a failover group leaves %s for %s #failover #virtual-time"):format(name, other), function()
    local first, second

    before_each(function()
      first, second = smc.venue(name, { breaker = false }), smc.venue(other)
      assert(first:balances())
    end)

    local function group_with(trigger, value)
      return smc.failover { first, second, check_every = EVERY, check_timeout = PATIENCE, symbols = symbols,
        triggers = only(trigger, value == nil or value) }
    end

    --- The group has left it once, for this.
    local function has_left(group, cause, value)
      assert.same({ second, "failed_over", 1 }, { group.active, group.state, #group:history() })
      local event = group:history()[1]
      assert.same({ name, other, cause, true }, { event.from, event.to, event.cause, event.ok })
      if value then assert.equal(value, event.value) end
      return event
    end

    for what, row in pairs(GONE) do
      it("when it " .. what .. ", by the end of the next check", function()
        local group = group_with "connection"
        first:fault(row[1])
        eventually(function() assert.equal(second, group.active) end, { within = EVERY + PATIENCE + 0.5, every = 0.5 })
        assert.equal(row[2], has_left(group, "connection").error.class)
        assert(group:ticker "BTC/USDT")
      end)
    end

    it("when it fails five calls in a row, and not for four", function()
      local group = group_with "errors"
      first:fault { venue = "status", on = "ticker", status = 500 }
      for _ = 1, 4 do assert.equal("server", select(2, group:ticker "BTC/USDT").class) end
      assert.equal(first, group.active)
      assert.equal("BTC/USDT", assert(group:ticker "BTC/USDT").symbol)
      has_left(group, "errors", 5)
    end)

    it("when it turns three calls away within a minute, and not for two", function()
      local group = group_with "rate_limit"
      first:fault { venue = "status", on = "ticker", status = 429, retry_after = 1,
        code = name == "bybit" and 10006 or nil, times = 3 }
      for _ = 1, 2 do assert.equal("rate_limit", select(2, group:ticker "BTC/USDT").class) end
      assert.equal(first, group.active)
      assert(group:ticker "BTC/USDT")
      has_left(group, "rate_limit", 3)
    end)

    it("at once when it shuts the account's address out", function()
      local group = group_with "rate_limit"
      first:fault { venue = "ban", seconds = 300 }
      assert(group:ticker "BTC/USDT")
      has_left(group, "rate_limit", 3)
    end)

    it("when its circuit breaker opens, with the call that opened it", function()
      first = smc.venue(name, { breaker = { size = 3, min_calls = 3 } })
      local group = group_with "breaker"
      first:fault { venue = "status", on = "balances", status = 500 }
      for _ = 1, 2 do assert.equal("server", select(2, group:balances()).class) end
      assert.equal(first, group.active)
      assert(group:balances())
      assert.equal("open", first.breaker.state)
      has_left(group, "breaker")
    end)

    it("when its stream has gone silent", function()
      local group = group_with("stream_stale", { over = 3 })
      local stream <close> = assert(group:stream { "ticker:BTC/USDT" })
      assert(stream:recv())
      first.sandbox:stall_streams(true)
      eventually(function() assert.equal(second, group.active) end, { within = 3 + EVERY + PATIENCE, every = 1 })
      assert.is_true(has_left(group, "stream_stale").value >= 3)
      repeat local event = assert(stream:recv()) until event.kind == "ticker"
    end)

    it("but not when it refuses our credentials: the venue works, and somebody has to know", function()
      local group = smc.failover { first, second, check_every = EVERY, symbols = symbols }
      first.sandbox:remove_key(name == "oanda" and first.sandbox.token or first.key)
      for _ = 1, 6 do assert.equal("auth", select(2, group:balances()).class) end
      assert.same({ first, {} }, { group.active, second:requests { op = "balances" } })
    end)
  end)
end
