-- Readers that give up (smc.timeout, smc.race, a cancelled task) while their stream is coming back or its book is being
-- made anew: whatever was under way then is begun again by the next one who reads, and nothing is lost by it.
local smc = require "smc"

local LATENCY = 0.2 -- seconds that each answer takes
local MOMENTS = { 0.1, 0.3, 0.5, 0.9, 1.3, 1.7, 2.1 } -- of giving up, in seconds: on the way, and after it

local ORDERS = {
  binance = { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.001" },
  bybit = { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.001" },
  oanda = { symbol = "EUR/USD", side = "buy", type = "market", qty = "100" },
}

--- Everything that is told within some seconds.
local function told_in(stream, seconds)
  local out, give_up = {}, smc.now() + seconds
  while smc.now() < give_up do out[#out + 1] = stream:recv(give_up - smc.now()) end
  return out
end

--- A stream is lost, and its reader gives up `after` seconds of its coming back.
local function cut_short(venue, stream, after)
  venue:fault { link = "latency", latency = LATENCY }
  venue.sandbox:drop_streams()
  smc.timeout(after, function()
    while true do stream:recv(30) end
  end)
  venue:heal()
end

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("an account's stream at " .. name .. ", whose reader gives up while it comes back", function()
    it("tells the next one that it was away, and what happened meanwhile", function()
      for _, after in ipairs(MOMENTS) do
        local venue = smc.venue(name)
        local stream <close> = assert(venue:user_stream())
        cut_short(venue, stream, after)
        local placed, filled, give_up = assert(venue:place(ORDERS[name])), 0, smc.now() + 7
        repeat
          for _, event in ipairs(told_in(stream, 0.5)) do
            if event.fill and event.fill.order_id == placed.id then filled = filled + 1 end
            if event.kind == "reconnected" then assert.is_number(event.down, "it says for how long") end
          end
        until filled > 0 or smc.now() > give_up
        assert.equal(1, filled, ("given up after %g s: the fill was told so often"):format(after))
        assert.is_true(stream:connected())
      end
    end)
  end)
end

for _, name in ipairs { "binance", "bybit" } do
  describe("a market's stream at " .. name .. ", whose reader gives up", function()
    local venue
    before_each(function() venue = smc.venue(name) end)

    local function assert_true_of_the_market(stream, when)
      local book
      eventually(function() book = assert(stream:top(5)) end, { within = 20 })
      told_in(stream, 0.2)
      eventually(function()
        local theirs = venue.sandbox:book("BTC/USDT", 5)
        book = assert(stream:top(5))
        assert.same({ theirs.bids, theirs.asks }, { book.bids, book.asks }, when)
      end, { within = 5 })
    end

    it("while it comes back, subscribes again for the next one", function()
      for _, after in ipairs(MOMENTS) do
        local stream <close> = assert(venue:stream { "trade:BTC/USDT", "book:BTC/USDT" })
        cut_short(venue, stream, after)
        assert_true_of_the_market(stream, ("given up after %g s"):format(after))
        assert(venue:place(ORDERS[name]))
        local traded = false
        for _, event in ipairs(told_in(stream, 1)) do traded = traded or event.kind == "trade" end
        assert.is_true(traded, ("given up after %g s: no trade was told"):format(after))
      end
    end)

    it("while its book is made anew, makes it for the next one", function()
      local price = 50000
      for _, after in ipairs(MOMENTS) do
        local stream <close> = assert(venue:stream { "book:BTC/USDT" })
        venue:fault { venue = "lost", on = "stream", times = 1 }
        for _ = 1, 2 do
          price = price + 1
          assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
            price = tostring(price) })
          smc.sleep(0.15) -- a frame of its own for each
        end
        venue:fault { link = "latency", latency = LATENCY }
        smc.timeout(after, function()
          while true do stream:recv(30) end
        end)
        venue:heal()
        assert_true_of_the_market(stream, ("given up after %g s"):format(after))
      end
    end)
  end)
end
