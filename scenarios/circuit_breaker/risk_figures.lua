-- What a risk guard's figures are made of: a limit is worth nothing when the number that it bounds is another one.
local smc = require "smc"
local decimal = smc.decimal

describe("the figures of a risk guard #circuit-breaker #bybit #virtual-time", function()
  local venue, guard
  before_each(function()
    venue = smc.venue "bybit"
    guard = assert(smc.risk { venues = { venue }, max_exposure = "10000000" })
  end)

  local function trade(symbol, side, qty)
    assert(venue:place { symbol = symbol, side = side, type = "market", qty = qty })
  end

  it("count what is short like what is long", function()
    trade("BTC/USDT:USDT", "buy", "0.5")
    trade("ETH/USDT:USDT", "sell", "5")
    assert(guard:check())

    local sum = "0"
    for _, held in ipairs(assert(venue:positions())) do
      sum = decimal.add(sum, decimal.mul(held.qty, held.mark))
    end
    assert.near(tonumber(sum), tonumber(guard:figures().exposure), 50) -- it goes by the best prices
    assert.is_true(decimal.lt("40000", guard:figures().exposure), guard:figures().exposure)
  end)

  it("value what is owned at the middle between bid and ask #binance", function()
    local binance = smc.venue "binance"
    binance.sandbox:fund { USDT = "1000", BTC = "2", ETH = "0", BNB = "0" }
    guard = assert(smc.risk { venues = { binance }, max_drawdown = "0.5" })
    local book = binance.sandbox:book("BTC/USDT", 1)
    local middle = decimal.div(decimal.add(book.bids[1][1], book.asks[1][1]), "2", 8)
    assert(guard:check())
    assert.equal(decimal.add("1000", decimal.mul("2", middle)), decimal.add(guard:figures().equity, "0"))
    assert.is_true(decimal.lt(book.bids[1][1], book.asks[1][1]))
  end)

  it("count trades, not fills: a row of losses ends with a gain", function()
    local symbol = "ETH/USDT:USDT"
    guard = assert(smc.risk { venues = { venue }, max_consecutive_losses = 10, check_every = 600 })
    local function losses()
      assert(guard:check())
      return guard:figures().losses
    end
    trade(symbol, "buy", "1")
    assert.equal(0, losses())
    trade(symbol, "sell", "1")
    assert.equal(1, losses())

    trade(symbol, "buy", "100") -- several levels deep, and so is its end
    assert.equal(1, losses())
    trade(symbol, "sell", "100")
    assert.equal(2, losses())
    assert.is_true(#assert(venue:fills(symbol)) > 8)

    smc.sleep(2) -- until others have filled the book
    trade(symbol, "buy", "1")
    venue.sandbox:move(symbol, { by = "0.2" })
    trade(symbol, "sell", "1")
    assert.equal(0, losses())
  end)

  it("take for a loss what earned less than its fee", function()
    local symbol = "BTC/USDT:USDT"
    guard = assert(smc.risk { venues = { venue }, max_consecutive_losses = 10, check_every = 600 })
    trade(symbol, "buy", "0.1")
    local price = decimal.add(decimal.floor_to(assert(venue:positions())[1].entry, "0.1"), "1")
    local exit = assert(venue:place { symbol = symbol, side = "sell", type = "limit", qty = "0.1", price = price })
    if exit.status == "open" then venue.sandbox:fill { client_id = exit.client_id } end
    local fill = assert(venue:fills(symbol, { order_id = exit.id }))[1]
    assert.is_true(decimal.lt("0", fill.realized or "0.1") and decimal.lt("0.1", fill.fee))
    assert(guard:check())
    assert.equal(1, guard:figures().losses)
  end)

  it("count refusals and failures among the calls of the last while, and no others", function()
    venue = smc.venue("bybit", { breaker = false, obey_limits = false })
    guard = assert(smc.risk { venues = { venue }, max_error_rate = 1, error_window = 5, check_every = 600 })
    local function share()
      assert(guard:check())
      return guard:figures().error_rate
    end
    smc.sleep(6)
    for _, status in ipairs { 500, 429, 403 } do
      venue:fault { venue = "http", status = status, on = "time", count = 4 }
      for _ = 1, 4 do assert.is_nil((venue:time())) end
    end
    for _ = 1, 7 do assert(venue:time()) end
    local calls = 19
    assert(guard:check()) -- and what that look itself has asked
    local asked = #venue:requests { after = smc.now() - 5 }
    assert.near(12 / asked, guard:figures().error_rate, 0.001)
    assert.is_true(asked > calls)
    smc.sleep(6)
    for _ = 1, 10 do assert(venue:time()) end
    assert.equal(0, share())
  end)

  it("take the largest position for the concentration, whichever it is", function()
    guard = assert(smc.risk { venues = { venue }, max_concentration = "0.9", check_every = 600 })
    for _, held in ipairs { { "BTC/USDT:USDT", "0.1", 6000 }, { "ETH/USDT:USDT", "10", 30000 },
      { "BNB/USDT:USDT", "100", 60000 } } do
      trade(held[1], "buy", held[2])
      assert(guard:check())
      local equity = tonumber(guard:figures().equity)
      assert.near(held[3] / equity, tonumber(guard:figures().concentration), held[3] / 50 / equity)
    end
    trade("BTC/USDT:USDT", "sell", "0.05")
    assert(guard:check())
    assert.near(60000 / tonumber(guard:figures().equity), tonumber(guard:figures().concentration), 0.01)
  end)

  it("tell no share of failed calls before there are ten", function()
    venue = smc.venue("bybit", { breaker = false })
    guard = assert(smc.risk { venues = { venue }, max_error_rate = 0.1, check_every = 600, error_window = 5 })
    smc.sleep(6)
    venue:fault { venue = "http", status = 500, on = "time", count = 3 }
    for _ = 1, 3 do assert.is_nil((venue:time())) end
    assert(guard:check()) -- asks a few times itself
    assert.same({ "closed", nil }, { guard.state, guard:figures().error_rate })
    for _ = 1, 5 do assert(venue:time()) end
    assert(guard:check())
    assert.equal("open", guard.state)
  end)
end)
