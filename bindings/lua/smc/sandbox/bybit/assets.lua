--- The coins of an account: in its wallets, what could be taken out, what it could trade with.
local decimal = require "smc.decimal"
local json = require "smc.json"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local EMPTY = { free = "0", locked = "0" }
local MOST_COINS = 20

--- By coin what is free and locked of it, and what neither an order nor a position holds.
local function wallet(sb, account)
  local out, margin = {}, sb.market:margin(account, "USDT")
  for _, b in ipairs(sb.market:balances(account)) do
    local held = b.asset == "USDT" and decimal.add(margin.position_im, margin.order_im) or "0"
    out[b.asset] = { free = b.free, locked = b.locked, spare = decimal.max("0", decimal.sub(b.free, held)) }
  end
  return out
end

local function names(list)
  local out = {}
  for coin in (list or ""):gmatch "[^,]+" do out[#out + 1] = coin end
  return out
end

--- The wallet that accountType names; that for funding is empty.
local function named_wallet(sb, call)
  local kind = call.values.accountType
  if kind ~= "UNIFIED" and kind ~= "FUND" then return nil, refusal.params "accountType invalid" end
  if kind == "UNIFIED" and not call.values.coin then return nil, refusal.linear.empty "coin" end
  return kind == "UNIFIED" and wallet(sb, call.account) or {}
end

local function amounts(have, coin)
  local b = have[coin] or EMPTY
  return b.spare or "0", decimal.add(b.free, b.locked)
end

local function coins_balance(sb, call)
  local have, no = named_wallet(sb, call)
  if not have then return nil, no end
  local out = {}
  for i, coin in ipairs(names(call.values.coin)) do
    local spare, total = amounts(have, coin)
    out[i] = json.object("coin", coin, "transferBalance", spare, "walletBalance", total, "bonus", "")
  end
  return json.object("memberId", tostring(sb.uid), "accountType", call.values.accountType, "balance", json.array(out))
end

local function coin_balance(sb, call)
  local have, no = named_wallet(sb, call)
  if not have then return nil, no end
  local coin = call.values.coin
  if not coin then return nil, refusal.linear.empty "coin" end
  local spare, total = amounts(have, coin)
  return json.object("accountType", call.values.accountType, "bizType", 1, "accountId", tostring(sb.uid),
    "memberId", tostring(sb.uid), "balance", json.object("coin", coin, "walletBalance", total, "transferBalance", spare,
      "bonus", "0", "transferSafeAmount", "", "ltvTransferSafeAmount", ""))
end

local function transferable(sb, call)
  local coins, have, pairs_of = names(call.values.coinName), wallet(sb, call.account), {}
  if #coins == 0 then return nil, refusal.linear.empty "coinName" end
  if #coins > MOST_COINS then return nil, refusal.params "coinName supports up to 20 coins" end
  for _, coin in ipairs(coins) do
    pairs_of[#pairs_of + 1] = coin
    pairs_of[#pairs_of + 1] = amounts(have, coin)
  end
  return json.object("availableWithdrawal", pairs_of[2], "availableWithdrawalMap",
    json.object(table.unpack(pairs_of)))
end

--- How much an account could buy or sell; nothing can be borrowed.
local function spot_quota(sb, call)
  local def, side = call.def, call.values.side
  if side ~= "Buy" and side ~= "Sell" then return nil, refusal.spot.side() end
  if call.category ~= "spot" then return nil, refusal.category() end
  local buys, best, have = side == "Buy", sb.market:best(def.symbol), wallet(sb, call.account)
  local coin = buys and def.quote or def.base
  local spare = amounts(have, coin)
  local price = (buys and best.ask or best.bid) or "0"
  local qty, amount = spare, decimal.mul(spare, price, 8)
  if buys then
    qty = price ~= "0" and decimal.div(spare, price, 12) or "0"
    amount = decimal.floor_to(spare, "0.00000001")
  end
  qty = decimal.floor_to(qty, "0.0001")
  return json.object("symbol", def.native, "side", side, "maxTradeQty", qty, "maxTradeAmount", amount,
    "spotMaxTradeQty", qty, "spotMaxTradeAmount", amount, "borrowCoin", coin)
end

--- Nothing can be put in or taken out, so that nothing is told of any coin.
local function coins() return json.object("rows", json.array {}) end

local function route(path, limit, handle, category)
  return { method = "GET", path = "/v5/" .. path, private = true, limit = limit, handle = handle,
    category = category, symbol = category and "order" }
end

M.routes = {
  route("asset/transfer/query-account-coins-balance", 5, coins_balance),
  route("asset/transfer/query-account-coin-balance", 450, coin_balance),
  route("account/withdrawal", 50, transferable), route("order/spot-borrow-check", 50, spot_quota, true),
  route("asset/coin/query-info", 5, coins),
}

return M
