--- The quick reader of parameters, against the one that judges each of them.
local core = require "smc.core.params"
local fields = require "smc.sandbox.binance.fields"
local params = require "smc.sandbox.binance.params"
local rng = require "smc.core.rng"

local NOW = 1767571200000
local VALUES = { "BTCUSDT", "btcusdt", "BTC-USDT_1.0", "",
  "BUY", "SELL", "buy", "LIMIT", "GTC", "1", "0.5", "007", "12.",
  ".5", "1.123456789", "12345678901", "123456789012345", "1234567890123456", "-1", "a b", "a+b", "a%20b", "x=y", "\xff",
  ("A"):rep(21), ("a"):rep(36), ("a"):rep(37), "5000", "60000", "60001", "5.5", "true", "1767571200000" }

local function pick(random, list) return list[random:int(1, #list)] end

describe("a quick reader", function()
  local order = fields.parse "symbol! side! type! timeInForce quantity price newClientOrderId strategyId timestamp! \z
    signature! recvWindow"
  local usual = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.5&price=60000.00&strategyId=7"
    .. "&newClientOrderId=my-id_1&recvWindow=5000&timestamp=1767571200000&signature=ab12"

  local function judged(form) return params.read(order, params.from_rest("", form), NOW) end

  it("reads what is as usual", function()
    local values = params.quick(order, "", usual)
    assert.same({ symbol = "BTCUSDT", side = "BUY", type = "LIMIT", timeInForce = "GTC", quantity = "0.5",
      price = "60000.00", strategyId = 7, newClientOrderId = "my-id_1", recvWindow = 5000, timestamp = NOW,
      signature = "ab12" }, values)
    assert.same(values, params.quick(order, usual, ""))
    assert.same(values, (judged(usual)))
  end)

  it("gives up at anything else", function()
    for _, form in ipairs { "", "symbol=BTCUSDT", usual .. "&x=1", usual .. "&side=BUY", usual .. "&recvWindow",
      (usual:gsub("BUY", "buy")), (usual:gsub("0.5", "0.5%%30")), (usual:gsub("=7", "=")), "&" .. usual } do
      assert.is_nil(params.quick(order, "", form))
    end
    assert.is_nil(params.quick(order, "a=1", usual))
  end)

  it("agrees with the judge wherever it does not", function()
    local random, read = rng.new(1, "params"), 0
    local names = {}
    for i, f in ipairs(order) do names[i] = f.name end
    for _ = 1, 4000 do
      local pieces = {}
      for piece in usual:gmatch "[^&]+" do
        local chance = random:int(1, 40)
        if chance == 1 then piece = piece:gsub("=.*", "=") .. pick(random, VALUES) end
        if chance == 2 then piece = pick(random, names) .. "=" .. pick(random, VALUES) end
        if chance ~= 3 then pieces[#pieces + 1] = piece end
      end
      local form = table.concat(pieces, "&")
      local quick = params.quick(order, "", form)
      if quick then
        read = read + 1
        assert.same((judged(form)), quick)
      end
    end
    assert.is_true(read > 1000)
  end)

  it("tells fields apart whose names are alike", function()
    local alike, pieces, expected = {}, {}, {}
    for i = 1, 26 do
      local name = "x_" .. ("abcdefghijklmnopqrstuvwxyz"):sub(i, i)
      alike[i], pieces[i], expected[name] = { name = name, plain = { "integer", 9 } }, name .. "=" .. i, i
    end
    assert.same(expected, core.reader(alike)(table.concat(pieces, "&")))
  end)

  it("does not know fields with bounds, or of kinds that are never plain", function()
    local read = core.reader { { name = "n", plain = { "integer", 9 }, max = 5 }, { name = "list" },
      { name = "id", plain = { "integer", 9 } } }
    assert.is_nil(read "n=3")
    assert.is_nil(read "list=3")
    assert.same({ id = 3 }, read "id=3")
  end)
end)
