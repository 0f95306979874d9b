-- Sandboxes that speak TLS, and their clients: each trusts the authority of its sandbox, and no other.
local smc = require "smc"

local SYMBOL = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("a sandbox of " .. name .. " with TLS", function()
    it("is spoken to like any other", function()
      local sandbox = smc.sandbox(name, { tls = true })
      local venue = smc.venue(name, { sandbox = sandbox })

      assert.is_truthy(sandbox.url:find "^https://127%.0%.0%.1:%d+$")
      assert(venue:account())
      local stream = assert(venue:stream { "ticker:" .. SYMBOL[name] })
      assert(stream:recv(30))
      assert(stream:close())
    end)

    for fault, why in pairs { expired = "certificate has expired",
      wrong_host = "no alternative certificate subject name", unknown_ca = "unable to get local issuer certificate" } do
      it("is refused when its certificate is wrong: " .. fault, function()
        local sandbox = smc.sandbox(name, { tls = { fault = fault } })
        local venue = smc.venue(name, { sandbox = sandbox })

        local answer, err = venue:account()
        local stream, stream_err = venue:stream { "ticker:" .. SYMBOL[name] }

        assert.is_nil(answer)
        assert.same({ "network", "tls" }, { err.class, err.code })
        assert.is_truthy(err.message:find(why, 1, true), err.message)
        assert.is_nil(stream)
        assert.equal("tls", stream_err.code)
        assert.equal(0, #sandbox:requests())
      end)
    end
  end)
end

describe("the option tls", function()
  it("is true, or names one fault", function()
    local refused = { 1, {}, { fault = "old" }, { fault = "expired", more = 1 }, { expired = true }, "expired" }
    for _, wrong in ipairs(refused) do
      local ok, err = pcall(smc.sandbox, "binance", { tls = wrong })
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find('tls must be true or { fault = "expired"', 1, true), tostring(err))
    end
    assert.is_truthy(smc.sandbox("binance", { tls = false }).url:find "^http:")
  end)

  it("makes no client trust a stranger", function()
    local sandbox = smc.sandbox("binance", { tls = true })
    local _, err = smc.http.get(sandbox.url .. "/api/v3/ping")
    assert.equal("tls", err.code)
    assert.equal(200, assert(smc.http.get(sandbox.url .. "/api/v3/ping", { ca = sandbox.ca })).status)
  end)
end)
