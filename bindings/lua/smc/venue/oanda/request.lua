--- One request to OANDA: its token, its parameters, and its answer judged.  What every answer tells in passing is
-- kept: the account's newest transaction and how the venue's clock stands to ours.
local client = require "smc.venue.client"
local clock = require "smc.venue.oanda.clock"
local errors = require "smc.venue.oanda.errors"
local json = require "smc.json"
local query = require "smc.venue.query"
local task = require "smc.core.task"
local words = require "smc.venue.words"

local M = {}

local SKEW_MS = 1000

--- Whether the clocks differ by more than a second.  The venue tells whole seconds, rounded down.
local function is_skewed(date_ms)
  local now = task.wall_ms()
  return date_ms ~= nil and (now < date_ms - SKEW_MS or now >= date_ms + 1000 + SKEW_MS)
end

--- Seconds that the venue wants us to wait, given as such or as a date.
local function retry_after(text)
  if not text then return nil end
  local date_ms = clock.http_date(text)
  return tonumber(text) or date_ms and math.max(0, date_ms - task.wall_ms()) / 1000
end

--- The reason that a transaction of refusal gives: not every build names it as errorCode too.
local function reason_in(value)
  for name, part in pairs(value) do
    if type(part) == "table" and name:find "RejectTransaction$" then return part.rejectReason end
  end
end

--- The error that an answer is.  status, headers, body of the answer.
function M.refused(status, headers, body, op, mutation)
  local value = json.decode(body)
  local page = type(value) ~= "table"
  if page then value = {} end
  return errors.answered({ http = status, code = value.errorCode or reason_in(value), message = value.errorMessage
    or ("HTTP status %d: %s"):format(status, body:sub(1, 80)), retry_after = retry_after(headers["retry-after"]),
    cause = { page = page, skewed = is_skewed(clock.http_date(headers.date)) } }, op, mutation)
end

--- Remembers the newest transaction that an answer tells of.
local function note(inner, value)
  local id = type(value) == "table" and math.tointeger(tonumber(value.lastTransactionID))
  if id and id > (inner.head or 0) then inner.head = id end
end

local function judge(inner, reply, asked)
  local value = json.decode(reply.body)
  note(inner, value)
  if reply.status < 200 or reply.status > 299 then
    return nil, M.refused(reply.status, reply.headers, reply.body, asked.op, asked.mutation), reply.headers
  end
  if type(value) == "table" then return value, reply.headers end
  return nil, errors.broken(asked.op, "the answer is not JSON", reply.status, asked.mutation), reply.headers
end

--- Sends it once, and judges the answer.
local function attempt(venue, inner, asked)
  local method, params, url, headers, body = asked.method, asked.params, venue.url .. asked.path, {}, nil
  local given = next(params) ~= nil
  if method == "GET" or method == "DELETE" then
    if given then url = url .. "?" .. query.encode(params) end
  else
    headers[1] = { "Content-Type", "application/json" }
    if given then body = json.encode(params) end
  end
  local reply, err = inner.wire:send(asked, url, headers, body, asked.signed and inner.token or nil)
  if not reply then return nil, errors.unanswered(err, asked.op, asked.mutation) end
  return judge(inner, reply, asked)
end

--- GET and DELETE carry their parameters as a query, the others as JSON; signed: with the token.  op names it in errors
-- and in requests{}.  Returns what read(answer, headers) makes of the decoded answer, or it, and the headers; or nil
-- and an error.
function M.call(venue, op, method, path, params, signed, read)
  local inner = client.inside(venue)
  inner.attempt = inner.attempt or function(asked) return attempt(venue, inner, asked) end
  return inner.guard:call({ op = op, method = method, path = path, params = params, signed = signed,
    mutation = method ~= "GET", read = read }, inner.attempt)
end

--- The same below the account.  Returns what read makes of the answer, or nil and an error.
function M.change(venue, op, method, path, params, read)
  local got, err = M.call(venue, op, method, ("/v3/accounts/%s/%s"):format(venue.key, path), params or {}, true, read)
  if got == nil then return nil, err end
  return got
end

function M.ask(venue, op, path, params, read) return M.change(venue, op, "GET", path, params, read) end

--- What convert makes of the account in short (default: as it is); its currency is kept.
function M.summary(venue, op, convert)
  return M.ask(venue, op, "summary", nil, function(answer)
    local account = answer.account
    client.inside(venue).home = words.text(account.currency)
    if convert then return convert(account) end
    return account
  end)
end

return M
