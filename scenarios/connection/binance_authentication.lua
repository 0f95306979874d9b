local smc = require "smc"

-- Keys that guard nothing: they exist to be registered with a sandbox.
local ED25519 = {
  private = [[
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIBEkMmvCu0cQurbOL4SC2FuAQivWcJtMrfIT8b/hT7vc
-----END PRIVATE KEY-----
]],
  public = [[
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAun8Rb4dYQV2yzMo6jwCzyg6f3lSRmbC/TGvDjqFEI1M=
-----END PUBLIC KEY-----
]],
}
local RSA = {
  private = [[
-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDgz7Gihzif8dsg
epRqHfywGVWNOPnAa3RDmiZmMiUqUBMwzapF5bjnedri3c+3F5SnlXzv4ufRtg+3
zsp3Pta87Sw0eREZVixM/LLhWCce0Zcwdb4R4Fy3A9e0uCd2oeB+f/hIJvxuOIlT
XWWW98nlvR4dD9RvrbeRywu3Rd9bY22GP9mjCzvB64kQ41fSgX+W6DicUMiddsSX
5aV33U/XT6KyAQeRItX9oSSfN8EMVvS7cv7sujYwZUqp2donogl5nj3j5Ias24XF
krm+wlVzxGfmUQzD93Kd785fqXwx+2vB8Hc17IdbR1kpYOXI+cM/9OAX7UZSBad0
bydZzY8DAgMBAAECggEAOHUgZLM1zsEz6S+vlwjJ3UW3fPxaiG7T52hOjWq5d6td
bmuv/9bFvWgWRtQypoYHAKEjm7Dty/Y/c0c9BH5k+lRLvi/LUgQYowrxN3Nme7Bi
GjrvjVi9n/6YjNuUmY/kq5Aiv6f+zAVpw2RYr3WyH/6DEgRYMuW7DKOj4RZslevl
YlMaAi8Om//3wZiBZtd8MpZ6fbJRu7p0SynSo07m0LSUdhx3Au0l/hXIY4/PRt3Y
qpOdcizkTU2ykIs/cb4yhMvpZ9eqtno28yw5vvd9oNiI5cd338a1vDjKhMCeNjMC
/iOxUS0NAtk1Do0clJyWm1Z0rfCigcc15DkO4WfubQKBgQDzx4lZrIPR4JrUAzWx
8Ti8ohHPUDT14S6a/yLEdsPAKNQLRxCbQoBsETCCftZJ36Wj7rFO0I7Q6kvOu9O+
VLcuwSUJCYwJYfOOKVE2c3mOpeJuzQnZTOEarNdTa4aW1LwpAxwDiR3yFBYImU6q
Ts/ixpWdpMvxCF2pX7VsdK/XNQKBgQDsFLxrvO4zDudUsZfLVE1TfE4DwZvOCY90
hRNUJonSgkN8EASOYWfsVbMA+Jj7Mk5J8QxRJY0fmmtVLiox3Uw0WilFGGvwbk0O
OmC/QrXPgGmAXJFoeGh4S7Tl6XTIL/Ea9IsvIx1kygogjurmu+qpMAZj1LCC1Pzu
hxjL0Y88VwKBgGX62yKAYMSzyRFYJmZCGxIOWpT3YLBbezur78dwR4NjkREGsZPB
xidvKXPty4cr4AcsG1B1Psl2ui/Js1Kz7c3JTszxCXwDVffqoOa+d+OM0aS4cZ5N
4v1dwNZM7Qi8BdrCSj3QZo6WiIEgYSAtyBl+KajA/+/dKBFq0GKGjejhAoGBANEq
Ohq2pNDmBn2ab2P+CBjMzI41bmapP8m70fk/v+Kb+VClHHRNxva0o0lb+Kau1oBa
qlAHFjcG6MvqgAX4DPlhXKlUTuYRxAG0JV2vrEfxfQf2e/p0nBLg+KCvLAHlwBfi
zKJx2SwgecKI/YR6wBkwbKjsm4r/TC3F0mla/S43AoGAG/RfW0rUMQxEJKDwiqRe
9I8hetQhJZBCW0PRCEt7J5FNtn0ZIcVQVNOo5FawK/bbtANEGzYPOYmZiCFuBcJ8
ijBeTn14jELLO8JZdCrB3OMm7xYuW+hAq+CMVFjiKQQXiLLXysvMXbyeTOBZgidl
IHxVCAcQbSsSNWw5WMuakEk=
-----END PRIVATE KEY-----
]],
  public = [[
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4M+xooc4n/HbIHqUah38
sBlVjTj5wGt0Q5omZjIlKlATMM2qReW453na4t3PtxeUp5V87+Ln0bYPt87Kdz7W
vO0sNHkRGVYsTPyy4VgnHtGXMHW+EeBctwPXtLgndqHgfn/4SCb8bjiJU11llvfJ
5b0eHQ/Ub623kcsLt0XfW2Nthj/Zows7weuJEONX0oF/lug4nFDInXbEl+Wld91P
10+isgEHkSLV/aEknzfBDFb0u3L+7Lo2MGVKqdnaJ6IJeZ494+SGrNuFxZK5vsJV
c8Rn5lEMw/dyne/OX6l8MftrwfB3NeyHW0dZKWDlyPnDP/TgF+1GUgWndG8nWc2P
AwIDAQAB
-----END PUBLIC KEY-----
]],
}

local UNKNOWN_KEY = ("Zz9"):rep(21) .. "Z" -- the right form: 64 letters and digits

describe("binance authentication #connection #binance #auth", function()
  local venue
  before_each(function() venue = smc.venue "binance" end)

  it("accepts the right key with the right secret, and refuses every other pair after one attempt", function()
    assert.is_true(assert(venue:account()).can_trade)

    local strangers = {
      { "wrong secret", { secret = smc.secret.random() }, 400, -1022, "Signature for this request is not valid." },
      { "unknown key", { key = UNKNOWN_KEY }, 401, -2015, "Invalid API-key, IP, or permissions for action." },
      { "both wrong", { key = UNKNOWN_KEY, secret = smc.secret.random() }, 401, -2015,
        "Invalid API-key, IP, or permissions for action." },
      { "no key at all", { key = "none" }, 401, -2014, "API-key format invalid." },
    }
    for _, row in ipairs(strangers) do
      local case, options, http, code, message = table.unpack(row)
      local stranger = smc.venue("binance", options)
      local account, err = stranger:account()
      assert.is_nil(account, case)
      assert.same({ "auth", http, code, message, false }, { err.class, err.http, err.code, err.message,
        err.retryable }, case)
      assert.equal(1, #stranger:requests { signed = true }, case)
    end
  end)

  it("refuses a request that was signed and then changed", function()
    local payload = ("timestamp=%d&omitZeroBalances=true"):format(smc.wall())
    local signature = smc.sign.key("hmac", venue.sandbox.secret):sign(payload)
    local changed = payload:gsub("true", "false")

    local function ask(query)
      return assert(smc.http.get(venue.url .. "/api/v3/account?" .. query .. "&signature=" .. signature,
        { headers = { ["X-MBX-APIKEY"] = venue.key } }))
    end

    assert.equal(200, ask(payload).status)
    local reply = ask(changed)
    assert.equal(400, reply.status)
    assert.equal('{"code":-1022,"msg":"Signature for this request is not valid."}', reply.body)
  end)

  it("misses the signature before anything else of an unsigned request", function()
    local answer, err = venue:get "/api/v3/account"
    assert.is_nil(answer)
    assert.equal(-1102, err.code)
    assert.equal("Mandatory parameter 'signature' was not sent, was empty/null, or malformed.", err.message)
    assert.equal("invalid_request", err.class)
  end)

  for _, row in ipairs {
    -- seconds that the venue is ahead of us, and what it says
    { "four seconds behind, which recvWindow allows", 4 },
    { "half a second ahead", -0.5 },
  } do
    local case, skew = table.unpack(row)
    it("accepts a clock that is " .. case, function()
      venue.sandbox:skew(skew)
      assert(venue:account())
      assert.equal(200, venue:requests { signed = true }[1].status)
    end)
  end

  for _, row in ipairs {
    { "more than recvWindow behind", 6, "Timestamp for this request is outside of the recvWindow." },
    { "more than a second ahead", -1.5, "Timestamp for this request was 1000ms ahead of the server's time." },
  } do
    local case, skew, message = table.unpack(row)
    it("refuses a clock that is " .. case .. ", until it is corrected", function()
      venue.sandbox:skew(skew)
      local account, err = venue:account()
      assert.is_nil(account)
      assert.same({ "clock_skew", 400, -1021, message, false }, { err.class, err.http, err.code, err.message,
        err.retryable })

      assert.is_true(math.abs(assert(venue:sync()) - skew * 1000) < 200)
      assert.is_true(assert(venue:account()).can_trade)
      assert.equal(2, #venue:requests { signed = true })
    end)
  end

  for _, row in ipairs { { "ed25519", ED25519 }, { "rsa", RSA } } do
    local kind, pair = table.unpack(row)
    it("accepts an " .. kind .. " key, and refuses another's signature", function()
      local api_key = venue.sandbox:add_key { kind = kind, public = pair.public }
      local modern = smc.venue("binance", { key = api_key, secret = pair.private })
      assert.is_true(assert(modern:account()).can_trade)

      local stranger = smc.venue("binance", { key = api_key, secret = smc.secret.random() })
      local account, err = stranger:account()
      assert.is_nil(account)
      assert.same({ "auth", -1022 }, { err.class, err.code })
    end)
  end

  it("lets a key without the right to trade look but not touch", function()
    local api_key = venue.sandbox:add_key { kind = "hmac", secret = "looking is free", trade = false }
    local watcher = smc.venue("binance", { key = api_key, secret = "looking is free" })
    assert.is_false(assert(watcher:account()).can_trade)
    local order, err = watcher:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
      price = "40000" }
    assert.is_nil(order)
    assert.same({ "auth", -2015 }, { err.class, err.code })
    assert.same({}, venue.sandbox:orders())
  end)

  it("stops accepting a key the moment it is removed", function()
    assert(venue:account())
    venue.sandbox:remove_key(venue.key)
    local account, err = venue:account()
    assert.is_nil(account)
    assert.equal(-2015, err.code)
  end)
end)
