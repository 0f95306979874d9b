-- An order is under way when its venue fails, wherever that is: it is placed once in all, or somebody is told that
-- nobody knows.
local smc = require "smc"
local venues = require "lib.venues"

for name, other, symbols in venues.pairs() do
  describe(("an order under way to %s with %s behind it #failover"):format(name, other), function()
    local first, second, group
    before_each(function()
      first, second = smc.venue(name), smc.venue(other)
      group = smc.failover { first, second, check_every = 3, check_timeout = 0.9, symbols = symbols }
      assert(group:ping())
      assert(group:balances())
    end)

    local function place()
      return group:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "1" }
    end

    --- How many orders of this id each of them has.
    local function orders_of(client_id)
      return { #first.sandbox:orders { client_id = client_id }, #second.sandbox:orders { client_id = client_id } }
    end

    it("that was never sent is placed at the next one", function()
      first:fault { venue = "down" }
      local order = assert(place())
      assert.equal(other, order.venue)
      assert.same({ 0, 1 }, orders_of(order.client_id))
    end)

    it("whose acknowledgement is lost is found where it was sent", function()
      first:fault { venue = "ack_lost", on = "place", times = 1 }
      local order = assert(place())
      assert.same({ name, first }, { order.venue, group.active })
      assert.same({ 1, 0 }, orders_of(order.client_id))
      assert.equal(1, #first:requests { op = "place", method = "POST" })
    end)

    it("of which nobody knows goes nowhere else, and is found when its venue is back #virtual-time", function()
      first:fault { venue = "silent", on = "place", carried_out = true }
      local placing = smc.spawn(place)
      smc.sleep(0.5)
      first:fault { venue = "down" }

      local order, err = placing:join()

      assert.is_nil(order)
      assert.same({ "unknown_outcome", name }, { err.class, err.venue })
      assert.same({ second, name }, { group.active, group:in_doubt()[1].venue })
      assert.same({ 1, 0 }, orders_of(err.client_id))

      assert(first:heal())

      eventually(function() assert.same({}, group:in_doubt()) end, { within = 30, every = 1 })
      assert.equal(name, assert(group:order { symbol = "BTC/USDT", client_id = err.client_id }).venue)
      assert.same({ 1, 0 }, orders_of(err.client_id))
    end)
  end)
end
