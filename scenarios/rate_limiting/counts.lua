-- What the venue says of its own count, and what comes back.  Books that are too generous get an account shut out;
-- books that are too strict keep an exit waiting.
local smc = require "smc"

local function bid(price) return { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = price } end

describe("a window that is over #rate-limiting #virtual-time #binance", function()
  local venue, impatient, spent

  --- Twenty units of weight a minute, of the venue's minute, which ends in two seconds.
  before_each(function()
    venue = smc.venue("binance", { limiter = { request_weight = { limit = 20, per = 60 } } })
    impatient = smc.venue("binance", { limiter = venue.limiter, wait = 1 })
    venue.sandbox:skew(58)
    assert(venue:sync())
    spent = venue.limiter:usage("request_weight").used
  end)

  local function used() return venue.limiter:usage("request_weight").used end

  it("has nothing back for the one that is running now", function()
    venue:fault { venue = "slow", seconds = 4, on = "place", count = 4 }
    local orders = {}
    for i = 1, 4 do orders[i] = smc.spawn(function() assert(venue:place(bid("4000" .. i))) end) end
    smc.sleep(2.1)
    for _ = 1, 20 do assert(venue:time()) end

    for _, order in ipairs(orders) do order:join() end -- taken in, so their weight comes back: of the minute before

    assert.equal(20, used())
    assert.equal("rate_limit", select(2, impatient:time()).class)
    assert.equal(0, venue.sandbox:limits().violations)
  end)

  it("gives back to the one that is running what was paid in it #leaves-orders", function()
    for i = 10, 30 do assert(venue:place(bid("400" .. i))) end -- one more than there would be room for
    assert.equal(spent, used())
  end)

  it("is not counted in the one that is running, though its answer comes late", function()
    local other = smc.venue("binance", { limiter = false })
    other:sync()
    for _ = 1, 2 do assert(other:account()) end -- 40 in the venue's old minute
    venue:fault { venue = "slow", seconds = 4, on = "time", count = 1 }
    assert(venue:time())
    assert.equal(0, used())
  end)
end)

describe("what bybit says is left of an endpoint #rate-limiting #virtual-time #bybit", function()
  local LIMITS = { ["account/wallet-balance"] = { limit = 5, per = 5, burst = 5 } }
  local PATH = "/v5/account/wallet-balance"
  local venue, other

  before_each(function()
    venue, other = smc.venue("bybit", { limiter = LIMITS }), smc.venue("bybit", { limiter = false })
    venue.sandbox:limit { path = PATH, requests = 5, per = 1 }
  end)

  it("empties the bucket when others of the account have spent it", function()
    for _ = 1, 4 do assert(other:balances()) end
    local start = smc.now()
    assert(venue:balances()) -- the fifth: nothing is left
    assert.equal(5, venue.limiter:usage("account/wallet-balance").used)
    assert(venue:balances())
    assert.near(1, smc.now() - start, 0.05)
    assert.equal(0, venue.sandbox:limits().violations)
  end)

  it("leaves the bucket alone when it is more than that holds", function()
    for _ = 1, 3 do assert(venue:balances()) end
    assert.equal(3, venue.limiter:usage("account/wallet-balance").used)
    smc.sleep(1.5) -- the venue's second is over, and knows of none; the bucket has got one back
    assert(venue:balances())
    assert.equal(3, venue.limiter:usage("account/wallet-balance").used)
  end)

  it("holds for when the request was let go: what has flowed in since is not lost", function()
    for _ = 1, 4 do assert(other:balances()) end
    venue:fault { venue = "slow", seconds = 3, on = "balances", count = 1 }
    local start = smc.now()
    assert(venue:balances())
    assert.equal(2, venue.limiter:usage("account/wallet-balance").used) -- none left, and three seconds of one
    for _ = 1, 3 do assert(venue:balances()) end
    assert.near(3, smc.now() - start, 0.05)
  end)

  it("is what the client reads in the headers of the answer", function()
    local left = {}
    for i = 1, 3 do
      local _, headers = assert(venue:get(PATH, { accountType = "UNIFIED" }, { signed = true }))
      left[i] = tonumber(headers["x-bapi-limit-status"])
      assert.equal("5", headers["x-bapi-limit"])
    end
    assert.same({ 4, 3, 2 }, left)
  end)
end)

describe("a limiter that is told what is left #rate-limiting #virtual-time #binance", function()
  before_each(function() assert(smc.venue("binance"):ping()) end) -- of a venue that is gone nobody knows what is left

  --- Waits for one unit.  Returns the seconds that it took.
  local function wait_of(limiter, name)
    local start = smc.now()
    assert(limiter:acquire { [name] = 1 })
    return smc.now() - start
  end

  it("believes less, never more, of a bucket", function()
    local limiter = smc.limiter { orders = { limit = 10, per = 10, burst = 10 } }
    assert(limiter:try { orders = 6 })
    limiter:left("orders", 9)
    assert.equal(6, limiter:usage("orders").used)
    limiter:left("orders", 2)
    assert.equal(8, limiter:usage("orders").used)
    limiter:left("orders", 0)
    assert.near(1, wait_of(limiter, "orders"), 0.002)
  end)

  it("believes less, never more, of a window", function()
    local limiter = smc.limiter { weight = { limit = 10, per = 10 } }
    assert(limiter:try { weight = 6 })
    limiter:left("weight", 9)
    assert.equal(6, limiter:usage("weight").used)
    limiter:left("weight", 0)
    assert.near(10 - smc.now() % 10, wait_of(limiter, "weight"), 0.002)
  end)

  it("gives back no more than a bucket holds", function()
    local limiter = smc.limiter { orders = { limit = 10, per = 10, burst = 3 } }
    local start = smc.now()
    assert(limiter:try { orders = 2 })
    smc.sleep(1.5)
    limiter:refund({ orders = 2 }, start)
    assert.equal(0, limiter:usage("orders").used)
    assert(limiter:try { orders = 3 })
    assert.is_false(limiter:try { orders = 1 })
  end)
end)
