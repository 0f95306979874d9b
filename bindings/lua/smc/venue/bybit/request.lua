--- One request to Bybit: its parameters as bytes, its signature over exactly those, and its answer judged.
local errors = require "smc.venue.bybit.errors"
local json = require "smc.json"
local query = require "smc.venue.query"
local task = require "smc.core.task"

local M = {}

local BAN_SECONDS = 600 -- the venue says: at least ten minutes
local DEFAULT_WINDOW = 5000

--- The signature of a private request, over the bytes that go out.
function M.sign(signer, key, timestamp, window, bytes)
  return assert(signer:sign(timestamp .. key .. window .. bytes))
end

local function add_signature(headers, venue, inner, bytes)
  local timestamp = tostring(task.wall_ms() + inner.offset_ms)
  local window = tostring(inner.recv_window or DEFAULT_WINDOW)
  headers[#headers + 1] = { "X-BAPI-API-KEY", venue.key }
  headers[#headers + 1] = { "X-BAPI-TIMESTAMP", timestamp }
  headers[#headers + 1] = { "X-BAPI-RECV-WINDOW", window }
  headers[#headers + 1] = { "X-BAPI-SIGN", M.sign(inner.signer, venue.key, timestamp, window, bytes) }
end

--- Seconds until the limit that was hit starts anew, as far as the venue says so.
local function retry_after(reply, code, class_is_ban)
  if class_is_ban then return BAN_SECONDS end
  if code ~= 10006 then return nil end
  local reset = tonumber(reply.headers["x-bapi-limit-reset-timestamp"] or "")
  local now = tonumber(reply.headers.timenow or "")
  return reset and now and math.max(0, (reset - now) / 1000) or nil
end

local function judge(reply, asked)
  local value = json.decode(reply.body or "")
  local code = type(value) == "table" and math.type(value.retCode) == "integer" and value.retCode or nil
  if reply.status == 200 then
    if code == 0 then return value, reply.headers end
    if not code then
      return nil, errors.broken(asked.op, "the answer has no retCode", reply.status, asked.mutation), reply.headers
    end
  end
  local message = code and tostring(value.retMsg) or ("HTTP status %d: %s"):format(reply.status,
    (reply.body or ""):sub(1, 80))
  return nil, errors.answered({ http = reply.status, code = code, message = message,
    retry_after = retry_after(reply, code, reply.status == 403 and message:find("too frequent", 1, true)) }, asked.op,
    asked.mutation), reply.headers
end

--- Signs it, sends it once, and judges the answer.
local function attempt(venue, inner, asked)
  local url, headers, body = venue.url .. asked.path, {}, nil
  local bytes
  if asked.method == "GET" then
    bytes = query.encode(asked.params)
    if bytes ~= "" then url = url .. "?" .. bytes end
  else
    bytes = json.encode(next(asked.params) and asked.params or json.object())
    body = bytes
    headers[1] = { "Content-Type", "application/json" }
  end
  if asked.signed then add_signature(headers, venue, inner, bytes) end
  local reply, err = inner.wire:send(asked, url, headers, body)
  if not reply then return nil, errors.unanswered(err, asked.op, asked.mutation) end
  return judge(reply, asked)
end

--- asked: { op, method, path, params, signed, mutation, look_up, lives }, see guard.lua.  Returns the decoded envelope
-- and the headers, or nil and an error.
function M.call(venue, inner, asked)
  inner.attempt = inner.attempt or function(what) return attempt(venue, inner, what) end
  return inner.guard:call(asked, inner.attempt)
end

return M
