-- An OANDA sandbox that remembers a bounded number of orders, trades and transactions, as `smcrun serve` opens it.
local smc = require "smc"
local boxes = require "smc.sandbox.box"

local SYMBOL, KEEP, PLACED = "EUR/USD", 40, 200

describe("an OANDA sandbox with a short memory", function()
  local venue, sandbox, sb
  before_each(function()
    venue = smc.venue "oanda"
    sandbox = venue.sandbox
    sandbox:limit { requests = 1000000, per = 1 }
    boxes.keep(sandbox, KEEP, 200)
    sb = boxes.venue(sandbox)
  end)

  local function get(path) return venue:get("/v3/accounts/" .. sandbox.account .. path, {}, { signed = true }) end

  local function place(i)
    return assert(venue:place { symbol = SYMBOL, side = i % 2 == 1 and "buy" or "sell", type = "market", qty = "10" })
  end

  local function count(map)
    local n = 0
    for _ in pairs(map) do n = n + 1 end
    return n
  end

  it("remembers the newest and all that is not over, and knows no others", function()
    local resting = assert(venue:place { symbol = SYMBOL, side = "buy", type = "limit", qty = "10", price = "0.5" })
    local held = assert(venue:place { symbol = "USD/JPY", side = "buy", type = "market", qty = "10" })
    local first = place(1)
    for i = 2, PLACED do place(i) end
    local last = place(1)

    assert.is_true(#sb.order_list <= 2 * KEEP + 2 and #sb.trades <= 2 * KEEP + 2)
    assert.equal(#sb.order_list, count(sb.orders))
    assert.equal(#sb.trades, count(sb.trade_by_id))
    assert.is_true(count(sb.log.list) <= 8 * KEEP)
    assert.equal("unknown_order", select(2, venue:order { symbol = SYMBOL, id = first.id }).class)
    assert.equal(last.id, assert(venue:order { symbol = SYMBOL, id = last.id }).id)
    assert.equal("open", assert(venue:order { symbol = SYMBOL, id = resting.id }).status)
    assert.equal("10", assert(get "/openTrades").trades[2].currentUnits)
    assert.equal(held.symbol, "USD/JPY")
    assert.equal("canceled", assert(venue:cancel { symbol = SYMBOL, id = resting.id }).status)
  end)

  it("answers for older transactions with none, or with the part of the range that is left", function()
    for i = 1, PLACED do place(i) end
    local n, oldest = sb.log.n, sb.log.first

    assert.is_true(oldest > 2 and n - oldest + 1 >= 4 * KEEP)
    local _, err = get("/transactions/" .. oldest - 1)
    assert.equal(404, err.http)
    assert.equal(tostring(oldest), assert(get("/transactions/" .. oldest)).transaction.id)
    assert.same({}, assert(get "/transactions/idrange?from=1&to=2").transactions)
    local left = assert(get(("/transactions/idrange?from=%d&to=%d"):format(oldest - 5, oldest + 1))).transactions
    assert.same({ tostring(oldest), tostring(oldest + 1) }, { left[1].id, left[2].id })
    assert.equal(n - oldest + 1, #assert(get "/transactions/sinceid?id=1").transactions)
    assert.equal(n - oldest + 1, assert(get "/transactions").count)
    assert.equal(tostring(n), assert(get "/summary").lastTransactionID)
  end)

  it("goes on with its ids, and does so after a reset, too", function()
    for i = 1, PLACED do place(i) end
    for id, tx in pairs(sb.log.list) do assert.equal(tostring(id), tx.id) end
    assert(sandbox:reset())
    sandbox:limit { requests = 1000000, per = 1 }
    for i = 1, PLACED do place(i) end
    sb = boxes.venue(sandbox)
    assert.is_true(count(sb.log.list) <= 8 * KEEP and #sb.order_list <= 2 * KEEP + 1)
  end)
end)
