-- smc.core.windows, against counting that remembers every addition.
local rng = require "smc.core.rng"
local windows = require "smc.core.windows"

--- Windows that know their number on the clock and nothing else.
local function model(lengths)
  local self = {}
  for i, ms in ipairs(lengths) do self[i] = { ms = ms, count = 0 } end
  function self.add(n, now)
    local out = {}
    for i, w in ipairs(self) do
      if w.number ~= now // w.ms then w.number, w.count = now // w.ms, 0 end
      w.count = math.max(0, w.count + n)
      out[i] = w.count
    end
    return out
  end
  return self
end

describe("windows", function()
  it("count as a naive model does, whichever way time goes", function()
    local lengths = { 1000, 10000, 60000 }
    local r, w, naive, now = rng.new(5, "windows"), windows.new(lengths), model(lengths), 1767571200000
    for _ = 1, 1000 do
      now = now + r:int(-200, 600) * r:int(0, 3)
      local n = r:int(-2, 4)
      assert.same(naive.add(n, now), { w:add(n, now) })
      now = now + r:int(0, 400)
      assert.same(naive.add(0, now), { w:counts(now) })
    end
  end)

  it("begin anew where the clock's windows do, not when they are used", function()
    local w = windows.new { 1000, 60000 }
    assert.same({ 1, 1 }, { w:add(1, 59999) })
    assert.same({ 0, 0 }, { w:counts(60000) })
    assert.same({ 2, 2 }, { w:add(2, 60000) })
    assert.same({ 3, 3 }, { w:add(1, 60999) })
    assert.same({ 0, 3 }, { w:counts(61000) })
    assert.same({ 0, 0 }, { w:counts(60999 - 1000) }) -- the clock went back
  end)

  it("hold nothing below zero", function()
    local w = windows.new { 1000 }
    assert.equal(0, (w:add(-3, 5)))
    assert.equal(2, (w:add(2, 6)))
    assert.equal(0, (w:add(-3, 7)))
  end)

  it("say which of them has no room, the last first, and count nothing for that", function()
    local w = windows.new { 1000, 60000 }
    w:add(3, 60000)
    assert.is_nil(w:full(2, { 5, 5 }, 60000))
    assert.equal(2, w:full(3, { 5, 5 }, 60000))
    assert.equal(1, w:full(3, { 5, 6 }, 60000))
    assert.is_nil(w:full(3, { 5, 6 }, 61000))
    assert.same({ 0, 3 }, { w:counts(61000) })
    assert.has_error(function() w:full(1, { 5 }, 61000) end)
  end)

  it("become values of headers", function()
    local w, headers = windows.new { 1000, 60000 }, { { "a", "kept" }, { "b", 0 }, { "c" } }
    w:add(2, 60000)
    w:put(headers, 2, 61000)
    assert.same({ { "a", "kept" }, { "b", 0 }, { "c", 2 } }, headers)
    assert.has_error(function() w:put(headers, 3, 61000) end)
  end)

  it("raise on wrong use", function()
    for _, wrong in ipairs { {}, { 0 }, { -1 }, { "x" }, { 1, 2, 3, 4, 5, 6, 7, 8, 9 } } do
      assert.has_error(function() windows.new(wrong) end)
    end
    assert.has_error(function() windows.new { 1 }:add(1) end)
    assert.has_error(function() windows.new { 1 }:add(0.5, 1) end)
  end)
end)
