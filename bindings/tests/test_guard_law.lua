-- The law of orders: whatever becomes of requests and answers, each order that was asked for is at the venue at most
-- once; one that was reported placed is there, and one that was reported refused or never arrived is not.
local rng = require "smc.core.rng"
local smc = require "smc"

local ROUNDS, ORDERS = 10, 120

local VENUES = {
  binance = { symbol = "BTC/USDT", qty = "0.01", price = "40000" },
  bybit = { symbol = "BTC/USDT", qty = "0.01", price = "40000" },
  oanda = { symbol = "EUR/USD", qty = "1000", price = "0.9" },
}

local LOOK = { binance = "order", bybit = "order" } -- oanda's way to look is transactions, by no name of a call

-- What may become of a request to place an order, and of one to look for it.
local FAULTS = {
  { venue = "ack_lost" }, { venue = "reset" }, { venue = "silent" }, { venue = "silent", carried_out = true },
  { venue = "status", status = 503 }, { venue = "status", status = 502, carried_out = true },
  { venue = "status", status = 429, retry_after = 1 }, { venue = "truncated" }, { venue = "not_json" },
  { venue = "not_json", carried_out = true }, { venue = "slow", seconds = 0.5 }, { venue = "slow", seconds = 11 },
  { venue = "content_length" }, { venue = "gzip" }, { venue = "ack_twice" },
}

local function draw(random, list) return list[random:int(1, #list)] end

local function hurt(venue, random, on, times)
  local given = { on = on, times = times }
  for key, value in pairs(draw(random, FAULTS)) do given[key] = value end
  venue:fault(given)
end

--- Asks for one order while faults of chance are in force.  Returns what was reported of it: "placed", "in doubt" or
-- "not placed".
local function attempt(venue, random, row, id)
  for _ = 1, random:int(0, 3) do hurt(venue, random, "place", random:int(1, 2)) end
  if random:int(1, 3) == 1 and LOOK[venue.name] then hurt(venue, random, LOOK[venue.name], random:int(1, 5)) end
  local market = random:int(1, 3) == 1
  local order, err = venue:place { symbol = row.symbol, side = random:int(0, 1) == 0 and "buy" or "sell", qty = row.qty,
    type = market and "market" or "limit", price = not market and row.price or nil, client_id = id }
  assert(venue:heal())
  if order then
    assert.equal(id, order.client_id)
    return "placed"
  end
  assert.equal(id, err.client_id)
  return err.class == "unknown_outcome" and "in doubt" or "not placed", err
end

for name, row in pairs(VENUES) do
  describe("orders of " .. name, function()
    for round = 1, ROUNDS do
      it(("are placed once or not at all, round %d"):format(round), function()
        local random = rng.new(round, "orders of " .. name)
        local venue = smc.venue(name, { breaker = false,
          retry = { attempts = random:int(1, 5), base = 0.1, max = 1, budget = 0 } })
        local counts = { placed = 0, ["in doubt"] = 0, ["not placed"] = 0 }
        for i = 1, ORDERS do
          local id = ("order-%d-%d"):format(round, i)
          local said, err = attempt(venue, random, row, id)
          counts[said] = counts[said] + 1
          local there = #venue.sandbox:orders { client_id = id }
          if said == "placed" then assert.equal(1, there, id) end
          if said == "not placed" then assert.equal(0, there, id .. ": " .. tostring(err)) end
          assert.is_true(there <= 1, id)
        end
        assert.is_true(counts.placed > 0)
      end)
    end
  end)
end
