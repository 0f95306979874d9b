-- smc.core.params: what amounts and orders must satisfy, against smc.decimal; and which parameters there must be.
local decimal = require "smc.decimal"
local params = require "smc.core.params"
local rng = require "smc.core.rng"

describe("bounds", function()
  it("judge as decimal.within does", function()
    local r, inside = rng.new(9, "bounds"), 0
    local function amount(most, places) return ("%." .. places .. "f"):format(r:int(0, most) / 10 ^ places) end
    for _ = 1, 500 do
      local least = r:int(1, 3) > 1 and amount(3000, 2) or nil
      local most = r:int(1, 3) > 1 and amount(9000, 2) or nil
      local step = r:int(1, 3) > 1 and ({ "0.01", "0.05", "1", "0.3" })[r:int(1, 4)] or nil
      local value = amount(9000, 2)
      local within = params.bounds(least, most, step)
      assert.equal(decimal.within(value, least, most, step), within(value))
      inside = inside + (within(value) and 1 or 0)
    end
    assert.is_true(inside > 50 and inside < 450)
  end)

  it("include both ends", function()
    local within = params.bounds("1", "2")
    for value, expected in pairs { ["1"] = true, ["2.0"] = true, ["0.999999999999999999"] = false,
      ["2.000000000000000001"] = false } do
      assert.equal(expected, within(value))
    end
  end)

  it("raise on what is no amount", function()
    for _, wrong in ipairs { { "x" }, { nil, {} }, { "1", "2", "0" }, { "1", "2", "-1" } } do
      assert.has_error(function() params.bounds(wrong[1], wrong[2], wrong[3]) end)
    end
    assert.has_error(function() params.bounds("1")("") end)
    assert.has_error(function() params.bounds("1")() end)
  end)
end)

describe("an order", function()
  it("fits when price, quantity and what they come to do", function()
    local r, fitting = rng.new(10, "orders"), 0
    local function amount(most, places) return ("%." .. places .. "f"):format(r:int(0, most) / 10 ^ places) end
    local price_in, qty_in = params.bounds("0.5", "80", "0.05"), params.bounds("0.01", "9", "0.01")
    for case = 1, 3 do
      local worth = ({ { "5", "300" }, { "5", false }, { false, "300" } })[case]
      local worth_in = params.bounds(worth[1] or nil, worth[2] or nil)
      local fits = params.order({ "0.5", "80", "0.05" }, { "0.01", "9", "0.01" }, worth)
      for _ = 1, 300 do
        local price, qty = amount(1700, 0) .. "." .. ({ "00", "05", "50", "01" })[r:int(1, 4)], amount(1000, 2)
        if r:int(1, 2) == 1 then price = amount(1600, 1) end
        local expected = price_in(price) and qty_in(qty) and worth_in(decimal.mul(price, qty, 18))
        assert.equal(expected, fits(price, qty))
        fitting = fitting + (expected and 1 or 0)
      end
    end
    assert.is_true(fitting > 100 and fitting < 800)
  end)

  it("does not fit when it comes to more than any number", function()
    local any = { false, false, false }
    local fits = params.order(any, any, any)
    assert.is_true(fits("100000000000000000000", "1"))
    assert.is_false(fits("100000000000000000000", "2"))
  end)

  it("raises on what is no amount", function()
    local any = { false, false, false }
    assert.has_error(function() params.order(any, any) end)
    assert.has_error(function() params.order({ "1", "2", "0" }, any, any) end)
    assert.has_error(function() params.order({ "x" }, any, any) end)
    assert.has_error(function() params.order(any, any, any)("1") end)
    assert.has_error(function() params.order(any, any, any)("1", "one") end)
  end)
end)

describe("having", function()
  it("tells whether the names needed are there, and no others", function()
    local has = params.having({ "a", "b" }, { "c" })
    assert.is_true(has { a = 1, b = false })
    assert.is_true(has { a = 1, b = 2, d = 3 })
    for _, wrong in ipairs { { a = 1 }, { b = 2 }, { a = 1, b = 2, c = false }, {} } do assert.is_false(has(wrong)) end
    assert.is_true(params.having({}, {}) {})
    assert.is_false(params.having({}, { "x" }) { x = 1 })
  end)

  it("raises on what is no list of names", function()
    for _, wrong in ipairs { { { 1 }, {} }, { {}, { {} } }, { {} }, { "a", {} } } do
      assert.has_error(function() params.having(wrong[1], wrong[2]) end)
    end
    assert.has_error(function() params.having({}, {})() end)
  end)
end)
