--- What smc.failover is told, read and checked: durations come in seconds, the core counts milliseconds.
local list = require "smc.list"

local M = {}

local MOST_MEMBERS = 8
local MOST_SECONDS = 1e6

-- By trigger: the name of its threshold, in what it is counted (1: as it is, 1000: seconds), and what holds when
-- nothing else is said.  In this order the core looks at them.
local TRIGGERS = {
  { "connection", for_ = 0 },
  { "breaker", for_ = 0 },
  { "errors", "over", 1, 5, for_ = 0 },
  { "rate_limit", "over", 1, 3, for_ = 0 },
  { "latency", "over", 1000, 1, for_ = 30 },
  { "stream_stale", "over", 1000, 30, for_ = 0 },
  { "health", "under", 1, 30, for_ = 10 },
}

local KNOWN = { check_every = true, check_timeout = true, triggers = true, select = true, weights = true,
  hysteresis = true, recover = true, cooldown = true, failback = true, symbols = true, absent_after = true,
  alert = true }

local function wrong(what, ...) error("smc.failover: " .. what:format(...), 0) end

local function number(name, value, least, most)
  if type(value) ~= "number" or not (value >= least and value <= most) then
    wrong("%s must be a number from %g to %g", name, least, most)
  end
  return value
end

local function ms(name, seconds, least)
  return math.tointeger(math.floor(number(name, seconds, least or 0, MOST_SECONDS) * 1000 + 0.5))
end

local function whole(name, value, most)
  if math.type(value) ~= "integer" or value < 0 or value > most then
    wrong("%s must be a whole number from 0 to %d", name, most)
  end
  return value
end

local function check_keys(name, given, known)
  if type(given) ~= "table" then wrong("%s must be a table", name) end
  for key in pairs(given) do
    if not known[key] then wrong("%s: %s", name, list.unknown("key", key, known)) end
  end
  return given
end

-- ---- members -------------------------------------------------------------------------------

local function is_venue(value)
  return type(value) == "table" and type(value.name) == "string"
    and (type(value.ping) == "function" or type(value.time) == "function")
end

--- Venues of one name are told apart by a number: "binance", "binance 2".
local function labels(venues)
  local seen, out = {}, {}
  for i, venue in ipairs(venues) do
    seen[venue.name] = (seen[venue.name] or 0) + 1
    out[i] = seen[venue.name] == 1 and venue.name or ("%s %d"):format(venue.name, seen[venue.name])
  end
  return out
end

local function read_venues(given)
  local venues, known = {}, {}
  for i = 1, list.length(given) do
    local venue = given[i]
    if not is_venue(venue) then
      wrong("member %d is no venue: venue objects of smc.venue expected, that have ping or time", i)
    end
    if known[venue] then wrong("%s is a member twice", venue.name) end
    venues[i], known[venue] = venue, true
  end
  if #venues == 0 then wrong "a list of venues expected, as in { binance, bybit, check_every = 5 }" end
  if #venues > MOST_MEMBERS then wrong("at most %d venues", MOST_MEMBERS) end
  return venues
end

local function read_weights(given, names)
  local weights, by_name = {}, {}
  for i, name in ipairs(names) do weights[i], by_name[name] = 0, i end
  if given ~= nil and type(given) ~= "table" then wrong "weights must be a table" end
  for name, weight in pairs(given or {}) do
    if not by_name[name] then
      wrong("weights: no member is called '%s' (there are: %s)", tostring(name), table.concat(names, ", "))
    end
    weights[by_name[name]] = whole("weights." .. name, weight, 1000000)
  end
  return weights
end

--- { ["BTC/USDT"] = { oanda = "XAU/USD" } }
local function read_symbols(given, names)
  local known = {}
  for _, name in ipairs(names) do known[name] = true end
  if given ~= nil and type(given) ~= "table" then wrong "symbols must be a table" end
  for symbol, by_member in pairs(given or {}) do
    if type(symbol) ~= "string" then wrong "symbols: the keys are symbols like \"BTC/USDT\"" end
    for name, theirs in pairs(check_keys(("symbols[\"%s\"]"):format(symbol), by_member, known)) do
      if type(theirs) ~= "string" then wrong("symbols[\"%s\"].%s must be a symbol", symbol, name) end
    end
  end
  return given or {}
end

-- ---- policy --------------------------------------------------------------------------------

--- `for` is a word of Lua's: for_ is understood, too.
local function lasting(name, given, usual)
  if given["for"] and given.for_ then wrong("%s: for and for_ are the same; give one of them", name) end
  return ms(name .. ".for", given["for"] or given.for_ or usual)
end

local function read_trigger(row, given)
  local kind, threshold, scale, usual = table.unpack(row)
  if given == false then return nil end
  if given == nil or given == true then given = {} end
  local name = "triggers." .. kind
  check_keys(name, given, { ["for"] = true, for_ = true, [threshold or "for"] = true })
  local out = { kind = kind, threshold = 0, for_ms = lasting(name, given, row.for_) }
  local value = threshold and (given[threshold] or usual)
  if scale == 1000 then
    out.threshold = ms(name .. "." .. threshold, value, 0.001)
  elseif threshold then
    out.threshold = whole(name .. "." .. threshold, value, 1000000)
  end
  return out
end

local function read_triggers(given)
  local known, out = {}, {}
  for _, row in ipairs(TRIGGERS) do known[row[1]] = true end
  check_keys("triggers", given, known)
  for _, row in ipairs(TRIGGERS) do out[#out + 1] = read_trigger(row, given[row[1]]) end
  if #out == 0 then wrong "at least one trigger must be left" end
  return out
end

local function read_failback(conf, given)
  if given == nil or given == "manual" then
    conf.failback, conf.failback_ms = false, 0
    return
  end
  if type(given) ~= "table" then wrong "failback is \"manual\" or { after = seconds }" end
  check_keys("failback", given, { after = true })
  conf.failback, conf.failback_ms = true, ms("failback.after", given.after)
end

local SELECT = { order = true, weight = true, health = true }

local function policy_of(given, names)
  local select = given.select or "order"
  if not SELECT[select] then wrong "select is \"order\", \"weight\" or \"health\"" end
  if select == "weight" and not given.weights then wrong "select = \"weight\" needs weights = { NAME = number }" end
  if select == "order" and given.weights then wrong "weights need select = \"weight\" or \"health\"" end
  if select ~= "health" and given.hysteresis then wrong "hysteresis, points of health, needs select = \"health\"" end
  local recover = check_keys("recover", given.recover or {}, { score = true, ["for"] = true, for_ = true })
  local conf = { weights = read_weights(given.weights, names), triggers = read_triggers(given.triggers or {}),
    by_health = select == "health", hysteresis = whole("hysteresis", given.hysteresis or 10, 100),
    recover_score = whole("recover.score", recover.score or 50, 100),
    recover_ms = lasting("recover", recover, 10), cooldown_ms = ms("cooldown", given.cooldown or 60) }
  read_failback(conf, given.failback)
  return conf
end

local function read(given)
  if type(given) ~= "table" then wrong "a list of venues, with options by name, expected" end
  for key in pairs(given) do
    local position = math.type(key) == "integer" and key >= 1
    if not position and not KNOWN[key] then wrong("%s", list.unknown("option", key, KNOWN)) end
  end
  local venues = read_venues(given)
  local names = labels(venues)
  local every = number("check_every", given.check_every or 5, 0.001, MOST_SECONDS)
  return { venues = venues, names = names, policy = policy_of(given, names), check_every = every,
    check_timeout = number("check_timeout", given.check_timeout or math.min(2, every), 0.001, MOST_SECONDS),
    absent_after = given.absent_after and number("absent_after", given.absent_after, 0, MOST_SECONDS),
    symbols = read_symbols(given.symbols, names), alert = given.alert }
end

--- What was given as { venues, names, policy (for the core), check_every, check_timeout, absent_after, symbols,
-- alert }.  Wrong use is blamed on `level`, as in error().
function M.read(given, level)
  local ok, out = pcall(read, given)
  if not ok then error(out, level + 1) end
  return out
end

return M
