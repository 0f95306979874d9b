--- Who is calling: the X-BAPI headers of a request, its clock, and the signature over the bytes that arrived.
local refusal = require "smc.sandbox.bybit.refusal"
local sign = require "smc.core.sign"

local M = {}

local AHEAD_MS = 1000
local DEFAULT_WINDOW = "5000"

--- What a REST request signs: the raw query of a GET, the raw body of a POST.
function M.payload(asked)
  return asked.timestamp .. asked.key .. asked.window .. asked.bytes
end

--- The clock rule: server - window <= timestamp < server + 1000.
function M.check_clock(timestamp, window, now_ms)
  if window == "" then window = DEFAULT_WINDOW end
  local at, back = math.tointeger(tonumber(timestamp)), math.tointeger(tonumber(window))
  if at and back and at >= now_ms - back and at < now_ms + AHEAD_MS then return true end
  return nil, refusal.clock(timestamp, now_ms, window)
end

local function verified(key, payload, signature)
  return key.forgiving or sign.verify(key.kind, key.signer, payload, signature) == true
end

--- Judges a signed request in the venue's order: headers, key, clock, signature.  Returns the key record, or nil and a
-- refusal.  asked: { key, timestamp, window, signature, bytes }, each a text, "" where it was not sent.
function M.check(sb, asked, now_ms)
  if asked.key == "" or asked.timestamp == "" or asked.signature == "" then
    local no = refusal.no_headers(asked.timestamp, asked.key, asked.signature)
    no.status, no.null = sb.assume.missing_headers_status, true
    return nil, no
  end
  local key = sb.keys[asked.key]
  if not key then
    local no = refusal.bad_key()
    no.status = sb.assume.unknown_key_status
    return nil, no
  end
  local ok, no = M.check_clock(asked.timestamp, asked.window, now_ms)
  if not ok then return nil, no end
  local payload = M.payload(asked)
  if not verified(key, payload, asked.signature) then return nil, refusal.bad_signature(payload) end
  return key
end

--- Judges the args of a WebSocket auth: { key, expires, signature }.  Returns the key record or nil.
function M.check_socket(sb, args, now_ms)
  if type(args) ~= "table" then return nil end
  local key, expires = sb.keys[args[1]], math.tointeger(tonumber(args[2]))
  if not key or not expires or expires <= now_ms or type(args[3]) ~= "string" then return nil end
  return verified(key, "GET/realtime" .. tostring(args[2]), args[3]) and key or nil
end

return M
