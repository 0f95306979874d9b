-- Keys are changed on a schedule, and at once when one has leaked.  Orders must not be lost meanwhile, a new key that
-- does not work must be found out while the old one still does, and one that was taken away must be worth nothing.
local smc = require "smc"

local VENUES = {
  binance = { symbol = "BTC/USDT", qty = "0.01", price = "40000" },
  bybit = { symbol = "BTC/USDT", qty = "0.01", price = "40000" },
  oanda = { symbol = "EUR/USD", qty = "100", price = "0.9" },
}

local NEW_SECRET = "the secret of the key that comes next"

for name, its in pairs(VENUES) do
  describe("a key of " .. name .. " that is changed #connection #auth #" .. name, function()
    local old, sandbox
    before_each(function()
      old = smc.venue(name)
      sandbox = old.sandbox -- which a testnet does not have: there its specs end here
    end)

    --- A client with another key of the same account; its name at the venue.
    local function with_another_key()
      if name == "oanda" then
        local token = sandbox:add_key { kind = "bearer" }
        return smc.venue(name, { secret = token }), token
      end
      local key = sandbox:add_key { kind = "hmac", secret = NEW_SECRET }
      return smc.venue(name, { key = key, secret = NEW_SECRET }), key
    end

    local function take_away_the_old_one()
      sandbox:remove_key(name == "oanda" and sandbox.token or old.key)
    end

    local function place(venue)
      return venue:place { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty, price = its.price }
    end

    local function is_refused(venue, op, call)
      local before = #venue:requests { op = op }
      local answer, err = call()
      assert.is_nil(answer)
      assert.same({ "auth", false }, { err.class, err.retryable })
      assert.equal(1, #venue:requests { op = op } - before)
    end

    it("works beside its successor until it is taken away, and not a moment longer", function()
      local new = with_another_key()
      for _, venue in ipairs { old, new } do assert.is_true(assert(venue:account()).can_trade) end

      take_away_the_old_one()

      is_refused(old, "balances", function() return old:balances() end)
      is_refused(old, "place", function() return place(old) end)
      assert(new:balances())
      assert.same({}, sandbox:orders())
    end)

    it("leaves its orders to its successor, which cancels them", function()
      local order = assert(place(old))
      local new = with_another_key()
      take_away_the_old_one()

      local open = assert(new:open_orders(its.symbol))
      assert.same({ 1, order.id, order.client_id }, { #open, open[1].id, open[1].client_id })
      assert.equal("canceled", assert(new:cancel { symbol = its.symbol, client_id = order.client_id }).status)

      assert.same({}, assert(new:open_orders(its.symbol)))
    end)

    it("is still there when its successor turns out to be wrong, and nothing was done with that", function()
      assert(place(old))
      local wrong = smc.venue(name, { secret = smc.secret.random() })

      is_refused(wrong, "account", function() return wrong:account() end)

      is_refused(wrong, "place", function() return place(wrong) end)
      local events, err = wrong:user_stream()
      assert.is_nil(events)
      assert.equal("auth", err.class)
      assert(place(old))
      assert.equal(2, #assert(old:cancel_all(its.symbol)))
    end)

    it("hands the account over without a gap: both hear what the other one did, once", function()
      local new = with_another_key()
      local theirs <close> = assert(old:user_stream())
      local ours <close> = assert(new:user_stream())
      local placed = {}
      for i, venue in ipairs { old, new } do
        placed[i] = assert(venue:place { symbol = its.symbol, side = "buy", type = "market", qty = its.qty }).id
      end
      for _, events in ipairs { theirs, ours } do
        local fills = {}
        repeat
          local event = assert(events:recv(10))
          if event.fill then fills[#fills + 1] = event.fill.order_id end
        until fills[#fills] == placed[2]
        assert.same(placed, fills)
      end
    end)

    it("is in no error, no answer and no list of requests, and neither is its successor #leaves-orders", function()
      local new, key = with_another_key()
      local secrets = { name == "oanda" and sandbox.token or old.secret, name == "oanda" and key or NEW_SECRET }
      assert(place(new))
      take_away_the_old_one()
      local _, err = old:account()
      local told = { tostring(err), err.message }
      for _, venue in ipairs { old, new } do
        for _, sent in ipairs(venue:requests()) do
          for field, value in pairs(sent) do told[#told + 1] = field .. "=" .. tostring(value) end
        end
      end
      told[#told + 1] = tostring(smc.secret.from(NEW_SECRET))
      local all = table.concat(told, "\n")
      assert.matches("auth", all)
      for _, secret in ipairs(secrets) do assert.is_nil(all:find(secret, 1, true)) end
      assert.is_nil(all:find(("%x"):rep(40)), "a signature")
    end)
  end)
end
