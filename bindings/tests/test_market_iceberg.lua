-- Orders of which the book shows only a part at a time.
local decimal = require "smc.decimal"
local market = require "smc.core.market"
local rng = require "smc.core.rng"

local m, alice, bob

local function limit(account, side, qty, price, more)
  local request = { account = account, symbol = "BTCUSDT", side = side, type = "limit", qty = qty, price = price }
  for key, value in pairs(more or {}) do request[key] = value end
  return m:place(request)
end

before_each(function()
  m = market.new { seed = 7, now_ms = 1767571200000 }
  m:instrument { symbol = "BTCUSDT", base = "BTC", quote = "USDT", tick = "0.01", step = "0.001" }
  alice, bob = m:account { name = "alice" }, m:account { name = "bob" }
  for _, account in ipairs { alice, bob } do
    m:credit(account, "USDT", "1000000")
    m:credit(account, "BTC", "1000")
  end
end)

describe("an order that shows a part of itself", function()
  it("fills the next part behind the others at its price", function()
    local hidden = assert(limit(alice, "sell", "10", "100", { display_qty = "3" })).id
    local plain = assert(limit(alice, "sell", "2", "100")).id
    assert.same({ { "100", "5" } }, m:book("BTCUSDT").asks)
    m:want("all")
    local _, fills = limit(bob, "buy", "4", "100")
    assert.same({ "3", "1" }, { fills[1].qty, fills[2].qty })
    assert.same({ { "100", "4" } }, m:book("BTCUSDT").asks) -- 1 of the plain one, then 3
    local levels = {}
    for _, e in ipairs(m:events()) do
      if e.type == "level" then levels[#levels + 1] = e.qty end
    end
    assert.same({ "4" }, levels)
    _, fills = limit(bob, "buy", "2", "100")
    assert.same({ "1", "1" }, { fills[1].qty, fills[2].qty })
    local function filled(id) return m:order { account = alice, symbol = "BTCUSDT", id = id }.filled end
    assert.same({ "4", "2" }, { filled(hidden), filled(plain) })
  end)

  it("locks all of itself, meets takers with all of itself, and shrinks from behind", function()
    local order = assert(limit(alice, "sell", "10", "100", { display_qty = "3" }))
    assert.equal("3", order.display_qty)
    assert.same({ "990", "10" }, { m:balances(alice)[1].free, m:balances(alice)[1].locked })
    assert(m:amend { account = alice, symbol = "BTCUSDT", id = order.id, qty = "4", keep_priority = true })
    assert.same({ { "100", "3" } }, m:book("BTCUSDT").asks)
    assert(m:amend { account = alice, symbol = "BTCUSDT", id = order.id, qty = "2", keep_priority = true })
    assert.same({ { "100", "2" } }, m:book("BTCUSDT").asks)
    assert(m:amend { account = alice, symbol = "BTCUSDT", id = order.id, qty = "9" })
    assert.same({ { "100", "3" } }, m:book("BTCUSDT").asks)
    assert.equal("filled", limit(bob, "buy", "9", "100", { tif = "fok" }).status)
    assert.same({}, m:book("BTCUSDT").asks)
  end)

  it("is taken whole by a market that passes it, and leaves whole", function()
    m:feed { symbol = "BTCUSDT", mid = "100" }
    local order = assert(limit(alice, "sell", "50", "103", { display_qty = "1" }))
    m:move("BTCUSDT", { to = "110" })
    assert.equal("filled", m:order { account = alice, symbol = "BTCUSDT", id = order.id }.status)
    local other = assert(limit(alice, "sell", "50", "150", { display_qty = "1" }))
    assert(limit(alice, "sell", "2", "150"))
    m:cancel { account = alice, symbol = "BTCUSDT", id = other.id }
    local asks = m:book("BTCUSDT").asks
    assert.same({ "150", "2" }, asks[#asks])
  end)

  it("has a price, and parts on the step", function()
    local request = { account = alice, symbol = "BTCUSDT", side = "sell", type = "market", qty = "1",
      display_qty = "1" }
    assert.same({ nil, "invalid_qty" }, { m:place(request) })
    assert.same({ nil, "invalid_qty" }, { limit(alice, "sell", "1", "100", { display_qty = "0.0001" }) })
  end)
end)

-- The law: what takers get does not depend on what is shown, and no level shows more than is there, nor nothing.
describe("orders that show parts of themselves, at random", function()
  it("give what plain ones would", function()
    local random = rng.new(5, "iceberg")
    local shy, open = m, market.new { seed = 7, now_ms = 1767571200000 }
    open:instrument { symbol = "BTCUSDT", base = "BTC", quote = "USDT", tick = "0.01", step = "0.001" }
    for _ = 1, 2 do open:credit(open:account {}, "USDT", "1000000") end
    for account = 1, 2 do open:credit(account, "BTC", "1000") end
    for _ = 1, 400 do
      local maker = random:int(1, 3) < 3
      local side, price = random:int(1, 2) == 1 and "buy" or "sell", tostring(random:int(98, 102))
      local request = { account = maker and alice or bob, symbol = "BTCUSDT", side = side, type = "limit",
        qty = tostring(random:int(1, 9)), price = price, tif = maker and "gtc" or "ioc" }
      local plain = assert(open:place(request))
      if maker then request.display_qty = tostring(random:int(1, 4)) end
      local order = assert(shy:place(request))
      assert.same({ plain.filled, plain.filled_quote }, { order.filled, order.filled_quote })
      local all = open:book("BTCUSDT")
      for name, rows in pairs { bids = all.bids, asks = all.asks } do
        local shown = shy:book("BTCUSDT")[name]
        assert.equal(#rows, #shown)
        for i, row in ipairs(rows) do
          assert.equal(row[1], shown[i][1])
          assert.is_true(decimal.cmp(shown[i][2], row[2]) <= 0 and decimal.cmp(shown[i][2], "0") > 0)
        end
      end
    end
  end)
end)
