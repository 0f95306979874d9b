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
  assert.equal(message, (tostring(err):gsub("^.-:%d+: ", "", 1):gsub(" %(known: .*%)$", "")))
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
      for message, wrong in pairs { ["is a fraction"] = 0.1, ["is a function: a text, a whole number"] = print } do
        local ok, err = pcall(function() local a, b = v:get("/x", { price = wrong }) return a, b end)
        assert.is_false(ok)
        assert.matches("test_wrong_use.lua:%d+: parameter 'price' " .. message, err)
      end
      says(v, "requests: a table of filters expected", function() return (v:requests "place") end)
    end)

    it("is said of an order in words that are not ours, at every venue alike", function()
      local given = { symbol = symbol, side = "buy", type = "market", qty = "100" }
      local function place(key, value)
        local order = { [key] = value }
        for k, usual in pairs(given) do order[k] = order[k] or usual end
        return function() local a, b = v:place(order) return a, b end
      end
      says(v, "place: side is buy or sell", place("side", "BUY"))
      says(v, "place: time_in_force is fok, gtc or ioc", place("time_in_force", "GTC"))
      local priced = name == "oanda" and "limit" or "limit, limit_maker, stop_limit or take_profit_limit"
      says(v, "place: a market order has no price; types that have one: " .. priced, place("price", "1.1"))
      local like = name == "oanda" and '"EUR/USD"' or '"BTC/USDT"'
      for _, wrong in ipairs { (symbol:gsub("/", "")), symbol:lower() } do
        says(v, ("place: a symbol like %s expected"):format(like), place("symbol", wrong))
        says(v, "stream: a symbol like \"BTC/USDT\" expected", function()
          local a, b = v:stream { "ticker:" .. wrong }
          return a, b
        end)
      end
      says(v, 'candles: an interval like "1m" expected', function() local a, b = v:candles(symbol) return a, b end)
    end)

    it("is said of what the sandbox is asked", function()
      local box = v.sandbox
      says(v, "sandbox:orders: side is buy or sell", function() return (box:orders { side = "BUY" }) end)
      says(v, "sandbox:orders: unknown status 'opn'", function() return (box:orders { status = "opn" }) end)
      says(v, "sandbox:remove_key: no key is called 'x'", function() box:remove_key "x" end)
    end)

    it("is no news of a stream that was closed", function()
      local stream = assert(v:stream { "book:" .. symbol })
      stream:close()
      for call, n in pairs { recv = 1, top = 1, subscriptions = false } do
        local event, err = stream[call](stream, n or nil)
        while event and event.kind do event, err = stream[call](stream, n or nil) end -- what had come before
        assert.is_nil(event)
        assert.equal("stream: cancelled (closed): the stream is closed", tostring(err))
      end
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
    refused("secret must have at least 4 bytes", { secret = "abc" })
    refused("binance: unknown option 'retries' %(known: breaker, health, key, limiter, .*, wait%)", { retries = 1 })
    refused("sandbox is one of binance", { sandbox = 5 })
    refused("sandbox is one of binance", { sandbox = smc.sandbox "bybit" })
    assert.is_false(pcall(smc.sandbox, "binance", 5))
  end)
end)

describe("what is wrong with a sandbox", function()
  it("is said of assumptions of another kind", function()
    local function refused(message, name, assume)
      local ok, err = pcall(function()
        local box = smc.sandbox(name, { assume = assume })
        return box
      end)
      assert.is_false(ok)
      assert.matches("test_wrong_use.lua:%d+: smc.sandbox: " .. message, err)
    end
    refused("oanda: the assumption financing is a boolean, not a string", "oanda", { financing = "no" })
    refused("binance: the assumption ban_after is a number, not a string", "binance", { ban_after = "3" })
    assert.equal("oanda", smc.sandbox("oanda", { assume = { connections_per_second = 5 } }).name)
  end)
end)

describe("an attempt that failed without an error", function()
  it("is none", function()
    says(smc.venue "binance", "run:next: the error of the attempt that failed expected", function()
      local verdict = smc.retry():begin():next "oops"
      return verdict
    end)
  end)
end)

describe("a venue that was opened in setup", function()
  local early
  setup(function()
    early = smc.venue "binance"
    assert(early:ping())
  end)

  it("says where it is to be opened", function()
    for call, given in pairs { ping = false, place = { symbol = "BTC/USDT", side = "buy", type = "market", qty = "1" },
      get = "/api/v3/time", fault = { venue = "down" } } do
      local ok, err = pcall(function() local a, b = early[call](early, given or nil) return a, b end)
      assert.is_false(ok)
      assert.matches("test_wrong_use.lua:%d+: " .. call .. ": this venue was opened in setup%(%) or in another spec, "
        .. "and has ended with it: open it in before_each%(%) or it%(%)$", err)
    end
  end)
end)

describe("what is wrong with a guard", function()
  it("is said of venues, of what is no order, and of one that is closed", function()
    local venue = smc.venue "binance"
    says(venue, "smc.risk: venues is a list, as in { binance, bybit }", function()
      local guard, err = smc.risk { venues = venue }
      return guard, err
    end)
    local guard = assert(smc.risk { venues = { venue }, max_drawdown = "0.1" })
    says(venue, "guard:may_place: an order expected, as place is given it", function()
      local ok = guard:may_place {}
      return ok
    end)
    guard:close()
    for _, call in ipairs { "check", "reset", "flatten" } do
      local sent = #venue:requests()
      local result, err = guard[call](guard)
      assert.is_nil(result)
      assert.equal(("guard:%s: cancelled (closed): the risk guard is closed"):format(call), tostring(err))
      assert.equal(sent, #venue:requests())
    end
    says(venue, "guard:stop: the guard is closed", function() guard:stop "somebody said so" end)
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
