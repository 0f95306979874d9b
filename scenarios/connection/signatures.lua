-- A signature is right when others make the same: a venue compares bytes.  What stands here was made by openssl.
local smc = require "smc"

local PAYLOAD = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.5&price=60000&timestamp=1767571200000"

-- Keys that guard nothing.
local KEYS = {
  { kind = "hmac", secret = "a secret that guards nothing",
    signature = "46367d6aefe080727856a3142fa36decf71e136681db87f1802e1d7bd1123a69" },
  { kind = "rsa",
    signature = "koSj1SQsEsjPLL5+stQnbVV7QE4GdXLJCMtjT/QfzLZlFkd2twc+/3jj9vu/Ku86+OxAOT3dUYCacnyxtzde5fn78B1U3ot1"
      .. "r6wWogYHDAGQ8Je4Pq+2tmp3UKUWfVfXU0WjXYrcpX1+x7JmXKFATJa1Kz+fETbmiVYGazY4fF0=",
    secret = [[
-----BEGIN PRIVATE KEY-----
MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBANhMwZqqfTp4YwjT
U2ghde+ht//NW6dUeovXgmrSxf56VCzpjp480HNoozH067LvZY2aIrjFVy3FaFm+
X7HIhcTV3Oxdvri7hhGHIIln8BtvrJ/EP28CHjkqFLDDiQrTDiI6AvyAJ5TbSI/w
9IqgOGvQTRo6nA6A+o/so+jPw7LlAgMBAAECgYEAxsE5QeMZsWnALvLo+I2OroTe
68qLRuYkuW1tpLVLRHyp7p8q8xKUxQfItfYFw2Wh3o1dDIYhhqiYK6b4jgfhif1X
6PHHK3JDJtBmcPWG659FvOPc1A9GXpBUnwFSwf8FTWdWjSpIq35wmMrV5ttzKWcG
4UkNojM/aMRYk4TEpl0CQQD6zftXqTz4YIL8UpWf6QK/7CclL2ZT5dPmlfHCvK3k
Whcufr5lWVRFm1kjCsY372zdsSLALpwROlYIhbnY71MrAkEA3MfLntbUxKC1TPFX
I+wbLCxPYTdFY4YkmCYeoTpmJknIet83Xy8Q0eM0hQxD9Rdabbi02jqF6keEyDrV
+NtKLwJBAJkwCM2xK/FVGYw+cO9cJfbNqdc3jVu/K99SRHk6P0gTkscuWOKUXjmp
uhcCNLHjhm4eDGivz1lidTv9WddbzkMCQFG9hx3f3BaQiY9bKzAZklXgceNEW2Rl
ndbXBjAbNwal+pvDWPTcsBWFUUSRLffoFYrZ/9tsH3iF0htv7Rid1/ECQQCGdnfG
t3RhanS1TZsTWrnI34PluwaxQq/qkyNN0FLeDv6dkLh15nePloeG/j6Cqleo3xjz
oQamuYuypbNPe6/O
-----END PRIVATE KEY-----
]],
    public = [[
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYTMGaqn06eGMI01NoIXXvobf/
zVunVHqL14Jq0sX+elQs6Y6ePNBzaKMx9Ouy72WNmiK4xVctxWhZvl+xyIXE1dzs
Xb64u4YRhyCJZ/Abb6yfxD9vAh45KhSww4kK0w4iOgL8gCeU20iP8PSKoDhr0E0a
OpwOgPqP7KPoz8Oy5QIDAQAB
-----END PUBLIC KEY-----
]] },
  { kind = "ed25519",
    signature = "dbc203azh5w6/W3HphlosHXGeGndPdwSgFsQBjeBL2QJoYQNAhNFsBpM+tEEukib/Jvyxw14GhsSVsV6NXNWCA==",
    secret = [[
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEICIkR7KcVsAcqLXUOcCYi+5MW6EAfB8+dVJOQeazVRXY
-----END PRIVATE KEY-----
]],
    public = [[
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAyPieC0T3JDjBwupY3IAJ6VJMQv8h7FW/aAvd23kY1iM=
-----END PUBLIC KEY-----
]] },
}

describe("binance signatures #connection #binance #auth", function()
  for _, row in ipairs(KEYS) do
    it(("are those of other programs, also of the second request (%s)"):format(row.kind), function()
      local venue = smc.venue "binance"
      local api_key = venue.sandbox:add_key { kind = row.kind, public = row.public,
        secret = not row.public and row.secret or nil } -- an HMAC secret is shared with the venue
      local signer = assert(smc.sign.key(row.kind, row.secret))
      for _ = 1, 2 do assert.equal(row.signature, assert(signer:sign(PAYLOAD))) end

      if row.public then
        local checks = assert(smc.sign.key(row.kind, row.public))
        assert.is_true(smc.sign.verify(row.kind, checks, PAYLOAD, row.signature))
        assert.is_nil((checks:sign(PAYLOAD)))
      end
      local client = smc.venue("binance", { key = api_key, secret = row.secret })
      for _ = 1, 2 do assert(client:account()) end
    end)
  end
end)

-- A byte that is not compared is a byte that somebody else may choose.
describe("a signature that differs in one digit #connection #auth", function()
  local function last_digit_changed(signature)
    return signature:sub(1, -2) .. (signature:sub(-1) == "0" and "1" or "0")
  end

  it("is refused by binance", function()
    local venue = smc.venue "binance"
    local query = "timestamp=" .. smc.wall()
    local function ask(signature)
      local reply = assert(smc.http.get(("%s/api/v3/account?%s&signature=%s"):format(venue.url, query, signature),
        { headers = { ["X-MBX-APIKEY"] = venue.key } }))
      return { reply.status, smc.json.decode(reply.body).code }
    end
    local right = assert(smc.sign.key("hmac", venue.sandbox.secret):sign(query))
    assert.equal(200, ask(right)[1])
    assert.same({ 400, -1022 }, ask(last_digit_changed(right)))
  end)

  it("is refused by binance, and covers what is in the path and what is in the body", function()
    local venue = smc.venue "binance"
    local query, body = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC", "quantity=0.01&price=40000&timestamp="
      .. smc.wall()
    local function place(signed)
      local signature = assert(smc.sign.key("hmac", venue.sandbox.secret):sign(signed))
      local reply = assert(smc.http.post(venue.url .. "/api/v3/order?" .. query, body .. "&signature=" .. signature,
        { headers = { ["X-MBX-APIKEY"] = venue.key, ["Content-Type"] = "application/x-www-form-urlencoded" } }))
      return { reply.status, smc.json.decode(reply.body).code }
    end
    for _, less in ipairs { query, body, query .. "&" .. body } do assert.same({ 400, -1022 }, place(less)) end
    assert.same({}, venue.sandbox:orders())
    assert.equal(200, place(query .. body)[1])
    assert.equal(1, #venue.sandbox:orders())
  end)

  it("is refused by bybit", function()
    local venue = smc.venue "bybit"
    local now = tostring(smc.wall())
    local function ask(signature)
      local reply = assert(smc.http.get(venue.url .. "/v5/account/info", { headers = { ["X-BAPI-API-KEY"] = venue.key,
        ["X-BAPI-TIMESTAMP"] = now, ["X-BAPI-RECV-WINDOW"] = "5000", ["X-BAPI-SIGN"] = signature } }))
      return smc.json.decode(reply.body).retCode
    end
    local right = assert(smc.sign.key("hmac", venue.sandbox.secret):sign(now .. venue.key .. "5000"))
    assert.equal(0, ask(right))
    assert.equal(10004, ask(last_digit_changed(right)))
  end)
end)
