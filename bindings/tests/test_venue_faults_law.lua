-- The venue half of the fault matrix: every fault x every venue x (read, order, stream).  Each cell ends in the class
-- that the table of faults says (lua/smc/sandbox/faults.lua; `smcrun --list-faults`), gets over it, in time, leaves
-- nothing open, and no order is lost or doubled.  The page of the sandboxes shows the same table.
local errors = require "smc.error"
local fault_list = require "smc.sandbox.fault_list"
local faults = require "smc.sandbox.faults"
local smc = require "smc"
local traces = require "traces"

local VENUES = { "binance", "bybit", "oanda" }
local SYMBOL = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }
local RESTING = { binance = { qty = "0.01", price = "50000" }, bybit = { qty = "0.01", price = "58000" },
  oanda = { qty = "100", price = "1.0" } }

-- Parameters that a fault needs, or that keep a cell short; lasting: of a state that is not healed from outside.
local GIVEN = { slow = { seconds = 2 }, skew = { seconds = 30 }, ban = { seconds = 4 }, rate_limit = { seconds = 4 } }

-- The timeout of the client is 10 s, it waits at its limiter, and that of oanda looks for a lost order.
local WITHIN, OPENED = faults.within, 22 -- a stream that is opened

local function fault_of(name, more)
  local given, fault = { venue = name }, faults.table[name]
  for key, value in pairs(GIVEN[name] or {}) do given[key] = value end
  for key, value in pairs(more) do
    if key == "for_" or faults.takes(fault, key) then given[key] = value end
  end
  return given
end

--- The class is the one that the table says.
local function is_as_told(told, err)
  local class = err and err.class or "-"
  for _, one in ipairs(type(told) == "table" and told or { told }) do
    if one == class then return end
  end
  error(("%s was told, and it is %s: %s"):format(type(told) == "table" and table.concat(told, " or ") or told, class,
    tostring(err)), 2)
end

local function within(seconds, since)
  assert.is_true(smc.now() - since <= seconds, ("%.2f s"):format(smc.now() - since))
end

local mark -- of the cell's venue, before it is asked for anything

--- Of a venue whose ban is met, the client would keep quiet longer than the spec lasts.
local function open(name, fault, breaker)
  local venue = smc.venue(name, { obey_limits = fault ~= "ban", breaker = breaker })
  mark = traces.mark(venue)
  return venue
end

--- One cell of the matrix: run(name, fault, told), after which nothing is left.
local function cell(title, run, ...)
  local arguments = table.pack(...)
  it(title, function()
    run(table.unpack(arguments))
    traces.nothing_since(mark)
  end)
end

-- ---- a question -----------------------------------------------------------------------------

--- What makes an end of the fault, and of what the client has learned from it.
local function heal(venue, fault)
  assert(venue:heal())
  if fault == "skew" then assert(venue:sync()) end
end

local function ask(venue, fault, told)
  venue:fault(fault_of(fault, { on = "balances" }))
  local start = smc.now()
  local balances, err = venue:balances()
  within(WITHIN.read, start)
  is_as_told(told, err)
  assert.equal(told == "-", balances ~= nil)
  return err
end

--- err: what the venue said before, perhaps with a time to keep quiet.
local function is_answered(venue, err)
  local start = smc.now()
  assert.is_truthy(next(assert(venue:balances())))
  within(WITHIN.healed + (err and err.retry_after or 0), start)
end

local function read(name, fault, told)
  local venue = open(name, fault)
  assert(venue:balances())
  local err = ask(venue, fault, told)
  if fault == "skew" and told ~= "-" then
    assert(venue:sync())
    is_answered(venue)
  end
  heal(venue, fault)
  is_answered(venue, err)
end

-- ---- a question that decides about the breaker -----------------------------------------------

local COUNTED = { network = true, timeout = true, server = true, protocol = true, ip_ban = true }
local OPEN = 5 -- seconds that a breaker stays open

--- Whether the breaker hears of it.
local function is_counted(err) return err ~= nil and COUNTED[err.class] == true end

--- The fault is met by a call on which everything depends, then by the one probe: the breaker hears of it what the
-- table says, and when it is over the next probe closes it.
local function probe(name, fault, told)
  local venue = open(name, fault, { size = 1, min_calls = 1, open = OPEN })
  assert(venue:balances())
  local err = ask(venue, fault, told)
  assert.equal(is_counted(err) and "open" or "closed", venue.breaker.state)
  if is_counted(err) then
    assert.equal("circuit_open", select(2, venue:balances()).class)
    smc.sleep(OPEN)
    assert(venue:heal())
    ask(venue, fault, told)
    assert.equal("open", venue.breaker.state)
    smc.sleep(OPEN)
  end
  heal(venue, fault)
  is_answered(venue, err)
  assert.equal("closed", venue.breaker.state)
end

-- ---- an order -------------------------------------------------------------------------------

local function place(venue, client_id, type_of)
  local resting, symbol = RESTING[venue.name], SYMBOL[venue.name]
  return venue:place { symbol = symbol, side = "buy", type = type_of, qty = resting.qty,
    price = type_of == "limit" and resting.price or nil, client_id = client_id }
end

--- What the client finds of an order by its client id is what the venue has, and no more than once.
local function is_neither_lost_nor_doubled(venue, client_id, order)
  local there = venue.sandbox:orders { client_id = client_id }
  local found, why = venue:order { symbol = SYMBOL[venue.name], client_id = client_id }
  if order then
    assert.equal(1, #there)
    assert.equal(order.id, assert(found).id)
  elseif #there == 0 then
    assert.is_nil(found)
    assert.equal("unknown_order", why.class)
  else
    assert.equal(1, #there)
    assert.equal(client_id, assert(found).client_id)
  end
  return found
end

local AFTER = { early_fill = "filled", partial_fill = "partially_filled" }

--- Whatever the outcome, the order is at most once at the venue, and the next one is placed.
local function order(name, fault, told, breaker)
  local venue = open(name, fault, breaker)
  assert(venue:balances()) -- a signed answer: oanda's client knows from then on where to look for a lost order
  venue:fault(fault_of(fault, { on = "place", times = 1, for_ = fault == "mute" and 15 or nil }))
  local start = smc.now()

  local placed, err = place(venue, "cell-1", fault == "halt" and name ~= "oanda" and "market" or "limit")

  within((WITHIN[name] or WITHIN).order, start)
  is_as_told(told, err)
  assert.equal(err == nil, placed ~= nil)
  assert(venue:heal())
  if venue.breaker.state == "open" then smc.sleep(OPEN) end
  local found = is_neither_lost_nor_doubled(venue, "cell-1", placed)
  if AFTER[fault] then assert.equal(AFTER[fault], found.status) end
  if err and err.class ~= "unknown_outcome" then assert.is_nil(found, "it was refused, and is there") end
  local since = smc.now()
  local again = assert(place(venue, "cell-2", "limit"))
  within(WITHIN.healed + (err and err.retry_after or 0), since)
  is_neither_lost_nor_doubled(venue, "cell-2", again)
  traces.only_orders(venue, { ["cell-1"] = found and 1 or 0, ["cell-2"] = 1 })
end

--- The same when its failure opens the breaker: the client can't look for it then, where it would.
local function order_that_opens(name, fault, told)
  local may = type(told) == "table" and { table.unpack(told) } or { told }
  may[#may + 1] = "unknown_outcome"
  order(name, fault, may, { size = 1, min_calls = 1, open = OPEN })
end

-- ---- a stream that is opened -------------------------------------------------------------------

--- The local book is the venue's, now that nothing is wrong.
local function keeps_its_book(venue, stream)
  eventually(function()
    local book = assert(stream:top(3))
    local truth = venue.sandbox:book(SYMBOL[venue.name], 3)
    for _, side in ipairs { "bids", "asks" } do
      for i, level in ipairs(truth[side]) do
        assert.same({ level[1], level[2] }, { book[side][i][1], book[side][i][2] })
      end
    end
  end, { within = 35, every = 0.25 })
end

local function opening(name, fault, told)
  local venue = open(name, fault)
  venue:fault(fault_of(fault, { on = "stream", times = 1 }))
  local start = smc.now()

  local stream, err = venue:stream { "book:" .. SYMBOL[name] }

  within(OPENED, start)
  is_as_told(told, err)
  assert(venue:heal())
  stream = stream or assert(venue:stream { "book:" .. SYMBOL[name] })
  keeps_its_book(venue, stream)
  stream:close()
end

-- ---- a stream that is open ----------------------------------------------------------------------

--- Reads until the stream was made anew, or so many events came.  Returns the reason, or nil.
local function read_on(stream, events, seconds)
  local give_up, n = smc.now() + seconds, 0
  while smc.now() < give_up and n < events do
    local event = stream:recv(give_up - smc.now())
    if event and event.kind == "reconnected" then return event.reason end
    if event then n = n + 1 end
  end
end

local function market(name, fault, told)
  local venue = open(name, fault)
  local stream = assert(venue:stream { "book:" .. SYMBOL[name] })
  local start = smc.now()
  venue:fault(fault_of(fault, { on = "stream", times = fault ~= "stale" and 1 or nil,
    for_ = fault == "stale" and 10 or nil }))

  local reason = read_on(stream, 12, WITHIN.stream)

  within(WITHIN.stream, start)
  if fault ~= "no_heartbeat" then is_as_told(told, reason) else assert.is_nil(reason) end -- prices go on
  assert(venue:heal())
  keeps_its_book(venue, stream)
  stream:close()
end

local ONCE = { stall = 1, bad_frame = 1, close = 1 }

--- What the account's stream tells: each fill once.  It is met by what only the account is told.
local function account(name, fault, told)
  local venue = open(name, fault)
  local stream = assert(venue:user_stream())
  local start, fills, states, filled = smc.now(), {}, {}, 0
  venue:fault(fault_of(fault, { on = "user_stream", times = ONCE[fault] }))
  local placed = assert(place(venue, "cell-1", "market"))
  local reason
  local give_up = smc.now() + 40
  while smc.now() < give_up do
    local event = stream:recv(give_up - smc.now())
    if event and event.kind == "reconnected" and not reason then
      reason = event.reason
      assert(venue:heal())
    end
    if event and event.fill then fills[#fills + 1] = event.fill.order_id end
    if event and event.order then
      states[#states + 1] = event.execution .. " " .. event.order.filled
      assert.is_true(tonumber(event.order.filled) >= filled, states[#states])
      filled = tonumber(event.order.filled)
    end
  end

  for i, state in ipairs(states) do assert.not_equal(states[i + 1], state) end
  if fault == "out_of_order" or fault == "lost" then assert.is_nil(reason) else is_as_told(told, reason) end
  assert(venue:heal())
  if fault == "out_of_order" then
    local event = stream:recv(10) -- what was held back
    if event and event.fill then fills[#fills + 1] = event.fill.order_id end
  end
  assert.same(fault == "lost" and name ~= "oanda" and {} or { placed.id }, fills)
  assert.equal(1, #venue.sandbox:orders { client_id = "cell-1" })
  within(60, start)
  stream:close()
end

--- Whole connections are gone for a while, those of streams too.
local function comes_back(name, fault)
  local venue = open(name, fault)
  local stream = assert(venue:stream { "book:" .. SYMBOL[name] })
  venue:fault(fault_of(fault, { for_ = fault == "mute" and name ~= "oanda" and 34 or 12 }))
  local reason = read_on(stream, math.huge, 50)
  assert.is_truthy(reason)
  assert.is_true(reason.class == "network" or reason.class == "timeout", tostring(reason))
  keeps_its_book(venue, stream)
  stream:close()
end

-- ---- the matrix ---------------------------------------------------------------------------------

local DECIDES = { read = probe, order = order_that_opens }

local function stream_cells(name, fault, entry, told)
  if entry.commit and not entry.calls_only or entry.begin or entry.switch then
    cell(fault .. ": a stream that is opened", opening, name, fault, told)
  end
  if entry.frame and entry.class.stream then
    cell(fault .. ": a stream of the market", market, name, fault, told)
    if fault ~= "stale" then cell(fault .. ": the stream of the account", account, name, fault, told) end
  end
  if fault == "down" or fault == "mute" or fault == "maintenance" then
    cell(fault .. ": a stream that was open", comes_back, name, fault)
  end
end

for _, name in ipairs(VENUES) do
  describe("on " .. name, function()
    for _, fault in ipairs(faults.names()) do
      local entry = faults.table[fault]
      for seam, run in pairs { read = read, order = order } do
        local told = fault_list.cell(entry, name, seam)
        if told then
          cell(("%s: %s"):format(fault, seam), run, name, fault, told)
          cell(("%s: %s that decides about the breaker"):format(fault, seam), DECIDES[seam], name, fault, told)
        end
      end
      local told = fault_list.cell(entry, name, "stream")
      if told then stream_cells(name, fault, entry, told) end
    end
  end)
end

-- ---- told once ------------------------------------------------------------------------------------

for name, channels in pairs { binance = { "trade", "book", "ticker" }, bybit = { "trade", "book" },
  oanda = { "book", "ticker" } } do
  for _, channel in ipairs(channels) do
    it(("what %s tells twice of a %s is handed out once"):format(name, channel), function()
      local venue = smc.venue(name)
      local stream = assert(venue:stream { channel .. ":" .. SYMBOL[name] })
      venue:fault { venue = "duplicate" }
      local seen = {}
      for _ = 1, 12 do
        local event = assert(stream:recv())
        local key = tostring(event.id or event.time)
        assert.is_nil(seen[key], key)
        seen[key] = true
      end
      assert.is_true(venue.sandbox:faults()[1].committed >= 10)
      stream:close()
    end)
  end
end

it("a price of oanda that comes late is neither told nor kept", function()
  local venue = smc.venue "oanda"
  local stream = assert(venue:stream { "book:EUR/USD" })
  venue:fault { venue = "out_of_order" }
  local last = 0
  for _ = 1, 8 do
    local event = assert(stream:recv())
    assert.is_true(event.time >= last)
    last = event.time
  end
  stream:close()
end)

it("a clock of oanda that goes back does not stop its prices", function()
  local venue = smc.venue "oanda"
  local stream = assert(venue:stream { "book:EUR/USD" })
  assert(stream:recv())
  venue:fault { venue = "skew", seconds = -60 }
  for _ = 1, 4 do assert(stream:recv(15)) end
  keeps_its_book(venue, stream)
  stream:close()
end)

-- ---- whatever the types ---------------------------------------------------------------------------

local function calls_of(venue, symbol)
  return { time = {}, instruments = {}, ticker = { symbol }, book = { symbol }, candles = { symbol, "1m" },
    account = {}, balances = {}, positions = {}, open_orders = { symbol }, orders = { symbol }, fills = { symbol },
    order = { { symbol = symbol, client_id = "types" } }, cancel_all = { symbol },
    cancel = { { symbol = symbol, client_id = "types" } },
    trades = venue.name ~= "oanda" and { symbol } or nil }
end

for _, name in ipairs(VENUES) do
  describe("an answer of " .. name .. " with wrong types", function()
    for _, kind in ipairs { "leaves", "null", "array", "object", "text" } do
      it("of kind " .. kind .. " raises nothing in any call", function()
        local venue = smc.venue(name, { breaker = false })
        assert(place(venue, "types", "limit"))
        assert(place(venue, "filled", "market"))
        for op, arguments in pairs(calls_of(venue, SYMBOL[name])) do
          venue:fault { venue = "wrong_type", kind = kind }
          local value, err = venue[op](venue, table.unpack(arguments))
          local fine = type(value) == "table" and next(value) == nil or op == "time" and name ~= "binance"
          assert.is_true(fine or value == nil and errors.is(err), op .. ": " .. tostring(err))
          assert(venue:heal())
        end
      end)
    end
  end)
end

for _, name in ipairs(VENUES) do
  describe("an answer of " .. name .. " that can't be read", function()
    it("is a failure for the venue's health", function()
      local venue = smc.venue(name)
      assert(venue:balances())
      venue:fault { venue = "wrong_type", on = "balances", times = 2 }
      for failures = 1, 2 do
        assert.equal("protocol", select(2, venue:balances()).class)
        assert.equal(failures, venue.health.failures)
      end
      assert(venue:balances())
      assert.equal(0, venue.health.failures)
    end)

    it("leaves an order in doubt, which is looked up and not sent again", function()
      local venue = smc.venue(name, { retry = true })
      assert(venue:balances())
      venue:fault { venue = "wrong_type", on = "place", times = 1 }
      local placed = assert(place(venue, "unread", "limit"))
      assert.equal("unread", placed.client_id)
      assert.equal(1, #venue.sandbox:orders { client_id = "unread" })
      traces.only_orders(venue, { unread = 1 })
    end)
  end)
end
