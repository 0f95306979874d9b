--- What happens to an account by itself: orders whose moment comes, orders that expire, margin, financing.
local clock = require "smc.sandbox.oanda.clock"
local decimal = require "smc.decimal"
local fills = require "smc.sandbox.oanda.fills"
local instruments = require "smc.sandbox.oanda.instruments"
local json = require "smc.json"
local money = require "smc.sandbox.oanda.money"

local M = {}

local add, mul = decimal.add, decimal.mul

-- ---- margin ------------------------------------------------------------------------

--- Closes every trade that can be closed.
local function close_out(sb)
  for _, def in ipairs(sb.symbols) do
    local held = money.net(sb, def)
    if held ~= "0" and sb:tradeable(def) then
      sb.log:begin(sb:now())
      local order = { type = "MARKET", def = def, units = decimal.neg(held), timeInForce = "FOK",
        positionFill = "REDUCE_ONLY", marginCloseout = json.object("reason", "MARGIN_CHECK_VIOLATION"),
        fill_reason = "MARKET_ORDER_MARGIN_CLOSEOUT" }
      fills.create(sb, order, "MARGIN_CLOSEOUT")
      fills.execute(sb, order)
    end
  end
end

--- Enters and leaves a margin call, and closes all when half of the margin is gone.
local function check_margin(sb)
  if #sb.open_trades == 0 and not sb.margin_call_ms then return end
  local f = money.figures(sb)
  local called = decimal.le("1", f.call_percent)
  if called ~= (sb.margin_call_ms ~= nil) then
    sb.log:begin(sb:now())
    sb.log:add(called and "MARGIN_CALL_ENTER" or "MARGIN_CALL_EXIT")
    sb.margin_call_ms = called and sb:now() or nil
  end
  if decimal.le("1", f.closeout_percent) then close_out(sb) end
end

-- ---- triggers ----------------------------------------------------------------------

--- Prices have changed: fires what fires, in the order of ids, until nothing more does.
function M.check(sb)
  local again
  repeat
    again = false
    for _, order in ipairs(table.move(sb.pending, 1, #sb.pending, 1, {})) do
      if order.state == "PENDING" and sb:tradeable(order.def) and fills.fires(sb, order) then
        sb.log:begin(sb:now())
        fills.execute(sb, order)
        again = true
      end
    end
  until not again
  check_margin(sb)
end

-- ---- by the clock ------------------------------------------------------------------

local function expire(sb)
  for _, order in ipairs(table.move(sb.pending, 1, #sb.pending, 1, {})) do
    local at = order.expires_ms
    if at and at <= sb:now() and order.state == "PENDING" then
      sb.log:begin(sb:now())
      fills.cancel(sb, order, "TIME_IN_FORCE_EXPIRED")
    end
  end
end

local DAYS_CHARGED = { [0] = 0, 1, 1, 3, 1, 1, 0 } -- from Sunday on
local DAYS_OF_YEAR = "365"

--- What holding a trade for so many days costs (less than zero) at home.
local function cost_of_holding(sb, trade, days)
  local rate = money.is_long(trade.units) and instruments.financing.long or instruments.financing.short
  local year = mul(money.value(sb, trade.def, trade.units), rate, 12)
  return money.round(decimal.div(mul(year, tostring(days), 12), DAYS_OF_YEAR, 12))
end

local function financing(sb, days)
  local total, positions, defs = "0", {}, {}
  for _, def in ipairs(sb.symbols) do
    local sum, trades = "0", {}
    for _, trade in ipairs(money.open_trades(sb, def)) do
      local cost = cost_of_holding(sb, trade, days)
      trade.financing, sum = add(trade.financing, cost), add(sum, cost)
      local side = sb.positions[def.symbol][money.is_long(trade.units) and "long" or "short"]
      side.financing = add(side.financing, cost)
      trades[#trades + 1] = json.object("tradeID", trade.id, "financing", money.amount(cost))
    end
    total = add(total, sum)
    if #trades > 0 then
      defs[#defs + 1] = def
      positions[#positions + 1] = json.object("instrument", def.symbol, "financing", money.amount(sum),
        "openTradeFinancings", json.array(trades))
    end
  end
  sb.balance, sb.financing = add(sb.balance, total), add(sb.financing, total)
  sb.log:begin(sb:now())
  sb.log:add("DAILY_FINANCING", "financing", money.amount(total), "accountBalance", money.amount(sb.balance),
    "accountFinancingMode", "DAILY", "positionFinancings", json.array(positions)).defs = defs
end

--- When the next thing happens by the clock, in the market's time.
function M.next_due(sb)
  local due = sb.day_end
  for _, order in ipairs(sb.pending) do
    local at = order.expires_ms
    if at and at < due then due = at end
  end
  return due - sb.skew_ms
end

--- Does what is due.
function M.perform(sb)
  expire(sb)
  if sb.day_end > sb:now() then return end
  local days = DAYS_CHARGED[clock.trading_weekday(sb.day_end)]
  if sb.assume.financing and days > 0 and #sb.open_trades > 0 then financing(sb, days) end
  sb.day_end = clock.day_end(sb.day_end)
  if sb.assume.fx_week then sb:keep_week() end
  M.check(sb)
end

return M
