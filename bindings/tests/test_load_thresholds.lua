-- assert.load: what thresholds may say, and what becomes of those that say nothing.
local smc = require "smc"
local check = require "smc.check"
local thresholds = require "smc.load.thresholds"

--- 100 runs in a second, of which number n takes n ms; those that fail(n) names fail.
local function load_of(fail, options)
  local given = { rate = 100, duration = 1, run = function(n)
    smc.sleep(n / 1000)
    if fail and fail(n) then return nil, "broken" end
    return true
  end }
  for name, value in pairs(options or {}) do given[name] = value end
  return smc.load(given)
end

describe("a threshold", function()
  for text, wanted in pairs {
    ["p99 < 0.050"] = { "p99", "<", 0.05 }, ["p99.9<=1"] = { "p99.9", "<=", 1 },
    ["  p50   >  0.1 "] = { "p50", ">", 0.1 }, ["errors == 0"] = { "errors", "==", 0 },
    ["rate >= 199"] = { "rate", ">=", 199 }, ["max < 1e-3"] = { "max", "<", 0.001 },
    ["dropped <= 5"] = { "dropped", "<=", 5 }, ["count > 1000"] = { "count", ">", 1000 },
    ["p99.99 < 2."] = { "p99.99", "<", 2 },
  } do
    it(("is read: '%s'"):format(text), function()
      local got = assert(thresholds.parse(text))
      assert.same(wanted, { got.metric, got.operator, got.value })
    end)
  end

  for text, why in pairs {
    ["p100 < 1"] = "unknown metric 'p100'", ["p0 < 1"] = "unknown metric 'p0'", ["p < 1"] = "unknown metric 'p'",
    ["P99 < 1"] = "unknown metric 'P99' (there are: p50,", ["latency < 1"] = "unknown metric 'latency'",
    [""] = "unknown metric ''", ["< 5"] = "unknown metric ''", ["p99.9.9 < 1"] = "unknown metric 'p99.9.9'",
    ["p99"] = "unknown operator '' (there are: <, <=, >, >=, ==)", ["p99 = 1"] = "unknown operator '='",
    ["p99 != 1"] = "unknown operator '!='", ["p99 => 1"] = "unknown operator '=>'",
    ["p99 << 1"] = "unknown operator '<<'", ["p99 <"] = "'' is no number",
    ["p99 < 50ms"] = "'50ms' is no number without a unit: latencies are in seconds",
    ["errors < 1%"] = "'1%' is no number", ["p99 < -1"] = "'-1' is no number", ["p99 < 0x10"] = "'0x10' is no number",
    ["p99 < .5"] = "'.5' is no number", ["p99 < inf"] = "'inf' is no number",
    ["p99 < 1 or 2"] = "'1 or 2' is no number", ["p99 < 1,5"] = "'1,5' is no number",
  } do
    it(("is refused, and named: '%s'"):format(text), function()
      local ok, err = pcall(function() assert.load(load_of(), { "count == 100", text }) end)
      assert.is_false(ok)
      assert.matches("test_load_thresholds.lua:%d+: assert.load: ", err)
      assert.matches("assert.load: \"" .. text .. "\": " .. why, err, 1, true)
    end)
  end

  for text, why in pairs {
    ["errors <= 1"] = "can't be broken", ["errors >= 0"] = "can't be broken", ["errors < 1.5"] = "can't be broken",
    ["p99 < 50"] = "can't be broken: it is from 0 to 31", ["dropped <= 100"] = "can't be broken",
    ["rate >= 0"] = "can't be broken", ["errors < 0"] = "can't hold", ["dropped == 101"] = "can't hold",
    ["p50 > 31"] = "can't hold", ["errors > 1"] = "can't hold",
  } do
    it(("is refused when the load can't decide it: '%s'"):format(text), function()
      local ok, err = pcall(function() assert.load(load_of(), { text }) end)
      assert.is_false(ok)
      assert.matches("test_load_thresholds.lua:%d+: assert.load: ", err)
      assert.matches(why, err, 1, true)
    end)
  end

  it("is wanted, and of a load", function()
    local result = load_of()
    local none = "thresholds expected"
    for _, case in ipairs { { {}, none }, { 5, none }, { { 5 }, "threshold 1: a text like" } } do
      local ok, err = pcall(assert.load, result, case[1])
      assert.is_false(ok)
      assert.matches("assert.load: " .. case[2], err, 1, true)
    end
    local ok, err = pcall(assert.load, { p99 = 0, count = 5 }, { "p99 < 1" })
    assert.is_false(ok)
    assert.matches("what smc.load returned expected, got table", err, 1, true)
  end)
end)

describe("assert.load", function()
  --- What it says when it fails, which it must do as an assertion.
  local function refusal(result, list)
    local ok, err = pcall(assert.load, result, list)
    assert.is_false(ok)
    assert.is_true(check.is_failure(err))
    return err.message
  end

  it("holds for the numbers of the load, counts as a check, and returns the result", function()
    local result, before = load_of(), check.count
    local same = assert.load(result, { "p50 >= 0.05", "p90 < 0.0901", "p99 < 0.1", "max == 0.1", "min == 0.001",
      "mean > 0.05", "mean < 0.051", "errors == 0", "count == 100", "dropped == 0", "rate > 90", "p75 >= 0.075",
      "p75 < 0.0751" })
    assert.equal(before + 1, check.count)
    assert.equal(result, same)
    assert.load(result, "p99 < 0.1")
  end)

  it("is needed: a load alone checks nothing", function()
    local before = check.count
    local result = load_of()
    assert.equal(before, check.count)
    assert.equal(100, result.count)
  end)

  it("names what is broken, by how much, what holds, and shows the table", function()
    local message = refusal(load_of(), { "p99 < 0.050", "count == 100", "rate >= 199" })
    assert.matches("p99 < 0.050      is 0.0990249: too high by 0.04902 (98 %)", message, 1, true)
    assert.matches("rate >= 199      is 91.7431: too low by 107.3 (53.9 %)", message, 1, true)
    assert.matches("count == 100     holds", message, 1, true)
    for _, word in ipairs { "100 arrivals", "dropped  0", "p99.9", "  latency        1 ms" } do
      assert.matches(word, message, 1, true)
    end
  end)

  it("holds at the edge and not beyond it", function()
    local result = load_of(function(n) return n > 90 end)
    assert.load(result, { "errors <= 0.1", "failed == 10" })
    refusal(result, { "errors < 0.1" })
    refusal(result, { "errors == 0.1", "failed > 10" })
  end)

  it("fails when nothing has ended, whatever is asked", function()
    local result = load_of(nil, { in_flight = 1, grace = 0, run = function() smc.sleep(1e6) end, duration = 0.005 })
    assert.same({ 1, 1, 1 }, { result.count, result.failed, result.classes.unfinished })
    local none = smc.load { stages = { { rate = 1e-6, duration = 1 } }, arrivals = "poisson", run = print }
    assert.equal(0, none.count)
    assert.is_nil(none.p99)
    assert.matches("nothing has ended", refusal(none, { "p99 < 1", "errors == 0" }), 1, true)
  end)

  it("fails when runs have failed, or were dropped, and nobody asks about that", function()
    local failed = load_of(function(n) return n == 7 end)
    assert.matches("1 of 100 runs failed, and no threshold is about that", refusal(failed, { "p99 < 1" }), 1, true)
    assert.load(failed, { "p99 < 1", "errors <= 0.01" })
    for _, all_but in ipairs { 0, 1, 2 } do -- what the message says allows it does
      local many = load_of(nil, { rate = 3000, run = function(n) return n <= all_but and true or nil, "broken" end })
      assert.load(many, { "p99 < 1", refusal(many, { "p99 < 1" }):match '"(errors [^"]+)" allows it' })
    end
    local dropped = load_of(nil, { in_flight = 1 })
    assert.is_true(dropped.dropped > 0)
    assert.matches("were dropped, and no threshold is about that", refusal(dropped, { "p99 < 1" }), 1, true)
    assert.load(dropped, { "p99 < 1", "dropped < 99" })
  end)
end)
