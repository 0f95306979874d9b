--- The transactions of an account: one sequence of ids, without gaps, for all that happens to it.
local clock = require "smc.sandbox.oanda.clock"
local json = require "smc.json"
local reached = require "smc.sandbox.reached"

local M = {}
local Log = {}
Log.__index = Log

--- sb: its account_id and user_id stand in every transaction; sb:logged(transaction) is called with each.
function M.new(sb) return setmetatable({ sb = sb, list = {}, first = 1, n = 0 }, Log) end

--- From now on the newest `most` are remembered, twice as many at most.  Ids go on.
function Log:keep(most) self.most = most end

local function forget(self)
  local first = self.n - self.most + 1
  self.list, self.first = table.move(self.list, first, self.n, first, {}), first
end

--- Begins a batch: the transactions of one request, or of one thing that happened by itself.  They share the time, the
-- id of the request, and the id of the first.
function Log:begin(time_ms, request_id)
  self.batch = { time_ms = time_ms, request_id = request_id or self.sb:next_request_id(), ids = {} }
  return self.batch
end

--- Appends a transaction: its type and its fields, name and value in turn, nil for those that are left out.
-- Returns it: { n, id, type, time_ms, text, json }.
function Log:add(kind, ...)
  reached.mark("oanda", "transactions", kind)
  local batch, n = self.batch, self.n + 1
  local id = ("%d"):format(n)
  batch.ids[#batch.ids + 1] = id
  local tx = { n = n, id = id, type = kind, time_ms = batch.time_ms }
  tx.text = json.encode(json.object("id", id, "accountID", self.sb.account_id, "userID", self.sb.user_id,
    "batchID", batch.ids[1], "requestID", batch.request_id, "time", clock.rfc3339(batch.time_ms), "type", kind, ...))
  tx.json = json.raw(tx.text)
  self.list[n], self.n = tx, n
  if self.most and n - self.first >= 2 * self.most then forget(self) end
  self.sb:logged(tx)
  return tx
end

function Log:last() return ("%d"):format(self.n) end

local GROUPS = {
  ORDER = function(kind) return kind:find "ORDER" ~= nil or kind:find "CLIENT_EXTENSIONS" ~= nil end,
  FUNDING = function(kind) return kind:find "^TRANSFER_FUNDS" ~= nil or kind == "RESET_RESETTABLE_PL" end,
  ADMIN = function(kind) return kind == "CREATE" or kind:find "^CLIENT_CONFIGURE" ~= nil end,
}

--- Those from one number to another, as far as they are remembered, that are of the wanted types (a set of types and
-- groups; nil: all).
function Log:between(from, to, wanted)
  local out = {}
  for n = math.max(from, self.first), math.min(to, self.n) do
    local tx, fits = self.list[n], wanted == nil
    for word in pairs(wanted or {}) do
      fits = fits or word == tx.type or GROUPS[word] ~= nil and GROUPS[word](tx.type)
    end
    if fits then out[#out + 1] = tx end
  end
  return out
end

return M
