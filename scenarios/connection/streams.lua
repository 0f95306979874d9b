-- What is told over a stream, and that the stream stays: written once, for each venue.  A strategy that trades on what
-- it hears must hear all of it, in one set of words, and must know when it does not.
local smc = require "smc"
local decimal = smc.decimal

--- quiet: a channel over which nothing comes while nothing is traded; asked: the venue itself knows the subscriptions.
local VENUES = {
  { name = "binance", symbol = "BTC/USDT", kinds = { "trade", "book", "ticker" }, quiet = "trade:BTC/USDT",
    asked = true },
  { name = "bybit", symbol = "BTC/USDT", kinds = { "trade", "book", "ticker" }, quiet = "trade:BTC/USDT" },
  { name = "oanda", symbol = "EUR/USD", kinds = { "book", "ticker" }, quiet = "ticker:EUR/USD" },
}

local function is_amount(text) return decimal.lt("0", text) and text == decimal.add(text, "0") end

for _, row in ipairs(VENUES) do
  describe("a stream of " .. row.name .. " #connection #streams #" .. row.name, function()
    local venue, sandbox
    before_each(function()
      venue = smc.venue(row.name)
      sandbox = venue.sandbox -- which a testnet does not have: there its specs end here
    end)

    local function channels_of(symbol)
      local list = {}
      for i, kind in ipairs(row.kinds) do list[i] = kind .. ":" .. symbol end
      return list
    end

    --- The next event of each channel; of some symbol, in a market that we move.
    local function one_of_each(stream, channels)
      for _, channel in ipairs(channels) do sandbox:move(channel:match ":(.*)", { by = "0.001" }) end
      local seen, missing = {}, #channels
      while missing > 0 do
        local event = assert(stream:recv(30))
        if not seen[event.channel] then seen[event.channel], missing = event, missing - 1 end
      end
      return seen
    end

    it("carries every channel of every symbol over one connection, in the words of all venues", function()
      local before, channels = smc.wall(), {}
      for _, symbol in ipairs(venue.symbols) do
        local spot = not symbol:find ":" -- bybit's contracts have a socket of their own
        if spot then table.move(channels_of(symbol), 1, #row.kinds, #channels + 1, channels) end
      end
      local stream <close> = assert(venue:stream(channels))
      local names = assert(stream:subscriptions())
      assert.is_true(#names > 0 and #names <= #channels)
      for channel, event in pairs(one_of_each(stream, channels)) do
        assert.equal(channel, event.kind .. ":" .. event.symbol)
        assert.equal("integer", math.type(event.time))
        assert.is_true(event.time >= before - 5000 and event.time <= smc.wall() + 1000, channel)
        if event.kind == "trade" then
          assert.is_true(is_amount(event.price) and is_amount(event.qty))
          assert.is_true(event.side == "buy" or event.side == "sell", event.side)
        elseif event.kind == "ticker" then
          assert.is_true(is_amount(event.last))
        end
      end
      assert.equal(1, #sandbox:streams())
    end)

    if row.asked then
      it("loses nothing that is told while it is asked what it is subscribed to", function()
        local stream <close> = assert(venue:stream { row.quiet })
        local names = assert(stream:subscriptions())
        local traded, heard = { "0.00101", "0.00102", "0.00103" }, {}
        for _, qty in ipairs(traded) do
          assert(venue:place { symbol = row.symbol, side = "buy", type = "market", qty = qty })
          assert.same(names, assert(stream:subscriptions())) -- the answer comes behind the trade
        end

        repeat
          local event = assert(stream:recv(15))
          assert.equal("trade", event.kind) -- no gap, and no other connection
          for _, qty in ipairs(traded) do heard[#heard + 1] = event.qty == qty and qty or nil end
        until heard[#heard] == traded[3]

        assert.same(traded, heard)
      end)
    end

    it("stays, though nothing happens for longer than a dead one is silent #virtual-time", function()
      local stream <close> = assert(venue:stream { row.quiet })
      assert(stream:recv(30))
      venue:fault { venue = "halt" }
      local quiet_since = smc.now() + 2 -- what was under way arrives
      repeat stream:recv(1) until smc.now() >= quiet_since

      local event, err = stream:recv(40)

      assert.is_nil(event)
      assert.same({ "timeout", 0, true }, { err.class, stream.reconnects, stream:connected() })
      assert(venue:heal "halt")
      assert.equal(row.quiet, assert(stream:recv(10)).channel)
      assert.equal(1, #sandbox:requests { path = sandbox:streams()[1].path })
    end)

    it("does not storm a venue that refuses it, and is back soon after it does not #virtual-time", function()
      local stream <close> = assert(venue:stream { "ticker:" .. row.symbol, first_delay = 0.5, longest_delay = 5 })
      assert(stream:recv(15))
      local path = sandbox:streams()[1].path
      local before = #sandbox:requests { path = path }
      venue:fault { venue = "maintenance", for_ = 20 }

      local event
      repeat event = assert(stream:recv(50)) until event.kind == "reconnected"

      assert.is_true(event.attempts >= 5 and event.attempts <= 15, ("%d attempts"):format(event.attempts))
      assert.is_true(event.down >= 19 and event.down <= 26, ("%.1f s"):format(event.down))
      assert.equal(event.attempts, #sandbox:requests { path = path } - before)
      assert.equal(1, #sandbox:streams())
    end)

    it("breaks three times in a row, and each time comes back with all it had #virtual-time", function()
      local channels = channels_of(row.symbol)
      local stream <close> = assert(venue:stream(channels))
      local names = assert(stream:subscriptions())
      for i = 1, 3 do
        one_of_each(stream, channels)
        sandbox:drop_streams()
        local event
        repeat event = assert(stream:recv(15)) until event.kind == "reconnected"
        assert.same({ i, names }, { stream.reconnects, assert(stream:subscriptions()) })
      end
      one_of_each(stream, channels)
      assert.equal(1, #sandbox:streams())
    end)

    it("does not end when another one of the same venue does", function()
      local one <close> = assert(venue:stream { "ticker:" .. row.symbol })
      local other = assert(venue:stream { "book:" .. row.symbol })
      assert.equal(2, #sandbox:streams())
      other:close()
      eventually(function() assert.equal(1, #sandbox:streams()) end)
      assert.equal("ticker", assert(one:recv(15)).kind)
      assert.equal(0, one.reconnects)
    end)

    it("is closed by its block, also by one that fails, and tells whoever waits for it", function()
      local waiting
      local ok = pcall(function()
        local stream <close> = assert(venue:stream { row.quiet })
        assert(stream:recv(30))
        venue:fault { venue = "halt" }
        waiting = smc.spawn(function()
          local event, err
          repeat event, err = stream:recv(60) until not event
          return err.class
        end)
        smc.sleep(0.01)
        assert.equal(1, #sandbox:streams())
        error "something else went wrong"
      end)
      assert.is_false(ok)
      assert.is_string(waiting:join(5))
      eventually(function() assert.same({}, sandbox:streams()) end)
    end)

    it("says after it was closed that it is, and closes twice without a word", function()
      local stream = assert(venue:stream { "ticker:" .. row.symbol })
      assert(stream:recv(15))
      stream:close()
      stream:close()
      local event, err = stream:recv(1)
      while event do event, err = stream:recv(1) end -- what had come before
      assert.is_string(err.class)
      assert.is_false(stream:connected())
      eventually(function() assert.same({}, sandbox:streams()) end)
    end)
  end)
end
