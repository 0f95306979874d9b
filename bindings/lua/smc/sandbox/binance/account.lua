--- What an account can ask about itself: balances, orders, fills, its order count.
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"

local M = {}
local pad, ZERO = format.pad, format.ZERO

local DAY_MS = 24 * 3600 * 1000
local UID = 354937868

local function rates(rate) return json.object("maker", rate, "taker", rate, "buyer", ZERO, "seller", ZERO) end

--- By what commission is reduced when it is paid in BNB, which no account here does.
M.discount = json.object("enabledForAccount", false, "enabledForSymbol", false, "discountAsset", "BNB",
  "discount", "0.25000000")

function M.status(sb, call)
  local balances = {}
  for _, b in ipairs(sb.market:balances(call.account)) do
    if not call.values.omitZeroBalances or b.free ~= "0" or b.locked ~= "0" then
      balances[#balances + 1] = json.object("asset", b.asset, "free", pad(b.free), "locked", pad(b.locked))
    end
  end
  local bps = sb.assume.commission_bps
  return json.object(
    "makerCommission", bps, "takerCommission", bps, "buyerCommission", 0, "sellerCommission", 0,
    "commissionRates", rates(pad(sb.fee_rate)),
    "canTrade", call.key.can_trade, "canWithdraw", true, "canDeposit", true, "brokered", false,
    "requireSelfTradePrevention", false, "preventSor", false,
    "updateTime", (sb.balance_at[call.account] or sb.market_opened) + sb.skew_ms, "accountType", "SPOT",
    "balances", json.array(balances), "permissions", json.array { "SPOT" },
    "uid", UID + call.account - sb.first_account)
end

-- ---- orders and fills -------------------------------------------------------------------------

local function describe(order, sb) return format.order(format.view(sb, order)) end

function M.order(sb, call)
  local order, asked = sb:find_order(call, call.values), call.values.origClientOrderId
  if not order then return nil, refusal.no_such_order() end
  if asked and call.values.orderId and asked ~= order.client_id and asked ~= order.orig_client_id then
    return nil, refusal.client_id_of_another()
  end
  if asked and asked ~= order.client_id and not sb.assume.former_client_ids then return nil, refusal.no_such_order() end
  return describe(order, sb)
end

function M.open_orders(sb, call)
  local list = sb.market:orders { account = call.account, symbol = call.values.symbol, open = true }
  return format.each(list, describe, sb)
end

function M.within_a_day(v)
  if v.startTime and v.endTime and v.endTime - v.startTime > DAY_MS then return refusal.over_a_day() end
end

--- By the time of their last change or by id: where both are given, the time counts.
function M.all_orders(sb, call)
  local v = call.values
  local timed = v.startTime ~= nil or v.endTime ~= nil
  return format.each(sb.market:orders(sb:span(v, { account = call.account, from_id = not timed and v.orderId or nil,
    by_update = timed })), describe, sb)
end

function M.which_fills(v)
  if (v.startTime or v.endTime) and (v.orderId or v.fromId) then return refusal.bad_combination() end
  return M.within_a_day(v)
end

local function describe_fill(f, sb)
  return format.fill(f, sb.skew_ms, sb:label({ symbol = f.symbol, id = f.order_id }).list_id)
end

function M.fills(sb, call)
  local v = call.values
  return format.each(sb.market:fills(sb:span(v, { account = call.account, order_id = v.orderId,
    from_id = v.fromId })), describe_fill, sb)
end

--- Of one match by its id, or of an order: all, or a page of them.
function M.which_prevented(v)
  local paged = v.fromPreventedMatchId or v.limit
  if (v.preventedMatchId == nil) == (v.orderId == nil) or v.preventedMatchId and paged
    or v.limit and not v.fromPreventedMatchId then
    return refusal.bad_combination()
  end
end

local match = format.shape("preventedMatchId makerSymbol makerOrderId price takerPreventedQuantity "
  .. "makerPreventedQuantity", { preventedMatchId = { "id" }, makerOrderId = { "maker_order_id" },
    price = { "price", 8 }, takerPreventedQuantity = { "taker_qty", 8 }, makerPreventedQuantity = { "maker_qty", 8 } })

--- The trades with oneself that an order which was just placed would have made, as the answer shows them; nil: none.
function M.matches_of(sb, order)
  local out = {}
  for _, p in ipairs(sb.market:prevented { account = order.account, symbol = order.symbol, order_id = order.id }) do
    out[#out + 1] = match { makerSymbol = order.symbol, order = p }
  end
  return out[1] and json.array(out)
end

function M.prevented(sb, call)
  local v, out = call.values, {}
  for _, p in ipairs(sb.market:prevented(sb:span(v, { account = call.account, order_id = v.orderId,
    from_id = v.preventedMatchId or v.fromPreventedMatchId, limit = v.preventedMatchId and 1 }))) do
    if not v.preventedMatchId or p.id == v.preventedMatchId then
      out[#out + 1] = json.object("symbol", v.symbol, "preventedMatchId", p.id, "takerOrderId", p.taker_order_id,
        "makerSymbol", v.symbol, "makerOrderId", p.maker_order_id, "tradeGroupId", -1,
        "selfTradePreventionMode", format.upper[p.stp], "price", pad(p.price),
        "takerPreventedQuantity", p.taker_qty and pad(p.taker_qty),
        "makerPreventedQuantity", p.maker_qty and pad(p.maker_qty), "transactTime", p.time_ms + sb.skew_ms)
    end
  end
  return json.array(out)
end

-- ---- the rest ----------------------------------------------------------------------------------

function M.order_counts(sb, call) return sb.limits:describe_orders(call.account, call.now) end

function M.commission(sb, call)
  return json.object("symbol", call.values.symbol, "standardCommission", rates(pad(sb.fee_rate)),
    "specialCommission", rates(ZERO), "taxCommission", rates(ZERO), "discount", M.discount)
end

--- Those that count what an account has.
function M.filters(_, call)
  return json.object("exchangeFilters", json.array {}, "symbolFilters", symbols.counting_filters(call.def),
    "assetFilters", json.array {})
end

function M.which_allocations(v)
  if (v.startTime or v.endTime) and (v.orderId or v.fromAllocationId) then return refusal.bad_combination() end
  return M.within_a_day(v)
end

--- A list of what this sandbox never makes.
function M.none() return json.array {} end

return M
