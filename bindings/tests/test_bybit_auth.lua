-- Signatures and clocks of bybit: the bytes that count, the order of refusals, the limits of address and account.
local auth = require "smc.sandbox.bybit.auth"
local fake = require "bybit_fake"
local json = require "smc.json"
local request = require "smc.venue.bybit.request"
local sign = require "smc.core.sign"
local smc = require "smc"

local KEY, SECRET, AT = "TESTKEY0123456789", "TESTSECRET0123456789abcdef", "1700000000000"

local BODY = '{"category":"spot","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.01","price":"20000",'
  .. '"timeInForce":"PostOnly","orderLinkId":"tv-0001"}'

describe("the signature of a bybit request", function()
  for _, row in ipairs {
    { "category=linear&symbol=BTCUSDT&openOnly=0&limit=50",
      "444a748876ac7840a4937a224db2a7a3514bed561772a06fa88e001b31cb7258" },
    { "", "472c028cc41b27da77e4b7e9e944f4d02ced3a3a7c8aefbeecc4530a4bcbdd21" },
    { "category=linear&symbol=BTCUSDT&cursor=page_args%3Dabc%26",
      "bff49956965010f6d8d49ca060d8292f5149eedae414c27f2f42ca76db2306ac" },
    { BODY, "c42b56701cdd7b016b8eff7ab465ad7c3892b863b6b8eceaaafebaabe8b7b4d6" },
  } do
    it("is over the raw bytes of " .. (row[1] == "" and "nothing" or row[1]:sub(1, 60)), function()
      assert.equal(row[2], request.sign(sign.key("hmac", SECRET), KEY, AT, "5000", row[1]))
      assert.is_true(sign.verify("hmac", SECRET, auth.payload { key = KEY, timestamp = AT, window = "5000",
        bytes = row[1] }, row[2]))
    end)
  end

  it("of a WebSocket is over GET/realtime and its end", function()
    local sb = { keys = { [KEY] = { kind = "hmac", signer = SECRET } } }
    local signature = "7c1e4fd15c413dc866193a6899bd37ffc8617744cc3a696ede289b242a06bae2"
    assert.is_table(auth.check_socket(sb, { KEY, 1700000010000, signature }, 1700000009999))
    assert.is_table(auth.check_socket(sb, { KEY, "1700000010000", signature }, 1700000009999))
    assert.is_nil(auth.check_socket(sb, { KEY, 1700000010000, signature }, 1700000010000))
    assert.is_nil(auth.check_socket(sb, { KEY, 1700000010001, signature }, 1700000000000))
    assert.is_nil(auth.check_socket(sb, { "other", 1700000010000, signature }, 1700000000000))
    assert.is_nil(auth.check_socket(sb, nil, 1700000000000))
  end)
end)

describe("the clock of a bybit request", function()
  local NOW = 1767571200000
  for _, row in ipairs {
    { 999, "5000", true }, { 1000, "5000", false }, { -5000, "5000", true }, { -5001, "5000", false },
    { -5001, "6000", true }, { -5000, "", true }, { -5001, "", false },
  } do
    it(("%d ms off with a window of '%s'"):format(row[1], row[2]), function()
      local ok, no = auth.check_clock(tostring(NOW + row[1]), row[2], NOW)
      if row[3] then return assert.is_true(ok) end
      assert.equal(10002, no.code)
      assert.equal(("invalid request, please check your server timestamp or recv_window param. "
        .. "req_timestamp[%d],server_timestamp[%d],recv_window[%s]"):format(NOW + row[1], NOW,
        row[2] == "" and "5000" or row[2]), no.msg)
    end)
  end
end)

describe("a private bybit request", function()
  local sb
  before_each(function() sb = fake.venue() end)

  local function answer(headers, status)
    local ex = fake.ask(sb, "GET", "/v5/account/info", headers)
    assert.equal(status, ex.status)
    return json.decode(ex.answer), ex
  end

  it("is judged in this order: headers, key, clock, signature", function()
    local old = tostring(smc.wall() - 9000)
    local missing = answer({}, 401)
    assert.same({ 10001, json.null }, { missing.retCode, missing.result })
    assert.equal(10003, answer(fake.headers(sb, "", { key = "x", timestamp = old, signature = "0" }), 401).retCode)
    assert.equal(10002, answer(fake.headers(sb, "", { timestamp = old, signature = "0" }), 200).retCode)
    local wrong = answer(fake.headers(sb, "", { signature = "0" }), 200)
    assert.same({ 10004, "error sign! origin_string[" .. smc.wall() .. sb.key .. "5000]" },
      { wrong.retCode, wrong.retMsg })
    assert.equal(0, answer(fake.headers(sb, ""), 200).retCode)
  end)

  it("of an unknown key may be HTTP 200, where that is assumed", function()
    sb = fake.venue { unknown_key_status = 200, missing_headers_status = 200 }
    assert.equal(10003, answer(fake.headers(sb, "", { key = "x" }), 200).retCode)
    assert.equal(10001, answer({}, 200).retCode)
  end)

  it("counts against its endpoint for a second", function()
    sb.limits:change_endpoint("/v5/account/info", 2)
    local _, ex = answer(fake.headers(sb, ""), 200)
    assert.same({ "2", "1", tostring(smc.wall()) }, { ex.out["x-bapi-limit"], ex.out["x-bapi-limit-status"],
      ex.out["x-bapi-limit-reset-timestamp"] })
    local first = smc.wall()
    smc.sleep(0.4)
    assert.equal(0, answer(fake.headers(sb, ""), 200).retCode)
    local no
    no, ex = answer(fake.headers(sb, ""), 200)
    assert.same({ 10006, "Too many visits. Exceeded the API Rate Limit." }, { no.retCode, no.retMsg })
    assert.same({ "0", tostring(first + 1000) }, { ex.out["x-bapi-limit-status"],
      ex.out["x-bapi-limit-reset-timestamp"] })
    assert.equal(0, fake.get(sb, "/v5/account/wallet-balance", "accountType=UNIFIED").retCode)
    smc.sleep(0.6)
    assert.equal(0, answer(fake.headers(sb, ""), 200).retCode)
    assert.equal(1, sb.limits.violations)
  end)
end)

describe("the limit of an address", function()
  it("shuts it out with a text, for as long as is assumed", function()
    local sb = fake.venue { ip_limit = 3, ban_seconds = 20 }
    local function time() return fake.ask(sb, "GET", "/v5/market/time") end
    for _ = 1, 3 do assert.equal(200, time().status) end
    local ex = time()
    assert.same({ 403, "403, access too frequent" }, { ex.status, ex.answer })
    assert.equal(403, fake.connect(sb, "/v5/public/spot").status)
    smc.sleep(19.9)
    assert.equal(403, time().status)
    smc.sleep(0.1)
    assert.equal(200, time().status)
  end)

  it("rolls over five seconds", function()
    local sb = fake.venue { ip_limit = 2 }
    local function time() return fake.ask(sb, "GET", "/v5/market/time").status end
    assert.equal(200, time())
    smc.sleep(4)
    assert.equal(200, time())
    smc.sleep(1)
    assert.same({ 200, 403 }, { time(), time() })
  end)
end)
