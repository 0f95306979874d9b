-- What the Bybit sandbox says no with only when somebody goes to extremes, and topics that are asked for rarely.
local fake = require "bybit_fake"
local json = require "smc.json"
local sign = require "smc.core.sign"
local smc = require "smc"

local sb

local function order(over)
  local asked = { category = "spot", symbol = "BTCUSDT", side = "Buy", orderType = "Limit", qty = "0.001",
    price = "40000" }
  for name, value in pairs(over or {}) do asked[name] = value end
  return asked
end

describe("a bybit request that goes to extremes", function()
  before_each(function() sb = fake.venue() end)
  after_each(function() sb:close() end)

  it("to trade needs a key that may", function()
    sb.keys[sb.key].can_trade = false
    assert.equal(0, fake.get(sb, "/v5/order/realtime", "category=spot").retCode)
    local answer = fake.post(sb, "/v5/order/create", order())
    assert.same({ 10005, "Invalid API-key, IP, or permissions for action." }, { answer.retCode, answer.retMsg })
  end)

  it("may be the 500th open order, not the 501st", function()
    sb.limits:change_endpoint("/v5/order/create", 1000)
    for _ = 1, 500 do assert.equal(0, fake.post(sb, "/v5/order/create", order()).retCode) end
    local answer = fake.post(sb, "/v5/order/create", order())
    assert.same({ 170810, "Cannot exceed maximum of 500 conditional, TP/SL and active orders." },
      { answer.retCode, answer.retMsg })
  end)
end)

describe("a bybit socket too many", function()
  it("is refused until five minutes are over, and shuts nobody out", function()
    sb = fake.venue { connection_limit = 2 }
    for _ = 1, 2 do fake.connect(sb, "/v5/public/spot"):close(1000) end
    local ex = fake.connect(sb, "/v5/public/spot")
    assert.same({ 403, "403, access too frequent" }, { ex.status, ex.answer })
    assert.equal(200, fake.ask(sb, "GET", "/v5/market/time").status)

    sb.skew_ms = 300000 -- as if five minutes had passed for it
    fake.connect(sb, "/v5/public/spot"):close(1000)
    sb:close()
  end)
end)

describe("a private bybit stream", function()
  it("tells of executions by category, and of no position while there is none", function()
    sb = fake.venue()
    local sock = fake.connect(sb, "/v5/private")
    local expires = smc.wall() + 10000
    local function say(op, args) sock:say(json.encode { op = op, args = json.array(args) }) end
    say("auth", { sb.key, expires, sign.key("hmac", sb.secret):sign("GET/realtime" .. expires) })
    say("subscribe", { "execution.spot" })
    say("subscribe", { "position" })
    for _, frame in ipairs(fake.frames(sock)) do assert.is_true(frame.success) end

    local answer = fake.post(sb, "/v5/order/create", order { orderType = "Market", qty = "100" })

    local topics, filled = {}, {}
    for _, frame in ipairs(fake.frames(sock)) do
      topics[frame.topic] = true
      for _, row in ipairs(frame.data) do filled[row.orderId] = row.category end
    end
    assert.same({ ["execution.spot"] = true }, topics)
    assert.same({ [answer.result.orderId] = "spot" }, filled)
    sock:close(1000)
    sb:close()
  end)
end)
