local smc = require "smc"

-- Which class an answer has decides what is done next: asked again, waited, given up, looked up.  A refused key that is
-- taken for a hiccup gets an account locked; a hiccup that is taken for a refusal leaves a position alone.
-- Each row: HTTP status, the venue's code (false: a page in place of JSON), its text.  again: the same question may be
-- asked again, and is; once: but not for as long as this refusal holds.
local LINES = {
  { "who is not let in", class = "auth",
    binance = { { 401, -2014 }, { 401, -2015 }, { 400, -1022 }, { 400, -2008 } },
    bybit = { { 200, 10003 }, { 200, 10004 }, { 200, 10007 }, { 200, 33004 }, { 401, false } },
    oanda = { { 401 } } },
  { "what the account may not do", class = "permission",
    binance = { { 401, -1002 } },
    bybit = { { 200, 10005 }, { 200, 10008 }, { 200, 10009 }, { 200, 10010 },
      { 403, false, "your country is not served" } },
    oanda = { { 403 }, { 400, "ACCOUNT_LOCKED" }, { 400, "INSTRUMENT_NOT_TRADEABLE" } } },
  { "a clock that is wrong", class = "clock_skew",
    binance = { { 400, -1021 } }, bybit = { { 200, 10002 } } },
  { "a limit that is used up", class = "rate_limit", again = true,
    binance = { { 429, -1003, "Too many requests." }, { 400, -1015 }, { 400, -1034 }, { 429, false } },
    bybit = { { 200, 10006 }, { 200, 10429 }, { 429, false } },
    oanda = { { 429 } } },
  { "being shut out", class = "ip_ban", again = true,
    binance = { { 418, -1003, "Way too many requests; IP banned until 1767571205000." }, { 418, false } },
    bybit = { { 200, 10018 }, { 403, false, "access too frequent", once = true } },
    oanda = { { 403, false }, { 429, false } } },
  { "a firewall that lets nobody through", class = "ip_ban", binance = { { 403, false } } },
  { "a question that makes no sense", class = "invalid_request",
    binance = { { 400, -1100 }, { 400, -1101 }, { 400, -1102 }, { 400, -1121 }, { 400, -1128 } },
    bybit = { { 200, 10001 }, { 200, 170121 } },
    oanda = { { 400 }, { 405 }, { 400, "INVALID_PAGESIZE" } } },
  { "a path that is not there", class = "invalid_request",
    binance = { { 404, false } }, bybit = { { 404, 10017 } }, oanda = { { 404 } } },
  { "an order that is not there", class = "unknown_order",
    binance = { { 400, -2013 }, { 400, -2011, "Unknown order sent." } },
    bybit = { { 200, 110001 }, { 200, 170213 } },
    oanda = { { 404, "NO_SUCH_ORDER" }, { 404, "ORDER_DOESNT_EXIST" } } },
  { "a venue that fails", class = "server", again = true,
    binance = { { 500 }, { 502 }, { 503, -1000 }, { 500, -1001 }, { 503, -1008 }, { 400, -1016 } },
    bybit = { { 500 }, { 502 }, { 503 }, { 200, 10016 }, { 200, 10019 }, { 200, 170144 },
      { 429, 429, "System level frequency protection." } },
    oanda = { { 500 }, { 502 }, { 503 }, { 500, "INTERNAL_SERVER_ERROR" } } },
  { "a venue that has waited for itself in vain", class = "timeout", again = true,
    binance = { { 503, -1007 }, { 504, -1007 } }, bybit = { { 200, 10000 }, { 200, -1 } } },
  { "what is said of orders", class = "insufficient_funds", bybit = { { 200, 170131 } } },
  { "a code that nobody knows", class = "protocol",
    binance = { { 400, -9999 } }, bybit = { { 200, 999999 } }, oanda = { { 400, "NO_SUCH_CODE" } } },
}

local function fault_of(row)
  if row[2] == false then return { venue = "not_json", on = "balances", status = row[1], body = row[3] } end
  return { venue = "status", on = "balances", status = row[1], code = row[2], message = row[3] }
end

for _, name in ipairs { "binance", "bybit", "oanda" } do
  describe("an answer of " .. name .. " to a question #error-handling #" .. name, function()
    local venue
    before_each(function()
      venue = smc.venue(name, { breaker = false, retry = { attempts = 2, base = 0.001, budget = 60 } })
      assert(venue:balances())
    end)

    for _, line in ipairs(LINES) do
      local known = line[name] and it or function() end
      local waits = (line.class == "rate_limit" or line.class == "ip_ban") and " #virtual-time" or ""
      known(("says %s: %s, and is asked %s"):format(line[1], line.class, line.again and "again" or "once") .. waits,
        function()
          for _, row in ipairs(line[name]) do
            local before, attempts = #venue:requests { op = "balances" }, line.again and not row.once and 2 or 1
            venue:fault(fault_of(row))

            local balances, err = venue:balances()

            assert.is_nil(balances)
            assert.same({ row[1], line.class, line.again or false, name },
              { err.http, err.class, err.retryable, err.venue })
            if row[2] then assert.equal(row[2], err.code) end
            assert.equal(attempts, #venue:requests { op = "balances" } - before, tostring(err))
            assert.equal(attempts, venue.sandbox:faults()[1].committed)
            assert(venue:heal())
          end
        end)
    end
  end)
end
