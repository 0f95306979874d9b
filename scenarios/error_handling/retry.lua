-- What is sent again, when, and how often; and that an order is never placed twice.
local smc = require "smc"

local SPOT = { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01", price = "40000" }
local FX = { symbol = "EUR/USD", side = "buy", type = "limit", qty = "1000", price = "0.9" }

--- ages: its requests are too old after a while, so that one that is not there by then never arrived.
local VENUES = {
  { name = "binance", order = SPOT, ages = true }, { name = "bybit", order = SPOT, ages = true },
  { name = "oanda", order = FX },
}

local function named(order, client_id)
  local copy = { client_id = client_id }
  for key, value in pairs(order) do copy[key] = value end
  return copy
end

for _, row in ipairs(VENUES) do
  describe("retries of " .. row.name .. " #error-handling #" .. row.name, function()
    local function open_venue(retry, options)
      options = options or {}
      options.retry = retry
      local venue = smc.venue(row.name, options)
      assert(venue:balances())
      return venue
    end

    --- Seconds between the attempts of a call.
    local function gaps(venue, op)
      local out, before = {}, nil
      for _, request in ipairs(venue:requests { op = op }) do
        if before then out[#out + 1] = request.at - before.at - before.elapsed end
        before = request
      end
      return out
    end

    --- What is the same whatever the venue is shown at one.
    local once = row.name == "binance" and it or function() end

    it("are made of a read, after waits that grow", function()
      local venue = open_venue { base = 0.1, factor = 2, jitter = 0 }
      venue:fault { venue = "http", status = 503, on = "open_orders", count = 3 }
      assert.same({}, assert(venue:open_orders(row.order.symbol)))
      local waited = gaps(venue, "open_orders")
      assert.equal(3, #waited)
      for i, least in ipairs { 0.1, 0.2, 0.4 } do assert.is_true(waited[i] >= least - 0.001, waited[i]) end
      assert.equal(4, #venue:requests { op = "open_orders" })
    end)

    once("are three, after a fifth of a second and twice as long each time, where nobody says otherwise #virtual-time",
      function()
        local venue = open_venue(true)
        venue:fault { venue = "http", status = 503, on = "open_orders" }
        assert.equal("server", select(2, venue:open_orders(row.order.symbol)).class)
        local waited, less = gaps(venue, "open_orders"), 0
        assert.equal(3, #waited)
        for i, most in ipairs { 0.2, 0.4, 0.8 } do
          assert.is_true(waited[i] >= most / 2 - 0.001 and waited[i] <= most + 0.001, waited[i])
          less = less + most - waited[i]
        end
        assert.is_true(less > 0.002, "by chance, so that no two clients come back at the same moment")
      end)

    it("are as many as attempts fail, up to the last one", function()
      for fails = 0, 4 do
        local venue = open_venue { attempts = 4, base = 0.001 }
        if fails > 0 then venue:fault { venue = "http", status = 503, on = "open_orders", count = fails } end
        local orders, err = venue:open_orders(row.order.symbol)
        assert.same({ fails < 4, math.min(fails + 1, 4) }, { err == nil, #venue:requests { op = "open_orders" } })
        assert.same(fails < 4 and {} or "server", orders or err.class)
      end
    end)

    it("are made of a read whose answer is lost", function()
      local venue = open_venue { base = 0.01 }
      venue:fault { venue = "ack_lost", on = "open_orders", count = 1 }
      assert.same({}, assert(venue:open_orders(row.order.symbol)))
      assert.equal(2, #venue:requests { op = "open_orders" })
    end)

    once("wait less than they might, by chance, and never longer than the most #virtual-time", function()
      local venue = open_venue { attempts = 5, base = 1, factor = 2, max = 3, jitter = 0.5, budget = 0 }
      venue:fault { venue = "http", status = 503, on = "open_orders", count = 4 }
      assert(venue:open_orders(row.order.symbol))
      local most, less = { 1, 2, 3, 3 }, 0
      for i, waited in ipairs(gaps(venue, "open_orders")) do
        assert.is_true(waited >= most[i] / 2 - 0.001 and waited <= most[i] + 0.001, waited)
        less = less + most[i] - waited
      end
      assert.is_true(less > 0.01)
    end)

    it("wait as long as the venue asks for #virtual-time", function()
      local venue = open_venue({ base = 0.01 }, { obey_limits = false })
      if row.name == "bybit" then -- it names the end in a header of its own
        venue.sandbox:limit { path = "/v5/order/realtime", requests = 0, per = 1 }
        smc.spawn(function()
          smc.sleep(0.5)
          venue.sandbox:limit { path = "/v5/order/realtime", requests = 50, per = 1 }
        end)
      else
        venue:fault { venue = "http", status = 429, retry_after = 1, on = "open_orders", count = 1 }
      end
      assert(venue:open_orders(row.order.symbol))
      assert.near(1, gaps(venue, "open_orders")[1], 0.01)
    end)

    it("end with the last error when all attempts have failed", function()
      local venue = open_venue { attempts = 3, base = 0.01 }
      venue:fault { venue = "http", status = 503, on = "open_orders" }
      local orders, err = venue:open_orders(row.order.symbol)
      assert.is_nil(orders)
      assert.same({ "server", 503, 3 }, { err.class, err.http, #venue:requests { op = "open_orders" } })
    end)

    it("begin no wait that would end beyond their budget", function()
      local venue = open_venue { base = 4, max = 4, jitter = 0, budget = 2 }
      venue:fault { venue = "http", status = 503, on = "open_orders" }
      local start = smc.now()
      assert.equal("server", select(2, venue:open_orders(row.order.symbol)).class)
      assert.equal(1, #venue:requests { op = "open_orders" })
      assert.is_true(smc.now() - start < 4)
    end)

    once("use all of their budget, and begin no wait beyond it #virtual-time", function()
      local venue = open_venue { attempts = 10, base = 2, max = 2, jitter = 0, budget = 5 }
      venue:fault { venue = "http", status = 503, on = "open_orders" }
      local start = smc.now()
      assert.equal("server", select(2, venue:open_orders(row.order.symbol)).class)
      assert.equal(3, #venue:requests { op = "open_orders" })
      assert.near(4, smc.now() - start, 0.1)
    end)

    it("are not made of what asking again can't mend #leaves-orders", function()
      local venue = open_venue(true)
      local same = named(row.order, "once-" .. smc.wall()) -- a testnet remembers names
      local order, err = venue:place(same)
      assert.is_not_nil(order, tostring(err))
      order, err = venue:place(same)
      assert.is_nil(order)
      assert.same({ "duplicate_order", 2 }, { err.class, #venue:requests { op = "place", method = "POST" } })
    end)

    it("look an order up before anything else when its acknowledgement is lost #leaves-orders", function()
      local venue = open_venue { base = 0.1 }
      venue:fault { venue = "ack_lost", on = "place", count = 1 }
      local order = assert(venue:place(named(row.order, "acknowledged-late")))
      assert.same({ "open", "acknowledged-late" }, { order.status, order.client_id })
      assert.equal(1, #venue:requests { op = "place", method = "POST" })
      assert.equal(1, #venue.sandbox:orders { client_id = "acknowledged-late" })
    end)

    it("leave an order in doubt that can't be looked up #virtual-time #leaves-orders", function()
      local venue = open_venue({ attempts = 2, base = 0.1 }, { breaker = false })
      venue:fault { venue = "ack_lost", on = "place", count = 1 }
      venue:fault { venue = "http", status = 503, method = "GET" }
      local order, err = venue:place(named(row.order, "doubtful"))
      assert.is_nil(order)
      assert.same({ "unknown_outcome", "doubtful" }, { err.class, err.client_id })
      assert.equal(1, #venue:requests { op = "place", method = "POST" })
      assert.equal(1, #venue.sandbox:orders { client_id = "doubtful" })
    end)

    it("send an order again only once it can't be at the venue any more #virtual-time #leaves-orders", function()
      local window = row.ages and 1000 or nil
      local venue = open_venue({ base = 0.1 }, { recv_window = window })
      venue:fault { venue = "reset", on = "place", count = 1 }
      local order, err = venue:place(named(row.order, "once"))
      local sent = venue:requests { op = "place", method = "POST" }
      if not row.ages then -- it may still arrive, at any time: nobody knows, and nothing is sent again
        assert.same({ "unknown_outcome", 1 }, { err.class, #sent })
        return assert.same({}, venue.sandbox:orders())
      end
      assert.same({ "open", "once" }, { order.status, order.client_id })
      assert.equal(2, #sent)
      assert.is_true(sent[2].at - sent[1].at >= 2) -- the window, and a second between the clocks
      assert.equal(1, #venue.sandbox:orders())
    end)

    if row.ages then
      it("send an order that never arrives as often as they were told, and no more #virtual-time", function()
        local venue = open_venue({ attempts = 3, base = 0.1 }, { recv_window = 1000 })
        venue:fault { venue = "reset", on = "place" }
        local order, err = venue:place(named(row.order, "lost"))
        assert.is_nil(order)
        assert.same({ "network", "never_arrived", true }, { err.class, err.code, err.retryable })
        assert.equal(3, #venue:requests { op = "place", method = "POST" })
        assert.same({}, venue.sandbox:orders())
      end)
    end
  end)
end

describe("retries of something of one's own #error-handling #virtual-time #binance", function()
  local venue, called
  before_each(function() venue, called = smc.venue("binance", { breaker = false }), 0 end)

  local function price()
    called = called + 1
    return venue:ticker "BTC/USDT"
  end

  it("call it until it succeeds, after waits that grow", function()
    venue:fault { venue = "http", status = 503, on = "ticker", count = 2 }
    local start = smc.now()
    local ticker = assert(smc.retry({ base = 1, factor = 3, jitter = 0 }):call(price))
    assert.equal("BTC/USDT", ticker.symbol)
    assert.equal(3, called)
    assert.near(4, smc.now() - start, 0.01)
  end)

  it("call it as often as they were told, and give its last error", function()
    venue:fault { venue = "http", status = 503, on = "ticker" }
    local ticker, err = smc.retry({ attempts = 3, base = 0.01 }):call(price)
    assert.is_nil(ticker)
    assert.same({ "server", 3 }, { err.class, called })
  end)

  it("call it once when asking again can't mend it", function()
    local ticker, err = smc.retry():call(function()
      called = called + 1
      return venue:ticker "NO/SUCH"
    end)
    assert.is_nil(ticker)
    assert.same({ "invalid_request", 1 }, { err.class, called })
  end)
end)
