--- Whom a risk guard or a failover group tells: a webhook, signed.  The log is told of everything by them.
local rng = require "smc.core.rng"
local list = require "smc.list"
local sender = require "smc.webhook.sender"
local sign = require "smc.core.sign"
local webhook = require "smc.webhook"

local M = {}

local OPTIONS = { url = true, secret = true, limit = 10, per = 60, attempts = 8 }
local LOOPBACK = { ["127.0.0.1"] = true, localhost = true, ["[::1]"] = true }
local ID_LENGTH, LEAST_BYTES = 20, 4

local function wrong(text, ...) error("alert: " .. text:format(...), 0) end

local function whole(given, name)
  local value = given[name] == nil and OPTIONS[name] or given[name]
  if math.type(value) ~= "integer" or value < 1 or value > 1000000 then
    wrong("%s must be a whole number from 1", name)
  end
  return value
end

local function secret_of(given, url)
  local secret = given.secret or webhook.secret_at(url)
  if secret == nil then
    wrong("%s needs a secret to sign with: alert = { url = .., secret = smc.secret.from(..) }", url)
  end
  if tostring(secret) == "smc.secret: ***" then return secret end
  if type(secret) ~= "string" or #secret < LEAST_BYTES then
    wrong("secret is a secret handle, or its text, of at least %d bytes", LEAST_BYTES)
  end
  return assert(sign.secret(secret))
end

local function read(given)
  if type(given) == "string" then given = { url = given } end
  if webhook.is_inbox(given) then given = { url = given.url, secret = given.secret } end
  if type(given) ~= "table" then wrong "a URL, an inbox, or a table like { url =, secret = } expected" end
  for key in pairs(given) do
    if OPTIONS[key] == nil then wrong("%s", list.unknown("option", key, OPTIONS)) end
  end
  if type(given.url) ~= "string" or not given.url:find "^https?://" then wrong "url is a URL" end
  if not LOOPBACK[given.url:match "^https?://(%[?[^/?#%]]*%]?)":gsub(":%d+$", "")] then
    wrong("%s: alerts go to this machine alone: 127.0.0.1, localhost or [::1]", given.url)
  end
  return { url = given.url, secret = secret_of(given, given.url), limit = whole(given, "limit"),
    per = whole(given, "per"), attempts = whole(given, "attempts") }
end

--- given: a URL, an inbox of smc.webhook, or { url, secret, limit, per, attempts }; nil: nobody is told.  who: "risk"
-- or "failover", what ids and kinds of alerts begin with.  Returns tell(kind, fields), and the list of deliveries.
-- Wrong options are blamed on `level`, as in error().
function M.new(given, who, seed, log, level)
  if given == nil then return function() end, {} end
  local ok, to = pcall(read, given)
  if not ok then error(("smc.%s: %s"):format(who, to), level + 1) end
  to.seed, to.log = seed, log
  local random, s = rng.new(seed, "alerts"), sender.new(to)
  return function(kind, fields)
    local event = { id = who .. "-" .. random:alnum(ID_LENGTH), kind = who .. "." .. kind }
    for name, value in pairs(fields) do event[name] = value end
    s:send(event)
    return event.id
  end, s.deliveries
end

return M
