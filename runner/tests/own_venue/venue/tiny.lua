-- A venue of one's own, the client half: three calls over signed JSON.
local smc = require "smc"

local tiny = smc.dialect.venue {
  name = "tiny",
  testnet = "https://testnet.tiny.example",
  credentials = { key = "TINY_KEY", secret = "TINY_SECRET" },
  symbols = { "BTC/USD" },
  limits = { requests = { limit = 50, per = 10 } },
  sign = function(asked, who)
    asked.headers["X-Key"] = who.key
    asked.headers["X-Sign"] = who.sign(asked.method .. asked.path .. asked.bytes)
  end,
  refused = function(value) return value.code, value.message end,
  class_of = function(_, code) return code == "poor" and "insufficient_funds" or nil end,
}

local calls = tiny.calls

function calls:time()
  local answer, err = self:ask("time", "GET", "/time")
  return answer and answer.now, err
end

function calls:balances()
  return self:ask("balances", "GET", "/balances", {}, { signed = true })
end

local TYPES = { market = true }

function calls:place(given)
  smc.dialect.check_place(given, TYPES)
  return self:ask("place", "POST", "/orders", { symbol = given.symbol, side = given.side, qty = given.qty },
    { signed = true, mutation = true })
end

return tiny
