--- What an account can ask about its transactions.
local clock = require "smc.sandbox.oanda.clock"
local json = require "smc.json"
local params = require "smc.sandbox.oanda.params"
local refusal = require "smc.sandbox.oanda.refusal"
local streams = require "smc.sandbox.oanda.streams"

local M = {}

local WEEK_MS = 7 * 24 * 3600 * 1000
local MOST = 1000 -- transactions in an answer

local KINDS = {}
for kind in ([[ORDER FUNDING ADMIN CREATE CLOSE REOPEN CLIENT_CONFIGURE CLIENT_CONFIGURE_REJECT TRANSFER_FUNDS
  TRANSFER_FUNDS_REJECT MARKET_ORDER MARKET_ORDER_REJECT FIXED_PRICE_ORDER LIMIT_ORDER LIMIT_ORDER_REJECT STOP_ORDER
  STOP_ORDER_REJECT MARKET_IF_TOUCHED_ORDER MARKET_IF_TOUCHED_ORDER_REJECT TAKE_PROFIT_ORDER TAKE_PROFIT_ORDER_REJECT
  STOP_LOSS_ORDER STOP_LOSS_ORDER_REJECT TRAILING_STOP_LOSS_ORDER TRAILING_STOP_LOSS_ORDER_REJECT ORDER_FILL
  ORDER_CANCEL ORDER_CANCEL_REJECT ORDER_CLIENT_EXTENSIONS_MODIFY ORDER_CLIENT_EXTENSIONS_MODIFY_REJECT
  TRADE_CLIENT_EXTENSIONS_MODIFY TRADE_CLIENT_EXTENSIONS_MODIFY_REJECT MARGIN_CALL_ENTER MARGIN_CALL_EXTEND
  MARGIN_CALL_EXIT DELAYED_TRADE_CLOSURE DAILY_FINANCING RESET_RESETTABLE_PL ONE_CANCELS_ALL_ORDER
  ONE_CANCELS_ALL_ORDER_REJECT ONE_CANCELS_ALL_ORDER_TRIGGERED]]):gmatch "%u[%u_]+" do KINDS[kind] = true end

--- The set of wanted types, or false for all.
local function wanted_types(call)
  local set, list = params.words(call.values, "type")
  for _, word in ipairs(list or {}) do
    if not KINDS[word] then return nil, refusal.invalid "type" end
  end
  return set or false
end

local function bodies(list)
  local out = {}
  for i, tx in ipairs(list) do out[i] = tx.json end
  return { "transactions", json.array(out) }
end

--- Times of the first and the last transaction in a span, as numbers of transactions.
local function numbers(log, from, to)
  local first, last
  for n = log.first, log.n do
    local tx = log.list[n]
    if tx.time_ms >= from and tx.time_ms <= to then first, last = first or n, n end
  end
  return first, last
end

local function span(sb, call)
  local from, no = params.time(call.values, "from")
  local to
  if from ~= nil then to, no = params.time(call.values, "to") end
  if to == nil then return nil, no end
  to = to or sb:now()
  return from or to - WEEK_MS, to
end

local function pages(sb, call)
  local from, to = span(sb, call)
  if not from then return nil, to end
  local size, no = params.whole(call.values, "pageSize", 100, 0)
  if size and (size < 1 or size > MOST) then no = refusal.page_size() end
  if no then return nil, no end
  local wanted
  wanted, no = wanted_types(call)
  if wanted == nil then return nil, no end
  local urls, count = {}, 0
  local types = select(2, params.words(call.values, "type"))
  local first, last = numbers(sb.log, from, to)
  for n = first or 1, last or 0, size do
    local up_to = math.min(n + size - 1, last)
    count = count + #sb.log:between(n, up_to, wanted or nil)
    urls[#urls + 1] = ("%s/v3/accounts/%s/transactions/idrange?from=%d&to=%d%s"):format(call.origin, sb.account_id, n,
      up_to, types and "&type=" .. table.concat(types, ",") or "")
  end
  return table.pack("from", clock.rfc3339(from), "to", clock.rfc3339(to), "pageSize", size,
    "type", types and json.array(types), "count", count, "pages", json.array(urls))
end

local function one(sb, call)
  local tx = call.id:find "^%d+$" and sb.log.list[math.tointeger(tonumber(call.id))]
  if not tx then return nil, refusal.no_transaction() end
  return { "transaction", tx.json }
end

local function id_param(call, name)
  if call.values[name] == nil then return nil, refusal.missing(name) end
  return params.whole(call.values, name, nil, 0)
end

local function range(sb, call)
  local from, no = id_param(call, "from")
  local to, wanted
  if from then to, no = id_param(call, "to") end
  if to then wanted, no = wanted_types(call) end
  if wanted == nil then return nil, no end
  if from > to or to > sb.log.n or to - from >= MOST then return nil, refusal.range() end
  return bodies(sb.log:between(from, to, wanted or nil))
end

local function since(sb, call)
  local id, no = id_param(call, "id")
  local wanted
  if id then wanted, no = wanted_types(call) end
  if wanted == nil then return nil, no end
  if id > sb.log.n then return nil, refusal.range() end
  return bodies(sb.log:between(id + 1, id + MOST, wanted or nil))
end

M.routes = {
  { "GET", "transactions", pages }, { "GET", "transactions/idrange", range }, { "GET", "transactions/sinceid", since },
  { "GET", "transactions/stream", streams.transactions, stream = true }, { "GET", "transactions/{id}", one },
}

return M
