--- How many trades in a row have lost, by the account's own fills.  A trade is an order that makes a position smaller.
local decimal = require "smc.decimal"
local recent = require "smc.venue.recent"

local Trades = {}
Trades.__index = Trades

local M = {}

local KEPT = 5000 -- fills that are remembered
local PLACES = 18

--- Counts from now on.  What it is given later as an account: { venue, index, placed (symbols of orders, a set) }.
function M.new() return setmetatable({ losses = 0, fills = recent.new(KEPT) }, Trades) end

local function signed(side, qty) return (side == "buy" or side == "long") and qty or decimal.neg(qty) end

local function is_short(qty) return qty:sub(1, 1) == "-" end

--- What is held when we begin: later fills are reckoned against that.
local function begin(account, positions)
  local err
  account.since, err = account.venue:time()
  if not account.since then return nil, err end
  account.held = {}
  for _, p in ipairs(positions) do account.held[p.symbol] = { qty = signed(p.side, p.qty), price = p.entry } end
  return true
end

--- Profit of what the fill closes, nil when it closes nothing; and what is held afterwards: { qty (signed), price }.
function M.reckon(held, fill)
  local qty, before = signed(fill.side, fill.qty), held and held.qty or "0"
  local after = decimal.add(before, qty)
  if before == "0" or is_short(before) == is_short(qty) then
    local cost = before == "0" and "0" or decimal.mul(before, held.price, PLACES)
    local paid = decimal.add(cost, decimal.mul(qty, fill.price, PLACES))
    return nil, { qty = after, price = decimal.div(paid, after, PLACES) }
  end
  local turned = after ~= "0" and is_short(after) ~= is_short(before)
  local closed = turned and before or decimal.neg(qty)
  local profit = decimal.mul(closed, decimal.sub(fill.price, held.price), PLACES)
  return profit, { qty = after, price = turned and fill.price or held.price }
end

--- Fills of one order are one trade.
local function count(self, key, profit)
  local last = self.last
  if not last or last.key ~= key then
    last = { key = key, profit = "0", before = self.losses }
    self.last = last
  end
  last.profit = decimal.add(last.profit, profit)
  local word = decimal.cmp(last.profit, "0")
  self.losses = word < 0 and last.before + 1 or word > 0 and 0 or last.before
end

local function quote_of(symbol) return symbol:match ":(.+)$" or symbol:match "/(.+)$" end

local function take(self, account, fill)
  local profit, held = M.reckon(account.held[fill.symbol], fill)
  account.held[fill.symbol] = held
  if fill.realized then profit = fill.realized ~= "0" and fill.realized or nil end
  if not profit then return end
  if fill.fee_asset == quote_of(fill.symbol) then profit = decimal.sub(profit, fill.fee) end
  count(self, account.venue.name .. " " .. fill.symbol .. " " .. fill.order_id, profit)
end

local function symbols_of(account, positions)
  local out = {}
  for symbol in pairs(account.placed) do out[symbol] = true end
  for symbol in pairs(account.held) do out[symbol] = true end
  for _, p in ipairs(positions) do out[p.symbol] = true end
  return out
end

--- What happened in one instant stays as the venue told it.
local function by_time(a, b)
  if a.fill.time ~= b.fill.time then return a.fill.time < b.fill.time end
  return a.n < b.n
end

--- Takes in what one account has traded since the last time, or since the first.
function Trades:read(account, positions)
  if not account.since then return begin(account, positions) end
  local new = {}
  for symbol in pairs(symbols_of(account, positions)) do
    local fills, err = account.venue:fills(symbol, { since = account.since })
    if not fills then return nil, err end
    for _, fill in ipairs(fills) do
      local key = account.index .. " " .. fill.symbol .. " " .. fill.id .. " " .. fill.order_id
      if not self.fills:get(key) then
        self.fills:put(key, true)
        new[#new + 1] = { fill = fill, n = #new }
      end
    end
  end
  table.sort(new, by_time)
  for _, item in ipairs(new) do take(self, account, item.fill) end
  if #new > 0 then account.since = math.max(account.since, new[#new].fill.time) end
  return true
end

--- As if nothing had been lost so far.
function Trades:forget() self.losses, self.last = 0, nil end

return M
