-- What a scenario, or the control API of serve, may do to a sandbox of any venue.
local smc = require "smc"

local RESTING = {
  binance = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.5", price = "50000" },
  bybit = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.5", price = "58000" },
  oanda = { symbol = "EUR/USD", side = "buy", type = "limit", qty = "500", price = "1.0" },
}
local PART = { binance = "0.2", bybit = "0.2", oanda = "200" }

local function place(venue, client_id)
  local given = { client_id = client_id }
  for key, value in pairs(RESTING[venue.name]) do given[key] = value end
  return assert(venue:place(given))
end

for _, name in ipairs { "binance", "bybit" } do
  describe("fill on " .. name, function()
    it("trades a part of a resting order, then the rest, at its own price", function()
      local venue = smc.venue(name)
      local order = place(venue, "mine-1")

      venue.sandbox:fill { client_id = "mine-1", qty = PART[name] }
      local seen = assert(venue:order { symbol = order.symbol, id = order.id })
      assert.same({ "partially_filled", PART[name] }, { seen.status, seen.filled })
      venue.sandbox:fill { client_id = "mine-1", symbol = order.symbol }

      seen = assert(venue:order { symbol = order.symbol, id = order.id })
      assert.same({ "filled", RESTING[name].qty }, { seen.status, seen.filled })
      local fills = assert(venue:fills(order.symbol))
      assert.equal(RESTING[name].price, fills[#fills].price)
    end)
  end)
end

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("reset on " .. name, function()
    it("begins anew, under the same address and credentials", function()
      local venue = smc.venue(name)
      local sandbox, before = venue.sandbox, assert(venue:balances())
      local symbol = RESTING[name].symbol
      assert(venue:place { symbol = symbol, side = "buy", type = "market", qty = PART[name] })
      local stream = assert(venue:stream { "ticker:" .. symbol, reconnect = false })
      sandbox:skew(100)
      venue:fault { venue = "status", status = 500, on = "account" }
      local log = #sandbox:requests()

      assert.is_true(sandbox:reset())

      assert.same(before, assert(venue:balances()))
      assert.equal(0, #sandbox:orders())
      assert.same({}, sandbox:faults())
      assert.equal(0, #sandbox:streams())
      assert.is_true(math.abs(assert(venue:time()) - smc.wall()) < 1000)
      assert(venue:place { symbol = symbol, side = "buy", type = "market", qty = PART[name] })
      assert.is_true(#sandbox:requests() > log)
      local event, err
      repeat event, err = stream:recv(30) until not event
      assert.equal("network", err.class)
      stream:close()
    end)

    it("ends a halt, and a fault of all connections", function()
      local venue = smc.venue(name)
      venue.sandbox:halt(RESTING[name].symbol)
      venue:fault { venue = "down" }
      assert.is_true(venue.sandbox:reset())
      assert(venue:place { symbol = RESTING[name].symbol, side = "buy", type = "market", qty = PART[name] })
    end)
  end)
end

describe("fill", function()
  it("is not for oanda, where the price alone fills", function()
    local venue = smc.venue "oanda"
    place(venue, "mine-1")
    assert.error_matches(function() venue.sandbox:fill { client_id = "mine-1" } end, "move it there")
  end)

  it("says what is wrong, at the caller's line", function()
    local venue = smc.venue "binance"
    place(venue, "mine-1")
    local function wrong(given, text)
      local ok, err = pcall(venue.sandbox.fill, venue.sandbox, given)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find(text, 1, true), tostring(err))
    end
    wrong({}, "client_id, or id and symbol, expected")
    wrong({ id = 1 }, "client_id, or id and symbol, expected")
    wrong({ client_id = "yours" }, "no such order is open")
    wrong({ id = "1", symbol = "BTC/USDT" }, "sandbox:fill: id is a whole number, as orders{} has it")
    wrong({ client_id = 1 }, "sandbox:fill: client_id is a string")
    wrong({ client_id = "mine-1", qty = 0.5 }, "sandbox:fill: qty is a decimal string")
    wrong({ client_id = "mine-1", qty = "0.6" }, "refused: invalid_qty (qty is above 0, at most what is left of the ")
    wrong({ client_id = "mine-1", qty = "x" }, "qty")
    wrong({ client_id = "mine-1", price = "1" }, "unknown key 'price'")
    wrong({ client_id = "mine-1", symbol = "X/Y" }, "no symbol is called 'X/Y' (known: BNB/USDT")
    assert.equal("0", venue.sandbox:orders()[1].filled)
  end)
end)

local HELD = {
  bybit = { symbol = "BTC/USDT:USDT", money = "USDT", qty = "0.5" },
  oanda = { symbol = "EUR/USD", money = "USD", qty = "500" },
}

for name, row in pairs(HELD) do
  describe("positions on " .. name, function()
    it("are what the venue itself holds, by side, and none when flat", function()
      local venue = smc.venue(name)
      for _, case in ipairs { { "buy", "long" }, { "sell", "short" } } do
        assert.same({}, venue.sandbox:positions())
        assert(venue:place { symbol = row.symbol, side = case[1], type = "market", qty = row.qty })
        local held, told = venue.sandbox:positions(), assert(venue:positions())
        assert.equal(1, #held)
        assert.same({ row.symbol, case[2], row.qty, told[1].entry }, { held[1].symbol, held[1].side, held[1].qty,
          smc.decimal.format(held[1].entry) })
        assert.equal(told[1].unrealized, smc.decimal.format(held[1].unrealized))
        assert(venue:flatten())
      end
      assert.same({}, venue.sandbox:positions())
    end)
  end)
end

for name, money in pairs { binance = "USDT", bybit = "USDT", oanda = "USD" } do
  describe("funds on " .. name, function()
    it("are what they are set to, and nothing else", function()
      local venue = smc.venue(name)
      for _, amount in ipairs { "12345.67", "50000" } do
        venue.sandbox:fund { [money] = amount }
        local balances = assert(venue:balances())
        assert.equal(amount, balances[money].total)
        assert.is_nil(next(balances, next(balances)))
      end
    end)

    it("are refused when they are none", function()
      local sandbox = smc.venue(name).sandbox
      for _, wrong in ipairs { {}, { XYZ = "1" }, { [money] = 5 }, { [money] = "-1" }, { [money] = "x" } } do
        local ok, err = pcall(sandbox.fund, sandbox, wrong)
        assert.is_false(ok)
        assert.matches("sandbox:fund: ", err, 1, true)
      end
    end)
  end)
end

describe("funds that an order holds", function()
  it("stay", function()
    local venue = smc.venue "binance"
    place(venue, "mine-1")
    local ok, err = pcall(venue.sandbox.fund, venue.sandbox, { USDT = "5" })
    assert.is_false(ok)
    assert.matches("an order holds 25000 of USDT", err, 1, true)
  end)
end)

describe("funds of oanda", function()
  it("are told of in the log of transactions", function()
    local venue = smc.venue "oanda"
    venue.sandbox:fund { USD = "40000" }
    local path = ("/v3/accounts/%s/transactions/3"):format(venue.key)
    local tx = assert(venue:get(path, {}, { signed = true })).transaction
    assert.same({ "TRANSFER_FUNDS", "-60000.0000", "40000.0000" }, { tx.type, tx.amount, tx.accountBalance })
  end)
end)
