-- Bybit counts each endpoint of an account on its own, in any second: a client that is fast must be so without being
-- refused, and a refusal of one endpoint must not keep orders from another.
local smc = require "smc"

describe("the endpoints of bybit #rate-limiting #bybit #virtual-time", function()
  it("get as much as they allow, and never more", function()
    local venue = smc.venue "bybit"
    for path, limit in pairs { ["account/fee-rate"] = 5, ["user/query-api"] = 10, ["account/wallet-balance"] = 50 } do
      local start, tasks = smc.now(), {}
      for i = 1, (3 * limit + 1) // 2 do
        tasks[i] = smc.spawn(function()
          return venue:get("/v5/" .. path, { accountType = "UNIFIED", category = "spot", symbol = "BTCUSDT" },
            { signed = true })
        end)
      end
      for _, task in ipairs(tasks) do assert(task:join()) end
      local took = smc.now() - start
      assert.is_true(took > 1.25 and took < 1.6, ("%s: %g s"):format(path, took))
    end
    assert.equal(0, venue.sandbox:limits().violations)
  end)

  it("are held one by one", function()
    local venue = smc.venue("bybit", { limiter = false })
    venue.sandbox:limit { path = "/v5/account/wallet-balance", requests = 1, per = 1 }
    assert(venue:balances())
    local none, err = venue:balances()
    assert.is_nil(none)
    assert.equal(10006, err.code)

    local start = smc.now()
    assert(venue:positions())
    assert.equal(start, smc.now())
    assert(venue:balances())
    assert.near(1, smc.now() - start, 0.01)
    assert.equal(1, venue.sandbox:limits().violations)
  end)
end)
