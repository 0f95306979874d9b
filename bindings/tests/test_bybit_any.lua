-- Whatever a client asks of the bybit sandbox, it gets an answer of the venue: seeded random calls of every route.
local calls = require "smc.sandbox.bybit.calls"
local fake = require "bybit_fake"
local json = require "smc.json"
local rng = require "smc.core.rng"
local sign = require "smc.core.sign"
local smc = require "smc"

local CALLS = 1200

-- What each parameter may be sent as; the last ones are wrong.
local VALUES = {
  category = { "spot", "linear", "linear", "inverse", "option", "futures" },
  symbol = { "BTCUSDT", "BTCUSDT", "ETHUSDT", "ETHBTC", "NOSUCH", "btcusdt" },
  baseCoin = { "BTC", "XYZ" }, settleCoin = { "USDT", "USDC" }, coin = { "USDT", "USDT,BTC", "," },
  side = { "Buy", "Sell", "Short" }, orderType = { "Limit", "Market", "Stop" },
  qty = { "0.1", "1", "0.001", "0", "100", "-1", "1e5", "0.00000001", "99999999999999999999" },
  price = { "60000", "59000", "61000", "3000", "0.05", "0", "60000.05", "x", "1" },
  timeInForce = { "GTC", "IOC", "FOK", "PostOnly", "RPI", "DAY" }, marketUnit = { "baseCoin", "quoteCoin", "coin" },
  orderLinkId = { "a", "b", "c", ("x"):rep(40), "a b" }, orderId = { "last", "last", "7", "" },
  triggerPrice = { "59000", "61000", "0", "-1", "x" }, triggerDirection = { "1", "2", "3" },
  triggerBy = { "LastPrice", "MarkPrice", "IndexPrice", "Mid" }, tpTriggerBy = { "MarkPrice", "Mid" },
  slTriggerBy = { "IndexPrice", "Mid" }, takeProfit = { "61000", "59000", "0", "x" },
  stopLoss = { "59000", "61000", "0", "x" }, trailingStop = { "100", "0", "-5" }, activePrice = { "61000", "x" },
  tpslMode = { "Full", "Partial", "Some" }, tpSize = { "0.1", "0", "x" }, slSize = { "0.1", "-1" },
  tpLimitPrice = { "61000", "x" }, slLimitPrice = { "59000", "x" }, reduceOnly = { "true", "false", "maybe" },
  closeOnTrigger = { "true", "false" }, positionIdx = { "0", "1", "2", "x" }, smpType = { "None", "CancelBoth", "All" },
  slippageToleranceType = { "TickSize", "Percent", "Guess" }, slippageTolerance = { "1", "0.5", "0", "x", "1e9" },
  orderFilter = { "Order", "StopOrder", "tpslOrder", "Other" }, orderStatus = { "Filled", "Nothing" },
  openOnly = { "0", "1", "x" }, limit = { "1", "50", "0", "x", "99999999999999999999" },
  cursor = { "page_args%253D3%2526", "x" }, startTime = { "1767571200000", "0", "x" },
  endTime = { "1767571200000", "0", "x" }, start = { "1767571200000", "x" }, ["end"] = { "1767571200000", "x" },
  interval = { "1", "60", "D", "M", "7" }, intervalTime = { "5min", "1h", "1d", "1y" },
  execType = { "Trade", "Funding" },
  accountType = { "UNIFIED", "SPOT" }, buyLeverage = { "5", "100", "0", "1000", "x" },
  sellLeverage = { "5", "100", "0", "x" }, mode = { "0", "3", "x" }, setMarginMode = { "ISOLATED_MARGIN", "x" },
  modifyEnable = { "true", "false", "x" }, product = { "SPOT", "DERIVATIVES", "x" }, timeWindow = { "5", "1", "x" },
}

local NAMES, PATHS = {}, {}
for name in pairs(VALUES) do NAMES[#NAMES + 1] = name end
for path in pairs(calls.routes) do
  for _ = 1, path:find "order/create" and 15 or path:find "order/" and 4 or path:find "trading%-stop" and 4 or 1 do
    PATHS[#PATHS + 1] = path
  end
end
table.sort(NAMES)
table.sort(PATHS)
-- What orders need is asked for more often than chance would have it.
local ORDER = { "category", "symbol", "side", "orderType", "qty", "price" }

local function one_of(r, list) return list[r:int(1, #list)] end

--- Mostly out of the first half, where the good ones are.
local function value_of(r, name)
  local list = VALUES[name]
  return list[r:int(1, r:int(1, 8) == 1 and #list or (#list + 1) // 2)]
end

local function some(r, names, out)
  for _, name in ipairs(names) do out[name] = value_of(r, name) end
  for _ = 1, r:int(0, 3) do
    local name = one_of(r, NAMES)
    out[name] = value_of(r, name)
  end
  return out
end

local function ask(sb, r)
  local path = one_of(r, PATHS)
  local route = calls.routes[path]
  local asked = path:find "order/" and ORDER or { "category", "symbol" }
  if path:find "amend" or path:find "cancel" then asked = { "category", "symbol", "orderId", "qty", "price" } end
  local values = some(r, asked, {})
  local last = sb.ledger.list[#sb.ledger.list]
  if values.orderId == "last" and last then values.orderId = last.id end
  if route.batch then
    local list = {}
    for i = 1, r:int(0, 3) do list[i] = some(r, ORDER, {}) end
    values.request = json.array(list)
  end
  if route.method == "POST" then return path, fake.post(sb, path, values) end
  local query = {}
  for name, value in pairs(values) do query[#query + 1] = name .. "=" .. value end
  table.sort(query)
  return path, fake.get(sb, path, table.concat(query, "&"))
end

describe("the bybit sandbox", function()
  it("answers whatever is asked, and goes on", function()
    local sb, r, codes = fake.venue(), rng.new(7, "calls"), {}
    sb.limits:change(1000000, 5)
    for _, path in ipairs(PATHS) do sb.limits:change_endpoint(path, 1000000) end
    for i = 1, CALLS do
      local path, answer = ask(sb, r)
      assert.equal("integer", math.type(answer.retCode), path)
      codes[answer.retCode] = (codes[answer.retCode] or 0) + 1
      smc.sleep(0.01) -- the market moves, and nobody takes it for an endless loop
      if i % 50 == 0 then sb.market:move("BTCUSDT.P", { by = i % 100 == 0 and "0.01" or "-0.01" }) end
    end
    -- It was no wall of refusals: a good part succeeded, and many things were wrong.
    local kinds = 0
    for _ in pairs(codes) do kinds = kinds + 1 end
    assert.is_true(codes[0] > CALLS / 5, "successes: " .. codes[0])
    assert.is_true(kinds > 20, "kinds of answers: " .. kinds)
    sb:close()
  end)

  -- What the fields of a frame may be.
  local FRAME = {
    op = { '"subscribe"', '"unsubscribe"', '"ping"', '"auth"', '"order.create"', '"order.cancel"', '"order.amend"',
      '"order.create-batch"', "5", "null", "{}", '""' },
    args = { '["order"]', '["orderbook.50.BTCUSDT"]', '["tickers.BTCUSDT","kline.1.ETHUSDT"]', '["wallet","position"]',
      '["execution.fast","order.linear"]', "[1]", '["x"]', "[]", "{}", "null", '"x"', "[null]", '[["a"]]', '["k",5,6]',
      '["orderbook..BTCUSDT"]', "[true]", '[{"category":"linear","request":[{},1,"a",null]}]', '[{"category":{}}]',
      '[{"request":{"a":1}}]', '[{"category":"spot","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.1",'
        .. '"price":"50000"}]' },
    req_id = { '"a"', "5", "null", "{}", "[]", "true", "1.5", '"' .. ("x"):rep(50) .. '"' },
    header = { '{"X-BAPI-TIMESTAMP":"1767571200000"}', '{"X-BAPI-TIMESTAMP":{}}', "{}", "null", "5", "[]",
      '{"X-BAPI-TIMESTAMP":1767571200000,"X-BAPI-RECV-WINDOW":[]}' },
  }

  for _, path in ipairs { "/v5/public/spot", "/v5/public/linear", "/v5/private", "/v5/trade" } do
    it("answers every frame, and goes on: " .. path, function()
      local sb, r = fake.venue(), rng.new(7, path)
      local sock = fake.connect(sb, path)
      local function field(name) return one_of(r, FRAME[name]) end
      for i = 1, 500 do
        local expires = smc.wall() + 5000
        if i == 100 then
          sock:say(json.encode { op = "auth", args = json.array { sb.key, expires,
            sign.key("hmac", sb.secret):sign("GET/realtime" .. expires) } })
        end
        local frame = ('{"op":%s,"args":%s,"%s":%s,"header":%s}'):format(field "op", field "args",
          one_of(r, { "req_id", "reqId" }), field "req_id", field "header")
        sock:say(frame)
        local answers = sock:take()
        assert.is_true(#answers > 0, frame)
        for _, text in ipairs(answers) do assert.not_matches("table: ", text) end
      end
      for _, text in ipairs { "", "[]", "5", "null", '"x"', "{", "\0", ("["):rep(2000) } do sock:say(text) end
      assert.is_nil(sock.closed)
      sb:close()
    end)
  end
end)
