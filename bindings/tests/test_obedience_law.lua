-- The law of limits: under what venues publish a client reaches at least 95 % of what is allowed over ten minutes, and
-- is never turned away, by the sandbox's own log.  limiter_record.lua says it of four processes.
local smc = require "smc"

local SECONDS, TASKS, LEAST = 600, 4, 0.95

local function obey(ask)
  smc.timeout(SECONDS, function()
    smc.all(TASKS, function()
      while true do ask() end
    end)
  end)
end

local function judge(used, allowed, violations)
  assert.equal(0, violations)
  assert.is_true(used >= LEAST * allowed and used <= allowed, ("%d of %g"):format(used, allowed))
end

describe("over the wire", function()
  for name, row in pairs {
    binance = { "/api/v3/openOrders", {}, { signed = true } }, -- few, of weight 80
    bybit = { "/v5/market/time" },
    oanda = { "/v3/accounts", {}, { signed = true } },
  } do
    it(name .. " lets an address pass", function()
      local venue, path, params, options = smc.venue(name), table.unpack(row)
      obey(function() assert(venue:get(path, params, options)) end)
      local log = venue.sandbox:limits()
      judge(log.used, log.limit * SECONDS / log.per, log.violations)
    end)
  end

  --- Asks one of Bybit's private endpoints, which counts by itself; latency, jitter: on the way to it and back.
  local function endpoint(path, params, latency, jitter)
    local venue, n = smc.venue "bybit", 0
    for _, stream in ipairs(latency and { "upstream", "downstream" } or {}) do
      venue:fault { link = "latency", latency = latency, jitter = jitter, stream = stream }
    end
    obey(function()
      assert(venue:get("/v5/" .. path, params, { signed = true }))
      n = n + 1
    end)
    local log = venue.sandbox:limits()
    judge(n, log.each[path].limit * SECONDS, log.violations)
  end

  it("an endpoint of 5 in a second lets an account pass", function()
    endpoint("account/fee-rate", { category = "spot", symbol = "BTCUSDT" })
  end)

  it("so does one of 10, far away and not always as far", function()
    endpoint("user/query-api", {}, 0.05, 0.009)
  end)

  it("so does one of 50", function() endpoint("account/wallet-balance", { accountType = "UNIFIED" }) end)
end)
