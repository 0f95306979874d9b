-- What a call costs, the client has to know before it sends it: three tasks ask at once, where two have room.  Counted
-- too low, the third is refused and brings the address nearer to a ban; too high, the second one waits for nothing.
local smc = require "smc"

local SYMBOL = "BTC/USDT"
local NONE = { symbol = SYMBOL, client_id = "no-such-order" }
local WINDOW = 10

-- Source: the weight of each endpoint in Binance's documents.
local WEIGHTS = {
  { "time", 1 }, { "candles", 2, SYMBOL, "1m", { limit = 5 } }, { "ticker", 2, SYMBOL }, { "trades", 25, SYMBOL },
  { "book", 5, SYMBOL, 100 }, { "book", 25, SYMBOL, 101 }, { "book", 25, SYMBOL, 500 }, { "book", 50, SYMBOL, 1000 },
  { "book", 250, SYMBOL, 1001 }, { "instruments", 20 }, { "account", 20 }, { "order", 4, NONE },
  { "open_orders", 6, SYMBOL }, { "open_orders", 80 }, { "orders", 20, SYMBOL }, { "fills", 20, SYMBOL },
}

describe("a call to binance #rate-limiting #binance #virtual-time", function()
  --- Three tasks call at once.  Returns at which second each request was sent, and how many the venue refused.
  local function three_at_once(limit, budget, call)
    local venue = smc.venue("binance", { limiter = { [budget] = { limit = limit, per = WINDOW } } })
    venue.sandbox:limit { [budget == "request_weight" and budget or "orders"] = limit, per = WINDOW }
    local start, tasks, sent = smc.now(), {}, {}
    for i = 1, 3 do tasks[i] = smc.spawn(function() return call(venue, i) end) end
    for _, task in ipairs(tasks) do
      local answer, err = task:join()
      assert.is_true(answer ~= nil or err.http ~= nil, "the venue has answered")
    end
    for i, request in ipairs(venue:requests()) do sent[i] = math.floor(request.at - start + 0.5) end
    return sent, venue.sandbox:limits().violations
  end

  for _, row in ipairs(WEIGHTS) do
    local name, weight = row[1], row[2]
    local what = row[4] or type(row[3]) == "string" and "of one symbol" or ""
    it(("weighs %d: %s %s"):format(weight, name, what), function()
      local sent, refused = three_at_once(2 * weight, "request_weight", function(venue)
        return venue[name](venue, table.unpack(row, 3))
      end)
      assert.same({ 0, 0, WINDOW }, sent)
      assert.equal(0, refused)
    end)
  end

  it("that opens an account's stream weighs 4, as the client reckons, of which 2 are the connection's", function()
    local venue = smc.venue "binance"
    local before = venue.sandbox:limits().window
    local stream <close> = assert(venue:user_stream { reconnect = false })
    assert.is_true(stream:connected())
    local spent = venue.sandbox:limits().window - before
    assert.same({ 4, 4 }, { spent, venue.limiter:usage("request_weight").used })
  end)

  it("that places an order counts as one of the account's #leaves-orders", function()
    local sent, refused = three_at_once(2, "orders_10s", function(venue)
      return assert(venue:place { symbol = SYMBOL, side = "buy", type = "limit", qty = "0.01", price = "50000" })
    end)
    assert.same({ 0, 0, WINDOW }, sent)
    assert.equal(0, refused)
  end)
end)
