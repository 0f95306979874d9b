-- OANDA's two streams, which are lines over HTTP: prices with heartbeats between them, and the account's transactions.
local smc = require "smc"

local function path(venue, rest) return ("/v3/accounts/%s/%s"):format(venue.key, rest) end

describe("oanda streams #connection #oanda", function()
  local venue
  before_each(function() venue = smc.venue "oanda" end)

  --- The next line of JSON, and what of the text is left.
  local function next_line(reply, text)
    while not text:find "\n" do text = text .. assert(reply:recv(10)) end
    local line, rest = text:match "^(.-)\n(.*)$"
    return assert(smc.json.decode(line)), rest
  end

  it("sends prices as lines of JSON over HTTP: one of each instrument first, then a heartbeat every five seconds",
    function()
      for _, symbol in ipairs { "EUR/USD", "USD/JPY" } do venue.sandbox:halt(symbol) end
      local reply = assert(smc.http.stream {
        url = venue.ws_url .. path(venue, "pricing/stream?instruments=EUR_USD%2CUSD_JPY"),
        bearer = smc.secret.from(venue.sandbox.token) })
      finally(function() reply:close() end)
      assert.same({ 200, "chunked" }, { reply.status, reply.headers["transfer-encoding"] })
      local opened, text = smc.now(), ""
      local line
      for _, instrument in ipairs { "EUR_USD", "USD_JPY" } do
        line, text = next_line(reply, text)
        assert.same({ "PRICE", instrument, false }, { line.type, line.instrument, line.tradeable })
        assert.is_true(smc.decimal.lt(line.bids[1].price, line.asks[1].price))
      end
      for i = 1, 2 do
        line, text = next_line(reply, text)
        assert.equal("HEARTBEAT", line.type)
        assert.is_true(math.abs(smc.now() - opened - 5 * i) < 1, ("heartbeat %d after %.1f s"):format(i,
          smc.now() - opened))
      end
    end)

  it("is asked for the prices of its own account, by name, with the token out of sight", function()
    local stream <close> = assert(venue:stream { "ticker:EUR/USD", "book:USD/JPY" })
    assert.same({ "EUR_USD", "USD_JPY" }, stream:subscriptions())
    local seen = venue.sandbox:requests { path = path(venue, "pricing/stream") }
    assert.same({ 1, true, 200 }, { #seen, seen[1].signed, seen[1].status })
    assert.matches("instruments=EUR_USD", seen[1].query)
    assert.is_nil(seen[1].query:find(venue.sandbox.token, 1, true))
  end)

  it("keeps a local book equal to the venue's while the market moves", function()
    local stream <close> = assert(venue:stream { "book:EUR/USD" })
    local first = assert(stream:top(3))
    for _, by in ipairs { "0.01", "-0.02", "0.005" } do
      venue.sandbox:move("EUR/USD", { by = by })
      eventually(function()
        local theirs, ours = assert(venue:book("EUR/USD", 3)), assert(stream:top(3))
        assert.same({ theirs.bids, theirs.asks }, { ours.bids, ours.asks })
      end, { within = 10 }) -- the venue tells four times a second
    end
    assert.is_true(stream:top(3).id > first.id)
  end)

  it("hears nothing of an instrument that stands still but heartbeats, and does not give the stream up", function()
    venue.sandbox:halt "EUR/USD"
    local stream <close> = assert(venue:stream { "ticker:EUR/USD" })
    assert.is_false(assert(stream:recv(5)).tradeable)
    local event, err = stream:recv(12)
    assert.is_nil(event)
    assert.equal("timeout", err.class)
    assert.equal(1, #venue.sandbox:requests { path = path(venue, "pricing/stream") })
    venue.sandbox:resume "EUR/USD"
    assert.is_true(assert(stream:recv(5)).tradeable)
  end)

  it("leaves no connection behind", function()
    local stream = assert(venue:stream { "ticker:EUR/USD" })
    local events = assert(venue:user_stream())
    assert.equal(2, #venue.sandbox:streams())
    stream:close()
    events:close()
    eventually(function() assert.same({}, venue.sandbox:streams()) end)
  end)
end)

-- From Friday to Sunday, 17:00 in New York, nobody trades currencies.  A program at work on a Saturday must not take
-- that for a venue that is broken, nor believe that it can get out of a position.
describe("oanda at a weekend #connection #oanda", function()
  local venue

  --- Seconds from now to noon of the next day of that name: 0 is Sunday.
  local function to_noon(weekday)
    local since = smc.wall() / 1000 - (3 * 86400 + 43200) -- the first Sunday that computers count, at noon
    return (weekday * 86400 - since) % (7 * 86400)
  end

  before_each(function()
    venue = smc.venue("oanda", { sandbox = smc.sandbox("oanda", { assume = { fx_week = true } }) })
    venue.sandbox:skew(to_noon(3))
    assert(venue:place { symbol = "EUR/USD", side = "buy", type = "market", qty = "100" })
    venue.sandbox:skew(to_noon(3) + 3 * 86400)
  end)

  it("has a price that nobody can trade at, and heartbeats: the stream stays #virtual-time", function()
    local stream <close> = assert(venue:stream { "ticker:EUR/USD" })
    assert.is_false(assert(stream:recv(5)).tradeable)
    local event, err = stream:recv(25) -- more than twice what a dead one is given
    assert.is_nil(event)
    assert.same({ "timeout", 0 }, { err.class, stream.reconnects })
    assert.is_true(venue.health.score >= 80, venue.health.state)
  end)

  it("lets nobody in, and nobody out: what is held is still held, and is told so", function()
    local order, err = venue:place { symbol = "EUR/USD", side = "sell", type = "market", qty = "100" }
    assert.is_nil(order)
    assert.same({ "market_closed", true }, { err.class, err.retryable })
    assert.equal("100", assert(venue:positions())[1].qty)
    local order_that_waits = { symbol = "EUR/USD", side = "buy", type = "limit", qty = "100", price = "0.9" }
    local rests = assert(venue:place(order_that_waits))
    assert.equal("canceled", assert(venue:cancel { symbol = "EUR/USD", id = rests.id }).status)
  end)

  it("is over on Monday", function()
    assert.is_nil(venue:place { symbol = "EUR/USD", side = "sell", type = "market", qty = "100" })
    venue.sandbox:skew(to_noon(3) + 5 * 86400)
    assert(venue:place { symbol = "EUR/USD", side = "sell", type = "market", qty = "100" })
    assert.same({}, assert(venue:positions()))
  end)
end)
