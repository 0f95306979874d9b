local smc = require "smc"

-- The program under test is somebody else's: any language, started as it is, pointed at the sandbox by its environment.
-- Here a market maker that keeps one bid in the book.  Money is lost when it keeps two, and knows of one.
describe("an agent that keeps one bid at binance #agent #process", function()
  local WITHIN = { within = 30 } -- a second or less; machines are busy at times
  local binance, agent

  before_each(function()
    binance, agent = smc.venue "binance", nil
  end)

  local function start(program)
    agent = smc.process { "python3", "-B", program, name = program,
      env = { BINANCE_URL = binance.url, BINANCE_KEY = binance.key, BINANCE_SECRET = binance.secret } }
  end

  after_each(function()
    if agent then agent:kill() end
  end)

  local function bids() return binance.sandbox:orders { side = "buy", status = "open" } end

  local function met(fault) return #binance.sandbox:requests { fault = fault } end

  local function keeps_one_bid()
    assert(agent:wait_for("^bid", WITHIN))
    assert.equal(1, #bids())
  end

  describe("the acknowledgement of its order is lost", function()
    before_each(function()
      binance:fault { venue = "ack_lost", on = "place", count = 1 }
    end)

    -- The bug that this scenario was written for: it stays here, so that everybody sees what would be caught.
    it("and the version before has two bids, one of which it has forgotten", function()
      start "agent_before.py"

      assert(agent:wait_for("^bid", WITHIN))

      assert.equal(1, met "ack_lost")
      assert.is_true(#bids() > 1, "the bug is not there any more")
    end)

    it("and it finds the order by its id, and sends no other", function()
      start "agent.py"

      keeps_one_bid()
      assert.equal(1, met "ack_lost")
    end)
  end)

  it("keeps one bid when its order is answered too late", function()
    binance:fault { venue = "slow", on = "place", seconds = 3, count = 1 } -- it waits one
    start "agent.py"

    keeps_one_bid()
    assert.equal(1, met "slow")
  end)

  it("keeps one bid when its order is answered with a page", function()
    binance:fault { venue = "not_json", on = "place", carried_out = true, count = 1 }
    start "agent.py"

    keeps_one_bid()
    assert.equal(1, met "not_json")
  end)

  it("asks for nothing between a refusal and the end of it", function()
    start "agent.py"
    keeps_one_bid()

    binance:fault { venue = "rate_limit", seconds = 1 }
    assert(agent:wait_for("^refused: 429", WITHIN))
    binance.sandbox:move("BTC/USDT", { by = "0.03" })

    keeps_one_bid()
    assert.equal(1, #binance.sandbox:requests { status = 429 })
    assert.equal(0, #binance.sandbox:requests { status = 418 })
  end)

  it("moves its bid when the venue is back, to where the price is then", function()
    start "agent.py"
    keeps_one_bid()
    local before = bids()[1]

    binance:fault { link = "down" }
    assert(agent:wait_for("^no answer", WITHIN))
    binance.sandbox:move("BTC/USDT", { by = "-0.03" })
    binance:heal()

    assert(agent:wait_for("^cancelled", WITHIN))
    keeps_one_bid()
    assert.is_true(smc.decimal.lt(bids()[1].price, before.price))
  end)

  it("leaves nothing in the book when it is asked to end", function()
    start "agent.py"
    keeps_one_bid()

    assert.same({ status = 0 }, agent:stop { grace = 30 })

    assert.equal(0, #bids())
  end)
end)
