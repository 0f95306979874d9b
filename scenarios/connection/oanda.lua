local smc = require "smc"

local PRACTICE = { ["api-fxpractice.oanda.com"] = true, ["stream-fxpractice.oanda.com"] = true,
  ["127.0.0.1"] = true, ["[::1]"] = true, localhost = true } -- a sandbox, or what stands in for a testnet

local function path(venue, rest) return ("/v3/accounts/%s/%s"):format(venue.key, rest) end

describe("oanda connection #connection #oanda", function()
  local venue
  before_each(function() venue = smc.venue "oanda" end)

  it("lives on practice hosts only, and answers there", function()
    for _, url in ipairs { venue.url, venue.ws_url } do
      assert.is_true(PRACTICE[url:match "^https?://(%[[%x:]+%])" or url:match "^https?://([^/:]+)"], url)
    end
    assert.is_nil(venue.ws_api_url)
    assert(venue:ping())
    local sent = venue:requests()[1]
    assert.same({ "/v3/accounts", 200, true }, { sent.path, sent.status, sent.signed })
  end)

  it("has a practice account, which is the one that was asked for", function()
    assert.matches("^101%-%d+%-%d+%-%d+$", venue.key)
    local answer = assert(venue:get(path(venue, "summary"), {}, { signed = true }))
    assert.equal(venue.key, answer.account.id)
    assert.equal(answer.account.lastTransactionID, answer.lastTransactionID)
    local account = assert(venue:account())
    assert.is_true(account.can_trade)
    local money = account.balances[answer.account.currency]
    assert.is_true(smc.decimal.cmp(money.total, "0") > 0, money.total)
  end)

  it("tells the time to the second, close to ours", function()
    local time = assert(venue:time())
    assert.equal(0, time % 1000)
    assert.is_true(math.abs(time - smc.wall()) <= 5000, "clocks differ by " .. time - smc.wall() .. " ms")
  end)

  it("has a clock of its own, which is measured by whole seconds", function()
    venue.sandbox:skew(90)
    local offset = assert(venue:sync())
    assert.is_true(offset > 88900 and offset <= 90000, tostring(offset))
  end)

  it("refuses too many requests for as long as they are too many", function()
    venue.sandbox:limit { requests = 3, per = 1 }
    for _ = 1, 3 do assert(venue:ping()) end
    local seconds, err = venue:ping()
    assert.is_nil(seconds)
    assert.same({ "rate_limit", 429, true }, { err.class, err.http, err.retryable })
    assert.equal(4, #venue:requests())
    eventually(function() assert(venue:ping()) end, { within = 2 })
  end)

  it("trades EUR/USD and USD/JPY, and says by which rules", function()
    local by = {}
    for _, i in ipairs(assert(venue:instruments())) do by[i.symbol] = i end
    local euro, yen = by["EUR/USD"], by["USD/JPY"]
    assert.same({ "EUR_USD", "EUR", "USD", "0.00001", "1" }, { euro.native, euro.base, euro.quote, euro.tick,
      euro.step })
    assert.equal("0.001", yen.tick)
    assert.is_true(smc.decimal.cmp(euro.max_qty, euro.min_qty) > 0)
  end)

  it("refuses an instrument that it does not have, after one attempt", function()
    local ticker, err = venue:ticker "NO/SUCH"
    assert.is_nil(ticker)
    assert.same({ 400, "invalid_request", false }, { err.http, err.class, err.retryable })
    assert.equal(1, #venue:requests())
  end)

  it("answers an unknown path with HTTP 404, told apart from a transport error", function()
    local answer, err = venue:get("/v3/no/such/path", {}, { signed = true })
    assert.is_nil(answer)
    assert.same({ 404, "invalid_request", false }, { err.http, err.class, err.retryable })
    assert.equal(1, #venue:requests())
  end)
end)

describe("oanda authentication #connection #oanda #auth", function()
  local venue
  before_each(function() venue = smc.venue "oanda" end)

  it("refuses every other token after one attempt, REST and streams", function()
    assert(venue:account())
    local stranger = smc.venue("oanda", { secret = smc.secret.random() })
    local account, err = stranger:account()
    assert.is_nil(account)
    assert.same({ "auth", 401, false }, { err.class, err.http, err.retryable })
    assert.equal("Insufficient authorization to perform request.", err.message)
    assert.equal(1, #stranger:requests { signed = true })
    for _, open in ipairs { function() return stranger:stream { "ticker:EUR/USD" } end, stranger.user_stream } do
      local stream, no = open(stranger)
      assert.is_nil(stream)
      assert.same({ "auth", 401 }, { no.class, no.http })
    end
  end)

  it("refuses a request without a token", function()
    local answer, err = venue:get(path(venue, "summary"))
    assert.is_nil(answer)
    assert.same({ "auth", 401 }, { err.class, err.http })
  end)

  it("keeps a token to its own accounts", function()
    local other = smc.venue("oanda", { key = "101-004-1111111-001" })
    local account, err = other:account()
    assert.is_nil(account)
    assert.is_true(err.class == "permission" or err.class == "auth", err.class) -- 403; the venue's pages say 401
  end)

  it("is never asked about an account where money is", function()
    assert(venue:ping())
    local ok, err = pcall(smc.venue, "oanda", { key = "001-004-1234567-001" })
    assert.is_false(ok)
    assert.matches("is a practice account", err)
  end)
end)
