-- The book that a client keeps of what a stream tells: every change of it, and nothing of before a connection was lost.
-- An order is priced by it, so a quantity that is not there any more is a fill that does not come.
local smc = require "smc"
local decimal = smc.decimal

local BTC = "BTC/USDT"
local MUCH = "25" -- more than anybody else has in the market at one price

for _, name in ipairs { "binance", "bybit" } do
  describe(("the local book of %s #connection #streams #virtual-time #%s"):format(name, name), function()
    local venue
    before_each(function()
      venue = smc.venue(name)
      venue.sandbox:fund { BTC = "100", USDT = "10000000" }
    end)

    --- What our book has at a price of a side, once it is the venue's.
    local function ours_at(stream, side, price)
      return eventually(function()
        local theirs, ours = venue.sandbox:book(BTC, 10), assert(stream:top(10))
        assert.same({ theirs.bids, theirs.asks }, { ours.bids, ours.asks })
        for _, level in ipairs(ours[side]) do
          if level[1] == price then return level[2] end
        end
        return "0"
      end, { within = 5, every = 0.05 })
    end

    for side, book_side in pairs { buy = "bids", sell = "asks" } do
      it("knows more and less at a price that is there already, of " .. book_side, function()
        local stream <close> = assert(venue:stream { "book:" .. BTC })
        local price = venue.sandbox:book(BTC, 3)[book_side][3][1]
        assert.is_true(decimal.lt(ours_at(stream, book_side, price), MUCH))

        local order = assert(venue:place { symbol = BTC, side = side, type = "limit", qty = MUCH, price = price })
        eventually(function() assert.is_true(decimal.lt(MUCH, ours_at(stream, book_side, price))) end)

        assert(venue:cancel { symbol = BTC, id = order.id })
        eventually(function() assert.is_true(decimal.lt(ours_at(stream, book_side, price), MUCH)) end)
      end)
    end

    it("knows a price that comes, and one that goes, between others", function()
      local stream <close> = assert(venue:stream { "book:" .. BTC })
      local first, second = table.unpack(venue.sandbox:book(BTC, 2).bids)
      local price = decimal.div(decimal.add(first[1], second[1]), "2", 2)
      local order = assert(venue:place { symbol = BTC, side = "buy", type = "limit", qty = MUCH, price = price })
      eventually(function() assert.equal(MUCH, ours_at(stream, "bids", price)) end)
      assert(venue:cancel { symbol = BTC, id = order.id })
      eventually(function() assert.equal("0", ours_at(stream, "bids", price)) end)
    end)

    it("is nothing of before when its connection was lost", function()
      local stream <close> = assert(venue:stream { "book:" .. BTC })
      assert(stream:top(1))
      venue:fault { venue = "status", status = 503, on = "stream", times = 2 }
      venue.sandbox:drop_streams()
      venue.sandbox:move(BTC, { by = "0.05" })
      local event
      repeat event = assert(stream:recv(10)) until event.kind == "reconnected"

      local ours = assert(stream:top(1))

      local theirs = venue.sandbox:book(BTC, 1)
      assert.near(tonumber(theirs.bids[1][1]), tonumber(ours.bids[1][1]), 60) -- where it was is 3000 away
      repeat event = assert(stream:recv(10)) until event.kind == "gap" or event.kind == "book"
      assert.equal("book", event.kind)
    end)
  end)
end

describe("the local book of binance #connection #streams #virtual-time #binance", function()
  local venue
  before_each(function() venue = smc.venue("binance", { breaker = false }) end)

  local function snapshots() return #venue.sandbox:requests { path = "/api/v3/depth" } end

  it("is made of one snapshot, and what came while that was fetched #leaves-orders", function()
    venue:fault { link = "latency", latency = 2, path = "/api/v3/depth" }
    local opening = smc.spawn(function() return assert(venue:stream { "book:" .. BTC }) end)
    smc.sleep(1)
    for i = 1, 5 do
      assert(venue:place { symbol = BTC, side = "buy", type = "limit", qty = "0.01", price = "5900" .. i })
      smc.sleep(0.15)
    end
    local stream <close> = opening:join()
    for _ = 1, 10 do assert.equal("book", assert(stream:recv(5)).kind) end
    assert.equal(1, snapshots())
  end)

  it("is asked for once a second at most while it can't be had", function()
    local stream <close> = assert(venue:stream { "book:" .. BTC })
    assert(stream:recv(5))
    venue:fault { venue = "status", status = 503, path = "/api/v3/depth" }
    venue:fault { venue = "lost", on = "stream", times = 1 }
    local before, start = snapshots(), smc.now()
    repeat stream:recv(0.1) until smc.now() >= start + 10
    local asked = snapshots() - before
    assert.is_true(asked >= 5 and asked <= 11, asked .. " times in ten seconds")
    assert.equal("server", select(2, stream:top(1)).class)
    assert(venue:heal())
    eventually(function() assert(stream:top(1)) end)
  end)
end)
