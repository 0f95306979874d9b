-- The order in which pairs walks a table: it must not depend on addresses or hashes, or a seed would not repeat a run.

local function keys_of(t)
  local out = {}
  for key in pairs(t) do out[#out + 1] = key end
  return out
end

describe("pairs", function()
  it("goes through names in their order, however they came", function()
    local t = {}
    for _, name in ipairs { "pear", "fig", "apple", "quince", "cherry", "banana" } do t[name] = true end
    assert.same({ "apple", "banana", "cherry", "fig", "pear", "quince" }, keys_of(t))
  end)

  it("goes through numbers in theirs, whole or not", function()
    assert.same({ -3, 0.5, 1, 2, 10 }, keys_of { [10] = 1, [0.5] = 1, [-3] = 1, [1] = 1, [2] = 1 })
  end)

  it("goes through numbers, then names, then booleans, then the rest", function()
    local other = {}
    local keys = keys_of { [other] = 1, [true] = 1, b = 1, [2] = 1, [false] = 1, a = 1, [1] = 1 }
    assert.same({ 1, 2, "a", "b", true, false }, { table.unpack(keys, 1, 6) })
    assert.equal(other, keys[7])
    assert.same({ true, false }, keys_of { [false] = 1, [true] = 1 })
  end)

  it("leaves out what was removed meanwhile, and shows what was changed", function()
    local t, seen = { a = 1, b = 2, c = 3 }, {}
    for key, value in pairs(t) do
      seen[#seen + 1] = key .. value
      t.b, t.c = nil, 30
    end
    assert.same({ "a1", "c30" }, seen)
  end)

  it("asks a table that says itself how it is walked", function()
    local t = setmetatable({ a = 1 }, { __pairs = function() return next, { z = 26 }, nil end })
    assert.same({ "z" }, keys_of(t))
  end)
end)
