-- smc.core.rng: its distributions are tested in core/tests/test_rng.c.
local rng = require "smc.core.rng"

local function raises(text, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  assert.truthy(message:find(text, 1, true), message)
end

local function numbers(r)
  local out = {}
  for i = 1, 20 do out[i] = r:int(1, 1000000) end
  return table.concat(out, ",")
end

describe("a random stream", function()
  it("repeats for the same seed and name only", function()
    local first = numbers(rng.new(1, "a"))
    assert.equal(first, numbers(rng.new(1, "a")))
    assert.not_equal(first, numbers(rng.new(2, "a")))
    assert.not_equal(first, numbers(rng.new(1, "b")))
    assert.not_equal(first, numbers(rng.new(-1, "a")))
  end)

  it("draws whole numbers with both ends", function()
    local r, seen = rng.new(1, "dice"), {}
    for _ = 1, 200 do seen[r:int(-1, 1)] = true end
    assert.same({ [-1] = true, [0] = true, [1] = true }, seen)
    assert.equal(5, r:int(5, 5))
    assert.equal("integer", math.type(r:int(math.mininteger, math.maxinteger)))
  end)

  it("draws floats, normals, exponentials", function()
    local r, sum, exp_sum = rng.new(1, "floats"), 0, 0
    for _ = 1, 1000 do
      local x = r:float()
      assert.is_true(x >= 0 and x < 1)
      sum, exp_sum = sum + r:normal(), exp_sum + r:exp()
    end
    assert.near(0, sum / 1000, 0.16)
    assert.near(1, exp_sum / 1000, 0.16)
  end)

  it("draws letters and digits", function()
    local r = rng.new(1, "ids")
    assert.truthy(r:alnum(64):find("^%w+$"))
    assert.equal(64, #r:alnum(64))
    assert.equal("", r:alnum(0))
  end)

  it("makes a seed of a seed and a text", function()
    assert.equal(0x4bf29ce484222325, rng.mix(0, ""))
    assert.equal(0x2f63dc4c8601ec8c, rng.mix(0, "a")) -- FNV-1a of "a", without its sign
    assert.equal(rng.mix(7, "a\0b"), rng.mix(7, "a\0b"))
    assert.not_equal(rng.mix(7, "a\0b"), rng.mix(8, "a\0b"))
    assert.not_equal(rng.mix(7, "a\0b"), rng.mix(7, "a\0c"))
  end)

  it("refuses wrong use", function()
    local r = rng.new(1, "a")
    raises("the range is empty", r.int, r, 2, 1)
    raises("from 0 to 4096", r.alnum, r, 5000)
    raises("from 0 to 4096", r.alnum, r, -1)
    raises("number expected", rng.new, "seed", "a")
    raises("string expected", rng.new, 1)
    raises("smc.rng expected", r.float, {})
  end)
end)
