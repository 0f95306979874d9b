-- What the Binance sandbox says no with only when somebody goes to extremes.
local fake = require "binance_fake"
local json = require "smc.json"
local smc = require "smc"

local sb

local function refused(ex)
  local answer = json.decode(ex.answer)
  return { ex.status, answer.code, answer.msg }
end

local ORDER = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000"

describe("a request that goes to extremes", function()
  before_each(function() sb = fake.venue() end)
  after_each(function() sb:close() end)

  it("may be at most a second ahead of the venue's clock", function()
    local query = "timestamp=" .. smc.wall() + 1001
    local ex = fake.ask(sb, "GET", ("/api/v3/account?%s&signature=%s"):format(query, fake.signature(sb, query)),
      { ["x-mbx-apikey"] = sb.key })
    assert.same({ 400, -1021, "Timestamp for this request was 1000ms ahead of the server's time." }, refused(ex))
  end)

  it("may name at most a hundred symbols", function()
    local names = {}
    for i = 1, 101 do names[i] = "S" .. i end
    local ex = fake.ask(sb, "GET", "/api/v3/ticker/price?symbols=" .. json.encode(json.array(names)))
    assert.same({ 400, -1101, "Too many values sent for parameter 'symbols', maximum allowed up to 100." }, refused(ex))
  end)

  it("is turned away past the raw requests of five minutes", function()
    sb.limits.raw.limit = 3
    for _ = 1, 3 do assert.equal(200, fake.ask(sb, "GET", "/api/v3/ping").status) end
    assert.same({ 429, -1003, "Too many requests; current limit is 3 requests per 5 MINUTE." },
      refused(fake.ask(sb, "GET", "/api/v3/ping")))
  end)

  it("for a connection too many is turned away", function()
    sb.limits.connections.limit = 2
    for _ = 1, 2 do fake.connect(sb, "/ws"):close(1000) end
    local ex = fake.connect(sb, "/ws")
    assert.same({ 429, "" }, { ex.status, ex.answer })
    assert.is_true(tonumber(ex.out["retry-after"]) > 0)
  end)

  it("for a pegged order names the word that is wrong", function()
    assert.same({ 400, -1210, "Invalid pegPriceType." },
      refused(fake.signed(sb, "POST", "/api/v3/order", ORDER .. "&pegPriceType=X")))
    assert.same({ 400, -1211, "Invalid pegOffsetType." },
      refused(fake.signed(sb, "POST", "/api/v3/order", ORDER .. "&pegPriceType=PRIMARY_PEG&pegOffsetType=X")))
  end)

  it("for a market order in an empty book finds nothing to trade with", function()
    sb.market:quote("BTCUSDT", { levels = 0 })
    assert.same({ 400, -2010, "Order book liquidity is less than symbol minimum quantity." },
      refused(fake.signed(sb, "POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=100")))
    local ex = fake.signed(sb, "POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01")
    local order = json.decode(ex.answer)
    assert.same({ 200, "EXPIRED", "INSUFFICIENT_LIQUIDITY", "0.00000000", {} },
      { ex.status, order.status, order.expiryReason, order.executedQty, order.fills })
  end)
end)

describe("a market stream that goes to extremes", function()
  before_each(function() sb = fake.venue() end)
  after_each(function() sb:close() end)

  it("has at most 1024 subscriptions", function()
    local names = {}
    for i = 1, 1025 do names[i] = "btcusdt@x" .. i end
    local sock = fake.connect(sb, "/ws")
    sock:say(json.encode { method = "SUBSCRIBE", params = json.array(names), id = 1 })
    assert.same({ 4, "Too many subscriptions" }, (function(e) return { e.code, e.msg } end)(
      json.decode(sock:take()[1]).error))
  end)

  for _, name in ipairs { "btcusdt@depth", "btcusdt@depth5", "btcusdt@depth20@100ms", "btcusdt@kline_1d@+08:00" } do
    it("of " .. name .. " sends", function()
      local sock = fake.connect(sb, "/ws/" .. name)
      smc.sleep(10)
      local frames = fake.frames(sock)
      assert.is_true(#frames > 1)
      assert.is_true(frames[1].bids ~= nil or frames[1].b ~= nil or frames[1].k.i == "1d")
    end)
  end

  it("gives numbers to user data subscriptions up to a limit", function()
    local sock = fake.connect(sb, "/ws-api/v3")
    sb.api_sessions[1].next_id = 1 << 20
    local query = "apiKey=" .. sb.key .. "&timestamp=" .. smc.wall()
    sock:say(json.encode { id = 1, method = "userDataStream.subscribe.signature", params = { apiKey = sb.key,
      timestamp = smc.wall(), signature = fake.signature(sb, query) } })
    assert.equal("Maximum subscription ID reached for this connection.", json.decode(sock:take()[1]).error.msg)
  end)
end)
