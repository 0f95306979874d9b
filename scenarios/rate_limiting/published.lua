-- What a client keeps to is what its venue allows, number by number: one that is a little too generous is shut out on
-- the busiest day, and one that is too strict trades late on every other.
local smc = require "smc"

--- The most that a bucket lets go in so many seconds: what it holds, and what flows in.
local function most_of(usage, seconds) return usage.limit + math.floor(usage.rate * seconds + 1e-9) end

describe("the limits that a client keeps to #rate-limiting", function()
  it("of binance are those of exchangeInfo #binance", function()
    local SECONDS = { SECOND = 1, MINUTE = 60, DAY = 86400 }
    local NAMES = { ["REQUEST_WEIGHT 60"] = "request_weight", ["RAW_REQUESTS 300"] = "raw_requests",
      ["ORDERS 10"] = "orders_10s", ["ORDERS 86400"] = "orders_1d" }
    local venue, known = smc.venue "binance", {}
    for _, l in ipairs(assert(venue:get("/api/v3/exchangeInfo", { symbol = "BTCUSDT" })).rateLimits) do
      local seconds = SECONDS[l.interval] * l.intervalNum
      local name = NAMES[("%s %d"):format(l.rateLimitType, seconds)]
      local usage = venue.limiter:usage(name)
      assert.same({ l.limit, "window" }, { usage.limit, usage.kind }, name)
      assert.near(l.limit / seconds, usage.rate, 1e-9, name)
      known[#known + 1] = name
    end
    table.sort(known)
    assert.same(known, venue.limiter:budgets())
  end)

  it("of bybit's endpoints are those that its answers name #bybit #virtual-time", function()
    local venue = smc.venue "bybit"

    --- Asks, and compares what the answer says with the budget of that name (default: the path).
    local function compare(method, path, params, name)
      name = name or path
      local answer, headers = assert(venue[method](venue, "/v5/" .. path, params, { signed = true }))
      local usage = venue.limiter:usage(name)
      assert.equal(tonumber(headers["x-bapi-limit"]), most_of(usage, 1), name)
      assert.is_true(usage.used > 0, name .. " is spent by it")
      return answer.result
    end

    for _, category in ipairs { "spot", "linear" } do
      local function of(more)
        more.category, more.symbol = category, "BTCUSDT"
        return more
      end
      local order = of { side = "Buy", orderType = "Limit", qty = "0.01", price = "50000" }
      local id = compare("post", "order/create", order, "order/create " .. category).orderId
      compare("post", "order/amend", of { orderId = id, qty = "0.02" }, "order/amend " .. category)
      compare("post", "order/cancel", of { orderId = id }, "order/cancel " .. category)
      compare("post", "order/cancel-all", of {}, "order/cancel-all " .. category)
      for _, path in ipairs { "order/realtime", "order/history", "execution/list" } do compare("get", path, of {}) end
    end
    compare("get", "position/list", { category = "linear", symbol = "BTCUSDT" })
    compare("get", "account/wallet-balance", { accountType = "UNIFIED" })
    compare("get", "account/fee-rate", { category = "spot", symbol = "BTCUSDT" })
    compare("get", "user/query-api", {})
  end)

  for name, seconds in pairs { bybit = 5, oanda = 1 } do
    it(("of %s's addresses are those of the venue #%s"):format(name, name), function()
      local venue = smc.venue(name)
      assert(venue:time())
      local limits = venue.sandbox:limits()
      assert.equal(seconds, limits.per)
      assert.equal(limits.limit, most_of(venue.limiter:usage "requests", seconds))
    end)
  end
end)
