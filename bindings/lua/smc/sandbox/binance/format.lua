--- How Binance writes numbers and records: eight decimals, its own words, its own order of fields.
local json = require "smc.json"

local M = {}

local ZEROS = "00000000"
local ZERO = "0." .. ZEROS
M.ZERO = ZERO

--- An engine decimal ("0.5") with exactly eight decimals.
local function pad(s)
  local dot = s:find(".", 1, true)
  if not dot then return s .. "." .. ZEROS end
  local n = #s - dot
  return n <= 8 and s .. ZEROS:sub(n + 1) or s:sub(1, dot + 8)
end
M.pad = pad

--- Upper-case engine words ("partially_filled") are Binance's.
local upper = {}
setmetatable(upper, { __index = function(t, word)
  t[word] = word:upper()
  return t[word]
end })
M.upper = upper

--- [price, quantity] rows, padded, at most n.
function M.levels(rows, n)
  local out = {}
  for i = 1, math.min(#rows, n or #rows) do
    out[i] = json.array { pad(rows[i][1]), pad(rows[i][2]) }
  end
  return json.array(out)
end

--- convert(item, ...) of each, as an array.
function M.each(list, convert, ...)
  local out = {}
  for i, item in ipairs(list) do out[i] = convert(item, ...) end
  return json.array(out)
end

-- ---- orders --------------------------------------------------------------------------------

local EXPIRY = { ioc = "UNFILLED_IOC_QUANTITY_EXPIRED", fok = "UNFILLED_FOK_ORDER_EXPIRED",
  liquidity = "INSUFFICIENT_LIQUIDITY", system = "EXCHANGE_CANCELED", trigger_failed = "REJECTED" }
local ENDED_BY_RULE = { expired = true, expired_in_match = true }

-- What an order says under each name: a field of the engine's order, or of another part of the view, and its form (so
-- many decimals, or upper case); or a function of the order and its view.  By name: default, needs and plus as in
-- json.shape.
local SAYS = {
  symbol = { "symbol" }, orderId = { "id" }, clientOrderId = { "client_id" }, origClientOrderId = { "orig_client_id" },
  price = { "price", 8 }, origQty = { "qty", 8 }, executedQty = { "filled", 8 }, preventedQty = { "prevented_qty", 8 },
  origQuoteOrderQty = { "quote_qty", 8 }, cummulativeQuoteQty = { "filled_quote", 8 },
  status = { "status", "upper" }, timeInForce = { "tif", "upper" }, type = { "type", "upper" },
  side = { "side", "upper" }, selfTradePreventionMode = { "stp", "upper" },
  preventedMatchId = { "prevented_match_id" },
  orderListId = { "list_id", of = "label", default = -1 },
  stopPrice = { function(o) return pad(o.trigger.price or "0") end, needs = "trigger", default = ZERO },
  stop = { function(o) return pad(o.trigger.price or "0") end, needs = "trigger" },
  trailingDelta = { function(o) return o.trigger.trail_bps end, needs = "trigger" },
  trailingTime = { function(o, view)
    if not o.trigger.trail_bps then return nil end
    return o.following_ms and o.following_ms + view.skew_ms or -1
  end, needs = "trigger" },
  pegPriceType = { "peg", of = "label" },
  pegOffsetType = { "peg_offset", of = "label" },
  pegOffsetValue = { "peg_levels", of = "label" },
  peggedPrice = { "pegged", 8, of = "label" },
  icebergQty = { "display_qty", 8, default = ZERO },
  part = { "display_qty", 8 },
  time = { "created_ms", plus = "skew_ms" },
  updateTime = { "updated_ms", plus = "skew_ms" },
  onBook = { "on_book" },
  isWorking = { function(o) return o.working_ms ~= nil end }, -- stays true when the order has ended
  workingTime = { "working_ms", plus = "skew_ms", default = -1 },
  workingSince = { "working_ms", plus = "skew_ms" },
  preventedQuantity = { "prevented_qty", 8, needs = "prevented_match_id" },
  strategyId = { "strategy_id", of = "label" },
  strategyType = { "strategy_type", of = "label" },
  expiryReason = { function(o)
    if o.reason == "linked" then return o.after and "OTO_PHASE_ONE_EXPIRED" or "OCO_TRIGGER" end
    return ENDED_BY_RULE[o.status] and EXPIRY[o.reason] or nil
  end, needs = "reason" },
}

--- The function that writes a record in the order of a line like "symbol price=last T=time": each a name on the wire,
-- and the key of the record where that is another.  What the record does not have is left out.  says: as SAYS.
function M.shape(line, says)
  local items = {}
  for piece in line:gmatch "%S+" do
    local name, key = piece:match "^(%w+)=?([%w_]*)$"
    if key == "" then key = name end
    local it = (says or SAYS)[key]
    items[#items + 1] = it and { name, key, it[1] and (it.of or "order"), it[1], it[2], default = it.default,
      needs = it.needs, plus = it.plus, each = it.each } or { name, key }
  end
  return json.shape(items)
end

--- An order as a record for shapes.  more: what the order alone does not know; label: the order's, if it is known,
-- false: it has none.
-- What a label shows stands before what the engine knows.
function M.view(sb, order, more, label)
  local view = more or {}
  if label == nil then label = sb:label(order) end
  view.order, view.label, view.skew_ms = order, label or nil, sb.skew_ms
  if not label then return view end -- then it is in no list, either
  if order.reason == "linked" then
    view.status = "EXPIRED" -- by the rule of its list
  elseif order.after and order.status == "new" then
    view.status = "PENDING_NEW"
  end
  if label.shows then
    for key, value in pairs(label.shows) do view[key] = value end
  end
  return view
end

local FILL = { price = { "price", 8 }, qty = { "qty", 8 }, commission = { "fee", 8 }, commissionAsset = { "fee_asset" },
  tradeId = { "id" } }

--- The fills in the answer to a placement: those of an engine's record.
M.own_fills = M.shape("price qty commission commissionAsset tradeId", FILL)
SAYS.fills = { each = M.own_fills }

local HEAD = "symbol orderId orderListId clientOrderId "
local PEG = "pegPriceType pegOffsetType pegOffsetValue peggedPrice "
local TERMS = "price " .. PEG .. "origQty executedQty origQuoteOrderQty cummulativeQuoteQty status timeInForce type "
  .. "side stopPrice=stop trailingDelta trailingTime "
local BERG = "icebergQty=part strategyId strategyType "
local PLACED = HEAD .. "transactTime " .. TERMS .. "workingTime " .. BERG
local PREVENTED = "selfTradePreventionMode preventedQuantity expiryReason"

--- The answers to a placement, by what was asked for.  The view has transactTime; fills: the engine's record of them,
-- or what own_fills made of it; and preventedMatches.
M.placed = {
  ACK = M.shape(HEAD .. "transactTime"),
  RESULT = M.shape(PLACED .. PREVENTED),
  FULL = M.shape(PLACED .. "fills preventedMatches " .. PREVENTED),
}

--- The answer to a cancel.  The view has transactTime.
M.canceled = M.shape("symbol origClientOrderId orderId orderListId clientOrderId transactTime " .. TERMS .. BERG
  .. "selfTradePreventionMode preventedMatchId preventedQuantity")

--- An order as queries show it.
M.order = M.shape(HEAD .. "price " .. PEG .. "origQty executedQty cummulativeQuoteQty status timeInForce type side "
  .. "stopPrice trailingDelta trailingTime icebergQty time updateTime isWorking workingTime origQuoteOrderQty "
  .. "strategyId strategyType selfTradePreventionMode preventedMatchId preventedQuantity expiryReason")

--- The order in the answer to an amendment.  The view has origClientOrderId.
M.amended = M.shape("symbol orderId orderListId origClientOrderId clientOrderId price " .. PEG .. "qty=origQty "
  .. "executedQty preventedQty quoteOrderQty=origQuoteOrderQty cumulativeQuoteQty=cummulativeQuoteQty status "
  .. "timeInForce type side stopPrice=stop trailingDelta trailingTime icebergQty=part workingTime=workingSince "
  .. "strategyId strategyType selfTradePreventionMode")

--- One of the account's own fills.  list_id: of its order.
function M.fill(f, skew_ms, list_id)
  return json.object("symbol", f.symbol, "id", f.id, "orderId", f.order_id, "orderListId", list_id or -1,
    "price", pad(f.price), "qty", pad(f.qty), "quoteQty", pad(f.quote),
    "commission", pad(f.fee), "commissionAsset", f.fee_asset, "time", f.time_ms + skew_ms,
    "isBuyer", f.side == "buy", "isMaker", f.is_maker, "isBestMatch", true)
end

-- ---- microseconds ---------------------------------------------------------------------------

--- The spellings of the two units of time.
M.units = { MICROSECOND = "us", microsecond = "us", MILLISECOND = "ms", millisecond = "ms" }

local EPOCHS_FROM, EPOCHS_TO = 10 ^ 12, 10 ^ 14

--- JSON with every millisecond timestamp in microseconds.  Ids are far too small to be meant.
function M.microseconds(text)
  return (text:gsub("([:,%[])(%d+)%f[,%]}]", function(before, digits)
    local n = #digits <= 14 and math.tointeger(tonumber(digits))
    if n and n >= EPOCHS_FROM and n < EPOCHS_TO then return before .. digits .. "000" end
  end))
end

return M
