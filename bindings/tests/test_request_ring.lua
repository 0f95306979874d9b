-- What `smcrun serve` remembers of the requests that arrived: so many, and what is dropped is told before.
local http = require "smc.http"
local sandbox = require "smc.sandbox"

describe("a log with room for few requests", function()
  it("has the newest under their numbers, and tells of each that it drops", function()
    local dropped = {}
    local box, _, log = sandbox.serve("binance", {}, { keep = 3, forget = function(log, first, last)
      for id = first, last do dropped[#dropped + 1] = id .. " " .. log[id].query .. " " .. log[id].status end
    end })
    for i = 1, 8 do
      assert(http.get(box.url .. "/api/v3/time?n=" .. i))
      assert.same({ math.max(1, i - 2), i }, { log.first, log.last })
      for id = log.first, log.last do assert.equal("n=" .. id, log[id].query) end
      for _, id in ipairs { 0, log.first - 1, i + 1 } do assert.is_nil(log[id]) end
      assert.equal(math.min(i, 3), #box:requests())
    end
    assert.same({ "1 n=1 400", "2 n=2 400", "3 n=3 400", "4 n=4 400", "5 n=5 400" }, dropped)
    assert.same({ "n=6", "n=7", "n=8" }, { box:requests()[1].query, box:requests()[2].query, box:requests()[3].query })
  end)

  it("tells of a hundredth of them at once", function()
    local dropped = {}
    local box = sandbox.serve("binance", {}, { keep = 200, forget = function(log, first, last)
      dropped[#dropped + 1] = ("%d-%d of %d-%d"):format(first, last, log.first, log.last)
    end })
    for _ = 1, 204 do assert(http.get(box.url .. "/api/v3/ping")) end
    assert.same({ "1-2 of 1-200", "3-4 of 3-202" }, dropped)
  end)

  it("keeps no more than the beginnings of long texts", function()
    local box, _, log = sandbox.serve("binance", {}, { keep = 3, forget = function() end })
    assert(http.post(box.url .. "/api/v3/order?q", ("x"):rep(5000)))
    assert(http.post(box.url .. "/api/v3/order?q", ("y"):rep(2000)))
    assert.same({ ("x"):rep(2048), ("y"):rep(2000) }, { log[1].body, log[2].body })
    assert.equal("q", log[1].query)
  end)
end)
