-- Where exactly a venue's limit begins and ends: the last request that is allowed, and the moment from which the next
-- one is.  A limiter that is one off is shut out, or slower than it has to be.
local smc = require "smc"

local function ungoverned(name, assume)
  return smc.venue(name, { limiter = false, breaker = false, obey_limits = false,
    sandbox = smc.sandbox(name, { assume = assume }) })
end

--- What a call comes to: "fine", or the error's class.
local function said(result, err) return result and "fine" or err.class end

describe("the edge of a limit #rate-limiting #virtual-time", function()
  it("of binance's weight is a minute of the venue's clock, used up to the last unit #binance", function()
    local venue = ungoverned "binance"
    venue.sandbox:limit { request_weight = 40, per = 60 }
    assert.same({ "fine", "fine" }, { said(venue:account()), said(venue:account()) }) -- 20 each
    local time, err = venue:time()
    assert.is_nil(time)
    assert.same({ "rate_limit", 60 }, { err.class, err.retry_after })
    smc.sleep(45)
    assert.equal(15, select(2, venue:time()).retry_after)
    smc.sleep(15)
    assert.equal("fine", said(venue:time()))
  end)

  it("of binance is not touched by an order that is taken, and is by one that fails #binance #leaves-orders", function()
    local venue = ungoverned "binance"
    local function used() return venue.sandbox:limits().window end
    venue.sandbox:fund { USDT = "1000" }
    local order = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "40000" }
    assert(venue:place(order))
    assert.equal(0, used())
    order.qty = "1"
    assert.equal("insufficient_funds", said(venue:place(order)))
    assert.equal(1, used())
  end)

  for name, calls in pairs { bybit = 3, oanda = 3 } do
    it(("of %s is any span of its length: the oldest request has left it when it is over #%s"):format(name, name),
      function()
        local venue = ungoverned(name, { ban_seconds = 1 })
        venue.sandbox:limit { requests = calls, per = 5 }
        assert.equal("fine", said(venue:ping()))
        smc.sleep(2)
        for _ = 2, calls do assert.equal("fine", said(venue:ping())) end
        smc.sleep(3) -- the first is five seconds old, and leaves
        assert.equal("fine", said(venue:ping()))
        assert.is_not.equal("fine", said(venue:ping()))
      end)
  end

  it("of binance, when its refusal names a moment and no Retry-After, is that moment #binance", function()
    local venue = ungoverned "binance"
    venue:fault { venue = "status", status = 418, message = ("Way too much request weight used; IP banned until %d. ")
      :format(smc.wall() + 45000) }
    local time, err = venue:time()
    assert.is_nil(time)
    assert.same({ "ip_ban", 418, 45 }, { err.class, err.http, err.retry_after })
  end)

  it("that turns a stream away keeps requests back, too #binance", function()
    local venue = smc.venue "binance"
    assert(venue:time())
    venue:fault { venue = "status", status = 429, on = "stream", times = 1 }
    local start = smc.now()
    local stream, err = venue:stream { "ticker:BTC/USDT" }
    assert.is_nil(stream)
    assert.equal("rate_limit", err.class)
    assert(venue:time())
    assert.near(1, smc.now() - start, 0.01)
  end)

  it("of oanda may end at a date #oanda", function()
    local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", smc.wall() // 1000 + 20)
    local venue = ungoverned("oanda", { retry_after = date })
    venue.sandbox:limit { requests = 1, per = 1 }
    assert(venue:ping())
    local none, err = venue:ping()
    assert.is_nil(none)
    assert.same({ "rate_limit", 20 }, { err.class, err.retry_after })
  end)

  it("is warned of in each window anew #binance", function()
    local venue = smc.venue("binance", { limiter = { raw_requests = { limit = 10, per = 10 } } })
    smc.sleep(10 - smc.wall() / 1000 % 10)
    for _ = 1, 2 do
      for n = 1, 8 do
        assert(venue:time())
        assert.equal(n == 8 and "warning" or nil, venue.limiter:alert "raw_requests")
      end
      smc.sleep(10)
    end
  end)

  it("of an endpoint at bybit ends when its oldest request is a second old, and the answer says so #bybit", function()
    local venue = ungoverned "bybit"
    venue.sandbox:limit { path = "/v5/account/wallet-balance", requests = 2, per = 1 }
    assert(venue:balances())
    smc.sleep(0.6)
    assert(venue:balances())
    local none, err = venue:balances()
    assert.is_nil(none)
    assert.same({ "rate_limit", 10006, 0.4 }, { err.class, err.code, err.retry_after })
    smc.sleep(0.4)
    assert(venue:balances())
  end)

  it("of bybit's address, once passed, shuts it out, and counts afresh afterwards #bybit", function()
    local venue = ungoverned("bybit", { ban_seconds = 30 })
    venue.sandbox:limit { requests = 2, per = 5 }
    assert.same({ "fine", "fine", "ip_ban" }, { said(venue:ping()), said(venue:ping()), said(venue:ping()) })
    local _, err = venue:ping()
    assert.same({ 403, 600 }, { err.http, err.retry_after }) -- it does not say for how long: ten minutes are usual
    smc.sleep(29)
    assert.equal("ip_ban", said(venue:ping()))
    smc.sleep(1)
    assert.equal("fine", said(venue:ping()))
  end)
end)
