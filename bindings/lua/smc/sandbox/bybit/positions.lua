--- Positions of contracts: what an account holds, with which leverage, and what it has closed.
local decimal = require "smc.decimal"
local format = require "smc.sandbox.bybit.format"
local json = require "smc.json"
local order_params = require "smc.sandbox.bybit.order_params"
local params = require "smc.sandbox.bybit.params"
local refusal = require "smc.sandbox.bybit.refusal"
local stops = require "smc.sandbox.bybit.stops"

local M = {}

--- What a call is about: { def, idx }, in turn.
local function each(sb, call)
  local out = {}
  for _, def in ipairs(call.defs) do
    for _, idx in ipairs(sb:indices(call.account, def)) do out[#out + 1] = { def = def, idx = idx } end
  end
  return out
end

local function is_flat(sb, call, at) return sb:position(call.account, at.def, at.idx).qty == "0" end

--- Of one symbol, also when it is flat; of coins, those that are not.
local function list(sb, call)
  local v, held = call.values, {}
  if #call.market.list > 0 and not (v.symbol or v.settleCoin or v.baseCoin) then return nil, refusal.no_scope() end
  for _, at in ipairs(each(sb, call)) do
    if call.def or not is_flat(sb, call, at) then held[#held + 1] = at end
  end
  local page, more = params.page_forward(held, call)
  for i, at in ipairs(page) do page[i] = format.position(sb, call.account, at.def, at.idx) end
  return json.object("category", call.category, "nextPageCursor", more, "list", json.array(page))
end

-- ---- leverage --------------------------------------------------------------------------

local function lever(sb, account, def, idx, leverage)
  sb:kept(account, def, idx).leverage = leverage
  sb.market:set_margin(account, def.symbol, decimal.div("1", leverage, 8), idx == 2 and "sell" or "buy")
end

--- Only of isolated margin both sides of hedge mode may differ.
local function set_leverage(sb, call)
  local def, indices, mode = call.def, sb:indices(call.account, call.def), sb:setting(call.account, "margin_mode")
  local given, changed = {}, false
  for i, name in ipairs { "buyLeverage", "sellLeverage" } do
    local no
    given[i], no = params.amount(call.values, name, def.no)
    if not given[i] then return nil, no end
  end
  if given[1] ~= given[2] and (#indices == 1 or mode ~= "ISOLATED_MARGIN") then
    return nil, refusal.params "buyLeverage and sellLeverage must be equal"
  end
  if mode == "PORTFOLIO_MARGIN" then return nil, refusal.portfolio_leverage() end
  for _, leverage in ipairs(given) do
    if decimal.cmp(leverage, "1") < 0 or decimal.cmp(leverage, def.max_leverage) > 0 then
      return nil, refusal.leverage_range()
    end
  end
  for i, idx in ipairs(indices) do changed = changed or sb:kept(call.account, def, idx).leverage ~= given[i] end
  if not changed then return nil, refusal.same_leverage() end
  for i, idx in ipairs(indices) do lever(sb, call.account, def, idx, given[i]) end
  return json.object()
end

--- The leverage of each contract, held or not.
local function leverages(sb, call)
  if sb:setting(call.account, "margin_mode") == "PORTFOLIO_MARGIN" then return nil, refusal.portfolio() end
  local out = each(sb, call)
  for i, at in ipairs(out) do
    out[i] = json.object("symbol", at.def.native, "leverage", sb:kept(call.account, at.def, at.idx).leverage,
      "side", format.side_of(sb:position(call.account, at.def, at.idx)), "positionIdx", at.idx)
  end
  return json.object("category", call.category, "list", json.array(out))
end

-- ---- one way, or both --------------------------------------------------------------------

--- What hinders the mode of one contract; nil: nothing.
local function hindered(sb, call, def)
  for _, at in ipairs(each(sb, { account = call.account, defs = { def } })) do
    if not is_flat(sb, call, at) then return refusal.mode_needs_flat() end
  end
  if sb.market:count(call.account, def.symbol) > 0 then return refusal.mode_needs_no_orders() end
end

--- The contracts of a coin are switched but for those that something hinders.
local function switch_mode(sb, call)
  local v, def, hedged = call.values, call.def, call.values.mode == "3"
  if v.mode ~= "0" and not hedged then return nil, refusal.params "mode invalid" end
  if not def and not v.coin then return nil, refusal.params "symbol or coin is required" end
  if #call.defs == 0 then return nil, refusal.no_hedge_mode() end
  if sb:setting(call.account, "margin_mode") == "PORTFOLIO_MARGIN" then return nil, refusal.portfolio() end
  local others = {}
  for _, other in ipairs(call.defs) do
    local meant = (def or other.quote == v.coin) and sb.market:hedged(call.account, other.symbol) ~= hedged
    if meant then others[#others + 1] = other end
  end
  if #others == 0 then return nil, refusal.same_position_mode() end
  local no = def and hindered(sb, call, def)
  if no then return nil, no end
  for _, other in ipairs(others) do
    if not hindered(sb, call, other) then
      local leverage = sb:kept(call.account, other, sb:indices(call.account, other)[1]).leverage
      sb.market:hedge(call.account, other.symbol, hedged)
      for _, idx in ipairs(sb:indices(call.account, other)) do lever(sb, call.account, other, idx, leverage) end
    end
  end
  return json.object()
end

--- Whether a position takes more margin by itself: all that the account has stands for it, either way.
local function set_auto_add_margin(sb, call)
  local on, mode = call.values.autoAddMargin, sb:setting(call.account, "margin_mode")
  local idx, no = order_params.index(sb, call)
  if not idx then return nil, no end
  if on ~= "0" and on ~= "1" then return nil, refusal.params "autoAddMargin invalid" end
  if mode == "PORTFOLIO_MARGIN" then return nil, refusal.portfolio() end
  if mode ~= "ISOLATED_MARGIN" then return nil, refusal.not_isolated() end
  sb:kept(call.account, call.def, idx).auto_add_margin = math.tointeger(tonumber(on))
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
