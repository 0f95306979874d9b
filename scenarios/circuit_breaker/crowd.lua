-- Many at once: what twenty tasks do to a breaker when their venue fails, and to a risk guard when it trips.  Twenty
-- probes would be an attack on a venue that is just getting up; two closing orders would be a position the other way.
local accounts = require "lib.accounts"
local smc = require "smc"

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("twenty tasks and the circuit breaker of " .. name .. " #circuit-breaker #virtual-time #" .. name, function()
    local venue

    before_each(function()
      local breaker = { size = 10, min_calls = 10, failure_rate = 0.5, open = 5 }
      venue = smc.venue(name, { limiter = false, breaker = breaker })
      assert(venue:balances())
    end)

    local function all_at_once()
      local classes = { fine = 0, server = 0, circuit_open = 0 }
      smc.all(20, function()
        local balances, err = venue:balances()
        local class = balances and "fine" or err.class
        classes[class] = classes[class] + 1
      end)
      return classes
    end

    it("open it once, give back every permit, and close it by one of them", function()
      venue:fault { venue = "http", status = 503, on = "balances" }
      local classes = all_at_once()
      assert.equal(20, classes.server) -- all were under way when it opened
      assert.same({ "open", 1, 0 }, { venue.breaker.state, venue.breaker.changes, venue.breaker.permits })

      venue:heal()
      smc.sleep(5)
      local arrived = #venue.sandbox:requests()
      classes = all_at_once()
      assert.same({ 1, 19 }, { classes.fine, classes.circuit_open })
      assert.equal(arrived + 1, #venue.sandbox:requests())
      assert.same({ "closed", 3, 0 }, { venue.breaker.state, venue.breaker.changes, venue.breaker.permits })
      smc.sleep(1)
      assert.equal(20, all_at_once().fine)
    end)
  end)
end

describe("a crowd and a risk guard #circuit-breaker", function()
  local venues, guard

  --- Over accounts at these venues, one look before it opens.  Returns the venues.
  local function guarded(names, alert)
    venues = accounts.open(names)
    guard = accounts.guard(venues, { alert = alert, check_every = 600 })
    accounts.crash(smc.venue "bybit")
    return table.unpack(venues)
  end

  local function is_closed()
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
    accounts.assert_flat(venues)
  end

  it("open it once: one closing, one alert, however many look #virtual-time #bybit", function()
    local inbox = smc.webhook()
    local bybit = guarded({ "bybit" }, inbox)
    smc.all(6, function() assert(guard:check()) end)
    bybit.sandbox:move("BTC/USDT:USDT", { by = "-0.1" })
    smc.all(6, function() assert(guard:check()) end)
    is_closed()

    assert.equal("open", accounts.kinds(guard))
    for _, venue in ipairs(guard:history()[1].closing.venues) do assert.equal(1, venue.attempts) end
    assert.equal(1, #bybit.sandbox:orders { symbol = "BTC/USDT:USDT", side = "sell" })
    eventually(function() assert.equal(1, #inbox:messages { kind = "risk.open" }) end)
    smc.sleep(3)
    assert.equal(1, #inbox:attempts())
  end)

  it("send nothing that has waited at a limiter until after it opened #virtual-time #bybit", function()
    guarded { "bybit" }
    local hasty = smc.venue("bybit", { limiter = { requests = { limit = 2, per = 4, burst = 2 } } })
    local watch = assert(smc.risk { venues = { hasty }, max_drawdown = "0.02", check_every = 600 })
    smc.sleep(8) -- two are saved up
    for _ = 1, 2 do assert(hasty:ticker "BTC/USDT") end
    local order = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "40000" }
    local waits = smc.spawn(function() return hasty:place(order) end)
    smc.sleep(0.1)
    assert.is_true(watch:stop "while it waits")

    local placed, err = waits:join()

    assert.is_nil(placed)
    assert.same({ "circuit_open", "risk_guard", false }, { err.class, err.code, err.sent })
    assert.same({}, hasty.sandbox:orders { client_id = err.client_id })
    eventually(function() assert.is_false(watch.is_closing) end, { within = 40 })
    assert.same({}, hasty.sandbox:positions())
  end)

  it("leave nothing behind, though they place orders while it opens #binance #bybit #oanda", function()
    local _, _, oanda = guarded()
    local placed, refused, go_on = 0, 0, true
    local traders = {}
    for i = 1, 6 do
      local venue = venues[i % 3 + 1]
      local order = venue == oanda and { symbol = "EUR/USD", side = "buy", type = "limit", qty = "10", price = "0.9" }
        or { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.001", price = "40000" }
      traders[i] = smc.spawn(function()
        while go_on do
          local done, err = venue:place(order)
          if done then placed = placed + 1 else refused = refused + 1 end
          assert.is_true(done ~= nil or err.code == "risk_guard", tostring(err))
          smc.sleep(0.05)
        end
      end)
    end
    eventually(function() assert.is_true(placed >= 6) end)
    assert(guard:check())
    is_closed()
    eventually(function() assert.is_true(refused >= 6) end)
    go_on = false
    for _, trader in ipairs(traders) do trader:join() end

    accounts.assert_flat(venues)
  end)

  it("are not left with what was under way when everything was flat #virtual-time #bybit", function()
    local bybit
    venues, bybit = accounts.open { "bybit" }
    guard = accounts.guard(venues, { check_every = 600 })
    bybit:fault { venue = "slow", seconds = 3, on = "place", count = 1 }
    local late = smc.spawn(function()
      return bybit:place { symbol = "BTC/USDT:USDT", side = "buy", type = "market", qty = "0.3" }
    end)
    smc.sleep(1)
    assert.is_true(guard:stop "out of here")
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30 })
    late:join()
    smc.sleep(5)
    accounts.assert_flat(venues)
    assert.is_true(guard:history()[1].closing.venues[1].attempts > 1)
  end)
end)
