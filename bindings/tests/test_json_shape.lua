local json = require "smc.json"

describe("a shape", function()
  local write = json.shape { { "id", "id" }, { "p", "price", "order", "price", 8 },
    { "S", "side", "order", "side", "upper" },
    { "late", "computed", "order", function(order, record) return order.base and order.base + record.add end } }

  it("writes names in its order, and leaves out what is nil", function()
    local record = { id = 7, order = { price = "0.5", side = "buy" } }
    assert.equal('{"id":7,"p":"0.50000000","S":"BUY"}', json.encode(write(record)))
    assert.equal('{"id":true}', json.encode(write { id = true }))
  end)

  it("takes what the record itself has, as it is, before the inner record's", function()
    assert.equal('{"p":"1","S":"SELL"}', json.encode(write { price = "1", order = { price = "2", side = "sell" } }))
  end)

  it("asks a function of the inner record, and of the record", function()
    assert.equal('{"late":7}', json.encode(write { order = { base = 3 }, add = 4 }))
  end)

  it("gives decimals as many places as are wanted", function()
    local function p(price) return json.decode(json.encode(write { order = { price = price } })).p end
    assert.same({ "5.00000000", "0.12345678", "12.34000000" }, { p "5", p "0.123456789", p "12.34" })
  end)

  it("writes values of every kind, and nothing as an empty object", function()
    local all = json.shape { { "a", "a" }, { "b", "b" }, { "c", "c" }, { "d", "d" }, { "e", "e" } }
    assert.equal('{"a":null,"b":[1,{"x":"é\\n"}],"c":1.5,"d":false,"e":{}}', json.encode(all { a = json.null,
      b = { 1, { x = "é\n" } }, c = 1.5, d = false, e = all {} }))
  end)

  it("may be used while another is being written", function()
    local outer = json.shape { { "a", "a" }, { "b", "b", "order", function() return write { id = 1 } end } }
    assert.equal('{"a":"x","b":{"id":1}}', json.encode(outer { a = "x", order = {} }))
  end)

  it("adds, leaves out and falls back as its items say", function()
    local wanted = json.shape { { "t", "t", "order", "ms", plus = "skew" },
      { "n", "n", "order", "count", default = -1 }, { "s", "s", "label", "word", default = "0.0" },
      { "w", "w", "order", function(order) return order.wait.ms end, needs = "wait" },
      { "r", "r", "order", "reason", needs = "reason" } }
    assert.equal('{"t":12,"n":3,"s":"x","w":5,"r":"late"}', json.encode(wanted { skew = 2, label = { word = "x" },
      order = { ms = 10, count = 3, wait = { ms = 5 }, reason = "late" } }))
    assert.equal('{"t":10,"n":-1,"s":"0.0"}', json.encode(wanted { order = { ms = 10, reason = "" } }))
    assert.equal('{"n":-1,"s":"0.0"}', json.encode(wanted {}))
  end)

  it("finds as many keys as it can have, each its own", function()
    local items, record, texts = {}, {}, {}
    for i = 1, 64 do
      items[i], record["key" .. i] = { "n" .. i, "key" .. i }, i
      texts[i] = ('"n%d":%d'):format(i, i)
    end
    assert.equal("{" .. table.concat(texts, ",") .. "}", json.encode(json.shape(items)(record)))
    items[64][2] = "key1" -- two items may have one key
    assert.equal('{"n1":7,"n64":7}', json.encode(json.shape(items) { key1 = 7 }))
  end)

  it("escapes in texts of any form what needs it", function()
    local inner = { price = '1"2', side = 'b"\n' }
    assert.equal([[{"p":"1\"2","S":"b\"\n"}]], json.encode(write { order = inner }))
  end)

  it("refuses an `each` that is no shape", function()
    for _, wrong in ipairs { 1, "x", function() end, json.shape } do
      local _, why = pcall(json.shape, { { "a", "a", each = wrong } })
      assert.truthy(tostring(why):find("each must be a shape", 1, true))
    end
  end)

  it("refuses a name that needs escapes", function()
    assert.has_error(function() json.shape { { 'a"', "a" } } end)
  end)

  it("refuses a function that has no inner record to read", function()
    local _, why = pcall(json.shape, { { "a", "a", nil, function() return 1 end }, { "b", "b" } })
    assert.truthy(tostring(why):find("there is none", 1, true))
  end)

  it("refuses a form that it does not know", function()
    assert.has_error(function() json.shape { { "a", "a", "order", "a", "lower" } } end)
  end)
end)
