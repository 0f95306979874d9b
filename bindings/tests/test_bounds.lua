-- smc.core.params: bounds and ratios of amounts, against smc.decimal.
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

describe("a ratio", function()
  it("is nearly the quotient", function()
    assert.equal(0.5, params.ratio("30000", "60000"))
    assert.is_true(math.abs(params.ratio("1", "3") - 1 / 3) < 1e-15)
    assert.is_true(params.ratio("60000.01", "60000") > 1)
    assert.equal(math.huge, params.ratio("1", "0"))
    assert.has_error(function() params.ratio("1", "one") end)
  end)
end)
