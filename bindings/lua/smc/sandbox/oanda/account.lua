--- What an account can ask about itself.
local clock = require "smc.sandbox.oanda.clock"
local decimal = require "smc.decimal"
local fills = require "smc.sandbox.oanda.fills"
local format = require "smc.sandbox.oanda.format"
local instruments = require "smc.sandbox.oanda.instruments"
local json = require "smc.json"
local money = require "smc.sandbox.oanda.money"
local params = require "smc.sandbox.oanda.params"
local refusal = require "smc.sandbox.oanda.refusal"

local M = {}

local function listed(sb)
  return { "accounts", json.array { json.object("id", sb.account_id, "tags", json.array {}) } }
end

local amount = money.amount

--- What prices change: name and value in turn.
local function state_fields(f)
  return "unrealizedPL", amount(f.unrealized), "NAV", amount(f.nav), "marginUsed", amount(f.used),
    "marginAvailable", amount(f.available), "positionValue", amount(f.value),
    "marginCloseoutUnrealizedPL", amount(f.closeout_unrealized), "marginCloseoutNAV", amount(f.closeout_nav),
    "marginCloseoutMarginUsed", amount(f.used), "marginCloseoutPositionValue", amount(f.value),
    "marginCloseoutPercent", decimal.format(f.closeout_percent, 5),
    "withdrawalLimit", amount(decimal.min(f.available, decimal.max("0", f.balance))),
    "marginCallMarginUsed", amount(f.used), "marginCallPercent", decimal.format(f.call_percent, 5)
end

local function positions_held(sb)
  local n = 0
  for _, def in ipairs(sb.symbols) do n = n + (money.net(sb, def) ~= "0" and 1 or 0) end
  return n
end

--- The account as an object; more: what the whole account has beyond a summary.
local function described(sb, more)
  local called = sb.margin_call_ms
  local out = table.pack("guaranteedStopLossOrderMode", "DISABLED", "hedgingEnabled", false, "id", sb.account_id,
    "createdTime", clock.rfc3339(sb.created_ms), "currency", instruments.home, "createdByUserID", sb.user_id,
    "alias", sb.alias, "marginRate", sb.margin_rate, "marginCallEnterTime", called and clock.rfc3339(called),
    "marginCallExtensionCount", called and 0, "lastTransactionID", sb.log:last(), "balance", amount(sb.balance),
    "openTradeCount", #sb.open_trades, "openPositionCount", positions_held(sb), "pendingOrderCount", #sb.pending,
    "lastOrderFillTimestamp", sb.filled_ms and clock.rfc3339(sb.filled_ms),
    "pl", amount(sb.pl), "resettablePL", amount(sb.pl), "resettablePLTime", "0", "financing", amount(sb.financing),
    "commission", amount(sb.commission), "dividendAdjustment", "0", "guaranteedExecutionFees", "0.0000",
    state_fields(money.figures(sb)))
  table.move(more or {}, 1, #(more or {}), out.n + 1, out)
  return json.object(table.unpack(out, 1, out.n + #(more or {})))
end

local function summary(sb) return { "account", described(sb) } end

local function shown(list, show)
  local out = {}
  for i, entry in ipairs(list) do out[i] = show(entry) end
  return json.array(out)
end

local function whole(sb)
  local touched = {}
  for _, def in ipairs(sb.symbols) do
    if sb.positions[def.symbol] then touched[#touched + 1] = def end
  end
  return { "account", described(sb, {
    "trades", shown(sb.open_trades, function(trade) return format.trade(sb, trade, true) end),
    "positions", shown(touched, function(def) return (format.position(sb, def)) end),
    "orders", shown(sb.pending, format.order) }) }
end

local function tradeable(sb, call)
  local defs, no = params.instruments(sb, call.values)
  if defs == nil then return nil, no end
  local out = {}
  for i, def in ipairs(defs or sb.symbols) do out[i] = instruments.describe(def) end
  return { "instruments", json.array(out) }
end

-- ---- changes -----------------------------------------------------------------------

local LONGEST = 1000 -- transactions that changes may span

local CHANGED = { "ordersCreated", "ordersCancelled", "ordersFilled", "ordersTriggered", "tradesOpened",
  "tradesReduced", "tradesClosed", "positions", "transactions" }

--- What the transactions after one have changed: lists by their names.
local function changed_since(sb, since)
  local lists, touched = {}, {}
  for _, name in ipairs(CHANGED) do lists[name] = {} end
  local function put(name, value) if value then table.insert(lists[name], value) end end
  local function order(o) return o and format.order(o) end
  local function trade(t) return t and format.trade(sb, t, true) end
  for _, tx in ipairs(sb.log:between(since + 1, math.maxinteger)) do
    put("transactions", tx.json)
    put("ordersCreated", order(tx.created))
    put("ordersCancelled", order(tx.cancelled))
    put("ordersFilled", order(tx.filled))
    put("tradesOpened", trade(tx.opened))
    for _, cut in ipairs(tx.cuts or {}) do put(cut.closed and "tradesClosed" or "tradesReduced", trade(cut.trade)) end
    for _, def in ipairs(tx.defs or {}) do
      if not touched[def] then put("positions", (format.position(sb, def))) end
      touched[def] = true
    end
  end
  return lists
end

--- How far the price that a pending order watches is from the one that it waits for.
local function order_state(sb, order)
  local watched, at = fills.watched(sb, order), order.trailing or order.price
  local distance = watched and at and decimal.abs(decimal.sub(watched, at))
  return json.object("id", order.id,
    "trailingStopValue", order.trailing and instruments.price(order.def, order.trailing),
    "triggerDistance", distance and instruments.price(order.def, distance), "isTriggerDistanceExact", true)
end

local function trade_state(sb, trade)
  return json.object("id", trade.id, "unrealizedPL", amount(money.unrealized(sb, trade)),
    "marginUsed", amount(money.margin(sb, trade.def, trade.units)))
end

local function position_state(sb, def)
  local _, net, long, short = format.position(sb, def)
  return json.object("instrument", def.symbol, "netUnrealizedPL", amount(net), "longUnrealizedPL", amount(long),
    "shortUnrealizedPL", amount(short), "marginUsed", amount(money.margin(sb, def, money.net(sb, def))))
end

local function state(sb)
  local held = {}
  for _, def in ipairs(sb.symbols) do
    if money.net(sb, def) ~= "0" then held[#held + 1] = def end
  end
  local out = table.pack(state_fields(money.figures(sb)))
  local function put(name, list, show)
    out[out.n + 1], out[out.n + 2] = name, shown(list, function(entry) return show(sb, entry) end)
    out.n = out.n + 2
  end
  put("orders", sb.pending, order_state)
  put("trades", sb.open_trades, trade_state)
  put("positions", held, position_state)
  return json.object(table.unpack(out, 1, out.n))
end

local function changes(sb, call)
  if not call.values.sinceTransactionID then return nil, refusal.missing "sinceTransactionID" end
  local since, no = params.whole(call.values, "sinceTransactionID", nil, 0)
  if not since then return nil, no end
  local last = sb.log.n
  if since > last or last - since > LONGEST then return nil, refusal.range() end
  local lists, out = changed_since(sb, since), {}
  for _, name in ipairs(CHANGED) do out[#out + 1], out[#out + 2] = name, json.array(lists[name]) end
  return { "changes", json.object(table.unpack(out)), "state", state(sb) }
end

-- ---- configuration -----------------------------------------------------------------

local ALIAS_MOST = 128

--- Why a configuration can't be, or nil.
local function wrong_configuration(sb, alias, rate)
  if alias == nil and rate == nil then return "CLIENT_CONFIGURE_DATA_MISSING" end
  if alias ~= nil and (type(alias) ~= "string" or alias == "" or #alias > ALIAS_MOST) then return "ALIAS_INVALID" end
  if rate == nil then return nil end
  local value = params.decimal(rate)
  if not value or decimal.le(value, "0") then return "MARGIN_RATE_INVALID" end
  local f = money.figures(sb, { rate = value })
  if decimal.le("1", f.closeout_percent) then return "MARGIN_RATE_WOULD_TRIGGER_CLOSEOUT" end
  if decimal.le("1", f.call_percent) then return "MARGIN_RATE_WOULD_TRIGGER_MARGIN_CALL" end
  if decimal.lt("1", value) then return "MARGIN_RATE_INVALID" end
end

local function configure(sb, call)
  local alias, rate = call.body.alias, call.body.marginRate
  local wrong = wrong_configuration(sb, alias, rate)
  sb.log:begin(sb:now(), call.request_id)
  local given = { "alias", type(alias) == "string" and alias or nil, "marginRate", rate and params.decimal(rate) }
  if wrong then
    local tx = sb.log:add("CLIENT_CONFIGURE_REJECT", given[1], given[2], given[3], given[4],
      "rejectReason", wrong)
    return nil, refusal.reject(wrong, { "clientConfigureRejectTransaction", tx.json })
  end
  sb.alias = alias or sb.alias
  if rate then sb.margin_rate = params.decimal(rate) end
  return { "clientConfigureTransaction", sb.log:add("CLIENT_CONFIGURE", table.unpack(given, 1, 4)).json }
end

-- ---- the user ----------------------------------------------------------------------

local USER_NAME, COUNTRY = "sandbox", "US"

--- Answers for the user of the token: "@", the id, or "@" and the name; nobody else may be asked about.
local function user_info(describe)
  return function(sb, call)
    local user = call.user
    if user ~= "@" and user ~= tostring(sb.user_id) and user ~= "@" .. USER_NAME then
      return nil, refusal.forbidden()
    end
    return { "userInfo", describe(sb) }
  end
end

local own_info = user_info(function(sb)
  return json.object("username", USER_NAME, "userID", sb.user_id, "country", COUNTRY,
    "emailAddress", USER_NAME .. "@example.com")
end)

local external_info = user_info(function(sb)
  return json.object("userID", sb.user_id, "country", COUNTRY, "FIFO", false)
end)

M.routes = { { "PATCH", "configuration", configure },
  { "GET", "", whole }, { "GET", "summary", summary },
  { "GET", "changes", changes }, { "GET", "instruments", tradeable } }
M.public_routes = { { "GET", "accounts", listed, plain = true },
  { "GET", "users/{user}", own_info, plain = true },
  { "GET", "users/{user}/externalInfo", external_info, plain = true } }

return M
