-- Who may send when a venue's limit is reached: by priority, then in order; what waiting, giving up, being held cost.
-- The same on every venue: a budget of ten requests, of which each call here costs one.
local smc = require "smc"

local VENUES = { binance = "raw_requests", bybit = "requests", oanda = "requests" }

--- A client with ten requests in each ten seconds, or, with a burst, so many at once and then one a second.
local function client(name, burst)
  return smc.venue(name, { limiter = { [VENUES[name]] = { limit = 10, per = 10, burst = burst } } })
end

--- To the beginning of a window of the venue's clock, so that ten requests fit into it.
local function next_window() smc.sleep(10 - smc.wall() / 1000 % 10) end

--- One that knows the venue's clock, at the beginning of a window.
local function ready(name)
  local venue = client(name)
  assert(venue:time())
  next_window()
  return venue, #venue.sandbox:requests()
end

for name, budget in pairs(VENUES) do
  describe(("the queue at the limit of %s #rate-limiting #virtual-time #%s"):format(name, name), function()
    it("lets ten pass at once, and the next ones when the window begins anew", function()
      local venue, before = ready(name)
      local start = smc.now()
      for _ = 1, 10 do assert(venue:time()) end
      assert.near(0, smc.now() - start, 0.1)
      for _ = 1, 5 do assert(venue:time()) end
      assert.near(10, smc.now() - start, 0.1)
      assert.equal(15, #venue.sandbox:requests() - before)
    end)

    it("spreads what is more than a burst", function()
      local venue = client(name, 3)
      local start = smc.now()
      for _ = 1, 8 do assert(venue:time()) end
      assert.near(5, smc.now() - start, 0.1)
    end)

    it("goes by priority, and first come first served inside", function()
      local venue = ready(name)
      local low = smc.venue(name, { limiter = venue.limiter, priority = "low" })
      local high = smc.venue(name, { limiter = venue.limiter, priority = "high" })
      local critical = smc.venue(name, { limiter = venue.limiter, priority = "critical" })
      for _ = 1, 10 do assert(venue:time()) end
      local order, tasks = {}, {}
      for i, who in ipairs { { low, "low 1" }, { venue, "normal" }, { high, "high" }, { low, "low 2" },
        { critical, "critical" } } do
        tasks[i] = smc.spawn(function()
          assert(who[1]:time())
          order[#order + 1] = who[2]
        end)
        smc.sleep(0.1)
      end
      for _, task in ipairs(tasks) do task:join() end
      assert.same({ "critical", "high", "normal", "low 1", "low 2" }, order)
    end)

    it("charges nothing for a request that was given up", function()
      local venue, before = ready(name)
      for _ = 1, 10 do assert(venue:time()) end
      local waits = smc.spawn(function() return venue:time() end)
      smc.sleep(1)
      waits:cancel()
      local impatient = smc.venue(name, { limiter = venue.limiter, wait = 2 })
      local _, err = impatient:time()
      assert.equal("rate_limit", err.class)
      next_window()
      for _ = 1, 10 do assert(venue:time()) end
      assert.is_true(smc.wall() % 10000 < 1000)
      assert.equal(20, #venue.sandbox:requests() - before)
    end)

    if name ~= "oanda" then -- whose requests carry no time
      it("signs a request after it has waited", function()
        local venue = ready(name)
        for _ = 1, 10 do assert(venue:time()) end
        local start = smc.now()
        assert(venue:balances()) -- a signature of before the wait would be too old
        assert.is_true(smc.now() - start > 8)
      end)
    end

    it("charges nothing for a request that has not left", function()
      local venue, before = ready(name)
      venue:fault { link = "down" }
      for _ = 1, 4 do assert.equal("network", select(2, venue:time()).class) end
      assert(venue:heal())
      local start = smc.now()
      for _ = 1, 10 do assert(venue:time()) end
      assert.near(0, smc.now() - start, 0.1)
      assert.equal(10, #venue.sandbox:requests() - before)
    end)

    it("sends nothing while it is held, and all that waited afterwards", function()
      local venue = client(name)
      venue.limiter:hold(25)
      venue.limiter:hold(5) -- takes nothing away
      local start = smc.now()
      smc.all(4, function() assert(venue:time()) end)
      assert.near(25, smc.now() - start, 0.1)
      assert.equal(4, #venue.sandbox:requests())
    end)

    it("says at 80 and at 95 percent that little is left", function()
      local venue = ready(name)
      for _ = 1, 7 do assert(venue:time()) end
      assert.is_nil(venue.limiter:alert(budget))
      assert(venue:time())
      assert.equal("warning", venue.limiter:alert(budget))
      assert(venue:time())
      assert.is_nil(venue.limiter:alert(budget))
      assert(venue:time())
      assert.equal("critical", venue.limiter:alert(budget))
    end)
  end)
end

describe("a costly request at the limit #rate-limiting #virtual-time #binance", function()
  it("is overtaken by nobody, and costs nothing when it is given up", function()
    local venue = smc.venue("binance", { limiter = { request_weight = { limit = 30, per = 10 } } })
    assert(venue:time())
    next_window()
    local start = smc.now()
    assert(venue:book("BTC/USDT", 500)) -- costs 25
    local costly = smc.spawn(function() return venue:book("BTC/USDT", 500) end)
    smc.sleep(0.1)
    local light, lights = 0, {}
    for i = 1, 4 do -- the venue counts the first request, too
      lights[i] = smc.spawn(function()
        assert(venue:time())
        light = light + 1
      end)
    end
    smc.sleep(3)
    assert.equal(0, light, "there was room for them, and they came later")

    costly:cancel()

    for _, task in ipairs(lights) do task:join() end
    assert.near(3.1, smc.now() - start, 0.1)
  end)

  it("costs nothing when it has not left", function()
    local venue = smc.venue("binance", { limiter = { request_weight = { limit = 100, per = 10 } } })
    assert(venue:time())
    next_window()
    assert(venue:book("BTC/USDT", 500))
    local before = venue.limiter:usage("request_weight").used
    venue:fault { link = "down" }
    assert.equal("network", select(2, venue:book("BTC/USDT", 500)).class)
    assert.equal(before, venue.limiter:usage("request_weight").used)
  end)

  it("warns at 80 of a hundred, and in earnest at 95", function()
    local venue = smc.venue("binance", { limiter = { request_weight = { limit = 100, per = 10 } } })
    assert(venue:time())
    next_window()
    for _, row in ipairs { { 79, nil }, { 1, "warning" }, { 14, nil }, { 1, "critical" } } do
      assert(venue.limiter:try { request_weight = row[1] })
      assert.equal(row[2], venue.limiter:alert "request_weight")
    end
  end)
end)

describe("a request that can never fit #rate-limiting #virtual-time #binance", function()
  it("is an error at once, and is not sent", function()
    local venue = smc.venue("binance", { limiter = { request_weight = { limit = 10, per = 60 } } })
    assert(venue:time())
    local start = smc.now()
    local _, err = venue:book("BTC/USDT", 500) -- costs 25
    assert.equal("invalid_request", err.class)
    assert.equal(start, smc.now())
    assert.equal(1, #venue.sandbox:requests())
  end)
end)
