-- A crowd waits, and some give up: nobody is lost, nobody is served twice, and who has gone is charged nothing.
local smc = require "smc"

local BUDGETS = { binance = "raw_requests", bybit = "requests", oanda = "requests" }
local PRIORITIES = { "low", "normal", "high", "critical" }

for name, budget in pairs(BUDGETS) do
  describe(("a crowd at the limit of %s #rate-limiting #virtual-time #%s"):format(name, name), function()
    --- Ten a second, one at a time.
    local function limiter() return assert(smc.limiter { [budget] = { limit = 10, per = 1, burst = 1 } }) end

    --- What is the same whatever the venue is shown at one.
    local once = name == "binance" and it or function() end

    it("is served by rank and arrival, without those who have left", function()
      local shared, served, tasks = limiter(), {}, {}
      local clients = {}
      for rank, priority in ipairs(PRIORITIES) do
        clients[rank] = smc.venue(name, { limiter = shared, priority = priority })
      end
      assert(clients[1]:time()) -- from now on somebody waits
      for i = 1, 20 do
        local rank = (i * 7) % 4 + 1
        tasks[i] = smc.spawn(function()
          assert(clients[rank]:time())
          served[#served + 1] = { rank = rank, came = i }
        end)
      end
      smc.sleep(0.05)
      assert.equal(20, shared:waiting())
      for i = 3, 20, 3 do tasks[i]:cancel() end
      assert.equal(14, shared:waiting())

      local start = smc.now()
      for i, task in ipairs(tasks) do
        if i % 3 ~= 0 then task:join() end
      end

      assert.equal(14, #served)
      for i = 2, #served do
        local before, now = served[i - 1], served[i]
        local in_order = before.rank > now.rank or before.rank == now.rank and before.came < now.came
        assert.is_true(in_order, ("%d before %d"):format(before.came, now.came))
      end
      assert.equal(15, #clients[1].sandbox:requests())
      assert.near(1.35, smc.now() - start, 0.1) -- the six who left have cost nothing
      assert.equal(0, shared:waiting())
    end)

    once("leaves the low waiting as long as others come, and serves them when nobody does", function()
      local shared = limiter()
      local venue = smc.venue(name, { limiter = shared })
      local low = smc.venue(name, { limiter = shared, priority = "low" })
      local start, served = smc.now(), nil
      local waits = smc.spawn(function()
        smc.sleep(0.01)
        assert(low:time())
        served = smc.now() - start
      end)
      smc.all(2, function() for _ = 1, 15 do assert(venue:time()) end end)
      assert.is_nil(served)
      waits:join()
      assert.near(3, served, 0.01)
    end)

    once("is gone at once when its task ends: nothing is sent for it", function()
      local venue = smc.venue(name, { limiter = limiter() })
      assert(venue:time())
      local crowd = smc.spawn(function() smc.all(20, function() assert(venue:time()) end) end)
      smc.sleep(0.45)
      crowd:cancel()
      local arrived = #venue.sandbox:requests()
      assert.equal(5, arrived)
      assert.equal(0, venue.limiter:waiting())
      smc.sleep(5)
      assert.equal(arrived, #venue.sandbox:requests())
    end)
  end)
end
