--- One request to Binance: its parameters as bytes, its signature over exactly those, and its answer judged.
local errors = require "smc.venue.binance.errors"
local json = require "smc.json"
local query = require "smc.venue.query"
local task = require "smc.core.task"
local text = require "smc.core.text"

local M = {}

local IN_BODY = { POST = true, PUT = true, PATCH = true }

local encode = query.encode

local function signed_bytes(inner, params)
  local all = {}
  for name, value in next, params do all[name] = value end
  all.timestamp = all.timestamp or task.wall_ms() + inner.offset_ms
  all.recvWindow = all.recvWindow or inner.recv_window
  local payload = encode(all)
  return payload .. "&signature=" .. text.percent_encode(assert(inner.signer:sign(payload)))
end

--- Adds the signature to WebSocket API parameters: over all of them, sorted, without percent-encoding.
function M.sign_ws(signer, params)
  local parts = {}
  for i, name in ipairs(query.names(params)) do parts[i] = name .. "=" .. query.text(name, params[name]) end
  params.signature = assert(signer:sign(table.concat(parts, "&")))
  return params
end

local function decoded(reply)
  local value = reply.body and reply.body ~= "" and json.decode(reply.body) or nil
  return type(value) == "table" and value or nil
end

--- Why an order was not replaced: { code, message } of the new order, else of the cancel.
local function cause_of(value)
  local data = value and type(value.data) == "table" and value.data or {}
  for _, half in ipairs { data.newOrderResponse or false, data.cancelResponse or false } do
    if type(half) == "table" and half.code then return { code = half.code, message = tostring(half.msg) } end
  end
end

--- Seconds until a ban ends, by its text.
local function banned_for(message)
  local until_ms = tonumber(message:match "IP banned until (%d+)")
  return until_ms and math.max(0, until_ms - task.wall_ms()) / 1000
end

local function judge(reply, asked)
  local value = decoded(reply)
  if reply.status >= 200 and reply.status < 300 then
    if value then return value, reply.headers end
    return nil, errors.broken(asked.op, "the answer is not JSON", reply.status, asked.mutation), reply.headers
  end
  local code = value and math.type(value.code) == "integer" and value.code or nil
  local message = value and type(value.msg) == "string" and value.msg or ("HTTP status %d"):format(reply.status)
  return nil, errors.answered({ http = reply.status, code = code, message = message, cause = cause_of(value),
    retry_after = tonumber(reply.headers["retry-after"] or "") or banned_for(message) }, asked.op, asked.mutation),
    reply.headers
end

--- Signs it, sends it once, and judges the answer.
local function attempt(venue, inner, asked)
  local bytes = asked.signed and signed_bytes(inner, asked.params) or encode(asked.params)
  local url, headers, body = venue.url .. asked.path, {}, nil
  if asked.signed then headers[1] = { "X-MBX-APIKEY", venue.key } end
  if IN_BODY[asked.method] then
    body = bytes
    headers[#headers + 1] = { "Content-Type", "application/x-www-form-urlencoded" }
  elseif bytes ~= "" then
    url = url .. "?" .. bytes
  end
  local reply, err = inner.wire:send(asked, url, headers, body)
  if not reply then return nil, errors.unanswered(err, asked.op, asked.mutation) end
  return judge(reply, asked)
end

--- asked: { op, method, path, params, signed, mutation, look_up, lives }, see guard.lua.  Returns the decoded answer
-- and its headers, or nil and an error.
function M.call(venue, inner, asked)
  inner.attempt = inner.attempt or function(what) return attempt(venue, inner, what) end
  return inner.guard:call(asked, inner.attempt)
end

return M
