-- Batches, and the trade socket of the bybit sandbox, frame by frame.
local fake = require "bybit_fake"
local json = require "smc.json"
local sign = require "smc.core.sign"
local smc = require "smc"

local sb

local function order(over)
  local o = { symbol = "BTCUSDT", side = "Buy", orderType = "Limit", qty = "0.01", price = "40000" }
  for name, value in pairs(over or {}) do o[name] = value end
  return o
end

local function batch(what, list, category)
  return fake.post(sb, "/v5/order/" .. what .. "-batch", { category = category or "spot", request = json.array(list) })
end

local function codes(answer)
  local out = {}
  for i, row in ipairs(answer.retExtInfo.list) do out[i] = row.code end
  return out
end

describe("a batch of bybit orders", function()
  before_each(function() sb = fake.venue() end)
  after_each(function() sb:close() end)

  it("succeeds as a whole, whatever becomes of each", function()
    local answer, ex = batch("create", { order { orderLinkId = "a" }, order { qty = "0" }, order { side = "Short" } })
    assert.same({ 200, 0, "OK" }, { ex.status, answer.retCode, answer.retMsg })
    assert.same({ 0, 170136, 170117 }, codes(answer))
    local rows = answer.result.list
    assert.same({ "spot", "BTCUSDT", "a", tostring(smc.wall()) },
      { rows[1].category, rows[1].symbol, rows[1].orderLinkId, rows[1].createAt })
    assert.same({ "", "", "" }, { rows[2].orderId, rows[2].orderLinkId, rows[2].createAt })
    assert.equal(1, #sb.ledger.list)

    answer = batch("amend", { { symbol = "BTCUSDT", orderLinkId = "a", qty = "0.02" }, { symbol = "BTCUSDT" } })
    assert.same({ { 0, 10001 }, rows[1].orderId }, { codes(answer), answer.result.list[1].orderId })
    answer = batch("cancel", { { symbol = "BTCUSDT", orderId = rows[1].orderId },
      { symbol = "BTCUSDT", orderId = "7" } })
    assert.same({ { 0, 170213 }, rows[1].orderId }, { codes(answer), answer.result.list[1].orderId })
  end)

  it("counts its orders one by one against the endpoint's limit", function()
    sb.limits:change_endpoint("/v5/order/create-batch", 3)
    local answer, ex = batch("create", { order(), order() })
    assert.same({ { 0, 0 }, "1" }, { codes(answer), ex.out["x-bapi-limit-status"] })
    assert.same({ 0, 10006 }, codes((batch("create", { order(), order() }))))
    assert.equal(3, #sb.ledger.list)
  end)

  it("has a size", function()
    local many = {}
    for i = 1, 11 do many[i] = order() end
    assert.equal(10001, batch("create", many).retCode)
    assert.equal(10001, batch("create", {}).retCode)
    assert.same({ 10001 }, codes((batch("create", { "order" }))))
    assert.same({}, sb.ledger.list)
  end)
end)

describe("the trade socket of bybit", function()
  local sock
  before_each(function()
    sb = fake.venue()
    sock = fake.connect(sb, "/v5/trade")
  end)
  after_each(function() sb:close() end)

  local function say(frame)
    sock:say(json.encode(frame))
    return json.decode(sock:take()[1])
  end

  local function log_on(secret)
    local expires = smc.wall() + 5000
    return say { op = "auth", req_id = "me", args = json.array { sb.key, expires,
      sign.key("hmac", secret or sb.secret):sign("GET/realtime" .. expires) } }
  end

  local function ask(op, args, over)
    local frame = { op = op, reqId = "1", header = { ["X-BAPI-TIMESTAMP"] = tostring(smc.wall()) },
      args = json.array { args } }
    for name, value in pairs(over or {}) do frame[name] = value end
    return say(frame)
  end

  local function spot(over)
    local o = order(over)
    o.category = "spot"
    return o
  end

  it("lets nobody trade who has not logged on", function()
    local no = log_on "somebody else's secret"
    assert.same({ 10004, "auth", "me" }, { no.retCode, no.op, no.reqId })
    assert.equal(10004, ask("order.create", spot()).retCode)
    local yes = log_on()
    assert.same({ 0, "OK", "auth" }, { yes.retCode, yes.retMsg, yes.op })
    assert.equal(20001, log_on().retCode) -- the second time is refused, and does no harm
    assert.equal(0, ask("order.create", spot(), { reqId = "2" }).retCode)
    assert.equal("trade", sb:describe_sessions()[1].kind)
  end)

  it("creates and cancels as REST does, and tells what is left of the same limit", function()
    log_on()
    local made = ask("order.create", spot { orderLinkId = "mine" })
    assert.same({ 0, "OK", "order.create", "1", "mine" },
      { made.retCode, made.retMsg, made.op, made.reqId, made.data.orderLinkId })
    assert.same({ "20", "19" }, { made.header["X-Bapi-Limit"], made.header["X-Bapi-Limit-Status"] })
    local _, ex = fake.post(sb, "/v5/order/create", spot())
    assert.equal("18", ex.out["x-bapi-limit-status"])

    local which = { category = "spot", symbol = "BTCUSDT", orderLinkId = "mine" }
    which.qty = "0.02"
    assert.equal(made.data.orderId, ask("order.amend", which, { reqId = "a" }).data.orderId)
    assert.equal(made.data.orderId, ask("order.cancel", which, { reqId = "2" }).data.orderId)
    local again = ask("order.cancel", which, { reqId = "3" })
    assert.same({ 170142, "{}" }, { again.retCode, json.encode(again.data) })

    local both = ask("order.create-batch", { category = "spot", request = { order(), order { qty = "0" } } },
      { reqId = "4" })
    assert.same({ 0, { 0, 170136 } }, { both.retCode, codes(both) })
    local changed = ask("order.amend-batch", { category = "spot", request = { { symbol = "BTCUSDT", qty = "0.02",
      orderId = both.data.list[1].orderId } } }, { reqId = "6" })
    assert.same({ 0 }, codes(changed))
    local gone = ask("order.cancel-batch", { category = "spot", request = { { symbol = "BTCUSDT",
      orderId = both.data.list[1].orderId } } }, { reqId = "5" })
    assert.same({ { 0 }, both.data.list[1].orderId }, { codes(gone), gone.data.list[1].orderId })
  end)

  it("says what is wrong with a frame", function()
    log_on()
    for _, row in ipairs {
      { 10404, "order.guess" }, { 10002, "order.create", { header = { ["X-BAPI-TIMESTAMP"] = "1" } } },
      { 10001, "order.create", { header = {} } }, { 10001, "order.create", { args = json.array {} } },
      { 10001, "order.create", { reqId = ("x"):rep(37) } }, { 10001, "order.create", { args = json.array { 1 } } },
    } do
      local code, op, over = table.unpack(row)
      over = over or {}
      over.reqId = over.reqId or "r" .. code .. #json.encode(over)
      assert.equal(code, ask(op, spot(), over).retCode, op .. json.encode(over))
    end
    assert.equal(0, ask("order.create", spot(), { reqId = "twice" }).retCode)
    assert.equal(20006, ask("order.create", spot(), { reqId = "twice" }).retCode)
    assert.equal(1, #sb.ledger.list)
  end)

  it("answers pings with the time", function()
    local pong = say { op = "ping", reqId = "p" }
    assert.same({ 0, "pong", "p", tostring(smc.wall()) }, { pong.retCode, pong.op, pong.reqId, pong.data[1] })
  end)
end)
