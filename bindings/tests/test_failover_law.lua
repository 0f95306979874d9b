-- The cascade: three venues are killed one after another and revived in another order, with random pauses.  A model of
-- a few lines says who is active at every moment; orders are at the venues exactly as often as they were reported
-- placed; there is no venue exactly while nobody is up.
local smc = require "smc"
local rng = require "smc.core.rng"

local SEEDS, TOGETHER = 200, 10 -- runs; so many at the same venues
local EVERY, FOR = 2000, 4000 -- ms: between two checks; until a member that is fine is up again
local LONGEST = 4000 -- between two things that happen
local NAMES = { "binance", "bybit", "oanda" }

-- ---- the model: what the group must do, said again in another way ----------------------------

local Model = {}
Model.__index = Model

--- alive: whether each venue answers, which the test changes.  back: ms after which a better member is gone back to, or
-- nil; cooldown: ms that must have passed since the last move.
local function new_model(alive, back, cooldown)
  return setmetatable({ alive = alive, back = back, cooldown = cooldown, active = 1, down = {}, fine = {},
    up_since = { 0, 0, 0 }, moved = 0, checked = 0 }, Model)
end

function Model:best()
  for i = 1, 3 do
    if not self.down[i] then return i end
  end
end

function Model:lose(i) self.down[i], self.fine[i] = true, nil end

--- Somebody looks: whoever has been fine for long enough is up; the active one is left if it is down.
function Model:look(now)
  for i = 1, 3 do
    if self.fine[i] and now - self.fine[i] >= FOR then self.down[i], self.fine[i], self.up_since[i] = nil, nil, now end
  end
  if not self.active or self.down[self.active] then
    local best = self:best()
    while best and not self.alive[best] do
      self:lose(best)
      best = self:best()
    end
    if best then self.moved = now end
    self.active = best
  elseif self.back then
    local best = self:best()
    if best < self.active and now - self.up_since[best] >= self.back and now - self.moved >= self.cooldown then
      if self.alive[best] then self.active, self.moved = best, now else self:lose(best) end
    end
  end
end

--- All that has been due up to now: every member is checked.
function Model:advance(now)
  while self.checked + EVERY <= now do
    self.checked = self.checked + EVERY
    self:look(self.checked)
    for i = 1, 3 do
      if not self.alive[i] then
        self:lose(i)
      elseif self.down[i] and not self.fine[i] then
        self.fine[i] = self.checked
      end
    end
    self:look(self.checked)
  end
end

--- An order now: the member that is asked for it, or nil.
function Model:order(now)
  while self.active and not self.alive[self.active] do
    self:lose(self.active)
    self:look(now)
  end
  return self.active
end

-- ---- one run -----------------------------------------------------------------------------------

local HURT = {
  { venue = "ack_lost", done = true }, { venue = "status", status = 504, carried_out = true, done = true },
  { venue = "status", status = 504 }, { venue = "reset" },
}

local Run = {}
Run.__index = Run

--- book: what was placed where by the runs before at the same venues.
local function new_run(seed, venues, book)
  local random, alive = rng.new(seed, "cascade"), { true, true, true }
  local back, cooldown = random:int(1, 2) == 1 and random:int(1, 8000), random:int(1, 8000)
  local group = smc.failover { venues[1], venues[2], venues[3], check_every = EVERY / 1000, absent_after = 1,
    failback = back and { after = back / 1000 } or "manual", cooldown = cooldown / 1000,
    recover = { score = 0, ["for"] = FOR / 1000 },
    symbols = { ["BNB/USDT"] = { oanda = "XAU/USD" } },
    triggers = { errors = false, breaker = false, rate_limit = false, latency = false, stream_stale = false,
      health = false } }
  return setmetatable({ random = random, venues = venues, alive = alive, group = group, began = smc.now(),
    model = new_model(alive, back, cooldown), book = book, n = 0, none = 0 }, Run)
end

function Run:now() return math.floor((smc.now() - self.began) * 1000 + 0.5) end

local function permutation(random)
  local list = { 1, 2, 3 }
  for i = 3, 2, -1 do
    local j = random:int(1, i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

function Run:check_active()
  while self.group.state == "switching" do smc.sleep(0) end
  self.model:advance(self:now())
  local active = self.group.active
  assert.equal(NAMES[self.model.active], active and active.name, ("at %d ms"):format(self:now()))
end

--- A random while, which never ends at the moment of a check.
function Run:pause()
  local ms = self.random:int(1, LONGEST)
  if (self:now() + ms) % EVERY == 0 then ms = ms + 1 end
  smc.sleep(ms / 1000)
  self:check_active()
end

--- Half of the orders meet a venue that hurts them.  Returns what it does, and the venue.
function Run:hurt()
  local active = self.model.active
  if self.random:int(1, 2) == 1 or not active or not self.alive[active] then return end
  local hurt, venue = HURT[self.random:int(1, #HURT)], self.venues[active]
  venue:fault { venue = hurt.venue, status = hurt.status, carried_out = hurt.carried_out, on = "place", times = 1 }
  return hurt, venue
end

--- When a venue's own place had come to its end, which looks for a lost answer at some.
function Run:returned(venue)
  local asked = venue:requests { op = "place" }
  return math.floor((asked[#asked].at - self.began) * 1000 + 0.5)
end

--- Who should have the order: nobody when it is certainly not at the one that lost it, unless the group has moved
-- meanwhile.
function Run:expected(at, hurt, venue)
  local asked_at = venue and self:returned(venue) or self:now()
  self.model:advance(asked_at)
  if at then self.model:look(asked_at) end
  self.model:advance(self:now())
  if not hurt or hurt.done then return at end
  if self.model.active == at then return nil end
  at = self.model:order(self:now())
  self.model:look(self:now())
  return at
end

function Run:order()
  self.model:advance(self:now())
  local hurt, venue = self:hurt()
  local at = self.model:order(self:now())
  local order, err = self.group:place { symbol = "BNB/USDT", side = "buy", type = "limit", qty = "1", price = "590" }
  local holder = self:expected(at, hurt, venue)
  if holder then
    assert.equal(NAMES[holder], assert(order, err).venue)
    self.book[order.client_id], self.n = holder, self.n + 1
    self.book.n = self.book.n + 1
  else
    assert.is_nil(order)
    assert.same(at and { "not_placed" } or { nil, "no_venue" }, { err.code, not at and err.class or nil })
    self.none = self.none + (at and 0 or 1)
  end
  self:check_active()
end

function Run:some_orders()
  for _ = 1, self.random:int(0, 2) do
    self:pause()
    self:order()
  end
  self:pause()
end

--- Every order that was reported placed is where it was reported, once; and there is no other.
function Run:check_orders()
  local seen = 0
  for i, venue in ipairs(self.venues) do
    for _, order in ipairs(venue.sandbox:orders()) do
      assert.equal(i, self.book[order.client_id], order.client_id)
      seen = seen + 1
    end
  end
  assert.equal(self.book.n, seen)
  assert.same({}, self.group:in_doubt())
end

local total = { orders = 0, none = 0, switches = 0 }

--- Down one after another, and up again in another order.
function Run:cascade()
  self:some_orders()
  for _, i in ipairs(permutation(self.random)) do
    self.venues[i]:fault { venue = "down" }
    self.alive[i] = false
    self:some_orders()
  end
  self:order() -- nobody is there, whatever the group may have believed
  assert.same({ nil, "no_venue" }, { self.group.active, self.group.state })
  for _, i in ipairs(permutation(self.random)) do
    self.venues[i]:heal "down"
    self.alive[i] = true
    self:some_orders()
  end
  smc.sleep((EVERY + FOR + 1) / 1000)
  self:check_active()
  for i = 1, 3 do assert.is_true(self.group:is_up(self.venues[i]), NAMES[i]) end
  self:order()
  self:check_orders()
end

function Run:finish()
  total.orders, total.none = total.orders + self.n, total.none + self.none
  total.switches = total.switches + #self.group:history()
  self.group:close()
end

describe("a cascade of three venues", function()
  for first = 1, SEEDS, TOGETHER do
    it(("follows the law, seeds %d to %d"):format(first, first + TOGETHER - 1), function()
      local venues, book = {}, { n = 0 }
      for i, name in ipairs(NAMES) do venues[i] = smc.venue(name, { breaker = false }) end
      for seed = first, first + TOGETHER - 1 do
        local run = new_run(seed, venues, book)
        run:cascade()
        run:finish()
      end
    end)
  end

  it("had orders, moments without a venue, and switches", function()
    assert.is_true(total.orders > 4 * SEEDS, total.orders)
    assert.is_true(total.none > SEEDS, total.none)
    assert.is_true(total.switches > 3 * SEEDS, total.switches)
  end)
end)
