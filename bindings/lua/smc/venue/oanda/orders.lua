--- Orders of OANDA: every answer is made of the transactions that the request caused, and so is every order here.
local client = require "smc.venue.client"
local clock = require "smc.venue.oanda.clock"
local errors = require "smc.venue.oanda.errors"
local request = require "smc.venue.oanda.request"
local task = require "smc.core.task"
local text = require "smc.core.text"
local unify = require "smc.venue.oanda.unify"
local words = require "smc.venue.words"

local M = {}

local each, seen = client.each, client.seen

local PAGE = 500 -- orders or trades in one answer
local RANGE = 1000 -- transactions in one answer
local LAG_TRIES, LAG_SECONDS = 4, 0.25 -- an order may be known only half a second after its answer
local DOUBT_WAITS = { 0.5, 2, 4, 5 } -- seconds before each look for an order whose answer is missing

-- ---- asking ------------------------------------------------------------------------

--- What names one order; wrong use is blamed on the caller of the call that was given it.
local function check_one(what, given)
  client.check_one(what, given)
  unify.checked(what, given.symbol, 4)
end

--- How an order is named in a path.
local function specifier(given)
  return given.id and text.percent_encode(tostring(given.id)) or "@" .. text.percent_encode(given.client_id)
end

local function id_of(word) return math.tointeger(tonumber(word)) end

-- What requests read of their answers: lists of what has an id, or one order.
local function identified(one)
  words.text(one.id)
  return one
end
local function transactions(answer) return each(answer.transactions, identified) end
local function trades(answer) return each(answer.trades, identified) end
local function orders(answer) return each(answer.orders, identified) end
local function order(answer) return identified(answer.order) end

--- All transactions behind number `since`, oldest first; also for the stream of the account.
function M.since(self, op, since)
  local out, inner = {}, client.inside(self)
  repeat
    local list, err = request.ask(self, op, "transactions/sinceid", { id = since }, transactions)
    if not list then return nil, err end
    table.move(list, 1, #list, #out + 1, out)
    since = #out > 0 and id_of(out[#out].id) or since
  until #list == 0 or since >= inner.head
  return out
end

--- The transactions that ended some orders, by id.
local function endings(self, op, list)
  local least, most
  for _, o in ipairs(list) do
    for _, name in ipairs { "fillingTransactionID", "cancellingTransactionID" } do
      local id = id_of(o[name])
      if id then least, most = math.min(least or id, id), math.max(most or id, id) end
    end
  end
  local out = {}
  for from = least or 1, most or 0, RANGE do
    local ended, err = request.ask(self, op, "transactions/idrange", { type = "ORDER_FILL,ORDER_CANCEL",
      from = from, to = math.min(most, from + RANGE - 1) }, transactions)
    if not ended then return nil, err end
    for _, tx in ipairs(ended) do out[tx.id] = tx end
  end
  return out
end

--- The trades that orders belong to, by id.
local function trades_of(self, op, list)
  local ids, out = {}, {}
  for _, o in ipairs(list) do
    if o.tradeID and not out[o.tradeID] then ids[#ids + 1], out[o.tradeID] = o.tradeID, true end
  end
  for first = 1, #ids, PAGE do
    local found, err = request.ask(self, op, "trades", { state = "ALL", count = PAGE,
      ids = table.concat(ids, ",", first, math.min(#ids, first + PAGE - 1)) }, trades)
    if not found then return nil, err end
    for _, trade in ipairs(found) do out[trade.id] = trade end
  end
  return out
end

--- Records of orders in the words of all venues, with what became of them.
local function completed(self, op, list)
  local by_id, err = trades_of(self, op, list)
  if not by_id then return nil, err end
  local ends
  ends, err = endings(self, op, list)
  if not ends then return nil, err end
  return each(list, function(o)
    local out = unify.order(o, by_id[o.tradeID])
    local fill, cancel = ends[o.fillingTransactionID], ends[o.cancellingTransactionID]
    if fill then unify.filled(out, fill) end
    if cancel then unify.cancelled(out, cancel) end
    return out
  end)
end

-- ---- placing -----------------------------------------------------------------------

local TYPES = { limit = "LIMIT", market = "MARKET", stop = "STOP", take_profit = "MARKET_IF_TOUCHED" }
local SIGNS = { buy = "", sell = "-" }

local function request_of(given, symbol, id)
  local tif = given.time_in_force or given.type == "market" and "fok" or "gtc"
  return { type = TYPES[given.type], instrument = symbol, units = given.qty and SIGNS[given.side] .. given.qty,
    price = given.trigger_price or given.price, timeInForce = tif:upper(),
    positionFill = given.reduce_only and "REDUCE_ONLY" or "DEFAULT", clientExtensions = { id = id } }
end

--- An order out of the transactions { create, fill, cancel }; nil and an error when it was cancelled for a fault.
local function outcome_of(op, create, fill, cancel)
  local out = unify.order(create)
  if fill then unify.filled(out, fill) end
  if cancel then unify.cancelled(out, cancel) end
  local err = errors.of_cancel(out, op)
  if err then return nil, err end
  return out
end

--- Sends what makes an order of the transactions that transactions_of(answer) finds: create, fill, cancel.  Returns it,
-- or nil and an error.  One that was cancelled at once has been answered all the same, so the guard hears of no error.
local function made(self, op, method, path, params, transactions_of)
  local got, err = request.change(self, op, method, path, params, function(answer)
    local create, fill, cancel = transactions_of(answer)
    if not create then return nil, errors.broken(op, "the answer has no order", 200, true) end
    return table.pack(outcome_of(op, create, fill, cancel))
  end)
  if not got then return nil, err end
  return got[1], got[2]
end

--- Of an answer that places an order.  The one that an order replaces is cancelled there, too.
local function placed(answer)
  local create, cancel = answer.orderCreateTransaction, answer.orderCancelTransaction
  if create and cancel and cancel.orderID ~= create.id then cancel = answer.replacingOrderCancelTransaction end
  return create, answer.orderFillTransaction, cancel
end

--- What became of the order with our id, going by what has happened since; nil when it is not there.
local function found(list, op, client_id)
  local create, fill, cancel
  for _, tx in ipairs(list) do
    if tx.clientExtensions and tx.clientExtensions.id == client_id and tx.type:find "_ORDER" then
      if tx.rejectReason then
        return nil, errors.answered({ http = 400, code = tx.rejectReason, message = "rejected: the answer was lost, "
          .. "transaction " .. tx.id .. " tells" }, op, false)
      end
      create = tx
    elseif create and tx.orderID == create.id then
      if tx.type == "ORDER_FILL" then fill = tx elseif tx.type == "ORDER_CANCEL" then cancel = tx end
    end
  end
  if create then return outcome_of(op, create, fill, cancel) end
end

--- An order whose answer is missing is looked for, for more than ten seconds.  It is never sent again: it may still
-- arrive after the last look.
local function resolve(self, op, since, client_id, doubt)
  for _, seconds in ipairs(DOUBT_WAITS) do
    task.sleep(seconds)
    local list = M.since(self, op, since)
    local out, err = found(list or {}, op, client_id)
    if out or err then return out, err end
  end
  return nil, doubt
end

local Orders = {}

--- Sends the order, and finds out what became of it when its answer is missing.
local function send(self, given, symbol, id)
  local since = client.inside(self).head
  local out, err = made(self, "place", "POST", "orders", { order = request_of(given, symbol, id) }, placed)
  if err and err.class == "unknown_outcome" and not err.order_id then
    return resolve(self, "place", since, id, err)
  end
  return out, err
end

--- Units have a sign at the venue, which is that of the side: one in a quantity would turn a buy into a sell.
local function check_qty(what, qty)
  if qty and qty:find "^%s*[-+]" then error(what .. ": qty has no sign: side says which way", 3) end
end

--- Places an order.  type: limit, market (all of it or nothing, unless time_in_force is "ioc"), stop and take_profit
-- (wait for their trigger_price, then go on as market orders).  client_id is made when it is not given.
function Orders:place(given)
  client.check_place(given, TYPES, true)
  if given.quote_qty or given.self_trade then
    error(("place: oanda has no %s"):format(given.quote_qty and "quote_qty" or "self_trade"), 2)
  end
  if not SIGNS[given.side] then error("place: side is buy or sell", 2) end
  check_qty("place", given.qty)
  local symbol, inner = unify.checked("place", given.symbol), client.inside(self)
  client.note_traded(self, given.symbol)
  local id = given.client_id or client.new_id(self)
  if not inner.head then
    local known, err = request.summary(self, "place")
    if not known then return nil, err end
  end
  return client.placed(self, given.symbol, id, function() return send(self, given, symbol, id) end)
end

-- What of an order is said again when it is replaced: what is left out goes back to its default.
local KEPT = { "type", "instrument", "units", "price", "priceBound", "distance", "timeInForce", "gtdTime",
  "positionFill", "triggerCondition", "clientExtensions", "tradeClientExtensions", "takeProfitOnFill",
  "stopLossOnFill", "trailingStopLossOnFill", "tradeID", "clientTradeID", "guaranteed" }

--- Replaces an open order by one with another qty, price or trigger_price; it gets a new id.
function Orders:amend(given)
  client.check_amend(given)
  unify.checked("amend", given.symbol)
  check_qty("amend", given.qty)
  local old, err = request.ask(self, "amend", "orders/" .. specifier(given), nil, order)
  if not old then return nil, err end
  local new = {}
  for _, name in ipairs(KEPT) do new[name] = old[name] end
  if given.qty and not old.units then
    return nil, errors.not_offered("amend", "the quantity of an order that belongs to a trade is that of the trade")
  end
  if given.qty then new.units = (old.units:sub(1, 1) == "-" and "-" or "") .. given.qty end
  local price = given.trigger_price or given.price
  if price and old.type == "TRAILING_STOP_LOSS" then
    return nil, errors.not_offered("amend", "a trailing stop has no price but a distance")
  end
  new.price, new.distance = price or old.price, not price and old.distance or nil -- of a stop loss one of the two
  return seen(self, made(self, "amend", "PUT", "orders/" .. old.id, { order = new }, placed))
end

-- ---- ending ------------------------------------------------------------------------

--- The order with this number, which may be known a little later than we know of it.
local function by_id(self, op, id)
  local inner = client.inside(self)
  for i = 1, LAG_TRIES do
    local found_one, err = request.ask(self, op, "orders/" .. text.percent_encode(id), nil, order)
    if found_one then return found_one end
    local late = err.code == "NO_SUCH_ORDER" and id_of(id) and id_of(id) <= (inner.head or 0)
    if not late or i == LAG_TRIES then return nil, err end
    task.sleep(LAG_SECONDS)
  end
end

--- By our id the venue finds open orders only; ended ones are among the last that it lists.
local function by_client_id(self, op, given)
  local open, err = request.ask(self, op, "orders/" .. specifier(given), nil, order)
  if open then return open end
  if err.class ~= "unknown_order" then return nil, err end
  local list, broken = request.ask(self, op, "orders", { state = "ALL", instrument = unify.native(given.symbol),
    count = PAGE }, orders)
  if not list then return nil, broken end
  for _, o in ipairs(list) do
    if o.clientExtensions and o.clientExtensions.id == given.client_id then return o end
  end
  return nil, err
end

local function look_up(self, op, given)
  local o, err
  if given.id then o, err = by_id(self, op, tostring(given.id)) else o, err = by_client_id(self, op, given) end
  if not o then return nil, err end
  local list
  list, err = completed(self, op, { o })
  return list and list[1], err
end

--- Cancels an order: { symbol, id | client_id }.
function Orders:cancel(given)
  check_one("cancel", given)
  local id, err = request.change(self, "cancel", "PUT", ("orders/%s/cancel"):format(specifier(given)), nil,
    function(answer) return words.text(answer.orderCancelTransaction.orderID) end)
  if not id then return nil, err end
  return seen(self, look_up(self, "cancel", { id = id }))
end

--- Looks an order up: { symbol, id | client_id }.
function Orders:order(given)
  check_one("order", given)
  return seen(self, look_up(self, "order", given))
end

local function open_orders(self, op, symbol)
  local list, err = request.ask(self, op, "pendingOrders", nil, orders)
  if not list then return nil, err end
  list, err = completed(self, op, list)
  if not list then return nil, err end
  local out = {}
  for i = #list, 1, -1 do -- newest first
    if not symbol or list[i].symbol == symbol then out[#out + 1] = list[i] end
  end
  return out
end

--- The open ones, also those that belong to a trade.
function Orders:open_orders(symbol)
  if symbol then unify.checked("open_orders", symbol) end
  return open_orders(self, "open_orders", symbol)
end

local function cancel_all(self, op, symbol)
  local list, err = open_orders(self, op, symbol)
  if not list then return nil, err end
  local out = {}
  for _, open in ipairs(list) do
    local gone
    gone, err = request.change(self, op, "PUT", ("orders/%s/cancel"):format(open.id), nil,
      function(answer) return unify.cancelled(open, answer.orderCancelTransaction) end)
    if gone then
      out[#out + 1] = gone
    elseif err.class ~= "unknown_order" then -- it has ended meanwhile
      return nil, err
    end
  end
  return seen(self, out)
end

--- Cancels every open order of a symbol, or of all, one after another.  Returns the cancelled ones.
function Orders:cancel_all(symbol)
  if symbol then unify.checked("cancel_all", symbol) end
  return cancel_all(self, "cancel_all", symbol)
end

local function close(self, position)
  local side = position.side
  return made(self, "flatten", "PUT", ("positions/%s/close"):format(position.raw.instrument),
    { [side .. "Units"] = "ALL" }, function(answer)
      return answer[side .. "OrderCreateTransaction"], answer[side .. "OrderFillTransaction"],
        answer[side .. "OrderCancelTransaction"]
    end)
end

--- Cancels every open order, then closes every position at the market.  Returns { cancelled, closed }.
function Orders:flatten(symbol)
  if symbol then unify.checked("flatten", symbol) end
  local cancelled, err = cancel_all(self, "flatten", symbol)
  if not cancelled then return nil, err end
  return client.close_positions(self, cancelled, symbol, close)
end

-- ---- what was ----------------------------------------------------------------------

local function within(options, time)
  return time >= (options.since or 0) and time <= (options.until_ or math.maxinteger)
end

--- All orders of a symbol, also ended ones, newest of the last 500 last.  options: since, until_ (ms), limit, order_id.
function Orders:orders(symbol, options)
  options = client.span("orders", options, nil, 3)
  local all, err = request.ask(self, "orders", "orders", { state = "ALL", count = PAGE,
    instrument = unify.checked("orders", symbol), ids = options.order_id and tostring(options.order_id) }, orders)
  if not all then return nil, err end
  local list = {}
  for _, o in ipairs(all) do
    if within(options, clock.ms(o.createTime)) and (not options.limit or #list < options.limit) then
      table.insert(list, 1, o)
    end
  end
  return completed(self, "orders", list)
end

--- The pages of a list of fills, as { from, to }.  Their addresses lead to the venue, and are read, not followed.
local function pages_of_fills(self, options)
  return request.ask(self, "fills", "transactions", { type = "ORDER_FILL", pageSize = RANGE,
    from = options.since and clock.unix(options.since), to = options.until_ and clock.unix(options.until_) },
    function(answer)
      return each(answer.pages, function(url)
        return { from = url:match "[?&]from=(%d+)", to = url:match "[?&]to=(%d+)" }
      end)
    end)
end

--- The account's own fills, oldest first; without `since` those of the time that the venue tells unasked.
-- options: since, until_ (ms), limit, order_id.
function Orders:fills(symbol, options)
  options = client.span("fills", options, nil, 3)
  local name, inner, out = unify.checked("fills", symbol), client.inside(self), {}
  if not inner.home then
    local known, err = request.summary(self, "fills")
    if not known then return nil, err end
  end
  local pages, err = pages_of_fills(self, options)
  if not pages then return nil, err end
  local id = options.order_id and tostring(options.order_id)
  for p = #pages, 1, -1 do -- the newest first
    local list
    list, err = request.ask(self, "fills", "transactions/idrange", { from = pages[p].from, to = pages[p].to,
      type = "ORDER_FILL" }, transactions)
    if not list then return nil, err end
    for i = #list, 1, -1 do
      local tx = list[i]
      if tx.instrument == name and (not id or tx.orderID == id) then
        if options.limit and #out >= options.limit then return out end
        table.insert(out, 1, unify.fill(tx, inner.home))
      end
    end
  end
  return out
end

--- Gives a class its orders.
function M.extend(class)
  for name, method in pairs(Orders) do class[name] = method end
end

return M
