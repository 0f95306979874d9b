-- How long a group of venues takes to leave one that fails: over many switches, and while it is asked all the time.
-- A switch that takes long is a position that nobody can get out of.
local smc = require "smc"

local NETWORK = 0.01

local function buy(group)
  return group:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.001", price = "40000" }
end

local function look(group) return group:balances() end

-- What the group has to do after each switch, at the next venue; and how many switches there are.
local PAIRS = { { "binance", "bybit", "order", buy, 12 }, { "oanda", "binance", "answer", look, 6 } }

for _, pair in ipairs(PAIRS) do
  local first, second, what, act, switches = table.unpack(pair)
  describe(("%d switches between %s and %s #performance #virtual-time #leaves-orders #%s #%s"):format(switches,
    first, second, first, second), function()
    local CHECK_EVERY, CHECK_TIMEOUT = 0.6, 0.3
    local group

    before_each(function()
      local venues = { smc.venue(first, { breaker = false }), smc.venue(second, { breaker = false }) }
      for _, venue in ipairs(venues) do venue:fault { link = "latency", latency = NETWORK } end
      group = smc.failover { venues[1], venues[2], check_every = CHECK_EVERY, check_timeout = CHECK_TIMEOUT,
        recover = { ["for"] = 0 } }
      assert(act(group))
    end)

    --- Seconds from the moment at which the active venue fails to what the other one does first.
    local function switch(fault)
      local from, began = group.active, smc.now()
      from:fault(fault)
      assert(group:time())
      assert(act(group))
      local took = smc.now() - began
      assert.not_equal(from, group.active)
      from:heal(fault.venue or fault.link)
      return took
    end

    it(("have the first %s at once after a refusal, and within a check and its timeout after silence"):format(what),
      function()
        local refused, silent = assert(smc.histogram.new()), assert(smc.histogram.new())
        for n = 1, switches do
          smc.sleep(CHECK_EVERY * (1 + n / switches / 2)) -- the other one is up again; each time checks are further on
          local spread = n % 2 == 1 and refused or silent
          assert(spread:record(switch(spread == refused and { venue = "down" } or { link = "blackhole" })))
        end

        assert.equal(switches, #group:history())
        assert.is_true(refused:percentile(50) <= 8 * NETWORK, ("half took %g s"):format(refused:percentile(50)))
        assert.is_true(refused:max() <= 10 * NETWORK, ("the slowest took %g s"):format(refused:max()))
        assert.is_true(silent:min() >= CHECK_TIMEOUT, "nobody can know before a check has timed out")
        assert.is_true(silent:max() <= CHECK_EVERY + CHECK_TIMEOUT + 10 * NETWORK,
          ("the slowest took %g s"):format(silent:max()))
      end)
  end)
end

describe("a group that is asked all the time #performance #virtual-time #binance #bybit #oanda", function()
  local binance, bybit, oanda, group

  before_each(function()
    binance, bybit, oanda = smc.venue("binance", { breaker = false }), smc.venue "bybit", smc.venue "oanda"
    group = smc.failover { binance, bybit, oanda, check_every = 2, check_timeout = 1,
      triggers = { latency = { over = 0.3, ["for"] = 1 } } }
    assert(group:ping())
  end)

  local function time() return group:time() end

  it("answers everyone, late at worst, while one venue after the other goes silent", function()
    binance:fault { link = "blackhole", after = 1 }
    bybit:fault { link = "blackhole", after = 6 }

    local result = smc.load { name = "clock", rate = 3, duration = 14, run = time }

    assert.load(result, { "errors == 0", "p50 < 0.01", "max > 0.9", "max <= 3.2" })
    assert.equal(oanda, group.active)
    assert.equal(2, #group:history())
  end)

  it("leaves a venue that has become slow, and is fast again", function()
    binance:fault { link = "latency", latency = 0.4, after = 1 }

    local result = smc.load { name = "clock", rate = 8, duration = 6, run = time }

    assert.load(result, { "errors == 0", "p50 < 0.01", "max < 0.5" })
    assert.same({ "latency", bybit }, { group:history()[1].cause, group.active })
  end)

  it("goes on telling prices to a stream while everyone asks and its venue goes away", function()
    local stream <close> = assert(group:stream { "ticker:BTC/USDT" })
    binance:fault { venue = "down", after = 2 }
    local told = { before = 0, after = 0 }
    local listener <close> = smc.spawn(function()
      local when = "before"
      for event in function() return stream:recv(20) end do
        if event.kind == "switched" then when = "after" else told[when] = told[when] + 1 end
      end
    end)

    local result = smc.load { name = "clock", rate = 2, duration = 5, run = time }

    assert.load(result, { "errors == 0", "max < 0.1" })
    assert.equal("running", listener:status())
    assert.is_true(told.before >= 1 and told.after >= 2, ("%d prices before, %d after"):format(told.before, told.after))
  end)

  it("places each order once while its venue goes away #leaves-orders", function()
    local placed = {}
    binance:fault { venue = "down", after = 1 }

    local result = smc.load { name = "orders", rate = 4, duration = 2, run = function()
      local order, err = buy(group)
      if order then placed[order.client_id] = order.venue end
      return order, err
    end }

    assert.load(result, { "errors == 0", "count == 8" })
    for _, venue in ipairs { binance, bybit } do
      for _, order in ipairs(venue.sandbox:orders()) do
        assert.equal(venue.name, placed[order.client_id])
        placed[order.client_id] = nil
      end
    end
    assert.is_nil(next(placed))
  end)
end)
