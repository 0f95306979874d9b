-- What an account's stream tells after its connection was lost; for each venue whose streams repeat nothing.
local recent = require "smc.venue.recent"
local smc = require "smc"

describe("a short memory", function()
  it("keeps at least its last keys, and not many more", function()
    local memory = recent.new(10)
    for i = 1, 1000 do
      memory:put(i, i * 2)
      memory:put(i, i)
    end
    for i = 991, 1000 do assert.equal(i, memory:get(i)) end
    assert.is_nil(memory:get(980))
  end)

  it("tells false from nothing", function()
    local memory = recent.new(1)
    memory:put("a", false)
    memory:put("b", true)
    assert.is_false(memory:get "a")
  end)
end)

for _, name in ipairs { "binance", "bybit" } do
  describe("an account's stream of " .. name, function()
    local venue, other
    before_each(function() venue, other = smc.venue(name), smc.venue(name) end)

    --- All that comes until nothing does for so many seconds.
    local function everything(stream, seconds)
      local list = {}
      while true do
        local event = stream:recv(seconds or 1)
        if not event then return list end
        list[#list + 1] = event
      end
    end

    local function name_of(o) return o.symbol .. " " .. o.id end
    local function fill_name(f) return ("%s %s of %s"):format(f.symbol, f.id, f.order_id) end

    --- Fills, how often each; and the last that was said of each order.
    local function digest(list, into)
      into = into or { fills = {}, orders = {}, states = {}, kinds = {} }
      for _, e in ipairs(list) do
        if e.fill then into.fills[fill_name(e.fill)] = (into.fills[fill_name(e.fill)] or 0) + 1 end
        if e.order then
          local state = e.order.status .. " " .. e.order.filled
          local both = name_of(e.order) .. " " .. state
          into.orders[name_of(e.order)], into.states[both] = state, (into.states[both] or 0) + 1
        end
        into.kinds[#into.kinds + 1] = e.kind
      end
      return into
    end

    local function place(v, given)
      given.symbol, given.qty = given.symbol or "BTC/USDT", given.qty or "0.01"
      return assert(v:place(given))
    end

    local function assert_told_once(told)
      for state, n in pairs(told.states) do assert.equal(1, n, state) end
    end

    --- What REST says, in the form of a digest.
    local function truth(symbols)
      local out = { fills = {}, orders = {} }
      for _, symbol in ipairs(symbols) do
        for _, f in ipairs(assert(other:fills(symbol))) do out.fills[fill_name(f)] = 1 end
        for _, o in ipairs(assert(other:orders(symbol))) do out.orders[name_of(o)] = o.status .. " " .. o.filled end
      end
      return out
    end

    it("is told after a reconnect of all that it missed, and of nothing twice", function()
      -- Before the stream began, and not by this venue object.
      local resting = place(other, { symbol = "ETH/USDT", side = "sell", type = "limit", qty = "1", price = "3100" })
      local inside = place(other, { symbol = "BNB/USDT", side = "sell", type = "limit", qty = "2", price = "600",
        self_trade = "none" })
      smc.sleep(0.01)
      local stream <close> = assert(venue:user_stream())
      local kept = place(venue, { side = "buy", type = "limit", price = "50000" })
      place(venue, { side = "buy", type = "market" })
      local told = digest(everything(stream, 0.2))

      venue.sandbox:stall_streams(true) -- what happens now arrives never
      place(other, { side = "buy", type = "market", qty = "0.02" })
      venue.sandbox:move("ETH/USDT", { to = "3200" }) -- fills what rested
      place(other, { symbol = "BNB/USDT", side = "buy", type = "market", qty = "0.5", self_trade = "none" })
      assert(other:cancel { symbol = "BTC/USDT", id = kept.id })
      place(other, { side = "sell", type = "limit", price = "70000" })
      place(venue, { symbol = "ETH/BTC", side = "buy", type = "market", qty = "1" })
      venue.sandbox:drop_streams()
      local late = everything(stream, 0.2) -- before the market itself moves on
      digest(late, told)

      assert.equal("reconnected", late[1].kind)
      local expected = truth { "BTC/USDT", "BNB/USDT", "ETH/USDT", "ETH/BTC" }
      assert.same(expected.fills, told.fills)
      assert.same(expected.orders, told.orders)
      assert_told_once(told)
      assert.equal("filled 1", told.orders[name_of(resting)])
      assert.equal("partially_filled 0.5", told.orders[name_of(inside)])
      assert.equal("canceled 0", told.orders[name_of(kept)])
      local balance = late[#late]
      assert.same({ "balance", true }, { balance.kind, balance.reconciled })
      assert.equal(assert(other:balances()).BTC.total, balance.balances.BTC.total)
    end)

    it("knows what is news of an order", function()
      local stream <close> = assert(venue:user_stream())
      local function told(status, filled, updated, reconciled)
        stream:push { kind = "order", reconciled = reconciled, order = { id = "1", symbol = "BTC/USDT", status = status,
          filled = filled, updated = updated } }
        return stream:recv(0) ~= nil
      end
      assert.is_true(told("open", "0", 5))
      assert.is_true(told("open", "0", 5), "the venue may say it twice")
      assert.is_false(told("open", "0", 5, true), "REST says nothing new")
      assert.is_true(told("partially_filled", "0.5", 6, true))
      assert.is_false(told("open", "0", 7), "it is of before")
      assert.is_false(told("partially_filled", "0.5", 6))
      assert.is_true(told("partially_filled", "0.7", 6))
      assert.is_true(told("partially_filled", "0.7", 8, true), "something else has changed")
      assert.is_true(told("canceled", "0.7", 8))
      assert.is_false(told("canceled", "0.7", 9, true))
    end)

    it("tells once what REST and the new connection both tell", function()
      local stream <close> = assert(venue:user_stream { symbols = { "BTC/USDT" } })
      local told = digest(everything(stream))
      venue.sandbox:drop_streams()
      place(other, { side = "buy", type = "market" })
      -- REST answers after the new connection was subscribed: what happens in between is told by both.
      local fills = venue.fills
      function venue.fills(...)
        venue.fills = nil
        place(other, { side = "sell", type = "market" })
        return fills(...)
      end
      digest(everything(stream), told)
      assert.is_nil(rawget(venue, "fills"))
      local expected = truth { "BTC/USDT" }
      assert.same(expected.fills, told.fills)
      assert.same(expected.orders, told.orders)
      assert_told_once(told)
      place(other, { side = "buy", type = "market" })
      digest(everything(stream), told)
      assert.same(truth({ "BTC/USDT" }).fills, told.fills)
    end)

    it("asks for page after page", function()
      local stream <close> = assert(venue:user_stream())
      venue.sandbox:stall_streams(true)
      for _ = 1, 7 do
        place(other, { side = "buy", type = "market" })
        smc.sleep(0.01)
      end
      venue.sandbox:drop_streams()
      for _, call in ipairs { "fills", "orders" } do
        local whole = venue[call]
        venue[call] = function(...) return { table.unpack(assert(whole(...)), 1, 3) } end
      end
      place(venue, { side = "sell", type = "market" })
      local told = digest(everything(stream))
      local expected = truth { "BTC/USDT" }
      assert.same(expected.fills, told.fills)
      assert.same(expected.orders, told.orders)
    end)

    it("tells nothing of the time before it began", function()
      place(venue, { side = "buy", type = "market" })
      smc.sleep(1)
      local stream <close> = assert(venue:user_stream { symbols = { "BTC/USDT" } })
      venue.sandbox:drop_streams()
      local list = digest(everything(stream))
      assert.same({ {}, {}, { "reconnected", "balance" } }, { list.fills, list.orders, list.kinds })
    end)

    it("tries again when it can't ask what it missed", function()
      local stream <close> = assert(venue:user_stream())
      local calls = 0
      function venue.balances()
        calls = calls + 1
        return nil, { class = "server", message = "not now" }
      end
      venue.sandbox:drop_streams()
      place(other, { side = "buy", type = "limit", price = "50000" })
      local event, err = stream:recv(5)
      assert.same({ nil, "reconnecting" }, { event, err.code })
      assert.is_true(calls >= 3)
      venue.balances = nil
      local list = everything(stream, 10)
      assert.same({ "reconnected", "order", "balance" }, digest(list).kinds)
    end)

    it("asks nothing of REST when it is not to reconnect", function()
      local stream <close> = assert(venue:user_stream { reconnect = false })
      assert.same({}, venue:requests())
      venue.sandbox:drop_streams()
      local event, err = stream:recv(5)
      assert.same({ nil, "reset" }, { event, err.code })
    end)

    it("is alive though nothing happens", function()
      local stream <close> = assert(venue:user_stream())
      local event, err = stream:recv(55)
      assert.same({ nil, "timeout" }, { event, err.class })
      assert.equal(1, #venue.sandbox:streams())
      assert.equal(0, stream.reconnects)
    end)
  end)
end
