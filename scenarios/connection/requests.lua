-- How a request leaves: what is signed, that it is signed byte for byte as it is sent and anew each time it is sent,
-- and that an answer which says no is never taken for a wire that broke.  An order signed wrongly is an exit missed.
local smc = require "smc"

--- open: questions that need no key; wrong: a signed one, and the parameter of it whose value is to be escaped;
-- ages: what was signed five seconds ago is refused.
local VENUES = {
  { name = "binance", symbol = "BTC/USDT", qty = "0.01", price = "40000", open = { "ping", "time" },
    wrong = { "/api/v3/myTrades", "symbol" }, ages = true },
  { name = "bybit", symbol = "BTC/USDT", qty = "0.01", price = "40000", open = { "ping", "time" },
    wrong = { "/v5/order/realtime", "symbol", category = "spot" }, ages = true },
  { name = "oanda", symbol = "EUR/USD", qty = "100", price = "0.9", open = {},
    wrong = { "/v3/accounts/$account/pricing", "instruments" } },
}

local AWKWARD = { "A B", "A&B=C", "a+b/c?d", "100%", "\u{20ac}\u{1f4b6}", "'\"<>", "1;2,3:4@5#6" }

for _, row in ipairs(VENUES) do
  describe("a request to " .. row.name .. " #connection #" .. row.name, function()
    local venue, sandbox
    before_each(function()
      venue = smc.venue(row.name)
      sandbox = venue.sandbox -- which a testnet does not have: there its specs end here
    end)

    local function place(client_id)
      return venue:place { symbol = row.symbol, side = "buy", type = "limit", qty = row.qty, price = row.price,
        client_id = client_id }
    end

    local function arrived() return sandbox:requests { signed = true } end

    it("is signed when it asks for what is ours, and only then", function()
      for _, ask in ipairs(row.open) do
        assert(venue[ask](venue))
        local sent = sandbox:requests()
        local last = sent[#sent]
        assert.same({ false, 200 }, { last.signed, last.status })
        assert.is_nil((last.query or ""):find "signature")
      end
      assert(venue:account())
      for _, seen in ipairs(arrived()) do assert.equal(200, seen.status) end
      assert.is_true(#arrived() > 0)
    end)

    it("is signed as it is sent, whatever has to be escaped in it", function()
      local path = row.wrong[1]:gsub("%$account", (venue.key:gsub("%%", "%%%%")))
      for _, value in ipairs(AWKWARD) do
        local params = { [row.wrong[2]] = value, category = row.wrong.category }
        local answer, err = venue:get(path, params, { signed = true })
        if answer then error(("%s took %s for good"):format(row.name, value)) end
        assert.is_true(err.class == "invalid_request" or err.class == "filter", value .. ": " .. tostring(err))
      end
      assert.equal(#AWKWARD, #arrived())
    end)

    if row.ages then
      it("is signed anew each time it is sent again, or it would be too old by then #virtual-time", function()
        local patient = smc.venue(row.name, { retry = { base = 6, factor = 1, jitter = 0 }, recv_window = 5000 })
        patient:fault { venue = "status", status = 503, on = "balances", times = 2 }

        assert(patient:balances())

        local statuses, first = {}, arrived()[1].at
        for i, seen in ipairs(arrived()) do statuses[i] = { seen.status, math.floor(seen.at - first + 0.5) } end
        assert.same({ { 503, 0 }, { 503, 6 }, { 200, 12 } }, statuses)
      end)
    end

    it("goes out over a connection that is there already", function()
      assert(venue:time())
      local url = venue.url .. "/"
      assert.is_true(assert(smc.http.get(url)).reused)
      for _ = 1, 5 do assert(venue:balances()) end
      assert.is_true(assert(smc.http.get(url)).reused)
    end)

    it("that is answered with no is told apart from one that nobody answered, or with nonsense", function()
      assert(venue:balances())
      local errs = {}
      local function ask()
        local order, err = venue:order { symbol = row.symbol, client_id = "no-such-order" }
        assert.is_nil(order)
        errs[#errs + 1] = err
      end
      ask()
      venue:fault { venue = "not_json" }
      ask()
      assert(venue:heal())
      venue:fault { venue = "down" }
      ask()

      local seen = {}
      for i, err in ipairs(errs) do seen[i] = { err.class, err.retryable, err.venue, err.op } end
      assert.same({ { "unknown_order", false, row.name, "order" }, { "protocol", false, row.name, "order" },
        { "network", true, row.name, "order" } }, seen)
      assert.is_nil(errs[3].http)
    end)

    it("of a dozen at once gets its own answer", function()
      assert(venue:balances())
      local orders = smc.all(12, function(i) return assert(place(("mine-%d"):format(i))) end)

      local ids = {}
      for i, order in ipairs(orders) do
        assert.equal(("mine-%d"):format(i), order.client_id)
        assert.is_nil(ids[order.id], "an order that was told twice")
        ids[order.id] = true
      end
      assert.equal(12, #sandbox:orders { status = "open" })
      assert.equal(12, #assert(venue:cancel_all(row.symbol)))
    end)

    it("that is used wrongly is blamed on its line, by name, and nothing is sent", function()
      assert(venue:time())
      local before = #sandbox:requests()
      for what, call in pairs {
        ["unknown key 'quantity'"] = function() venue:place { symbol = row.symbol, side = "buy", quantity = "1" } end,
        ["qty"] = function() venue:place { symbol = row.symbol, side = "buy", type = "market", qty = 1 } end,
        ["parameter 'limit' is a fraction"] = function() venue:get("/", { limit = 1.5 }) end,
        ["rumours"] = function() venue:stream { "rumours:" .. row.symbol } end,
      } do
        local ok, err = pcall(call)
        assert.is_false(ok)
        assert.is_truthy(tostring(err):find(what, 1, true), tostring(err))
        assert.is_truthy(tostring(err):find("requests.lua:", 1, true), tostring(err))
      end
      assert.equal(before, #sandbox:requests())
    end)
  end)
end
