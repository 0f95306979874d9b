-- smc.retry: its law is tested in C; here are its words, its seconds, and what it makes of errors.
local smc = require "smc"

local function says(text, fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.matches("test_retry.lua:%d+: ", err)
  assert.matches(text, err, 1, true)
end

--- A function that fails with the errors of a list, one after the other, and then succeeds; and when it was called.
local function failing(errs)
  local calls = {}
  return function(...)
    calls[#calls + 1] = smc.now()
    local err = errs[#calls]
    if err then return nil, err end
    return "fine", ...
  end, calls
end

local SERVER = { class = "server", retryable = true }

describe("smc.retry", function()
  it("calls again after growing waits, and returns what came of it", function()
    local fn, calls = failing { SERVER, SERVER, SERVER }
    local value, argument = smc.retry({ base = 1, factor = 3, max = 5, jitter = 0 }):call(fn, "argument")
    assert.same({ "fine", "argument", 4 }, { value, argument, #calls })
    for i, wait in ipairs { 1, 3, 5 } do assert.near(wait, calls[i + 1] - calls[i], 0.01) end
  end)

  it("gives up after its attempts with the last error", function()
    local last = { class = "server", retryable = true }
    local fn, calls = failing { SERVER, last, SERVER }
    local value, err = smc.retry({ attempts = 2, base = 0.1 }):call(fn)
    assert.is_nil(value)
    assert.is_true(rawequal(last, err))
    assert.equal(2, #calls)
  end)

  it("waits as long as the venue asks for, but begins no wait that ends beyond its budget", function()
    local asked = { class = "rate_limit", retryable = true, retry_after = 7 }
    local fn, calls = failing { asked, asked }
    local _, err = smc.retry({ budget = 10, base = 0.1 }):call(fn)
    assert.equal("rate_limit", err.class)
    assert.equal(2, #calls)
    assert.near(7, calls[2] - calls[1], 0.01)
  end)

  it("stops at what asking again can't mend", function()
    for _, class in ipairs { "auth", "filter", "insufficient_funds", "unknown_outcome", "circuit_open" } do
      local fn, calls = failing { { class = class, retryable = false } }
      local _, err = smc.retry():call(fn)
      assert.same({ class, 1 }, { err.class, #calls })
    end
  end)

  it("shortens waits by chance, within the jitter, alike for the same seed and unlike for two policies", function()
    local function waits()
      local fn, calls = failing { SERVER, SERVER, SERVER }
      smc.retry({ base = 1, max = 8, jitter = 0.5 }):call(fn)
      return calls[2] - calls[1], calls[3] - calls[2], calls[4] - calls[3]
    end
    local one, other = { waits() }, { waits() }
    for i, longest in ipairs { 1, 2, 4 } do
      assert.is_true(one[i] >= longest / 2 - 0.01 and one[i] <= longest + 0.01)
    end
    assert.not_same(one, other)
  end)

  it("says of an order in doubt that it is to be looked up, however many attempts are left", function()
    local run = smc.retry({ attempts = 2, base = 1, jitter = 0 }):begin()
    local doubt = { class = "unknown_outcome", retryable = false, sent = true }
    for failed, wait in ipairs { 1, 2, 4 } do
      assert.same({ "look_up", wait }, { run:next(doubt, true) })
      assert.equal(failed, run:failed())
    end
  end)

  it("sends a mutation again only when it was not sent, or the venue says that nothing has happened", function()
    local function verdict(err) return (smc.retry():begin():next(err, true)) end
    assert.equal("again", verdict { class = "network", retryable = false, sent = false })
    assert.equal("again", verdict { class = "rate_limit", http = 429, retryable = true })
    assert.equal("stop", verdict { class = "filter", http = 400, retryable = false })
    assert.equal("look_up", verdict { class = "unknown_outcome", http = 503, retryable = false })
  end)

  it("refuses options that make no sense, by name, at the caller's line", function()
    says("smc.retry: unknown option 'tries'", function() smc.retry { tries = 1 } end)
    says("smc.retry: an options table expected", function() smc.retry(5) end)
    says("smc.retry: attempts must be a whole number from 1 to 1000", function() smc.retry { attempts = 0 } end)
    says("smc.retry: attempts must be a whole number", function() smc.retry { attempts = 1.5 } end)
    says("smc.retry: factor must be a number from 1 to 10", function() smc.retry { factor = 0.5 } end)
    says("smc.retry: jitter must be a number from 0 to 1", function() smc.retry { jitter = 2 } end)
    says("smc.retry: max must not be below base", function() smc.retry { base = 2, max = 1 } end)
    says("retry:call: a function expected", function() smc.retry():call(5) end)
  end)
end)
