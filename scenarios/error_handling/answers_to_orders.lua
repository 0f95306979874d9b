local smc = require "smc"

-- What an answer to an order says of it: refused, and nothing has happened; or nobody knows.  Whoever takes the second
-- for the first sends it again, and holds twice what was wanted.
-- Each row: HTTP status, the venue's code (false: a page in place of JSON), its text.  again: the same order may be
-- sent again later.
local LINES = {
  { "a price or quantity that breaks a rule", class = "filter",
    binance = { { 400, -1013, "Filter failure: LOT_SIZE" }, { 400, -1013, "Filter failure: PRICE_FILTER" },
      { 400, -2010, "Filter failure: MIN_NOTIONAL" } },
    bybit = { { 200, 170134 }, { 200, 170137 }, { 200, 170140 }, { 200, 110003 }, { 200, 110094 } },
    oanda = { { 400, "UNITS_LIMIT_EXCEEDED" }, { 400, "PRICE_PRECISION_EXCEEDED" },
      { 400, "TAKE_PROFIT_ON_FILL_PRICE_PRECISION_EXCEEDED" } } },
  { "more than there is money for", class = "insufficient_funds",
    binance = { { 400, -2010, "Account has insufficient balance for requested action." } },
    bybit = { { 200, 170131 }, { 200, 110004 }, { 200, 110007 }, { 200, 110012 } },
    oanda = { { 400, "INSUFFICIENT_MARGIN" }, { 400, "INSUFFICIENT_FUNDS" } } },
  { "an id that is taken", class = "duplicate_order",
    binance = { { 400, -2010, "Duplicate order sent." } }, bybit = { { 200, 170141 }, { 200, 110072 } },
    oanda = { { 400, "CLIENT_ORDER_ID_ALREADY_EXISTS" } } },
  { "a market that is closed", class = "market_closed",
    binance = { { 400, -1013, "Market is closed." }, { 400, -2010, "Market is closed." } },
    bybit = { { 200, 170151 }, { 200, 110074 } } },
  { "a market that is closed for a moment", class = "market_closed", again = true,
    bybit = { { 200, 110063 }, { 200, 110066 } }, oanda = { { 400, "INSTRUMENT_PRICE_UNKNOWN" } } },
  { "a request that makes no sense", class = "invalid_request",
    binance = { { 400, -1102 }, { 400, -1116 }, { 400, -2010, "Order would trigger immediately." } },
    bybit = { { 200, 10001 }, { 200, 170130 } },
    oanda = { { 400, "UNITS_INVALID" }, { 400, "INSTRUMENT_UNKNOWN" } } },
  { "what the account may not do", class = "permission",
    binance = { { 400, -2010, "This action is disabled on this account." } },
    bybit = { { 200, 10005 }, { 200, 170227 } },
    oanda = { { 403, "ACCOUNT_ORDER_CREATION_LOCKED" }, { 400, "ACCOUNT_LOCKED" } } },
  { "too many orders", class = "rate_limit", again = true,
    binance = { { 429, -1015 }, { 429, -1003 } }, bybit = { { 200, 10006 }, { 200, 170222 } }, oanda = { { 429 } } },
  { "who is not let in", class = "auth", binance = { { 401, -2014 } } },
  { "a code that nobody knows", class = "protocol",
    binance = { { 400, -9876 } }, bybit = { { 200, 987654 } }, oanda = { { 400, "NO_SUCH_CODE" } } },
  { "a venue that is too busy", class = "server", binance = { { 503, -1008 } } },
  { "a venue that begins anew", class = "server", again = true, bybit = { { 200, 10019 } } },
  { "a venue that still works on it", class = "server",
    bybit = { { 200, 170191 }, { 200, 110079 }, { 200, 170144 } } },
  { "a venue that fails on the way", class = "unknown_outcome",
    binance = { { 500 }, { 502 }, { 503, -1000 }, { 500, -1001 }, { 504, -1007 }, { 400, -1006 }, { 504, false } },
    bybit = { { 500 }, { 502 }, { 504 }, { 200, 10016 }, { 200, 10000 }, { 200, 170007 }, { 200, -1 } },
    oanda = { { 500 }, { 502 }, { 503 }, { 504 } } },
}

local ORDERS = {
  binance = { symbol = "BTC/USDT", qty = "0.01", price = "50000" },
  bybit = { symbol = "BTC/USDT", qty = "0.01", price = "58000" },
  oanda = { symbol = "EUR/USD", qty = "100", price = "1.0" },
}

local function fault_of(row)
  if row[2] == false then return { venue = "not_json", on = "place", status = row[1], body = row[3] } end
  return { venue = "status", on = "place", method = "POST", status = row[1], code = row[2], message = row[3] }
end

for name, its in pairs(ORDERS) do
  describe("an answer of " .. name .. " to an order #error-handling #leaves-orders #" .. name, function()
    local venue
    before_each(function()
      venue = smc.venue(name, { breaker = false })
      assert(venue:balances())
    end)

    local function place(client_id)
      return venue:place { symbol = its.symbol, side = "buy", type = "limit", qty = its.qty, price = its.price,
        client_id = client_id }
    end

    for _, line in ipairs(LINES) do
      local known = line[name] and it or function() end
      local waits = (line.class == "rate_limit" or line.class == "unknown_outcome") and " #virtual-time" or ""
      known(("says %s: %s"):format(line[1], line.class) .. waits, function()
        for i, row in ipairs(line[name]) do
          venue:fault(fault_of(row))

          local order, err = place("order-" .. i)

          assert.is_nil(order)
          assert.same({ row[1], line.class, line.again or false }, { err.http, err.class, err.retryable })
          if row[2] then assert.equal(row[2], err.code) end
          assert.equal("order-" .. i, err.client_id)
          assert.equal(1, venue.sandbox:faults()[1].committed)
          assert(venue:heal())
        end
        assert.equal(#line[name], #venue:requests { op = "place", method = "POST" })
        assert.same({}, venue.sandbox:orders())
        assert(place "after-all")
      end)
    end
  end)
end
