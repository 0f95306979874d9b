--- Creating and cancelling orders.  The answer says only that the order was taken in: what becomes of it shows in
-- order/realtime and on the private stream.
local decimal = require "smc.decimal"
local json = require "smc.json"
local ledger = require "smc.sandbox.bybit.ledger"
local params = require "smc.sandbox.bybit.params"
local private = require "smc.sandbox.bybit.private_stream"
local refusal = require "smc.sandbox.bybit.refusal"
local symbols = require "smc.sandbox.bybit.symbols"
local task = require "smc.core.task"

local M = {}

local cmp, mul = decimal.cmp, decimal.mul

local SIDES = { Buy = "buy", Sell = "sell" }
local TYPES = { Market = true, Limit = true }
local TIFS = { GTC = "gtc", IOC = "ioc", FOK = "fok", PostOnly = "gtc" }
local UNITS = { baseCoin = true, quoteCoin = true }
local SMP = { None = "none", CancelMaker = "expire_maker", CancelTaker = "expire_taker", CancelBoth = "expire_both" }
local MAX_LINK = 36

-- Spot features that this sandbox has not, with the value that asks for none of it.
local UNSUPPORTED = { triggerPrice = "", takeProfit = "0", stopLoss = "0", slippageTolerance = "", isLeverage = "0",
  orderFilter = "Order", bboSideType = "", orderIv = "" }

local function words(v, no)
  if not v.side then return nil, no.empty "side" end
  if not SIDES[v.side] then return nil, no.side() end
  if not v.orderType then return nil, no.empty "orderType" end
  if not TYPES[v.orderType] then return nil, no.type() end
  if v.timeInForce == "RPI" then return nil, no.unsupported() end
  if v.timeInForce and not TIFS[v.timeInForce] then return nil, no.tif() end
  if v.marketUnit and not UNITS[v.marketUnit] then return nil, no.invalid "marketUnit" end
  if v.smpType and not SMP[v.smpType] then return nil, no.invalid "smpType" end
  if v.orderLinkId and (#v.orderLinkId > MAX_LINK or v.orderLinkId:find("[^%w_-]")) then
    return nil, refusal.params "orderLinkId invalid"
  end
  for name, none in pairs(UNSUPPORTED) do
    if v[name] and v[name] ~= none then return nil, no.unsupported() end
  end
  return true
end

--- What is asked for, with amounts in minimal form: { side, market, post_only, tif, unit, qty | quote_qty, price }.
local function read(def, v)
  local ok, no = words(v, def.no)
  if not ok then return nil, no end
  local o = { side = SIDES[v.side], market = v.orderType == "Market", stp = SMP[v.smpType or "None"] }
  o.post_only = not o.market and v.timeInForce == "PostOnly"
  o.tif = TIFS[v.timeInForce or "GTC"]
  local amount
  amount, no = params.amount(v, "qty", def.no)
  if not amount then return nil, no end
  if o.market then
    o.unit = v.marketUnit or (o.side == "buy" and "quoteCoin" or "baseCoin")
  else
    o.price, no = params.amount(v, "price", def.no)
    if not o.price then return nil, no end
  end
  if o.unit == "quoteCoin" then o.quote_qty = amount else o.qty = amount end
  return o
end

local function check_size(def, o)
  local no = def.no
  if o.quote_qty then
    if not decimal.is_multiple(o.quote_qty, def.quote_step) then return nil, no.amount_step() end
    return true
  end
  if cmp(o.qty, "0") == 0 then return nil, no.qty_low() end
  if not decimal.is_multiple(o.qty, def.step) then return nil, no.qty_step() end
  local most = o.market and def.max_market or o.post_only and def.max_maker or def.max_limit
  if cmp(o.qty, most) > 0 then return nil, o.market and no.market_qty_high() or no.limit_qty_high() end
  return true
end

--- The band of prices around the index: the mid of the market stands for it.
local function check_band(sb, def, o)
  local index = sb.market:mid(def.symbol)
  if o.side == "buy" then
    local most = decimal.floor_to(mul(index, decimal.add("1", def.band), 12), def.tick)
    if cmp(o.price, most) > 0 then return nil, def.no.buy_too_high(most, def.quote) end
  else
    local least = decimal.floor_to(mul(index, decimal.sub("1", def.band), 12), def.tick)
    if cmp(o.price, least) < 0 then return nil, def.no.sell_too_low(least, def.quote) end
  end
  return true
end

local function check(sb, def, o)
  local ok, no = check_size(def, o)
  if not ok then return nil, no end
  if o.price then
    if cmp(o.price, def.tick) < 0 then return nil, def.no.price_low() end
    if not decimal.is_multiple(o.price, def.tick) then return nil, def.no.price_step() end
  end
  local value = o.quote_qty or mul(o.qty, o.price or sb:last_price(def.symbol), 12)
  if cmp(value, def.min_value) < 0 then return nil, def.no.value_low() end
  if o.price then return check_band(sb, def, o) end
  return true
end

-- Which refusal of the category the engine's stands for.
local REJECTED = { insufficient_funds = "no_funds", duplicate_client_id = "duplicate", quote_qty_too_small = "qty_low",
  invalid_price = "price_step", invalid_qty = "qty_step", invalid_quote_qty = "amount_step" }

-- What the engine turns away only after the acknowledgement: status and reason of such an order.
local LATE = { would_take = { "rejected", "" }, no_liquidity = { "expired", "liquidity" } }

local function turned_away(o, symbol, how)
  local now = task.wall_ms()
  return { symbol = symbol, side = o.side, type = o.market and "market" or "limit", tif = o.tif, price = o.price or "0",
    qty = o.qty or "0", quote_qty = o.quote_qty or "0", filled = "0", filled_quote = "0", status = how[1],
    reason = how[2], created_ms = now, updated_ms = now }
end

local function submit(sb, call, def, o)
  local id, link = sb.ledger:next_ids(call.values.orderLinkId)
  local entry = { id = id, link = link, account = call.account, category = def.category,
    symbol = def.symbol, post_only = o.post_only, market_unit = o.unit, smp = call.values.smpType or "None" }
  local order, reason = sb.market:place { account = call.account, symbol = def.symbol, side = o.side,
    type = o.market and "market" or o.post_only and "limit_maker" or "limit", qty = o.qty, quote_qty = o.quote_qty,
    price = o.price, tif = not o.market and not o.post_only and o.tif or nil, client_id = link, stp = o.stp }
  if order then
    entry.engine_id = order.id
  elseif LATE[reason] then
    entry.order = turned_away(o, def.symbol, LATE[reason])
  else
    return nil, def.no[assert(REJECTED[reason], reason)]()
  end
  sb.ledger:add(entry)
  if entry.order then private.tell_order(sb, entry, entry.order) end
  return entry
end

local function symbol_of(call)
  local no = refusal[call.category]
  if not call.values.symbol then return nil, no.empty "symbol" end
  local def = call.market.by_native[call.values.symbol]
  if not def then return nil, no.symbol() end
  return def
end

local function acknowledged(entry) return json.object("orderId", entry.id, "orderLinkId", entry.link) end

--- Returns the entry of the ledger, or nil and a refusal; so do the others of one order.
function M.create(sb, call)
  local v = call.values
  local def, no = symbol_of(call)
  if not def then return nil, no end
  local o
  o, no = read(def, v)
  if not o then return nil, no end
  local ok
  ok, no = check(sb, def, o)
  if not ok then return nil, no end
  if v.orderLinkId and sb.ledger:find(call, nil, v.orderLinkId) then return nil, def.no.duplicate() end
  if sb.market:count { account = call.account } >= symbols.max_orders then return nil, def.no.too_many_orders() end
  return submit(sb, call, def, o)
end

local OPEN = { new = true, partially_filled = true }

function M.cancel(sb, call)
  local v = call.values
  local def, no = symbol_of(call)
  if not def then return nil, no end
  if not v.orderId and not v.orderLinkId then return nil, refusal.no_order_id() end
  local entry = sb.ledger:find(call, v.orderId, v.orderLinkId)
  if not entry or entry.symbol ~= def.symbol then return nil, def.no.no_cancel() end
  local order = ledger.order_of(sb, entry)
  if order.status == "filled" then return nil, def.no.filled() end
  if not OPEN[order.status] then return nil, def.no.canceled() end
  assert(sb.market:cancel { account = call.account, symbol = def.symbol, id = order.id })
  return entry
end

local function cancel_all(sb, call)
  local def, no
  if call.values.symbol then
    def, no = symbol_of(call)
    if not def then return nil, no end
  end
  local out = {}
  for _, each in ipairs(def and { def } or call.market.list) do
    for _, order in ipairs(sb.market:cancel_all { account = call.account, symbol = each.symbol, reason = "user" }) do
      out[#out + 1] = acknowledged(sb.ledger:of_engine(order.symbol, order.id))
    end
  end
  return json.object("list", json.array(out), "success", "1")
end

local CANCELS = { spot = 20, linear = 10, option = 1 }

local function route(path, limit, handle)
  return { method = "POST", path = "/v5/order/" .. path, private = true, trade = true, limit = limit, category = true,
    handle = handle }
end

local function of_one(handle)
  return function(sb, call)
    local entry, no = handle(sb, call)
    if not entry then return nil, no end
    return acknowledged(entry)
  end
end

M.routes = { route("create", { spot = 20, linear = 10, option = 10 }, of_one(M.create)),
  route("cancel", { spot = 20, linear = 10, option = 10 }, of_one(M.cancel)), route("cancel-all", CANCELS, cancel_all) }

return M
