-- The streams of the oanda sandbox: what a line is, when it comes, how many streams there may be.
local fake = require "oanda_fake"
local smc = require "smc"

local sb

local function open(target, headers)
  local answer, ex = fake.get(sb, target, headers)
  return ex, answer
end

local function move(by)
  sb.market:move("EUR_USD", { by = by })
  sb:settle()
  sb:arm()
end

local function kinds(lines)
  local out = {}
  for i, line in ipairs(lines) do out[i] = line.type end
  return table.concat(out, " ")
end

describe("a price stream of oanda", function()
  before_each(function()
    sb = fake.venue()
    for _, def in ipairs(sb.symbols) do sb.market:freeze(def.symbol, true) end
  end)

  it("begins with the last prices, in the order asked for, one whole line in a chunk", function()
    local ex = open "pricing/stream?instruments=USD_JPY,EUR_USD"
    assert.same({ 200, "application/octet-stream" }, { ex.status, ex.out["content-type"] })
    local raw = ex.pieces[1]
    local lines = fake.lines(ex)
    assert.same({ 2, "USD_JPY", "EUR_USD" }, { #lines, lines[1].instrument, lines[2].instrument })
    assert.matches('^{"type":"PRICE","time":"2026%-01%-05T00:00:00.000000000Z","bids":%[.*%],"asks":%[.*%],'
      .. '"closeoutBid":"[%d.]+","closeoutAsk":"[%d.]+","status":"tradeable","tradeable":true,'
      .. '"instrument":"USD_JPY"}\n$', raw)
    smc.sleep(4.9)
    assert.same({}, fake.lines(ex)) -- nothing changes, nothing is sent
  end)

  it("may begin without them", function()
    local ex = open "pricing/stream?instruments=EUR_USD&snapshot=False&"
    assert.same({}, fake.lines(ex))
    move "0.01"
    smc.sleep(0.25)
    assert.equal("PRICE", kinds(fake.lines(ex)))
  end)

  it("sends the last price of each quarter of a second, counted from its own start", function()
    smc.sleep(0.1)
    local ex = open "pricing/stream?instruments=EUR_USD"
    fake.lines(ex)
    smc.sleep(0.2) -- 0.3: the window ends at 0.35
    move "0.01"
    move "0.01"
    smc.sleep(0.049)
    assert.same({}, fake.lines(ex))
    smc.sleep(0.001)
    local lines = fake.lines(ex)
    assert.same({ 1, sb.market:best("EUR_USD").bid }, { #lines, (lines[1].bids[1].price:gsub("0+$", "")) })
    move "0.01"
    smc.sleep(0.249)
    assert.same({}, fake.lines(ex))
    smc.sleep(0.001)
    assert.equal(1, #fake.lines(ex))
  end)

  it("keeps silent about a price that came back within its window", function()
    local ex = open "pricing/stream?instruments=EUR_USD"
    fake.lines(ex)
    local mid = sb.market:mid "EUR_USD"
    move "0.01"
    sb.market:move("EUR_USD", { to = mid })
    sb:settle()
    smc.sleep(1)
    assert.same({}, fake.lines(ex))
  end)

  it("beats every five seconds, whatever the prices do", function()
    local ex = open "pricing/stream?instruments=EUR_USD"
    fake.lines(ex)
    smc.sleep(4.6)
    move "0.01"
    smc.sleep(0.401)
    local lines = fake.lines(ex)
    assert.same({ "PRICE HEARTBEAT", "2026-01-05T00:00:05.000000000Z" }, { kinds(lines), lines[2].time })
    smc.sleep(10)
    assert.equal("HEARTBEAT HEARTBEAT", kinds(fake.lines(ex)))
  end)

  it("tells conversions beside the prices when asked to", function()
    local ex = open "pricing/stream?instruments=EUR_USD&includeHomeConversions=true"
    local lines = fake.lines(ex)
    assert.same({ "PRICE", nil, "EUR" }, { lines[1].type, lines[2].type, lines[2].homeConversions[1].currency })
  end)

  it("has its times as UNIX seconds when asked to", function()
    local ex = open("pricing/stream?instruments=EUR_USD", { ["accept-datetime-format"] = "UNIX" })
    assert.equal("1767571200.000000000", fake.lines(ex)[1].time)
  end)

  it("is refused as JSON, without a line end", function()
    for target, status in pairs { ["pricing/stream"] = 400, ["pricing/stream?instruments=X"] = 400,
      ["pricing/stream?instruments=EUR_USD&snapshot=2"] = 400 } do
      local ex, answer = open(target)
      assert.equal(status, ex.status)
      assert.is_string(answer.errorMessage)
      assert.matches("}$", ex.answer)
    end
    local ex = open("pricing/stream?instruments=EUR_USD", { authorization = "Bearer x" })
    assert.same({ 401, "application/json" }, { ex.status, ex.out["content-type"] })
  end)

  it("counts among twenty of both kinds", function()
    local first = open "pricing/stream?instruments=EUR_USD"
    for _ = 1, 19 do assert.equal(200, open("transactions/stream").status) end
    local ex, answer = open "transactions/stream"
    assert.same({ 429, "The number of open streams exceeds what is permitted." }, { ex.status, answer.errorMessage })
    assert.equal(20, #sb:describe_sessions())
    first:hang_up()
    assert.equal(200, open("transactions/stream").status)
  end)

  it("ends with its connection", function()
    local ex = open "pricing/stream?instruments=EUR_USD"
    assert.same({ kind = "prices", path = "/v3/accounts/" .. sb.account_id .. "/pricing/stream",
      streams = { "EUR_USD" } }, sb:describe_sessions()[1])
    ex:hang_up()
    smc.sleep(5)
    assert.same({}, sb.sessions)
    assert.is_nil(sb.timer)
  end)
end)

describe("a stream of oanda whose token is taken away", function()
  it("ends with the next thing that it would tell", function()
    sb = fake.venue()
    local ex = open "transactions/stream"
    sb.keys[sb.key] = nil
    smc.sleep(5.001)
    assert.same({ false, {} }, { ex.alive, fake.lines(ex) })
    assert.same({}, sb.sessions)
  end)
end)

describe("a transaction stream of oanda", function()
  before_each(function() sb = fake.venue() end)

  it("begins with nothing, tells what happens, and beats with the last id", function()
    local ex = open "transactions/stream"
    assert.same({}, fake.lines(ex))
    sb.log:begin(sb:now())
    sb.log:add("MARGIN_CALL_ENTER")
    local lines = fake.lines(ex)
    assert.same({ "MARGIN_CALL_ENTER", "3" }, { lines[1].type, lines[1].id })
    smc.sleep(5.001)
    lines = fake.lines(ex)
    assert.same({ 1, "HEARTBEAT", "3" }, { #lines, lines[1].type, lines[1].lastTransactionID })
  end)
end)

describe("an instrument of oanda that is halted", function()
  it("tells so, and its price stands still", function()
    sb = fake.venue()
    local ex = open "pricing/stream?instruments=EUR_USD"
    fake.lines(ex)
    sb:halt(sb.by_symbol.EUR_USD, true)
    smc.sleep(4.5)
    local lines = fake.lines(ex)
    assert.same({ 1, false, "non-tradeable" }, { #lines, lines[1].tradeable, lines[1].status })
    sb:halt(sb.by_symbol.EUR_USD, false)
    smc.sleep(3.1)
    lines = fake.lines(ex)
    assert.is_true(lines[1].tradeable)
    assert.is_true(#lines > 2)
  end)
end)

describe("over sockets", function()
  it("a stream is one line a chunk, beside REST on the same origin", function()
    local box = smc.sandbox "oanda"
    local headers = { Authorization = "Bearer " .. box.token }
    local url = box.url .. "/v3/accounts/" .. box.account
    local stream <close> = assert(smc.http.stream { url = url .. "/pricing/stream?instruments=EUR_USD",
      headers = headers })
    assert.equal("chunked", stream.headers["transfer-encoding"])
    assert.matches("^{.*}\n$", stream:recv())
    box:move("EUR_USD", { by = "0.01" })
    assert.matches('^{"type":"PRICE".*}\n$', stream:recv())
    assert.equal(200, assert(smc.http.get(url .. "/summary", { headers = headers })).status)
    assert.equal(1, #box:streams())
    box:stall_streams(true)
    box:move("EUR_USD", { by = "0.01" })
    assert.equal("timeout", select(2, stream:recv(6)).class)
    box:stall_streams(false)
    local late = assert(stream:recv())
    assert.matches('^{"type":"PRICE".*\n{"type":"HEARTBEAT".*}\n$', late)
    box:drop_streams()
    assert.equal("network", select(2, stream:recv()).class)
    assert.equal(0, #box:streams())
    assert.equal(box.ws_url, box.url)
  end)
end)
