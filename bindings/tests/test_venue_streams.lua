-- Streams of the venues' clients whose connections are lost, go silent or lose events; for each venue alike.
local backoff = require "smc.venue.backoff"
local boxes = require "smc.sandbox.box"
local rng = require "smc.core.rng"
local smc = require "smc"

--- The next event of a kind.
local function next_of(stream, kind, timeout)
  local give_up = smc.now() + (timeout or 60)
  while true do
    local event = assert(stream:recv(math.max(0, give_up - smc.now())))
    if event.kind == kind then return event end
  end
end

local function handshakes(venue, path)
  local n = 0
  for _, r in ipairs(venue.sandbox:requests { websocket = true }) do
    if not path or r.path == path then n = n + 1 end
  end
  return n
end

describe("the wait before another connection", function()
  it("doubles up to its longest; half of it is chance", function()
    local random = rng.new(1, "backoff")
    for n = 1, 40 do
      local full = math.min(30, 0.5 * 2 ^ (n - 1))
      local lowest, highest = math.huge, 0
      for _ = 1, 200 do
        local delay = backoff.delay(n, 0.5, 30, random)
        lowest, highest = math.min(lowest, delay), math.max(highest, delay)
      end
      assert.is_true(lowest >= full / 2 and lowest < full * 0.6, ("%d: %g of %g"):format(n, lowest, full))
      assert.is_true(highest <= full and highest > full * 0.9, ("%d: %g of %g"):format(n, highest, full))
    end
  end)
end)

for _, name in ipairs { "binance", "bybit" } do
  describe("a market stream of " .. name, function()
    local venue
    before_each(function() venue = smc.venue(name) end)

    --- What a misuse says, and that it points at this file.
    local function says(message, fn)
      local ok, err = pcall(fn)
      assert.is_false(ok)
      assert.matches("test_venue_streams.lua:%d+: ", tostring(err))
      assert.equal(message, (tostring(err):gsub("^.-:%d+: ", "", 1):gsub(" %(known: .*%)$", "")))
    end

    it("knows its options by name, as the account's stream does", function()
      says("stream: unknown option 'reconect'", function()
        return venue:stream { "trade:BTC/USDT", reconect = false }, nil
      end)
      says("stream: reconnect is true or false", function()
        return venue:stream { "trade:BTC/USDT", reconnect = 1 }, nil
      end)
      says("stream: stale_after is a number of seconds above 0, a day at most", function()
        return venue:stream { "trade:BTC/USDT", stale_after = 0 }, nil
      end)
      local deepest = ({ binance = 5000, bybit = 1000 })[name]
      for _, depth in ipairs { 0, deepest + 1, 1.5 } do
        says(("stream: depth is a whole number of levels, at most %d"):format(deepest), function()
          return venue:stream { "book:BTC/USDT", depth = depth }, nil
        end)
      end
      says("user_stream: unknown option 'symbol'", function() return venue:user_stream { symbol = "BTC/USDT" }, nil end)
      says("user_stream: a table of options expected", function() return venue:user_stream(true), nil end)
      says("user_stream: symbols is a list like { \"BTC/USDT\" }", function()
        return venue:user_stream { symbols = "BTC/USDT" }, nil
      end)
      says("user_stream: a symbol like \"BTC/USDT\" expected", function()
        return venue:user_stream { symbols = { 1 } }, nil
      end)
      assert.equal(0, handshakes(venue))
    end)

    it("connects again, subscribes to all it had, and says what happened", function()
      local stream <close> = assert(venue:stream { "trade:BTC/USDT", "book:BTC/USDT", "book:ETH/USDT" })
      local subscribed = assert(stream:subscriptions())
      smc.sleep(2)
      next_of(stream, "book")
      local heard = smc.wall()

      venue.sandbox:drop_streams()
      smc.sleep(3) -- the world goes on

      local lost = smc.now()
      local told = next_of(stream, "reconnected")
      assert.same({ 1, "network" }, { told.attempts, told.reason.class })
      for _, symbol in ipairs { "BTC/USDT", "ETH/USDT" } do
        local own, engine = assert(stream:top(10, symbol)), venue.sandbox:book(symbol, 10)
        assert.same({ engine.bids, engine.asks }, { own.bids, own.asks })
      end
      assert.is_true(told.since <= heard and told.since >= heard - 2000)
      assert.is_true(told.down < 1 and smc.now() - lost < 1)
      assert.is_true(told.time >= heard)
      assert.same(subscribed, assert(stream:subscriptions()))
      assert.equal(2, handshakes(venue))
      next_of(stream, "trade")
      for _, symbol in ipairs { "BTC/USDT", "ETH/USDT" } do
        eventually(function()
          local own, engine = assert(stream:top(10, symbol)), venue.sandbox:book(symbol, 10)
          assert.same({ engine.bids, engine.asks }, { own.bids, own.asks })
        end, { within = 5 })
      end
    end)

    it("keeps books as deep as it is told to", function()
      local asked = ({ binance = { [1001] = 5000, [1000] = 1000, [20] = 1000 },
        bybit = { [1] = 1, [2] = 50, [51] = 200, [201] = 1000, [1000] = 1000 } })[name]
      local plain <close> = assert(venue:stream { "book:BTC/USDT" })
      assert.equal(({ binance = 1000, bybit = 50 })[name], plain.depth)
      for depth, served in pairs(asked) do
        local stream <close> = assert(venue:stream { "book:BTC/USDT", depth = depth })
        assert.equal(served, stream.depth)
        local own, engine = assert(stream:top(20)), venue.sandbox:book("BTC/USDT", math.min(20, served))
        assert.same({ engine.bids, engine.asks }, { own.bids, own.asks })
        local asks = venue:requests { path = "/api/v3/depth" }
        assert.equal(name == "binance", #asks > 0)
      end
      if name == "bybit" then
        local stream <close> = assert(venue:stream { "book:BTC/USDT", depth = 150 })
        assert.same({ "orderbook.200.BTCUSDT" }, stream:subscriptions())
      else
        local box = venue.sandbox:requests { path = "/api/v3/depth" }
        local limits = {}
        for i, r in ipairs(box) do limits[i] = r.query:match "limit=(%d+)" end
        table.sort(limits)
        assert.same({ "1000", "1000", "1000", "5000" }, limits)
      end
    end)

    it("tries ever more slowly while the venue refuses it, and takes no more than its caller's time", function()
      local stream <close> = assert(venue:stream { "ticker:BTC/USDT" })
      local url = stream.url
      stream.url = venue.ws_url .. "/nonsense/"
      venue.sandbox:drop_streams()
      local start, before = smc.now(), handshakes(venue)
      local event, err
      repeat event, err = stream:recv(20) until not event
      assert.same({ "timeout", "reconnecting", true }, { err.class, err.code, err.retryable })
      assert.matches("^no connection since 20.0 s: .*404", err.message)
      assert.is_true(smc.now() - start >= 20 and smc.now() - start < 20.1, "its caller's time")
      assert.is_false(stream:connected())
      -- At 0, 0.5, 1.5, 3.5, 7.5, 15.5 s at the latest; at half of it at the soonest.
      local tries = handshakes(venue) - before
      assert.is_true(tries >= 6 and tries <= 7, tries .. " attempts in 20 s")
      stream.url = url
      local told = next_of(stream, "reconnected")
      assert.equal(tries + 1, told.attempts)
      assert.is_true(told.down > 20)
      assert.is_true(stream:connected())
    end)

    it("gives up when the venue says that it may not", function()
      local stream <close> = assert(venue:user_stream())
      venue.sandbox:remove_key(venue.key)
      venue.sandbox:drop_streams()
      local event, err = stream:recv(30)
      assert.same({ nil, "auth" }, { event, err.class })
      local before = handshakes(venue)
      event, err = stream:recv(30)
      assert.same({ nil, "auth", before }, { event, err.class, handshakes(venue) })
    end)

    it("takes silence for death", function()
      local stream <close> = assert(venue:stream { "book:BTC/USDT", "trade:BTC/USDT" })
      smc.sleep(1)
      next_of(stream, "trade")
      venue.sandbox:stall_streams(true)
      local start = smc.now()
      local told = next_of(stream, "reconnected")
      assert.equal("stale", told.reason.code)
      local took = smc.now() - start
      assert.is_true(took > 28 and took < 31, ("%.1f s"):format(took))
      venue.sandbox:stall_streams(false)
      assert.equal(1, #venue.sandbox:streams())
    end)

    it("takes no silence for death that the venue ends in time", function()
      local stream <close> = assert(venue:stream { "ticker:BTC/USDT", stale_after = 12 })
      venue.sandbox:stall_streams(true)
      local give_up = smc.now() + 11
      while smc.now() < give_up do stream:recv(give_up - smc.now()) end
      venue.sandbox:stall_streams(false)
      for _ = 1, 5 do next_of(stream, "ticker", 0.5) end -- late, but they come
      assert.equal(1, handshakes(venue))
    end)

    it("does not serve a book over a dead connection", function()
      local stream <close> = assert(venue:stream { "book:BTC/USDT", reconnect = false })
      assert(stream:top(1))
      venue.sandbox:drop_streams()
      smc.sleep(0.1)
      local top, err = stream:top(1)
      assert.is_nil(top)
      assert.equal("network", err.class)
    end)

    it("ends with its connection if it was told so", function()
      local stream <close> = assert(venue:stream { "trade:BTC/USDT", reconnect = false })
      venue.sandbox:drop_streams()
      local event, err
      repeat event, err = stream:recv(5) until not event
      assert.same({ "network", "reset" }, { err.class, err.code })
      assert.is_false(stream:connected())
      assert.equal(1, handshakes(venue))
      event, err = stream:recv(5)
      assert.same({ nil, "reset" }, { event, err.code })
    end)

    it("stays closed once it was closed, though somebody waits", function()
      local stream = assert(venue:stream { "ticker:BTC/USDT" })
      local reader = smc.spawn(function()
        while true do
          local event, err = stream:recv(60)
          if not event then return err end
        end
      end)
      smc.sleep(1)
      assert.equal(1000, stream:close())
      assert.equal("closed", reader:join(1).code)
      assert.equal(1, handshakes(venue))
    end)

    it("stays closed once it was closed between two attempts", function()
      local stream = assert(venue:stream { "ticker:BTC/USDT", first_delay = 40, longest_delay = 80 })
      venue.sandbox:drop_streams()
      next_of(stream, "reconnected", 1)
      local reader = smc.spawn(function()
        local event, err
        repeat event, err = stream:recv(45) until not event
        return err
      end)
      venue.sandbox:drop_streams() -- too soon after the first time: it will wait for 20 s at least
      smc.sleep(1)
      assert.is_nil(stream:close())
      assert.is_truthy(reader:join(50))
      assert.equal(2, handshakes(venue))
    end)

    it("trusts no connection that sends nonsense", function()
      local stream <close> = assert(venue:stream { "trade:BTC/USDT" })
      local trade = { binance = '{"stream":"btcusdt@trade","data":{}}',
        bybit = '{"topic":"publicTrade.BTCUSDT","data":[{"i":1}]}' }
      for _, nonsense in ipairs { "{nonsense", trade[name] } do
        boxes.venue(venue.sandbox).sessions[1].sock:send(nonsense)
        assert.equal("protocol", next_of(stream, "reconnected").reason.class)
        next_of(stream, "trade")
      end
      assert.equal(2, stream.reconnects)
    end)

    it("has one reader, beside whom the book can be looked at", function()
      local stream <close> = assert(venue:stream { "book:BTC/USDT" })
      local reader <close> = smc.spawn(function()
        while true do stream:recv(5) end
      end)
      smc.sleep(1)
      says("stream:recv: another task waits for this stream already", function() return stream:recv(1), nil end)
      for _ = 1, 5 do
        smc.sleep(1)
        eventually(function() -- the venue tells a little later
          local own, engine = assert(stream:top(10)), venue.sandbox:book("BTC/USDT", 10)
          assert.same({ engine.bids, engine.asks }, { own.bids, own.asks })
        end, { within = 2 })
      end
      stream.url = venue.ws_url .. "/nonsense/"
      venue.sandbox:drop_streams()
      smc.sleep(1)
      local top, err = stream:top(1)
      assert.same({ nil, "reconnecting" }, { top, err.code })
      assert.equal("running", reader:status())
    end)

    it("makes a book live again when an event is missing, and says so", function()
      local stream <close> = assert(venue:stream { "book:BTC/USDT" })
      smc.sleep(2)
      assert(stream:top(5))
      local book = stream.books["book:BTC/USDT"]
      -- As if some events had not come.
      book.id = book.id - 5
      if book.u then book.u = book.u - 5 end
      local gap = next_of(stream, "gap")
      assert.same({ "book:BTC/USDT", "BTC/USDT" }, { gap.channel, gap.symbol })
      assert.equal(name == "bybit" and 5 or nil, gap.missed)
      assert.is_true(gap.before > gap.after)
      eventually(function()
        local own, engine = assert(stream:top(10)), venue.sandbox:book("BTC/USDT", 10)
        assert.same({ engine.bids, engine.asks }, { own.bids, own.asks })
      end, { within = 5 })
      assert.equal(1, handshakes(venue))
    end)
  end)
end

describe("a stream of bybit", function()
  it("pings every 20 s, whether anybody reads or not, also when it is busy", function()
    local venue = smc.venue "bybit"
    local stream <close> = assert(venue:stream { "book:BTC/USDT" })
    smc.sleep(30)
    assert.equal(1, venue.sandbox:streams()[1].pings)
    local give_up = smc.now() + 12
    while smc.now() < give_up do assert(stream:recv()) end
    assert.equal(2, venue.sandbox:streams()[1].pings)
  end)
end)

describe("a market stream of binance, beyond", function()
  local venue
  before_each(function() venue = smc.venue "binance" end)

  it("counts the trades that it missed, and drops those that it had", function()
    local stream <close> = assert(venue:stream { "trade:BTC/USDT" })
    local last = tonumber(next_of(stream, "trade").id)
    venue.sandbox:drop_streams()
    smc.sleep(20) -- the world goes on
    local event = assert(stream:recv(5))
    while event.kind == "trade" do
      last, event = tonumber(event.id), assert(stream:recv(5))
    end
    assert.equal("reconnected", event.kind)
    local gap, trade = assert(stream:recv(30)), assert(stream:recv(1))
    assert.same({ "gap", "trade:BTC/USDT", tostring(last) }, { gap.kind, gap.channel, gap.after })
    assert.equal(tonumber(trade.id) - last - 1, gap.missed)
    assert.is_true(gap.missed > 0)
    stream.last_trade["trade:BTC/USDT"] = tonumber(trade.id) + 2 -- as if two more had been told
    assert.equal(tonumber(trade.id) + 3, tonumber(next_of(stream, "trade").id))
  end)

  it("changes its connection when the venue says so, and before it is a day old", function()
    local stream <close> = assert(venue:stream { "ticker:BTC/USDT" })
    venue.sandbox:announce_shutdown()
    assert.equal("ends", next_of(stream, "reconnected").reason.code)
    local class = getmetatable(stream)
    assert.equal(23 * 3600, class.max_age)
    stream.max_age = 50
    assert.equal("aged", next_of(stream, "reconnected").reason.code)
    assert.equal(3, handshakes(venue))
  end)

  it("fetches another snapshot later when the venue refuses one", function()
    local stream <close> = assert(venue:stream { "book:BTC/USDT", "trade:BTC/USDT" })
    smc.sleep(2)
    venue.sandbox:limit { request_weight = 0, per = 10 }
    local book = stream.books["book:BTC/USDT"]
    book.id = book.id - 5
    next_of(stream, "gap")
    next_of(stream, "trade")
    local top, err = stream:top(1)
    assert.is_nil(top)
    assert.equal("rate_limit", err.class)
    next_of(stream, "trade")
    venue.sandbox:limit { request_weight = 6000, per = 60 }
    local asked = #venue:requests { path = "/api/v3/depth" }
    eventually(function()
      assert(stream:recv(5))
      assert.is_true(book.live)
    end, { within = 15 })
    assert.equal(asked + 1, #venue:requests { path = "/api/v3/depth" })
  end)
end)
