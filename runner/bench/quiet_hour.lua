-- An hour of a world in which nobody does anything: three venues, whose markets live on.
local smc = require "smc"

describe("a quiet world", function()
  it("lives through an hour", function()
    local venues = { smc.venue "binance", smc.venue "bybit", smc.venue "oanda" }
    for _, venue in ipairs(venues) do assert(venue:ping()) end
    smc.sleep(3600)
    for _, venue in ipairs(venues) do assert.is_true(venue:ping() ~= nil) end
  end)
end)
