--- What scenarios hold of an OANDA sandbox, beyond what all sandboxes share.
local decimal = require "smc.decimal"
local fills = require "smc.sandbox.oanda.fills"
local instruments = require "smc.sandbox.oanda.instruments"
local money = require "smc.sandbox.oanda.money"
local boxes = require "smc.sandbox.box"
local rest = require "smc.sandbox.oanda.rest"
local venue = require "smc.sandbox.oanda"

local M = { options = { assume = true, token = true, account = true },
  guide = require "smc.sandbox.oanda.guide",
  door = require "smc.sandbox.oanda.door" }

local Box = boxes.class("oanda", { bearer = true })

--- A new limit of an address: { requests = n, per = seconds }.
function Box:limit(given)
  given = boxes.check_keys("sandbox:limit", given, { requests = true, per = true })
  local n, per = given.requests, given.per
  if math.type(n) ~= "integer" or n < 0 or math.type(per) ~= "integer" or per < 1 then
    error("sandbox:limit: requests, a count, and per, a whole number of seconds, expected", 2)
  end
  boxes.venue(self).limits:change(n, per)
end

local STATUS = { PENDING = "new", FILLED = "filled", CANCELLED = "canceled" }

--- Orders that the venue accepted, oldest first: id client_id symbol side type price qty filled status time_in_force.
-- Filters: client_id, side "buy" or "sell", status "new", "filled", "canceled" or "open", symbol.
function Box:orders(filters)
  filters = boxes.order_filters(filters)
  local sb, def = boxes.venue(self), nil
  if filters.symbol then def = select(2, boxes.def_of(self, filters.symbol, "sandbox:orders")) end
  self:advance()
  local out = {}
  for _, o in ipairs(sb.order_list) do
    local units = o.requested or fills.units_of(o)
    local row = { id = o.id, client_id = fills.client_id(o) or "", symbol = o.def.name, type = o.type:lower(),
      side = money.is_long(units) and "buy" or "sell", price = o.price or "0", qty = decimal.abs(units),
      filled = o.filled or "0", status = STATUS[o.state], time_in_force = o.timeInForce:lower() }
    local status = filters.status == "open" and "new" or filters.status
    if (not filters.client_id or filters.client_id == row.client_id) and (not status or status == row.status)
      and (not filters.side or filters.side == row.side) and (not def or def == o.def) then out[#out + 1] = row end
  end
  return out
end

--- What the account holds: symbol side qty entry unrealized.  Flat ones are left out.
function Box:positions()
  local sb, out = boxes.venue(self), {}
  self:advance()
  for _, def in ipairs(sb.symbols) do
    local units = money.net(sb, def)
    if units ~= "0" then
      local cost, unrealized = "0", "0"
      for _, trade in ipairs(money.open_trades(sb, def)) do
        cost = decimal.add(cost, decimal.mul(trade.units, trade.price, 12))
        unrealized = decimal.add(unrealized, money.unrealized(sb, trade))
      end
      out[#out + 1] = { symbol = def.name, side = money.is_long(units) and "long" or "short", qty = decimal.abs(units),
        entry = instruments.price(def, decimal.div(cost, units)), unrealized = unrealized }
    end
  end
  return out
end

--- The account's balance is so much from now on, in its one currency: { USD = "50000" }.
function Box:fund(given)
  boxes.check_funds("sandbox:fund", given)
  local sb, amount = boxes.venue(self), given[instruments.home]
  if not amount or next(given, next(given)) ~= nil then
    error(("sandbox:fund: the account of oanda has %s alone"):format(instruments.home), 2)
  end
  self:advance()
  local change = decimal.sub(money.round(amount), sb.balance)
  if change == "0" then return end
  sb.balance = money.round(amount)
  sb.log:begin(sb:now())
  sb.log:add("TRANSFER_FUNDS", "amount", money.amount(change), "fundingReason", "CLIENT_FUNDING", "accountBalance",
    money.amount(sb.balance))
end

--- The instrument stops trading: prices stand still, market orders are cancelled with MARKET_HALTED.
function Box:halt(symbol)
  local sb, def = boxes.def_of(self, symbol, "sandbox:halt")
  sb:halt(def, true)
end

function Box:resume(symbol)
  local sb, def = boxes.def_of(self, symbol, "sandbox:resume")
  sb:halt(def, false)
end

--- Here the price alone fills orders, whole.
function Box.fill()
  error("sandbox:fill: orders of oanda are filled by their price alone; move it there", 2)
end

function M.new(seed, options, book)
  local token = options.token
  if token ~= nil and (type(token) ~= "string" or not token:find "^[%w_-]+$" or #token < 8 or #token > 128) then
    error("sandbox oanda: token must be 8 to 128 letters, digits, - or _", 5)
  end
  local account = options.account
  if account ~= nil and (type(account) ~= "string" or not account:find "^%d[%d-]*$" or #account > 64) then
    error("sandbox oanda: account must be digits and dashes, as in 101-004-1234567-001", 5)
  end
  local box, serve, close = boxes.new(Box, venue, seed, options, book)
  box.token, box.account = box.key, boxes.venue(box).account_id
  box.key, box.secret = nil, nil
  return box, serve, close -- not a tail call: an unknown assumption is blamed on the caller's line
end

--- How many orders wait.
function M.open_orders(box) return #boxes.venue(box).pending end

--- What metrics call the path of a request: as many words as the venue has routes, whatever clients send.
function M.template(_, path) return rest.template(path) end

--- Fills in where things are, once the server listens: REST and streams share an origin.
function M.urls(box)
  box.url, box.ws_url = box.origin, box.origin
  boxes.venue(box).scheme = box.origin:match "^%a+"
end

return M
