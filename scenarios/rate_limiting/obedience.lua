-- Who is told to wait waits, with or without a limiter; who does not is shut out.
local smc = require "smc"

--- tighten(sandbox): so little is allowed that a few calls are too many; ask(venue): such a call; pause: seconds to be
-- quiet, when the venue names no end.
local VENUES = {
  { name = "binance", tighten = function(sandbox) sandbox:limit { request_weight = 60, per = 2 } end,
    ask = function(venue) return venue:account() end },
  { name = "bybit", tighten = function(sandbox)
      sandbox:limit { path = "/v5/account/wallet-balance", requests = 2, per = 1 }
    end, ask = function(venue) return venue:balances() end },
  { name = "oanda", tighten = function(sandbox) sandbox:limit { requests = 2, per = 1 } end, pause = 1,
    ask = function(venue) return venue:balances() end },
}

--- Asks until the venue says that it was too often.
local function until_refused(venue, ask)
  for _ = 1, 200 do
    local answer, err = ask(venue)
    if not answer then return err, smc.now() end
  end
  error("200 calls, and none was refused", 2)
end

for _, row in ipairs(VENUES) do
  describe("obedience to " .. row.name .. " #rate-limiting #virtual-time #" .. row.name, function()
    it("sends nothing between a refusal and its end, though nothing governs it", function()
      local venue = smc.venue(row.name, { limiter = false })
      assert(row.ask(venue))
      row.tighten(venue.sandbox)
      local err, hit = until_refused(venue, row.ask)
      assert.equal("rate_limit", err.class)
      local seconds = row.pause or err.retry_after
      assert.is_true(seconds > 0)

      assert(row.ask(venue)) -- waits by itself

      assert.is_true(smc.now() - hit >= seconds - 0.002)
      assert.same({}, venue:requests { after = hit + 0.000001, before = hit + seconds - 0.002 })
    end)

    it("is refused once, however many ask", function()
      local venue = smc.venue(row.name, { limiter = false })
      assert(row.ask(venue))
      row.tighten(venue.sandbox)
      until_refused(venue, row.ask)
      local refused = venue.sandbox:limits().violations
      assert.equal(1, refused)

      local answers = smc.all(2, function() return (row.ask(venue)) end)

      assert.equal(2, #answers)
      assert.equal(refused, venue.sandbox:limits().violations)
    end)
  end)
end

describe("what others of one's address have spent #rate-limiting #virtual-time #binance", function()
  it("is learned from the venue's count, so that nobody is refused", function()
    local venue = smc.venue("binance", { limiter = { request_weight = { limit = 60, per = 60 } } })
    local other = smc.venue("binance", { limiter = false })
    venue.sandbox:limit { request_weight = 60, per = 60 }
    for _ = 1, 2 do assert(other:account()) end
    local start = smc.now()
    for _ = 1, 2 do assert(venue:account()) end -- 20 each: the second is one too many for this minute
    assert.equal(0, venue.sandbox:limits().violations)
    assert.is_true(smc.now() > start + 1)
  end)
end)

describe("disobedience #rate-limiting", function()
  --- One who sends on whatever is said, behind a breaker that four bans in a row open.
  local function deaf(name, options)
    options = options or {}
    options.limiter, options.obey_limits = false, false
    options.breaker = { size = 4, min_calls = 4, failure_rate = 1, open = 60 }
    local venue = smc.venue(name, options)
    assert(venue:balances())
    return venue
  end

  --- Asks until it is shut out.  Returns the errors on the way, the last one being that.
  local function until_banned(venue)
    local errs = {}
    for _ = 1, 50 do
      local answer, err = venue:balances()
      if not answer then errs[#errs + 1] = err end
      if err and err.class == "ip_ban" then return errs end
    end
    error "it was never shut out"
  end

  it("gets an address banned by binance, for twice as long each time #binance", function()
    local hasty = smc.sandbox("binance", { assume = { ban_first = 2, ban_after = 3 } }) -- 120 s and 10 by default
    local venue = deaf("binance", { sandbox = hasty })
    hasty:limit { request_weight = 40, per = 60 }

    local errs = until_banned(venue)
    assert.same({ "rate_limit", 429, -1003 }, { errs[1].class, errs[1].http, errs[1].code })
    local ban = errs[#errs]
    assert.same({ 418, -1003, 2 }, { ban.http, ban.code, ban.retry_after })

    smc.sleep(2)
    local longer = until_banned(venue)
    assert.equal(4, longer[#longer].retry_after)
  end)

  it("gets an address shut out by bybit for ten minutes #bybit", function()
    local venue = deaf "bybit"
    venue.sandbox:limit { requests = 3, per = 5 }
    local errs = until_banned(venue)
    assert.same({ 403, 600 }, { errs[#errs].http, errs[#errs].retry_after })
    assert.equal(1, #errs)
  end)

  it("gets an address nowhere at oanda, which bans nobody #oanda", function()
    local venue = deaf "oanda"
    venue.sandbox:limit { requests = 0, per = 1 }
    for _ = 1, 20 do
      local answer, err = venue:balances()
      assert.is_nil(answer)
      assert.same({ "rate_limit", 429 }, { err.class, err.http })
    end
    assert.equal("closed", venue.breaker.state) -- it is there, and says no
    assert.equal(0, venue.health:parts().limits)
  end)

  for name, limit in pairs { binance = { request_weight = 20, per = 60 }, bybit = { requests = 0, per = 5 } } do
    it("is seen by breaker and health as an address that " .. name .. " has banned #" .. name, function()
      local venue = deaf(name)
      venue.sandbox:limit(limit)
      until_banned(venue)
      for _ = 1, 3 do assert.equal("ip_ban", select(2, venue:balances()).class) end

      assert.equal("open", venue.breaker.state)
      assert.is_true(venue.breaker:history()[1].failures >= 4)
      assert.is_true(venue.health.failures >= 4)
      assert.not_equal("healthy", venue.health.state)

      local arrived = #venue.sandbox:requests()
      assert.equal("circuit_open", select(2, venue:balances()).class)
      assert.equal(arrived, #venue.sandbox:requests())
    end)
  end
end)
