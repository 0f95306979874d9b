--- The private stream: who logged on, and what an account is told about its orders, executions and coins.
local auth = require "smc.sandbox.bybit.auth"
local dcp = require "smc.sandbox.bybit.dcp"
local decimal = require "smc.decimal"
local format = require "smc.sandbox.bybit.format"
local frames = require "smc.sandbox.bybit.frames"
local json = require "smc.json"
local reached = require "smc.sandbox.reached"
local subscriptions = require "smc.sandbox.subscriptions"

local M = {}

-- By category: those that this sandbox has nothing of can be subscribed to, and stay silent.
local CATEGORISED = { order = { "spot", "linear", "inverse", "option" },
  execution = { "spot", "linear", "inverse", "option" }, ["execution.fast"] = { "spot", "linear", "inverse", "option" },
  position = { "linear", "inverse", "option" } }

M.topics = { "wallet", "greeks", "dcp.spot", "dcp.future", "dcp.option" }
local TOPICS = {} -- "all" of all categories, "one" of one, "plain" of none
for _, name in ipairs(M.topics) do TOPICS[name] = "plain" end
for name, categories in pairs(CATEGORISED) do
  M.topics[#M.topics + 1], TOPICS[name] = name, "all"
  for _, category in ipairs(categories) do
    local one = name .. "." .. category
    M.topics[#M.topics + 1], TOPICS[one] = one, "one"
  end
end

-- ---- telling ------------------------------------------------------------------------

--- Whether anybody is told anything.
function M.has_listeners(sb)
  for _, session in ipairs(sb.sessions) do
    if session.key and #session.names > 0 then return true end
  end
  return false
end

--- Sends a row to all who want it.  what: stands in the id of the message, nil: it has none; make(): the row, which is
-- not made for nobody.
local function tell(sb, account, topic, category, what, make)
  local row, id
  for _, session in ipairs(sb.sessions) do
    if session.key and session.key.account == account then
      for _, name in ipairs { topic, topic .. "." .. category } do
        if subscriptions.index_of(session.names, name) then
          if not row then
            sb.pushes = sb.pushes + 1
            row, id = make(), what and ("%d_%s_%d"):format(sb.uid, what, sb.pushes)
          end
          frames.send(session, "topic", name, "id", id, "creationTime", sb:now(), "data", json.array { row })
        end
      end
    end
  end
end

--- What the ids of messages about an instrument's orders have of it.
local function named(def) return def.contract and def.native or def.id end

--- o: the order as it was then; status: instead of its own.
function M.tell_order(sb, entry, o, status)
  local def = sb.by_symbol[entry.symbol]
  tell(sb, entry.account, "order", def.category, named(def), function()
    return format.order(def, entry, o, sb.skew_ms, "stream", status)
  end)
end

--- The fee of so much of an execution.
local function fee_of(e, qty) return decimal.mul(decimal.div(e.fee, e.last_qty, 12), qty, 8) end

--- Takes the fees for opening so much out of what is kept of a position.
local function take_paid(kept, qty)
  local share = qty == kept.bought and kept.paid or decimal.mul(decimal.div(kept.paid, kept.bought, 12), qty, 8)
  kept.paid, kept.bought = decimal.sub(kept.paid, share), decimal.sub(kept.bought, qty)
  return share
end

--- An order has closed a part of a position: entry.closed and sb.closings keep what came of it, both fees among it.
local function close(sb, def, entry, e, kept)
  local c = entry.closed
  if not c then
    c = { entry = entry, def = def, side = e.order.side, qty = e.order.qty, order_price = e.order.price,
      order_type = e.order.type, size = "0", exit = "0", realized = "0", fee = "0", open_fee = "0", fills = 0,
      leverage = kept.leverage }
    entry.closed = c
    sb.closings[#sb.closings + 1] = c
  end
  c.size, c.realized = decimal.add(c.size, e.closed_qty), decimal.add(c.realized, e.realized)
  c.exit = decimal.add(c.exit, decimal.mul(e.closed_qty, e.last_price))
  c.fee = decimal.add(c.fee, fee_of(e, e.closed_qty))
  c.open_fee = decimal.add(c.open_fee, take_paid(kept, e.closed_qty))
  c.pnl = decimal.sub(decimal.sub(c.realized, c.fee), c.open_fee)
  c.fills, c.time_ms = c.fills + 1, e.time_ms
end

--- What an execution does to a position.
local function held(sb, def, entry, e)
  local kept = sb:kept(entry.account, def, entry.idx)
  kept.fees = decimal.add(kept.fees, e.fee)
  if e.closed_qty ~= "0" then close(sb, def, entry, e, kept) end
  local opened = decimal.sub(e.last_qty, e.closed_qty)
  kept.paid, kept.bought = decimal.add(kept.paid, fee_of(e, opened)), decimal.add(kept.bought, opened)
end

local function fast(sb, def, entry, e)
  return json.object("category", def.category, "symbol", def.native,
    "execId", format.exec_id(def, e.trade_id, e.order.side == "sell"), "execPrice", e.last_price, "execQty", e.last_qty,
    "orderId", entry.id, "isMaker", e.is_maker, "orderLinkId", e.is_maker and "" or entry.link,
    "side", format.SIDE[e.order.side], "execTime", tostring(e.time_ms + sb.skew_ms), "seq", e.trade_id)
end

local function traded(sb, def, entry, e)
  sb.ledger:charge(entry, e.fee)
  if def.contract then held(sb, def, entry, e) end
  if not entry.exec_type then
    tell(sb, entry.account, "execution.fast", def.category, nil, function() return fast(sb, def, entry, e) end)
  end
  tell(sb, entry.account, "execution", def.category, named(def), function()
    return format.execution(sb, def, entry, { side = e.order.side, price = e.last_price, qty = e.last_qty,
      quote = e.last_quote, fee = e.fee, trade_id = e.trade_id, is_maker = e.is_maker, time_ms = e.time_ms,
      closed_qty = e.closed_qty, realized = e.realized, mark = def.contract and sb.market:mid(def.symbol) },
      e.order, true)
  end)
end

--- e: an order event of the engine.  Returns the order's entry.
function M.order_event(sb, e)
  local def = sb.by_symbol[e.symbol]
  local entry = sb.ledger:of_engine(e.symbol, e.order.id)
  if not entry then
    local indices = sb:indices(e.account, def)
    entry = sb.ledger:adopt(def, e.order, e.order.side == "sell" and indices[1] or indices[#indices])
  end
  if e.exec == "trade" then traded(sb, def, entry, e) end
  M.tell_order(sb, entry, e.order, e.exec == "triggered" and "Triggered" or nil)
  return entry
end

--- A funding settlement; see funding.lua.
function M.tell_funding(sb, f)
  tell(sb, f.account, "execution", f.def.category, named(f.def), function()
    return format.execution(sb, f.def, f.entry, f, f.order, true)
  end)
end

--- The position as it is now.
function M.tell_position(sb, account, def, idx)
  tell(sb, account, "position", def.category, "position", function()
    return format.position(sb, account, def, idx, true)
  end)
end

--- list: balance events of one account.
function M.wallet_event(sb, list)
  local account = list[1].account
  tell(sb, account, "wallet", "", "wallet", function()
    local wanted = {}
    for _, b in ipairs(list) do wanted[b.asset] = true end
    return format.wallet(sb, account, wanted)
  end)
end

-- ---- operations ---------------------------------------------------------------------

local function respond(session, frame, success, message)
  frames.send(session, "req_id", frames.req_id(frame), "success", success, "ret_msg", message, "op", frame.op,
    "conn_id", session.conn_id)
end

local operations = {}
M.operations = operations

function operations.auth(sb, session, frame)
  local key = auth.check_socket(sb, frame.args, sb:now())
  if not key then return respond(session, frame, false, "Params Error") end
  session.key = key
  respond(session, frame, true, "")
end

function operations.subscribe(sb, session, frame)
  if not session.key then return respond(session, frame, false, "Request not authorized") end
  local names = frames.names(frame)
  if not names then return respond(session, frame, false, "error:args invalid") end
  local kinds = {}
  for _, name in ipairs(names) do
    if not TOPICS[name] then return respond(session, frame, false, "error:handler not found,topic:" .. name) end
    kinds[TOPICS[name]] = true
  end
  if kinds.all and kinds.one then
    return respond(session, frame, false, "error:all-in-one and categorised topics mixed")
  end
  sb:settle() -- what happened before does not belong to the new subscription
  for _, name in ipairs(names) do
    reached.mark("bybit", "private", name)
    if not subscriptions.index_of(session.names, name) then session.names[#session.names + 1] = name end
  end
  respond(session, frame, true, "")
  sb:arm()
end

function operations.unsubscribe(sb, session, frame)
  for _, name in ipairs(frames.names(frame) or {}) do
    local at = subscriptions.index_of(session.names, name)
    if at then table.remove(session.names, at) end
  end
  respond(session, frame, true, "")
  sb:arm()
end

function operations.ping(sb, session, frame)
  session.pings = session.pings + 1
  frames.send(session, "req_id", frames.req_id(frame), "op", "pong", "args", json.array { tostring(sb:now()) },
    "conn_id", session.conn_id)
end

M.socket = { name = "private", operations = operations, closed = dcp.left }

return M
