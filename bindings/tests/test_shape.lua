local json = require "smc.json"
local shape = require "smc.core.shape"

describe("a shape", function()
  local write = shape.new({ { "id", "id" }, { "p", "price", "price", 8 }, { "S", "side", "side", "upper" },
    { "late", "computed" } }, "order", getmetatable(json.object()))

  it("writes names in its order, and leaves out what is nil", function()
    local record = { id = 7, order = { price = "0.5", side = "buy" } }
    assert.equal('{"id":7,"p":"0.50000000","S":"BUY"}', json.encode(write(record)))
    assert.equal('{"id":true}', json.encode(write { id = true }))
  end)

  it("takes what the record itself has, as it is, before the inner record's", function()
    assert.equal('{"p":"1","S":"SELL"}', json.encode(write { price = "1", order = { price = "2", side = "sell" } }))
  end)

  it("asks the record's metatable last", function()
    local record = setmetatable({ order = {} }, { __index = function(_, key) return key .. "!" end })
    assert.equal('{"id":"id!","late":"computed!"}', json.encode(write(record)))
  end)

  it("gives decimals as many places as are wanted", function()
    local function p(price) return json.decode(json.encode(write { order = { price = price } })).p end
    assert.same({ "5.00000000", "0.12345678", "12.34000000" }, { p "5", p "0.123456789", p "12.34" })
  end)

  it("refuses a form that it does not know", function()
    assert.has_error(function() shape.new({ { "a", "a", "a", "lower" } }, "order", {}) end)
  end)
end)
