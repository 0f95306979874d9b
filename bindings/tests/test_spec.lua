-- The words of a scenario, seen from inside; verdicts on specs that must fail are in runner/tests.
local check = require "smc.check"
local smc = require "smc"

local seen = {}

describe("hooks", function()
  before_each(function() seen[#seen + 1] = "outer before" end)
  after_each(function() seen[#seen + 1] = "outer after" end)

  describe("of an inner block", function()
    before_each(function() seen[#seen + 1] = "inner before" end)
    after_each(function() seen[#seen + 1] = "inner after" end)

    it("run from the outside in", function()
      finally(function() seen[#seen + 1] = "finally" end)
      assert.same({ "outer before", "inner before" }, seen)
    end)
  end)

  it("and afterwards from the inside out, after finally", function()
    assert.same({ "outer before", "inner before", "finally", "inner after", "outer after", "outer before" }, seen)
  end)
end)

describe("setup and teardown", function()
  local ups = 0
  setup(function() ups = ups + 1 end)

  it("run once for a block", function() assert.equal(1, ups) end)
  it("not once for a spec", function() assert.equal(1, ups) end)
end)

describe("a world", function()
  local first

  it("starts at the epoch", function()
    first = smc.now()
    smc.sleep(5)
    assert.is_true(smc.now() >= first + 5)
  end)

  it("starts there again for the next spec, with random numbers of its own", function()
    local here = { math.random(1 << 30), math.random(1 << 30) }
    assert.is_true(smc.now() - first < 1e6)
    assert.is_not.equal(here[1], here[2])
  end)
end)

describe("assert", function()
  it("hands its values through", function()
    local a, b = assert(1, "two")
    assert.equal(1, a)
    assert.equal("two", b)
  end)

  it("calls venues by their names", function()
    local _, failure = pcall(assert.equal, smc.venue "binance", smc.venue "bybit")
    assert.matches("^Expected objects to be equal%.\nPassed in:\n%(venue bybit, table: [%w]+%)\nExpected:\n\z
      %(venue binance, table: [%w]+%)$", tostring(failure))
  end)

  it("raises an error object unchanged", function()
    local task <close> = smc.spawn(function() smc.sleep(9) end)
    local _, timeout = task:join(1)

    local ok, raised = pcall(function() assert(nil, timeout) end)

    assert.is_false(ok)
    assert.is_true(rawequal(timeout, raised))
  end)

  it("says both values and the line of a failure", function()
    local _, failure = pcall(function() assert.equal(1, 2) end)
    assert.matches("Expected:\n(number) 1", failure.message, 1, true)
    assert.matches("test_spec.lua$", failure.file)
    assert.is_true(failure.line > 1)
  end)

  it("sees what holds, counts it and hands it through", function()
    local before, meta = check.count, { __eq = function() return true end }
    local list = { 1, { x = "y" } }
    for _, row in ipairs { { "equal", 1, 1.0 }, { "equal", list, list, "why" }, { "same", { 1, { x = "y" } }, list },
      { "equal", setmetatable({}, meta), setmetatable({}, meta) }, { "same", "a", "a" }, { "is_true", true, "why" },
      { "is_false", false }, { "is_nil", nil, "why" } } do
      local all = table.pack(assert[row[1]](table.unpack(row, 2, 4)))
      for i = 1, 3 do assert(rawequal(row[i + 1], all[i])) end
    end
    assert.equal(before + 32, check.count)
  end)

  it("blames what does not", function()
    local broken = setmetatable({}, { __index = function() error "broken" end, __len = function() error "broken" end })
    for _, row in ipairs { { "equal", 1, 2 }, { "equal", 0 / 0, 0 / 0 }, { "equal", {}, {} }, { "equal" }, { "same" },
      { "same", { 1 }, { 1, 2 } }, { "same", 1, "1" }, { "same", broken, { 1 } }, { "is_true", 1 }, { "is_true" },
      { "is_false" }, { "is_nil", false } } do
      local ok, failure = pcall(function() assert[row[1]](table.unpack(row, 2, #row)) end)
      assert(not ok and check.is_failure(failure), row[1])
      assert.matches("test_spec.lua$", failure.file)
    end
  end)

  it("follows whoever registers an assertion anew", function()
    local assertions = require "luassert.namespaces".assertion
    local known = assertions.equal
    finally(function() assertions.equal = known end)
    assert:register("assertion", "equal", function() return false end, "assertion.equals.positive",
      "assertion.equals.negative")
    assert.has_error(function() assert.equal(1, 1) end)
  end)

  it("knows modifiers", function()
    assert.is_not.equal(1, 2)
    assert.are_not.same({ 1 }, { 2 })
    assert.has_no.errors(function() end)
  end)
end)

describe("eventually", function()
  it("returns once the assertion holds", function()
    local tries = 0
    local start = smc.now()
    eventually(function()
      tries = tries + 1
      assert.equal(5, tries)
    end, { every = 0.5 })
    assert.near(2, smc.now() - start, 0.4)
  end)

  it("raises the last failure when time is up, and says how long it tried", function()
    local start = smc.now()
    local _, failure = pcall(eventually, function() assert.equal(1, 2) end, { within = 3 })
    assert.near(3, smc.now() - start, 0.5)
    assert.matches("still so after 3 s", failure.message, 1, true)
  end)

  it("gives up while its spec has time to say what was still so", function()
    smc.sleep(10)
    local began = smc.now()
    local _, failure = pcall(eventually, function() assert.equal(1, 2) end, { within = 50, every = 2 })
    assert.near(48, smc.now() - began, 2)
    assert.matches("(number) 1", failure.message, 1, true)
    assert.matches("after 48 s of trying every 2 s: its spec has no more time (--timeout))", failure.message, 1, true)
    _, failure = pcall(eventually, function() assert.equal(1, 2) end, { within = 1, every = 0.5 })
    assert.matches("(still so after 1 s of trying every 0.5 s)", failure.message, 1, true)
  end)

  it("does not repeat what is broken", function()
    local tries = 0
    assert.has_error(function()
      eventually(function()
        tries = tries + 1
        error("broken")
      end)
    end)
    assert.equal(1, tries)
  end)

  it("refuses an unknown option by name", function()
    assert.error_matches(function() eventually(function() end, { withn = 3 }) end, "withn")
  end)

  it("refuses what is no function and no duration, and trying without a pause", function()
    assert.error_matches(function() eventually(1) end, "a function expected")
    assert.error_matches(function() eventually(function() end, 5) end, "^eventually: options as in")
    for _, bad in ipairs { "2", -1, 0 / 0, math.huge } do
      assert.error_matches(function() eventually(function() end, { within = bad }) end, "within must be")
    end
    assert.error_matches(function() eventually(function() end, { every = 0 }) end, "every must be")
  end)

  it("ends, though the time that is left can be less than the clock can show", function()
    for step = 1, 50 do
      smc.sleep(step / 1000)
      local start = smc.now()
      local within = step % 4 / 10 + 0.013
      assert.is_false(pcall(eventually, function() assert.equal(1, 2) end, { within = within }))
      assert.near(within, smc.now() - start, 0.01)
    end
  end)
end)

describe("the standard library of a scenario", function()
  it("has no way out of the process", function()
    for _, name in ipairs { "execute", "getenv", "exit", "remove", "rename", "tmpname" } do
      assert.error_matches(function() os[name]("x") end, "not available in a scenario")
    end
    assert.error_matches(function() io.popen("true") end, "not available in a scenario")
    assert.error_matches(function() io.open("/tmp/x", "w") end, "only read")
    assert.is_nil(package.loadlib)
    assert.is_nil((load("\27Lua")))
  end)
end)

describe("pairs", function()
  it("goes through numbers, strings and booleans in order, whatever the order of insertion", function()
    local t = { b = 1, [10] = 2, a = 3, [2.5] = 4, [true] = 5, c = 6, [-1] = 7 }
    local keys = {}
    for key, value in pairs(t) do
      keys[#keys + 1] = key
      assert.equal(t[key], value)
    end
    assert.same({ -1, 2.5, 10, "a", "b", "c", true }, keys)
  end)

  it("allows fields to be cleared on the way, and honours __pairs", function()
    local t, seen_keys = { a = 1, b = 2, c = 3 }, {}
    for key in pairs(t) do
      seen_keys[#seen_keys + 1] = key
      t.b = nil
    end
    assert.same({ "a", "c" }, seen_keys)

    local own = setmetatable({}, { __pairs = function() return function(_, k) return not k and "only" or nil end end })
    for key in pairs(own) do assert.equal("only", key) end
    assert.error_matches(function() pairs(nil)() end, "table expected")
  end)
end)

pending("a pending spec is skipped")
