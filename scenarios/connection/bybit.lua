local smc = require "smc"

local UNKNOWN_KEY = "unknownunknown1234"

local HERE = { ["127.0.0.1"] = true, ["[::1]"] = true, localhost = true } -- a sandbox, or what stands in for a testnet

local function is_test_host(url)
  local host = url:match "^%a+://(%[[%x:]+%])" or url:match "^%a+://([^/:]+)"
  return HERE[host] or host == "api-testnet.bybit.com" or host == "stream-testnet.bybit.com"
end

describe("bybit connection #connection #bybit", function()
  local venue
  before_each(function() venue = smc.venue "bybit" end)

  it("lives on test hosts only, and answers there", function()
    for _, url in ipairs { venue.url, venue.ws_url, venue.ws_api_url } do
      assert.is_true(is_test_host(url), url)
    end
    assert(venue:ping())
    local sent = venue:requests()[1]
    assert.same({ "/v5/market/time", 200 }, { sent.path, sent.status })
  end)

  it("tells one time in three units, close to ours", function()
    local answer = assert(venue:get "/v5/market/time")
    assert.same({ 0, "OK" }, { answer.retCode, answer.retMsg })
    local result = answer.result
    assert.equal(result.timeSecond, result.timeNano:sub(1, -10))
    assert.is_true(math.abs(tonumber(result.timeNano) // 1000000 - answer.time) <= 1000)
    assert.is_true(math.abs(answer.time - smc.wall()) <= 5000, "clocks differ by " .. answer.time - smc.wall() .. " ms")
  end)

  it("trades BTC/USDT and says by which rules", function()
    local answer = assert(venue:get("/v5/market/instruments-info", { category = "spot", symbol = "BTCUSDT" }))
    assert.equal(1, #answer.result.list)
    local btc = answer.result.list[1]
    assert.same({ "BTCUSDT", "BTC", "USDT", "Trading" }, { btc.symbol, btc.baseCoin, btc.quoteCoin, btc.status })
    for _, rule in ipairs { btc.priceFilter.tickSize, btc.lotSizeFilter.basePrecision, btc.lotSizeFilter.minOrderAmt,
      btc.lotSizeFilter.maxLimitOrderQty, btc.lotSizeFilter.maxMarketOrderQty } do
      assert.is_true(smc.decimal.cmp(rule, "0") > 0, rule)
    end
  end)

  it("shows a ticker whose prices are in order", function()
    local answer = assert(venue:get("/v5/market/tickers", { category = "spot", symbol = "BTCUSDT" }))
    assert.equal(0, answer.retCode)
    local t = answer.result.list[1]
    assert.equal("BTCUSDT", t.symbol)
    assert.is_true(smc.decimal.lt(t.bid1Price, t.ask1Price), "best bid below best ask")
    assert.is_true(smc.decimal.le(t.lowPrice24h, t.lastPrice) and smc.decimal.le(t.lastPrice, t.highPrice24h))
    assert.is_nil(t.openInterestValue) -- clients tell contracts from spot by it
  end)

  it("tells with every private answer what is left of the endpoint's limit", function()
    local _, headers = assert(venue:get("/v5/account/wallet-balance", { accountType = "UNIFIED" }, { signed = true }))
    assert.is_true(tonumber(headers["x-bapi-limit-status"]) < tonumber(headers["x-bapi-limit"]))
    assert.is_true(math.abs(tonumber(headers["x-bapi-limit-reset-timestamp"]) - smc.wall()) <= 5000)
  end)

  it("refuses what it does not have, with the code in an answer that is HTTP 200", function()
    local ticker, err = venue:ticker "INVALID/PAIR"
    assert.is_nil(ticker)
    assert.same({ 200, 10001, "invalid_request", false }, { err.http, err.code, err.class, err.retryable })
    assert.equal(1, #venue:requests { path = "/v5/market/tickers" })
  end)

  it("answers an unknown path with HTTP 404, told apart from a transport error", function()
    local answer, err = venue:get "/v5/no/such/path"
    assert.is_nil(answer)
    assert.same({ 404, "invalid_request", false }, { err.http, err.class, err.retryable })
    assert.equal(1, #venue:requests())
  end)
end)

describe("bybit authentication #connection #bybit #auth", function()
  local venue
  before_each(function() venue = smc.venue "bybit" end)

  it("accepts the right key with the right secret, and refuses every other pair after one attempt", function()
    assert.is_true(assert(venue:account()).can_trade)

    local shown = "^error sign! origin_string%[%d+" .. venue.key:gsub("%p", "%%%0")
    local strangers = {
      { "wrong secret", { secret = smc.secret.random() }, 200, 10004, shown },
      { "unknown key", { key = UNKNOWN_KEY }, 401, 10003, "^API key is invalid%.$" },
      { "both wrong", { key = UNKNOWN_KEY, secret = smc.secret.random() }, 401, 10003, "^API key is invalid%.$" },
    }
    for _, row in ipairs(strangers) do
      local case, options, http, code, message = table.unpack(row)
      local stranger = smc.venue("bybit", options)
      local account, err = stranger:account()
      assert.is_nil(account, case)
      assert.same({ "auth", http, code, false }, { err.class, err.http, err.code, err.retryable }, case)
      assert.matches(message, err.message)
      assert.equal(1, #stranger:requests { signed = true }, case)
    end
  end)

  it("misses the headers of an unsigned request", function()
    local answer, err = venue:get("/v5/account/info")
    assert.is_nil(answer)
    assert.same({ 401, 10001 }, { err.http, err.code })
    assert.equal("empty value: apiTimestamp[] apiKey[] apiSignature[]: openapi sign params error!", err.message)
  end)

  it("refuses a request that was signed and then changed", function()
    local now = tostring(smc.wall())
    local body = '{"category":"spot","symbol":"BTCUSDT"}'
    local headers = { ["X-BAPI-API-KEY"] = venue.key, ["X-BAPI-TIMESTAMP"] = now, ["X-BAPI-RECV-WINDOW"] = "5000",
      ["X-BAPI-SIGN"] = smc.sign.key("hmac", venue.sandbox.secret):sign(now .. venue.key .. "5000" .. body) }
    local function ask(text)
      local reply = assert(smc.http.post(venue.url .. "/v5/order/cancel-all", text, { headers = headers }))
      assert.equal(200, reply.status)
      return smc.json.decode(reply.body).retCode
    end
    assert.equal(0, ask(body))
    assert.equal(10004, ask((body:gsub(":", ": "))))
  end)

  it("says by how much a clock is off", function()
    venue.sandbox:skew(6)
    local account, err = venue:account()
    assert.is_nil(account)
    assert.same({ 200, 10002 }, { err.http, err.code })
    assert.matches("req_timestamp%[%d+%],server_timestamp%[%d+%],recv_window%[5000%]$", err.message)
  end)

  it("lets a key without the right to trade look but not touch", function()
    local api_key = venue.sandbox:add_key { kind = "hmac", secret = "looking is free", trade = false }
    local watcher = smc.venue("bybit", { key = api_key, secret = "looking is free" })
    assert.is_false(assert(watcher:account()).can_trade)
    local order, err = watcher:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = "40000" }
    assert.is_nil(order)
    assert.same({ "permission", 10005 }, { err.class, err.code })
    assert.same({}, venue.sandbox:orders())
  end)
end)
