-- Public REST of the bybit sandbox: the envelope, and each endpoint's fields.
local fake = require "bybit_fake"
local json = require "smc.json"
local smc = require "smc"

local sb

local function get(target)
  local ex = fake.ask(sb, "GET", "/v5/market/" .. target)
  return json.decode(ex.answer), ex
end

local function names(raw)
  local out = {}
  for name in raw:gmatch('"(%w+)":') do out[#out + 1] = name end
  return table.concat(out, " ")
end

describe("an answer of bybit", function()
  before_each(function() sb = fake.venue() end)

  it("comes in an envelope", function()
    local answer, ex = get "time"
    local now = smc.wall()
    assert.equal(('{"retCode":0,"retMsg":"OK","result":{"timeSecond":"%d","timeNano":"%d000000"},"retExtInfo":{},'
      .. '"time":%d}'):format(now // 1000, now, now), ex.answer)
    assert.same({ 200, "application/json; charset=utf-8", "0" }, { ex.status, ex.out["content-type"],
      ex.out.ret_code })
    assert.is_nil(ex.out["x-bapi-limit"]) -- public endpoints have none
    assert.equal(now, answer.time)
  end)

  it("to a wrong path is HTTP 404", function()
    local answer, ex = get "nothing"
    assert.same({ 404, 10017 }, { ex.status, answer.retCode })
    assert.equal(404, fake.ask(sb, "POST", "/v5/market/time", {}, "{}").status)
  end)

  it("to a GET with a body is HTTP 403, and no ban", function()
    local ex = fake.ask(sb, "GET", "/v5/market/time", {}, "{}")
    assert.same({ 403, "403 Forbidden" }, { ex.status, ex.answer })
    assert.equal(0, get("time").retCode)
  end)

  for _, path in ipairs { "tickers", "orderbook", "recent-trade", "kline" } do
    it("refuses a category that it has not, and a symbol: " .. path, function()
      local answer, ex = get(path .. "?category=nonsense&symbol=BTCUSDT&interval=1")
      assert.same({ 200, 10001, "Illegal category" }, { ex.status, answer.retCode, answer.retMsg })
      for _, which in ipairs { "category=spot&symbol=btcusdt", "category=inverse&symbol=BTCUSDT" } do
        answer = get(path .. "?" .. which .. "&interval=1")
        assert.same({ 10001, "Not supported symbols" }, { answer.retCode, answer.retMsg })
      end
    end)
  end

  it("lists instruments by category", function()
    local list = get("instruments-info?category=spot").result.list
    assert.equal(4, #list)
    local _, ex = get "instruments-info?category=spot&symbol=BTCUSDT"
    assert.equal("retCode retMsg result category list symbolId symbol baseCoin quoteCoin innovation status "
      .. "marginTrading stTag lotSizeFilter basePrecision quotePrecision minOrderQty maxOrderQty minOrderAmt "
      .. "maxOrderAmt maxLimitOrderQty maxMarketOrderQty postOnlyMaxLimitOrderSize priceFilter tickSize "
      .. "riskParameters priceLimitRatioX priceLimitRatioY symbolType retExtInfo time", names(ex.answer))
    for _, other in ipairs { "linear&limit=1000&status=PreLaunch", "inverse", "option&baseCoin=BTC" } do
      local answer = get("instruments-info?category=" .. other)
      assert.same({ 0, "[]", "" }, { answer.retCode, json.encode(answer.result.list), answer.result.nextPageCursor })
    end
    assert.equal(10001, get("instruments-info?category=none").retCode)
    local own = fake.get(sb, "/v5/account/instruments-info", "category=spot").result.list
    for i, item in ipairs(own) do
      assert.same({ false, false }, { item.isPublicRpi, item.myRpiPermission })
      item.isPublicRpi, item.myRpiPermission = nil, nil
      assert.same(list[i], item)
    end
  end)

  it("has no maintenance to announce", function()
    assert.equal("[]", json.encode(json.decode(fake.ask(sb, "GET", "/v5/system/status").answer).result.list))
  end)

  it("shows a ticker, or all", function()
    local _, ex = get "tickers?category=spot&symbol=BTCUSDT"
    assert.equal("retCode retMsg result category list symbol lastPrice prevPrice24h price24hPcnt "
      .. "highPrice24h lowPrice24h turnover24h volume24h bid1Price bid1Size ask1Price ask1Size usdIndexPrice "
      .. "retExtInfo time",
      names(ex.answer))
    assert.equal(4, #get("tickers?category=spot").result.list)
  end)

  it("shows a book of one level unless asked", function()
    assert.equal(1, #get("orderbook?category=spot&symbol=BTCUSDT").result.b)
    local book = get("orderbook?category=spot&symbol=BTCUSDT&limit=3").result
    assert.same({ "BTCUSDT", 3, 3 }, { book.s, #book.b, #book.a })
    assert.equal(sb.market:book("BTCUSDT", 1).update_id, book.seq)
    assert.equal(10001, get("orderbook?category=spot&symbol=BTCUSDT&limit=0").retCode)
  end)

  it("shows the latest trades first", function()
    local list = get("recent-trade?category=spot&symbol=BTCUSDT&limit=100").result.list
    assert.equal(60, #list)
    assert.is_true(tonumber(list[1].seq) > tonumber(list[2].seq))
    assert.matches("^21%d+$", list[1].execId)
    assert.equal(19, #list[1].execId)
  end)

  it("shows the latest candles first, of every interval", function()
    for _, interval in ipairs { "1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M" } do
      local answer = get("kline?category=spot&symbol=BTCUSDT&limit=2&interval=" .. interval)
      assert.equal(0, answer.retCode, interval)
      assert.equal(7, #answer.result.list[1], interval)
    end
    local list = get("kline?category=spot&symbol=BTCUSDT&limit=3&interval=60").result.list
    assert.same({ 3600000, 3600000 }, { tonumber(list[1][1]) - tonumber(list[2][1]),
      tonumber(list[2][1]) - tonumber(list[3][1]) })
    local from = list[3][1]
    assert.equal(from, get("kline?category=spot&symbol=BTCUSDT&limit=1&interval=60&start=" .. from).result.list[1][1])
    assert.equal(10001, get("kline?category=spot&symbol=BTCUSDT&interval=2").retCode)
  end)
end)

describe("what bybit tells of a key", function()
  it("is what it may do, what trading costs, and the account's mode", function()
    sb = fake.venue { commission_bps = 5 }
    local key = fake.get(sb, "/v5/user/query-api").result
    assert.same({ sb.key, 0, "SpotTrade", 1 }, { key.apiKey, key.readOnly, key.permissions.Spot[1], key.uta })
    local fees = fake.get(sb, "/v5/account/fee-rate", "category=spot&symbol=ETHBTC").result.list
    assert.same({ 1, "ETHBTC", "0.0005", "0.0005" }, { #fees, fees[1].symbol, fees[1].makerFeeRate,
      fees[1].takerFeeRate })
    assert.equal(5, fake.get(sb, "/v5/account/info").result.unifiedMarginStatus)
    assert.equal("[]", json.encode(fake.get(sb, "/v5/asset/coin/query-info").result.rows))
  end)
end)
