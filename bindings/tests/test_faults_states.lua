-- Faults that are a state of the venue: limits and bans as the venue has them, its clock, its markets, its maintenance.
local smc = require "smc"

local SYMBOL = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }

local function raw(venue, target) return assert(smc.http.get(venue.sandbox.origin .. target)) end

describe("a limit that is used up", function()
  it("of binance ends with its window, and a client that ignores it is banned, longer each time", function()
    local box = smc.sandbox("binance", { assume = { ban_after = 3, ban_first = 5 } })
    local venue = smc.venue("binance", { sandbox = box })
    box:limit { request_weight = 6000, per = 10 }
    venue:fault { venue = "rate_limit" }
    local reply = raw(venue, "/api/v3/time")
    assert.same({ 429, "10" }, { reply.status, reply.headers["retry-after"] })
    for _ = 1, 2 do assert.equal(429, raw(venue, "/api/v3/time").status) end
    reply = raw(venue, "/api/v3/time")
    assert.same({ 418, "5" }, { reply.status, reply.headers["retry-after"] })
    assert.is_truthy(reply.body:find(("IP banned until %d"):format(smc.wall() + 5000), 1, true))
    smc.sleep(10)
    assert.equal(200, raw(venue, "/api/v3/time").status)
    venue:fault { venue = "ban" }
    assert.equal("10", raw(venue, "/api/v3/time").headers["retry-after"])
  end)

  it("of binance doubles its bans to three days, and no further", function()
    local venue = smc.venue "binance"
    local last
    for _ = 1, 14 do
      venue:fault { venue = "ban" }
      last = tonumber(raw(venue, "/api/v3/time").headers["retry-after"])
      assert(venue:heal "ban")
    end
    assert.equal(3 * 24 * 3600, last)
  end)

  it("of binance is seen inside its WebSocket API, too", function()
    local venue = smc.venue "binance"
    local conn <close> = assert(smc.ws.connect(venue.ws_api_url))
    venue:fault { venue = "rate_limit", seconds = 7 }
    assert(conn:send '{"id":1,"method":"time"}')
    local answer = require "smc.json".decode(assert(conn:recv(5)).data)
    assert.same({ 429, 7000 }, { answer.status, answer.error.data.retryAfter - answer.error.data.serverTime })
  end)

  it("of bybit is told by the code and the reset of its endpoints, and ends after so long", function()
    local venue = smc.venue "bybit"
    venue:fault { venue = "rate_limit", seconds = 4 }
    local _, err = venue:get("/v5/account/wallet-balance", { accountType = "UNIFIED" }, { signed = true })
    assert.same({ 10006, "rate_limit", 4 }, { err.code, err.class, err.retry_after })
    local reply = raw(venue, "/v5/market/time")
    assert.is_truthy(reply.body:find("10006", 1, true))
    assert.is_nil(reply.headers["x-bapi-limit"])
    smc.sleep(4)
    assert.is_truthy(raw(venue, "/v5/market/time").body:find('"retCode":0', 1, true))
  end)

  it("of oanda is a 429", function()
    local venue = smc.venue "oanda"
    venue:fault { venue = "rate_limit", seconds = 3 }
    assert.equal(429, raw(venue, "/v3/accounts").status)
    smc.sleep(3)
    assert.equal(401, raw(venue, "/v3/accounts").status)
  end)
end)

describe("a ban", function()
  for name, given in pairs { binance = { "/api/v3/time", 418, 120 }, bybit = { "/v5/market/time", 403, 600 },
    oanda = { "/v3/accounts", 403, 60 } } do
    it("of " .. name .. " lasts as long as the venue has it, and is healed before", function()
      local venue = smc.venue(name)
      local path, status, seconds = table.unpack(given)
      venue:fault { venue = "ban" }
      assert.equal(status, raw(venue, path).status)
      assert.equal(smc.wall() + seconds * 1000, venue.sandbox:limits().banned_until)
      assert(venue:heal())
      assert.not_equal(status, raw(venue, path).status)
      smc.sleep(7) -- in which nobody asks the venue for anything
      venue:fault { venue = "ban", seconds = 30 }
      smc.sleep(29)
      assert.equal(status, raw(venue, path).status)
      smc.sleep(1)
      assert.not_equal(status, raw(venue, path).status)
    end)
  end
end)

describe("a wrong clock", function()
  it("is wrong until it is healed", function()
    local venue = smc.venue "binance"
    venue:fault { venue = "skew", seconds = -90 }
    assert.equal(smc.wall() - 90000, assert(venue:time()))
    assert(venue:heal "skew")
    assert.equal(smc.wall(), assert(venue:time()))
  end)
end)

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("on " .. name, function()
    it("a market stands still, one or all", function()
      local venue = smc.venue(name)
      local function place(symbol)
        return select(2, venue:place { symbol = symbol, side = "buy", type = "market",
          qty = name == "oanda" and "100" or "0.01" })
      end
      venue:fault { venue = "halt", symbol = SYMBOL[name] }
      assert.equal("market_closed", place(SYMBOL[name]).class)
      assert.is_nil(place(name == "oanda" and "GBP/USD" or "ETH/USDT"))
      assert(venue:heal "halt")
      assert.is_nil(place(SYMBOL[name]))
      venue:fault { venue = "halt", for_ = 10 }
      assert.equal("market_closed", place(name == "oanda" and "GBP/USD" or "ETH/USDT").class)
      smc.sleep(10)
      assert.is_nil(place(SYMBOL[name]))
    end)

    it("maintenance takes leave of the streams, refuses, and is over", function()
      local venue = smc.venue(name)
      local stream = assert(venue:stream { "ticker:" .. SYMBOL[name], reconnect = false })
      venue:fault { venue = "maintenance" }
      local event, err
      repeat event, err = stream:recv(30) until not event
      assert.equal("network", err.class)
      stream:close()
      eventually(function() assert.equal(0, #venue.sandbox:streams()) end, { within = 20 })
      assert.equal("server", select(2, venue:balances()).class)
      assert.is_nil((venue:stream { "ticker:" .. SYMBOL[name] }))
      assert(venue:heal())
      assert(venue:balances())
    end)
  end)
end

describe("the maintenance of bybit", function()
  it("is announced at the place for it", function()
    local venue = smc.venue "bybit"
    assert.same({}, assert(venue:get "/v5/system/status").result.list)
    venue:fault { venue = "maintenance", seconds = 1200 }
    local row = assert(venue:get "/v5/system/status").result.list[1]
    assert.same({ "ongoing", tostring(smc.wall()), tostring(smc.wall() + 1200000) },
      { row.state, row.begin, row["end"] })
    assert.equal(10016, select(2, venue:get "/v5/market/time").code)
  end)
end)

describe("faults", function()
  it("end with the world, whatever they wait for", function()
    local venue = smc.venue "binance"
    venue:fault { venue = "halt", after = 1000, for_ = 1000 }
    venue:fault { venue = "skew", seconds = 1, for_ = 5000 }
    assert.equal(2, #venue.sandbox:faults())
  end)

  it("are all healed by a reset", function()
    local venue = smc.venue "bybit"
    venue:fault { venue = "maintenance" }
    venue:fault { venue = "ban" }
    venue:fault { venue = "halt" }
    assert(venue.sandbox:reset())
    assert.same({}, venue.sandbox:faults())
    assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" })
  end)
end)
