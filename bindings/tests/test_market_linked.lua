-- Orders that belong together: one cancels the other, one after the other.
local decimal = require "smc.decimal"
local market = require "smc.core.market"
local rng = require "smc.core.rng"

local START = 1767571200000

local m, alice, bob

local function limit(account, side, qty, price, more)
  local request = { account = account, symbol = "BTCUSDT", side = side, type = "limit", qty = qty, price = price }
  for key, value in pairs(more or {}) do request[key] = value end
  return m:place(request)
end

local function print_at(price)
  assert(limit(bob, "sell", "0.001", price))
  assert(limit(bob, "buy", "0.001", price))
end

local function stop(side, qty, price, more)
  local request = { account = alice, symbol = "BTCUSDT", side = side, type = "market", qty = qty,
    trigger = { price = price, by = "last", when = side == "sell" and "falls" or "rises" } }
  for key, value in pairs(more or {}) do request[key] = value end
  return m:place(request)
end

local function of(id) return m:order { account = alice, symbol = "BTCUSDT", id = id } end
local function ended(id) return { of(id).status, of(id).reason } end

local function locked(asset)
  for _, b in ipairs(m:balances(alice)) do
    if b.asset == asset then return b.locked end
  end
end

before_each(function()
  m = market.new { seed = 7, now_ms = START }
  m:instrument { symbol = "BTCUSDT", base = "BTC", quote = "USDT", tick = "0.01", step = "0.001" }
  alice, bob = m:account { name = "alice" }, m:account { name = "bob" }
  for _, account in ipairs { alice, bob } do
    m:credit(account, "USDT", "100000")
    m:credit(account, "BTC", "100")
  end
  print_at "100"
  assert(limit(bob, "buy", "10", "90"))
  assert(limit(bob, "sell", "10", "110"))
end)

describe("orders of one group", function()
  local above, below

  before_each(function()
    local link = m:new_link()
    below = assert(stop("sell", "2", "95", { link = link })).id
    above = assert(limit(alice, "sell", "2", "105", { link = link })).id
  end)

  it("lock once what the greatest of them needs", function()
    assert.equal("2", locked "BTC")
    m:cancel { account = alice, symbol = "BTCUSDT", id = below }
    assert.same({ "2", "new" }, { locked "BTC", of(above).status })
    m:cancel { account = alice, symbol = "BTCUSDT", id = above }
    assert.equal("0", locked "BTC")

    local link = m:new_link()
    local dear = assert(stop("buy", "2", "120", { link = link })).id
    assert(limit(alice, "buy", "2", "80", { link = link }))
    assert.equal("240", locked "USDT")
    m:cancel { account = alice, symbol = "BTCUSDT", id = dear }
    assert.equal("160", locked "USDT")
  end)

  it("end when one of them trades, be it in part", function()
    m:want("orders")
    limit(bob, "buy", "0.5", "105")
    assert.same({ "canceled", "linked" }, ended(below))
    assert.same({ "partially_filled", "1.5" }, { of(above).status, locked "BTC" })
    local told = {}
    for _, e in ipairs(m:events()) do
      if e.type == "order" and e.account == alice then told[#told + 1] = e.exec .. " " .. e.order.id end
    end
    assert.same({ "canceled " .. below, "trade " .. above }, told)
  end)

  it("end when one of them fires", function()
    print_at "95"
    assert.same({ "filled", "canceled", "linked" }, { of(below).status, table.unpack(ended(above)) })
    assert.same({ "0", 0 }, { locked "BTC", m:count(alice) })
  end)

  it("end when one fires, though it does not trade and another held the lock", function()
    m:cancel_all { account = alice }
    local link = m:new_link()
    local low = assert(stop("sell", "99", "95", { link = link, type = "limit", price = "96" })).id
    local high = assert(limit(alice, "sell", "100", "105", { link = link })).id
    print_at "95"
    assert.same({ true, "99", "canceled" }, { of(low).on_book, locked "BTC", of(high).status })
  end)

  it("are of one side, and but one of them works", function()
    local link = m:new_link()
    assert(limit(alice, "sell", "1", "105", { link = link }))
    assert.same({ nil, "invalid_combination" }, { limit(alice, "sell", "1", "106", { link = link }) })
    assert.same({ nil, "invalid_combination" }, { stop("buy", "1", "120", { link = link }) })
    local amended, why = m:amend { account = alice, symbol = "BTCUSDT", id = above, qty = "1" }
    assert.same({ nil, "invalid_combination" }, { amended, why })
  end)

  it("become smaller together", function()
    m:want("orders")
    local amended = assert(m:amend { account = alice, symbol = "BTCUSDT", id = above, qty = "0.5",
      keep_priority = true, new_client_id = "less" })
    assert.same({ "less", "0.5", "0.5", "0.5" }, { amended.client_id, amended.qty, of(below).qty, locked "BTC" })
    local told = {}
    for _, e in ipairs(m:events()) do
      if e.type == "order" then told[#told + 1] = e.exec .. " " .. e.order.id end
    end
    assert.same({ "replaced " .. below, "replaced " .. above }, told)
    assert.equal("0.5", m:book("BTCUSDT").asks[1][2])
    limit(bob, "buy", "1", "105")
    assert.same({ "filled", "0", "0.5" }, { of(above).status, locked "BTC", of(above).filled })

    local link = m:new_link()
    local dear = assert(stop("buy", "2", "120", { link = link })).id
    assert(limit(alice, "buy", "1", "80", { link = link }))
    assert(m:amend { account = alice, symbol = "BTCUSDT", id = dear, qty = "1.5", keep_priority = true })
    assert.equal("180", locked "USDT")
  end)

  it("are judged by what they need together", function()
    local link = m:new_link()
    assert(stop("sell", "97", "95", { link = link }))
    assert(limit(alice, "sell", "98", "105", { link = link }))
    assert.equal("100", locked "BTC")
    link = m:new_link()
    assert.same({ nil, "insufficient_funds" }, { stop("sell", "1", "95", { link = link }) })
  end)
end)

describe("an order after another", function()
  local first, second

  before_each(function()
    first = assert(limit(alice, "buy", "2", "99")).id
    m:want("orders")
    second = assert(limit(alice, "sell", "2", "120", { after = first, client_id = "later" })).id
    assert.is_false(m:events()[1].order.on_book)
  end)

  it("waits, and locks nothing", function()
    local order = of(second)
    assert.same({ "new", first, false, "0" }, { order.status, order.after, order.on_book, locked "BTC" })
    assert.is_nil(order.working_ms)
    assert.equal(second, m:order { account = alice, symbol = "BTCUSDT", client_id = "later" }.id)
    assert.same({ nil, "unknown_order" }, { limit(alice, "sell", "1", "120", { after = 99 }) })
  end)

  it("works as soon as that is filled, and not before", function()
    limit(bob, "sell", "1", "99")
    assert.equal(first, of(second).after)
    limit(bob, "sell", "1", "99")
    local order = of(second)
    assert.same({ true, START, "2" }, { order.on_book, order.working_ms, locked "BTC" })
    assert.is_nil(order.after)
    local told = {}
    for _, e in ipairs(m:events()) do
      if e.type == "order" and e.account == alice then told[#told + 1] = e.exec .. " " .. e.order.id end
    end
    assert.same({ "trade " .. first, "trade " .. first, "released " .. second }, told)
  end)

  it("works at once when that is filled already, and not at all when it was cancelled", function()
    local done = assert(limit(alice, "buy", "1", "110")).id
    assert.equal("filled", of(done).status)
    assert.is_true(of(assert(limit(alice, "sell", "1", "130", { after = done })).id).on_book)
    m:cancel { account = alice, symbol = "BTCUSDT", id = first }
    assert.same({ "canceled", "linked" }, ended(second))
    assert.same({ "canceled", "linked" }, ended(assert(limit(alice, "sell", "1", "130", { after = first })).id))
  end)

  it("may become smaller before", function()
    assert.equal("1", assert(m:amend { account = alice, symbol = "BTCUSDT", id = second, qty = "1",
      keep_priority = true }).qty)
    assert.equal("0", locked "BTC")
    limit(bob, "sell", "2", "99")
    assert.same({ "1", true }, { locked "BTC", of(second).on_book })
  end)

  it("may be a group that waits for a price", function()
    local link = m:new_link()
    local low = assert(stop("sell", "2", "92", { link = link, after = first })).id
    local high = assert(limit(alice, "sell", "2", "105", { link = link, after = first })).id
    assert.equal("0", locked "BTC")
    limit(bob, "sell", "2", "99")
    assert.same({ "4", true, "92" }, { locked "BTC", of(high).on_book, of(low).trigger_price }) -- and `second`
    print_at "92"
    assert.same({ "filled", "canceled" }, { of(low).status, of(high).status })
  end)

  it("ends with the reason when it can't work then", function()
    local low = assert(stop("sell", "2", "101", { after = first })).id
    limit(bob, "sell", "2", "99")
    assert.same({ "expired", "trigger_failed", "would_trigger" }, { of(low).status, of(low).reason, of(low).reject })
  end)
end)

-- The law: what is locked is the sum over single orders and groups of what they need, a group needing what its greatest
-- member does; and of a group at most one member ever trades.
describe("linked orders at random", function()
  local random = rng.new(11, "linked")

  local function need(order) return order.working_ms and order.status == "filled" and "0" or order.qty end

  local function check()
    local single, groups, traded = "0", {}, {}
    for _, o in ipairs(m:orders { account = alice }) do
      local open = o.status == "new" or o.status == "partially_filled"
      local left = decimal.sub(need(o), o.filled)
      if o.link and o.filled ~= "0" then
        assert.is_nil(traded[o.link])
        traded[o.link] = true
      end
      if open and o.side == "sell" and not o.after then
        if o.link then
          groups[o.link] = decimal.cmp(left, groups[o.link] or "0") > 0 and left or groups[o.link]
        else
          single = decimal.add(single, left)
        end
      end
    end
    for _, most in pairs(groups) do single = decimal.add(single, most) end
    assert.equal(single, locked "BTC")
  end

  local function price(low, high) return tostring(random:int(low, high)) end

  local steps = {
    function() limit(alice, "sell", price(1, 3), price(101, 109)) end,
    function()
      local link = m:new_link()
      stop("sell", price(1, 3), price(91, 99), { link = link })
      limit(alice, "sell", price(1, 3), price(101, 109), { link = link })
    end,
    function()
      local first, link = limit(alice, "buy", "1", price(91, 99)), m:new_link()
      if not first then return end
      stop("sell", price(1, 2), price(91, 99), { link = link, after = first.id })
      limit(alice, "sell", "1", price(101, 109), { link = link, after = first.id })
    end,
    function() limit(bob, "buy", price(1, 2), price(100, 109), { tif = "ioc" }) end,
    function() limit(bob, "sell", price(1, 2), price(91, 100), { tif = "ioc" }) end,
    function() print_at(price(91, 109)) end,
    function()
      local open = m:orders { account = alice, open = true }
      if #open > 0 then
        m:cancel { account = alice, symbol = "BTCUSDT", id = open[random:int(1, #open)].id }
      end
    end,
  }

  it("lock what they need and no more", function()
    for _ = 1, 250 do
      steps[random:int(1, #steps)]()
      check()
    end
  end)
end)
