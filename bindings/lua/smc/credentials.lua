--- Credentials of the real test venues, as the runner hands them over: names of variables and their values.

local sign = require "smc.core.sign"

local M = {}

-- What is called something else, and is a secret all the same: whoever has it is the account; a place with a password.
local TOKENS = { OANDA_PRACTICE_API_KEY = true, SMCRUN_REDIS_URL = true }

local SHORTEST = 4 -- bytes; what is shorter cannot be hidden, and the runner refuses it of a venue that it knows

--- Makes the map safe to keep: an empty or blank value, and a short secret, counts as not set; what signs, or is a
-- token, becomes a handle that nobody can read, the dialects neither.  Works on the map itself, so that no copy with a
-- readable secret stays behind.
function M.guard(credentials)
  for name, value in pairs(credentials) do
    local secret = name:match "_SECRET$" or TOKENS[name]
    if not value:match "%S" or secret and #value < SHORTEST then
      credentials[name] = nil
    elseif secret then
      credentials[name] = assert(sign.secret(value))
    end
  end
  return credentials
end

return M
