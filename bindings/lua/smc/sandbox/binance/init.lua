--- A Binance Spot sandbox: what it keeps, whom it tells, and its front door.  Its public face is smc/sandbox.lua's.
local base = require "smc.sandbox.base"
local limits = require "smc.sandbox.binance.limits"
local rest = require "smc.sandbox.binance.rest"
local streams = require "smc.sandbox.binance.streams"
local subscriptions = require "smc.sandbox.subscriptions"
local symbols = require "smc.sandbox.binance.symbols"
local text = require "smc.core.text"
local user_events = require "smc.sandbox.binance.user_events"
local ws_api = require "smc.sandbox.binance.ws_api"

local M = {}
local Venue = base.class()

local find = string.find

local AVERAGE_MS = 5 * 60 * 1000
local CLIENT_ID_LENGTH = 22
local KEY_LENGTH = 64
local UUID_HEAD = "%08x-0000-4000-8000-"

M.assumptions = require "smc.sandbox.binance.assumptions"

--- book: of requests.  credentials: see sandbox/base.lua.
function M.new(seed, assume, book, credentials)
  local self = base.new(Venue, { name = "binance", seed = seed, assume = assume, book = book,
    credentials = credentials, symbols = symbols.list, key_length = KEY_LENGTH, secret_length = KEY_LENGTH })
  self.limits, self.placed = limits.new(assume, self.market_opened), self.market:record()
  self.by_lower, self.balance_at, self.labels, self.lists, self.api_sessions = {}, {}, {}, {}, {}
  self.first_fills, self.uuids, self.uuid_head = {}, 0, UUID_HEAD:format(self.market_opened // 1000)
  for _, def in ipairs(self.symbols) do self.by_lower[def.lower] = def end
  return self
end

-- ---- small services for the handlers ---------------------------------------------

function Venue:new_client_id() return self.random:alnum(CLIENT_ID_LENGTH) end

function Venue:new_uuid()
  self.uuids = self.uuids + 1
  return text.serial(self.uuid_head, self.uuids, 12)
end

local NOTHING = {}

--- What the venue knows of an order and the engine does not.
function Venue:label(order)
  local labels = self.labels[order.symbol]
  return labels and labels[order.id] or NOTHING
end

--- Adds to an order's label.
function Venue:set_label(order, more)
  local labels = self.labels[order.symbol] or {}
  local label = labels[order.id] or {}
  for key, value in pairs(more) do label[key] = value end
  labels[order.id], self.labels[order.symbol] = label, labels
end

--- The order that a call names; v: its symbol, and its orderId or origClientOrderId.
function Venue:find_order(call, v)
  return (self.market:order { account = call.account, symbol = v.symbol, id = v.orderId,
    client_id = not v.orderId and v.origClientOrderId or nil })
end

local LIMIT = 500 -- of lists, where none is asked for

--- What a query asks the engine for: its symbol, its span of the venue's time, how many; and what is in more.
function Venue:span(v, more)
  more.symbol, more.limit = v.symbol, more.limit or v.limit or LIMIT
  more.from_id = more.from_id and math.max(1, more.from_id) -- who says 0 means the first, and the engine means none
  more.from_ms, more.to_ms = v.startTime and v.startTime - self.skew_ms, v.endTime and v.endTime - self.skew_ms
  return more
end

--- The volume-weighted average of the last five minutes, else the last price; and the time of the last trade.
function Venue:average_price(symbol)
  return self.market:average(symbol, AVERAGE_MS)
end

--- A price as a share of that, nearly.
function Venue:price_share(symbol, price) return self.market:share(symbol, AVERAGE_MS, price) end

-- ---- the passing of time -----------------------------------------------------------

--- The last execution, when balances changed, and what first fills take off the unfilled order count.
function Venue:counted(market, now)
  local fills = self.first_fills
  local exec_id, n = market:tally(self.balance_at, fills)
  self.last_exec_id = exec_id or self.last_exec_id
  for i = 1, 2 * n, 2 do
    local credit = fills[i + 1] and self.assume.maker_fill_credit or self.assume.taker_fill_credit
    self.limits:count_order(fills[i], -credit, now)
  end
end

function Venue:has_audience() return #self.api_sessions > 0 or #self.topics > 0 end

--- Tells whoever listens what happened.
function Venue:heard(events)
  if #self.api_sessions > 0 then
    user_events.each(self, events, function(account, event) ws_api.tell(self, account, event) end)
  end
  subscriptions.heard(self, events)
end

function Venue:watched() return ws_api.has_listeners(self) end

function Venue:send(topic, event) streams.send(topic, event) end

function Venue:every_session()
  return table.move(self.api_sessions, 1, #self.api_sessions, #self.sessions + 1, { table.unpack(self.sessions) })
end

--- The WebSocket connections that are open: { path, kind = "market"|"api", streams, pings, pongs, subscriptions }.
function Venue:describe_sessions()
  local out = {}
  for _, s in ipairs(self.sessions) do
    out[#out + 1] = { kind = "market", path = s.path, combined = s.combined, streams = { table.unpack(s.names) },
      pings = s.pings, pongs = s.pongs }
  end
  for _, s in ipairs(self.api_sessions) do
    out[#out + 1] = { kind = "api", path = s.path, subscriptions = #s.subscribed, pings = s.pings, pongs = s.pongs }
  end
  return out
end

-- ---- the front door -----------------------------------------------------------------

local function is_signed(query, body)
  return query ~= "" and find(query, "signature=", 1, true) ~= nil
    or body ~= "" and find(body, "signature=", 1, true) ~= nil
end

--- Answers one exchange of the server.
function Venue:serve(ex)
  local method, path, query, body, websocket = ex:parts()
  local book, status = self.book
  local id = book.add(method, path, query, body, is_signed(query, body), websocket)
  if not websocket then
    status = rest.serve(self, ex, method, path, query, body)
  elseif path == "/ws-api/v3" then
    status = ws_api.accept(self, ex)
  else
    status = streams.accept(self, ex)
  end
  book.note(id, status)
end

return M
