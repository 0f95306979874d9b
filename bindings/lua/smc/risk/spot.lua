--- Assets of a spot account that a guard is to sell: what of them is an order, and what is too little for one.
local decimal = require "smc.decimal"

local Spot = {}
Spot.__index = Spot

local M = {}

--- prices: of the venue.  options: currency, assets.
function M.new(venue, prices, options)
  return setmetatable({ venue = venue, prices = prices, options = options }, Spot)
end

--- Those that are owned, that count, and that are no money, in order.
function Spot:assets(balances)
  local out, wanted = {}, self.options.assets
  for asset, b in pairs(balances) do
    local counts = not wanted or wanted[asset]
    if counts and b.total ~= "0" and not self.prices:same(asset, self.options.currency) then out[#out + 1] = asset end
  end
  table.sort(out)
  return out
end

--- Whether an order sells at the market what is owned, for money.
function Spot:sells(order, balances)
  local base, quote = tostring(order.symbol):match "^([^/]+)/([^:]+)$"
  local owned = base and balances[base]
  if not owned or order.side ~= "sell" or order.type ~= "market" then return false end
  return self.prices:same(quote, self.options.currency) and type(order.qty) == "string" and decimal.is_valid(order.qty)
    and decimal.le(order.qty, owned.total)
end

local function market_of(self, list, asset)
  for _, i in ipairs(list) do
    if i.base == asset and self.prices:same(i.quote, self.options.currency) then return i end
  end
end

--- The order that sells so much of an asset; nil, and no error, when that is too little for one.
local function sale_of(self, list, asset, total)
  local i = market_of(self, list, asset)
  if not i then return nil end
  local qty = decimal.floor_to(decimal.min(total, i.max_qty), i.step)
  if qty == "0" or decimal.lt(qty, i.min_qty) then return nil end
  local price, err = self.prices:of(asset)
  if not price then return nil, err end
  if i.min_notional and decimal.lt(decimal.mul(qty, price, 18), i.min_notional) then return nil end
  return { symbol = i.symbol, side = "sell", type = "market", qty = qty }
end

--- The orders that sell all that can be sold; nil and an error when that is not known.
function Spot:sales()
  local balances, err = self.venue:balances()
  if not balances then return nil, err end
  local list
  list, err = self.prices:listed()
  if not list then return nil, err end
  self.prices:begin()
  local out = {}
  for _, asset in ipairs(self:assets(balances)) do
    local sale
    sale, err = sale_of(self, list, asset, balances[asset].total)
    if err then return nil, err end
    out[#out + 1] = sale
  end
  return out
end

return M
