--- The orders that the venues of a world have placed and that are not known dead.  On a testnet each is written to the
-- run's journal before it is sent (runner/run/journal.h), so that `smcrun clean` finds it after a kill; the end of a
-- spec cancels what lives, on every target.
local core = require "smc.core.task"
local json = require "smc.json"

local M = {}

local Journal, Entry = {}, {}
Journal.__index, Entry.__index = Journal, Entry

local OPEN = { open = true, partially_filled = true }
local journals = setmetatable({}, { __mode = "k" }) -- by world

-- A venue may see a request so many seconds after it was sent, where it does not say how long one is good.  An order
-- that is not there is believed never to come only after that.
local MAY_ARRIVE = 10
local TRIES, FIRST_WAIT = 4, 0.5

--- The journal of a world.
function M.of(w)
  journals[w] = journals[w] or setmetatable({ live = {}, by_key = {}, sent = 0, world = w }, Journal)
  return journals[w]
end

local function key_of(venue, client_id) return table.concat({ venue.url, venue.key or "", client_id }, "\n") end

--- Notes an order that is about to be sent.  lives: for how many seconds its request is good, where the venue says so.
-- Raises when it cannot be written: then it must not be sent.
function Journal:sending(venue, symbol, client_id, lives)
  self.sent = self.sent + 1
  local entry = setmetatable({ journal = self, number = self.sent, venue = venue, symbol = symbol,
    client_id = client_id, lives = lives, at = core.now(), key = key_of(venue, client_id) }, Entry)
  if self.world.journal then
    entry.id = self.world.journal.sending(json.encode { time = core.wall_ms(), venue = venue.name, url = venue.url,
      account = venue.key, symbol = symbol, client_id = client_id })
  end
  self.live[entry.number], self.by_key[entry.key] = entry, entry
  return entry
end

--- It is known dead.  why: one word.
function Entry:dead(why)
  local journal = self.journal
  if not journal.live[self.number] then return end
  journal.live[self.number] = nil
  if journal.by_key[self.key] == self then journal.by_key[self.key] = nil end
  if self.id then journal.world.journal.dead(self.id, why) end
end

--- What its venue says of it.
function Entry:saw(order)
  if OPEN[order.status] then
    self.order_id = order.id
  elseif self.order_id == nil or self.order_id == order.id then
    self:dead(order.status)
  end
end

--- What came of sending it: an order, or nil and an error.  Only an outcome that is unknown leaves it alive.
function Entry:answered(order, err)
  if order then return self:saw(order) end
  if err.class ~= "unknown_outcome" then self:dead(err.class) end
end

--- What a venue has told of one of its orders.
function Journal:saw(venue, order)
  local entry = order.client_id and self.by_key[key_of(venue, order.client_id)]
  if entry then entry:saw(order) end
end

--- Those that are not known dead, as they were sent.
function Journal:left()
  local out = {}
  for _, entry in pairs(self.live) do out[#out + 1] = entry end
  table.sort(out, function(a, b) return a.number < b.number end)
  return out
end

-- ---- ending --------------------------------------------------------------------------

--- Cancels the order by its client id, and asks what became of it.  Returns a word for that, the status of an order
-- that has ended or "absent"; nil and why it is not known, an error object or a text.
local function cancel(venue, asked)
  local order, err = venue:cancel { symbol = asked.symbol, client_id = asked.client_id }
  if order and not OPEN[order.status] then return order.status end
  if err and err.class ~= "unknown_order" then return nil, err end
  order, err = venue:order { symbol = asked.symbol, client_id = asked.client_id }
  if order then
    if OPEN[order.status] then return nil, "it is open still" end
    return order.status
  end
  if err.class == "unknown_order" then return "absent" end
  return nil, err
end

--- Ends an order at its venue and makes sure.  asked: { symbol, client_id, tries; age = seconds since it was sent, or
-- nil when the venue has shown it; lives = for how many its request is good }.  Returns what became of it, or nil and
-- why that is not known.
function M.finish(venue, asked)
  local tries, wait, why = asked.tries or TRIES, FIRST_WAIT, nil
  local sure = core.now() + (asked.age and (asked.lives or MAY_ARRIVE) - asked.age or 0)
  for i = 1, tries do
    local state
    state, why = cancel(venue, asked)
    local early = state == "absent" and sure - core.now() or 0
    if state and early <= 0 then return state end
    why = why or "it is not there, but may arrive yet"
    local told = type(why) == "table" and why.retry_after or early
    if i < tries then core.sleep(math.max(wait, told)) end
    wait = 2 * wait
  end
  return nil, why
end

--- Whether a venue that failed so is there at all.
function M.is_away(why) return type(why) == "table" and (why.class == "network" or why.class == "timeout") end

--- Ends each that is left.  patient: tries again, and waits for what may arrive yet; a sandbox takes to its end what it
-- does not let go.  Returns those that it has cancelled.
function Journal:end_all(patient)
  local cleared, away, cancelled = {}, {}, {}
  for _, entry in ipairs(self:left()) do
    local venue, state = entry.venue, nil
    if not cleared[venue] then require("smc.venue.client").clear_way(venue) end
    cleared[venue] = true
    entry.why = away[venue]
    if not entry.why then
      state, entry.why = M.finish(venue, { symbol = entry.symbol, client_id = entry.client_id,
        age = patient and entry.order_id == nil and core.now() - entry.at or nil, lives = entry.lives,
        tries = not patient and 1 or nil })
    end
    if state == "canceled" then cancelled[#cancelled + 1] = entry end
    if state then entry:dead(state) elseif M.is_away(entry.why) then away[venue] = entry.why end
  end
  return cancelled
end

local SECONDS, SECONDS_EACH, MOST_SECONDS = 15, 1, 60

local function report(left)
  local lines = { ("%d %s that it placed may live on:"):format(#left, #left == 1 and "order" or "orders") }
  for _, entry in ipairs(left) do
    lines[#lines + 1] = ("  %s %s %s: %s"):format(entry.venue.name, entry.symbol, entry.client_id,
      tostring(entry.why or "there was no time to cancel it"))
  end
  lines[#lines + 1] = "Cancel what is left with: smcrun clean"
  return table.concat(lines, "\n")
end

local function labels(entries)
  local out = {}
  for i, e in ipairs(entries) do out[i] = ("order %s %s %s"):format(e.venue.name, e.symbol, e.client_id) end
  return out
end

--- At the end of a spec: cancels what lives, also when the run was told to stop.  Returns what to report when that
-- was not to be done, else nil; and those that it has cancelled ("order binance BTC/USDT id").  Called from the main
-- state, while the world is open.
function M.settle(w)
  local journal, cancelled = journals[w], {}
  local count = journal and #journal:left() or 0
  if count == 0 or w.sabotage then return nil, cancelled end
  local patient = w.target ~= "sandbox"
  local outcome = core.run(function() cancelled = journal:end_all(patient) end,
    math.min(SECONDS + SECONDS_EACH * count, MOST_SECONDS), true)
  local left = journal:left()
  if #left == 0 or not patient then return nil, labels(cancelled) end
  if outcome.error ~= nil then left[1].why = left[1].why or outcome.error end
  return report(left), labels(cancelled)
end

return M
