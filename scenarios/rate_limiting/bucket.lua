-- A bucket: so many requests at once, and then one by one as it fills.  Judged by when they arrive at the venue.
-- Two a second with five saved up, say, is what a desk's own limits look like; whoever passes more is shut out.
local smc = require "smc"

--- The budget of which each call here costs one.
local BUDGETS = { binance = "raw_requests", bybit = "requests", oanda = "requests" }

for name, budget in pairs(BUDGETS) do
  describe(("a bucket for %s #rate-limiting #virtual-time #%s"):format(name, name), function()
    local function client(rate, burst, wait)
      return smc.venue(name, { limiter = { [budget] = { limit = rate, per = 1, burst = burst } }, wait = wait })
    end

    --- When requests arrived, in seconds since `start`.
    local function arrivals(venue, start)
      local at = {}
      for i, request in ipairs(venue.sandbox:requests { after = start }) do at[i] = request.at - start end
      return at
    end

    local function assert_near(expected, seen)
      assert.equal(#expected, #seen)
      for i, at in ipairs(expected) do assert.near(at, seen[i], 0.01, "request " .. i) end
    end

    --- What is the same whatever the venue is shown at one.
    local once = name == "binance" and it or function() end

    it("lets as many arrive at once as it holds, and then one a second", function()
      for burst, expected in pairs { [1] = { 0, 1, 2, 3, 4 }, [3] = { 0, 0, 0, 1, 2 } } do
        local venue = client(1, burst)
        local start = smc.now()
        for _ = 1, 5 do assert(venue:time()) end
        assert_near(expected, arrivals(venue, start))
        smc.sleep(0.001)
      end
    end)

    once("saves no more than it holds, however long nothing is asked", function()
      local venue = client(1, 3)
      assert(venue:time())
      smc.sleep(40)
      local start = smc.now()
      for _ = 1, 5 do assert(venue:time()) end
      assert_near({ 0, 0, 0, 1, 2 }, arrivals(venue, start))
    end)

    it("turns exactly those away that would wait for too long, and charges them nothing", function()
      local venue = client(2, 5, 0.5)
      local start = smc.now()
      local passed, refused = 0, 0
      smc.all(10, function()
        local time, err = venue:time()
        if time then passed = passed + 1 return end
        assert.same({ "rate_limit", "not_sent" }, { err.class, err.code })
        refused = refused + 1
      end)
      assert.same({ 6, 4 }, { passed, refused }) -- the sixth waits for half a second, the seventh would for a whole

      assert(venue:time())
      assert_near({ 0, 0, 0, 0, 0, 0.5, 1 }, arrivals(venue, start))
    end)

    it("gives who asks five times too often what is allowed, and no more", function()
      local venue = client(2, 5, 0)
      local start, passed = smc.now(), 0
      for i = 0, 49 do
        smc.sleep(start + i * 0.1 - smc.now())
        passed = passed + (venue:time() and 1 or 0)
      end

      assert.equal(5 + 9, passed) -- what it held, and 4.9 seconds of two
      local at = arrivals(venue, start)
      assert.equal(passed, #at)
      for first = 1, #at do
        for last = first, #at do
          local most = 5 + 2 * (at[last] - at[first]) + 0.05
          assert.is_true(last - first + 1 <= most, ("%d to %d"):format(first, last))
        end
      end
    end)

    once("keeps nothing from who asks for less", function()
      local venue = client(2, 5, 0)
      local start = smc.now()
      for i = 0, 9 do
        smc.sleep(start + i - smc.now())
        assert(venue:time())
      end
      assert.equal(10, #arrivals(venue, start))
    end)
  end)
end
