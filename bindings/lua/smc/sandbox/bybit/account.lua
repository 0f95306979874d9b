--- What an account can ask about itself: orders, executions, wallet, key.
local format = require "smc.sandbox.bybit.format"
local json = require "smc.json"
local ledger = require "smc.sandbox.bybit.ledger"
local params = require "smc.sandbox.bybit.params"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local WEEK_MS = 7 * 24 * 3600 * 1000
local DAY_MS = 24 * 3600 * 1000
local CLOSED_TAIL = 500

local OPEN = { new = true, partially_filled = true }

--- Orders of the account that fit: each { n, entry, order }, oldest first.
local function chosen(sb, call, fits)
  local v, out = call.values, {}
  local def = call.market.by_native[v.symbol]
  if v.symbol and not def then return nil, refusal[call.category].symbol() end
  for _, entry in ipairs(sb.ledger.list) do
    if entry.account == call.account and entry.category == call.category and (not def or def.symbol == entry.symbol)
      and (not v.orderId or v.orderId == entry.id)
      and (v.orderId or not v.orderLinkId or v.orderLinkId == entry.link) then
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

--- startTime and endTime, seven days apart at most: the one that is missing follows from the other.
local function span(sb, v)
  local from, no = params.whole(v, "startTime", false, 0)
  local to
  if from ~= nil then to, no = params.whole(v, "endTime", false, 0) end
  if to == nil then return nil, no end
  if not from and not to then to = sb:now() end
  from = from or to - WEEK_MS
  to = to or from + WEEK_MS
  if to - from > WEEK_MS then
    return nil, refusal.params "the time range between startTime and endTime exceeds 7 days"
  end
  return { from = from - sb.skew_ms, to = to - sb.skew_ms }
end

local function history(sb, call)
  local v = call.values
  local bounds, no = span(sb, v)
  if not bounds then return nil, no end
  local day_ago = sb.market:time() - DAY_MS
  local list
  list, no = chosen(sb, call, function(order)
    return not OPEN[order.status] and (not v.orderStatus or v.orderStatus == format.status(order))
      and order.created_ms >= bounds.from and order.created_ms <= bounds.to
      and (order.filled ~= "0" or order.updated_ms >= day_ago)
  end)
  if not list then return nil, no end
  local page, more = params.page(list, v, 20, 50)
  if not page then return nil, more end
  return listed(call, rows(sb, page), more)
end

--- Executions of the account that fit, oldest first; `n` numbers them.
local function fills(sb, call, bounds)
  local v, out = call.values, {}
  local asked = (v.orderId or v.orderLinkId) and sb.ledger:find(call, v.orderId, v.orderLinkId)
  for _, def in ipairs(call.market.list) do
    if not v.symbol or v.symbol == def.native or asked then
      for _, f in ipairs(sb.market:fills { account = call.account, symbol = def.symbol, from_ms = bounds.from,
        to_ms = bounds.to }) do
        local entry = sb.ledger:of_engine(def.symbol, f.order_id)
        if not (v.orderId or v.orderLinkId) or entry == asked then
          f.trade_id = f.id
          out[#out + 1] = { def = def, entry = entry, fill = f, n = f.time_ms }
        end
      end
    end
  end
  table.sort(out, function(a, b)
    if a.n ~= b.n then return a.n < b.n end
    if a.def ~= b.def then return a.def.index < b.def.index end
    if a.fill.id ~= b.fill.id then return a.fill.id < b.fill.id end
    return a.fill.side < b.fill.side
  end)
  for i, item in ipairs(out) do item.n = i end
  return out
end

local function executions(sb, call)
  local v = call.values
  local def = call.market.by_native[v.symbol]
  if v.symbol and not def then return nil, refusal[call.category].symbol() end
  local bounds, no = span(sb, v)
  if not bounds then return nil, no end
  local page, more = params.page(v.execType and v.execType ~= "Trade" and {} or fills(sb, call, bounds), v, 50, 100)
  if not page then return nil, more end
  local out = {}
  for i, item in ipairs(page) do
    out[i] = format.execution(item.def, item.entry, item.fill, ledger.order_of(sb, item.entry), sb.fee_rate, sb.skew_ms)
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

local function info(sb)
  return json.object("marginMode", "REGULAR_MARGIN", "updatedTime", tostring(sb.market_opened + sb.skew_ms),
    "unifiedMarginStatus", 5, "dcpStatus", "OFF", "timeWindow", 10, "smpGroup", 0, "isMasterTrader", false,
    "spotHedgingStatus", "OFF")
end

local function fee_rate(sb, call)
  local symbol, list = call.values.symbol, {}
  if symbol and not call.market.by_native[symbol] then return nil, refusal.not_supported() end
  for _, def in ipairs(call.market.list) do
    if not symbol or symbol == def.native then
      list[#list + 1] = json.object("symbol", def.native, "takerFeeRate", sb.fee_rate, "makerFeeRate", sb.fee_rate)
    end
  end
  return json.object("category", call.category, "list", json.array(list))
end

local function query_api(sb, call)
  local trade = call.key.can_trade and json.array { "SpotTrade" } or json.array {}
  return json.object("id", tostring(sb.uid), "note", "", "apiKey", call.key.api_key, "readOnly",
    call.key.can_trade and 0 or 1, "secret", "", "permissions", json.object("ContractTrade", json.array {},
      "Spot", trade, "Wallet", json.array {}, "Options", json.array {}, "Derivatives", json.array {},
      "Exchange", json.array {}), "ips", json.array { "*" }, "type", 1, "unified", 0, "uta", 1, "userID", sb.uid,
    "inviterID", 0, "vipLevel", "No VIP", "mktMakerLevel", "0", "affiliateID", 0, "rsaPublicKey", "",
    "isMaster", true, "parentUid", "0")
end

local function coins() return json.object("rows", json.array {}) end

local function route(path, limit, handle, category)
  return { method = "GET", path = "/v5/" .. path, private = true, limit = limit, category = category, handle = handle }
end

M.routes = {
  route("order/realtime", 50, realtime, true), route("order/history", 50, history, true),
  route("execution/list", 50, executions, true), route("account/wallet-balance", 50, wallet),
  route("account/info", 50, info), route("account/fee-rate", 5, fee_rate, true), route("user/query-api", 10, query_api),
  route("asset/coin/query-info", 5, coins),
}

return M
