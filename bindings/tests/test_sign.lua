-- smc.core.sign: secret handles, keys, signatures.  The vectors are in core/tests/test_sign.c.
local sign = require "smc.core.sign"
local rng = require "smc.core.rng"
local task = require "smc.core.task"

-- The example of the Binance documentation.
local SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
local PAYLOAD = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
  .. "&timestamp=1499827319559"
local SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"

local function pem(kind, base64)
  return ("-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----\n"):format(kind, base64, kind)
end
local ED_PRIVATE = pem("PRIVATE", "MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u")
local ED_PUBLIC = pem("PUBLIC", "MCowBQYDK2VwAyEAGUIKv9dSpWXBViXp2m6vAIb8QMFJYBgyFEQsFJlqgA0=")
-- RFC 8032, 7.1, test 1; no other spec here makes a secret of it.
local PUBLIC_ONLY = pem("PUBLIC", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")

local function raises(text, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  assert.truthy(message:find(text, 1, true), message)
end

describe("a secret", function()
  it("shows nothing of itself", function()
    local secret = sign.secret(SECRET)
    assert.equal("smc.secret: ***", tostring(secret))
    assert.equal("smc.secret: ***", ("%s"):format(secret))
    assert.equal(false, getmetatable(secret))
    raises("index", function() return secret.bytes end)
    raises("index", function() secret.bytes = "x" end)
    raises("get length", function() return #secret end)
    raises("concatenate", function() return secret .. "" end)
    raises("call", function() return secret() end)
    raises("metatable", setmetatable, secret, {})
  end)

  it("is hidden from the transcript, whichever way it came in", function()
    sign.secret("from-a-handle")
    sign.key("hmac", "from-a-key")
    sign.verify("hmac", "from-a-check", "x", "y")
    task.log("test", "1 from-a-handle 2 from-a-key 3 from-a-check 4 from-nowhere 5")
    assert.truthy(task.transcript():find("1 *** 2 *** 3 *** 4 from-nowhere 5", 1, true), task.transcript())
  end)

  it("must be long enough to be hidden", function()
    raises("at least 4 bytes", sign.secret, "abc")
    raises("at least 4 bytes", sign.key, "hmac", "abc")
    raises("at least 4 bytes", sign.verify, "hmac", "abc", "", "")
    raises("string expected", sign.secret, {})
  end)

  it("is random when asked, and repeats only from a seeded stream", function()
    local function signature(secret) return sign.key("hmac", secret):sign("x") end
    assert.not_equal(signature(sign.random_secret()), signature(sign.random_secret()))
    local a = signature(sign.random_secret(rng.new(1, "secrets")))
    assert.equal(a, signature(sign.random_secret(rng.new(1, "secrets"))))
    assert.not_equal(a, signature(sign.random_secret(rng.new(2, "secrets"))))
    raises("smc.rng expected", sign.random_secret, 1)
  end)
end)

describe("a key", function()
  it("signs from a handle as from a string", function()
    assert.equal(SIGNATURE, sign.key("hmac", SECRET):sign(PAYLOAD))
    assert.equal(SIGNATURE, sign.key("hmac", sign.secret(SECRET)):sign(PAYLOAD))
    assert.equal("smc.sign.key: hmac", tostring(sign.key("hmac", SECRET)))
    assert.equal(false, getmetatable(sign.key("hmac", SECRET)))
  end)

  it("outlives the secret it was made from", function()
    local key = sign.key("hmac", sign.secret(SECRET))
    collectgarbage()
    assert.equal(SIGNATURE, key:sign(PAYLOAD))
  end)

  it("signs with Ed25519", function()
    local signature = sign.key("ed25519", sign.secret(ED_PRIVATE)):sign(PAYLOAD)
    assert.equal(88, #signature)
    assert.is_true(sign.verify("ed25519", ED_PUBLIC, PAYLOAD, signature))
    assert.is_false(sign.verify("ed25519", ED_PUBLIC, PAYLOAD .. "0", signature))
  end)

  it("leaves the public half readable", function()
    assert(sign.key("ed25519", PUBLIC_ONLY))
    task.log("test", PUBLIC_ONLY)
    assert.truthy(task.transcript():find("MCowBQYDK2VwAyEA11qYAYKxCrfVS", 1, true))
  end)

  it("cannot sign when it is public", function()
    local result, err = sign.key("ed25519", ED_PUBLIC):sign("x")
    assert.is_nil(result)
    assert.equal("auth", err.class)
    assert.equal("bad_key", err.code)
  end)

  it("is refused when it is not what it is said to be", function()
    for _, material in ipairs { "no PEM at all", ED_PRIVATE } do
      local key, err = sign.key("rsa", material)
      assert.is_nil(key)
      assert.equal("bad_key", err.code)
      assert.is_nil(err.message:find("MC4CAQ", 1, true))
    end
    raises("invalid option 'dsa'", sign.key, "dsa", SECRET)
    raises("secret handle or string expected", sign.key, "hmac", 12345)
  end)
end)

describe("verify", function()
  it("takes a handle, a key or a string", function()
    local secret = sign.secret(SECRET)
    for _, material in ipairs { secret, sign.key("hmac", secret), SECRET } do
      for _ = 1, 2 do
        assert.is_true(sign.verify("hmac", material, PAYLOAD, SIGNATURE))
        assert.is_true(sign.verify("hmac", material, PAYLOAD, SIGNATURE:upper()))
        assert.is_false(sign.verify("hmac", material, PAYLOAD, SIGNATURE:gsub("1$", "2")))
        assert.is_false(sign.verify("hmac", material, PAYLOAD:lower(), SIGNATURE))
        assert.is_false(sign.verify("hmac", material, PAYLOAD, ""))
      end
    end
  end)

  it("accepts the private key of a pair, too", function()
    local signature = sign.key("ed25519", ED_PRIVATE):sign("x")
    assert.is_true(sign.verify("ed25519", sign.secret(ED_PRIVATE), "x", signature))
  end)

  it("says when the key is no key, and raises for a key of another kind", function()
    local result, err = sign.verify("rsa", "no PEM at all", "x", "y")
    assert.is_nil(result)
    assert.equal("bad_key", err.code)
    raises("a key of another kind", sign.verify, "rsa", sign.key("hmac", SECRET), "x", "y")
  end)
end)

describe("detect", function()
  it("tells the kind of a key from its text", function()
    assert.equal("hmac", sign.detect(SECRET))
    assert.equal("ed25519", sign.detect(ED_PRIVATE))
    assert.equal("ed25519", sign.detect(sign.secret(ED_PUBLIC)))
    local kind, err = sign.detect(pem("PRIVATE", "AAAA"))
    assert.is_nil(kind)
    assert.equal("bad_key", err.code)
  end)
end)

describe("smc.sign", function()
  it("blames wrong use on the line of whoever calls it", function()
    local smc = require "smc"
    for _, wrong in ipairs {
      function() smc.secret.from "abc" end,
      function() smc.sign.key("md5", "0123456789") end,
      function() smc.sign.verify("hmac") end,
    } do
      local _, message = pcall(wrong)
      assert.matches("test_sign.lua:%d+: ", tostring(message))
    end
  end)

  it("draws a new random secret each time", function()
    local smc = require "smc"
    local first, second = smc.secret.random(), smc.secret.random()
    local function mac(secret) return smc.sign.key("hmac", secret):sign("x") end
    assert.is_not.equal(mac(first), mac(second))
  end)
end)
