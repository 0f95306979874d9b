--- Answers that do not hold what the venue promises: a value that is missing, or of another type.  Whoever reads one
-- meets an error object that says so, not an error of Lua; after a call that could place or cancel an order nobody
-- knows then whether it did.
local errors = require "smc.error"

local M = {}

-- Where reading failed: in our code, over what the venue sent; below Lua an error has no line.
local OURS, BELOW = "^smc/[%w_/]+%.lua:%d+: ", "^attempt to "
local PLACED = "^[%w_%./-]+%.lua:%d+: " -- an error that names its line already

local function unreadable(venue, op, mutation, why)
  return errors.new { class = mutation and "unknown_outcome" or "protocol", code = "unreadable", venue = venue, op = op,
    message = "the answer can't be read: " .. why:gsub(OURS, "") }
end

--- What a call returned; one that found nothing, and says so by no error, has read an answer that is not one.
local function returned(got, venue, op, mutation)
  if got[2] == nil and got[3] == nil then
    return nil, unreadable(venue, op, mutation, "what was asked for is not in it")
  end
  return table.unpack(got, 2, got.n)
end

--- Returns what convert(...) returns; nil and an error when the answer is not what it should be.
function M.answer(venue, op, mutation, convert, ...)
  local got = table.pack(pcall(convert, ...))
  if got[1] then return returned(got, venue, op, mutation) end
  if type(got[2]) ~= "string" then error(got[2], 0) end
  return nil, unreadable(venue, op, mutation, got[2])
end

-- ---- whole calls ---------------------------------------------------------------------------

local MUTATIONS = { place = true, amend = true, cancel = true, cancel_all = true, flatten = true }
local CALLS = { stream = true, user_stream = true }
local READS = "ping time instruments ticker book candles trades account balances positions order open_orders orders \z
  fills"
for name in READS:gmatch "%S+" do CALLS[name] = true end
for name in pairs(MUTATIONS) do CALLS[name] = true end

--- Whether a name is that of a call which reads answers.
function M.reads(name) return CALLS[name] == true end

--- The call `name`, whose method is given, so that nothing that the venue sends makes it raise.  Wrong use is blamed on
-- the caller, as ever.
function M.call(name, method)
  return function(self, ...)
    local got = table.pack(pcall(method, self, ...))
    if got[1] then return returned(got, self.name, name, MUTATIONS[name]) end
    local why = got[2]
    if type(why) ~= "string" then error(why, 0) end
    if why:find(OURS) or why:find(BELOW) then return nil, unreadable(self.name, name, MUTATIONS[name], why) end
    error(why, why:find(PLACED) and 0 or 2)
  end
end

return M
