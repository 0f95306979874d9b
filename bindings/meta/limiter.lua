---@meta smc.limiter

---A budget.  A window gives `limit` in each period of the clock that it follows; a bucket holds `burst` tokens, full at
---first, and gets `limit` new ones evenly over each period.
---@class smc.BudgetOptions
---@field limit integer  1..10^9
---@field per number  seconds of a period, 0.001..10^6
---@field kind? "window"|"bucket"  default "window", with a burst "bucket"
---@field burst? integer  what a bucket holds; default `limit`

---With `share` all workers of this user on this machine that give the same name spend from the same budgets, holds and
---the venue's counters included; order and priority hold inside a worker, between workers goes first who asks first.
---A worker that is killed costs one grant at most.  The state is a file in /dev/shm, until the machine restarts.
---On the virtual clock each spec has a time of its own: there the name is known inside the spec only.
---@class smc.LimiterOptions
---@field share? string  1 to 64 letters, digits, "-", "_" and "."
---@field redis? string|true  "redis://127.0.0.1[:PORT][/DB]" or "unix:///PATH", for budgets that many machines share,
---by the clock of Redis; on loopback only, where a tunnel to another machine may end.  true: the place that
---SMCRUN_REDIS_URL names in the environment or .env, anywhere: "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]".
---Needs `--clock real`
---@field prefix? string  of the keys in Redis: who gives the same one, shares; default "smcrun"
---@field without? "closed"|number  while Redis is away: an error of class `network` (default), or a part of each limit
---@field patience? number  seconds until Redis counts as away, and waiting ends in the error; 0.01 to 60, default 2

---@class smc.AcquireOptions
---@field priority? "critical"|"high"|"normal"|"low"  default "normal"
---@field timeout? number  seconds; default: as long as it takes

---A rate limiter.  Strict priority, first come first served inside, nobody overtakes; who gives up has spent nothing.
---@class smc.Limiter
local Limiter = {}

---Waits until all weights may be spent, and spends them together.
---
---Errors: `timeout`; `invalid_request` when a weight is above what its budget ever holds.
---Raises: an unknown budget, a weight that is no count.  Where: scenario, hook.
---@async
---@nodiscard
---@param weights table<string, integer>  by budget
---@param how? smc.AcquireOptions
---@return true? ok
---@return smc.Error? err
---@source ../lua/smc/limiter.lua
function Limiter:acquire(weights, how) end

---Spends them now or not at all; false also while somebody of the same or a higher priority waits.
---@nodiscard
---@param weights table<string, integer>
---@param how? { priority?: string }
---@return boolean? granted
---@return smc.Error? err  `invalid_request`, as acquire
---@source ../lua/smc/limiter.lua
function Limiter:try(weights, how) end

---Gives back what was paid at `since` and turned out to cost nothing: what was never sent, what the venue lets pass
---free.  Of a window that is over nothing is left to give back.
---@param weights table<string, integer>
---@param since number  smc.now() at the grant
---@source ../lua/smc/limiter.lua
function Limiter:refund(weights, since) end

---@return string[] names  sorted
---@source ../lua/smc/limiter.lua
function Limiter:budgets() end

---How many tasks of this process wait to be granted.
---@return integer
---@source ../lua/smc/limiter.lua
function Limiter:waiting() end

---Nobody is granted for so many seconds; a hold that lasts longer stays.
---@param seconds number
---@source ../lua/smc/limiter.lua
function Limiter:hold(seconds) end

---What the venue says is left of a budget: makes it smaller, never larger.
---@param budget string
---@param n integer
---@param since? number  smc.now() when what was answered was granted: of a window that is over it says nothing; into a
---bucket has flowed meanwhile what flows into it
---@source ../lua/smc/limiter.lua
function Limiter:left(budget, n, since) end

---The windows of a budget follow a clock that is so many seconds ahead of smc.now().
---@param budget string
---@param seconds number
---@source ../lua/smc/limiter.lua
function Limiter:follow(budget, seconds) end

---@param budget string
---@return { used: integer, limit: integer, kind: "window"|"bucket", rate: number }  rate: what there is in a second
---in the long run
---@source ../lua/smc/limiter.lua
function Limiter:usage(budget) end

---The highest of 80 % ("warning") and 95 % ("critical") that was passed since the last look.
---@param budget string
---@return "warning"|"critical"|nil
---@source ../lua/smc/limiter.lua
function Limiter:alert(budget) end
