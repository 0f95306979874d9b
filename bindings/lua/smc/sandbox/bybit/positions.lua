--- Positions of contracts: what an account holds, with which leverage, and what it has closed.
local decimal = require "smc.decimal"
local format = require "smc.sandbox.bybit.format"
local json = require "smc.json"
local params = require "smc.sandbox.bybit.params"
local refusal = require "smc.sandbox.bybit.refusal"
local stops = require "smc.sandbox.bybit.stops"

local M = {}

--- Of one symbol, also when it is flat; of coins, those that are not.
local function list(sb, call)
  local v, held = call.values, {}
  if #call.market.list > 0 and not (v.symbol or v.settleCoin or v.baseCoin) then return nil, refusal.no_scope() end
  for _, def in ipairs(call.defs) do
    if call.def or sb.market:position(call.account, def.symbol).qty ~= "0" then
      held[#held + 1] = def
    end
  end
  local page, more = params.page_forward(held, call)
  for i, def in ipairs(page) do page[i] = format.position(sb, call.account, def) end
  return json.object("category", call.category, "nextPageCursor", more, "list", json.array(page))
end

local function set_leverage(sb, call)
  local def = call.def
  local buy, no = params.amount(call.values, "buyLeverage", def.no)
  local sell
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

--- The leverage of each contract, held or not.
local function leverages(sb, call)
  if sb:setting(call.account, "margin_mode") == "PORTFOLIO_MARGIN" then return nil, refusal.portfolio() end
  local out = {}
  for i, def in ipairs(call.defs) do
    local p = sb.market:position(call.account, def.symbol)
    out[i] = json.object("symbol", def.native, "leverage", sb:kept(call.account, def).leverage,
      "side", format.side_of(p), "positionIdx", 0)
  end
  return json.object("category", call.category, "list", json.array(out))
end

--- One-way only: both sides at once is not to be had here.  Of a coin those are switched that nothing hinders.
local function switch_mode(sb, call)
  local mode, def = call.values.mode, call.def
  if mode ~= "0" and mode ~= "3" then return nil, refusal.params "mode invalid" end
  if not def and not call.values.coin then return nil, refusal.params "symbol or coin is required" end
  if mode == "0" then return nil, refusal.same_position_mode() end
  if def and sb.market:position(call.account, def.symbol).qty ~= "0" then return nil, refusal.mode_needs_flat() end
  if def and sb.market:count(call.account, def.symbol) > 0 then return nil, refusal.mode_needs_no_orders() end
  return nil, refusal.no_hedge_mode()
end

--- Whether a position takes more margin by itself: all that the account has stands for it, either way.
local function set_auto_add_margin(sb, call)
  local on, mode = call.values.autoAddMargin, sb:setting(call.account, "margin_mode")
  if on ~= "0" and on ~= "1" then return nil, refusal.params "autoAddMargin invalid" end
  if mode == "PORTFOLIO_MARGIN" then return nil, refusal.portfolio() end
  if mode ~= "ISOLATED_MARGIN" then return nil, refusal.not_isolated() end
  sb:kept(call.account, call.def).auto_add_margin = math.tointeger(tonumber(on))
  return json.object()
end

--- No position is ever marked as one that may only be reduced.
local function confirm_risk() return nil, refusal.not_reduce_only() end

--- Of classic accounts.  Source: v5/abandon/cross-isolate.
local function switch_isolated() return nil, refusal.unified_only() end

local function closed_pnl(sb, call)
  local found = {}
  for n, c in ipairs(sb.closings) do
    if c.entry.account == call.account and (call.def or c.def) == c.def and c.def.category == call.category
      and c.time_ms >= call.from and c.time_ms <= call.to then
      found[#found + 1] = { n = n, closed = c }
    end
  end
  local page, more = params.page(found, call)
  local out = {}
  for i, item in ipairs(page) do out[i] = format.closed(sb, item.closed) end
  return json.object("category", call.category, "nextPageCursor", more, "list", json.array(out))
end

local function route(method, path, limit, symbol, handle)
  return { method = method, path = "/v5/position/" .. path, private = true, trade = method == "POST", limit = limit,
    category = "contracts", symbol = symbol, handle = handle }
end

local CLOSED = route("GET", "closed-pnl", 50, "order?", closed_pnl)
CLOSED.span, CLOSED.page = true, { 50, 100 }

local LIST = route("GET", "list", 50, "order?", list)
LIST.page = { 20, 200 }

M.routes = { CLOSED, LIST, route("POST", "set-leverage", 10, "order", set_leverage),
  route("GET", "symbol-info", 50, "order?", leverages),
  route("POST", "set-auto-add-margin", 10, "order", set_auto_add_margin),
  route("POST", "confirm-pending-mmr", 10, "order", confirm_risk),
  route("POST", "switch-isolated", 10, "order", switch_isolated),
  route("POST", "switch-mode", 10, "order?", switch_mode),
  route("POST", "trading-stop", 10, "order", stops.trading_stop) }

return M
