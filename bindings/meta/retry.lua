---@meta smc.retry

---@class smc.RetryOptions
---@field attempts? integer  in all, the first one too; default 4
---@field budget? number  seconds from the first attempt to the end of the last wait; default 60; 0: no bound
---@field base? number  seconds before the second attempt; default 0.2
---@field factor? number  1..10: how much longer each further wait is; default 2
---@field max? number  seconds that a wait lasts at most; default 10
---@field jitter? number  0..1: the part of each wait that is left to chance; default 0.5

---A retry policy.  What the venue asks for (retry_after) is never undercut, and a wait that would end beyond the budget
---is not begun.  An order whose outcome nobody knows is never sent again on a guess.
---@class smc.Retry
local Retry = {}

---Calls fn again while it returns nil and an error that is retryable, and the policy has attempts and time left.
---
---Errors: the last one of fn.  Raises: what fn raises; fn is no function.  Where: scenario, hook.
---@async
---@param fn fun(...): any, smc.Error?
---@param ... any  arguments of fn
---@return any ...  what fn returned last
---@source ../lua/smc/retry.lua
function Retry:call(fn, ...) end

---One request over all its attempts, for those who wait and send by themselves.
---@return smc.RetryRun
---@source ../lua/smc/retry.lua
function Retry:begin() end

---@class smc.RetryRun
local RetryRun = {}

---To be called once for each failed attempt.  "look_up": an order or a cancel that may have happened; it is to be
---looked up by its client id, after so many seconds.
---@param err smc.Error
---@param mutation? boolean  it could place, change or cancel something
---@return "stop"|"again"|"look_up" verdict
---@return number? seconds
---@source ../lua/smc/retry.lua
function RetryRun:next(err, mutation) end

---@return integer n  attempts that failed so far
---@source ../lua/smc/retry.lua
function RetryRun:failed() end

---@return boolean spent  no attempt, or no time, is left
---@source ../lua/smc/retry.lua
function RetryRun:spent() end
