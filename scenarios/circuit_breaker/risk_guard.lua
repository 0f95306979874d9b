-- One guard over three accounts: it gets all of them flat, whatever a venue refuses, and tells somebody once.
local accounts = require "lib.accounts"
local smc = require "smc"

describe("risk guard #circuit-breaker", function()
  local inbox

  before_each(function() inbox = smc.webhook() end)

  it("gets three venues flat when drawdown passes the limit, and tells someone once #binance #bybit #oanda", function()
    local venues, _, bybit = accounts.open()
    local guard = accounts.guard(venues, { alert = inbox })
    assert.equal("closed", guard.state)
    accounts.crash(bybit)
    accounts.opens_and_gets_flat(guard, venues)

    assert.same({ "drawdown" }, guard:history()[1].causes)
    eventually(function() assert.equal(1, #inbox:messages { valid_signature = true, kind = "risk.open" }) end)
    assert.equal(1, #inbox:attempts())
  end)

  for name, exit in pairs { binance = "place", bybit = "place", oanda = "flatten" } do
    local other = name == "bybit" and "oanda" or "bybit"
    it(("gets them flat when %s refuses the first three closing orders #%s #%s"):format(name, name, other), function()
      local venues = accounts.open { name, other }
      local guard = accounts.guard(venues, { alert = inbox, check_every = 600 })
      local refuses = smc.venue(name)
      refuses:fault { venue = "http", status = 503, on = exit, count = 3 }
      accounts.crash(smc.venue "bybit")
      assert(guard:check())
      accounts.opens_and_gets_flat(guard, venues)

      assert.equal(3, #refuses.sandbox:requests { status = 503 })
      local elapsed = guard:history()[1].closing.elapsed
      assert.is_true(elapsed >= 1.7 and elapsed < 5, ("%g s: the waits are 0.5, 1 and 2 s at most"):format(elapsed))
      for _, venue in ipairs(guard:history()[1].closing.venues) do
        assert.equal(venue.venue == name and 4 or 1, venue.attempts)
      end
      eventually(function() assert.equal(1, #inbox:messages { valid_signature = true }) end)
    end)
  end

  it("tells someone once whose server fails at first #bybit", function()
    local venues, bybit = accounts.open { "bybit" }
    local guard = accounts.guard(venues, { alert = inbox })
    inbox:fail { status = 500, count = 2 }
    accounts.crash(bybit)
    accounts.opens_and_gets_flat(guard, venues)

    eventually(function() assert.equal(1, #inbox:messages { valid_signature = true }) end, { within = 30 })
    assert.equal(3, #inbox:attempts { id = inbox:messages()[1].id })
  end)
end)
