---@meta smc.health

---@class smc.HealthOptions
---@field window? integer  1..64: the calls that the success rate is of; default 20
---@field good? number  seconds up to which a call is fast; default 0.25
---@field bad? number  seconds from which it is as slow as none; default 2
---@field down_after? integer  failures in a row after which it is offline; default 5
---@field stale? number  seconds that a watched stream may be silent; default 30
---@field limit_max? integer  1..16: refusals for a limit within a minute that are as bad as can be; default 5

---@alias smc.HealthState
---| "healthy"    score from 80
---| "degraded"   from 50
---| "unhealthy"
---| "offline"    down_after failures in a row

---0 to 100 each; the score is the lowest.
---@class smc.HealthParts
---@field success integer  percent of the last calls
---@field latency integer
---@field streak integer
---@field stream integer
---@field limits integer
---@field score integer
---@field state smc.HealthState

---How well a venue is doing, from what its clients saw of it.  What was not asked and not watched does not change it.
---@class smc.Health
---@field state smc.HealthState
---@field score integer  0..100
---@field latency number  seconds, the average of calls that succeeded
---@field failures integer  in a row
local Health = {}

---@return smc.HealthParts
---@source ../lua/smc/health.lua
function Health:parts() end

---A call has ended.
---@param word "ok"|"failed"|"limited"  limited: turned away for a limit, neither a failure nor a success
---@param seconds? number  that it took; looked at when it is ok
---@source ../lua/smc/health.lua
function Health:call(word, seconds) end

---A call has ended with `result, err`.  An answer that says no is an answer; network, timeout, server, unknown_outcome,
---protocol and ip_ban are failures; rate_limit and ip_ban are refusals for a limit; cancelled and circuit_open say
---nothing.
---@param result any
---@param err? smc.Error
---@param seconds? number
---@source ../lua/smc/health.lua
function Health:note(result, err, seconds) end

---A stream is watched from now on, until unwatch; several may be, and the one that is silent for longest counts.
---@param silent? fun(): number  seconds since it said something; without it `frame` tells
---@return smc.HealthWatch watch
---@source ../lua/smc/health.lua
function Health:watch(silent) end

---A frame came over the streams that are watched without a function.
---@source ../lua/smc/health.lua
function Health:frame() end

---@param watch smc.HealthWatch
---@source ../lua/smc/health.lua
function Health:unwatch(watch) end

---What watch gave.
---@class smc.HealthWatch
