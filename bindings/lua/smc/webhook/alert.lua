--- Whom a guard tells: a webhook, signed.  The log is told of everything by the guard itself.
local rng = require "smc.core.rng"
local sender = require "smc.webhook.sender"
local sign = require "smc.core.sign"
local webhook = require "smc.webhook"

local M = {}

local OPTIONS = { url = true, secret = true, limit = 10, per = 60, attempts = 8 }
local ID_LENGTH = 20

local function wrong(level, text, ...) error("smc.risk: alert: " .. text:format(...), level + 1) end

local function whole(given, name, level)
  local value = given[name] == nil and OPTIONS[name] or given[name]
  if math.type(value) ~= "integer" or value < 1 or value > 1000000 then
    wrong(level + 1, "%s must be a whole number from 1", name)
  end
  return value
end

local function secret_of(given, url, level)
  local secret = given.secret or webhook.secret_at(url)
  if secret == nil then
    wrong(level + 1, "%s needs a secret to sign with: alert = { url = .., secret = smc.secret.from(..) }", url)
  end
  if type(secret) == "string" then return assert(sign.secret(secret)) end
  if tostring(secret) ~= "smc.secret: ***" then wrong(level + 1, "secret is a secret handle, or its text") end
  return secret
end

--- given: a URL, an inbox of smc.webhook, or { url, secret, limit, per, attempts }; nil: nobody is told.  Returns
-- tell(kind, fields), and the list of deliveries.
function M.new(given, seed, log, level)
  if given == nil then return function() end, {} end
  if type(given) == "string" then given = { url = given } end
  if webhook.is_inbox(given) then given = { url = given.url, secret = given.secret } end
  if type(given) ~= "table" then wrong(level + 1, "a URL, an inbox, or a table like { url =, secret = } expected") end
  for key in pairs(given) do
    if OPTIONS[key] == nil then wrong(level + 1, "unknown option '%s'", tostring(key)) end
  end
  if type(given.url) ~= "string" or not given.url:find "^https?://" then wrong(level + 1, "url is a URL") end
  local random = rng.new(seed, "alerts")
  local s = sender.new { url = given.url, secret = secret_of(given, given.url, level + 1), seed = seed, log = log,
    limit = whole(given, "limit", level + 1), per = whole(given, "per", level + 1),
    attempts = whole(given, "attempts", level + 1) }
  return function(kind, fields)
    local event = { id = "risk-" .. random:alnum(ID_LENGTH), kind = kind }
    for name, value in pairs(fields) do event[name] = value end
    s:send(event)
    return event.id
  end, s.deliveries
end

return M
