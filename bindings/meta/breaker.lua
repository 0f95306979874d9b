---@meta smc.breaker

---@class smc.BreakerOptions
---@field window? "calls"|"time"  what is looked back at; default "calls"
---@field size? number  of the window: 1..1024 calls (default 20), or seconds
---@field min_calls? integer  before so many it never opens; default 10, or size when that is smaller
---@field failure_rate? number  0..1: it opens when so many failed; default 0.5; 0: failures never open it
---@field slow_rate? number  0..1: it opens when so many were slow; default 0: slowness never opens it
---@field slow? number  seconds from which a call is slow; default 1
---@field open? number  seconds that it stays open; default 30
---@field growth? number  1..10: how much longer each time a probe fails; default 1
---@field open_max? number  seconds; default ten times `open` where it grows
---@field probes? integer  calls that must succeed, half-open, before it closes; default 1
---@field counts? smc.ErrorClass[]  default network, timeout, server, unknown_outcome, protocol; any other error shows
---that the other side is there

---One transition.
---@class smc.BreakerChange
---@field from smc.BreakerState
---@field to smc.BreakerState
---@field at number  smc.now() seconds
---@field calls integer  in the window that decided; 0 when no window did
---@field failures integer
---@field slow integer

---@alias smc.BreakerState
---| "closed"
---| "open"
---| "half_open"

---A call that may be made.  One that goes out of scope without a report (`local permit <close> = ...`) counts as none.
---@class smc.Permit
local Permit = {}

---The call begins now: what it waited for since the ask is not its slowness.
---@source ../smcb_breaker.c
function Permit:begin() end

---A circuit breaker: closed, it lets calls through and counts; open, it refuses them; half-open, it tries a few.
---@class smc.Breaker
---@field state smc.BreakerState  an interval that has passed shows at the next ask
---@field changes integer  transitions so far
---@field permits integer  that are out: granted, and neither reported nor closed
local Breaker = {}

---Asks for one call.  Errors: `circuit_open`, with retry_after while it is known.  Where: everywhere.
---@nodiscard
---@return smc.Permit? permit  to be reported
---@return smc.Error? err
---@source ../lua/smc/breaker.lua
function Breaker:ask() end

---The same for a call that must not wait for failures of before: closing a position.  To an open breaker it is a probe
---at once, to one that is half-open one more, and it is judged as one.  Errors: `circuit_open` while it is forced open.
---@nodiscard
---@return smc.Permit? permit  to be reported
---@return smc.Error? err
---@source ../lua/smc/breaker.lua
function Breaker:ask_urgently() end

---@param permit smc.Permit
---@param result "ok"|"failed"|"ignored"
---@return boolean first  false: it had been reported before, and this changed nothing
---@source ../lua/smc/breaker.lua
function Breaker:report(permit, result) end

---What `result, err` of a call is to this breaker.
---@param result any
---@param err? smc.Error
---@return "ok"|"failed"|"ignored"
---@source ../lua/smc/breaker.lua
function Breaker:judge(result, err) end

---Calls fn unless the breaker is open, and reports what came of it.  A call that raises or is cancelled counts as none.
---
---Errors: `circuit_open`; those of fn.  Raises: what fn raises.  Where: as fn.
---@param fn fun(...): any, smc.Error?
---@param ... any  arguments of fn
---@return any ...  what fn returned
---@source ../lua/smc/breaker.lua
function Breaker:call(fn, ...) end

---Holds it open or closed, whatever calls give; nil lets go, and it starts anew, closed.
---@param word "open"|"closed"|nil
---@source ../lua/smc/breaker.lua
function Breaker:force(word) end

---All transitions so far, oldest first.
---@return smc.BreakerChange[]
---@source ../lua/smc/breaker.lua
function Breaker:history() end
