--- Orders: creating, replacing, cancelling, and looking at them.
local fills = require "smc.sandbox.oanda.fills"
local format = require "smc.sandbox.oanda.format"
local json = require "smc.json"
local params = require "smc.sandbox.oanda.params"
local refusal = require "smc.sandbox.oanda.refusal"
local requests = require "smc.sandbox.oanda.requests"

local M = {}

local function body_of(tx) return tx and tx.json end

--- Enters an order and fills it if its moment has come.  Returns the transactions that make, fill and end it.
function M.submit(sb, order, reason, ...)
  local created = fills.create(sb, order, reason, ...)
  local fires = order.type == "MARKET" or fills.fires(sb, order) and sb:tradeable(order.def)
  if not fires then return created end
  return created, fills.execute(sb, order)
end

--- The transaction that says why not; replaced: the id of the order that it was to take the place of.
function M.reject(sb, order, reason, code, replaced)
  order.instrument = not order.tradeID and order.def and order.def.symbol or nil
  return sb.log:add(order.type .. "_ORDER_REJECT", format.transaction_fields(order, "reason", reason,
    "intendedReplacesOrderID", replaced, "rejectReason", code))
end

--- The account's pending order by id or @client id.  Else nil, and a refusal when the text is neither.
local function find(sb, text)
  if text:sub(1, 1) == "@" then return sb:order_of_client(text:sub(2)) end
  if not text:find "^%d+$" then return nil, refusal.invalid "orderID" end
  return sb.orders[math.tointeger(tonumber(text))]
end

--- Says in the answer where the order is.
function M.locate(call, order)
  call.headers[#call.headers + 1] = { "Location",
    ("%s/v3/accounts/%s/orders/%s"):format(call.origin, call.account, order.id) }
end

local function create(sb, call)
  local order, no = requests.order(sb, call.body.order)
  if not order then return nil, no end
  call.batch = sb.log:begin(sb:now(), call.request_id)
  local wrong = requests.wrong(sb, order)
  if wrong then
    return nil, refusal.reject(wrong, { "orderRejectTransaction", M.reject(sb, order, "CLIENT_ORDER", wrong).json })
  end
  local created, filled, cancelled = M.submit(sb, order, "CLIENT_ORDER")
  call.status = 201
  M.locate(call, order)
  return table.pack("orderCreateTransaction", created.json, "orderFillTransaction", body_of(filled),
    "orderCancelTransaction", body_of(cancelled))
end

--- What a request for an order that is not pending leaves behind.
local function no_such(sb, call, kind, name)
  local client_id = call.order:match "^@(.*)$"
  call.batch = sb.log:begin(sb:now(), call.request_id)
  local tx = sb.log:add(kind, "orderID", not client_id and call.order or nil, "clientOrderID", client_id,
    "rejectReason", "ORDER_DOESNT_EXIST")
  return nil, refusal.reject("ORDER_DOESNT_EXIST", { name, tx.json })
end

local function pending(sb, call)
  local order, no = find(sb, call.order)
  if no then return nil, no end
  return order and order.state == "PENDING" and order
end

--- Puts an order in the place of another.  Returns the cancel of the old one, and what submit returns.
function M.replace(sb, old, order)
  local next_id = ("%d"):format(sb.log.n + 2)
  local gone = fills.cancel(sb, old, "CLIENT_REQUEST_REPLACED", "replacedByOrderID", next_id)
  old.replacedByOrderID, order.replacesOrderID = next_id, old.id
  return gone, M.submit(sb, order, "REPLACEMENT", "replacesOrderID", old.id, "cancellingTransactionID", gone.id)
end

local function replace(sb, call)
  local old, no = pending(sb, call)
  if no then return nil, no end
  local order
  order, no = requests.order(sb, call.body.order)
  if not order then return nil, no end
  if not old then return no_such(sb, call, "ORDER_CANCEL_REJECT", "orderCancelRejectTransaction") end
  call.batch = sb.log:begin(sb:now(), call.request_id)
  local wrong = order.type ~= old.type and "REPLACING_ORDER_INVALID" or requests.wrong(sb, order, old)
    or order.trade ~= old.trade and "REPLACING_TRADE_ID_INVALID" or nil
  if wrong then
    local market = order.type == "MARKET" -- which replaces nothing, and whose transactions have no words for it
    local tx = M.reject(sb, order, market and "CLIENT_ORDER" or "REPLACEMENT", wrong, not market and old.id or nil)
    return nil, refusal.reject(wrong, { "orderRejectTransaction", tx.json })
  end
  local gone, created, filled, cancelled = M.replace(sb, old, order)
  call.status = 201
  M.locate(call, order)
  return table.pack("orderCancelTransaction", gone.json, "orderCreateTransaction", created.json,
    "orderFillTransaction", body_of(filled), "replacingOrderCancelTransaction", body_of(cancelled))
end

local function cancel(sb, call)
  local order, no = pending(sb, call)
  if no then return nil, no end
  if not order then return no_such(sb, call, "ORDER_CANCEL_REJECT", "orderCancelRejectTransaction") end
  call.batch = sb.log:begin(sb:now(), call.request_id)
  return { "orderCancelTransaction", fills.cancel(sb, order, "CLIENT_REQUEST").json }
end

local function changed_extensions(sb, call, order)
  local own, of_trade = requests.extensions(call.body.clientExtensions),
    requests.extensions(call.body.tradeClientExtensions)
  if not own and not of_trade then return nil, nil, "CLIENT_EXTENSIONS_DATA_MISSING" end
  local other = own and own.id and sb:order_of_client(own.id)
  return own, of_trade, requests.wrong_extensions(own, "CLIENT_ORDER_")
    or requests.wrong_extensions(of_trade, "CLIENT_TRADE_")
    or of_trade and order.trade and "TRADE_ON_FILL_CLIENT_EXTENSIONS_NOT_SUPPORTED"
    or other and other ~= order and "CLIENT_ORDER_ID_ALREADY_EXISTS" or nil
end

local MODIFY = "ORDER_CLIENT_EXTENSIONS_MODIFY"

local function modify(sb, call)
  local order, no = pending(sb, call)
  if no then return nil, no end
  if not order then return no_such(sb, call, MODIFY .. "_REJECT", "orderClientExtensionsModifyRejectTransaction") end
  local own, of_trade, wrong = changed_extensions(sb, call, order)
  call.batch = sb.log:begin(sb:now(), call.request_id)
  local tx = sb.log:add(wrong and MODIFY .. "_REJECT" or MODIFY, "orderID", order.id,
    "clientOrderID", fills.client_id(order), "clientExtensionsModify", format.extensions(own),
    "tradeClientExtensionsModify", format.extensions(of_trade), "rejectReason", wrong)
  if wrong then return nil, refusal.reject(wrong, { "orderClientExtensionsModifyRejectTransaction", tx.json }) end
  order.clientExtensions = own or order.clientExtensions
  order.tradeClientExtensions = of_trade or order.tradeClientExtensions
  return { "orderClientExtensionsModifyTransaction", tx.json }
end

-- ---- looking -----------------------------------------------------------------------

local STATES = { "PENDING", PENDING = true, FILLED = true, TRIGGERED = true, CANCELLED = true, ALL = true }

local function list(sb, call)
  local fits, no = params.fitting(sb, call, STATES)
  local rows
  if fits then rows, no = params.page(call, sb.order_list, fits, format.order) end
  if not rows then return nil, no end
  return { "orders", json.array(rows) }
end

local function all_pending(sb)
  local rows = {}
  for i = #sb.pending, 1, -1 do rows[#rows + 1] = format.order(sb.pending[i]) end
  return { "orders", json.array(rows) }
end

local function one(sb, call)
  local order, no = find(sb, call.order)
  if no then return nil, no end
  if not order or not sb:visible(order.created_ms) then return nil, refusal.dated(refusal.no_order()) end
  return { "order", format.order(order) }
end

M.routes = {
  { "POST", "orders", create }, { "GET", "orders", list }, { "GET", "pendingOrders", all_pending },
  { "GET", "orders/{order}", one }, { "PUT", "orders/{order}", replace }, { "PUT", "orders/{order}/cancel", cancel },
  { "PUT", "orders/{order}/clientExtensions", modify },
}

return M
