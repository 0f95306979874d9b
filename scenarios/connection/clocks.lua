-- Where exactly a venue draws the line between a request that is in time and one that is not.  Clients choose their
-- recvWindow by it, and how often they ask for the venue's clock.  To the millisecond: so the clock has to stand still.
local smc = require "smc"

--- Asks for the account with a timestamp that is so many milliseconds ahead.  Returns the venue's code; 0: it answered.
local ASK = {}

function ASK.binance(venue, ahead, window)
  local answer, err = venue:get("/api/v3/account", { timestamp = smc.wall() + ahead, recvWindow = window },
    { signed = true })
  return answer and 0 or err.code
end

function ASK.bybit(venue, ahead, window)
  local at = tostring(smc.wall() + ahead)
  local signature = smc.sign.key("hmac", venue.secret):sign(at .. venue.key .. (window or ""))
  local reply = assert(smc.http.get(venue.url .. "/v5/account/info", { headers = { ["X-BAPI-API-KEY"] = venue.key,
    ["X-BAPI-TIMESTAMP"] = at, ["X-BAPI-RECV-WINDOW"] = window and tostring(window), ["X-BAPI-SIGN"] = signature } }))
  return smc.json.decode(reply.body).retCode
end

for name, refused in pairs { binance = -1021, bybit = 10002 } do
  describe(("the clock of a request to %s #connection #auth #%s #virtual-time"):format(name, name), function()
    local venue
    before_each(function() venue = smc.venue(name) end)

    it("may be five seconds late, and less than one ahead, unless it says otherwise", function()
      assert.same({ 0, refused }, { ASK[name](venue, -5000), ASK[name](venue, -5001) })
      assert.same({ 0, refused }, { ASK[name](venue, 999), ASK[name](venue, 1000) })
    end)

    it("is measured to the millisecond, halfway between asking and being told", function()
      venue:fault { link = "latency", latency = 0.2 }
      venue:fault { link = "latency", latency = 0.2, stream = "upstream" }
      venue.sandbox:skew(42)
      assert.near(42000, assert(venue:sync()), 1)
      assert(venue:balances())
    end)

    it("is right again when the venue's is, and nobody has measured meanwhile", function()
      venue:fault { venue = "skew", seconds = 30 }
      assert.equal(refused, select(2, venue:balances()).code)
      assert(venue:heal())
      assert(venue:balances())
    end)

    it("may be as late as its window is wide", function()
      for _, window in ipairs { 200, 30000 } do
        assert.same({ 0, refused }, { ASK[name](venue, -window, window), ASK[name](venue, -window - 1, window) })
      end
    end)
  end)
end

for name, refused in pairs { binance = -1021, bybit = 10002 } do
  it(("what a client of %s signs is good for as long as it wants #connection #auth #%s"):format(name, name), function()
    local hasty, patient = smc.venue(name, { recv_window = 2000 }), smc.venue(name, { recv_window = 20000 })
    patient.sandbox:skew(10)
    assert(patient:balances())
    local balances, err = hasty:balances()
    assert.is_nil(balances)
    assert.equal(refused, err.code)
    patient.sandbox:skew(3)
    assert.equal(refused, select(2, hasty:balances()).code)
  end)
end

describe("who is too late, and nobody that binance knows #connection #auth #binance", function()
  local function late_stranger(assume)
    local sandbox = smc.sandbox("binance", { assume = assume })
    local stranger = smc.venue("binance", { sandbox = sandbox, key = ("k"):rep(64) })
    sandbox:skew(6)
    return stranger:account()
  end

  it("is told of the clock first", function()
    local account, err = late_stranger()
    assert.is_nil(account)
    assert.same({ "clock_skew", -1021 }, { err.class, err.code })
  end)

  it("is told of the key, where the venue looks there first", function()
    local account, err = late_stranger { clock_before_key = false }
    assert.is_nil(account)
    assert.same({ "auth", -2015 }, { err.class, err.code })
  end)
end)

describe("the log-on to bybit's private stream #connection #auth #bybit #virtual-time", function()
  it("is good until the moment that it names", function()
    local venue = smc.venue "bybit"
    local function log_on(ahead)
      local socket <close> = assert(smc.ws.connect(venue.ws_api_url))
      local expires = smc.wall() + ahead
      local signature = smc.sign.key("hmac", venue.secret):sign("GET/realtime" .. expires)
      assert(socket:send(smc.json.encode { op = "auth", args = { venue.key, expires, signature } }))
      return smc.json.decode(assert(socket:recv(5)).data).success
    end
    assert.same({ true, false }, { log_on(1), log_on(0) })
  end)
end)

describe("a time that oanda takes for the future #connection #oanda", function()
  local function ask(ahead_ms)
    local venue = smc.venue "oanda"
    local candles, err = venue:candles("EUR/USD", "1m", { since = smc.wall() + ahead_ms })
    assert.is_nil(candles)
    return err.class
  end

  it("is our mistake while the clocks agree, and somebody's clock when they do not", function()
    assert.equal("invalid_request", ask(3600000))
    smc.venue("oanda").sandbox:skew(-5)
    assert.equal("clock_skew", ask(0))
  end)
end)
