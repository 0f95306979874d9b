-- Orders that wait for a price, trailing ones, and pegged ones: what they need, how they show, what becomes of them.
local fake = require "binance_fake"
local json = require "smc.json"

local sb

local function call(method, path, query)
  local ex = fake.signed(sb, method, "/api/v3/" .. path, query)
  return json.decode(ex.answer), ex
end

local function place(query) return call("POST", "order", "symbol=BTCUSDT&newOrderRespType=RESULT&" .. query) end

local function order(id) return call("GET", "order", "symbol=BTCUSDT&orderId=" .. id) end

local function refused(query, code, msg)
  local answer, ex = place(query)
  assert.same({ 400, code, msg }, { ex.status, answer.code, answer.msg }, query)
end

local function pick(record, names)
  local out = {}
  for name in names:gmatch "%S+" do out[#out + 1] = record[name] == nil and "-" or record[name] end
  return out
end

local STOP_SELL = "side=SELL&type=STOP_LOSS&quantity=0.01&stopPrice=59000"
local STOP_LIMIT = "side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.01&price=58000&stopPrice=59000"
local SHOWN = "type status price stopPrice isWorking workingTime"

local function move(to)
  sb.market:move("BTCUSDT", { to = to })
  sb:settle()
end

describe("an order that waits for a price", function()
  before_each(function() sb = fake.venue() end)
  after_each(function() sb:close() end)

  it("needs a price to wait for, and no other type has one", function()
    local both = "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!"
    refused("side=SELL&type=STOP_LOSS&quantity=1", -1102, both)
    refused("side=SELL&type=TAKE_PROFIT_LIMIT&timeInForce=GTC&quantity=1&price=1", -1102, both)
    refused("side=SELL&type=STOP_LOSS&quantity=1&price=1&stopPrice=1", -1106,
      "Parameter 'price' sent when not required.")
    refused("side=SELL&type=STOP_LOSS_LIMIT&quantity=1&price=1&stopPrice=1", -1102,
      "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.")
    refused("side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=1&trailingDelta=100", -1106,
      "Parameter 'trailingDelta' sent when not required.")
  end)

  it("is answered briefly unless more is asked for", function()
    local _, ex = call("POST", "order", "symbol=BTCUSDT&" .. STOP_SELL)
    assert.matches('^{"symbol":"BTCUSDT","orderId":%d+,"orderListId":%-1,"clientOrderId":"%w+","transactTime":%d+}$',
      ex.answer)
  end)

  it("shows that it is not working, and locks what it will need", function()
    local placed = place(STOP_LIMIT)
    assert.same({ "STOP_LOSS_LIMIT", "NEW", "58000.00000000", "59000.00000000", "-", -1 }, pick(placed, SHOWN))
    assert.same({ "STOP_LOSS_LIMIT", "NEW", "58000.00000000", "59000.00000000", false, -1 },
      pick(order(placed.orderId), SHOWN))
    assert.equal(placed.orderId, call("GET", "openOrders", "symbol=BTCUSDT")[1].orderId)
    for _, b in ipairs(call("GET", "account").balances) do
      if b.asset == "BTC" then assert.same({ "99.99000000", "0.01000000" }, { b.free, b.locked }) end
    end
    local gone = call("DELETE", "order", "symbol=BTCUSDT&orderId=" .. placed.orderId)
    assert.same({ "CANCELED", "59000.00000000" }, { gone.status, gone.stopPrice })
  end)

  -- type, side, a stop price on the right side, one on the wrong side, where the market must go
  for _, row in ipairs {
    { "STOP_LOSS", "SELL", "59000", "61000", "58990" }, { "STOP_LOSS", "BUY", "61000", "59000", "61010" },
    { "TAKE_PROFIT", "SELL", "61000", "59000", "61010" }, { "TAKE_PROFIT", "BUY", "59000", "61000", "58990" },
  } do
    local kind, side, right, wrong, to = table.unpack(row)
    local query = ("side=%s&type=%s&quantity=0.01&stopPrice="):format(side, kind)
    it(("of type %s to %s fires on its own side of the market"):format(kind, side), function()
      refused(query .. wrong, -2010, "Order would trigger immediately.")
      local placed = place(query .. right)
      assert.equal("NEW", order(placed.orderId).status)
      move(to)
      assert.same({ kind, "FILLED", "0.01000000" }, pick(order(placed.orderId), "type status executedQty"))
    end)
  end

  it("becomes a limit order that may have to wait again", function()
    local placed = place(STOP_LIMIT:gsub("price=58000", "price=58995"))
    move "58900"
    local now = order(placed.orderId)
    assert.same({ "STOP_LOSS_LIMIT", "NEW", true }, pick(now, "type status isWorking"))
    assert.is_true(now.workingTime >= placed.transactTime)
    move "59100"
    assert.equal("FILLED", order(placed.orderId).status)
  end)

  it("expires when it can't work any more", function()
    for _, qty in ipairs { "225", "10" } do -- leaves 600000
      place("side=BUY&type=LIMIT&timeInForce=GTC&price=40000&quantity=" .. qty)
    end
    local placed = place "side=BUY&type=STOP_LOSS&quantity=9&stopPrice=61000"
    assert.equal("NEW", placed.status)
    move "120000"
    local now = order(placed.orderId)
    assert.same({ "EXPIRED", "REJECTED", "0.00000000" }, pick(now, "status expiryReason executedQty"))
  end)

  it("is filtered by its stop price too, and at most five may wait", function()
    refused(STOP_SELL .. ".001", -1013, "Filter failure: PRICE_FILTER")
    refused("side=BUY&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.01&price=61000&stopPrice=1000000.01", -1013,
      "Filter failure: PRICE_FILTER")
    for _ = 1, 5 do assert.equal("NEW", place(STOP_SELL).status) end
    refused(STOP_SELL, -2010, "Filter failure: MAX_NUM_ALGO_ORDERS")
    assert.equal("NEW", place("side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000").status)
  end)

  it("can be replaced, and takes its terms along", function()
    local placed = place(STOP_LIMIT)
    local both = call("POST", "order/cancelReplace", "symbol=BTCUSDT&cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId="
      .. placed.orderId .. "&newOrderRespType=RESULT&" .. STOP_LIMIT:gsub("59000", "58500"))
    assert.same({ "CANCELED", "58500.00000000" }, { both.cancelResponse.status, both.newOrderResponse.stopPrice })
  end)
end)

describe("a trailing order", function()
  before_each(function() sb = fake.venue() end)
  after_each(function() sb:close() end)

  local TRAIL = "side=SELL&type=STOP_LOSS&quantity=0.01&trailingDelta="

  it("follows the market at its distance, and fires when it turns", function()
    local placed = place(TRAIL .. "100")
    assert.same({ 100, "0.00000000" }, pick(placed, "trailingDelta stopPrice"))
    move "61500"
    move "61000"
    assert.equal("NEW", order(placed.orderId).status)
    move "60800"
    assert.equal("FILLED", order(placed.orderId).status)
  end)

  it("begins at its stop price, where it has one", function()
    local placed = place(TRAIL .. "100&stopPrice=59000")
    assert.equal(-1, placed.trailingTime)
    move "59100"
    assert.same({ "NEW", -1 }, pick(order(placed.orderId), "status trailingTime"))
    move "58900"
    assert.is_true(order(placed.orderId).trailingTime > 0)
    move "58000"
    assert.equal("FILLED", order(placed.orderId).status)
    refused(TRAIL .. "100&stopPrice=61000", -2010, "Order would trigger immediately.")
    refused("side=BUY&type=STOP_LOSS&quantity=0.01&trailingDelta=100&stopPrice=57000", -2010,
      "Order would trigger immediately.")
  end)

  it("to take a profit begins above the market and fires when that turns down", function()
    local placed = place "side=SELL&type=TAKE_PROFIT&quantity=0.01&trailingDelta=100&stopPrice=61000"
    move "61100"
    move "62000"
    assert.equal("NEW", order(placed.orderId).status)
    move "61300"
    assert.equal("FILLED", order(placed.orderId).status)
  end)

  it("has a distance within bounds", function()
    for _, delta in ipairs { "9", "2001" } do refused(TRAIL .. delta, -1013, "Filter failure: TRAILING_DELTA") end
    for _, delta in ipairs { "10", "2000" } do assert.equal("NEW", place(TRAIL .. delta).status) end
    refused("type=STOP_LOSS_LIMIT&side=SELL&timeInForce=GTC&quantity=0.01&price=50000&trailingDelta=9", -1013,
      "Filter failure: TRAILING_DELTA")
  end)
end)

describe("a pegged order", function()
  before_each(function() sb = fake.venue() end)
  after_each(function() sb:close() end)

  local PEG = "type=LIMIT&timeInForce=GTC&quantity=0.01&pegPriceType="

  it("has the best price of its side, or a deeper one", function()
    local book = sb.market:book("BTCUSDT", 3)
    local placed = place("side=BUY&" .. PEG .. "PRIMARY_PEG")
    assert.same({ "0.00000000", "NEW", "PRIMARY_PEG" }, pick(placed, "price status pegPriceType"))
    assert.equal(tonumber(book.bids[1][1]), tonumber(placed.peggedPrice))
    local deeper = place("side=SELL&" .. PEG .. "PRIMARY_PEG&pegOffsetType=PRICE_LEVEL&pegOffsetValue=2")
    assert.equal(tonumber(book.asks[3][1]), tonumber(deeper.peggedPrice))
    assert.same({ "PRICE_LEVEL", 2 }, pick(order(deeper.orderId), "pegOffsetType pegOffsetValue"))
  end)

  it("takes the best price of the other side", function()
    assert.equal("FILLED", place("side=BUY&" .. PEG .. "MARKET_PEG").status)
  end)

  it("fits its type, and the book", function()
    refused("side=BUY&type=MARKET&quantity=1&pegPriceType=MARKET_PEG", -2010,
      "This order type may not use pegged price.")
    refused("side=BUY&type=LIMIT&timeInForce=IOC&quantity=1&pegPriceType=PRIMARY_PEG", -2010,
      "This price peg cannot be used with this order type.")
    refused("side=BUY&type=LIMIT_MAKER&quantity=1&pegPriceType=MARKET_PEG", -2010,
      "This price peg cannot be used with this order type.")
    refused("side=BUY&" .. PEG .. "PRIMARY_PEG&pegOffsetType=PRICE_LEVEL&pegOffsetValue=50", -2010,
      "Order book liquidity is too low for this pegged order.")
    refused("side=BUY&" .. PEG .. "PRIMARY_PEG&pegOffsetType=PRICE_LEVEL&pegOffsetValue=101", -1130,
      "Data sent for parameter 'pegOffsetValue' is not valid.")
    refused("side=BUY&" .. PEG .. "PRIMARY_PEG&pegOffsetType=PRICE_LEVEL", -1128,
      "Combination of optional parameters invalid.")
    refused("side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=1&stopPrice=59000&pegPriceType=PRIMARY_PEG",
      -2010, "Pegged orders are not supported for this symbol.")
  end)
end)

describe("an iceberg order", function()
  before_each(function() sb = fake.venue() end)
  after_each(function() sb:close() end)

  local BERG = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=61000&icebergQty="

  it("shows a part of itself at a time, and trades all of it", function()
    local placed = place(BERG .. "0.1")
    assert.equal("0.10000000", placed.icebergQty)
    assert.equal("0.10000000", order(placed.orderId).icebergQty)
    local function at_price()
      for _, ask in ipairs(json.decode(fake.ask(sb, "GET", "/api/v3/depth?symbol=BTCUSDT&limit=5000").answer).asks) do
        if ask[1] == "61000.00000000" then return ask[2] end
      end
    end
    assert.equal("0.10000000", at_price())
    move "62000"
    assert.equal("FILLED", order(placed.orderId).status)
  end)

  it("is good till cancelled, larger than its parts, and of at most a hundred", function()
    refused((BERG:gsub("GTC", "IOC")) .. "0.1", -1014, "Unsupported order combination.")
    refused(BERG .. "1", -2010, "IcebergQty exceeds QTY.")
    refused(BERG .. "0.00999", -1013, "Filter failure: ICEBERG_PARTS")
    refused(BERG .. "0.010005", -1013, "Filter failure: LOT_SIZE")
    refused("side=SELL&type=STOP_LOSS&quantity=1&stopPrice=59000&icebergQty=0.1", -1106,
      "Parameter 'icebergQty' sent when not required.")
    assert.equal("NEW", place(BERG .. "0.01").status)
    assert.equal("STOP_LOSS_LIMIT", place(STOP_LIMIT .. "&icebergQty=0.001").type)
  end)
end)

describe("self-trade prevention", function()
  it("by transfer is by decrement within one account, under its own name", function()
    sb = fake.venue()
    local placed = place("side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000"
      .. "&selfTradePreventionMode=TRANSFER")
    assert.equal("TRANSFER", placed.selfTradePreventionMode)
    assert.equal("TRANSFER", order(placed.orderId).selfTradePreventionMode)
    sb:close()
  end)
end)

describe("a market that is halted", function()
  it("takes no orders but cancels, and says so", function()
    sb = fake.venue()
    local placed = place(STOP_SELL)
    sb.market:halt("BTCUSDT", true)
    refused(STOP_SELL, -1013, "Market is closed.")
    local info = json.decode(fake.ask(sb, "GET", "/api/v3/exchangeInfo?symbol=BTCUSDT").answer)
    assert.equal("HALT", info.symbols[1].status)
    local query = "symbol=BTCUSDT&newQty=0.005&orderId=" .. placed.orderId
    assert.equal("Market is closed.", call("PUT", "order/amend/keepPriority", query).msg)
    local others = json.decode(fake.ask(sb, "GET", "/api/v3/ticker/price?symbolStatus=TRADING").answer)
    assert.equal(3, #others)
    assert.equal("CANCELED", call("DELETE", "order", "symbol=BTCUSDT&orderId=" .. placed.orderId).status)
    sb:close()
  end)
end)

describe("the user stream of an order that waits", function()
  it("tells that it waits, that it works, and what it does", function()
    sb = fake.venue()
    local sock = fake.connect(sb, "/ws-api/v3")
    local task = require "smc.core.task"
    local payload = "apiKey=" .. sb.key .. "&timestamp=" .. task.wall_ms()
    sock:say(json.encode { id = 1, method = "userDataStream.subscribe.signature", params = { apiKey = sb.key,
      timestamp = task.wall_ms(), signature = fake.signature(sb, payload) } })
    sock:take()
    local placed = place "side=SELL&type=STOP_LOSS&quantity=0.01&stopPrice=59000&trailingDelta=50"
    move "58900"
    move "58000"
    local told = {}
    for _, frame in ipairs(fake.frames(sock)) do
      local e = frame.event
      if e.e == "executionReport" then told[#told + 1] = table.concat({ e.x, e.X, tostring(e.w), e.o, e.P }, " ") end
      if e.i == placed.orderId then assert.equal(50, e.d) end
    end
    assert.same({ "NEW NEW false STOP_LOSS 59000.00000000", "NEW NEW true STOP_LOSS 59000.00000000",
      "TRADE FILLED false STOP_LOSS 59000.00000000" }, told)
    sb:close()
  end)
end)
