--- What an account can ask about itself: orders, executions, wallet, key.
local format = require "smc.sandbox.bybit.format"
local json = require "smc.json"
local ledger = require "smc.sandbox.bybit.ledger"
local params = require "smc.sandbox.bybit.params"
local refusal = require "smc.sandbox.bybit.refusal"
local spans = require "smc.sandbox.bybit.spans"

local M = {}

local DAY_MS = 24 * 3600 * 1000
local CLOSED_TAIL = 500

local OPEN = { new = true, partially_filled = true }

--- What the call is about: the symbol of one instrument, or those of the category that have its coins.
local function scope(call)
  local v = call.values
  local def = call.market.by_native[v.symbol]
  if v.symbol and not def then return nil, refusal[call.category].symbol() end
  if def then return { [def.symbol] = true } end
  local out = {}
  for _, each in ipairs(call.market.list) do
    local fits = (v.baseCoin or each.base) == each.base and (v.settleCoin or each.quote) == each.quote
    out[each.symbol] = (fits or not each.contract) or nil
  end
  return out
end

local WAITS = { Order = false, StopOrder = true, tpslOrder = true }

--- Orders of the account that fit: each { n, entry, order }, oldest first.
local function chosen(sb, call, fits)
  local v, out = call.values, {}
  local symbols, no = scope(call)
  if not symbols then return nil, no end
  local list = sb.ledger.list
  if v.orderId or v.orderLinkId then list = { sb.ledger:find(call, v.orderId, v.orderLinkId) } end
  local wanted = WAITS[v.orderFilter]
  for _, entry in ipairs(list) do
    if entry.account == call.account and entry.category == call.category and symbols[entry.symbol]
      and (wanted == nil or wanted == (entry.stop_type ~= nil)) then
      local order = ledger.order_of(sb, entry)
      if fits(order) then out[#out + 1] = { n = entry.n, entry = entry, order = order } end
    end
  end
  return out
end

local function rows(sb, list)
  local out = {}
  for i, item in ipairs(list) do
    out[i] = format.order(sb.by_symbol[item.entry.symbol], item.entry, item.order, sb.skew_ms)
  end
  return out
end

local function listed(call, list, next_cursor)
  return json.object("category", call.category, "nextPageCursor", next_cursor, "list", json.array(list))
end

local function realtime(sb, call)
  local v = call.values
  local by_id = v.orderId or v.orderLinkId
  if #call.market.list > 0 and call.category ~= "spot" and not (by_id or v.symbol or v.settleCoin or v.baseCoin) then
    return nil, refusal.no_scope()
  end
  local list, no = chosen(sb, call, function(order)
    return by_id ~= nil or OPEN[order.status] ~= nil and v.openOnly ~= "1"
      or not OPEN[order.status] and v.openOnly == "1"
  end)
  if not list then return nil, no end
  while not by_id and v.openOnly == "1" and #list > CLOSED_TAIL do table.remove(list, 1) end
  local page, more = params.page(list, v, 20, 50)
  if not page then return nil, more end
  return listed(call, rows(sb, page), more)
end

local function history(sb, call)
  local v = call.values
  local bounds, no = spans.of(sb, v)
  if not bounds then return nil, no end
  local day_ago = sb.market:time() - DAY_MS
  local list
  list, no = chosen(sb, call, function(order)
    return not OPEN[order.status] and (not v.orderStatus or v.orderStatus == format.status(call.market.list[1], order))
      and order.created_ms >= bounds.from and order.created_ms <= bounds.to
      and (order.filled ~= "0" or order.updated_ms >= day_ago)
  end)
  if not list then return nil, no end
  local page, more = params.page(list, v, 20, 50)
  if not page then return nil, more end
  return listed(call, rows(sb, page), more)
end

--- By time, then in an order of their own.
local function earlier(a, b)
  if a.time_ms ~= b.time_ms then return a.time_ms < b.time_ms end
  if a.def ~= b.def then return a.def.index < b.def.index end
  if a.id ~= b.id then return a.id < b.id end
  return a.fill.side < b.fill.side
end

--- Executions of the account that fit, oldest first, each { n, def, entry, fill }; those of funding have no entry.
local function fills(sb, call, bounds, symbols)
  local v, out = call.values, {}
  local by_id = v.orderId or v.orderLinkId
  local asked = by_id and sb.ledger:find(call, v.orderId, v.orderLinkId)
  for _, def in ipairs(call.market.list) do
    for _, f in ipairs((symbols[def.symbol] or asked) and sb.market:fills { account = call.account, symbol = def.symbol,
      from_ms = bounds.from, to_ms = bounds.to } or {}) do
      local entry = sb.ledger:of_engine(def.symbol, f.order_id)
      if not by_id or entry == asked then
        f.trade_id = f.id
        out[#out + 1] = { def = def, entry = entry, fill = f, time_ms = f.time_ms, id = f.id,
          type = entry.liquidation and "BustTrade" or "Trade" }
      end
    end
  end
  for _, f in ipairs(by_id and {} or sb.fundings) do
    if f.account == call.account and call.category == f.def.category and symbols[f.def.symbol]
      and f.time_ms >= bounds.from and f.time_ms <= bounds.to then
      out[#out + 1] = { def = f.def, fill = f, time_ms = f.time_ms, id = f.seq, type = "Funding" }
    end
  end
  local wanted = {}
  for _, item in ipairs(out) do
    if not v.execType or v.execType == item.type then wanted[#wanted + 1] = item end
  end
  table.sort(wanted, earlier)
  for i, item in ipairs(wanted) do item.n = i end
  return wanted
end

local function executions(sb, call)
  local symbols, no = scope(call)
  if not symbols then return nil, no end
  local bounds
  bounds, no = spans.of(sb, call.values)
  if not bounds then return nil, no end
  local page, more = params.page(fills(sb, call, bounds, symbols), call.values, 50, 100)
  if not page then return nil, more end
  local out = {}
  for i, item in ipairs(page) do
    out[i] = item.entry and format.execution(sb, item.def, item.entry, item.fill, ledger.order_of(sb, item.entry))
      or format.funding(sb, item.def, item.fill)
  end
  return listed(call, out, more)
end

local function wallet(sb, call)
  local v = call.values
  if v.accountType ~= "UNIFIED" then return nil, refusal.params "accountType only support UNIFIED" end
  local wanted
  if v.coin then
    wanted = {}
    for coin in v.coin:gmatch("[^,]+") do wanted[coin] = true end
  end
  return json.object("list", json.array { format.wallet(sb, call.account, wanted) })
end

local function info(sb, call)
  local window = sb:setting(call.account, "dcp.spot") or sb:setting(call.account, "dcp.future")
  return json.object("marginMode", sb:setting(call.account, "margin_mode"),
    "updatedTime", tostring(sb.market_opened + sb.skew_ms), "unifiedMarginStatus", 5,
    "dcpStatus", window and "ON" or "OFF", "timeWindow", window or 10, "smpGroup", 0, "isMasterTrader", false,
    "spotHedgingStatus", "OFF")
end

local function fee_rate(sb, call)
  local symbol, list = call.values.symbol, {}
  if symbol and not call.market.by_native[symbol] then return nil, refusal.not_supported() end
  for _, def in ipairs(call.market.list) do
    if not symbol or symbol == def.native then
      list[#list + 1] = json.object("symbol", def.native, "takerFeeRate", sb:rate(def, false),
        "makerFeeRate", sb:rate(def, true))
    end
  end
  return json.object("category", call.category, "list", json.array(list))
end

local function query_api(sb, call)
  local function may(...) return json.array(call.key.can_trade and { ... } or {}) end
  return json.object("id", tostring(sb.uid), "note", "", "apiKey", call.key.api_key, "readOnly",
    call.key.can_trade and 0 or 1, "secret", "", "permissions", json.object("ContractTrade", may("Order", "Position"),
      "Spot", may "SpotTrade", "Wallet", json.array {}, "Options", json.array {}, "Derivatives", may "DerivativesTrade",
      "Exchange", json.array {}), "ips", json.array { "*" }, "type", 1, "unified", 0, "uta", 1, "userID", sb.uid,
    "inviterID", 0, "vipLevel", "No VIP", "mktMakerLevel", "0", "affiliateID", 0, "rsaPublicKey", "",
    "isMaster", true, "parentUid", "0")
end

local function coins() return json.object("rows", json.array {}) end

local MODES = { ISOLATED_MARGIN = true, REGULAR_MARGIN = true, PORTFOLIO_MARGIN = true }

local function set_margin_mode(sb, call)
  local mode = call.values.setMarginMode
  if not MODES[mode] then return nil, refusal.params "setMarginMode invalid" end
  if sb:setting(call.account, "margin_mode") == mode then return nil, refusal.same_margin_mode() end
  sb:set(call.account, "margin_mode", mode)
  return json.object("reasons", json.array {})
end

--- What becomes of prices outside the band: moved to its edge, or refused.
local function set_price_action(sb, call)
  local v = call.values
  if v.modifyEnable ~= "true" and v.modifyEnable ~= "false" then return nil, refusal.params "modifyEnable invalid" end
  sb:set(call.account, "adjust_" .. call.category, v.modifyEnable == "true")
  return json.object()
end

local function user_settings(sb, call)
  return json.object("lpaSpot", sb:setting(call.account, "adjust_spot"), "lpaPerp",
    sb:setting(call.account, "adjust_linear"), "deltaEnable", false, "smsef", false, "fmsef", false)
end

local function route(path, limit, handle, category, method, default)
  return { method = method or "GET", path = "/v5/" .. path, private = true, trade = method == "POST", limit = limit,
    category = category, default = default, handle = handle }
end

M.routes = {
  route("order/realtime", 50, realtime, true), route("order/history", 50, history, true),
  route("execution/list", 50, executions, true), route("account/wallet-balance", 50, wallet),
  route("account/info", 50, info), route("account/fee-rate", 5, fee_rate, true, "GET", "linear"),
  route("user/query-api", 10, query_api),
  route("asset/coin/query-info", 5, coins), route("account/user-setting-config", 50, user_settings),
  route("account/set-margin-mode", 5, set_margin_mode, nil, "POST"),
  route("account/set-limit-px-action", 10, set_price_action, true, "POST"),
}

return M
