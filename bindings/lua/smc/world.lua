--- The world of one spec: its seed, its target, its sandboxes.  Opened before its first hook, closed after its last.

local core = require "smc.core.task"
local rng = require "smc.core.rng"
local timeline = require "smc.timeline"

local M = {}
local current

--- Fields: seed (integer, of this spec), target ("sandbox" or "testnet"), clock ("virtual" or "real"),
-- allow_process (programs may be started), programs (one was), sabotage (nil, or a name; see sabotage.lua),
-- credentials (name -> value, for testnets), ca (whom testnets on this machine are trusted by, in PEM, or nil),
-- journal (of the run, on a testnet: see smc/journal.lua), venues and missing (sets of names: those that were
-- opened, and those that have no credentials), trusted (origin -> whom it is trusted by, in PEM: testnets that were
-- moved), on_close(fn), deadline (smc.now() when the spec's time is up; nil: never).
-- Raises at the caller's line when no spec runs.
function M.current(what)
  if not current then
    error((what or "this") .. ": cannot be used while the file loads; move it into it() or before_each()", 3)
  end
  return current
end

--- When the time of the running spec is up; nil: never, or none runs.
function M.deadline() return current and current.deadline end

--- Whether a world is that of what runs now.
function M.is_current(w) return w == current end

--- Whom the server of a URL is trusted by, where that is not the system's list; nil otherwise.
function M.ca_of(url)
  local origin = current and type(url) == "string" and url:match "^%a+://[^/?#]*"
  return origin and current.trusted[origin] or nil
end

--- Whether the running spec's mechanisms are broken on purpose in this way; see sabotage.lua.
function M.is_sabotaged(name) return current ~= nil and current.sabotage == name end

--- clock: of this world, when it is another one than options.clock.
function M.open(id, options, clock)
  core.open_world((clock or options.clock) == "real")
  timeline.begin()
  local closers = {}
  current = {
    -- The spec's own randomness depends on the run's seed and on its id, not on the specs before it.
    seed = rng.mix(options.seed, id), target = options.target, clock = clock or options.clock,
    allow_process = options.allow_process, sabotage = options.sabotage,
    credentials = options.credentials or {}, ca = options.ca, journal = options.journal, venues = {}, missing = {},
    trusted = {}, deadline = options.timeout and core.now() + options.timeout,
    on_close = function(fn) closers[#closers + 1] = fn end,
    _closers = closers,
  }
  math.randomseed(current.seed)
  return current
end

--- Runs the teardown functions, last registered first, and closes everything.  Returns the first error of one, or nil.
function M.close()
  local failed
  for i = #current._closers, 1, -1 do
    local ok, err = pcall(current._closers[i])
    failed = failed or (not ok and err) or nil
  end
  current = nil
  local in_job = core.close_world()
  return failed or in_job
end

return M
