-- Wrong use of a venue, and of its streams, is refused at the caller's line, in words of the call, before anything is
-- sent; it is never told as what the venue has answered.
local script = require "oanda_script"
local smc = require "smc"

local SYMBOLS = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }
local NAN = 0 / 0

--- What a call raises, that it points at this file, and that no request has left for it.
local function says(venue, message, call)
  local sent = #venue:requests()
  local ok, err = pcall(call)
  assert.is_false(ok, message)
  assert.matches("test_wrong_use.lua:%d+: ", tostring(err))
  assert.equal(message, (tostring(err):gsub("^.-:%d+: ", "", 1)))
  assert.equal(sent, #venue:requests())
end

for name, symbol in pairs(SYMBOLS) do
  describe("what is wrong with a call of " .. name, function()
    local v
    before_each(function() v = smc.venue(name) end)

    it("is said of a dot in the place of a colon", function()
      for _, op in ipairs { "ping", "balances", "ticker", "place", "cancel", "orders", "stream", "user_stream" } do
        says(v, op .. ": called with a dot? a colon goes before it", function()
          local a, b = v[op](symbol)
          return a, b
        end)
      end
      for _, op in ipairs { "get", "post", "requests", "fault", "heal", "sync" } do
        says(v, op .. ": called with a dot? a colon goes before it", function() local a, b = v[op] "/x" return a, b end)
      end
      says(v, "ping: called with a dot? a colon goes before it", function() local a, b = v.ping() return a, b end)
    end)

    it("is said of what names an order, or a symbol", function()
      local like = name == "oanda" and '"EUR/USD"' or '"BTC/USDT"'
      for _, op in ipairs { "cancel", "order" } do
        for _, wrong in ipairs { 5, {}, "" } do
          says(v, ("%s: a symbol like %s expected"):format(op, like), function()
            local a, b = v[op](v, { symbol = wrong, id = "1" })
            return a, b
          end)
        end
        says(v, op .. ": id is a text or a whole number", function()
          local a, b = v[op](v, { symbol = symbol, id = {} })
          return a, b
        end)
        says(v, op .. ": client_id is a text", function()
          local a, b = v[op](v, { symbol = symbol, client_id = 5 })
          return a, b
        end)
      end
      says(v, "amend: id is a text or a whole number", function()
        local a, b = v:amend { symbol = symbol, id = 1.5, qty = "1" }
        return a, b
      end)
      says(v, ("flatten: a symbol like %s expected"):format(like), function() local a, b = v:flatten(5) return a, b end)
    end)

    it("is said of times and numbers", function()
      for _, op in ipairs { "orders", "fills", "candles" } do
        local function with(options)
          return function()
            local more = op == "candles" and "1m" or options
            local a, b = v[op](v, symbol, more, op == "candles" and options or nil)
            return a, b
          end
        end
        says(v, op .. ": since is a whole number of milliseconds", with { since = "yesterday" })
        says(v, op .. ": since is a whole number of milliseconds", with { since = smc.wall() + 0.5 })
        says(v, op .. ": limit is a whole number above 0", with { limit = 0 })
        says(v, op .. ": limit is a whole number above 0", with { limit = NAN })
      end
      says(v, "book: depth is a whole number above 0", function() local a, b = v:book(symbol, "5") return a, b end)
    end)

    it("is said of requests in the venue's own words", function()
      says(v, "get: parameters are a table", function() local a, b = v:get("/x", "a=b") return a, b end)
      says(v, "get: options are a table, as in { signed = true }", function()
        local a, b = v:get("/x", {}, true)
        return a, b
      end)
      local ok, err = pcall(function() local a, b = v:get("/x", { price = 0.1 }) return a, b end)
      assert.is_false(ok)
      assert.matches("test_wrong_use.lua:%d+: parameter 'price' is a fraction", err)
      says(v, "requests: a table of filters expected", function() return (v:requests "place") end)
    end)

    it("is said by its streams", function()
      local stream <close> = assert(v:stream { "book:" .. symbol })
      for _, wrong in ipairs { "5", {}, NAN } do
        says(v, "stream:recv: a number of seconds expected", function() local a, b = stream:recv(wrong) return a, b end)
      end
      for _, wrong in ipairs { "5", {}, NAN, 0, 1.5 } do
        says(v, "stream:top: how many levels? a whole number from 1", function()
          local a, b = stream:top(wrong)
          return a, b
        end)
      end
      says(v, "stream:top: name the symbol of a book of this stream", function()
        local a, b = stream:top(1, {})
        return a, b
      end)
      assert.is_true(#stream:top(1000000).bids > 0)
    end)
  end)
end

describe("a list with a nil in it", function()
  it("is not cut short in silence", function()
    local v, ran = smc.venue "binance", 0
    local function run() ran = ran + 1 end
    for _, name in ipairs { "all", "race" } do
      says(v, ("smc.%s: a function expected, got nil"):format(name), function()
        local first = smc[name] { run, nil, run }
        return first
      end)
    end
    assert.equal(0, ran)
    says(v, "stream: unknown channel 'nil'", function()
      local a, b = v:stream { "trade:BTC/USDT", nil, "book:BTC/USDT" }
      return a, b
    end)
  end)
end)

describe("what is wrong with a venue", function()
  local function refused(message, options)
    local ok, err = pcall(function()
      local v = smc.venue("binance", options)
      return v
    end)
    assert.is_false(ok)
    assert.matches("test_wrong_use.lua:%d+: smc.venue: " .. message, err)
  end

  it("is said of who one is, and of whom one talks to", function()
    refused("key is a text", { key = 5 })
    for _, wrong in ipairs { 5, {}, "" } do refused("secret is a text, or a handle", { secret = wrong }) end
    refused("sandbox is one of binance", { sandbox = 5 })
    refused("sandbox is one of binance", { sandbox = smc.sandbox "bybit" })
    assert.is_false(pcall(smc.sandbox, "binance", 5))
  end)
end)

describe("a refusal that tells no time to wait", function()
  it("is one, and the next request waits as after a refusal without a time", function()
    for _, told in ipairs { "-5", "1e300", "0x7fffffffffff", "soon" } do
      local venue = script.open { ["GET /v3/accounts"] = { { 429, {}, { { "Retry-After", told } } },
        { 200, { accounts = {} }, { { "Date", "Mon, 05 Jan 2026 00:00:00 GMT" } } } } }
      local answer, err = venue:get "/v3/accounts"
      assert.is_nil(answer)
      assert.same({ "rate_limit" }, { err.class, err.retry_after })
      local began = smc.now()
      assert(venue:get "/v3/accounts")
      assert.near(1, smc.now() - began, 0.1, told)
    end
  end)
end)

describe("a quantity with a sign", function()
  it("does not turn a buy of oanda into a sell", function()
    local v = smc.venue "oanda"
    local mine = assert(v:place { symbol = "EUR/USD", side = "buy", type = "limit", qty = "100", price = "1.00000" })
    for _, qty in ipairs { "-100", "+100", " -100" } do
      says(v, "place: qty has no sign: side says which way", function()
        local a, b = v:place { symbol = "EUR/USD", side = "buy", type = "market", qty = qty }
        return a, b
      end)
      says(v, "amend: qty has no sign: side says which way", function()
        local a, b = v:amend { symbol = "EUR/USD", id = mine.id, qty = qty }
        return a, b
      end)
    end
    assert.same({}, v:positions())
  end)
end)
