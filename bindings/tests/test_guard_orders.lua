-- What is sent again, and what is looked up first: orders are never placed twice.
local core = require "smc.core.task"
local smc = require "smc"

local SYMBOL = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }
local QTY = { binance = "0.01", bybit = "0.01", oanda = "1000" }
local PRICE = { binance = "40000", bybit = "40000", oanda = "0.9" }

local function order_of(name, client_id)
  return { symbol = SYMBOL[name], side = "buy", type = "limit", qty = QTY[name], price = PRICE[name],
    client_id = client_id }
end

local function market_order(name) return { symbol = SYMBOL[name], side = "buy", type = "market", qty = QTY[name] } end

--- How many times it was asked for this over the wire.
local function asked(venue, op) return #venue:requests { op = op } end

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("retries of " .. name, function()
    local venue
    before_each(function() venue = smc.venue(name, { retry = { base = 0.2, jitter = 0 } }) end)

    it("send a read again, with growing waits, until it is answered", function()
      venue:fault { venue = "status", status = 503, on = "open_orders", times = 3 }
      local start = smc.now()
      assert.same({}, assert(venue:open_orders(SYMBOL[name])))
      assert.near(0.2 + 0.4 + 0.8, smc.now() - start, 0.05)
      assert.equal(4, asked(venue, "open_orders"))
      assert.is_truthy(core.transcript():find("open_orders: server: once more in 0.4 s", 1, true))
    end)

    it("are off unless asked for", function()
      local plain = smc.venue(name)
      plain:fault { venue = "status", status = 503, on = "open_orders", times = 1 }
      local _, err = plain:open_orders(SYMBOL[name])
      assert.same({ "server", 1 }, { err.class, asked(plain, "open_orders") })
    end)

    it("do not repeat what asking again can't mend", function()
      local _, err = venue:cancel { symbol = SYMBOL[name], id = "1" }
      assert.equal("unknown_order", err.class)
      assert.equal(name == "bybit" and 3 or 1, asked(venue, "cancel")) -- there an order may be in one of three books
    end)

    it("find an order whose acknowledgement was lost, and place no other", function()
      venue:fault { venue = "ack_lost", on = "place", times = 1 }
      local order = assert(venue:place(order_of(name)))
      assert.same({ "open", PRICE[name], QTY[name] }, { order.status, order.price, order.qty })
      assert.equal(1, #venue.sandbox:orders { client_id = order.client_id })
      assert.equal(1, #venue.sandbox:orders())
    end)

    it("find an order that was filled before its acknowledgement was lost", function()
      venue:fault { venue = "ack_lost", on = "place", times = 1 }
      local order = assert(venue:place(market_order(name)))
      assert.same({ "filled", QTY[name] }, { order.status, order.filled })
      assert.equal(1, #venue.sandbox:orders())
    end)

    it("leave in doubt what can't be looked up, and send nothing again", function()
      venue = smc.venue(name, { retry = { base = 0.1, jitter = 0 }, breaker = false })
      assert(venue:account()) -- from then on oanda's transactions are counted
      venue:fault { venue = "ack_lost", on = "place", times = 1 }
      venue:fault { venue = "status", status = 503, method = "GET" }
      local order, err = venue:place(order_of(name, "doubtful"))
      assert.is_nil(order)
      assert.same({ "unknown_outcome", "doubtful" }, { err.class, err.client_id })
      assert(venue:heal())
      assert.equal(1, #venue.sandbox:orders { client_id = "doubtful" })
    end)
  end)
end

for _, name in ipairs { "binance", "bybit" } do
  describe("an order in doubt at " .. name, function()
    it("is sent again with the same id once its signature is too old, when it is not there", function()
      local venue = smc.venue(name, { retry = { base = 0.2, jitter = 0 } })
      venue:fault { venue = "reset", on = "place", times = 1 }
      local start = smc.now()
      local order = assert(venue:place(order_of(name, "only-one")))
      assert.is_true(smc.now() - start >= 6) -- the window of five seconds, and one between the clocks
      assert.equal("only-one", order.client_id)
      assert.equal(1, #venue.sandbox:orders())
      assert.equal(2, asked(venue, "place"))
    end)

    it("waits only as long as its own recv_window", function()
      local venue = smc.venue(name, { recv_window = 1000, retry = { base = 0.2, jitter = 0 } })
      venue:fault { venue = "reset", on = "place", times = 1 }
      local start = smc.now()
      assert(venue:place(order_of(name)))
      assert.near(2, smc.now() - start, 0.2)
    end)

    it("never arrived, when no attempt is left: nothing was placed, and that is said", function()
      local venue = smc.venue(name, { retry = { attempts = 2, base = 0.2, jitter = 0 } })
      venue:fault { venue = "reset", on = "place" }
      local order, err = venue:place(order_of(name, "unlucky"))
      assert.is_nil(order)
      assert.same({ "network", "never_arrived", true }, { err.class, err.code, err.retryable })
      assert.equal("unlucky", err.client_id)
      assert.same({}, venue.sandbox:orders())
      assert.equal(2, asked(venue, "place"))
    end)

    it("is found when its repetition is refused: it was there after all", function()
      local venue = smc.venue(name, { retry = { base = 0.2, jitter = 0 } })
      venue:fault { venue = "ack_lost", on = "place", times = 1 }
      local hidden = name == "binance" and { status = 400, code = -2013 } or { status = 200, code = 170213 }
      venue:fault { venue = "status", status = hidden.status, code = hidden.code, on = "order",
        times = 2 }
      local order = assert(venue:place(order_of(name, "hidden")))
      assert.equal("hidden", order.client_id)
      assert.equal(2, asked(venue, "place"))
      assert.equal(1, #venue.sandbox:orders())
    end)

    it("is not taken for another that has its name", function()
      local venue = smc.venue(name, { retry = { base = 0.2, jitter = 0 } })
      assert(venue:place(order_of(name, "twice")))
      venue:fault { venue = "status", status = 429, code = name == "bybit" and 10006 or nil, on = "place", times = 1 }
      local again, err = venue:place(order_of(name, "twice"))
      assert.is_nil(again)
      assert.equal("duplicate_order", err.class)
    end)
  end)
end

describe("an order in doubt at binance", function()
  it("is not taken for an older one that had its client id", function()
    local venue = smc.venue("binance", { retry = { base = 0.2, jitter = 0 } })
    local old = assert(venue:place(order_of("binance", "reused")))
    assert(venue:cancel { symbol = "BTC/USDT", id = old.id })
    smc.sleep(10)
    venue:fault { venue = "reset", on = "place", times = 1 }
    local new = assert(venue:place(order_of("binance", "reused")))
    assert.is_true(new.id ~= old.id)
    assert.equal("open", new.status)
    assert.equal(2, #venue.sandbox:orders())
  end)
end)
