--- What an account can ask about itself: orders, executions, wallet, key.
local format = require "smc.sandbox.bybit.format"
local json = require "smc.json"
local ledger = require "smc.sandbox.bybit.ledger"
local params = require "smc.sandbox.bybit.params"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local DAY_MS = 24 * 3600 * 1000
local CLOSED_TAIL = 500

local OPEN = { new = true, partially_filled = true }

--- A page of the account's orders that fit.  where: see format.order.
local function orders(sb, call, where, fits)
  local v, symbols, found = call.values, {}, {}
  for _, def in ipairs(call.defs) do symbols[def.symbol] = def end
  local list = sb.ledger.list
  if v.orderId or v.orderLinkId then list = { sb.ledger:find(call, v.orderId, v.orderLinkId) } end
  for _, entry in ipairs(list) do
    if entry.account == call.account and entry.category == call.category and symbols[entry.symbol]
      and (v.orderFilter or ledger.kind(entry)) == ledger.kind(entry) then
      local order = ledger.order_of(sb, entry)
      if order and fits(order) then found[#found + 1] = { n = entry.n, entry = entry, order = order } end
    end
  end
  while call.tail and #found > call.tail do table.remove(found, 1) end
  local page, more = params.page(found, call)
  for i, item in ipairs(page) do
    page[i] = format.order(symbols[item.entry.symbol], item.entry, item.order, sb.skew_ms, where)
  end
  return page, more
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
  local closed = v.openOnly == "1"
  call.tail = closed and not by_id and CLOSED_TAIL
  return listed(call, orders(sb, call, nil, function(order)
    return by_id ~= nil or (OPEN[order.status] == nil) == closed
  end))
end

local function history(sb, call)
  local status = call.values.orderStatus
  local day_ago = sb.market:time() - DAY_MS
  return listed(call, orders(sb, call, "history", function(order)
    return not OPEN[order.status] and (not status or status == format.status(call.market.list[1], order))
      and order.created_ms >= call.from and order.created_ms <= call.to
      and (order.filled ~= "0" or order.updated_ms >= day_ago)
  end))
end

--- By time, then in an order of their own.
local function earlier(a, b)
  if a.fill.time_ms ~= b.fill.time_ms then return a.fill.time_ms < b.fill.time_ms end
  if a.def ~= b.def then return a.def.index < b.def.index end
  if a.id ~= b.id then return a.id < b.id end
  return a.fill.side < b.fill.side
end

local function add_fills(sb, call, def, by_id, out)
  local asked = by_id and sb.ledger:find(call, call.values.orderId, call.values.orderLinkId)
  for _, f in ipairs(sb.market:fills { account = call.account, symbol = def.symbol,
    from_ms = not by_id and call.from or nil, to_ms = not by_id and call.to or nil }) do
    local entry = sb.ledger:of_engine(def.symbol, f.order_id)
    if entry and (not by_id or entry == asked) and ledger.order_of(sb, entry) then
      f.trade_id = f.id
      out[#out + 1] = { def = def, entry = entry, fill = f, id = f.id }
    end
  end
end

local function add_fundings(sb, call, def, out)
  for _, f in ipairs(sb.fundings) do
    if f.account == call.account and f.def == def and f.time_ms >= call.from and f.time_ms <= call.to then
      out[#out + 1] = { def = def, entry = f.entry, fill = f, id = f.trade_id }
    end
  end
end

--- An order's id goes before all other filters.
local function executions(sb, call)
  local v, all, wanted = call.values, {}, {}
  local by_id = v.orderId or v.orderLinkId
  for _, def in ipairs(by_id and call.market.list or call.defs) do
    add_fills(sb, call, def, by_id, all)
    if not by_id then add_fundings(sb, call, def, all) end
  end
  table.sort(all, earlier)
  for _, item in ipairs(all) do
    if by_id or not v.execType or v.execType == (item.entry.exec_type or "Trade") then
      wanted[#wanted + 1] = item
      item.n = #wanted
    end
  end
  local page, more = params.page(wanted, call)
  for i, item in ipairs(page) do
    local order = item.fill.order or ledger.order_of(sb, item.entry)
    page[i] = format.execution(sb, item.def, item.entry, item.fill, order)
  end
  return listed(call, page, more)
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
  return json.object("marginMode", sb:setting(call.account, "margin_mode"),
    "updatedTime", tostring(sb.market_opened + sb.skew_ms), "unifiedMarginStatus", 5,
    "dcpStatus", "OFF", "timeWindow", 0, "smpGroup", 0, "isMasterTrader", false,
    "spotHedgingStatus", "OFF")
end

local function fee_rate(sb, call)
  local list = {}
  for i, def in ipairs(call.defs) do
    list[i] = json.object("symbol", def.native, "takerFeeRate", sb:rate(def, false), "makerFeeRate", sb:rate(def, true))
  end
  local category = not call.market.contracts and call.category or nil -- of contracts it is not told
  return json.object("category", category, "list", json.array(list))
end

local function smp_group() return json.object("smpGroup", 0) end

local NO_EXPIRY, CREATED = "1970-01-01T00:00:00Z", "2025-10-13T03:20:45Z"

local function query_api(sb, call)
  local none = json.array {}
  local function may(...) return json.array(call.key.can_trade and { ... } or {}) end
  local permissions = json.object("ContractTrade", may("Order", "Position"), "Spot", may "SpotTrade", "Wallet", none,
    "Options", none, "Derivatives", may "DerivativesTrade", "CopyTrading", none, "BlockTrade", none, "Exchange", none,
    "NFT", none, "Affiliate", none, "Earn", none, "FiatP2P", none, "FiatConvertBroker", none, "FiatGlobalPay", none,
    "FiatBitPay", none, "BitCard", none, "ByXPost", none)
  return json.object("id", tostring(sb.uid), "note", "", "apiKey", call.key.api_key, "readOnly",
    call.key.can_trade and 0 or 1, "secret", "", "permissions", permissions, "ips", json.array { "*" }, "type", 1,
    "deadlineDay", -2, "expiredAt", NO_EXPIRY, "createdAt", CREATED, "unified", 0, "uta", 1, "userID", sb.uid,
    "inviterID", 0, "vipLevel", "No VIP", "mktMakerLevel", "0", "affiliateID", 0, "rsaPublicKey", "",
    "isMaster", true, "parentUid", "0", "kycLevel", "LEVEL_DEFAULT", "kycRegion", "", "userIDInt64", tostring(sb.uid),
    "inviterIDInt64", "0", "affiliateIDInt64", "0")
end

--- Whether there are positions in hedge mode.
local function holds_hedged(sb, account)
  for _, def in ipairs(sb.categories.linear.list) do
    for _, idx in ipairs(sb:indices(account, def)) do
      if idx ~= 0 and sb:position(account, def, idx).qty ~= "0" then return true end
    end
  end
  return false
end

local MODES = { ISOLATED_MARGIN = true, REGULAR_MARGIN = true, PORTFOLIO_MARGIN = true }

local function set_margin_mode(sb, call)
  local mode = call.values.setMarginMode
  if not MODES[mode] then return nil, refusal.params "setMarginMode invalid" end
  if sb:setting(call.account, "margin_mode") == mode then return nil, refusal.same_margin_mode() end
  if mode == "PORTFOLIO_MARGIN" and holds_hedged(sb, call.account) then return nil, refusal.hedged_positions() end
  sb:set(call.account, "margin_mode", mode)
  return json.object("reasons", json.array {})
end

--- What becomes of prices outside the band: moved to its edge, or refused; of all contracts at once.
local function set_price_action(sb, call)
  local v = call.values
  if v.modifyEnable ~= "true" and v.modifyEnable ~= "false" then return nil, refusal.params "modifyEnable invalid" end
  sb:set(call.account, call.market.contracts and "adjust_linear" or "adjust_spot", v.modifyEnable == "true")
  return json.object()
end

--- lpaSpot says that prices are moved, lpaPerp that they are refused.  Source: v5/account/get-user-setting-config.
local function user_settings(sb, call)
  return json.object("lpaSpot", sb:setting(call.account, "adjust_spot"), "lpaPerp",
    not sb:setting(call.account, "adjust_linear"), "deltaEnable", false, "smsef", false, "fmsef", false)
end

--- more: what it has besides.
local function route(path, limit, handle, more)
  local out = { method = "GET", path = "/v5/" .. path, private = true, limit = limit, handle = handle }
  for name, value in pairs(more or {}) do out[name] = value end
  out.trade = out.method == "POST"
  return out
end

M.routes = {
  route("order/realtime", 50, realtime, { category = true, symbol = "order?", page = { 20, 50 } }),
  route("order/history", 50, history, { category = true, symbol = "order?", span = true, page = { 20, 50 } }),
  route("execution/list", 50, executions, { category = true, symbol = "order?", span = true, page = { 50, 100 } }),
  route("account/wallet-balance", 50, wallet), route("account/info", 50, info),
  route("account/fee-rate", 5, fee_rate, { category = true, default = "linear", symbol = "data?" }),
  route("user/query-api", 10, query_api), route("account/smp-group", 5, smp_group),
  route("account/user-setting-config", 50, user_settings),
  route("account/set-margin-mode", 5, set_margin_mode, { method = "POST" }),
  route("account/set-limit-px-action", 10, set_price_action, { method = "POST", category = true }),
}

return M
