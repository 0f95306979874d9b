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

  it("has a practice account, which is the one that was asked for", function()
    assert.matches("^101%-%d+%-%d+%-%d+$", venue.key)
    local answer = assert(venue:get(path(venue, "summary"), {}, { signed = true }))
    assert.equal(venue.key, answer.account.id)
    assert.equal(answer.account.lastTransactionID, answer.lastTransactionID)
    local account = assert(venue:account())
    assert.is_true(account.can_trade)
    local money = account.balances[answer.account.currency]
    assert.is_true(smc.decimal.cmp(money.total, "0") > 0, money.total)
  end)

  it("tells the time to the second, close to ours", function()
    local time = assert(venue:time())
    assert.equal(0, time % 1000)
    assert.is_true(math.abs(time - smc.wall()) <= 5000, "clocks differ by " .. time - smc.wall() .. " ms")
  end)

  it("has a clock of its own, which is measured by whole seconds", function()
    venue.sandbox:skew(90)
    local offset = assert(venue:sync())
    assert.is_true(offset > 88900 and offset <= 90000, tostring(offset))
  end)

  it("refuses too many requests for as long as they are too many", function()
    venue.sandbox:limit { requests = 3, per = 1 }
    for _ = 1, 3 do assert(venue:ping()) end
    local seconds, err = venue:ping()
    assert.is_nil(seconds)
    assert.same({ "rate_limit", 429, true }, { err.class, err.http, err.retryable })
    assert.equal(4, #venue:requests())
    eventually(function() assert(venue:ping()) end, { within = 2 })
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

describe("oanda orders #connection #oanda", function()
  local venue
  local decimal = smc.decimal
  before_each(function() venue = smc.venue "oanda" end)
  after_each(function() assert(venue:flatten()) end)

  local function market(side, qty)
    return assert(venue:place { symbol = "EUR/USD", side = side, type = "market", qty = qty })
  end

  --- Moves the price so far from the present one, up or down.
  local function shifted(price, by) return decimal.round(decimal.mul(price, decimal.add("1", by)), 5) end

  for _, case in ipairs { { "buy", "sell", "long" }, { "sell", "buy", "short" } } do
    local open, close, side = table.unpack(case)
    it(("moves the balance by exactly what a %s position earned, not before it is closed"):format(side), function()
      local before = assert(venue:balances()).USD
      local opened = market(open, "10000")
      local position = assert(venue:positions())[1]
      assert.same({ "EUR/USD", side, "10000", opened.average }, { position.symbol, position.side, position.qty,
        position.entry })
      local held = assert(venue:balances()).USD
      assert.equal(before.total, held.total)
      assert.is_true(decimal.cmp(held.locked, before.locked) > 0, "it ties up margin")

      venue.sandbox:move("EUR/USD", { by = "0.01" })
      local closed = market(close, "10000")

      local fill = assert(venue:fills("EUR/USD", { order_id = closed.id }))[1]
      local points = side == "long" and decimal.sub(closed.average, opened.average)
        or decimal.sub(opened.average, closed.average)
      assert.is_true(decimal.eq(decimal.mul(points, "10000"), fill.realized), fill.realized)
      local after = assert(venue:balances()).USD
      assert.is_true(decimal.eq(decimal.add(before.total, decimal.sub(fill.realized, fill.fee)), after.total))
      assert.same({ {}, before.locked }, { assert(venue:positions()), after.locked })
    end)
  end

  it("closes the oldest first, and opens what is more than that on the other side", function()
    market("buy", "300")
    market("buy", "200")
    market("sell", "400")
    assert.same({ "long", "100" }, { assert(venue:positions())[1].side, assert(venue:positions())[1].qty })
    market("sell", "250")
    assert.same({ "short", "150" }, { assert(venue:positions())[1].side, assert(venue:positions())[1].qty })
    local order, err = venue:place { symbol = "EUR/USD", side = "buy", type = "market", qty = "150",
      reduce_only = true }
    assert.is_nil(err)
    assert.equal("filled", order.status)
    assert.same({}, assert(venue:positions()))
  end)

  for _, case in ipairs { { "stop", "0.01", "0.02" }, { "take_profit", "-0.01", "-0.02" } } do
    local kind, at, move = table.unpack(case)
    it(("fills a %s order when its price has come, not before"):format(kind), function()
      local price = shifted(assert(venue:ticker "EUR/USD").last, at)
      local order = assert(venue:place { symbol = "EUR/USD", side = "buy", type = kind, qty = "100",
        trigger_price = price })
      assert.same({ "open", kind, price }, { order.status, order.type, order.trigger_price })
      venue.sandbox:move("EUR/USD", { by = decimal.div(at, "2", 4) })
      assert.equal("open", assert(venue:order { symbol = "EUR/USD", id = order.id }).status)
      venue.sandbox:move("EUR/USD", { by = move })
      eventually(function()
        local now = assert(venue:order { symbol = "EUR/USD", id = order.id })
        assert.same({ "filled", "100" }, { now.status, now.filled })
      end, { within = 5 })
    end)
  end

  it("replaces an order that is amended: a new number, the same name", function()
    local order = assert(venue:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "1000", price = "0.9" })
    local new = assert(venue:amend { symbol = "EUR/USD", id = order.id, qty = "700", price = "0.91" })
    assert.same({ "open", "700", "0.91", order.client_id }, { new.status, new.qty, new.price, new.client_id })
    assert.are_not.equal(order.id, new.id)
    assert.equal("canceled", assert(venue:order { symbol = "EUR/USD", id = order.id }).status)
    assert.same({ new.id }, { assert(venue:open_orders "EUR/USD")[1].id })
    assert.equal(new.id, assert(venue:cancel_all "EUR/USD")[1].id)
  end)

  it("takes no order to the market while it is closed, and keeps those that wait", function()
    venue.sandbox:halt "EUR/USD"
    local order, err = venue:place { symbol = "EUR/USD", side = "buy", type = "market", qty = "100" }
    assert.is_nil(order)
    assert.same({ "market_closed", "MARKET_HALTED", true }, { err.class, err.code, err.retryable })
    assert.equal("expired", assert(venue:order { symbol = "EUR/USD", id = err.order_id }).status)
    local waiting = assert(venue:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "100", price = "0.9" })
    assert.equal("open", waiting.status)
    venue.sandbox:resume "EUR/USD"
    assert.equal("filled", market("buy", "100").status)
  end)

  it("tells of each order, fill and balance once, in the order in which it happened", function()
    local events <close> = assert(venue:user_stream())
    local rests = assert(venue:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "500", price = "0.9" })
    local bought = market("buy", "1000")
    assert(venue:cancel { symbol = "EUR/USD", id = rests.id })
    local seen = {}
    for i = 1, 5 do
      local event = assert(events:recv(5))
      seen[i] = ("%s %s %s"):format(event.kind, event.execution or "", event.order and event.order.id or "")
    end
    assert.same({ "order new " .. rests.id, "order new " .. bought.id, "fill trade " .. bought.id, "balance  ",
      "order canceled " .. rests.id }, seen)
    local nothing, err = events:recv(4)
    assert.is_nil(nothing)
    assert.equal("timeout", err.class)
  end)

  it("finds an order whose answer was lost, and never sends it twice", function()
    venue:fault { venue = "ack_lost", on = "place", times = 1 }
    local order = market("buy", "100")
    assert.same({ "filled", "100" }, { order.status, order.filled })
    assert.equal(1, #venue.sandbox:requests { method = "POST" })
    assert.equal("100", assert(venue:positions())[1].qty)
  end)

  it("leaves an order in doubt that it can't find, and tells by which name it was sent", function()
    venue:fault { venue = "status", status = 504, on = "place", times = 1 }
    local order, err = venue:place { symbol = "EUR/USD", side = "buy", type = "market", qty = "100" }
    assert.is_nil(order)
    assert.same({ "unknown_outcome", 504, false }, { err.class, err.http, err.retryable })
    assert.equal(1, #venue.sandbox:requests { method = "POST" })
    local none, unknown = venue:order { symbol = "EUR/USD", client_id = err.client_id }
    assert.is_nil(none)
    assert.equal("unknown_order", unknown.class)
    assert.same({}, assert(venue:positions()))
  end)

  it("shows what it has done, newest last, as often as it is asked", function()
    local first, second = market("buy", "100"), market("sell", "100")
    local rests = assert(venue:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "5", price = "0.9" })
    local list = assert(venue:orders "EUR/USD")
    assert.same({ first.id, second.id, rests.id }, { list[1].id, list[2].id, list[3].id })
    assert.same({ "filled", first.average, "open" }, { list[1].status, list[1].average, list[3].status })
    assert.same({ rests.id }, { assert(venue:orders("EUR/USD", { limit = 1 }))[1].id })
    local fills = assert(venue:fills "EUR/USD")
    assert.same({ 2, first.id, second.id }, { #fills, fills[1].order_id, fills[2].order_id })
    assert.same({}, assert(venue:fills "USD/JPY"))
    assert.equal(second.id, assert(venue:fills("EUR/USD", { limit = 1 }))[1].order_id)
  end)
end)
