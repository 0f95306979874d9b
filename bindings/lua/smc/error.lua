--- The one error object: what `nil, err` returns.  Fields: class code message http retryable retry_after venue op.
-- `assert(f())` raises it unchanged, so whoever catches it still has the class.

local Error = { __name = "smc.error" }
Error.__index = Error
Error.__metatable = "smc.error"

local M = {}

--- What an error may be: see bindings/meta/error.lua.
M.CLASSES = {}
local NAMES = "network timeout server rate_limit ip_ban auth permission clock_skew invalid_request filter \z
  insufficient_funds unknown_order duplicate_order market_closed unknown_outcome protocol circuit_open no_venue \z
  cancelled"
for name in NAMES:gmatch "%S+" do M.CLASSES[name] = true end

local made = setmetatable({}, { __mode = "k" })

--- fields.class is required; everything else is optional.
function M.new(fields)
  if type(fields) ~= "table" or type(fields.class) ~= "string" then
    error("error.new: a table with a class expected", 2)
  end
  if fields.retryable == nil then fields.retryable = false end
  made[fields] = true
  return setmetatable(fields, Error)
end

function M.is(value)
  return type(value) == "table" and made[value] == true
end

function Error:__tostring()
  local where = self.venue and (self.venue .. " " .. (self.op or "")) or self.op or "smc"
  local code = self.code ~= nil and self.code ~= self.class and (" (%s)"):format(self.code) or ""
  local http = self.http and (" [HTTP %d]"):format(self.http) or ""
  return ("%s: %s%s%s: %s"):format(where, self.class, code, http, self.message or "")
end

return M
