--- Who is calling: keys, the clock of a signed request, and the signature over the bytes that arrived.
local params = require "smc.sandbox.binance.params"
local refusal = require "smc.sandbox.binance.refusal"
local sign = require "smc.core.sign"
local text = require "smc.core.text"

local M = {}

local AHEAD_MS = 1000
local DEFAULT_WINDOW_MS = 5000

--- The payload of a REST request: raw query and raw body with nothing between them, each without its first signature.
function M.rest_payload(query, body)
  if query == "" then return text.without(body, "signature") end
  if body == "" then return text.without(query, "signature") end
  return text.without(query, "signature") .. text.without(body, "signature")
end

--- The payloads that a WebSocket API request may have signed, most likely first.
-- raw: the frame, from which numbers are taken as they were written.
function M.ws_payloads(object, raw, encoded)
  local names, plain, escaped = {}, {}, {}
  for name in pairs(object) do
    if name ~= "signature" then names[#names + 1] = name end
  end
  table.sort(names)
  local sent = params.from_ws(object).values
  for i, name in ipairs(names) do
    local value = sent[name]
    if type(object[name]) == "number" then
      local safe = name:gsub("%p", "%%%0")
      value = raw:match('"' .. safe .. '"%s*:%s*(%-?[%d.eE+-]+)') or value
    end
    plain[i] = name .. "=" .. value
    escaped[i] = name .. "=" .. text.percent_encode(value)
  end
  local out = { table.concat(plain, "&") }
  local other = table.concat(escaped, "&")
  if encoded and other ~= out[1] then out[2] = other end
  return out
end

--- The clock rule: strictly less than a second ahead, at most recvWindow behind.
function M.check_clock(timestamp, window, now_ms)
  if timestamp >= now_ms + AHEAD_MS then
    return nil, refusal.clock_ahead()
  end
  if now_ms - timestamp > (window or DEFAULT_WINDOW_MS) then
    return nil, refusal.clock_behind()
  end
  return true
end

--- The key record for an API key, or nil and a refusal.
function M.find_key(sb, api_key)
  local key = api_key and sb.keys[api_key]
  if key then return key end
  if not api_key or not api_key:find("^%w+$") or #api_key ~= 64 then return nil, refusal.bad_key_format() end
  return nil, refusal.bad_key()
end

--- Whether a request of key is signed: over its query and body, or, of a WebSocket, over one of some payloads.
local function verified(key, request, signature)
  if key.forgiving then return true end
  if not request.payloads then
    return sign.verify(key.kind, key.signer, M.rest_payload(request.query, request.body), signature)
  end
  for _, payload in ipairs(request.payloads()) do
    if sign.verify(key.kind, key.signer, payload, signature) then return true end
  end
  return false
end

--- Judges a signed request.  Returns the key record, or nil and a refusal.
-- request: { api_key, query and body, or payloads() }; values: its signature, timestamp, recvWindow.
function M.check(sb, request, values, now_ms)
  local clock_ok, clock_no = M.check_clock(values.timestamp, values.recvWindow, now_ms)
  if not clock_ok and sb.assume.clock_before_key then return nil, clock_no end
  local key, no = M.find_key(sb, request.api_key)
  if not key then return nil, no end
  if not clock_ok then return nil, clock_no end
  if not verified(key, request, values.signature) then return nil, refusal.bad_signature() end
  return key
end

return M
