--- An OANDA v20 sandbox: what it keeps, whom it tells, what happens by the clock.
local base = require "smc.sandbox.base"
local clock = require "smc.sandbox.oanda.clock"
local instruments = require "smc.sandbox.oanda.instruments"
local limits = require "smc.sandbox.oanda.limits"
local log = require "smc.sandbox.oanda.log"
local pricing = require "smc.sandbox.oanda.pricing"
local rest = require "smc.sandbox.oanda.rest"
local streams = require "smc.sandbox.oanda.streams"

local M = {}
local Venue, Base = base.class()

local FUNDS = "100000"
local TOKEN_HALF = 32
local FIRST_REQUEST = 60412345678900000

M.assumptions = require "smc.sandbox.oanda.assumptions"

--- record: called with a description of every request.  options.token, options.account: fixed ones.
function M.new(seed, assume, record, options)
  local self = base.new(Venue, { name = "oanda", seed = seed, assume = assume, record = record,
    symbols = instruments.list, credentials = { key = options and options.token }, key_length = 0, secret_length = 8,
    funds = { { instruments.home, FUNDS } } })
  self.user_id = self.random:int(1000000, 9999999)
  self.account_id = options and options.account or ("101-004-%d-001"):format(self.user_id)
  self.limits, self.log = limits.new(assume, self.market_opened), log.new(self)
  self.prices, self.halted, self.requests = {}, {}, 0
  self.alias, self.created_ms = "Primary", self.market_opened
  self:open_account()
  pricing.look(self)
  return self
end

--- What stands at the beginning of every account's log.
function Venue:open_account()
  local now = self:now()
  self.log:begin(now)
  self.log:add("CREATE", "divisionID", 4, "siteID", 101, "accountUserID", self.user_id, "accountNumber", 1,
    "homeCurrency", instruments.home)
  self.log:begin(now)
  self.log:add("TRANSFER_FUNDS", "amount", FUNDS .. ".0000", "fundingReason", "CLIENT_FUNDING",
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
  return not self.halted[def.symbol] and (not self.assume.fx_week or clock.in_week(self.market:time()))
end

--- Why another margin rate can't be, or nil.
function Venue:check_margin_rate() return nil end

function Venue:set_margin_rate(rate) self.margin_rate = rate end

--- Stops the trading of an instrument, or lets it go on.
function Venue:halt(def, on)
  self:settle()
  self.halted[def.symbol] = on or nil
  self.market:freeze(def.symbol, on)
  self:settle()
  self:arm()
end

function Venue:client_price(def) return pricing.client_price(self, def) end

function Venue:conversions(defs) return pricing.conversions(self, defs) end

function Venue:logged(tx) streams.logged(self, tx) end

function Venue:heard() end

function Venue:watched() return false end

function Venue:settle()
  Base.settle(self)
  if pricing.look(self) then streams.touch(self) end
end

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
  if not self.limits:connect(ex.connection or 1, self:now()) then
    ex:reset()
    return
  end
  local entry = { method = ex.method, path = ex.path, query = ex.query or "", body = ex.body or "", websocket = false,
    signed = ex:header "authorization" ~= nil }
  self:record(entry)
  entry.status = rest.serve(self, ex)
end

return M
