-- Streams of smc.failover move with the group.
local smc = require "smc"

--- Events up to the first of a kind, and how many others came before it.
local function until_kind(stream, kind)
  for n = 0, 2000 do
    local event = assert(stream:recv(60))
    if event.kind == kind then return event, n end
  end
  error("no event of kind " .. kind)
end

local function topics(venue)
  local out = {}
  for _, session in ipairs(venue.sandbox:streams()) do
    for _, topic in ipairs(session.subscriptions or {}) do out[#out + 1] = topic end
  end
  table.sort(out)
  return out
end

describe("a stream of a failover group", function()
  local binance, bybit, oanda, group
  before_each(function()
    binance, bybit, oanda = smc.venue "binance", smc.venue "bybit", smc.venue "oanda"
    group = smc.failover { binance, bybit, oanda }
  end)

  it("goes on at the next venue, and says so in between", function()
    local stream <close> = assert(group:stream { "ticker:BTC/USDT", "trade:BTC/USDT" })
    assert.equal("BTC/USDT", until_kind(stream, "ticker").symbol)
    assert.is_true(stream:connected())
    binance:fault { venue = "down" }

    local event = until_kind(stream, "switched")

    assert.same({ "binance", "bybit", "connection" }, { event.from, event.to, event.cause })
    assert.is_true(event.duration >= 0 and event.duration < 1)
    for _, kind in ipairs { "ticker", "trade" } do assert.equal("BTC/USDT", until_kind(stream, kind).symbol) end
    assert.equal(bybit, group.active)
    assert.same({ {}, 1 }, { binance.sandbox:streams(), #bybit.sandbox:streams() })
    assert.is_true(#assert(stream:subscriptions()) == 2)
  end)

  it("is closed where it was when the group leaves a venue that is up", function()
    local stream <close> = assert(group:stream { "ticker:BTC/USDT" })
    assert(stream:recv())
    assert(group:switch(bybit))
    assert.equal("manual", until_kind(stream, "switched").cause)
    eventually(function() assert.same({}, binance.sandbox:streams()) end)
    local before = #binance:requests()
    until_kind(stream, "ticker")
    assert.equal(before, #binance:requests())
  end)

  it("has a local book at each venue", function()
    local stream <close> = assert(group:stream { "book:BTC/USDT" })
    for _, venue in ipairs { binance, bybit } do
      local book = assert(stream:top(3))
      assert.same(venue.sandbox:book("BTC/USDT", 3).bids[1][1], book.bids[1][1])
      if venue == binance then assert(group:switch(bybit)) end
    end
  end)

  it("is closed again when its opening is given up while the group switches", function()
    bybit:fault { link = "latency", latency = 1 }
    local switching = smc.spawn(function() return group:switch(bybit) end)
    smc.sleep(0.1)
    local stream, err = smc.timeout(0.4, function() return group:stream { "ticker:BTC/USDT" } end)
    assert.same({ nil, "timeout" }, { stream, err.class })
    assert(switching:join())
    assert.same({}, binance.sandbox:streams())
  end)

  it("ends at a venue that can't carry it, until the group moves on", function()
    local stream <close> = assert(group:stream { "ticker:BTC/USDT" })
    assert(group:switch(oanda))
    until_kind(stream, "switched")
    for _ = 1, 2 do
      local event, err = stream:recv()
      assert.is_nil(event)
      assert.same({ "invalid_request", "no_symbol", "oanda" }, { err.class, err.code, err.venue })
    end
    assert.is_false(stream:connected())
    assert(group:switch(binance))
    until_kind(stream, "switched")
    assert.equal("BTC/USDT", until_kind(stream, "ticker").symbol)
  end)

  it("ends where a venue has no such channel", function()
    local its = smc.failover { binance, oanda, symbols = { ["BTC/USDT"] = { oanda = "XAU/USD" } } }
    local stream <close> = assert(its:stream { "trade:BTC/USDT" })
    assert(its:switch(oanda))
    until_kind(stream, "switched")
    local _, err = stream:recv()
    assert.same({ "invalid_request", "oanda" }, { err.class, err.venue })
    assert.matches("unknown channel 'trade:XAU/USD'", err.message, 1, true)
  end)

  it("speaks of its symbols by the group's names", function()
    local its = smc.failover { binance, oanda, symbols = { ["BTC/USDT"] = { oanda = "XAU/USD" } } }
    local stream <close> = assert(its:stream { "ticker:BTC/USDT", "book:BTC/USDT" })
    assert(its:switch(oanda))
    until_kind(stream, "switched")
    local event = until_kind(stream, "ticker")
    assert.same({ "BTC/USDT", "ticker:BTC/USDT" }, { event.symbol, event.channel })
    local book = assert(stream:top(1, "BTC/USDT"))
    assert.equal("BTC/USDT", book.symbol)
    assert.is_true(tonumber(book.bids[1][1]) < 10000)
  end)

  it("speaks of the account by the group's names as well", function()
    local its = smc.failover { oanda, binance, symbols = { ["BTC/USDT"] = { oanda = "XAU/USD" } } }
    local stream <close> = assert(its:user_stream())
    local order = assert(its:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "1" })
    local event = until_kind(stream, "fill")
    assert.same({ "BTC/USDT", "BTC/USDT", order.id }, { event.fill.symbol, event.order.symbol, event.fill.order_id })
    assert.equal("BTC/USDT", assert(its:positions())[1].symbol)
    assert(its:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "1", price = "1000" })
    assert.equal("BTC/USDT", assert(its:open_orders())[1].symbol)
  end)

  it("says what it is subscribed to, while it is read and after it has moved", function()
    local stream <close> = assert(group:stream { "ticker:BTC/USDT" })
    until_kind(stream, "ticker")
    assert.same({ "btcusdt@ticker" }, assert(stream:subscriptions()))
    until_kind(stream, "ticker")
    assert(group:switch(bybit))
    until_kind(stream, "switched")
    assert.same({ "tickers.BTCUSDT" }, assert(stream:subscriptions()))
    until_kind(stream, "ticker")
    assert(group:switch(binance))
    until_kind(stream, "switched")
    assert.same({ "btcusdt@ticker" }, assert(stream:subscriptions()))
    until_kind(stream, "ticker")
    assert.same({ 1, 0 }, { #binance.sandbox:streams(), #bybit.sandbox:streams() })
  end)

  it("keeps a switch from succeeding when it can't be opened, and nothing is left open", function()
    local stream <close> = assert(group:stream { "ticker:BTC/USDT" })
    local account <close> = assert(group:user_stream())
    assert(stream:recv())
    bybit:fault { venue = "status", path = "/v5/private", status = 503 }
    local ok = group:switch(bybit)
    assert.is_nil(ok)
    assert.same({ binance, false }, { group.active, group:history()[1].ok })
    assert.is_true(bybit.sandbox:requests({ path = "/v5/public/spot" })[1] ~= nil)
    eventually(function() assert.same({}, bybit.sandbox:streams()) end)
    assert.equal("ticker", assert(stream:recv()).kind)
    assert.is_true(account:connected())
  end)

  it("tells where an order is", function()
    local account <close> = assert(group:user_stream())
    for _, name in ipairs { "binance", "bybit" } do
      if group.active.name ~= name then assert(group:switch(name)) end
      assert(group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "40000" })
      local event
      repeat event = assert(account:recv()) until event.kind == "order"
      assert.equal(name, event.order.venue)
    end
  end)

  it("waits while there is no venue", function()
    local its = smc.failover { binance, check_every = 1, recover = { score = 0, ["for"] = 5 } }
    local stream <close> = assert(its:stream { "ticker:BTC/USDT" })
    assert(stream:recv())
    binance:fault { venue = "down" }
    eventually(function() assert.equal("no_venue", its.state) end)
    while stream:recv(0) do assert.is_nil(its.active) end
    local event, err = stream:recv(2)
    assert.is_nil(event)
    assert.same({ "no_venue", true }, { err.class, err.retryable })
    assert.is_nil((stream:top(1)))
    binance:heal()
    event = assert(stream:recv(20))
    assert.same({ "switched", nil, "binance", "recovered" }, { event.kind, event.from, event.to, event.cause })
    assert.equal("ticker", assert(stream:recv()).kind)
  end)

  it("carries the account, too", function()
    local stream <close> = assert(group:user_stream())
    assert(group:switch(bybit))
    until_kind(stream, "switched")
    local order = assert(group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = "59800" })
    assert.equal(order.id, until_kind(stream, "order").order.id)
  end)

  it("goes to the next venue when the active one goes down by its opening", function()
    binance:fault { venue = "down" }
    local stream <close> = assert(group:stream { "ticker:BTC/USDT" })
    assert.equal("ticker", assert(stream:recv()).kind)
    assert.equal(bybit, group.active)
  end)

  it("times out, takes one reader at a time, and is over when closed", function()
    local its = smc.failover { binance }
    local stream = assert(its:stream { "trade:ETH/BTC" })
    local reader = smc.spawn(function() return stream:recv(100) end)
    smc.sleep(0)
    local ok, why = pcall(stream.recv, stream)
    assert.is_false(ok)
    assert.matches("another task waits", why, 1, true)
    stream:close()
    assert.is_nil(stream:close())
    local event, err = reader:join()
    assert.is_nil(event)
    assert.equal("cancelled", err.class)
    assert.equal("cancelled", select(2, stream:top(1)).class)
    assert.same({}, binance.sandbox:streams())
  end)

  it("is closed with its group", function()
    local stream <close> = assert(group:stream { "ticker:BTC/USDT" })
    group:close()
    assert.equal("cancelled", select(2, stream:recv()).class)
    assert.is_false(stream:connected())
    assert.same({}, topics(binance))
  end)
end)
