--- What happens to an account, over the stream of its transactions.  Their numbers have no gaps: what is missing, for a
-- moment or while the stream was away, is asked for, and what comes twice is told once.
local decimal = require "smc.decimal"
local events = require "smc.venue.events"
local lines = require "smc.venue.oanda.lines"
local orders = require "smc.venue.oanda.orders"
local stream_options = require "smc.venue.stream_options"
local unify = require "smc.venue.oanda.unify"

local M = {}
local Stream = events.class "smc.user_stream"
lines.extend(Stream, "user_stream")

local function id_of(word) return math.tointeger(tonumber(word)) end

-- ---- transactions as events ----------------------------------------------------------

--- The orders that are open, by id, so that what ends one can show it.
local function keep(self, order)
  self.open[order.id] = order
  return order
end

--- A copy of the order that a transaction ends, since events keep what was true when they happened.  Its client's id
-- may be another by now.
local function ended(self, tx)
  local order = self.open[tx.orderID]
  self.open[tx.orderID] = nil
  if not order then return nil end
  local copy = {}
  for name, value in pairs(order) do copy[name] = value end
  copy.client_id = tx.clientOrderID or copy.client_id
  return copy
end

local function balance(self, tx, kind)
  return { kind = kind, balances = { [self.home] = { total = unify.number(tx.accountBalance) } } }
end

local function filled(self, tx)
  local order = ended(self, tx)
  return { kind = "fill", fill = unify.fill(tx, self.home), order = order and unify.filled(order, tx),
    execution = "trade" }, balance(self, tx, "balance")
end

local function cancelled(self, tx)
  local order = ended(self, tx)
  if not order then return nil end
  unify.cancelled(order, tx)
  return { kind = "order", order = order, execution = order.status }
end

local BOOKED = { DAILY_FINANCING = "balance", DIVIDEND_ADJUSTMENT = "balance", TRANSFER_FUNDS = "transfer" }

--- Any number of events.
local function events_of(self, tx)
  if tx.type == "ORDER_FILL" then return filled(self, tx) end
  if tx.type == "ORDER_CANCEL" then return cancelled(self, tx) end
  if BOOKED[tx.type] then return balance(self, tx, BOOKED[tx.type]) end
  if tx.type:find "_ORDER$" then
    return { kind = "order", order = keep(self, unify.order(tx, self.trades[tx.tradeID])), execution = "new" }
  end
  if tx.type:find "_ORDER_REJECT$" then
    return { kind = "order", order = unify.rejected(tx), execution = "rejected" }
  end
end

--- Trades, so far as their own orders need them: a take profit says no more than which trade it ends.
local function note_trades(self, tx)
  local opened = tx.tradeOpened
  if opened then
    self.trades[opened.tradeID] = { instrument = tx.instrument, currentUnits = opened.units,
      initialUnits = opened.units }
  end
  local reduced = tx.tradeReduced
  local trade = reduced and self.trades[reduced.tradeID]
  if trade then trade.currentUnits = decimal.add(trade.currentUnits, reduced.units) end
  for _, closed in ipairs(tx.tradesClosed or {}) do self.trades[closed.tradeID] = nil end
end

--- The events of a transaction, if it was not told before.
local function news(self, tx)
  local id = id_of(tx.id)
  if id <= self.told then return end
  self.told = id
  note_trades(self, tx)
  local list = { events_of(self, tx) }
  for _, event in ipairs(list) do event.time, event.raw = unify.time(tx), tx end
  return table.unpack(list)
end

local function tell_late(self, tx)
  for _, event in ipairs { news(self, tx) } do
    event.reconciled = true
    self:push(event)
  end
end

-- ---- lines -------------------------------------------------------------------------

--- Asks for everything behind the last one that was told.
local function catch_up(self)
  local list, err = orders.since(self.venue, "user_stream", self.told)
  if not list then return nil, err end
  for _, tx in ipairs(list) do tell_late(self, tx) end
  return true
end

function Stream:event_of(line)
  local head = line.type and id_of(line.type == "HEARTBEAT" and line.lastTransactionID or line.id)
  if not head then return nil end
  local expected = line.type == "HEARTBEAT" and self.told or self.told + 1
  if head > expected then
    local ok, err = catch_up(self)
    if not ok then
      self:fail(err)
      return nil
    end
  end
  if line.type ~= "HEARTBEAT" then return news(self, line) end
end

--- The stream first, then what came before it: so nothing falls between the two.
function Stream:begin() return catch_up(self) end

--- Connects.  What is open already is asked for first, and the stream goes on from there.
function M.open(venue, inner, given)
  if given ~= nil and type(given) ~= "table" then error("user_stream: a table of options expected", 2) end
  local options = stream_options.read("user_stream", given or {}, {}, 3)
  local account, err = venue:get(("/v3/accounts/%s"):format(venue.key), {}, { signed = true })
  if not account then return nil, err end
  local fields = { token = inner.token, venue = venue, open = {},
    trades = {}, home = account.account.currency, told = id_of(account.lastTransactionID),
    url = ("%s/v3/accounts/%s/transactions/stream"):format(venue.ws_url, venue.key), subscription = venue.key }
  for _, trade in ipairs(account.account.trades) do fields.trades[trade.id] = trade end
  for _, o in ipairs(account.account.orders) do
    fields.open[o.id] = unify.order(o, fields.trades[o.tradeID])
  end
  return events.open(Stream, fields, options, inner)
end

return M
