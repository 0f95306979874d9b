-- Shut out: nothing goes to the venue before the end that it names, whoever asks and over whatever; then all goes on.
-- Each request into a ban makes the next one longer.
local smc = require "smc"

local SECONDS = 20

--- How long each holds for: binance tells, bybit's are ten minutes, and oanda's edge tells nothing.
local VENUES = { binance = SECONDS, bybit = 600, oanda = 1 }
local LONG = 50 -- that a spec can wait

for name, holds in pairs(VENUES) do
  describe(("a ban by %s #rate-limiting #virtual-time #%s"):format(name, name), function()
    local venue, ended

    before_each(function()
      venue = smc.venue(name)
      assert(venue:balances())
      venue:fault { venue = "ban", seconds = SECONDS }
      local _, err = venue:balances()
      assert.equal("ip_ban", err.class)
      ended = smc.now() + math.min(holds, LONG)
    end)

    local function arrived_since(at) return #venue.sandbox:requests { after = at + 0.000001 } end

    it("stops reads, orders and streams until its end, of every client of the address #leaves-orders", function()
      local met, other = smc.now(), smc.venue(name)
      local symbol = name == "oanda" and "EUR/USD" or "BTC/USDT"
      local tasks = {
        smc.spawn(function() return venue:balances() end), smc.spawn(function() return other:ticker(symbol) end),
        smc.spawn(function()
          return venue:place { symbol = symbol, side = "buy", type = "limit",
            price = name == "oanda" and "0.9" or "40000", qty = name == "oanda" and "100" or "0.01" }
        end),
        smc.spawn(function()
          local stream = venue:stream { "ticker:" .. symbol }
          if stream then stream:close() end
        end),
      }
      smc.sleep(ended - smc.now() - 0.002)
      assert.equal(0, arrived_since(met))

      venue:heal "ban"
      if holds > LONG then
        for _, task in ipairs(tasks) do task:cancel() end
        return
      end
      for _, task in ipairs(tasks) do task:join() end
      assert.is_true(arrived_since(met) >= 4)
    end)

    local and_over = holds <= LONG and it or function() end

    and_over("is over when it is over: the same client trades on", function()
      smc.sleep(ended - smc.now())
      venue:heal "ban"
      for _ = 1, 3 do assert(venue:balances()) end
      assert.equal("closed", venue.breaker.state)
      assert.equal(0, venue.health.failures)
    end)

    it("is told at once to who can't wait for it", function()
      local hasty = smc.venue(name, { wait = 0, limiter = venue.limiter })
      local start, arrived = smc.now(), #venue.sandbox:requests()
      local balances, err = hasty:balances()
      assert.is_nil(balances)
      assert.same({ "rate_limit", "not_sent" }, { err.class, err.code })
      assert.same({ start, arrived }, { smc.now(), #venue.sandbox:requests() })
    end)
  end)
end

describe("a refusal of one kind of request #rate-limiting #virtual-time #leaves-orders", function()
  local function bid(price)
    return { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = price }
  end

  it("by binance stops orders, and no reads #binance", function()
    local venue = smc.venue("binance", { limiter = false })
    venue.sandbox:limit { orders = 2, per = 10 }
    for i = 1, 2 do assert(venue:place(bid("4000" .. i))) end
    local order, err = venue:place(bid "40003")
    assert.is_nil(order)
    assert.same({ "rate_limit", -1015 }, { err.class, err.code })
    local start = smc.now()

    assert(venue:balances())
    assert.equal(start, smc.now())
    assert(venue:place(bid "40004"))
    assert.is_true(smc.now() - start >= err.retry_after - 0.002, smc.now() - start)
    assert.equal(3, #venue.sandbox:orders())
  end)

  it("by an endpoint of bybit stops that endpoint until its reset, and no other #bybit", function()
    local venue = smc.venue("bybit", { limiter = false })
    venue.sandbox:limit { path = "/v5/account/wallet-balance", requests = 2, per = 1 }
    for _ = 1, 2 do assert(venue:balances()) end
    local _, err = venue:balances()
    assert.same({ "rate_limit", 10006, 200 }, { err.class, err.code, err.http })
    assert.is_true(err.retry_after > 0 and err.retry_after <= 1)
    local start = smc.now()

    assert(venue:open_orders "BTC/USDT")
    assert.equal(start, smc.now())
    assert(venue:balances())
    assert.near(err.retry_after, smc.now() - start, 0.01)
    assert.equal(1, venue.sandbox:limits().violations)
  end)
end)
