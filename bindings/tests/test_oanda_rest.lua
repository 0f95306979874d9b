-- REST of the oanda sandbox without orders: the token, paths and their refusals, prices, candles, the transactions.
local decimal = require "smc.decimal"
local fake = require "oanda_fake"
local json = require "smc.json"
local smc = require "smc"

local sb

local function get(target, headers) return fake.get(sb, target, headers) end

local function refused(status, message, code, target, method, body, headers)
  local answer, ex = fake.ask(sb, method or "GET", target, body, headers)
  assert.same({ status, message, code }, { ex.status, answer.errorMessage, answer.errorCode }, target)
  assert.is_nil(answer.lastTransactionID)
  return ex
end

local INVALID = "oanda::rest::core::InvalidParameterException"
local MISSING = "oanda::rest::core::MissingParameterException"

local function invalid(path, target)
  refused(400, ("Invalid value specified for '%s'"):format(path), INVALID, target)
end

local function names(raw)
  local out = {}
  for name in raw:gmatch '"([%w]+)":' do out[#out + 1] = name end
  return table.concat(out, " ")
end

describe("an oanda request", function()
  before_each(function() sb = fake.venue() end)

  it("is answered with the venue's date, whatever becomes of it", function()
    sb.skew_ms = 90500
    local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", (smc.wall() + 90500) // 1000)
    for _, target in ipairs { "/accounts", "summary", "nothing", "transactions/stream" } do
      assert.equal(date, select(2, get(target)).out.date, target)
    end
    assert.equal(date, select(2, get("/accounts", { authorization = "Bearer nobody" })).out.date)
  end)

  it("needs the token", function()
    for _, authorization in ipairs { "", "Bearer", "Bearer nobody", "Basic " .. sb.key, sb.key } do
      refused(401, "Insufficient authorization to perform request.", nil, "/accounts", "GET", nil,
        { authorization = authorization })
    end
    assert.equal(sb.account_id, get("/accounts").accounts[1].id)
    sb.keys[sb.key] = nil
    refused(401, "Insufficient authorization to perform request.", nil, "/accounts")
  end)

  it("may ask for one account only, by its whole name", function()
    assert.matches("^101%-004%-%d%d%d%d%d%d%d%-001$", sb.account_id)
    invalid("accountID", "/accounts/7654321")
    refused(403, "The provided request was forbidden.", nil, "/accounts/101-004-1234-001")
    assert.equal(200, select(2, get "summary").status)
  end)

  it("to a wrong path is 404, with a wrong method 405", function()
    for _, target in ipairs { "/", "/nothing", "nothing", "Summary", "/instruments/EUR_USD/orderbook", "summary/x" } do
      assert.equal(404, select(2, get(target)).status, target)
    end
    assert.equal(405, select(2, fake.ask(sb, "DELETE", "summary")).status)
    assert.equal(405, select(2, fake.ask(sb, "POST", "pricing", {})).status)
  end)

  it("that asks what is allowed is told, without a token", function()
    local _, ex = fake.ask(sb, "OPTIONS", "orders", nil, { authorization = "" })
    assert.same({ 200, "*", "PUT, PATCH, POST, GET, OPTIONS, DELETE" }, { ex.status,
      ex.out["access-control-allow-origin"], ex.out["access-control-allow-methods"] })
  end)

  it("is answered as JSON with an id of its own", function()
    local _, first = get "summary"
    local _, second = get "nothing"
    assert.same({ "application/json", "application/json" }, { first.out["content-type"], second.out["content-type"] })
    assert.matches("^%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d$", first.out.requestid)
    assert.not_equal(first.out.requestid, second.out.requestid)
  end)

  it("whose body is no JSON is refused, and its connection closed", function()
    local ex = refused(400, "The request body is not valid JSON", nil, "configuration", "PATCH", '{"alias":"')
    assert.equal("close", ex.out.connection)
  end)

  it("beyond the limit of a second is 429, and costs nothing", function()
    sb = fake.venue { requests_per_second = 3, retry_after = 2 }
    for _ = 1, 3 do get "/accounts" end
    local ex = refused(429, "The rate of requests exceeds what is permitted.", nil, "/accounts")
    assert.equal("2", ex.out["retry-after"])
    smc.sleep(0.999)
    refused(429, "The rate of requests exceeds what is permitted.", nil, "/accounts")
    smc.sleep(0.001)
    assert.equal(200, select(2, get "/accounts").status)
    assert.same({ 4, 2 }, { sb.limits:report(sb:now()).used, sb.limits:report(sb:now()).violations })
  end)

  it("has no Retry-After unless the assumption says so", function()
    sb = fake.venue { requests_per_second = 0 }
    assert.is_nil(refused(429, "The rate of requests exceeds what is permitted.", nil, "/accounts").out["retry-after"])
  end)

  it("has times in nine digits, or as UNIX seconds when asked", function()
    smc.sleep(1.5)
    assert.equal("2026-01-05T00:00:01.500000000Z", get("pricing?instruments=EUR_USD").time)
    for _, word in ipairs { "UNIX", "Unix", "unix" } do
      assert.equal("1767571201.500000000",
        get("pricing?instruments=EUR_USD", { ["accept-datetime-format"] = word }).time)
    end
    assert.equal("2026-01-05T00:00:01.500000000Z",
      get("pricing?instruments=EUR_USD", { ["accept-datetime-format"] = "STARDATE" }).time)
  end)
end)

describe("an oanda account", function()
  before_each(function() sb = fake.venue() end)

  it("begins with its creation and its funds", function()
    local answer, ex = get "transactions/idrange?from=1&to=2"
    assert.equal("transactions id accountID userID batchID requestID time type divisionID siteID accountUserID "
      .. "accountNumber homeCurrency id accountID userID batchID requestID time type amount fundingReason "
      .. "accountBalance lastTransactionID", names(ex.answer))
    assert.same({ "CREATE", "TRANSFER_FUNDS", "100000.0000000000", "2" }, { answer.transactions[1].type,
      answer.transactions[2].type, answer.transactions[2].amount, answer.lastTransactionID })
  end)

  it("lists what it may trade", function()
    local list = get("instruments").instruments
    assert.equal(8, #list)
    local _, ex = get "instruments?instruments=USD_JPY,"
    assert.matches('"name":"USD_JPY","type":"CURRENCY","displayName":"USD/JPY","pipLocation":-2,"displayPrecision":3,'
      .. '"tradeUnitsPrecision":0,"minimumTradeSize":"1","maximumTrailingStopDistance":"100.000",'
      .. '"minimumTrailingStopDistance":"0.050","maximumPositionSize":"0","maximumOrderUnits":"100000000"', ex.answer,
      1, true)
    invalid("instruments", "instruments?instruments=USD_JPY,NOPE")
  end)
end)

describe("an oanda user", function()
  before_each(function() sb = fake.venue() end)

  it("is told who they are, and nobody else", function()
    for _, name in ipairs { "@", tostring(sb.user_id), "@sandbox" } do
      local answer, ex = get("/users/" .. name)
      assert.same({ 200, sb.user_id, "sandbox" }, { ex.status, answer.userInfo.userID, answer.userInfo.username })
    end
    local _, ex = get "/users/@/externalInfo"
    assert.equal(('{"userInfo":{"userID":%d,"country":"US","FIFO":false}}'):format(sb.user_id), ex.answer)
    refused(403, "The provided request was forbidden.", nil, "/users/1")
  end)

  it("is the one whom the account's name says", function()
    local box = smc.sandbox("oanda", { account = "101-004-7654321-001", token = "a-fixed-token" })
    local reply = assert(smc.http.get(box.url .. "/v3/accounts/101-004-7654321-001/summary",
      { headers = { Authorization = "Bearer a-fixed-token" } }))
    assert.equal(7654321, json.decode(reply.body).account.createdByUserID)
  end)
end)

describe("oanda prices", function()
  before_each(function() sb = fake.venue() end)

  it("have buckets, best first, with whole numbers of units", function()
    local answer, ex = get "pricing?instruments=EUR_USD%2CUSD_JPY&"
    local buckets = " price liquidity price liquidity price liquidity"
    assert.equal("time prices type time bids" .. buckets .. " asks" .. buckets .. " closeoutBid closeoutAsk "
      .. "status tradeable quoteHomeConversionFactors positiveUnits negativeUnits instrument",
      names(ex.answer):match "^.- instrument")
    local price = answer.prices[1]
    assert.same({ "EUR_USD", "USD_JPY", true, "tradeable" }, { price.instrument, answer.prices[2].instrument,
      price.tradeable, price.status })
    assert.matches("^%d%.%d%d%d%d%d$", price.bids[1].price)
    assert.equal("integer", math.type(price.bids[1].liquidity))
    assert.is_true(decimal.lt(price.bids[1].price, price.asks[1].price))
    assert.is_true(decimal.lt(price.bids[2].price, price.bids[1].price))
    assert.is_true(decimal.le(price.closeoutBid, price.bids[1].price))
    assert.same({ "1.00000000", "1.00000000" }, { price.quoteHomeConversionFactors.positiveUnits,
      price.quoteHomeConversionFactors.negativeUnits })
  end)

  it("since a time are only those that changed after it", function()
    local at = get("pricing?instruments=EUR_USD").time
    assert.equal(0, #get("pricing?instruments=EUR_USD&since=" .. at).prices)
    smc.sleep(2)
    assert.equal(1, #get("pricing?instruments=EUR_USD&since=" .. at).prices)
    assert.equal(1, #get("pricing?instruments=EUR_USD&since=2026-01-05T01:00:00.5 01:00").prices) -- a blank for +
    invalid("since", "pricing?instruments=EUR_USD&since=yesterday")
  end)

  it("tell conversions into the home currency, a markup away from the mid", function()
    sb.market:freeze("USD_JPY", true)
    local answer = get "pricing?instruments=USD_JPY,EUR_USD&includeHomeConversions=True"
    assert.is_nil(answer.prices[1].quoteHomeConversionFactors)
    assert.same({ "USD", "JPY", "EUR" }, { answer.homeConversions[1].currency, answer.homeConversions[2].currency,
      answer.homeConversions[3].currency })
    local jpy = answer.homeConversions[2]
    assert.same({ "0.006666666667", "0.006633333334", "0.0067" }, { jpy.positionValue, jpy.accountGain,
      jpy.accountLoss })
  end)

  it("are refused for want of instruments, or for wrong ones", function()
    refused(400, "Missing 'instruments' parameter", MISSING, "pricing?")
    invalid("instruments", "pricing?instruments=EUR_USD,EURUSD")
    invalid("includeHomeConversions", "pricing?instruments=EUR_USD&includeHomeConversions=maybe")
    sb = fake.venue { parameter_error_code = false }
    refused(400, "Invalid value specified for 'instruments'", nil, "pricing?instruments=EURUSD")
  end)
end)

describe("oanda candles", function()
  local HOUR = 3600
  before_each(function() sb = fake.venue() end)

  local function candles(query) return get("/instruments/EUR_USD/candles?" .. query) end
  local function at(c) return c.time:match "^(.-)%.000000000Z$" end

  it("are the latest, with mids, unless asked", function()
    local answer, ex = candles "count=2&granularity=M1"
    assert.equal("instrument granularity candles complete volume time mid o h l c complete volume time mid o h l c",
      names(ex.answer))
    assert.same({ "2026-01-04T23:58:00", "2026-01-04T23:59:00" }, { at(answer.candles[1]), at(answer.candles[2]) })
    assert.equal("S5", candles("count=1").granularity)
    assert.equal(500, #candles("").candles) -- most of them have no ticks and are left out
  end)

  it("leave out the times without ticks, however long", function()
    for _, def in ipairs(sb.symbols) do sb.market:freeze(def.symbol, true) end
    fake.jump(sb, 4 * HOUR)
    local list = candles("").candles
    assert.equal(500, #list)
    assert.matches("^2026%-01%-04T23:59", at(list[500]))
  end)

  it("show bids below mids below asks", function()
    for _, c in ipairs(candles("price=MBA&granularity=H1&count=5").candles) do
      for _, field in ipairs { "o", "h", "l", "c" } do
        assert.equal(c.mid[field], decimal.format(decimal.add(c.bid[field], "0.00007"), 5))
        assert.equal(c.mid[field], decimal.format(decimal.sub(c.ask[field], "0.00007"), 5))
      end
      assert.is_true(decimal.le(c.mid.l, c.mid.o) and decimal.le(c.mid.o, c.mid.h))
    end
  end)

  it("of every granularity begin where they should", function()
    fake.jump(sb, 3 * HOUR + 4)
    for granularity, start in pairs { S5 = "03:00:00", S10 = "03:00:00", S15 = "03:00:00", S30 = "03:00:00",
      M1 = "03:00:00", M2 = "03:00:00", M4 = "03:00:00", M5 = "03:00:00", M10 = "03:00:00", M15 = "03:00:00",
      M30 = "03:00:00", H1 = "03:00:00", H2 = "02:00:00", H3 = "01:00:00", H4 = "02:00:00", H6 = "22:00:00",
      H8 = "22:00:00", H12 = "22:00:00", D = "22:00:00", W = "22:00:00", M = "22:00:00" } do
      local list = candles("granularity=" .. granularity .. "&count=1").candles
      assert.matches("T" .. start .. "$", at(list[1]), granularity)
      assert.is_false(list[1].complete, granularity)
    end
    assert.equal("2026-01-02T22:00:00", at(candles("granularity=W&count=1").candles[1])) -- a Friday in New York
    assert.equal("2026-01-04T22:00:00", at(candles("granularity=W&count=1&weeklyAlignment=Sunday").candles[1]))
    assert.equal("2026-01-01T22:00:00", at(candles("granularity=M&count=1").candles[1]))
    assert.equal("2026-01-05T00:00:00",
      at(candles("granularity=D&count=1&dailyAlignment=0&alignmentTimezone=UTC").candles[1]))
    assert.equal("2026-01-05T01:00:00",
      at(candles("granularity=H4&count=1&dailyAlignment=9&alignmentTimezone=Europe/London").candles[1]))
  end)

  it("run forward from a time, backward to one, or between two", function()
    local from = "2026-01-04T12:00:30Z"
    local list = candles("granularity=M1&count=3&from=" .. from).candles
    assert.same({ "2026-01-04T12:00:00", "2026-01-04T12:02:00" }, { at(list[1]), at(list[3]) })
    list = candles("granularity=M1&count=1&includeFirst=False&from=" .. from).candles
    assert.equal("2026-01-04T12:01:00", at(list[1]))
    list = candles("granularity=M1&count=2&to=2026-01-04T12:00:00Z").candles
    assert.same({ "2026-01-04T11:58:00", "2026-01-04T11:59:00" }, { at(list[1]), at(list[2]) })
    list = candles("granularity=M1&from=1767528000&to=1767528300.000000000").candles -- 12:00 to 12:05
    assert.same({ 5, "2026-01-04T12:00:00", "2026-01-04T12:04:00" }, { #list, at(list[1]), at(list[5]) })
  end)

  it("may open where the one before closed", function()
    local list = candles("granularity=M1&count=3&smooth=true").candles
    assert.same({ list[1].mid.c, list[2].mid.c }, { list[2].mid.o, list[3].mid.o })
    list = candles("granularity=M1&count=50").candles
    local differs = false
    for i = 2, #list do differs = differs or list[i].mid.o ~= list[i - 1].mid.c end
    assert.is_true(differs)
  end)

  it("are refused for what is wrong", function()
    local function path(name, query) invalid(name, "/instruments/EUR_USD/candles?" .. query) end
    path("granularity", "granularity=M3")
    path("price", "price=MX")
    path("count", "count=0")
    path("count", "count=many")
    path("from", "from=soon")
    path("from", "from=2026-01-04T12:00:00") -- without a zone
    path("from", "from=2026-02-30T12:00:00Z")
    path("smooth", "smooth=2")
    path("includeFirst", "includeFirst=no")
    path("dailyAlignment", "dailyAlignment=24")
    path("weeklyAlignment", "weeklyAlignment=friday")
    path("alignmentTimezone", "alignmentTimezone=Atlantis")
    path("from", "from=2026-01-04T12:00:00Z&to=2026-01-04T11:00:00Z")
    invalid("instrument", "/instruments/EURUSD/candles")
    local base = "/instruments/EUR_USD/candles?"
    refused(400, "Maximum value for 'count' exceeded", nil, base .. "count=5001")
    refused(400, "Maximum value for 'count' exceeded", nil, base .. "from=2026-01-04T00:00:00Z&to=2026-01-04T12:00:00Z")
    refused(400, "Invalid value specified for 'to'. Time is in the future", nil, base .. "to=2026-01-05T00:00:01Z")
    refused(400, "'count' cannot be specified when both 'to' and 'from' are also specified", nil,
      base .. "count=2&from=2026-01-04T00:00:00Z&to=2026-01-04T00:01:00Z")
    invalid("accountID", "/accounts/%7BaccountID%7D/instruments/EUR_USD/candles") -- as one client's library sends it
  end)

  it("come for several instruments at once", function()
    local answer, ex = get "candles/latest?candleSpecifications=EUR_USD:M1:BA,USD_JPY:H1"
    assert.matches('^{"latestCandles":%[{"instrument":"EUR_USD","granularity":"M1","candles":', ex.answer)
    assert.is_nil(answer.lastTransactionID)
    assert.same({ nil, "USD_JPY", "H1" }, { answer.latestCandles[1].candles[1].mid, answer.latestCandles[2].instrument,
      answer.latestCandles[2].granularity })
    invalid("candleSpecifications", "candles/latest?candleSpecifications=EUR:M1")
    refused(400, "Missing 'candleSpecifications' parameter", MISSING, "candles/latest")
    assert.equal("EUR_USD", get("instruments/EUR_USD/candles?count=1&units=5").instrument)
  end)
end)

describe("oanda's log", function()
  before_each(function() sb = fake.venue() end)

  --- Makes it so many transactions long.
  local function grow(n)
    while #sb.log.list < n do
      sb.log:begin(sb:now())
      sb.log:add("MARGIN_CALL_ENTER")
    end
  end

  it("comes in pages, at the address by which it was asked", function()
    grow(250)
    local answer = get("transactions?pageSize=120", { host = "sandbox.test:99" })
    assert.same({ 120, 250, 3 }, { answer.pageSize, answer.count, #answer.pages })
    local base = "http://sandbox.test:99/v3/accounts/" .. sb.account_id .. "/transactions/idrange?"
    assert.same({ base .. "from=1&to=120", base .. "from=121&to=240", base .. "from=241&to=250" }, answer.pages)
    answer = get "transactions?type=CREATE,FUNDING"
    assert.same({ 2, "CREATE", "FUNDING" }, { answer.count, answer.type[1], answer.type[2] })
    assert.matches("&type=CREATE,FUNDING$", answer.pages[1])
    assert.equal("2025-12-29T00:00:00.000000000Z", answer.from) -- seven days back, unless asked
    smc.sleep(10)
    answer = get "transactions?from=2026-01-05T00:00:01Z"
    assert.same({ 0, 0 }, { answer.count, #answer.pages })
    for _, size in ipairs { "0", "1001" } do
      local wrong, ex = get("transactions?pageSize=" .. size)
      assert.same({ 400, "INVALID_PAGESIZE", "The specified page size is invalid" }, { ex.status, wrong.errorCode,
        wrong.errorMessage })
    end
    invalid("type", "transactions?type=NONSENSE")
    invalid("to", "transactions?to=never")
  end)

  it("is read by id, by range, and from an id on", function()
    grow(5)
    assert.equal("CREATE", get("transactions/1").transaction.type)
    local answer = get "transactions/idrange?from=2&to=4&"
    assert.same({ 3, "2", "4", "5" }, { #answer.transactions, answer.transactions[1].id, answer.transactions[3].id,
      answer.lastTransactionID })
    answer = get "transactions/sinceid?id=3"
    assert.same({ 2, "4" }, { #answer.transactions, answer.transactions[1].id })
    assert.equal("[]", json.encode(get("transactions/sinceid?id=5").transactions))
    assert.equal(1, #get("transactions/sinceid?id=0&type=ADMIN").transactions)
    assert.equal(1, #get("transactions/idrange?from=1&to=5&type=FUNDING").transactions)
    grow(2010)
    assert.equal("1003", get("transactions/sinceid?id=3").transactions[1000].id)
    assert.equal(1000, #get("transactions/sinceid?id=3").transactions)
    for _, target in ipairs { "idrange?from=4&to=3", "idrange?from=1&to=2011", "idrange?from=1&to=1001",
      "sinceid?id=2011" } do
      refused(416, "The range of transactions specified is not available.", nil, "transactions/" .. target)
    end
    invalid("id", "transactions/sinceid?id=-1")
    invalid("from", "transactions/idrange?from=x&to=2")
    refused(400, "Missing 'id' parameter", MISSING, "transactions/sinceid")
    refused(404, "The transaction ID specified does not exist", "NO_SUCH_TRANSACTION", "transactions/2011")
    refused(404, "The transaction ID specified does not exist", "NO_SUCH_TRANSACTION", "transactions/@x")
  end)
end)
