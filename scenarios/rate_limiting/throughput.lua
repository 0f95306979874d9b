-- A client that is governed gets all that the venue allows, and is never refused.  Whoever stays far below the limit to
-- be safe trades late; whoever passes it is shut out in the middle of a position.
local smc = require "smc"

--- Twenty requests in five seconds: what the venue is told, and the same as a budget of the client.  What rolls is kept
-- by a bucket that holds little.
local ROLLING = { limit = 19, per = 5, burst = 1 }
local VENUES = {
  { name = "binance", limit = { request_weight = 20, per = 5 }, budget = { request_weight = { limit = 20, per = 5 } } },
  { name = "bybit", limit = { requests = 20, per = 5 }, budget = { requests = ROLLING } },
  { name = "oanda", limit = { requests = 20, per = 5 }, budget = { requests = ROLLING } },
}
local SECONDS = 10

for _, row in ipairs(VENUES) do
  describe(("a governed client of %s #rate-limiting #virtual-time #%s"):format(row.name, row.name), function()
    --- Asks for as long as that, from so many tasks, each with a venue object of its own.
    local function ask_from(venues)
      venues[1].sandbox:limit(row.limit)
      local start = smc.now()
      smc.all(#venues, function(i)
        while smc.now() < start + SECONDS do assert(venues[i]:time()) end
      end)
      return venues[1].sandbox:limits()
    end

    local function assert_all_used_and_none_refused(limits)
      assert.equal(0, limits.violations)
      assert.is_true(limits.used >= 0.95 * 20 * SECONDS / 5, limits.used)
    end

    it("uses what the venue allows, and is never refused, from four tasks", function()
      local venue = smc.venue(row.name, { limiter = row.budget })
      assert_all_used_and_none_refused(ask_from { venue, venue, venue, venue })
    end)

    it("uses it with others of its machine, who share a budget by its name", function()
      local workers = {}
      for i = 1, 3 do
        local limiter = assert(smc.limiter(row.budget, { share = "desk" }))
        workers[i] = smc.venue(row.name, { limiter = limiter })
      end
      assert_all_used_and_none_refused(ask_from(workers))
      for i, worker in ipairs(workers) do assert.is_true(#worker:requests() >= 5, "worker " .. i) end
    end)

    --- What is the same whatever the venue is shown at one.
    local once = row.name == "binance" and it or function() end

    once("is refused when others of its address have a budget of their own each", function()
      local workers = {}
      for i = 1, 2 do
        workers[i] = smc.venue(row.name, { limiter = row.budget, obey_limits = false, breaker = false })
      end
      workers[1].sandbox:limit(row.limit)
      smc.all(2, function(i) for _ = 1, 20 do workers[i]:time() end end)
      assert.is_true(workers[1].sandbox:limits().violations > 0)
    end)
  end)
end

describe("the limit of one venue #rate-limiting #virtual-time #binance #bybit #oanda", function()
  it("keeps nobody waiting who asks another", function()
    local venues = { smc.venue "binance", smc.venue "bybit", smc.venue "oanda" }
    for i, venue in ipairs(venues) do
      venue.limiter:hold(20)
      local start = smc.now()
      for k, other in ipairs(venues) do
        if k > i then assert(other:time()) end
      end
      assert.equal(start, smc.now())
    end
    local start = smc.now()
    for _, venue in ipairs(venues) do assert(venue:time()) end
    assert.near(20, smc.now() - start, 0.01)
  end)
end)

describe("workers that share a budget #rate-limiting #virtual-time #binance", function()
  --- So many workers of one machine, ten requests in ten seconds for all of them.
  local function workers(n)
    local out = {}
    for i = 1, n do
      local limiter = assert(smc.limiter({ raw_requests = { limit = 10, per = 10 } }, { share = "desk" }))
      out[i] = smc.venue("binance", { limiter = limiter })
    end
    smc.sleep(10 - smc.wall() / 1000 % 10)
    return table.unpack(out)
  end

  it("are all held by the refusal that one of them met", function()
    local first, second = workers(2)
    assert(first:time())
    first:fault { venue = "http", status = 429, retry_after = 7, on = "time", count = 1 }
    assert.equal("rate_limit", select(2, first:time()).class)
    local start, arrived = smc.now(), #first.sandbox:requests()

    assert(second:ticker "BTC/USDT")

    assert.near(7, smc.now() - start, 0.1)
    assert.equal(arrived + 1, #first.sandbox:requests())
  end)

  it("leave to each other what one of them has given up", function()
    local first, second = workers(2)
    for _ = 1, 10 do assert(first:time()) end
    local waits = smc.spawn(function() return first:time() end)
    smc.sleep(1)
    waits:cancel()
    smc.sleep(10 - smc.wall() / 1000 % 10)
    local start = smc.now()
    for _ = 1, 10 do assert(second:time()) end
    assert.near(0, smc.now() - start, 0.1)
  end)

  it("see the same use of it, whoever spends", function()
    local first, second = workers(2)
    for _ = 1, 3 do assert(first:time()) end
    for _ = 1, 5 do assert(second:time()) end
    for _, worker in ipairs { first, second } do
      assert.equal(8, worker.limiter:usage("raw_requests").used)
    end
  end)
end)
