-- Tickers over windows that the client names, over REST and as streams; and what an account pays.
local decimal = require "smc.decimal"
local fake = require "binance_fake"
local json = require "smc.json"
local smc = require "smc"
local tickers = require "smc.sandbox.binance.tickers"

local MINUTE, DAY = 60000, 24 * 3600 * 1000

local sb

local function get(target)
  local ex = fake.ask(sb, "GET", "/api/v3/" .. target)
  return json.decode(ex.answer), ex
end

local function refused(target, code, msg)
  local answer, ex = get(target)
  assert.same({ 400, code, msg }, { ex.status, answer.code, answer.msg })
end

local function names(raw)
  local out = {}
  for name in raw:gmatch('"(%w+)":') do out[#out + 1] = name end
  return table.concat(out, " ")
end

local FULL = "symbol priceChange priceChangePercent weightedAvgPrice openPrice highPrice lowPrice lastPrice volume "
  .. "quoteVolume openTime closeTime firstId lastId count"
local MINI = "symbol openPrice highPrice lowPrice lastPrice volume quoteVolume openTime closeTime firstId lastId count"

--- What the ticker must be, from the trades themselves.
local function check_against_trades(t)
  local list = {}
  for _, x in ipairs(sb.market:trades { symbol = t.symbol, from_ms = t.openTime }) do
    if x.time_ms <= t.closeTime then list[#list + 1] = x end
  end
  local volume, high = "0", "0"
  for _, x in ipairs(list) do
    volume = decimal.add(volume, x.qty)
    high = decimal.cmp(x.price, high) > 0 and x.price or high
  end
  assert.same({ #list, list[1].id, list[#list].id }, { t.count, t.firstId, t.lastId })
  assert.equal(0, decimal.cmp(list[1].price, t.openPrice))
  assert.equal(0, decimal.cmp(list[#list].price, t.lastPrice))
  assert.equal(0, decimal.cmp(volume, t.volume))
  assert.equal(0, decimal.cmp(high, t.highPrice))
  assert.equal(0, decimal.cmp(decimal.sub(t.lastPrice, t.openPrice), t.priceChange))
end

describe("a rolling window", function()
  before_each(function() sb = fake.venue() end)

  it("begins with a minute and ends now", function()
    smc.sleep(30)
    local t, ex = get "ticker?symbol=BTCUSDT&windowSize=1h"
    assert.equal(FULL, names(ex.answer))
    assert.equal(0, t.openTime % MINUTE)
    local length = t.closeTime - t.openTime
    assert.is_true(length >= 60 * MINUTE and length < 61 * MINUTE)
    check_against_trades(t)
  end)

  it("is a day long unless said otherwise, and may be told briefly", function()
    local list, ex = get 'ticker?symbols=["ETHBTC","BTCUSDT"]&type=MINI'
    assert.same({ "ETHBTC", "BTCUSDT" }, { list[1].symbol, list[2].symbol })
    assert.equal(MINI .. " " .. MINI, names(ex.answer))
    assert.is_true(list[1].closeTime - list[1].openTime >= DAY)
    assert.equal("8", ex.out["x-mbx-used-weight-1m"])
  end)

  it("without a trade repeats the last price", function()
    sb.market:quote("BTCUSDT", { trade_ms = 0 })
    sb.market:advance(sb.market:time() + 3 * MINUTE)
    local last = sb.market:trades({ symbol = "BTCUSDT", limit = 1 })[1].price
    local t = tickers.of_window(sb, sb.by_symbol.BTCUSDT, MINUTE)
    assert.same({ 0, 0, "0.00000000", "0.00000000", 0, -1, -1 }, { decimal.cmp(last, t.open),
      decimal.cmp(last, t.last), t.volume, t.vwap, t.count, t.first_id, t.last_id })
  end)

  it("is of whole minutes, hours or days, and of some symbol", function()
    for _, size in ipairs { "1m", "59m", "23h", "7d" } do
      assert.equal("BTCUSDT", get("ticker?symbol=BTCUSDT&windowSize=" .. size).symbol)
    end
    for _, size in ipairs { "60m", "24h", "8d", "0h", "1s", "h", "1H" } do
      refused("ticker?symbol=BTCUSDT&windowSize=" .. size, -1130, "Data sent for parameter 'windowSize' is not valid.")
    end
    refused("ticker", -1102, "Param 'symbol' or 'symbols' must be sent, but both were empty/null!")
    refused("ticker?symbol=NOPE", -1121, "Invalid symbol.")
    refused("ticker?symbol=BTCUSDT&type=HUGE", -1139, "Invalid ticker type.")
  end)
end)

describe("a trading day", function()
  before_each(function() sb = fake.venue() end)

  it("begins at midnight of its time zone and ends before the next", function()
    smc.sleep(30) -- a scenario may begin at midnight: something has to have been traded
    for zone, ms in pairs { ["0"] = 0, ["-5"] = -300 * MINUTE, ["5:30"] = 330 * MINUTE } do
      local t = get("ticker/tradingDay?symbol=ETHUSDT&timeZone=" .. zone)
      assert.same({ 0, DAY - 1 }, { (t.openTime + ms) % DAY, t.closeTime - t.openTime })
      assert.is_true(t.openTime <= smc.wall() and smc.wall() <= t.closeTime)
      check_against_trades(t)
    end
    refused("ticker/tradingDay?symbol=ETHUSDT&timeZone=X", -1130, "Data sent for parameter 'timeZone' is not valid.")
  end)
end)

describe("a stream of tickers", function()
  before_each(function() sb = fake.venue() end)
  after_each(function() sb:close() end)

  local function frames(sock)
    local out = {}
    for i, text in ipairs(sock:take()) do out[i] = json.decode(text) end
    return out
  end

  for _, window in ipairs { "1h", "4h", "1d" } do
    it("over " .. window .. " is what REST says", function()
      local sock = fake.connect(sb, "/ws/btcusdt@ticker_" .. window)
      smc.sleep(1.5)
      local text = sock:take()[1]
      local t = json.decode(text)
      assert.equal("e E s p P o h l c w v q O C F L n", names(text))
      assert.same({ window .. "Ticker", "BTCUSDT" }, { t.e, t.s })
      local rest = get("ticker?symbol=BTCUSDT&windowSize=" .. window)
      assert.same({ rest.openTime, rest.firstId }, { t.O, t.F })
    end)
  end

  it("of all symbols names those that traded since the last", function()
    local sock = fake.connect(sb, "/stream?streams=!miniTicker@arr/!ticker_1h@arr")
    for _, def in ipairs(sb.symbols) do sb.market:quote(def.symbol, { trade_ms = 0 }) end
    smc.sleep(1.5)
    local first = frames(sock)
    assert.same({ "!miniTicker@arr", "!ticker_1h@arr" }, { first[1].stream, first[2].stream })
    assert.same({ 4, "24hrMiniTicker", 4, "1hTicker" },
      { #first[1].data, first[1].data[1].e, #first[2].data, first[2].data[1].e })
    smc.sleep(2)
    assert.same({}, frames(sock))
    fake.signed(sb, "POST", "/api/v3/order", "symbol=ETHUSDT&side=BUY&type=MARKET&quantity=1")
    smc.sleep(1)
    local second = frames(sock)
    assert.same({ 2, 1, "ETHUSDT", "ETHUSDT" },
      { #second, #second[1].data, second[1].data[1].s, second[2].data[1].s })
  end)

  it("of a window that there is none of sends nothing", function()
    local sock = fake.connect(sb, "/ws/btcusdt@ticker_2h/!ticker_2h@arr/!ticker@arr")
    smc.sleep(2)
    assert.same({}, sock:take())
  end)
end)

describe("an account", function()
  local function ask(path, query)
    local ex = fake.signed(sb, "GET", "/api/v3/" .. path, query)
    return json.decode(ex.answer), ex
  end

  it("knows what it pays on a symbol", function()
    sb = fake.venue { commission_bps = 10 }
    local c, ex = ask("account/commission", "symbol=BTCUSDT")
    assert.same({ maker = "0.00100000", taker = "0.00100000", buyer = "0.00000000", seller = "0.00000000" },
      c.standardCommission)
    assert.same({ "0.00000000", "0.00000000", false, "BNB" },
      { c.specialCommission.taker, c.taxCommission.maker, c.discount.enabledForAccount, c.discount.discountAsset })
    assert.equal("20", ex.out["x-mbx-used-weight-1m"])
    assert.equal(-1121, ask("account/commission", "symbol=NOPE").code)
  end)

  it("has no filters of its own on the exchange and on assets", function()
    sb = fake.venue()
    local mine = ask("myFilters", "symbol=BTCUSDT")
    assert.same({ {}, {} }, { mine.exchangeFilters, mine.assetFilters })
    assert.equal(-1121, ask("myFilters", "symbol=NOPE").code)
  end)
end)
