-- smc.limiter in Redis, as redis_limiter.sh runs it: on the real clock, with the place of a server beside this file.
local smc = require "smc"
local PLACE = require "redis_place"

local BUDGETS = { w = { limit = 1, per = 1e6, burst = 10 } } -- nothing comes back while this runs
local counter = 0

local function made(options, budgets)
  options = options or {}
  options.redis, options.patience = options.redis or PLACE, options.patience or 30
  options.prefix = options.prefix or "spec-" .. counter
  return assert(smc.limiter(budgets or BUDGETS, options))
end

describe("smc.limiter in redis", function()
  before_each(function() counter = counter + 1 end)

  it("spends with whoever gives the same prefix, all budgets or none", function()
    local budgets = { a = { limit = 1, per = 1e6, burst = 3 }, b = { limit = 1, per = 1e6, burst = 10 } }
    local one, two, other = made({}, budgets), made({}, budgets), made({ prefix = "other" }, budgets)
    assert(one:acquire { a = 2, b = 5 })
    assert.is_false(two:try { a = 2, b = 1 })
    assert(two:acquire { a = 1, b = 5 })
    assert.is_false(one:try { b = 1 })
    local usage = one:usage "b"
    assert.same({ 10, 10, "bucket" }, { usage.used, usage.limit, usage.kind })
    assert.equal("critical", one:alert "b")
    assert.is_nil(one:alert "b")
    assert.is_true(other:try { a = 3 })
  end)

  it("waits for its turn, by priority and then in order", function()
    local limiter = made({}, { w = { limit = 20, per = 1, burst = 1 } })
    assert(limiter:acquire { w = 1 })
    limiter:hold(0.2)
    local order, tasks = {}, {}
    for i, name in ipairs { "low", "normal", "critical", "normal 2" } do
      tasks[i] = smc.spawn(function()
        assert(limiter:acquire({ w = 1 }, { priority = name:match "%a+" }))
        order[#order + 1] = name
      end)
    end
    smc.sleep(0)
    assert.is_false(limiter:try { w = 1 })
    assert.equal(4, limiter:waiting())
    for _, task in ipairs(tasks) do task:join() end
    assert.equal(0, limiter:waiting())
    assert.same({ "critical", "normal", "normal 2", "low" }, order)
  end)

  it("charges nothing for what was given up or given back", function()
    local limiter = made()
    assert(limiter:acquire { w = 8 })
    local granted = smc.now()
    local _, err = limiter:acquire({ w = 3 }, { timeout = 0.05 })
    assert.equal("timeout", err.class)
    local waits = smc.spawn(function() return limiter:acquire { w = 3 } end)
    smc.sleep(0.05)
    waits:cancel()
    assert.is_true(limiter:try { w = 2 })
    limiter:refund({ w = 4 }, granted)
    assert.is_false(limiter:try { w = 5 })
    assert.is_true(limiter:try { w = 4 })
  end)

  it("wakes who waits when something is given back, or the venue's clock is further ahead", function()
    local limiter, ahead = made({}, { w = { limit = 2, per = 1e6 } }), smc.wall() / 1000 - smc.now()
    local function follow()
      ahead = ahead + 2e6
      limiter:follow("w", ahead)
    end
    local function give_back(granted) limiter:refund({ w = 1 }, granted) end
    for i, sooner in ipairs { give_back, give_back, follow, follow } do
      while limiter:try { w = 1 } do end
      local granted = smc.now()
      local waits = smc.spawn(function() return limiter:acquire({ w = 1 }, { timeout = 20 }) end)
      smc.sleep(0)
      -- Redis has told it how long, for it answers in order; or is about to.
      for _ = 1, i % 2 * 2 do assert.is_false(limiter:try({ w = 1 }, { priority = "critical" })) end
      assert.equal(1, limiter:waiting())
      sooner(granted)
      assert.is_true(waits:join())
    end
  end)

  it("is corrected by the venue, for all", function()
    local one, two = made(), made()
    one:left("w", 3)
    eventually(function() assert.is_false(two:try { w = 4 }) end, { within = 30, every = 0.01 })
    assert.is_true(two:try { w = 3 })
  end)

  it("is held for all, as soon as Redis has heard of it", function()
    local plenty = { w = { limit = 1, per = 1e6, burst = 1000000 } }
    local one, two = made({}, plenty), made({}, plenty)
    local start = smc.now()
    one:hold(2)
    assert.is_false(one:try { w = 1 })
    eventually(function() assert.is_false(two:try { w = 1 }) end, { within = 1, every = 0.01 })
    assert(two:acquire { w = 1 })
    assert.is_true(smc.now() - start >= 1.99)
  end)

  it("refuses other budgets under the same names, and what can never fit", function()
    assert(made():acquire { w = 1 })
    local _, err = made({}, { w = { limit = 2, per = 1e6, burst = 10 } }):acquire { w = 1 }
    assert.equal("invalid_request", err.class)
    assert.matches("budgets are shared there: w; b 10 1 1000000000", err.message, 1, true)
    _, err = made():acquire { w = 11 }
    assert.equal("invalid_request", err.class)
  end)

  it("fails closed while there is no redis, after its patience", function()
    local limiter = made { redis = "unix:///nowhere/redis", patience = 0.2 }
    local start = smc.now()
    local ok, err = limiter:acquire { w = 1 }
    assert.is_nil(ok)
    assert.equal("network", err.class)
    assert.is_true(smc.now() - start >= 0.19)
    assert.equal("network", select(2, limiter:try { w = 1 }).class)
  end)

  it("uses the stated part of each limit while there is no redis", function()
    local limiter = made { redis = "unix:///nowhere/redis", patience = 0.2, without = 0.3 }
    for _ = 1, 3 do assert(limiter:acquire { w = 1 }) end
    local _, err = limiter:acquire({ w = 1 }, { timeout = 0.05 })
    assert.equal("timeout", err.class)
    assert.equal("network", select(2, limiter:acquire { w = 4 }).class)
  end)
end)
