local smc = require "smc"

local symbols = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }

--- Whatever a scenario can get hold of, as text.
local function everything(value, depth)
  if type(value) ~= "table" or depth == 0 then return tostring(value) end
  local parts = {}
  for k, v in pairs(value) do parts[#parts + 1] = tostring(k) .. "=" .. everything(v, depth - 1) end
  return "{" .. table.concat(parts, " ") .. "}"
end

for name, symbol in pairs(symbols) do
  describe(name, function()
    local venue

    --- Signed requests, an order, and a stream that is signed for.
    local function trade()
      venue = smc.venue(name)
      assert(venue:account())
      local own <close> = assert(venue:user_stream())
      local fx = name == "oanda"
      local order = assert(venue:place { symbol = symbol, side = "buy", type = "limit", qty = fx and "100" or "0.01",
        price = fx and "0.9" or "55000" })
      assert(venue:cancel { symbol = symbol, client_id = order.client_id })
      return own
    end

    it("trades", function()
      trade()
      assert.is_true(#venue:requests() > 3)
    end)

    it("shows all it has", function()
      local own = trade()
      print(everything(venue, 6), everything(own, 3))
      print(everything(venue:requests(), 6))
      assert.equal("nothing", everything(venue, 6))
    end)

    it("raises all it has", function()
      trade()
      error(everything(venue:requests(), 6))
    end)

    it("is refused", function()
      assert(smc.venue(name, { breaker = false }):order { symbol = symbol, id = "1234567" })
    end)
  end)
end

--- Of much output the last bytes are shown: here they would begin in the middle of a key.
local function print_torn(venue, shown)
  print(venue.key .. ("x"):rep(shown - 16) .. "")
end

it("prints more than is shown", function()
  print_torn(smc.venue "binance", 256 << 10)
  assert.equal(1, 2)
end)

--- No Lua hook gets into a pattern that takes years.
it("hangs, and is killed", function()
  local venue = smc.venue "binance"
  assert(venue:account())
  print(everything(venue:requests(), 6))
  print_torn(venue, 64 << 10)
  assert.is_nil((("a"):rep(1000000)):find((".-"):rep(20) .. "b"))
end)
