-- The streams of the client half of oanda: silence, ends, gaps, lines in pieces; the local book.
local script = require "oanda_script"
local smc = require "smc"

local PRICES, TRANSACTIONS = "GET /pricing/stream", "GET /transactions/stream"
local tx = script.tx

--- A line of JSON.
local function line(value) return smc.json.encode(value) .. "\n" end

local function price(bid, more)
  local out = { type = "PRICE", time = script.time, instrument = "EUR_USD", tradeable = true,
    bids = { { price = bid, liquidity = 1000000 } }, asks = { { price = "1.09", liquidity = 1000000 } } }
  for name, value in pairs(more or {}) do out[name] = value end
  return out
end

local function beat(head) return { type = "HEARTBEAT", time = script.time, lastTransactionID = head } end

--- Starts a stream; what is written into it comes line by line.
local function start(ex, ...)
  ex:start(200, { { "Content-Type", "application/octet-stream" } })
  for _, value in ipairs { ... } do ex:write(type(value) == "string" and value or line(value)) end
end

--- A handler for the n-th connection: the last of them for all that follow.
local function connections(...)
  local list = { ... }
  return function(ex, n) return list[math.min(n, #list)](ex, n) end
end

--- The next event behind the news of another connection.
local function after_reconnect(stream, seconds)
  local event = assert(stream:recv(seconds))
  assert.equal("reconnected", event.kind)
  return assert(stream:recv(1))
end

--- Seconds at which a path was asked for, rounded down to tenths.
local function times(seen, what)
  local out = {}
  for _, r in ipairs(seen) do
    if r.what == what then out[#out + 1] = math.floor(r.at * 10) / 10 end
  end
  return out
end

describe("a stream of oanda prices", function()
  it("asks for its instruments once each, and shows books and best prices", function()
    local venue, seen = script.open { [PRICES] = function(ex) start(ex, price "1.08400", { type = "NEWS" }, {}) end }
    local stream <close> = assert(venue:stream { "book:EUR/USD", "ticker:EUR/USD" })
    assert.equal("instruments=EUR_USD", script.last(seen, PRICES).query)
    assert.equal("Bearer " .. script.token, script.last(seen, PRICES).token)
    local first, second = assert(stream:recv(1)), assert(stream:recv(1))
    assert.same({ "book:EUR/USD", "book", "1.084", true, 1767571201250 }, { first.channel, first.kind,
      first.bids[1][1], first.tradeable, first.time })
    assert.same({ "ticker:EUR/USD", "ticker", "1.084" }, { second.channel, second.kind, second.bid })
    assert.same({ "EUR_USD" }, stream:subscriptions())
    assert.same({ symbol = "EUR/USD", id = 1767571201250000000, bids = { { "1.084", "1000000" } },
      asks = { { "1.09", "1000000" } } }, stream:top(3))
    local _, err = stream:recv(1)
    assert.equal("timeout", err.class)
  end)

  it("puts lines together that come in pieces", function()
    local writer
    local venue = script.open { [PRICES] = function(ex)
      local text = line(price "1.08400") .. line(price("1.08300", { time = "2026-01-05T00:00:02Z" }))
      start(ex)
      writer = smc.spawn(function()
        for i = 1, #text, 50 do
          ex:write(text:sub(i, i + 49))
          smc.sleep(0.1)
        end
      end)
    end }
    local stream <close> = assert(venue:stream { "book:EUR/USD" })
    assert.same({ "1.084", "1.083" }, { assert(stream:recv(5)).bids[1][1], assert(stream:recv(5)).bids[1][1] })
    writer:join()
  end)

  it("keeps the newest price, whatever comes late", function()
    local venue = script.open { [PRICES] = function(ex)
      start(ex, price("1.08400", { time = "2026-01-05T00:00:03Z" }),
        price("1.08300", { time = "2026-01-05T00:00:02Z" }))
    end }
    local stream <close> = assert(venue:stream { "book:EUR/USD" })
    assert.equal("1.084", stream:top(1).bids[1][1])
  end)

  it("is opened again when it is silent for ten seconds, and not when its heart beats", function()
    local venue, seen = script.open { [PRICES] = connections(function(ex)
      start(ex, price "1.08400")
      smc.spawn(function()
        for _ = 1, 3 do
          smc.sleep(9)
          ex:write(line(beat()))
        end
      end)
    end, function(ex) start(ex, price("1.07000", { time = "2026-01-05T00:01:00Z" })) end) }
    local stream <close> = assert(venue:stream { "book:EUR/USD" })
    assert(stream:recv(1))
    local began = smc.now()
    assert.equal("1.07", after_reconnect(stream, 60).bids[1][1])
    assert.is_true(smc.now() - began >= 38 and smc.now() - began <= 39.1, "27 s of beats, 10 of silence, a wait")
    assert.same({ 2, 1 }, { script.count(seen, PRICES), stream.reconnects })
  end)

  --- A stream that was lost, and can be opened again at its n-th connection.  Returns the seconds between them.
  local function lost_until(n, failures)
    local venue, seen = script.open { [PRICES] = connections(function(ex)
      start(ex, price "1.08400")
      ex:close()
    end, function(ex, i)
      if i == n then return start(ex, price "1.08500") end
      script.reply(ex, { 503, "<html>" })
    end) }
    local stream <close> = assert(venue:stream { "ticker:EUR/USD" })
    assert(stream:recv(1))
    stream.attempts = failures
    assert.equal("1.085", after_reconnect(stream, 58).bid)
    assert.equal(n, script.count(seen, PRICES))
    local at, waits = times(seen, PRICES), {}
    for i = 2, n do waits[i - 1] = at[i] - at[i - 1] end
    return waits
  end

  for _, row in ipairs { { 0, { 2, 4, 8, 16 } }, { 3, { 16, 30 } }, { 9, { 30 } } } do
    it(("waits longer and longer, up to thirty seconds: after %d failures"):format(row[1]), function()
      for i, passed in ipairs(lost_until(#row[2] + 1, row[1])) do
        local wait = row[2][i]
        assert.is_true(passed >= wait / 2 - 0.1 and passed <= wait + 0.1, ("%s instead of %d"):format(passed, wait))
      end
    end)
  end

  it("does not outlast the wait of its reader", function()
    local venue = script.open { [PRICES] = connections(function(ex)
      start(ex, price "1.08400")
      ex:close()
    end, function(ex) script.reply(ex, { 503, "" }) end) }
    local stream <close> = assert(venue:stream { "ticker:EUR/USD" })
    assert(stream:recv(1))
    local began = smc.now()
    local event, err = stream:recv(5)
    assert.is_nil(event)
    assert.equal("timeout", err.class)
    assert.near(5, smc.now() - began, 0.1)
  end)

  it("ends when the venue refuses to open it again", function()
    local venue = script.open { [PRICES] = connections(function(ex)
      start(ex, price "1.08400")
      ex:finish()
    end, function(ex)
      script.reply(ex, { 401, { errorMessage = "Insufficient authorization to perform request." } })
    end) }
    local stream <close> = assert(venue:stream { "ticker:EUR/USD" })
    assert(stream:recv(1))
    local event, err = stream:recv(60)
    assert.is_nil(event)
    assert.same({ "auth", 401, "stream" }, { err.class, err.http, err.op })
  end)

  it("is not opened at all for a stranger", function()
    local venue = script.open { [PRICES] = { { 403, { errorMessage = "The provided request was forbidden."
      } } } }
    local stream, err = venue:stream { "book:EUR/USD" }
    assert.is_nil(stream)
    assert.same({ "permission", "The provided request was forbidden." }, { err.class, err.message })
  end)

  it("has no book to show while it is away, and then the venue's again", function()
    local writer
    local venue = script.open { [PRICES] = connections(function(ex)
      start(ex, price "1.08400")
      ex:close()
    end, function(ex)
      start(ex, beat())
      writer = smc.spawn(function()
        smc.sleep(2)
        ex:write(line(price("1.08500", { time = "2026-01-05T00:01:00Z" })))
      end)
    end) }
    local stream <close> = assert(venue:stream { "book:EUR/USD" })
    smc.sleep(0.1)
    local top, err = stream:top(1)
    assert.same({ nil, "timeout", "reconnecting" }, { top, err.class, err.code })
    local give_up = smc.now() + 10
    repeat
      smc.sleep(0.1)
      top = stream:top(1)
    until top or smc.now() > give_up
    assert.equal("1.085", top.bids[1][1], "not the price of before")
    writer:join()
  end)

  it("does not trust a connection that brought a line that is no JSON", function()
    local venue = script.open { [PRICES] = connections(function(ex) start(ex, price "1.08400", "{oops\n") end,
      function(ex) start(ex, price "1.08500") end) }
    local stream <close> = assert(venue:stream { "ticker:EUR/USD" })
    assert(stream:recv(1))
    local event = assert(stream:recv(5))
    assert.same({ "reconnected", "protocol", "stream" }, { event.kind, event.reason.class, event.reason.op })
    assert.equal("1.085", assert(stream:recv(1)).bid)
  end)

  it("can be read no more once it is closed", function()
    local venue, _, server = script.open { [PRICES] = function(ex) start(ex, price "1.08400") end }
    local stream = assert(venue:stream { "book:EUR/USD" })
    assert.equal(1, server:connections())
    stream:close()
    stream:close()
    eventually(function() assert.equal(0, server:connections()) end)
    assert(stream:recv(1))
    local _, err = stream:recv(1)
    assert.equal("cancelled", err.class)
  end)
end)

describe("the stream of an oanda account", function()
  local function account(head, more)
    local out = { account = { currency = "USD", orders = {}, trades = {} }, lastTransactionID = head }
    for name, value in pairs(more or {}) do out.account[name] = value end
    return { 200, out }
  end

  local function deposit(id) return tx(id, "TRANSFER_FUNDS", { accountBalance = id .. ".0000" }) end

  --- Answers of sinceid out of a list of all transactions up to the one with this number.
  local function since(head)
    return function(ex)
      local list, first = {}, math.tointeger(tonumber(ex.query:match "id=(%d+)")) + 1
      for id = first, head() do list[#list + 1] = deposit(id .. "") end
      script.reply(ex, { 200, { transactions = list, lastTransactionID = head() .. "" } })
    end
  end

  --- What the next n events say.
  local function told(stream, n)
    local out = {}
    for i = 1, n do
      local event = assert(stream:recv(60))
      out[i] = event.balances and event.balances.USD.total or event.kind
    end
    return out
  end

  it("tells every transaction once, in order, whatever is lost or comes twice", function()
    local head = 5
    local venue, seen = script.open { ["GET "] = { account "5" }, ["GET /transactions/sinceid"] = since(function()
      return head
    end), [TRANSACTIONS] = function(ex)
      start(ex, deposit "6", deposit "6", deposit "5")
      smc.spawn(function()
        smc.sleep(1)
        head = 9
        ex:write(line(deposit "9"))
        ex:write(line(deposit "8"))
        smc.sleep(5)
        head = 11
        ex:write(line(beat "11"))
        ex:write(line(deposit "10"))
        ex:write(line(beat "11"))
      end)
    end }
    local stream <close> = assert(venue:user_stream())
    assert.same({ "6", "7", "8", "9", "10", "11" }, told(stream, 6))
    local _, err = stream:recv(1)
    assert.equal("timeout", err.class)
    assert.equal(3, script.count(seen, "GET /transactions/sinceid"), "at the start, for 7 and for 10")
  end)

  it("opens the stream first, then asks what it has missed", function()
    local head = 5
    local venue, seen = script.open { ["GET "] = { account "5" }, ["GET /transactions/sinceid"] = since(function()
      return head
    end), [TRANSACTIONS] = connections(function(ex)
      start(ex, deposit "6")
      head = 6
      smc.spawn(function()
        smc.sleep(1)
        head = 8
        ex:close()
      end)
    end, function(ex) start(ex) end) }
    local stream <close> = assert(venue:user_stream())
    assert.same({ "6", "reconnected", "7", "8" }, told(stream, 4))
    local order = {}
    for i, r in ipairs(seen) do order[i] = r.what end
    assert.same({ "GET ", TRANSACTIONS, "GET /transactions/sinceid", TRANSACTIONS, "GET /transactions/sinceid" }, order)
    assert.equal("id=6", script.last(seen, "GET /transactions/sinceid").query)
  end)

  it("tells what becomes of orders in the words of all venues", function()
    local resting = { id = "3", type = "LIMIT", instrument = "EUR_USD", units = "7", price = "1", state = "PENDING",
      createTime = script.time, clientExtensions = { id = "old" } }
    local venue = script.open { ["GET "] = { account("5", { orders = { resting } }) },
      ["GET /transactions/sinceid"] = { { 200, { transactions = {}, lastTransactionID = "5" } } },
      [TRANSACTIONS] = function(ex)
        start(ex, tx("6", "MARKET_ORDER", { instrument = "EUR_USD", units = "10", clientExtensions = { id = "mine" } }),
          tx("7", "ORDER_FILL", { orderID = "6", instrument = "EUR_USD", units = "10", price = "1.10", pl = "0",
            accountBalance = "100.5000", tradeOpened = { tradeID = "7", units = "10" } }),
          tx("8", "STOP_LOSS_ORDER", { tradeID = "7", price = "1.05" }),
          tx("9", "ORDER_CANCEL", { orderID = "3", clientOrderID = "new", reason = "CLIENT_REQUEST" }),
          tx("10", "ORDER_CANCEL", { orderID = "8", reason = "TIME_IN_FORCE_EXPIRED" }),
          tx("11", "LIMIT_ORDER_REJECT", { instrument = "EUR_USD", units = "-1", price = "1",
            rejectReason = "PRICE_INVALID" }), tx("12", "CLIENT_CONFIGURE"), deposit "13",
          tx("14", "DAILY_FINANCING", { accountBalance = "13.2000" }),
          tx("15", "ORDER_FILL", { orderID = "1", instrument = "EUR_USD", units = "-4", price = "1.10", pl = "0",
            accountBalance = "13.2000", tradeReduced = { tradeID = "7", units = "-4" } }),
          tx("16", "TAKE_PROFIT_ORDER", { tradeID = "7", price = "1.2" }))
      end }
    local stream <close> = assert(venue:user_stream())
    local function event()
      local e = assert(stream:recv(1))
      local o = e.order
      return { e.kind, e.execution or "", o and o.status or "", o and o.client_id or "", o and o.qty or "",
        e.fill and e.fill.price or "", e.balances and e.balances.USD.total or "" }
    end
    assert.same({ "order", "new", "open", "mine", "10", "", "" }, event())
    assert.same({ "fill", "trade", "filled", "mine", "10", "1.1", "" }, event())
    assert.same({ "balance", "", "", "", "", "", "100.5" }, event())
    assert.same({ "order", "new", "open", "", "10", "", "" }, event())
    assert.same({ "order", "canceled", "canceled", "new", "7", "", "" }, event()) -- its name has changed meanwhile
    assert.same({ "order", "expired", "expired", "", "10", "", "" }, event())
    assert.same({ "order", "rejected", "rejected", "", "1", "", "" }, event())
    assert.same({ "transfer", "", "", "", "", "", "13" }, event())
    assert.same({ "balance", "", "", "", "", "", "13.2" }, event())
    assert.same({ "fill", "trade", "", "", "", "1.1", "" }, event())
    assert.same({ "balance", "", "", "", "", "", "13.2" }, event())
    assert.same({ "order", "new", "open", "", "6", "", "" }, event())
  end)

  it("ends when what was missed can't be had", function()
    local venue = script.open { ["GET "] = { account "5" },
      ["GET /transactions/sinceid"] = { { 200, { transactions = {}, lastTransactionID = "5" } },
        { 416, { errorMessage = "too old" } } }, [TRANSACTIONS] = function(ex) start(ex, beat "9") end }
    local stream <close> = assert(venue:user_stream())
    local event, err = stream:recv(10)
    assert.is_nil(event)
    assert.same({ "invalid_request", 416 }, { err.class, err.http })
  end)
end)
