-- A dot in the place of a colon is said to be one, at the caller's line, by every method that bindings/meta describes.
-- Run from the root of the repository.
local smc = require "smc"

--- By class: the methods that the type files describe.
local function described()
  local classes = {}
  for _, name in ipairs { "breaker", "failover", "health", "histogram", "http", "limiter", "load", "process", "retry",
    "risk", "sandbox", "sign", "smc", "venue", "webhook", "ws" } do
    local file <close> = assert(io.open("bindings/meta/" .. name .. ".lua", "rb"))
    for class, method in file:read("a"):gmatch "\nfunction (%u%w+):([%w_]+)%(" do
      classes[class] = classes[class] or {}
      table.insert(classes[class], method)
    end
  end
  classes.Process = nil -- test_process.lua has them: programs run by the real clock
  return classes
end

local SYMBOLS = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }

local function venue() return smc.venue "binance" end
local function group() return smc.failover { smc.venue "binance", smc.venue "bybit" } end

--- By class: what messages call its objects, and how one is made.
local MADE = {
  Breaker = { "breaker", smc.breaker },
  Failover = { "group", group },
  GroupStream = { "stream", function() return assert(group():stream { "book:BTC/USDT" }) end },
  Guard = { "guard", function() return assert(smc.risk { venues = { venue() }, max_drawdown = "0.5" }) end },
  Health = { "health", smc.health },
  Histogram = { "histogram", smc.histogram.new },
  HttpStream = { "stream", function() return assert(smc.http.stream { url = venue().url .. "/api/v3/time" }) end },
  Inbox = { "inbox", smc.webhook },
  Limiter = { "limiter", function() return smc.limiter "binance" end },
  LoadResult = { "result", function()
    return smc.load { users = 1, duration = 1, think = 1, run = function() return true end }
  end },
  Permit = { "permit", function() return (smc.breaker():ask()) end },
  Retry = { "retry", smc.retry },
  RetryRun = { "retry_run", function() return smc.retry():begin() end },
  SignKey = { "key", function() return smc.sign.key("hmac", "a secret of ours") end },
  Task = { "task", function() return smc.spawn(function() return 1 end) end },
  Ws = { "ws", function() return assert(smc.ws.connect(venue().ws_url .. "/ws/btcusdt@trade")) end },
}

local WAYS = { "local o = ... local a = o.%s() return a", "local o = ... local a = o.%s { 1 } return a",
  "local o = ... local a = o.%s('1', 1) return a" }

local function says(called, object, method)
  for _, way in ipairs(WAYS) do
    local ok, err = pcall(assert(load(way:format(method), "@user.lua")), object)
    assert.is_false(ok, way)
    assert.equal(("user.lua:1: %s%s: called with a dot? a colon goes before it"):format(called, method), err)
  end
end

describe("a dot in the place of a colon", function()
  local classes = described()

  for class, methods in pairs(classes) do
    if MADE[class] then
      it("is told of " .. class, function()
        local object = MADE[class][2]()
        for _, method in ipairs(methods) do says(MADE[class][1] .. ":", object, method) end
        if class:find "Stream$" or class == "Ws" or class == "Failover" then object:close() end
        smc.sleep(1)
      end)
    end
  end

  for name, symbol in pairs(SYMBOLS) do
    it("is told of a venue, a sandbox and streams of " .. name, function()
      local v = smc.venue(name)
      local stream <close> = assert(v:stream { "book:" .. symbol })
      local user <close> = assert(v:user_stream())
      local function all(class, called, object)
        for _, method in ipairs(classes[class]) do
          if object[method] then says(called, object, method) end
        end
      end
      all("Venue", "", v)
      all("Sandbox", "sandbox:", v.sandbox)
      all("MarketStream", "stream:", stream)
      all("UserStream", "stream:", user)
    end)
  end

  it("is told of a guarded venue whose orders are refused", function()
    local v = venue()
    local guard <close> = assert(smc.risk { venues = { v }, max_drawdown = "0.5" })
    guard:stop "enough"
    for _, op in ipairs { "place", "amend" } do says("", v, op) end
  end)

  it("is told of all that has methods", function()
    local missing = {}
    local others = { Venue = true, Sandbox = true, MarketStream = true, UserStream = true }
    for class in pairs(classes) do
      if not MADE[class] and not others[class] then missing[#missing + 1] = class end
    end
    assert.same({}, missing)
    for class in pairs(MADE) do assert.is_not_nil(classes[class], class) end
  end)
end)
