--- A local receiver of webhooks that records what it is sent and says whether its signature holds.
local colon = require "smc.colon"
local json = require "smc.json"
local list = require "smc.list"
local request_log = require "smc.request_log"
local rng = require "smc.core.rng"
local server = require "smc.core.server"
local sign = require "smc.core.sign"
local signature = require "smc.webhook.signature"
local task = require "smc.core.task"
local world = require "smc.world"

local M = {}
local Inbox = { __name = "smc.webhook" }
Inbox.__index = Inbox

local within = setmetatable({}, { __mode = "k" }) -- inbox -> { server, log, failing, replay_window }
local of_world = setmetatable({}, { __mode = "k" }) -- world -> url -> the secret that is asked for there

local PATH = "/hook"
local FILTERS = { valid_signature = "boolean", kind = "string", id = "string", status = "number",
  duplicate = "boolean" }

-- ---- what arrives ------------------------------------------------------------------------

local function described(inner, secret, ex)
  local headers = ex.headers
  local entry = { at = task.now(), body = ex.body or "", headers = headers, id = headers[signature.ID] }
  local event = json.decode(entry.body)
  if type(event) == "table" and event ~= json.null then entry.event, entry.kind = event, event.kind end
  local ok, why = signature.verify(secret, headers, entry.body, task.wall_ms(), inner.replay_window)
  entry.valid_signature, entry.refused = ok, why
  entry.duplicate = entry.id ~= nil and inner.seen[entry.id] ~= nil
  return entry
end

--- The failure that is to be committed now, if one is; it is used up.
local function take_failure(inner)
  local f = inner.failing
  if not f then return nil end
  f.left = f.left - 1
  if f.left < 1 then inner.failing = nil end
  return f
end

local function receive(inner, secret, ex)
  if ex.method ~= "POST" or ex.path ~= PATH then return ex:reply(ex.path == PATH and 405 or 404) end
  local entry, failure = described(inner, secret, ex), take_failure(inner)
  inner.log[#inner.log + 1] = entry
  if failure and failure.reset then return ex:reset() end
  entry.status = failure and failure.status or 204
  if not failure and entry.id then inner.seen[entry.id] = true end
  return ex:reply(entry.status, failure and failure.retry_after
    and { { "Retry-After", tostring(failure.retry_after) } } or nil)
end

-- ---- opening -----------------------------------------------------------------------------

local HANDLE, LEAST_BYTES = "smc.secret: ***", 4
local OPTIONS = { secret = true, replay_window = true }

local function check(options)
  if type(options) ~= "table" then error("smc.webhook: an options table expected", 3) end
  for key in pairs(options) do
    if not OPTIONS[key] then error("smc.webhook: " .. list.unknown("option", key, OPTIONS), 3) end
  end
  local secret = options.secret
  if secret ~= nil and tostring(secret) ~= HANDLE and not (type(secret) == "string" and #secret >= LEAST_BYTES) then
    error(("smc.webhook: secret is a text of at least %d bytes, or a handle of smc.secret"):format(LEAST_BYTES), 3)
  end
  local seconds = options.replay_window or signature.REPLAY_WINDOW
  if math.type(seconds) == nil or not (seconds >= 1 and seconds <= 86400) then
    error("smc.webhook: replay_window is a number of seconds from 1 to 86400", 3)
  end
  return seconds
end

--- The n-th inbox of a world draws its secret from the world's seed.
local function secret_of(w, given)
  of_world[w] = of_world[w] or { n = 0 }
  of_world[w].n = of_world[w].n + 1
  if given == nil then return assert(sign.random_secret(rng.new(w.seed, "webhook " .. of_world[w].n))) end
  if type(given) == "string" then return assert(sign.secret(given)) end
  return given
end

--- Opens a receiver on loopback: inbox.url, inbox.secret (a handle).  It closes with the spec.
function M.open(options)
  local replay_window = check(options or {})
  local w = world.current "smc.webhook"
  local secret = secret_of(w, options and options.secret)
  local inner = { log = {}, seen = {}, replay_window = replay_window }
  local s, err = task.as_world(server.listen, { on_request = function(ex) receive(inner, secret, ex) end })
  if not s then return nil, err end
  inner.server = s
  local inbox = setmetatable({ url = s:origin() .. PATH, secret = secret }, Inbox)
  within[inbox] = inner
  of_world[w][inbox.url] = secret
  w.on_close(function() s:close() end)
  return inbox
end

--- The secret of the inbox at that URL, when there is one in the running spec.
function M.secret_at(url)
  local known = of_world[world.current "smc.webhook"]
  return known and known[url]
end

function M.is_inbox(value) return within[value] ~= nil end

-- ---- what scenarios ask ------------------------------------------------------------------

local function accepted(log)
  local out = {}
  for _, entry in ipairs(log) do
    if entry.status == 204 then out[#out + 1] = entry end
  end
  return out
end

--- What was taken in, oldest first.  Filters: valid_signature, kind, id, duplicate, after, before.
function Inbox:messages(filters)
  return (request_log.matching("inbox:messages", accepted(within[self].log), FILTERS, filters, 2))
end

--- Everything that arrived, also what was failed; filters as of messages, and status.
function Inbox:attempts(filters)
  return (request_log.matching("inbox:attempts", within[self].log, FILTERS, filters, 2))
end

local FAILURE = { status = "integer", count = "integer", reset = "boolean", retry_after = "number" }

--- Fails what arrives next: { status = 503, count = 2, retry_after = 10 } or { reset = true }; without a count, until
-- heal.
function Inbox:fail(given)
  if type(given) ~= "table" then error("inbox:fail: a table like { status = 503, count = 2 } expected", 2) end
  for key, value in pairs(given) do
    local wanted = FAILURE[key]
    if not wanted then error("inbox:fail: " .. list.unknown("key", key, FAILURE), 2) end
    if (wanted == "integer" and math.type(value) or type(value)) ~= wanted then
      error(("inbox:fail: %s must be a %s"):format(key, wanted), 2)
    end
  end
  if (given.status == nil) == not given.reset then error("inbox:fail: either status or reset expected", 2) end
  if given.status and (given.status < 300 or given.status > 599) then
    error("inbox:fail: status is from 300 to 599", 2)
  end
  local wait = given.retry_after
  if wait and not (wait >= 0 and wait <= 1e9) then error("inbox:fail: retry_after is from 0 to 1e9 seconds", 2) end
  if given.count and given.count < 1 then error("inbox:fail: count is 1 or more", 2) end
  within[self].failing = { status = given.status, reset = given.reset, retry_after = given.retry_after,
    left = given.count or math.huge }
end

--- It takes in again what arrives.
function Inbox:heal() within[self].failing = nil end

--- Nobody listens there any more.  What was recorded stays.
function Inbox:close() within[self].server:close() end

Inbox.__close = Inbox.close

colon.methods("inbox", Inbox, within)

return M
