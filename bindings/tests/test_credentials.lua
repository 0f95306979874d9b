-- Which variables make a venue of a testnet available, and where it lives then.  Opening a venue sends nothing.
local smc = require "smc"
local credentials = require "smc.credentials"
local spec = require "smc.spec"
local world = require "smc.world"

local VENUES = {
  { name = "binance", urls = { "https://testnet.binance.vision", "wss://stream.testnet.binance.vision",
    "wss://ws-api.testnet.binance.vision/ws-api/v3" },
    moved_by = "BINANCE_TESTNET_URL",
    moved = { "https://127.0.0.1:9", "wss://127.0.0.1:9", "wss://127.0.0.1:9/ws-api/v3" } },
  { name = "bybit", urls = { "https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com/v5/public/spot",
    "wss://stream-testnet.bybit.com/v5/private" },
    moved_by = "BYBIT_TESTNET_URL",
    moved = { "https://127.0.0.1:9", "wss://127.0.0.1:9/v5/public/spot", "wss://127.0.0.1:9/v5/private" } },
  { name = "oanda", key = "OANDA_PRACTICE_ACCOUNT_ID", secret = "OANDA_PRACTICE_API_KEY",
    urls = { "https://api-fxpractice.oanda.com", "https://stream-fxpractice.oanda.com" },
    moved_by = "OANDA_PRACTICE_URL", moved = { "https://127.0.0.1:9", "https://127.0.0.1:9" } },
}

--- The venue, or the reason why the spec would be skipped.
local function open_on_testnet(name, given)
  local w = world.current()
  w.target, w.credentials = "testnet", credentials.guard(given)
  local ok, result = pcall(smc.venue, name)
  if ok then return result end
  assert.is_true(spec.is_skip(result), tostring(result))
  return nil, tostring(result)
end

for _, row in ipairs(VENUES) do
  local name = row.name
  local KEY = row.key or name:upper() .. "_TESTNET_API_KEY"
  local SECRET = row.secret or name:upper() .. "_TESTNET_API_SECRET"

  describe("the credentials of " .. name, function()
    local set = { "k3y-of-the-testnet", "s3cret-of-the-testnet" }
    local unset = { nothing = nil, empty = "", blank = " \t " }

    it("make it available when both are set", function()
      local venue = assert(open_on_testnet(name, { [KEY] = set[1], [SECRET] = set[2] }))
      assert.equal(set[1], venue.key)
    end)

    for _, how in ipairs { "nothing", "empty", "blank" } do
      local missing = unset[how]
      it("leave it out, naming the first that is missing, when one is " .. how, function()
        for _, case in ipairs {
          { KEY, { [KEY] = missing, [SECRET] = missing } },
          { KEY, { [KEY] = missing, [SECRET] = set[2] } },
          { SECRET, { [KEY] = set[1], [SECRET] = missing } },
        } do
          local venue, reason = open_on_testnet(name, case[2])
          assert.is_nil(venue)
          assert.equal(("%s has no credentials: %s is not set"):format(name, case[1]), reason)
        end
      end)
    end

    it("leave it out when the secret is too short to be hidden", function()
      local venue, reason = open_on_testnet(name, { [KEY] = set[1], [SECRET] = "abc", SHORT_SECRET = "abc" })
      assert.is_nil(venue)
      assert.equal(("%s has no credentials: %s is not set"):format(name, SECRET), reason)
    end)

    it("leave its secret readable nowhere", function()
      local given = { [KEY] = set[1], [SECRET] = set[2] }
      local venue = assert(open_on_testnet(name, given))
      assert.equal("userdata", type(given[SECRET]))
      assert.is_nil(venue.secret)
    end)

    it("send it to the testnet and to no other host", function()
      local venue = assert(open_on_testnet(name, { [KEY] = set[1], [SECRET] = set[2] }))
      assert.same(row.urls, { venue.url, venue.ws_url, venue.ws_api_url })
    end)

    it("go to this machine, by all interfaces, when the testnet was moved there", function()
      for _, url in ipairs { "https://127.0.0.1:9", "https://127.0.0.1:9/" } do
        local venue = assert(open_on_testnet(name, { [KEY] = set[1], [SECRET] = set[2], [row.moved_by] = url }))
        assert.same(row.moved, { venue.url, venue.ws_url, venue.ws_api_url })
      end
    end)
  end)
end
