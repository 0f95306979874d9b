--- How a webhook is signed: HMAC-SHA256, in hex, over the timestamp, a point, and the body as it is.
local sign = require "smc.core.sign"

local M = {}

M.ID = "x-smcrun-id" -- the same for each attempt to deliver one event
M.TIMESTAMP = "x-smcrun-timestamp" -- Unix seconds of this attempt
M.SIGNATURE = "x-smcrun-signature"
M.REPLAY_WINDOW = 300 -- seconds that a timestamp may be away from the receiver's clock

local SCHEME = "sha256="

local function signed_text(timestamp, body) return timestamp .. "." .. body end

--- The headers of an attempt, as a list.  key: a signing key over the secret.
function M.headers(key, id, body, wall_ms)
  local timestamp = ("%d"):format(wall_ms // 1000)
  return { { "Content-Type", "application/json" }, { "X-Smcrun-Id", id }, { "X-Smcrun-Timestamp", timestamp },
    { "X-Smcrun-Signature", SCHEME .. assert(key:sign(signed_text(timestamp, body))) } }
end

--- headers: by name in lower case.  Returns true, or false and why it does not hold.
function M.verify(secret, headers, body, wall_ms, window)
  local timestamp, given = headers[M.TIMESTAMP], headers[M.SIGNATURE]
  if not timestamp or not given then return false, "unsigned" end
  if not timestamp:find "^%d+$" or #timestamp > 12 then return false, "no timestamp" end
  local hex = given:match("^" .. SCHEME .. "(%x+)$")
  if not hex then return false, "another scheme" end
  if not sign.verify("hmac", secret, signed_text(timestamp, body), hex) then return false, "another signature" end
  if math.abs(wall_ms // 1000 - math.tointeger(tonumber(timestamp))) > window then return false, "too old" end
  return true
end

return M
