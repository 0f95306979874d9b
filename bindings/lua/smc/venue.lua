--- Venues: where one lives in this run, and with which credentials; its dialect does the talking.
local dialects = require "smc.dialects"
local list = require "smc.list"
local sandbox = require "smc.sandbox"
local spec = require "smc.spec"
local world = require "smc.world"

local M = {}

--- A dialect's credentials are a list of { field, variable, what the sandbox calls it when not by the field's name }.
local function in_sandbox(dialect, name, options)
  local box = options.sandbox or sandbox.shared(name)
  local access = { urls = dialect.sandbox_urls(box), key = box.key, secret = box.secret, sandbox = box,
    ca = box.ca }
  for _, credential in ipairs(dialect.credentials) do
    local field, _, name_in_box = table.unpack(credential)
    if name_in_box then access[field] = box[name_in_box] end
  end
  return access
end

--- Where a testnet is that was moved to this machine: `moved` of its dialect, with the origin filled in; nil when it
-- was not.  The runner has checked the address.
local function moved(dialect, w)
  local origin = dialect.moved and w.credentials[dialect.moved[1]]
  if not origin then return nil end
  local words = { http = origin:gsub("/$", ""), ws = origin:gsub("/$", ""):gsub("^http", "ws") }
  local urls = {}
  for _, name in ipairs { "rest", "stream", "api" } do
    urls[name] = dialect.moved[name] and dialect.moved[name]:gsub("%$(%a+)", words)
  end
  for _, at in pairs(words) do w.trusted[at] = w.ca end
  return urls
end

local function on_testnet(dialect, name, w)
  local elsewhere = moved(dialect, w)
  if not elsewhere and not dialect.testnet.rest then spec.skip(name .. " has no testnet") end
  local access = { urls = elsewhere or dialect.testnet, ca = elsewhere and w.ca }
  for _, credential in ipairs(dialect.credentials) do
    local field, variable = table.unpack(credential)
    local value = w.credentials[variable]
    if not value then
      w.missing[name] = true
      spec.skip(("%s has no credentials: %s is not set"):format(name, variable))
    end
    access[field] = value
  end
  return access
end

--- Who one is, and which sandbox one talks to.
local function check_access(name, options)
  local key, secret, box = options.key, options.secret, options.sandbox
  if key ~= nil and type(key) ~= "string" then error("smc.venue: key is a text", 4) end
  if secret ~= nil and (type(secret) ~= "string" or secret == "") and tostring(secret) ~= "smc.secret: ***" then
    error("smc.venue: secret is a text, or a handle of smc.secret", 4)
  end
  if box ~= nil and (type(box) ~= "table" or box.name ~= name) then
    error(("smc.venue: sandbox is one of %s, as in smc.sandbox \"%s\""):format(name, name), 4)
  end
end

local function check(name, options, dialect)
  if options ~= nil and type(options) ~= "table" then error("smc.venue: an options table expected", 3) end
  for key in pairs(options or {}) do
    if not dialect.options[key] then
      error(("smc.venue: %s: %s"):format(name, list.unknown("option", key, dialect.options)), 3)
    end
  end
  check_access(name, options or {})
  return options or {}
end

--- A venue of the run's target: its sandbox, which all venues of that name in a spec share, or its testnet.
function M.open(name, options)
  local dialect = dialects.client(name)
  if not dialect then error("smc.venue: " .. dialects.unknown("venue", name), 2) end
  options = check(name, options, dialect)
  local w = world.current "smc.venue"
  if w.target ~= "sandbox" and options.sandbox then spec.skip "a sandbox of one's own is not to be had on a testnet" end
  local access = w.target == "sandbox" and in_sandbox(dialect, name, options) or on_testnet(dialect, name, w)
  local venue = dialect.new(access, options, w)
  w.venues[name] = true
  return venue -- not a tail call: wrong options are blamed on the caller's line
end

return M
