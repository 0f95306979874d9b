local smc = require "smc"

-- What each venue answers in its own words has one class everywhere, and says whether to send the same again.
-- By codes: answers_to_reads.lua and answers_to_orders.lua; what is no answer: malformed.lua and timeouts.lua.
local AGAIN = { network = true, rate_limit = true, ip_ban = true }

local VENUES = {
  binance = { symbol = "BTC/USDT", qty = "0.01", price = "50000", off_tick = "50000.001",
    dear = { qty = "90" } },
  bybit = { symbol = "BTC/USDT", qty = "0.01", price = "58000", off_tick = "58000.01",
    dear = { qty = "80" } },
  oanda = { symbol = "EUR/USD", qty = "100", price = "1.0", off_tick = "1.000001",
    dear = { qty = "9000000", type = "market", price = false } },
}

for name, its in pairs(VENUES) do
  describe("an error of " .. name .. " #error-handling #leaves-orders #" .. name, function()
    local venue
    before_each(function() venue = smc.venue(name) end)

    local function place(more)
      local given = { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty, price = its.price }
      for key, value in pairs(more or {}) do given[key] = value or nil end
      return venue:place(given)
    end

    local function is_of(class, value, err)
      assert.is_nil(value)
      assert.equal(class, err.class)
      assert.equal(AGAIN[class] or false, err.retryable)
      assert.equal(name, err.venue)
    end

    --- What the sandbox is made to do, then a read.
    local function read_with(fault)
      assert(venue:balances())
      venue:fault(fault)
      return venue:balances()
    end

    it("is of class network when nobody is there", function()
      is_of("network", read_with { venue = "down" })
    end)

    it("is of class rate_limit when we ask too much", function()
      is_of("rate_limit", read_with { venue = "rate_limit", seconds = 30 })
    end)

    it("is of class ip_ban when we are shut out", function()
      is_of("ip_ban", read_with { venue = "ban", seconds = 30 })
    end)

    it("is of class invalid_request for a question that makes no sense", function()
      assert(venue:candles(its.symbol, "1m"))
      is_of("invalid_request", venue:candles(its.symbol, "7x"))
    end)

    it("is of class filter for a price that is off the tick", function()
      assert(place())
      is_of("filter", place { price = its.off_tick })
    end)

    it("is of class insufficient_funds for more than we can pay", function()
      assert(place())
      local order, err
      repeat order, err = place(its.dear) until not order
      is_of("insufficient_funds", order, err)
    end)

    it("is of class unknown_order for an order that is not there", function()
      assert(place())
      is_of("unknown_order", venue:cancel { symbol = its.symbol, id = "999999999" })
    end)

    it("is of class duplicate_order for a client id that is taken", function()
      local mine = "mine-" .. smc.wall() -- a testnet remembers names
      assert(place { client_id = mine })
      is_of("duplicate_order", place { client_id = mine })
      assert.equal(1, #venue.sandbox:orders { client_id = mine })
    end)

    it("is of class unknown_outcome when nobody knows what became of an order #virtual-time", function()
      assert(place())
      venue:fault { venue = "reset", on = "place" }
      is_of("unknown_outcome", place { client_id = "mine-2" })
    end)

    it("is of class circuit_open when the breaker has had enough", function()
      assert(venue:balances())
      venue:fault { venue = "status", status = 500 }
      local balances, err
      repeat balances, err = venue:balances() until err.class ~= "server"
      assert.is_nil(balances)
      assert.same({ "circuit_open", false }, { err.class, err.sent })
    end)
  end)
end

for name, its in pairs(VENUES) do
  it("a market of " .. name .. " that is halted is of class market_closed #error-handling", function()
    local venue = smc.venue(name)
    local order = { symbol = its.symbol, side = "buy", type = "market", qty = its.qty }
    assert(venue:place(order))
    venue:fault { venue = "halt", symbol = its.symbol }
    local placed, err = venue:place(order)
    assert.is_nil(placed)
    assert.equal("market_closed", err.class)
    assert(venue:heal "halt")
    assert(venue:place(order))
  end)
end

for _, name in ipairs { "binance", "bybit" } do
  it("a clock of " .. name .. " that is wrong is of class clock_skew, until it is measured #error-handling", function()
    local venue = smc.venue(name)
    venue:fault { venue = "skew", seconds = 30 }
    local balances, err = venue:balances()
    assert.is_nil(balances)
    assert.same({ "clock_skew", false }, { err.class, err.retryable })
    assert(venue:sync())
    assert(venue:balances())
  end)
end

for name, venue_of in pairs {
  bybit = function()
    local box = smc.venue("bybit").sandbox
    local key = box:add_key { kind = "hmac", secret = "a-secret-that-may-look", trade = false }
    return smc.venue("bybit", { key = key, secret = "a-secret-that-may-look" })
  end,
  oanda = function() return smc.venue("oanda", { key = "101-004-7654321-001" }) end,
} do
  it("what " .. name .. " does not let us do is of class permission #error-handling", function()
    local venue, its = venue_of(), VENUES[name]
    local order, err = venue:place { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty,
      price = its.price }
    assert.is_nil(order)
    assert.same({ "permission", false }, { err.class, err.retryable })
    assert.equal(0, #venue.sandbox:orders())
  end)
end
