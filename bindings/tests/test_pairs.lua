-- The order in which pairs walks a table: it must not depend on addresses or hashes, or a seed would not repeat a run.
local smc = require "smc"
local rng = require "smc.core.rng"

local function keys_of(t)
  local keys = {}
  for key, value in pairs(t) do
    assert.equal(t[key], value)
    keys[#keys + 1] = key
  end
  return keys
end

local RANK = { number = 1, string = 2, boolean = 3 }

local function comes_before(a, b)
  local x, y = RANK[type(a)], RANK[type(b)]
  if x ~= y then return x < y end
  if x == 3 then return a and not b end
  return a < b
end

local MAKE = {
  function(draw) return draw:int(-5, 5) end,
  function(draw) return draw:int(-40, 40) / 8 end,
  function(draw) return math.maxinteger - draw:int(0, 3) end,
  function(draw) return 2.0 ^ draw:int(62, 64) end, -- no integers, and next to the greatest of them
  function(draw) return ("k"):rep(draw:int(0, 3)) .. draw:int(0, 20) end,
  function(draw) return "a\0" .. draw:int(0, 9) end,
  function(draw) return ("long "):rep(20) .. draw:int(0, 9) end,
  function(draw) return draw:int(0, 1) == 1 end,
  function(draw) return ({ math.huge, -math.huge, "", "\255", "\0" })[draw:int(1, 5)] end,
}

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
  end)

  it("goes as a model that sorts, whatever the keys", function()
    local draw = rng.new(1, "pairs")
    for case = 1, 3000 do
      local t, model = {}, {}
      if case % 50 == 0 then smc.sleep(1) end -- a slice has a budget
      for i = 1, draw:int(0, 30) do t[MAKE[draw:int(1, #MAKE)](draw)] = i end
      for key in next, t do model[#model + 1] = key end
      table.sort(model, comes_before)
      local keys = keys_of(t)
      assert.equal(#model, #keys)
      for i, key in ipairs(model) do
        if not rawequal(key, keys[i]) then assert.equal(key, keys[i]) end
      end
    end
  end)

  it("names each key of another type once, after all others", function()
    local f, u = function() end, {}
    local keys = keys_of { [f] = 1, [u] = 2, z = 3, 4 }
    assert.same({ 1, "z" }, { keys[1], keys[2] })
    assert.equal(4, #keys)
    assert.is_true(keys[3] == f and keys[4] == u or keys[3] == u and keys[4] == f)
  end)

  it("leaves out what is removed on the way, shows what is changed, and nothing that is new", function()
    local t, seen = { a = 1, b = 2, c = 3, d = 4 }, {}
    for key, value in pairs(t) do
      seen[#seen + 1] = key .. value
      t.b, t.c = nil, 30
      if key == "a" then t.aa = 5 end
    end
    assert.same({ "a1", "c30", "d4" }, seen)
  end)

  it("asks no __index for what was removed", function()
    local t = setmetatable({ a = 1, b = 2 }, { __index = function() return "made up" end })
    local seen = {}
    for key, value in pairs(t) do
      seen[#seen + 1] = key .. value
      t.b = nil
    end
    assert.same({ "a1" }, seen)
  end)

  it("asks __pairs, which may wait", function()
    local t = setmetatable({}, { __pairs = function(of)
      smc.sleep(1)
      return function(_, last) return not last and "only" or nil end, of, nil
    end })
    local seen = {}
    for key in pairs(t) do seen[#seen + 1] = key end
    assert.same({ "only" }, seen)
  end)

  it("walks within a walk, and again after one that was left", function()
    local t, seen = { 1, 2, 3 }, {}
    for a in pairs(t) do
      for b in pairs(t) do
        if b == 3 then break end
        seen[#seen + 1] = a * 10 + b
      end
    end
    assert.same({ 11, 12, 21, 22, 31, 32 }, seen)
  end)

  it("makes room for what finalizers add while it begins", function()
    for case = 1, 100 do
      local t, last = { last = true }, nil
      if case % 10 == 0 then smc.sleep(1) end -- a slice has a budget
      for i = 1, 40 do
        setmetatable({}, { __gc = function() for k = 1, 300 do t[k * 7 + i] = true end end })
      end
      for _ = 1, 30 do
        for key in pairs(t) do last = key end
        assert.equal("last", last)
      end
    end
  end)

  it("says what is no table", function()
    assert.error_matches(function() for _ in pairs(nil) do end end, "table expected, got nil")
    assert.error_matches(function() for _ in pairs(7) do end end, "table expected, got number")
    assert.error_matches(function() pairs() end, "bad argument #1 to 'pairs'")
  end)
end)
