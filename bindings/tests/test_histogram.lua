-- smc.histogram: seconds in, seconds out.
local histogram = require "smc.histogram"

local function raises(text, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  assert.truthy(message:find(text, 1, true), message)
end

describe("a histogram", function()
  it("has no numbers while nothing was recorded", function()
    local h = histogram.new()
    assert.equal(0, h:count())
    assert.is_nil(h:min())
    assert.is_nil(h:max())
    assert.is_nil(h:mean())
    assert.is_nil(h:percentile(99))
  end)

  it("knows its values to three digits", function()
    local h = histogram.new()
    for ms = 1, 1000 do assert.is_true(h:record(ms / 1000)) end
    assert.equal(1000, h:count())
    assert.equal(0.001, h:min())
    assert.equal(1, h:max())
    assert.near(0.5005, h:mean(), 1e-9)
    for _, pct in ipairs { 1, 50, 90, 99, 99.9 } do
      local want = pct / 100
      assert.is_true(h:percentile(pct) >= want - 1e-9, tostring(pct))
      assert.is_true(h:percentile(pct) <= want * 1.001, tostring(pct))
    end
    assert.equal(0.001, h:percentile(0))
    assert.equal(1, h:percentile(100))
  end)

  it("gives equal values back as they were", function()
    local h = histogram.new()
    for _ = 1, 10 do h:record(0.05) end
    assert.equal(0.05, h:percentile(50))
    assert.equal(0.05, h:percentile(99.9))
  end)

  it("merges", function()
    local a, b = histogram.new(), histogram.new()
    a:record(1)
    b:record(3)
    b:record(0)
    assert.is_true(a:merge(b))
    assert.equal(3, a:count())
    assert.equal(2, b:count())
    assert.equal(0, a:min())
    assert.equal(3, a:max())
  end)

  it("refuses what is no duration", function()
    local h = histogram.new()
    raises("from 0 to 9e9", h.record, h, -0.1)
    raises("from 0 to 9e9", h.record, h, 0 / 0)
    raises("from 0 to 9e9", h.record, h, 1 / 0)
    raises("number expected", h.record, h, "fast")
    raises("from 0 to 100", h.percentile, h, 101)
    raises("from 0 to 100", h.percentile, h, 0 / 0)
    raises("smc.histogram expected", h.merge, h, {})
    assert.equal(0, h:count())
  end)
end)
