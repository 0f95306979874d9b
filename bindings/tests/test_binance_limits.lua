-- Weights, order counts, bans: fixed windows aligned to the wall clock, and the venue's own words.
local fake = require "binance_fake"
local json = require "smc.json"
local smc = require "smc"

local WEIGHT_TEXT = "Too much request weight used; current limit is 10 request weight per 1 MINUTE. "
  .. "Please use WebSocket Streams for live updates to avoid polling the API."

local sb
local function time() return fake.ask(sb, "GET", "/api/v3/time") end

local function place(query)
  return fake.signed(sb, "POST", "/api/v3/order", "symbol=BTCUSDT&" .. query)
end

local LIMIT = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000"

describe("request weight", function()
  before_each(function()
    sb = fake.venue()
    sb.limits:change("request_weight", 10, 60)
  end)

  it("ends in a 429 with the seconds that are left of the minute", function()
    for _ = 1, 10 do assert.equal(200, time().status) end
    smc.sleep(12.5)
    local ex = time()
    assert.same({ 429, "48", "11" }, { ex.status, ex.out["retry-after"], ex.out["x-mbx-used-weight-1m"] })
    assert.same({ -1003, WEIGHT_TEXT }, { json.decode(ex.answer).code, json.decode(ex.answer).msg })
    assert.equal(1, sb.limits.violations)
  end)

  it("starts anew with the next minute of the clock, not a minute later", function()
    smc.sleep(59)
    for _ = 1, 10 do assert.equal(200, time().status) end
    smc.sleep(0.999)
    assert.equal(429, time().status)
    smc.sleep(0.001)
    local ex = time()
    assert.same({ 200, "1" }, { ex.status, ex.out["x-mbx-used-weight-1m"] })
  end)

  it("of an order is charged only when it is refused", function()
    assert.equal("0", place(LIMIT).out["x-mbx-used-weight-1m"])
    assert.equal("1", place("side=BUY&type=MARKET&quantity=200").out["x-mbx-used-weight-1m"])
    assert.equal("1", fake.signed(sb, "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").out["x-mbx-used-weight-1m"])
    assert.equal("2", fake.signed(sb, "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").out["x-mbx-used-weight-1m"])
  end)

  it("turns into a ban for who keeps sending, twice as long the next time", function()
    assert.equal(120, sb.assume.ban_first)
    sb.assume.ban_first = 12 -- or the spec would last longer than it may
    local function until_banned()
      local last
      repeat last = time() until last.status == 418
      return last
    end
    local ban = until_banned()
    assert.same({ "12", 10 }, { ban.out["retry-after"], sb.limits.violations - 1 })
    assert.equal(("Way too much request weight used; IP banned until %d. "):format(smc.wall() + 12000)
      .. "Please use WebSocket Streams for live updates to avoid bans.", json.decode(ban.answer).msg)
    smc.sleep(11.9)
    assert.equal(418, time().status)
    smc.sleep(0.1)
    assert.equal(429, time().status) -- still the same minute
    smc.sleep(48)
    assert.equal(200, time().status)
    assert.equal("24", until_banned().out["retry-after"])
  end)

  it("bans after as many as is assumed", function()
    sb = fake.venue { ban_after = 1, ban_first = 7 }
    sb.limits:change("request_weight", 1, 60)
    assert.equal(200, time().status)
    assert.equal(429, time().status)
    assert.same({ 418, "7" }, { time().status, time().out["retry-after"] })
  end)

  it("counts raw requests too, whatever they weigh", function()
    sb = fake.venue()
    sb.limits:change("raw_requests", 2, 10)
    assert.same({ 200, 200 }, { time().status, time().status })
    local refused = time()
    assert.equal(429, refused.status)
    assert.equal("Too many requests; current limit is 2 requests per 10 SECOND.", json.decode(refused.answer).msg)
    smc.sleep(10)
    assert.equal(200, time().status)
  end)

  it("depends on what is asked for", function()
    sb = fake.venue()
    local function weight(target)
      local before = sb.limits:report(sb:now(), sb.first_account).window
      fake.ask(sb, "GET", "/api/v3/" .. target)
      return sb.limits:report(sb:now(), sb.first_account).window - before
    end
    assert.same({ 5, 25, 50, 250 }, { weight "depth?symbol=BTCUSDT&limit=100", weight "depth?symbol=BTCUSDT&limit=500",
      weight "depth?symbol=BTCUSDT&limit=1000", weight "depth?symbol=BTCUSDT&limit=1001" })
    assert.same({ 2, 2, 80 }, { weight "ticker/24hr?symbol=BTCUSDT", weight 'ticker/24hr?symbols=["BTCUSDT"]',
      weight "ticker/24hr" })
    assert.same({ 20, 25, 4, 2, 2, 4, 1 }, { weight "exchangeInfo", weight "trades?symbol=BTCUSDT",
      weight "aggTrades?symbol=BTCUSDT", weight "klines?symbol=BTCUSDT&interval=1m", weight "avgPrice?symbol=BTCUSDT",
      weight "ticker/price", weight "ping" })
  end)
end)

describe("the unfilled order count", function()
  before_each(function() sb = fake.venue() end)

  local function counts(ex) return { ex.out["x-mbx-order-count-10s"], ex.out["x-mbx-order-count-1d"] } end

  it("stands in the headers of every order placed", function()
    assert.same({ "1", "1" }, counts(place(LIMIT)))
    assert.same({ "2", "2" }, counts(place(LIMIT)))
    smc.sleep(10)
    assert.same({ "1", "3" }, counts(place(LIMIT)))
  end)

  it("refuses the 51st order of ten seconds", function()
    for _ = 1, 50 do assert.equal(200, place(LIMIT).status) end
    local ex = place(LIMIT)
    assert.same({ 429, "10" }, { ex.status, ex.out["retry-after"] })
    assert.same({ -1015, "Too many new orders; current limit is 50 orders per 10 SECOND." },
      { json.decode(ex.answer).code, json.decode(ex.answer).msg })
    smc.sleep(10)
    assert.equal(200, place(LIMIT).status)
  end)

  it("goes down by one when a taker is filled, by five when a maker is", function()
    for _ = 1, 8 do place(LIMIT) end
    assert.same({ "8", "8" }, counts(place "side=BUY&type=MARKET&quantity=0.01"))
    fake.signed(sb, "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT")
    place "side=BUY&type=LIMIT_MAKER&quantity=0.01&price=50000"
    sb.market:move("BTCUSDT", { to = "49000" })
    local now = json.decode(fake.signed(sb, "GET", "/api/v3/rateLimit/order").answer)
    assert.same({ 4, 4, 50 }, { now[1].count, now[2].count, now[1].limit })
  end)

  it("leaves out what the engine refused, unless that is assumed", function()
    place "side=BUY&type=MARKET&quantity=139.9&newClientOrderId=a"
    local refused = place "side=SELL&type=MARKET&quantity=139"
    assert.equal(400, refused.status)
    local function ten_seconds() return json.decode(fake.signed(sb, "GET",
      "/api/v3/rateLimit/order").answer)[1].count end
    local before = ten_seconds()
    sb.assume.count_rejected_orders = true
    place "side=SELL&type=LIMIT_MAKER&quantity=1&price=40000"
    assert.equal(before + 1, ten_seconds())
  end)
end)
