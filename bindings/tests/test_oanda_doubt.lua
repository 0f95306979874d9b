-- Orders whose answer is lost, each kind in each way: sent once, found when they happened, and told of as they are.
local smc = require "smc"

-- What becomes of the answer; happens: whether the order has reached the venue; class: of what is told when not.
local FAULTS = {
  { happens = true },
  { { venue = "ack_lost" }, happens = true },
  { { venue = "truncated" }, happens = true },
  { { venue = "silent", carried_out = true }, happens = true },
  { { venue = "silent" }, happens = false, class = "unknown_outcome" },
  { { venue = "reset" }, happens = false, class = "unknown_outcome" },
  { { venue = "status", status = 504 }, happens = false, class = "unknown_outcome" },
  { { venue = "status", status = 504, carried_out = true }, happens = true },
  { { venue = "status", status = 502, carried_out = true }, happens = true },
  { { venue = "not_json", carried_out = true }, happens = true },
  { { venue = "status", status = 429 }, happens = false, class = "rate_limit" },
  { { venue = "down" }, happens = false, class = "network" },
}

-- What is ordered, and what it becomes when it arrives.
local ORDERS = {
  { type = "market", qty = "100", status = "filled" },
  { type = "limit", qty = "100", price = "0.9", status = "open" },
  { type = "market", qty = "8000000", class = "insufficient_funds" }, -- accepted and cancelled
  { type = "market", qty = "0", class = "invalid_request" }, -- rejected
}

local function words(fault)
  if not fault then return "no fault" end
  return fault.venue .. (fault.status and " " .. fault.status or "") .. (fault.carried_out and ", carried out" or "")
end

describe("an order of oanda", function()
  for _, way in ipairs(FAULTS) do
    for _, given in ipairs(ORDERS) do
      it(("%s of %s, met by %s"):format(given.type, given.qty, words(way[1])), function()
        local venue = smc.venue "oanda"
        assert(venue:balances())
        if way[1] then
          local fault = way[1].venue ~= "down" and { on = "place", times = 1 } or {}
          for name, value in pairs(way[1]) do fault[name] = value end
          venue:fault(fault)
        end

        local order, err = venue:place { symbol = "EUR/USD", side = "buy", type = given.type, qty = given.qty,
          price = given.price, client_id = "mine" }

        assert(venue:heal())
        local arrived = way[1] and way[1].venue == "down" and 0 or 1
        assert.equal(arrived, #venue.sandbox:requests { method = "POST" })
        if way.happens and given.status then
          assert.same({ given.status, "mine" }, { assert(order, err).status, order.client_id })
        else
          assert.is_nil(order)
          assert.same({ way.happens and given.class or way.class, "mine" }, { err.class, err.client_id })
        end
        local happened = way.happens and given.status
        assert.same({ happened == "filled" and 1 or 0, happened == "open" and 1 or 0 }, { #assert(venue:positions()),
          #assert(venue:open_orders()) })
      end)
    end
  end
end)
