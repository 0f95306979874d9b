--- Trades: closing them, and the orders that hang on them.
local decimal = require "smc.decimal"
local fills = require "smc.sandbox.oanda.fills"
local format = require "smc.sandbox.oanda.format"
local json = require "smc.json"
local orders = require "smc.sandbox.oanda.orders"
local params = require "smc.sandbox.oanda.params"
local refusal = require "smc.sandbox.oanda.refusal"
local requests = require "smc.sandbox.oanda.requests"

local M = {}

--- The trade by id or @client id, nil when there is none; and a refusal when the text is neither.
local function find(sb, text)
  if text:sub(1, 1) == "@" then return sb:trade_of_client(text:sub(2)) end
  if not text:find "^%d+$" then return nil, refusal.invalid "tradeID" end
  return sb.trade_by_id[text]
end

local function open(sb, call)
  local trade, no = find(sb, call.trade)
  if no then return nil, no end
  return trade and trade.state == "OPEN" and trade
end

-- ---- closing -----------------------------------------------------------------------

--- How a transaction names a trade: by id and client's id, or by what was asked for when there is none.
local function names_of(trade, asked)
  if trade then return trade.id, trade.extensions and trade.extensions.id end
  return asked:match "^%d+$", asked:match "^@(.*)$"
end

--- Units to close: "ALL", or an amount.  Returns the amount, or nil: it can't be read.
local function amount_of(units, most)
  if units == nil or units == json.null or units == "ALL" then return most end
  local value = params.decimal(units)
  return value and decimal.lt("0", value) and value or nil
end

local function close(sb, call)
  local trade, no = open(sb, call)
  if no then return nil, no end
  local asked = call.body.units
  local units = amount_of(asked, trade and decimal.abs(trade.units) or "1")
  if not units then return nil, refusal.invalid "units" end
  call.batch = sb.log:begin(sb:now(), call.request_id)
  local wrong = not trade and "TRADE_DOESNT_EXIST"
    or not decimal.is_multiple(units, trade.def.step) and "UNITS_PRECISION_EXCEEDED"
    or decimal.lt(decimal.abs(trade.units), units) and "CLOSE_TRADE_UNITS_EXCEED_TRADE_SIZE" or nil
  local whole = trade and decimal.eq(units, decimal.abs(trade.units))
  local id, client_id = names_of(trade, call.trade)
  local shown = json.object("tradeID", id, "clientTradeID", client_id, "units", whole and "ALL" or units)
  local order = { type = "MARKET", timeInForce = "FOK", positionFill = "REDUCE_ONLY", tradeClose = shown,
    def = trade and trade.def, fill_reason = "MARKET_ORDER_TRADE_CLOSE" }
  if wrong then
    return nil, refusal.reject(wrong, { "orderRejectTransaction", orders.reject(sb, order, "TRADE_CLOSE", wrong).json })
  end
  order.units = trade.units:sub(1, 1) == "-" and units or decimal.neg(units)
  order.closes = trade
  local created, filled, cancelled = orders.submit(sb, order, "TRADE_CLOSE")
  return table.pack("orderCreateTransaction", created.json, "orderFillTransaction", filled and filled.json,
    "orderCancelTransaction", cancelled and cancelled.json)
end

-- ---- dependent orders --------------------------------------------------------------

local DEPENDENT = { { "takeProfit", "TAKE_PROFIT" }, { "stopLoss", "STOP_LOSS" },
  { "trailingStopLoss", "TRAILING_STOP_LOSS" } }

--- Reads what is asked for: a list of { name, kind, order | cancel = true }, and given: any was named.  Or nil and a
-- refusal.
local function asked_for(trade, asked, body)
  local out = {}
  local id, client_id = names_of(trade, asked)
  for _, pair in ipairs(DEPENDENT) do
    local name, kind, given = pair[1], pair[2], body[pair[1]]
    out.given = out.given or given ~= nil
    if given == json.null then
      if not trade or trade[kind] then out[#out + 1] = { name = name, kind = kind, cancel = true } end
    elseif given ~= nil then
      local d, no = requests.details(given, name, kind, trade and trade[kind])
      if not d then return nil, no end
      d.type, d.trade, d.tradeID, d.clientTradeID, d.def = kind, trade, id, client_id, trade and trade.def
      d.triggerCondition, d.triggerMode = d.triggerCondition or "DEFAULT", "TOP_OF_BOOK"
      out[#out + 1] = { name = name, kind = kind, order = d }
    end
  end
  return out
end

--- Why an order can't be, or nil.
local function wrong_dependent(sb, trade, item)
  if item.cancel then return nil end
  local id = fills.client_id(item.order)
  local other = id and sb:order_of_client(id)
  return requests.wrong_details(sb, trade.def, item.kind, item.order)
    or other and other ~= trade[item.kind] and "CLIENT_ORDER_ID_ALREADY_EXISTS" or nil
end

local function refuse_dependent(sb, trade, item, wrong)
  if item.cancel then
    local tx = sb.log:add("ORDER_CANCEL_REJECT", "rejectReason", wrong)
    return nil, refusal.reject(wrong, { item.name .. "OrderCancelRejectTransaction", tx.json }, 400)
  end
  local tx = orders.reject(sb, item.order, "CLIENT_ORDER", wrong)
  return nil, refusal.reject(wrong, { item.name .. "OrderRejectTransaction", tx.json }, 400)
end

--- Does one of them.  Appends its transactions to what is answered.
local function apply(sb, trade, item, out)
  local old = trade[item.kind]
  if item.order then item.order.price = fills.details_price(trade, item.kind, item.order) end
  local gone, created, filled, cancelled
  if item.cancel then
    gone = fills.cancel(sb, old, "CLIENT_REQUEST")
  elseif old then
    gone, created, filled, cancelled = orders.replace(sb, old, item.order)
  else
    created, filled, cancelled = orders.submit(sb, item.order, "CLIENT_ORDER")
  end
  for _, part in ipairs { { "OrderCancelTransaction", gone or false }, { "OrderTransaction", created or false },
    { "OrderFillTransaction", filled or false }, { "OrderCreatedCancelTransaction", cancelled or false } } do
    if part[2] then out[#out + 1], out[#out + 2] = item.name .. part[1], part[2].json end
  end
end

local function set_orders(sb, call)
  local trade, no = open(sb, call)
  if no then return nil, no end
  local items
  items, no = asked_for(trade, call.trade, call.body)
  if not items then return nil, no end
  if not items.given then return nil, refusal.missing_data() end
  call.batch = sb.log:begin(sb:now(), call.request_id)
  for _, item in ipairs(items) do
    local wrong = not trade and "TRADE_DOESNT_EXIST" or wrong_dependent(sb, trade, item)
    if wrong then return refuse_dependent(sb, trade, item, wrong) end
  end
  local out = {}
  for _, item in ipairs(items) do
    if trade.state == "OPEN" then apply(sb, trade, item, out) end
  end
  return out
end

local MODIFY = "TRADE_CLIENT_EXTENSIONS_MODIFY"

local function modify(sb, call)
  local trade, no = open(sb, call)
  if no then return nil, no end
  local given = requests.extensions(call.body.clientExtensions)
  local other = given and given.id and sb:trade_of_client(given.id)
  local wrong = not trade and "TRADE_DOESNT_EXIST" or not given and "CLIENT_EXTENSIONS_DATA_MISSING"
    or requests.wrong_extensions(given, "CLIENT_TRADE_")
    or other and other ~= trade and "CLIENT_TRADE_ID_ALREADY_EXISTS" or nil
  call.batch = sb.log:begin(sb:now(), call.request_id)
  local id, client_id = names_of(trade, call.trade)
  local tx = sb.log:add(wrong and MODIFY .. "_REJECT" or MODIFY, "tradeID", id, "clientTradeID", client_id,
    "tradeClientExtensionsModify", format.extensions(given), "rejectReason", wrong)
  if wrong then return nil, refusal.reject(wrong, { "tradeClientExtensionsModifyRejectTransaction", tx.json }) end
  trade.extensions = given
  return { "tradeClientExtensionsModifyTransaction", tx.json }
end

-- ---- looking -----------------------------------------------------------------------

local STATES = { "OPEN", OPEN = true, CLOSED = true, CLOSE_WHEN_TRADEABLE = true, ALL = true }

local function list(sb, call)
  local fits, no = params.fitting(sb, call, STATES)
  local rows
  if fits then rows, no = params.page(call, sb.trades, fits, function(trade) return format.trade(sb, trade) end) end
  if not rows then return nil, no end
  return { "trades", json.array(rows) }
end

local function all_open(sb)
  local rows = {}
  for i = #sb.open_trades, 1, -1 do rows[#rows + 1] = format.trade(sb, sb.open_trades[i]) end
  return { "trades", json.array(rows) }
end

local function one(sb, call)
  local trade, no = find(sb, call.trade)
  if no then return nil, no end
  if not trade or not sb:visible(trade.open_ms) then return nil, refusal.dated(refusal.no_trade()) end
  return { "trade", format.trade(sb, trade) }
end

M.routes = {
  { "GET", "trades", list }, { "GET", "openTrades", all_open }, { "GET", "trades/{trade}", one },
  { "PUT", "trades/{trade}/close", close }, { "PUT", "trades/{trade}/orders", set_orders },
  { "PUT", "trades/{trade}/clientExtensions", modify },
}

return M
