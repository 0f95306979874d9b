-- How long an account is without a venue when one fails: what a call finds out it finds out at once, the rest is found
-- by the next check, and the switch itself takes next to nothing.
local smc = require "smc"
local venues = require "lib.venues"

local EVERY, PATIENCE = 2, 1 -- seconds between checks, and that one waits
local SWITCH = 0.2

for name, other, symbols in venues.pairs() do
  describe(("a failure of %s with %s behind it #failover #virtual-time"):format(name, other), function()
    local first, second, group
    before_each(function()
      first, second = smc.venue(name), smc.venue(other)
      group = smc.failover { first, second, check_every = EVERY, check_timeout = PATIENCE, symbols = symbols }
      assert(group:ping())
    end)

    local function has_left()
      assert.same({ second, 1 }, { group.active, #group:history() })
      assert.is_true(group:history()[1].duration < SWITCH, group:history()[1].duration)
    end

    it("costs whoever meets it no time where connections are refused", function()
      first:fault { venue = "down" }
      local began = smc.now()
      assert(group:ticker "BTC/USDT")
      assert.is_true(smc.now() - began < SWITCH, smc.now() - began)
      has_left()
    end)

    it("costs whoever has asked a venue that is silent no more than the next check", function()
      first:fault { link = "blackhole" }
      local began = smc.now()
      assert(group:ticker "BTC/USDT")
      assert.is_true(smc.now() - began <= EVERY + PATIENCE + SWITCH, smc.now() - began)
      has_left()
    end)

    it("is over by the next check though nobody asks: then orders are taken, and news comes", function()
      local stream <close> = assert(group:stream { "ticker:BTC/USDT" })
      assert(stream:recv())
      first:fault { link = "blackhole" }
      local failed = smc.now()
      local event
      repeat event = assert(stream:recv()) until event.kind == "switched"
      local switched = smc.now()
      assert.is_true(switched - failed <= EVERY + PATIENCE + SWITCH, switched - failed)

      local order = assert(group:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "1" })

      assert.equal(other, order.venue)
      assert.is_true(smc.now() - switched < SWITCH, smc.now() - switched)
      repeat event = assert(stream:recv()) until event.kind == "ticker"
      assert.is_true(smc.now() - switched < 2, smc.now() - switched)
      has_left()
    end)
  end)
end
