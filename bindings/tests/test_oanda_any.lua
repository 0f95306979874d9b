-- Whatever a client asks of the oanda sandbox, it gets an answer of the venue: seeded random calls of every route.
local fake = require "oanda_fake"
local json = require "smc.json"
local rest = require "smc.sandbox.oanda.rest"
local rng = require "smc.core.rng"
local smc = require "smc"

local CALLS, SEEDS = 1200, 2

local NULL, LONG = json.null, ("x"):rep(200)

-- What a value may be sent as, whatever it stands for: right now and then, wrong in many ways.
local VALUES = { "1", "-1", "0", 0, 1.5, -3, "abc", "", true, false, NULL, {}, json.array { 1, 2 }, "1e30",
  "99999999999999999999999999", "0.0000000000000000000001", "1.08", "1.2", "EUR_USD", "X", "@a", "ALL", "NONE",
  "2026-01-05T00:00:00Z", "1767571200", "9e9", "GTC", "GTD", "FOK", "IOC", "GFD", "MID", "OPEN_ONLY", LONG, "\u{e9}",
  100000000, "1000000000000000", { price = "1.07" }, { distance = "0.01" }, { id = "a" }, { distance = "100000000000" },
  { price = "1.2", timeInForce = "GTD", gtdTime = "2026-01-06T00:00:00Z" }, "M1", "EUR_USD:M1:MBA", "EUR_USD,USD_JPY" }

local TYPES = { "MARKET", "LIMIT", "STOP", "MARKET_IF_TOUCHED", "TAKE_PROFIT", "STOP_LOSS", "TRAILING_STOP_LOSS" }
local OF_ORDER = { "type", "instrument", "units", "price", "distance", "priceBound", "timeInForce", "gtdTime",
  "positionFill", "triggerCondition", "tradeID", "clientTradeID", "guaranteed", "clientExtensions",
  "tradeClientExtensions", "takeProfitOnFill", "stopLossOnFill", "trailingStopLossOnFill" }
local OF_BODY = { "units", "takeProfit", "stopLoss", "trailingStopLoss", "clientExtensions", "tradeClientExtensions",
  "longUnits", "shortUnits", "longClientExtensions", "shortClientExtensions", "alias", "marginRate" }
local OF_QUERY = { "from", "to", "count", "pageSize", "type", "ids", "state", "instrument", "beforeID", "id", "since",
  "sinceTransactionID", "instruments", "price", "granularity", "smooth", "includeFirst", "dailyAlignment", "snapshot",
  "weeklyAlignment", "alignmentTimezone", "candleSpecifications", "includeUnitsAvailable", "includeHomeConversions" }

local ENDPOINTS = { table.unpack(rest.endpoints) }
for _ = 1, 15 do ENDPOINTS[#ENDPOINTS + 1] = "POST /v3/accounts/{account}/orders" end

local STATUS = { [200] = true, [201] = true, [400] = true, [403] = true, [404] = true, [416] = true }

local function one_of(r, list) return list[r:int(1, #list)] end

local function order_of(r)
  local order = { type = one_of(r, TYPES), instrument = "EUR_USD", units = one_of(r, { "10", "-10" }), price = "1.05",
    distance = "0.01", tradeID = "4" }
  for _ = 1, r:int(0, 3) do order[one_of(r, OF_ORDER)] = one_of(r, VALUES) end
  return order
end

local function body_of(r)
  local body = { order = r:int(1, 4) > 1 and order_of(r) or nil }
  for _ = 1, r:int(0, 2) do body[one_of(r, OF_BODY)] = one_of(r, VALUES) end
  return next(body) and body or nil
end

local function query_of(r)
  local query = "?"
  for _ = 1, r:int(0, 4) do
    local value = one_of(r, VALUES)
    if type(value) ~= "table" and value ~= NULL then
      query = query .. one_of(r, OF_QUERY) .. "=" .. tostring(value) .. "&"
    end
  end
  return query
end

local PLACES = { ["{order}"] = { "3", "@a", "x" }, ["{trade}"] = { "4", "@a", "x" },
  ["{instrument}"] = { "EUR_USD", "USD_JPY", "X" }, ["{id}"] = { "1", "99999", "x" }, ["{user}"] = { "@", "1" } }

--- Asks anything; an answer that is none of the venue's fails here.
local function ask(sb, r)
  local method, path = one_of(r, ENDPOINTS):match "^(%u+) /v3(/.*)$"
  path = path:gsub("{account}", sb.account_id):gsub("{%w+}", function(place) return one_of(r, PLACES[place]) end)
  local body
  if method == "GET" then path = path .. query_of(r) else body = body_of(r) end
  local words = method .. " " .. path .. " " .. (body and json.encode(body) or "")
  local last = #sb.log.list
  local answer, ex = fake.ask(sb, method, path, body)
  assert.is_true(STATUS[ex.status], words)
  if ex.status >= 400 then assert.is_string(answer.errorMessage, words) end
  if answer and answer.relatedTransactionIDs then -- what it did is the next piece of the log
    for i, id in ipairs(answer.relatedTransactionIDs) do assert.equal(tostring(last + i), id, words) end
  elseif method == "GET" then
    assert.equal(last, #sb.log.list, words)
  end
  return ex
end

describe("the oanda sandbox", function()
  for seed = 1, SEEDS do
    it("answers whatever is asked, and goes on, seed " .. seed, function()
      local r = rng.new(seed, "any")
      local sb = fake.venue { requests_per_second = 1000000, streams = 1000000 }
      for _, def in ipairs(sb.symbols) do sb.market:freeze(def.symbol, true) end
      local done = {}
      for i = 1, CALLS do
        local ex = ask(sb, r)
        done[ex.status] = (done[ex.status] or 0) + 1
        if i % 50 == 0 then
          sb.market:move("EUR_USD", { to = one_of(r, { "1.04", "1.06", "1.08", "1.1" }) })
          sb:settle()
          smc.sleep(0) -- so that the watch over endless loops begins anew
        end
      end
      assert.is_true(done[200] > CALLS / 10 and done[201] > 20, "too few calls are carried out")
      assert.equal(200, select(2, fake.get(sb, "")).status)
      for n, tx in ipairs(sb.log.list) do assert.equal(tostring(n), tx.id) end
    end)
  end
end)
