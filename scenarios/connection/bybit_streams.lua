-- Bybit's own streams, frame by frame: topics and how many of them, snapshots and what follows, pings, private events.
local frames = require "lib.frames"
local smc = require "smc"

local function of_topic(topic)
  return function(frame) return frame.topic == topic end
end

describe("bybit streams #connection #bybit", function()
  local venue
  before_each(function() venue = smc.venue "bybit" end)

  it("acknowledges a subscription with its id, and answers pings of its own kind", function()
    local socket <close> = assert(smc.ws.connect(venue.ws_url))
    assert(socket:send '{"req_id":"41","op":"subscribe","args":["publicTrade.BTCUSDT","orderbook.1.BTCUSDT"]}')
    local ack = assert(smc.json.decode(assert(socket:recv(5)).data))
    assert.same({ true, "41", "subscribe" }, { ack.success, ack.req_id, ack.op })

    assert(socket:send '{"req_id":"42","op":"ping"}')
    local pong = frames.next(socket, function(frame) return frame.op == "ping" end)
    assert.same({ true, "pong", "42" }, { pong.success, pong.ret_msg, pong.req_id })
  end)

  it("sends trades with all their fields", function()
    local socket <close> = assert(smc.ws.connect(venue.ws_url))
    assert(socket:send '{"op":"subscribe","args":["publicTrade.BTCUSDT"]}')
    local before = smc.wall()
    local frame = frames.next(socket, of_topic "publicTrade.BTCUSDT")
    local trade = frame.data[1]
    assert.same({ "BTCUSDT", false }, { trade.s, trade.BT })
    assert.is_true(trade.S == "Buy" or trade.S == "Sell")
    assert.is_true(smc.decimal.cmp(trade.p, "0") > 0 and smc.decimal.cmp(trade.v, "0") > 0)
    assert.is_true(trade.T >= before - 5000 and trade.T <= frame.ts, "told after it traded")
  end)

  it("sends a snapshot of the book first, then deltas numbered without a gap", function()
    local socket <close> = assert(smc.ws.connect(venue.ws_url))
    assert(socket:send '{"op":"subscribe","args":["orderbook.50.BTCUSDT"]}')
    local first = frames.next(socket, of_topic "orderbook.50.BTCUSDT")
    assert.equal("snapshot", first.type)
    local last = first
    for _ = 1, 3 do
      local delta = frames.next(socket, of_topic "orderbook.50.BTCUSDT")
      assert.same({ "delta", last.data.u + 1 }, { delta.type, delta.data.u })
      assert.is_true(delta.data.seq > last.data.seq and #delta.data.b + #delta.data.a > 0)
      last = delta
    end
  end)

  it("hears from us every twenty seconds, or it would end #virtual-time", function()
    local start = smc.now()
    local stream <close> = assert(venue:stream { "ticker:BTC/USDT" })
    repeat assert(stream:recv(5)) until smc.now() - start > 41 -- though it hears much meanwhile
    assert.equal(2, venue.sandbox:streams()[1].pings)
    assert.is_true(stream:connected())
  end)

  it("refuses more than ten channels in one message, and subscribes to none of them", function()
    local socket <close> = assert(smc.ws.connect(venue.ws_url))
    local topics = {}
    for i, symbol in ipairs { "BTCUSDT", "ETHUSDT", "BNBUSDT" } do
      for j, kind in ipairs { "publicTrade.", "tickers.", "orderbook.1.", "orderbook.50." } do
        topics[(i - 1) * 4 + j] = kind .. symbol
      end
    end
    assert(socket:send(smc.json.encode { op = "subscribe", args = topics, req_id = "9" }))
    local answer = assert(smc.json.decode(assert(socket:recv(5)).data))
    assert.same({ false, "args size >10" }, { answer.success, answer.ret_msg })
    local frame, err = socket:recv(2)
    assert.is_nil(frame)
    assert.equal("timeout", err.class)
  end)

  it("tells of an order, its fill and the wallet after it", function()
    local events <close> = assert(venue:user_stream())
    local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.001" })
    assert.equal("filled", order.status)

    local seen = {}
    local wallet
    repeat
      local event = assert(events:recv(5))
      local what = event.order and event.order.status or event.fill and event.fill.qty or ""
      seen[#seen + 1] = event.kind .. " " .. what
      wallet = event.balances
    until wallet
    assert.same({ "order open", "fill 0.001", "order filled", "balance " }, seen)
    assert.equal(assert(venue:balances()).BTC.free, wallet.BTC.free)
  end)

  it("refuses to start the private stream for a stranger", function()
    local stranger = smc.venue("bybit", { secret = smc.secret.random() })
    local events, err = stranger:user_stream()
    assert.is_nil(events)
    assert.same({ "auth", "Params Error" }, { err.class, err.message })
  end)
end)
