--- What changed the balances of an account, coin by coin: trades, funding, what was put in or taken out.
-- Nothing is kept for it but the transfers: the rest is what the venue knows of executions, and the balance after each
-- of them is reckoned back from the one of now.  Source: v5/account/transaction-log.
local decimal = require "smc.decimal"
local format = require "smc.sandbox.bybit.format"
local json = require "smc.json"
local params = require "smc.sandbox.bybit.params"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local add, neg, sub = decimal.add, decimal.neg, decimal.sub

-- An order of which the venue knows no more; what it moved is reckoned with, and not shown.
local FORGOTTEN = { idx = 0 }
local TYPES = { Funding = "SETTLEMENT", BustTrade = "LIQUIDATION" }

-- ---- what happened ---------------------------------------------------------------------------------------------

-- A movement: { def, entry, fill, type, coin, qty, cash, fee, funding, time_ms, at, rank }.  Of two at one time the one
-- with the lower `at` was first, of one fill's the one with the lower rank.

local function contract_movements(def, entry, f, out)
  local funded = entry.exec_type == "Funding"
  out[#out + 1] = { def = def, entry = entry, fill = f, type = TYPES[entry.exec_type] or "TRADE", coin = def.quote,
    qty = f.qty, cash = not funded and f.realized or "0", fee = funded and "0" or f.fee,
    funding = funded and neg(f.fee) or nil, time_ms = f.time_ms, at = f.id or f.trade_id, rank = 1 }
end

--- What is paid, then what is got, less the fee.
local function spot_movements(def, entry, f, out)
  local buys = f.side == "buy"
  for rank, coin in ipairs { buys and def.quote or def.base, buys and def.base or def.quote } do
    local amount = coin == def.base and f.qty or f.quote
    if rank == 1 then amount = neg(amount) end
    out[#out + 1] = { def = def, entry = entry, fill = f, type = "TRADE", coin = coin, qty = amount, cash = amount,
      fee = rank == 2 and f.fee or "0", time_ms = f.time_ms, at = f.id, rank = rank }
  end
end

local function earlier(a, b)
  if a.time_ms ~= b.time_ms then return a.time_ms < b.time_ms end
  if a.def ~= b.def then return (a.def and a.def.index or 0) < (b.def and b.def.index or 0) end
  if a.at ~= b.at then return a.at < b.at end
  return a.rank < b.rank
end

--- All since a time, in their order.
local function movements(sb, account, from_ms)
  local out = {}
  for _, def in ipairs(sb.symbols) do
    for _, f in ipairs(sb.market:fills { account = account, symbol = def.symbol, from_ms = from_ms }) do
      local entry = sb.ledger:of_engine(def.symbol, f.order_id) or FORGOTTEN
      local add_movements = def.contract and contract_movements or spot_movements
      add_movements(def, entry, f, out)
    end
  end
  for _, f in ipairs(sb.fundings) do
    if f.account == account and f.time_ms >= from_ms then contract_movements(f.def, f.entry, f, out) end
  end
  for i, t in ipairs(sb.transfers) do
    if t.account == account and t.time_ms >= from_ms then
      out[#out + 1] = { type = decimal.lt(t.amount, "0") and "TRANSFER_OUT" or "TRANSFER_IN", coin = t.asset,
        qty = t.amount, cash = t.amount, fee = "0", time_ms = t.time_ms, at = i, rank = 1 }
    end
  end
  table.sort(out, earlier)
  return out
end

--- Says of each movement what the coin's balance was after it, and how much of its contract was held.
local function reckon(sb, account, list)
  local cash, held = {}, {}
  for _, b in ipairs(sb.market:balances(account)) do cash[b.asset] = add(b.free, b.locked) end
  for i = #list, 1, -1 do
    local m, def = list[i], list[i].def
    m.change = sub(add(m.cash, m.funding or "0"), m.fee)
    m.balance = cash[m.coin] or "0"
    cash[m.coin] = sub(m.balance, m.change)
    if def and def.contract then
      local which = def.symbol .. " " .. m.entry.idx
      m.size = held[which] or sb:position(account, def, m.entry.idx).qty
      local traded = m.funding and "0" or m.fill.side == "buy" and m.qty or neg(m.qty)
      held[which] = sub(m.size, traded)
    end
  end
end

--- A transfer of the engine.  One is told of funding, too, which is known already.
function M.transferred(sb, e)
  local f = sb.fundings[sb.fundings_told + 1]
  if f and f.account == e.account and e.amount == neg(f.fee) then
    sb.fundings_told = sb.fundings_told + 1
  else
    sb.transfers[#sb.transfers + 1] = e
  end
end

-- ---- as it is shown --------------------------------------------------------------------------------------------

local function rate_of(sb, m)
  if not m.fill then return "0" end
  if not m.funding then return sb:rate(m.def, m.fill.is_maker) end
  return m.fill.side == "buy" and m.fill.rate or neg(m.fill.rate)
end

local function row(sb, m)
  local def, f, entry = m.def, m.fill, m.entry
  return json.object("id", ("%d_%s_%d"):format(sb.uid, def and def.native or m.coin, m.at),
    "symbol", def and def.native or "", "category", def and def.category or "",
    "side", f and format.SIDE[f.side] or "None", "transactionTime", tostring(m.time_ms + sb.skew_ms),
    "type", m.type, "transSubType", "", "qty", m.qty, "size", m.size or "0", "currency", m.coin,
    "tradePrice", f and f.price or "0", "funding", m.funding or "", "fee", m.fee, "cashFlow", m.cash,
    "change", m.change, "cashBalance", m.balance, "feeRate", rate_of(sb, m), "bonusChange", "",
    "tradeId", f and (f.exec_id or format.exec_id(def, f.id, f.side == "sell")) or "",
    "orderId", entry and entry.id or "", "orderLinkId", entry and entry.link or "", "extraFees", "")
end

local function wanted(call, m)
  local v = call.values
  return m.time_ms <= call.to and m.entry ~= FORGOTTEN
    and (not v.category or m.def ~= nil and m.def.category == v.category)
    and (v.currency or m.coin) == m.coin and (v.type or m.type) == m.type
    and (not v.baseCoin or m.def ~= nil and m.def.base == v.baseCoin)
end

local function log(sb, call)
  local v = call.values
  if (v.accountType or "UNIFIED") ~= "UNIFIED" then return nil, refusal.params "accountType only support UNIFIED" end
  if v.category and not sb.categories[v.category] then return nil, refusal.category() end
  local all, found = movements(sb, call.account, call.from), {}
  reckon(sb, call.account, all)
  for n, m in ipairs(all) do
    m.n = n
    if wanted(call, m) then found[#found + 1] = m end
  end
  local page, more = params.page(found, call)
  for i, m in ipairs(page) do page[i] = row(sb, m) end
  return json.object("nextPageCursor", more, "list", json.array(page))
end

M.routes = { { method = "GET", path = "/v5/account/transaction-log", private = true, limit = 25, handle = log,
  span = 24 * 3600 * 1000, page = { 20, 50 } } }

return M
