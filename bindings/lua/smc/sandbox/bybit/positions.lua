--- Positions of contracts: what an account holds, with which leverage, and what it has closed.
local decimal = require "smc.decimal"
local format = require "smc.sandbox.bybit.format"
local json = require "smc.json"
local orders = require "smc.sandbox.bybit.orders"
local params = require "smc.sandbox.bybit.params"
local refusal = require "smc.sandbox.bybit.refusal"
local spans = require "smc.sandbox.bybit.spans"
local stops = require "smc.sandbox.bybit.stops"

local M = {}

local function row(sb, account, def)
  return format.position(sb, def, sb.market:position(account, def.symbol), sb:kept(account, def))
end

--- Of one symbol, also when it is flat; of a settle coin, those that are not.
local function list(sb, call)
  local v, out = call.values, {}
  if v.symbol then
    local def, no = orders.symbol_of(call)
    if not def then return nil, no end
    out[1] = row(sb, call.account, def)
  elseif #call.market.list > 0 and not v.settleCoin and not v.baseCoin then
    return nil, refusal.no_scope()
  else
    for _, def in ipairs(call.market.list) do
      local held = sb.market:position(call.account, def.symbol).qty ~= "0"
      if held and (v.settleCoin or def.quote) == def.quote and (v.baseCoin or def.base) == def.base then
        out[#out + 1] = row(sb, call.account, def)
      end
    end
  end
  return json.object("category", call.category, "nextPageCursor", "", "list", json.array(out))
end

local function set_leverage(sb, call)
  local def, no = orders.symbol_of(call)
  if not def then return nil, no end
  local buy, sell
  buy, no = params.amount(call.values, "buyLeverage", def.no)
  if buy then sell, no = params.amount(call.values, "sellLeverage", def.no) end
  if not sell then return nil, no end
  if buy ~= sell then return nil, refusal.params "buyLeverage and sellLeverage must be equal" end
  if sb:setting(call.account, "margin_mode") == "PORTFOLIO_MARGIN" then return nil, refusal.portfolio_leverage() end
  if decimal.cmp(buy, "1") < 0 or decimal.cmp(buy, def.max_leverage) > 0 then return nil, refusal.leverage_range() end
  local kept = sb:kept(call.account, def)
  if kept.leverage == buy then return nil, refusal.same_leverage() end
  kept.leverage = buy
  sb.market:set_margin(call.account, def.symbol, decimal.div("1", buy, 8))
  return json.object()
end

--- One-way only: both sides at once is not to be had here.
local function switch_mode(sb, call)
  local mode = call.values.mode
  if mode == "0" then return nil, refusal.same_position_mode() end
  for _, def in ipairs(call.market.list) do
    if sb.market:position(call.account, def.symbol).qty ~= "0" then return nil, refusal.mode_needs_flat() end
    if sb.market:count { account = call.account, symbol = def.symbol } > 0 then
      return nil, refusal.mode_needs_no_orders()
    end
  end
  return nil, refusal.params "mode invalid"
end

local function closed_pnl(sb, call)
  local v = call.values
  local def, bounds, no
  if v.symbol then
    def, no = orders.symbol_of(call)
    if not def then return nil, no end
  end
  bounds, no = spans.of(sb, v)
  if not bounds then return nil, no end
  local found = {}
  for n, c in ipairs(sb.closings) do
    if c.entry.account == call.account and (not def or c.def == def) and c.def.category == call.category
      and c.time_ms >= bounds.from and c.time_ms <= bounds.to then
      found[#found + 1] = { n = n, closed = c }
    end
  end
  local page, more = params.page(found, v, 50, 100)
  if not page then return nil, more end
  local out = {}
  for i, item in ipairs(page) do out[i] = format.closed(sb, item.closed) end
  return json.object("category", call.category, "nextPageCursor", more, "list", json.array(out))
end

local function route(method, path, limit, handle)
  return { method = method, path = "/v5/position/" .. path, private = true, trade = method == "POST", limit = limit,
    category = "contracts", handle = handle }
end

M.routes = {
  route("GET", "list", 50, list), route("GET", "closed-pnl", 50, closed_pnl),
  route("POST", "set-leverage", 10, set_leverage), route("POST", "switch-mode", 10, switch_mode),
  route("POST", "trading-stop", 10, stops.trading_stop),
}

return M
