-- Hedge mode of the bybit sandbox, and of its client: a long and a short of one contract that do not net.
local decimal = require "smc.decimal"
local fake = require "bybit_fake"
local smc = require "smc"

local LONG, SHORT = 1, 2
local MISMATCH = "position idx not match position mode"

local sb

local function post(path, over)
  local params = { category = "linear", symbol = "BTCUSDT" }
  for name, value in pairs(over or {}) do params[name] = value end
  if params.symbol == "" then params.symbol = nil end
  return fake.post(sb, "/v5/" .. path, params)
end

local function get(path, query) return fake.get(sb, "/v5/" .. path, "category=linear&" .. query) end

local function switch(mode, over)
  local params = { mode = mode }
  for name, value in pairs(over or {}) do params[name] = value end
  return post("position/switch-mode", params).retCode
end

local function create(idx, side, qty, over)
  local o = { side = side, orderType = "Market", qty = qty, positionIdx = idx }
  for name, value in pairs(over or {}) do o[name] = value end
  return post("order/create", o)
end

local function order(...)
  local answer = create(...)
  assert.equal("OK", answer.retMsg)
  return answer.result.orderId
end

local function row(id) return get("order/realtime", "orderId=" .. id).result.list[1] end

local function positions(symbol) return get("position/list", "symbol=" .. (symbol or "BTCUSDT")).result.list end

--- What is long and what is short.
local function sizes() return { positions()[LONG].size, positions()[SHORT].size } end

local function move(to)
  sb.market:move("BTCUSDT.P", { to = to })
  sb:settle()
end

before_each(function()
  sb = fake.venue()
  for _, path in ipairs { "position/switch-mode", "order/create", "position/set-leverage", "position/trading-stop" } do
    sb.limits:change_endpoint("/v5/" .. path, 100)
  end
end)
after_each(function() sb:close() end)

describe("the position mode of bybit", function()
  it("is switched for a symbol that has no position and no order", function()
    assert.same({ 110025, 10001, 0, 110025 }, { switch(0), switch(1), switch(3), switch(3) })
    local resting = order(LONG, "Buy", "0.1", { orderType = "Limit", price = "58000" })
    assert.equal(110028, switch(0))
    post("order/cancel", { orderId = resting })
    order(SHORT, "Sell", "0.1")
    assert.equal(110024, switch(0))
    order(SHORT, "Buy", "0.1", { reduceOnly = true })
    assert.same({ 0, 1, 0 }, { switch(0), #positions(), positions()[1].positionIdx })
    assert.equal(0, create(nil, "Buy", "0.1").retCode)
    assert.equal(110024, switch(3))
  end)

  it("is switched for the symbols of a coin that nothing hinders", function()
    order(0, "Buy", "1", { symbol = "ETHUSDT" })
    assert.equal(0, switch(3, { symbol = "", coin = "USDT" }))
    assert.same({ 2, 1 }, { #positions(), #positions "ETHUSDT" })
    assert.same({ 0, 110024 }, { switch(0), switch(3, { symbol = "ETHUSDT", coin = "USDT" }) })
    assert.same({ 10001, 110025 }, { switch(3, { symbol = "" }), switch(3, { symbol = "", coin = "BTC" }) })
    assert.equal(110029, switch(3, { category = "inverse", symbol = "", coin = "USDT" }))
  end)

  it("does not go together with portfolio margin", function()
    switch(3)
    order(LONG, "Buy", "0.1")
    local function margin(mode) return post("account/set-margin-mode", { setMarginMode = mode }).retCode end
    assert.equal(3400208, margin "PORTFOLIO_MARGIN")
    order(LONG, "Sell", "0.1", { reduceOnly = true })
    assert.equal(0, margin "PORTFOLIO_MARGIN")
    assert.equal(110077, switch(0))
  end)

  it("says which positionIdx a call must have", function()
    local function text(path, idx) return post(path, { positionIdx = idx, side = "Buy", orderType = "Market",
      qty = "0.1", stopLoss = path:find "stop" and "59000" or nil, autoAddMargin = 1 }).retMsg end
    for _, path in ipairs { "order/create", "position/trading-stop", "position/set-auto-add-margin" } do
      assert.equal(MISMATCH, text(path, LONG))
    end
    switch(3)
    for _, path in ipairs { "order/create", "position/trading-stop", "position/set-auto-add-margin" } do
      assert.same({ MISMATCH, MISMATCH, MISMATCH }, { text(path), text(path, 0), text(path, 3) })
      assert.not_equal(MISMATCH, text(path, LONG))
    end
  end)

  it("gives both sides their leverage, which differ in isolated margin alone", function()
    local function set(buy, sell)
      return post("position/set-leverage", { buyLeverage = buy, sellLeverage = sell }).retCode
    end
    local function leverages() return { positions()[LONG].leverage, positions()[SHORT].leverage } end
    assert.equal(0, set("20", "20"))
    switch(3)
    assert.same({ "20", "20" }, leverages())
    assert.same({ 110043, 10001, 0 }, { set("20", "20"), set("5", "10"), set("5", "5") })
    post("account/set-margin-mode", { setMarginMode = "ISOLATED_MARGIN" })
    assert.same({ 10001, 0, 110043 }, { set("4", "101x"), set("5", "50"), set("5", "50") })
    assert.equal(110013, set("5", "500"))
    order(LONG, "Buy", "1")
    order(SHORT, "Sell", "1")
    local long, short = positions()[LONG], positions()[SHORT]
    assert.same({ 10, "5", "50" }, { tonumber(long.positionIM) // tonumber(short.positionIM), long.leverage,
      short.leverage })
    local told = get("position/symbol-info", "symbol=BTCUSDT").result.list
    assert.same({ { LONG, "Buy", "5" }, { SHORT, "Sell", "50" } }, { { told[1].positionIdx, told[1].side,
      told[1].leverage }, { told[2].positionIdx, told[2].side, told[2].leverage } })
  end)
end)

describe("a bybit position in hedge mode", function()
  before_each(function() switch(3) end)

  it("is one of two, which are listed by symbol, and by coin when they are held", function()
    assert.same({ "0", "0" }, sizes())
    order(LONG, "Buy", "0.3")
    assert.same({ "Buy", "" }, { positions()[1].side, positions()[2].side })
    local of_coin = get("position/list", "settleCoin=USDT").result.list
    assert.same({ 1, LONG, "0.3" }, { #of_coin, of_coin[1].positionIdx, of_coin[1].size })
    order(SHORT, "Sell", "0.1")
    assert.same({ "0.3", "0.1" }, sizes())
    of_coin = get("position/list", "settleCoin=USDT&limit=1").result
    assert.equal(LONG, of_coin.list[1].positionIdx)
    local rest = get("position/list", "settleCoin=USDT&limit=1&cursor=" .. of_coin.nextPageCursor).result.list
    assert.equal(SHORT, rest[1].positionIdx)
  end)

  it("is closed by the other side, and by no more than there is", function()
    order(LONG, "Buy", "0.3")
    order(SHORT, "Sell", "0.1")
    local id = order(LONG, "Sell", "0.1", { reduceOnly = true })
    assert.same({ LONG, true, "0.1" }, { row(id).positionIdx, row(id).reduceOnly, row(id).cumExecQty })
    assert.same({ "0.2", "0.1" }, sizes())
    assert.equal("0.1", row(order(SHORT, "Buy", "0.5", { reduceOnly = true })).cumExecQty)
    assert.same({ "0.2", "0" }, sizes())
    for _, case in ipairs { { SHORT, "Buy", "zero" }, { SHORT, "Sell", "zero" }, { LONG, "Buy", "same side" } } do
      local answer = create(case[1], case[2], "0.1", { reduceOnly = true })
      assert.equal(110017, answer.retCode)
      assert.matches(case[3], answer.retMsg)
    end
    order(LONG, "Sell", "0", { reduceOnly = true, closeOnTrigger = true })
    assert.same({ "0", "0" }, sizes())
  end)

  it("is never turned round by an order that says nothing of reducing", function()
    order(LONG, "Buy", "0.2")
    order(LONG, "Sell", "0.5")
    assert.same({ "0", "0" }, sizes())
    assert.equal(110017, create(LONG, "Sell", "0.5").retCode)
    sb:close()
    sb = fake.venue { hedge_reduces = false }
    switch(3)
    order(LONG, "Buy", "0.2")
    assert.equal(MISMATCH, create(LONG, "Sell", "0.2").retMsg)
    order(LONG, "Sell", "0.2", { reduceOnly = true })
  end)

  it("has stops of its own", function()
    order(LONG, "Buy", "0.3", { takeProfit = "62000" })
    order(SHORT, "Sell", "0.1")
    local function stop(idx, over)
      over.positionIdx, over.tpslMode = idx, "Full"
      return post("position/trading-stop", over).retCode
    end
    assert.same({ 10001, 0, 0 }, { stop(SHORT, { stopLoss = "59000" }), stop(SHORT, { stopLoss = "61000" }),
      stop(LONG, { stopLoss = "58000" }) })
    local long, short = positions()[LONG], positions()[SHORT]
    assert.same({ "62000", "58000", "", "61000" }, { long.takeProfit, long.stopLoss, short.takeProfit, short.stopLoss })
    order(LONG, "Buy", "0.1")
    local waiting = get("order/realtime", "symbol=BTCUSDT&orderFilter=StopOrder").result.list
    local told = {}
    for i, o in ipairs(waiting) do told[#waiting + 1 - i] = ("%d %s %s"):format(o.positionIdx, o.side, o.qty) end
    assert.same({ "1 Sell 0.4", "2 Buy 0.1", "1 Sell 0.4" }, told)
    move "61500"
    assert.same({ "0.4", "0" }, sizes())
    move "57000"
    assert.same({ "0", "0" }, sizes())
  end)

  it("has stops of its parts", function()
    order(LONG, "Buy", "0.1")
    order(SHORT, "Sell", "0.3")
    local part = { tpslMode = "Partial", takeProfit = "62000", tpSize = "0.2", positionIdx = LONG }
    assert.equal(110058, post("position/trading-stop", part).retCode)
    part.positionIdx, part.takeProfit = SHORT, "58000"
    assert.equal(0, post("position/trading-stop", part).retCode)
    move "57900"
    assert.same({ "0.1", "0.1" }, sizes())
  end)

  it("follows with its stops when both sides change at once", function()
    local function stop(idx, over)
      over.positionIdx = idx
      assert.equal("OK", post("position/trading-stop", over).retMsg)
    end
    order(LONG, "Buy", "0.3", { stopLoss = "58000" })
    order(SHORT, "Sell", "0.3", { stopLoss = "62000" })
    stop(LONG, { tpslMode = "Partial", stopLoss = "59000", slSize = "0.1" })
    stop(SHORT, { tpslMode = "Partial", takeProfit = "59000", tpSize = "0.2" })
    move "58900"
    assert.same({ "0.2", "0.1" }, sizes())
    local waiting = get("order/realtime", "symbol=BTCUSDT&orderFilter=StopOrder").result.list
    assert.same({ 2, "0.1", "0.2" }, { #waiting, waiting[1].qty, waiting[2].qty })
  end)

  it("has room for twenty stops of its parts, whatever the other one has", function()
    order(LONG, "Buy", "0.1")
    order(SHORT, "Sell", "0.1")
    local function code(idx, over)
      over.positionIdx, over.tpslMode = idx, "Partial"
      return post("position/trading-stop", over).retCode
    end
    for _ = 1, 20 do assert.equal(0, code(LONG, { takeProfit = "62000", tpSize = "0.001" })) end
    assert.same({ 110061, 0 }, { code(LONG, { takeProfit = "62000", tpSize = "0.001" }),
      code(SHORT, { takeProfit = "58000", tpSize = "0.001" }) })
  end)

  it("pays for funding by itself, and is told apart in the log", function()
    order(LONG, "Buy", "0.3")
    order(SHORT, "Sell", "0.1")
    sb.funding_due = smc.wall() + 5000 -- a spec does not last eight hours
    smc.sleep(10)
    local log = fake.get(sb, "/v5/account/transaction-log", "category=linear&type=SETTLEMENT").result.list
    assert.same({ "Sell", "-0.1", "Buy", "0.3" }, { log[1].side, log[1].size, log[2].side, log[2].size })
    assert.equal(log[2].funding, decimal.mul(log[1].funding, "-3"))
  end)

  it("is liquidated with the rest", function()
    post("position/set-leverage", { buyLeverage = "100", sellLeverage = "100" })
    sb.market:quote("BTCUSDT.P", { level_qty = "400" })
    order(LONG, "Buy", "300")
    order(SHORT, "Sell", "100")
    local liquidation = positions()[LONG].liqPrice
    assert.equal(liquidation, positions()[SHORT].liqPrice)
    move(tostring(math.ceil(tonumber(liquidation)) + 200))
    assert.same({ "300", "100" }, sizes())
    move(tostring(math.floor(tonumber(liquidation)) - 200))
    local busts = {}
    for _, e in ipairs(get("execution/list", "symbol=BTCUSDT&execType=BustTrade").result.list) do
      busts[row(e.orderId).positionIdx .. " " .. e.side] = true
    end
    assert.is_true(busts["1 Sell"])
    assert.equal("0", positions()[LONG].size)
  end)

  it("is told of on the private stream", function()
    local sock = fake.private(sb, "order", "position", "execution")
    local function heard()
      local out = {}
      for _, frame in ipairs(fake.frames(sock)) do
        for _, data in ipairs(frame.data or {}) do
          out[#out + 1] = ("%s %s %s"):format(frame.topic, data.positionIdx or data.side, data.size or
            data.orderStatus or data.execQty)
        end
      end
      return out
    end
    heard()
    order(SHORT, "Sell", "0.2")
    sb:settle()
    local told = heard()
    assert.equal("position 2 0.2", told[#told])
    assert.is_true(table.concat(told, ","):find("execution Sell 0.2,order 2 Filled", 1, true) ~= nil)
    order(LONG, "Buy", "0.1")
    sb:settle()
    told = heard()
    assert.same({ "order 1 New", "position 1 0.1" }, { told[1], told[#told] })
    assert.is_nil(table.concat(told, ","):find("position 2", 1, true))
  end)
end)

describe("a client of bybit in hedge mode", function()
  it("sees both sides, and closes each", function()
    local venue = smc.venue "bybit"
    local function send(path, params)
      params.category, params.symbol = "linear", "BTCUSDT"
      return assert(venue:post("/v5/" .. path, params, { signed = true }))
    end
    send("position/switch-mode", { mode = 3 })
    send("order/create", { side = "Buy", orderType = "Market", qty = "0.3", positionIdx = LONG })
    send("order/create", { side = "Sell", orderType = "Market", qty = "0.1", positionIdx = SHORT })
    send("order/create", { side = "Buy", orderType = "Limit", qty = "0.1", price = "50000", positionIdx = LONG })
    local held = assert(venue:positions())
    assert.same({ { "long", "0.3" }, { "short", "0.1" } }, { { held[1].side, held[1].qty },
      { held[2].side, held[2].qty } })
    assert.same({ "long", "short" }, { venue.sandbox:positions()[1].side, venue.sandbox:positions()[2].side })
    local done = assert(venue:flatten "BTC/USDT:USDT")
    assert.same({ 1, 2, "sell", "buy" }, { #done.cancelled, #done.closed, done.closed[1].side, done.closed[2].side })
    assert.same({}, venue:positions())
  end)
end)
