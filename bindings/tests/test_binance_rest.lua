-- REST of the sandbox: paths, parameters and their refusals, word for word; market data; headers.
local decimal = require "smc.decimal"
local fake = require "binance_fake"
local json = require "smc.json"
local smc = require "smc"

local sb
local function get(target, headers)
  local ex = fake.ask(sb, "GET", "/api/v3/" .. target, headers)
  return ex.answer ~= "" and json.decode(ex.answer) or nil, ex
end

local function refused(target, code, msg)
  local answer, ex = get(target)
  assert.same({ 400, code, msg }, { ex.status, answer.code, answer.msg })
end

describe("a path", function()
  before_each(function() sb = fake.venue() end)

  it("that does not exist is 404 without a body, or with a page for browsers", function()
    local ex = fake.ask(sb, "GET", "/api/v3/nothing")
    assert.same({ 404, "" }, { ex.status, ex.answer })
    ex = fake.ask(sb, "GET", "/sapi/v1/nothing", { accept = "text/html,*/*" })
    assert.same({ 404, "<html><body><h2>404 Not found</h2></body></html>" }, { ex.status, ex.answer })
  end)

  it("that was retired is 410 with a page", function()
    for _, version in ipairs { "v1", "v3" } do
      local ex = fake.ask(sb, "POST", "/api/" .. version .. "/userDataStream", { ["x-mbx-apikey"] = sb.key })
      assert.equal(410, ex.status)
      assert.matches("410 Gone", ex.answer)
    end
  end)

  it("of contracts knows none of them", function()
    for _, path in ipairs { "/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo" } do
      local ex = fake.ask(sb, "GET", path)
      assert.same({ 200, {} }, { ex.status, json.decode(ex.answer).symbols }, path)
    end
    assert.equal(404, fake.ask(sb, "GET", "/fapi/v1/ticker/price").status)
  end)

  it("asked with another method is 405", function()
    assert.equal(405, fake.ask(sb, "POST", "/api/v3/ping").status)
  end)

  it("answers SBE clients that take nothing else with 406", function()
    assert.equal(406, fake.ask(sb, "GET", "/api/v3/ping", { accept = "application/sbe" }).status)
  end)
end)

describe("a parameter", function()
  before_each(function() sb = fake.venue() end)

  it("is refused when it is missing, empty, malformed, repeated or unknown", function()
    refused("depth", -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
    refused("depth?symbol=", -1105, "Parameter 'symbol' was empty.")
    refused("depth?symbol=btc/usdt", -1100,
      "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'.")
    refused("depth?symbol=BTCUSDT&limit=x", -1100,
      "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.")
    refused("depth?symbol=BTCUSDT&limit=99999999999999999999", -1108, "Parameter 'limit' overflowed.")
    refused("depth?symbol=BTCUSDT&limit=0", -1130, "Data sent for parameter 'limit' is not valid.")
    refused("depth?symbol=BTCUSDT&symbol=ETHUSDT", -1101, "Duplicate values for a parameter detected.")
    refused("depth?symbol=BTCUSDT&a=1&b=2", -1104,
      "Not all sent parameters were read; read '1' parameter(s) but was sent '3'.")
    refused("ping?a=1", -1101, "Too many parameters; expected '0' and received '1'.")
  end)

  it("may name a symbol that is no symbol here", function()
    refused("depth?symbol=NOPE", -1121, "Invalid symbol.")
    refused("depth?symbol=%EF%BC%91%EF%BC%92", -1121, "Invalid symbol.")
    refused("ticker/price?symbols=%5B%22BTCUSDT%22,%22NOPE%22%5D", -1121, "Invalid symbol.")
  end)

  it("may be a list of symbols, raw or encoded, each once", function()
    local prices = get "ticker/price?symbols=[%22BTCUSDT%22,%22ETHUSDT%22]"
    assert.same({ "BTCUSDT", "ETHUSDT" }, { prices[1].symbol, prices[2].symbol })
    refused('ticker/price?symbols=["BTCUSDT","BTCUSDT"]', -1151, "Symbol is present multiple times in the list.")
    refused("ticker/price?symbols=BTCUSDT", -1135, "JSON sent for parameter 'symbols' is not valid")
    refused('ticker/price?symbol=BTCUSDT&symbols=["BTCUSDT"]', -1128, "Combination of optional parameters invalid.")
  end)

  it("out of a few words has its own refusal", function()
    refused("klines?symbol=BTCUSDT&interval=1H", -1120, "Invalid interval.")
    refused("ticker/24hr?type=HUGE", -1139, "Invalid ticker type.")
    refused("depth?symbol=BTCUSDT&symbolStatus=GONE", -1122, "Invalid symbolStatus.")
    refused("depth?symbol=BTCUSDT&symbolStatus=HALT", -1220,
      "The symbol's status does not match the requested symbolStatus.")
  end)

  it("in the query wins over the same one in the body", function()
    local form = { ["x-mbx-apikey"] = sb.key, ["content-type"] = "application/x-www-form-urlencoded" }
    local query = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&timestamp=" .. smc.wall()
    local body = "side=SELL"
    local ex = fake.ask(sb, "POST", "/api/v3/order?" .. query .. "&signature=" .. fake.signature(sb, query .. body),
      form, body)
    assert.equal("BUY", json.decode(ex.answer).side)
  end)
end)

describe("market data", function()
  before_each(function() sb = fake.venue() end)

  it("asks for the time in milliseconds, or in microseconds", function()
    assert.equal(smc.wall(), (get "time").serverTime)
    local micro = { ["x-mbx-time-unit"] = "microsecond" }
    assert.equal(smc.wall() * 1000, (get("time", micro)).serverTime)
    local candle = get("klines?symbol=BTCUSDT&interval=1h&limit=1", micro)[1]
    assert.equal(smc.wall() * 1000, candle[1])
    local answer, ex = get("time", { ["x-mbx-time-unit"] = "HOUR" })
    assert.same({ 400, -1194 }, { ex.status, answer.code })
  end)

  it("pads every decimal to eight places", function()
    local book = get "depth?symbol=BTCUSDT&limit=5"
    assert.equal(5, #book.bids)
    for _, row in ipairs(book.asks) do
      assert.matches("^%d+%.%d%d%d%d%d%d%d%d$", row[1])
      assert.matches("^%d+%.%d%d%d%d%d%d%d%d$", row[2])
    end
  end)

  it("keeps an unbroken history of candles of a day", function()
    local hours = get "klines?symbol=BTCUSDT&interval=1h&limit=25"
    assert.equal(25, #hours)
    for i, k in ipairs(hours) do
      assert.equal(12, #k)
      assert.equal(k[1] + 3600000 - 1, k[7])
      if i > 1 then assert.equal(hours[i - 1][7] + 1, k[1]) end
    end
    assert.equal(smc.wall(), hours[25][1])
  end)

  it("opens weeks on Monday and months on the first", function()
    assert.equal("Mon 00:00:00", os.date("!%a %T", (get "klines?symbol=BTCUSDT&interval=1w&limit=1")[1][1] // 1000))
    local month = (get "klines?symbol=BTCUSDT&interval=1M&limit=1")[1]
    assert.equal("2026-01-01 00:00:00", os.date("!%F %T", month[1] // 1000))
    assert.equal("2026-01-31 23:59:59", os.date("!%F %T", month[7] // 1000))
  end)

  it("moves day candles by a time zone", function()
    local day = (get "klines?symbol=BTCUSDT&interval=1d&limit=1&timeZone=8")[1]
    assert.equal("2026-01-04 16:00:00", os.date("!%F %T", day[1] // 1000))
    refused("klines?symbol=BTCUSDT&interval=1d&timeZone=15", -1130, "Data sent for parameter 'timeZone' is not valid.")
  end)

  it("agrees with itself: candles, ticker, trades", function()
    local day = get "ticker/24hr?symbol=ETHUSDT"
    local trades = get "trades?symbol=ETHUSDT&limit=1"
    assert.equal(trades[1].price, day.lastPrice)
    assert.equal(trades[1].id, day.lastId)
    assert.equal(day.lastId - day.firstId + 1, day.count)
    assert.equal(0, decimal.cmp(decimal.sub(day.lastPrice, day.openPrice), day.priceChange))
    local agg = get("aggTrades?symbol=ETHUSDT&fromId=" .. day.lastId)
    assert.same({ day.lastId, day.lastId, day.lastPrice }, { agg[1].f, agg[1].l, agg[1].p })
  end)

  it("has no rules for the prices of trades, of one symbol, of some and of all", function()
    assert.same({ { symbol = "BTCUSDT", rules = {} } }, get("executionRules?symbol=BTCUSDT").symbolRules)
    assert.equal(2, #get('executionRules?symbols=["BTCUSDT","ETHUSDT"]').symbolRules)
    assert.equal(4, #get("executionRules").symbolRules)
    refused('executionRules?symbols=["NOSUCH"]', -1121, "Invalid symbol.")
    assert.equal(-2043, get("referencePrice/calculation?symbol=BTCUSDT").code)
  end)

  it("lists only order types that it takes", function()
    local info = get "exchangeInfo"
    assert.equal(4, #info.symbols)
    assert.equal("LIMIT LIMIT_MAKER MARKET STOP_LOSS STOP_LOSS_LIMIT TAKE_PROFIT TAKE_PROFIT_LIMIT",
      table.concat(info.symbols[1].orderTypes, " "))
    assert.same({ "SPOT" }, { table.unpack(info.symbols[1].permissionSets[1]) })
    assert.equal(0, #(get "exchangeInfo?permissions=MARGIN").symbols)
    refused("exchangeInfo?symbol=BTCUSDT&permissions=SPOT", -1128, "Combination of optional parameters invalid.")
  end)
end)

describe("an answer", function()
  before_each(function() sb = fake.venue() end)

  it("tells the weight used in its minute, this call included", function()
    local _, first = get "time"
    assert.same({ "1", "1" }, { first.out["x-mbx-used-weight"], first.out["x-mbx-used-weight-1m"] })
    local _, second = get "depth?symbol=BTCUSDT&limit=5000"
    assert.equal("251", second.out["x-mbx-used-weight-1m"])
    assert.equal("application/json;charset=UTF-8", second.out["content-type"])
  end)

  it("of a refused call costs its weight too", function()
    local _, ex = get "depth?symbol=NOPE"
    assert.equal("5", ex.out["x-mbx-used-weight-1m"])
  end)
end)
