--- What a risk guard sees: its accounts as their venues tell them, valued in one currency, and what became of them.
local client = require "smc.venue.client"
local decimal = require "smc.decimal"
local errors = require "smc.error"
local prices = require "smc.risk.prices"
local spot = require "smc.risk.spot"
local statistics = require "smc.risk.statistics"
local task = require "smc.core.task"
local tasks = require "smc.task"
local trades = require "smc.risk.trades"

local View = {}
View.__index = View

local M = {}

local PLACES = 18
local DAY_MS = 86400000

--- options: currency, par, assets (a set, or nil: all), sell_assets, stale_after, error_window, counts_losses().
function M.new(venues, options)
  local self = setmetatable({ accounts = {}, options = options, statistics = statistics.new() }, View)
  for i, venue in ipairs(venues) do
    local priced = prices.new(venue, options.currency, options.par)
    self.accounts[i] = { index = i, venue = venue, prices = priced, spot = spot.new(venue, priced, options),
      placed = {} }
    for symbol in pairs(client.traded(venue)) do self.accounts[i].placed[symbol] = true end
  end
  self.trades = trades.new()
  return self
end

-- ---- one account ---------------------------------------------------------------------------

--- price: of one; nil and an error go through.
local function worth(qty, price, err)
  if not price then return nil, err end
  return decimal.mul(qty, price, PLACES)
end

--- The value of what is owned; assets that are not to count are left out.
local function value_of_balances(self, account, balances)
  local sum = "0"
  for asset, b in pairs(balances) do
    if b.total ~= "0" and (not self.options.assets or self.options.assets[asset]) then
      local value, err = worth(b.total, account.prices:of(asset))
      if not value then return nil, err end
      sum = decimal.add(sum, value)
    end
  end
  return sum
end

--- The currency that a position's profit is in: what a contract is settled in, else the account's only one.
local function settled_in(position, balances)
  local home = next(balances)
  if home and next(balances, home) ~= nil then home = nil end
  return position.symbol:match ":(.+)$" or home or position.symbol:match "/(.+)$"
end

--- { asset, value (signed), price } of what is held, and its unrealized profit.
local function valued(account, position, balances)
  local asset, quote = position.symbol:match "^([^/]+)/([^:]+)"
  local price, err
  if position.mark then
    price, err = worth(position.mark, account.prices:of(quote))
  else
    price, err = account.prices:of(asset)
  end
  if not price then return nil, err end
  local value = decimal.mul(position.qty, price, PLACES)
  local profit, unpriced = worth(position.unrealized, account.prices:of(settled_in(position, balances)))
  if not profit then return nil, unpriced end
  return { asset = asset, price = price, value = position.side == "short" and decimal.neg(value) or value }, profit
end

--- Assets as positions, where the guard is to sell them.
local function add_assets(account, balances, held)
  for _, asset in ipairs(account.spot:assets(balances)) do
    local price, err = account.prices:of(asset)
    if not price then return nil, err end
    held[#held + 1] = { asset = asset, price = price, value = decimal.mul(balances[asset].total, price, PLACES) }
  end
  return held
end

--- Equity and what is held, of balances and positions.
local function reckoned(self, account, balances, positions)
  account.prices:begin()
  local equity, err = value_of_balances(self, account, balances)
  if not equity then return nil, err end
  local held = {}
  for i, position in ipairs(positions) do
    local profit
    held[i], profit = valued(account, position, balances)
    if not held[i] then return nil, profit end
    equity = decimal.add(equity, profit)
  end
  if self.options.sell_assets then held, err = add_assets(account, balances, held) end
  if not held then return nil, err end
  return { equity = equity, held = held, balances = balances }
end

local function read_account(self, account)
  local balances, err = account.venue:balances()
  if not balances then return nil, err end
  local positions
  positions, err = account.venue:positions()
  if not positions then return nil, err end
  if self.options.counts_losses() then
    local ok
    ok, err = self.trades:read(account, positions)
    if not ok then return nil, err end
  end
  return reckoned(self, account, balances, positions)
end

--- Whatever goes wrong on the way is an account that can't be read; nil when it was read.
local function read_or_say(self, account)
  local ok, reading, err = pcall(read_account, self, account)
  if ok and reading then
    account.reading, account.read_at, account.failed = reading, task.now(), nil
    return
  end
  err = ok and err or reading
  account.failed = errors.is(err) and err or errors.new { class = "protocol", code = "unreadable",
    message = tostring(err), venue = account.venue.name, op = "risk" }
end

-- ---- all of them ---------------------------------------------------------------------------

--- Reads all accounts, at the same time.  Returns true; nil and the first error when one of them can't be read now.
function View:read()
  local calls = {}
  for i, account in ipairs(self.accounts) do calls[i] = function() read_or_say(self, account) end end
  tasks.all(calls)
  for _, account in ipairs(self.accounts) do
    if account.failed then return nil, account.failed end
  end
  return true
end

--- Why nothing can be said: an account that was not read for longer than it may be.
local function blindness(self)
  for _, account in ipairs(self.accounts) do
    if account.failed and (not account.read_at or task.now() - account.read_at > self.options.stale_after) then
      return tostring(account.failed)
    end
  end
end

local FAILED_STATUS = { [403] = true, [418] = true, [429] = true }

--- Calls of the last error_window seconds that have ended, and how many of them failed.
local function count_calls(self)
  local since, calls, failed = task.now() - self.options.error_window, 0, 0
  for _, account in ipairs(self.accounts) do
    local log = client.inside(account.venue).wire.log
    for i = #log, 1, -1 do
      local entry = log[i]
      if entry.at < since then break end
      if entry.elapsed then
        calls = calls + 1
        if entry.failed or entry.status >= 500 or FAILED_STATUS[entry.status] then failed = failed + 1 end
      end
    end
  end
  return calls, failed
end

local function sums(self)
  local equity, values, by_asset = "0", {}, {}
  for _, account in ipairs(self.accounts) do
    equity = decimal.add(equity, account.reading.equity)
    for _, h in ipairs(account.reading.held) do
      values[#values + 1] = h.value
      by_asset[h.asset] = tonumber(h.price)
    end
  end
  return equity, values, by_asset
end

local function keep_books(self, equity)
  local day = task.wall_ms() // DAY_MS
  if self.day ~= day then self.day, self.day_start = day, equity end
  self.peak = self.peak and decimal.max(self.peak, equity) or equity
  self.equity = equity
end

--- What the core is to judge, as of the last read.  sample: it is one of the regular looks, whose returns count.
function View:judged(sample)
  self.blind = blindness(self)
  local calls, failed = count_calls(self)
  if self.blind then return { blind = true, calls = calls, errors = failed } end
  local equity, values, by_asset = sums(self)
  keep_books(self, equity)
  if sample then self.statistics:sample(tonumber(equity), by_asset) end
  local assets, cells = self.statistics:correlations()
  return { equity = equity, peak = self.peak, day_start = self.day_start, positions = values,
    returns = self.statistics.returns, correlations = cells, n_assets = #assets, losses = self.trades.losses,
    calls = calls, errors = failed }
end

local KEPT = { "peak", "day", "day_start", "statistics" }

--- Begins anew: today's losses, the peak, the returns and lost trades are forgotten.  Returns what takes it back.
function View:rebase()
  local before, losses, last = {}, self.trades.losses, self.trades.last
  for _, name in ipairs(KEPT) do before[name], self[name] = self[name], nil end
  self.statistics = statistics.new()
  self.trades:forget()
  return function()
    for _, name in ipairs(KEPT) do self[name] = before[name] end
    self.trades.losses, self.trades.last = losses, last
  end
end

return M
