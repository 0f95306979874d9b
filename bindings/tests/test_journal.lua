-- The journal of orders: what is written before an order is sent, when it is known dead, and that nothing that lives at
-- a venue is missing there.
local smc = require "smc"
local client = require "smc.venue.client"
local errors = require "smc.error"
local journal = require "smc.journal"
local rng = require "smc.core.rng"
local world = require "smc.world"

local VENUES = {
  { name = "binance", symbol = "BTC/USDT", qty = "0.01", less = "0.005", rest = "40000", other = "41000" },
  { name = "bybit", symbol = "BTC/USDT", qty = "0.01", less = "0.005", rest = "40000", other = "41000" },
  { name = "oanda", symbol = "EUR/USD", qty = "100", less = "50", rest = "0.9", other = "0.91" },
}

--- The journal of the running spec, and what it wrote: { "+1 {..}", "-1 canceled", .. }.
local function written()
  local w, lines = world.current(), {}
  w.journal = {
    sending = function(text)
      lines[#lines + 1] = "+" .. text
      return tostring(#lines)
    end,
    dead = function(id, why) lines[#lines + 1] = "-" .. id .. " " .. why end,
  }
  return journal.of(w), lines
end

local function limit(row, more)
  local order = { symbol = row.symbol, side = "buy", type = "limit", qty = row.qty, price = row.rest }
  for key, value in pairs(more or {}) do order[key] = value end
  return order
end

local function market(row) return { symbol = row.symbol, side = "buy", type = "market", qty = row.qty } end

local function placements(venue)
  local n = 0
  for _, asked in ipairs(venue.sandbox:requests()) do
    if asked.method == "POST" and asked.path:find(venue.name == "oanda" and "/orders$" or "order") then n = n + 1 end
  end
  return n
end

for _, row in ipairs(VENUES) do
  describe("the journal of " .. row.name, function()
    local venue, its, lines
    before_each(function()
      its, lines = written()
      venue = smc.venue(row.name)
    end)

    it("knows an order before it is sent, and where it went", function()
      local sent = its.world.journal.sending
      its.world.journal.sending = function(text)
        assert.equal(0, placements(venue))
        return sent(text)
      end
      local order = assert(venue:place(limit(row, { client_id = "mine-1" })))
      assert.equal("open", order.status)
      local noted = smc.json.decode(lines[1]:sub(2))
      assert.same({ row.name, venue.url, venue.key, row.symbol, "mine-1" },
        { noted.venue, noted.url, noted.account, noted.symbol, noted.client_id })
      assert.equal(1, #lines)
      assert.equal(1, #its:left())
    end)

    it("never holds a secret", function()
      assert(venue:place(limit(row)))
      for _, secret in ipairs { venue.sandbox.secret or false, venue.sandbox.token or false } do
        assert.is_nil(secret and lines[1]:find(secret, 1, true) or nil)
      end
    end)

    it("keeps an order from being sent when it can't be written", function()
      its.world.journal.sending = function() error("the disk is full", 0) end
      local ok, err = pcall(venue.place, venue, limit(row))
      assert.same({ false, "the disk is full" }, { ok, err })
      assert.equal(0, placements(venue))
      assert.same({}, its:left())
    end)

    it("notes an order dead when it is filled, refused or cancelled, once", function()
      assert(venue:place(market(row)))
      assert.equal("-1 filled", lines[2])
      local _, err = venue:place(limit(row, { symbol = row.name == "oanda" and "AAA/BBB" or "NO/SUCH" }))
      assert.equal("-3 " .. err.class, lines[4])
      local order = assert(venue:place(limit(row)))
      assert(venue:cancel { symbol = row.symbol, client_id = order.client_id })
      assert(venue:order { symbol = row.symbol, id = order.id })
      assert.equal("-5 canceled", lines[6])
      assert(venue:place(limit(row)))
      assert(venue:cancel_all())
      assert.equal("-7 canceled", lines[8])
      assert.equal(8, #lines)
      assert.same({}, its:left())
    end)

    it("keeps an order whose answer was lost until the venue has told of it", function()
      venue:fault { venue = "ack_lost", on = "place", times = 1 }
      local order, err = venue:place(limit(row, { client_id = "mine-1" }))
      if not order then assert.equal("unknown_outcome", err.class) end
      assert.equal(1, #its:left())
      its:end_all(true)
      assert.same({}, its:left())
      assert.same({}, venue:open_orders())
      assert.equal("-1 canceled", lines[#lines])
    end)

    it("believes that an order never came only when its request can't arrive any more", function()
      local entry = its:sending(venue, row.symbol, "never-1", client.lives(venue))
      local start = smc.now()
      its:end_all(true)
      assert.is_true(smc.now() - start >= (row.name == "oanda" and 10 or 5))
      assert.equal("-1 absent", lines[#lines])
      assert.is_nil(its.live[entry.number])
    end)

    it("ends what a fault or an open breaker keeps from ending", function()
      assert(venue:place(limit(row)))
      venue.breaker:force "open"
      venue:fault { venue = "silent" }
      its:end_all(true)
      assert.same({}, its:left())
    end)

    it("follows an order that was amended", function()
      local order = assert(venue:place(limit(row)))
      local changed = assert(venue:amend { symbol = row.symbol, id = order.id, price = row.other })
      local found = false
      for _, entry in ipairs(its:left()) do found = found or entry.client_id == changed.client_id end
      assert.is_true(found)
      its:end_all(true)
      assert.same({}, its:left())
      assert.same({}, venue:open_orders())
    end)

    -- Whatever is done, and whatever answers are lost: what is open at the venue is in the journal, and the end of a
    -- spec leaves nothing open and nothing in the journal.
    it("misses nothing that lives, whatever is done", function()
      local random, watcher, ids = rng.new(world.current().seed, "journal"), smc.venue(row.name), {}
      local function any() return ids[random:int(1, #ids)] end
      local actions = {
        function() return venue:place(limit(row)) end,
        function() return venue:place(market(row)) end,
        function() return venue:place(limit(row, { qty = "0" })) end,
        function() return venue:cancel { symbol = row.symbol, client_id = any() } end,
        function() return venue:order { symbol = row.symbol, client_id = any() } end,
        function() return venue:amend { symbol = row.symbol, client_id = any(), price = row.other } end,
        function() return venue:amend { symbol = row.symbol, client_id = any(), qty = row.less } end,
        function() return random:int(1, 4) == 1 and venue:cancel_all() end,
        function() return venue:fault { venue = "ack_lost", method = "POST", times = 1 } end,
        function() return venue:fault { venue = "reset", on = "place", times = 1 } end,
      }
      while smc.now() < 40 do -- seconds: limits of requests, and looks for orders without an answer, take their time
        smc.sleep(0.25)
        local result, err = actions[random:int(1, #ids == 0 and 2 or #actions)]()
        local id = type(result) == "table" and result.client_id or errors.is(err) and err.client_id
        if id then ids[#ids + 1] = id end
        local live = {}
        for _, entry in ipairs(its:left()) do live[entry.client_id] = true end
        for _, order in ipairs(assert(watcher:open_orders(row.symbol))) do assert.is_true(live[order.client_id]) end
      end
      its:end_all(true)
      assert.same({}, its:left())
      assert.same({}, assert(venue:open_orders()))
    end)
  end)
end

describe("client ids", function()
  it("are drawn anew on a testnet, which remembers those of earlier runs", function()
    local w = world.current()
    w.target = "testnet"
    w.credentials = { BINANCE_TESTNET_API_KEY = "k", BINANCE_TESTNET_API_SECRET = "0123456789" }
    local first = client.new_id(smc.venue "binance")
    smc.sleep(0.001)
    local again = setmetatable({}, { __index = w }) -- the world of a second run by the same seed
    local dialect = require "smc.venue.binance"
    local access = { urls = dialect.testnet, key = "k", secret = "0123456789" }
    assert.not_equal(first, client.new_id(dialect.new(access, {}, again)))
  end)
end)
