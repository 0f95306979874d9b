-- A venue's code, in an answer that is well-formed: is the same call sent again, and is the outcome of an order known?
-- Of an order that may have been carried out the answer must be no and no: it is looked up first.
local smc = require "smc"

-- Of each code: the HTTP status that it comes with; class of a read, and whether it may be asked again; the same of an
-- order.
local CODES = {
  bybit = {
    [10006] = { 200, "rate_limit", true, "rate_limit", true }, -- too often: nothing has happened
    [10000] = { 200, "timeout", true, "unknown_outcome", false }, -- it ran out of time, whatever it did
    [10016] = { 200, "server", true, "unknown_outcome", false }, -- it failed on the way
    [170144] = { 200, "server", true, "server", false }, -- the order is being worked on
    [170131] = { 200, "insufficient_funds", false, "insufficient_funds", false },
    [987654] = { 200, "protocol", false, "protocol", false }, -- nobody knows what it means
  },
  binance = {
    [-1003] = { 429, "rate_limit", true, "rate_limit", true },
    [-1007] = { 504, "timeout", true, "unknown_outcome", false },
    [-1001] = { 500, "server", true, "unknown_outcome", false },
    [-1008] = { 503, "server", true, "server", false }, -- overloaded: it was not taken in
    [-2014] = { 401, "auth", false, "auth", false },
    [-9876] = { 400, "protocol", false, "protocol", false },
  },
}

for name, codes in pairs(CODES) do
  describe(("the codes of %s #error-handling #%s"):format(name, name), function()
    for code, row in pairs(codes) do
      local http, read, read_again, placed, place_again = table.unpack(row)
      it(("mean the same as everywhere: %d"):format(code), function()
        local venue = smc.venue(name, { breaker = false, obey_limits = false })
        venue:fault { venue = "status", status = http, code = code, message = "as it is" }

        local _, no_answer = venue:balances()
        local _, no_order = venue:place { symbol = "BTC/USDT", side = "buy", type = "limit", qty = "0.01",
          price = "50000" }

        assert.same({ read, read_again, code }, { no_answer.class, no_answer.retryable, no_answer.code })
        assert.same({ placed, place_again, code }, { no_order.class, no_order.retryable, no_order.code })
        assert.same({ 1, 1 }, { #venue:requests { op = "balances" }, #venue:requests { op = "place" } })
      end)
    end
  end)
end
