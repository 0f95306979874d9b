-- Ten users who want more than a venue allows: the client uses what there is, and never more.
-- Less would be trades that somebody else makes; more would be a ban, in the middle of a position.
local smc = require "smc"

-- op: what the users want all the time; limit: how many of that the venue allows in so many seconds; rush: for how many
-- seconds three times as many come.
local VENUES = {
  binance = { op = "open_orders", limit = 30, per = 10, seconds = 20, weight = 2400, rush = 4 }, -- each costs 80
  bybit = { op = "balances", limit = 50, per = 1, seconds = 1, rush = 0.2 },
  oanda = { op = "time", limit = 120, per = 1, seconds = 0.7, rush = 0.2 },
}

--- A client that knows the venue's limit: the published one, or that of the row.
local function venue_of(name, row)
  if not row.weight then return smc.venue(name) end
  local venue = smc.venue(name, { limiter = { request_weight = { limit = row.weight, per = row.per } } })
  venue.sandbox:limit { request_weight = row.weight, per = row.per }
  return venue
end

for name, row in pairs(VENUES) do
  describe(("the limit of %s under load #performance #virtual-time #%s"):format(name, name), function()
    it("is used to nine tenths and more, and never broken", function()
      local venue = venue_of(name, row)
      local result = smc.load { name = "greedy users", users = 10, duration = row.seconds,
        run = function() return venue[row.op](venue) end }

      assert.load(result, { ("rate >= %g"):format(0.9 * row.limit / row.per), "errors == 0" })
      assert.equal(0, venue.sandbox:limits().violations)
      assert.equal(result.count, #venue.sandbox:requests { status = 200 })
    end)

    it("keeps those waiting who come too fast, and turns none away", function()
      local venue = venue_of(name, row)
      local result = smc.load { name = "too many arrivals", rate = 3 * row.limit / row.per, duration = row.rush,
        run = function() return venue[row.op](venue) end }

      assert.load(result, { "errors == 0", "dropped == 0", ("max > %g"):format(0.1 * row.per), "count > 20" })
      assert.equal(0, venue.sandbox:limits().violations)
    end)
  end)
end

describe("a client that does not know the limit of binance #performance #virtual-time #binance", function()
  it("is refused once, and then waits for as long as it was told, however many want something", function()
    local venue = smc.venue("binance", { limiter = false })
    venue.sandbox:limit { request_weight = VENUES.binance.weight, per = VENUES.binance.per }

    local result = smc.load { name = "arrivals", rate = 4, duration = 10,
      run = function() return venue:open_orders() end }

    assert.load(result, { "failed == 1", "count == 40", "max > 2" })
    assert.same({ rate_limit = 1 }, result.classes)
    assert.equal(1, venue.sandbox:limits().violations)
  end)
end)
