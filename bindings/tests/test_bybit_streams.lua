-- The WebSockets of the bybit sandbox, frame by frame.
local fake = require "bybit_fake"
local sign = require "smc.core.sign"
local smc = require "smc"

local sb

local frames = fake.frames

local function topic(list, name)
  local out = {}
  for _, f in ipairs(list) do
    if f.topic == name then out[#out + 1] = f end
  end
  return out
end

describe("the public stream of bybit", function()
  local sock
  before_each(function()
    sb = fake.venue()
    sock = fake.connect(sb, "/v5/public/spot")
  end)
  after_each(function() sb:close() end)

  --- The answer without its conn_id, which is nobody's choice.
  local function told(text)
    sock:say(text)
    return (sock:take()[1]:gsub('"conn_id":"[%w-]+"', '"conn_id":"C"'))
  end

  it("exists where there are instruments", function()
    assert.equal(404, fake.connect(sb, "/v5/public/inverse").status)
    assert.equal(404, fake.connect(sb, "/v5/public").status)
    assert.equal("market", sb:describe_sessions()[1].kind)
  end)

  it("answers each operation in its own words", function()
    local function failed(message, id, op)
      return ('{"success":false,"ret_msg":"%s","conn_id":"C","req_id":"%s","op":"%s"}'):format(message, id, op)
    end
    assert.equal('{"success":true,"ret_msg":"pong","conn_id":"C","op":"ping"}', told '{"op":"ping"}')
    assert.equal('{"success":true,"ret_msg":"pong","conn_id":"C","req_id":"7","op":"ping"}',
      told '{"op":"ping","req_id":7}')
    assert.equal('{"success":true,"ret_msg":"subscribe","conn_id":"C","req_id":"8","op":"subscribe"}',
      told '{"op":"subscribe","req_id":"8","args":["publicTrade.BTCUSDT"]}')
    assert.equal(failed("error:already subscribed,topic:publicTrade.BTCUSDT", "9", "subscribe"),
      told '{"op":"subscribe","req_id":"9","args":["publicTrade.BTCUSDT"]}')
    for _, name in ipairs { "orderbook.30.BTCUSDT", "order", "publicTrade.btcusdt", "kline.2.BTCUSDT" } do
      assert.equal(failed("error:handler not found,topic:" .. name, "", "subscribe"),
        told('{"op":"subscribe","args":["tickers.ETHUSDT","' .. name .. '"]}'))
    end
    assert.same({ "publicTrade.BTCUSDT" }, sb:describe_sessions()[1].streams)
    assert.equal('{"success":true,"ret_msg":"subscribe","conn_id":"C","req_id":"","op":"unsubscribe"}',
      told '{"op":"unsubscribe","args":["publicTrade.BTCUSDT"]}')
    assert.same({}, sb:describe_sessions()[1].streams)
    assert.equal(failed("error:invalid op", "", "guess"), told '{"op":"guess"}')
    assert.equal('{"success":false,"ret_msg":"args size >10","conn_id":"C","op":"subscribe"}',
      told('{"op":"subscribe","args":[' .. ('"x",'):rep(10) .. '"x"]}'))
    assert.matches("Failed to decode incoming data:readObjectStart: expect { or n, but found h, ", told "hello")
    assert.is_nil(sock.closed)
  end)

  it("pushes trades with what the taker did", function()
    sock:say '{"op":"subscribe","args":["publicTrade.BTCUSDT"]}'
    sock:take()
    fake.post(sb, "/v5/order/create", { category = "spot", symbol = "BTCUSDT", side = "Sell", orderType = "Market",
      qty = "0.001" })
    local list = topic(frames(sock), "publicTrade.BTCUSDT")
    local trade = list[#list].data[#list[#list].data]
    assert.same({ "snapshot", "BTCUSDT", "Sell", "0.001", false, false },
      { list[1].type, trade.s, trade.S, trade.v, trade.BT, trade.RPI })
    assert.equal(19, #trade.i)
    assert.is_nil(trade.L) -- spot has no tick direction
  end)

  for _, depth in ipairs { 50, 200 } do
    it("pushes a book of " .. depth .. " as a snapshot and deltas that lead to the venue's", function()
      local name = ("orderbook.%d.BTCUSDT"):format(depth)
      sock:say('{"op":"subscribe","args":["' .. name .. '"]}')
      smc.sleep(5)
      local list = topic(frames(sock), name)
      assert.is_true(#list > 3)
      local sides, last = { b = {}, a = {} }, nil
      for i, f in ipairs(list) do
        assert.equal(i == 1 and "snapshot" or "delta", f.type)
        assert.is_true(last == nil or f.data.u == last + 1)
        last = f.data.u
        for side, at in pairs(sides) do
          for _, row in ipairs(f.data[side]) do at[row[1]] = row[2] ~= "0" and row[2] or nil end
        end
      end
      local book, want = sb.market:book("BTCUSDT", depth), { b = {}, a = {} }
      for _, row in ipairs(book.bids) do want.b[row[1]] = row[2] end
      for _, row in ipairs(book.asks) do want.a[row[1]] = row[2] end
      assert.same(want, sides)
    end)
  end

  it("gives who comes later a snapshot that the next delta follows", function()
    local name = "orderbook.50.BTCUSDT"
    sock:say('{"op":"subscribe","args":["' .. name .. '"]}')
    smc.sleep(2.005)
    local first = topic(frames(sock), name)
    local other = fake.connect(sb, "/v5/public/spot")
    other:say('{"op":"subscribe","args":["' .. name .. '"]}')
    local snapshot = topic(frames(other), name)[1]
    assert.same({ "snapshot", first[#first].data.u }, { snapshot.type, snapshot.data.u })
    smc.sleep(2)
    assert.equal(snapshot.data.u + 1, topic(frames(other), name)[1].data.u)
  end)

  it("pushes the best prices whole, and again after three seconds of silence", function()
    sb.market:freeze("BTCUSDT", true)
    sock:say '{"op":"subscribe","args":["orderbook.1.BTCUSDT"]}'
    smc.sleep(7)
    local list = topic(frames(sock), "orderbook.1.BTCUSDT")
    assert.equal(3, #list)
    for _, f in ipairs(list) do
      assert.same({ "snapshot", list[1].data.u, 1 }, { f.type, f.data.u, #f.data.b })
    end
    assert.same({ 3000, 3000 }, { list[2].ts - list[1].ts, list[3].ts - list[2].ts })
  end)

  it("pushes tickers at once and after trades, without best prices", function()
    sock:say '{"op":"subscribe","args":["tickers.BTCUSDT"]}'
    local first = topic(frames(sock), "tickers.BTCUSDT")[1]
    assert.is_nil(first.data.bid1Price)
    smc.sleep(10)
    local later = topic(frames(sock), "tickers.BTCUSDT")
    assert.is_true(#later > 0 and #later < 40)
    assert.equal(sb.market:trades({ symbol = "BTCUSDT", limit = 1 })[1].price, later[#later].data.lastPrice)
  end)

  it("pushes a candle every second, and confirms it at its end", function()
    sb.skew_ms = 50000 -- the minute is the venue's
    sock:say '{"op":"subscribe","args":["kline.1.BTCUSDT"]}'
    smc.sleep(20)
    local list, confirmed = topic(frames(sock), "kline.1.BTCUSDT"), 0
    for _, f in ipairs(list) do
      local k = f.data[1]
      assert.equal(59999, k["end"] - k.start)
      if k.confirm then confirmed = confirmed + 1 end
    end
    assert.equal(1, confirmed)
  end)
end)

describe("the private stream of bybit", function()
  local sock
  before_each(function()
    sb = fake.venue()
    sock = fake.connect(sb, "/v5/private")
  end)
  after_each(function() sb:close() end)

  local function log_on(other)
    local expires = smc.wall() + 1000
    local signature = other or sign.key("hmac", sb.secret):sign("GET/realtime" .. expires)
    sock:say(('{"op":"auth","args":["%s",%d,"%s"],"req_id":"a"}'):format(sb.key, expires, signature))
    return frames(sock)[1]
  end

  local function say(text)
    sock:say(text)
    return frames(sock)[1]
  end

  it("wants to know who is there", function()
    local no = say '{"op":"subscribe","args":["order"]}'
    assert.same({ false, "Request not authorized" }, { no.success, no.ret_msg })
    no = log_on "0"
    assert.same({ false, "Params Error", "auth", "a" }, { no.success, no.ret_msg, no.op, no.req_id })
    assert.same({ true, "" }, { log_on().success, log_on().ret_msg })
    local pong = say '{"op":"ping"}'
    assert.same({ "pong", tostring(smc.wall()) }, { pong.op, pong.args[1] })
    assert.is_nil(pong.success)
    assert.is_false(say('{"op":"subscribe","args":["orders"]}').success)
  end)

  it("tells of an order, its execution and the wallet, in the words that were subscribed", function()
    log_on()
    say '{"op":"subscribe","args":["order.spot","wallet"]}'
    say '{"op":"subscribe","args":["execution"]}'
    fake.post(sb, "/v5/order/create", { category = "spot", symbol = "BTCUSDT", side = "Buy", orderType = "Market",
      qty = "0.001", marketUnit = "baseCoin", orderLinkId = "x" })
    local list = frames(sock)
    local order, execution = list[#list - 1], list[#list - 2]
    assert.same({ "order.spot", "execution", "order.spot", "wallet" }, { list[1].topic, execution.topic, order.topic,
      list[#list].topic })
    assert.same({ "spot", "x", "Filled", "0.001", "0.000001" }, { order.data[1].category, order.data[1].orderLinkId,
      order.data[1].orderStatus, order.data[1].cumExecQty, order.data[1].cumExecFee })
    assert.same({ "0.001", "BTC", "Trade" }, { execution.data[1].execQty, execution.data[1].feeCurrency,
      execution.data[1].execType })
    assert.is_nil(order.data[1].tpslMode)
    local wallet = list[#list].data[1]
    assert.same({ "UNIFIED", 2 }, { wallet.accountType, #wallet.coin })
    assert.matches("^24600000_wallet_%d+$", list[#list].id)
  end)

  it("protects who goes away, where that was asked for", function()
    local function place(category, price)
      return fake.post(sb, "/v5/order/create", { category = category, symbol = "BTCUSDT", side = "Buy",
        orderType = "Limit", qty = "0.1", price = price }).result.orderId
    end
    local function state(category, id)
      local o = fake.get(sb, "/v5/order/realtime", ("category=%s&orderId=%s"):format(category, id)).result.list[1]
      return o.orderStatus .. " " .. o.cancelType
    end
    local function protect(product, seconds)
      return fake.post(sb, "/v5/order/disconnected-cancel-all", { product = product, timeWindow = seconds }).retCode
    end
    assert.same({ 10001, 10001, 10001, 0 }, { protect("SHARES", 10), protect("SPOT", 2), protect("SPOT", 301),
      protect("SPOT", 5) })
    local set = fake.get(sb, "/v5/account/query-dcp-info").result.dcpInfos
    assert.same({ 1, "SPOT", "ON", "5" }, { #set, set[1].product, set[1].dcpStatus, set[1].timeWindow })
    assert.equal(0, fake.post(sb, "/v5/order/disconnected-cancel-all", { timeWindow = 7 }).retCode) -- options
    assert.equal("OPTIONS", fake.get(sb, "/v5/account/query-dcp-info").result.dcpInfos[2].product)
    local info = fake.get(sb, "/v5/account/info").result
    assert.same({ "OFF", 0 }, { info.dcpStatus, info.timeWindow }) -- no longer told here
    log_on()
    assert.is_true(say('{"op":"subscribe","args":["dcp.spot","dcp.future","order"]}').success)
    local spot, linear = place("spot", "40000"), place("linear", "40000")
    sock:close(1006)
    smc.sleep(4)
    assert.equal("New UNKNOWN", state("spot", spot))
    smc.sleep(2)
    assert.same({ "Cancelled CancelByDCP", "New UNKNOWN" }, { state("spot", spot), state("linear", linear) })

    sock = fake.connect(sb, "/v5/private")
    log_on()
    say '{"op":"subscribe","args":["dcp.spot"]}'
    spot = place("spot", "40000")
    sock:close(1006)
    smc.sleep(3)
    sock = fake.connect(sb, "/v5/private")
    log_on()
    say '{"op":"subscribe","args":["dcp.spot"]}' -- back in time
    smc.sleep(5)
    assert.equal("New UNKNOWN", state("spot", spot))
  end)

  it("tells of an execution at once, and briefly, to who wants it fast", function()
    log_on()
    assert.is_true(say('{"op":"subscribe","args":["execution.fast"]}').success)
    assert.is_true(say('{"op":"subscribe","args":["execution.fast.spot"]}').success)
    local mixed = say '{"op":"subscribe","args":["order.spot","execution"]}'
    assert.same({ false, "error:all-in-one and categorised topics mixed" }, { mixed.success, mixed.ret_msg })
    fake.post(sb, "/v5/order/create", { category = "spot", symbol = "BTCUSDT", side = "Buy", orderType = "Market",
      qty = "0.001", marketUnit = "baseCoin", orderLinkId = "x" })
    local list = frames(sock)
    assert.same({ "execution.fast", "execution.fast.spot" }, { list[1].topic, list[2].topic })
    local row = list[1].data[1]
    assert.same({ "spot", "BTCUSDT", "0.001", false, "x", "Buy" }, { row.category, row.symbol, row.execQty,
      row.isMaker, row.orderLinkId, row.side })
    assert.is_nil(row.execFee)
    assert.is_nil(list[1].id)
  end)

  it("tells of an order that was turned away after its acknowledgement", function()
    log_on()
    say '{"op":"subscribe","args":["order"]}'
    local answer = fake.post(sb, "/v5/order/create", { category = "spot", symbol = "BTCUSDT", side = "Sell",
      orderType = "Limit", qty = "0.001", price = "59800", timeInForce = "PostOnly" })
    assert.equal(0, answer.retCode)
    local row = frames(sock)[1].data[1]
    assert.same({ answer.result.orderId, "Rejected", "PostOnly" }, { row.orderId, row.orderStatus, row.timeInForce })
  end)

  it("tells of what the market does to an order", function()
    log_on()
    say '{"op":"subscribe","args":["order"]}'
    fake.post(sb, "/v5/order/create", { category = "spot", symbol = "BTCUSDT", side = "Buy", orderType = "Limit",
      qty = "0.001", price = "59000" })
    assert.equal("New", frames(sock)[1].data[1].orderStatus)
    sb.market:move("BTCUSDT", { to = "58000" })
    sb:settle()
    assert.equal("Filled", frames(sock)[1].data[1].orderStatus)
    say '{"op":"unsubscribe","args":["order"]}'
    assert.is_false(sb:watched())
  end)
end)
