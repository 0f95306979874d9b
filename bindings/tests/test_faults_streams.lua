-- Faults of what the sandboxes tell by themselves, as raw clients meet them.
local boxes = require "smc.sandbox.box"
local json = require "smc.json"
local smc = require "smc"

--- A WebSocket that is subscribed to the trades of a symbol: next(seconds) -> frame or nil, err.
local opened = {}

function opened.binance(venue)
  local conn = assert(smc.ws.connect(venue.ws_url .. "/ws/btcusdt@trade"))
  return conn, function(seconds)
    local got, err = conn:recv(seconds or 10)
    return got and json.decode(got.data), err
  end, function(frame) return frame.t end
end

function opened.bybit(venue)
  local conn = assert(smc.ws.connect(venue.ws_url))
  local function take(seconds)
    local got, err = conn:recv(seconds or 10)
    return got and json.decode(got.data), err
  end
  assert(conn:send '{"op":"subscribe","args":["publicTrade.BTCUSDT"],"req_id":"1"}')
  assert.is_true(assert(take()).success)
  return conn, take, function(frame) return frame.data[1].seq end
end

function opened.oanda(venue)
  local url = ("%s/v3/accounts/%s/pricing/stream?instruments=EUR_USD"):format(venue.ws_url, venue.key)
  local reply = assert(smc.http.stream { url = url, headers = { Authorization = "Bearer " .. venue.sandbox.token } })
  local rest = ""
  return reply, function(seconds)
    while not rest:find "\n" do
      local piece, err = reply:recv(seconds or 10)
      if not piece then return nil, err or "over" end
      rest = rest .. piece
    end
    local line
    line, rest = rest:match "^([^\n]*)\n(.*)$"
    return json.decode(line)
  end, function(frame) return frame.time end
end

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("a stream of " .. name, function()
    local venue, conn, take, id
    before_each(function()
      venue = smc.venue(name)
      conn, take, id = opened[name](venue)
    end)
    after_each(function() local _ <close> = conn end)

    --- The ids of the next n events, beats left out.
    local function ids(n)
      local out = {}
      while #out < n do
        local frame = assert(take(60))
        if frame.type ~= "HEARTBEAT" then out[#out + 1] = id(frame) end
      end
      return out
    end

    it("tells each event twice", function()
      venue:fault { venue = "duplicate", times = 2 }
      local seen = ids(6)
      local from = name == "oanda" and 1 or 0 -- its first price was on its way before
      assert.same({ seen[from + 1], seen[from + 3] }, { seen[from + 2], seen[from + 4] })
      assert.not_equal(seen[from + 4], seen[6])
      assert.same({}, venue.sandbox:faults())
    end)

    it("tells events in another order", function()
      if name == "oanda" then ids(1) end
      venue:fault { venue = "out_of_order", by = 2, times = 1 }
      local seen = ids(4)
      assert.is_true(seen[1] < seen[2])
      assert.is_true(seen[3] < seen[1])
      assert.is_true(seen[4] > seen[2])
    end)

    it("leaves events out", function()
      if name == "oanda" then ids(1) end
      venue:fault { venue = "lost", times = 3 }
      assert.equal(1, #ids(1))
      assert.same({}, venue.sandbox:faults())
    end)

    it("goes silent, does not end, and goes on when healed", function()
      if name == "oanda" then ids(1) end
      venue:fault { venue = "stall" }
      assert.equal("timeout", select(2, take(20)).class)
      assert(venue:heal "stall")
      local seen = ids(3)
      assert.is_true(seen[1] < seen[2] and seen[2] < seen[3])
    end)

    it("is stalled by the number of streams, and later ones are not", function()
      if name == "oanda" then ids(1) end
      venue:fault { venue = "stall", times = 1 }
      local other <close>, take_other = opened[name](venue)
      assert.is_truthy(take_other(60), tostring(other))
      assert.equal("timeout", select(2, take(20)).class)
    end)

    it("has a damaged frame, and only one", function()
      if name == "oanda" then ids(1) end
      venue:fault { venue = "bad_frame", times = 1 }
      assert.is_nil((take(60)))
      assert.equal(1, #ids(1))
    end)

    it("tells no news while the venue is stale, and is alive", function()
      if name == "oanda" then ids(1) end
      venue:fault { venue = "stale" }
      local frame = take(30)
      assert.is_true(frame == nil or frame.type == "HEARTBEAT")
      assert(venue:heal "stale")
      assert.equal(1, #ids(1))
    end)

    it("is one of several, picked by its kind", function()
      if name == "oanda" then ids(1) end
      venue:fault { venue = "lost", on = "user_stream" }
      assert.equal(2, #ids(2))
      venue:fault { venue = "lost", on = "stream" }
      local frame = take(30)
      assert.is_true(frame == nil or frame.type == "HEARTBEAT")
    end)

    it("ends", function()
      venue:fault { venue = "close" }
      local frame, err
      repeat frame, err = take(60) until not frame
      assert.is_true(err == "over" or err.class == "network", tostring(err))
      eventually(function() assert.equal(0, #venue.sandbox:streams()) end, { within = 20 })
    end)
  end)
end

-- By kind: what a client on libwebsockets meets: a class of errors, or what the frame was taken for.  It waits for the
-- end of a frame that has none, and does not mind one that is masked as only its own may be.
local MET = { json = "text", wrong_type = "text", masked = "text", utf8 = "protocol", oversized = "timeout",
  reserved_bits = "protocol", opcode = "protocol", continuation = "protocol", control = "protocol" }

describe("a damaged frame of a WebSocket", function()
  for kind, met in pairs(MET) do
    it("of kind " .. kind .. " is what it is taken for", function()
      local venue = smc.venue "binance"
      local conn <close> = opened.binance(venue)
      venue:fault { venue = "bad_frame", kind = kind, times = 1 }

      local got, err = conn:recv(20)

      assert.equal(met, got and "text" or err.class)
      if kind == "wrong_type" then assert.equal("wrong", json.decode(got.data).t) end
      if kind == "json" then assert.is_nil((json.decode(got.data))) end
    end)
  end
end)

describe("a damaged line of oanda", function()
  for kind, class in pairs { utf8 = false, oversized = "timeout", chunk = "protocol" } do
    it("of kind " .. kind .. " is no line", function()
      local venue = smc.venue "oanda"
      local conn <close>, take = opened.oanda(venue)
      assert(take())
      venue:fault { venue = "bad_frame", kind = kind, times = 1 }
      local frame, err = take(60)
      if class == "protocol" then assert.equal(class, err.class) else assert.is_nil(frame, tostring(conn)) end
    end)
  end
end)

describe("a Close frame", function()
  -- libwebsockets takes the two that were registered after RFC 6455 for wrong.
  for code, seen in pairs { [1000] = 1000, [1001] = 1001, [1008] = 1008, [1011] = 1011, [1012] = 1002, [1013] = 1002,
    [3001] = 3001, [4999] = 4999 } do
    it(("with code %d arrives with it"):format(code), function()
      local venue = smc.venue "binance"
      local conn <close>, take = opened.binance(venue)
      venue:fault { venue = "close", code = code, reason = "as told" }
      local _, err = take(60)
      assert.is_truthy(err.message:find(tostring(seen), 1, true), err.message)
      assert.is_truthy(err.message:find("as told", 1, true), tostring(conn))
    end)
  end

  for _, code in ipairs { 1004, 1005, 1006, 1015, 1016, 2999 } do
    it(("with code %d, which none may have, ends the connection all the same"):format(code), function()
      local venue = smc.venue "binance"
      local conn <close>, take = opened.binance(venue)
      venue:fault { venue = "close", code = code }
      local _, err = take(60)
      assert.is_true(err.class == "network" or err.class == "protocol", tostring(err) .. tostring(conn))
    end)
  end
end)

describe("without heartbeats", function()
  it("binance sends no pings, answers none, and does not end the connection for that", function()
    local venue = smc.venue "binance"
    local conn <close> = assert(smc.ws.connect(venue.ws_url .. "/ws"))
    venue:fault { venue = "no_heartbeat" }
    local _, err = conn:ping("?", 5)
    assert.equal("timeout", err.class)
    smc.sleep(45)
    assert.same({ 1, 0 }, { #venue.sandbox:streams(), venue.sandbox:streams()[1].pongs })
    assert.is_nil(boxes.venue(venue.sandbox):every_session()[1].unanswered)
    assert(venue:heal())
    assert.is_truthy(conn:ping("!", 5))
  end)

  it("bybit answers no ping of its clients", function()
    local venue = smc.venue "bybit"
    local conn <close> = assert(smc.ws.connect(venue.ws_url))
    venue:fault { venue = "no_heartbeat" }
    assert(conn:send '{"op":"ping"}')
    assert.equal("timeout", select(2, conn:recv(5)).class)
    assert(venue:heal())
    assert(conn:send '{"op":"ping"}')
    assert.is_truthy(assert(conn:recv(5)).data:find("pong", 1, true))
  end)

  it("oanda sends no HEARTBEAT, and prices as always", function()
    local venue = smc.venue "oanda"
    local conn <close>, take = opened.oanda(venue)
    venue:fault { venue = "no_heartbeat" }
    local until_ = smc.now() + 30
    while smc.now() < until_ do
      local line = take(30)
      assert.is_true(line == nil or line.type ~= "HEARTBEAT", tostring(conn))
    end
    assert(venue:heal())
    local line
    repeat line = assert(take(30)) until line.type == "HEARTBEAT"
  end)
end)
