local smc = require "smc"

local PRACTICE = { ["127.0.0.1"] = true, ["api-fxpractice.oanda.com"] = true, ["stream-fxpractice.oanda.com"] = true }
local CLOSED_DAYS = 7 -- of the market, at most: heartbeats go on then, prices do not

local function path(venue, rest) return ("/v3/accounts/%s/%s"):format(venue.key, rest) end

describe("oanda connection #connection #oanda", function()
  local venue
  before_each(function() venue = smc.venue "oanda" end)

  it("lives on practice hosts only, and answers there", function()
    for _, url in ipairs { venue.url, venue.ws_url } do
      assert.is_true(PRACTICE[url:match "^https?://([^/:]+)" or ""] == true, url)
    end
    assert.is_nil(venue.ws_api_url)
    assert(venue:ping())
    local sent = venue:requests()[1]
    assert.same({ "/v3/accounts", 200, true }, { sent.path, sent.status, sent.signed })
  end)

  it("trades EUR/USD and USD/JPY, and says by which rules", function()
    local by = {}
    for _, i in ipairs(assert(venue:instruments())) do by[i.symbol] = i end
    local euro, yen = by["EUR/USD"], by["USD/JPY"]
    assert.same({ "EUR_USD", "EUR", "USD", "0.00001", "1" }, { euro.native, euro.base, euro.quote, euro.tick,
      euro.step })
    assert.equal("0.001", yen.tick)
    assert.is_true(smc.decimal.cmp(euro.max_qty, euro.min_qty) > 0)
  end)

  it("shows a price whose sides do not cross, within its day", function()
    local t = assert(venue:ticker "EUR/USD")
    assert.equal("EUR/USD", t.symbol)
    assert.is_true(smc.decimal.lt(t.bid, t.ask), t.bid .. " below " .. t.ask)
    assert.is_true(smc.decimal.le(t.bid, t.last) and smc.decimal.le(t.last, t.ask))
    assert.is_true(smc.decimal.le(t.low, t.high) and t.time > smc.wall() - CLOSED_DAYS * 86400000)
    local book = assert(venue:book("EUR/USD", 1))
    assert.same({ 1, 1 }, { #book.bids, #book.asks })
  end)

  it("gives candles in order, each within its own bounds", function()
    local candles = assert(venue:candles("EUR/USD", "1m", { limit = 10 }))
    assert.equal(10, #candles)
    for i, k in ipairs(candles) do
      for _, price in ipairs { k.open, k.close } do
        assert.is_true(smc.decimal.le(k.low, price) and smc.decimal.le(price, k.high), "candle " .. i)
      end
      assert.is_true(i == 1 or k.time > candles[i - 1].time)
      assert.equal(0, k.time % 60000)
    end
    local later = assert(venue:candles("EUR/USD", "1m", { since = candles[4].time, limit = 2 }))
    assert.equal(candles[4].time, later[1].time)
  end)

  it("refuses an instrument that it does not have, after one attempt", function()
    local ticker, err = venue:ticker "NO/SUCH"
    assert.is_nil(ticker)
    assert.same({ 400, "filter", false }, { err.http, err.class, err.retryable })
    assert.equal(1, #venue:requests())
  end)

  it("answers an unknown path with HTTP 404, told apart from a transport error", function()
    local answer, err = venue:get("/v3/no/such/path", {}, { signed = true })
    assert.is_nil(answer)
    assert.same({ 404, "invalid_request", false }, { err.http, err.class, err.retryable })
    assert.equal(1, #venue:requests())
  end)
end)

describe("oanda authentication #connection #oanda #auth", function()
  local venue
  before_each(function() venue = smc.venue "oanda" end)

  it("refuses every other token after one attempt, REST and streams", function()
    assert(venue:account())
    local stranger = smc.venue("oanda", { secret = smc.secret.random() })
    local account, err = stranger:account()
    assert.is_nil(account)
    assert.same({ "auth", 401, false }, { err.class, err.http, err.retryable })
    assert.equal("Insufficient authorization to perform request.", err.message)
    assert.equal(1, #stranger:requests { signed = true })
    for _, open in ipairs { function() return stranger:stream { "ticker:EUR/USD" } end, stranger.user_stream } do
      local stream, no = open(stranger)
      assert.is_nil(stream)
      assert.same({ "auth", 401 }, { no.class, no.http })
    end
  end)

  it("refuses a request without a token", function()
    local answer, err = venue:get(path(venue, "summary"))
    assert.is_nil(answer)
    assert.same({ "auth", 401 }, { err.class, err.http })
  end)

  it("keeps a token to its own accounts", function()
    local other = smc.venue("oanda", { key = "101-004-1111111-001" })
    local account, err = other:account()
    assert.is_nil(account)
    assert.is_true(err.class == "permission" or err.class == "auth", err.class) -- 403; the venue's pages say 401
  end)

  it("is never asked about an account where money is", function()
    assert(venue:ping())
    local ok, err = pcall(smc.venue, "oanda", { key = "001-004-1234567-001" })
    assert.is_false(ok)
    assert.matches("is a practice account", err)
  end)
end)

describe("oanda streams #connection #oanda", function()
  local venue
  before_each(function() venue = smc.venue "oanda" end)

  it("sends prices as lines of JSON over HTTP: one of each instrument first, then a heartbeat every five seconds",
    function()
      local stream <close> = assert(venue:stream { "ticker:EUR/USD", "ticker:USD/JPY" })
      local seen = {}
      for _ = 1, 2 do
        local event = assert(stream:recv(10))
        seen[event.symbol] = event
        assert.is_true(smc.decimal.lt(event.bid, event.ask))
      end
      assert.is_not_nil(seen["EUR/USD"] and seen["USD/JPY"])
      assert.same({ "EUR_USD", "USD_JPY" }, stream:subscriptions())
    end)

  it("keeps a local book equal to the venue's while the market moves", function()
    local stream <close> = assert(venue:stream { "book:EUR/USD" })
    local first = assert(stream:top(3))
    for _, by in ipairs { "0.01", "-0.02", "0.005" } do
      venue.sandbox:move("EUR/USD", { by = by })
      eventually(function()
        local theirs, ours = assert(venue:book("EUR/USD", 3)), assert(stream:top(3))
        assert.same({ theirs.bids, theirs.asks }, { ours.bids, ours.asks })
      end, { within = 1 }) -- the venue tells four times a second
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
end)
