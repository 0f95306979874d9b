--- Disconnect protection: an account that switched it on, and then has no connection left that is subscribed to the
-- topic of a product, loses its open orders of that product when it stays away for longer than it said.
local json = require "smc.json"
local params = require "smc.sandbox.bybit.params"
local refusal = require "smc.sandbox.bybit.refusal"
local subscriptions = require "smc.sandbox.subscriptions"

local M = {}

--- The category that a topic protects.
M.topics = { ["dcp.spot"] = "spot", ["dcp.future"] = "linear", ["dcp.option"] = "option" }
local PRODUCTS = { SPOT = "dcp.spot", DERIVATIVES = "dcp.future", OPTIONS = "dcp.option" }
local LEAST, MOST = 3, 300 -- seconds

local function protect(sb, call)
  local topic = PRODUCTS[call.values.product or "OPTIONS"]
  if not topic then return nil, refusal.params "product invalid" end
  local seconds, no = params.whole(call.values, "timeWindow", nil, LEAST)
  if no or not seconds or seconds > MOST then return nil, refusal.params "timeWindow invalid" end
  sb:set(call.account, topic, seconds)
  return json.object()
end

--- What is set for each product.
local function told(sb, call)
  local list = {}
  for _, product in ipairs { "SPOT", "DERIVATIVES", "OPTIONS" } do
    local seconds = sb:setting(call.account, PRODUCTS[product])
    if seconds then
      list[#list + 1] = json.object("product", product, "dcpStatus", "ON", "timeWindow", tostring(seconds))
    end
  end
  return json.object("dcpInfos", json.array(list))
end

local function attended(sb, account, topic)
  for _, session in ipairs(sb.sessions) do
    if session.key and session.key.account == account and subscriptions.index_of(session.names, topic) then
      return true
    end
  end
  return false
end

--- A private connection has ended.
function M.left(sb, session)
  for topic in pairs(M.topics) do
    local account = session.key and session.key.account
    local seconds = account and sb:setting(account, topic)
    if seconds and subscriptions.index_of(session.names, topic) and not attended(sb, account, topic) then
      sb.absent[#sb.absent + 1] = { account = account, topic = topic, due = sb.market:time() + seconds * 1000 }
    end
  end
end

local function cancel_all(sb, account, category)
  for _, def in ipairs(sb.categories[category].list) do
    for _, order in ipairs(sb.market:orders { account = account, symbol = def.symbol, open = true }) do
      sb.ledger:of_engine(def.symbol, order.id).by_dcp = true
    end
    sb.market:cancel_all { account = account, symbol = def.symbol, reason = "system" }
  end
end

--- Cancels what was due up to this moment of the market's time.
function M.catch_up(sb, now_ms)
  for i = #sb.absent, 1, -1 do
    local away = sb.absent[i]
    if attended(sb, away.account, away.topic) then
      table.remove(sb.absent, i)
    elseif away.due <= now_ms then
      table.remove(sb.absent, i)
      sb.market:advance(away.due)
      cancel_all(sb, away.account, M.topics[away.topic])
    end
  end
end

M.routes = { { method = "POST", path = "/v5/order/disconnected-cancel-all", private = true, trade = true, limit = 5,
  handle = protect },
  { method = "GET", path = "/v5/account/query-dcp-info", private = true, limit = 5, handle = told } }

return M
