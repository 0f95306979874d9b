-- The venue half of the fault matrix: every fault x every venue x (read, order, stream).  Each cell ends in the class
-- that the table of faults says (lua/smc/sandbox/faults.lua; `smcrun --list-faults`), gets over it, in time, leaves
-- nothing open, and no order is lost or doubled.  The page of the sandboxes shows the same table.
local errors = require "smc.error"
local fault_list = require "smc.sandbox.fault_list"
local faults = require "smc.sandbox.faults"
local smc = require "smc"

local VENUES = { "binance", "bybit", "oanda" }
local SYMBOL = { binance = "BTC/USDT", bybit = "BTC/USDT", oanda = "EUR/USD" }
local RESTING = { binance = { qty = "0.01", price = "50000" }, bybit = { qty = "0.01", price = "58000" },
  oanda = { qty = "100", price = "1.0" } }

-- Parameters that a fault needs, or that keep a cell short; lasting: of a state that is not healed from outside.
local GIVEN = { slow = { seconds = 2 }, skew = { seconds = 30 }, ban = { seconds = 4 }, rate_limit = { seconds = 4 } }

-- Seconds within which each seam is over: the client's timeout is 10, and oanda's client looks for a lost order for
-- 11.5 more.
local DEADLINE = { read = 10.1, order = 10.6, oanda_order = 36, open = 22, again = 45 }

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

--- Of a venue whose ban is met, the client would keep quiet longer than the spec lasts.
local function open(name, fault)
  return smc.venue(name, fault == "ban" and { obey_limits = false } or {})
end

-- ---- a question -----------------------------------------------------------------------------

local function read(name, fault, told)
  local venue = open(name, fault)
  assert(venue:balances())
  venue:fault(fault_of(fault, { on = "balances" }))
  local start = smc.now()

  local balances, err = venue:balances()

  within(DEADLINE.read, start)
  is_as_told(told, err)
  assert.equal(told == "-", balances ~= nil)
  if fault == "skew" and told ~= "-" then
    assert(venue:sync())
    assert(venue:balances())
  end
  assert(venue:heal())
  if fault == "skew" then assert(venue:sync()) end
  assert.is_truthy(next(assert(venue:balances())))
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

local function order(name, fault, told)
  local venue = open(name, fault)
  assert(venue:balances()) -- a signed answer: oanda's client knows from then on where to look for a lost order
  venue:fault(fault_of(fault, { on = "place", times = 1, for_ = fault == "mute" and 15 or nil }))
  local start = smc.now()

  local placed, err = place(venue, "cell-1", fault == "halt" and name ~= "oanda" and "market" or "limit")

  within(name == "oanda" and DEADLINE.oanda_order or DEADLINE.order, start)
  is_as_told(told, err)
  assert.equal(told == "-", placed ~= nil)
  assert(venue:heal())
  local found = is_neither_lost_nor_doubled(venue, "cell-1", placed)
  if AFTER[fault] then assert.equal(AFTER[fault], found.status) end
  local again = assert(place(venue, "cell-2", "limit"))
  is_neither_lost_nor_doubled(venue, "cell-2", again)
end

-- ---- a stream that is opened -------------------------------------------------------------------

local function no_streams_left(venue)
  eventually(function() assert.equal(0, #venue.sandbox:streams()) end, { within = 20 })
end

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

  within(DEADLINE.open, start)
  is_as_told(told, err)
  assert(venue:heal())
  if not stream then no_streams_left(venue) end
  stream = stream or assert(venue:stream { "book:" .. SYMBOL[name] })
  keeps_its_book(venue, stream)
  stream:close()
  no_streams_left(venue)
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

  local reason = read_on(stream, 12, DEADLINE.again)

  within(DEADLINE.again, start)
  if fault ~= "no_heartbeat" then is_as_told(told, reason) else assert.is_nil(reason) end -- prices go on
  assert(venue:heal())
  keeps_its_book(venue, stream)
  stream:close()
  no_streams_left(venue)
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
  no_streams_left(venue)
end

--- Whole connections are gone for a while, those of streams too.
local function comes_back(name, fault)
  local venue = smc.venue(name)
  local stream = assert(venue:stream { "book:" .. SYMBOL[name] })
  venue:fault(fault_of(fault, { for_ = fault == "mute" and name ~= "oanda" and 34 or 12 }))
  local reason = read_on(stream, math.huge, 50)
  assert.is_truthy(reason)
  assert.is_true(reason.class == "network" or reason.class == "timeout", tostring(reason))
  keeps_its_book(venue, stream)
  stream:close()
  no_streams_left(venue)
end

-- ---- the matrix ---------------------------------------------------------------------------------

local function stream_cells(name, fault, entry, told)
  if entry.commit and not entry.calls_only or entry.begin or entry.switch then
    it(fault .. ": a stream that is opened", function() opening(name, fault, told) end)
  end
  if entry.frame and entry.class.stream then
    it(fault .. ": a stream of the market", function() market(name, fault, told) end)
    if fault ~= "stale" then it(fault .. ": the stream of the account", function() account(name, fault, told) end) end
  end
  if fault == "down" or fault == "mute" or fault == "maintenance" then
    it(fault .. ": a stream that was open", function() comes_back(name, fault) end)
  end
end

for _, name in ipairs(VENUES) do
  describe("on " .. name, function()
    for _, fault in ipairs(faults.names()) do
      local entry = faults.table[fault]
      for seam, run in pairs { read = read, order = order } do
        local told = fault_list.cell(entry, name, seam)
        if told then it(("%s: %s"):format(fault, seam), function() run(name, fault, told) end) end
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
