-- The law of local books: whatever a wire does to the frames, a book that claims to be live is the engine's, and it is
-- live again soon.  The engine does 100 000 random things; the sandboxes' own topics make frames of them.
local binance_book = require "smc.venue.binance.local_book"
local binance_format = require "smc.sandbox.binance.format"
local binance_topics = require "smc.sandbox.binance.topics"
local bybit_book = require "smc.venue.bybit.local_book"
local bybit_topics = require "smc.sandbox.bybit.topics"
local damaged_wire = require "damaged_wire"
local clock = require "smc.venue.oanda.clock"
local decimal = require "smc.decimal"
local json = require "smc.json"
local market = require "smc.core.market"
local oanda_book = require "smc.venue.oanda.local_book"
local oanda_pricing = require "smc.sandbox.oanda.pricing"
local rng = require "smc.core.rng"
local smc = require "smc"

local EVENTS = 100000
local SEED = 20260105
local START = 1767571200000
local TURN_MS = 20
local MEMORY = 200 -- turns for which the engine's books are remembered
local SOON = 25 -- frames without damage after which a book must be live again
local ACTIONS = 90 -- at most, between two frames
local CROWD = 260 -- orders at which nothing but cancels would happen
local CROSSING, NEAR, FAR = 60, 1200, 60000 -- ticks: before the price, behind it, far behind it
local BYBIT_DEPTHS = { 1, 50, 1000 } -- 200 has its own pace only

--- As if it had gone over a wire.
local function wired(event) return json.decode(json.encode(event)) end

-- ---- the engine ------------------------------------------------------------------------------------------------

local function new_engine(random)
  local m = market.new { seed = SEED, now_ms = START }
  m:instrument { symbol = "BTCUSDT", base = "BTC", quote = "USDT", tick = "0.1", step = "0.001" }
  m:feed { symbol = "BTCUSDT", mid = "60000", levels = 10 }
  m:want("all", "BTCUSDT")
  local account = m:account { name = "all" }
  m:credit(account, "USDT", "100000000000")
  m:credit(account, "BTC", "10000000")
  local def = { symbol = "BTCUSDT", native = "BTCUSDT", lower = "btcusdt", quote = "USDT", id = 9, places = 1 }
  return { market = m, account = account, def = def, random = random, open = {}, books = {}, turn = 0, events = 0,
    symbols = { def }, prices = {}, tradeable = function() return true end,
    by_lower = { btcusdt = def }, categories = { spot = { by_native = { BTCUSDT = def } } }, skew_ms = 0,
    now = function() return m:time() end }
end

--- reach: how far behind the price it stands, in ticks; nil: at any price.
local function place(engine, reach)
  local r, m = engine.random, engine.market
  local buys = r:int(1, 2) == 1
  local behind = reach and r:int(-CROSSING, reach) / 10 * (buys and -1 or 1)
  local order = m:place { account = engine.account, symbol = "BTCUSDT", type = reach and "limit" or "market",
    price = reach and ("%.1f"):format(tonumber(m:mid "BTCUSDT") + behind) or nil,
    side = buys and "buy" or "sell", qty = ("%d.%03d"):format(r:int(0, 9), r:int(1, 999)) }
  if order and order.on_book then engine.open[#engine.open + 1] = order.id end
end

local function cancel(engine)
  local at = engine.random:int(1, #engine.open)
  engine.market:cancel { account = engine.account, symbol = "BTCUSDT", id = engine.open[at] }
  engine.open[at] = engine.open[#engine.open]
  engine.open[#engine.open] = nil
end

--- Orders, most of them near the price, and cancels, the more the more there is; now and then the price jumps.
local function act(engine)
  local r = engine.random
  local what = r:int(1, 1000)
  if what > 993 then
    engine.market:move("BTCUSDT", { by = ("%.4f"):format(r:int(-20, 20) / 10000) })
  elseif what > 980 then
    place(engine)
  elseif r:int(1, CROWD) <= #engine.open then
    cancel(engine)
  else
    place(engine, what <= 100 and FAR or NEAR)
  end
end

--- What happens between two frames.  Returns the levels that changed.
local function run(engine)
  engine.turn = engine.turn + 1
  for _ = 1, engine.random:int(0, ACTIONS) do act(engine) end
  engine.market:advance(START + engine.turn * TURN_MS)
  local levels = {}
  for _, e in ipairs(engine.market:events()) do
    if e.type == "level" then levels[#levels + 1] = e end
  end
  engine.events = engine.events + #levels
  local book = engine.market:book "BTCUSDT"
  engine.books[book.update_id], engine.now_book = book, book
  engine.ids = engine.ids or {}
  engine.ids[engine.turn] = book.update_id
  local old = engine.ids[engine.turn - MEMORY]
  if old and old ~= book.update_id then engine.books[old] = nil end
  return levels
end

-- ---- clients: wire, book, depth, emit(levels) -> frame or nil, take(frame), connect(), turn(), wanted() -----------

--- The book that frames speak of: as it is, once a good frame has told it, else as it was at the book's own update.
local function engine_book(engine, client)
  return client.wire.clean > 0 and engine.now_book or engine.books[client.book.id]
end

local function binance_client(engine, random)
  local topic = binance_topics.new(engine, "btcusdt@depth@100ms")
  local client = { name = "binance", depth = 5000, wire = damaged_wire.new(random),
    book = binance_book.new "BTC/USDT" }

  function client.emit(levels)
    for _, level in ipairs(levels) do topic:on_level(level) end
    return topic:emit(engine)
  end

  function client.take(frame) client.book:update(frame) end

  function client.connect()
    client.book:reset()
    client.answer = nil
  end

  --- GET depth: the answer may be late, and may have been old when it was made.
  function client.turn()
    if client.book.live then return end
    local answer = client.answer
    if not answer then
      local age = random:int(1, 4) == 1 and random:int(1, 10) or 0
      local book = engine.books[engine.ids[math.max(1, engine.turn - age)]]
      client.answer = { due = engine.turn + random:int(0, 4), snapshot = wired(json.object(
        "lastUpdateId", book.update_id, "bids", binance_format.levels(book.bids),
        "asks", binance_format.levels(book.asks))) }
    elseif answer.due <= engine.turn then
      client.answer = nil
      client.book:restart(answer.snapshot)
    end
  end

  function client.wanted() return engine_book(engine, client) end

  return client
end

local function bybit_client(engine, random, depth)
  local topic = bybit_topics.new(engine, ("spot orderbook.%d.BTCUSDT"):format(depth))
  local client = { name = "bybit " .. depth, depth = depth, wire = damaged_wire.new(random),
    book = bybit_book.new "BTC/USDT" }
  local RETRY = 12 -- turns after which a subscription that brought no snapshot is repeated

  function client.emit(levels)
    if not topic.bids then return nil end -- nobody has subscribed yet
    if #levels > 0 or depth == 1 then return topic:emit(engine) end
  end

  function client.take(frame) client.book:update(frame.type, frame.data) end

  function client.connect()
    client.book:reset()
    client.asked = nil
  end

  --- Subscribing anew makes the venue send a snapshot, after a while, down the same wire.
  function client.turn()
    if client.book.live then
      client.asked = nil
    elseif not client.asked or engine.turn >= client.asked + RETRY then
      client.asked, client.due = engine.turn, engine.turn + random:int(0, 3)
    end
    if client.asked and client.due == engine.turn then client.wire:send(wired(topic:snapshot(engine))) end
  end

  function client.wanted() return engine_book(engine, client) end

  return client
end

--- Prices replace each other, and are told when the best bid or ask is another.
local function oanda_client(engine, random)
  local client = { name = "oanda", depth = 3, wire = damaged_wire.new(random), book = oanda_book.new "BTC/USDT" }
  local told = {} -- what the engine had, by the time of the price

  local function ladder(rows)
    local out = {}
    for i = 1, math.min(3, #rows) do out[i] = { rows[i][1], decimal.floor_to(rows[i][2], "1") } end
    return out
  end

  local function price()
    local line = oanda_pricing.client_price(engine, engine.def)
    client.last = clock.ns(wired(line).time)
    told[client.last] = { bids = ladder(engine.now_book.bids), asks = ladder(engine.now_book.asks) }
    return line
  end

  function client.emit() return oanda_pricing.look(engine, engine.symbols) and price() or nil end

  function client.take(line) client.book:update(line) end

  --- A connection begins with the price as it is.
  function client.connect() client.wire:send(wired(price())) end

  function client.turn() end

  function client.wanted() return told[client.wire.clean > 0 and client.last or client.book.id] end

  return client
end

-- ---- the law -----------------------------------------------------------------------------------------------------

local function rows_differ(rows, wanted, n)
  if #rows ~= n then return ("%d levels, not %d"):format(#rows, n) end
  for i, row in ipairs(rows) do
    if row[1] ~= wanted[i][1] or row[2] ~= wanted[i][2] then
      return ("level %d is %s at %s, not %s at %s"):format(i, row[2], row[1], wanted[i][2], wanted[i][1])
    end
  end
end

--- What is wrong with a book, all of it, or nil.
local function differs(book, wanted, depth)
  local all = book:top(depth + 100) -- more than there may be
  for _, side in ipairs { "bids", "asks" } do
    local wrong = rows_differ(all[side], wanted[side], math.min(#wanted[side], depth))
    if wrong then return side .. ": " .. wrong end
  end
end

--- What breaks the law in this turn, or nil.
local function broken(client)
  local book = client.book
  if not book.live then
    return client.wire.clean > SOON and ("it is not live after %d good frames"):format(client.wire.clean) or nil
  end
  client.lived = (client.lived or 0) + 1
  if client.shown and book.id < client.shown then
    return ("it went back from %d to %d"):format(client.shown, book.id)
  end
  client.shown = book.id
  local wanted = client.wanted()
  if not wanted then return ("it is of update %d, which no frame ended with"):format(book.id) end
  return differs(book, wanted, client.depth)
end

--- One turn of one client.
local function serve(engine, client, levels)
  local frame = client.emit(levels)
  if client.away and client.away > 0 then
    client.away = client.away - 1
    if client.away == 0 then client.connect() end
    return nil
  end
  if frame then client.wire:send(wired(frame)) end
  for _, arrived in ipairs(client.wire:take()) do client.take(arrived) end
  client.turn()
  local wrong = broken(client)
  if engine.random:int(1, 80) == 1 then
    client.wire:cut()
    client.away = engine.random:int(1, 10)
    client.book:reset()
    client.shown = nil
  end
  return wrong
end

describe("local books", function()
  it("are the engine's whenever they are live, and live again soon, through 100 000 events on bad wires", function()
    local random = rng.new(SEED, "local books")
    local engine = new_engine(random)
    local clients = { binance_client(engine, random) }
    clients[2] = oanda_client(engine, random)
    for _, depth in ipairs(BYBIT_DEPTHS) do clients[#clients + 1] = bybit_client(engine, random, depth) end

    while engine.events < EVENTS do
      smc.sleep(0.001) -- the CPU budget is that of a slice without waiting
      local levels = run(engine)
      for _, client in ipairs(clients) do
        local wrong = serve(engine, client, levels)
        if wrong then error(("%s, turn %d, event %d: %s"):format(client.name, engine.turn, engine.events, wrong)) end
      end
    end

    for _, client in ipairs(clients) do -- it was a test
      local done = client.wire.done
      for _, kind in ipairs { "drop", "duplicate", "reorder", "reconnect" } do
        assert.is_true(done[kind] >= 10, ("%s: %s %d times"):format(client.name, kind, done[kind] or 0))
      end
      assert.is_true(client.lived > engine.turn / 2, ("%s: live in %d of %d turns"):format(client.name, client.lived,
        engine.turn))
      local counts = client.book.resyncs and client.depth > 1 -- gaps
      assert.is_true(not counts or client.book.resyncs >= 10, client.name .. ": gaps were found")
    end
  end)
end)
