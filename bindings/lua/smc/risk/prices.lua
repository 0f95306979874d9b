--- What assets are worth in one currency, by the books of one venue: the middle between best bid and best ask.
local decimal = require "smc.decimal"
local errors = require "smc.error"

local Prices = {}
Prices.__index = Prices

local M = {}

local PLACES = 18

--- par: a set of currencies that count as one another.
function M.new(venue, currency, par)
  return setmetatable({ venue = venue, currency = currency, par = par, known = {} }, Prices)
end

--- Another look begins: prices are asked for anew.
function Prices:begin() self.known = {} end

function Prices:same(a, b) return a == b or self.par[a] and self.par[b] or false end

local function unknown(self, message)
  return errors.new { class = "protocol", code = "no_price", message = message, venue = self.venue.name, op = "risk" }
end

--- What can be bought and sold at the venue, without contracts.  Asked for once.
function Prices:listed()
  if self.list then return self.list end
  local list, err = self.venue:instruments()
  if not list then return nil, err end
  self.list = {}
  for _, i in ipairs(list) do
    if not i.symbol:find(":", 1, true) then self.list[#self.list + 1] = i end
  end
  return self.list
end

local function middle(self, symbol)
  local book, err = self.venue:book(symbol, 1)
  if not book then return nil, err end
  if not book.bids[1] or not book.asks[1] then return nil, unknown(self, symbol .. " has no bid, or no ask") end
  return decimal.div(decimal.add(book.bids[1][1], book.asks[1][1]), "2", PLACES)
end

--- Against the currency itself, either way round; nil, and no error, when there is no such pair.
local function direct(self, asset, list)
  for _, i in ipairs(list) do
    if i.base == asset and self:same(i.quote, self.currency) then return middle(self, i.symbol) end
    if i.quote == asset and self:same(i.base, self.currency) then
      local price, err = middle(self, i.symbol)
      if not price then return nil, err end
      return decimal.div("1", price, PLACES)
    end
  end
end

--- By way of one other asset.
local function over_another(self, asset, list)
  for _, i in ipairs(list) do
    local other = i.base == asset and i.quote
    local theirs, err
    if other then theirs, err = direct(self, other, list) end
    if err then return nil, err end
    if theirs then
      local ours
      ours, err = middle(self, i.symbol)
      if not ours then return nil, err end
      return decimal.mul(ours, theirs, PLACES)
    end
  end
end

--- The price of one, or nil and an error.
function Prices:of(asset)
  if self:same(asset, self.currency) then return "1" end
  if self.known[asset] then return self.known[asset] end
  local list, err = self:listed()
  if not list then return nil, err end
  local price
  price, err = direct(self, asset, list)
  if not price and not err then price, err = over_another(self, asset, list) end
  if not price then
    return nil, err or unknown(self, ("nothing tells what %s is in %s; the option assets names those that count")
      :format(asset, self.currency))
  end
  self.known[asset] = price
  return price
end

return M
