-- What a placement fills in a record says the same as the tables that it makes otherwise.
local json = require "smc.json"
local market = require "smc.core.market"
local rng = require "smc.core.rng"

local START = 1767571200000

--- The same market, as often as it is asked for.
local function new()
  local m = market.new { seed = 3, now_ms = START }
  m:instrument { symbol = "BTCUSDT", base = "BTC", quote = "USDT", tick = "0.01", step = "0.00001",
    taker_fee = "0.001" }
  m:feed { symbol = "BTCUSDT", mid = "60000", level_qty = "0.2", trade_qty = "0.01" }
  local account = m:account { name = "alice" }
  m:credit(account, "USDT", "10000000")
  m:credit(account, "BTC", "100")
  return m, account
end

local TYPES, SIDES, TIFS = { "limit", "market", "limit" }, { "buy", "sell" }, { "gtc", "ioc", "gtc", "fok" }

--- Any order: some trade, some rest, some are refused, some wait.
local function any(r, account)
  local kind, side = TYPES[r:int(1, 3)], SIDES[r:int(1, 2)]
  local o = { account = account, symbol = "BTCUSDT", side = side, type = kind,
    qty = ("%.5f"):format(r:int(1, 300000) / 100000),
    client_id = r:int(1, 3) == 1 and "c" .. r:int(1, 1000) or nil }
  if kind == "limit" then
    o.price = ("%.2f"):format(r:int(5900000, 6100000) / 100)
    o.tif = TIFS[r:int(1, 4)]
    if r:int(1, 5) == 1 then o.display_qty = "0.001" end
  end
  if r:int(1, 6) == 1 then
    local up = side == "buy"
    o.trigger = { price = up and "61000" or "59000", by = "last", when = up and "rises" or "falls" }
    if o.tif ~= "gtc" then o.tif = nil end
    o.display_qty = nil
  end
  return o
end

local ORDER = { "id", "client_id", "orig_client_id", "account", "symbol", "side", "type", "tif", "stp", "price", "qty",
  "quote_qty", "display_qty", "filled", "filled_quote", "prevented_qty", "status", "reason", "created_ms", "updated_ms",
  "working_ms", "on_book", "link", "after", "prevented_match_id", "trigger_price", "triggered_ms", "following_ms",
  "reduce_only", "close_lot", "liquidation", "reject" }

local function shape_of(fields)
  local items = {}
  for i, name in ipairs(fields) do items[i] = { name, name, "order", name } end
  for _, name in ipairs { "price", "qty", "filled_quote" } do
    items[#items + 1] = { name .. "8", name .. "8", "order", name, 8 }
  end
  items[#items + 1] = { "S", "S", "order", "status", "upper" }
  items[#items + 1] = { "later", "later", "order", "working_ms", plus = "skew", default = -1 }
  items[#items + 1] = { "by", "by", "order", function(o) return o.trigger.by end, needs = "trigger" }
  items[#items + 1] = { "why", "why", "order", function(o) return o.reason .. "!" end, needs = "reason" }
  return json.shape(items)
end

describe("a record", function()
  it("is read and written as the tables would be", function()
    local with, account = new()
    local without = new()
    local record, write = with:record(), shape_of(ORDER)
    local fills_of = json.shape { { "id", "id", "fill", "id" }, { "price", "price", "fill", "price", 8 },
      { "fee", "fee", "fill", "fee" }, { "asset", "asset", "fill", "fee_asset" }, { "m", "m", "fill", "is_maker" } }
    local with_fills = json.shape { { "n", "n" }, { "f", "fills", each = fills_of }, { "z", "z" } }
    local r, traded, waited, refused = rng.new(11, "orders"), 0, 0, 0
    for _ = 1, 200 do
      local o = any(r, account)
      local order, fills = without:place(o)
      local same, its = with:place(o, record)
      if not order then
        assert.is_nil(same)
        assert.equal(fills, its)
        refused = refused + 1
      else
        assert.equal(record, same)
        for _, name in ipairs(ORDER) do assert.equal(order[name], same[name]) end
        assert.same(order.trigger, same.trigger)
        assert.equal(json.encode(write { order = order, skew = 7 }), json.encode(write { order = same, skew = 7 }))
        assert.equal(#fills, #its)
        local texts = {}
        for i, fill in ipairs(fills) do
          assert.same(fill, its[i])
          texts[i] = json.encode(fills_of { fill = fill })
        end
        assert.is_nil(its[#fills + 1])
        local all = "[" .. table.concat(texts, ",") .. "]"
        assert.equal(all, json.encode(fills_of(its)))
        for _, given in ipairs { its, fills_of(its), json.raw(all) } do
          assert.equal('{"n":1,"f":' .. all .. ',"z":2}', json.encode(with_fills { n = 1, fills = given, z = 2 }))
        end
        traded, waited = traded + #fills, waited + (order.trigger and 1 or 0)
        if order.on_book then
          for _, m in ipairs { with, without } do m:cancel { account = account, symbol = "BTCUSDT", id = order.id } end
        end
      end
      with:forget()
      without:forget()
    end
    assert.is_true(traded > 20 and waited > 20 and refused > 20)
  end)

  it("belongs to its market", function()
    local m, account = new()
    local other = new()
    local o = { account = account, symbol = "BTCUSDT", side = "buy", type = "limit", qty = "1", price = "50000" }
    assert.has_error(function() m:place(o, other:record()) end)
    assert.has_error(function() m:place(o, {}) end)
    assert.equal(0, m:count(account))
    assert(m:place(o, m:record()))
    assert.equal(1, m:count(account))
  end)

  it("is written by a shape only where the shape asks for what it has", function()
    local m, account = new()
    local record = m:record()
    local order, fills = assert(m:place({ account = account, symbol = "BTCUSDT", side = "buy", type = "market",
      qty = "1" }, record))
    assert.has_error(function() json.shape { { "a", "a", "order", "no_such" } }(fills) end)
    assert.has_error(function() json.shape { { "a", "a" } }(order) end)
    assert.has_error(function()
      json.shape { { "f", "f", each = json.shape { { "a", "a", "order", "no_such" } } } } { f = fills }
    end)
    assert.equal('{}', json.encode(json.shape { { "a", "a", "order", "no_such" } } { order = order }))
    assert.has_error(function() json.encode(json.shape { { "t", "t", "order", "trigger" } }
      { order = m:place({ account = account, symbol = "BTCUSDT", side = "buy", type = "market", qty = "1",
        trigger = { price = "70000", by = "last", when = "rises" } }, record) }) end)
  end)
end)
