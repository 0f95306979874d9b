--- What happens to an account, over the private WebSocket.
local account_stream = require "smc.venue.account_stream"
local frames = require "smc.venue.bybit.frames"
local task = require "smc.core.task"
local unify = require "smc.venue.bybit.unify"

local M = {}
local Stream = account_stream.class()
frames.extend(Stream, "user_stream")

local AUTH_MS = 10000 -- how long the signature of the log-on is good
local AUTH_REFUSED = 10004

local EXECUTIONS = { open = "new", partially_filled = "trade", filled = "trade" }

local kinds = {}

function kinds.order(row, frame)
  local order = unify.order(row, row.category)
  return { kind = "order", order = order, execution = EXECUTIONS[order.status] or order.status,
    time = frame.creationTime, raw = row }
end

function kinds.execution(row, frame)
  return { kind = "fill", fill = unify.fill(row, row.category), execution = "trade", time = frame.creationTime,
    raw = row }
end

function kinds.wallet(row, frame)
  local balances = {}
  for asset, b in pairs(unify.balances(row.coin)) do balances[asset] = { free = b.free, locked = b.locked } end
  return { kind = "balance", balances = balances, time = frame.creationTime, raw = row }
end

local OURS = { spot = true, linear = true }

--- Of each row: { kind = "order"|"fill"|"balance", order, fill, balances, time, raw }.
function Stream:event_of(frame)
  local convert = kinds[frame.topic]
  if not convert or frame.id and self:twice(frame.topic .. " " .. frame.id) then return nil end
  local out = {}
  for _, row in ipairs(frame.data) do
    local ours = OURS[row.category or "spot"] and (not row.execType or unify.is_trade(row))
    if ours then out[#out + 1] = convert(row, frame) end
  end
  return table.unpack(out)
end

--- Logs on, then subscribes.
function Stream:subscribe()
  local expires = task.wall_ms() + self.inner.offset_ms + AUTH_MS
  local answer, err = self:operate("auth", { self.venue.key, expires,
    assert(self.inner.signer:sign("GET/realtime" .. expires)) }, AUTH_REFUSED)
  if answer then answer, err = self:operate("subscribe", { "order", "execution", "wallet" }) end
  if not answer then return nil, err end
  self.subscription = answer.conn_id
  return true
end

--- Connects, logs on and subscribes.  inner: what the venue keeps to itself; given: the options.
function M.open(venue, inner, given)
  return account_stream.open(Stream, venue, { url = venue.ws_api_url, inner = inner }, given)
end

return M
