-- Refused, and asked again: as long as the venue says, or as the client's own waits grow, whichever is longer.
local smc = require "smc"

--- A refusal: binance and oanda name its end; bybit has a code for it, and here no reset, for which two seconds are
-- kept.
local VENUES = {
  binance = { status = 429, retry_after = 5, asks = 5 },
  bybit = { status = 200, code = 10006, asks = 2 },
  oanda = { status = 429, retry_after = 5, asks = 5 },
}

for name, refusal in pairs(VENUES) do
  describe(("after a refusal by %s #rate-limiting #virtual-time #%s"):format(name, name), function()
    local function client(retry, options)
      local given = { retry = retry, limiter = false }
      for key, value in pairs(options or {}) do given[key] = value end
      local venue = smc.venue(name, given)
      assert(venue:balances())
      return venue
    end

    local function refuse(venue, times)
      venue:fault { venue = "http", status = refusal.status, code = refusal.code, retry_after = refusal.retry_after,
        on = "balances", count = times }
    end

    --- Seconds between the end of each attempt after the first call and the beginning of the next.
    local function gaps(venue)
      local out, sent = {}, venue:requests { op = "balances" }
      for i = 3, #sent do out[#out + 1] = sent[i].at - sent[i - 1].at - sent[i - 1].elapsed end
      return out
    end

    local function assert_gaps(venue, expected)
      local waited = gaps(venue)
      assert.equal(#expected, #waited)
      for i, seconds in ipairs(expected) do assert.near(seconds, waited[i], 0.01, "wait " .. i) end
    end

    --- What is the same whatever the venue is shown at one.
    local once = name == "binance" and it or function() end

    it("the wait is as long as the venue asks, though the client would be sooner", function()
      local venue = client { base = 0.1, jitter = 0 }
      refuse(venue, 1)
      assert(venue:balances())
      assert_gaps(venue, { refusal.asks })
    end)

    it("the wait is as long as the client's own, though the venue would take it sooner", function()
      local venue = client { base = 8, jitter = 0 }
      refuse(venue, 1)
      assert(venue:balances())
      assert_gaps(venue, { 8 })
    end)

    once("each further wait is longer, up to the longest, and the last error is told", function()
      local venue = client { base = 6, factor = 1.5, max = 10, jitter = 0, attempts = 4, budget = 0 }
      refuse(venue, 4)
      local balances, err = venue:balances()
      assert.is_nil(balances)
      assert.same({ "rate_limit", refusal.status, refusal.retry_after }, { err.class, err.http, err.retry_after })
      assert_gaps(venue, { 6, 9, 10 })
    end)

    once("the next call starts anew, with the shortest wait", function()
      local venue = client { base = 6, factor = 1.5, jitter = 0 }
      refuse(venue, 2)
      assert(venue:balances())
      assert_gaps(venue, { 6, 9 })
      refuse(venue, 1)
      assert(venue:balances())
      local waited = gaps(venue)
      assert.near(6, waited[#waited], 0.01)
    end)

    it("nothing else of the kind is sent meanwhile, and all of it once that is over", function()
      local venue = client { base = 0.1, jitter = 0 }
      refuse(venue, 1)
      local start, ends = smc.now(), {}
      smc.all(5, function(i)
        if i > 1 then smc.sleep(0.01) end
        assert(venue:balances())
        ends[i] = smc.now() - start
      end)
      assert.same({}, venue.sandbox:requests { after = start + 0.005, before = start + refusal.asks - 0.002 })
      for _, at in ipairs(ends) do assert.near(refusal.asks, at, 0.1) end
    end)

    once("a shorter refusal that comes later makes no wait shorter", function()
      local venue = client(false)
      venue:fault { venue = "http", status = 429, retry_after = 9, on = "balances", count = 1 }
      venue:fault { venue = "http", status = 429, retry_after = 2, on = "ticker", count = 1 }
      local start = smc.now()
      smc.all { function() return venue:balances() end, function() return venue:ticker "BTC/USDT" end }
      assert.equal(2, #venue:requests { status = 429 })
      assert(venue:time())
      assert.near(9, smc.now() - start, 0.01)
    end)

    it("who can't wait for so long is told at once, and for how long", function()
      local venue = client(false, { wait = 1 })
      refuse(venue, 1)
      assert.equal("rate_limit", select(2, venue:balances()).class)
      local start, sent = smc.now(), #venue:requests()
      local balances, err = venue:balances()
      assert.is_nil(balances)
      assert.same({ "rate_limit", "not_sent", start, sent }, { err.class, err.code, smc.now(), #venue:requests() })
      assert.near(refusal.asks, err.retry_after, 0.01)
      smc.sleep(refusal.asks - 1)
      assert(venue:balances())
      assert.near(refusal.asks, smc.now() - start, 0.01)
    end)

    once("who does not ask again by itself waits no longer than that at the next call", function()
      local venue = client(false)
      refuse(venue, 1)
      assert.equal("rate_limit", select(2, venue:balances()).class)
      local start = smc.now()
      assert(venue:balances())
      assert.near(refusal.asks, smc.now() - start, 0.01)
    end)
  end)
end
