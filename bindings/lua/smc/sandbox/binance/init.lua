--- A Binance Spot sandbox: one venue's state, its clock, and its front door.  Its public face is smc/sandbox.lua's.
local decimal = require "smc.decimal"
local limits = require "smc.sandbox.binance.limits"
local market = require "smc.core.market"
local rest = require "smc.sandbox.binance.rest"
local rng = require "smc.core.rng"
local streams = require "smc.sandbox.binance.streams"
local symbols = require "smc.sandbox.binance.symbols"
local task = require "smc.core.task"
local user_events = require "smc.sandbox.binance.user_events"
local ws_api = require "smc.sandbox.binance.ws_api"

local M = {}
local Venue = {}
Venue.__index = Venue

local AVERAGE_MS = 5 * 60 * 1000
local CLIENT_ID_LENGTH = 22
local KEY_LENGTH = 64

M.assumptions = require "smc.sandbox.binance.assumptions"

-- ---- set-up -------------------------------------------------------------------

local function fill_market(self)
  local m = self.market
  m:want "orders"
  for _, def in ipairs(symbols.list) do
    m:instrument { symbol = def.symbol, base = def.base, quote = def.quote, tick = def.tick,
      step = def.step, maker_fee = self.fee_rate, taker_fee = self.fee_rate }
    m:feed { symbol = def.symbol, mid = def.start, level_qty = def.level_qty, trade_qty = def.trade_qty }
  end
end

local function word(self, length)
  return self.random:alnum(length)
end

--- Registers an API key of an account.  material: the secret (hmac) or the public key as PEM (rsa, ed25519).
-- api_key: its name (default: drawn).
function Venue:add_key(kind, material, account, can_trade, api_key)
  api_key = api_key or word(self, KEY_LENGTH)
  self.keys[api_key] = { api_key = api_key, kind = kind, material = material, account = account, can_trade = can_trade }
  return api_key
end

function Venue:new_account(name)
  local account = self.market:account { name = name }
  self.last_account = account
  for _, fund in ipairs(symbols.funds) do self.market:credit(account, fund[1], fund[2]) end
  return account
end

local function by(field)
  local out = {}
  for _, def in ipairs(symbols.list) do out[def[field]] = def end
  return out
end

--- record: called with a description of every request.  given: key and secret of the account (nil, or without
-- one of them: drawn).
function M.new(seed, assume, record, given)
  local opened = task.wall_ms()
  local self = setmetatable({
    assume = assume, record_ = record, random = rng.new(seed, "binance"), skew_ms = 0,
    market = market.new { seed = seed, now_ms = opened }, market_opened = opened, market_clock = task.wall_ms,
    limits = limits.new(assume, opened), fee_rate = decimal.div(tostring(assume.commission_bps), "10000", 8),
    symbols = symbols.list, by_symbol = by "symbol", by_lower = by "lower", by_name = by "name",
    keys = {}, balance_at = {}, amendments = {}, strategies = {},
    sessions = {}, api_sessions = {}, topics = {}, topic_of = {}, uuids = 0,
  }, Venue)
  fill_market(self)
  given = given or {}
  self.secret = given.secret or word(self, KEY_LENGTH)
  self.first_account = self:new_account "main"
  self.key = self:add_key("hmac", self.secret, self.first_account, true, given.key)
  return self
end

-- ---- small services for the handlers ---------------------------------------------

--- The venue's clock, in Unix milliseconds.
function Venue:now() return task.wall_ms() + self.skew_ms end

function Venue:record(entry) self.record_(entry) end

function Venue:new_client_id() return word(self, CLIENT_ID_LENGTH) end

function Venue:new_uuid()
  self.uuids = self.uuids + 1
  return ("%08x-0000-4000-8000-%012x"):format(self.market_opened // 1000, self.uuids)
end

--- What an order was labelled with when it was placed, which the engine does not know.
function Venue:set_strategy(order, id, kind)
  self.strategies[order.symbol .. "/" .. order.id] = { id = id, kind = kind }
end

--- The order, with its labels if it has any.
function Venue:with_strategy(order)
  local s = self.strategies[order.symbol .. "/" .. order.id]
  if s then order.strategy_id, order.strategy_type = s.id, s.kind end
  return order
end

--- The volume-weighted average of the last five minutes, else the last price; and the time of the last trade.
function Venue:average_price(symbol)
  local now = self.market:time()
  local last = self.market:trades { symbol = symbol, limit = 1 }[1]
  local s = self.market:stats(symbol, now - AVERAGE_MS, now)
  if not s then return last.price, last.time_ms end
  return decimal.div(s.quote_volume, s.volume, 8), last.time_ms
end

-- ---- the passing of time -----------------------------------------------------------

local function credit_first_fill(self, e)
  if e.exec ~= "trade" or e.order.filled ~= e.last_qty then return end
  local credit = e.is_maker and self.assume.maker_fill_credit or self.assume.taker_fill_credit
  self.limits:count_order(e.account, -credit, self:now())
end

--- Lets the market catch up with the clock and tells whoever listens what happened.
function Venue:settle()
  self.market:advance(task.wall_ms())
  local events = self.market:events()
  if #events == 0 then return end
  for _, e in ipairs(events) do
    if e.type == "order" then
      self.last_exec_id = e.exec_id
      self:with_strategy(e.order)
      credit_first_fill(self, e)
    elseif e.type == "balance" then
      self.balance_at[e.account] = e.time_ms
    end
  end
  if #self.api_sessions > 0 then
    user_events.each(events, self:now(), self.skew_ms, function(account, event) ws_api.tell(self, account, event) end)
  end
  if #self.topics > 0 then streams.happened(self, events) end
end

--- Sets the one timer of the market, if anybody would notice what happens.
function Venue:arm()
  if self.timer then self.timer:cancel() end
  self.timer = nil
  if self.closed then return end
  local due = streams.next_due(self)
  if ws_api.has_listeners(self) then
    local next_ms = self.market:next_ms()
    if next_ms and (not due or next_ms < due) then due = next_ms end
  end
  if not due then return end
  self.timer = task.after(math.max(0, due - task.wall_ms()), function()
    self.timer = nil
    self:settle()
    streams.tick(self, task.wall_ms())
    self:arm()
  end)
end

-- ---- the front door -----------------------------------------------------------------

--- Answers one exchange of the server.
function Venue:serve(ex)
  local query, body = ex.query or "", ex.body or ""
  local entry = { method = ex.method, path = ex.path, query = query, body = body, websocket = ex.is_websocket,
    signed = (query .. "&" .. body):find("signature=", 1, true) ~= nil }
  self:record(entry)
  if not ex.is_websocket then
    entry.status = rest.serve(self, ex)
  elseif ex.path == "/ws-api/v3" then
    entry.status = ws_api.accept(self, ex)
  else
    entry.status = streams.accept(self, ex)
  end
end

function Venue:close()
  self.closed = true
  self:arm()
end

return M
