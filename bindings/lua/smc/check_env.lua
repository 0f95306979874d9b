--- `smcrun check-env`: what a run on the testnets would find: credentials, addresses, whether a venue answers and takes
-- the key.  runner/commands/check_env.c calls this and nothing else.
local client = require "smc.venue.client"
local core = require "smc.core.task"
local credentials = require "smc.credentials"
local dialects = require "smc.dialects"
local http = require "smc.core.http"
local spec = require "smc.spec"
local task = require "smc.task"
local venues = require "smc.venue"
local world = require "smc.world"

local M = {}

local PATIENCE = 10 -- seconds for one answer
local COARSE = { oanda = 1000 } -- ms: its clock is read from a header with whole seconds

-- ---- what is set -------------------------------------------------------------------

--- One line of what is known of a venue.
local function note(found, what, text) found.lines[#found.lines + 1] = ("  %-27s %s"):format(what, text) end

local function is_set(options, variable) return (options.credentials[variable] or ""):find "%S" ~= nil end

local function where(options, variable)
  return "set, in " .. (options.exported[variable] and "the environment" or options.env_file)
end

--- Variables and address of a venue; found.missing: the first variable that it lacks.
local function look(name, options)
  local dialect = dialects.client(name)
  local found = { name = name, dialect = dialect, lines = {} }
  for _, credential in ipairs(dialect.credentials) do
    local variable = credential[2]
    local there = is_set(options, variable)
    note(found, variable, there and where(options, variable) or "not set")
    found.missing = found.missing or (not there and variable or nil)
  end
  local moved = dialect.moved[1]
  found.moved = is_set(options, moved)
  found.origin = found.moved and options.credentials[moved]:gsub("/$", "") or dialect.testnet.rest
  if found.moved then note(found, moved, where(options, moved)) end
  return found
end

-- ---- what answers ------------------------------------------------------------------

--- Any answer will do.  True: it can be reached.
local function reach(found, options)
  local began = core.now()
  local reply, err = http.request { method = "GET", url = found.origin .. "/", timeout = PATIENCE,
    ca = found.moved and options.ca or nil }
  if not reply then
    note(found, "reachable", "no: " .. tostring(err))
    found.failed = true
    return false
  end
  note(found, "reachable", ("yes, within %d ms"):format(math.ceil((core.now() - began) * 1000)))
  return true
end

local function show_clock(found, offset)
  local coarse = COARSE[found.name]
  if coarse and math.abs(offset) <= coarse then
    note(found, "clock", ("within %g s of ours"):format(coarse / 1000))
  else
    note(found, "clock", ("%.3f s %s ours"):format(math.abs(offset) / 1000, offset < 0 and "behind" or "ahead of"))
  end
end

--- Asks for the account as a spec would.  Where the clocks differ too much, asks again by the venue's: what is wrong is
-- the clock then, not the key.
local function ask(found, venue)
  local account, err = venue:account()
  local offset = venue:sync()
  if offset then show_clock(found, offset) end
  if account then
    note(found, "key", account.can_trade == false and "accepted, but it may not trade" or "accepted")
    return
  end
  found.failed = true
  if err.class == "clock_skew" and offset and venue:account() then
    note(found, "key", ("accepted by the venue's clock only: set the clock of this machine (%s)"):format(tostring(err)))
  else
    note(found, "key", "refused: " .. tostring(err))
  end
end

local function try_key(found)
  local ok, venue = pcall(venues.open, found.name)
  if not ok then
    if spec.is_skip(venue) then error(venue, 0) end
    note(found, "key", "cannot be used: " .. tostring(venue))
    found.failed = true
    return
  end
  client.clear_way(venue)
  ask(found, venue)
end

local function check_one(found, options)
  if options.offline then return end
  if reach(found, options) and not found.missing then try_key(found) end
end

-- ---- what it comes to --------------------------------------------------------------

local function conclude(found, offline)
  if found.missing then return ("skipped: %s is not set"):format(found.missing) end
  if found.failed then return "will fail" end
  return offline and "run, if the venue answers and takes the key" or "run"
end

--- Returns how many are ready, lack credentials, and failed; says each.
local function tell(all, options)
  local counts = { ready = 0, missing = 0, failed = 0 }
  for _, found in ipairs(all) do
    options.say(("%-10s %s"):format(found.name, found.origin))
    for _, line in ipairs(found.lines) do options.say(line) end
    note(found, "its specs", conclude(found, options.offline))
    options.say(found.lines[#found.lines])
    found.state = found.missing and "missing" or found.failed and "failed" or "ready"
    counts[found.state] = counts[found.state] + 1
  end
  options.say "on every testnet specs are skipped that want what only a sandbox can do: see smcrun --list-faults"
  options.say(("%d ready, %d without credentials, %d failed"):format(counts.ready, counts.missing, counts.failed))
  return counts
end

local function verdict(all, counts, options)
  if counts.failed > 0 then return "failed" end
  local missing = counts.ready == 0
  for _, found in ipairs(all) do
    missing = missing or options.required[found.name] and found.state ~= "ready"
  end
  return missing and "missing" or "ready"
end

local function chosen(options)
  local names = #options.venues > 0 and options.venues or dialects.names()
  local known = {}
  for _, name in ipairs(dialects.names()) do known[name] = true end
  for _, list in ipairs { names, options.requires } do
    for _, name in ipairs(list) do
      if not known[name] then
        return nil, ("no venue is called '%s'; there are %s"):format(name, table.concat(dialects.names(), ", "))
      end
    end
  end
  return names
end

--- Those that are required are looked at, too, whatever was named.
local function gather(names, options)
  local all, seen = {}, {}
  options.required = {}
  for _, name in ipairs(options.requires) do options.required[name] = true end
  for _, list in ipairs { names, options.requires } do
    for _, name in ipairs(list) do
      if not seen[name] then all[#all + 1] = look(name, options) end
      seen[name] = true
    end
  end
  return all
end

--- options: venues and requires (lists of names; no venues: all), credentials, exported (a set: those that the
-- environment has), env_file (its name), ca, offline, say(line).  Returns "ready", "missing" or "failed"; nil and what
-- is wrong with the command line.
function M.run(options)
  local names, why = chosen(options)
  if not names then return nil, why end
  local all = gather(names, options)
  credentials.guard(options.credentials)
  world.open("check-env", { seed = 0, target = "testnet", clock = "real", credentials = options.credentials,
    ca = options.ca })
  local outcome = core.run(function()
    local checks = {}
    for i, found in ipairs(all) do checks[i] = function() check_one(found, options) end end
    task.all(checks)
  end)
  world.close()
  if outcome.status ~= "ok" then error(outcome.error or outcome.status, 0) end
  return verdict(all, tell(all, options), options)
end

return M
