-- A limiter in Redis when Redis is lost at the wrong moment; here a table answers in its place.  redis_limiter.sh has a
-- real one.
local core = require "smc.core.redis"
local smc = require "smc"

local LOST = { class = "network", code = "reset", message = "closed" }
local REFUSED = { class = "auth", code = "bad_key", message = "NOAUTH" }

describe("smc.limiter in a redis", function()
  local open, said, fails = core.open, nil, nil

  before_each(function()
    said, fails = {}, {}
    local conn = {}
    function conn.run(_, _, words)
      said[#said + 1] = { at = smc.now(), what = words[1], n = tonumber(words[#words]) }
      local err = table.remove(fails, 1)
      if err then return nil, err end
      return { 1, 0, 0, 1 }
    end
    function conn.tell(...) return conn.run(...) end
    core.open = function() return conn end
    finally(function() core.open = open end)
  end)

  local function limiter(options)
    options = options or {}
    options.redis = "unix:///nowhere"
    return assert(smc.limiter({ w = { limit = 10, per = 60 } }, options))
  end

  --- The times at which so much was said.
  local function times(what)
    local out = {}
    for _, one in ipairs(said) do
      if one.what == what then out[#out + 1] = one end
    end
    return out
  end

  it("tells of a hold until it was heard, for those who are not held themselves", function()
    local start = smc.now()
    fails = { LOST, LOST }
    limiter():hold(10)
    smc.sleep(20)
    local holds = times "hold"
    assert.equal(3, #holds)
    assert.equal(10000, holds[1].n)
    assert.near(0.2, holds[3].at - start, 0.001)
    assert.near(9800, holds[3].n, 1) -- what is left of it
  end)

  it("tells of a longer one that comes meanwhile, and of none that is over", function()
    local one = limiter()
    fails = { LOST }
    one:hold(1)
    smc.sleep(0.05)
    one:hold(5)
    smc.sleep(1)
    assert.same({ 1000, 4950 }, { times "hold"[1].n, times "hold"[2].n })
    assert.equal(2, #times "hold")
    local start = smc.now()
    for i = 1, 99 do fails[i] = LOST end
    one:hold(6)
    smc.sleep(20)
    local last = times "hold"[#times "hold"]
    assert.is_true(last.at < start + 6)
    assert.is_true(#times "hold" > 50)
  end)

  it("does not take one that refuses us for one that is away", function()
    local one = limiter { without = 0.5, patience = 10 }
    local start = smc.now()
    fails = { REFUSED, REFUSED }
    local ok, err = one:acquire { w = 1 }
    assert.is_nil(ok)
    assert.equal("auth", err.class)
    assert.equal(start, smc.now())
    assert.equal("auth", select(2, one:try { w = 1 }).class)
  end)
end)
