-- What requests cost by the client's books is what the sandboxes count; and what venues say of their counts is heard.
local core = require "smc.core.task"
local smc = require "smc"

local SPOT = { symbol = "BTC/USDT", qty = "0.01", price = "40000", other = "40001" }
local LINEAR = { symbol = "BTC/USDT:USDT", qty = "0.01", price = "40000", other = "40001" }
local FX = { symbol = "EUR/USD", qty = "1000", price = "0.9", other = "0.91" }

--- Every unified call, in an order in which each has something to do.
local function calls_of(venue, on)
  local symbol, placed = on.symbol, nil
  return {
    { "ping" }, { "time" }, { "sync" }, { "instruments" }, { "ticker", symbol }, { "book", symbol },
    { "book", symbol, 200 }, { "candles", symbol, "1m" }, { "trades", symbol }, { "account" }, { "balances" },
    { "positions" },
    { "place", function()
      return { symbol = symbol, side = "buy", type = "limit", qty = on.qty, price = on.price }
    end, keep = function(order) placed = order end },
    { "order", function() return { symbol = symbol, id = placed.id } end },
    { "order", function() return { symbol = symbol, client_id = placed.client_id } end },
    { "open_orders" }, { "open_orders", symbol }, { "orders", symbol }, { "fills", symbol },
    { "amend", function() return { symbol = symbol, id = placed.id, price = on.other } end,
      keep = function(order) placed = order end },
    { "cancel", function() return { symbol = symbol, id = placed.id } end },
    { "cancel", function() return { symbol = symbol, id = placed.id } end }, -- it is gone
    { "cancel_all", symbol }, { "cancel_all" }, { "flatten" },
    { "place", function() -- more than there is
      return { symbol = symbol, side = "buy", type = "limit", qty = "900000000", price = on.price }
    end, refused = true },
  }
end

--- The published limiter, which keeps books of its own on what was paid and what came back.
local function counting(limiter)
  local paid = {}
  local function add(weights, sign)
    for name, n in pairs(weights) do paid[name] = (paid[name] or 0) + sign * n end
  end
  local methods = setmetatable({
    acquire = function(_, weights, how)
      local ok, err = limiter:acquire(weights, how)
      if ok then add(weights, 1) end
      return ok, err
    end,
    refund = function(_, weights, at)
      add(weights, -1)
      limiter:refund(weights, at)
    end,
  }, { __index = function(_, name) return function(_, ...) return limiter[name](limiter, ...) end end })
  return setmetatable({}, { __name = "smc.limiter", __index = methods }), paid
end

local function copy(list)
  local out = {}
  for name, n in pairs(list) do out[name] = n end
  return out
end

--- What was counted since, by name; only what is not zero.
local function since(before, now)
  local out = {}
  for name, n in pairs(now) do
    if n ~= (before[name] or 0) then out[name] = n - (before[name] or 0) end
  end
  return out
end

--- By its windows, and its requests since the beginning.
local function theirs(venue)
  local out, limits = {}, venue.sandbox:limits()
  for name, window in pairs(limits.each) do out[name] = window.used end
  out.requests = out.requests and limits.used
  return out
end

local function argument(value) return type(value) == "function" and value() or value end

for _, row in ipairs { { "binance", SPOT }, { "bybit", SPOT }, { "bybit", LINEAR }, { "oanda", FX } } do
  local name, on = table.unpack(row)

  it(("%s counts each call as its client does, in %s"):format(name, on.symbol), function()
    local limiter, paid = counting(smc.venue(name).limiter)
    local venue = smc.venue(name, { limiter = limiter })
    for _, call in ipairs(calls_of(venue, on)) do
      smc.sleep(name == "bybit" and 1 or 0) -- until the rolling windows are empty
      local ours, seen = copy(paid), theirs(venue)
      local result, err = venue[call[1]](venue, argument(call[2]), argument(call[3]))
      if result and call.keep then call.keep(result) end
      local counted, expected = since(ours, paid), since(seen, theirs(venue))
      if call.refused then -- whether refused orders count is not known: the client counts them
        assert.is_nil(result)
        counted.orders_10s, counted.orders_1d = expected.orders_10s, expected.orders_1d
      end
      assert.same(expected, counted, ("%s: %s"):format(call[1], tostring(err)))
    end
  end)
end

describe("what binance says of its counts", function()
  it("makes the budgets smaller, by weight and by orders", function()
    local venue, stranger = smc.venue "binance", smc.venue("binance", { limiter = false })
    for _ = 1, 3 do assert(stranger:account()) end
    for i = 1, 3 do
      assert(stranger:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "4000" .. i })
    end
    assert.equal(0, venue.limiter:usage("request_weight").used)
    assert(venue:time())
    assert.equal(61, venue.limiter:usage("request_weight").used)
    assert(venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "40000" })
    assert.equal(4, venue.limiter:usage("orders_10s").used)
    assert.equal(4, venue.limiter:usage("orders_1d").used)
    assert.equal(61, venue.sandbox:limits().window)
  end)

  it("is not taken for the window that has begun since", function()
    local venue, stranger = smc.venue "binance", smc.venue("binance", { limiter = false })
    venue.sandbox:skew(50)
    assert(venue:sync())
    smc.sleep(9.9)
    for _ = 1, 5 do assert(stranger:get("/api/v3/exchangeInfo")) end
    venue:fault { venue = "slow", seconds = 0.05, on = "time" }
    assert(venue:time())
    assert.equal(102, venue.limiter:usage("request_weight").used)
    venue:heal()
    venue:fault { venue = "slow", seconds = 1, on = "time" }
    assert(venue:time()) -- answered in the next minute, of the last
    assert.equal(0, venue.limiter:usage("request_weight").used)
  end)

  it("begins windows by the venue's clock, once it is known", function()
    local venue = smc.venue("binance", { limiter = { request_weight = { limit = 20, per = 60 } } })
    venue.sandbox:skew(50) -- its minute ends in ten seconds
    assert(venue:sync())
    assert(venue.limiter:try { request_weight = 19 })
    local start = smc.now()
    assert(venue:account())
    assert.near(10, smc.now() - start, 0.01)
  end)

  it("is told in the transcript from 80 percent on, once for each step", function()
    local venue = smc.venue("binance", { limiter = { request_weight = { limit = 200, per = 60 } } })
    for _ = 1, 10 do assert(venue:account()) end
    local _, warnings = core.transcript():gsub("limiter: request_weight: 160 of 200 used %(warning%)", "")
    local _, criticals = core.transcript():gsub("limiter: request_weight: 200 of 200 used %(critical%)", "")
    local _, all = core.transcript():gsub("limiter: request_weight", "")
    assert.same({ 1, 1, 2 }, { warnings, criticals, all })
  end)
end)

describe("what bybit says of its counts", function()
  it("makes the endpoint's budget smaller", function()
    local venue, stranger = smc.venue "bybit", smc.venue("bybit", { limiter = false })
    for _ = 1, 49 do assert(stranger:balances()) end
    assert(venue:balances()) -- the fiftieth of this second
    local usage = venue.limiter:usage "account/wallet-balance"
    assert.same({ 2, 2, "bucket" }, { usage.used, usage.limit, usage.kind })
  end)
end)

-- Also what no unified call asks for: every route of the sandboxes.
describe("the tables of weights", function()
  it("agree on binance, route by route", function()
    local limits, routes = require "smc.venue.binance.limits", require "smc.sandbox.binance.routes"
    local asked, n = { {}, { symbol = "BTCUSDT" }, { symbols = { "BTCUSDT", "ETHUSDT" } }, { orderId = 1 },
      { limit = 5000 }, { limit = 500 }, { limit = 501 }, { symbol = "BTCUSDT", orderId = 1 },
      { computeCommissionRates = true } }, 0
    for path, methods in pairs(routes.by_path) do
      for method, route in pairs(methods) do
        for _, params in ipairs(path:find "^/api" and asked or {}) do
          local weights, free = limits.cost { method = method, path = path, params = params, signed = true }
          local weight = type(route.weight) == "function" and route.weight(params) or route.weight
          assert.equal(weight, weights.request_weight, route.endpoint)
          assert.equal(route.free and weight or nil, free and free.request_weight, route.endpoint)
          n = n + 1
        end
      end
    end
    assert.is_true(n > 300)
  end)

  it("agree on bybit, route by route", function()
    local limits, calls = require "smc.venue.bybit.limits", require "smc.sandbox.bybit.calls"
    for path, route in pairs(calls.routes) do
      for _, category in ipairs(route.private and not route.batch and { "spot", "linear" } or {}) do
        local weights = copy(limits.cost { method = route.method, path = path, signed = true,
          params = { category = category } })
        assert.equal(1, weights.requests)
        weights.requests = nil
        local budget = limits.budgets[next(weights)]
        local limit = type(route.limit) == "table" and route.limit[category] or route.limit
        assert.equal(limit + 1, budget.limit + budget.burst, path)
        assert.is_true(budget.limit / budget.per >= 0.95 * limit, path)
      end
      if not route.private then
        assert.same({ requests = 1 }, limits.cost { method = route.method, path = path, params = {}, signed = true })
      end
    end
  end)
end)
