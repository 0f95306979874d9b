-- The faults that every sandbox commits at its front door, as clients meet them.
local smc = require "smc"
local doors = { binance = require "smc.sandbox.binance.door", bybit = require "smc.sandbox.bybit.door",
  oanda = require "smc.sandbox.oanda.door" }
local faults = require "smc.sandbox.faults"

local SYMBOL = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }

local RESTING = {
  binance = { qty = "0.01", price = "50000", other = "50001" },
  bybit = { qty = "0.01", price = "58000", other = "58001" },
  oanda = { qty = "100", price = "1.0", other = "1.01" },
}

local function raw(venue, target, options) return smc.http.get(venue.sandbox.origin .. target, options) end

describe("a venue fault", function()
  local venue, sandbox
  before_each(function()
    venue = smc.venue "binance"
    sandbox = venue.sandbox
  end)

  it("is a status with the venue's own body, and nothing is done", function()
    venue:fault { venue = "status", on = "place", status = 503 }

    local order, err = venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" }

    assert.is_nil(order)
    assert.same({ 503, -1008 }, { err.http, err.code })
    assert.equal(0, #sandbox:orders())
    local seen = sandbox:requests { path = "/api/v3/order" }[1]
    assert.same({ "POST", true, 503, "status" }, { seen.method, seen.signed, seen.status, seen.fault })
    assert.is_truthy(venue:account())
  end)

  it("may carry out what was asked before it says no", function()
    venue:fault { venue = "status", on = "place", status = 504, carried_out = true }

    local _, err = venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" }

    assert.same({ 504, "unknown_outcome" }, { err.http, err.class })
    assert.equal("filled", sandbox:orders { client_id = err.client_id }[1].status)
    assert.equal("status", sandbox:requests { path = "/api/v3/order" }[1].fault)
    assert.is_truthy(venue:account())
    assert.equal(1, #sandbox:requests { fault = "status" }) -- what comes behind it is not of the fault
  end)

  it("has the code, the text and the Retry-After that are wished for", function()
    venue:fault { venue = "status", path = "/api/v3/time", status = 429, code = -1, message = "no", retry_after = 2.5 }

    local reply = assert(raw(venue, "/api/v3/time"))

    assert.same({ 429, '{"code":-1,"msg":"no"}', "3" }, { reply.status, reply.body, reply.headers["retry-after"] })
    assert.equal(200, assert(raw(venue, "/api/v3/ping")).status)
  end)

  it("loses an acknowledgement, and not the order", function()
    venue:fault { venue = "ack_lost", on = "place", times = 1 }

    local order, err = venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" }

    assert.is_nil(order)
    assert.equal("unknown_outcome", err.class)
    assert.equal("filled", sandbox:orders { client_id = err.client_id }[1].status)
    assert.is_truthy(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" })
  end)

  it("drops the connection, and the order with it", function()
    venue:fault { venue = "reset", on = "place" }

    local order = venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" }

    assert.is_nil(order)
    assert.equal(0, #sandbox:orders())
    assert.same({ "reset", nil }, { sandbox:requests({ fault = "reset" })[1].fault,
      sandbox:requests({ fault = "reset" })[1].status })
  end)

  it("answers late what was done in time", function()
    venue:fault { venue = "slow", path = "/api/v3/time", seconds = 4.25 }
    local began, wall = smc.now(), smc.wall()

    local reply = assert(raw(venue, "/api/v3/time"))

    assert.equal(4.25, smc.now() - began)
    assert.equal(('{"serverTime":%d}'):format(wall), reply.body)
  end)

  it("keeps silent", function()
    venue:fault { venue = "silent", path = "/api/v3/time" }
    local _, err = raw(venue, "/api/v3/time", { timeout = 3 })
    assert.equal("timeout", err.class)
    assert.is_true(err.sent)
  end)

  it("cuts the body of an answer in two", function()
    for _, bytes in ipairs { false, 0, 7, 10000 } do
      venue:fault { venue = "truncated", path = "/api/v3/time", bytes = bytes or nil, times = 1 }
      local reply, err = raw(venue, "/api/v3/time")
      assert.is_nil(reply)
      assert.equal("network", err.class)
    end
    assert.equal(200, assert(raw(venue, "/api/v3/time")).status)
  end)

  it("answers with a page, or with anything else", function()
    venue:fault { venue = "not_json", path = "/api/v3/time", times = 1 }
    local reply = assert(raw(venue, "/api/v3/time"))
    assert.same({ 200, "text/html" }, { reply.status, reply.headers["content-type"] })
    assert.is_truthy(reply.body:find("<html>", 1, true))
    venue:fault { venue = "not_json", on = "place", body = "null", status = 201, carried_out = true }
    local _, err = venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" }
    assert.equal("unknown_outcome", err.class)
    assert.equal(1, #sandbox:orders())
  end)

  it("repeats the first answer to each question, and does the rest", function()
    venue:fault { venue = "stale" }
    sandbox:move("BTC/USDT", { to = "30000" })
    local first = assert(venue:ticker "BTC/USDT").last
    assert.is_true(tonumber(first) < 31000)
    sandbox:move("BTC/USDT", { to = "60000" })
    local before = assert(venue:balances()).BTC.free

    smc.sleep(1) -- another timestamp, another signature
    assert.equal(first, assert(venue:ticker "BTC/USDT").last)
    assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" })
    assert.equal(before, assert(venue:balances()).BTC.free)
    venue:heal "stale"
    assert.equal(smc.decimal.add(before, "0.01"), assert(venue:balances()).BTC.free)
    assert.is_true(tonumber(assert(venue:ticker "BTC/USDT").last) > 59000)
  end)

  it("meets the requests of one call, and not others of the same path", function()
    venue:fault { venue = "status", on = "cancel" }
    assert.equal(503, select(2, venue:cancel { symbol = "BTC/USDT", id = "1" }).http)
    assert.equal("unknown_order", select(2, venue:order { symbol = "BTC/USDT", id = "1" }).class)
    assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" })
  end)

  it("takes the whole venue down, or makes it mute", function()
    venue:fault { venue = "down" }
    venue:fault { venue = "down" }
    local _, err = raw(venue, "/api/v3/time")
    assert.equal("connect", err.code)
    assert(venue:heal "down")
    assert.equal(200, assert(raw(venue, "/api/v3/time")).status)
    venue:fault { venue = "mute" }
    _, err = raw(venue, "/api/v3/time", { timeout = 2 })
    assert.equal("timeout", err.class)
    assert(venue:heal())
    assert.equal(200, assert(raw(venue, "/api/v3/time")).status)
  end)

  it("comes in turn, is counted, and ends", function()
    venue:fault { venue = "status", status = 500, path = "/api/v3/time", times = 2 }
    venue:fault { venue = "status", status = 429, method = "get" }
    local function status() return assert(raw(venue, "/api/v3/time")).status end

    assert.same({ 500 }, { status() })
    assert.same({ { venue = "status", status = 500, path = "/api/v3/time", times = 1, committed = 1 },
      { venue = "status", status = 429, method = "get", committed = 0 } }, sandbox:faults())
    assert.same({ 500, 429, 429 }, { status(), status(), status() })
    assert.same({ { venue = "status", status = 429, method = "get", committed = 2 } }, sandbox:faults())
    assert(sandbox:heal())
    assert.same({}, sandbox:faults())
    assert.equal(200, status())
  end)

  it("refuses a handshake", function()
    venue:fault { venue = "status", status = 503, on = "stream", times = 1 }
    local stream, err = venue:stream { "trade:BTC/USDT" }
    assert.is_nil(stream)
    assert.is_truthy(err.message:find("HTTP 503", 1, true))
    stream = assert(venue:stream { "trade:BTC/USDT" })
    assert(stream:close())
  end)

  it("is refused by name when there is no such thing", function()
    local function wrong(given, text)
      local ok, err = pcall(function() venue:fault(given) end)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find(text, 1, true), tostring(err))
      assert.is_truthy(tostring(err):find("test_faults.lua", 1, true), tostring(err))
    end
    wrong({ venue = "flood" }, "no venue fault is called 'flood' (known: ack_lost, ack_twice, bad_frame, ban, close,")
    wrong({ venue = "latency", latency = 1 }, "fault: 'latency' befalls the wire: { link = \"latency\", .. }")
    wrong({ link = "ack_lost" }, "fault: 'ack_lost' is what the venue does: { venue = \"ack_lost\", .. }")
    wrong({ on = "place" }, "either venue, what the venue does wrong, or link, what befalls the wire, expected")
    wrong({ venue = "reset", link = "down" }, "either venue, what the venue does wrong, or link")
    wrong({ venue = "down", on = "place" }, "unknown parameter 'on' (known: after, for) of 'down'")
    wrong({ venue = "reset", on = "plaice" }, "no call is named 'plaice' (on: account, amend, balances,")
    wrong({ venue = "slow" }, "seconds (how late the answer is) is missing")
    wrong({ venue = "slow", seconds = -1 }, "seconds must be a number of 0 or more")
    wrong({ venue = "status", status = 99 }, "status must be an integer from 200 to 599")
    wrong({ venue = "reset", times = 0 }, "times must be an integer of 1 or more")
    wrong({ venue = "reset", times = 1, count = 1 }, "times and count are the same; give one of them")
    wrong({ venue = "reset", for_ = 1, ["for"] = 1 }, "for and for_ are the same; give one of them")
    wrong({ venue = "reset", probability = 1.5 }, "probability must be a number from 0 to 1")
    wrong({ venue = "wrong_type", kind = "odd" }, "kind must be a string: leaves, null, array, object, text")
    wrong({ venue = "content_length", by = 0 }, "by must not be 0: that is the true length")
    wrong({ venue = "stall", on = "place" }, "'stall' is of streams: on is stream or user_stream, not place")
    wrong({ venue = "bad_frame", kind = "chunk" }, "chunk is a kind of streams of lines; a WebSocket has frames")
    wrong({ venue = "halt", symbol = "BTCUSDT" }, "no symbol is called 'BTCUSDT'")
    wrong({ venue = "halt", on = "place" }, "unknown parameter 'on' (known: after, for, symbol) of 'halt'")
    wrong({ venue = "skew" }, "seconds (that it is ahead; negative: behind) is missing")
    wrong({ venue = "reset", path = 1 }, "path must be a string")
    for _, of in ipairs { { venue = "reset" }, { link = "reset_peer" } } do
      local function chosen_by(given, text)
        given.venue, given.link = of.venue, of.link
        wrong(given, text)
      end
      chosen_by({ method = "POTS" }, "method is DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT or WS, not 'POTS'")
      for _, path in ipairs { "api/v3/order", "/api/v3/order?symbol=BTCUSDT", sandbox.url .. "/api/v3/order" } do
        chosen_by({ path = path }, ("path is as in /api/v3/order, without host and query, not '%s'"):format(path))
      end
      local none = "no request of 'ping' has that method and path (it makes: GET /api/v3/ping"
      chosen_by({ on = "ping", method = "post" }, none)
      chosen_by({ on = "ping", path = "/api/v3/order" }, none)
    end
    wrong("reset", "a table such as { venue = \"reset\", on = \"place\" } expected")
    local ok, err = pcall(function() venue:heal "flood" end)
    assert.is_false(ok)
    assert.is_truthy(tostring(err):find("no fault is called 'flood'", 1, true))
    assert.same({}, sandbox:faults())
  end)
end)

-- What a client's calls are named is what `on` means: the requests of each are those that the door has under its name.
local function everything(venue, symbol)
  local calls = {
    ping = {}, time = {}, instruments = {}, ticker = { symbol }, book = { symbol }, candles = { symbol, "1m" },
    account = {}, balances = {}, order = { { symbol = symbol, id = "1" } }, cancel = { { symbol = symbol, id = "1" } },
    open_orders = { symbol }, orders = { symbol }, fills = { symbol },
    place = { { symbol = symbol, side = "buy", type = "market", qty = "1" } },
    stream = { { "ticker:" .. symbol, reconnect = false } }, user_stream = { { reconnect = false } },
  }
  if venue.name ~= "oanda" then calls.trades, calls.cancel_all = { symbol }, { symbol } end
  return calls
end

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("the front door of " .. name, function()
    it("knows the requests of every call", function()
      local venue = smc.venue(name, { breaker = false })
      for op, arguments in pairs(everything(venue, SYMBOL[name])) do
        assert.is_truthy(doors[name].ops[op], op)
        venue:fault { venue = "status", status = 503, on = op }
        local answer, err = venue[op](venue, table.unpack(arguments))
        assert.is_nil(answer, op)
        assert.is_truthy(tostring(err):find("503", 1, true) or err.http == 503, op)
        assert.is_true(venue.sandbox:faults()[1].committed > 0, op)
        assert(venue:heal())
      end
    end)

    it("knows the requests of calls that need an order", function()
      local venue, resting = smc.venue(name), RESTING[name]
      local order = assert(venue:place { symbol = SYMBOL[name], side = "buy", type = "limit", qty = resting.qty,
        price = resting.price })
      for op, argument in pairs { amend = { symbol = SYMBOL[name], id = order.id, price = resting.other },
        cancel_all = SYMBOL[name] } do
        venue:fault { venue = "status", status = 503, on = op }
        local answer, err = venue[op](venue, argument)
        assert.is_nil(answer, op)
        assert.equal(503, err.http, op)
        assert(venue:heal())
      end
      assert.equal(1, #assert(venue:open_orders(SYMBOL[name])))
    end)

    it("says no in the venue's own words, whatever the status", function()
      local venue = smc.venue(name, { breaker = false, obey_limits = false })
      for _, status in ipairs { 400, 401, 403, 404, 418, 429, 500, 502, 503, 504 } do
        venue:fault { venue = "status", status = status, on = "account", times = 1 }
        local _, err = venue:account()
        assert.equal(status, err.http)
        assert.is_true(err.class ~= "protocol", status .. ": " .. tostring(err))
      end
    end)
  end)
end

describe("the table of faults", function()
  it("has what was always there", function()
    local there = {}
    for _, name in ipairs(faults.names()) do there[name] = true end
    for _, name in ipairs { "ack_lost", "down", "mute", "not_json", "reset", "silent", "slow", "stale", "status",
      "truncated" } do
      assert.is_true(there[name], name)
    end
  end)

  it("says of each what it does, where, with what, and what a client makes of it", function()
    for name, fault in pairs(faults.table) do
      assert.equal("string", type(fault.doc), name)
      assert.equal("string", type(fault.recovers), name)
      assert.is_true(fault.commit ~= nil or fault.frame ~= nil or fault.begin ~= nil or fault.switch ~= nil, name)
      assert.is_truthy(next(fault.class), name)
      for param, p in pairs(fault.params) do
        assert.equal("string", type(p[2]), name .. "." .. param)
        assert.is_nil(faults.common[param], name .. "." .. param .. " is a parameter of all faults")
      end
    end
  end)

  it("refuses what a venue does not have", function()
    local venue = smc.venue "oanda"
    local function wrong(given, text)
      local ok, err = pcall(function() venue:fault(given) end)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find(text, 1, true), tostring(err))
    end
    wrong({ venue = "partial_fill" }, "'partial_fill' is not for oanda, which fills a resting order whole")
    wrong({ venue = "close", code = 1001 }, "a stream of lines ends without a code or a reason")
    wrong({ venue = "bad_frame", kind = "opcode" }, "a stream of lines has no frames; kind is json,")
    assert.same({}, venue.sandbox:faults())
  end)
end)
