-- Market streams and the WebSocket API of the sandbox, frame by frame.
local fake = require "binance_fake"
local json = require "smc.json"
local sign = require "smc.core.sign"
local smc = require "smc"

local sb

local frames = fake.frames

local function of(list, kind)
  local out = {}
  for _, f in ipairs(list) do
    if f.e == kind then out[#out + 1] = f end
  end
  return out
end

describe("a market stream connection", function()
  before_each(function() sb = fake.venue() end)
  after_each(function() sb:close() end)

  it("exists under /ws and /stream only", function()
    assert.equal(404, fake.connect(sb, "/stream/nonsense").status)
    assert.equal(404, fake.connect(sb, "/socket").status)
    for _, path in ipairs { "/ws", "/ws/0", "/ws/btcusdt@trade/ethusdt@trade", "/stream", "/stream?streams=" } do
      assert.is_nil(fake.connect(sb, path).status, path)
    end
  end)

  it("answers each control message in its own words", function()
    local sock = fake.connect(sb, "/stream")
    local function told(text)
      sock:say(text)
      smc.sleep(1) -- at most five messages a second
      return sock:take()[1]
    end
    assert.equal('{"result":null,"id":1}', told '{"method":"SUBSCRIBE","params":["x@y","btcusdt@kline_1d"],"id":1}')
    assert.equal('{"result":["x@y","btcusdt@kline_1d"],"id":"abc"}', told '{"method":"LIST_SUBSCRIPTIONS","id":"abc"}')
    assert.equal('{"result":null,"id":null}', told '{"method":"UNSUBSCRIBE","params":["btcusdt@kline_1d"],"id":null}')
    assert.equal('{"result":null,"id":"e2a85d9f-07a5-4f94-8d5f-789dc3deb097"}',
      told '{"method":"UNSUBSCRIBE","params":[],"id":"e2a85d9f-07a5-4f94-8d5f-789dc3deb097"}')
    assert.equal('{"result":true,"id":3}', told '{"method":"GET_PROPERTY","params":["combined"],"id":3}')
    assert.equal('{"result":null,"id":4}', told '{"method":"SET_PROPERTY","params":["combined",false],"id":4}')
    assert.equal('{"result":false,"id":5}', told '{"method":"GET_PROPERTY","params":["combined"],"id":5}')
    assert.equal('{"error":{"code":0,"msg":"Unknown property"},"id":6}',
      told '{"method":"GET_PROPERTY","params":["other"],"id":6}')
    assert.equal('{"error":{"code":1,"msg":"Invalid value type: expected Boolean"},"id":7}',
      told '{"method":"SET_PROPERTY","params":["combined",1],"id":7}')
    assert.equal('{"error":{"code":2,"msg":"Invalid request: request ID must be an unsigned integer"}}',
      told '{"method":"LIST_SUBSCRIPTIONS","id":1.5}')
    assert.is_nil(sock.closed)
  end)

  it("has no stream whose name is no text", function()
    for _, target in ipairs { "/ws/%ff/btcusdt@trade", "/stream?streams=%ff/btcusdt@trade" } do
      local sock = fake.connect(sb, target)
      sock:say '{"method":"LIST_SUBSCRIPTIONS","id":1}'
      assert.same({ "btcusdt@trade" }, fake.frames(sock)[1].result)
    end
  end)

  for _, row in ipairs {
    { "{nonsense", "^Invalid JSON: expected value at line 1 column %d+$", 3 },
    { '{"id":1}', "^Invalid request: missing field `method` at line 1 column 8$", 2 },
    { '{"method":"GUESS","id":1}', "^Invalid request: unknown variant `GUESS`, expected one of `SUBSCRIBE`, "
      .. "`UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 17$", 2 },
  } do
    it("ends after " .. row[1], function()
      local sock = fake.connect(sb, "/ws")
      sock:say(row[1])
      local answer = json.decode(sock.sent[1])
      assert.equal(row[3], answer.error.code)
      assert.matches(row[2], answer.error.msg)
      assert.equal(1008, sock.closed[1])
    end)
  end

  it("ends for a client that sends more than five messages in a second", function()
    local sock = fake.connect(sb, "/ws")
    for _ = 1, 5 do sock:say '{"method":"LIST_SUBSCRIPTIONS","id":1}' end
    assert.is_nil(sock.closed)
    sock:say '{"method":"LIST_SUBSCRIPTIONS","id":1}'
    assert.equal(1008, sock.closed[1])
    assert.same({}, sb.sessions)
  end)

  it("pings every 20 s and ends when no pong came for 60 s", function()
    local good, silent = fake.connect(sb, "/ws"), fake.connect(sb, "/stream")
    smc.sleep(20.1)
    assert.same({ 1, 1 }, { #good.pinged, #silent.pinged })
    good.handlers.on_pong(good, good.pinged[1])
    silent.handlers.on_pong(silent, "unsolicited")
    for _, session in ipairs(sb.sessions) do -- as if whoever is silent had been so for 40 s more
      session.unanswered = session.unanswered and session.unanswered - 40000
    end
    smc.sleep(19.8)
    assert.is_nil(silent.closed)
    smc.sleep(0.2)
    assert.equal(1008, silent.closed[1])
    assert.same({ 2, nil }, { #good.pinged, good.closed })
  end)

  it("leaves no timer behind when the last one is gone", function()
    local sock = fake.connect(sb, "/ws/btcusdt@trade")
    assert.is_truthy(sb.timer)
    sock:close(1000, "")
    assert.is_nil(sb.timer)
    assert.same({}, sb.topics)
  end)
end)

describe("a market stream", function()
  before_each(function() sb = fake.venue() end)
  after_each(function() sb:close() end)

  it("of trades tells each one once, in order", function()
    local sock = fake.connect(sb, "/ws/btcusdt@trade")
    local last = sb.market:trades({ symbol = "BTCUSDT", limit = 1 })[1].id
    smc.sleep(30)
    local trades = of(frames(sock), "trade")
    assert.is_true(#trades >= 10, #trades .. " trades in 30 s")
    for i, t in ipairs(trades) do
      assert.equal(last + i, t.t)
      assert.is_true(t.T <= t.E)
    end
  end)

  it("of a client's own order shows it to everybody", function()
    local sock = fake.connect(sb, "/stream?streams=btcusdt@trade/btcusdt@aggTrade")
    local order = json.decode(fake.signed(sb, "POST", "/api/v3/order",
      "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01").answer)
    local seen = frames(sock)
    assert.equal("btcusdt@trade", seen[1].stream)
    assert.same({ order.fills[1].tradeId, "0.01000000", false }, { seen[1].data.t, seen[1].data.q, seen[1].data.m })
    assert.same({ "aggTrade", order.fills[1].tradeId }, { seen[2].data.e, seen[2].data.f })
  end)

  it("of depth changes joins without a gap, and rebuilds the book", function()
    local sock = fake.connect(sb, "/ws/btcusdt@depth@100ms")
    local book = sb.market:book("BTCUSDT")
    local id, bids = book.update_id, {}
    for _, row in ipairs(book.bids) do bids[row[1]] = row[2] end
    smc.sleep(60)
    local events = of(frames(sock), "depthUpdate")
    assert.is_true(#events > 10)
    for _, e in ipairs(events) do
      assert.equal(id + 1, e.U)
      id = e.u
      for _, row in ipairs(e.b) do
        local price, qty = smc.decimal.format(row[1]), smc.decimal.format(row[2])
        bids[price] = qty ~= "0" and qty or nil
      end
    end
    local wanted = {}
    for _, row in ipairs(sb.market:book("BTCUSDT").bids) do wanted[row[1]] = row[2] end
    assert.same(wanted, bids)
    assert.equal(sb.market:book("BTCUSDT").update_id, id)
  end)

  it("of candles closes each one once, at its end", function()
    sb.skew_ms = 50000 -- the venue's minute ends in ten seconds
    local sock = fake.connect(sb, "/ws/btcusdt@kline_1m")
    smc.sleep(20.1)
    local events = of(frames(sock), "kline")
    assert.equal(10, #events)
    for i, e in ipairs(events) do
      assert.equal(i == 5, e.k.x)
      assert.equal(e.k.t + 59999, e.k.T)
      assert.equal(i <= 5 and events[5].E - 60000 or events[5].E, e.k.t)
    end
  end)

  it("of tickers comes every second; the best bid and ask whenever they change", function()
    local sock = fake.connect(sb, "/ws/ethusdt@ticker/ethusdt@miniTicker/ethusdt@avgPrice/ethusdt@bookTicker")
    smc.sleep(10.1)
    local all = frames(sock)
    assert.same({ 10, 10, 10 }, { #of(all, "24hrTicker"), #of(all, "24hrMiniTicker"), #of(all, "avgPrice") })
    local before
    for _, f in ipairs(all) do
      if f.u then
        local now = table.concat({ f.b, f.B, f.a, f.A }, " ")
        assert.is_not.equal(before, now)
        before = now
      end
    end
    assert.is_truthy(before)
  end)

  it("can be had in microseconds", function()
    local sock = fake.connect(sb, "/ws/btcusdt@avgPrice?timeUnit=MICROSECOND")
    smc.sleep(1)
    assert.equal(smc.wall() * 1000, frames(sock)[1].E)
    assert.equal(400, fake.connect(sb, "/ws?timeUnit=DAY").status)
  end)
end)

-- ---- the WebSocket API ------------------------------------------------------------------------------------------

local function ask(sock, id, method, params)
  sock:say(json.encode(json.object("id", id, "method", method, "params", params)))
  local list = frames(sock)
  return list[#list], list
end

local function signed(params, key)
  params.apiKey, params.timestamp = key or sb.key, smc.wall()
  local names, parts = {}, {}
  for name in pairs(params) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = name .. "=" .. tostring(params[name]) end
  params.signature = sign.key("hmac", sb.secret):sign(table.concat(parts, "&"))
  return params
end

describe("the WebSocket API", function()
  local sock
  before_each(function()
    sb = fake.venue()
    sock = fake.connect(sb, "/ws-api/v3")
  end)
  after_each(function() sb:close() end)

  it("echoes ids of every kind, and tells the weight used, its own connection included", function()
    sock:say '{"id":"b-7","method":"time"}'
    local start = '{"id":"b-7","status":200,"result":{"serverTime":%d},"rateLimits":[{"rateLimitType":'
    assert.equal(start:format(smc.wall())
      .. '"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":3}]}', sock:take()[1])
    sock:say '{"id":null,"method":"v3/ping","params":{"returnRateLimits":false}}'
    assert.equal('{"id":null,"status":200,"result":{}}', sock:take()[1])
  end)

  it("answers the same as REST", function()
    local book = ask(sock, 1, "depth", { symbol = "BTCUSDT", limit = 2 }).result
    assert.same(json.decode(fake.ask(sb, "GET", "/api/v3/depth?symbol=BTCUSDT&limit=2").answer), book)
    local prices = ask(sock, 2, "ticker.price", { symbols = json.array { "ETHBTC" } }).result
    assert.equal("ETHBTC", prices[1].symbol)
    local info = ask(sock, 3, "exchangeInfo", { symbol = "BTCUSDT" }).result
    assert.equal("CONNECTIONS", info.rateLimits[4].rateLimitType)
  end)

  it("refuses with the code of REST", function()
    local answer = ask(sock, 1, "depth", { symbol = "NOPE" })
    assert.same({ 400, -1121, "Invalid symbol." }, { answer.status, answer.error.code, answer.error.msg })
    assert.equal(-1020, ask(sock, 1, "no.such.method").error.code)
    assert.equal(-1102, ask(sock, 1, "account.status", { apiKey = sb.key }).error.code)
    assert.equal(-2014, ask(sock, 1, "account.status", { timestamp = smc.wall(), signature = "x" }).error.code)
    sock:say "{"
    assert.equal(-1135, frames(sock)[1].error.code)
  end)

  it("tells when to come back, in milliseconds since the epoch", function()
    sb.limits:change("request_weight", 1, 60)
    ask(sock, 1, "ping")
    local answer = ask(sock, 2, "ping")
    assert.same({ 429, -1003, smc.wall() + 60000 }, { answer.status, answer.error.code, answer.error.data.retryAfter })
  end)

  it("places, looks up, lists and cancels orders", function()
    local placed = ask(sock, 1, "order.place", signed { symbol = "BTCUSDT", side = "BUY", type = "LIMIT",
      timeInForce = "GTC", quantity = "0.01", price = "40000.00" })
    assert.same({ 200, "NEW" }, { placed.status, placed.result.status })
    assert.equal("ORDERS", placed.rateLimits[1].rateLimitType)
    local id = placed.result.orderId
    assert.equal("NEW", ask(sock, 2, "order.status", signed { symbol = "BTCUSDT", orderId = id }).result.status)
    assert.equal(id, ask(sock, 3, "openOrders.status", signed {}).result[1].orderId)
    assert.equal("CANCELED", ask(sock, 4, "order.cancel", signed { symbol = "BTCUSDT", orderId = id }).result.status)
    assert.same({}, ask(sock, 5, "order.test", signed { symbol = "BTCUSDT", side = "BUY", type = "MARKET",
      quantity = "0.01" }).result)
  end)

  it("tells an account what happens to it, in the venue's order", function()
    assert.equal(0, ask(sock, 1, "userDataStream.subscribe.signature", signed {}).result.subscriptionId)
    fake.signed(sb, "POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&newClientOrderId=m")
    local list = frames(sock)
    local new, trade, position = list[1].event, list[2].event, list[3].event
    assert.same({ 3, 0 }, { #list, list[1].subscriptionId })
    assert.same({ "NEW", "NEW", "0.00000000", -1, "0", true, "m", "" },
      { new.x, new.X, new.l, new.t, new.n, new.w, new.c, new.C })
    assert.same({ "TRADE", "FILLED", "0.01000000", false, false, true },
      { trade.x, trade.X, trade.z, trade.w, trade.m, trade.M })
    assert.is_true(trade.I > new.I)
    assert.equal("outboundAccountPosition", position.e)
    assert.same({ "BTC", "100.01000000", "USDT" }, { position.B[1].a, position.B[1].f, position.B[2].a })
  end)

  it("tells a cancel with both ids", function()
    fake.signed(sb, "POST", "/api/v3/order",
      "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000&newClientOrderId=old")
    ask(sock, 1, "userDataStream.subscribe.signature", signed {})
    fake.signed(sb, "DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=old&newClientOrderId=new")
    local e = frames(sock)[1].event
    assert.same({ "CANCELED", "CANCELED", "new", "old", false }, { e.x, e.X, e.c, e.C, e.w })
  end)

  it("fills a resting order when the market comes to it, without anybody asking", function()
    ask(sock, 1, "userDataStream.subscribe.signature", signed {})
    fake.signed(sb, "POST", "/api/v3/order",
      "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&quantity=0.01&price=59990")
    sock:take()
    eventually(function()
      local e = assert(frames(sock)[1], "not filled yet").event
      assert.same({ "TRADE", true }, { e.x, e.m })
    end, { within = 3600 })
  end)

  it("keeps one subscription an account", function()
    ask(sock, 1, "userDataStream.subscribe.signature", signed {})
    assert.equal(-2035, ask(sock, 2, "userDataStream.subscribe.signature", signed {}).error.code)
    assert.equal(0, ask(sock, 3, "session.subscriptions").result[1].subscriptionId)
    assert.equal(-2036, ask(sock, 4, "userDataStream.unsubscribe", { subscriptionId = 5 }).error.code)
    local answer, list = ask(sock, 5, "userDataStream.unsubscribe")
    assert.equal("eventStreamTerminated", list[1].event.e)
    assert.same({}, answer.result)
    assert.equal(1, ask(sock, 6, "userDataStream.subscribe.signature", signed {}).result.subscriptionId)
  end)

  it("logs a session on with an Ed25519 key only", function()
    local answer = ask(sock, 1, "session.logon", signed {})
    assert.same({ 400, -4056 }, { answer.status, answer.error.code })
    assert.equal(json.null, ask(sock, 2, "session.status").result.apiKey)
    assert.equal(-2015, ask(sock, 3, "userDataStream.subscribe").error.code)
  end)
end)

-- RFC 8032's first test key.
local PRIVATE = [[
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
]]
local PUBLIC = [[
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
]]

describe("a session that has logged on", function()
  local api_key, sock

  local function log_on()
    sb = fake.venue()
    api_key = sb:add_key("ed25519", PUBLIC, sb.first_account, true)
    sock = fake.connect(sb, "/ws-api/v3")
    local params = { apiKey = api_key, timestamp = smc.wall() }
    params.signature = sign.key("ed25519", PRIVATE):sign("apiKey=" .. api_key .. "&timestamp=" .. params.timestamp)
    return ask(sock, 1, "session.logon", params)
  end

  it("ends with the first request after its key was deleted, whose answer has no id", function()
    for _, method in ipairs { "account.status", "session.status", "ping" } do
      log_on()
      sb.keys[api_key] = nil
      sock:say(json.encode { id = 7, method = method, params = { timestamp = method:find "account" and smc.wall() } })
      local answer = json.decode(sock:take()[1])
      assert.same({ json.null, 401, -2015 }, { answer.id, answer.status, answer.error.code }, method)
      assert.equal(json.null, ask(sock, 8, "session.status").result.apiKey)
      sb:close()
    end
  end)

  it("needs no key and no signature any more, until it logs out", function()
    local logon = log_on()
    assert.same({ 200, api_key, smc.wall() }, { logon.status, logon.result.apiKey, logon.result.authorizedSince })
    assert.equal(200, ask(sock, 2, "account.status", { timestamp = smc.wall() }).status)
    assert.equal(-1021, ask(sock, 3, "account.status", { timestamp = smc.wall() - 9000 }).error.code)
    assert.equal(0, ask(sock, 4, "userDataStream.subscribe").result.subscriptionId)

    local logout, list = ask(sock, 5, "session.logout")
    assert.equal("eventStreamTerminated", list[1].event.e)
    assert.equal(json.null, logout.result.apiKey)
    assert.equal(-1102, ask(sock, 6, "account.status", { timestamp = smc.wall() }).error.code)
    sb:close()
  end)
end)
