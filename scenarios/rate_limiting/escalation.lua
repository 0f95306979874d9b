local smc = require "smc"

-- Who does not obey a limit is shut out, by each venue in its own way; the client sees it as ip_ban.
local function ungoverned(name, assume)
  return smc.venue(name, { limiter = false, breaker = false, obey_limits = false,
    sandbox = smc.sandbox(name, { assume = assume }) })
end

describe("a client of binance that ignores Retry-After #rate-limiting #binance", function()
  --- Asks until something else is said than before.  Returns that, and how often it was asked.
  local function ask_until_not(venue, class)
    for n = 1, 1000 do
      local time, err = venue:time()
      local now = time and "fine" or err.class
      if now ~= class then return err, n end
    end
  end

  it("is told to wait, and then shut out for longer each time #virtual-time", function()
    local venue = ungoverned("binance", { ban_first = 2 })
    venue.sandbox:limit { request_weight = 5, per = 5 }
    for _, seconds in ipairs { 2, 4, 8 } do
      local err = assert(ask_until_not(venue, "fine"))
      assert.same({ 429, "rate_limit" }, { err.http, err.class })
      assert.is_true(err.retry_after >= 1 and err.retry_after <= 5, tostring(err.retry_after))

      local asked
      err, asked = ask_until_not(venue, "rate_limit")

      assert.same({ 418, "ip_ban", seconds }, { err.http, err.class, err.retry_after })
      assert.equal(10, asked)
      assert.is_truthy(err.message:find(tostring(smc.wall() + seconds * 1000), 1, true), err.message)
      smc.sleep(seconds - 0.5)
      assert.equal("ip_ban", select(2, venue:time()).class)
      smc.sleep(5) -- the ban is over, and so is the window
      assert(venue:time())
    end
  end)

  it("is shut out for refusals in a row, of which an obedient window is the end #virtual-time", function()
    local venue = ungoverned("binance", { ban_after = 3 })
    venue.sandbox:limit { request_weight = 5, per = 5 }
    for _ = 1, 3 do
      smc.sleep(5 - smc.wall() / 1000 % 5)
      for _ = 1, 5 do assert(venue:time()) end
      for _ = 1, 2 do assert.equal("rate_limit", select(2, venue:time()).class) end
    end
    for _ = 1, 2 do venue:time() end
    assert.equal("ip_ban", select(2, venue:time()).class)
  end)

  it("is shut out for three days at most", function()
    local venue = ungoverned "binance"
    assert(venue:time())
    local longest = 0
    for _ = 1, 13 do
      venue:fault { venue = "ban" }
      longest = math.max(longest, select(2, venue:time()).retry_after)
      assert(venue:heal "ban")
    end
    assert.equal(3 * 24 * 3600, longest)
  end)

  it("is put off its WebSocket, too", function()
    local venue = ungoverned "binance"
    local stream = assert(venue:stream { "ticker:BTC/USDT" })
    stream:close()
    venue:fault { venue = "ban" }
    local err = select(2, venue:stream { "ticker:BTC/USDT" })
    assert.same({ "ip_ban", 418 }, { err.class, err.http })
  end)
end)

describe("a client of bybit that asks too fast #rate-limiting #bybit", function()
  it("is refused by its endpoint, then shut out for ten minutes when its address goes on #virtual-time", function()
    local venue = ungoverned("bybit", { ip_limit = 60 })
    local classes = {}
    local answer, err
    repeat
      answer, err = venue:balances()
      classes[#classes + 1] = answer and "fine" or err.class
    until err and err.class == "ip_ban"

    assert.equal("fine", classes[1])
    assert.equal("rate_limit", classes[#classes - 1])
    assert.same({ 403, 600 }, { err.http, err.retry_after })
    assert.is_true(venue.sandbox:limits().banned_until >= smc.wall() + 590000)
    assert.equal("ip_ban", select(2, venue:time()).class)
  end)

  it("has its second back when the second is over #virtual-time", function()
    local venue = ungoverned "bybit"
    assert(venue:balances())
    venue:fault { venue = "rate_limit", seconds = 1 }
    local _, err = venue:balances()
    assert.same({ "rate_limit", 10006 }, { err.class, err.code })
    smc.sleep(err.retry_after)
    assert(venue:balances())
  end)
end)

describe("a client of oanda that asks too fast #rate-limiting #oanda", function()
  it("is refused, request by request, and never shut out #virtual-time", function()
    local venue = ungoverned "oanda"
    venue.sandbox:limit { requests = 5, per = 1 }
    local refused = 0
    for _ = 1, 20 do
      local balances, err = venue:balances()
      refused = refused + (balances and 0 or 1)
      assert.is_true(balances ~= nil or err.class == "rate_limit", tostring(err))
    end
    assert.is_true(refused > 10)
    smc.sleep(1)
    assert(venue:balances())
  end)

  it("sees a page of the edge for what it is", function()
    local venue = ungoverned "oanda"
    assert(venue:balances())
    venue:fault { venue = "ban" }
    local _, err = venue:balances()
    assert.same({ "ip_ban", 403 }, { err.class, err.http })
  end)
end)

describe("the breaker and a ban #rate-limiting", function()
  for _, name in ipairs { "binance", "bybit", "oanda" } do
    it("opens on " .. name .. " for a client that will not keep quiet", function()
      local venue = smc.venue(name, { obey_limits = false })
      assert(venue:balances())
      venue:fault { venue = "ban" }
      local err
      repeat err = select(2, venue:balances()) until err.class ~= "ip_ban"
      assert.equal("circuit_open", err.class)
      assert.equal("open", venue.breaker.state)
    end)
  end
end)
