--- An OANDA venue whose every answer a test writes, and the client half that talks to it.
local json = require "smc.json"
local listener = require "smc.core.server"
local oanda = require "smc.venue.oanda"
local task = require "smc.core.task"
local world = require "smc.world"

local M = { account = "101-004-1234567-001", token = "0123456789abcdef-fedcba9876543210" }

local JSON = { { "Content-Type", "application/json" } }
local ROOT = "/v3/accounts/" .. M.account

--- Opens both.  answers: by "METHOD /path" (below the account unless it begins with /v3) a function(ex, n) that answers
-- the n-th such request, or a list of answers { status, body, headers } of which the last is repeated.
-- Returns the venue, the list of requests { what, query, body, token, at }, and the server.
function M.open(answers)
  local seen, counts = {}, {}
  local server = assert(listener.listen { on_request = function(ex)
    local path = ex.path:sub(1, #ROOT) == ROOT and ex.path:sub(#ROOT + 1) or ex.path
    local what = ex.method .. " " .. path
    seen[#seen + 1] = { what = what, query = ex.query, body = ex.body ~= "" and json.decode(ex.body) or nil,
      token = ex:header "authorization", at = task.now() }
    counts[what] = (counts[what] or 0) + 1
    local answer = answers[what] or error("no answer for " .. what)
    if type(answer) == "function" then return answer(ex, counts[what]) end
    M.reply(ex, answer[math.min(#answer, counts[what])])
  end })
  finally(function() server:close() end)
  local venue = oanda.new({ urls = { rest = server:origin(), stream = server:origin() }, key = M.account,
    secret = M.token }, {}, world.current())
  return venue, seen, server
end

--- Answers with { status, body, headers }; a body that is a table goes as JSON.
function M.reply(ex, answer)
  local headers = { table.unpack(JSON) }
  for _, h in ipairs(answer[3] or {}) do headers[#headers + 1] = h end
  ex:reply(answer[1], headers, type(answer[2]) == "table" and json.encode(answer[2]) or answer[2])
end

--- How often something was asked for.
function M.count(seen, what)
  local n = 0
  for _, r in ipairs(seen) do n = r.what == what and n + 1 or n end
  return n
end

--- The last request for something.
function M.last(seen, what)
  local last
  for _, r in ipairs(seen) do last = r.what == what and r or last end
  return last
end

--- The summary of an account whose newest transaction has this number.
function M.summary(head)
  return { 200, { account = { currency = "USD", balance = "100000.0000", marginUsed = "21.6000", marginAvailable =
    "99978.4000", hedgingEnabled = false }, lastTransactionID = head } }
end

M.time = "2026-01-05T00:00:01.250000000Z"

--- A transaction; fields beside id and type.
function M.tx(id, type, fields)
  local out = { id = id, type = type, time = M.time, accountID = M.account }
  for name, value in pairs(fields or {}) do out[name] = value end
  return out
end

return M
