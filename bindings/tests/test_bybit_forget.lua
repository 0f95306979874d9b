-- A Bybit sandbox that remembers a bounded number of orders, as `smcrun serve` opens it.
local smc = require "smc"
local boxes = require "smc.sandbox.box"

local SYMBOL, KEEP, PLACED = "BTC/USDT", 200, 420

local function place(venue, given)
  given.symbol, given.side, given.qty = SYMBOL, "buy", "0.01"
  return assert(venue:place(given))
end

describe("a Bybit sandbox with a short memory", function()
  local venue, sandbox
  before_each(function()
    venue = smc.venue "bybit"
    sandbox = venue.sandbox
    sandbox:limit { requests = 1000000, per = 5 }
    boxes.keep(sandbox, KEEP, 200)
  end)

  it("remembers the newest orders and all that are open, and knows no others", function()
    local resting = place(venue, { type = "limit", price = "58000", client_id = "resting" })
    local first = place(venue, { type = "market", client_id = "first" })
    local last
    for i = 1, PLACED do
      last = place(venue, { type = "market", client_id = "order-" .. i })
      if i % 15 == 0 then smc.sleep(1) end
    end

    local ids, orders = {}, assert(venue:orders(SYMBOL, { limit = 50 }))
    for _, o in ipairs(orders) do ids[o.id] = true end
    assert.equal(50, #orders)
    assert.is_true(ids[last.id])
    assert.equal("unknown_order", select(2, venue:order { symbol = SYMBOL, id = first.id }).class)
    assert.equal("unknown_order", select(2, venue:order { symbol = SYMBOL, client_id = "first" }).class)
    assert.equal("unknown_order", select(2, venue:cancel { symbol = SYMBOL, id = first.id }).class)
    assert.equal(last.id, assert(venue:order { symbol = SYMBOL, client_id = "order-" .. PLACED }).id)
    local fills = assert(venue:fills(SYMBOL, { limit = 20 }))
    assert.equal(last.id, fills[#fills].order_id)
    local ledger = boxes.venue(sandbox).ledger
    assert.is_true(#ledger.list <= KEEP // 2 + 2)
    for _, index in ipairs { "by_id", "by_link", "by_engine" } do
      local n = 0
      for _ in pairs(ledger[index]) do n = n + 1 end
      assert.equal(#ledger.list, n, index)
    end
    assert.equal("open", assert(venue:order { symbol = SYMBOL, id = resting.id }).status)
    assert.equal("canceled", assert(venue:cancel { symbol = SYMBOL, client_id = "resting" }).status)
    assert.is_true(place(venue, { type = "market", client_id = "first" }).id > last.id)
  end)

  it("does so after a reset, too", function()
    assert(sandbox:reset())
    sandbox:limit { requests = 1000000, per = 5 }
    for i = 1, KEEP do
      place(venue, { type = "market" })
      if i % 15 == 0 then smc.sleep(1) end
    end
    assert.is_true(#boxes.venue(sandbox).ledger.list <= KEEP // 2)
  end)
end)
