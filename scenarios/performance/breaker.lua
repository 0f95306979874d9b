-- A circuit breaker under load: it opens once, at the failure that it is told to, lets nothing through meanwhile, and
-- is closed again by as many calls as it was told to.
local smc = require "smc"

local RATE = 10
local CONF = { size = 10, min_calls = 10, failure_rate = 0.5, open = 2, probes = 2 }

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe(("the breaker of %s under load #performance #virtual-time #%s"):format(name, name), function()
    local venue
    before_each(function() venue = smc.venue(name, { breaker = CONF }) end)

    local function time() return venue:time() end

    --- The states that it went through.
    local function path()
      local states = {}
      for _, change in ipairs(venue.breaker:history()) do states[#states + 1] = change.to end
      return table.concat(states, " ")
    end

    it("spares a venue that fails: six calls of eighty reach it, and it is asked again when it is well", function()
      venue:fault { venue = "http", status = 503, after = 2, for_ = 4 }

      local result = smc.load { rate = RATE, duration = 8, run = time }

      -- Five of ten have failed: open.  One probe fails, the next two don't.
      assert.equal("open half_open open half_open closed", path())
      assert.equal(6, #venue.sandbox:requests { status = 503 })
      assert.same(6, result.classes.server)
      assert.load(result, { "errors > 0.4", "errors < 0.6", "max < 0.01", "count == 80" })
      assert.equal(result.failed - 6, result.classes.circuit_open)
      assert.equal(result.count - result.classes.circuit_open, #venue.sandbox:requests())
    end)

    it("opens once, though twenty calls that were under way fail at the same time", function()
      for _ = 1, 5 do assert(venue:time()) end
      venue:fault { link = "latency", latency = 0.5 }
      venue:fault { venue = "http", status = 503 }

      local result = smc.load { rate = 200, duration = 0.1, run = time }

      assert.load(result, { "errors == 1", "max < 1.1", "count == 20" })
      assert.same({ server = 20 }, result.classes)
      assert.equal("open", path())
      assert.equal("circuit_open", select(2, venue:time()).class)
    end)
  end)
end
