--- `smcrun clean`: ends the orders that killed runs have left at test venues.  runner/commands/clean.c calls this
-- and nothing else.
local client = require "smc.venue.client"
local core = require "smc.core.task"
local credentials = require "smc.credentials"
local dialects = require "smc.dialects"
local journal = require "smc.journal"
local json = require "smc.json"
local spec = require "smc.spec"
local venues = require "smc.venue"
local world = require "smc.world"

local M = {}

local OPEN = { open = true, partially_filled = true }

--- The venue of an order, as it is reached now.  Returns it, or nil, why not, and whether credentials are missing.
local function venue_of(state, order)
  local known = state.venues[order.venue]
  if not known then
    local ok, result = pcall(venues.open, order.venue)
    if not ok and not spec.is_skip(result) then error(result, 0) end
    if ok then client.clear_way(result) end
    known = ok and { venue = result } or { why = tostring(result), missing = true }
    state.venues[order.venue] = known
  end
  local venue = known.venue
  if not venue then return nil, known.why, true end
  if venue.url ~= order.url then return nil, ("it was placed at %s, not at %s"):format(order.url, venue.url) end
  if venue.key ~= order.account then return nil, "it belongs to other credentials than those that are set", true end
  return venue, known.away
end

--- What it is, without changing anything: its status or "absent"; nil and why that is not known.
local function look(venue, order)
  local found, err = venue:order { symbol = order.symbol, client_id = order.client_id }
  if not found then
    if err.class == "unknown_order" then return "absent" end
    return nil, err
  end
  if OPEN[found.status] then return nil, "it is open" end
  return found.status
end

--- Returns what became of an order; nil, why it is left, and whether for want of credentials.
local function end_one(state, order)
  local venue, why, missing = venue_of(state, order)
  if not venue or why then return nil, why, missing end
  local became
  if state.options.dry_run then
    became, why = look(venue, order)
  else
    became, why = journal.finish(venue, { symbol = order.symbol, client_id = order.client_id,
      age = (core.wall_ms() - order.time) / 1000, lives = client.lives(venue) })
  end
  if journal.is_away(why) then state.venues[order.venue].away = why end
  return became, why
end

local function is_wanted(state, order)
  return next(state.wanted) == nil or state.wanted[order.venue]
end

local function end_all(state)
  local options, counts = state.options, { ended = 0, left = 0, missing = 0 }
  for _, record in ipairs(options.orders) do
    local order = json.decode(record.text)
    if is_wanted(state, order) then
      local became, why, missing = end_one(state, order)
      if became then
        counts.ended = counts.ended + 1
        if not options.dry_run then options.dead(record.journal, record.id, became) end
      else
        counts.left = counts.left + 1
        counts.missing = counts.missing + (missing and 1 or 0)
      end
      options.say(("%s %s %s: %s"):format(order.venue, order.symbol, order.client_id,
        became or "left: " .. tostring(why)))
    end
  end
  options.say(counts.ended + counts.left == 0 and "nothing is left"
    or ("%d ended, %d left"):format(counts.ended, counts.left))
  return counts
end

local function wanted(names)
  local set = {}
  for _, name in ipairs(names) do
    if not dialects.client(name) then return nil, dialects.unknown("venue", name) end
    set[name] = true
  end
  return set
end

--- options: orders (a list of { journal, id, text }), venues (names; none: all), credentials, ca, dry_run, say(line),
-- dead(journal, id, what became of it).  Returns how many orders are left, and how many of these for want of
-- credentials; nil and what is wrong with the command line.
function M.run(options)
  local set, why = wanted(options.venues)
  if not set then return nil, why end
  credentials.guard(options.credentials)
  world.open("clean", { seed = 0, target = "testnet", clock = "real", credentials = options.credentials,
    ca = options.ca })
  local counts
  local outcome = core.run(function() counts = end_all { options = options, wanted = set, venues = {} } end)
  world.close()
  if not counts then error(outcome.error or outcome.status, 0) end
  return counts.left, counts.missing
end

return M
