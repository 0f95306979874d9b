--- A Bybit v5 sandbox: what it keeps, whom it tells, and its front door.
local account_events = require "smc.sandbox.account_events"
local base = require "smc.sandbox.base"
local dcp = require "smc.sandbox.bybit.dcp"
local frames = require "smc.sandbox.bybit.frames"
local funding = require "smc.sandbox.bybit.funding"
local ledger = require "smc.sandbox.bybit.ledger"
local limits = require "smc.sandbox.bybit.limits"
local prices = require "smc.sandbox.bybit.prices"
local private_stream = require "smc.sandbox.bybit.private_stream"
local public_stream = require "smc.sandbox.bybit.public_stream"
local rest = require "smc.sandbox.bybit.rest"
local stops = require "smc.sandbox.bybit.stops"
local subscriptions = require "smc.sandbox.subscriptions"
local symbols = require "smc.sandbox.bybit.symbols"
local task = require "smc.core.task"
local topics = require "smc.sandbox.bybit.topics"
local transaction_log = require "smc.sandbox.bybit.transaction_log"
local trade_stream = require "smc.sandbox.bybit.trade_stream"

local M = {}
local Venue, Base = base.class()

local UID = 24600000
local KEY_LENGTH, SECRET_LENGTH, CONNECTION_LENGTH = 18, 36, 20

M.assumptions = require "smc.sandbox.bybit.assumptions"

--- book: of requests.  credentials: see sandbox/base.lua.
function M.new(seed, assume, book, credentials)
  local self = base.new(Venue, { name = "bybit", seed = seed, assume = assume, book = book, symbols = symbols.list,
    key_length = KEY_LENGTH, secret_length = SECRET_LENGTH, credentials = credentials })
  self.limits, self.ledger = limits.new(assume, self.market_opened), ledger.new()
  self.categories, self.settings, self.held = symbols.categories, {}, {}
  self.absent, self.closings, self.fundings, self.funding_rates, self.transfers = {}, {}, {}, {}, {}
  self.fundings_told = 0
  self.funding_due = prices.next_funding(self)
  self.uid, self.pushes, self.connections = UID, 0, 0
  self.market:liquidation("USDT", "1")
  return self
end

local DEFAULTS = { margin_mode = "REGULAR_MARGIN", adjust_spot = false, adjust_linear = true }

--- What an account has chosen.
function Venue:setting(account, name)
  local own = self.settings[account]
  if own and own[name] ~= nil then return own[name] end
  return DEFAULTS[name]
end

function Venue:set(account, name, value)
  self.settings[account] = self.settings[account] or {}
  self.settings[account][name] = value
end

local ONE_WAY, HEDGED = { 0 }, { 1, 2 }

--- The positionIdx of what an account may hold of a contract: 0, or 1 for its long and 2 for its short.
function Venue:indices(account, def)
  return def.contract and self.market:hedged(account, def.symbol) and HEDGED or ONE_WAY
end

--- The engine's position.
function Venue:position(account, def, idx)
  return self.market:position(account, def.symbol, idx == 2 and "sell" or "buy")
end

--- What is kept of an account's position beside the engine: { leverage, stops by kind, fees since it was last flat,
-- paid and bought: the fees for opening what is open, and how much that is }.
function Venue:kept(account, def, idx)
  local key = ("%d %s %d"):format(account, def.symbol, idx)
  self.held[key] = self.held[key] or { leverage = symbols.leverage, stops = {}, fees = "0",
    paid = "0", bought = "0" }
  return self.held[key]
end

--- The rate of fees.
function Venue:rate(def, is_maker)
  if not def.contract then return self.fee_rate end
  return is_maker and def.maker_fee or def.taker_fee
end

--- Opens the market of a symbol.
function Venue:list(def)
  if not def.contract then return Base.list(self, def) end
  local given = { symbol = def.symbol, base = def.base, quote = def.quote, tick = def.tick, step = def.step,
    maker_fee = def.maker_fee, taker_fee = def.taker_fee }
  for name, value in next, def.contract do given[name] = value end
  self.market:instrument(given)
  self.market:feed { symbol = def.symbol, mid = def.start }
end

function Venue:settle()
  dcp.catch_up(self, task.wall_ms())
  funding.catch_up(self, task.wall_ms())
  Base.settle(self)
end

local OPEN = { new = true, partially_filled = true }

--- The ledger must forget before the market does: it lists what the market knows.
function Venue:keep(orders)
  self.ledger:keep(orders // 4, function(entry)
    local order = ledger.order_of(self, entry)
    return order ~= nil and OPEN[order.status] == true
  end)
end

function Venue:new_conn_id()
  self.connections = self.connections + 1
  return ("%s-%x"):format(self.random:alnum(CONNECTION_LENGTH):lower(), self.connections)
end

--- Positions that orders have touched: their stops follow, and whoever listens is told.
local function settle_positions(self, touched, brought)
  local changed = false
  for _, entry in ipairs(brought) do changed = stops.attach(self, entry) or changed end
  for _, at in ipairs(touched) do
    changed = stops.sync(self, at.account, at.def, at.idx) or changed
    private_stream.tell_position(self, at.account, at.def, at.idx)
    if self:position(at.account, at.def, at.idx).qty == "0" then self:kept(at.account, at.def, at.idx).fees = "0" end
  end
  if changed then self:settle() end
end

--- Tells whoever listens what happened.
function Venue:heard(events)
  local touched, brought, seen = {}, {}, {}
  account_events.each(events, {
    order = function(e)
      local entry, def = private_stream.order_event(self, e), self.by_symbol[e.symbol]
      local key = ("%d %s %d"):format(e.account, e.symbol, entry.idx)
      if def.contract and not seen[key] then
        seen[key], touched[#touched + 1] = true, { account = e.account, def = def, idx = entry.idx }
      end
      if e.exec == "trade" and entry.exec_type == "BustTrade" then topics.liquidated(self, def, e) end
      if (entry.take_profit or entry.stop_loss) and (e.exec == "trade" or not def.contract) then
        brought[#brought + 1] = entry
      end
    end,
    balances = function(list) private_stream.wallet_event(self, list) end,
    transfer = function(e) transaction_log.transferred(self, e) end, -- on the stream the wallet that follows says it
  })
  subscriptions.heard(self, events)
  settle_positions(self, touched, brought)
end

function Venue:watched() return private_stream.has_listeners(self) end

function Venue:send(topic, event) public_stream.send(topic, event) end

--- The WebSocket connections that are open: { path, kind = "market"|"private"|"trade", streams, pings }.
function Venue:describe_sessions()
  local out = {}
  for i, s in ipairs(self.sessions) do
    local names = {}
    for at, name in ipairs(s.names) do names[at] = name:match "%S+$" end
    out[i] = { kind = s.socket == "public" and "market" or s.socket, path = s.path, streams = names, pings = s.pings }
  end
  return out
end

--- By path: what answers there.
M.sockets = { ["/v5/private"] = private_stream.socket, ["/v5/trade"] = trade_stream.socket,
  ["/v5/public/spot"] = public_stream.socket "spot", ["/v5/public/linear"] = public_stream.socket "linear" }

--- Answers one exchange of the server.
function Venue:serve(ex)
  local book, status = self.book, 404
  local id = book.add(ex.method, ex.path, ex.query or "", ex.body or "", ex:header "x-bapi-sign" ~= nil,
    ex.is_websocket)
  if not ex.is_websocket then
    status = rest.serve(self, ex)
  elseif M.sockets[ex.path] then
    status = frames.accept(self, ex, M.sockets[ex.path])
  else
    ex:reply(404, {}, "")
  end
  book.note(id, status)
end

return M
