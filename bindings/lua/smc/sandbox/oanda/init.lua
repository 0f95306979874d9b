--- An OANDA v20 sandbox: what it keeps, whom it tells, what happens by the clock.
local base = require "smc.sandbox.base"
local clock = require "smc.sandbox.oanda.clock"
local forget = require "smc.sandbox.oanda.forget"
local instruments = require "smc.sandbox.oanda.instruments"
local limits = require "smc.sandbox.oanda.limits"
local log = require "smc.sandbox.oanda.log"
local money = require "smc.sandbox.oanda.money"
local pending = require "smc.sandbox.oanda.pending"
local pricing = require "smc.sandbox.oanda.pricing"
local rest = require "smc.sandbox.oanda.rest"
local streams = require "smc.sandbox.oanda.streams"

local M = {}
local Venue, Base = base.class()

local FUNDS = "100000"
local TOKEN_HALF = 32
local FIRST_REQUEST = 60412345678900000

M.assumptions = require "smc.sandbox.oanda.assumptions"

--- The market moves coins for coins, and its accounts must own what they sell.  Ours trade on margin, of which the
-- market knows nothing: each of them can pay for everything.
local function bottomless()
  local out, seen = {}, {}
  for _, def in ipairs(instruments.list) do
    for _, asset in ipairs { def.base, def.quote } do
      if not seen[asset] then out[#out + 1] = { asset, "1000000000000000" } end
      seen[asset] = true
    end
  end
  return out
end

local BOTTOMLESS = bottomless()

--- book: of requests.  options.token, options.account: fixed ones.
function M.new(seed, assume, book, options)
  local self = base.new(Venue, { name = "oanda", seed = seed, assume = assume, book = book,
    symbols = instruments.list, credentials = { key = options and options.token }, key_length = 0, secret_length = 8,
    funds = BOTTOMLESS })
  self.market:want "none"
  self.user_id = self.random:int(1000000, 9999999)
  self.account_id = options and options.account or ("101-004-%d-001"):format(self.user_id)
  self.user_id = tonumber(self.account_id:match "^%d+%-%d+%-(%d+)%-%d+$" or self.user_id)
  self.limits, self.log = limits.new(assume, self.market_opened), log.new(self)
  self.prices, self.halted, self.requests, self.scheme = {}, {}, 0, "http"
  self.alias, self.margin_rate, self.created_ms = "Primary", "0.02", self.market_opened
  self.balance, self.pl, self.financing, self.commission = FUNDS, "0", "0", "0"
  self.orders, self.order_list, self.pending, self.positions = {}, {}, {}, {}
  self.trades, self.open_trades, self.trade_by_id = {}, {}, {}
  self.day_end = clock.day_end(self:now())
  self:open_account()
  self.weekend = false
  if assume.fx_week then self:keep_week() end
  pricing.look(self, self.symbols)
  return self
end

--- What stands at the beginning of every account's log.
function Venue:open_account()
  local now = self:now()
  self.log:begin(now)
  self.log:add("CREATE", "divisionID", 4, "siteID", 101, "accountUserID", self.user_id, "accountNumber", 1,
    "homeCurrency", instruments.home)
  self.log:begin(now)
  self.log:add("TRANSFER_FUNDS", "amount", FUNDS .. ".0000000000", "fundingReason", "CLIENT_FUNDING",
    "accountBalance", FUNDS .. ".0000")
end

--- Tokens of two halves, as the venue's own are.
function Venue:add_key(_, _, account, _, token)
  token = token or self.random:alnum(TOKEN_HALF):lower() .. "-" .. self.random:alnum(TOKEN_HALF):lower()
  self.keys[token] = { api_key = token, account = account }
  return token
end

function Venue:next_request_id()
  self.requests = self.requests + 1
  return ("%d"):format(FIRST_REQUEST + self.requests)
end

function Venue:list(def)
  local m = self.market
  m:instrument { symbol = def.symbol, base = def.base, quote = def.quote, tick = def.tick, step = def.step }
  m:feed { symbol = def.symbol, mid = def.start, spread = def.spread, gap = "0", levels = 3,
    level_qty = def.level_qty, trade_qty = def.trade_qty }
end

--- Whether an instrument trades now.
function Venue:tradeable(def)
  return not self.halted[def.symbol] and not self.weekend
end

--- Stops the trading of an instrument, or lets it go on.
function Venue:halt(def, on)
  self:settle()
  self.halted[def.symbol] = on or nil
  self.market:freeze(def.symbol, not self:tradeable(def))
  self:settle()
  self:arm()
end

function Venue:client_price(def) return pricing.client_price(self, def) end

function Venue:conversions(defs) return pricing.conversions(self, defs) end

function Venue:logged(tx) streams.logged(self, tx) end

function Venue:keep(orders) forget.keep(self, orders) end

function Venue:units_available(def) return money.units_available(self, def) end

function Venue:watched() return false end

-- ---- finding -----------------------------------------------------------------------

--- An open trade by its id, or by its client's.
function Venue:open_trade(id)
  for _, trade in ipairs(self.open_trades) do
    if trade.id == id then return trade end
  end
end

function Venue:trade_of_client(id)
  for _, trade in ipairs(self.open_trades) do
    if trade.extensions and trade.extensions.id == id then return trade end
  end
end

--- Whether what was made then is found by its id already.
function Venue:visible(made_ms) return self:now() - made_ms >= self.assume.read_lag * 1000 end

--- The pending order that a client calls so.
function Venue:order_of_client(id)
  for _, order in ipairs(self.pending) do
    if order.clientExtensions and order.clientExtensions.id == id then return order end
  end
end

-- ---- time --------------------------------------------------------------------------

--- The venue's clock, which shows the time that the market has reached.
function Venue:now() return self.market:time() + self.skew_ms end

--- Closes the market at weekends: its prices stand still.
function Venue:keep_week()
  local weekend = not clock.in_week(self:now())
  if weekend == self.weekend then return end
  self.weekend = weekend
  for _, def in ipairs(self.symbols) do
    self.market:freeze(def.symbol, not self:tradeable(def))
  end
end

--- Prices may have changed: those who wait for them, and those who listen.  Returns whether any had.
local function look(self, defs)
  if not pricing.look(self, defs) and not self.stirred then return false end
  self.stirred = false
  pending.check(self)
  pricing.look(self, defs)
  streams.touch(self)
  return true
end

--- The instruments of which something is pending or open.
local function concerned(self)
  local out, seen = {}, {}
  for _, list in ipairs { self.pending, self.open_trades } do
    for _, entry in ipairs(list) do
      if not seen[entry.def] then out[#out + 1] = entry.def end
      seen[entry.def] = true
    end
  end
  return out
end

--- Goes to a time; step by step, while something depends on the prices on the way.
local function advance(self, to_ms)
  local defs = concerned(self)
  while #defs > 0 do
    local next_ms = self.market:next_ms()
    if not next_ms or next_ms > to_ms then break end
    self.market:advance(next_ms)
    if look(self, defs) then defs = concerned(self) end
  end
  self.market:advance(to_ms)
  look(self, self.symbols)
end

--- Lets everything happen that is due.
function Venue:settle()
  local now, due = self.market_clock(), pending.next_due(self)
  while due <= now do
    advance(self, math.max(due, self.market:time()))
    pending.perform(self)
    look(self, self.symbols)
    due = pending.next_due(self)
  end
  advance(self, now)
end

function Venue:next_due()
  local due = Base.next_due(self)
  return due and math.min(due, pending.next_due(self))
end

-- ---- for scenarios -----------------------------------------------------------------

--- The streams that are open: { kind = "prices"|"transactions", path, streams }.
function Venue:describe_sessions()
  local out = {}
  for i, s in ipairs(streams.open(self)) do
    local names = {}
    for k, def in ipairs(s.defs or {}) do names[k] = def.symbol end
    out[i] = { kind = s.kind, path = s.path, streams = names }
  end
  return out
end

--- Answers one exchange of the server.
function Venue:serve(ex)
  self:settle()
  forget.look(self)
  if not self.limits:connect(ex.connection or 1, self:now()) then
    ex:reset()
    return
  end
  local id = self.book.add(ex.method, ex.path, ex.query or "", ex.body or "", ex:header "authorization" ~= nil, false)
  self.book.note(id, (rest.serve(self, ex)))
end

return M
