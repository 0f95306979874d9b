-- Signatures and clocks: the venue's own published vectors, the bytes that count, and the order of refusals.
local auth = require "smc.sandbox.binance.auth"
local fake = require "binance_fake"
local json = require "smc.json"
local request = require "smc.venue.binance.request"
local sign = require "smc.core.sign"
local smc = require "smc"

local KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
local SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"

local function verifies(payload, signature)
  return sign.verify("hmac", SECRET, payload, signature)
end

describe("the payload of a REST request", function()
  it("is the raw query and the raw body, with nothing between them", function()
    local query, body = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC",
      "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    local signature = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
    assert.is_true(verifies(auth.rest_payload(query, body .. "&signature=" .. signature), signature))
    assert.is_false(verifies(auth.rest_payload(query .. "&", body), signature))
  end)

  it("keeps the percent-encoding that was sent", function()
    local payload = "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT"
      .. "&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    assert.is_true(verifies(auth.rest_payload(payload, ""),
      "E1353EC6B14D888F1164AE9AF8228A3DBD508BC82EB867DB8AB6046442F33EF3"))
  end)

  for _, row in ipairs {
    { "at the end", "a=1&b=2&signature=x", "a=1&b=2" },
    { "at the front", "signature=x&a=1&b=2", "a=1&b=2" },
    { "in the middle", "a=1&signature=x&b=2", "a=1&b=2" },
    { "alone", "signature=x", "" },
    { "as the tail of another name", "mysignature=x&a=1", "mysignature=x&a=1" },
  } do
    it("loses the signature that stands " .. row[1], function()
      assert.equal(row[3], auth.rest_payload(row[2], ""))
      assert.equal(row[3], auth.rest_payload("", row[2]))
      assert.equal("a=1" .. row[3], auth.rest_payload("a=1", row[2]))
    end)
  end
end)

describe("the payload of a WebSocket API request", function()
  local function payload_of(params)
    local raw = json.encode(params)
    return auth.ws_payloads(assert(json.decode(raw)), raw, false)[1]
  end

  it("is every parameter but the signature, sorted, as it was written", function()
    local frame = '{"symbol":"BTCUSDT","side":"SELL","type":"LIMIT","timeInForce":"GTC","quantity":"0.01000000",'
      .. '"price":"52000.00","recvWindow":100,"timestamp":1645423376532,"apiKey":"' .. KEY .. '","signature":"x"}'
    local payload = auth.ws_payloads(assert(json.decode(frame)), frame, false)[1]
    assert.is_true(verifies(payload, "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"))
  end)

  it("takes numbers as they stand in the frame", function()
    local frame = '{"recvWindow": 5000.50, "timestamp": 1}'
    assert.equal("recvWindow=5000.50&timestamp=1", auth.ws_payloads(assert(json.decode(frame)), frame, false)[1])
  end)

  it("is not percent-encoded, though an encoded one may be accepted too", function()
    local object = { apiKey = KEY, symbol = "１２３４５６" }
    assert.equal("apiKey=" .. KEY .. "&symbol=１２３４５６", payload_of(object))
    assert.equal("apiKey=" .. KEY .. "&symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96",
      auth.ws_payloads(object, json.encode(object), true)[2])
  end)

  it("is what the client signs", function()
    local params = request.sign_ws(sign.key("hmac", SECRET), { apiKey = KEY, timestamp = 1649729878532 })
    assert.equal("1cf54395b336b0a9727ef27d5d98987962bc47aca6e13fe978612d0adee066ed", params.signature)
  end)
end)

describe("the clock of a signed request", function()
  local NOW = 1767571200000

  for _, row in ipairs {
    { NOW + 999, nil, nil }, { NOW + 1000, nil, "Timestamp for this request was 1000ms ahead of the server's time." },
    { NOW - 5000, nil, nil }, { NOW - 5001, nil, "Timestamp for this request is outside of the recvWindow." },
    { NOW - 5001, 6000, nil }, { NOW - 6001, 6000, "Timestamp for this request is outside of the recvWindow." },
    { NOW - 1, 0.5, "Timestamp for this request is outside of the recvWindow." },
  } do
    it(("%d ms off with a window of %s"):format(row[1] - NOW, row[2] or "5000"), function()
      local ok, no = auth.check_clock(row[1], row[2], NOW)
      if row[3] then
        assert.same({ -1021, row[3], 400 }, { no.code, no.msg, no.status })
      else
        assert.is_true(ok)
      end
    end)
  end
end)

describe("a signed request", function()
  local sb
  before_each(function() sb = fake.venue() end)

  local function refused(ex, status, code)
    assert.equal(status, ex.status)
    assert.equal(code, json.decode(ex.answer).code)
  end

  local function account(query, key)
    return fake.ask(sb, "GET", "/api/v3/account?" .. query, { ["x-mbx-apikey"] = key })
  end

  it("is judged in this order: parameters, clock, key, signature", function()
    local now, bad = smc.wall(), "0"
    refused(account("", nil), 400, -1102)
    refused(account("signature=" .. bad, nil), 400, -1102)
    refused(account("timestamp=" .. now .. "&recvWindow=60001&signature=" .. bad, nil), 400, -1131)
    refused(account("timestamp=" .. now - 9000 .. "&signature=" .. bad, nil), 400, -1021)
    refused(account("timestamp=" .. now .. "&signature=" .. bad, nil), 401, -2014)
    refused(account("timestamp=" .. now .. "&signature=" .. bad, ("x"):rep(64)), 401, -2015)
    refused(account("timestamp=" .. now .. "&signature=" .. bad, sb.key), 400, -1022)
    local payload = "timestamp=" .. now
    assert.equal(200, account(payload .. "&signature=" .. fake.signature(sb, payload), sb.key).status)
  end)

  it("may be judged by its key before its clock, where that is assumed", function()
    sb = fake.venue { clock_before_key = false }
    refused(account("timestamp=" .. smc.wall() - 9000 .. "&signature=0", ("x"):rep(64)), 401, -2015)
  end)

  it("may carry its timestamp in microseconds", function()
    local payload = "timestamp=" .. smc.wall() * 1000
    assert.equal(200, account(payload .. "&signature=" .. fake.signature(sb, payload), sb.key).status)
  end)

  it("may come as a form body, signature and all", function()
    local body = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&timestamp=" .. smc.wall()
    local ex = fake.ask(sb, "POST", "/api/v3/order",
      { ["x-mbx-apikey"] = sb.key, ["content-type"] = "application/x-www-form-urlencoded" },
      body .. "&signature=" .. fake.signature(sb, body))
    assert.equal(200, ex.status)
    assert.equal("FILLED", json.decode(ex.answer).status)
  end)
end)
