--- What happens to an account, over the WebSocket API.
local account_stream = require "smc.venue.account_stream"
local errors = require "smc.venue.binance.errors"
local json = require "smc.json"
local unify = require "smc.venue.binance.unify"

local M = {}
local Stream = account_stream.class()
Stream.weights = { request_weight = 4, raw_requests = 2 } -- of the connection, and of its subscription
Stream.max_age = 23 * 3600 -- the venue ends what is a day old

local function order_event(e)
  local event = { kind = e.x == "TRADE" and "fill" or "order", order = unify.report(e), execution = e.x:lower(),
    time = e.T, raw = e }
  if e.x == "TRADE" then event.fill = unify.report_fill(e) end
  return event
end

local function balance_event(e)
  local balances = {}
  for _, b in ipairs(e.B) do balances[b.a] = { free = unify.number(b.f), locked = unify.number(b.l) } end
  return { kind = "balance", balances = balances, time = e.u, raw = e }
end

local function transfer_event(e)
  return { kind = "transfer", asset = e.a, amount = unify.number(e.d), time = e.T, raw = e }
end

local KINDS = { executionReport = order_event, outboundAccountPosition = balance_event, balanceUpdate = transfer_event }

--- What tells an event from all others.
local NAMES = {
  executionReport = function(e) return "x " .. e.s .. " " .. e.I end,
  outboundAccountPosition = function(e)
    local out = { "p", e.u }
    for _, b in ipairs(e.B) do out[#out + 1] = b.a .. " " .. b.f .. " " .. b.l end
    return table.concat(out, " ")
  end,
}

local ENDS = { serverShutdown = true, eventStreamTerminated = true }

--- { kind = "order"|"fill"|"balance"|"transfer", order, fill, balances, time, raw }.
function Stream:event_of(frame)
  local e = frame.event
  if type(e) ~= "table" then return nil end
  if ENDS[e.e] then return self:ends(e.e) end
  local name_of = NAMES[e.e]
  if name_of and self:twice(name_of(e)) then return nil end
  local convert = KINDS[e.e]
  return convert and convert(e) or { kind = e.e, time = e.E, raw = e }
end

function Stream.broken(message)
  return errors.broken("user_stream", message)
end

--- Sends a request and waits for its answer.
local function ask(self, method, params)
  local id = self:next_id()
  return self:ask(json.object("id", id, "method", method, "params", params), function(frame)
    if not frame.status or frame.id ~= id then return nil end
    if frame.status == 200 then return frame.result end
    local data = frame.error.data
    local wait = data and data.retryAfter and (data.retryAfter - data.serverTime) / 1000 or nil
    return nil, errors.answered({ http = frame.status, code = frame.error.code, message = frame.error.msg,
      retry_after = wait }, "user_stream", false)
  end)
end

function Stream:subscribe()
  local answer, err = ask(self, "userDataStream.subscribe.signature", self.signed {})
  if not answer then return nil, err end
  self.subscription = answer.subscriptionId
  return true
end

--- Connects and subscribes.  signed(params) adds key, clock and signature; given: the options.
function M.open(venue, signed, given)
  return account_stream.open(Stream, venue, { url = venue.ws_api_url, signed = signed }, given)
end

return M
