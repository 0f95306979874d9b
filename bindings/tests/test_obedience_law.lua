-- The law of limits: under what venues publish a client reaches at least 95 % of what is allowed over ten minutes, and
-- is never turned away, by the sandbox's own log.  limiter_record.lua says it of four processes.
local bybit = require "bybit_fake"
local oanda = require "oanda_fake"
local smc = require "smc"
local task = require "smc.core.task"

local TEN_MINUTES, TASKS, LEAST = 600, 4, 0.95

local function obey(seconds, ask)
  smc.timeout(seconds, function()
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
    binance = { TEN_MINUTES, "/api/v3/openOrders", {}, { signed = true } }, -- few, of weight 80
    bybit = { 20, "/v5/market/time" },
    oanda = { 20, "/v3/accounts", {}, { signed = true } },
  } do
    it(name .. " lets an address pass", function()
      local seconds, path, params, options = table.unpack(row)
      local venue = smc.venue(name)
      obey(seconds, function() assert(venue:get(path, params, options)) end)
      local log = venue.sandbox:limits()
      judge(log.used, log.limit * seconds / log.per, log.violations)
    end)
  end

  --- Asks one of Bybit's private endpoints, which counts by itself; latency, jitter: on the way to it and back.
  local function endpoint(seconds, path, params, latency, jitter)
    local venue, n = smc.venue "bybit", 0
    for _, stream in ipairs(latency and { "upstream", "downstream" } or {}) do
      venue:fault { link = "latency", latency = latency, jitter = jitter, stream = stream }
    end
    obey(seconds, function()
      assert(venue:get("/v5/" .. path, params, { signed = true }))
      n = n + 1
    end)
    local log = venue.sandbox:limits()
    judge(n, log.each[path].limit * seconds, log.violations)
  end

  it("an endpoint of 5 in a second lets an account pass", function()
    endpoint(TEN_MINUTES, "account/fee-rate", { category = "spot", symbol = "BTCUSDT" })
  end)

  it("so does one of 10, far away and not always as far", function()
    endpoint(60, "user/query-api", {}, 0.05, 0.009)
  end)

  it("so does one of 50", function() endpoint(20, "account/wallet-balance", { accountType = "UNIFIED" }) end)
end)

-- What counts an address in the sandboxes, asked at the time of each grant.
describe("for ten minutes without sockets", function()
  for name, sandbox in pairs { bybit = bybit, oanda = oanda } do
    it(name .. " lets an address pass", function()
      local limiter, limits = smc.limiter(name), sandbox.venue().limits
      obey(TEN_MINUTES, function()
        assert(limiter:acquire { requests = 1 })
        limits:admit(task.wall_ms())
      end)
      local log = limits:report(task.wall_ms(), 1)
      judge(log.used, log.limit * TEN_MINUTES / log.per, log.violations)
    end)
  end
end)
