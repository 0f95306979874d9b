-- smc.limiter: its law is tested in C; here are its words, its waiting tasks, and what ends a wait.
local smc = require "smc"

local function says(text, fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.matches("test_limiter.lua:%d+: ", err)
  assert.matches(text, err, 1, true)
end

--- Tasks that acquire in order; returns the list that their names go to.
local function queue(limiter, rows)
  local order, tasks = {}, {}
  for i, row in ipairs(rows) do
    tasks[i] = smc.spawn(function()
      local ok, err = limiter:acquire({ weight = row.weight or 1 }, { priority = row.priority, timeout = row.timeout })
      order[#order + 1] = row.name .. (ok and "" or " " .. err.class)
    end)
    smc.sleep(0) -- so that they come in this order
  end
  return order, tasks
end

describe("smc.limiter", function()
  it("grants at once what there is, and makes the rest wait for it", function()
    local limiter = smc.limiter { weight = { limit = 10, per = 1, burst = 5 } }
    local start = smc.now()
    for _ = 1, 5 do assert(limiter:acquire { weight = 1 }) end
    assert.near(0, smc.now() - start, 0.01)
    for _ = 1, 20 do assert(limiter:acquire { weight = 1 }) end
    assert.near(2, smc.now() - start, 0.02)
  end)

  it("keeps a window's limit however many tasks ask", function()
    local limiter = smc.limiter { weight = { limit = 7, per = 1 } }
    local counts = {}
    smc.all(4, function()
      for _ = 1, 20 do
        assert(limiter:acquire { weight = 1 })
        local window = math.floor(smc.now())
        counts[window] = (counts[window] or 0) + 1
      end
    end)
    local windows = 0
    for _, n in pairs(counts) do
      assert.is_true(n <= 7)
      windows = windows + 1
    end
    assert.is_true(windows <= 13) -- 80 in windows of 7, the first one perhaps begun
  end)

  it("wakes who waits for a window when the clock that it follows is set", function()
    local limiter = smc.limiter { weight = { limit = 1, per = 60 } }
    assert(limiter:acquire { weight = 1 })
    local _, tasks = queue(limiter, { { name = "a" } })
    local start = smc.now()
    limiter:follow("weight", 50)
    tasks[1]:join()
    assert.near(60 - (start + 50) % 60, smc.now() - start, 0.01)
  end)

  it("goes by priority, then by arrival", function()
    local limiter = smc.limiter { weight = { limit = 1, per = 1 } }
    assert(limiter:acquire { weight = 1 })
    local order, tasks = queue(limiter, { { name = "a" }, { name = "low", priority = "low" }, { name = "b" },
      { name = "top", priority = "critical" } })
    assert.is_false(limiter:try { weight = 1 })
    for _, task in ipairs(tasks) do task:join() end
    assert.same({ "top", "a", "b", "low" }, order)
  end)

  it("ends a wait by its timeout or with its task, at no cost, and lets the next one go", function()
    local limiter = smc.limiter { weight = { limit = 10, per = 10, burst = 10 } }
    assert(limiter:acquire { weight = 9 })
    local order, tasks = queue(limiter, { { name = "big", weight = 10, timeout = 1 },
      { name = "cancelled", weight = 10 }, { name = "small" } })
    smc.sleep(0.5)
    assert.same({}, order) -- nobody overtakes
    assert.equal(3, limiter:waiting())
    smc.sleep(0.6)
    assert.same({ "big timeout" }, order)
    assert.equal(2, limiter:waiting())
    tasks[2]:cancel()
    assert.equal(0, limiter:waiting())
    tasks[3]:join(0.01) -- there is room for it: it need not wait for anybody's timer
    assert.same({ "big timeout", "small" }, order)
    assert.is_true(limiter:usage("weight").used <= 9)
  end)

  it("is held by what the venue says", function()
    local limiter = smc.limiter { weight = { limit = 100, per = 60 } }
    limiter:hold(12)
    local start = smc.now()
    assert(limiter:acquire { weight = 1 })
    assert.near(12, smc.now() - start, 0.01)
    limiter:left("weight", 3)
    assert.same({ used = 97, limit = 100, kind = "window", rate = 100 / 60 }, limiter:usage "weight")
    assert.equal("critical", limiter:alert "weight")
    assert.is_nil(limiter:alert "weight")
    assert.is_false(limiter:try { weight = 4 })
  end)

  it("follows another clock", function()
    local limiter = smc.limiter { weight = { limit = 1, per = 60 } }
    local into = smc.now() % 60
    limiter:follow("weight", 50 - into + 60) -- it is ten seconds before a full minute there
    assert(limiter:acquire { weight = 1 })
    local start = smc.now()
    assert(limiter:acquire { weight = 1 })
    assert.near(10, smc.now() - start, 0.02)
  end)

  it("spends from several budgets together", function()
    local limiter = smc.limiter { orders = { limit = 2, per = 10 }, weight = { limit = 100, per = 60 } }
    assert(limiter:acquire { orders = 2, weight = 1 })
    assert.is_false(limiter:try { orders = 1, weight = 1 })
    assert.equal(1, limiter:usage("weight").used)
    local _, err = limiter:acquire { orders = 3 }
    assert.same({ "invalid_request", false }, { err.class, err.retryable })
    assert.equal("invalid_request", select(2, limiter:try { orders = 3 }).class)
  end)

  it("takes back what turned out to cost nothing, and lets go who waited for it", function()
    local limiter = smc.limiter { orders = { limit = 5, per = 10, burst = 5 }, weight = { limit = 10, per = 10 } }
    assert.same({ "orders", "weight" }, limiter:budgets())
    smc.sleep(10 - smc.now() % 10)
    assert(limiter:acquire { weight = 9, orders = 1 })
    local order, tasks = queue(limiter, { { name = "waits", weight = 5 } })
    limiter:refund({ weight = 4, orders = 1 }, smc.now())
    tasks[1]:join(0.01)
    assert.same({ "waits" }, order)
    assert.same({ 10, 0 }, { limiter:usage("weight").used, limiter:usage("orders").used })
    local before = smc.now()
    smc.sleep(10)
    assert(limiter:acquire { weight = 3 })
    limiter:refund({ weight = 3 }, before) -- of a window that is over
    assert.equal(3, limiter:usage("weight").used)
    says("limiter:refund: there is no budget 'x'", function() limiter:refund({ x = 1 }, 0) end)
    says("limiter:refund: the time of the grant", function() limiter:refund({ weight = 1 }) end)
  end)

  it("refuses what makes no sense, by name, at the caller's line", function()
    says("smc.limiter: budgets by name expected", function() smc.limiter {} end)
    says("smc.limiter: w: limit is a whole number", function() smc.limiter { w = { limit = 0, per = 1 } } end)
    says("smc.limiter: w: per is a number of seconds", function() smc.limiter { w = { limit = 1 } } end)
    says("smc.limiter: w: unknown key 'pre'", function() smc.limiter { w = { limit = 1, pre = 1 } } end)
    says("smc.limiter: w: kind is", function() smc.limiter { w = { limit = 1, per = 1, kind = "jar" } } end)
    says("smc.limiter: w: burst, of a bucket", function()
      smc.limiter { w = { limit = 1, per = 1, kind = "window", burst = 2 } }
    end)
    local limiter = smc.limiter { weight = { limit = 1, per = 1 } }
    says("limiter:acquire: there is no budget 'orders' (there are: weight)", function()
      return limiter:acquire { orders = 1 }, nil
    end)
    says("limiter:acquire: the weight of weight is a whole number", function()
      return limiter:acquire { weight = 0.5 }, nil
    end)
    says("limiter:acquire: unknown option 'prio'", function()
      return limiter:acquire({ weight = 1 }, { prio = 1 }), nil
    end)
    for _, wrong in ipairs { -1, 0 / 0, "5", 1e300 } do
      says("limiter:acquire: timeout is a number of seconds", function()
        return limiter:acquire({ weight = 1 }, { timeout = wrong }), nil
      end)
      says("limiter:hold: a number of seconds", function() limiter:hold(wrong) end)
      says("limiter:left: the time of the grant", function() limiter:left("weight", 1, wrong) end)
    end
    says("limiter:acquire: options as in", function() return limiter:acquire({ weight = 1 }, 5), nil end)
    says("limiter:try: unknown option 'timeout'", function()
      return limiter:try({ weight = 1 }, { timeout = 1 }), nil
    end)
    says("limiter:try: priority is critical", function()
      return limiter:try({ weight = 1 }, { priority = "top" }), nil
    end)
    says("limiter:usage: there is no budget 'x'", function() return limiter:usage "x", nil end)
    says("limiter:left: a whole number expected", function() limiter:left("weight", -1) end)
    local bucket = smc.limiter { weight = { limit = 1, per = 1, burst = 1 } }
    says("limiter:follow: a bucket follows no clock", function() bucket:follow("weight", 1) end)
  end)
end)

describe("smc.limiter, shared", function()
  local BUDGETS = { orders = { limit = 5, per = 10, burst = 5 }, weight = { limit = 100, per = 60 } }

  it("spends with whoever shares the name, from one budget, holds included", function()
    local a, b = assert(smc.limiter(BUDGETS, { share = "one" })), assert(smc.limiter(BUDGETS, { share = "one" }))
    local alone = smc.limiter(BUDGETS)
    assert(a:acquire { weight = 60, orders = 5 })
    assert.is_false(b:try { weight = 1, orders = 1 })
    assert.equal(60, b:usage("weight").used)
    assert.equal(0, alone:usage("weight").used)
    b:refund({ weight = 10 }, smc.now())
    assert.equal(50, a:usage("weight").used)
    b:left("weight", 10)
    assert.equal("critical", (function() assert.is_true(a:try { weight = 5 }) return a:alert "weight" end)())
    a:hold(30)
    local start = smc.now()
    assert(b:acquire { orders = 1 })
    assert.near(30, smc.now() - start, 0.01)
  end)

  it("waits for what another one spends meanwhile", function()
    local a, b = assert(smc.limiter(BUDGETS, { share = "one" })), assert(smc.limiter(BUDGETS, { share = "one" }))
    local start, got = smc.now(), {}
    smc.all(2, function(i)
      for _ = 1, 10 do
        assert((i == 1 and a or b):acquire { orders = 1 })
        got[#got + 1] = smc.now() - start
      end
    end)
    assert.near(30, got[20], 0.01) -- five at once, then one in two seconds, whoever asks
  end)

  it("follows the clock that another one was told of", function()
    local a, b = assert(smc.limiter(BUDGETS, { share = "one" })), assert(smc.limiter(BUDGETS, { share = "one" }))
    a:follow("weight", 60 - smc.now() % 60 + 50)
    assert(a:acquire { weight = 100 })
    local granted = smc.now()
    assert(b:acquire { weight = 1 })
    assert.near(10, smc.now() - granted, 0.02)
    b:left("weight", 0, granted) -- an answer to what was granted in the window before
    assert.equal(1, b:usage("weight").used)
  end)

  it("knows the budgets that a venue publishes", function()
    local limiter = assert(smc.limiter("binance", { share = "binance" }))
    assert.equal(6000, limiter:usage("request_weight").limit)
    local one, other = smc.venue("binance", { limiter = limiter }),
      smc.venue("binance", { limiter = assert(smc.limiter("binance", { share = "binance" })) })
    assert(one:time())
    assert(other:time())
    assert.equal(2, one.limiter:usage("request_weight").used)
  end)

  it("begins anew in each spec of virtual time, and refuses other budgets by name", function()
    assert.equal(0, assert(smc.limiter(BUDGETS, { share = "one" })):usage("weight").used)
    local limiter, err = smc.limiter({ weight = { limit = 1, per = 1 } }, { share = "one" })
    assert.is_nil(limiter)
    assert.equal("invalid_request", err.class)
    assert.matches("share 'one' has other budgets in this spec: orders weight", err.message, 1, true)
    limiter, err = smc.limiter({ orders = BUDGETS.orders, weight = { limit = 99, per = 60 } }, { share = "one" })
    assert.is_nil(limiter)
    assert.matches("a window of 100 in 60000 ms, not as a window of 99 in 60000 ms", err.message, 1, true)
  end)

  it("refuses what makes no sense, by name, at the caller's line", function()
    says("smc.limiter: share is a name", function() smc.limiter(BUDGETS, { share = "../x" }) end)
    says("smc.limiter: share is a name", function() smc.limiter(BUDGETS, { share = 7 }) end)
    says("smc.limiter: unknown option 'shared'", function() smc.limiter(BUDGETS, { shared = "x" }) end)
    says("smc.limiter: prefix goes with redis", function() smc.limiter(BUDGETS, { prefix = "x" }) end)
    says("smc.limiter: share or redis, not both", function() smc.limiter(BUDGETS, { share = "x", redis = "x" }) end)
    says("smc.limiter: redis is a place like", function() smc.limiter(BUDGETS, { redis = 7 }) end)
    says("smc.limiter: prefix is made of", function() smc.limiter(BUDGETS, { redis = "x", prefix = " " }) end)
    says("smc.limiter: without is", function() smc.limiter(BUDGETS, { redis = "x", without = 2 }) end)
    says("smc.limiter: patience is", function() smc.limiter(BUDGETS, { redis = "x", patience = 0 }) end)
    local _, err = smc.limiter(BUDGETS, { redis = "redis://127.0.0.1" })
    assert.matches("redis needs --clock real", err.message, 1, true)
    says("smc.limiter: options as in", function() smc.limiter(BUDGETS, "x") end)
    says("smc.limiter: no limits of a venue 'kraken' are known", function() smc.limiter("kraken") end)
  end)
end)
