-- Where a request may go at all.  After one mistyped address a test trades money: so the places where money is are
-- refused before anything is sent, and so is a server that only claims to be the venue.
local smc = require "smc"

local VENUES = {
  { name = "binance", symbol = "BTC/USDT",
    money = { "https://api.binance.com/api/v3/order", "https://api1.binance.com/api/v3/time",
      "https://fapi.binance.com/fapi/v1/order", "https://testnet.binance.vision.example.com/api/v3/order" },
    money_streams = { "wss://stream.binance.com:9443/ws/btcusdt@trade", "wss://ws-api.binance.com/ws-api/v3" },
    plain = "http://testnet.binance.vision/api/v3/account" },
  { name = "bybit", symbol = "BTC/USDT",
    money = { "https://api.bybit.com/v5/order/create", "https://api.bytick.com/v5/order/create",
      "https://api-demo.bybit.com/v5/order/create" },
    money_streams = { "wss://stream.bybit.com/v5/private", "wss://stream-demo.bybit.com/v5/private" },
    plain = "http://api-testnet.bybit.com/v5/account/info" },
  { name = "oanda", symbol = "EUR/USD",
    money = { "https://api-fxtrade.oanda.com/v3/accounts", "https://stream-fxtrade.oanda.com/v3/accounts" },
    money_streams = { "wss://stream-fxtrade.oanda.com/v3/accounts" },
    plain = "http://api-fxpractice.oanda.com/v3/accounts" },
}

for _, row in ipairs(VENUES) do
  describe("the way to " .. row.name .. " #connection #security #" .. row.name, function()
    local venue
    before_each(function()
      venue = smc.venue(row.name)
      assert(venue:ping())
    end)

    --- The error of a request that was never sent, which says why.
    local function is_refused(why, answer, err)
      assert.is_nil(answer)
      assert.same({ "invalid_request", "host_refused", false }, { err.class, err.code, err.retryable })
      assert.matches(why, err.message)
      assert.is_not_true(err.sent)
    end

    it("never leads to where money is, by no method and no stream", function()
      for _, url in ipairs(row.money) do
        is_refused("^host '.*' is refused", smc.http.get(url))
        is_refused("^host '.*' is refused", smc.http.post(url, "{}"))
      end
      for _, url in ipairs(row.money_streams) do is_refused("^host '.*' is refused", smc.ws.connect(url)) end
    end)

    it("leads to no other port of a test host", function()
      local url = row.plain:gsub("^http://([^/]+)", "https://%1:8443")
      is_refused("^port 8443 .* is refused", smc.http.get(url))
      is_refused("^port 8443 .* is refused", smc.ws.connect((url:gsub("^http", "ws"))))
    end)

    it("is never in plain text, where others could read a key", function()
      is_refused("plaintext .* refused", smc.http.get(row.plain))
      is_refused("plaintext .* refused", smc.ws.connect((row.plain:gsub("^http", "ws"))))
    end)
  end)

  describe("an encrypted way to " .. row.name .. " #connection #security #" .. row.name, function()
    it("is taken, for requests and for streams", function()
      local sandbox = smc.sandbox(row.name, { tls = true })
      local venue = smc.venue(row.name, { sandbox = sandbox })
      assert.matches("^https://", venue.url)
      assert.is_true(assert(venue:account()).can_trade)
      local stream <close> = assert(venue:stream { "ticker:" .. row.symbol })
      assert.equal(row.symbol, assert(stream:recv(15)).symbol)
    end)

    for _, fault in ipairs { "expired", "wrong_host", "unknown_ca" } do
      it("is not taken when its certificate is wrong: " .. fault, function()
        local sandbox = smc.sandbox(row.name, { tls = { fault = fault } })
        local venue = smc.venue(row.name, { sandbox = sandbox })

        for _, ask in ipairs { venue.account, function() return venue:stream { "ticker:" .. row.symbol } end } do
          local answer, err = ask(venue)
          assert.is_nil(answer)
          assert.same({ "network", "tls" }, { err.class, err.code })
        end

        assert.same({}, sandbox:requests()) -- no key, no signature, no order came there
        local right = smc.venue(row.name, { sandbox = smc.sandbox(row.name, { tls = true }) })
        assert.is_true(assert(right:account()).can_trade, "the certificate was all that was wrong")
      end)
    end
  end)
end
