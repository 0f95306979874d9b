--- Sends events to one receiver: signed, each once, repeated while the receiver fails, and no more than it can take.
local backoff = require "smc.venue.backoff"
local http = require "smc.core.http"
local json = require "smc.json"
local recent = require "smc.venue.recent"
local rng = require "smc.core.rng"
local sign = require "smc.core.sign"
local signature = require "smc.webhook.signature"
local task = require "smc.core.task"

local M = {}
local Sender = {}
Sender.__index = Sender

local KEPT = 1000 -- event ids that are remembered
local TIMEOUT = 5
local FIRST_DELAY, LONGEST_DELAY = 0.5, 30
local LONGEST_WAIT = 300 -- that a receiver can ask for
local SUMMARY = "alerts.summary"

--- given: url, secret (a handle), seed, limit (messages in a window), per (its seconds), attempts (for one message),
-- log(text).
function M.new(given)
  local self = setmetatable({ seen = recent.new(KEPT), queue = {}, held = {}, sent_in_window = 0, window_end = 0,
    deliveries = {}, random = rng.new(given.seed, "webhook sender") }, Sender)
  for _, name in ipairs { "url", "limit", "per", "attempts", "log" } do self[name] = given[name] end
  self.key = assert(sign.key("hmac", given.secret))
  return self
end

-- ---- one message ---------------------------------------------------------------------------

--- What an attempt came to: "delivered", "again" or "refused"; what the receiver said, and when it wants to be asked
-- again.
local function attempt(self, id, body)
  local reply, err = http.request { method = "POST", url = self.url, timeout = TIMEOUT, body = body,
    headers = signature.headers(self.key, id, body, task.wall_ms()) }
  if not reply then return err.code == "host_refused" and "refused" or "again", err.class .. ": " .. err.message end
  if reply.status >= 200 and reply.status < 300 then return "delivered", reply.status end
  local again = reply.status >= 500 or reply.status == 429 or reply.status == 408
  return again and "again" or "refused", reply.status, tonumber(reply.headers["retry-after"])
end

--- Delivers one message, however often it takes.
local function deliver(self, event)
  local id, body = event.id, json.encode(event)
  local delivery = { id = id, kind = event.kind, at = task.now(), attempts = 0, delivered = false }
  self.deliveries[#self.deliveries + 1] = delivery
  for n = 1, self.attempts do
    local word, said, wait = attempt(self, id, body)
    delivery.attempts, delivery.delivered, delivery.said = n, word == "delivered", said
    delivery.elapsed = task.now() - delivery.at
    self.log(("alert %s %s: %s (%s)"):format(id, event.kind, word, tostring(said)))
    if word ~= "again" then return end
    if n < self.attempts then
      local delay = backoff.delay(n, FIRST_DELAY, LONGEST_DELAY, self.random)
      task.sleep(math.max(delay, math.min(wait or 0, LONGEST_WAIT)))
    end
  end
end

-- ---- all of them ---------------------------------------------------------------------------

--- Whether one more message fits into the running window; a new one begins with the first message after the last.
local function fits(self)
  local now = task.now()
  if now >= self.window_end then self.window_end, self.sent_in_window = now + self.per, 0 end
  if self.sent_in_window >= self.limit then return false end
  self.sent_in_window = self.sent_in_window + 1
  return true
end

--- One message for all that were held back: the one itself, or a list of them.
local function sum_up(self)
  local held, list = self.held, {}
  self.held = {}
  if #held == 1 then return held[1] end
  for i, event in ipairs(held) do list[i] = { id = event.id, kind = event.kind, time = event.time } end
  return { kind = SUMMARY, id = ("%s-and-%d"):format(held[1].id, #held - 1), time = task.wall_ms(), count = #held,
    events = json.array(list) }
end

--- Nothing is left but what was held back.  What comes while the window lasts would be held back as well.
local function catch_up(self)
  local left = self.window_end - task.now()
  if left > 0 then
    task.sleep(left)
  elseif fits(self) then
    deliver(self, sum_up(self))
  end
end

local function run(self)
  while self.queue[1] or self.held[1] do
    local event = table.remove(self.queue, 1)
    if event and not self.held[1] and fits(self) then -- none overtakes those that are held back
      deliver(self, event)
    elseif event then
      self.log(("alert %s %s: held back, %d in %g s"):format(event.id, event.kind, self.limit, self.per))
      self.held[#self.held + 1] = event
    else
      catch_up(self)
    end
  end
  self.runner = nil
end

--- event: { id, kind, time, .. }.  Queues it; false: one of that id was queued before.
function Sender:send(event)
  if self.seen:get(event.id) then return false end
  self.seen:put(event.id, true)
  self.queue[#self.queue + 1] = event
  if not self.runner then self.runner = task.as_world(task.spawn, run, self) end
  return true
end

return M
