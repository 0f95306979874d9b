-- Binance's own streams, frame by frame: market data, what a connection may ask for and how fast, the account's events.
local frames = require "lib.frames"
local smc = require "smc"

local function falls(rows)
  for i = 2, #rows do
    if smc.decimal.cmp(rows[i][1], rows[i - 1][1]) >= 0 then return false end
  end
  return true
end

local function rises(rows)
  for i = 2, #rows do
    if smc.decimal.cmp(rows[i][1], rows[i - 1][1]) <= 0 then return false end
  end
  return true
end

describe("binance market streams #connection #binance", function()
  local venue
  before_each(function() venue = smc.venue "binance" end)

  it("acknowledges a subscription with its id, and lists exactly what was asked for", function()
    local socket <close> = assert(smc.ws.connect(venue.ws_url .. "/ws"))
    assert(socket:send '{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@depth5"],"id":41}')
    assert.equal('{"result":null,"id":41}', assert(socket:recv(5)).data)

    assert(socket:send '{"method":"LIST_SUBSCRIPTIONS","id":42}')
    local list = frames.next(socket, function(frame) return frame.id == 42 end)
    assert.same({ "btcusdt@trade", "btcusdt@depth5" }, list.result)

    assert(socket:send '{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":43}')
    frames.next(socket, function(frame) return frame.id == 43 end)
    assert(socket:send '{"method":"LIST_SUBSCRIPTIONS","id":44}')
    list = frames.next(socket, function(frame) return frame.id == 44 end)
    assert.same({ "btcusdt@depth5" }, list.result)
  end)

  it("sends trades with all their fields", function()
    local socket <close> = assert(smc.ws.connect(venue.ws_url .. "/ws/btcusdt@trade"))
    local before = smc.wall()
    local trade = frames.next(socket, function(frame) return frame.e == "trade" end)
    assert.equal("BTCUSDT", trade.s)
    assert.equal("integer", math.type(trade.t))
    assert.is_true(smc.decimal.cmp(trade.p, "0") > 0)
    assert.is_true(smc.decimal.cmp(trade.q, "0") > 0)
    assert.equal("boolean", type(trade.m))
    assert.is_true(trade.M)
    assert.is_true(trade.T >= before and trade.T <= trade.E, "traded after we came, told after it traded")
  end)

  it("sends the five best levels, and tells streams apart when they are combined", function()
    local socket <close> = assert(smc.ws.connect(venue.ws_url .. "/stream?streams=btcusdt@depth5/ethusdt@depth5"))
    local seen = {}
    for _, name in ipairs { "btcusdt@depth5", "ethusdt@depth5" } do
      local book = frames.next(socket, function(frame) return frame.stream == name end).data
      assert.is_true(book.lastUpdateId > 0)
      assert.equal(5, #book.bids)
      assert.equal(5, #book.asks)
      assert.is_true(falls(book.bids), "bids fall")
      assert.is_true(rises(book.asks), "asks rise")
      assert.is_true(smc.decimal.cmp(book.bids[1][1], book.asks[1][1]) < 0, "best bid below best ask")
      seen[#seen + 1] = book.bids[1][1]
    end
    assert.is_true(smc.decimal.cmp(seen[1], seen[2]) > 0, "a bitcoin costs more than an ether")
  end)

  it("refuses a path that does not exist with HTTP 404", function()
    local socket, err = smc.ws.connect(venue.ws_url .. "/stream/nonsense")
    assert.is_nil(socket)
    assert.equal("protocol", err.class)
    assert.matches("404", tostring(err))
  end)

  it("ends for who sends more than five messages in a second", function()
    local socket <close> = assert(smc.ws.connect(venue.ws_url .. "/ws"))
    for id = 1, 6 do socket:send(('{"method":"LIST_SUBSCRIPTIONS","id":%d}'):format(id)) end
    local answers = 0
    local frame, err
    repeat
      frame, err = socket:recv(10)
      answers = answers + (frame and 1 or 0)
    until not frame
    assert.is_true(answers <= 5, answers .. " answers")
    assert.equal("network", err.class)
    assert.is_false(socket.is_open)
  end)

  it("is left when the venue says that it will end, and each trade is told once or counted as missed", function()
    local stream <close> = assert(venue:stream { "trade:BTC/USDT" })
    local last, reason, missed
    local function hear_of(qty)
      assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = qty })
      repeat
        local event = assert(stream:recv(15))
        if event.kind == "reconnected" then reason = event.reason.code end
        if event.kind == "gap" then
          missed = assert(event.missed)
          last = last + missed
        elseif event.kind == "trade" then
          assert.equal(last and last + 1 or tonumber(event.id), tonumber(event.id))
          last = tonumber(event.id)
        end
      until event.qty == qty
    end
    hear_of "0.001"

    venue.sandbox:announce_shutdown()

    local told = smc.spawn(function() hear_of "0.00101" end) -- a trade while nobody listens: it need not come
    eventually(function() assert.equal("ends", reason) end, { within = 15 })
    told:cancel()
    hear_of "0.00102"
    assert.same({ 1, 1 }, { stream.reconnects, #venue.sandbox:streams() })
    assert.is_true(missed == nil or missed > 0)
  end)

  it("hears our answer to each of its pings #virtual-time", function()
    local stream <close> = assert(venue:stream { "ticker:BTC/USDT" })
    eventually(function()
      local connection = venue.sandbox:streams()[1]
      assert.equal(2, connection.pings)
      assert.equal(2, connection.pongs)
    end, { within = 50, every = 1 })
    assert(stream:recv(5))
  end)
end)

describe("binance user stream #connection #binance", function()
  local venue
  before_each(function() venue = smc.venue "binance" end)

  it("tells of an order, its fill and the balances after it, in that order", function()
    local events <close> = assert(venue:user_stream())
    local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.001" })
    assert.equal("filled", order.status)

    local accepted, filled, balance = assert(events:recv(5)), assert(events:recv(5)), assert(events:recv(5))

    assert.same({ "order", "new", order.client_id }, { accepted.kind, accepted.execution, accepted.order.client_id })
    assert.same({ "fill", "filled", "0.001" }, { filled.kind, filled.order.status, filled.fill.qty })
    assert.equal(order.average, filled.fill.price)
    assert.equal("balance", balance.kind)
    assert.equal(assert(venue:balances()).BTC.free, balance.balances.BTC.free)
  end)

  it("tells of a resting order, of its locked funds, and of its cancellation", function()
    local events <close> = assert(venue:user_stream())
    local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = "40000" })
    assert.equal("open", order.status)
    assert.equal(order.id, assert(events:recv(5)).order.id)
    assert.equal("400", assert(events:recv(5)).balances.USDT.locked)

    local cancelled = assert(venue:cancel { symbol = "BTC/USDT", id = order.id })

    local told = assert(events:recv(5))
    assert.same({ "canceled", order.id, order.client_id }, { told.execution, told.order.id, told.order.client_id })
    assert.equal("canceled", cancelled.status)
    assert.equal("0", assert(events:recv(5)).balances.USDT.locked)
    assert.same({}, assert(venue:open_orders "BTC/USDT"))
  end)

  it("tells of each part of an order that is filled by parts", function()
    local events <close> = assert(venue:user_stream())
    local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = "50000" })
    local filled = { { "0.002", "0.002" }, { "0.003", "0.005" }, { "0.005", "0.01" } }
    for _, part in ipairs(filled) do venue.sandbox:fill { client_id = order.client_id, qty = part[1] } end
    for _, part in ipairs(filled) do
      local event
      repeat event = assert(events:recv(5)) until event.fill
      assert.same({ part[1], "50000", smc.decimal.mul(part[1], "50000"), part[2] },
        { event.fill.qty, event.fill.price, event.fill.quote, event.order.filled })
    end
  end)

  it("is left when the venue says that it will end, and tells what happens afterwards", function()
    local events <close> = assert(venue:user_stream())
    venue.sandbox:announce_shutdown()
    local event = assert(events:recv(5))
    assert.same({ "reconnected", "ends" }, { event.kind, event.reason.code })
    local order = assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.001" })
    repeat event = assert(events:recv(5)) until event.fill
    assert.equal(order.id, event.fill.order_id)
    eventually(function() assert.equal(1, #venue.sandbox:streams()) end)
  end)

  it("refuses to start for a stranger", function()
    local stranger = smc.venue("binance", { secret = smc.secret.random() })
    local events, err = stranger:user_stream()
    assert.is_nil(events)
    assert.equal("auth", err.class)
    assert.equal(-1022, err.code)
  end)
end)
