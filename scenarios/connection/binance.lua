local smc = require "smc"

local HERE = { ["127.0.0.1"] = true, ["[::1]"] = true, localhost = true } -- a sandbox, or what stands in for a testnet

local function is_test_host(url)
  local host = url:match "^%a+://(%[[%x:]+%])" or url:match "^%a+://([^/:]+)"
  return HERE[host] or host == "testnet.binance.vision" or host:find("%.testnet%.binance%.vision$") ~= nil
end

local function filter(instrument, name)
  for _, f in ipairs(instrument.filters) do
    if f.filterType == name then return f end
  end
end

describe("binance connection #connection #binance", function()
  local venue
  before_each(function() venue = smc.venue "binance" end)

  it("lives on test hosts only, and answers there", function()
    for _, url in ipairs { venue.url, venue.ws_url, venue.ws_api_url } do
      assert.is_true(is_test_host(url), url)
    end
    assert(venue:ping())
    assert.same({ "/api/v3/ping" }, { venue:requests()[1].path })
    assert.equal(200, venue:requests()[1].status)
  end)

  it("has a clock that agrees with ours to within recvWindow", function()
    local theirs = assert(venue:time())
    assert.is_true(math.abs(theirs - smc.wall()) <= 5000, "clocks differ by " .. theirs - smc.wall() .. " ms")
  end)

  it("trades BTC/USDT and says by which rules", function()
    local info = assert(venue:get("/api/v3/exchangeInfo", { symbol = "BTCUSDT" }))
    assert.equal("UTC", info.timezone)
    assert.equal(1, #info.symbols)
    local btc = info.symbols[1]
    assert.equal("BTCUSDT", btc.symbol)
    assert.equal("TRADING", btc.status)
    assert.equal("BTC", btc.baseAsset)
    assert.equal("USDT", btc.quoteAsset)
    assert.equal("0.01000000", filter(btc, "PRICE_FILTER").tickSize)
    assert.equal("0.00001000", filter(btc, "LOT_SIZE").stepSize)
    assert.equal("5.00000000", filter(btc, "NOTIONAL").minNotional)
  end)

  it("publishes its request and order limits", function()
    local info = assert(venue:get("/api/v3/exchangeInfo", { symbol = "BTCUSDT" }))
    local limits = {}
    for _, l in ipairs(info.rateLimits) do
      limits[#limits + 1] = ("%s %d per %d %s"):format(l.rateLimitType, l.limit, l.intervalNum, l.interval)
    end
    assert.same({ "REQUEST_WEIGHT 6000 per 1 MINUTE", "ORDERS 50 per 10 SECOND", "ORDERS 160000 per 1 DAY",
      "RAW_REQUESTS 300000 per 5 MINUTE" }, limits)
  end)

  it("tells with every answer how much weight was used", function()
    eventually(function() -- a minute may end between the two
      local _, first = assert(venue:get("/api/v3/time"))
      local _, second = assert(venue:get("/api/v3/depth", { symbol = "BTCUSDT", limit = 500 }))
      assert.equal(25, tonumber(second["x-mbx-used-weight-1m"]) - tonumber(first["x-mbx-used-weight-1m"]))
    end)
  end)

  it("answers a signed account query", function()
    local account = assert(venue:account())
    assert.is_true(account.can_trade)
    assert.equal("spot", account.type)
    assert.equal(1, #venue:requests { signed = true })
  end)

  it("answers an unknown path with HTTP 404, told apart from a transport error", function()
    local answer, err = venue:get "/api/v3/no/such/path"
    assert.is_nil(answer)
    assert.equal(404, err.http)
    assert.equal("invalid_request", err.class)
    assert.is_false(err.retryable)
    assert.equal(1, #venue:requests())
  end)

  it("refuses an unknown symbol with -1121, after one attempt", function()
    local ticker, err = venue:ticker "INVALID/PAIR"
    assert.is_nil(ticker)
    assert.equal(400, err.http)
    assert.equal(-1121, err.code)
    assert.equal("Invalid symbol.", err.message)
    assert.equal("invalid_request", err.class)
    assert.is_false(err.retryable)
    assert.equal(1, #venue:requests { path = "/api/v3/ticker/24hr" })
  end)

  it("refuses a parameter that it does not know, by name of the rule", function()
    local answer, err = venue:get("/api/v3/ping", { verbose = true })
    assert.is_nil(answer)
    assert.equal(-1101, err.code)
    assert.equal("Too many parameters; expected '0' and received '1'.", err.message)
  end)

  it("keeps an order waiting until the market falls to its price", function()
    local price = tonumber(assert(venue:ticker("BNB/USDT")).last)
    local order = assert(venue:place { symbol = "BNB/USDT", side = "sell", type = "stop", qty = "1",
      trigger_price = ("%.2f"):format(price * 0.95) })
    assert.equal("open", assert(venue:order { symbol = "BNB/USDT", id = order.id }).status)

    venue.sandbox:move("BNB/USDT", { by = "-0.06" })

    local filled = assert(venue:order { symbol = "BNB/USDT", id = order.id })
    assert.same({ "stop", "filled", "1" }, { filled.type, filled.status, filled.filled })
  end)

  it("lets one order of a pair cancel the other", function()
    local price = tonumber(assert(venue:ticker("BNB/USDT")).last)
    local function at(factor) return ("%.2f"):format(price * factor) end
    finally(function() venue:cancel_all "BNB/USDT" end) -- a raw request is in no journal
    local list = assert(venue:post("/api/v3/orderList/oco", { symbol = "BNBUSDT", side = "SELL", quantity = "1",
      aboveType = "LIMIT_MAKER", abovePrice = at(1.05), belowType = "STOP_LOSS", belowStopPrice = at(0.95) },
      { signed = true }))
    assert.same({ "OCO", 2 }, { list.contingencyType, #assert(venue:open_orders("BNB/USDT")) })

    venue.sandbox:move("BNB/USDT", { by = "0.06" })

    local ends = {}
    for i, o in ipairs(list.orders) do ends[i] = assert(venue:order { symbol = "BNB/USDT", id = o.orderId }).status end
    assert.same({ "expired", "filled" }, ends)
  end)

  it("tells the user stream of an order that waits, works and is filled", function()
    local stream <close> = assert(venue:user_stream())
    local price = tonumber(assert(venue:ticker("BNB/USDT")).last)
    local order = assert(venue:place { symbol = "BNB/USDT", side = "buy", type = "stop", qty = "1",
      trigger_price = ("%.2f"):format(price * 1.05) })
    venue.sandbox:move("BNB/USDT", { by = "0.06" })

    local told = {}
    eventually(function()
      local event = assert(stream:recv(1))
      if event.order and event.order.id == order.id then told[#told + 1] = event.order end
      assert.equal("filled", told[#told].status)
    end, { within = 10 })
    assert.same({ "open", "stop", order.trigger_price }, { told[1].status, told[1].type, told[1].trigger_price })
  end)
end)
