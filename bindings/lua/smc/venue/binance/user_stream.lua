--- What happens to an account, over the WebSocket API.
local closing = require "smc.venue.closing"
local errors = require "smc.venue.binance.errors"
local json = require "smc.json"
local task = require "smc.core.task"
local unify = require "smc.venue.binance.unify"
local ws = require "smc.ws"

local M = {}
local Stream = {}
Stream.__index = Stream
Stream.__name = "smc.user_stream"

local ANSWER_SECONDS = 10

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

local function event_of(frame)
  local e = frame.event
  if type(e) ~= "table" then return nil end
  local convert = KINDS[e.e]
  return convert and convert(e) or { kind = e.e, time = e.E, raw = e }
end

local function read_frame(self, timeout)
  local message, err = self.conn:recv(timeout)
  if not message then return nil, err end
  local frame = json.decode(message.data)
  if type(frame) ~= "table" then return nil, errors.broken("user_stream", "a frame that is not JSON") end
  return frame
end

--- Sends a request and waits for its answer; events that come first are kept.
local function ask(self, method, params)
  self.last_id = self.last_id + 1
  local ok, err = self.conn:send(json.encode(json.object("id", self.last_id, "method", method, "params", params)))
  if not ok then return nil, err end
  local give_up = task.now() + ANSWER_SECONDS
  while true do
    local frame
    frame, err = read_frame(self, math.max(0, give_up - task.now()))
    if not frame then return nil, err end
    if frame.status and frame.id == self.last_id then
      if frame.status == 200 then return frame.result end
      local data = frame.error.data
      local wait = data and data.retryAfter and (data.retryAfter - data.serverTime) / 1000 or nil
      return nil, errors.answered({ http = frame.status, code = frame.error.code, message = frame.error.msg,
        retry_after = wait }, "user_stream", false)
    end
    local event = event_of(frame)
    if event then self.queue[#self.queue + 1] = event end
  end
end

--- The next event: { kind = "order"|"fill"|"balance"|"transfer", order, fill, balances, time, raw }.  nil, err after
-- `timeout` seconds (default 30) or when the connection is gone.
function Stream:recv(timeout)
  if #self.queue > 0 then return table.remove(self.queue, 1) end
  local give_up = task.now() + (timeout or 30)
  while true do
    local frame, err = read_frame(self, math.max(0, give_up - task.now()))
    if not frame then return nil, err end
    local event = event_of(frame)
    if event then return event end
  end
end

closing(Stream)

--- Connects and subscribes.  signed(params) adds key, clock and signature.
function M.open(venue, signed)
  local conn, err = ws.connect(venue.ws_api_url)
  if not conn then return nil, err end
  local self = setmetatable({ conn = conn, queue = {}, last_id = 0 }, Stream)
  local answer
  answer, err = ask(self, "userDataStream.subscribe.signature", signed {})
  if not answer then
    self:__close()
    return nil, err
  end
  self.subscription = answer.subscriptionId
  return self
end

return M
