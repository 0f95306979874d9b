-- The guarded request, on every venue: what keeps it back, what is told of its answer, what is always given back.
local core = require "smc.core.task"
local smc = require "smc"

local VENUES = { "binance", "bybit", "oanda" }
local SYMBOL = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }
local RESTING = { binance = { "0.01", "40000" }, bybit = { "0.01", "40000" }, oanda = { "1000", "0.9" } }

-- A refusal of all requests, its class, and the seconds to its end: named, or after which asking again is decent.
local REFUSAL = {
  binance = { { status = 429, retry_after = 7 }, "rate_limit", 7 },
  bybit = { { status = 200, code = 10018 }, "ip_ban", 2 },
  oanda = { { status = 429, retry_after = 7 }, "rate_limit", 7 },
}

local function resting(name)
  return { symbol = SYMBOL[name], side = "buy", type = "limit", qty = RESTING[name][1], price = RESTING[name][2] }
end

local function says(text, fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.matches("test_guard.lua:%d+: ", err)
  assert.matches(text, err, 1, true)
end

local function transcript_says(text)
  local transcript = core.transcript()
  assert.is_truthy(transcript:find(text, 1, true), "the transcript does not say: " .. text)
end

local function refuse_once(venue, fault)
  local given = { venue = "status", on = "account", times = 1 }
  for key, value in pairs(fault) do given[key] = value end
  venue:fault(given)
end

for _, name in ipairs(VENUES) do
  describe("a guarded request to " .. name, function()
    --- Half open, and with one probe to give: whoever keeps its permit keeps everybody else out.
    local function tried(options)
      options.breaker = smc.breaker { size = 1, min_calls = 1, open = 1, counts = { "network" } }
      local venue = smc.venue(name, options)
      venue:fault { venue = "reset", times = 1 }
      assert.equal("network", select(2, venue:account()).class)
      smc.sleep(1)
      return venue
    end

    --- The permit is back: another call may be made.
    local function is_back(venue)
      local permit <close> = assert(venue.breaker:ask())
      assert.is_not_nil(permit)
    end

    it("gives its permit back after an answer, an error, and an error that it raises", function()
      local venue = tried {}
      assert(venue:account())
      assert.equal("closed", venue.breaker.state)

      venue = tried {}
      local _, err = venue:get("/nowhere", {}, { signed = true })
      assert.is_not_nil(err.http)
      is_back(venue)

      venue = tried {}
      assert.is_false((pcall(venue.get, venue, "/v5/order/realtime", { price = 0.5 }, { signed = true })))
      assert.equal("half_open", venue.breaker.state)
      is_back(venue)
    end)

    it("gives its permit back when its task is cancelled, waiting or under way; a wait costs nothing", function()
      local limiter = smc.limiter { requests = { limit = 1, per = 1000 }, request_weight = { limit = 20, per = 1000 } }
      local venue = tried { limiter = limiter }
      local before = limiter:usage "requests"
      local task = smc.spawn(function() return venue:account() end)
      smc.sleep(0.01)
      assert.equal("circuit_open", select(2, venue.breaker:ask()).class) -- it has the one permit, and waits
      task:cancel()
      assert.same(before, limiter:usage "requests")
      is_back(venue)

      venue = tried { limiter = false }
      venue:fault { venue = "silent" }
      task = smc.spawn(function() return venue:account() end)
      smc.sleep(0.01)
      assert.equal("circuit_open", select(2, venue.breaker:ask()).class)
      task:cancel()
      is_back(venue)
    end)

    it("fails fast while the breaker is open: nothing is sent, and health does not count it", function()
      local venue = smc.venue(name, { breaker = { size = 3, min_calls = 3, open = 5 } })
      venue:fault { venue = "reset" }
      for _ = 1, 3 do assert.equal("network", select(2, venue:account()).class) end
      assert(venue:heal())
      local sent, failures = #venue.sandbox:requests(), venue.health.failures

      local account, err = venue:account()
      assert.is_nil(account)
      assert.same({ "circuit_open", "not_sent", name, "account", true }, { err.class, err.code, err.venue, err.op,
        err.retryable })
      assert.near(5, err.retry_after, 0.01)
      assert.same({ sent, failures }, { #venue.sandbox:requests(), venue.health.failures })
      transcript_says "breaker: closed -> open (3 calls, 3 failed, 0 slow)"

      smc.sleep(err.retry_after)
      assert(venue:account())
      assert.equal("closed", venue.breaker.state)
      transcript_says "breaker: half_open -> closed"
    end)

    it("sends nothing when the breaker has opened while it waited, and spends nothing", function()
      local limiter = smc.limiter { requests = { limit = 1, per = 4 }, request_weight = { limit = 20, per = 4 } }
      local venue = smc.venue(name, { limiter = limiter, breaker = { size = 1, min_calls = 1 } })
      while limiter:try { requests = 1, request_weight = 20 } do end
      local waiting = smc.spawn(function() return venue:get("/nowhere", {}, { signed = true }) end)
      smc.sleep(0.01)
      local failing = assert(venue.breaker:ask())
      venue.breaker:report(failing, "failed")
      local _, err = waiting:join()
      assert.same({ "circuit_open", "not_sent" }, { err.class, err.code })
      assert.same({}, venue:requests())
      assert.equal(0, limiter:usage(name == "binance" and "request_weight" or "requests").used)
    end)

    it("tells health and breaker what became of it", function()
      local venue = smc.venue(name, { health = { down_after = 2 }, breaker = false })
      assert.is_nil(venue.breaker)
      venue:fault { venue = "status", status = 503, on = "account" }
      for _ = 1, 2 do venue:account() end
      assert.same({ 2, "offline" }, { venue.health.failures, venue.health.state })
      assert(venue:heal())
      assert(venue:account())
      assert.equal(0, venue.health.failures)
      venue:cancel { symbol = SYMBOL[name], id = "1" } -- it says no, but it is there
      assert.equal(0, venue.health.failures)
    end)

    it("signs after it has waited", function()
      if name == "oanda" then return assert.is_true(true) end -- a token has no age
      local venue = smc.venue(name, { limiter = smc.limiter { requests = { limit = 3, per = 50 },
        request_weight = { limit = 20, per = 50 } } })
      assert(venue:account())
      local start = smc.now()
      assert(venue:account()) -- by then a signature of before would be too old
      assert.is_true(smc.now() - start > 6)
    end)

    it("sends nothing before the end that a refusal names, limiter or no", function()
      for _, limiter in ipairs { true, false } do
        local venue = smc.venue(name, { limiter = limiter })
        local fault, class, seconds = table.unpack(REFUSAL[name])
        refuse_once(venue, fault)
        local refused = select(2, venue:account())
        local hit = smc.now()
        assert.equal(class, refused.class)
        assert(venue:time())
        assert.near(seconds, smc.now() - hit, 0.01)
        assert.same({}, venue:requests { after = hit + 0.001, before = hit + seconds - 0.001 })
        transcript_says(("account: %s: nothing is sent for %d s"):format(class, seconds))
      end
    end)

    it("sends on when it need not obey", function()
      local venue = smc.venue(name, { obey_limits = false })
      refuse_once(venue, REFUSAL[name][1])
      venue:account()
      local start = smc.now()
      assert(venue:time())
      assert.near(0, smc.now() - start, 0.5)
    end)

    it("waits no longer than it may", function()
      local venue = smc.venue(name, { wait = 0.5, limiter = smc.limiter { requests = { limit = 3, per = 100 },
        request_weight = { limit = 60, per = 100 } } })
      for _ = 1, 3 do assert(venue:get("/nowhere") == nil) end
      while venue.limiter:try { requests = 1 } do end
      while venue.limiter:try { request_weight = 1 } do end
      local sent, start = #venue:requests(), smc.now()
      local _, err = venue:time()
      assert.same({ "rate_limit", "not_sent", name, false }, { err.class, err.code, err.venue, err.sent })
      assert.near(0.5, smc.now() - start, 0.01)
      assert.equal(sent, #venue:requests())
    end)

    it("takes a limiter that others use, too, and lets urgent requests go first", function()
      local limiter = smc.limiter { requests = { limit = 1, per = 2 }, request_weight = { limit = 20, per = 2 } }
      local usual = smc.venue(name, { limiter = limiter })
      local urgent = smc.venue(name, { limiter = limiter, priority = "critical" })
      assert.is_true(rawequal(limiter, usual.limiter) and rawequal(limiter, urgent.limiter))
      while limiter:try { requests = 1, request_weight = 20 } do end
      local order, tasks = {}, {}
      for i, venue in ipairs { usual, usual, urgent } do
        tasks[i] = smc.spawn(function()
          venue:get("/nowhere", {}, { signed = true })
          order[#order + 1] = i
        end)
        smc.sleep(0)
      end
      for _, task in ipairs(tasks) do task:join() end
      assert.equal(3, order[1])
    end)

    it("shares the published limits among all clients of one venue", function()
      local one, other, own = smc.venue(name), smc.venue(name), smc.venue(name, { obey_limits = false })
      assert.is_true(rawequal(one.limiter, other.limiter))
      assert.is_false(rawequal(one.limiter, own.limiter))
      assert.is_nil(smc.venue(name, { limiter = false }).limiter)
      assert.is_false(rawequal(one.health, other.health))
    end)

    it("refuses options that make no sense, by name, at the caller's line", function()
      local function open(options) return function() smc.venue(name, options) end end
      says("smc.venue: breaker is true, false, options of smc.breaker or a breaker", open { breaker = 5 })
      says("smc.venue: breaker: unknown option 'sise'", open { breaker = { sise = 1 } })
      says("smc.venue: retry is false, true, options of smc.retry or a policy", open { retry = 3 })
      says("smc.venue: retry: attempts must be a whole number from 1 to 1000", open { retry = { attempts = 0 } })
      says("smc.venue: health: unknown option 'x'", open { health = { x = 1 } })
      says("smc.venue: health is options of smc.health or a health", open { health = 1 })
      says("smc.venue: limiter is true, false, budgets", open { limiter = 5 })
      says("smc.venue: limiter: " .. name .. " has no budget 'wait' (there are: ", open { limiter = { wait = {} } })
      local budget = name == "binance" and "request_weight" or "requests"
      says("smc.venue: limiter: " .. budget .. ": limit is a whole number",
        open { limiter = { [budget] = { per = 1 } } })
      says("smc.venue: limiter: " .. name .. " spends of none of its budgets (it spends of: ",
        open { limiter = smc.limiter { other = { limit = 1, per = 1 } } })
      says("smc.venue: priority is critical, high, normal or low", open { priority = "top" })
      says("smc.venue: wait is a number of seconds >= 0", open { wait = -1 })
      says("smc.venue: obey_limits is true or false", open { obey_limits = "no" })
    end)

    it("can have one of its published limits changed", function()
      local budget = name == "binance" and "request_weight" or "requests"
      local venue = smc.venue(name, { limiter = { [budget] = { limit = 7, per = 3 } } })
      assert.equal(7, venue.limiter:usage(budget).limit)
      assert.is_true(name == "oanda" or #venue.limiter:budgets() > 1)
    end)

    it("does not wait for everything when the venue refuses one kind", function()
      if name == "oanda" then return assert.is_true(true) end -- it has one kind only
      local venue = smc.venue(name, { limiter = false })
      local code = name == "binance" and -1015 or 10006
      venue:fault { venue = "status", status = name == "binance" and 429 or 200, code = code, retry_after = 9,
        on = "place", times = 1 }
      local _, err = venue:place(resting(name))
      assert.same({ "rate_limit", code }, { err.class, err.code })
      local start = smc.now()
      assert(venue:account())
      assert.near(0, smc.now() - start, 0.1)
      assert(venue:place(resting(name)))
      assert.is_true(smc.now() - start >= (err.retry_after or 2) - 0.01)
    end)
  end)
end

describe("a ban", function()
  for _, name in ipairs { "binance", "bybit" } do
    it("holds requests to " .. name .. " until its end, also of other clients of the same address", function()
      local venue, other = smc.venue(name, { wait = 1 }), smc.venue(name, { wait = 1 })
      local seconds = name == "binance" and 120 or 600
      if name == "binance" then
        local ends = smc.wall() + seconds * 1000
        venue:fault { venue = "status", status = 418, code = -1003, times = 1,
          message = ("Way too much request weight used; IP banned until %d."):format(ends) }
      else
        venue.sandbox:limit { requests = 0, per = 5 }
      end
      local banned = select(2, venue:time())
      assert.same({ "ip_ban", seconds }, { banned.class, banned.retry_after })
      local _, err = venue:time()
      assert.same({ "rate_limit", "not_sent" }, { err.class, err.code })
      assert.near(seconds, err.retry_after, 0.01)
      assert.equal("not_sent", select(2, other:time()).code)
      assert.equal(1, #venue.sandbox:requests())
      assert.same({ 1, 80 }, { venue.health.failures, venue.health:parts().limits })
      assert.equal("failed", venue.breaker:judge(nil, banned))
    end)
  end
end)

for _, name in ipairs(VENUES) do
  describe("a stream of " .. name .. " under guard", function()
    local channel = "book:" .. SYMBOL[name]

    it("is watched by health while it is open, and no longer", function()
      local venue = smc.venue(name, { health = { stale = 4 } })
      local stream = assert(venue:stream { channel, stale_after = 50 })
      assert.equal(100, venue.health:parts().stream)
      venue.sandbox:stall_streams(true)
      smc.sleep(6)
      assert.is_false(stream:drain() == nil)
      local stale = venue.health:parts().stream
      assert.is_true(stale > 0 and stale <= 50, stale)
      smc.sleep(4)
      assert.same({ 0, "unhealthy" }, { venue.health:parts().stream, venue.health.state })
      stream:close()
      assert.equal(100, venue.health:parts().stream)
    end)

    it("counts a lost connection as a failure, also when the next one is had at once", function()
      local venue = smc.venue(name)
      local stream <close> = assert(venue:stream { channel })
      assert.equal(100, venue.health:parts().success)
      venue.sandbox:drop_streams()
      eventually(function()
        stream:recv(1)
        assert.equal(1, stream.reconnects)
      end, { within = 20 })
      assert.is_true(venue.health:parts().success < 100)
    end)

    it("counts each attempt to have another connection as a failure", function()
      local venue = smc.venue(name, { health = { down_after = 3 }, breaker = false })
      local stream <close> = assert(venue:stream { channel })
      venue:fault { venue = "down" }
      eventually(function()
        stream:recv(1)
        assert.same({ true, "offline" }, { venue.health.failures >= 3, venue.health.state })
      end, { within = 20 })
      assert(venue:heal())
      eventually(function()
        stream:recv(1)
        assert.is_true(stream:connected())
      end, { within = 40 })
      assert.equal(0, venue.health.failures)
    end)

    it("does not connect before the end of a refusal, and pays what it costs", function()
      local venue = smc.venue(name, { limiter = true })
      local fault, _, seconds = table.unpack(REFUSAL[name])
      refuse_once(venue, fault)
      venue:account()
      local start = smc.now()
      local stream <close> = assert(venue:user_stream { reconnect = false })
      assert.is_true(smc.now() - start >= seconds - 0.01)
      if name ~= "binance" then return assert.is_not_nil(stream) end
      local before, theirs = venue.limiter:usage("request_weight").used, venue.sandbox:limits().window
      local other <close> = assert(venue:user_stream { reconnect = false })
      assert.is_not_nil(other)
      assert.equal(before + 4, venue.limiter:usage("request_weight").used)
      assert.equal(theirs + 4, venue.sandbox:limits().window)
    end)
  end)
end
