-- smc.load on the clock that does not stand still while somebody computes.
local smc = require "smc"

describe("a load in real time", function()
  it("counts a latency from the moment that was planned, also when nobody had the time to begin", function()
    local result = smc.load { rate = 1000, duration = 0.2, run = function(n)
      if n > 1 then return end
      local over = os.clock() + 0.1
      while os.clock() < over do end -- the processor, and with it the loop, is taken for a tenth of a second
    end }
    -- Of those that were meant to come meanwhile each has waited for what was left of it: at least so long.
    assert.equal(200, result.count)
    assert.is_true(result.behind >= 0.09)
    assert.is_true(result.p90 >= 0.07 and result:percentile(75) >= 0.045)
    assert.is_true(result.max >= 0.1)
    assert.matches("the latest began %d+.* late", tostring(result))
  end)
end)
