-- Faults of requests that need more than a status: on the wire, in time, by chance, and inside a WebSocket.
local json = require "smc.json"
local smc = require "smc"

local TIME = "/api/v3/time"

local function raw(venue, target, options) return smc.http.get(venue.sandbox.origin .. target, options) end

describe("a fault of an answer", function()
  local venue
  before_each(function() venue = smc.venue "binance" end)

  it("says so twice, and the second belongs to no other call", function()
    venue:fault { venue = "ack_twice", on = "place" }

    local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" })

    assert.equal(1, #venue.sandbox:orders { client_id = order.client_id })
    assert.is_truthy(assert(venue:ticker "BTC/USDT").last)
    assert.equal(200, assert(raw(venue, TIME)).status)
  end)

  it("costs its connection when it comes twice", function()
    local oanda = smc.venue("oanda", { sandbox = smc.sandbox("oanda", { assume = { connections_per_second = 1 } }) })
    assert(oanda:balances())
    assert(oanda:balances())
    oanda:fault { venue = "ack_twice", times = 1 }
    assert(oanda:balances())
    assert.equal("network", select(2, oanda:balances()).class)
  end)

  it("has values of the wrong types, or is something else altogether", function()
    local function body(kind)
      venue:fault { venue = "wrong_type", kind = kind, path = TIME, times = 1 }
      return assert(raw(venue, TIME)).body
    end
    assert.equal('{"serverTime":"wrong"}', body "leaves")
    assert.same({ "null", "[]", "{}", '"wrong"' }, { body "null", body "array", body "object", body "text" })
  end)

  it("has another length than it says", function()
    venue:fault { venue = "content_length", by = -10, path = TIME, times = 1 }
    local body = assert(raw(venue, TIME)).body
    assert.is_nil(json.decode(body))
    assert.equal(200, assert(raw(venue, TIME)).status)
    venue:fault { venue = "content_length", by = 5, path = TIME, times = 1 }
    local _, err = raw(venue, TIME, { timeout = 3 })
    assert.equal("timeout", err.class)
    assert.equal(200, assert(raw(venue, TIME)).status)
  end)

  it("comes as gzip that nobody asked for, whole or damaged", function()
    local function answer(damage)
      venue:fault { venue = "gzip", damage = damage, path = TIME, times = 1 }
      local reply = assert(raw(venue, TIME))
      assert.equal("gzip", reply.headers["content-encoding"])
      return reply.body
    end
    local whole = answer "none"
    assert.equal("\x1f\x8b\x08", whole:sub(1, 3))
    local text = whole:match '{.*}'
    assert.equal(#text, string.unpack("<I4", whole, #whole - 3))
    assert.equal(#whole // 2, #answer "cut")
    assert.equal(0x7, answer("block"):byte(11))
    assert.not_equal(whole:sub(-8, -5), answer("crc"):sub(-8, -5))
    assert.equal("{", answer("plain"):sub(1, 1))
  end)

  it("is one of a storm, by the seed", function()
    venue:fault { venue = "storm", path = TIME }
    local seen = {}
    for _ = 1, 40 do seen[assert(raw(venue, TIME)).status] = true end
    assert.same({ [500] = true, [502] = true, [503] = true, [504] = true }, seen)
  end)

  it("is known by two names, and counted by two", function()
    venue:fault { venue = "http", status = 503, path = TIME, count = 2 }
    assert.same({ 503, 503, 200 }, { assert(raw(venue, TIME)).status, assert(raw(venue, TIME)).status,
      assert(raw(venue, TIME)).status })
    venue:fault { venue = "http", status = 500 }
    assert(venue:heal "http")
    assert.same({}, venue.sandbox:faults())
  end)
end)

describe("when a fault is met", function()
  local venue
  before_each(function() venue = smc.venue "binance" end)
  local function status() return assert(raw(venue, TIME)).status end

  it("is between two points of time, whatever others are met meanwhile", function()
    venue:fault { venue = "reset", path = "/api/v3/ping" }
    venue:fault { venue = "status", status = 503, path = TIME, after = 10, for_ = 5 }
    assert.equal(200, status())
    smc.sleep(9.5)
    assert.equal(200, status())
    smc.sleep(1)
    assert.equal(503, status())
    smc.sleep(4)
    assert.equal(503, status())
    smc.sleep(1)
    assert.equal(200, status())
    assert.equal(1, #venue.sandbox:faults())
  end)

  it("is left to chance, as the seed has it", function()
    venue:fault { venue = "status", status = 503, path = TIME, probability = 0.25 }
    local met = 0
    for _ = 1, 400 do met = met + (status() == 503 and 1 or 0) end
    assert.is_true(met > 60 and met < 140, tostring(met))
    assert.equal(met, venue.sandbox:faults()[1].committed)
  end)

  it("is never, when it is healed before it begins", function()
    venue:fault { venue = "down", after = 5 }
    assert(venue:heal())
    smc.sleep(6)
    assert.equal(200, status())
  end)

  it("ends by itself for all connections, too", function()
    venue:fault { venue = "down", ["for"] = 5 }
    local _, err = raw(venue, TIME)
    assert.equal("connect", err.code)
    smc.sleep(5.1)
    assert.equal(200, status())
  end)
end)

describe("an order that a fault overtakes", function()
  for name, given in pairs {
    binance = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "50000" },
    bybit = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "58000" },
    oanda = { symbol = "EUR/USD", side = "buy", type = "limit", qty = "100", price = "1.0" } } do
    it("is told to be filled on " .. name .. " before it is acknowledged", function()
      local venue = smc.venue(name)
      local stream = assert(venue:user_stream())
      venue:fault { venue = "early_fill", seconds = 3 }
      local placed
      local task = smc.spawn(function() placed = smc.now() and assert(venue:place(given)) end)

      local event
      repeat event = assert(stream:recv(2)) until event.fill
      assert.is_nil(placed)
      task:join()
      assert.equal(event.fill.order_id, placed.id)
      assert(stream:close())
    end)
  end

  it("is filled in part, and then nothing is heard", function()
    local venue = smc.venue "binance"
    local stream = assert(venue:user_stream { reconnect = false, stale_after = 5 })
    venue:fault { venue = "partial_fill", share = 0.4, times = 1 }

    local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = "50000" })

    local event, err
    local filled = {}
    repeat
      event, err = stream:recv(20)
      if event and event.fill then filled[#filled + 1] = event.fill.qty end
    until not event
    assert.same({ "0.004" }, filled)
    assert.equal("stale", err.code)
    assert.equal("0.004", assert(venue:order { symbol = "BTC/USDT", id = order.id }).filled)
    stream:close()
  end)
end)

-- ---- inside a WebSocket ---------------------------------------------------------------------------------

describe("a request inside the WebSocket API of binance", function()
  local venue, conn
  before_each(function()
    venue = smc.venue "binance"
    conn = assert(smc.ws.connect(venue.ws_api_url))
  end)
  after_each(function() local _ <close> = conn end)

  local function ask(method, timeout)
    assert(conn:send(json.encode(json.object("id", 7, "method", method, "params", json.object()))))
    local got, err = conn:recv(timeout or 5)
    return got and json.decode(got.data), err
  end

  it("is refused with the venue's own frame", function()
    venue:fault { venue = "status", status = 429, retry_after = 30, on = "time" }
    local answer = assert(ask "time")
    assert.same({ 7, 429, -1003 }, { answer.id, answer.status, answer.error.code })
    assert.equal(30000, answer.error.data.retryAfter - answer.error.data.serverTime)
    local seen = venue.sandbox:requests { fault = "status" }[1]
    assert.same({ "WS", "time", 429 }, { seen.method, seen.path, seen.status })
    assert.equal(200, assert(ask "ping").status)
  end)

  it("is answered late, twice, with wrong types, or with a page", function()
    local now = smc.now()
    venue:fault { venue = "slow", seconds = 2, on = "time", times = 1 }
    assert.equal(200, assert(ask "time").status)
    assert.equal(2, smc.now() - now)
    venue:fault { venue = "ack_twice", on = "time", times = 1 }
    local answer = assert(ask "time")
    assert.same(answer, json.decode(assert(conn:recv(1)).data))
    venue:fault { venue = "wrong_type", on = "time", times = 1 }
    answer = assert(ask "time")
    assert.same({ 200, "wrong" }, { answer.status, answer.result.serverTime })
    venue:fault { venue = "not_json", body = "<html>", method = "WS", times = 1 }
    assert.is_nil((ask "time"))
  end)

  it("is not answered, or with the end of the connection", function()
    venue:fault { venue = "silent", method = "WS", times = 1 }
    local _, err = ask("time", 3)
    assert.equal("timeout", err.class)
    assert.equal(200, assert(ask "time").status)
    venue:fault { venue = "truncated", method = "WS" }
    _, err = ask "time"
    assert.equal("network", err.class)
  end)

  it("has a frame of another length than it says", function()
    venue:fault { venue = "content_length", by = 20, method = "WS", times = 1 }
    local _, err = ask("time", 3)
    assert.equal("timeout", err.class)
  end)
end)

describe("an order over the trade socket of bybit", function()
  local venue, conn, sent
  before_each(function()
    venue, sent = smc.venue "bybit", 0
    conn = assert(smc.ws.connect((venue.ws_api_url:gsub("/private$", "/trade"))))
    local expires = smc.wall() + 10000
    local key = smc.sign.key("hmac", venue.secret)
    assert(conn:send(json.encode(json.object("op", "auth", "args", json.array { venue.key, expires,
      assert(key:sign("GET/realtime" .. expires)) }))))
    assert.equal(0, json.decode(assert(conn:recv(5)).data).retCode)
  end)
  after_each(function() local _ <close> = conn end)

  local function place(timeout)
    sent = sent + 1
    assert(conn:send(json.encode(json.object("reqId", "r" .. sent, "op", "order.create",
      "header", json.object("X-BAPI-TIMESTAMP", tostring(smc.wall())), "args", json.array { json.object(
        "category", "spot", "symbol", "BTCUSDT", "side", "Buy", "orderType", "Limit", "qty", "0.01", "price", "58000",
        "orderLinkId", "link-" .. sent) }))))
    local got, err = conn:recv(timeout or 5)
    return got and json.decode(got.data), err
  end

  it("is refused, and not placed", function()
    venue:fault { venue = "status", status = 500, on = "place", times = 1 }
    local answer = assert(place())
    assert.same({ "r1", 10016, "order.create" }, { answer.reqId, answer.retCode, answer.op })
    assert.equal(0, #venue.sandbox:orders())
    local seen = venue.sandbox:requests { path = "order.create" }
    assert.same({ 1, "status", 500 }, { #seen, seen[1].fault, seen[1].status })
    assert.equal(0, assert(place()).retCode)
  end)

  it("is placed, and its acknowledgement lost", function()
    venue:fault { venue = "ack_lost", on = "place" }
    local _, err = place()
    assert.equal("network", err.class)
    assert.equal(1, #venue.sandbox:orders { client_id = "link-1" })
    assert.equal("ack_lost", venue.sandbox:requests({ path = "order.create" })[1].fault)
  end)
end)
