-- smc.failover: whom it uses and asks.  The law of the choice is tested in C; here are its words, checks and calls.
local smc = require "smc"

local function says(text, fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.matches("test_failover.lua:%d+: ", err)
  assert.matches(text, err, 1, true)
end

local function causes(group)
  local out = {}
  for i, e in ipairs(group:history()) do
    out[i] = ("%s>%s %s%s"):format(e.from or "none", e.to or "none", e.cause, e.ok and "" or " failed")
  end
  return out
end

describe("smc.failover", function()
  local binance, bybit, oanda
  before_each(function() binance, bybit, oanda = smc.venue "binance", smc.venue "bybit", smc.venue "oanda" end)

  it("names what is wrong with its options", function()
    local function with(options)
      return function()
        table.move({ binance, bybit }, 1, 2, 1, options)
        smc.failover(options)
      end
    end
    says("a list of venues expected", function() smc.failover {} end)
    says("a list of venues, with options by name", function() smc.failover "binance" end)
    says("member 1 is no venue", function() smc.failover { "binance" } end)
    says("binance is a member twice", function() smc.failover { binance, binance } end)
    says("at most 8 venues", function()
      local many = {}
      for i = 1, 9 do many[i] = smc.venue "binance" end
      smc.failover(many)
    end)
    says("member 2 is no venue", function() smc.failover { binance, nil, bybit } end)
    says("unknown option '0'", with { [0] = oanda })
    says("unknown option 'check'", with { check = 5 })
    says("check_every must be a number from 0.001", with { check_every = 0 })
    says("check_timeout must be a number", with { check_timeout = "2" })
    says("absent_after must be a number", with { absent_after = -1 })
    says("smc.failover: alert: a URL, an inbox, or a table", with { alert = 5 })
    says("smc.failover: alert: http://127.0.0.1:9/ needs a secret", with { alert = "http://127.0.0.1:9/" })
    says("smc.failover: alert: unknown option 'to'", with { alert = { to = "me" } })
    says("triggers: unknown key 'speed'", with { triggers = { speed = {} } })
    says("triggers.latency: unknown key 'under'", with { triggers = { latency = { under = 1 } } })
    says("triggers.connection: unknown key 'over'", with { triggers = { connection = { over = 1 } } })
    says("triggers.errors.over must be a whole number", with { triggers = { errors = { over = 1.5 } } })
    says("triggers.latency.for must be a number", with { triggers = { latency = { ["for"] = -1 } } })
    says("triggers.latency.for must be a number", with { triggers = { latency = { for_ = -1 } } })
    says("recover: for and for_ are the same", with { recover = { ["for"] = 1, for_ = 1 } })
    says("alert: https://hooks.slack.com/x: alerts go to this machine alone", with { alert = {
      url = "https://hooks.slack.com/x", secret = "12345678" } })
    says("at least one trigger must be left", with { triggers = { connection = false, latency = false, errors = false,
      rate_limit = false, stream_stale = false, breaker = false, health = false } })
    says("select is \"order\", \"weight\" or \"health\"", with { select = "random" })
    says("select = \"weight\" needs weights", with { select = "weight" })
    says("weights need select", with { weights = { binance = 1 } })
    says("no member is called 'oanda' (there are: binance, bybit)", with { select = "weight", weights = { oanda = 1 } })
    says("weights must be a table", with { select = "weight", weights = 1 })
    says("symbols must be a table", with { symbols = "BTC/USDT" })
    says("weights.bybit must be a whole number", with { select = "weight", weights = { bybit = -1 } })
    says("hysteresis, points of health, needs select", with { hysteresis = 5 })
    says("recover.score must be a whole number from 0 to 100", with { recover = { score = 101 } })
    says("recover: unknown key 'after'", with { recover = { after = 1 } })
    says("cooldown must be a number", with { cooldown = -1 })
    says("failback is \"manual\" or { after = seconds }", with { failback = "auto" })
    says("failback.after must be a number", with { failback = {} })
    says("symbols[\"BTC/USDT\"]: unknown key 'kraken'", with { symbols = { ["BTC/USDT"] = { kraken = "X" } } })
  end)

  it("begins with the first venue", function()
    local group = smc.failover { bybit, binance }
    assert.same({ bybit, binance }, group.venues)
    assert.equal(bybit, group.active)
    assert.equal("normal", group.state)
    assert.same({ true, true, 0 }, { group:is_up(binance), group:is_up "bybit", #group:history() })
  end)

  it("begins with the heaviest", function()
    local group = smc.failover { binance, bybit, select = "weight", weights = { bybit = 2, binance = 1 } }
    assert.equal(bybit, group.active)
    assert.equal("normal", group.state)
    assert(group:switch "binance")
    assert.equal("failed_over", group.state)
  end)

  it("tells venues of one name apart by a number", function()
    local other = smc.venue("binance", { sandbox = smc.sandbox "binance" })
    local group = smc.failover { binance, other }
    assert(group:switch "binance 2")
    assert.equal(other, group.active)
    assert.same({ "binance>binance 2 manual" }, causes(group))
    says("'bybit' is no venue of the group (these are: binance, binance 2)", function() group:switch(bybit) end)
  end)

  it("makes its calls at the active venue", function()
    local group = smc.failover { bybit, binance }
    assert.is_true(assert(group:ping()) >= 0)
    assert.is_true(assert(group:time()) > 0)
    assert.is_true(#assert(group:instruments()) > 0)
    assert.equal("BTC/USDT", assert(group:ticker "BTC/USDT").symbol)
    assert.equal(3, #assert(group:book("BTC/USDT", 3)).bids)
    assert.equal(2, #assert(group:candles("BTC/USDT", "1m", { limit = 2 })))
    assert.equal(4, #assert(group:trades("BTC/USDT", 4)))
    assert.is_true(assert(group:account()).can_trade)
    assert.is_not_nil(assert(group:balances()).USDT)
    assert.same({}, assert(group:positions()))
    assert.same({ {}, {}, {} }, { assert(group:open_orders()), assert(group:orders "BTC/USDT"),
      assert(group:fills "BTC/USDT") })
    assert.same({ {}, { cancelled = {}, closed = {} } }, { assert(group:cancel_all()), assert(group:flatten()) })
    assert.same({}, binance:requests())
    assert.is_true(#bybit:requests() > 12)
  end)

  it("goes on to the next venue with a question that the active one goes down by", function()
    local group = smc.failover { binance, bybit, oanda }
    binance:fault { venue = "down" }
    bybit:fault { venue = "down" }

    assert(group:account())

    assert.equal(oanda, group.active)
    assert.equal("failed_over", group.state)
    assert.same({ "binance>bybit connection failed", "binance>oanda failed" }, causes(group))
    assert.equal("network", group:history()[1].error.class)
  end)

  it("answers with the venue's error where it stays up, after one attempt", function()
    local group = smc.failover { binance, bybit }
    binance:fault { venue = "status", on = "ticker", status = 500 }
    for _, case in ipairs { { "BTC/USDT", "server" }, { "NO/SUCH", "invalid_request" } } do
      local ticker, err = group:ticker(case[1])
      assert.is_nil(ticker)
      assert.same({ case[2], "binance" }, { err.class, err.venue })
      if case[2] == "server" then assert.equal(1, #binance:requests { op = "ticker" }) end
      binance:heal()
    end
    assert.same({}, bybit:requests())
    assert.equal(binance, group.active)
  end)

  it("has no venue while all are down, and one as soon as one is up again", function()
    local group = smc.failover { binance, bybit, recover = { score = 0, for_ = 10 } }
    binance:fault { venue = "down" }
    bybit:fault { venue = "down" }
    for _, op in ipairs { "ping", "cancel_all", "user_stream" } do
      local result, err = group[op](group)
      assert.is_nil(result)
      assert.same({ "no_venue", op, true }, { err.class, err.op, err.retryable })
      assert.matches("binance, bybit", err.message, 1, true)
    end
    assert.is_nil(group.active)
    assert.equal("no_venue", group.state)
    local told = #group:history()
    smc.sleep(20)
    assert.equal(told, #group:history())

    bybit:heal()

    eventually(function() assert.equal(bybit, group.active) end, { within = 20 })
    assert(group:ping())
    local last = table.remove(group:history())
    assert.same({ nil, "bybit", "recovered" }, { last.from, last.to, last.cause })
  end)

  it("needs a venue to be fit for the whole of recover.for", function()
    local group = smc.failover { binance, check_every = 1, recover = { score = 0, ["for"] = 10 } }
    binance:fault { venue = "down" }
    smc.sleep(2)
    assert.is_nil(group.active)
    binance:heal()
    smc.sleep(8)
    binance:fault { venue = "down" }
    smc.sleep(2)
    binance:heal()
    smc.sleep(9.5)
    assert.is_nil(group.active)
    smc.sleep(3)
    assert.equal(binance, group.active)
  end)

  it("does not let a mute venue keep it from checking the others", function()
    local group = smc.failover { binance, bybit, oanda, check_every = 5, check_timeout = 2 }
    binance:fault { venue = "mute" }
    bybit:fault { venue = "down" }
    smc.sleep(5.5)
    assert.same({ true, false }, { group:is_up(binance), group:is_up(bybit) })
    assert.equal(binance, group.active)
    eventually(function() assert.equal(oanda, group.active) end, { within = 2 })
    assert.same({ "binance>oanda connection" }, causes(group))
  end)

  it("does not wait for the answer of a venue that has gone down meanwhile", function()
    local group = smc.failover { binance, bybit, check_every = 1, check_timeout = 0.5 }
    binance:fault { venue = "mute" }
    local began = smc.now()
    assert(group:ticker "BTC/USDT")
    assert.near(1.5, smc.now() - began, 0.1)
    assert.equal(bybit, group.active)
    assert.equal(0, binance.breaker.permits)

    bybit:fault { venue = "mute" }
    began = smc.now()
    local _, err = group:balances()
    assert.equal("no_venue", err.class)
    assert.is_true(smc.now() - began <= 1.6)
  end)

  it("waits for the answer of a venue that it has left for another reason", function()
    local group = smc.failover { binance, bybit }
    binance:fault { venue = "slow", on = "ticker", seconds = 3 }
    local asked = smc.spawn(function() return group:ticker "BTC/USDT" end)
    smc.sleep(1)
    assert(group:switch(bybit))
    assert(asked:join())
    assert.same({}, bybit:requests { op = "ticker" })
    group:close()
  end)

  it("does not take a check for failed that its own limiter kept back", function()
    local busy = smc.venue("binance", { limiter = { raw_requests = { limit = 5, per = 20 } } })
    local group = smc.failover { busy, bybit, check_every = 1 }
    smc.sleep(10)
    assert.same({ busy, 0 }, { group.active, #group:history() })
    assert.is_true(#busy:requests() <= 5)
    binance:fault { venue = "mute" }
    eventually(function() assert.equal(bybit, group.active) end, { within = 25, every = 1 })
  end)

  it("waits for the switch away from a venue that is down", function()
    local group = smc.failover { binance, bybit }
    bybit:fault { venue = "slow", path = "/v5/market/time", seconds = 1.5 }
    binance:fault { venue = "down" }
    local failing = smc.spawn(function() return group:time() end)
    smc.sleep(0.5)
    assert.equal("switching", group.state)
    local began = smc.now()
    assert(group:ticker "BTC/USDT")
    assert.near(1, smc.now() - began, 0.1)
    assert(failing:join())
    local event = group:history()[1]
    assert.near(1.5, event.duration, 0.1)
    assert.equal(1, #group:history())
  end)

  it("blames wrong use on the line that called", function()
    local group = smc.failover { binance, oanda }
    says("place: unknown key 'price_'", function() group:place { symbol = "BTC/USDT", price_ = "1" } end)
    says("place: a table expected", function() group:place(nil) end)
    says("cancel: id or client_id expected", function() group:cancel { symbol = "BTC/USDT" } end)
    says("ticker: a symbol like", function() group:ticker(7) end)
    says("candles: unknown key 'from'", function() group:candles("BTC/USDT", "1m", { from = 1 }) end)
    says("stream: unknown channel 'quote:BTC/USDT'", function() group:stream { "quote:BTC/USDT" } end)
    says("'bybit' is no venue of the group", function() group:cancel { symbol = "X/Y", id = 1, venue = "bybit" } end)
    says("group.active:get(...)", function() group:get "/api/v3/time" end)
    says("fault belongs to one venue", function() group:fault { venue = "down" } end)
    assert.equal("normal", group.state)
  end)

  it("says which venue does not have a symbol", function()
    local group = smc.failover { oanda, binance }
    for _, call in ipairs { function() return group:ticker "BTC/USDT" end,
      function() return group:place { symbol = "BTC/USDT", side = "buy", type = "market", qty = "1" } end,
      function() return group:stream { "ticker:BTC/USDT" } end,
      function() return group:ticker "BTC/USDT:USDT" end } do
      local result, err = call()
      assert.is_nil(result)
      assert.same({ "invalid_request", "no_symbol", "oanda" }, { err.class, err.code, err.venue })
      assert.matches("oanda does not have BTC/USDT", err.message, 1, true)
    end
    assert.equal(oanda, group.active)
  end)

  it("asks a venue for what stands for a symbol there", function()
    local group = smc.failover { oanda, binance, symbols = { ["BTC/USDT"] = { oanda = "XAU/USD" } } }
    local ticker = assert(group:ticker "BTC/USDT")
    assert.equal("BTC/USDT", ticker.symbol)
    assert.is_true(tonumber(ticker.last) < 10000)
    local order = assert(group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "1", price = "1000" })
    assert.same({ "BTC/USDT", "oanda" }, { order.symbol, order.venue })
    assert.equal("BTC/USDT", assert(group:open_orders "BTC/USDT")[1].symbol)
    assert.equal("BTC/USDT", assert(group:cancel { symbol = "BTC/USDT", id = order.id }).symbol)
    assert.equal("XAU/USD", oanda.sandbox:orders()[1].symbol)
    assert(group:switch(binance))
    assert.is_true(tonumber(assert(group:ticker "BTC/USDT").last) > 10000)
  end)

  it("refuses a switch by hand with a reason of its own, and stays as it is", function()
    local group = smc.failover { binance, bybit, oanda }
    oanda:fault { venue = "down" }
    smc.sleep(6)
    bybit:fault { venue = "slow", path = "/v5/market/time", seconds = 1 }
    local first = smc.spawn(function() return group:switch(bybit) end)
    smc.sleep(0.1)
    local codes = {}
    for i, venue in ipairs { binance, bybit, oanda } do
      local ok, err = group:switch(venue)
      assert.same({ nil, "invalid_request", "switch" }, { ok, err.class, err.op })
      codes[i] = err.code
    end
    assert.same({ "switching", "switching", "switching" }, codes)
    assert.equal(binance, group.active)
    assert.is_true(first:join())
    assert.equal("active", select(2, group:switch "bybit").code)
    assert.equal("down", select(2, group:switch "oanda").code)
    assert.same({ "binance>bybit manual" }, causes(group))
  end)

  it("does not switch by hand to a venue that does not answer", function()
    local group = smc.failover { binance, bybit }
    bybit:fault { venue = "down" }
    local ok, err = group:switch(bybit)
    assert.is_nil(ok)
    assert.same({ "network", "bybit" }, { err.class, err.venue })
    assert.equal(binance, group.active)
    assert.same({ "binance>bybit manual failed" }, causes(group))
    assert.is_false(group:is_up(bybit))
  end)

  it("is over once it is closed", function()
    local group = smc.failover { binance, bybit }
    do
      local other <close> = smc.failover { bybit, binance }
      assert.equal("normal", other.state)
      smc.sleep(1)
    end
    group:close()
    group:close()
    assert.same({ "closed", nil }, { group.state, group.active })
    for _, op in ipairs { "ping", "account" } do
      assert.equal("cancelled", select(2, group[op](group)).class)
    end
    assert.equal("cancelled", select(2, group:switch(bybit)).class)
    smc.sleep(30)
    assert.same({ 0, 0 }, { #binance:requests(), #bybit:requests() })
  end)

  it("is told of in the transcript", function()
    local core = require "smc.core.task"
    local group = smc.failover { binance, bybit }
    assert(group:switch(bybit))
    assert.matches("failover +binance %-> bybit: manual, 0%.000 s", core.transcript())
  end)
end)
