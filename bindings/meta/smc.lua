---@meta smc

---What a scenario gets from `require "smc"`.
---Durations are seconds (numbers), timestamps integer milliseconds since the Unix epoch, prices and quantities
---decimal strings.
---@class smc
---@field http smc.http
---@field ws smc.ws
---@field sign smc.sign
---@field decimal smc.decimal
---@field histogram smc.histogram
---@field json smc.json
---@field secret smc.secret
---@field dialect smc.dialect
local smc = {}

---Starts fn as a task beside the running one; it runs when the running one next waits.
---A task that is still running at the end of its spec is a leak and fails the spec.
---An error that no one joins fails the spec as well.
---Where: scenario, hook.
---@param fn fun(...): ...
---@param ... any  arguments of fn
---@return smc.Task task
function smc.spawn(fn, ...) end

---Runs the functions at the same time and waits for all of them.
---
---The first error ends the others and is raised.  Raises: an empty list.
---Where: scenario, hook.
---@async
---@param fns (fun(): any)[]|integer  functions, or how many times to run fn
---@param fn? fun(i: integer): any
---@return any[] results  the first result of each, in the order of fns
function smc.all(fns, fn) end

---Runs the functions at the same time until the first has ended; the others are cancelled.
---Raises: what the first one raised.  Where: scenario, hook.
---@async
---@param fns (fun(): ...)[]|integer
---@param fn? fun(i: integer): ...
---@return integer index  of the one that ended first
---@return any ...  its results
function smc.race(fns, fn) end

---Waits.  In virtual time this costs nothing; 0 lets the other tasks run, and no time pass.  A loop that goes on for
---300 000 steps (a task resumed, a request served) without any time passing ends its spec with an error, `livelock`.
---Where: scenario, hook.
---@async
---@param seconds number  0..1e9
---@return true
function smc.sleep(seconds) end

---Runs fn, but no longer than `seconds`; then it is cancelled.
---
---Errors: `timeout`.  Raises: what fn raised.  Where: scenario, hook.
---@async
---@param seconds number
---@param fn fun(): ...
---@return any ...  results of fn
function smc.timeout(seconds, fn) end

---Seconds on the run's monotonic clock; only differences mean something.
---@return number seconds
function smc.now() end

---The run's wall clock.  In virtual time every spec starts at 2026-01-05 00:00:00 UTC.
---@return integer ms  since the Unix epoch
function smc.wall() end

---Opens a venue of the run's target: see smc.Venue.  Where: scenario, hook.
---@param name "binance"|"bybit"|string  or that of a venue beside the scenario: see smc.dialect
---@param options? smc.VenueOptions
---@return smc.Venue venue
function smc.venue(name, options) end

---Starts a sandbox of its own, beside those of smc.venue: see smc.Sandbox.  Where: scenario, hook.
---@param name "binance"|"bybit"|string
---@param options? smc.SandboxOptions
---@return smc.Sandbox sandbox
function smc.sandbox(name, options) end

---Makes a risk guard and looks for the first time: see smc.RiskGuard.  Errors: those of a venue that can't be read.
---Raises: an unknown option, one out of range, an alert without a secret.  Where: scenario, hook.
---@async
---@param options smc.RiskOptions
---@return smc.RiskGuard? guard
---@return smc.Error? err
---@source ../lua/smc/risk.lua
function smc.risk(options) end

---Opens a local receiver of webhooks that records: see smc.Inbox.  It closes with the spec, or by <close>.
---Raises: an unknown option.  Where: scenario, hook.
---@param options? smc.InboxOptions
---@return smc.Inbox? inbox
---@return smc.Error? err
---@source ../lua/smc/webhook.lua
function smc.webhook(options) end

---Makes a circuit breaker, closed: see smc.Breaker.  Raises: an unknown option or one out of range.  Where: everywhere.
---@param options? smc.BreakerOptions
---@return smc.Breaker breaker
---@source ../lua/smc/breaker.lua
function smc.breaker(options) end

---Makes a rate limiter: see smc.Limiter.  Raises: no budgets, more than 40, one that makes no sense.
---Errors, of shared budgets only: `invalid_request` when the name is in use with other budgets.
---Where: scenario, hook.
---@param budgets table<string, smc.BudgetOptions>|string  by name, or the venue that publishes them
---@param options? smc.LimiterOptions
---@return smc.Limiter? limiter
---@return smc.Error? err
---@source ../lua/smc/limiter.lua
function smc.limiter(budgets, options) end

---Makes a retry policy: see smc.Retry.  Raises: an unknown option or one out of range.  Where: scenario, hook.
---@param options? smc.RetryOptions
---@return smc.Retry policy
---@source ../lua/smc/retry.lua
function smc.retry(options) end

---Makes the record of how well something is doing: see smc.Health.  Raises: an unknown option or one out of range.
---Where: everywhere.
---@param options? smc.HealthOptions
---@return smc.Health health
---@source ../lua/smc/health.lua
function smc.health(options) end

---Makes a group of venues of which one is used: see smc.Failover.  Raises: no venues, an unknown option or one out of
---range.  Where: scenario, hook.
---@param venues smc.FailoverOptions  { binance, bybit, check_every = 5 }
---@return smc.Failover group
---@source ../lua/smc/failover.lua
function smc.failover(venues) end

---Puts a load on something, and measures it: see smc.LoadOptions.  Waits until it has ended.
---Raises: wrong options; what a run raises; a load that takes longer than its spec may (--timeout); on a testnet, one
---that is more than its venue's limiter allows.
---Where: scenario, hook.
---@async
---@param options smc.LoadOptions
---@return smc.LoadResult result
---@source ../lua/smc/load.lua
function smc.load(options) end

---Starts a program of any language: see smc.Process.  A spec that does is tagged `#process`: it runs by the real clock,
---and without `--allow-process` it is skipped.
---Raises: an unknown option, a program or a folder that is not there; the virtual clock.  Where: scenario, before_each.
---@param given smc.ProcessOptions  { "python3", "bot.py", env = { BYBIT_URL = bybit.url } }
---@return smc.Process process
---@source ../lua/smc/process.lua
function smc.process(given) end

---A folder of this spec's own, made when it first asks: there, and nowhere else, `io.open` writes, and what lies there
---may be read, hidden or not.  It is removed, with all that lies in it, when the spec is over, however that ends.  Its
---name is another one in each run.  A setup or teardown has one of its own.
---Raises: no folder can be made in $TMPDIR, or /tmp.  Where: scenario, hook.
---@return string path  absolute
---@source ../lua/smc/tmp.lua
function smc.tmp() end

---@class smc.Task
local Task = {}

---Waits until the task has ended.
---
---Errors: `cancelled`; `timeout` when `seconds` passed first.  Raises: what the task raised, unchanged; a task that
---joins itself.
---@async
---@param seconds? number  no limit when missing
---@return any ...  what the task returned
function Task:join(seconds) end

---Ends the task where it waits; its pending <close> variables run and may not wait.  Nothing when it has ended.
---`local t <close> = smc.spawn(...)` does this at the end of the block.
function Task:cancel() end

---@return "running"|"done"|"failed"|"cancelled" status
function Task:status() end
