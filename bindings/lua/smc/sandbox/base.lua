--- What every simulated spot venue is made of: a market with funded accounts, API keys, a clock that can be wrong, and
-- one timer.  A venue is a class over this; it adds `limits`, `serve`, and the hooks named at M.class.
local coins = require "smc.sandbox.coins"
local decimal = require "smc.decimal"
local market = require "smc.core.market"
local rng = require "smc.core.rng"
local sign = require "smc.core.sign"
local subscriptions = require "smc.sandbox.subscriptions"
local task = require "smc.core.task"

local M = {}
local Base = {}
Base.__index = Base

--- A class of venues.  Hooks that it must have: heard(self, events), what the market has just done; watched(self), is
-- anybody told about an account; send(self, topic, event), to all subscribers; describe_sessions(self), for scenarios.
-- And may have: has_audience(self), whether heard need be called; counted(self, market, now), for what is kept of every
-- event, told before: market:tally.
-- Returns the class, and what it is made of, for methods that extend one of those.
function M.class()
  local class = setmetatable({}, Base)
  class.__index = class
  return class, Base
end

--- Opens the market of a symbol; a venue that trades something else than coins for coins has its own.
function Base:list(def)
  local m = self.market
  m:instrument { symbol = def.symbol, base = def.base, quote = def.quote, tick = def.tick,
    step = def.step, maker_fee = self.fee_rate, taker_fee = self.fee_rate }
  m:feed { symbol = def.symbol, mid = def.start, level_qty = def.level_qty, trade_qty = def.trade_qty }
end

local function by(list, field)
  local out = {}
  for _, def in ipairs(list) do out[def[field]] = def end
  return out
end

--- given: name, seed, assume (with commission_bps), book (of requests: add and note, see smc/sandbox.lua), symbols,
-- key_length, secret_length; credentials: fixed key and secret of the account (without one of them: drawn);
-- funds: { asset, amount } of every account (default: coins.funds).
function M.new(class, given)
  local opened = task.wall_ms()
  local self = setmetatable({
    name = given.name, assume = given.assume, book = given.book, random = rng.new(given.seed, given.name),
    skew_ms = 0, market = market.new { seed = given.seed, now_ms = opened }, market_opened = opened,
    market_clock = task.wall_ms, fee_rate = decimal.div(tostring(given.assume.commission_bps), "10000", 8),
    symbols = given.symbols, by_symbol = by(given.symbols, "symbol"), by_name = by(given.symbols, "name"),
    key_length = given.key_length, funds = given.funds or coins.funds, keys = {}, sessions = {},
    topics = {}, topic_of = {},
  }, class)
  self.market:want "orders"
  for _, def in ipairs(self.symbols) do self:list(def) end
  local fixed = given.credentials or {}
  self.secret = fixed.secret or self.random:alnum(given.secret_length)
  self.first_account = self:new_account "main"
  self.key = self:add_key("hmac", self.secret, self.first_account, true, fixed.key)
  return self
end

--- Registers an API key of an account.  material: the secret (hmac) or the public key as PEM.  api_key: its name
-- (default: drawn).  In self.keys its record has beside them the signer, which checks signatures.
function Base:add_key(kind, material, account, can_trade, api_key)
  api_key = api_key or self.random:alnum(self.key_length)
  self.keys[api_key] = { api_key = api_key, kind = kind, material = material, signer = assert(sign.key(kind, material)),
    account = account, can_trade = can_trade }
  return api_key
end

function Base:new_account(name)
  local account = self.market:account { name = name }
  self.last_account = account
  for _, fund in ipairs(self.funds) do self.market:credit(account, fund[1], fund[2]) end
  return account
end

--- The venue's clock, in Unix milliseconds.
function Base:now() return self.market_clock() + self.skew_ms end

function Base.has_audience() return true end
function Base.counted() end

--- Lets the market catch up with the clock and tells whoever listens what happened.  Returns the venue's time.
function Base:settle()
  local m, at = self.market, self.market_clock()
  local now = at + self.skew_ms
  if m:advance(at) == 0 then return now end
  self:counted(m, now)
  if self:has_audience() then self:heard(m:events()) else m:forget() end
  return now
end

--- When something happens next that somebody would notice, in wall milliseconds; nil: never.
function Base:next_due()
  local due = subscriptions.next_due(self)
  if self:watched() then
    local next_ms = self.market:next_ms()
    if next_ms and (not due or next_ms < due) then due = next_ms end
  end
  return due
end

--- Sets the one timer of the market, if anybody would notice what happens.
function Base:arm()
  if self.timer then self.timer:cancel() end
  self.timer = nil
  if self.closed then return end
  local due = self:next_due()
  if not due then return end
  self.timer = task.after(math.max(0, due - task.wall_ms()), function()
    self.timer = nil
    self:settle()
    subscriptions.tick(self, task.wall_ms())
    self:arm()
  end)
end

--- The WebSocket connections that are open, in a list of its own.
function Base:every_session() return { table.unpack(self.sessions) } end

--- The market remembers so many ended orders from now on; a venue that keeps records of its own does alike.
function Base.keep() end

function Base:close()
  self.closed = true
  self:arm()
end

return M
