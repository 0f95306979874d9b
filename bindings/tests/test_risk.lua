-- What a risk guard reckons with: the core's face, prices, returns, trades.  The guard itself: test_risk_guard.lua.
local core = require "smc.core.risk"
local prices = require "smc.risk.prices"
local smc = require "smc"
local decimal = smc.decimal
local spot = require "smc.risk.spot"
local statistics = require "smc.risk.statistics"
local trades = require "smc.risk.trades"

local function says(text, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.matches(text, err, 1, true)
end

describe("smc.core.risk", function()
  it("judges what it is shown, and gives money back as text", function()
    local guard = core.new(nil, { drawdown = "0.1", daily_loss = "50", exposure = "300", concentration = "0.5",
      var = 0.5, correlation = 0.9, error_rate = 0.5, losses = 3, trial_ms = 1000 })
    local returns = {}
    for i = 1, 20 do returns[i] = -0.01 end
    local view = { equity = "900.5", peak = "1000", day_start = "940", positions = { "100.25", "-200" },
      returns = returns, correlations = { 1, -0.5, -0.5, 1 }, n_assets = 2, losses = 3, calls = 10, errors = 5 }
    assert.is_true(guard:look(view))
    assert.same({ "exposure" }, guard:violated())
    assert.equal("tripped", guard:state())
    local seen = guard:seen()
    assert.near(0.01, seen.var, 1e-12)
    seen.var = nil
    assert.equal("integer", math.type(seen.losses))
    assert.same({ drawdown = "0.0995", daily_loss = "39.5", exposure = "300.25", losses = 3.0, correlation = 0.5,
      concentration = "0.2220988339811216", error_rate = 0.5 }, seen)
    view.positions = {}
    assert.is_true(guard:reset(view))
    assert.equal("trial", guard:state())
  end)

  it("judges ten thousand times alike, over 250 returns, and trips once when the first of them is too much", function()
    local limits = { drawdown = "0.1", exposure = "300", var = 0.04, correlation = 0.9, losses = 3 }
    local guard = core.new(nil, limits)
    local returns = {}
    for i = 1, 250 do returns[i] = i <= 12 and -0.03 or 0.001 end -- a little less than a twentieth of them are losses
    local view = { equity = "950", peak = "1000", positions = { "100", "-100" }, returns = returns,
      correlations = { 1, 0.5, 0.5, 1 }, n_assets = 2, losses = 2 }
    guard:look(view)
    local first = guard:seen()
    for _ = 1, 10000 do
      if guard:look(view) or guard:state() ~= "armed" then error "it tripped" end
      if guard:seen().var ~= first.var then error "another value at risk" end
    end
    assert.is_true(first.var < 0.04)

    for i = 1, 20 do returns[i] = -0.05 end
    local trips = 0
    for _ = 1, 100 do trips = trips + (guard:look(view) and 1 or 0) end
    assert.same({ 1, "tripped", { "var" } }, { trips, guard:state(), guard:violated() })
  end)

  it("says why it is not reset, and what may be placed", function()
    local guard, view = core.new(nil, { losses = 1 }), { losses = 2 }
    assert.same({ nil, "nothing", "it is armed: there is nothing to reset" }, { guard:reset(view) })
    guard:look(view)
    assert.same({ nil, "persists", "losses is still beyond its limit" }, { guard:reset(view) })
    assert.same({ false, true }, { guard:may_place(false), guard:may_place(true) })
    assert.same({ true, false }, { guard:stop(), guard:stop() })
    assert.is_false(guard:may_place(true))
    guard:set_limits { losses = 2 }
    assert.is_true(guard:reset(view))
  end)

  it("is blind when it is told so", function()
    local guard = core.new(nil, {})
    assert.is_false(guard:look {})
    assert.is_true(guard:look { blind = true })
    assert.same({ "data" }, guard:violated())
  end)

  it("refuses what it can't read, by name", function()
    says("drawdown must be 0 to 1", core.new, nil, { drawdown = "1.1" })
    says("exposure must be a decimal string", core.new, nil, { exposure = 5 })
    says("var must be a number", core.new, nil, { var = {} })
    says("losses must be a whole number", core.new, nil, { losses = 1.5 })
    local guard = core.new(nil, {})
    says("positions must be a decimal string", guard.look, guard, { positions = { "x" } })
    says("number expected", guard.look, guard, { returns = { "x" } })
    says("n_assets x n_assets cells", guard.look, guard, { correlations = { 1 }, n_assets = 2 })
  end)
end)

-- ---- prices ----------------------------------------------------------------------------------

--- A venue that has these books: symbol -> { bid, ask }.
local function shop(books)
  local venue = { name = "shop", asked = 0 }
  function venue.instruments()
    local out = {}
    for symbol in pairs(books) do
      local base, quote = symbol:match "^(%u+)/(%u+)"
      out[#out + 1] = { symbol = symbol, base = base, quote = quote, step = "0.1", min_qty = "0.2", max_qty = "50",
        min_notional = "10" }
    end
    table.sort(out, function(a, b) return a.symbol < b.symbol end)
    return out
  end
  function venue.book(_, symbol)
    venue.asked = venue.asked + 1
    local b = books[symbol]
    if not b then return nil, { class = "network" } end
    return { bids = { b[1] and { b[1], "1" } }, asks = { b[2] and { b[2], "1" } } }
  end
  return venue
end

local PAR = { USD = true, USDT = true }

describe("a price", function()
  local books = { ["BTC/USDT"] = { "100", "102" }, ["ETH/BTC"] = { "0.1", "0.1" }, ["USD/JPY"] = { "199", "201" },
    ["EUR/JPY"] = { "300", "300" }, ["ONE/USDT"] = { "1" }, ["SOL/USDT:USDT"] = { "5", "5" } }

  it("is the middle of the book, straight, inverted, or over another asset", function()
    local p = prices.new(shop(books), "USD", PAR)
    for asset, price in pairs { USD = "1", USDT = "1", BTC = "101", ETH = "10.1", JPY = "0.005", EUR = "1.5" } do
      assert.equal(price, (p:of(asset)), asset)
    end
    assert.equal("1", (prices.new(shop(books), "EUR", {}):of "EUR"))
  end)

  it("is asked for once a look", function()
    local venue = shop(books)
    local p = prices.new(venue, "USD", PAR)
    for _ = 1, 3 do p:of "BTC" end
    assert.equal(1, venue.asked)
    p:begin()
    p:of "BTC"
    assert.equal(2, venue.asked)
  end)

  it("is none where a side is missing, where nothing tells it, and where a contract alone does", function()
    local p = prices.new(shop(books), "USD", PAR)
    local silent = { ONE = "no bid, or no ask", XYZ = "nothing tells what XYZ is in USD", SOL = "nothing tells" }
    for asset, text in pairs(silent) do
      local price, err = p:of(asset)
      assert.same({ nil, "protocol", "no_price" }, { price, err.class, err.code })
      assert.matches(text, err.message, 1, true)
    end
    local _, err = prices.new(shop(books), "USD", {}):of "USDT"
    assert.matches("nothing tells what USDT is in USD", err.message, 1, true)
  end)
end)

describe("assets to sell", function()
  it("are those that are enough for an order, in whole steps, and no money", function()
    local venue = shop { ["BTC/USDT"] = { "100", "100" }, ["ETH/USDT"] = { "10", "10" }, ["ADA/USDT"] = { "1", "1" },
      ["DOT/USDT"] = { "60", "60" } }
    function venue.balances()
      return { USDT = { total = "5" }, BTC = { total = "1.27" }, ETH = { total = "0.19" }, ADA = { total = "9.9" },
        DOT = { total = "51" }, XYZ = { total = "7" } }
    end
    local options = { currency = "USD" }
    local s = spot.new(venue, prices.new(venue, "USD", PAR), options)
    assert.same({ { symbol = "BTC/USDT", side = "sell", type = "market", qty = "1.2" },
      { symbol = "DOT/USDT", side = "sell", type = "market", qty = "50" } }, (s:sales()))
    options.assets = { DOT = true }
    assert.equal("DOT/USDT", s:sales()[1].symbol)
  end)

  it("are sold by a market order for no more than is owned", function()
    local s = spot.new({}, prices.new({}, "USD", PAR), { currency = "USD" })
    local owned = { BTC = { total = "2" } }
    local function sells(changes)
      local order = { symbol = "BTC/USDT", side = "sell", type = "market", qty = "2" }
      for name, value in pairs(changes) do order[name] = value end
      return s:sells(order, owned)
    end
    assert.is_true(sells {})
    for _, changes in ipairs { { side = "buy" }, { type = "limit" }, { qty = "2.1" }, { qty = "x" },
      { symbol = "ETH/USDT" }, { symbol = "BTC/EUR" }, { symbol = "BTC/USDT:USDT" }, { symbol = 5 } } do
      assert.is_false(sells(changes))
    end
  end)
end)

-- ---- returns ---------------------------------------------------------------------------------

describe("returns", function()
  it("are changes of equity from one look to the next", function()
    local s = statistics.new()
    for _, equity in ipairs { 100, 110, 99 } do s:sample(equity, {}) end
    assert.equal(2, #s.returns)
    assert.near(0.1, s.returns[1], 1e-12)
    assert.near(-0.1, s.returns[2], 1e-12)
    for i = 1, 1100 do s:sample(100 + i % 2, {}) end
    assert.equal(1000, #s.returns)
  end)

  --- Prices of `n` looks; step(i) -> the relative change of each asset.
  local function moved(n, step)
    local s, at = statistics.new(), { A = 100, B = 50, C = 10 }
    for i = 1, n do
      for asset, change in pairs(step(i)) do at[asset] = at[asset] * (1 + change) end
      s:sample(1, at)
    end
    return s
  end

  it("of assets move together, against each other, or not at all", function()
    local s = moved(21, function(i)
      local x = (i * 7 % 5 - 2) / 100
      return { A = x, B = -x / 2, C = 0 }
    end)
    local assets, cells = s:correlations()
    assert.same({ "A", "B", "C" }, assets)
    for i, wanted in ipairs { 1, -1, 0, -1, 1, 0, 0, 0, 1 } do assert.near(wanted, cells[i], 1e-9) end
  end)

  it("say nothing before there are twenty, nor of what is not held any more", function()
    local function step(i) return { A = i % 2 / 100, B = i % 2 / 100 } end
    local s = moved(20, step) -- 19 returns
    assert.equal(0, select(2, s:correlations())[2])
    s:sample(1, { A = 1, B = 1 })
    assert.near(1, select(2, s:correlations())[2], 0.1)
    s:sample(1, { A = 2 })
    assert.same({ "A" }, (s:correlations()))
    s:sample(1, { A = 3, B = 2 })
    assert.equal(0, select(2, s:correlations())[2], "B begins anew")
  end)

  it("agree with the correlation by its definition", function()
    local random = require("smc.core.rng").new(3, "correlation")
    for _ = 1, 50 do
      local n, mix = 20 + random:int(0, 30), random:float() * 2 - 1
      local a, b = {}, {}
      local s = moved(n + 1, function(i)
        a[i] = (random:float() - 0.5) / 10
        b[i] = mix * a[i] + (random:float() - 0.5) / 20
        return { A = a[i], B = b[i] }
      end)
      table.remove(a, 1)
      table.remove(b, 1)
      local ea, eb, eab, eaa, ebb = 0, 0, 0, 0, 0
      for i = 1, n do
        ea, eb, eab = ea + a[i] / n, eb + b[i] / n, eab + a[i] * b[i] / n
        eaa, ebb = eaa + a[i] ^ 2 / n, ebb + b[i] ^ 2 / n
      end
      local wanted = (eab - ea * eb) / math.sqrt((eaa - ea ^ 2) * (ebb - eb ^ 2))
      assert.near(wanted, select(2, s:correlations())[2], 1e-9)
    end
  end)
end)

-- ---- trades ----------------------------------------------------------------------------------

describe("losing trades in a row", function()
  local account, counter, told, clock

  before_each(function()
    told, clock = {}, 1000
    local venue = { name = "shop" }
    function venue.time() return clock end
    function venue.fills(_, symbol, span)
      local out = {}
      for _, f in ipairs(told) do
        if f.symbol == symbol and f.time >= span.since then out[#out + 1] = f end
      end
      return out
    end
    account = { venue = venue, index = 1, placed = { ["BTC/USDT"] = true } }
    counter = trades.new()
    assert.is_true(counter:read(account, {}))
  end)

  --- Trades as "buy 2@100"; with an order id: "buy 2@100 #7"; with a fee: "-0.5".
  local function trade(...)
    for _, text in ipairs { ... } do
      local side, qty, price = text:match "^(%a+) ([%d.]+)@([%d.]+)"
      clock = clock + 1
      told[#told + 1] = { id = tostring(#told + 1), order_id = text:match "#(%d+)" or "o" .. #told, symbol = "BTC/USDT",
        side = side, qty = qty, price = price, fee = text:match " %-([%d.]+)" or "0", fee_asset = "USDT", time = clock,
        realized = text:match "pl=([-%d.]+)" }
    end
    assert.is_true(counter:read(account, {}))
    return counter.losses
  end

  it("are counted when a position becomes smaller, long or short", function()
    assert.equal(0, trade "buy 2@100")
    assert.equal(1, trade "sell 1@99")
    assert.equal(2, trade "sell 1@98")
    assert.equal(2, trade "sell 1@100")
    assert.equal(3, trade "buy 1@101")
    assert.equal(0, trade("buy 1@100", "sell 1@101"))
  end)

  it("are reckoned by average cost", function()
    assert.equal(0, trade("buy 1@100", "buy 1@110", "sell 1@106")) -- 105 on average
    assert.equal(1, trade "sell 1@104")
  end)

  it("are one for the fills of one order, whatever they come to one by one", function()
    trade "buy 4@100"
    assert.equal(1, trade("sell 1@99 #7", "sell 1@98 #7"))
    assert.equal(0, trade "sell 1@104 #7")
    assert.equal(1, trade "sell 1@99 #8")
  end)

  it("turn a position over when more is sold than held", function()
    assert.equal(1, trade("buy 1@100", "sell 3@90")) -- 10 lost, 2 short at 90
    assert.equal(0, trade "buy 1@89")
    assert.equal(1, trade "buy 1@91")
  end)

  it("count the fees, and break even changes nothing", function()
    assert.equal(1, trade("buy 2@100", "sell 1@101 -1.5"))
    assert.equal(1, trade "sell 1@100")
  end)

  it("believe a venue that tells what it made", function()
    assert.equal(1, trade("buy 1@100 pl=0", "sell 1@105 pl=-3"))
    assert.equal(0, trade("buy 1@100 pl=0", "sell 1@95 pl=2"))
  end)

  it("are told once, from what was held at the beginning", function()
    counter, account.since = trades.new(), nil
    assert.is_true(counter:read(account, { { symbol = "BTC/USDT", side = "short", qty = "2", entry = "100" } }))
    assert.equal(1, trade "buy 1@110")
    assert.equal(1, trade())
    assert.equal(0, trade "buy 1@95")
    counter.losses = 5
    counter:forget()
    assert.equal(0, counter.losses)
  end)

  it("follow the venue where several happen in one instant", function()
    for i, text in ipairs { "buy 3@100", "sell 1@101", "sell 1@99", "sell 1@99" } do
      local side, qty, price = text:match "^(%a+) (%d)@(%d+)$"
      told[i] = { id = tostring(7 + i), order_id = tostring(i), symbol = "BTC/USDT", side = side, qty = qty,
        price = price, fee = "0", fee_asset = "USDT", time = clock } -- ids 8 to 11: as texts they would begin with 10
    end
    assert.is_true(counter:read(account, {}))
    assert.equal(2, counter.losses)
  end)

  it("make what came in less what went out, with what is still held at the last price", function()
    local random = require("smc.core.rng").new(9, "trades")
    for _ = 1, 40 do
      local held, made, cash = nil, "0", "0"
      local side, qty, price
      for _ = 1, 50 do
        side = random:int(0, 1) == 0 and "buy" or "sell"
        qty, price = tostring(random:int(1, 9)), ("%d.%d"):format(random:int(90, 110), random:int(0, 9))
        local profit
        profit, held = trades.reckon(held, { side = side, qty = qty, price = price })
        made = decimal.add(made, profit or "0")
        local paid = decimal.mul(qty, price)
        cash = side == "buy" and decimal.sub(cash, paid) or decimal.add(cash, paid)
      end
      local unrealized = decimal.mul(held.qty, decimal.sub(price, held.price), 18)
      local worth = decimal.add(cash, decimal.mul(held.qty, price))
      assert.near(tonumber(worth), tonumber(decimal.add(made, unrealized)), 1e-9)
    end
  end)

  it("are not known when the fills are not", function()
    account.venue.fills = function() return nil, { class = "network" } end
    local ok, err = counter:read(account, {})
    assert.same({ nil, "network" }, { ok, err.class })
  end)
end)

describe("smc.risk", function()
  it("blames wrong use on its caller", function()
    local venue = smc.venue "binance"
    local function wrong(text, given)
      local ok, err = pcall(function() smc.risk(given) end)
      assert.is_false(ok)
      assert.matches("test_risk.lua:%d+: ", err)
      assert.matches(text, err, 1, true)
    end
    wrong("options expected", 5)
    wrong("venues is a list", {})
    wrong("venues is a list", { venues = {} })
    wrong("venues[1] is no venue", { venues = { {} } })
    wrong("venues[2] is no venue", { venues = { venue, nil, smc.venue "bybit" } })
    wrong("assets is a list of assets", { venues = { venue }, assets = { BTC = true } })
    wrong("venues[2] is there twice", { venues = { venue, venue } })
    wrong("unknown option 'max_drawdwon'", { venues = { venue }, max_drawdwon = "0.1" })
    wrong("max_drawdown must be a decimal string above 0 and at most 1", { venues = { venue }, max_drawdown = "1.1" })
    wrong("max_drawdown must be a decimal string", { venues = { venue }, max_drawdown = 0.1 })
    wrong("max_daily_loss must be a decimal string above 0,", { venues = { venue }, max_daily_loss = "0" })
    wrong("max_var must be above 0 and at most 1", { venues = { venue }, max_var = "2" })
    wrong("max_consecutive_losses must be a whole number", { venues = { venue }, max_consecutive_losses = 0.5 })
    wrong("check_every must be a number of seconds from 0.01", { venues = { venue }, check_every = 0 })
    wrong("par is a list of assets", { venues = { venue }, par = "USD" })
    wrong("assets is a list of assets", { venues = { venue }, assets = { 5 } })
    wrong("currency is a currency", { venues = { venue }, currency = 5 })
    wrong("sell_assets is true or false", { venues = { venue }, sell_assets = 1 })
    wrong("needs a secret to sign with", { venues = { venue }, alert = "http://127.0.0.1:1/" })
    wrong("alert: unknown option 'uri'", { venues = { venue }, alert = { uri = "x" } })
    wrong("alert: url is a URL", { venues = { venue }, alert = "x" })
    local url = "http://127.0.0.1:1/"
    for _, secret in ipairs { 5, {}, "", "abc" } do
      wrong("alert: secret is a secret handle, or its text, of at least 4 bytes", { venues = { venue },
        alert = { url = url, secret = secret } })
    end
    wrong("alert: limit must be a whole", { venues = { venue }, alert = { url = url, limit = 0, secret = "secret" } })
    wrong("alert: a URL, an inbox", { venues = { venue }, alert = 5 })
  end)
end)
